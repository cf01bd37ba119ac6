"""What a case is: a claim about a section of RFC 6455, and the script that proves it between the two ends of one WebSocket.

A script speaks of a *sender* and its *peer*. Client and worker take turns as the sender, for the edge judges both ways: one masks
and the other does not, and they are told of a breach in different words; the rules are the same.
"""

import dataclasses

from frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame

CLIENT, WORKER = "client", "worker"


# What is said


@dataclasses.dataclass(frozen=True)
class Said:
    """A frame as somebody says it. `changes` are those of `frames.frame`; without them it is masked as it has to be."""

    opcode: int
    payload: bytes = b""
    fin: bool = True
    changes: tuple = ()

    def data(self, mask):
        """Its bytes, from a side that masks with `mask`."""
        return frame(self.opcode, self.payload, **{"fin": self.fin, "mask": mask} | dict(self.changes))


def said(opcode, payload=b"", fin=True, **changes):
    return Said(opcode, payload, fin, tuple(changes.items()))


def text(payload=b"", fin=True, **changes):
    return said(TEXT, payload, fin, **changes)


def binary(payload=b"", fin=True, **changes):
    return said(BINARY, payload, fin, **changes)


def more(payload=b"", **changes):
    """A fragment between the first and the last."""
    return said(CONTINUATION, payload, False, **changes)


def last(payload=b"", **changes):
    """The last fragment."""
    return said(CONTINUATION, payload, True, **changes)


def ping(payload=b"", fin=True, **changes):
    return said(PING, payload, fin, **changes)


def pong(payload=b"", fin=True, **changes):
    return said(PONG, payload, fin, **changes)


def close(code=None, reason=b"", fin=True, **changes):
    """A Close; without a `code`, `reason` is its whole payload."""
    return said(CLOSE, reason if code is None else close_payload(code) + reason, fin, **changes)


# Steps of a script; `test_conformance.py` takes them.


@dataclasses.dataclass(frozen=True)
class Says:
    """The sender says this, in one write; or in pieces of `chop` bytes, each read by the edge before the next is written."""

    frames: tuple
    chop: int | None = None


@dataclasses.dataclass(frozen=True)
class Replies:
    """The peer says this."""

    frames: tuple


@dataclasses.dataclass(frozen=True)
class Hears:
    """The sender hears exactly these frames next."""

    frames: tuple


@dataclasses.dataclass(frozen=True)
class Passes:
    """The peer hears exactly these frames next."""

    frames: tuple


@dataclasses.dataclass(frozen=True)
class GoesOn:
    """Neither side has heard anything else, and the WebSocket works both ways."""


@dataclasses.dataclass(frozen=True)
class Fails:
    """The sender gets a Close with this code and word, the peer one that says so; then both connections end in good order.

    `begun`: the frame of which the peer has the beginning. No Close can follow that: its connection ends.
    """

    code: int
    word: str
    begun: Said | None = None


@dataclasses.dataclass(frozen=True)
class BothEnd:
    """Neither side hears anything more: both connections end in good order."""


@dataclasses.dataclass(frozen=True)
class Leaves:
    """The sender's connection ends."""


@dataclasses.dataclass(frozen=True)
class IsLeft:
    """The peer hears that it is alone: the worker by the end of its connection, the client by a Close before that.

    `begun`: as in `Fails`.
    """

    begun: Said | None = None


@dataclasses.dataclass(frozen=True)
class PeerEnds:
    """The peer hears nothing more: its connection ends."""


# Rows of a table


@dataclasses.dataclass(frozen=True)
class Case:
    """A claim, the section that it is about, and its proof."""

    section: str
    claim: str
    script: tuple
    senders: tuple = (CLIENT, WORKER)


def carried(section, claim, *frames, chop=None, senders=(CLIENT, WORKER)):
    """Frames that reach the peer as they are, and of which the sender hears nothing."""
    return Case(section, claim, (Says(frames, chop), Passes(frames), GoesOn()), senders)


def breach(section, claim, code, word, *frames, passing=(), begun=None, chop=None, senders=(CLIENT, WORKER)):
    """Frames that fail the connection; those that come before, `passing`, reach the peer."""
    return Case(section, claim, (Says((*passing, *frames), chop), Passes(tuple(passing)), Fails(code, word, begun)), senders)


def closing(section, claim, frame, answer=None):
    """A Close that reaches the peer, whose answer reaches the sender; then the WebSocket is over."""
    answer = answer or frame
    return Case(section, claim, (Says((frame,)), Passes((frame,)), Replies((answer,)), Hears((answer,)), BothEnd()))
