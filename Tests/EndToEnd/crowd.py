"""Thousands of WebSocket clients, and a worker that echoes what they say: one thread and one event loop for all of them."""

import asyncio
import dataclasses
import socket
import threading
import time

from frames import BINARY, CLOSE, MASK, PING, PONG, TEXT, accept_value, close_payload, frame, masked, upgrade_request
from waiting import eventually, slow


class _Frames(asyncio.Protocol):
    """One end of a WebSocket: its opening handshake, then whole frames."""

    mask = None

    def __init__(self):
        self._buffer = bytearray()
        self._is_open = False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end]).decode("latin-1")
            del self._buffer[:end + 4]
            self._is_open = self.opening(head)
        while self._is_open and (taken := self._take()):
            self.received(*taken)

    def _take(self):
        """The next whole frame: opcode and payload; None while there is none."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(buffer) < start:
                return None
            length = int.from_bytes(buffer[2:start], "big")
        key_end = start + 4 if buffer[1] & 0x80 else start
        if len(buffer) < key_end + length:
            return None
        payload = bytes(buffer[key_end:key_end + length])
        if key_end > start:
            payload = masked(payload, bytes(buffer[start:key_end]))
        opcode = buffer[0] & 0x0F
        del buffer[:key_end + length]
        return opcode, payload

    def send_frame(self, opcode, payload=b""):
        self.transport.write(frame(opcode, payload, mask=self.mask))


class _WorkerEnd(_Frames):
    def __init__(self, worker):
        super().__init__()
        self._worker = worker

    def opening(self, head):
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        key = next(value for name, value in fields.items() if name.lower() == "sec-websocket-key")
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept_value(key)}\r\n\r\n".encode())
        return True

    def received(self, opcode, payload):
        if opcode in (TEXT, BINARY):
            self._worker.messages += 1
            self.send_frame(opcode, payload)
        elif opcode == PING:
            self.send_frame(PONG, payload)
        elif opcode == CLOSE:
            self.send_frame(CLOSE, payload)


@dataclasses.dataclass
class End:
    """How a WebSocket ended, as its client saw it: 1006 where no Close came."""

    code: int
    reason: str
    at: float


class Member(_Frames):
    """One client."""

    mask = MASK

    def __init__(self, crowd, request):
        super().__init__()
        self._crowd = crowd
        self._request = request
        self.status = None
        self.received_count = 0
        self.end = None
        self.number = None

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.write(self._request)

    def opening(self, head):
        self.status = int(head.split(" ", 2)[1])
        return self.status == 101

    def received(self, opcode, payload):
        if opcode in (TEXT, BINARY):
            self.received_count += 1
            self._crowd.heard(payload)
        elif opcode == PING:
            self.send_frame(PONG, payload)
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big") if payload else 1005
            self.end = self.end or End(code, payload[2:].decode(), time.monotonic())
            self.send_frame(CLOSE, payload[:2])

    def connection_lost(self, _):
        self.end = self.end or End(1006, "", time.monotonic())

    def say(self, text="hello", times=1):
        """Sends a message, so many times in one go; on any thread."""
        self._crowd.call(self.transport.write, frame(TEXT, text.encode(), mask=self.mask) * times)

    def leave(self, code=1000):
        """Sends a Close; on any thread."""
        self._crowd.call(self.send_frame, CLOSE, close_payload(code))


class Crowd:
    """Clients, and the worker at `worker_path` that the edge is to bring them to. Close it, whatever happens."""

    def __init__(self, worker_path):
        self.messages = 0
        self.received_count = 0
        self._loop = asyncio.new_event_loop()
        self._talk = None
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._server = self._run(self._loop.create_unix_server(lambda: _WorkerEnd(self), str(worker_path), backlog=4096))

    def join(self, edge, count, target="/ws", source=None, fields=(), listener="plain"):
        """Opens `count` WebSockets, and gives them once all are open."""
        members = self._run(self._join(edge.ports[listener], count, target, source, fields))
        eventually(lambda: all(m.status for m in members), 30, "every client having its answer")
        assert all(member.status == 101 for member in members), {member.status for member in members}
        return members

    async def _join(self, port, count, target, source, fields):
        request = upgrade_request(target, fields)
        members = []
        # A hundred at a time: a backlog has its bounds.
        while len(members) < count:
            rest = min(100, count - len(members))
            members += await asyncio.gather(*(self._connect(port, source, request) for _ in range(rest)))
        return members

    async def _connect(self, port, source, request):
        _, member = await self._loop.create_connection(
            lambda: Member(self, request), "127.0.0.1", port, local_addr=(source, 0) if source else None,
            family=socket.AF_INET)
        return member

    def talk(self, members, per_second):
        """Lets the members speak in turn until `hush`; the echo of everything said must come back, and `latencies` says when."""
        self.said = 0
        self.latencies = []

        async def talk():
            began = self._loop.time()
            turn = 0
            while True:
                while self.said < (self._loop.time() - began) * per_second:
                    member = members[turn % len(members)]
                    turn += 1
                    if member.end is None:
                        member.send_frame(TEXT, b"%032d" % time.monotonic_ns())
                        self.said += 1
                await asyncio.sleep(0.005)

        before = self.received_count
        self._talk = asyncio.run_coroutine_threadsafe(talk(), self._loop)
        return before

    def hush(self):
        """Ends the talk; gives how many messages were said."""
        self._talk.cancel()
        self.call(lambda: None)
        return self.said

    def heard(self, payload):
        self.received_count += 1
        if self._talk and len(payload) == 32:
            self.latencies.append((time.monotonic_ns() - int(payload)) / 1e9)

    def call(self, function, *arguments):
        """Calls a function on the loop's thread, and waits for it."""

        async def call():
            return function(*arguments)

        return self._run(call())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(slow(60))

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
