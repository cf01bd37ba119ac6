"""A connection lives as long as its token: the warning, the end, and the renewal within the connection."""

import json
import time

import pytest

from frames import TEXT
from waiting import eventually, slow
from ways import both_ways
from workers import accept_upgrade

pytestmark = both_ways


@pytest.fixture
def come_in(start_edge, raw_worker, site, way):
    """Makes an edge with a route; gives a function from a token to the client's end, the worker's, and the edge."""

    def make(**route):
        auth = {
            "issuer": "https://id.example.test/", "audience": ["chat"], "algorithms": ["ES256"], "keys": {"file": str(site.jwks)},
            "leeway": "1s"}
        chat = {"name": "chat", "match": {"path": "/"}, "pool": "main", "auth": "main", "origins": "*"} | route
        edge = start_edge({"main": [raw_worker.path]}, [chat], auth={"main": auth})

        def enter(token):
            client = way.ask(edge, "/ws", [("Authorization", f"Bearer {token}")])
            worker = raw_worker.next()
            accept_upgrade(worker)
            assert client.response().status == way.accepted
            return client, worker

        enter.edge = edge
        return enter

    return make


def lasting(site, seconds, user="alice"):
    return site.token(user, exp=int(time.time()) + seconds)


def renewal(token):
    return json.dumps({"type": "edge.token", "data": {"token": token}}, separators=(",", ":")).encode()


def message(client):
    return json.loads(client.frame().payload)


def test_a_connection_ends_with_its_token(come_in, site):
    enter = come_in()
    expires = int(time.time()) + 3
    client, worker = enter(site.token(exp=expires))
    assert client.close_frame() == (4401, "token_expired")
    # It has a second of leeway, by a clock that the edge has looked at in the turn in which the client came.
    assert 0.5 < time.time() - expires < slow(10)
    assert worker.close_frame() == (1001, "token_expired")
    assert enter.edge.metric("sluice_connections_closed_total", code="4401", initiator="edge") == 0  # not before it has ended
    client.send_close(4401)
    worker.send_close(1001)
    eventually(lambda: enter.edge.metric("sluice_connections_closed_total", code="4401") == 1, what="the count")


def test_a_warning_comes_before_the_end(come_in, site):
    client, _ = come_in(notice="envelope")(lasting(site, 4))
    warning = message(client)
    assert warning["type"] == "edge.token_expiring"
    assert 0 < warning["data"]["expires_in_ms"] <= 5000
    assert client.close_frame() == (4401, "token_expired")


def test_a_renewed_token_prolongs_the_connection_and_the_worker_sees_nothing_of_it(come_in, site):
    enter = come_in(notice="envelope", renew="message")
    client, worker = enter(lasting(site, 300))
    client.send_frame(TEXT, renewal(lasting(site, 600)))
    answer = message(client)
    assert answer["type"] == "edge.token_renewed"
    assert 500_000 < answer["data"]["expires_in_ms"] <= 601_000
    client.send_frame(TEXT, b"still here")
    assert worker.frame().payload == b"still here"


@pytest.mark.parametrize("token", [
    lambda site: lasting(site, 600, user="mallory"), lambda site: "a.b.c", lambda site: lasting(site, -5),
    lambda site: lasting(site, 2)])
def test_a_renewal_of_another_user_or_no_fresher_is_refused_and_the_old_token_holds(come_in, site, token):
    client, worker = come_in(notice="envelope", renew="message")(lasting(site, 300))
    client.send_frame(TEXT, renewal(token(site)))
    answer = message(client)
    assert answer["type"] == "edge.token_refused"
    client.send_frame(TEXT, b"still here")
    assert worker.frame().payload == b"still here"


def test_without_renew_the_message_is_the_workers(come_in, site):
    client, worker = come_in()(lasting(site, 60))
    text = renewal("not a token")
    client.send_frame(TEXT, text)
    assert worker.frame().payload == text


def test_no_token_of_a_message_appears_in_log_or_metrics(come_in, site):
    enter = come_in(renew="message", notice="envelope")
    client, worker = enter(lasting(site, 60))
    tokens = [lasting(site, 600), lasting(site, 600, user="mallory")]
    for token in tokens:
        client.send_frame(TEXT, renewal(token))
        message(client)
    worker.send_close(1000)
    client.close_frame()
    client.send_close(1000)
    eventually(lambda: enter.edge.events("connection.closed"), what="the log line")
    everything = enter.edge.child.errors + enter.edge.admin("GET", "/metrics")[1] + enter.edge.admin("GET", "/api/v1/connections")[1]
    for token in tokens:
        assert not any(part in everything for part in token.split("."))
