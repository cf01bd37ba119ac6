"""What a scrape of /metrics costs, without clients and with many idle ones."""

import http.client
import json
import pathlib
import socket
import subprocess
import time

from measure import IDLE_SOURCES, wait_for
from proxies import LOAD_CORE

SCRAPES = 50
CONNECTIONS = 9_000


def scrape_cpu(bench, site, proxy):
    """Rows of connections: CPU milliseconds for each scrape, those of the reactor's thread among them, and its bytes."""
    rows = {}
    with proxy.start(site):
        edge = Edge(site, proxy)
        rows["no connections"] = edge.measure()
        with bench.holding(proxy, "--connections", CONNECTIONS, "--sources", IDLE_SOURCES, "--hold", 600):
            wait_for(lambda: edge.websockets() == CONNECTIONS, f"{CONNECTIONS} connections", seconds=300)
            rows[f"{CONNECTIONS:,} connections"] = edge.measure()
    return rows


class Edge:
    def __init__(self, site, proxy):
        self._socket, self._tasks = site.file("admin.sock"), pathlib.Path(f"/proc/{proxy.pid}/task")

    def measure(self):
        """Scrapes, and then as long nothing: the difference is what scrapes cost, without pings and timers."""
        self.scrape()
        began, before = time.monotonic(), self._cpu()
        size = max(len(self.scrape()) for _ in range(SCRAPES))
        seconds, after = time.monotonic() - began, self._cpu()
        time.sleep(seconds)
        rest = self._cpu()
        costs = {name: ((after[name] - before[name]) - (rest[name] - after[name])) / SCRAPES for name in after}
        return {"cpu": sum(costs.values()), "reactor": costs["reactor"], "bytes": size}

    def scrape(self):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self._socket)
        connection.request("GET", "/metrics")
        answer = connection.getresponse().read().decode()
        connection.close()
        return answer

    def websockets(self):
        lines = (line.rpartition(" ") for line in self.scrape().splitlines() if line.startswith("sluice_connections{"))
        return sum(int(value) for _, _, value in lines)

    def _cpu(self):
        """Milliseconds of each thread so far, those of one name together."""
        spent = {}
        for task in self._tasks.iterdir():
            name = (task / "comm").read_text().strip()
            spent[name] = spent.get(name, 0) + int((task / "schedstat").read_text().split()[0]) / 1e6
        return spent
