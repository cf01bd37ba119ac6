"""§8, errors in UTF-8: sequences that are text and sequences that are not, whole, in fragments and byte by byte."""

from conformance.scripts import breach, carried, last, more, said, text
from frames import CONTINUATION, TEXT

# name: the text
VALID = {
    "Greek": "κόσμε".encode(),
    "every length of character": "$¢€𐍈".encode(),
    "ASCII with NUL and DEL": b"\x00 a \x7f",
    "U+0080, the first of two bytes": b"\xc2\x80",
    "U+07FF, the last of two bytes": b"\xdf\xbf",
    "U+0800, the first of three bytes": b"\xe0\xa0\x80",
    "U+0FFF, the last with lead E0": b"\xe0\xbf\xbf",
    "U+1000, the first with lead E1": b"\xe1\x80\x80",
    "U+CFFF, the last with lead EC": b"\xec\xbf\xbf",
    "U+D7FF, the last below the surrogates": b"\xed\x9f\xbf",
    "U+E000, the first above the surrogates": b"\xee\x80\x80",
    "U+FFFD, the replacement character": b"\xef\xbf\xbd",
    "U+FFFE, no character": b"\xef\xbf\xbe",
    "U+FFFF, no character": b"\xef\xbf\xbf",
    "U+FDD0, no character": b"\xef\xb7\x90",
    "U+FEFF, a byte order mark": b"\xef\xbb\xbfx",
    "U+10000, the first of four bytes": b"\xf0\x90\x80\x80",
    "U+3FFFF, the last with lead F0": b"\xf0\xbf\xbf\xbf",
    "U+40000, the first with lead F1": b"\xf1\x80\x80\x80",
    "U+FFFFF, the last with lead F3": b"\xf3\xbf\xbf\xbf",
    "U+100000, the first with lead F4": b"\xf4\x80\x80\x80",
    "U+10FFFF, the last of all": b"\xf4\x8f\xbf\xbf",
    "the last two of every plane": b"".join(chr(plane << 16 | 0xFFFE | low).encode() for plane in range(17) for low in (0, 1)),
    "characters behind sixteen bytes of ASCII": b"0123456789abcdef" + "é€𐍈".encode(),
}

# name: (what may begin a text, what cannot go on so: its first byte is the one that no text has here)
INVALID = {
    "a continuation byte alone, 80": (b"", b"\x80"),
    "a continuation byte alone, BF": (b"", b"\xbf"),
    "a continuation byte behind ASCII": (b"abc", b"\x80def"),
    "a continuation byte too many": (b"\xc3\xa9", b"\xa9"),
    "a run of continuation bytes": (b"", bytes(range(0x80, 0xC0))),
    "lead C0, an overlong NUL": (b"", b"\xc0\x80"),
    "lead C0, an overlong slash": (b"", b"\xc0\xaf"),
    "lead C1, an overlong DEL": (b"", b"\xc1\xbf"),
    "E0 80, an overlong NUL": (b"\xe0", b"\x80\x80"),
    "E0 80, an overlong slash": (b"\xe0", b"\x80\xaf"),
    "E0 9F, an overlong U+07FF": (b"\xe0", b"\x9f\xbf"),
    "F0 80, an overlong NUL": (b"\xf0", b"\x80\x80\x80"),
    "F0 8F, an overlong U+FFFF": (b"\xf0", b"\x8f\xbf\xbf"),
    "U+D800, the first high surrogate": (b"\xed", b"\xa0\x80"),
    "U+DBFF, the last high surrogate": (b"\xed", b"\xaf\xbf"),
    "U+DC00, the first low surrogate": (b"\xed", b"\xb0\x80"),
    "U+DFFF, the last low surrogate": (b"\xed", b"\xbf\xbf"),
    "a pair of surrogates": (b"\xed", b"\xa0\x80\xed\xb0\x80"),
    "U+110000, the first beyond all": (b"\xf4", b"\x90\x80\x80"),
    "lead F4 with BF": (b"\xf4", b"\xbf\xbf\xbf"),
    "lead F5": (b"", b"\xf5\x80\x80\x80"),
    "lead F7": (b"", b"\xf7\xbf\xbf\xbf"),
    "lead F8, five bytes": (b"", b"\xf8\x88\x80\x80\x80"),
    "lead FC, six bytes": (b"", b"\xfc\x84\x80\x80\x80\x80"),
    "FE": (b"", b"\xfe"),
    "FF": (b"", b"\xff"),
    "FE FE FF FF": (b"", b"\xfe\xfe\xff\xff"),
    "a lead of two bytes before ASCII": (b"\xc3", b" x"),
    "a lead of three bytes before ASCII": (b"\xe2", b" x"),
    "two of three bytes before ASCII": (b"\xe2\x82", b" x"),
    "a lead of four bytes before ASCII": (b"\xf0", b" x"),
    "two of four bytes before ASCII": (b"\xf0\x90", b" x"),
    "three of four bytes before ASCII": (b"\xf0\x90\x8d", b" x"),
    "a lead before a lead of two bytes": (b"\xc3", b"\xc3\xa9"),
    "three of four bytes before a lead": (b"\xf0\x90\x8d", b"\xf0\x90\x8d\x88"),
    "Latin-1": (b"caf\xe9", b" au lait"),
    "UTF-16 with a byte order mark": (b"", b"\xff\xfeh\0i\0"),
    "a fault behind Greek": ("κόσμε".encode() + b"\xed", b"\xa0\x80edited"),
    "a fault behind 8 KiB of ASCII": (b"0123456789abcdef" * 512, b"\xff"),
    "a fault behind 3 KiB of Japanese": ("日本語".encode() * 341, b"\x80"),
}

# name: a text that only its end makes invalid
UNFINISHED = {
    "one of two bytes": b"\xc3",
    "one of three bytes": b"\xe2",
    "two of three bytes": b"\xe2\x82",
    "one of four bytes": b"\xf0",
    "two of four bytes": b"\xf0\x90",
    "three of four bytes": b"\xf0\x90\x8d",
    "two of three bytes behind Greek": "κόσμε".encode() + b"\xe2\x82",
}


def _fragments(payload, fin):
    """A frame for each byte; the last one ends the message, if `fin`."""
    end = len(payload) - 1
    return [
        said(CONTINUATION if index else TEXT, payload[index:index + 1], fin and index == end) for index in range(len(payload))]


def _short(table):
    """The rows that are worth taking apart byte by byte."""
    return [(name, row) for name, row in table.items() if len(row if isinstance(row, bytes) else row[0]) < 100]


CASES = [
    *(carried("8.1", f"{name}, whole", text(sequence)) for name, sequence in VALID.items()),
    *(carried("8.1", f"{name}, a fragment for each byte", *_fragments(sequence, True)) for name, sequence in _short(VALID)),
    *(carried("8.1", f"{name}, byte by byte", text(sequence), chop=1) for name, sequence in _short(VALID)),
    *(breach("8.1", f"{name}, whole", 1007, "invalid_utf8", text(good + bad)) for name, (good, bad) in INVALID.items()),
    *(breach("8.1", f"{name}, a fragment for each byte", 1007, "invalid_utf8",
             said(CONTINUATION if good else TEXT, bad[:1], False), passing=_fragments(good, False))
      for name, (good, bad) in _short(INVALID)),
    # The rest of the frame is never sent: the fault is seen at its first byte.
    *(breach("8.1", f"{name}, byte by byte, at once", 1007, "invalid_utf8", text(good + bad[:1], announced=len(good) + 100),
             begun=text(good, announced=len(good) + 100), chop=1)
      for name, (good, bad) in _short(INVALID)),
    *(breach("8.1", f"{name} at the end of a message", 1007, "invalid_utf8", text(sequence))
      for name, sequence in UNFINISHED.items()),
    *(breach("8.1", f"{name} before an empty last fragment", 1007, "invalid_utf8", last(), passing=[text(sequence, False)])
      for name, sequence in UNFINISHED.items()),
    carried("8.1", "bytes that are no text, in a binary", *[said(2, good + bad) for good, bad in INVALID.values()]),
]
