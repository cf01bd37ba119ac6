"""Thousands of WebSocket clients, and a worker that echoes what they say: one thread and one event loop for all of them."""

import asyncio
import dataclasses
import socket
import threading
import time

from manystreams import Session
from frames import BINARY, CLOSE, MASK, PING, PONG, TEXT, accept_value, close_payload, frame, masked, upgrade_request
from waiting import eventually, patient


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

    def __init__(self, crowd, target="/ws", fields=()):
        super().__init__()
        self._crowd = crowd
        self.target = target
        self.fields = fields
        self.status = None
        self.received_count = 0
        self.end = None
        self.number = None

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.write(upgrade_request(self.target, self.fields))

    def opening(self, head):
        return self.answered(int(head.split(" ", 2)[1]), accepted=101)

    def answered(self, status, accepted):
        """The edge's answer has come; gives whether the WebSocket is open."""
        self.status = status
        self._is_open = status == accepted
        return self._is_open

    @property
    def is_there(self):
        """Whether it may speak."""
        return self._is_open and self.end is None

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

    def speak(self):
        """Sends the message of its turn; on the crowd's thread. False if there is none."""
        if self.is_there:
            self.send_frame(TEXT, b"%032d" % time.monotonic_ns())
        return self.is_there

    def say(self, text="hello", times=1):
        """Sends a message, so many times in one go; on any thread."""
        self._crowd.call(self.transport.write, frame(TEXT, text.encode(), mask=self.mask) * times)

    def leave(self, code=1000):
        """Sends a Close; on any thread."""
        self._crowd.call(self.send_frame, CLOSE, close_payload(code))


class Crowd:
    """Clients, and the worker at `worker_path` that the edge is to bring them to, if it has no others. Close it, whatever happens."""

    def __init__(self, worker_path=None):
        self.messages = 0
        self.received_count = 0
        self._contexts = {}
        self._loop = asyncio.new_event_loop()
        self._talk = None
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        if worker_path:
            self._server = self._run(self._loop.create_unix_server(lambda: _WorkerEnd(self), str(worker_path), backlog=4096))

    def join(self, edge, count, target="/ws", source=None, fields=(), listener="plain"):
        """Opens `count` WebSockets, and gives them once all are open."""
        members = [Member(self, target, fields) for _ in range(count)]
        self.enter(edge, members, listener, source)
        # Somebody else may have closed them by now.
        assert all(member.status == 101 for member in members), {member.status for member in members}
        return members

    def enter(self, edge, members, listener="plain", source=None):
        """Lets members come in, each with its target and fields; gives those who were let in, once all have an answer."""

        async def enter():
            # A hundred at a time: a backlog has its bounds.
            for start in range(0, len(members), 100):
                await asyncio.gather(*(self._enter(edge, member, listener, source) for member in members[start:start + 100]))

        self._run(enter())
        return self._let_in(members)

    async def _enter(self, edge, member, listener, source):
        try:
            await self._connect(edge, member, listener, source)
        except OSError:
            member.connection_lost(None)

    def enter_streams(self, edge, members):
        """The same for streams of one connection of HTTP/2."""

        async def enter():
            session = Session()
            try:
                await self._connect(edge, session, "secure", protocols=("h2",))
                await session.is_ready
            except OSError:
                return [member.connection_lost(None) for member in members]
            for member in members:
                session.open(member)

        self._run(enter())
        return self._let_in(members)

    def _let_in(self, members):
        eventually(lambda: all(member.status or member.end for member in members), 30, "every client having its answer")
        for member in members:
            if member.end is None and not member.is_there:
                self.call(member.transport.abort)
        return [member for member in members if member.is_there]

    async def _connect(self, edge, protocol, listener, source=None, protocols=()):
        tls = {}
        if listener == "secure":
            tls = {"ssl": self._client_context(edge, protocols), "server_hostname": "localhost"}
        await self._loop.create_connection(
            lambda: protocol, "127.0.0.1", edge.ports[listener], local_addr=(source, 0) if source else None,
            family=socket.AF_INET, **tls)

    def _client_context(self, edge, protocols):
        context = self._contexts.get(protocols)
        if context is None:
            context = self._contexts[protocols] = edge.site.client_context()
            if protocols:
                context.set_alpn_protocols(protocols)
        return context

    def vanish(self, members):
        """Lets them go without a word: their connections are reset, or end."""
        self.call(lambda: [member.transport.abort() for member in members])

    def talk(self, members, per_second):
        """Lets the members speak in turn until `hush`; the echo of everything said must come back, and `latencies` says when."""
        self.said = 0
        self.latencies = []

        async def talk():
            turn, due, last = 0, 0, self._loop.time()
            while True:
                # Whoever falls behind does not catch up: a loop that only speaks hears nothing.
                now = self._loop.time()
                due, last = min(due + (now - last) * per_second, 0.05 * per_second), now
                while members and due > 0:
                    self.said += members[turn % len(members)].speak()
                    turn, due = turn + 1, due - 1
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
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(patient(60))

    def close(self):
        if self._talk:
            self.hush()
        self._loop.call_soon_threadsafe(self._loop.stop)
