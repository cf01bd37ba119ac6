"""Plays the script of a case between the two ends of a WebSocket."""

import contextlib
import ssl

from conformance.scripts import (
    CLIENT, BothEnd, Fails, GoesOn, Hears, IsLeft, Leaves, Passes, PeerEnds, Replies, Says, close, ping, pong)
from streams import Stream


def in_pieces(stream, data, size, has_read):
    """Sends in pieces of `size` bytes, each of which the edge has read before the next goes out; without a size, at once."""
    if not size:
        return stream.send(data)
    for start in range(0, len(data), size):
        stream.send(data[start:start + size])
        has_read()


class Proof:
    """Plays a case's script."""

    def __init__(self, client, worker, sender, has_read):
        self.client = client
        self.worker = worker
        self.sender, self.peer = (client, worker) if sender == CLIENT else (worker, client)
        self.has_read = has_read
        if isinstance(client.sock, ssl.SSLSocket):
            # An end without TLS's own goodbye is an error.
            client.sock.suppress_ragged_eofs = False

    def of(self, case):
        for step in case.script:
            self.take(step)

    def take(self, step):
        match step:
            case Says(frames, chop):
                self.say(self.sender, frames, chop)
            case Replies(frames):
                self.say(self.peer, frames)
            case Hears(frames):
                self.hear(self.sender, frames)
            case Passes(frames):
                self.hear(self.peer, frames)
            case GoesOn():
                self.go_on()
            case Fails(code, word, begun):
                self.fail(code, word, begun)
            case BothEnd():
                self.end(self.client)
                self.end(self.worker)
            case Leaves():
                self.leave()
            case IsLeft(begun):
                self.be_left(begun, close(1014, b"worker_lost") if self.peer is self.client else None)
            case PeerEnds():
                self.end(self.peer)

    def say(self, side, frames, chop=None):
        data = b"".join(frame.data(side.mask) for frame in frames)
        in_pieces(side, data, chop, self.has_read)

    def hear(self, side, frames):
        for frame in frames:
            heard = side.frame()
            assert (heard.opcode, heard.payload, heard.fin) == (frame.opcode, frame.payload, frame.fin)
            assert heard.rsv == 0
            assert heard.was_masked == (side is self.worker), "masked by the wrong side (RFC 6455 §5.1)"

    def go_on(self):
        self.say(self.sender, [ping(b"still there?")])
        self.hear(self.peer, [ping(b"still there?")])
        self.say(self.peer, [pong(b"still here")])
        self.hear(self.sender, [pong(b"still here")])

    def fail(self, code, word, begun):
        told = close(1001, word.encode()) if self.sender is self.client else close(1014, b"worker_protocol_error")
        self.be_left(begun, told)
        self.hear(self.sender, [close(code, word.encode())])
        self.end(self.sender)

    def leave(self):
        """Ends the sender's connection; of a stream, its own direction (RFC 8441 §5)."""
        self.sender.sock.end() if isinstance(self.sender.sock, Stream) else self.sender.close()

    def be_left(self, begun, told):
        """The peer hears `told`, and answers; or is in the middle of a frame, and hears nothing more."""
        if begun:
            assert self.peer.exactly(len(heard := begun.data(self.sender.mask))) == heard
        elif told:
            self.hear(self.peer, [told])
            with contextlib.suppress(ConnectionError):  # Nobody has to wait for the answer.
                self.say(self.peer, [told])
        self.end(self.peer)

    def end(self, side):
        """The side's connection ends in good order, without a further word."""
        assert side.rest() == b""
        if isinstance(side.sock, Stream):
            assert side.sock.reset_code is None
