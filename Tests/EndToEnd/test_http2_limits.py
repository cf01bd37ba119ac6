"""Limits over HTTP/2: what counts for a stream, what for its connection, and that no stream takes anything for good."""

import struct
import threading
import time

import pytest

from edge import open_route
from frames import BINARY, PING, PONG, TEXT
from rawstreams import HEADERS, RawConnection, block, frame, headers, number, settings
from streams import Multiplexed
from waiting import eventually, patient
from ways import FramesOfStream, Streams
from workers import accept_upgrade

NEVER = "1/1d"  # A rate that gives nothing back while a test runs.


@pytest.fixture
def connect(closing):
    """Connects to an edge by HTTP/2."""
    return lambda edge, listener="secure", **where: closing(Multiplexed(edge.connect(listener, protocols=["h2"], **where)))


# Who comes in


def test_streams_do_not_wait_at_the_ramp_that_their_connection_has_passed(start_edge, echo_worker, connect):
    edge = start_edge({"main": [echo_worker.path]}, limits={"handshakes": {"rate": "1/m"}, "exempt": ["127.0.0.0/8"]}, threads=1)
    connection = connect(edge)
    for _ in range(20):
        connection.open_websocket("/ws")
    assert len(edge.connections()) == 20


def test_a_connection_beyond_the_handshakes_of_its_address_answers_its_stream_and_goes(start_edge, echo_worker, connect):
    limits = {"handshakes": {"rate": "10000/s"}, "per_ip": {"handshakes": {"rate": "1/m", "burst": 2}}}
    edge = start_edge({"main": [echo_worker.path]}, limits=limits)
    welcome = [connect(edge) for _ in range(2)]
    for connection in welcome:
        connection.open_websocket("/ws")
    connection = connect(edge)
    response = connection.websocket("/ws").response()
    assert (response.status, response.word) == (429, "ip_limit") and 1 <= int(response["retry-after"]) <= 60
    assert connection.wait_for_end() == 0
    welcome[0].websocket("/ws").response()
    assert len(edge.connections()) == 2


# What they say


def spoken(streams, count, payload=b"x"):
    """Says so many messages on each stream; gives how many came back over all."""
    for stream in streams:
        for _ in range(count):
            stream.send_frame(TEXT, payload)
        stream.send_frame(PING, b"end")
    echoes = 0
    for stream in streams:
        while (received := stream.frame()).opcode != PONG:
            echoes += received.opcode == TEXT
    return echoes


@pytest.mark.parametrize("limit, payload, passed", [
    ({"messages": {"rate": NEVER, "burst": 100, "over": "drop"}}, b"x", 100),
    ({"bytes": {"rate": "1/1h", "burst": "10KiB", "over": "drop"}}, b"x" * 256, 40)], ids=["messages", "bytes"])
@pytest.mark.parametrize("scope", ["per_ip", "per_user"])
def test_all_streams_of_all_connections_count_for_their_address_and_their_user(
        start_edge, echo_worker, site, connect, scope, limit, payload, passed):
    auth = {"auth": "main"} if scope == "per_user" else {}
    edge = start_edge(
        {"main": [echo_worker.path]}, [open_route(**auth)], threads=2, limits={"handshakes": {"rate": "10000/s"}, scope: limit})
    fields = [("authorization", f"Bearer {site.token()}")]
    streams = [connection.open_websocket("/ws", fields)[0] for connection in [connect(edge), connect(edge)] for _ in range(4)]
    came_back = spoken(streams, 50, payload)
    assert (came_back, edge.metric("sluice_messages_dropped_total")) == (passed, 8 * 50 - passed)


# Who does not listen


def fill(upstream, stopped):
    """A worker that offers messages until its connection ends."""
    upstream.sock.settimeout(None)
    try:
        while True:
            upstream.send_frame(BINARY, bytes(60_000))
    except OSError:
        stopped.set()


@pytest.fixture
def filled(relayed, raw_worker, connect):
    """A connection with two WebSockets, of which the worker fills the first; gives all of it."""

    def make(receive_buffer=None, **sections):
        edge = relayed(**sections).edge
        connection = connect(edge, "plain", receive_buffer=receive_buffer)
        ends = []
        for _ in range(2):
            stream = FramesOfStream(lambda: connection.websocket("/ws", scheme="http"))
            upstream = raw_worker.next()
            accept_upgrade(upstream)
            assert stream.response().status == Streams.accepted
            ends.append((stream, upstream))
        stopped = threading.Event()
        return edge, connection, ends, stopped, threading.Thread(target=fill, args=(ends[0][1], stopped), daemon=True)

    return make


STALL = {"stall": {"min_bytes": "4KiB", "timeout": "1s"}, "close": "1s"}


def test_a_stream_whose_window_stays_shut_is_let_go_for_no_progress_and_no_other(filled):
    edge, connection, [(stuck, _), (other, other_worker)], stopped, filling = filled(timeouts=STALL)
    stuck.sock.holds_window = True
    filling.start()
    while not stuck.sock.is_ended:
        connection.more()
    assert stopped.wait(patient(10)), "the worker is not let go"
    [line] = eventually(lambda: edge.events("connection.closed"))
    assert (line["close.code"], line["close.reason"]) == (1013, "no_progress")
    assert edge.metric("sluice_slow_consumers_total") == 1
    other_worker.send_frame(TEXT, b"still here")
    assert other.frame().payload == b"still here"
    assert edge.metric("sluice_send_queue_bytes") == 0


def test_a_connection_that_nobody_reads_ends_with_all_its_streams(filled):
    edge, connection, ends, stopped, filling = filled(receive_buffer=4096, timeouts=STALL)
    connection.h2.increment_flow_control_window(1 << 30)
    connection.h2.increment_flow_control_window(1 << 30, ends[0][0].sock.number)
    connection.flush()
    filling.start()
    assert stopped.wait(patient(20)), "the worker is not let go"
    assert len(eventually(lambda: (lines := edge.events("connection.closed")) and len(lines) == 2 and lines)) == 2
    eventually(lambda: edge.open_connections() == 0)
    assert edge.metric("sluice_send_queue_bytes") == 0


# What a stream has taken comes back

FEW = 60_000  # Bytes: less than a stream's window. Forty times as many are more than a connection's.


def cut_by_the_client(connection, worker):
    """A WebSocket that is held back, and reset while its bytes wait."""
    stream = connection.websocket("/held")
    upstream = worker.next()
    accept_upgrade(upstream)
    assert stream.head().status == 200
    frames = FramesOfStream(lambda: stream)
    frames.send_frame(TEXT, b"the only one")
    frames.send_frame(BINARY, bytes(FEW))
    upstream.frame()
    stream.reset()
    upstream.close()


def answered_early(connection, worker):
    """An upload that its worker refuses before it has read it."""
    stream = connection.open([(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/upload")])
    upstream = worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    stream.sendall(bytes(FEW))
    assert stream.head().status == 413
    upstream.close()


def lost_in_the_middle(connection, worker):
    """An upload whose worker goes away after it has begun to answer."""
    stream = connection.open([(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/upload")])
    upstream = worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
    assert stream.head().status == 200
    upstream.close()
    stream.sendall(bytes(FEW))
    while not stream.is_ended:
        connection.more()


@pytest.mark.parametrize("cut", [cut_by_the_client, answered_early, lost_in_the_middle])
def test_streams_that_are_cut_short_leave_the_connections_window_as_it_was(relayed, raw_worker, connect, cut):
    held = {"rate": NEVER, "burst": 1, "over": "delay"}
    edge = relayed([open_route(), open_route(name="held", path="/held", messages=held)]).edge
    connection = connect(edge)
    for _ in range(40):
        cut(connection, raw_worker)
    stream = connection.request("/upload", method="POST", body=bytes(FEW), fields=[("content-length", str(FEW))])
    upstream = raw_worker.next()
    upstream.head()
    assert upstream.exactly(FEW) == bytes(FEW)
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert stream.response().body == b"ok"


def test_a_deadline_that_is_over_while_nothing_can_be_sent_costs_no_time(relayed, raw_worker, closing):
    """A head that never ends is due, and its client does not read that: nobody counts the moments until it does."""
    edge = relayed(timeouts={"head": "1s", "stall": {"min_bytes": "4KiB", "timeout": "4s"}}, threads=1).edge
    connection = closing(RawConnection(edge.connect("plain", receive_buffer=4096), first=settings((4, 2**31 - 1))))
    connection.send(frame(8, 0, 0, number(1 << 30)) + headers())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    stopped = threading.Event()

    def download():
        upstream.sock.settimeout(None)
        try:
            while True:
                upstream.send(bytes(60_000))
        except OSError:
            stopped.set()

    threading.Thread(target=download, daemon=True).start()
    eventually(lambda: edge.metric("sluice_send_queue_bytes") > 0)
    connection.send(frame(HEADERS, 0, 3, block([(":method", "GET")])))
    cpu, began = edge.child.cpu_seconds(), time.monotonic()
    assert stopped.wait(patient(20)), "the connection goes on"
    assert edge.child.cpu_seconds() - cpu < (time.monotonic() - began) / 2
