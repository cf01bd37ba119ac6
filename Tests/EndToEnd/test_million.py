"""Many messages at once: what goes in comes out, whole and in order, and everybody counts the same.

`E2E_MESSAGES` sets how many. Every message bears its connection's number, its own, and bytes that depend on both. The worker
sends each back as one unmasked frame, so the bytes that a client must receive are known to the last bit: what is compared is
the hash of the whole stream, which no lost, doubled, changed or reordered message leaves as it was.
"""

import asyncio
import contextlib
import hashlib
import os
import random

import pytest

import asyncstreams
from edge import open_route
from frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame, upgrade_request
from waiting import eventually, patient
from workers import ForeignWorker

MESSAGES = int(os.environ.get("E2E_MESSAGES", 1_000_000))
WEBSOCKETS = 200
STREAMS_OF_A_CONNECTION = 10
BATCH = 50
# Up to which share of all messages, how many bytes they have at most: around the frame lengths' borders, and beyond.
SIZES = [(0.8, 150), (0.98, 1_000), (0.9995, 16_000), (1, 70_000)]
NOISE = random.Random(6455).randbytes(1 << 20)
# The last ping of a connection: when its pong is there, everything is.
END = b"that was the last one"
END_HEARD = frame(PONG, END, mask=None)
LETTERS = "".join(chr(code) for code in [*range(0x20, 0x7F), *range(0xC0, 0x180), *range(0x1F300, 0x1F400)]) * 200


class Script:
    """What one connection says, made as it goes, and the hash of what it must hear."""

    def __init__(self, number, count):
        self.count = count
        self.counted = {TEXT: 0, BINARY: 0}
        self.payload_bytes = 0
        self._number = number
        self._random = random.Random(number)
        self._expected = hashlib.sha256()

    @property
    def expected(self):
        whole = self._expected.copy()
        whole.update(END_HEARD)
        return whole.digest()

    def batches(self):
        for start in range(0, self.count, BATCH):
            yield b"".join(self._message(sequence) for sequence in range(start, min(start + BATCH, self.count)))

    def _message(self, sequence):
        opcode, payload = self._payload(sequence)
        self.counted[opcode] += 1
        self.payload_bytes += len(payload)
        sent = self._frames(opcode, payload)
        self._expect(frame(opcode, payload, mask=None))
        return sent

    def _payload(self, sequence):
        roll = self._random.random()
        largest = next(size for share, size in SIZES if roll < share)
        size = int(roll * largest)
        place = (self._number * 7919 + sequence * 104_729) % 40_000
        head = f"{self._number}:{sequence}:"
        if sequence % 2:
            return BINARY, head.encode() + NOISE[place:place + size]
        return TEXT, (head + LETTERS[place:place + size // 2]).encode()

    def _frames(self, opcode, payload):
        """The message as a client may send it: mostly in one frame, sometimes in several with a ping between them."""
        mask = NOISE[self.payload_bytes % 1_000_000:][:4]
        if self._random.random() < 0.8:
            return frame(opcode, payload, mask=mask)
        parts = self._random.randint(2, 4)
        size = len(payload) // parts + 1
        frames = []
        for part in range(parts):
            piece = payload[part * size:(part + 1) * size]
            frames.append(frame(CONTINUATION if part else opcode, piece, fin=part == parts - 1, mask=mask))
        if parts == 4:
            frames.insert(2, frame(PING, b"between", mask=mask))
            self._expect(frame(PONG, b"between", mask=None))
        return b"".join(frames)

    def _expect(self, data):
        self._expected.update(data)


@contextlib.asynccontextmanager
async def own_connections(edge):
    """HTTP/1.1: a connection for each WebSocket, every fourth with TLS. Gives what opens them."""

    async def open_websocket(number):
        secure = number % 4 == 0
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", edge.ports["secure" if secure else "plain"], limit=1 << 18,
            **({"ssl": edge.site.client_context(), "server_hostname": "localhost"} if secure else {}))
        writer.write(upgrade_request("/million"))
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    yield open_websocket


@contextlib.asynccontextmanager
async def streams(edge):
    """HTTP/2: WebSockets as streams of few connections, every fourth with TLS."""
    sessions = [
        await asyncstreams.connect(edge, "plain" if number % 4 else "secure")
        for number in range(WEBSOCKETS // STREAMS_OF_A_CONNECTION)]
    try:
        yield lambda number: asyncstreams.open_websocket(sessions[number // STREAMS_OF_A_CONNECTION], "/million")
    finally:
        for session in sessions:
            session.close()


async def converse(open_websocket, script, number):
    """Says everything, hears everything, closes; gives the hash of what was heard."""
    reader, writer = await open_websocket(number)

    async def say():
        for batch in script.batches():
            writer.write(batch)
            await writer.drain()
            await asyncio.sleep(0)  # drain() does not wait while the kernel takes everything, and others want to read
        writer.write(frame(PING, END))

    async def hear():
        heard = hashlib.sha256()
        last = b""
        while not last.endswith(END_HEARD):
            data = await asyncio.wait_for(reader.read(1 << 18), patient(60))
            assert data, f"WebSocket {number} ended too early"
            heard.update(data)
            last = last[-len(END_HEARD):] + data
        return heard.digest()

    _, heard = await asyncio.gather(say(), hear())
    writer.write(frame(CLOSE, close_payload(1000)))
    assert await reader.read() == frame(CLOSE, close_payload(1000), mask=None)
    writer.close()
    return heard


@pytest.mark.timeout(patient(600))
@pytest.mark.parametrize("way", [own_connections, streams], ids=["http/1.1", "h2"])
async def test_what_goes_in_comes_out_in_order_and_everybody_counts_the_same(start_edge, directory, closing, way):
    workers = [closing(ForeignWorker("node", directory, name)) for name in ("one", "two")]
    for worker in workers:
        worker.wait_until_ready()
    # A client that has said everything may wait long for the end of its echo; a ping would not be in its script. And what it says of
    # its windows waits behind all that it says: where the edge gets little of the machine, that takes longer than a client may.
    edge = start_edge(
        {"main": [worker.path for worker in workers]}, [open_route(ping={"interval": "10m"})],
        timeouts={"stall": {"min_bytes": "4KiB", "timeout": "30m"}})
    scripts = [Script(number, MESSAGES // WEBSOCKETS) for number in range(WEBSOCKETS)]
    async with way(edge) as open_websocket:
        heard = await asyncio.gather(*[converse(open_websocket, script, number) for number, script in enumerate(scripts)])
    assert heard == [script.expected for script in scripts]
    await asyncio.to_thread(eventually, lambda: edge.metric("sluice_connections") == 0)
    for direction in ("received", "sent"):
        for kind, opcode in (("text", TEXT), ("binary", BINARY)):
            counted = sum(script.counted[opcode] for script in scripts)
            assert edge.metric("sluice_messages_total", direction=direction, type=kind) == counted
        payload = sum(script.payload_bytes for script in scripts)
        assert edge.metric("sluice_message_bytes_total", direction=direction) == payload
    assert edge.metric("sluice_protocol_errors_total") == 0
    await asyncio.to_thread(eventually, lambda: len(edge.events("connection.closed", close_code=1000)) == WEBSOCKETS)
    lines = edge.events("connection.closed")
    total = sum(script.count for script in scripts)
    assert sum(line["messages_in"] for line in lines) == sum(line["messages_out"] for line in lines) == total
    assert edge.metric("sluice_send_queue_bytes") == 0
