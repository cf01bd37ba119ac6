"""HTTP/2: requests, and WebSockets as streams (RFC 9113, RFC 8441), with curl and the Python library `h2` as clients."""

import socket
import subprocess

import pytest

from edge import Edge, configuration, open_route
from frames import CLOSE, PING, PONG, TEXT
from streams import Multiplexed
from waiting import eventually

BOTH = ["h2", "http/1.1"]


def listeners(site, plain=BOTH):
    tls = {"certificates": [{"chain": str(site.chain), "key": str(site.key)}]}
    return [
        {"name": "secure", "address": "127.0.0.1:0", "tls": tls},
        {"name": "plain", "address": "127.0.0.1:0", "protocols": plain},
    ]


@pytest.fixture(scope="module")
def edge(module_directory, site, echo_worker):
    document = configuration(
        module_directory, site, {"main": [echo_worker.path]},
        [open_route(path="/", subprotocols=["chat.v2"]),
         open_route(path="/pages", name="pages", origins=["https://chat.example.test"], reject={"origin": "close"}),
         open_route(path="/private", name="private", auth="main")],
        listeners=listeners(site))
    with Edge(module_directory, site, document) as edge:
        yield edge


@pytest.fixture
def connect(edge, site, closing):
    """Connects to an edge by HTTP/2, with TLS or by prior knowledge."""

    def connect(to=edge, listener="secure", **more):
        if listener == "secure":
            context = site.client_context()
            context.set_alpn_protocols(["h2"])
            raw = socket.create_connection(("127.0.0.1", to.ports["secure"]), timeout=10)
            sock = context.wrap_socket(raw, server_hostname="localhost")
            assert sock.selected_alpn_protocol() == "h2"
        else:
            sock = to.connect(listener)
        return closing(Multiplexed(sock, **more))

    return connect


def curl(edge, target, *options, listener="secure"):
    scheme = "https" if listener == "secure" else "http"
    command = ["curl", "-sS", "--max-time", "20", "--cacert", str(edge.site.chain), *options,
               f"{scheme}://localhost:{edge.ports[listener]}{target}"]
    return subprocess.run(command, capture_output=True, check=True).stdout


VERSION = ["-o", "/dev/null", "-w", "%{http_version} %{http_code}"]


# Which version is spoken


def test_a_client_that_offers_both_speaks_http_2(edge):
    assert curl(edge, "/hello", "--http2", *VERSION) == b"2 200"
    assert curl(edge, "/hello", "--http1.1", *VERSION) == b"1.1 200"


def test_a_plaintext_listener_takes_both_by_their_first_bytes(edge):
    assert curl(edge, "/hello", "--http2-prior-knowledge", *VERSION, listener="plain") == b"2 200"
    assert curl(edge, "/hello", "--http1.1", *VERSION, listener="plain") == b"1.1 200"


def test_a_preface_may_come_byte_by_byte(edge, connect):
    sock = edge.connect("plain")
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0":
        sock.sendall(bytes([byte]))
    assert sock.recv(9)[3] == 4, "no SETTINGS"
    sock.close()


def test_a_listener_speaks_only_the_versions_it_names(start_edge, site, echo_worker):
    edge = start_edge({"main": [echo_worker.path]}, listeners=[
        listeners(site)[0] | {"protocols": ["http/1.1"]}, listeners(site, plain=["http/1.1"])[1],
        {"name": "modern", "address": "127.0.0.1:0", "protocols": ["h2"]}])
    assert curl(edge, "/hello", "--http2", *VERSION) == b"1.1 200"
    sock = edge.connect("plain")
    sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert sock.recv(100).startswith(b"HTTP/1.1 505")
    sock.close()
    assert curl(edge, "/hello", "--http2-prior-knowledge", *VERSION, listener="modern") == b"2 200"
    assert curl(edge, "/hello", "--http1.1", *VERSION, listener="modern") == b"1.1 505"


# WebSockets as streams


@pytest.mark.parametrize("listener", ["secure", "plain"])
def test_a_stream_carries_a_websocket(connect, listener):
    connection = connect(listener=listener)
    client, response = connection.open_websocket("/ws")
    client.send_frame(TEXT, b"hello")
    received = client.frame()
    assert (received.opcode, received.payload, received.was_masked) == (TEXT, b"hello", False)
    client.send_frame(PING, b"?")
    assert client.frame().opcode == PONG
    client.send_close(1000)
    assert client.close_frame() == (1000, "")
    assert client.is_ended() and client.sock.reset_code is None


def test_many_websockets_share_a_connection_beside_requests(connect):
    connection = connect()
    clients = [connection.open_websocket("/ws")[0] for _ in range(20)]
    for turn in range(3):
        for number, client in enumerate(clients):
            client.send_frame(TEXT, f"{turn} {number}".encode())
        assert connection.request("/hello").response().status == 200
        for number, client in enumerate(clients):
            assert client.frame().payload == f"{turn} {number}".encode()


def test_the_edge_says_that_it_takes_websockets(connect):
    settings = connect().wait_for_settings()
    assert settings[8] == 1  # SETTINGS_ENABLE_CONNECT_PROTOCOL
    assert settings[3] == 128  # SETTINGS_MAX_CONCURRENT_STREAMS


def test_a_subprotocol_is_agreed_on(connect):
    client, response = connect().open_websocket("/ws", [("sec-websocket-protocol", "other, chat.v2")])
    assert response["sec-websocket-protocol"] == "chat.v2"


def test_it_is_listed_as_what_it_is_and_kicked_alone(edge, connect):
    connection = connect()
    first, _ = connection.open_websocket("/ws/first")
    second, _ = connection.open_websocket("/ws/second")
    listed = eventually(lambda: [one for one in edge.connections() if one["protocol"] == "h2"] or None)
    mine = listed[-2:]
    assert len({one["id"] for one in mine}) == 2
    status, _ = edge.admin("DELETE", f"/api/v1/connections/{mine[0]['id']}", {"code": 4403, "reason": "bye"})
    assert status == 200
    assert first.close_frame() == (4403, "bye")
    second.send_frame(TEXT, b"still here")
    assert second.frame().payload == b"still here"


# What is refused


@pytest.mark.parametrize("fields, status, word", [
    ([(":method", "CONNECT"), (":authority", "localhost:80")], 501, "method_not_implemented"),
    ([(":method", "CONNECT"), (":protocol", "connect-udp"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")],
     501, "protocol_not_implemented"),
    ([(":method", "GET"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")],
     400, "pseudo_field"),
    ([(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "localhost"), (":path", "/ws")],
     426, "websocket_version_unsupported"),
    ([(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/a/../b")], 400, "path_dot_segment"),
    ([(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/"), ("host", "other")],
     400, "host_mismatch"),
    ([(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/"), ("connection", "close")],
     400, "connection_field"),
    ([(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/"), ("X-Upper", "1")],
     400, "field_name_case"),
    ([(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/"), ("a", "b\r\nc: d")],
     400, "control_byte"),
], ids=lambda value: value if isinstance(value, str) else None)
def test_a_request_that_is_not_in_order_is_told_so(connect, fields, status, word):
    connection = connect()
    response = connection.open(fields).response()
    assert (response.status, response.word) == (status, word)
    assert connection.request("/hello").response().status == 200, "the connection goes on"
