"""Messages of every size come back whole through the edge, over both versions of HTTP: the table of `conformance/sizes.py`."""

import pytest

from conformance import sizes
from edge import Edge, configuration, open_route
from frames import BINARY, CONTINUATION, TEXT, frame
from ways import both_ways


@pytest.fixture(scope="module")
def edge(module_directory, site, echo_worker):
    document = configuration(
        module_directory, site, {"main": [echo_worker.path]}, [open_route(path="/ws", max_message="16MiB")])
    with Edge(module_directory, site, document) as running:
        yield running


@both_ways
@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.section} {row.claim}") for row in sizes.CASES])
def test_an_echo(way, edge, row):
    client = way.ask(edge)
    assert client.response().status == way.accepted
    opcode = TEXT if row.is_text else BINARY
    data = message(opcode, row.payload, row.fragment or row.size, client.mask)
    step = row.chop or 1 << 20
    for _ in range(row.times):
        for start in range(0, len(data), step):
            client.send(data[start:start + step])
        received = client.frame()
        assert (received.opcode, received.fin) == (opcode, True)
        assert received.payload == row.payload, "not what was sent"
    client.send_close(1000, "done")
    assert client.close_frame() == (1000, "done")
    assert client.is_ended()


def message(opcode, payload, size, mask):
    """The frames of a message whose fragments have `size` bytes."""
    parts = [payload[start:start + size] for start in range(0, len(payload), size)] if payload else [b""]
    return b"".join(
        frame(CONTINUATION if index else opcode, part, index == len(parts) - 1, mask) for index, part in enumerate(parts))
