"""What the edge adds to RFC 6455: limits, deadlines and liveness; who learns what. `test_conformance.py` has the RFC itself."""

import time

import pytest

from edge import open_route
from frames import BINARY, CONTINUATION, PING, PONG, TEXT, frame
from waiting import eventually, slow
from ways import both_ways

pytestmark = both_ways


@pytest.mark.parametrize("side", ["client", "worker"])
def test_a_breach_is_logged_for_what_it_is(relayed, side):
    pair = relayed()
    client, upstream = pair.open()
    (client if side == "client" else upstream).send_frame(PING, b"x" * 126)
    assert upstream.close_frame()[0] == (1001 if side == "client" else 1002)
    upstream.send_close(1001)
    assert client.close_frame()[0] == (1002 if side == "client" else 1014)
    client.send_close(1014)
    (line,) = eventually(lambda: pair.edge.events("connection.closed"))
    assert (line["close.code"], line["close.initiator"]) == (1002 if side == "client" else 1014, side)


def test_the_echo_of_what_came_before_a_breach_is_heard(start_edge, echo_worker, way):
    edge = start_edge({"main": [echo_worker.path]})
    for code, breach in [(1002, frame(TEXT, rsv=4)), (1007, frame(TEXT, b"\xff")), (1009, frame(BINARY, announced=1 << 30))]:
        client = way.ask(edge)
        assert client.response().status == way.accepted
        client.send(b"".join(frame(TEXT, b"%d" % number) for number in range(20)) + breach)
        assert [client.frame().payload for _ in range(20)] == [b"%d" % number for number in range(20)]
        assert client.close_frame()[0] == code
        assert client.is_ended()


def test_a_message_over_the_limit_is_1009_before_its_payload_is_sent(relayed):
    client, upstream = relayed([open_route(max_message="64KiB")]).open()
    client.send(frame(BINARY, announced=(64 << 10) + 1))
    assert upstream.close_frame()[0] == 1001
    upstream.send_close(1001)
    assert client.close_frame()[0] == 1009


def test_fragments_are_added_up_for_the_limit(relayed):
    client, upstream = relayed([open_route(max_message="64KiB")]).open()
    client.send(frame(BINARY, bytes(60_000), fin=False) + frame(CONTINUATION, announced=6_000))
    assert len(upstream.frame().payload) == 60_000
    assert upstream.close_frame()[0] == 1001
    upstream.send_close(1001)
    assert client.close_frame()[0] == 1009


def test_a_message_of_exactly_the_limit_passes(relayed):
    client, upstream = relayed([open_route(max_message="64KiB")]).open()
    client.send(frame(BINARY, bytes(60_000), fin=False) + frame(CONTINUATION, bytes(5_536)))
    assert len(upstream.frame().payload) + len(upstream.frame().payload) == 64 << 10


def test_a_workers_message_over_the_limit_is_not_read(relayed):
    client, upstream = relayed([open_route(max_message="64KiB")]).open()
    upstream.send_frame(BINARY, announced=(64 << 10) + 1)
    assert client.close_frame()[0] == 1014
    assert upstream.close_frame()[0] == 1009


def test_a_client_is_told_of_its_breach_even_if_its_worker_never_answers(relayed):
    client, upstream = relayed(timeouts={"close": "1s"}).open()
    client.send_frame(TEXT, rsv=4)
    assert upstream.close_frame()[0] == 1001
    assert client.close_frame()[0] == 1002
    assert client.is_ended() and upstream.is_ended()


def test_a_client_that_never_answers_a_close_is_cut_off_at_the_deadline(relayed):
    client, upstream = relayed(timeouts={"close": "1s"}).open()
    upstream.send_close(1000)
    assert client.close_frame()[0] == 1000
    began = time.monotonic()
    assert client.is_ended() and upstream.is_ended()
    assert time.monotonic() - began < slow(4), "five seconds are what it waits elsewhere"


def test_a_lost_worker_is_told_for_what_it_is(relayed):
    pair = relayed()
    client, upstream = pair.open()
    upstream.close()
    assert client.close_frame()[0] == 1014
    client.send_close(1014)
    (line,) = eventually(lambda: pair.edge.events("connection.closed"))
    assert line["close.initiator"] == "worker"


# Liveness


def test_a_silent_client_is_pinged_at_every_interval_and_its_pong_is_not_the_workers_to_see(relayed):
    pair = relayed([open_route(ping={"interval": "200ms", "timeout": "10s"})])
    began = time.monotonic()
    client, upstream = pair.open()
    for _ in range(3):
        ping = client.frame()
        assert ping.opcode == PING and len(ping.payload) == 8
        client.send_frame(PONG, ping.payload)
    assert 0.6 <= time.monotonic() - began < slow(20), "25 seconds are the interval elsewhere"
    client.send_frame(TEXT, b"hello")
    assert upstream.frame().payload == b"hello"


def test_a_client_that_never_answers_a_ping_is_4408(relayed):
    client, upstream = relayed([open_route(ping={"interval": "200ms", "timeout": "300ms"})]).open()
    assert client.frame().opcode == PING
    assert client.close_frame()[0] == 4408
    assert upstream.close_frame()[0] == 1001


def test_a_pong_with_another_payload_passes_to_the_worker(relayed):
    client, upstream = relayed([open_route(ping={"interval": "200ms", "timeout": "10s"})]).open()
    ping = client.frame()
    client.send(frame(PONG, b"12345678") + frame(PONG, ping.payload) + frame(TEXT, b"end"))
    assert [upstream.frame().payload for _ in range(2)] == [b"12345678", b"end"]


def test_an_idle_connection_is_1001(relayed):
    client, upstream = relayed([open_route(idle_timeout="1s")]).open()
    began = time.monotonic()
    client.send_frame(TEXT, b"one message")
    assert client.close_frame()[0] == 1001
    assert 0.9 < time.monotonic() - began < slow(15)
    upstream.frame()
    assert upstream.close_frame()[0] == 1001


# A worker's death


def test_200_clients_learn_of_their_workers_death_promptly(relayed):
    pair = relayed()
    pairs = [pair.open("plain") for _ in range(200)]
    began = time.monotonic()
    for _, upstream in pairs:
        upstream.close()
    assert [client.close_frame()[0] for client, _ in pairs] == [1014] * 200
    assert time.monotonic() - began < slow(15), "the first ping is due after an hour"
