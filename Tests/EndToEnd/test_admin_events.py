"""Server-sent events: what happens is told to who listens, and nobody waits for them."""

import concurrent.futures
import re
import signal
import socket
import time

import pytest

from crowd import Crowd
from edge import open_route
from eventstream import EventStream
from frames import FrameStream, upgrade_request
from waiting import eventually, patient, slow

ROUTES = [
    open_route(name="slow", path="/slow") | {"messages": {"rate": "2/s", "burst": 1, "over": "delay"}},
    open_route(name="chat", path="/ws") | {"auth": "main"}, open_route()]


@pytest.fixture
def crowd(directory, closing):
    return closing(Crowd(directory / "worker.sock"))


@pytest.fixture
def edge(start_edge, crowd, directory):
    return start_edge({"main": [str(directory / "worker*.sock")]}, ROUTES, threads=2)


@pytest.fixture
def follow(edge, closing):
    return lambda query="": closing(EventStream(edge, query))


def test_a_connection_s_life_is_told(edge, crowd, follow):
    stream = follow()
    assert stream.fields["content-type"] == "text/event-stream"
    [member] = crowd.join(edge, 1, "/open?ticket=secret", fields=[("Origin", "https://a.example")])
    opened = stream.next("opened")
    [connection] = edge.connections()
    assert (opened["id"], opened["route"], opened["client_address"]) == (connection["id"], "open", "127.0.0.1")
    member.say()
    eventually(lambda: member.received_count, what="the echo")
    edge.admin("DELETE", f"/api/v1/connections/{connection['id']}", {"code": 4001, "reason": "enough"})
    closed = stream.next("closed")
    assert (closed["id"], closed["close_code"], closed["close_reason"]) == (connection["id"], 4001, "enough")
    assert (closed["close_initiator"], closed["messages_in"], closed["messages_out"]) == ("edge", 1, 1)
    assert closed["serial"] > opened["serial"]
    assert "secret" not in stream.text


def test_denials_rules_workers_limits_and_the_drain_are_told(edge, crowd, follow, directory, closing):
    stream = follow()
    client = closing(FrameStream(edge.connect("plain")))
    client.send(upgrade_request("/ws?token=secret", [("Authorization", "Bearer secret")]))
    assert client.response().status == 401
    denied = stream.next("denied")
    assert (denied["route"], denied["status"], denied["result"]) == ("chat", 401, "token_invalid")

    rule = edge.rule("ban", user="mallory", ttl_seconds=1)["rule"]
    added = stream.next("rule")
    assert (added["change"], added["rule"]["id"], added["user"]) == ("added", rule["id"], "mallory")
    assert stream.next("rule")["change"] == "expired"
    edge.lift(edge.rule("ban", ip="192.0.2.1")["rule"])
    assert [stream.next("rule")["change"] for _ in range(2)] == ["added", "removed"]

    [member] = crowd.join(edge, 1, "/slow")
    member.say(times=3)
    eventually(lambda: member.received_count == 3, what="the messages that wait")
    throttled = stream.next("throttled")
    assert (throttled["scope"], throttled["reason"], throttled["action"]) == ("connection", "message_rate", "delay")
    assert len(stream.of("throttled")) == 1, "one episode is one event"

    another = Crowd(directory / "worker-2.sock")
    found = stream.next("worker")
    assert (found["change"], found["path"]) == ("added", str(directory / "worker-2.sock"))
    another.close()
    (directory / "worker-2.sock").unlink()
    assert stream.next("worker")["change"] == "removed"

    edge.terminate()
    assert stream.next("drain")["state"] == "draining"
    assert stream.next("closed")["close_code"] == 1012
    assert edge.child.wait() == 0
    eventually(lambda: stream.has_ended, what="the end of the stream")
    assert "secret" not in stream.text


def test_a_reader_gets_what_it_asked_for(edge, crowd, follow):
    everything, some = follow(), follow("?types=closed&ip=127.0.0.2&route=open")
    members = [crowd.join(edge, 1, "/open", source=source)[0] for source in ("127.0.0.1", "127.0.0.2")]
    members += crowd.join(edge, 1, "/slow", source="127.0.0.2")
    for member in members:
        member.leave()
    eventually(lambda: len(everything.of("closed")) == 3 and some.events, what="three ends")
    assert len(some.events) == 1
    assert (some.events[0]["event"], some.events[0]["client_address"]) == ("closed", "127.0.0.2")
    for query in ("?types=nothing", "?since=1", "?ip=x"):
        assert follow(query).status == 400


def test_sixteen_may_read_and_a_place_is_free_again_soon(edge, follow):
    streams = [follow() for _ in range(16)]
    assert all(stream.status == 200 for stream in streams)
    refused = follow()
    assert (refused.status, refused.fields["retry-after"]) == (503, "15")
    streams[0].close()
    eventually(lambda: follow().status == 200, what="a place being free")


def test_readers_that_stop_reading_harm_nobody(edge, crowd, follow, closing):
    stalled = []
    for _ in range(8):
        reader = closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(str(edge.directory / "admin.sock"))
        reader.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stalled.append(reader)
    stream = follow()
    for turn in range(5):
        crowd.vanish(crowd.join(edge, 400, "/open?" + "q" * 100))
        # This reader reads: what it has not read in time would be lost to it as well.
        eventually(lambda: len(stream.of("closed")) == 400 * (turn + 1), 20, "400 more ends")
    assert len(stream.of("opened")) == 2000 and not stream.of("lost")
    serials = [event["serial"] for event in stream.events]
    assert serials == sorted(set(serials))
    # Who wakes up again hears how much it has missed, if that was too much to keep, and goes on.
    stalled[0].settimeout(patient(10))
    received = bytearray()
    told, lost = 0, []
    while told + sum(lost) < 4000:
        assert (more := stalled[0].recv(65_536)), "the stream has ended"
        received += more
        events = _without_chunks(bytes(received))
        told = len(re.findall(rb"event: (?:opened|closed)\n.*\n\n", events))
        lost = [int(count) for count in re.findall(rb'event: lost\ndata: {"count":(\d+)}\n\n', events)]
    assert lost and told + sum(lost) == 4000


def _without_chunks(answer):
    _, _, rest = answer.partition(b"\r\n\r\n")
    body = b""
    while rest:
        length, _, rest = rest.partition(b"\r\n")
        body += rest[:int(length, 16)]
        rest = rest[int(length, 16) + 2:]
    return body


def test_many_come_and_go_while_others_read(edge, crowd):
    def enter():
        """A reader; none as long as the places of those who went are not free yet."""
        stream = EventStream(edge)
        if stream.status == 200:
            return stream
        stream.close()

    def read():
        stream = eventually(enter, what="a place among the readers")
        eventually(lambda: len(stream.events) > 50, what="some events")
        stream.close()
        return len(stream.events)

    deadline = time.monotonic() + slow(3)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read) for _ in range(24)]
        while time.monotonic() < deadline or not all(reader.done() for reader in readers):
            for member in crowd.join(edge, 50, "/open"):
                member.leave()
        assert all(reader.result() > 50 for reader in readers)


def test_streams_that_are_open_do_not_hold_up_the_end(edge, follow):
    streams = [follow() for _ in range(16)]
    edge.child.signal(signal.SIGTERM)
    assert edge.child.wait() == 0
    for stream in streams:
        eventually(lambda: stream.has_ended, what="the end of the stream")
