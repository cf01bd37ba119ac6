"""Which worker a client meets: the same one again, by a cookie or by what it has in common with others."""

import asyncio
import collections
import contextlib
import json

import aiohttp
import pytest
import socketio

from edge import open_route
from frames import TEXT, FrameStream, upgrade_request
from streams import Multiplexed
from waiting import eventually, patient
from workers import ForeignWorker

SECRET = b"a secret of more than thirty-two bytes"


@pytest.fixture
def start_workers(directory, closing):
    """Starts workers of a kind, whose sockets tell their number."""

    def start(count, kind="node"):
        workers = [closing(ForeignWorker(kind, directory, f"w{number}")) for number in range(count)]
        for worker in workers:
            worker.wait_until_ready()
        return workers

    return start


@pytest.fixture
def balanced(start_edge, start_workers, directory):
    """Starts an edge with a pool of workers under a balance."""

    def start(balance, count=3, kind="node", route=None, pool=None, **sections):
        start_workers(count, kind)
        pool = {"workers": [f"{directory}/w*.sock"], "balance": balance} | (pool or {})
        return start_edge({"main": pool}, [route or open_route()], **sections)

    return start


def ask(edge, closing, target="/hello", fields=(), listener="plain"):
    """One plain request, and what came back."""
    stream = closing(FrameStream(edge.connect(listener)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    stream.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
    return stream.response()


def worker_of(edge, closing, target="/ws", fields=()):
    """The worker that a new WebSocket meets."""
    stream = closing(FrameStream(edge.connect("plain")))
    stream.send(upgrade_request(target, fields))
    response = stream.response()
    assert response.status == 101
    newest = edge.connections(sort="opened", order="desc", limit=1)[0]
    return newest["worker"], response


def cookie_of(response):
    name, _, rest = response["Set-Cookie"].partition("=")
    value, *attributes = rest.split("; ")
    return f"{name}={value}", attributes


def test_a_cookie_keeps_a_client_with_its_worker(balanced, closing):
    edge = balanced("cookie")
    first, response = worker_of(edge, closing)
    cookie, attributes = cookie_of(response)
    assert cookie.startswith("sluice-main=") and attributes == ["Path=/", "HttpOnly", "SameSite=Lax"]
    for _ in range(6):
        again, response = worker_of(edge, closing, fields=[("Cookie", f"a=b; {cookie}")])
        assert again == first and response["Set-Cookie"] is None
    others = {worker_of(edge, closing)[0] for _ in range(6)}
    assert len(others) == 2 and first not in others


def test_the_cookie_is_secure_over_tls_and_the_worker_never_sees_it(balanced, closing):
    edge = balanced("cookie")
    cookie, attributes = cookie_of(ask(edge, closing, listener="secure"))
    assert "Secure" in attributes
    response = ask(edge, closing, "/headers", [("Cookie", f"{cookie}; session=1")], "secure")
    assert [value for name, value in json.loads(response.body) if name == "cookie"] == ["session=1"]


@pytest.mark.parametrize("cookie", [
    "sluice-main=", "sluice-main=AAAAAAAAAAAAAAAAAAAAAA", "sluice-main=%2Fetc%2Fpasswd", "sluice-main=" + "A" * 3000,
    "sluice-main=x; sluice-main=y"])
def test_a_cookie_that_names_no_worker_is_replaced(balanced, closing, cookie):
    edge = balanced("cookie")
    _, response = worker_of(edge, closing, fields=[("Cookie", cookie)])
    assert response["Set-Cookie"].startswith("sluice-main=")


def test_a_client_whose_worker_is_gone_gets_another_and_its_cookie(balanced, directory, closing):
    edge = balanced("cookie")
    first, response = worker_of(edge, closing)
    cookie, _ = cookie_of(response)
    (directory / first.rpartition("/")[2]).unlink()
    again, response = worker_of(edge, closing, fields=[("Cookie", cookie)])
    assert again != first and cookie_of(response)[0] != cookie


def test_edges_with_one_secret_understand_each_other(start_edge, start_workers, directory, closing):
    start_workers(3)
    (directory / "secret").write_bytes(SECRET)
    pool = {"workers": [f"{directory}/w*.sock"], "balance": "cookie", "cookie_secret_file": str(directory / "secret")}
    first = start_edge({"main": pool}, [open_route()])
    place, response = worker_of(first, closing)
    cookie, _ = cookie_of(response)
    first.close()
    second = start_edge({"main": pool}, [open_route()])
    for _ in range(4):
        assert worker_of(second, closing, fields=[("Cookie", cookie)])[0] == place


def test_a_secret_that_is_too_short_is_refused(balanced, directory):
    (directory / "secret").write_bytes(SECRET[:31])
    with pytest.raises(AssertionError, match="31 bytes; expected at least 32"):
        balanced("cookie", pool={"cookie_secret_file": str(directory / "secret")})


def test_a_key_in_the_query_decides_and_who_has_none_goes_where_there_is_room(balanced, closing):
    edge = balanced("hash:query:room")
    places = collections.defaultdict(set)
    for room in range(48):  # sockets have other paths in every run, and all rooms fall to two of three once in 10^8
        for _ in range(2):
            places[room].add(worker_of(edge, closing, f"/ws?a=1&room={room}")[0])
    assert all(len(found) == 1 for found in places.values())
    assert len(set.union(*places.values())) == 3
    before = collections.Counter(connection["worker"] for connection in edge.connections(limit=1000))
    for _ in range(len(before) * max(before.values()) - sum(before.values())):
        worker_of(edge, closing)
    counts = collections.Counter(connection["worker"] for connection in edge.connections(limit=1000))
    assert max(counts.values()) - min(counts.values()) <= 1, counts


def test_a_user_meets_one_worker_from_wherever(balanced, site, closing):
    route = {"name": "chat", "match": {"path": "/"}, "pool": "main", "auth": "main", "origins": "*"}
    edge = balanced("hash:user", route=route)
    places = {}
    for user in [f"user-{number}" for number in range(24)] * 2:
        place, _ = worker_of(edge, closing, fields=[("Authorization", f"Bearer {site.token(user)}")])
        assert places.setdefault(user, place) == place
    assert len(set(places.values())) > 1


def test_an_address_meets_one_worker(balanced, closing):
    edge = balanced("hash:ip")
    found = set()
    for number in range(1, 25):
        for _ in range(2):
            stream = closing(FrameStream(edge.connect("plain", source=f"127.0.0.{number}")))
            stream.send(upgrade_request())
            assert stream.response().status == 101
        places = {item["worker"] for item in edge.connections(ip=f"127.0.0.{number}")}
        assert len(places) == 1
        found |= places
    assert len(found) > 1


def test_when_a_worker_goes_only_its_own_keys_move(balanced, directory, closing):
    edge = balanced("hash:query:room")
    rooms = range(16)
    before = {room: worker_of(edge, closing, f"/ws?room={room}")[0] for room in rooms}
    gone = f"{directory}/w1.sock"
    (directory / "w1.sock").unlink()
    eventually(lambda: all(worker["path"] != gone or not worker["up"] for worker in json.loads(
        edge.admin("GET", "/api/v1/workers")[1])["workers"]))
    for room in rooms:
        place = worker_of(edge, closing, f"/ws?room={room}")[0]
        assert place != gone and (place == before[room] or before[room] == gone)


async def test_clients_of_socket_io_start_as_they_always_do_over_two_workers(balanced, site):
    edge = balanced("cookie", count=2, kind="socketio")
    names = []
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(6):
            session = await stack.enter_async_context(
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=site.client_context())))
            client = socketio.AsyncClient(http_session=session, reconnection=False)
            stack.push_async_callback(client.disconnect)
            said = asyncio.get_running_loop().create_future()
            client.on("said", said.set_result)
            await client.connect(edge.https, transports=["polling", "websocket"], wait_timeout=patient(10))
            names.append(await client.call("name", timeout=patient(10)))
            assert await client.call("say", "hello", timeout=patient(10)) == 5
            assert await asyncio.wait_for(said, patient(10)) == "hello"
            assert client.transport() == "websocket"
    assert sorted(collections.Counter(names).values()) == [3, 3]


def test_socket_io_polls_and_upgrades_on_one_connection_of_http_2_over_two_workers(balanced, closing):
    edge = balanced("cookie", count=2, kind="socketio")
    origin = ("origin", "https://localhost")
    for _ in range(4):
        connection = closing(Multiplexed(edge.connect(protocols=["h2"])))
        start = connection.request("/socket.io/?EIO=4&transport=polling", fields=[origin]).response()
        session = json.loads(start.body[1:])["sid"]
        fields = [origin, ("cookie", cookie_of(start)[0])]
        target = f"/socket.io/?EIO=4&transport=polling&sid={session}"
        sized = [*fields, ("content-length", "2")]  # which browsers always send, and without which Engine.IO reads nothing
        assert connection.request(target, "POST", sized, b"40").response().body == b"OK"
        assert connection.request(target, fields=fields).response().body.startswith(b'40{"sid":')
        client, _ = connection.open_websocket(target.replace("polling", "websocket"), fields)
        client.send_frame(TEXT, b"2probe")
        assert client.frame().payload == b"3probe"
        client.send_frame(TEXT, b"5")
        client.send_frame(TEXT, b'420["say","hello"]')
        assert {client.frame().payload for _ in range(3)} == {b"6", b'42["said","hello"]', b"430[5]"}
    assert len({one["worker"] for one in edge.connections(limit=4)}) == 2


@pytest.mark.parametrize("balance, status", [("cookie", 200), ("round_robin", 400)])
def test_without_the_cookie_a_session_of_socket_io_meets_a_worker_that_does_not_know_it(balanced, closing, balance, status):
    edge = balanced(balance, count=2, kind="socketio")
    for _ in range(3):
        start = ask(edge, closing, "/socket.io/?EIO=4&transport=polling")
        session = json.loads(start.body[1:])["sid"]
        cookie = [("Cookie", cookie_of(start)[0])] if balance == "cookie" else []
        stream = closing(FrameStream(edge.connect("plain")))
        body = "".join(f"{name}: {value}\r\n" for name, value in cookie)
        stream.send((f"POST /socket.io/?EIO=4&transport=polling&sid={session} HTTP/1.1\r\nHost: localhost\r\n{body}"
                     "Content-Length: 2\r\n\r\n40").encode())
        assert stream.response().status == status
