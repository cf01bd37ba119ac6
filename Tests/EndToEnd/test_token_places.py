"""Where a token may be in a request, and that it goes no further from any of these places."""

import signal

import pytest

from edge import open_route
from frames import FrameStream, upgrade_request
from providers import Key
from rawhttp import request
from tokens import AUDIENCE, ISSUER, unsigned_token
from waiting import eventually
from workers import accept_upgrade


@pytest.fixture
def places(relayed, site):
    """An edge that takes tokens from both places, and shows its worker's side of each handshake."""
    auth = {
        "main": {
            "issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["ES256"], "keys": {"file": str(site.jwks)},
            "token_from": ["subprotocol", "query:token"],
        }
    }

    def make(**route):
        return relayed([open_route(path="/ws") | {"auth": "main"} | route], auth=auth)

    return make


def handshake(relay, closing, target="/ws", fields=(), chosen=()):
    """Opens a WebSocket; gives the fields that the worker got, and the client's answer."""
    client = closing(FrameStream(relay.edge.connect()))
    client.send(upgrade_request(target, fields))
    upstream = relay.worker.next()
    received = accept_upgrade(upstream, [("Sec-WebSocket-Protocol", name) for name in chosen])
    return received, client.response()


@pytest.mark.parametrize("strip", [True, False])
def test_a_token_among_the_subprotocols_lets_in_and_goes_no_further(places, site, closing, strip):
    token = site.token()
    relay = places(headers={"strip_token": strip})
    offered = ("Sec-WebSocket-Protocol", f"chat.v1, bearer.{token}, chat.v2")
    received, response = handshake(relay, closing, fields=[offered], chosen=["chat.v1"])
    assert response.status == 101
    assert response.all("Sec-WebSocket-Protocol") == ["chat.v1"]
    assert [value for name, value in received if name.lower() == "sec-websocket-protocol"] == ["chat.v1, chat.v2"]
    assert token not in str(received)


def test_a_worker_cannot_choose_the_token_as_subprotocol(places, site, closing):
    token = site.token()
    relay = places()
    offered = ("Sec-WebSocket-Protocol", f"chat.v1, bearer.{token}")
    _, response = handshake(relay, closing, fields=[offered], chosen=[f"bearer.{token}"])
    assert response.status == 502
    assert token not in str(response)


@pytest.mark.parametrize("target, seen", [
    ("/ws?token=TOKEN", "/ws"), ("/ws?room=1&token=TOKEN&x=%2f", "/ws?room=1&x=%2f"), ("/ws?%74oken=TOKEN", "/ws"),
])
def test_a_token_in_the_query_lets_in_and_goes_no_further(places, site, closing, target, seen):
    token = site.token()
    relay = places()
    client = closing(FrameStream(relay.edge.connect()))
    client.send(upgrade_request(target.replace("TOKEN", token), []))
    line, fields = relay.worker.next().head()
    assert line == f"GET {seen} HTTP/1.1"
    assert token not in str(fields)
    assert token not in relay.edge.child.errors + relay.edge.child.output


def test_a_token_of_which_there_are_two_is_refused(places, site, closing):
    token = site.token()
    relay = places()
    for target, protocols in [(f"/ws?token={token}&token={token}", "chat.v1"), ("/ws", f"bearer.{token}, bearer.{token}x")]:
        client = closing(FrameStream(relay.edge.connect()))
        client.send(upgrade_request(target, [("Sec-WebSocket-Protocol", protocols)]))
        assert client.response().status == 401


def test_a_plain_request_may_bear_its_token_in_the_query(places, site, closing):
    token = site.token()
    relay = places()
    client = closing(FrameStream(relay.edge.connect()))
    client.send(request(f"/ws/history?token={token}&n=5"))
    line, _ = relay.worker.next().head()
    assert line == "GET /ws/history?n=5 HTTP/1.1"


# Where no token may ever be seen

FIELD_PLACES = {
    "header": lambda token: ("/ws", [("Authorization", f"Bearer {token}")]),
    "cookie": lambda token: ("/ws?room=1", [("Cookie", f"theme=dark; session={token}")]),
    "subprotocol": lambda token: ("/ws", [("Sec-WebSocket-Protocol", f"chat.v1, bearer.{token}")]),
    "query": lambda token: (f"/ws?token={token}&room=1", []),
}


@pytest.mark.parametrize("place", FIELD_PLACES)
def test_no_part_of_a_token_is_logged_counted_shown_or_passed_on(relayed, site, closing, directory, place):
    auth = {
        "main": {
            "issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["ES256"], "keys": {"file": str(site.jwks)},
            "token_from": ["header", "cookie:session", "subprotocol", "query:token"],
        }
    }
    relay = relayed(
        [open_route(path="/ws") | {"auth": "main", "headers": {"set": {"X-Sluice-User": "{claim.sub}"}}}], auth=auth,
        log={"level": "debug", "access": str(directory / "access.jsonl")},
        admin={"listen": [f"unix:{directory}/admin.sock"], "audit_log": str(directory / "audit.jsonl")})
    edge = relay.edge
    good, seen = site.token(), []

    def send(token, change=lambda text: text, make=upgrade_request, answered=True):
        """Sends a request with this token; gives its stream, after the answer unless a worker has to give it."""
        client = closing(FrameStream(edge.connect()))
        target, fields = FIELD_PLACES[place](token)
        client.send(change(make(target, fields=fields).decode()).encode())
        if answered:
            response = client.response()
            assert response.status >= 400, response
            seen.append(repr(response))
        return client

    # A WebSocket that opens, is listed, talks, and is closed by the operator; twice, so that the token is cached.
    for _ in range(2):
        client = send(good, answered=False)
        upstream = relay.worker.next()
        seen.append(repr(accept_upgrade(upstream, [("Sec-WebSocket-Protocol", "chat.v1")] if place == "subprotocol" else [])))
        response = client.response()
        assert response.status == 101
        seen.append(repr(response))
        opened, = edge.connections()
        seen.append(edge.admin("GET", f"/api/v1/connections/{opened['id']}")[1])
        seen.append(edge.admin("DELETE", f"/api/v1/connections/{opened['id']}", {})[1])
        client.close_frame()
        client.sock.close()
        eventually(lambda: not edge.connections())
    # A plain request that a worker answers, and one that its worker spoils.
    if place != "subprotocol":
        for answer, status in [(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200), (b"nonsense\r\n\r\n", 502)]:
            client = send(good, make=request, answered=False)
            upstream = relay.worker.next()
            seen.append(repr(upstream.head()))
            upstream.send(answer)
            response = client.response()
            assert response.status == status
            seen.append(repr(response))
            upstream.sock.close()
    # Tokens that are refused, and requests that are refused before anybody looks at their token.
    bad = [
        site.token(exp=1), site.token(aud="other"), good[:-4], good + "x", good + "A" * 8192, good.replace(".", "%2E"),
        f"{good}.{good}", Key("stranger").token(), unsigned_token()]
    for token in bad:
        send(token)
    send(good, lambda text: text.replace("GET /ws", "GET /nowhere"))
    send(good, lambda text: text.replace("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12"))
    send(good, lambda text: text.replace("\r\nHost", "\nHost"))
    send(good, lambda text: text.replace("Host: localhost", "Host: localhost\r\nHost: localhost"))
    relay.worker.close()
    send(good)
    # Everything that is left behind.
    for target in ("/metrics", "/api/v1/connections?state=any", "/api/v1/status", "/api/v1/workers"):
        seen.append(edge.admin("GET", target)[1])
    assert edge.metric("sluice_token_cache_total", result="hit") >= 1
    edge.terminate()
    edge.child.signal(signal.SIGINT)  # the second signal ends a drain at once
    edge.child.wait()
    logs = [edge.child.errors, edge.child.output] + [(directory / f"{name}.jsonl").read_text() for name in ("access", "audit")]
    assert "connection.closed" in logs[2] and "admin.write" in logs[3]
    everything = "\n".join(seen + logs)
    assert "alice" in everything and "token_expired" in everything
    for token in [good, *bad]:
        for part in token.replace("%2E", ".").split("."):
            # Twelve letters give away as much as the whole: no shorter piece of a part may be there either.
            assert len(part) < 12 or part[:12] not in everything and part[-12:] not in everything, part
