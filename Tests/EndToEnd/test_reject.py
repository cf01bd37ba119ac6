"""How a refused upgrade is told: by a status, or by a close code that a page script can read."""

import asyncio

import pytest
import websockets.asyncio.client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from edge import open_route
from frames import FrameStream, upgrade_request
from test_demo import Window
from waiting import eventually, patient
from ways import both_ways
from workers import accept_upgrade

ORIGIN = "https://chat.example.test"
CLOSE_ALL = {"origin": "close", "auth": "close", "rate": "close", "banned": "close"}


def guarded(**more):
    return {"name": "chat", "match": {"path": "/ws"}, "pool": "main", "auth": "main", "origins": "*"} | more


@pytest.fixture
def knock(way):
    """Asks for a WebSocket; gives its stream and the answer."""

    def knock(edge, *fields, target="/ws", listener="secure"):
        stream = way.ask(edge, target, fields, listener)
        return stream, stream.response()

    return knock


def bearer(token):
    return ("Authorization", f"Bearer {token}")


@both_ways
@pytest.mark.parametrize("offered, chosen", [
    ([], None), (["chat.v1"], "chat.v1"), (["other", "chat.v2", "chat.v1"], "chat.v2"), (["other", "more"], "other"),
    (["bearer.abc", "other"], "other"), (["bearer.abc", "chat.v1"], "chat.v1")])
def test_a_refusal_by_close_accepts_with_a_subprotocol_that_a_browser_takes(start_edge, raw_worker, way, knock, offered, chosen):
    edge = start_edge({"main": [raw_worker.path]}, [guarded(reject=CLOSE_ALL, subprotocols=["chat.v1", "chat.v2"])])
    fields = [("Sec-WebSocket-Protocol", ", ".join(offered))] if offered else []
    stream, response = knock(edge, *fields)
    assert (response.status, response["Sec-WebSocket-Protocol"]) == (way.accepted, chosen)
    assert stream.close_frame() == (4401, "token_missing")
    stream.send_close(4401)
    assert stream.is_ended()
    assert raw_worker.accepted == 0
    assert edge.metric("sluice_handshakes_total", result="token_missing") == 1
    assert edge.metric("sluice_connections_opened_total") == 0


@both_ways
def test_who_offers_only_tokens_is_answered_by_http(start_edge, raw_worker, knock):
    edge = start_edge({"main": [raw_worker.path]}, [guarded(reject=CLOSE_ALL)])
    _, response = knock(edge, ("Sec-WebSocket-Protocol", "bearer.abc"))
    assert (response.status, response.word) == (401, "token_missing")


@both_ways
def test_each_kind_of_refusal_has_its_own_switch(start_edge, raw_worker, way, knock):
    routes = [
        guarded(name="origin", match={"path": "/origin"}, origins=[ORIGIN], reject={"origin": "close"}),
        guarded(name="auth", match={"path": "/auth"}, origins=[ORIGIN], reject={"auth": "close"})]
    edge = start_edge({"main": [raw_worker.path]}, routes)
    origin = ("Origin", ORIGIN)
    assert knock(edge, target="/auth")[1].status == 403
    assert knock(edge, origin, target="/origin")[1].status == 401
    stream, response = knock(edge, target="/origin")
    assert (response.status, stream.close_frame()) == (way.accepted, (1008, "origin_denied"))
    stream, response = knock(edge, origin, bearer("x.y.z"), target="/auth")
    assert (response.status, stream.close_frame()) == (way.accepted, (4401, "token_invalid"))


def test_a_plain_request_and_a_broken_handshake_are_answered_by_http(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]}, [guarded(reject=CLOSE_ALL)])
    stream = closing(FrameStream(edge.connect()))
    stream.send(b"GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert stream.response().status == 401
    stream.send(upgrade_request("/ws", version="12"))
    assert stream.response().status == 426


@both_ways
def test_an_address_with_too_many_connections_reads_when_to_come_back(start_edge, raw_worker, way, knock):
    edge = start_edge({"main": [raw_worker.path]}, [open_route(reject=CLOSE_ALL)], limits={"per_ip": {"connections": 1}})
    first = way.ask(edge, listener="plain")
    accept_upgrade(raw_worker.next())
    assert first.response().status == way.accepted
    stream, response = knock(edge, listener="plain")
    assert response.status == way.accepted
    code, reason = stream.close_frame()
    assert code == 4429 and reason.startswith("ip_limit;retry_after="), reason


@both_ways
def test_who_does_not_answer_the_close_is_let_go(start_edge, raw_worker, knock):
    edge = start_edge({"main": [raw_worker.path]}, [guarded(reject=CLOSE_ALL)], timeouts={"close": "300ms"})
    stream, _ = knock(edge)
    assert stream.close_frame() == (4401, "token_missing")
    assert stream.is_ended()


async def told(url, site, **options):
    """What the library `websockets` makes of an attempt: a status, or a close code and reason."""
    try:
        async with websockets.asyncio.client.connect(
                url, ssl=site.client_context(), open_timeout=patient(10), proxy=None, **options) as socket:
            await asyncio.wait_for(socket.recv(), patient(10))
    except InvalidStatus as refusal:
        return refusal.response.status_code
    except ConnectionClosed as closed:
        return closed.rcvd.code, closed.rcvd.reason


@pytest.fixture
def refusing(start_edge, raw_worker, site):
    """An edge whose paths refuse for one reason each: below /http by status, below /close by close code."""
    routes = []
    for style in ("http", "close"):
        reject = dict.fromkeys(CLOSE_ALL, style)
        routes += [
            guarded(name=f"{style}-origin", match={"path": f"/{style}/origin"}, origins=[ORIGIN], reject=reject),
            guarded(name=f"{style}-missing", match={"path": f"/{style}/missing"}, reject=reject),
            guarded(name=f"{style}-token", match={"path": f"/{style}/token"}, auth="query", reject=reject)]
    auth = {
        "issuer": "https://id.example.test/", "audience": ["chat"], "algorithms": ["ES256"], "keys": {"file": str(site.jwks)},
        "leeway": "0s"}
    return start_edge(
        {"main": [raw_worker.path]}, routes,
        auth={"main": auth, "query": auth | {"token_from": ["query:token"]}}, rules=[{"ban": {"user": "mallory"}}],
        limits={"exempt": ["127.0.0.0/8"], "handshakes": {"rate": "10000/s"}, "per_user": {"connections": 1}})


@pytest.fixture
def carol(refusing, raw_worker, site, closing):
    """A user who has as many connections as a user may have."""
    stream = closing(FrameStream(refusing.connect()))
    stream.send(upgrade_request(f"/http/token?token={site.token('carol')}"))
    accept_upgrade(raw_worker.next())
    assert stream.response().status == 101
    return "carol"


def attempts(site):
    """Path, what a close code tells, and the status, for each reason."""
    expired = site.token(exp=1_000_000_000, iat=999_999_000)
    return [
        ("origin", (1008, "origin_denied"), 403), ("missing", (4401, "token_missing"), 401),
        ("token?token=a.b.c", (4401, "token_invalid"), 401), (f"token?token={expired}", (4401, "token_expired"), 401),
        (f"token?token={site.token('carol')}", (4429, "user_limit"), 429),
        (f"token?token={site.token('mallory')}", (4403, "banned"), 403)]


def word(reason):
    return reason.partition(";")[0]


async def test_the_library_websockets_reads_each_refusal(refusing, site, carol):
    for path, by_close, by_http in attempts(site):
        code, reason = await told(f"{refusing.wss}/close/{path}", site)
        assert (code, word(reason)) == by_close
        assert await told(f"{refusing.wss}/http/{path}", site) == by_http


SCRIPT = """
const done = arguments[arguments.length - 1];
const socket = new WebSocket(arguments[0], arguments[1]);
socket.onclose = (event) => done([event.code, event.reason, event.wasClean]);
"""


def test_a_page_script_in_chromium_reads_each_refusal_by_close_and_none_by_http(refusing, site, directory, closing, carol):
    window = closing(Window(f"{refusing.https}/no-route", "reader", directory))
    window.driver.set_script_timeout(patient(15))
    for path, (code, reason), _ in attempts(site):
        for subprotocols in ([], ["bearer.x", "chat"]):
            url = f"{refusing.wss}/close/{path}"
            told = window.driver.execute_async_script(SCRIPT, url, subprotocols)
            assert [told[0], word(told[1]), told[2]] == [code, reason, True], path
        assert window.driver.execute_async_script(SCRIPT, f"{refusing.wss}/http/{path}", [])[:2] == [1006, ""], path


@pytest.mark.parametrize("limits, by_close, by_http", [
    ({"per_ip": {"connections": 6}}, (4429, "ip_limit"), 429), ({"max_connections": 6}, (1013, "edge_limit"), 503)])
async def test_who_meets_a_full_limit_reads_it_with_websockets_and_in_chromium(
        start_edge, echo_worker, site, directory, closing, knock, limits, by_close, by_http):
    routes = [
        open_route(name=style, path=f"/{style}", reject=dict.fromkeys(CLOSE_ALL, style)) for style in ("http", "close")]
    edge = start_edge({"main": [echo_worker.path]}, routes, limits={"handshakes": {"rate": "10000/s"}} | limits)
    window = closing(Window(f"{edge.https}/no-route", "reader", directory))
    window.driver.execute_script("window.first = new WebSocket(arguments[0])", f"{edge.wss}/http")  # On the page's own connection.
    eventually(lambda: edge.connections())
    statuses = [knock(edge, target="/http")[1].status for _ in range(7)]
    assert statuses[0] == 101 and statuses[-1] == by_http, statuses
    window.driver.set_script_timeout(patient(15))
    for code, reason in (
            await told(f"{edge.wss}/close", site), window.driver.execute_async_script(SCRIPT, f"{edge.wss}/close", [])[:2]):
        assert (code, word(reason)) == by_close and reason.partition(";")[2].startswith("retry_after=")
    assert await told(f"{edge.wss}/http", site) == by_http
    assert window.driver.execute_async_script(SCRIPT, f"{edge.wss}/http", [])[:2] == [1006, ""]
