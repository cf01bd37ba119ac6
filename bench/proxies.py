"""The proxies under test, and the worker behind them: how each is started, found and stopped."""

import os
import pathlib
import signal
import socket
import subprocess
import time

PROXY_CORE, LOAD_CORE = "0", "1"


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
                    self.popen.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    continue
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        self._log.close()


class Proxy:
    """One proxy: the command that runs it in the foreground, and the port where it listens."""

    def __init__(self, name, port, command, alone=None, version=None):
        self.name, self.port, self.version = name, port, version
        self._command = command
        self._alone = alone or command

    def start(self, site, under=(), alone=False):
        """Starts it, under a tool if one is given; `alone` without nginx's master process."""
        command = [*under, *(self._alone if alone else self._command)]
        self._process = Process(PROXY_CORE, command, site.file(f"{self.name}.log"))
        wait_until(lambda: connects(self.port), f"{self.name} does not listen, see {site.file(self.name + '.log')}", self._process)
        return self

    @property
    def pid(self):
        """The process that serves: nginx's worker, not its master."""
        main = self._process.popen.pid
        children = pathlib.Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return int(children[0]) if children and self.name == "nginx" else main

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


class Worker:
    """The echo worker that all proxies share."""

    def __init__(self, site, bench):
        path = site.file("echo.sock")
        self._process = Process(LOAD_CORE, [bench, "worker", "--listen", path], site.file("worker.log"))
        wait_until(lambda: os.path.exists(path), "the echo worker does not listen", self._process)

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


def wait_until(condition, failure, process, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if process.popen.poll() is not None or time.monotonic() > deadline:
            process.stop()
            raise SystemExit(failure)
        time.sleep(0.05)
