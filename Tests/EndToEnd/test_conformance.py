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
from frames import FrameStream, accept_value, upgrade_request
from rawhttp import ByteStream, request
from relayed import open_stream, open_websocket
from streams import Multiplexed
from workers import RawWorker, accept_upgrade


def rows(table):
    return [pytest.param(row, id=f"{row.section} {row.claim}") for row in table]


SCRIPTS = [
    pytest.param(case, sender, id=f"{case.section} {case.claim}, by the {sender}")
    for table in (framing, messages, closings, texts) for case in table.CASES for sender in case.senders]


def test_there_are_at_least_247_cases_over_each_version():
    assert len(openings.OVER_HTTP_1) + len(answers.CASES) + len(SCRIPTS) >= 247
    assert len(openings.OVER_HTTP_2) + len(answers.CASES) + len(SCRIPTS) >= 247


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
        module_directory, site, {"main": [worker.path]}, routes, threads=1, timeouts={"close": "60s"})
    with Edge(module_directory, site, document) as running:
        yield running


@pytest.fixture
def has_read(edge, closing):
    """Returns when the edge has read everything that was written to it so far."""
    streams = []

    def has_read():
        if not streams:
            streams.extend(closing(ByteStream(edge.connect("plain"))) for _ in range(2))
        # What was written before the first one's question is read in the same turn of the reactor; the second one's comes after that.
        for stream in streams:
            stream.send(request("/nowhere"))
            assert stream.response().status == 404

    return has_read


@pytest.fixture
def client(edge, closing):
    """A client's connection of HTTP/1.1."""
    client = closing(FrameStream(edge.connect(protocols=["http/1.1"])))
    # An end without TLS's own goodbye is an error.
    client.sock.suppress_ragged_eofs = False
    return client


@pytest.fixture
def connection(edge, closing):
    """A client's connection of HTTP/2."""
    return closing(Multiplexed(edge.connect(protocols=["h2"])))


# The opening handshake


@pytest.mark.parametrize("opening", rows(openings.OVER_HTTP_1))
def test_an_opening_over_http_1(client, worker, closing, has_read, opening):
    accepted = worker.accepted
    in_pieces(client, opening.request, opening.chop, has_read)
    match opening.outcome:
        case openings.Opens(offered, chosen):
            upstream = closing(worker.next())
            asked = take_upgrade(upstream, offered, chosen)
            response = client.response()
            assert response.status == 101
            assert (response["Upgrade"], response["Connection"]) == ("websocket", "Upgrade")
            assert response.all("Sec-WebSocket-Accept") == [accept_value(key_of(opening.request))]
            assert asked["sec-websocket-key"] != key_of(opening.request)
            agree(response, chosen)
            Proof(client, upstream, CLIENT, has_read).go_on()
        case openings.Refused(status):
            response = client.response(to=opening.request.split(b" ", 1)[0].decode())
            assert response.status == status
            if status == 426:
                assert (response["Sec-WebSocket-Version"], response["Upgrade"]) == ("13", "websocket")
                assert "upgrade" in response["Connection"].lower()
            if status == 405:
                assert response["Allow"] == "GET"
            assert worker.accepted == accepted
        case openings.IsPlain():
            upstream = closing(worker.next())
            names = {name.lower() for name, _ in upstream.head()[1]}
            assert not {"upgrade", "connection"} & names
            assert not [name for name in names if name.startswith("sec-websocket-")]
            upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            assert client.response().status == 200


@pytest.mark.parametrize("opening", rows(openings.OVER_HTTP_2))
def test_an_opening_over_http_2(connection, worker, closing, has_read, opening):
    accepted = worker.accepted
    stream = closing(connection.open(opening.request))
    match opening.outcome:
        case openings.Opens(offered, chosen):
            upstream = closing(worker.next())
            take_upgrade(upstream, offered, chosen)
            response = stream.head()
            assert response.status == 200
            assert {name for name, _ in response.fields}.isdisjoint({"upgrade", "connection", "sec-websocket-accept"})
            agree(response, chosen)
            Proof(FrameStream(stream), upstream, CLIENT, has_read).go_on()
        case openings.Refused(status, word):
            response = stream.response()
            assert response.status == status
            if word:
                assert response.word == word
            if status == 426:
                assert response["Sec-WebSocket-Version".lower()] == "13"
            assert worker.accepted == accepted


def take_upgrade(upstream, offered, chosen):
    """Answers the edge's own opening handshake; gives its fields, by names in lower case."""
    fields = accept_upgrade(upstream, [("Sec-WebSocket-Protocol", chosen)] if chosen else [])
    asked = {name.lower(): value for name, value in fields}
    assert len(asked) == len(fields), "a field twice"
    assert (asked["upgrade"], asked["connection"], asked["sec-websocket-version"]) == ("websocket", "Upgrade", "13")
    assert asked.get("sec-websocket-protocol") == offered
    assert "sec-websocket-extensions" not in asked
    return asked


def key_of(request):
    lines = request.decode("latin-1").split("\r\n")
    return next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("sec-websocket-key"))


def agree(response, chosen):
    """An answer to a client names the subprotocol that the worker has chosen, and no extension."""
    assert response.all("Sec-WebSocket-Protocol") == ([chosen] if chosen else [])
    assert not response.all("Sec-WebSocket-Extensions")


@pytest.mark.parametrize("answer", rows(answers.CASES))
def test_a_workers_answer_over_http_1(client, worker, closing, has_read, answer):
    client.send(upgrade_request(fields=[("Sec-WebSocket-Protocol", answers.OFFERED)]))
    upstream = reply(worker, answer, has_read, closing)
    response = final(client.response)
    assert response.status == answer.status
    judge(answer, response, answer.status, client, upstream, has_read)


@pytest.mark.parametrize("answer", rows(answers.CASES))
def test_a_workers_answer_over_http_2(connection, worker, closing, has_read, answer):
    stream = closing(connection.websocket(fields=[("sec-websocket-protocol", answers.OFFERED)]))
    upstream = reply(worker, answer, has_read, closing)
    response = final(stream.head)
    status = answer.over_http_2 or answer.status
    assert response.status == (200 if status == 101 else status)
    if status != 101:
        response.body = stream.response_body()
    judge(answer, response, status, FrameStream(stream), upstream, has_read)


def reply(worker, answer, has_read, closing):
    upstream = closing(worker.next())
    key = dict(upstream.head()[1])["Sec-WebSocket-Key"]
    with contextlib.suppress(ConnectionError):  # The edge need not read a bad one to its end.
        in_pieces(upstream, answer.data(key), answer.chop, has_read)
    return upstream


def final(next_response):
    """The answer behind interim ones."""
    while (response := next_response()).status == 103:
        pass
    return response


def judge(answer, response, status, client, upstream, has_read):
    if status == 101:
        agree(response, answer.subprotocol)
        Proof(client, upstream, CLIENT, has_read).go_on()
    elif status == 502:
        assert response.word == "worker_error"
        assert upstream.is_ended()


# Frames


@pytest.mark.parametrize("case, sender", SCRIPTS)
def test_frames_over_http_1(client, worker, closing, has_read, case, sender):
    upstream = closing(open_websocket(client, worker))
    prove(case, sender, Proof(client, upstream, sender, has_read))


@pytest.mark.parametrize("case, sender", SCRIPTS)
def test_frames_over_http_2(connection, worker, closing, has_read, case, sender):
    client, upstream = open_stream(connection, worker)
    prove(case, sender, Proof(closing(client), closing(upstream), sender, has_read))


def prove(case, sender, proof):
    proof.of(case)
    _breaches.update((sender, step.word) for step in case.script if isinstance(step, Fails))


def test_each_breach_was_counted_by_side_and_word(edge):
    counted = {(side, word): edge.metric("sluice_protocol_errors_total", side=side, error=word) for side, word in _breaches}
    assert counted == _breaches


# How often either side has broken which rule.
_breaches = collections.Counter()
