"""Proxies in front that say who the client is before its first byte."""

import json
import socket
import struct

import pytest

from edge import open_route
from frames import TEXT, FrameStream, upgrade_request
from waiting import eventually, patient

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def text_header(address="203.0.113.9", port=4711):
    family = "TCP6" if ":" in address else "TCP4"
    return f"PROXY {family} {address} {'::1' if ':' in address else '127.0.0.1'} {port} 443\r\n".encode()


def binary_header(address="203.0.113.9", port=4711, command=0x21, extensions=b""):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    destination = socket.inet_pton(family, "::1" if ":" in address else "127.0.0.1")
    body = socket.inet_pton(family, address) + destination + struct.pack("!HH", port, 443) + extensions
    return SIGNATURE + bytes([command, 0x21 if ":" in address else 0x11]) + struct.pack("!H", len(body)) + body


@pytest.fixture
def proxied(start_edge, echo_worker, site):
    """Starts an edge behind a proxy on loopback."""

    def start(mode="required", trusted=("127.0.0.0/8",), **sections):
        tls = {"certificates": [{"chain": str(site.chain), "key": str(site.key)}]}
        listeners = [
            {"name": "secure", "address": "127.0.0.1:0", "tls": tls, "proxy_protocol": mode},
            {"name": "plain", "address": "127.0.0.1:0", "proxy_protocol": mode}]
        return start_edge(
            {"main": [echo_worker.path]}, [open_route()], listeners=listeners, trusted_proxies=list(trusted),
            **{"limits": {"handshakes": {"rate": "10000/s"}}} | sections)

    return start


def dial(edge, listener, *pieces, source=None):
    """A stream to a listener of the edge, behind a header that goes out in pieces."""
    raw = socket.socket()
    raw.settimeout(patient(10))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if source:
        raw.bind((source, 0))
    raw.connect(("127.0.0.1", edge.ports[listener]))
    for piece in pieces:
        raw.sendall(piece)
    if listener == "secure":
        raw = edge.site.client_context().wrap_socket(raw, server_hostname="localhost")
    return FrameStream(raw)


def is_reset(edge, listener, *pieces):
    raw = socket.socket()
    raw.settimeout(patient(10))
    raw.connect(("127.0.0.1", edge.ports[listener]))
    try:
        for piece in pieces:
            raw.sendall(piece)
        return raw.recv(1) == b""
    except ConnectionError:
        return True
    finally:
        raw.close()


def talks(stream):
    stream.send(upgrade_request())
    assert stream.response().status == 101
    stream.send_frame(TEXT, b"hello")
    assert stream.frame().payload == b"hello"


@pytest.mark.parametrize("listener", ["plain", "secure"])
@pytest.mark.parametrize("header, address", [
    (text_header(), "203.0.113.9"), (text_header("2001:db8::9"), "2001:db8::9"), (binary_header(), "203.0.113.9"),
    (binary_header("2001:db8::9"), "2001:db8::9"), (binary_header(extensions=b"\x04\x01\x00" + bytes(256)), "203.0.113.9"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"), (binary_header(command=0x20), "127.0.0.1")])
def test_the_client_is_who_the_header_says(proxied, closing, listener, header, address):
    edge = proxied()
    for pieces in ([header], [header[:1], header[1:]], [header[:14], header[14:-1], header[-1:]]):
        talks(closing(dial(edge, listener, *pieces)))
    assert {connection["client_address"] for connection in edge.connections()} == {address}


def test_a_header_and_the_first_request_may_come_together(proxied, closing):
    edge = proxied()
    stream = closing(dial(edge, "plain", binary_header() + upgrade_request()))
    assert stream.response().status == 101


def test_limits_hold_for_the_client_behind_the_proxy_and_not_for_the_proxy(proxied, closing):
    edge = proxied(limits={"handshakes": {"rate": "10000/s"}, "per_ip": {"connections": 1}})
    for client in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
        talks(closing(dial(edge, "plain", text_header(client))))
    second = closing(dial(edge, "plain", text_header("203.0.113.2")))
    second.send(upgrade_request())
    assert second.response().status == 429
    assert edge.admin("POST", "/api/v1/rules", {"action": "ban", "ip": "203.0.113.9"})[0] == 201
    banned = closing(dial(edge, "plain", text_header("203.0.113.9")))
    banned.send(upgrade_request())
    assert banned.response().status == 403


@pytest.mark.parametrize("bytes_", [
    b"GET / HTTP/1.1\r\n", b"PROXY TCP4 1.2.3.4\r\n", b"PROXY TCP4 " + b"x" * 200, SIGNATURE + b"\x11\x11\0\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\xff\xff", b"\x16\x03\x01\x02\0"])
def test_what_is_no_header_is_reset_where_one_is_required(proxied, closing, bytes_):
    edge = proxied()
    assert is_reset(edge, "plain", bytes_)
    reset = eventually(lambda: edge.events("connection.reset"))
    assert reset[0]["error.type"].startswith("proxy_header_")
    talks(closing(dial(edge, "plain", text_header())))
    assert eventually(lambda: edge.open_connections() == 1)


def test_where_it_is_optional_a_proxy_may_leave_it_out(proxied, closing):
    edge = proxied(mode="optional")
    for listener in ("plain", "secure"):
        talks(closing(dial(edge, listener)))
        talks(closing(dial(edge, listener, binary_header())))
    assert sorted(connection["client_address"] for connection in edge.connections()) == ["127.0.0.1"] * 2 + ["203.0.113.9"] * 2


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_a_header_from_a_peer_that_is_not_trusted_is_refused_and_counted(proxied, closing, mode):
    edge = proxied(mode=mode, trusted=["192.0.2.0/24"])
    assert is_reset(edge, "plain", text_header())
    assert is_reset(edge, "secure", binary_header())
    assert edge.metric("sluice_spoofed_forwarded_total") == 2
    if mode == "optional":
        talks(closing(dial(edge, "plain")))


def test_who_never_sends_the_header_is_let_go_and_holds_nobody_up(proxied, closing):
    edge = proxied(timeouts={"handshake": "1s"})
    silent = [closing(dial(edge, "plain", piece)) for piece in (b"", b"P", binary_header()[:-1]) for _ in range(50)]
    talks(closing(dial(edge, "plain", text_header())))
    for stream in silent:
        assert stream.is_ended()
    assert eventually(lambda: edge.open_connections() == 1)


def test_a_connection_that_waits_for_its_header_has_a_place_among_all(proxied, closing):
    edge = proxied(limits={"handshakes": {"rate": "10000/s"}, "max_connections": 4})
    waiting = [closing(dial(edge, "plain")) for _ in range(4)]
    assert eventually(lambda: edge.open_connections() == 4)
    late = closing(dial(edge, "plain", text_header()))
    late.send(upgrade_request())
    assert late.response().status == 503
    waiting[0].send(text_header() + upgrade_request())
    assert waiting[0].response().status == 101


def test_those_that_wait_for_their_header_leave_no_trace_when_a_reload_takes_their_listener(proxied, closing):
    edge = proxied()
    waiting = [closing(dial(edge, "plain")) for _ in range(10)]
    assert eventually(lambda: edge.open_connections() == 10)
    document = json.loads(edge.path.read_text())
    document["listeners"] = [listener for listener in document["listeners"] if listener["name"] == "secure"]
    edge.path.write_text(json.dumps(document))
    status, body = edge.admin("POST", "/api/v1/reload", {})
    assert status == 200, body
    for stream in waiting:
        stream.send(text_header() + upgrade_request())
        assert stream.is_ended()
    assert eventually(lambda: edge.open_connections() == 0)
