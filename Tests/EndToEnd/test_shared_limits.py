"""Limits on messages that connections share: of an address, of a user; exact over all reactors, and fair."""

import asyncio
import collections
import statistics
import time

import pytest

from edge import Edge, configuration, open_route
from frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, upgrade_request
from waiting import patient

NOTHING_BACK = "1/1d"  # A rate that gives nothing back while a test runs.


@pytest.fixture
def start(directory, site, echo_worker, closing):
    """Starts an edge on IPv4 and IPv6 whose limits are these; nothing but messages is in the way."""

    def start(per_ip=None, per_user=None, routes=None, **sections):
        handshakes = {"rate": "100000/s", "burst": 100_000}
        limits = {
            "handshakes": {"rate": "10000/s"}, "per_ip": {"connections": 10_000, "handshakes": handshakes} | (per_ip or {}),
            "per_user": per_user or {}}
        tls = {"certificates": [{"chain": str(site.chain), "key": str(site.key)}]}
        listeners = [{"name": "secure", "address": "127.0.0.1:0", "tls": tls}, {"name": "dual", "address": "[::]:0"}]
        document = configuration(
            directory, site, {"main": [echo_worker.path]}, routes or [open_route(path="/")], listeners=listeners, limits=limits, **sections)
        return closing(Edge(directory, site, document))

    return start


class Client:
    """A WebSocket whose worker echoes."""

    async def open(self, edge, host="127.0.0.1", source=None, fields=()):
        self.reader, self.writer = await asyncio.open_connection(
            host, edge.ports["dual"], local_addr=source and (source, 0))
        self.writer.write(upgrade_request("/ws", fields))
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return self

    async def frame(self):
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        return first & 0x0F, await self.reader.readexactly(length)

    async def flood(self, count, payload=b"x"):
        """Sends messages and then a ping; gives how many came back before its pong."""
        self.writer.write(frame(TEXT, payload) * count + frame(PING, b"end"))
        echoes = 0
        while True:
            opcode, _ = await asyncio.wait_for(self.frame(), patient(20))
            if opcode == PONG:
                return echoes
            echoes += opcode == TEXT

    def close(self):
        self.writer.close()


@pytest.mark.parametrize("reactors", [1, 2, 4])
async def test_an_address_says_exactly_as_much_over_all_its_connections(start, reactors):
    edge = start(per_ip={"messages": {"rate": NOTHING_BACK, "burst": 100, "over": "drop"}}, threads=reactors)
    addresses = [("127.0.0.1", f"127.0.{subnet}.{host}") for subnet in (0, 9) for host in (2, 3)] + [("::1", "::1")]
    passed = collections.Counter()

    async def talk(host, source):
        client = await Client().open(edge, host, source)
        echoes = await client.flood(50)
        passed[source] += echoes
        client.close()

    # IPv4 clients come to a socket of IPv6, so that the kernel shows them as ::ffff:127.x.y.z.
    await asyncio.gather(*[talk(host, source) for host, source in addresses for _ in range(8)])
    assert passed == {source: 100 for _, source in addresses}
    dropped = edge.metric("sluice_messages_dropped_total", reason="message_rate")
    assert dropped == len(addresses) * (8 * 50 - 100)
    assert edge.metric("sluice_throttle_events_total", scope="ip", action="drop") == dropped


async def test_reconnecting_gives_nothing_back(start):
    edge = start(per_ip={"messages": {"rate": NOTHING_BACK, "burst": 30, "over": "drop"}})
    passed = []
    for _ in range(5):
        client = await Client().open(edge)
        passed.append(await client.flood(20))
        client.close()
    assert passed == [20, 10, 0, 0, 0]


async def test_bytes_of_an_address_are_shared_too(start):
    edge = start(per_ip={"bytes": {"rate": "1/1h", "burst": "10KiB", "over": "drop"}}, threads=2)
    clients = [await Client().open(edge) for _ in range(4)]
    passed = await asyncio.gather(*[client.flood(20, b"x" * 256) for client in clients])
    assert sum(passed) == 40


@pytest.mark.parametrize("reactors", [1, 2, 4])
async def test_a_user_says_exactly_as_much_over_all_connections_and_another_is_not_touched(start, site, reactors):
    route = {"name": "chat", "match": {"path": "/"}, "pool": "main", "auth": "main", "origins": "*"}
    edge = start(
        per_user={"messages": {"rate": NOTHING_BACK, "burst": 60, "over": "drop"}}, routes=[route], threads=reactors)
    passed = collections.Counter()

    async def talk(user, source):
        fields = [("Authorization", f"Bearer {site.token(user)}")]
        client = await Client().open(edge, source=source, fields=fields)
        echoes = await client.flood(25)
        passed[user] += echoes
        client.close()

    await asyncio.gather(*[talk(user, f"127.0.1.{place}") for user in ("alice", "bob") for place in range(1, 9)])
    assert passed == {"alice": 60, "bob": 60}


@pytest.mark.parametrize("over", ["delay", "drop", "close"])
async def test_a_frame_that_announces_too_much_charges_nothing_to_its_address(start, over):
    edge = start(
        per_ip={"bytes": {"rate": "64KiB/s", "burst": "64KiB", "over": over}}, threads=1,
        routes=[open_route(path="/", notice="envelope")])
    huge = 1 << 62
    for _ in range(8):
        for bytes_sent in (frame(BINARY, announced=huge), frame(TEXT, b"a", fin=False) + frame(CONTINUATION, announced=huge)):
            client = await Client().open(edge)
            client.writer.write(bytes_sent)
            while (await asyncio.wait_for(client.frame(), patient(10)))[0] != CLOSE:
                pass
            client.close()
    client = await Client().open(edge)
    assert await client.flood(3) == 3
    assert edge.child.exit_code is None


async def test_every_scope_or_none_is_charged(start):
    edge = start(
        per_ip={"messages": {"rate": NOTHING_BACK, "burst": 100, "over": "drop"}},
        routes=[open_route(path="/", messages={"rate": NOTHING_BACK, "burst": 10, "over": "drop"})])
    passed = []
    for _ in range(12):
        client = await Client().open(edge)
        passed.append(await client.flood(30))  # 20 of them are refused by the connection, and cost the address nothing.
        client.close()
    assert passed == [10] * 10 + [0] * 2


async def test_delayed_connections_of_one_address_take_turns(start):
    edge = start(per_ip={"messages": {"rate": "80/s", "burst": 1, "over": "delay"}}, threads=2)
    clients = [await Client().open(edge) for _ in range(8)]
    counts = [0] * len(clients)

    async def count(index, client):
        client.writer.write(frame(TEXT, b"x") * 200)
        while sum(counts) < 160:
            await asyncio.wait_for(client.frame(), patient(20))
            counts[index] += 1

    await asyncio.wait([asyncio.ensure_future(count(*each)) for each in enumerate(clients)], return_when=asyncio.FIRST_COMPLETED)
    # A reactor that gets no processor for a moment lets its clients miss some turns.
    assert 2 * min(counts) >= max(counts), counts


@pytest.mark.parametrize("over", ["delay", "drop", "close"])
async def test_one_client_at_ten_times_its_limit_harms_nobody(start, over):
    """50 others lose no message, and their p99 stays within half more of what it is without the greedy one."""
    edge = start(routes=[open_route(path="/", messages={"rate": "20/s", "burst": 40, "over": over})], threads=1)
    others = [await Client().open(edge, source=f"127.0.2.{1 + number}") for number in range(50)]

    async def echo(client, latencies):
        began = time.perf_counter()
        client.writer.write(frame(TEXT, b"y" * 64))
        opcode, _ = await asyncio.wait_for(client.frame(), patient(10))
        assert opcode == TEXT
        latencies.append(time.perf_counter() - began)

    async def a_round(greedy):
        latencies = []
        stop = asyncio.Event()
        flood = asyncio.ensure_future(flooding(edge, stop)) if greedy else None
        for _ in range(8):  # One message in 100 ms: well within 20 a second.
            for client in others:
                await echo(client, latencies)
            await asyncio.sleep(0.05)
        stop.set()
        if flood:
            await flood
        return statistics.quantiles(latencies, n=100)[98]

    await a_round(False)
    tried = []
    # What others do on the machine is not the same in all rounds: what they have spoilt is measured again, what the edge spoils
    # stays spoilt.
    for _ in range(4):
        rounds = [(await a_round(False), await a_round(True)) for _ in range(9)]
        tried.append([statistics.median(side) for side in zip(*rounds)])
        alone, beside = tried[-1]
        # A scheduler's tick of 2 ms is forgiven: on a busy machine the quiet p99 is often far below one.
        if beside <= 1.5 * alone + 0.002:
            return
    raise AssertionError(f"alone and beside the greedy one: {tried}")


async def flooding(edge, stop):
    """A client that sends ten times what it may, and comes back when it is closed."""
    client = None
    while not stop.is_set():
        try:
            client = client or await Client().open(edge, source="127.0.3.1")
            client.writer.write(frame(TEXT, b"z" * 64) * 10)
            await asyncio.wait_for(client.writer.drain(), 0.05)
        except (ConnectionError, TimeoutError):
            pass
        if client and client.reader.at_eof():
            client.close()
            client = None
        await asyncio.sleep(0.05)
    if client:
        client.close()
