"""The token in the first message: nothing reaches a worker before it, and nothing else may come in its place."""

import json

import pytest

from frames import BINARY, CONTINUATION, PING, PONG, TEXT, FrameStream, frame
from rawhttp import request
from waiting import eventually, patient
from ways import both_ways
from workers import accept_upgrade


@pytest.fixture
def lobby(start_edge, raw_worker, site, way):
    """Makes an edge whose route takes the token from a header or the first message; `enter` is a client's handshake."""

    class Lobby:
        def __init__(self, route=None, **sections):
            auth = {
                "issuer": "https://id.example.test/", "audience": ["chat"], "algorithms": ["ES256"],
                "keys": {"file": str(site.jwks)}, "token_from": ["header", "first_message"]}
            chat = {
                "name": "chat", "match": {"path": "/ws"}, "pool": "main", "auth": "main", "origins": "*",
                "headers": {"set": {"X-Sluice-User": "{claim.sub}"}}} | (route or {})
            self.worker = raw_worker
            self.edge = start_edge({"main": [raw_worker.path]}, [chat], auth={"main": auth}, **sections)

        def enter(self, *fields, listener="secure"):
            client = way.ask(self.edge, "/ws", fields, listener)
            self.response = client.response()
            return client

    return Lobby


def token_message(token, **changes):
    return json.dumps({"type": "edge.token", "data": {"token": token}} | changes, separators=(",", ":")).encode()


@both_ways
@pytest.mark.parametrize("at_the_top", [False, True])
def test_the_first_message_brings_the_token_and_the_next_goes_to_the_worker(lobby, site, way, at_the_top):
    site_token = site.token("alice")
    message = json.dumps({"type": "edge.token", "token": site_token}, separators=(",", ":")).encode()
    lobby = lobby()
    client = lobby.enter()
    assert lobby.response.status == way.accepted
    client.send(frame(TEXT, message if at_the_top else token_message(site_token)) + frame(TEXT, b"hello"))
    worker = lobby.worker.next()
    fields = dict(accept_upgrade(worker))
    assert fields["X-Sluice-User"] == "alice"
    assert site_token not in str(fields)
    received = worker.frame()
    assert (received.opcode, received.payload) == (TEXT, b"hello")
    worker.send_frame(TEXT, b"welcome")
    assert client.frame().payload == b"welcome"
    [connection] = lobby.edge.connections()
    assert connection["user"] == "alice"
    assert lobby.edge.metric("sluice_handshakes_total", result="accepted") == 1


@both_ways
def test_the_token_message_may_come_a_byte_at_a_time(lobby, site):
    lobby = lobby()
    client = lobby.enter(listener="plain")
    for byte in frame(TEXT, token_message(site.token())):
        client.send(bytes([byte]))
    accept_upgrade(lobby.worker.next())
    eventually(lobby.edge.connections, what="the connection")


@both_ways
def test_a_header_is_enough_where_it_has_a_token(lobby, site, way):
    lobby = lobby()
    client = way.ask(lobby.edge, "/ws", [("Authorization", f"Bearer {site.token()}")])
    accept_upgrade(lobby.worker.next())
    assert client.response().status == way.accepted


@both_ways
@pytest.mark.parametrize("first, code, reason", [
    (frame(TEXT, b"hello"), 4401, "token_missing"),
    (frame(BINARY, b'{"type":"edge.token"'), 4401, "token_missing"),
    (frame(TEXT, b'{"type":"edge.token"', fin=False), 4401, "token_missing"),
    (frame(TEXT, token_message("x" * 9000)), 4401, "token_missing"),
    (frame(TEXT, token_message("a.b.c")), 4401, "token_invalid"),
    (frame(TEXT, b'{"type":"edge.token"}'), 4401, "token_invalid"),
    (frame(TEXT, b'{"type":"edge.token","data":{"token":1}}'), 4401, "token_invalid"),
    (frame(TEXT, b'{"type":"edge.token","token":"a","data":{"token":"b"}}'), 4401, "token_invalid"),
    (frame(TEXT, b'{"type":"edge.token",'), 4401, "token_invalid"),
    (frame(TEXT, b"x", mask=None), 1002, "mask_missing"),
    (frame(CONTINUATION, b"x"), 1002, "continuation_without_start"),
    (frame(PING) * 501, 1008, "rate_limited;retry_after=1"),
])
def test_anything_else_is_refused_and_reaches_no_worker(lobby, first, code, reason):
    lobby = lobby()
    client = lobby.enter()
    client.send(first)
    assert client.close_frame() == (code, reason)
    client.send_close(code)
    assert client.is_ended()
    assert lobby.worker.accepted == 0


@both_ways
def test_a_refused_first_message_may_end_later_and_the_closing_handshake_is_found_behind_it(lobby):
    lobby = lobby()
    client = lobby.enter(listener="plain")
    message = frame(TEXT, b"x" * 50_000)
    client.send(message[:10])
    assert client.close_frame() == (4401, "token_missing")
    client.send(message[10:])
    client.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):  # The edge waits for the client's Close.
        client.more()
    client.sock.settimeout(patient(10))
    client.send_close(4401)
    assert client.is_ended()


@both_ways
def test_an_expired_token_is_4401_and_counted(lobby, site):
    lobby = lobby()
    client = lobby.enter()
    client.send_frame(TEXT, token_message(site.token(exp=1_000_000_000, iat=999_999_999)))
    assert client.close_frame() == (4401, "token_expired")
    assert lobby.edge.metric("sluice_handshakes_total", result="token_expired") == 1


@both_ways
def test_who_says_nothing_is_4408(lobby):
    lobby = lobby(timeouts={"head": "2s"})
    client = lobby.enter()
    assert client.close_frame() == (4408, "first_message_timeout")
    assert lobby.edge.metric("sluice_handshakes_total", result="timeout") == 1


@both_ways
def test_pings_are_answered_and_a_close_is_too(lobby):
    lobby = lobby()
    client = lobby.enter()
    client.send_frame(PING, b"there?")
    answer = client.frame()
    assert (answer.opcode, answer.payload) == (PONG, b"there?")
    client.send_close(1000, "bye")
    assert client.close_frame()[0] == 1000
    assert client.is_ended()
    eventually(lambda: lobby.edge.metric("sluice_handshakes_total", result="abandoned") == 1, what="the count")


def test_a_plain_request_has_no_first_message(lobby, closing):
    lobby = lobby()
    client = closing(FrameStream(lobby.edge.connect()))
    client.send(request("/ws"))
    assert client.response().status == 401


@both_ways
def test_the_worker_is_offered_what_the_edge_has_chosen(lobby, site):
    lobby = lobby({"subprotocols": ["chat.v1"]})
    client = lobby.enter(("Sec-WebSocket-Protocol", "other, chat.v1"))
    assert lobby.response["Sec-WebSocket-Protocol"] == "chat.v1"
    client.send_frame(TEXT, token_message(site.token()))
    worker = lobby.worker.next()
    fields = accept_upgrade(worker, [("Sec-WebSocket-Protocol", "chat.v1")])
    assert dict(fields)["Sec-WebSocket-Protocol"] == "chat.v1"
    worker.send_frame(TEXT, b"hi")
    assert client.frame().payload == b"hi"


@both_ways
def test_a_worker_that_chooses_otherwise_is_1014(lobby, site):
    lobby = lobby({"subprotocols": ["chat.v1"]})
    client = lobby.enter(("Sec-WebSocket-Protocol", "chat.v1"))
    client.send_frame(TEXT, token_message(site.token()))
    accept_upgrade(lobby.worker.next())
    assert client.close_frame() == (1014, "worker_error")


@both_ways
def test_a_worker_that_refuses_is_1014_and_no_worker_is_1013(lobby, site):
    lobby = lobby()
    client = lobby.enter()
    client.send_frame(TEXT, token_message(site.token()))
    worker = lobby.worker.next()
    worker.head()
    worker.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    assert client.close_frame() == (1014, "worker_error")
    lobby.worker.stop_listening()
    client = lobby.enter()
    client.send_frame(TEXT, token_message(site.token()))
    code, reason = client.close_frame()
    assert (code, reason) == (1013, "no_worker;retry_after=1")


@both_ways
def test_a_drain_sends_away_who_has_not_come_in(lobby):
    lobby = lobby()
    client = lobby.enter()
    lobby.edge.terminate()
    assert client.close_frame() == (1012, "edge_draining")


@both_ways
def test_a_lost_client_leaves_nothing_behind(lobby):
    lobby = lobby()
    for _ in range(50):
        lobby.enter(listener="plain").close()
    eventually(lambda: lobby.edge.metric("sluice_handshakes_total", result="abandoned") == 50, what="the count")


@both_ways
def test_no_part_of_a_token_in_a_message_is_logged_counted_shown_or_answered(lobby, site):
    good = site.token("alice")
    bad = [site.token(exp=1), site.token(aud="other"), good[:-4], f"{good}.{good}"]
    lobby = lobby(log={"level": "debug"})
    client = lobby.enter()
    client.send(frame(TEXT, token_message(good)))
    seen = [repr(accept_upgrade(lobby.worker.next())), lobby.edge.admin("GET", "/api/v1/connections")[1]]
    for token in bad:
        client = lobby.enter()
        client.send(frame(TEXT, token_message(token)))
        code, reason = client.close_frame()
        assert code == 4401
        seen.append(reason)
    seen.append(lobby.edge.admin("GET", "/metrics")[1])
    eventually(lambda: lobby.edge.metric("sluice_handshakes_total", result="token_invalid") == 3)
    everything = "\n".join([*seen, lobby.edge.child.errors])
    for part in ".".join([good, *bad]).split("."):
        assert part[:12] not in everything and part[-12:] not in everything
