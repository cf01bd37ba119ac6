"""Clients that number what they say and hold every echo against it: what is lost, doubled, changed, out of order or somebody else's shows."""

import collections
import random
import socket
import struct

from crowd import Member
from frames import BINARY, CONTINUATION, MASK, PING, TEXT, frame

# How many messages may be on their way: a worker that hangs makes its clients wait.
WINDOW = 16
# Up to which share of all messages, how many bytes they have at most.
SIZES = [(0.85, 100), (0.99, 1_500), (1, 20_000)]
NOISE = random.Random(6455).randbytes(1 << 16)
LETTERS = "".join(chr(code) for code in [*range(0x20, 0x7F), *range(0xC0, 0x180), *range(0x1F300, 0x1F400)]) * 100


class Speaker(Member):
    """A client whose worker echoes. Its name is in every message."""

    def __init__(self, crowd, name, wrongs, target="/ws", fields=()):
        """`wrongs`: a list that gets a line for each message that should not have come."""
        super().__init__(crowd, target, fields)
        self.name = name
        self.said = 0
        self.heard = 0
        self.went = False
        self.is_behind = False
        self._wrongs = wrongs
        self._random = random.Random(name)
        self._awaited = collections.deque()

    def speak(self):
        if not self.is_there or self.went or len(self._awaited) >= WINDOW:
            return False
        self._say(*self._message())
        return True

    def _say(self, opcode, payload):
        self._awaited.append((opcode, payload))
        self.said += 1
        self.transport.write(self._frames(opcode, payload))

    def received(self, opcode, payload):
        if opcode not in (TEXT, BINARY):
            super().received(opcode, payload)
        elif self._awaited and self._awaited[0] == (opcode, payload):
            self._awaited.popleft()
            self.heard += 1
            self.is_behind = self.is_behind and bool(self._awaited)
        else:
            self._wrongs.append(f"{self.name} awaits number {self.heard} of {self.said}, and hears {payload[:40]!r}")

    def speak_much(self, count=12):
        """Says more than it may otherwise have on its way, and more than buffers hold; on any thread."""
        self._crowd.call(lambda: [self._say(BINARY, self._payload(20_000)) for _ in range(count) if self.is_there])

    def read(self, does):
        """Reads on, or reads nothing any more; on any thread. Only for clients without TLS.

        It `is_behind` until it has heard all: if it is closed before, it may not read the Close in time.
        """
        self._crowd.call(self._read, does)

    def _read(self, does):
        if self.end:
            return
        if does:
            self.transport.resume_reading()
        else:
            self.is_behind = True
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.transport.pause_reading()

    def leave(self, code=1000):
        """Ends it in order; on any thread."""
        self.went = True
        super().leave(code)

    def vanish(self):
        """Resets it, in the middle of a frame; on any thread."""
        self.went = True
        self._crowd.call(self._vanish)

    def _vanish(self):
        if self.end:
            return
        self.transport.write(frame(TEXT, b"half", announced=100))
        sock = getattr(self.transport, "get_extra_info", lambda _: None)("socket")
        if sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _message(self):
        roll = self._random.random()
        size = int(self._random.random() * next(size for share, size in SIZES if roll < share))
        if self.said % 2:
            return BINARY, self._payload(size)
        return TEXT, (self._head() + LETTERS[:size // 2]).encode()

    def _payload(self, size):
        place = self._random.randrange(len(NOISE) - size)
        return self._head().encode() + NOISE[place:place + size]

    def _head(self):
        return f"{self.name}:{self.said}:"

    def _frames(self, opcode, payload):
        """The message as a client may send it: mostly in one frame, sometimes in three with a ping between them."""
        if self._random.random() < 0.9:
            return frame(opcode, payload, mask=MASK)
        third = len(payload) // 3 + 1
        return (
            frame(opcode, payload[:third], fin=False) + frame(CONTINUATION, payload[third:2 * third], fin=False)
            + frame(PING, b"between") + frame(CONTINUATION, payload[2 * third:]))
