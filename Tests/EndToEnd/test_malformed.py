"""Hostile HTTP: each row is answered with exactly one status, the connection ends, and the worker hears nothing."""

import time

import pytest

from edge import Edge, configuration, open_route
from frames import FrameStream
from waiting import patient
from workers import RespondingWorker

LISTENERS = ["secure", "plain"]


@pytest.fixture(scope="module")
def worker(module_directory):
    started = RespondingWorker(module_directory / "worker.sock")
    yield started
    started.close()


def started(directory, site, worker, **sections):
    document = configuration(directory, site, {"main": [worker.path]}, [open_route(path="/ws")], **sections)
    document["listeners"][1]["protocols"] = ["http/1.1"]
    return Edge(directory, site, document)


@pytest.fixture(scope="module")
def edge(module_directory, site, worker):
    began = time.monotonic()
    with started(module_directory, site, worker) as running:
        running.began = began
        yield running


@pytest.fixture
def stream(edge, closing):
    return lambda listener="secure": closing(FrameStream(edge.connect(listener)))


@pytest.fixture
def hasty(directory, site, worker, closing):
    """Streams to an edge that gives a client a second."""
    edge = closing(started(directory, site, worker, timeouts={"head": "1s", "body_progress": "1s"}))
    return lambda listener="secure": closing(FrameStream(edge.connect(listener)))


def head(*lines, first="GET /ws HTTP/1.1", host="Host: localhost"):
    return "\r\n".join([first, *([host] if host else []), *lines, "", ""]).encode("latin-1")


def line(first):
    return head(first=first)


# name: (bytes, status)
REFUSED = {
    # Line endings and control bytes (RFC 9112 §2.2)
    "bare LF throughout": (b"GET /ws HTTP/1.1\nHost: localhost\n\n", 400),
    "bare LF after a field": (b"GET /ws HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", 400),
    "bare LF as the last line": (b"GET /ws HTTP/1.1\r\nHost: localhost\r\n\n", 400),
    "bare CR in a field": (head("X: a\rb"), 400),
    "bare CR in the target": (line("GET /w\rs HTTP/1.1"), 400),
    "NUL in a field": (head("X: a\0b"), 400),
    "NUL in the target": (line("GET /w\0s HTTP/1.1"), 400),
    "DEL in a field": (head("X: a\x7fb"), 400),
    "escape sequence in a field": (head("X: \x1b[31m"), 400),
    "two empty lines first": (b"\r\n\r\n" + head(), 400),
    # Request line (RFC 9112 §3)
    "no version": (line("GET /ws"), 400),
    "HTTP/2.0": (line("GET /ws HTTP/2.0"), 505),
    "HTTP/1.2": (line("GET /ws HTTP/1.2"), 505),
    "HTTP/0.9": (line("GET /ws HTTP/0.9"), 505),
    "lower-case version": (line("GET /ws http/1.1"), 400),
    "long version": (line("GET /ws HTTP/1.10"), 400),
    "another protocol": (line("GET /ws RTSP/1.0"), 400),
    "two spaces": (line("GET  /ws HTTP/1.1"), 400),
    "a tab for a space": (line("GET\t/ws HTTP/1.1"), 400),
    "space at the end": (line("GET /ws HTTP/1.1 "), 400),
    "space in the target": (line("GET /ws x HTTP/1.1"), 400),
    "space first": (line(" GET /ws HTTP/1.1"), 400),
    "method that is no token": (line("G@T /ws HTTP/1.1"), 400),
    "CONNECT": (line("CONNECT localhost:443 HTTP/1.1"), 501),
    "TRACE": (line("TRACE /ws HTTP/1.1"), 501),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "TLS on top of it all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a request line of 9 KiB": (line(f"GET /ws?{'a' * 9000} HTTP/1.1"), 414),
    # Target (RFC 9112 §3.2, RFC 3986)
    "empty segment": (line("GET //ws HTTP/1.1"), 400),
    "empty segment within": (line("GET /ws//x HTTP/1.1"), 400),
    "dot segments": (line("GET /ws/../x HTTP/1.1"), 400),
    "one dot": (line("GET /./ws HTTP/1.1"), 400),
    "escaped dot segments": (line("GET /ws/%2e%2E/x HTTP/1.1"), 400),
    "half-escaped dot segments": (line("GET /ws/.%2e/x HTTP/1.1"), 400),
    "dot segments with parameters": (line("GET /ws/..;a=b/x HTTP/1.1"), 400),
    "a path parameter": (line("GET /ws;x HTTP/1.1"), 400),
    "an escaped path parameter": (line("GET /ws%3bx HTTP/1.1"), 400),
    "escaped slash": (line("GET /ws%2fx HTTP/1.1"), 400),
    "escaped backslash": (line("GET /ws%5Cx HTTP/1.1"), 400),
    "backslash": (line("GET /ws\\x HTTP/1.1"), 400),
    "escaped NUL": (line("GET /ws%00 HTTP/1.1"), 400),
    "escaped CR LF": (line("GET /ws%0d%0aX:y HTTP/1.1"), 400),
    "unfinished escape": (line("GET /ws%2 HTTP/1.1"), 400),
    "escape that is none": (line("GET /ws%zz HTTP/1.1"), 400),
    "escapes that are not UTF-8": (line("GET /ws/%ff HTTP/1.1"), 400),
    "overlong escape of a slash": (line("GET /ws%c0%afx HTTP/1.1"), 400),
    "raw byte beyond ASCII": (line("GET /ws/\xe9 HTTP/1.1"), 400),
    "fragment": (line("GET /ws#x HTTP/1.1"), 400),
    "no slash first": (line("GET ws HTTP/1.1"), 400),
    "asterisk with GET": (line("GET * HTTP/1.1"), 400),
    "absolute form with another scheme": (line("GET ftp://localhost/ws HTTP/1.1"), 400),
    "absolute form with another host": (line("GET http://evil.test/ws HTTP/1.1"), 400),
    "quote in the target": (line('GET /ws" HTTP/1.1'), 400),
    "angle bracket in the target": (line("GET /ws<x> HTTP/1.1"), 400),
    # Fields (RFC 9112 §5)
    "space before the colon": (head("X : y"), 400),
    "tab before the colon": (head("X\t: y"), 400),
    "no colon": (head("X y"), 400),
    "empty name": (head(": y"), 400),
    "name that is no token": (head("X(y): z"), 400),
    "folded line": (head("X: y", " z"), 400),
    "folded line with a tab": (head("X: y", "\tz"), 400),
    "space before the first field": (head(host=" Host: localhost"), 400),
    "a field line of 9 KiB": (head(f"X: {'a' * 9000}"), 431),
    "101 fields": (head(*[f"X-{number}: y" for number in range(101)]), 431),
    "a head of 40 KiB": (head(*[f"X-{number}: {'a' * 4000}" for number in range(10)]), 431),
    # Host (RFC 9112 §3.2)
    "no Host": (head(host=None), 400),
    "two Hosts": (head("Host: localhost"), 400),
    "two Hosts that differ": (head("Host: evil.test"), 400),
    "two hosts in one field": (head(host="Host: localhost, evil.test"), 400),
    "Host with a space": (head(host="Host: local host"), 400),
    "Host with a path": (head(host="Host: localhost/ws"), 400),
    "Host with a user": (head(host="Host: user@localhost"), 400),
    "Host with a bad port": (head(host="Host: localhost:http"), 400),
    "Host with a port too large": (head(host="Host: localhost:70000"), 400),
    # Framing (RFC 9112 §6)
    "CL and TE": (head("Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    "TE and CL": (head("Transfer-Encoding: chunked", "Content-Length: 3") + b"0\r\n\r\n", 400),
    "two CLs": (head("Content-Length: 3", "Content-Length: 3") + b"abc", 400),
    "two CLs that differ": (head("Content-Length: 3", "Content-Length: 4") + b"abc", 400),
    "a list in CL": (head("Content-Length: 3, 3") + b"abc", 400),
    "negative CL": (head("Content-Length: -1"), 400),
    "CL with a plus": (head("Content-Length: +3") + b"abc", 400),
    "hexadecimal CL": (head("Content-Length: 0x3") + b"abc", 400),
    "empty CL": (head("Content-Length:"), 400),
    "CL beyond 64 bits": (head("Content-Length: 99999999999999999999"), 413),
    "TE gzip": (head("Transfer-Encoding: gzip"), 501),
    "TE gzip, chunked": (head("Transfer-Encoding: gzip, chunked"), 501),
    "TE chunked twice": (head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400),
    "TE identity": (head("Transfer-Encoding: identity"), 501),
    "TE xchunked": (head("Transfer-Encoding: xchunked"), 501),
    "TE quoted": (head('Transfer-Encoding: "chunked"'), 501),
    "TE with a vertical tab": (head("Transfer-Encoding: \x0bchunked"), 400),
    "TE in HTTP/1.0": (head("Transfer-Encoding: chunked", first="POST /ws HTTP/1.0") + b"0\r\n\r\n", 400),
}


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("name", REFUSED)
def test_malformed_http_is_refused_and_the_worker_hears_nothing(stream, worker, name, listener):
    data, status = REFUSED[name]
    accepted, heard = worker.accepted, worker.bytes_received
    client = stream(listener)
    client.send(data)
    response = client.response()
    assert response.status == status, response
    assert response["Connection"] == "close"
    assert client.is_ended()
    assert (worker.accepted, worker.bytes_received) == (accepted, heard)


@pytest.mark.parametrize("listener", LISTENERS)
def test_nothing_behind_a_malformed_request_is_read_as_a_request(stream, worker, listener):
    accepted = worker.accepted
    client = stream(listener)
    client.send(
        head("Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + head(first="GET /ws/smuggled HTTP/1.1"))
    assert client.response().status == 400
    assert client.rest() == b""
    assert worker.accepted == accepted


# Bodies: the head is good, so a worker may have been asked already; the rest must not become a second request.

BAD_BODIES = {
    "chunk size that is no number": (b"xyz\r\n", 400),
    "chunk size with a plus": (b"+3\r\nabc\r\n0\r\n\r\n", 400),
    "chunk size with 0x": (b"0x3\r\nabc\r\n0\r\n\r\n", 400),
    "chunk size with a space first": (b" 3\r\nabc\r\n0\r\n\r\n", 400),
    "chunk size beyond 64 bits": (b"fffffffffffffffff\r\n", 413),
    "negative chunk size": (b"-1\r\n", 400),
    "bare LF after the size": (b"3\nabc\r\n0\r\n\r\n", 400),
    "no CRLF after the data": (b"3\r\nabcX0\r\n\r\n", 400),
    "bare LF after the data": (b"3\r\nabc\n0\r\n\r\n", 400),
    "NUL in an extension": (b"3;a=\0\r\nabc\r\n0\r\n\r\n", 400),
    "endless extension": (b"3;" + b"a" * 20_000, 400),
    "endless trailers": (b"0\r\n" + b"X: y\r\n" * 10_000, 431),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_malformed_body_is_refused_and_ends_the_connection(stream, worker, name):
    data, status = BAD_BODIES[name]
    target = f"/ws/{name.replace(' ', '-')}"
    client = stream()
    smuggled = head(first="GET /ws/smuggled HTTP/1.1")
    client.send(head("Transfer-Encoding: chunked", first=f"POST {target} HTTP/1.1") + data + smuggled)
    response = client.response()
    assert response.status == status, response
    assert response["Connection"] == "close"
    assert client.is_ended()
    targets = [line.split(" ")[1] for line, _ in worker.requests]
    assert targets.count(target) <= 1 and "/ws/smuggled" not in targets


@pytest.mark.parametrize("target,fields", [("/nowhere", []), ("/ws", ["Upgrade: websocket", "Connection: Upgrade"])], ids=str)
def test_the_body_of_a_refused_request_is_never_read_as_a_request(stream, worker, target, fields):
    smuggled = head(first="GET /ws/refused HTTP/1.1")
    client = stream()
    client.send(head(f"Content-Length: {len(smuggled)}", *fields, first=f"POST {target} HTTP/1.1") + smuggled)
    assert client.response().status in (404, 405)
    assert client.rest() == b""
    assert "/ws/refused" not in [line.split(" ")[1] for line, _ in worker.requests]


@pytest.mark.parametrize("fields,stays", [
    ([], False), (["Connection: keep-alive"], True), (["Connection: keep-alive, close"], False)], ids=str)
def test_a_client_of_http_1_0_is_served_and_kept_only_if_it_asks(stream, fields, stays):
    client = stream("plain")
    client.send(head(*fields, first="GET /ws HTTP/1.0"))
    assert client.response().body == b"GET /ws HTTP/1.1"
    if stays:
        client.send(head(first="GET /ws HTTP/1.0"))
        assert client.response().status == 200
    assert client.is_ended()


# Time


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_slow_head_is_408_at_the_deadline(hasty, worker, listener):
    accepted = worker.accepted
    client = hasty(listener)
    client.send(b"GET /ws HTTP/1.1\r\nHost: lo")
    response = client.response()
    assert (response.status, response["Connection"]) == (408, "close")
    assert client.is_ended()
    assert worker.accepted == accepted


def test_a_slow_head_is_not_kept_alive_by_dribbling(hasty):
    client = hasty("plain")
    client.sock.settimeout(0.1)
    for byte in head(*["X: y"] * 50):
        try:
            client.send(bytes([byte]))
            client.more()
            break
        except TimeoutError:
            continue
    client.sock.settimeout(patient(10))
    assert client.response().status == 408


def test_a_connection_that_says_nothing_is_closed_without_a_word(hasty):
    assert hasty("plain").rest() == b""


def test_a_slow_body_is_408_and_the_worker_sees_no_whole_request(hasty, worker):
    client = hasty()
    client.send(head("Content-Length: 100", first="POST /ws HTTP/1.1") + b"slow")
    response = client.response()
    assert (response.status, response["Connection"]) == (408, "close")
    assert client.is_ended()


# One path, one meaning


@pytest.mark.parametrize("target,form", [
    ("/ws", "/ws"), ("/%77s", "/ws"), ("/%77%73", "/ws"), ("/ws/%7Euser", "/ws/~user"), ("/ws/a%2Db", "/ws/a-b"),
    ("/ws/%c3%a9", "/ws/%C3%A9"), ("/ws/a%20b", "/ws/a%20b"), ("/ws/a%2cb", "/ws/a%2Cb"), ("/ws/a,b", "/ws/a,b"),
    ("/ws?a=%2f..//%5c", "/ws?a=%2f..//%5c"), ("/ws?", "/ws?"), ("/ws/", "/ws/"),
    ("/ws/...", "/ws/..."), ("http://localhost/ws?x=1", "/ws?x=1"), ("http://LOCALHOST/%77s", "/ws"),
])
def test_the_worker_gets_the_form_that_the_route_matched(stream, worker, target, form):
    client = stream("plain")
    client.send(line(f"GET {target} HTTP/1.1"))
    response = client.response()
    assert response.status == 200, response
    assert response.body.decode() == f"GET {form} HTTP/1.1"
    assert worker.requests[-1][0] == f"GET {form} HTTP/1.1"


@pytest.mark.parametrize("target", ["/WS", "/%57S", "/wsx", "/ws%20", "/ws.", "/ws,x", "/w", "/"])
def test_what_only_looks_like_the_route_is_404(stream, worker, target):
    accepted = worker.accepted
    client = stream()
    client.send(line(f"GET {target} HTTP/1.1"))
    assert client.response().status == 404
    assert worker.accepted == accepted


@pytest.mark.parametrize("fields", [
    ["Connection: close, X-Secret", "X-Secret: s"], ["Keep-Alive: timeout=5"], ["Proxy-Connection: keep-alive"], ["TE: trailers"],
    ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"], ["Upgrade: websocket, h2c"],
    ["Proxy-Authorization: Basic eDp5"], ["Trailer: X"],
], ids=str)
def test_fields_of_one_connection_are_not_passed_on(stream, worker, fields):
    client = stream()
    client.send(head(*fields))
    assert client.response().status == 200
    names = {name.lower() for name, _ in worker.requests[-1][1]}
    hop_by_hop = {
        "x-secret", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "proxy-authorization", "trailer"}
    assert not names & hop_by_hop


def test_the_edge_lives_after_all_this(edge, stream):
    client = stream()
    client.send(head())
    assert client.response().status == 200
    assert edge.child.exit_code is None
    assert edge.admin("GET", "/readyz")[0] == 200
    # One address's malformed requests do not fill the log.
    assert len(edge.events("http.malformed")) <= 1 + time.monotonic() - edge.began
