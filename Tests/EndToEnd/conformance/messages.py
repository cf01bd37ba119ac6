"""§6, sending and receiving: whole messages, in order, both ways, however they are written."""

from conformance.framing import filler
from conformance.scripts import Case, GoesOn, Hears, Passes, Replies, Says, binary, carried, last, more, ping, pong, text

_MANY = [text(b"%d" % number) for number in range(100)]

CASES = [
    carried("6.1", "a hundred messages in one write, in order", *_MANY),
    carried("6.1", "a hundred empty messages in one write", *[binary()] * 100),
    carried("6.1", "text and binary by turns", *[text(b"t"), binary(b"b")] * 20),
    carried("6.1", "messages of growing size", *[binary(filler(1 << exponent)) for exponent in range(15)]),
    carried("6.1", "messages whose writes end within their frames", *_MANY[:20], chop=7),
    carried("6.1", "messages and pings by turns, in order", *[text(b"m"), ping(b"p"), pong(b"q")] * 10),
    Case("6.2", "messages of either side at once", (
        Says((text(b"up"), binary(b"up"))), Replies((binary(b"down"), text(b"down"))), Passes((text(b"up"), binary(b"up"))),
        Hears((binary(b"down"), text(b"down"))), GoesOn())),
    Case("6.2", "a message in fragments across another of the other side", (
        Says((text(b"a", False),)), Passes((text(b"a", False),)), Replies((binary(b"x", False),)), Hears((binary(b"x", False),)),
        Says((more(b"b"),)), Passes((more(b"b"),)), Replies((last(b"y"),)), Hears((last(b"y"),)), Says((last(b"c"),)),
        Passes((last(b"c"),)), GoesOn())),
    Case("6.2", "questions and answers by turns", sum((
        (Says((question,)), Passes((question,)), Replies((answer,)), Hears((answer,)))
        for question, answer in [(text(b"%d?" % turn), binary(b"%d!" % turn)) for turn in range(20)]), ()) + (GoesOn(),)),
    Case("6.2", "a ping of either side at once", (
        Says((ping(b"mine"),)), Replies((ping(b"yours"),)), Passes((ping(b"mine"),)), Hears((ping(b"yours"),)),
        Says((pong(b"yours"),)), Replies((pong(b"mine"),)), Passes((pong(b"yours"),)), Hears((pong(b"mine"),)), GoesOn())),
    Case("6.2", "a ping that is answered within a message", (
        Says((text(b"a", False), ping(b"?"))), Passes((text(b"a", False), ping(b"?"))), Replies((pong(b"?"),)),
        Hears((pong(b"?"),)), Says((last(b"b"),)), Passes((last(b"b"),)), GoesOn())),
    carried("6.2", "a fragment before its message is over", text(b"early", False)),
    carried("6.2", "each fragment as it comes", binary(b"1", False), more(b"2"), more(b"3")),
]
