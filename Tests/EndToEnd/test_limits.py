"""How fast a connection may talk: by count and by bytes, in each mode, and how the client is told."""

import json
import threading
import time

import pytest

from edge import open_route
from frames import BINARY, CONTINUATION, PING, PONG, TEXT, frame
from waiting import eventually
from ways import both_ways

pytestmark = both_ways
NEVER = "1/1d"  # A rate that gives nothing back while a test runs.


def limited(relayed, **route):
    return relayed([open_route(**route)])


def say(client, count, text=b"x"):
    """Says it so many times in one go: one after the other, a machine that is busy might give each its time."""
    client.send(frame(TEXT, text) * count)


def received(worker, count):
    return [worker.frame().payload for _ in range(count)]


@pytest.mark.parametrize("listener", ["secure", "plain"])
@pytest.mark.parametrize("over", ["drop", "close"])
def test_exactly_the_burst_passes(relayed, listener, over):
    client, worker = limited(relayed, messages={"rate": NEVER, "burst": 25, "over": over}).open(listener)
    for number in range(100):
        client.send_frame(TEXT, b"%d" % number)
    client.send_frame(PING, b"end")
    assert received(worker, 25) == [b"%d" % number for number in range(25)]
    if over == "drop":
        last = worker.frame()
        assert (last.opcode, last.payload) == (PING, b"end")
    else:
        assert worker.close_frame() == (1001, "rate_limited;retry_after=86400")
        assert client.close_frame() == (4429, "rate_limited;retry_after=86400")


def test_delayed_messages_come_at_the_rate_and_none_is_lost(relayed):
    edge = limited(relayed, messages={"rate": "50/s", "burst": 10, "over": "delay"})
    client, worker = edge.open()
    began = time.monotonic()
    for number in range(60):
        client.send_frame(TEXT, b"%d" % number)
    assert received(worker, 60) == [b"%d" % number for number in range(60)]
    assert time.monotonic() - began >= 0.9  # 50 of them beyond the burst, at 50/s
    assert edge.edge.metric("sluice_throttle_events_total", scope="connection", action="delay") >= 1
    eventually(lambda: edge.edge.metric("sluice_throttled_connections") == 0, what="nobody waiting any more")


def test_bytes_are_limited_by_their_announced_length(relayed):
    client, worker = limited(relayed, bytes={"rate": "1/1h", "burst": "64KiB", "over": "drop"}).open()
    for size in (60_000, 6_000, 5_000, 1):
        client.send_frame(BINARY, bytes(size))
    client.send_frame(PING)
    assert [len(payload) for payload in received(worker, 3)] == [60_000, 5_000, 1]
    assert worker.frame().opcode == PING


def test_a_dropped_message_is_dropped_with_all_its_fragments(relayed):
    edge = limited(relayed, messages={"rate": NEVER, "burst": 1, "over": "drop"})
    client, worker = edge.open()
    client.send_frame(TEXT, b"kept")
    client.send_frame(TEXT, b"lost", fin=False)
    client.send_frame(PING, b"between")
    client.send_frame(CONTINUATION, b"lost too" * 10_000)
    client.send_frame(PING, b"behind")
    assert received(worker, 3) == [b"kept", b"between", b"behind"]
    assert edge.edge.metric("sluice_messages_dropped_total", reason="message_rate") == 1


def test_an_allowed_message_keeps_its_verdict_through_its_fragments(relayed):
    client, worker = limited(relayed, messages={"rate": NEVER, "burst": 1, "over": "close"}).open()
    client.send_frame(TEXT, b"a", fin=False)
    for part in (b"b", b"c"):
        client.send_frame(CONTINUATION, part, fin=False)
    client.send_frame(CONTINUATION, b"d")
    assert received(worker, 4) == [b"a", b"b", b"c", b"d"]


def test_who_goes_on_beyond_the_limit_is_closed(relayed):
    edge = limited(relayed, messages={"rate": "1/s", "burst": 1, "over": "drop", "close_after": "1s"})
    client, worker = edge.open()
    client.sock.settimeout(0.05)

    def closed():
        client.send_frame(TEXT, b"x")
        try:
            return client.close_frame()
        except TimeoutError:
            return None

    code, reason = eventually(closed, what="the Close")
    assert code == 4429 and reason.startswith("rate_limited;retry_after=")


def test_a_delayed_client_can_be_kicked(relayed):
    edge = limited(relayed, messages={"rate": NEVER, "burst": 1, "over": "delay"})
    client, worker = edge.open()
    say(client, 3)
    eventually(lambda: edge.edge.metric("sluice_throttled_connections") == 1, what="the client waiting")
    [connection] = edge.edge.connections()
    assert edge.edge.admin("DELETE", f"/api/v1/connections/{connection['id']}")[0] == 200
    assert client.close_frame() == (4403, "kicked")
    assert worker.close_frame() == (1001, "kicked")
    client.send_close(4403)
    assert edge.edge.metric("sluice_throttled_connections") == 0


def test_a_delayed_client_that_goes_away_frees_everything(relayed):
    edge = limited(relayed, messages={"rate": NEVER, "burst": 1, "over": "delay"})
    client, worker = edge.open("plain")
    say(client, 3)
    eventually(lambda: edge.edge.metric("sluice_throttled_connections") == 1, what="the client waiting")
    client.close()
    eventually(lambda: edge.edge.metric("sluice_connections") == 0, what="the end")
    assert edge.edge.metric("sluice_throttled_connections") == 0


def test_a_client_that_is_delayed_is_not_pinged_and_not_idle(relayed):
    route = dict(messages={"rate": "1/4s", "burst": 1, "over": "delay"}, ping={"interval": "1s", "timeout": "1s"},
                 idle_timeout="3s")
    client, worker = limited(relayed, **route).open()
    client.send(frame(TEXT, b"1") + frame(TEXT, b"2"))
    assert received(worker, 2) == [b"1", b"2"]
    assert client.frame().opcode == PING  # Only now does its silence count again.


def test_control_frames_beyond_their_budget_wait_and_then_close_with_1008(relayed):
    edge = relayed()
    client, worker = edge.open("plain")
    client.sock.settimeout(0.02)
    worker.sock.settimeout(None)
    threading.Thread(target=worker.rest, daemon=True).start()

    def closed():
        try:
            client.send(b"".join(bytes([0x89, 0x80, 1, 2, 3, 4]) for _ in range(200)))
            return client.close_frame()
        except TimeoutError:
            return None

    code, reason = eventually(closed, what="the Close")
    assert (code, reason) == (1008, "rate_limited;retry_after=1")
    assert edge.edge.metric("sluice_throttle_events_total", scope="frames", action="close") == 1


def test_a_notice_tells_of_a_delay_between_the_workers_messages(relayed):
    edge = limited(relayed, messages={"rate": "10/s", "burst": 1, "over": "delay"}, notice="envelope")
    client, worker = edge.open()
    worker.send_frame(TEXT, b"first ", fin=False)
    assert client.frame().payload == b"first "
    say(client, 3)
    received(worker, 3)
    worker.send_frame(CONTINUATION, b"half")
    assert client.frame().payload == b"half"
    say(client, 3)
    notice = json.loads(client.frame().payload)
    assert notice["type"] == "edge.throttle"
    assert notice["data"].pop("retry_after_ms") in range(1, 201)
    assert notice["data"] == {"reason": "message_rate", "action": "delay", "limit": 10, "window_ms": 1000, "dropped": 0}


def test_without_notice_the_client_hears_only_its_worker(relayed):
    client, worker = limited(relayed, messages={"rate": NEVER, "burst": 1, "over": "drop"}).open()
    say(client, 3)
    client.send_frame(PING, b"p")
    assert received(worker, 2) == [b"x", b"p"]
    worker.send_frame(PONG, b"p")
    assert client.frame().opcode == PONG
