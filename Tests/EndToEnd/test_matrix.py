"""Every foreign worker with every foreign client, over TLS: what works without the edge works through it."""

import asyncio
import itertools
import json
import os

import aiohttp
import pytest

from clients import CLIENTS, WebsocketsClient
from edge import Edge, configuration, open_route
from frames import TEXT, FrameStream, upgrade_request
from rawhttp import ByteStream, request
from waiting import eventually
from workers import ForeignWorker

KINDS = ForeignWorker.kinds
WITH_BODIES = ["aiohttp", "uvicorn", "node"]
unique = itertools.count()


@pytest.fixture(scope="module")
def workers(module_directory):
    """All four, started together."""
    started = {kind: ForeignWorker(kind, module_directory) for kind in KINDS}
    try:
        for worker in started.values():
            worker.wait_until_ready()
        yield started
    finally:
        for worker in started.values():
            worker.close()


@pytest.fixture(scope="module")
def edge(module_directory, site, workers):
    """One edge in front of all of them: /aiohttp/… goes to aiohttp, and so on."""
    pools = {kind: [worker.path] for kind, worker in workers.items()}
    routes = [open_route(kind, kind, f"/{kind}", max_message="4MiB") for kind in KINDS]
    with Edge(module_directory, site, configuration(module_directory, site, pools, routes)) as running:
        yield running


@pytest.fixture
def connect(edge):
    """Opens a WebSocket with one of the clients; gives it and its path."""

    async def open_one(client, kind, **options):
        path = f"/{kind}/{next(unique)}"
        return await client().open(edge.wss + path, edge.site.client_context(), **options), path

    return open_one


every_pair = pytest.mark.parametrize(
    "client,kind", list(itertools.product(CLIENTS, KINDS)), ids=lambda value: getattr(value, "name", value))


# WebSocket


@every_pair
async def test_text_and_binary_come_back_as_they_were(connect, client, kind):
    socket, _ = await connect(client, kind)
    for message in ["hello", "", "грёзы 🌊", b"", bytes(range(256)), "x" * 125, "x" * 126, b"y" * 65535, b"y" * 65536]:
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
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
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
    assert seen == [(code, reason)]


@every_pair
@pytest.mark.parametrize("code,reason", [(1000, "done"), (4001, "you had enough")])
async def test_a_workers_close_reaches_the_client_unchanged(connect, client, kind, code, reason):
    socket, _ = await connect(client, kind)
    await socket.send(f"!close {code} {reason}")
    assert await socket.closed() == (code, reason)


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


# Plain HTTP beside it


@pytest.fixture
def http(edge):
    """Makes a session of aiohttp's client."""
    return lambda: aiohttp.ClientSession(
        edge.https, connector=aiohttp.TCPConnector(ssl=edge.site.client_context()),
        timeout=aiohttp.ClientTimeout(total=30))


@pytest.mark.parametrize("kind", KINDS)
async def test_get_passes(http, kind):
    async with http() as session, session.get(f"/{kind}/hello") as response:
        assert (response.status, await response.text()) == (200, "hello")
        assert response.headers["X-Request-ID"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_workers_404_passes_as_it_is(http, kind):
    async with http() as session, session.get(f"/{kind}/nowhere") as response:
        assert response.status == 404
        assert "X-Content-Type-Options" not in response.headers


@pytest.mark.parametrize("kind", WITH_BODIES)
async def test_ten_megabytes_go_up_and_come_back(http, kind):
    body = os.urandom(10_000_000)
    async with http() as session, session.post(f"/{kind}/echo", data=body) as response:
        assert response.status == 200
        assert await response.read() == body


@pytest.mark.parametrize("kind", WITH_BODIES)
async def test_a_chunked_upload_passes(http, kind):
    async def parts():
        for number in range(200):
            yield bytes([number]) * (number * 37)

    expected = b"".join([part async for part in parts()])
    async with http() as session, session.post(f"/{kind}/echo", data=parts()) as response:
        assert await response.read() == expected


@pytest.mark.parametrize("kind", WITH_BODIES)
async def test_head_has_no_body_and_the_length_of_get(http, kind):
    async with http() as session, session.head(f"/{kind}/hello") as response:
        assert (response.status, await response.read()) == (200, b"")
    async with http() as session, session.get(f"/{kind}/hello") as response:
        assert await response.read() == b"hello"


@pytest.mark.parametrize("kind", WITH_BODIES)
async def test_a_server_sent_event_arrives_at_once(http, kind):
    async with http() as session, session.get(f"/{kind}/events") as response:
        assert response.content_type == "text/event-stream"
        assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 2) == b"data: first\n\n"


@pytest.mark.parametrize("kind", WITH_BODIES)
async def test_expect_100_continue_is_answered_before_the_body_goes(http, kind):
    async with http() as session, session.post(f"/{kind}/echo", data=b"body", expect100=True) as response:
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
async def test_the_worker_learns_who_came_and_how(connect, edge, kind):
    socket, _ = await connect(WebsocketsClient, kind)
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
