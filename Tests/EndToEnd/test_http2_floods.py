"""Floods over HTTP/2: each ends its connection alone, and is counted by its kind; as much as a client may ever need does not."""

import dataclasses
import typing

import pytest

from edge import Edge, configuration, open_route
from rawstreams import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GET, HEADERS, PING, POST, PRIORITY, RST_STREAM, WINDOW_UPDATE,
    RawConnection, block, frame, headers, number, settings)
from waiting import eventually


@dataclasses.dataclass
class Flood:
    """What a client does again and again; `budget` times may it be done at once, and a few more as time passes."""

    budget: int
    once: typing.Callable[[int], bytes]
    opening: bytes = b""

    def times(self, first, count):
        """Does it so often, on streams of their own; gives the bytes."""
        return b"".join(self.once(2 * turn + 3) for turn in range(first, first + count))


def in_pieces(stream):
    """A request whose head goes on in three frames."""
    middle = frame(CONTINUATION, 0, stream, block(GET[1:2])) + frame(CONTINUATION, 0, stream, block(GET[2:3]))
    return headers(stream, GET[:1], END_STREAM) + middle + frame(CONTINUATION, END_HEADERS, stream, block(GET[3:]))


# Adds an entry of 3 KB to the table, which a byte then names.
LARGE_ENTRY = b"\x40\x01a\x7f\xb9\x16" + b"b" * 3000

FLOODS = {
    "ping": Flood(98, lambda _: frame(PING, 0, 0, b"12345678")),
    "settings": Flood(18, lambda _: settings()),
    "priority": Flood(998, lambda _: frame(PRIORITY, 0, 1, number(0) + b"\xff")),
    "window_update": Flood(998, lambda _: frame(WINDOW_UPDATE, 0, 0, number(1))),
    "empty_data": Flood(98, lambda _: frame(DATA, 0, 1), opening=headers(1, POST, END_HEADERS)),
    "continuation": Flood(32, in_pieces),
    "rapid_reset": Flood(
        298, lambda stream: headers(stream, POST, END_HEADERS) + frame(RST_STREAM, 0, stream, number(8))),
    "provoked_reset": Flood(
        98, lambda stream: headers(stream, POST, END_HEADERS) + frame(WINDOW_UPDATE, 0, stream, number(2**31 - 1))),
    "header_table": Flood(
        18, lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream, block(GET) + b"\xbe" * 12_000),
        opening=headers(1, GET, after=LARGE_ENTRY)),
}


@pytest.fixture(scope="module")
def edge(module_directory, site, echo_worker):
    with Edge(module_directory, site, configuration(module_directory, site, {"main": [echo_worker.path]}, [open_route()])) as edge:
        yield edge


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_ends_its_connection_and_a_few_do_not(edge, dial, kind):
    def ended():
        return edge.metric("sluice_http2_floods_total", kind=kind)

    flood, before = FLOODS[kind], ended()
    calm, connection = dial(), dial()
    connection.send(flood.opening + flood.times(0, flood.budget) + headers(2001))
    assert connection.answer(2001) == "200"
    assert ended() == before
    turn = 1000
    while connection.pinged() is not None:
        connection.send(flood.times(turn, 50))
        turn += 50
    assert connection.goaway() == ENHANCE_YOUR_CALM
    assert ended() == before + 1
    calm.send(headers())
    assert calm.answer(1) == "200"


def test_a_flood_is_told_in_the_log(start_edge, echo_worker, closing):
    edge = start_edge({"main": [echo_worker.path]})
    connection = closing(RawConnection(edge.connect(protocols=["h2"])))
    connection.send(frame(PING, 0, 0, b"12345678") * 200)
    assert connection.goaway() == ENHANCE_YOUR_CALM
    [line] = eventually(lambda: edge.events("http2.flood"))
    assert (line["error.type"], line["level"]) == ("ping", "warn")


def test_one_head_that_goes_on_and_on_is_a_flood_too(edge, dial):
    before = edge.metric("sluice_http2_floods_total", kind="continuation")
    connection = dial()
    connection.send(headers(1, GET, END_STREAM) + frame(CONTINUATION, 0, 1) * 20)
    assert connection.goaway() == ENHANCE_YOUR_CALM
    assert edge.metric("sluice_http2_floods_total", kind="continuation") == before + 1
