"""HTTP/2 by hand: frames go out exactly as written, and what comes back is kept as it is."""

import contextlib
import dataclasses
import struct

import hpack

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, \
    CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(12)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/hello")]
POST = [(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/echo")]


def frame(kind, flags=0, stream=0, payload=b""):
    """One frame."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(fields):
    """A block of fields that leaves the dynamic table alone."""
    encoder = hpack.Encoder()
    return encoder.encode([hpack.NeverIndexedHeaderTuple(name, value) for name, value in fields], huffman=False)


def headers(stream=1, fields=GET, flags=END_STREAM | END_HEADERS, before=b"", after=b""):
    """A whole head, between further bytes of the payload."""
    return frame(HEADERS, flags, stream, before + block(fields) + after)


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def number(value):
    """Four bytes: a code, an increment or a stream."""
    return struct.pack(">I", value)


@dataclasses.dataclass
class Received:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self):
        """Why a RST_STREAM or a GOAWAY was sent."""
        return int.from_bytes(self.payload[:4] if self.kind == RST_STREAM else self.payload[4:8], "big")

    @property
    def ends_stream(self):
        return self.kind == RST_STREAM or self.kind in (DATA, HEADERS) and bool(self.flags & END_STREAM)


class RawConnection:
    """A connection that has greeted and been greeted, unless it is to do that by hand. Close it."""

    def __init__(self, sock, greets=True, first=b""):
        self.sock = sock
        self.frames = []
        self._buffer = bytearray()
        self._decoder = hpack.Decoder()
        self._statuses = {}
        if greets:
            self.send(PREFACE + settings() + first)
            self.until(lambda received: received.kind == SETTINGS and not received.flags & ACK)
            self.send(settings(flags=ACK))

    def close(self):
        self.sock.close()

    def send(self, data):
        """Sends bytes. That the connection has ended is told by who reads: what came before is there still."""
        with contextlib.suppress(ConnectionError):
            self.sock.sendall(data)

    def next(self):
        """The next frame; None at the end of the connection."""
        while len(self._buffer) < 9 or len(self._buffer) < 9 + int.from_bytes(self._buffer[:3], "big"):
            try:
                data = self.sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self._buffer += data
        end = 9 + int.from_bytes(self._buffer[:3], "big")
        received = Received(self._buffer[3], self._buffer[4], int.from_bytes(self._buffer[5:9], "big"), bytes(self._buffer[9:end]))
        del self._buffer[:end]
        self.frames.append(received)
        if received.kind == HEADERS:
            self._statuses[received.stream] = dict(self._decoder.decode(received.payload))[":status"]
        return received

    def until(self, wanted):
        """Reads until a frame is the wanted one."""
        while True:
            received = self.next()
            assert received, f"ended after {self.frames}"
            if wanted(received):
                return received

    def end_of(self, stream):
        """The frame that ends a stream."""
        while not (ends := [received for received in self.frames if received.stream == stream and received.ends_stream]):
            assert self.next(), f"ended after {self.frames}"
        return ends[0]

    def pinged(self):
        """What has come until a PING was answered, the answer included; None where the connection ends instead."""
        seen = len(self.frames)
        self.send(frame(PING, 0, 0, b"12345678"))
        while (received := self.next()) and received.kind != GOAWAY:
            if (received.kind, received.flags, received.payload) == (PING, ACK, b"12345678"):
                return self.frames[seen:]
        return None

    def answer(self, stream):
        """The status that a stream was answered with, once it has ended."""
        assert self.end_of(stream).kind != RST_STREAM, self.frames
        return self._statuses[stream]

    def goaway(self):
        """The code of the last GOAWAY, once the connection has ended; None where there was none."""
        while self.next():
            pass
        return ([None] + [received.code for received in self.frames if received.kind == GOAWAY])[-1]
