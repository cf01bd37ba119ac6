"""Who may come in, what the worker is told of them, and what an operator sees and does."""

import asyncio
import itertools
import json
import time
import urllib.parse

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from clients import CLIENTS, AiohttpClient, WebsocketsClient
from edge import Edge, configuration, open_route
from frames import TEXT, FrameStream, upgrade_request
from rawhttp import ByteStream, request
from tokens import AUDIENCE, ISSUER, symmetric_token, unsigned_token
from waiting import eventually, slow
from workers import ForeignWorker, RawWorker, accept_upgrade

ORIGIN = "https://chat.example.test"


@pytest.fixture(scope="module")
def worker(module_directory):
    started = ForeignWorker("aiohttp", module_directory)
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.close()


@pytest.fixture(scope="module")
def edge(module_directory, site, worker):
    """A route that asks for Origin and token, one for one host, and one that is open."""
    routes = [
        {
            "name": "chat", "match": {"path": "/ws"}, "pool": "main", "auth": "main",
            "origins": [ORIGIN, "https://*.example.org"],
            "headers": {"set": {"X-Sluice-User": "{claim.sub}"}},
        },
        open_route(name="open", path="/open"),
        open_route(name="host", path="/host") | {"match": {"host": "chat.example.test", "path": "/host"}},
    ]
    document = configuration(module_directory, site, {"main": [worker.path]}, routes)
    with Edge(module_directory, site, document) as running:
        yield running


@pytest.fixture
def knock(edge, closing):
    """Sends an opening handshake with these fields; gives the answer."""

    def knock(*fields, target="/ws", host="localhost", listener="secure"):
        stream = closing(FrameStream(edge.connect(listener)))
        stream.send(upgrade_request(target, fields, host=host))
        response = stream.response()
        response.stream = stream
        return response

    return knock


def bearer(token):
    return ("Authorization", f"Bearer {token}")


# Origin


@pytest.mark.parametrize("origin", [ORIGIN, "https://a.example.org", "https://a.b.example.org", "HTTPS://chat.example.TEST:443"])
def test_a_listed_origin_may_connect(knock, site, origin):
    assert knock(("Origin", origin), bearer(site.token())).status == 101


@pytest.mark.parametrize("origin", [
    "https://evil.test", "http://chat.example.test", "https://chat.example.test:8443", "https://example.org",
    "https://chat.example.test.evil.test", "https://evilexample.org", "null", "", "chat.example.test",
    "https://chat.example.test/", "https://chat.example.test, https://evil.test", "https://user@chat.example.test"])
def test_any_other_origin_is_refused_with_403(knock, site, origin):
    response = knock(("Origin", origin), bearer(site.token()))
    assert (response.status, response.word) == (403, "origin_denied")


def test_a_missing_origin_is_refused_where_origins_are_listed(knock, site):
    assert knock(bearer(site.token())).status == 403


def test_two_origins_are_refused(knock, site):
    assert knock(("Origin", ORIGIN), ("Origin", ORIGIN), bearer(site.token())).status in (400, 403)


# Token


def bad_tokens(site):
    """Names and tokens; each must be refused, and never be seen in a log."""
    now = int(time.time())
    other = ec.generate_private_key(ec.SECP256R1())
    claims = {"sub": "alice", "iss": ISSUER, "aud": AUDIENCE, "exp": now + 3600}
    good = site.token()
    head, payload, signature = good.split(".")
    return {
        "garbage": "garbage-that-is-no-token",
        "two parts": f"{head}.{payload}",
        "alg none": unsigned_token(),
        "alg none with a signature": f"{unsigned_token()}{signature}",
        "another key": jwt.encode(claims, other, algorithm="ES256", headers={"kid": "key-1"}),
        "an unknown kid": jwt.encode(claims, other, algorithm="ES256", headers={"kid": "key-2"}),
        "HS256 with the public key": symmetric_token(claims, site.public_pem),
        "changed payload": f"{head}.{payload[:-2]}{'AA' if payload[-2:] != 'AA' else 'BB'}.{signature}",
        "changed signature": f"{head}.{payload}.{'A' * len(signature)}",
        "expired": site.token(exp=now - 60),
        "not yet valid": site.token(nbf=now + 3600),
        "without expiry": site.token(exp=None),
        "another audience": site.token(aud="billing"),
        "without audience": site.token(aud=None),
        "another issuer": site.token(iss="https://evil.test/"),
        "without subject": site.token(sub=None),
        "a subject of another type": jwt.api_jws.encode(
            json.dumps(claims | {"sub": 7}).encode(), site.signing_key, algorithm="ES256", headers={"kid": "key-1"}),
    }


def test_a_valid_token_opens_the_door(knock, site):
    assert knock(("Origin", ORIGIN), bearer(site.token())).status == 101


def test_a_token_may_come_as_cookie(knock, site):
    response = knock(("Origin", ORIGIN), ("Cookie", f"theme=dark; session={site.token()}"))
    assert response.status == 101


def test_a_missing_token_is_refused_with_401(knock):
    response = knock(("Origin", ORIGIN))
    assert (response.status, response.word) == (401, "token_missing")
    assert response["WWW-Authenticate"] == "Bearer"


def test_every_bad_token_is_refused_with_401(knock, site):
    answers = {}
    for name, token in bad_tokens(site).items():
        response = knock(("Origin", ORIGIN), bearer(token))
        answers[name] = (response.status, response.word)
    expected = {name: (401, "token_expired" if name == "expired" else "token_invalid") for name in answers}
    assert answers == expected


def test_two_tokens_are_refused(knock, site):
    assert knock(("Origin", ORIGIN), bearer(site.token()), bearer(site.token())).status == 401


def test_no_token_and_no_query_is_ever_in_a_log(knock, edge, site):
    tokens = list(bad_tokens(site).values()) + [site.token()]
    for token in tokens:
        knock(("Origin", ORIGIN), bearer(token), target=f"/ws?access_token={token}&secret=query-secret")
        knock(("Origin", ORIGIN), ("Cookie", f"session={token}; other=cookie-secret"))
    eventually(lambda: edge.events("connection.denied"))
    written = edge.child.errors + edge.child.output
    for secret in [*tokens, "query-secret", "cookie-secret"]:
        assert secret not in written
        assert all(part not in written for part in secret.split(".") if len(part) > 20)


def test_the_worker_does_not_see_the_token(knock, site):
    token = site.token()
    for carrier in [bearer(token), ("Cookie", f"theme=dark; session={token}")]:
        response = knock(("Origin", ORIGIN), carrier)
        response.stream.send_frame(TEXT, b"!headers")
        fields = json.loads(response.stream.frame().payload)
        assert token not in json.dumps(fields)
        assert [value for name, value in fields if name == "cookie"] in ([], ["theme=dark"])


# Identity


@pytest.mark.parametrize("spoof", [
    [("X-Sluice-User", "admin")], [("x-sluice-user", "admin")], [("X_Sluice_User", "admin")], [("x_sluice-user", "admin")],
    [("X-Sluice-User", "admin"), ("Connection", "X-Sluice-User")],
    [("Connection", "keep-alive, X-Sluice-User, x-forwarded-for, X-Real-IP")],
], ids=str)
def test_the_worker_gets_the_verified_user_whatever_the_client_claims(knock, site, spoof):
    response = knock(("Origin", ORIGIN), bearer(site.token("bob")), *spoof)
    assert response.status == 101
    response.stream.send_frame(TEXT, b"!headers")
    fields = json.loads(response.stream.frame().payload)
    assert [value for name, value in fields if name.replace("_", "-") == "x-sluice-user"] == ["bob"]
    assert [value for name, value in fields if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert [value for name, value in fields if name == "x-real-ip"] == ["127.0.0.1"]


@pytest.mark.parametrize("name", ["X-Sluice-User", "x-sluice-user", "X_SLUICE_USER"])
def test_identity_cannot_be_claimed_on_an_open_route_either(edge, closing, name):
    stream = closing(ByteStream(edge.connect()))
    stream.send(request("/open/headers", fields=[(name, "admin")]))
    fields = json.loads(stream.response().body)
    assert "x-sluice-user" not in [name.replace("_", "-") for name, _ in fields]


def test_forwarding_fields_of_a_client_are_not_believed(edge, closing):
    stream = closing(ByteStream(edge.connect("plain")))
    spoof = [
        ("X-Forwarded-For", "6.6.6.6"), ("X_Forwarded_For", "6.6.6.6"), ("X-Real-IP", "6.6.6.6"), ("Forwarded", "for=6.6.6.6"),
        ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.test"), ("X-Forwarded-Port", "666"),
        ("X-Forwarded-Prefix", "/666"), ("X-Original-URL", "/666"), ("X-Rewrite-URL", "/666")]
    stream.send(request("/open/headers", fields=spoof))
    fields = dict(json.loads(stream.response().body))
    # These two are random, and may well hold the marks.
    del fields["x-request-id"], fields["traceparent"]
    text = json.dumps(fields)
    assert "6.6.6.6" not in text and "evil.test" not in text and "666" not in text
    assert fields["x-forwarded-proto"] == "http"


# Routes


@pytest.mark.parametrize("target", ["/", "/other", "/wsx", "/WS", "/open2"])
def test_an_unknown_path_is_404(knock, target):
    response = knock(("Origin", ORIGIN), target=target)
    assert (response.status, response.word) == (404, "no_route")


@pytest.mark.parametrize("host,status", [
    ("chat.example.test", 200), ("CHAT.Example.TEST:8443", 200), ("chat.example.test.", 200), ("localhost", 404),
    ("evil.chat.example.test", 404)])
def test_a_route_of_one_host_serves_no_other(edge, closing, host, status):
    stream = closing(ByteStream(edge.connect()))
    stream.send(request("/host/hello", host=host))
    assert stream.response().status == status


# Cap


def test_the_cap_of_an_address_is_429_and_released_on_close(start_edge, directory, closing):
    worker = closing(RawWorker(directory / "worker.sock"))
    edge = start_edge({"main": [worker.path]}, limits={"per_ip": {"connections": 3}})

    def open_one():
        stream = closing(FrameStream(edge.connect()))
        stream.send(upgrade_request())
        return stream

    held = [open_one() for _ in range(3)]
    for stream in held:
        accept_upgrade(worker.next())
        assert stream.response().status == 101
    refused = open_one().response()
    assert (refused.status, refused.word) == (429, "ip_limit")
    assert refused["Retry-After"] and refused["Connection"] == "close"
    assert worker.accepted == 3
    held[0].close()
    eventually(lambda: edge.metric("sluice_connections") == 2)
    newcomer = open_one()
    accept_upgrade(worker.next())
    assert newcomer.response().status == 101


# The operator


async def open_for(edge, client, user):
    return await client().open(
        edge.wss + "/ws", edge.site.client_context(), origin=ORIGIN, headers={"Authorization": f"Bearer {edge.site.token(user)}"})


async def test_the_counters_equal_what_the_clients_counted(start_edge, worker, site):
    edge = start_edge({"main": [worker.path]})
    url = edge.wss + "/counted"
    texts = ["x" * size for size in (0, 1, 125, 126, 70_000)]
    blobs = [bytes(size) for size in (0, 10, 65_536)]
    count = 6
    sockets = [await client().open(url, site.client_context()) for client, _ in zip(itertools.cycle(CLIENTS), range(count))]
    assert edge.metric("sluice_connections") == count
    for socket in sockets:
        for message in texts + blobs:
            await socket.send(message)
            assert await socket.receive() == message
    for socket in sockets[1:]:
        await socket.close(1000)
    await sockets[0].close(4001, "other")
    await asyncio.to_thread(eventually, lambda: edge.metric("sluice_connections") == 0)
    payload = sum(map(len, texts + blobs)) * count
    for direction in ("received", "sent"):
        assert edge.metric("sluice_messages_total", direction=direction, type="text") == len(texts) * count
        assert edge.metric("sluice_messages_total", direction=direction, type="binary") == len(blobs) * count
        assert edge.metric("sluice_message_bytes_total", direction=direction) == payload
    assert edge.metric("sluice_connections_opened_total") == count
    assert edge.metric("sluice_connections_closed_total", initiator="client", code="1000") == count - 1
    assert edge.metric("sluice_connections_closed_total", initiator="client", code="other") == 1
    assert edge.metric("sluice_connections_closed_total") == count
    assert edge.metric("sluice_handshakes_total", route="open", result="accepted") == count
    assert edge.metric("sluice_tls_handshakes_total", result="ok") == count
    await asyncio.to_thread(eventually, lambda: len(edge.events("connection.closed")) == count)
    closed = edge.events("connection.closed")
    assert sum(line["messages_in"] for line in closed) == (len(texts) + len(blobs)) * count
    assert sum(line["bytes_out"] for line in closed) == payload


async def test_an_operator_lists_and_kicks(edge):
    sockets = [await open_for(edge, client, user) for client, user in [(WebsocketsClient, "kim"), (AiohttpClient, "lee")]]
    listed = {line["user"]: line for line in edge.connections() if line["user"] in ("kim", "lee")}
    assert set(listed) == {"kim", "lee"}
    assert listed["kim"]["route"] == "chat" and listed["kim"]["origin"] == ORIGIN
    assert listed["kim"]["tls_version"] == "1.3" and listed["kim"]["client_address"] == "127.0.0.1"
    began = time.monotonic()
    status, body = edge.admin("DELETE", f"/api/v1/connections/{listed['kim']['id']}")
    assert status == 200, body
    assert await sockets[0].closed() == (4403, "kicked")
    assert time.monotonic() - began < slow(5)
    began = time.monotonic()
    status, _ = edge.admin(
        "DELETE", f"/api/v1/connections/{listed['lee']['id']}", {"code": 4009, "reason": "somebody_else"})
    assert status == 200
    assert await sockets[1].closed() == (4009, "somebody_else")
    assert time.monotonic() - began < slow(5)
    await asyncio.to_thread(eventually, lambda: not [line for line in edge.connections() if line["user"] in ("kim", "lee")])


def test_kicking_nobody_is_404(edge):
    for name in ["0001ffffffffffff", "7fff000000000001", "0", "..", "%2e%2e", "-1", "é"]:
        assert edge.admin("DELETE", f"/api/v1/connections/{urllib.parse.quote(name, safe='%')}")[0] == 404


def test_the_worker_of_a_kicked_client_gets_1001_with_the_edges_word(relayed):
    pair = relayed()
    client, upstream = pair.open()
    (line,) = pair.edge.connections()
    pair.edge.admin("DELETE", f"/api/v1/connections/{line['id']}")
    assert client.close_frame() == (4403, "kicked")
    assert upstream.close_frame() == (1001, "kicked")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_say_yes(edge, path):
    assert edge.admin("GET", path)[0] == 200


def test_only_delete_closes_a_connection(relayed):
    client, _ = (pair := relayed()).open()
    (line,) = pair.edge.connections()
    path = f"/api/v1/connections/{line['id']}"
    assert [pair.edge.admin(method, path)[0] for method in ("GET", "HEAD", "POST", "PUT")] == [200, 200, 405, 405]
    assert len(pair.edge.connections()) == 1


def test_denials_are_all_counted_and_one_a_second_is_logged_with_its_reason(start_edge, worker, site, closing):
    routes = [{"name": "chat", "match": {"path": "/ws"}, "pool": "main", "auth": "main", "origins": [ORIGIN]}]
    edge = start_edge({"main": [worker.path]}, routes)
    began = time.monotonic()
    for fields in [[], [("Origin", ORIGIN)], [("Origin", ORIGIN), bearer("x.y.z")]]:
        stream = closing(ByteStream(edge.connect()))
        stream.send(upgrade_request(fields=fields))
        stream.response()
    for result in ["origin_denied", "token_missing", "token_invalid"]:
        assert edge.metric("sluice_handshakes_total", route="chat", result=result) == 1
    line, *others = eventually(lambda: edge.events("connection.denied"))
    assert len(others) <= time.monotonic() - began
    assert line["outcome"] == "origin_denied" and line["http.response.status_code"] == 403
    assert line["url.path"] == "/ws" and line["client.address"] == "127.0.0.1"
