"""HTTP/2 frame by frame: what the edge makes of frames in and out of order, section by section (RFC 9113, RFC 7541)."""

import pytest

from edge import Edge, configuration, open_route
from rawstreams import (
    ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GET, GOAWAY, HEADERS,
    PADDED, PING, POST, PREFACE, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED,
    WINDOW_UPDATE, WITH_PRIORITY, block, frame, headers, number, settings)


@pytest.fixture(scope="module")
def edge(module_directory, site, echo_worker):
    with Edge(module_directory, site, configuration(module_directory, site, {"main": [echo_worker.path]}, [open_route()])) as edge:
        yield edge


def go_on(connection, stream=101):
    """The connection is unharmed: a further request is answered."""
    connection.send(headers(stream))
    assert connection.answer(stream) == "200"


# What is in order

PRIORITY_OF_3 = number(0) + b"\xff"
UNFINISHED = headers(flags=END_STREAM)
IN_ORDER = {
    "4.1 a frame of an unknown type": frame(0x16, 0xFF, 0, b"unknown") + frame(0x16, 0, 1, b"unknown") + headers(),
    "4.1 flags that nobody knows": frame(PING, 0xFE, 0, b"12345678") + headers(),
    "4.1 a reserved bit that is set": frame(PING, 0, 1 << 31, b"12345678") + headers(),
    "4.2 a frame of the largest size": headers(1, POST, END_HEADERS) + frame(DATA, END_STREAM, 1, bytes(16_384)),
    "5.1 PRIORITY on an idle stream": frame(PRIORITY, 0, 7, PRIORITY_OF_3) + headers(),
    "5.1 PRIORITY with an exclusive flag": frame(PRIORITY, 0, 1, number(1 << 31 | 3) + b"\xff") + headers(),
    "5.1 WINDOW_UPDATE on a stream whose client has ended": headers() + frame(WINDOW_UPDATE, 0, 1, number(1)),
    "5.1 PRIORITY on a stream whose client has ended": headers() + frame(PRIORITY, 0, 1, PRIORITY_OF_3),
    "5.3 a head with a priority": headers(flags=END_STREAM | END_HEADERS | WITH_PRIORITY, before=PRIORITY_OF_3),
    "5.3 a head with an exclusive priority": headers(
        flags=END_STREAM | END_HEADERS | WITH_PRIORITY, before=number(1 << 31 | 3) + b"\0"),
    "5.5 a setting that nobody knows": settings((0xFF, 1)) + headers(),
    "6.1 DATA in several frames": headers(1, POST, END_HEADERS) + frame(DATA, 0, 1, b"a") + frame(DATA, END_STREAM, 1, b"b"),
    "6.1 DATA with padding": headers(1, POST, END_HEADERS) + frame(DATA, END_STREAM | PADDED, 1, b"\x06body" + bytes(6)),
    "6.2 a head with padding": headers(flags=END_STREAM | END_HEADERS | PADDED, before=b"\x06", after=bytes(6)),
    "6.5.2 a table that is taken away, given back and made huge": settings((1, 0), (1, 4096), (1, 2**32 - 1)) + headers(),
    "6.5 an acknowledged SETTINGS": settings((4, 100), (4, 70_000)) + headers(),
    "6.7 a PING that answers nothing": frame(PING, ACK, 0, b"12345678") + headers(),
    "6.9 WINDOW_UPDATE of the connection": frame(WINDOW_UPDATE, 0, 0, number(1)) + headers(),
    "6.9 WINDOW_UPDATE of a stream": (
        headers(1, POST, END_HEADERS) + frame(WINDOW_UPDATE, 0, 1, number(1)) + frame(DATA, END_STREAM, 1)),
    "6.10 a head in two frames": headers(flags=END_STREAM, fields=GET[:2]) + frame(CONTINUATION, END_HEADERS, 1, block(GET[2:])),
    "6.10 a head in three frames": headers(flags=END_STREAM, fields=GET[:2]) + frame(CONTINUATION, 0, 1, block(GET[2:3]))
    + frame(CONTINUATION, END_HEADERS, 1, block(GET[3:])),
    "8.1 HEAD": headers(1, [(":method", "HEAD"), *GET[1:]]),
    "8.1 a body with trailers": headers(1, POST, END_HEADERS) + frame(DATA, 0, 1, b"body") + headers(1, [("x-trailer", "1")]),
    "8.2.2 TE: trailers": headers(1, [*GET, ("te", "trailers")]),
    "HPACK 6.1 an indexed field": headers(1, GET[2:], before=b"\x82\x87"),
    "HPACK 6.2.1 a literal that is added to the table": headers(after=b"\x40\x01x\x01y\xbe"),
    "HPACK 6.2.2 a literal that is not added": headers(after=b"\0\x01x\x01y"),
    "HPACK 6.2.3 a literal that is never added": headers(after=b"\x10\x01x\x01y"),
    "HPACK 5.2 a literal by Huffman's code": headers(after=b"\0\x01x\x85\xf2\xb2\x4a\x84\xff"),
    "HPACK 6.3 a smaller table": headers(before=b"\x3f\x81\x1f"),
    "HPACK 6.3 no table, and then one again": headers(before=b"\x20\x3f\xe1\x1f"),
}


@pytest.mark.parametrize("name", IN_ORDER)
def test_what_is_in_order_is_answered(dial, name):
    connection = dial()
    connection.send(IN_ORDER[name])
    assert connection.answer(1) == "200"
    go_on(connection)


# What ends the connection

SILENT = headers(1, POST, END_HEADERS)  # Nobody answers it before its body has come.
EVENTS = headers(1, [*GET[:3], (":path", "/events")])  # Its answer does not end.
ONE_BYTE = frame(DATA, 0, 1, b"x")
ENDS_THE_CONNECTION = {
    "3.4 something else in place of SETTINGS": (None, frame(PING, 0, 0, b"12345678"), [PROTOCOL_ERROR]),
    "4.2 a head that is too long": (frame(HEADERS, END_STREAM | END_HEADERS, 1, bytes(16_385)), [FRAME_SIZE_ERROR]),
    "4.2 SETTINGS that are too long": (settings(*[(0xFF, 1)] * 2731), [FRAME_SIZE_ERROR]),
    "4.3 a head that cannot be decompressed": (frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x40\x41"), [COMPRESSION_ERROR]),
    "4.3 PRIORITY within a head": (UNFINISHED + frame(PRIORITY, 0, 1, PRIORITY_OF_3), [PROTOCOL_ERROR]),
    "4.3 another head within a head": (UNFINISHED + headers(3), [PROTOCOL_ERROR]),
    "5.1 DATA on an idle stream": (ONE_BYTE, [PROTOCOL_ERROR, STREAM_CLOSED]),
    "5.1 RST_STREAM on an idle stream": (frame(RST_STREAM, 0, 1, number(8)), [PROTOCOL_ERROR]),
    "5.1 WINDOW_UPDATE on an idle stream": (frame(WINDOW_UPDATE, 0, 1, number(1)), [PROTOCOL_ERROR]),
    "5.1 CONTINUATION on an idle stream": (frame(CONTINUATION, END_HEADERS, 1, block(GET)), [PROTOCOL_ERROR]),
    "5.1 DATA after RST_STREAM": (SILENT + frame(RST_STREAM, 0, 1, number(8)) + ONE_BYTE, [STREAM_CLOSED]),
    "5.1 a head after RST_STREAM": (SILENT + frame(RST_STREAM, 0, 1, number(8)) + headers(), [STREAM_CLOSED]),
    "5.1 CONTINUATION after RST_STREAM": (
        SILENT + frame(RST_STREAM, 0, 1, number(8)) + frame(CONTINUATION, END_HEADERS, 1), [STREAM_CLOSED, PROTOCOL_ERROR]),
    "5.1 CONTINUATION on a stream whose client has ended": (
        EVENTS + frame(CONTINUATION, END_HEADERS, 1), [STREAM_CLOSED, PROTOCOL_ERROR]),
    "5.1.1 a stream with an even number": (headers(2), [PROTOCOL_ERROR]),
    "5.1.1 a stream with a number before the last": (headers(5) + headers(3), [PROTOCOL_ERROR, STREAM_CLOSED]),
    "5.4.1 a PING that is too short": (frame(PING, 0, 0, b"1"), [FRAME_SIZE_ERROR]),
    "5.5 a frame of an unknown type within a head": (UNFINISHED + frame(0x16, 0, 1, b"unknown"), [PROTOCOL_ERROR]),
    "6.1 DATA on no stream": (frame(DATA, 0, 0, b"x"), [PROTOCOL_ERROR]),
    "6.1 DATA with more padding than there is": (SILENT + frame(DATA, PADDED, 1, b"\x06body"), [PROTOCOL_ERROR]),
    "6.1 DATA that is all padding, and more": (SILENT + frame(DATA, PADDED, 1, b""), [PROTOCOL_ERROR, FRAME_SIZE_ERROR]),
    "6.2 a head on no stream": (headers(0), [PROTOCOL_ERROR]),
    "6.2 a head with more padding than there is": (
        frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, b"\xff" + block(GET)), [PROTOCOL_ERROR]),
    "6.2 a head that is too short for its priority": (
        frame(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, 1, b"\0\0"), [FRAME_SIZE_ERROR, PROTOCOL_ERROR]),
    "6.3 PRIORITY on no stream": (frame(PRIORITY, 0, 0, PRIORITY_OF_3), [PROTOCOL_ERROR]),
    "6.4 RST_STREAM on no stream": (frame(RST_STREAM, 0, 0, number(8)), [PROTOCOL_ERROR]),
    "6.4 RST_STREAM of another length": (SILENT + frame(RST_STREAM, 0, 1, b"\0\0\0"), [FRAME_SIZE_ERROR]),
    "6.5 SETTINGS on a stream": (settings((3, 100), stream=1), [PROTOCOL_ERROR]),
    "6.5 SETTINGS of half a pair": (frame(SETTINGS, 0, 0, b"\0\3\0"), [FRAME_SIZE_ERROR]),
    "6.5 an acknowledgement that sets something": (settings((3, 100), flags=ACK), [FRAME_SIZE_ERROR]),
    "6.5 an acknowledgement of nothing": (settings(flags=ACK), [PROTOCOL_ERROR]),
    "6.5.2 ENABLE_PUSH of 2": (settings((2, 2)), [PROTOCOL_ERROR]),
    "6.5.2 an initial window beyond all bounds": (settings((4, 1 << 31)), [FLOW_CONTROL_ERROR]),
    "6.5.2 a smaller frame size than any": (settings((5, 16_383)), [PROTOCOL_ERROR]),
    "6.5.2 a larger frame size than any": (settings((5, 1 << 24)), [PROTOCOL_ERROR]),
    "6.6 PUSH_PROMISE": (SILENT + frame(PUSH_PROMISE, END_HEADERS, 1, number(2) + block(GET)), [PROTOCOL_ERROR]),
    "6.7 PING on a stream": (frame(PING, 0, 1, b"12345678"), [PROTOCOL_ERROR]),
    "6.7 a PING that is too long": (frame(PING, 0, 0, b"123456789"), [FRAME_SIZE_ERROR]),
    "6.8 GOAWAY on a stream": (frame(GOAWAY, 0, 1, number(0) + number(0)), [PROTOCOL_ERROR]),
    "6.8 a GOAWAY that is too short": (frame(GOAWAY, 0, 0, number(0)), [FRAME_SIZE_ERROR]),
    "6.9 WINDOW_UPDATE by nothing": (frame(WINDOW_UPDATE, 0, 0, number(0)), [PROTOCOL_ERROR]),
    "6.9 WINDOW_UPDATE of another length": (frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), [FRAME_SIZE_ERROR]),
    "6.9.1 a window beyond all bounds": (frame(WINDOW_UPDATE, 0, 0, number(2**31 - 1)), [FLOW_CONTROL_ERROR]),
    "6.9.2 a stream's window beyond all bounds by SETTINGS": (
        SILENT + frame(WINDOW_UPDATE, 0, 1, number(1 << 30)) + settings((4, 2**31 - 1)), [FLOW_CONTROL_ERROR]),
    "6.10 DATA within a head": (UNFINISHED + ONE_BYTE, [PROTOCOL_ERROR]),
    "6.10 CONTINUATION on no stream": (UNFINISHED + frame(CONTINUATION, END_HEADERS, 0), [PROTOCOL_ERROR]),
    "6.10 CONTINUATION behind a whole head": (SILENT + frame(CONTINUATION, END_HEADERS, 1), [PROTOCOL_ERROR]),
    "6.10 CONTINUATION behind the last": (
        headers(flags=0, fields=POST) + frame(CONTINUATION, END_HEADERS, 1) * 2, [PROTOCOL_ERROR]),
    "6.10 CONTINUATION behind DATA": (SILENT + ONE_BYTE + frame(CONTINUATION, END_HEADERS, 1), [PROTOCOL_ERROR]),
    "HPACK 2.3.3 an index beyond the tables": (headers(after=b"\xff\0"), [COMPRESSION_ERROR]),
    "HPACK 2.3.3 a name beyond the tables": (headers(after=b"\x7f\x7f\x01x"), [COMPRESSION_ERROR]),
    "HPACK 4.2 a change of the table behind a field": (headers(after=b"\x3f\xe1\x1f"), [COMPRESSION_ERROR]),
    "HPACK 5.1 a number that does not end": (headers(after=b"\xff" * 11 + b"\x7f"), [COMPRESSION_ERROR]),
    "HPACK 5.2 padding of more than seven bits": (headers(after=b"\0\x01x\x86\xf2\xb2\x4a\x84\xff\xff"), [COMPRESSION_ERROR]),
    "HPACK 5.2 padding of zeros": (headers(after=b"\0\x01x\x81\x18"), [COMPRESSION_ERROR]),
    "HPACK 5.2 the end of Huffman's code": (headers(after=b"\0\x01x\x84\xff\xff\xff\xff"), [COMPRESSION_ERROR]),
    "HPACK 6.1 index 0": (headers(after=b"\x80"), [COMPRESSION_ERROR]),
    "HPACK 6.3 a larger table than the edge's": (headers(before=b"\x3f\xe2\x1f"), [COMPRESSION_ERROR]),
    # Errors of a stream that the library takes for errors of the connection, as anyone may (RFC 9113 §5.4.1).
    "4.2 DATA that is too long": (SILENT + frame(DATA, 0, 1, bytes(16_385)), [FRAME_SIZE_ERROR]),
    "5.1 DATA on a stream whose client has ended": (EVENTS + ONE_BYTE, [STREAM_CLOSED]),
    "5.1 a head on a stream whose client has ended": (EVENTS + headers(), [STREAM_CLOSED]),
    "5.3.1 a head that depends on itself": (
        headers(flags=END_STREAM | END_HEADERS | WITH_PRIORITY, before=number(1) + b"\xff"), [PROTOCOL_ERROR]),
    "5.3.1 PRIORITY that depends on itself": (frame(PRIORITY, 0, 1, number(1) + b"\xff"), [PROTOCOL_ERROR]),
    "5.3.1 PRIORITY that depends on itself, with an exclusive flag": (
        SILENT + frame(PRIORITY, 0, 1, number(1 << 31 | 1) + b"\xff"), [PROTOCOL_ERROR]),
    "6.3 PRIORITY of another length": (SILENT + frame(PRIORITY, 0, 1, b"\0\0\0\1"), [FRAME_SIZE_ERROR]),
    "6.9 a stream's WINDOW_UPDATE by nothing": (SILENT + frame(WINDOW_UPDATE, 0, 1, number(0)), [PROTOCOL_ERROR]),
}


@pytest.mark.parametrize("name", ENDS_THE_CONNECTION)
def test_what_breaks_the_connection_ends_it_with_a_goaway(dial, edge, closing, name):
    *greeting, data, codes = ENDS_THE_CONNECTION[name]
    if greeting:
        connection = dial(greets=False)
        connection.send(PREFACE)
    else:
        connection = dial()
    connection.send(data)
    assert connection.goaway() in codes


ENDS_THE_CONNECTION_OF_A_STREAM_THAT_IS_OVER = {
    "5.1 DATA": (frame(DATA, END_STREAM, 1, b"x"), [STREAM_CLOSED]),
    "5.1 a head": (headers(), [STREAM_CLOSED]),
    "5.1 CONTINUATION": (frame(CONTINUATION, END_HEADERS, 1, block(GET)), [STREAM_CLOSED, PROTOCOL_ERROR]),
}


@pytest.mark.parametrize("name", ENDS_THE_CONNECTION_OF_A_STREAM_THAT_IS_OVER)
def test_what_goes_on_with_a_stream_that_is_over_ends_the_connection(dial, name):
    data, codes = ENDS_THE_CONNECTION_OF_A_STREAM_THAT_IS_OVER[name]
    connection = dial()
    connection.send(headers())
    assert connection.answer(1) == "200"
    connection.send(data)
    assert connection.goaway() in codes


@pytest.mark.parametrize("kind, payload", [(PRIORITY, PRIORITY_OF_3), (WINDOW_UPDATE, number(1)), (RST_STREAM, number(8))])
def test_what_may_have_been_on_its_way_when_a_stream_ended_is_passed_over(dial, kind, payload):
    connection = dial()
    connection.send(headers())
    assert connection.answer(1) == "200"
    connection.send(frame(kind, 0, 1, payload))
    go_on(connection, 3)


def test_a_client_may_take_back_a_request_that_it_has_ended(dial):
    connection = dial()
    connection.send(EVENTS)
    connection.until(lambda received: received.kind == HEADERS)
    connection.send(frame(RST_STREAM, 0, 1, number(8)))
    go_on(connection, 3)


# What ends a stream

WEBSOCKET = [(":method", "CONNECT"), (":protocol", "websocket"), *GET[1:3], (":path", "/ws"), ("sec-websocket-version", "13")]
ENDS_THE_STREAM = {
    "6.9.1 a stream's window beyond all bounds": (SILENT + frame(WINDOW_UPDATE, 0, 1, number(2**31 - 1)), [FLOW_CONTROL_ERROR]),
    "8.1 a second head that does not end the stream": (SILENT + headers(1, [("x-trailer", "1")], END_HEADERS), [PROTOCOL_ERROR]),
    "8.1.1 more than was announced": (
        headers(1, [*POST, ("content-length", "1")], END_HEADERS) + frame(DATA, END_STREAM, 1, b"body"), [PROTOCOL_ERROR]),
    "8.1.1 more than was announced, in several frames": (
        headers(1, [*POST, ("content-length", "1")], END_HEADERS) + frame(DATA, 0, 1, b"b") + frame(DATA, END_STREAM, 1, b"ody"),
        [PROTOCOL_ERROR]),
    "8.1.1 less than was announced": (
        headers(1, [*POST, ("content-length", "9")], END_HEADERS) + frame(DATA, END_STREAM, 1, b"body"), [PROTOCOL_ERROR]),
    "8.1.1 nothing of what was announced": (headers(1, [*POST, ("content-length", "9")]), [PROTOCOL_ERROR]),
    "8.1 pseudo-header fields in trailers": (
        SILENT + frame(DATA, 0, 1, b"body") + headers(1, [(":method", "POST")]), [PROTOCOL_ERROR]),
    "8.2.1 a name with an upper-case letter": (headers(1, [*GET, ("X-TEST", "1")]), [PROTOCOL_ERROR]),
    "8.2.1 a name with a space": (headers(1, [*GET, ("x test", "1")]), [PROTOCOL_ERROR]),
    "8.2.1 an empty name": (headers(1, [*GET, ("", "1")]), [PROTOCOL_ERROR]),
    "8.2.1 a value with a line feed": (headers(1, [*GET, ("x-test", "1\n2")]), [PROTOCOL_ERROR]),
    "8.2.1 a value with a NUL": (headers(1, [*GET, ("x-test", "1\0")]), [PROTOCOL_ERROR]),
    "8.2.1 a value that begins with a space": (headers(1, [*GET, ("x-test", " 1")]), [PROTOCOL_ERROR]),
    "8.2.2 Connection": (headers(1, [*GET, ("connection", "keep-alive")]), [PROTOCOL_ERROR]),
    "8.2.2 Transfer-Encoding": (headers(1, [*POST, ("transfer-encoding", "chunked")], END_HEADERS), [PROTOCOL_ERROR]),
    "8.2.2 Upgrade": (headers(1, [*GET, ("upgrade", "websocket")]), [PROTOCOL_ERROR]),
    "8.2.2 TE of anything else": (headers(1, [*GET, ("te", "trailers, deflate")]), [PROTOCOL_ERROR]),
    "8.3 a pseudo-header field that nobody knows": (headers(1, [*GET, (":test", "1")]), [PROTOCOL_ERROR]),
    "8.3 a pseudo-header field of answers": (headers(1, [*GET, (":status", "200")]), [PROTOCOL_ERROR]),
    "8.3 a pseudo-header field behind others": (headers(1, [*GET[:3], ("x-test", "1"), GET[3]]), [PROTOCOL_ERROR]),
    "8.3.1 an empty path": (headers(1, [*GET[:3], (":path", "")]), [PROTOCOL_ERROR]),
    "8.3.1 no method": (headers(1, GET[1:]), [PROTOCOL_ERROR]),
    "8.3.1 no scheme": (headers(1, [GET[0], *GET[2:]]), [PROTOCOL_ERROR]),
    "8.3.1 no path": (headers(1, GET[:3]), [PROTOCOL_ERROR]),
    "8.3.1 two methods": (headers(1, [GET[0], *GET]), [PROTOCOL_ERROR]),
    "8.3.1 two schemes": (headers(1, [GET[1], *GET]), [PROTOCOL_ERROR]),
    "8.3.1 two paths": (headers(1, [GET[3], *GET]), [PROTOCOL_ERROR]),
    "8.3.1 two authorities": (headers(1, [GET[2], *GET]), [PROTOCOL_ERROR]),
    "8.5 CONNECT with a scheme": (
        headers(1, [(":method", "CONNECT"), (":scheme", "https"), (":authority", "localhost:80")], END_HEADERS), [PROTOCOL_ERROR]),
    "RFC 8441 4 CONNECT for a protocol without a path": (
        headers(1, [(":method", "CONNECT"), (":protocol", "websocket"), *GET[1:3]], END_HEADERS), [PROTOCOL_ERROR]),
    "RFC 8441 5 a WebSocket that ends with its head": (headers(1, WEBSOCKET), [PROTOCOL_ERROR]),
    "RFC 8441 4 a protocol without CONNECT": (headers(1, [*GET, (":protocol", "websocket")]), [PROTOCOL_ERROR]),
}


@pytest.mark.parametrize("name", ENDS_THE_STREAM)
def test_what_breaks_a_stream_ends_that_alone(dial, name):
    data, codes = ENDS_THE_STREAM[name]
    connection = dial()
    connection.send(data)
    end = connection.end_of(1)
    assert (end.kind, end.code) in [(RST_STREAM, code) for code in codes]
    go_on(connection)


# What is said in return


def test_settings_are_acknowledged_once_each(dial):
    connection = dial()
    connection.send(settings((4, 1)) + settings() + settings((4, 2)))
    assert [received.flags for received in connection.pinged() if received.kind == SETTINGS][-3:] == [ACK] * 3


def test_a_window_may_shrink_below_nothing_and_holds_until_it_is_wider(dial):
    connection = dial()

    def sent():
        # The answer to a PING goes before data that is due, that to the next one behind.
        received = connection.pinged() + connection.pinged()
        return b"".join(one.payload for one in received if one.kind == DATA)

    connection.send(settings((4, 3)) + headers())
    assert connection.until(lambda received: received.kind == DATA).payload == b"hel"
    connection.send(settings((4, 2)))
    assert sent() == b""
    connection.send(frame(WINDOW_UPDATE, 0, 1, number(1)))
    assert sent() == b""
    connection.send(frame(WINDOW_UPDATE, 0, 1, number(1)))
    assert sent() == b"l"
    connection.send(settings((4, 1), (4, 100)))
    assert sent() == b"o"
    assert connection.answer(1) == "200"


def test_a_stream_beyond_the_most_at_a_time_is_refused(dial):
    connection = dial()
    connection.send(b"".join(headers(number, POST, END_HEADERS) for number in range(1, 2 * 128, 2)))
    connection.pinged()
    assert not [received for received in connection.frames if received.kind in (RST_STREAM, GOAWAY)]
    connection.send(headers(257, POST, END_HEADERS))
    refusal = connection.until(lambda received: received.kind in (RST_STREAM, GOAWAY))
    assert refusal.code in (PROTOCOL_ERROR, REFUSED_STREAM)


def test_codes_that_nobody_knows_are_taken_for_any_other(dial):
    connection = dial()
    connection.send(SILENT + frame(RST_STREAM, 0, 1, number(0xFF)))
    go_on(connection, 3)
    connection.send(headers(5) + frame(GOAWAY, 0, 0, number(0) + number(0xFF)))
    assert connection.answer(5) == "200", "streams that are open go on (RFC 9113 §6.8)"
    assert connection.goaway() in (None, 0)


def test_a_client_that_says_something_else_than_http_is_sent_away(dial):
    connection = dial(greets=False)
    connection.send(b"INVALID CONNECTION PREFACE\r\n\r\n")
    assert connection.goaway() in (None, PROTOCOL_ERROR)
