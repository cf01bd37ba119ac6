"""What breaks in production: workers that die, clients that stall or vanish, descriptors that run out."""

import json
import socket
import threading
import time

import pytest

from edge import open_route
from frames import BINARY, TEXT, FrameStream, frame, upgrade_request
from processes import REPORTS
from rawhttp import ByteStream, request
from waiting import eventually, patient, slow, unchanged
from workers import ForeignWorker, RawWorker, accept_upgrade

MIB = 1 << 20


def ask(edge, data=None, listener="plain"):
    """One request on a connection of its own; gives the answer."""
    stream = ByteStream(edge.connect(listener))
    try:
        stream.send(data or request("/hello"))
        return stream.response()
    finally:
        stream.close()


# Workers


def test_a_glob_is_scanned_again_every_second(start_edge, directory, closing):
    folder = directory / "workers"
    folder.mkdir()
    edge = start_edge({"main": [folder / "*.sock"]})
    assert ask(edge).status == 503
    for kind in ("aiohttp", "node", "aiohttp"):
        worker = ForeignWorker(kind, folder)
        closing(worker).wait_until_ready()
        eventually(lambda: ask(edge).status == 200, 5, "the next scan")
        worker.close()
        worker.path.unlink(missing_ok=True)
        assert ask(edge).status == 503
        eventually(lambda: edge.workers() == [], 5, "the next scan")


def test_a_worker_that_restarts_on_the_same_path_is_found_at_once(start_edge, directory, closing):
    worker = ForeignWorker("aiohttp", directory)
    closing(worker).wait_until_ready()
    edge = start_edge({"main": [worker.path]})
    for _ in range(2):
        assert ask(edge).status == 200
        worker.child.kill()
        assert ask(edge).status == 503
        worker = ForeignWorker("aiohttp", directory)
        closing(worker).wait_until_ready()
        eventually(lambda: ask(edge).status == 200, what="the worker being found")


@pytest.mark.parametrize("data", [request(), upgrade_request()], ids=["plain", "upgrade"])
def test_without_a_worker_the_answer_is_503_with_retry_after_within_50_ms(start_edge, directory, closing, data):
    edge = start_edge({"main": [directory / "nobody.sock"]})
    durations = []
    for _ in range(15):
        stream = closing(ByteStream(edge.connect("plain")))
        began = time.monotonic()
        stream.send(data)
        response = stream.response()
        durations.append(time.monotonic() - began)
        assert (response.status, response.word) == (503, "no_worker")
        assert int(response["Retry-After"]) >= 1
    # Nobody waits here for anything: what a busy machine adds, it does not add every time.
    assert min(durations) < slow(0.05), durations


def test_a_dead_worker_beside_a_live_one_costs_no_client_an_error(start_edge, directory, closing):
    dead = closing(RawWorker(directory / "dead.sock"))
    live = closing(ForeignWorker("aiohttp", directory))
    live.wait_until_ready()
    edge = start_edge({"main": [dead.path, live.path]})
    dead.stop_listening()
    assert [ask(edge).status for _ in range(50)] == [200] * 50


def test_least_connections_spreads_websockets_evenly(start_edge, directory, closing):
    workers = [closing(RawWorker(directory / f"{number}.sock")) for number in range(3)]
    edge = start_edge({"main": [worker.path for worker in workers]})
    for _ in range(30):
        client = closing(FrameStream(edge.connect("plain")))
        client.send(upgrade_request())
        upstream = eventually(lambda: next((worker.next() for worker in workers if worker.has_arrivals), None))
        accept_upgrade(upstream)
        assert client.response().status == 101
    assert [worker.accepted for worker in workers] == [10, 10, 10]


def test_a_full_backlog_is_waited_out(start_edge, directory, closing):
    path = directory / "worker.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    closing(listener)
    listener.bind(str(path))
    listener.listen(0)
    edge = start_edge({"main": [path]})
    filler = closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    filler.connect(str(path))
    clients = [closing(ByteStream(edge.connect("plain"))) for _ in range(5)]
    for client in clients:
        client.send(request())
    listener.accept()[0].close()

    def serve():
        for _ in clients:
            stream = ByteStream(listener.accept()[0])
            stream.head()
            stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            stream.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert [client.response().status for client in clients] == [200] * 5


def test_a_worker_that_fails_its_checks_gets_no_clients_until_it_passes_them(start_edge, directory, closing):
    def serve(worker, is_well):
        while True:
            stream = worker.next(within=None)
            try:
                line, _ = stream.head()
                status = b"200 OK" if "/healthz" not in line or is_well() else b"500 Internal Server Error"
                body = worker.path.name.encode()
                stream.send(b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body))
            except (OSError, EOFError):
                pass
            stream.close()

    ill = [True]
    workers = [closing(RawWorker(directory / name)) for name in ("ill", "well")]
    for worker, is_well in zip(workers, [lambda: not ill[0], lambda: True]):
        threading.Thread(target=serve, args=(worker, is_well), daemon=True).start()
    health = {"path": "/healthz", "interval": "100ms", "timeout": "1m", "fall": 2, "rise": 2}
    pool = {"workers": [str(worker.path) for worker in workers], "health": health, "balance": "round_robin"}
    edge = start_edge({"main": pool})
    up = lambda: sorted(worker["path"].rpartition("/")[2] for worker in edge.workers() if worker["up"])
    eventually(lambda: up() == ["well"])
    assert {ask(edge).body for _ in range(10)} == {b"well"}
    ill[0] = False
    eventually(lambda: up() == ["ill", "well"])
    assert {ask(edge).body for _ in range(10)} == {b"ill", b"well"}


def test_1000_clients_learn_at_once_that_their_worker_was_killed(start_edge, directory, closing):
    worker = closing(ForeignWorker("aiohttp", directory))
    worker.wait_until_ready()
    edge = start_edge({"main": [worker.path]})
    clients = [closing(FrameStream(edge.connect("plain"))) for _ in range(1000)]
    for client in clients:
        client.send(upgrade_request())
    for client in clients:
        assert client.response().status == 101
    worker.child.kill()
    killed = time.monotonic()
    assert [client.close_frame()[0] for client in clients] == [1014] * 1000
    assert time.monotonic() - killed < slow(10), "the first ping is due after an hour"


# Clients


def offer(upstream, stopped):
    """A worker that offers messages of 64 KiB until its connection ends."""
    message = frame(BINARY, bytes(64 << 10), mask=None)
    upstream.sock.settimeout(None)
    try:
        while True:
            upstream.send(message)
    except OSError:
        stopped.append(time.monotonic())


@pytest.mark.parametrize("listener", ["secure", "plain"])
def test_a_client_that_stops_reading_holds_128_kib_and_is_closed_for_no_progress(relayed, closing, listener):
    pair = relayed(timeouts={"stall": {"min_bytes": "4KiB", "timeout": "2s"}, "close": "1s"})
    resident = pair.edge.metric("process_resident_memory_bytes")
    client, upstream = pair.open(listener, receive_buffer=4096)
    began = time.monotonic()
    stopped = []
    threading.Thread(target=offer, args=(upstream, stopped), daemon=True).start()
    held = 0

    def is_closed():
        nonlocal held
        held = max([held, *(line["queued_bytes"] for line in pair.edge.connections())])
        assert pair.edge.metric("sluice_send_queue_bytes") <= 128 << 10
        return pair.edge.events("connection.closed")

    closed = eventually(is_closed, 20, "the client being closed")
    assert 0 < held <= 128 << 10
    # AddressSanitizer holds on to what is freed.
    assert REPORTS or pair.edge.metric("process_resident_memory_bytes") - resident < 8 * MIB
    assert (closed[0]["close.code"], closed[0]["close.reason"]) == (1013, "no_progress")
    assert 1.5 < time.monotonic() - began < slow(20), "two seconds without progress, and one for the Close; elsewhere half a minute"
    assert pair.edge.metric("sluice_slow_consumers_total") == 1
    eventually(lambda: stopped, what="the worker being let go")
    eventually(lambda: pair.edge.metric("sluice_send_queue_bytes") == 0)


def test_a_slow_client_that_makes_progress_is_kept_and_loses_nothing(relayed):
    pair = relayed(timeouts={"stall": {"min_bytes": "4KiB", "timeout": "4s"}})
    client, upstream = pair.open("plain", receive_buffer=4096)
    upstream.sock.settimeout(patient(30))
    threading.Thread(
        target=lambda: [upstream.send_frame(BINARY, bytes([number]) * 50_000) for number in range(40)], daemon=True).start()
    began = time.monotonic()
    for number in range(40):
        if time.monotonic() - began < 6:
            time.sleep(0.25)  # It is slow for longer than it may make no progress.
        assert client.frame().payload == bytes([number]) * 50_000
    client.send_frame(TEXT, b"still here")
    assert upstream.frame().payload == b"still here"


def test_a_plain_client_that_stops_reading_its_download_is_cut_off(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]}, timeouts={"stall": {"min_bytes": "4KiB", "timeout": "1s"}})
    client = closing(ByteStream(edge.connect("plain", receive_buffer=4096)))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
    stopped = []
    threading.Thread(target=offer, args=(upstream, stopped), daemon=True).start()

    def is_cut_off():
        assert edge.metric("sluice_send_queue_bytes") <= 128 << 10
        return stopped

    eventually(is_cut_off, what="the worker being let go")
    assert edge.metric("sluice_slow_consumers_total") == 1
    received = len(client.rest())
    assert 0 < received < 64 * MIB


def test_a_client_that_leaves_an_event_stream_lets_its_worker_go(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]})
    client = closing(ByteStream(edge.connect()))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
    assert client.until(b"first")
    client.close()
    assert upstream.rest() == b""


def test_a_worker_that_stops_reading_stops_the_client_and_loses_nothing(relayed):
    pair = relayed()
    client, upstream = pair.open("plain")
    sent = []

    def push():
        client.sock.settimeout(None)
        for number in range(160):
            client.send_frame(BINARY, bytes([number]) * 100_000)
            sent.append(number)

    threading.Thread(target=push, daemon=True).start()
    assert unchanged(lambda: len(sent), 0.3) < 160
    assert all(line["queued_bytes"] <= 128 << 10 for line in pair.edge.connections())
    for number in range(160):
        assert upstream.frame().payload == bytes([number]) * 100_000


def test_a_client_that_ends_only_its_sending_side_is_taken_for_gone(relayed):
    client, upstream = relayed().open("plain")
    client.send_frame(TEXT, b"last")
    client.sock.shutdown(socket.SHUT_WR)
    assert upstream.frame().payload == b"last"
    assert upstream.rest() == b""
    assert client.is_ended()


def test_a_plain_client_that_ends_its_sending_side_still_gets_its_answer(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]})
    client = closing(ByteStream(edge.connect("plain")))
    client.send(request())
    client.sock.shutdown(socket.SHUT_WR)
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.response().body == b"ok"
    assert client.is_ended()


def test_a_half_open_client_is_found_by_its_missing_pong(relayed):
    pair = relayed([open_route(ping={"interval": "300ms", "timeout": "300ms"})], timeouts={"close": "300ms"})
    client, upstream = pair.open("plain")
    # Nothing of the client's reaches the edge any more, as if its network were gone; its socket stays open.
    assert upstream.close_frame()[0] == 1001
    (line,) = eventually(lambda: pair.edge.events("connection.closed"))
    assert (line["close.code"], line["close.initiator"]) == (4408, "network")
    assert client.sock.fileno() >= 0


def test_2000_resets_in_a_row_leave_no_descriptor(relayed):
    pair = relayed()
    warm, upstream = pair.open("plain")
    before = pair.edge.child.open_descriptors()

    def serve():
        while True:
            stream = pair.worker.next(within=None)
            try:
                accept_upgrade(stream)
            except (OSError, EOFError):
                stream.close()

    threading.Thread(target=serve, daemon=True).start()
    for number in range(2000):
        stream = FrameStream(pair.edge.connect("secure" if number % 20 == 0 else "plain"))
        match number % 4:
            case 0: pass
            case 1: stream.send(b"GET /ws HT")
            case 2: stream.send(upgrade_request())
            case 3:
                stream.send(upgrade_request())
                stream.response()
        stream.reset()
    eventually(lambda: pair.edge.child.open_descriptors() <= before, 20, "every descriptor being closed")
    eventually(lambda: pair.edge.metric("sluice_connections") == 1)
    assert len(pair.edge.connections()) == 1
    warm.send_frame(TEXT, b"unharmed")
    assert upstream.frame().payload == b"unharmed"


# Descriptors


def test_out_of_descriptors_nothing_that_lives_is_harmed_and_accepting_recovers(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]}, descriptors=256)
    client = closing(FrameStream(edge.connect()))
    client.send(upgrade_request())
    upstream = raw_worker.next()
    accept_upgrade(upstream)
    assert client.response().status == 101

    def talk():
        """What two seconds with little to do cost the edge of a processor: the pauses are what there is to do."""
        cpu, began = edge.child.cpu_seconds(), time.monotonic()
        while time.monotonic() - began < 2:
            client.send_frame(TEXT, b"still here")
            assert upstream.frame().payload == b"still here"
            upstream.send_frame(TEXT, b"so am I")
            assert client.frame().payload == b"so am I"
            assert edge.admin("GET", "/livez")[0] == 200
            time.sleep(0.05)
        return edge.child.cpu_seconds() - cpu

    alone = talk()
    crowd = [closing(ByteStream(edge.connect("plain"))) for _ in range(400)]
    eventually(lambda: edge.events("accept.failed"), what="descriptors running out")
    assert talk() < 2 * alone + 0.3, "the edge spins"
    for stream in crowd:
        stream.close()
    freed = time.monotonic()
    # Within half a second the crowd's remains are accepted, and found gone; before that the edge may still be full.
    status = lambda: json.loads(edge.admin("GET", "/api/v1/status")[1])
    eventually(lambda: time.monotonic() - freed > 0.6 and status()["connections"] == 1)
    stream = closing(FrameStream(edge.connect("plain")))
    stream.send(upgrade_request())
    newcomer = raw_worker.next()
    accept_upgrade(newcomer)
    assert stream.response().status == 101


def test_beyond_max_connections_is_503_and_the_edge_stays_usable(relayed, closing):
    pair = relayed(limits={"max_connections": 10, "exempt": ["127.0.0.0/8"]})
    pairs = [pair.open("plain") for _ in range(10)]
    for _ in range(20):
        response = ask(pair.edge)
        assert (response.status, response.word) == (503, "edge_limit")
        assert response["Retry-After"] and response["Connection"] == "close"
    pairs[0][0].close()
    eventually(lambda: json.loads(pair.edge.admin("GET", "/api/v1/status")[1])["connections"] < 10)
    pair.open("plain")
