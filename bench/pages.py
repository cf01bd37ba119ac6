"""What it does to those who talk that an operator reads sorted pages of many connections, one after the other.

The edge, its load and the reader share all cores, as they do where nobody pins anything.
"""

import http.client
import socket
import statistics
import time

from measure import IDLE_SOURCES, wait_for
from proxies import ALL_CORES
from scrape import Edge

CONNECTIONS, PAGE, TALKING, RATE = 9_000, 1_000, 100, 2_000
SORTS = ("messages", "active", "bytes", "user", "opened", "queued")


def latencies(bench, site, proxy, rounds, seconds, say):
    """Rows of rounds: the p99 of echoes in microseconds without readers and with one, and what the pages took."""
    rows = []
    with proxy.start(site, core=ALL_CORES):
        edge, reader = Edge(site, proxy), Reader(site.file("admin.sock"))
        with bench.holding(proxy, "--connections", CONNECTIONS - TALKING, "--sources", IDLE_SOURCES, "--hold", 600):
            wait_for(lambda: edge.websockets() == CONNECTIONS - TALKING, f"{CONNECTIONS} connections", seconds=300)
            for number in range(rounds):
                figures = {}
                for kind in ("quiet", "asked") if number % 2 == 0 else ("asked", "quiet"):
                    before = len(reader.milliseconds)
                    figures[kind] = talk(bench, proxy, seconds, reader.read if kind == "asked" else lambda: time.sleep(0.05))
                    figures["pages"] = len(reader.milliseconds) - before or figures.get("pages")
                rows.append({"quiet": figures["quiet"], "asked": figures["asked"], "ratio": figures["asked"] / figures["quiet"],
                             "pages": figures["pages"]})
                say(f"  round {number + 1}/{rounds}: p99 {rows[-1]['quiet']:.0f} µs, with pages {rows[-1]['asked']:.0f} µs: "
                    f"{rows[-1]['ratio']:.2f}")
    return rows, statistics.median(reader.milliseconds)


def talk(bench, proxy, seconds, meanwhile):
    """The p99 of echoes at a fixed rate, by a process of its own, while this one does something else over and over."""
    load = bench.start("rate", proxy, "--connections", TALKING, "--rate", RATE, "--seconds", seconds, core=ALL_CORES)
    while load.poll() is None:
        meanwhile()
    return bench.result(load, proxy)["latency_p99_us"]


class Reader:
    """Reads pages over one connection after the other, as a script with curl does."""

    def __init__(self, path):
        self._path, self.milliseconds = path, []

    def read(self):
        sort = SORTS[len(self.milliseconds) % len(SORTS)]
        began = time.monotonic()
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self._path)
        connection.request("GET", f"/api/v1/connections?limit={PAGE}&order=desc&sort={sort}")
        body = connection.getresponse().read()
        connection.close()
        self.milliseconds.append((time.monotonic() - began) * 1e3)
        assert body.count(b'"id"') == PAGE
