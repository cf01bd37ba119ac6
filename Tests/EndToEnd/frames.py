"""WebSocket frames by hand (RFC 6455 §5), so that every rule can be broken."""

import base64
import dataclasses
import hashlib
import os
import struct

from rawhttp import ByteStream

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"
KEY = base64.b64encode(b"the sample nonce").decode()


def masked(payload, key):
    """The payload XORed with a key of four bytes; doing it twice undoes it."""
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def frame(opcode, payload=b"", fin=True, mask=MASK, rsv=0, announced=None, length_bytes=None):
    """One frame. `mask`: None for a worker's; `announced`: a length other than the payload's; `length_bytes`: 2 or 8
    for a length in more bytes than it needs."""
    length = len(payload) if announced is None else announced
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if mask is not None else 0
    if length_bytes == 8 or length_bytes is None and length > 0xFFFF:
        head = struct.pack(">BBQ", first, bit | 127, length)
    elif length_bytes == 2 or length_bytes is None and length > 125:
        head = struct.pack(">BBH", first, bit | 126, length)
    else:
        head = struct.pack(">BB", first, bit | length)
    return head + (payload if mask is None else mask + masked(payload, mask))


def close_payload(code, reason=""):
    return struct.pack(">H", code) + reason.encode()


@dataclasses.dataclass
class Frame:
    opcode: int
    payload: bytes
    fin: bool
    rsv: int
    was_masked: bool

    @property
    def close(self):
        """Code and reason of a Close frame."""
        assert self.opcode == CLOSE, self
        if not self.payload:
            return None, ""
        return struct.unpack(">H", self.payload[:2])[0], self.payload[2:].decode()


class FrameStream(ByteStream):
    """One end of a WebSocket. `mask` is None for the worker's end."""

    def __init__(self, sock, mask=MASK):
        super().__init__(sock)
        self.mask = mask

    def send_frame(self, opcode, payload=b"", **changes):
        self.send(frame(opcode, payload, **{"mask": self.mask} | changes))

    def send_close(self, code, reason=""):
        self.send_frame(CLOSE, close_payload(code, reason))

    def frame(self):
        """The next frame, unmasked. Nothing of it is taken before all of it is there: who waits no longer may try again."""
        self.wait_for(2)
        length, head = self.buffer[1] & 0x7F, 2
        if length >= 126:
            head = 4 if length == 126 else 10
            self.wait_for(head)
            length = int.from_bytes(self.buffer[2:head], "big")
        was_masked = bool(self.buffer[1] & 0x80)
        self.wait_for(head + 4 * was_masked + length)
        first = self.exactly(head)[0]
        key = self.exactly(4) if was_masked else None
        payload = self.exactly(length)
        return Frame(
            opcode=first & 0x0F, payload=masked(payload, key) if key else payload, fin=bool(first & 0x80),
            rsv=first >> 4 & 7, was_masked=was_masked)

    def close_frame(self):
        """Code and reason of the Close frame that comes next, whatever comes before it."""
        while True:
            received = self.frame()
            if received.opcode == CLOSE:
                return received.close


def upgrade_request(target="/ws", fields=(), key=KEY, version="13", host="localhost"):
    """A client's opening handshake."""
    lines = [
        f"GET {target} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", f"Sec-WebSocket-Version: {version}", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def accept_value(key):
    """What proves that a key was read (RFC 6455 §4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


def random_mask():
    return os.urandom(4)
