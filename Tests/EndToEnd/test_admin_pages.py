"""The list of 9,000 connections under traffic: no message is lost for it. What it takes is in docs/benchmarks.md."""

import statistics
import time

from crowd import Crowd
from waiting import eventually, slow

MANY = 9_000
ROUNDS = 9


def test_sorted_pages_of_nine_thousand_connections_lose_no_message(start_edge, directory, closing):
    crowd = closing(Crowd(directory / "worker.sock"))
    edge = start_edge({"main": [str(directory / "worker.sock")]}, threads=2)
    members = [member for i in range(9) for member in crowd.join(edge, MANY // 9, source=f"127.0.0.{i + 2}")]
    before = crowd.talk(members, 2_000)
    lag_before = _lag(edge)
    durations, ratios, pages = [], [], 0
    for _ in range(ROUNDS):
        quiet = _p99(crowd, seconds=0.5)
        asked = _p99(crowd, seconds=0.5, meanwhile=lambda: durations.append(_page(edge, len(durations))))
        ratios.append(asked / quiet)
    said = crowd.hush()
    eventually(lambda: crowd.received_count - before == said, what="every echo")
    assert all(member.end is None for member in members)
    lag = {le: count - lag_before[le] for le, count in _lag(edge).items()}
    print(f"page of 1,000 of {MANY}: median {statistics.median(durations) * 1e3:.1f} ms, worst {max(durations) * 1e3:.1f} ms, "
          f"{len(durations)} pages; p99 with pages / without: median {statistics.median(ratios):.2f} of {ROUNDS} rounds; "
          f"seconds whose longest turn was at most …: {lag}")
    assert statistics.median(durations) < slow(3)


def _page(edge, number):
    sort = ("messages", "active", "bytes", "user", "opened", "queued")[number % 6]
    began = time.monotonic()
    status, body = edge.admin("GET", f"/api/v1/connections?limit=1000&order=desc&sort={sort}")
    assert status == 200 and body.count('"id"') == 1000
    return time.monotonic() - began


def _p99(crowd, seconds, meanwhile=lambda: time.sleep(0.05)):
    end = time.monotonic() + seconds
    crowd.latencies = []
    while time.monotonic() < end or len(crowd.latencies) < 100:
        meanwhile()
        time.sleep(0.05)
    return statistics.quantiles(crowd.latencies, n=100)[98]


def _lag(edge):
    return {float(dict(labels)["le"]): value for (name, labels), value in edge.metrics().items()
            if name == "sluice_event_loop_lag_seconds_bucket"}
