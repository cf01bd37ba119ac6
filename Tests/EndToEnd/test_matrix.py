"""Every foreign worker with every foreign client, over TLS and both HTTPs: what works without the edge works through it."""

import asyncio
import contextlib
import hashlib
import itertools
import json
import os

import aiohttp
import httpx
import pytest

from clients import CLIENTS, WebsocketsClient
from edge import Edge, configuration, open_route
from frames import PING, PONG, TEXT, FrameStream, upgrade_request
from rawhttp import ByteStream, request
from streams import Multiplexed
from waiting import eventually, patient
from workers import ForeignWorker

KINDS = ForeignWorker.kinds
WITH_BODIES = ["aiohttp", "uvicorn", "hypercorn", "daphne", "node"]
ASGI = ["uvicorn", "hypercorn", "daphne"]
unique = itertools.count()


@contextlib.contextmanager
def started(directory, kinds, **options):
    """Workers, started together, by their kinds."""
    workers = {kind: ForeignWorker(kind, directory, **options) for kind in kinds}
    try:
        for worker in workers.values():
            worker.wait_until_ready()
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


@pytest.fixture(scope="module")
def workers(module_directory):
    with started(module_directory, KINDS) as workers:
        yield workers


def pools_of(workers):
    return {kind: [worker.path] for kind, worker in workers.items()}


def routes_to(kinds):
    """/aiohttp/… goes to aiohttp, and so on."""
    return [open_route(kind, kind, f"/{kind}", max_message="4MiB") for kind in kinds]


@pytest.fixture(scope="module")
def edge(module_directory, site, workers):
    """One edge in front of all of them."""
    with Edge(module_directory, site, configuration(module_directory, site, pools_of(workers), routes_to(KINDS))) as running:
        yield running


def multiplexed(edge):
    """A new connection of HTTP/2."""
    return Multiplexed(edge.connect(protocols=["h2"]))


@pytest.fixture
def connect(edge):
    """Opens a WebSocket with one of the clients; gives it and its path."""

    async def open_one(client, kind, **options):
        path = f"/{kind}/{next(unique)}"
        return await client().open(edge.wss + path, edge.site.client_context(), **options), path

    return open_one


every_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
every_pair = pytest.mark.parametrize(
    "client,kind", list(itertools.product(CLIENTS, KINDS)), ids=lambda value: getattr(value, "name", value))


# WebSocket


@every_pair
async def test_text_and_binary_come_back_as_they_were(connect, client, kind):
    socket, _ = await connect(client, kind)
    for message in ["hello", "грёзы 🌊", bytes(range(256)), "x" * 125, "x" * 126, b"y" * 65535, b"y" * 65536]:
        await socket.send(message)
        assert await socket.receive() == message
    await socket.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ForeignWorker.send_nothing_empty])
@every_client
async def test_an_empty_message_comes_back(connect, client, kind):
    socket, _ = await connect(client, kind)
    for message in ["", b""]:
        await socket.send(message)
        assert await socket.receive() == message
    await socket.close()


@every_pair
async def test_a_message_of_one_mebibyte_comes_back_whole(connect, client, kind):
    socket, _ = await connect(client, kind)
    message = os.urandom(1 << 20)
    await socket.send(message)
    assert await socket.receive() == message
    await socket.close()


@every_pair
async def test_a_hundred_messages_at_once_come_back_in_order(connect, client, kind):
    socket, _ = await connect(client, kind)
    messages = [f"{number}:" + "z" * (number * 97 % 5000) for number in range(100)]
    await asyncio.gather(*[socket.send(message) for message in messages])
    assert [await socket.receive() for _ in messages] == messages
    await socket.close()


@every_pair
async def test_a_clients_ping_is_answered_by_the_worker(connect, client, kind):
    socket, _ = await connect(client, kind)
    await socket.ping(b"are you there")
    await socket.close()


@pytest.mark.parametrize("kind", ["websockets", "aiohttp", "node"])
@every_client
async def test_a_workers_ping_is_answered_by_the_client(connect, client, kind):
    socket, _ = await connect(client, kind)
    await socket.send("!ping tick")
    assert await socket.receive() == "pong tick"
    await socket.close()


@every_pair
async def test_a_subprotocol_is_agreed_with_the_worker(connect, client, kind):
    socket, _ = await connect(client, kind, subprotocols=["chat.v1", "chat.v2"])
    assert socket.subprotocol == "chat.v2"
    await socket.close()


@every_pair
@pytest.mark.parametrize("code,reason", [(1000, ""), (1000, "done"), (4001, "I had enough")])
async def test_a_clients_close_reaches_the_worker_unchanged(connect, workers, client, kind, code, reason):
    socket, path = await connect(client, kind)
    await socket.close(code, reason)
    seen = await asyncio.to_thread(eventually, lambda: workers[kind].closes(path))
    code = 1006 if kind in ForeignWorker.hear_no_codes else code
    assert seen == [(code, "" if kind in ForeignWorker.hear_no_reasons else reason)]


@every_pair
@pytest.mark.parametrize("code,reason", [(1000, "done"), (4001, "you had enough")])
async def test_a_workers_close_reaches_the_client_unchanged(connect, client, kind, code, reason):
    socket, _ = await connect(client, kind)
    await socket.send(f"!close {code} {reason}")
    assert await socket.closed() == (code, "" if kind in ForeignWorker.tell_no_reasons else reason)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fragmented_message_arrives_as_one(connect, kind):
    socket, _ = await connect(WebsocketsClient, kind)
    await socket.send_fragments(["one ", "two ", "", "three"])
    assert await socket.receive() == "one two three"
    await socket.close()


@pytest.mark.parametrize("kind", ["websockets", "node"])
async def test_a_worker_may_fragment_its_messages(connect, kind):
    socket, _ = await connect(WebsocketsClient, kind)
    await socket.send("!fragments one two three")
    assert await socket.receive() == "onetwothree"
    await socket.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_sends_behind_its_upgrade_request_loses_nothing(edge, closing, kind):
    stream = closing(FrameStream(edge.connect()))
    early = FrameStream(None)
    written = bytearray(upgrade_request(f"/{kind}/early"))
    early.send = written.extend
    early.send_frame(TEXT, b"too early")
    stream.send(bytes(written))
    assert stream.response().status == 101
    assert stream.frame().payload == b"too early"


def test_what_daphne_and_hypercorn_lose_of_a_websocket_they_lose_without_the_edge_too(workers, closing):
    for kind in ["daphne", "hypercorn"]:
        stream = closing(FrameStream(workers[kind].connect()))
        stream.send(upgrade_request(path := f"/{kind}/direct"))
        assert stream.response().status == 101
        stream.send_frame(TEXT, b"")
        stream.send_frame(TEXT, b"next")
        assert stream.frame().payload == (b"next" if kind == "daphne" else b"")
        stream.send_close(4001, "I had enough")
        code = 1006 if kind == "hypercorn" else 4001
        assert eventually(lambda: workers[kind].closes(path)) == [(code, "")]


def test_a_servers_own_pings_reach_clients_of_both_protocols(start_edge, directory, closing):
    with started(directory, ASGI, pings=True) as workers:
        edge = start_edge(pools_of(workers), routes_to(ASGI))
        streams = []
        for kind in ASGI:
            streams.append(closing(FrameStream(edge.connect())))
            streams[-1].send(upgrade_request(f"/{kind}"))
            assert streams[-1].response().status == 101
            streams.append(closing(multiplexed(edge)).open_websocket(f"/{kind}")[0])
        for stream in streams * 2:
            ping = stream.frame()
            assert ping.opcode == PING
            stream.send_frame(PONG, ping.payload)


# Plain HTTP beside it


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def http(request, edge):
    """A client that speaks the one version only."""
    is_modern = request.param == "HTTP/2"
    with httpx.Client(
            base_url=edge.https, verify=edge.site.client_context(), http1=not is_modern, http2=is_modern, trust_env=False,
            timeout=patient(30)) as client:
        yield client


@pytest.fixture
def aiohttp_session(edge):
    """Makes a session of aiohttp's client, which reads an answer while it still sends."""
    return lambda: aiohttp.ClientSession(
        edge.https, connector=aiohttp.TCPConnector(ssl=edge.site.client_context()),
        timeout=aiohttp.ClientTimeout(total=patient(30)))


@pytest.mark.parametrize("kind", KINDS)
def test_get_passes(http, kind):
    response = http.get(f"/{kind}/hello")
    assert (response.status_code, response.text) == (200, "hello")
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_workers_404_passes_as_it_is(http, kind):
    response = http.get(f"/{kind}/nowhere")
    assert response.status_code == 404
    assert "X-Content-Type-Options" not in response.headers


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_ten_megabytes_go_up(http, kind):
    body = os.urandom(10_000_000)
    response = http.post(f"/{kind}/digest", content=body)
    assert (response.status_code, response.text) == (200, hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("kind", KINDS)
def test_ten_megabytes_come_down(http, kind):
    expected = hashlib.sha256(b"".join(b"%07d\n" % number for number in range(1_250_000)))
    received = hashlib.sha256()
    with http.stream("GET", f"/{kind}/large") as response:
        for part in response.iter_raw():
            received.update(part)
    assert received.digest() == expected.digest()


@pytest.mark.parametrize("kind", WITH_BODIES)
async def test_ten_megabytes_go_up_and_come_back(aiohttp_session, kind):
    body = os.urandom(10_000_000)
    async with aiohttp_session() as session, session.post(f"/{kind}/echo", data=body) as response:
        assert response.status == 200
        assert await response.read() == body


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_an_upload_of_unknown_length_passes(http, kind):
    parts = [bytes([number]) * (number * 37) for number in range(200)]
    assert http.post(f"/{kind}/echo", content=iter(parts)).content == b"".join(parts)


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_head_has_no_body_and_the_connection_goes_on(http, kind):
    response = http.head(f"/{kind}/hello")
    assert (response.status_code, response.content) == (200, b"")
    assert http.get(f"/{kind}/hello").text == "hello"


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_a_server_sent_event_arrives_at_once(http, kind):
    with http.stream("GET", f"/{kind}/events", timeout=patient(5)) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert next(response.iter_lines()) == "data: first"


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_events_requests_and_a_websocket_share_a_connection(edge, closing, kind):
    connection = closing(multiplexed(edge))
    events = ByteStream(connection.request(f"/{kind}/events"))
    assert events.until(b"\n\n") == b"data: first\n\n"
    client, _ = connection.open_websocket(f"/{kind}/beside")
    client.send_frame(TEXT, b"hello")
    assert client.frame().payload == b"hello"
    assert connection.request(f"/{kind}/hello").response().body == b"hello"
    assert not events.sock.is_ended and not client.sock.is_ended


@pytest.mark.parametrize("kind", WITH_BODIES)
async def test_expect_100_continue_is_answered_before_the_body_goes(aiohttp_session, kind):
    async with aiohttp_session() as session, session.post(f"/{kind}/echo", data=b"body", expect100=True) as response:
        assert await response.read() == b"body"


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_nothing_of_the_body_is_needed_for_100_continue(edge, closing, kind):
    stream = closing(ByteStream(edge.connect()))
    stream.send(request(f"/{kind}/echo", "POST", [("Expect", "100-continue"), ("Content-Length", "4")]))
    assert stream.response().status == 100
    stream.send(b"body")
    assert stream.response().body == b"body"


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_one_connection_serves_many_requests(edge, closing, kind):
    stream = closing(ByteStream(edge.connect()))
    for number in range(20):
        stream.send(request(f"/{kind}/echo", "POST", body=b"%d" % number))
        assert stream.response().body == b"%d" % number


@pytest.mark.parametrize("kind", WITH_BODIES)
def test_three_pipelined_requests_are_answered_in_order(edge, closing, kind):
    stream = closing(ByteStream(edge.connect()))
    stream.send(
        request(f"/{kind}/echo", "POST", body=b"first") + request(f"/{kind}/hello")
        + request(f"/{kind}/echo", "POST", body=b"third"))
    assert [stream.response().body for _ in range(3)] == [b"first", b"hello", b"third"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_websocket_may_follow_plain_requests_on_one_connection(edge, closing, kind):
    stream = closing(FrameStream(edge.connect()))
    stream.send(request(f"/{kind}/hello"))
    assert stream.response().body == b"hello"
    stream.send(upgrade_request(f"/{kind}/after"))
    assert stream.response().status == 101
    stream.send_frame(TEXT, b"still here")
    assert stream.frame().payload == b"still here"


# What the worker is told


@pytest.mark.parametrize("kind", KINDS)
@every_client
async def test_the_worker_learns_who_came_and_how(connect, edge, client, kind):
    socket, _ = await connect(client, kind)
    await socket.send("!headers")
    fields = dict(json.loads(await socket.receive()))
    assert fields["host"] == f"localhost:{edge.ports['secure']}"
    assert fields["x-forwarded-for"] == fields["x-real-ip"] == "127.0.0.1"
    assert fields["x-forwarded-proto"] == "https"
    assert fields["x-forwarded-port"] == str(edge.ports["secure"])
    assert "for=127.0.0.1" in fields["forwarded"] and "proto=https" in fields["forwarded"]
    assert fields["x-request-id"] and fields["traceparent"]
    assert "sec-websocket-extensions" not in fields
    await socket.close()


# The settings that the README names


@pytest.mark.parametrize("kind", ASGI)
def test_with_its_setting_an_application_sees_https_and_the_clients_address(http, kind):
    assert http.get(f"/{kind}/seen").json() == {"scheme": "https", "address": "127.0.0.1"}


SET_THEIR_OWN_MODE = {"uvicorn": 0o666, "daphne": 0o666}


def test_with_umask_007_an_edge_of_the_same_group_may_connect(workers):
    assert {kind: worker.mode() for kind, worker in workers.items()} == dict.fromkeys(KINDS, 0o770) | SET_THEIR_OWN_MODE


@pytest.fixture(scope="module")
def bare_edge(site, module_directory):
    """An edge in front of workers that were started without the settings."""
    directory = module_directory / "bare"
    directory.mkdir()
    with started(directory, KINDS, is_bare=True) as workers:
        with Edge(directory, site, configuration(directory, site, pools_of(workers), routes_to(KINDS))) as edge:
            yield edge, workers


def test_without_the_umask_only_the_user_may_connect(bare_edge):
    _, workers = bare_edge
    assert {kind: worker.mode() for kind, worker in workers.items()} == dict.fromkeys(KINDS, 0o755) | SET_THEIR_OWN_MODE


@pytest.mark.parametrize("kind", ASGI)
def test_without_its_setting_an_application_sees_neither(bare_edge, closing, kind):
    edge, _ = bare_edge
    seen = json.loads(closing(multiplexed(edge)).request(f"/{kind}/seen").response().body)
    assert seen["scheme"] == "http" and seen["address"] != "127.0.0.1"
