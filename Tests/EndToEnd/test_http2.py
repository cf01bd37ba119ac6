"""HTTP/2: requests, and WebSockets as streams (RFC 9113, RFC 8441), with curl and the Python library `h2` as clients."""

import json
import os
import socket
import struct
import subprocess

import pytest

from edge import Edge, configuration, open_route
from frames import PING, PONG, TEXT, FrameStream
from relayed import open_stream
from streams import Multiplexed
from test_demo import Window
from waiting import eventually, patient
from workers import accept_upgrade

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
            raw = socket.create_connection(("127.0.0.1", to.ports["secure"]), timeout=patient(10))
            sock = context.wrap_socket(raw, server_hostname="localhost")
            assert sock.selected_alpn_protocol() == "h2"
        else:
            sock = to.connect(listener)
        return closing(Multiplexed(sock, **more))

    return connect


def curl(edge, target, *options, listener="secure"):
    scheme = "https" if listener == "secure" else "http"
    command = ["curl", "-sS", "--max-time", str(patient(20)), "--cacert", str(edge.site.chain), *options,
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


def test_a_worker_sees_a_handshake_of_the_edges_own(start_edge, raw_worker, site, connect):
    edge = start_edge({"main": [raw_worker.path]}, listeners=listeners(site))
    stream = connect(edge).websocket("/ws?a=1", [("cookie", "a=1"), ("cookie", "b=2"), ("sec-websocket-key", "x")])
    worker = raw_worker.next()
    fields = dict(accept_upgrade(worker, [("Set-Cookie", "c=3"), ("Connection", "x"), ("X-Worker", "1")]))
    assert (fields["Host"], fields["cookie"], fields["X-Forwarded-Proto"]) == ("localhost", "a=1; b=2", "https")
    assert fields["Sec-WebSocket-Key"] != "x"
    head = stream.head()
    assert (head.status, head["set-cookie"], head["x-worker"]) == (200, "c=3", "1")
    assert {name for name, _ in head.fields}.isdisjoint({"connection", "upgrade", "sec-websocket-accept"})


@pytest.mark.parametrize("answer, status", [
    (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403), (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 502)])
def test_a_worker_that_opens_no_websocket_is_never_read_as_one_that_does(start_edge, raw_worker, site, connect, answer, status):
    edge = start_edge({"main": [raw_worker.path]}, listeners=listeners(site))
    stream = connect(edge).websocket("/ws")
    worker = raw_worker.next()
    worker.head()
    worker.send(answer)
    assert stream.response().status == status


def test_each_end_of_a_stream_reaches_the_worker_and_back(relayed_streams):
    edge, worker, connection = relayed_streams()
    clients = [open_stream(connection, worker) for _ in range(3)]
    (ended, first), (reset, second), (kept, third) = clients
    ended.sock.end()  # As a TCP connection that is closed without a Close frame.
    assert first.is_ended() and ended.is_ended() and ended.sock.reset_code is None
    reset.sock.reset()
    assert second.is_ended()
    third.send_close(1000)
    assert kept.close_frame() == (1000, "")
    kept.send_close(1000)
    assert kept.is_ended()
    assert sorted(line["close.code"] for line in eventually(lambda: three(edge.events("connection.closed")))) == [1000, 1006, 1006]


def three(lines):
    return lines if len(lines) == 3 else None


def test_a_worker_that_is_killed_is_1014_on_its_streams_alone(relayed_streams):
    edge, worker, connection = relayed_streams()
    (first, first_worker), (second, second_worker) = open_stream(connection, worker), open_stream(connection, worker)
    first_worker.close()
    assert first.close_frame()[0] == 1014
    second_worker.send_frame(TEXT, b"on")
    assert second.frame().payload == b"on"


@pytest.fixture
def relayed_streams(start_edge, raw_worker, site, connect):
    """An edge between a client of HTTP/2 and a worker that the test plays; gives all three."""

    def make(routes=None, **sections):
        edge = start_edge({"main": [raw_worker.path]}, routes, listeners=listeners(site), **sections)
        return edge, raw_worker, connect(edge)

    return make


# Backpressure


def test_a_stream_that_is_not_read_holds_itself_alone(relayed_streams):
    edge, worker, connection = relayed_streams()
    (slow_client, slow_worker), (client, other_worker) = open_stream(connection, worker), open_stream(connection, worker)
    slow_client.sock.holds_window = True
    slow_worker.sock.settimeout(0.5)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 64 << 20:
            slow_worker.send_frame(TEXT, b"x" * 60_000)
            sent += 60_000
    assert sent < 2 << 20, "what a worker offers is not held"
    for turn in range(100):
        other_worker.send_frame(TEXT, f"{turn}".encode())
        assert client.frame().payload == f"{turn}".encode()
    assert edge.metric("sluice_send_queue_bytes") <= 2 * 131_072


def test_a_worker_that_does_not_read_holds_its_stream_alone(relayed_streams):
    edge, worker, connection = relayed_streams()
    (stuck, _), (client, other_worker) = open_stream(connection, worker), open_stream(connection, worker)
    sent = 0
    while connection.h2.local_flow_control_window(stuck.sock.number) > 10_000 and sent < 64 << 20:
        stuck.send_frame(TEXT, b"x" * 8_000)
        sent += 8_000
        client.send_frame(TEXT, b"y")
        assert other_worker.frame().payload == b"y"
    assert sent < 4 << 20


def test_ten_megabytes_go_up_and_down(edge, directory):
    sent = os.urandom(10 << 20)
    (directory / "body").write_bytes(sent)
    for options in (["--http2"], ["--http2", "-H", "Content-Length:"]):
        assert curl(edge, "/echo", *options, "--data-binary", f"@{directory}/body") == sent


def test_an_event_stream_flows_as_it_comes(connect):
    connection = connect()
    stream = connection.request("/events")
    assert stream.head()["content-type"] == "text/event-stream"
    assert stream.recv(100).startswith(b"data: first")
    stream.reset()
    assert connection.request("/hello").response().body == b"hello"


def test_a_head_is_asked_for_alone(connect):
    connection = connect()
    stream = connection.request("/hello", method="HEAD")
    response = stream.response()
    assert (response.status, response.body) == (200, b"")


def test_h2load_is_served_without_an_error(edge):
    command = ["h2load", "-n", "2000", "-c", "4", "-m", "32", f"{edge.https}/hello"]
    result = subprocess.run(command, capture_output=True, check=True, timeout=patient(60)).stdout.decode()
    assert "2000 succeeded, 0 failed, 0 errored" in result, result


# The gate


def test_origins_and_tokens_are_asked_for(connect, site):
    connection = connect()
    page = [("origin", "https://chat.example.test")]
    assert connection.websocket("/private/ws").response().word == "token_missing"
    token = [("authorization", f"Bearer {site.token()}")]
    client, _ = connection.open_websocket("/private/ws", token)
    client.send_frame(TEXT, b"in")
    assert client.frame().payload == b"in"
    client, _ = connection.open_websocket("/pages/ws", page)
    client.send_frame(TEXT, b"in")
    assert client.frame().payload == b"in"


def test_a_refusal_can_be_told_by_a_close(connect):
    client, response = connect().open_websocket("/pages/ws", [("origin", "https://evil.example.test")])
    assert client.close_frame() == (1008, "origin_denied")
    client.send_close(1008)
    assert client.is_ended()


def test_the_first_message_brings_the_token(start_edge, raw_worker, site, connect):
    auth = {"issuer": "https://id.example.test/", "audience": ["chat"], "algorithms": ["ES256"],
            "keys": {"file": str(site.jwks)}, "token_from": ["first_message"]}
    edge = start_edge(
        {"main": [raw_worker.path]}, [open_route(auth="main")], auth={"main": auth}, listeners=listeners(site))
    connection = connect(edge)
    client, _ = connection.open_websocket("/ws")
    client.send_frame(TEXT, json.dumps({"type": "edge.token", "token": site.token("alice")}, separators=(",", ":")).encode())
    client.send_frame(TEXT, b"hello")
    worker = raw_worker.next()
    accept_upgrade(worker)
    assert worker.frame().payload == b"hello"
    worker.send_frame(TEXT, b"hi")
    assert client.frame().payload == b"hi"


def leave(client):
    """Closes a WebSocket and its stream."""
    client.send_close(1000)
    client.close_frame()
    assert client.is_ended()
    client.sock.end()


def test_streams_do_not_get_around_the_cap_of_an_address(start_edge, site, echo_worker, connect):
    edge = start_edge(
        {"main": [echo_worker.path]}, listeners=listeners(site),
        limits={"handshakes": {"rate": "10000/s"}, "per_ip": {"connections": 3, "handshakes": {"rate": "1000/s", "burst": 1000}}})
    connection = connect(edge)
    clients = [connection.open_websocket("/ws")[0] for _ in range(3)]
    assert connection.websocket("/ws").response().word == "ip_limit"
    assert connection.request("/hello").response().status == 200, "a request is no connection"
    leave(clients[0])
    clients[0] = connection.open_websocket("/ws")[0]
    assert connection.websocket("/ws").response().word == "ip_limit"


def test_streams_count_in_the_cap_of_the_edge(start_edge, site, echo_worker, connect):
    edge = start_edge(
        {"main": [echo_worker.path]}, listeners=listeners(site), limits={"exempt": ["127.0.0.0/8"], "max_connections": 3})
    connection = connect(edge)
    clients = [connection.open_websocket("/ws")[0] for _ in range(3)]
    assert connection.websocket("/ws").response().word == "edge_limit"
    assert connection.request("/hello").response().word == "edge_limit"
    leave(clients[2])
    assert connection.request("/hello").response().status == 200


def test_attempts_over_a_connection_that_is_kept_are_no_faster(start_edge, site, echo_worker, connect):
    edge = start_edge(
        {"main": [echo_worker.path]}, listeners=listeners(site),
        limits={"handshakes": {"rate": "10000/s"}, "per_ip": {"handshakes": {"rate": "1/1d", "burst": 5}}})
    connection = connect(edge)
    statuses = []
    for _ in range(8):
        stream = connection.websocket("/ws")
        statuses.append(stream.head().status)
        stream.close()
        eventually(lambda: edge.connections() == [])
    assert statuses == [200] * 5 + [429] * 3


def test_a_user_has_as_many_websockets_as_over_http_1_1(start_edge, site, echo_worker, connect):
    edge = start_edge(
        {"main": [echo_worker.path]}, [open_route(auth="main")], listeners=listeners(site),
        limits={"exempt": ["127.0.0.0/8"], "per_user": {"connections": 2, "when_full": "replace_oldest"}})
    connection = connect(edge)
    token = [("authorization", f"Bearer {site.token()}")]
    first, second, third = [connection.open_websocket("/ws", token)[0] for _ in range(3)]
    assert first.close_frame() == (4409, "replaced")
    for client in (second, third):
        client.send_frame(TEXT, b"in")
        assert client.frame().payload == b"in"


def test_a_limit_on_messages_makes_one_stream_wait(start_edge, site, echo_worker, connect):
    route = open_route(messages={"rate": "1/1d", "burst": 5, "over": "close"})
    edge = start_edge({"main": [echo_worker.path]}, [route], listeners=listeners(site))
    connection = connect(edge)
    chatty, _ = connection.open_websocket("/ws")
    calm, _ = connection.open_websocket("/ws")
    for number in range(6):
        chatty.send_frame(TEXT, f"{number}".encode())
    assert chatty.close_frame()[0] == 4429
    calm.send_frame(TEXT, b"in")
    assert calm.frame().payload == b"in"


# Time, floods, the end


def test_a_client_that_does_not_finish_a_head_loses_its_connection(start_edge, site, echo_worker, connect):
    edge = start_edge({"main": [echo_worker.path]}, listeners=listeners(site), timeouts={"head": "1s"})
    connection = connect(edge)
    client, _ = connection.open_websocket("/ws")
    connection.send_raw(b"\0\0\1\1\0" + struct.pack(">I", 101) + b"\x82")
    assert connection.wait_for_end() == 11


def test_a_client_that_says_nothing_is_not_waited_for(start_edge, site, echo_worker):
    edge = start_edge({"main": [echo_worker.path]}, listeners=listeners(site), timeouts={"head": "1s"})
    for beginning in (b"", b"PRI * HTTP", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        sock = edge.connect("plain")
        sock.sendall(beginning)
        while sock.recv(4096):
            pass
        sock.close()


def test_requests_that_are_taken_back_are_told_from_a_flood_of_them(edge, connect):
    connection = connect()
    for _ in range(100):
        connection.request("/events").reset()
    assert connection.request("/hello").response().status == 200
    with pytest.raises((EOFError, OSError)):
        for _ in range(1000):
            connection.request("/events").reset()
        connection.wait_for_end()
        raise EOFError
    assert edge.metric("sluice_http2_floods_total", kind="rapid_reset") == 1
    eventually(lambda: edge.metric("sluice_worker_connections") == len(edge.connections()), what="every worker being let go")


def test_a_drain_says_goodbye_to_requests_and_websockets(relayed_streams):
    edge, worker, connection = relayed_streams()
    client, upstream = open_stream(connection, worker)
    request = connection.request("/slow")
    answering = worker.next()
    answering.head()
    edge.terminate()
    assert client.close_frame() == (1012, "edge_draining")
    assert connection.goaways[0] == (0, 2**31 - 1)
    answering.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
    assert request.response().body == b"done"
    client.send_close(1012)
    assert connection.wait_for_end() == 0
    assert edge.child.wait(patient(10)) == 0


def test_a_page_in_chromium_has_its_websocket_on_its_own_connection(start_edge, site, echo_worker, directory, closing):
    edge = start_edge({"main": [echo_worker.path]}, listeners=listeners(site))
    window = closing(Window(f"{edge.https}/hello", "http2", directory))
    window.driver.set_script_timeout(patient(20))
    echoed = window.driver.execute_async_script(
        """
        const done = arguments[1];
        const sockets = Array.from({length: 20}, () => new WebSocket(arguments[0]));
        const echoes = sockets.map((socket, index) => new Promise((resolve, reject) => {
          socket.onopen = () => socket.send(`hello ${index}`);
          socket.onmessage = (event) => resolve(event.data);
          socket.onclose = (event) => reject(`${event.code}`);
        }));
        window.kept = sockets;
        Promise.all(echoes).then(done, done);
        """, f"{edge.wss}/ws")
    assert echoed == [f"hello {number}" for number in range(20)]
    assert window.driver.execute_script("return performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
    page = eventually(lambda: edge.events("http.request", url_path="/hello"))[0]
    sockets = eventually(lambda: len(edge.events("connection.opened")) >= 20 and edge.events("connection.opened"))
    assert {line["network.peer.address"] for line in sockets} == {page["network.peer.address"]}
    assert len({line["conn.id"] for line in sockets}) == 20
    assert {line["network.protocol.version"] for line in [page, *sockets]} == {"2"}
    window.driver.execute_script("window.kept[0].close(4000, 'bye')")
    closed = eventually(lambda: edge.events("connection.closed"))
    assert [(line["close.code"], line["close.reason"]) for line in closed] == [(4000, "bye")]
    assert len(edge.connections()) == 19


def test_a_head_that_a_reset_cuts_short_costs_its_stream_alone(start_edge, raw_worker, connect, site, closing):
    edge = start_edge({"main": [raw_worker.path]}, listeners=listeners(site), timeouts={"head": "1s"})
    client = connect(edge, "plain")
    socket_stream = client.websocket("/ws", scheme="http")
    upstream = raw_worker.next()
    accept_upgrade(upstream)
    assert socket_stream.head().status == 200
    upload = client.open([(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/upload")])
    upload.sendall(b"abc")
    worker = raw_worker.next()
    worker.head()
    worker.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
    upload.head()
    client.send_raw(struct.pack("!I", 3)[1:] + bytes([1, 1]) + struct.pack("!I", upload.number) + b"\x00\x01x")
    worker.sock.close()
    while not upload.is_ended:
        client.more()
    client.send_raw(struct.pack("!I", 2)[1:] + bytes([9, 4]) + struct.pack("!I", upload.number) + b"\x01y")
    # Its deadline is later than that of the head that was cut short.
    slow_head = closing(FrameStream(edge.connect("plain")))
    slow_head.send(b"GET")
    assert slow_head.response().status == 408
    FrameStream(socket_stream).send_frame(TEXT, b"still")
    assert upstream.frame().payload == b"still"
