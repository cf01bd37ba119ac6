"""Messages of every size come back whole through the edge, over both versions of HTTP: the table of `conformance/sizes.py`."""

import pytest

from conformance import sizes
from edge import Edge, configuration, open_route
from frames import BINARY, CONTINUATION, TEXT, FrameStream, frame, upgrade_request
from streams import Multiplexed

CASES = [pytest.param(row, id=f"{row.section} {row.claim}") for row in sizes.CASES]


@pytest.fixture(scope="module")
def edge(module_directory, site, echo_worker):
    document = configuration(
        module_directory, site, {"main": [echo_worker.path]}, [open_route(path="/ws", max_message="16MiB")])
    with Edge(module_directory, site, document) as running:
        yield running


@pytest.mark.parametrize("row", CASES)
def test_an_echo_over_http_1(edge, closing, row):
    client = closing(FrameStream(edge.connect(protocols=["http/1.1"])))
    client.send(upgrade_request())
    assert client.response().status == 101
    come_back(client, row)


@pytest.mark.parametrize("row", CASES)
def test_an_echo_over_http_2(edge, closing, row):
    connection = closing(Multiplexed(edge.connect(protocols=["h2"])))
    client, _ = connection.open_websocket()
    come_back(client, row)


def come_back(client, row):
    payload, opcode = row.payload, TEXT if row.is_text else BINARY
    data = message(opcode, payload, row.fragment or len(payload), client.mask)
    for _ in range(row.times):
        step = row.chop or 1 << 20
        for start in range(0, len(data), step):
            client.send(data[start:start + step])
        received = client.frame()
        assert (received.opcode, received.fin) == (opcode, True)
        assert received.payload == payload, "not what was sent"
    client.send_close(1000, "done")
    assert client.close_frame() == (1000, "done")
    assert client.is_ended()


def message(opcode, payload, size, mask):
    """The frames of a message whose fragments have `size` bytes."""
    parts = [payload[start:start + size] for start in range(0, len(payload), size)] if payload else [b""]
    return b"".join(
        frame(CONTINUATION if index else opcode, part, index == len(parts) - 1, mask) for index, part in enumerate(parts))
