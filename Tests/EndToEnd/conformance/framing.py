"""§5, data framing: masks, bits, opcodes, lengths, fragments and control frames."""

from conformance.scripts import CLIENT, WORKER, breach, binary, carried, close, last, more, ping, pong, said, text


def filler(count):
    """So many bytes of ASCII, no two neighbours alike."""
    return (b"0123456789abcdef" * (count // 16 + 1))[:count]


_EVERY_FRAME = [
    ("a text", text(b"hello")), ("an empty text", text()), ("a binary", binary(b"\0\xff")),
    ("a first fragment", text(b"he", False)), ("a ping", ping(b"?")), ("an empty ping", ping()), ("a pong", pong(b"!")),
    ("a close", close(1000)), ("an empty close", close())]


def _with(frame, **changes):
    return said(frame.opcode, frame.payload, frame.fin, **changes)


MASKS = [
    *(breach("5.1", f"{name} of a client's without a mask", 1002, "mask_missing", _with(frame, mask=None), senders=(CLIENT,))
      for name, frame in _EVERY_FRAME),
    *(breach("5.1", f"{name} of a worker's with a mask", 1002, "mask_unexpected", _with(frame, mask=b"\1\2\3\4"), senders=(WORKER,))
      for name, frame in _EVERY_FRAME),
    breach("5.1", "a last fragment without a mask", 1002, "mask_missing", last(b"lo", mask=None), passing=[text(b"hel", False)],
           senders=(CLIENT,)),
    breach("5.1", "a last fragment with a mask", 1002, "mask_unexpected", last(b"lo", mask=b"\1\2\3\4"),
           passing=[text(b"hel", False)], senders=(WORKER,)),
    *(carried("5.3", f"a mask of {key.hex()}", text(b"Hello, mask", mask=key), senders=(CLIENT,))
      for key in [bytes(4), b"\xff" * 4, b"\0\0\0\1", b"\x80\0\0\0", b"Hell"]),
    carried("5.3", "another mask for each frame", text(b"one", mask=b"\1\2\3\4"), binary(b"two", mask=b"\5\6\7\x08"),
            ping(b"three", mask=b"\x09\x0a\x0b\x0c"), senders=(CLIENT,)),
    carried("5.3", "another mask for each fragment", text(b"o\xc3", False, mask=b"\1\2\3\4"),
            more(b"\xa9t", mask=b"\xf1\xf2\xf3\xf4"), last(b"wo", mask=bytes(4)), senders=(CLIENT,)),
]

_BITS = {4: "RSV1", 2: "RSV2", 1: "RSV3", 6: "RSV1 and RSV2", 5: "RSV1 and RSV3", 3: "RSV2 and RSV3", 7: "every reserved bit"}
_STARTED = [text(b"begun", False)]

BITS = [
    *(breach("5.2", f"{name} on a text", 1002, "reserved_bits", text(b"x", rsv=bits)) for bits, name in _BITS.items()),
    *(breach("5.2", f"{name} on {what}", 1002, "reserved_bits", _with(frame, rsv=bits))
      for bits, name in _BITS.items() if bits in (1, 2, 4)
      for what, frame in [("a binary", binary(b"x")), ("a ping", ping()), ("a pong", pong(b"x")), ("a close", close(1000))]),
    breach("5.2", "RSV1 on a continuation", 1002, "reserved_bits", last(b"x", rsv=4), passing=_STARTED),
    breach("5.2", "RSV2 on a frame behind a good message", 1002, "reserved_bits", text(b"x", rsv=2), passing=[text(b"good")]),
    breach("5.2", "RSV3 on a frame that comes byte by byte", 1002, "reserved_bits", text(b"x", rsv=1), chop=1),
]

OPCODES = [
    *(breach("5.2", f"opcode {opcode}, empty", 1002, "unknown_opcode", said(opcode))
      for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]),
    *(breach("5.2", f"opcode {opcode} with a payload, behind a good message", 1002, "unknown_opcode", said(opcode, b"x"),
             passing=[text(b"good")]) for opcode in [3, 7, 11, 15]),
    *(breach("5.2", f"opcode {opcode} within a message", 1002, "unknown_opcode", said(opcode, b"x"), passing=_STARTED)
      for opcode in [4, 12]),
    breach("5.2", "an opcode of control that is fragmented", 1002, "unknown_opcode", said(11, fin=False)),
]

LENGTHS = [
    *(carried("5.2", f"{name} of {count} bytes", make(filler(count)))
      for name, make in [("text", text), ("binary", binary)]
      for count in [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536, 65_537]),
    *(breach("5.2", f"a length of {count} in {width} bytes", 1002, "length_not_minimal", text(filler(count), length_bytes=width))
      for width, counts in {2: [0, 1, 125], 8: [0, 125, 126, 65_535]}.items() for count in counts),
    *(breach("5.2", f"a length with the top bit: {length:x}", 1002, "length_out_of_range", binary(announced=length, length_bytes=8))
      for length in [1 << 63, (1 << 63) + 5, (1 << 64) - 1]),
    breach("5.2", "a length in too many bytes, of a continuation", 1002, "length_not_minimal", last(b"x", length_bytes=2),
           passing=_STARTED),
    carried("5.2", "a frame that comes byte by byte", text(b"hello"), chop=1),
    carried("5.2", "an empty frame that comes byte by byte", binary(), chop=1),
    carried("5.2", "a length of two bytes that comes byte by byte", text(filler(126)), chop=1),
    carried("5.2", "a frame of 64 KiB in pieces of 1,021 bytes", binary(filler(65_536)), chop=1021),
    carried("5.2", "frames whose pieces end anywhere", text(b"one"), binary(b"two"), ping(b"three"), text(b"four"), chop=4),
]

FRAGMENTS = [
    *(carried("5.4", f"{name} in {count} fragments", make(b"0", False), *[more(b"%d" % n) for n in range(count - 2)], last(b"."))
      for name, make in [("text", text), ("binary", binary)] for count in [2, 3, 10, 200]),
    carried("5.4", "an empty first fragment", text(b"", False), last(b"x")),
    carried("5.4", "an empty fragment within", text(b"x", False), more(), last(b"y")),
    carried("5.4", "an empty last fragment", binary(b"x", False), last()),
    carried("5.4", "nothing but empty fragments", text(b"", False), more(), more(), last()),
    carried("5.4", "fragments of every form of length", binary(filler(125), False), more(filler(126)), more(filler(65_536)),
            last()),
    carried("5.4", "fragments that come byte by byte", text(b"on", False), more(b"e"), last(b"!"), chop=1),
    carried("5.4", "two messages in fragments, one behind the other", text(b"a", False), last(b"b"), binary(b"c", False),
            last(b"d")),
    carried("5.4", "a whole message behind one in fragments", text(b"a", False), last(b"b"), text(b"c")),
    *(carried("5.4", f"{name} between fragments", text(b"one ", False), *frames, last(b"two"))
      for name, frames in [
          ("a ping", [ping(b"now")]), ("an empty ping", [ping()]), ("a pong", [pong(b"unasked")]),
          ("a ping of 125 bytes", [ping(filler(125))]), ("pings and pongs", [ping(b"1"), pong(b"2"), ping(b"3")])]),
    carried("5.4", "a ping in every gap of a message", binary(b"a", False), ping(b"1"), more(b"b"), ping(b"2"), more(), pong(b"3"),
            last(b"c")),
    carried("5.4", "a ping within a message, all of it byte by byte", text(b"a", False), ping(b"1"), last(b"b"), chop=1),
    *(breach("5.4", f"a continuation of nothing, {name}", 1002, "continuation_without_start", frame)
      for name, frame in [
          ("with FIN", last(b"x")), ("without FIN", more(b"x")), ("empty with FIN", last()), ("empty without FIN", more())]),
    *(breach("5.4", f"a continuation behind {name}", 1002, "continuation_without_start", last(b"x"), passing=before)
      for name, before in [
          ("a whole text", [text(b"whole")]), ("a whole binary", [binary(b"whole")]), ("a ping", [ping()]),
          ("a message in fragments", [text(b"a", False), last(b"b")])]),
    breach("5.4", "a continuation of nothing, byte by byte", 1002, "continuation_without_start", more(b"x"), chop=1),
    *(breach("5.4", f"{name} within {within}", 1002, "message_interrupted", frame, passing=[start])
      for within, start in [("a text", text(b"a", False)), ("a binary", binary(b"a", False))]
      for name, frame in [
          ("a whole text", text(b"b")), ("a whole binary", binary(b"b")), ("a first fragment of text", text(b"b", False)),
          ("a first fragment of binary", binary(b"b", False))]),
    breach("5.4", "an empty text within a message", 1002, "message_interrupted", text(), passing=[text(b"a", False), more(b"b")]),
    breach("5.4", "a text within a message, behind a ping", 1002, "message_interrupted", text(b"c"),
           passing=[binary(b"a", False), ping(b"b")]),
]

CONTROL = [
    *(breach("5.5", f"{name} without FIN", 1002, "control_fragmented", frame)
      for name, frame in [
          ("a ping", ping(b"x", False)), ("an empty ping", ping(b"", False)), ("a pong", pong(b"x", False)),
          ("a close", close(1000, b"", False)), ("an empty close", close(fin=False))]),
    breach("5.5", "a ping in two fragments", 1002, "control_fragmented", ping(b"x", False), last(b"y")),
    breach("5.5", "a ping without FIN within a message", 1002, "control_fragmented", ping(b"x", False), passing=_STARTED),
    *(breach("5.5", f"{name} of {count} bytes", 1002, "control_too_long", make(filler(count)))
      for name, make in [("a ping", ping), ("a pong", pong)] for count in [126, 127, 65_536]),
    breach("5.5", "a close of 126 bytes", 1002, "control_too_long", close(1000, filler(124))),
    breach("5.5", "a ping of 126 bytes within a message", 1002, "control_too_long", ping(filler(126)), passing=_STARTED),
    breach("5.5", "a ping that only announces 126 bytes", 1002, "control_too_long", ping(announced=126)),
    *(carried("5.5.2", f"a ping of {count} bytes", ping(filler(count))) for count in [0, 1, 124, 125]),
    carried("5.5.2", "a ping of every byte", ping(bytes(range(125))), ping(bytes(range(125, 250)))),
    carried("5.5.2", "ten pings at once, in order", *[ping(b"%d" % number) for number in range(10)]),
    carried("5.5.2", "a ping that comes byte by byte", ping(filler(125)), chop=1),
    *(carried("5.5.3", f"a pong that nobody asked for, of {count} bytes", pong(filler(count))) for count in [0, 1, 125]),
    carried("5.5.3", "a pong that nobody asked for, then a ping", pong(b"unasked"), ping(b"now")),
    carried("5.5.3", "ten pongs that nobody asked for", *[pong(b"%d" % number) for number in range(10)]),
]

CASES = [*MASKS, *BITS, *OPCODES, *LENGTHS, *FRAGMENTS, *CONTROL]
