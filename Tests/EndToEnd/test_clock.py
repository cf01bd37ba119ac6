"""A clock that is set by hours: what bears a date goes by it, and nobody loses a connection by it."""

import time

import pytest

from clock import Clock
from edge import open_route
from frames import TEXT, FrameStream, upgrade_request
from processes import REPORTS
from waiting import eventually

HOUR = 3600
ROUTES = [open_route(auth="main", ping={"interval": "300ms", "timeout": "60s"}, idle_timeout="10m")]

pytestmark = pytest.mark.skipif(bool(REPORTS), reason="libfaketime and sanitizers both want to be loaded first")


class Watched:
    """An edge with a clock of its own, in front of an echoing worker."""

    def __init__(self, edge, clock, site, closing):
        self.edge = edge
        self._clock = clock
        self._site = site
        self._closing = closing

    def jump(self, seconds):
        self._clock.jump(seconds)
        eventually(lambda: abs(self.edge.clock() - time.time() - seconds) < 600, what="the edge seeing another time")

    def enter(self, seconds):
        """A client whose token lasts so long by the real time; or the status of its refusal."""
        client = self._closing(FrameStream(self.edge.connect()))
        token = self._site.token(iat=None, exp=int(time.time()) + seconds)
        client.send(upgrade_request("/ws", [("Authorization", f"Bearer {token}")]))
        response = client.response()
        return client if response.status == 101 else response.status


@pytest.fixture
def watched(start_edge, echo_worker, directory, site, closing):
    clock = Clock(directory / "clock")
    return Watched(start_edge({"main": [echo_worker.path]}, ROUTES, clock=clock), clock, site, closing)


def echoes(client, text=b"hello"):
    client.send_frame(TEXT, text)
    while (received := client.frame()).opcode != TEXT:
        pass
    return received.payload == text


def test_set_forward_it_ends_the_tokens_that_are_over_by_it_and_nothing_else(watched):
    short, long = watched.enter(HOUR), watched.enter(24 * HOUR)
    assert echoes(short) and echoes(long)
    watched.jump(3 * HOUR)
    assert short.close_frame() == (4401, "token_expired")
    assert echoes(long)
    assert watched.enter(HOUR) == 401
    assert echoes(watched.enter(24 * HOUR))
    (line,) = eventually(lambda: watched.edge.events("clock.stepped"), what="the step being logged")
    assert abs(line["clock.step_s"] - 3 * HOUR) < 60


def test_set_back_it_lets_tokens_last_as_long_as_it_says(watched):
    # What it takes until the edge sees the step and notices it, before the token ends, is up to the machine.
    for lifetime in (8, 60):
        ends = time.time() + lifetime
        short = watched.enter(lifetime)
        watched.jump(-HOUR)
        eventually(lambda: watched.edge.events("clock.stepped"), what="the step being noticed")
        if time.time() < ends:
            break
        watched.jump(0)
    while time.time() < ends + 2:  # a second of leeway
        assert echoes(short)
    watched.jump(0)
    assert short.close_frame() == (4401, "token_expired")


@pytest.mark.parametrize("seconds", [-5 * HOUR, 5 * HOUR])
def test_pings_go_on_and_nobody_is_idle_because_of_it(watched, seconds):
    client = watched.enter(24 * HOUR)
    watched.jump(seconds)
    pings = 0
    while pings < 3:
        received = client.frame()
        assert received.opcode == 9, received
        client.send_frame(10, received.payload)
        pings += 1
    assert echoes(client)
    assert watched.edge.metric("sluice_connections_closed_total") == 0


@pytest.mark.parametrize("seconds", [-5 * HOUR, 5 * HOUR])
def test_bans_end_by_the_clock(watched, seconds):
    watched.edge.rule("ban", user="alice", ttl_seconds=2 * HOUR)
    assert watched.enter(24 * HOUR) == 403
    watched.jump(seconds)
    if seconds < 0:
        assert watched.enter(24 * HOUR) == 403
    else:
        assert eventually(lambda: watched.enter(24 * HOUR) != 403)
        assert watched.edge.rules() == []
