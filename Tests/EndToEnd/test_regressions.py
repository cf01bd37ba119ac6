"""Faults that were found once, so that they are not found again."""

import socket
import ssl
import struct
import threading
import time

import pytest

from edge import open_route
from frames import FrameStream, upgrade_request
from rawhttp import ByteStream, request
from waiting import eventually, patient, unchanged


def test_a_request_whose_worker_has_said_anything_is_not_asked_again(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]})
    client = closing(ByteStream(edge.connect()))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert client.response().status == 103
    upstream.close()
    assert client.response().status == 502
    assert raw_worker.accepted == 1


def test_interim_answers_without_end_are_not_piled_up_and_meet_the_deadline(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]}, timeouts={"worker_response": "1s"})
    client = closing(ByteStream(edge.connect("plain", receive_buffer=4096)))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    ended = []

    def hint_on_and_on():
        try:
            while True:
                upstream.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000)
        except OSError:
            ended.append(True)

    threading.Thread(target=hint_on_and_on, daemon=True).start()
    resident = edge.metric("process_resident_memory_bytes")

    def is_ended():
        assert edge.metric("process_resident_memory_bytes") - resident < 4 << 20
        return ended

    eventually(is_ended, what="the deadline")


def test_a_body_that_breaks_off_is_a_reset_to_a_client_of_http_1_0(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]})
    client = closing(ByteStream(edge.connect("plain")))
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
    client.until(b"\r\n\r\n")
    upstream.close()
    with pytest.raises(ConnectionResetError):
        while True:
            client.more()


def test_a_client_beyond_its_cap_does_not_hold_its_connection(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]}, [open_route(path="/ws")], limits={"per_ip": {"connections": 1}})
    held = closing(ByteStream(edge.connect("plain")))
    held.send(request("/nowhere"))
    assert held.response().status == 404
    beyond = closing(ByteStream(edge.connect("plain")))
    beyond.send(request("/nowhere"))
    beyond.response()
    assert beyond.is_ended()


def test_a_drain_ends_at_its_timeout_even_within_the_delay(relayed):
    pair = relayed(drain={"delay": "30s", "spread": "30s", "timeout": "1s"})
    pair.open("plain")
    pair.edge.terminate()
    assert pair.edge.child.wait() == 0


def test_a_client_that_resets_within_its_handshake_harms_nobody(relayed):
    pair = relayed()
    client, upstream = pair.open()
    context = pair.edge.site.client_context()
    for _ in range(300):
        raw = socket.create_connection(("127.0.0.1", pair.edge.ports["secure"]), patient(10))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        # Finished and data in one piece, and the reset right behind them.
        tls.write(request("/nowhere") * 20)
        raw.sendall(outgoing.read())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
    client.send_frame(1, b"unharmed")
    assert upstream.frame().payload == b"unharmed"
    assert pair.edge.child.exit_code is None


def test_a_full_backlog_is_no_failed_check(start_edge, directory, closing):
    path = directory / "worker.sock"
    listener = closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    listener.bind(str(path))
    listener.listen(0)
    filler = closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    filler.connect(str(path))
    health = {"path": "/healthz", "interval": "100ms", "timeout": "100ms", "fall": 2, "rise": 2}
    edge = start_edge({"main": {"workers": [str(path)], "health": health}})
    assert unchanged(lambda: [worker["up"] for worker in edge.workers()], 1) == [True]


def test_denials_beyond_one_a_second_are_counted_in_a_line_of_their_own(relayed):
    pair = relayed([open_route(origins=["https://a.test"])])
    began = time.monotonic()
    for _ in range(50):
        stream = FrameStream(pair.edge.connect("plain"))
        stream.send(upgrade_request(fields=[("Origin", "https://b.test")]))
        assert stream.response().status == 403
        stream.close()
    seconds = time.monotonic() - began

    def told():
        """How many denials have a line of their own, and how many are told of by others."""
        return len(pair.edge.events("connection.denied")), sum(line.get("suppressed", 0) for line in pair.edge.log())

    eventually(lambda: sum(told()) == 50, what="every denial being told of")
    assert told()[0] <= 1 + seconds
