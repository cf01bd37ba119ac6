"""The measurements. Times come in rounds that take the proxies in turn; counts are exact, so once is enough.

A count is the difference of two runs, divided by the difference of their loads: start, handshakes and end cancel out.
"""

import contextlib
import json
import re
import signal
import subprocess
import time

from proxies import LOAD_CORE

ECHOES = (5_000, 15_000)          # for instructions: callgrind makes the proxy fifty times slower
STRACED_ECHOES = (20_000, 60_000)
HANDSHAKES = (200, 600)
CONNECTIONS = 100
RATE = 10_000
RECEIVERS = 1_000
IDLE_CONNECTIONS = 5_000
IDLE_SOURCES = 100


class Bench:
    """Runs the load generator against a proxy."""

    def __init__(self, program, site, token=True):
        self._program, self._site = program, site
        self._token = ["--token-file", site.file("token")] if token else []

    def without_token(self):
        return Bench(self._program, self._site, token=False)

    def __call__(self, mode, proxy, *options, figures=True):
        """Runs it, and gives its figures."""
        return self.result(self.start(mode, proxy, *options, figures=figures), proxy)

    def start(self, mode, proxy, *options, figures=True, core=LOAD_CORE):
        """Starts it; `result` has its figures."""
        command = self._command(mode, proxy, *options, core=core)
        if figures:
            command += ["--server-pid", str(proxy.pid)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def result(self, load, proxy):
        output, errors = load.communicate()
        if load.returncode != 0:
            raise SystemExit(f"{proxy.name}: {errors.decode().strip()}")
        return json.loads(output)

    @contextlib.contextmanager
    def holding(self, proxy, *options):
        """Holds idle connections meanwhile."""
        load = subprocess.Popen([*self._command("idle", proxy, *options), "--server-pid", str(proxy.pid)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            load.kill()
            load.wait()

    def _command(self, mode, proxy, *options, core=LOAD_CORE):
        return ["taskset", "-c", core, self._program, mode, "--json", "--connect", f"127.0.0.1:{proxy.port}",
                "--origin", "https://localhost", *self._token, "--give-up-after", "300", *map(str, options)]


def rounds(count, subjects, measure, key, say):
    """Calls `measure` for each subject in each round, beginning with another one each time; a list of figures per name.

    `subjects` maps names to what `measure` takes; `key` is the figure that is told meanwhile.
    """
    figures = {name: [] for name in subjects}
    for number in range(count):
        names = list(subjects)
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            figures[name].append(measure(subjects[name]))
            say(f"  round {number + 1}/{count} {name}: {figures[name][-1][key]:.2f}")
    return figures


def column(figures, key):
    """One figure of every round."""
    return {name: [figure[key] for figure in row] for name, row in figures.items()}


def idle_memory(bench, proxy):
    """Bytes of memory for each idle connection, of a process that served nobody before: all, and what is no file's."""
    figures = bench("idle", proxy, "--connections", IDLE_CONNECTIONS, "--sources", IDLE_SOURCES)
    return {"all": figures["server_pss_bytes_per_connection"], "anonymous": figures["server_anonymous_bytes_per_connection"]}


def instructions(bench, site, proxy, mode, *options):
    """User instructions, and calls of malloc with those outside OpenSSL, for each echo or handshake."""
    loads = ECHOES if mode == "echo" else HANDSHAKES
    totals = []
    for load in loads:
        output = site.file(f"callgrind.{proxy.name}.{load}")
        with proxy.start(site, under=["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}"], alone=True):
            run_load(bench, proxy, mode, load, *options)
        totals.append(read_callgrind(output))
    (first, second), span = totals, loads[1] - loads[0]
    return {name: (second[name] - first[name]) / span for name in first}


def read_callgrind(path):
    """All instructions, all calls of malloc, and those whose caller is not OpenSSL's own allocator."""
    totals = {"instructions": 0, "mallocs": 0, "own_mallocs": 0}
    names, caller, callee = {}, None, None
    with open(path, errors="replace") as lines:
        for line in lines:
            if line.startswith(("fn=", "cfn=")):
                kind, text = line.rstrip("\n").split("=", 1)
                number, _, name = text.partition(" ")
                if name:
                    names[number] = name
                if kind == "fn":
                    caller = names[number]
                else:
                    callee = names[number]
            elif line.startswith("calls=") and callee == "malloc":
                count = int(line[6:].split()[0])
                totals["mallocs"] += count
                if not caller.startswith(("CRYPTO_", "openssl_memory_")):
                    totals["own_mallocs"] += count
            elif line.startswith(("summary:", "totals:")):
                totals["instructions"] = int(line.split()[1])
    return totals


def system_calls(bench, site, proxy, mode):
    """System calls of each kind for each echo or handshake."""
    loads = STRACED_ECHOES if mode == "echo" else HANDSHAKES
    counts = []
    for load in loads:
        output = site.file(f"strace.{proxy.name}.{load}")
        with proxy.start(site, alone=True), traced(proxy.pid, output):
            run_load(bench, proxy, mode, load)
        counts.append(read_strace(output))
    (first, second), span = counts, loads[1] - loads[0]
    return {name: (second.get(name, 0) - first.get(name, 0)) / span for name in {*first, *second}}


@contextlib.contextmanager
def traced(pid, output):
    """Counts a process's system calls meanwhile."""
    tracer = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-o", output, "-p", str(pid)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(timeout=10)


def read_strace(path):
    with open(path) as lines:
        rows = (re.fullmatch(r"\s*(\d+)\s+(\S+)\s*", line) for line in lines)
        return {row[2]: int(row[1]) for row in rows if row}


def wait_for(condition, what, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {seconds} s")
        time.sleep(0.2)


def run_load(bench, proxy, mode, load, *options):
    if mode == "echo":
        command = ["echo", proxy, "--connections", CONNECTIONS, "--messages", load, "--warm-up", 0, *options]
    else:
        command = ["connect", proxy, "--count", load, "--warm-up", 10]
    # Few at a time: a proxy that is fifty times slower may take its handshakes for stalled ones.
    bench(*command, "--open-at-once", 10, figures=False)
