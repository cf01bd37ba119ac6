"""What comes to the edge from many sides at the same moment: it is stopped meanwhile, so that it meets all of it in one turn."""

import contextlib
import signal

from frames import BINARY
from ways import both_ways

# More than the edge reads before it passes on what it has.
SIZES = [0, 7, 125, 126, 20_000, 1]
PAIRS = 20


@contextlib.contextmanager
def stopped(edge):
    """The edge does nothing meanwhile; what is sent to it waits in the kernel."""
    edge.child.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        edge.child.signal(signal.SIGCONT)


def messages(name):
    return [f"{name}.{number} ".encode() + b"x" * size for number, size in enumerate(SIZES)]


def test_what_many_say_at_once_reaches_each_peer_whole_and_in_order(relayed):
    relay = relayed()
    pairs = [relay.open() for _ in range(PAIRS)]
    with stopped(relay.edge):
        for number, (client, upstream) in enumerate(pairs):
            for message in messages(f"client {number}"):
                client.send_frame(BINARY, message)
            for message in messages(f"worker {number}"):
                upstream.send_frame(BINARY, message)
    for number, (client, upstream) in enumerate(pairs):
        assert [upstream.frame().payload for _ in SIZES] == messages(f"client {number}")
        assert [client.frame().payload for _ in SIZES] == messages(f"worker {number}")


@both_ways
def test_who_speaks_and_leaves_at_once_is_heard_to_the_end(relayed):
    relay = relayed()
    pairs = [relay.open() for _ in range(PAIRS)]
    with stopped(relay.edge):
        for number, (client, upstream) in enumerate(pairs):
            client.send_frame(BINARY, f"client {number}".encode())
            upstream.send_frame(BINARY, f"worker {number}".encode())
            if number % 2:
                client.send_close(1000)
            else:
                upstream.send_close(1000)
                upstream.close()
    for number, (client, upstream) in enumerate(pairs):
        assert client.frame().payload == f"worker {number}".encode()
        if number % 2:
            assert upstream.frame().payload == f"client {number}".encode()
            assert upstream.close_frame() == (1000, "")
        else:
            assert client.close_frame() == (1000, "")
