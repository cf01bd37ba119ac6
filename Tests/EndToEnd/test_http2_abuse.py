"""What a client of HTTP/2 may do that is in order and yet meant to cost: bytes one by one, trailers and resets where nobody awaits them."""

import pytest

import frames
from edge import Edge, configuration, open_route
from rawstreams import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GET, GOAWAY, HEADERS, PADDED, POST, PROTOCOL_ERROR, RST_STREAM,
    WINDOW_UPDATE, RawConnection, block, frame, headers, number, settings)
from waiting import eventually

WEBSOCKET = [(":method", "CONNECT"), (":protocol", "websocket"), *GET[1:3], (":path", "/ws"), ("sec-websocket-version", "13")]


@pytest.fixture(scope="module")
def edge(module_directory, site, echo_worker):
    with Edge(module_directory, site, configuration(module_directory, site, {"main": [echo_worker.path]}, [open_route()])) as edge:
        yield edge


def open_websocket(connection, stream=1):
    connection.send(headers(stream, WEBSOCKET, END_HEADERS))
    connection.until(lambda received: (received.kind, received.stream) == (HEADERS, stream))


def data_of(connection, stream, count):
    """The first bytes that come on a stream."""
    def so_far():
        return b"".join(one.payload for one in connection.frames if (one.kind, one.stream) == (DATA, stream))
    while len(so_far()) < count:
        assert connection.next(), connection.frames
    return so_far()


def go_on(connection, stream=101):
    """The connection is unharmed: a further request is answered."""
    connection.send(headers(stream))
    assert connection.answer(stream) == "200"


# Bytes one by one


def test_a_message_comes_whole_through_a_window_of_a_byte(dial):
    connection = dial(first=settings((4, 0)))
    open_websocket(connection)
    message = bytes(range(100))
    connection.send(frame(DATA, 0, 1, frames.frame(frames.BINARY, message)))
    expected = frames.frame(frames.BINARY, message, mask=None)
    for count in range(1, len(expected) + 1):
        connection.send(frame(WINDOW_UPDATE, 0, 1, number(1)))
        assert data_of(connection, 1, count) == expected[:count]
    connection.send(settings((4, 65_535)))
    go_on(connection)


def test_windows_that_open_byte_by_byte_beyond_what_is_sent_are_a_flood(edge, dial):
    before = edge.metric("sluice_http2_floods_total", kind="window_update")
    connection = dial(first=settings((4, 0)))
    open_websocket(connection)
    connection.send(frame(DATA, 0, 1, frames.frame(frames.BINARY, bytes(2000))))
    connection.send(frame(WINDOW_UPDATE, 0, 1, number(1)) * 5000)
    assert connection.goaway() == ENHANCE_YOUR_CALM
    assert edge.metric("sluice_http2_floods_total", kind="window_update") == before + 1


def test_a_message_and_a_body_may_come_in_a_frame_for_each_byte(dial):
    connection = dial()
    open_websocket(connection)
    message = bytes(range(256)) * 4
    connection.send(b"".join(frame(DATA, 0, 1, bytes([byte])) for byte in frames.frame(frames.BINARY, message)))
    expected = frames.frame(frames.BINARY, message, mask=None)
    assert data_of(connection, 1, len(expected)) == expected
    connection.send(headers(3, POST, END_HEADERS) + frame(DATA, 0, 3, b"x") * 5000 + frame(DATA, 0, 3, b"."))
    connection.send(headers(3, [("x-trailer", "1")]))
    assert connection.answer(3) == "200"
    assert data_of(connection, 3, 5001) == b"x" * 5000 + b"."


def test_frames_of_padding_alone_are_a_flood(edge, dial):
    before = edge.metric("sluice_http2_floods_total", kind="empty_data")
    connection = dial()
    connection.send(headers(1, POST, END_HEADERS) + frame(DATA, PADDED, 1, b"\x02\0\0") * 90)
    go_on(connection)
    connection.send(frame(DATA, PADDED, 1, b"\x02\0\0") * 50)
    assert connection.goaway() == ENHANCE_YOUR_CALM
    assert edge.metric("sluice_http2_floods_total", kind="empty_data") == before + 1


# The end of a WebSocket's stream, where nobody awaits it


def test_trailers_end_a_websocket_as_the_end_of_its_stream_does(start_edge, echo_worker, closing):
    edge = start_edge({"main": [echo_worker.path]})
    connection = closing(RawConnection(edge.connect(protocols=["h2"])))
    open_websocket(connection)
    open_websocket(connection, 3)
    connection.send(frame(DATA, 0, 1, frames.frame(frames.TEXT, b"half")[:3]) + headers(1, [("x-trailer", "1")]))
    assert connection.end_of(1)
    connection.send(frame(DATA, 0, 3, frames.frame(frames.TEXT, b"still here")))
    assert data_of(connection, 3, 12) == frames.frame(frames.TEXT, b"still here", mask=None)
    assert len(eventually(lambda: edge.events("connection.closed"))) == 1


@pytest.mark.parametrize("trailers", [
    headers(1, [("x-trailer", "1")], END_HEADERS), headers(1, [(":status", "200")]),
    headers(1, WEBSOCKET, END_HEADERS)], ids=["that do not end it", "with a pseudo-header field", "that ask once more"])
def test_trailers_that_are_wrong_end_a_websocket_as_an_error_of_its_stream(dial, trailers):
    connection = dial()
    open_websocket(connection)
    connection.send(trailers)
    end = connection.end_of(1)
    assert (end.kind, end.code) == (RST_STREAM, PROTOCOL_ERROR)
    go_on(connection)


def test_a_websocket_that_is_ended_and_reset_in_one_breath_is_gone(start_edge, echo_worker, closing):
    edge = start_edge({"main": [echo_worker.path]})
    connection = closing(RawConnection(edge.connect(protocols=["h2"])))
    for stream in range(1, 41, 2):
        open_websocket(connection, stream)
    ends = [frame(DATA, END_STREAM, stream) + frame(RST_STREAM, 0, stream, number(8)) for stream in range(1, 41, 2)]
    connection.send(b"".join(ends))
    go_on(connection)
    eventually(lambda: len(edge.events("connection.closed")) == 20)


# Heads that do not end


def test_heads_of_many_streams_cannot_be_held_open_together(dial):
    connection = dial()
    connection.send(b"".join(headers(stream, GET[:2], END_STREAM) for stream in (1, 3)))
    assert connection.goaway() == PROTOCOL_ERROR


def test_a_head_may_be_ended_and_its_stream_taken_back_before_it_is_read(dial):
    connection = dial()
    half = headers(1, POST[:2], 0) + frame(CONTINUATION, END_HEADERS, 1, block(POST[2:]))
    connection.send(half + frame(RST_STREAM, 0, 1, number(8)))
    go_on(connection, 3)
    assert not [received for received in connection.frames if received.kind == GOAWAY]
