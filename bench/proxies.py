"""The proxies under test, and the worker behind them: how each is started, found and stopped."""

import os
import pathlib
import signal
import socket
import subprocess
import time

CORES = [str(core) for core in sorted(os.sched_getaffinity(0))]
PROXY_CORE, LOAD_CORE = CORES[0], CORES[:2][-1]
ALL_CORES = ",".join(CORES)


class Process:
    """A program that runs until `stop`, on one core."""

    def __init__(self, core, command, log):
        self._log = open(log, "ab")
        self.popen = subprocess.Popen(["taskset", "-c", core, *command], stdout=self._log, stderr=self._log)

    def stop(self):
        """Ends it; a second signal hurries one that drains."""
        for _ in range(2):
            if self.popen.poll() is None:
                self.popen.send_signal(signal.SIGTERM)
                try:
                    self.popen.wait(timeout=60)  # A tool that it runs under may have much to write.
                except subprocess.TimeoutExpired:
                    continue
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        self._log.close()


class Proxy:
    """One proxy: the command that runs it in the foreground, and the port where it listens."""

    def __init__(self, name, port, command, alone=None, core=PROXY_CORE):
        self.name, self.port = name, port
        self._command, self._alone, self._core = command, alone or command, core
        self._has_master = alone is not None

    def start(self, site, under=(), alone=False, core=None):
        """Starts it, under a tool if one is given; `alone` without nginx's master process; on its core unless another is given."""
        command = [*under, *(self._alone if alone else self._command)]
        self._process = Process(core or self._core, command, site.file(f"{self.name}.log"))
        wait_until(lambda: connects(self.port), f"{self.name} does not listen, see {site.file(self.name + '.log')}", self._process)
        if self._has_master and not alone:
            # It listens before its worker is there.
            wait_until(self._children, f"{self.name} has no worker", self._process)
        return self

    @property
    def pid(self):
        """The process that serves: nginx's worker, not its master."""
        children = self._children() if self._has_master else []
        return int(children[0]) if children else self._process.popen.pid

    def _children(self):
        main = self._process.popen.pid
        return pathlib.Path(f"/proc/{main}/task/{main}/children").read_text().split()

    def stop(self):
        self._process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def all_proxies(site, sluice):
    nginx = ["nginx", "-c", site.file("nginx.conf")]
    return [
        Proxy("sluice", 9443, [sluice, "run", "-c", site.file("sluice.yaml")]),
        Proxy("nginx", 9444, nginx, alone=[*nginx, "-g", "master_process off;"]),
        Proxy("haproxy", 9445, ["haproxy", "-db", "-f", site.file("haproxy.cfg")]),
    ]


def variants(site, sluice):
    """The edge with other configurations, to tell what checks cost."""
    return {name: Proxy(name, port, [sluice, "run", "-c", site.file(f"{name}.yaml")])
            for name, port in (("open", 9446), ("token", 9447), ("checks", 9448))}


def reactor_variants(site, sluice, is_wide):
    """The edge with one reactor and with two: on cores of their own where there are enough."""
    cores = (CORES[0], ",".join(CORES[:2])) if is_wide else (ALL_CORES, ALL_CORES)
    return {f"{word} reactor{ending}": Proxy(word, port, [sluice, "run", "-c", site.file(f"{word}.yaml")], core=core)
            for word, ending, port, core in (("one", "", 9449, cores[0]), ("two", "s", 9450, cores[1]))}


class Worker:
    """A worker that proxies share: it echoes, unless its options say otherwise."""

    def __init__(self, site, bench, name, *options, core=LOAD_CORE):
        path = site.file(f"{name}.sock")
        self._process = Process(core, [bench, "worker", "--listen", path, *options], site.file(f"worker-{name}.log"))
        wait_until(lambda: os.path.exists(path), f"the worker {name} does not listen", self._process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stop()


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_until(condition, failure, process, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        if process.popen.poll() is not None or time.monotonic() > deadline:
            process.stop()
            raise SystemExit(failure)
        time.sleep(0.05)
