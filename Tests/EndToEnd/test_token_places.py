"""Tokens as a page can send them without a cookie: as a subprotocol, and in the query."""

import pytest

from edge import open_route
from frames import FrameStream, upgrade_request
from rawhttp import request
from tokens import AUDIENCE, ISSUER
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
