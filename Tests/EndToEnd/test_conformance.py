"""RFC 6455 §4–§8 case by case, over HTTP/1.1 and HTTP/2, with clients and with workers that break its rules.

The cases are the tables of `conformance/`; how many were run of each section is said at the end.
"""

import collections
import contextlib

import pytest

from conformance import answers, closings, framing, messages, openings, texts
from conformance.proof import Proof, in_pieces
from conformance.scripts import CLIENT, Fails
from edge import Edge, configuration, open_route
from frames import FrameStream, accept_value
from rawhttp import ByteStream, request
from relayed import Relayed
from ways import FramesOfStream, OwnConnections, Streams, both_ways
from workers import RawWorker, accept_upgrade

OPENINGS = [
    pytest.param(way, row, id=f"{row.section} {row.claim}-{way.name}")
    for way, table in [(OwnConnections, openings.OVER_HTTP_1), (Streams, openings.OVER_HTTP_2)] for row in table]
ANSWERS = [pytest.param(row, id=f"{row.section} {row.claim}") for row in answers.CASES]
SCRIPTS = [
    pytest.param(case, sender, id=f"{case.section} {case.claim}, by the {sender}")
    for table in (framing, messages, closings, texts) for case in table.CASES for sender in case.senders]


@pytest.mark.parametrize("table", [openings.OVER_HTTP_1, openings.OVER_HTTP_2], ids=["http/1.1", "h2"])
def test_there_are_at_least_247_cases(table):
    assert len(table) + len(ANSWERS) + len(SCRIPTS) >= 247


@pytest.fixture(scope="module")
def worker(module_directory):
    started = RawWorker(module_directory / "worker.sock")
    yield started
    started.close()


@pytest.fixture(scope="module")
def edge(module_directory, site, worker):
    routes = [open_route(path="/ws"), open_route(path="/ours", name="ours", origins=["https://chat.example.test"])]
    # One reactor, for `has_read`; and nothing ends because of time.
    document = configuration(
        module_directory, site, {"main": [worker.path]}, routes, threads=1,
        timeouts={"close": "5m", "handshake": "5m", "head": "5m", "worker_response": "5m"})
    with Edge(module_directory, site, document) as running:
        yield running


@pytest.fixture
def has_read(edge, closing):
    """Returns when the edge has read everything that was written to it so far."""
    streams = []

    def has_read():
        if not streams:
            streams.extend(closing(ByteStream(edge.connect("plain"))) for _ in range(2))
        # What was written before the first question is read in the same turn of the reactor; the second question comes after it.
        for stream in streams:
            stream.send(request("/nowhere"))
            assert stream.response().status == 404

    return has_read


# The opening handshake


@pytest.mark.parametrize("way, opening", OPENINGS, indirect=["way"])
def test_an_opening(way, edge, worker, closing, has_read, opening):
    accepted = worker.accepted
    if isinstance(opening.request, bytes):
        client = closing(FrameStream(edge.connect()))
        in_pieces(client, opening.request, opening.chop, has_read)
    else:
        client = FramesOfStream(lambda: way.connection(edge).open(opening.request))
    match opening.outcome:
        case openings.Opens(offered, chosen):
            upstream = closing(worker.next())
            asked = take_upgrade(upstream, offered, chosen)
            response = client.response()
            assert response.status == way.accepted
            agree(response, chosen)
            if isinstance(way, OwnConnections):
                assert (response["Upgrade"], response["Connection"]) == ("websocket", "Upgrade")
                assert response.all("Sec-WebSocket-Accept") == [accept_value(opening.key)]
                assert asked["sec-websocket-key"] != opening.key
            else:
                assert not response.all("Sec-WebSocket-Accept")
            Proof(client, upstream, CLIENT, has_read).go_on()
        case openings.Refused(status, word):
            response = client.response(**({"to": "HEAD"} if opening.request[:4] == b"HEAD" else {}))
            assert response.status == status
            assert word is None or response.word == word
            if status == 405:
                assert response["Allow"] == "GET"
            if status == 426:
                assert response["Sec-WebSocket-Version"] == "13"
            assert worker.accepted == accepted
        case openings.IsPlain():
            upstream = closing(worker.next())
            names = {name.lower() for name, _ in upstream.head()[1]}
            assert not [name for name in names if name in ("upgrade", "connection") or name.startswith("sec-websocket-")]
            upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            assert client.response().status == 200


def take_upgrade(upstream, offered, chosen):
    """Answers the edge's own opening handshake; gives its fields, by names in lower case."""
    fields = accept_upgrade(upstream, [("Sec-WebSocket-Protocol", chosen)] if chosen else [])
    asked = {name.lower(): value for name, value in fields}
    assert len(asked) == len(fields), "a field twice"
    assert (asked["upgrade"], asked["connection"], asked["sec-websocket-version"]) == ("websocket", "Upgrade", "13")
    assert asked.get("sec-websocket-protocol") == offered
    assert "sec-websocket-extensions" not in asked
    return asked


def agree(response, chosen):
    """An answer to a client names the subprotocol that the worker has chosen, and no extension."""
    assert response.all("Sec-WebSocket-Protocol") == ([chosen] if chosen else [])
    assert not response.all("Sec-WebSocket-Extensions")


@both_ways
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer(way, edge, worker, closing, has_read, answer):
    client = way.ask(edge, fields=[("Sec-WebSocket-Protocol", answers.OFFERED)])
    upstream = closing(worker.next())
    key = dict(upstream.head()[1])["Sec-WebSocket-Key"]
    with contextlib.suppress(ConnectionError):  # The edge need not read a bad one to its end.
        in_pieces(upstream, answer.data(key), answer.chop, has_read)
    while (response := client.response()).status == 103:
        pass
    if answer.status == 101:
        assert response.status == way.accepted
        agree(response, answer.subprotocol)
        return Proof(client, upstream, CLIENT, has_read).go_on()
    assert response.status == (answer.over_http_2 or answer.status if isinstance(way, Streams) else answer.status)
    if response.status == 502:
        assert response.word == "worker_error"
        assert upstream.is_ended()


# Frames


@both_ways
@pytest.mark.parametrize("case, sender", SCRIPTS)
def test_frames(way, edge, worker, closing, has_read, case, sender):
    client, upstream = Relayed(edge, worker, way).open()
    Proof(client, closing(upstream), sender, has_read).of(case)
    _breaches.update((sender, step.word) for step in case.script if isinstance(step, Fails))


def test_each_breach_was_counted_by_side_and_word(edge):
    counted = {(side, word): edge.metric("sluice_protocol_errors_total", side=side, error=word) for side, word in _breaches}
    assert counted == _breaches


# How often either side has broken which rule.
_breaches = collections.Counter()
