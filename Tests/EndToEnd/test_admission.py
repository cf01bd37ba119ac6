"""How many may come in, and how fast: whole edge, address, user."""

import asyncio
import collections
import json
import selectors
import socket
import ssl
import time

import pytest

from edge import Edge, configuration, open_route
from frames import TEXT, FrameStream, upgrade_request
from rawhttp import request
from tokens import AUDIENCE, ISSUER
from waiting import eventually, patient, slow, unchanged
from ways import both_ways

BOTH = ["h2", "http/1.1"]
OUT_OF_THE_WAY = {"rate": "100000/s", "burst": 100_000}


@pytest.fixture
def start(directory, site, echo_worker, closing):
    """Starts an edge on IPv4 and IPv6, with these limits and other sections; two reactors unless it says otherwise."""

    def start(limits, routes=None, listeners=None, **sections):
        tls = {"certificates": [{"chain": str(site.chain), "key": str(site.key)}]}
        listeners = listeners or [
            {"name": "secure", "address": "127.0.0.1:0", "tls": tls}, {"name": "plain", "address": "127.0.0.1:0", "protocols": BOTH},
            {"name": "dual", "address": "[::]:0"}]
        document = configuration(
            directory, site, {"main": [echo_worker.path]}, routes or [open_route(path="/ws")], listeners=listeners, limits=limits,
            **{"threads": 2} | sections)
        return closing(Edge(directory, site, document))

    return start


async def knock(edge, listener="plain", host="127.0.0.1", source=None, fields=(), kept=None, tls=None):
    """Asks for a WebSocket; gives the status, or None for a reset. What came in stays open in `kept`."""
    try:
        reader, writer = await asyncio.open_connection(
            host, edge.ports[listener], local_addr=source and (source, 0),
            **({"ssl": tls, "server_hostname": "localhost"} if tls else {}))
        writer.write(upgrade_request(fields=fields))
        status = int((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1])
    except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        return None
    if status == 101 and kept is not None:
        kept.append(writer)
    else:
        writer.close()
    return status


def connect(edge, listener="plain"):
    return FrameStream(edge.connect(listener))


@pytest.fixture
def attempt(way):
    """Asks for a WebSocket, however they come; gives its stream and the answer."""

    def attempt(edge, *fields, listener="plain"):
        stream = way.ask(edge, "/ws", fields, listener)
        return stream, stream.response()

    return attempt


def ask(stream, *fields, target="/ws"):
    """Asks for a WebSocket on a connection; gives the answer."""
    stream.send(upgrade_request(target, fields))
    return stream.response()


def is_reset(edge, listener="secure"):
    """Whether a new connection is reset before the edge says anything."""
    try:
        with socket.create_connection(("127.0.0.1", edge.ports[listener]), timeout=patient(10)) as sock:
            sock.recv(1)
            return False
    except ConnectionResetError:
        return True


# Addresses: connections


@pytest.mark.parametrize("reactors", [1, 2, 4])
async def test_each_address_has_exactly_its_connections_over_all_reactors(start, reactors):
    edge = start({
        "handshakes": {"rate": "10000/s"}, "per_ip": {"connections": 20, "handshakes": OUT_OF_THE_WAY}}, threads=reactors)
    sources = [f"127.0.{subnet}.{host}" for subnet in (0, 7) for host in (1, 2, 3)]
    kept = []
    answers = collections.defaultdict(list)

    async def one(name, *where):
        answers[name].append(await knock(edge, *where, kept=kept))

    # Half of each IPv4 address's clients come as ::ffff:127.x.y.z.
    await asyncio.gather(*[
        one(source, *way, source)
        for source in sources for way in [("plain", "127.0.0.1"), ("dual", "127.0.0.1")] for _ in range(16)
    ], *[one("::1", "dual", "::1") for _ in range(32)])
    for source in [*sources, "::1"]:
        assert collections.Counter(answers[source]) == {101: 20, 429: 12}, source
    assert edge.metric("sluice_limiter_entries", scope="ip") == len(sources) + 2  # ::1 counts by two prefixes
    await asyncio.to_thread(eventually, lambda: edge.metric("sluice_connections") == 140)
    for writer in kept:
        writer.close()
    await asyncio.to_thread(eventually, lambda: edge.metric("sluice_connections") == 0)
    assert await knock(edge, source=sources[0]) == 101


# Addresses: handshakes


def test_beyond_its_rate_an_address_is_told_so_then_reset_before_tls(start):
    began = time.monotonic()
    edge = start({"per_ip": {"handshakes": {"rate": "1/h", "burst": 5}}})
    assert [ask(connect(edge, "secure")).status for _ in range(5)] == [101] * 5
    # Up to four times the burst there is an answer.
    for _ in range(15):
        response = ask(connect(edge, "secure"))
        assert (response.status, response.word, response["Connection"]) == (429, "ip_limit", "close")
        assert 3599 - (time.monotonic() - began) <= int(response["Retry-After"]) <= 3600
    handshakes = edge.metric("sluice_tls_handshakes_total")
    assert handshakes == 20
    assert [is_reset(edge) for _ in range(10)] == [True] * 10
    assert edge.metric("sluice_tls_handshakes_total") == handshakes
    assert edge.metric("sluice_handshakes_total", route="", result="ip_limit") == 10
    assert edge.metric("sluice_handshakes_total", route="open", result="ip_limit") == 15
    denied = eventually(lambda: edge.events("connection.denied", outcome="ip_limit"))
    assert {line["error.type"] for line in denied} == {"handshakes"}


def test_a_handshake_comes_back_with_time(start):
    edge = start({"per_ip": {"handshakes": {"rate": "10/s", "burst": 1}}})

    def comes_in():
        try:
            return ask(connect(edge)).status == 101
        except (ConnectionError, EOFError):
            return False

    began = time.monotonic()
    for _ in range(5):
        eventually(comes_in)
    assert time.monotonic() - began >= 0.4


def test_further_attempts_on_one_connection_cost_what_a_connection_costs(start):
    edge = start({"per_ip": {"handshakes": {"rate": "1/h", "burst": 3}}}, [open_route(path="/ws", origins=["https://a.test"])])
    stream = connect(edge)
    assert [ask(stream).status for _ in range(3)] == [403] * 3
    response = ask(stream)
    assert (response.status, response.word) == (429, "ip_limit")
    assert stream.is_ended()


def test_guessing_tokens_is_no_faster_over_a_connection_that_is_kept(start, site):
    route = open_route(path="/ws", auth="main")
    edge = start({"per_ip": {"handshakes": {"rate": "1/h", "burst": 4}}}, [route])
    stream = connect(edge)

    def plain(*fields):
        stream.send(request("/ws", fields=fields))
        return stream.response().status

    assert [plain() for _ in range(20)] == [401] * 20, "no token is no guess"
    assert [plain(("Authorization", f"Bearer {site.token()}")) for _ in range(20)] == [404] * 20, "from the worker"
    assert [plain(("Authorization", "Bearer a.b.c")) for _ in range(4)] == [401, 401, 401, 429]
    assert stream.is_ended()


def test_exempt_addresses_have_no_limit(start):
    edge = start({
        "per_ip": {"connections": 1, "handshakes": {"rate": "1/h", "burst": 1}}, "exempt": ["127.0.0.0/8"]})
    assert [ask(connect(edge)).status for _ in range(30)] == [101] * 30
    assert edge.metric("sluice_limiter_entries", scope="ip") == 0


# Behind a trusted proxy


def forwarded(*addresses):
    return ("X-Forwarded-For", ", ".join(addresses))


@both_ways
def test_behind_a_trusted_proxy_the_client_is_limited_not_the_proxy(start, attempt, way):
    edge = start(
        {"per_ip": {"connections": 2, "handshakes": {"rate": "1/h", "burst": 8}}}, trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"])

    def comes_from(*chain):
        stream, response = attempt(edge, forwarded(*chain))
        return stream if response.status == way.accepted else response

    held = [comes_from("192.0.2.1") for _ in range(2)]
    for chain in [["192.0.2.1"], ["203.0.113.9", "192.0.2.1", "10.0.0.1"]]:
        response = comes_from(*chain)
        assert (response.status, response.word) == (429, "ip_limit")
        assert response["Connection"] != "close", "other clients use the proxy's connection too"
    others = [comes_from(f"192.0.2.{number}") for number in range(10, 40)]
    for stream in others:
        stream.send_frame(TEXT, b"in")
        assert stream.frame().payload == b"in"
    # The place is the WebSocket's, and free again when that ends.
    held[0].close()
    eventually(lambda: edge.metric("sluice_connections") == 31)
    newcomer = comes_from("192.0.2.1")
    newcomer.send_close(1000)
    assert newcomer.close_frame()[0] == 1000
    eventually(lambda: edge.metric("sluice_connections") == 31)
    comes_from("192.0.2.1").send_close(1000)


@both_ways
def test_behind_a_trusted_proxy_every_attempt_of_whatever_kind_counts_for_its_client(start, attempt):
    edge = start({"per_ip": {"handshakes": {"rate": "1/h", "burst": 3}}},
                 [open_route(path="/ws", origins=["https://a.test"])], trusted_proxies=["127.0.0.0/8"])
    assert [attempt(edge, forwarded("192.0.2.1"))[1].status for _ in range(30)] == [403] * 3 + [429] * 27
    assert attempt(edge, forwarded("192.0.2.2"))[1].status == 403
    # The proxy itself, and what it asks without a client, is never charged.
    assert [attempt(edge)[1].status for _ in range(30)] == [403] * 30


def test_behind_a_trusted_proxy_every_attempt_costs_its_client_a_handshake(start):
    edge = start({"per_ip": {"handshakes": {"rate": "1/h", "burst": 3}}},
                 [open_route(path="/ws", origins=["https://a.test"])], trusted_proxies=["127.0.0.0/8"])
    stream = connect(edge)
    assert [ask(stream, forwarded("192.0.2.1")).status for _ in range(30)] == [403] * 3 + [429] * 27
    assert ask(stream, forwarded("192.0.2.2")).status == 403
    # The proxy itself, and what it asks without a client, is never charged.
    assert [ask(stream).status for _ in range(30)] == [403] * 30
    assert [ask(connect(edge)).status for _ in range(30)] == [403] * 30


def test_a_proxy_on_a_unix_socket_tells_its_clients_where_the_setting_trusts_it(start, directory, closing):
    path = directory / "edge.sock"

    def ask_locally(*fields):
        stream = closing(FrameStream(socket.socket(socket.AF_UNIX)))
        stream.sock.settimeout(patient(10))
        stream.sock.connect(str(path))
        return ask(stream, *fields).status

    limits = {"per_ip": {"connections": 2, "handshakes": OUT_OF_THE_WAY}}
    listeners = [{"name": "local", "address": f"unix:{path}"}, {"name": "plain", "address": "127.0.0.1:0"}]
    edge = start(limits, listeners=listeners, trusted_proxies=["unix"])
    assert [ask_locally(forwarded("192.0.2.1")) for _ in range(4)] == [101, 101, 429, 429]
    assert ask_locally(forwarded("192.0.2.2")) == 101
    assert [ask_locally() for _ in range(5)] == [101] * 5, "nobody's address, nobody's limit"
    edge.close()
    edge = start(limits, listeners=listeners)
    assert [ask_locally(forwarded("192.0.2.1")) for _ in range(5)] == [101] * 5
    assert edge.metric("sluice_limiter_entries", scope="ip") == 0


# Users


@pytest.mark.parametrize("reactors", [1, 2, 4])
async def test_a_user_has_exactly_their_connections_over_all_reactors(start, site, reactors):
    route = open_route(path="/ws", auth="main")
    edge = start({"exempt": ["127.0.0.0/8"], "per_user": {"connections": 7}}, [route], threads=reactors)
    kept = []
    answers = collections.defaultdict(list)

    async def one(user):
        answers[user].append(await knock(edge, kept=kept, fields=[("Authorization", f"Bearer {site.token(user)}")]))

    await asyncio.gather(*[one(user) for _ in range(25) for user in ("alice", "Alice", "bob")])
    for user in ("alice", "Alice", "bob"):
        assert collections.Counter(answers[user]) == {101: 7, 429: 18}, user
    assert edge.metric("sluice_handshakes_total", result="user_limit") == 3 * 18
    assert edge.metric("sluice_limiter_entries", scope="user") == 3
    for writer in kept:
        writer.close()
    await asyncio.to_thread(eventually, lambda: edge.metric("sluice_connections") == 0)
    await asyncio.to_thread(eventually, lambda: edge.metric("sluice_limiter_entries", scope="user") == 0)


def test_without_a_user_there_is_no_limit_of_users(start):
    edge = start({"exempt": ["127.0.0.0/8"], "per_user": {"connections": 1}})
    assert [ask(connect(edge)).status for _ in range(10)] == [101] * 10


@both_ways
def test_a_refused_user_reads_why_and_may_come_back(start, site, attempt, way):
    edge = start({"exempt": ["127.0.0.0/8"], "per_user": {"connections": 1}}, [open_route(path="/ws", auth="main")])
    bearer = ("Authorization", f"Bearer {site.token()}")
    first, response = attempt(edge, bearer)
    assert response.status == way.accepted
    _, refused = attempt(edge, bearer)
    assert (refused.status, refused.word) == (429, "user_limit") and int(refused["Retry-After"]) > 0
    first.close()
    eventually(lambda: attempt(edge, bearer)[1].status == way.accepted)


@both_ways
def test_a_page_script_reads_the_limit_as_a_close_code(start, site, attempt, way):
    route = open_route(path="/ws", auth="main", reject={"rate": "close"})
    edge = start({"per_ip": {"connections": 3}, "per_user": {"connections": 1}}, [route], timeouts={"close": "5m"})
    bearer = ("Authorization", f"Bearer {site.token()}")
    streams = []
    for _ in range(4):
        way.anew()  # A stream that is closed leaves no place behind; a connection holds its own.
        stream, response = attempt(edge, bearer, listener="secure")
        assert response.status == way.accepted
        streams.append(stream)
    assert streams[1].close_frame() == (4429, "user_limit;retry_after=5")
    assert streams[3].close_frame() == (4429, "ip_limit;retry_after=5")
    assert edge.metric("sluice_handshakes_total", result="accepted") == 1


@both_ways
def test_the_token_of_a_first_message_counts_for_its_user(start, site, attempt, way):
    auth = {
        "issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["ES256"], "keys": {"file": str(site.jwks)},
        "token_from": ["header", "first_message"]}
    edge = start(
        {"exempt": ["127.0.0.0/8"], "per_user": {"connections": 2, "when_full": "reject"}}, [open_route(path="/ws", auth="main")],
        auth={"main": auth})
    message = json.dumps({"type": "edge.token", "data": {"token": site.token()}}, separators=(",", ":")).encode()
    for number in range(3):
        stream, response = attempt(edge)
        assert response.status == way.accepted
        stream.send_frame(TEXT, message)
        eventually(lambda: edge.metric("sluice_connections") == min(2, number + 1))
    assert stream.close_frame() == (4429, "user_limit;retry_after=5")


@both_ways
@pytest.mark.parametrize("code", [4409, 4009])
def test_the_newest_takes_the_place_of_the_oldest(start, site, attempt, way, code):
    route = open_route(path="/ws", auth="main", close_codes={"replaced": code})
    edge = start({"exempt": ["127.0.0.0/8"], "per_user": {"connections": 3, "when_full": "replace_oldest"}}, [route])
    bearer = ("Authorization", f"Bearer {site.token()}")
    streams = []
    for number in range(32):
        way.anew()
        stream, response = attempt(edge, bearer)
        assert response.status == way.accepted
        streams.append(stream)
        if number >= 3:
            assert streams[number - 3].close_frame() == (code, "replaced")
            streams[number - 3].send_close(code, "replaced")
    eventually(lambda: len(edge.connections(user="alice", state="open")) == 3)
    opened = eventually(lambda: (lines := edge.events("connection.opened")) and len(lines) == 32 and lines)
    assert len({line["conn.id"][:4] for line in opened}) == 2, "they are all on one reactor"
    eventually(lambda: edge.metric("sluice_connections_closed_total", initiator="edge") == 29)


async def test_however_many_come_at_once_the_newest_stay_and_the_others_are_closed(start, site):
    route = open_route(path="/ws", auth="main")
    edge = start({"exempt": ["127.0.0.0/8"], "per_user": {"connections": 5, "when_full": "replace_oldest"}}, [route], threads=4,
                 timeouts={"close": "1s"})
    kept = []
    bearer = [("Authorization", f"Bearer {site.token()}")]
    answers = await asyncio.gather(*[knock(edge, kept=kept, fields=bearer) for _ in range(100)])
    assert set(answers) <= {101, 429}, "429 for whoever was replaced before the worker answered"
    await asyncio.to_thread(eventually, lambda: len(edge.connections(user="alice", state="open")) == 5)
    closed = lambda: edge.events("connection.closed", close_code=4409, close_reason="replaced")
    for writer in kept:
        writer.close()
    await asyncio.to_thread(eventually, lambda: edge.metric("sluice_connections") == 0)
    await asyncio.to_thread(eventually, lambda: len(closed()) == answers.count(101) - 5)


# The whole edge


class StormClient:
    """Sends all it has to say when it comes, and reads when something has come."""

    def __init__(self, port, tls=None):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setblocking(False)
        self.status = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls and tls.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._has_asked = False
        self._continue()

    def ready(self):
        """Goes on; true when the answer is there."""
        data = self.sock.recv(16_384)
        assert data, "ended without an answer"
        self._incoming.write(data)
        self._continue()
        return self.status is not None

    def _continue(self):
        try:
            if self._tls is None:
                if self._incoming.pending:
                    self.status = int(self._incoming.read(12)[9:])
                elif not self._has_asked:
                    self._ask(self._outgoing)
            else:
                if not self._has_asked:
                    self._tls.do_handshake()
                    self._ask(self._tls)
                self.status = int(self._tls.read(12)[9:])
        except ssl.SSLWantReadError:
            pass
        if self._outgoing.pending:
            self.sock.sendall(self._outgoing.read())

    def _ask(self, sink):
        sink.write(upgrade_request())
        self._has_asked = True


@pytest.mark.timeout(patient(120))
def test_3000_clients_at_once_are_admitted_at_the_configured_pace_and_none_starves(start, site):
    rate, count = 400, 3000
    edge = start({
        "max_connections": 8000, "handshakes": {"rate": f"{rate}/s", "queue_timeout": "10m"}, "exempt": ["127.0.0.0/8"]},
        timeouts={"handshake": "5m", "head": "5m"})
    tls = site.client_context()
    cpu, began = edge.child.cpu_seconds(), time.time()
    # Every eighth speaks TLS: Python's side of it costs more than the edge's.
    clients = [
        StormClient(edge.ports["plain"]) if number % 8 else StormClient(edge.ports["secure"], tls) for number in range(count)]
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.sock, selectors.EVENT_READ, client)
        while selector.get_map():
            found = selector.select(patient(20))
            assert found, f"{len(selector.get_map())} clients starve"
            for key, _ in found:
                if key.data.ready():
                    selector.unregister(key.fileobj)
    elapsed, cpu = time.time() - began, edge.child.cpu_seconds() - cpu
    assert collections.Counter(client.status for client in clients) == {101: count}
    assert elapsed < slow(4) * count / rate
    assert cpu < 1.4 * elapsed, "of two processors: somebody spins"
    eventually(lambda: len(edge.events("connection.opened")) == count)
    # A tenth of a second's worth may come at once. A reactor that got no processor for a moment catches up, and is never ahead.
    for place, moment in enumerate(edge.times("connection.opened")):
        assert place <= rate * (moment - began + 0.1) + 1, f"number {place} came {moment - began:.3f} s after the crowd"
    for client in clients:
        client.sock.close()


def slow_duration(seconds):
    return f"{int(slow(seconds))}s"


async def test_whoever_would_wait_too_long_reads_503_at_the_ramps_pace_the_others_are_reset(start):
    rate = 20
    edge = start({"handshakes": {"rate": f"{rate}/s", "queue_timeout": "1s"}, "exempt": ["127.0.0.0/8"]}, threads=1)
    began = time.monotonic()

    async def one():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", edge.ports["plain"])
            writer.write(upgrade_request())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            body = await reader.read() if " 503 " in head else b""
        except (ConnectionError, asyncio.IncompleteReadError):
            return None, None
        retry_after = [line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("Retry-After")]
        return head.split(" ")[1], (retry_after, body)

    answers = await asyncio.gather(*[one() for _ in range(500)])
    count = collections.Counter(status for status, _ in answers)
    # A tenth of a second's worth at once, and a second's within the timeout; refusals at the same pace; more of both while the crowd
    # was coming.
    coming = rate * (time.monotonic() - began)
    assert 0.8 * rate <= count["101"] <= 1.1 * rate + coming
    assert 0.1 * rate <= count["503"] <= 0.1 * rate + coming
    assert count[None] > 0
    refusals = [more for status, more in answers if status == "503"]
    assert all(json.loads(body)["code"] == "edge_limit" for _, body in refusals)
    waits = {int(retry_after[0]) for retry_after, _ in refusals}
    assert len(waits) > 1 and min(waits) >= 1, "they are to come back at different times"
    assert edge.metric("sluice_handshakes_total", result="edge_limit") == 500 - count["101"]


def test_a_waiting_client_that_hangs_up_costs_no_tls_and_holds_up_nobody(start):
    edge = start({"handshakes": {"rate": "2/s", "queue_timeout": "60s"}, "exempt": ["127.0.0.0/8"]}, threads=1)
    assert ask(connect(edge, "secure")).status == 101
    began = time.monotonic()
    crowd = [socket.create_connection(("127.0.0.1", edge.ports["secure"])) for _ in range(40)]
    for sock in crowd:
        sock.close()
    assert ask(connect(edge, "secure")).status == 101
    assert time.monotonic() - began < slow(8), "the crowd's 20 seconds were waited for"
    assert edge.metric("sluice_tls_handshakes_total") <= 3
    assert edge.metric("sluice_clients_waiting") == 0


def test_waiting_clients_count_as_connections_and_a_drain_lets_go_of_them(start):
    edge = start({
        "max_connections": 5, "handshakes": {"rate": "1/m", "queue_timeout": "1h"}, "exempt": ["127.0.0.0/8"]}, threads=1)
    first = connect(edge)
    assert ask(first).status == 101
    waiting = [connect(edge) for _ in range(4)]
    eventually(lambda: edge.metric("sluice_clients_waiting") == 4)
    assert json.loads(edge.admin("GET", "/api/v1/status")[1])["connections"] == 5
    cpu = edge.child.cpu_seconds()
    unchanged(lambda: edge.child.exit_code, 0.5)
    assert edge.child.cpu_seconds() - cpu < 0.25, "it spins while nobody's turn has come"
    response = ask(connect(edge))
    assert (response.status, response.word) == (503, "edge_limit")
    edge.terminate()
    assert all(stream.is_ended() for stream in waiting)
    assert first.close_frame() == (1012, "edge_draining")
    first.close()
    assert edge.child.wait() == 0


def test_the_deadline_of_a_handshake_counts_from_its_turn(start):
    edge = start(
        {"handshakes": {"rate": "1/s", "queue_timeout": "60s"}, "exempt": ["127.0.0.0/8"]}, threads=1,
        timeouts={"handshake": slow_duration(2), "head": slow_duration(2)})
    began = time.monotonic()
    streams = [connect(edge) for _ in range(4)]
    for stream in streams:
        stream.send(upgrade_request())
    assert [stream.response().status for stream in streams] == [101] * 4
    assert time.monotonic() - began >= 2.5


def test_attempts_that_a_slow_worker_keeps_waiting_do_not_pile_up_behind_the_newest(start_edge, raw_worker, site, closing):
    route = {"name": "chat", "match": {"path": "/"}, "pool": "main", "auth": "main", "origins": "*"}
    edge = start_edge({"main": [raw_worker.path]}, [route], limits={
        "exempt": ["127.0.0.0/8"], "handshakes": {"rate": "10000/s"}, "per_user": {"connections": 1, "when_full": "replace_oldest"}})
    attempts = []
    for number in range(6):
        stream = closing(connect(edge))
        stream.send(upgrade_request("/ws", [("Authorization", f"Bearer {site.token('alice')}")]))
        attempts.append(stream)
        eventually(lambda: raw_worker.accepted == number + 1, what="the attempt reaching the worker")
    for stream in attempts[:-1]:
        response = stream.response()
        assert (response.status, response.word) == (429, "replaced")
    eventually(lambda: [worker["connections"] for worker in edge.workers()] == [1], what="the others having left the worker")
