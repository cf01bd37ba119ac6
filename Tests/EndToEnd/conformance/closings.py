"""§7, closing: codes and reasons, who answers, what may follow a Close, and ends without one."""

from conformance.framing import filler
from conformance.scripts import (
    CLIENT, BothEnd, Case, Fails, Hears, IsLeft, Leaves, Passes, PeerEnds, Replies, Says, binary, breach, close, closing, last,
    more, ping, pong, said, text)

_LEGAL = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999]
_ILLEGAL = [0, 1, 99, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65_535]

CODES = [
    *(closing("7.4", f"code {code}", close(code)) for code in _LEGAL),
    *(closing("7.4", f"code {code} with a reason", close(code, b"that is why")) for code in [1000, 1001, 1011, 3000, 4999]),
    *(breach("7.4", f"code {code}", 1002, "close_code_invalid", close(code)) for code in _ILLEGAL),
    *(breach("7.4", f"code {code} with a reason", 1002, "close_code_invalid", close(code, b"why"))
      for code in [1005, 1006, 1015, 5000]),
]

BODIES = [
    closing("7.1.5", "no code", close()),
    closing("7.1.5", "a code that is answered without one", close(1000), close()),
    closing("7.1.5", "no code, answered with one", close(), close(1000)),
    closing("7.1.5", "a code that is answered with another", close(1001), close(1000, b"fine")),
    breach("5.5.1", "a body of one byte", 1002, "close_payload_too_short", close(reason=b"\x03")),
    breach("5.5.1", "a body of one byte behind a good message", 1002, "close_payload_too_short", close(reason=b"x"),
           passing=[text(b"good")]),
    *(closing("7.1.6", f"a reason of {count} bytes", close(1000, filler(count))) for count in [1, 2, 122, 123]),
    closing("7.1.6", "a reason in Greek", close(1000, "κόσμε".encode())),
    closing("7.1.6", "a reason of NUL", close(1000, b"\0")),
    closing("7.1.6", "a reason of 123 bytes whose last character has four", close(1000, filler(119) + "𐍈".encode())),
    *(breach("7.1.6", f"a reason with {name}", 1007, "close_reason_invalid", close(1000, reason))
      for name, reason in [
          ("FF", b"\xff"), ("an overlong slash", b"why \xc0\xaf"), ("a surrogate", b"\xed\xa0\x80"),
          ("U+110000", b"\xf4\x90\x80\x80"), ("half a character", b"why \xe2\x82"), ("a continuation byte", b"\x80 why"),
          ("a fault in its last byte", filler(122) + b"\xc3")]),
]

_BYE = close(1000, b"bye")
_ANSWER = close(1000)
_AFTER = [
    ("a text", [text(b"more")]), ("a binary", [binary(b"more")]), ("a ping", [ping(b"more")]), ("a pong", [pong(b"more")]),
    ("another Close", [close(1001)]), ("a fragment", [text(b"more", False)]), ("the rest of nothing", [last(b"more")]),
    ("a broken frame", [text(b"more", rsv=7)]), ("an opcode of nobody's", [said(3)]), ("bad text", [text(b"\xff")]),
    ("half a frame", [binary(b"more", announced=100)]), ("4 KiB", [binary(filler(4096))])]


def _handshake(claim, says, replies, passes=None, hears=None, section="7.1.2"):
    """Both sides say what they say, and hear what the other said, or what of it counts."""
    script = (Says(says), Passes(passes or says), Replies(replies), Hears(hears or replies), BothEnd())
    return Case(section, claim, script)


ORDER = [
    *(_handshake(f"{name} behind a Close is not heard", (_BYE, *frames), (_ANSWER,), passes=(_BYE,), section="5.5.1")
      for name, frames in _AFTER),
    *(_handshake(f"{name} behind the answer to a Close is not heard", (_BYE,), (_ANSWER, *frames), hears=(_ANSWER,),
                 section="5.5.1")
      for name, frames in _AFTER),
    *(_handshake(f"{name} is heard before the answer to a Close", (_BYE,), (*frames, _ANSWER), section="5.5.1")
      for name, frames in [
          ("a text", [text(b"late")]), ("a ping", [ping(b"late")]), ("a pong", [pong(b"late")]),
          ("a message in fragments", [text(b"a", False), more(b"b"), last(b"c")]),
          ("the last of many messages", [binary(filler(1000))] * 20)]),
    *(_handshake(f"{name} right before a Close", (*frames, _BYE), (_ANSWER,))
      for name, frames in [
          ("a text", [text(b"last words")]), ("a ping", [ping(b"?")]), ("64 KiB", [binary(filler(65_536))]),
          ("a message in fragments", [text(b"a", False), last(b"b")])]),
    *(_handshake(f"a Close within {name}", (*frames, _BYE), (_ANSWER,))
      for name, frames in [
          ("a text", [text(b"begun", False)]), ("a binary", [binary(b"begun", False), more(b"on")]),
          ("a text that ends within a character", [text(b"\xe2\x82", False)]),
          ("a message, behind a ping", [text(b"begun", False), ping()])]),
    _handshake("a Close within a message, and the rest of the message", (text(b"begun", False), _BYE, last(b"!")), (_ANSWER,),
               passes=(text(b"begun", False), _BYE)),
    Case("7.1.2", "a Close that comes byte by byte", (
        Says((_BYE,), chop=1), Passes((_BYE,)), Replies((_ANSWER,)), Hears((_ANSWER,)), BothEnd())),
    Case("7.1.2", "an empty Close that comes byte by byte", (
        Says((close(),), chop=1), Passes((close(),)), Replies((close(),)), Hears((close(),)), BothEnd())),
    # Neither has heard the other's when it says its own.
    *(Case("7.1.2", f"Closes that cross, with {code} and {other}", (
        Says((close(code),)), Replies((close(other),)), Passes((close(code),)), Hears((close(other),)), BothEnd()))
      for code, other in [(1000, 1000), (1000, 1001), (1001, 3000), (4000, 4001)]),
    Case("7.1.2", "Closes that cross messages", (
        Says((text(b"one"), _BYE)), Replies((text(b"two"), close(1001))), Passes((text(b"one"), _BYE)),
        Hears((text(b"two"), close(1001))), BothEnd())),
]

_LOST = [
    ("without a word", []), ("behind a message", [text(b"last words")]), ("behind a ping", [ping(b"?")]),
    ("within a message in fragments", [text(b"begun", False)]),
    ("within a message, behind a ping", [text(b"begun", False), ping()])]

_FAULT = text(b"x", rsv=4)

ENDS = [
    # A worker is told of its breach at once; a client hears first what is still said to it.
    *(Case("7.1.7", f"{name} is heard by a client that has broken a rule since", (
        Says((text(b"one"), _FAULT)), Passes((text(b"one"),)), Replies(tuple(frames)), Hears(tuple(frames)),
        Fails(1002, "reserved_bits")), senders=(CLIENT,))
      for name, frames in [
          ("an answer", [text(b"one!")]), ("an answer in fragments", [text(b"one", False), ping(b"?"), last(b"!")]),
          ("an answer without its end", [text(b"one", False)]), ("a pong", [pong(b"late")])]),
    *(Case("7.1.7", f"{name} behind a breach is not heard", (
        Says((text(b"one"), _FAULT, *frames)), Passes((text(b"one"),)), Fails(1002, "reserved_bits")))
      for name, frames in [
          ("a text", [text(b"two")]), ("a ping", [ping()]), ("a Close", [_BYE]), ("another breach", [_FAULT]),
          ("half a frame", [binary(b"half", announced=100)])]),
    *(Case("7.1.5", f"a sender that goes {name}", (Says(tuple(frames)), Passes(tuple(frames)), Leaves(), IsLeft()))
      for name, frames in _LOST),
    Case("7.1.5", "a sender that goes within a frame", (
        Says((binary(b"half", announced=100),)), Leaves(), IsLeft(begun=binary(b"half", announced=100)))),
    Case("7.1.5", "a sender that goes within a frame of the last fragment", (
        Says((binary(b"a", False), last(b"half", announced=100))), Passes((binary(b"a", False),)), Leaves(),
        IsLeft(begun=last(b"half", announced=100)))),
    Case("7.1.5", "a sender that goes within a ping, of which nobody hears", (
        Says((ping(b"half", announced=100),)), Leaves(), IsLeft())),
    Case("7.1.1", "a sender that goes with its Close", (Says((_BYE,)), Leaves(), Passes((_BYE,)), Replies((_ANSWER,)), PeerEnds())),
    Case("7.1.1", "a sender that goes with its Close unheard, behind a message", (
        Says((text(b"last words"), _BYE)), Leaves(), Passes((text(b"last words"), _BYE)), Replies((_ANSWER,)),
        PeerEnds())),
]

CASES = [*CODES, *BODIES, *ORDER, *ENDS]
