"""Workers that break HTTP or the opening handshake: their client gets a clean 502 or 504, and nothing of it sticks."""

import time

import pytest

from edge import open_route
from frames import KEY, TEXT, frame, upgrade_request
from rawhttp import ByteStream, request
from waiting import eventually, patient, slow

# The answer to some other key.
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


@pytest.fixture
def edge(start_edge, raw_worker):
    return start_edge({"main": [raw_worker.path]})


@pytest.fixture
def hasty(start_edge, raw_worker):
    """An edge that gives a worker a second."""
    return start_edge({"main": [raw_worker.path]}, timeouts={"worker_response": "1s"})


def test_a_bad_answer_to_an_upgrade_is_502_and_counted(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(upgrade_request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(SWITCH)
    response = client.response()
    assert (response.status, response.word) == (502, "worker_error")
    assert upstream.is_ended()
    assert edge.metric("sluice_handshakes_total", result="worker_error") == 1


def test_the_edges_key_is_its_own(edge, raw_worker, closing):
    seen = {KEY}
    for _ in range(3):
        closing(ByteStream(edge.connect())).send(upgrade_request())
        _, fields = raw_worker.next().head()
        seen.add(dict(fields)["Sec-WebSocket-Key"])
    assert len(seen) == 4


def test_no_byte_behind_the_request_reaches_the_worker_before_its_101(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(upgrade_request() + frame(TEXT, b"early", mask=bytes(4)))
    upstream = raw_worker.next()
    upstream.head()
    upstream.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        upstream.more()
    upstream.sock.settimeout(patient(10))
    upstream.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    assert client.response().body == b"no"
    client.close()
    edge.close()
    assert upstream.rest() == b""


BAD_ANSWERS = {
    "101 to a plain GET": SWITCH,
    "garbage": b"\x00\xff garbage\r\n\r\n",
    "CL and TE": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two CLs": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "TE gzip": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "NUL in a field": b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "too many fields": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"Content-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_to_a_plain_request_is_502(edge, raw_worker, closing, name):
    client = closing(ByteStream(edge.connect()))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(BAD_ANSWERS[name])
    assert client.response().status == 502
    assert upstream.is_ended()
    # The client's connection is as good as before.
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.response().body == b"ok"


def test_a_worker_that_closes_at_once_is_502(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(upgrade_request())
    raw_worker.next().close()
    assert client.response().status == 502


@pytest.mark.parametrize("data", [request(), upgrade_request()], ids=["plain", "upgrade"])
def test_a_worker_that_hangs_is_504_at_the_deadline(hasty, raw_worker, closing, data):
    client = closing(ByteStream(hasty.connect()))
    began = time.monotonic()
    client.send(data)
    upstream = raw_worker.next()
    upstream.head()
    assert client.response().status == 504
    assert 0.9 < time.monotonic() - began < slow(15), "half a minute is what it waits elsewhere"
    assert upstream.is_ended()


def test_a_worker_that_dribbles_its_head_is_504_at_the_deadline(hasty, raw_worker, closing):
    client = closing(ByteStream(hasty.connect()))
    began = time.monotonic()
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    client.sock.settimeout(0.1)
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10:
        try:
            upstream.send(bytes([byte]))
            client.more()
            break
        except TimeoutError:
            continue
        except OSError:
            break
    client.sock.settimeout(patient(10))
    assert client.response().status == 504
    assert time.monotonic() - began < slow(5), "the head would go on for longer"


@pytest.mark.parametrize("part", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxx\r\n"], ids=["length", "chunked", "bad chunk"])
def test_a_body_that_breaks_off_is_seen_to_be_incomplete(edge, raw_worker, closing, part):
    client = closing(ByteStream(edge.connect()))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(part)
    upstream.close()
    with pytest.raises((EOFError, ConnectionError, OSError)):
        client.response()


def test_a_body_until_close_reaches_the_client_framed(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    upstream.close()
    response = client.response()
    assert response.body == b"all of it" and response["Transfer-Encoding"] == "chunked"


def test_what_a_worker_says_unasked_never_answers_the_next_request(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(request("/first"))
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst" + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
    assert client.response().body == b"first"
    client.send(request("/second"))
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
    assert client.response().body == b"second"


def test_a_worker_connection_is_reused_by_the_next_request(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    upstream = None
    for number in range(3):
        client.send(request(f"/{number}"))
        upstream = upstream or raw_worker.next()
        upstream.head()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)
        assert client.response().body == b"%d" % number
    assert raw_worker.accepted == 1


def test_a_get_is_asked_again_when_a_kept_connection_turns_out_dead(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(request("/first"))
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.response().body == b"ok"
    client.send(request("/second"))
    assert upstream.head()[0] == "GET /second HTTP/1.1"
    upstream.close()
    upstream = raw_worker.next()
    assert upstream.head()[0] == "GET /second HTTP/1.1"
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert client.response().body == b"ok"


def test_a_post_is_never_asked_twice(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(request("/once", "POST", body=b"pay"))
    raw_worker.next().close()
    assert client.response().status == 502
    assert raw_worker.accepted == 1


def test_an_early_answer_to_an_upload_reaches_the_client(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(request("/upload", "POST", [("Content-Length", "1000000")]) + b"x" * 1000)
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
    upstream.close()
    response = client.response()
    assert (response.status, response.body) == (413, b"big")
    assert response["Connection"] == "close"


def test_interim_answers_pass(edge, raw_worker, closing):
    client = closing(ByteStream(edge.connect()))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    interim = client.response()
    assert (interim.status, interim["Link"]) == (103, "</style.css>")
    assert client.response().body == b"ok"


def test_nothing_is_left_of_all_this(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]}, [open_route()])
    before = edge.child.open_descriptors()
    for answer in [b"garbage", b"", b"HTTP/1.1 101 X\r\n\r\n"] * 20:
        client = ByteStream(edge.connect("plain"))
        client.send(upgrade_request())
        upstream = raw_worker.next()
        upstream.head()
        upstream.send(answer)
        upstream.close()
        assert client.response().status == 502
        client.close()
    eventually(lambda: edge.child.open_descriptors() <= before, what="every descriptor being closed")
