"""The parts of a run: what each measures, of whom, and how it is told."""

import contextlib
import statistics
import subprocess

import measure
import pages
import ration
import report
import scrape
from proxies import ALL_CORES, CORES, Worker, all_proxies, reactor_variants, variants

H2 = ["--http2", "--streams", 10]
CORES_FOR_REACTORS = 6


class Run:
    """One run of the script: its options, what it measures with, and what came of it."""

    def __init__(self, options, site, bench, sluice, program, say):
        self.options, self.site, self.bench, self.sluice, self.program, self.say = options, site, bench, sluice, program, say
        self.lines, self.results, self._summary = [], {}, []

    def proxies(self, sluice=None):
        return {proxy.name: proxy for proxy in all_proxies(self.site, sluice or self.sluice) if proxy.name in self.options.proxies}

    @contextlib.contextmanager
    def running(self, proxies):
        with contextlib.ExitStack() as stack:
            for proxy in proxies.values():
                stack.enter_context(proxy.start(self.site))
            yield proxies

    def rounds(self, subjects, measurement, key):
        return measure.rounds(self.options.rounds, subjects, measurement, key, self.say)

    def tell(self, name, values, lines):
        self.results[name] = values
        self.lines += lines

    def sum_up(self, title, values):
        """Puts a row into the last table."""
        if "sluice" in values:
            self._summary.append((title, values))

    def summary(self):
        return report.summary(self._summary, self.options.proxies) if self._summary else []

    def stripped(self):
        """The program without its debug information: Valgrind cannot read that of this toolchain."""
        bare = self.site.file("sluice-bare")
        subprocess.run(["objcopy", "--strip-debug", self.sluice, bare], check=True)
        return bare


def echo(run):
    with run.running(run.proxies()) as proxies:
        for size in run.options.sizes:
            run.say(f"echo, {size} B")
            figures = run.rounds(proxies, lambda proxy: run.bench(
                "echo", proxy, "--connections", measure.CONNECTIONS, "--size", size, "--seconds", run.options.seconds),
                "server_cpu_us_per_message")
            cost = measure.column(figures, "server_cpu_us_per_message")
            speed = measure.column(figures, "messages_per_second")
            run.tell(f"echo_{size}", figures, report.times(f"CPU per echo, {size} B", "µs", cost))
            run.sum_up(f"CPU per echo of {size} B, µs", cost)
            run.sum_up(f"echoes of {size} B a second, closed loop", speed)


def rate(run):
    with run.running(run.proxies()) as proxies:
        run.say(f"latency at {measure.RATE} messages a second")
        figures = run.rounds(proxies, lambda proxy: run.bench(
            "rate", proxy, "--connections", measure.CONNECTIONS, "--rate", measure.RATE, "--seconds", run.options.seconds + 1),
            "latency_p99_us")
    for key, name in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")):
        values = measure.column(figures, f"latency_{key}_us")
        run.tell(f"rate_{key}", values, report.times(f"{name} of echoes at {measure.RATE:,} a second, 128 B", "µs", values))
        run.sum_up(f"{name} at {measure.RATE:,} echoes a second, µs", values)
    run.tell("rate", figures, unkept(figures))


def unkept(figures):
    """Says which rounds are worth nothing."""
    return [f"{name}: the rate was not kept in {count} of {len(row)} rounds.\n" for name, row in figures.items()
            if (count := sum(not figure["rate_kept"] for figure in row))]


def handshake(run):
    with run.running(run.proxies()) as proxies:
        for kind, options in (("full", []), ("resumed", ["--resume"])):
            run.say(f"handshakes, {kind}")
            figures = run.rounds(proxies, lambda proxy: run.bench(
                "connect", proxy, "--count", 1000, "--warm-up", 100, *options), "server_cpu_us_per_handshake")
            cost = measure.column(figures, "server_cpu_us_per_handshake")
            run.tell(f"handshake_{kind}", figures, report.times(f"CPU per {kind} handshake with upgrade and close", "µs", cost))
            run.sum_up(f"CPU per {kind} handshake, µs", cost)


def fan_out(run):
    with Worker(run.site, run.program, "broadcast", "--broadcast"), run.running(run.proxies()) as proxies:
        run.say(f"fan-out to {measure.RECEIVERS}")
        figures = run.rounds(proxies, lambda proxy: run.bench(
            "fan-out", proxy, "--path", "/broadcast", "--receivers", measure.RECEIVERS, "--seconds", run.options.seconds),
            "server_cpu_us_per_delivery")
    cost = measure.column(figures, "server_cpu_us_per_delivery")
    run.tell("fan-out", figures, report.times(f"CPU per delivery of a fan-out to {measure.RECEIVERS:,}, 128 B", "µs", cost))
    run.sum_up(f"CPU per delivery to {measure.RECEIVERS:,}, µs", cost)


def http2(run):
    """WebSockets as streams: beside HAProxy, since nginx carries none, and beside our own HTTP/1.1."""
    proxies = {name: proxy for name, proxy in run.proxies().items() if name != "nginx"}
    with run.running(proxies):
        for size in run.options.sizes:
            run.say(f"echo over HTTP/2, {size} B")
            subjects = {name: (proxy, H2) for name, proxy in proxies.items()}
            subjects["sluice, HTTP/1.1"] = (proxies["sluice"], [])
            figures = run.rounds(subjects, lambda subject: run.bench(
                "echo", subject[0], "--connections", measure.CONNECTIONS, "--size", size, "--seconds", run.options.seconds, *subject[1]),
                "server_cpu_us_per_message")
            cost = measure.column(figures, "server_cpu_us_per_message")
            run.tell(f"http2_{size}", figures, report.times(f"CPU per echo over HTTP/2, {size} B, 10 streams a connection", "µs", cost))
            run.sum_up(f"CPU per echo of {size} B over HTTP/2, µs", {name: row for name, row in cost.items() if name in proxies})
    run.say("instructions over HTTP/2")
    edge = run.proxies(run.stripped())["sluice"]
    rows = {name: measure.instructions(run.bench, run.site, edge, "echo", *options)
            for name, options in (("HTTP/1.1", []), ("HTTP/2, 10 streams", H2), ("HTTP/2, 1 stream", ["--http2", "--streams", 1]))}
    for row in rows.values():
        row["share"] = row["instructions"] / rows["HTTP/1.1"]["instructions"]
    columns = {"instructions": "user instructions", "share": "of HTTP/1.1", "mallocs": "calls of malloc"}
    run.tell("http2_instructions", rows, report.counts("User instructions per echo over HTTP/2, 128 B", columns, rows, digits=3))


def memory(run):
    run.say("memory")
    rows = {}
    for name, proxy in run.proxies().items():
        with proxy.start(run.site):
            rows[name] = measure.idle_memory(run.bench, proxy)
    columns = {"all": "bytes (PSS)", "anonymous": "of which heap and stacks"}
    run.tell("memory", rows, report.counts(f"Memory per idle TLS WebSocket at {measure.IDLE_CONNECTIONS:,}", columns, rows))
    run.sum_up("memory per idle TLS WebSocket, bytes", {name: row["all"] for name, row in rows.items()})


def instructions(run):
    columns = {"instructions": "user instructions", "mallocs": "calls of malloc", "own_mallocs": "not by OpenSSL"}
    bare = run.proxies(run.stripped())
    for mode, unit in (("echo", "echo"), ("connect", "handshake")):
        run.say(f"instructions per {unit}")
        rows = {name: measure.instructions(run.bench, run.site, proxy, mode) for name, proxy in bare.items() if name != "haproxy"}
        run.tell(f"instructions_{unit}", rows, report.counts(f"User instructions per {unit}", columns, rows))
        run.sum_up(f"user instructions per {unit}", {name: row["instructions"] for name, row in rows.items()})


def syscalls(run):
    for mode, unit in (("echo", "echo"), ("connect", "handshake")):
        run.say(f"system calls per {unit}")
        rows = {name: measure.system_calls(run.bench, run.site, proxy, mode) for name, proxy in run.proxies().items()}
        run.tell(f"syscalls_{unit}", rows, report.system_calls(f"System calls per {unit}", rows))
        run.sum_up(f"system calls per {unit}",
                   {name: sum(count for call, count in row.items() if call != "total") for name, row in rows.items()})


def checks(run):
    """What the edge's own checks cost: the same program with them, and without."""
    edges = variants(run.site, run.stripped())
    columns = {"instructions": "user instructions", "share": "of all checks off"}
    for mode, unit, name in (("echo", "echo", "checks"), ("connect", "handshake", "token")):
        run.say(f"instructions per {unit}, with checks and without")
        off = measure.instructions(run.bench.without_token(), run.site, edges["open"], mode)
        on = measure.instructions(run.bench, run.site, edges[name], mode)
        rows = {"all checks off": off, {"checks": "all checks on", "token": "a token in the cache"}[name]: on}
        for row in rows.values():
            row["share"] = row["instructions"] / off["instructions"]
        run.tell(f"checks_{unit}", rows,
                 report.counts(f"User instructions per {unit}, with checks and without", columns, rows, digits=3))


def scrapes(run):
    run.say("scrapes")
    columns = {"cpu": "CPU ms", "reactor": "of which in the reactor's thread", "bytes": "bytes"}
    rows = scrape.scrape_cpu(run.bench, run.site, edge_of(run))
    run.tell("scrape", rows, report.counts("A scrape of `/metrics`", columns, rows))


def admin_pages(run):
    run.say(f"p99 of echoes while pages of {pages.PAGE:,} of {pages.CONNECTIONS:,} connections are read")
    rows, page = pages.latencies(run.bench, run.site, edge_of(run), run.options.rounds, run.options.seconds, run.say)
    ratios = [row["ratio"] for row in rows]
    run.tell("pages", rows, report.times(
        f"p99 of {pages.RATE:,} echoes a second; pages of {pages.PAGE:,} of {pages.CONNECTIONS:,} connections, {page:.1f} ms each", "µs",
        {"without readers": [row["quiet"] for row in rows], "with a reader": [row["asked"] for row in rows]}, ours="with a reader"))
    run.say(f"  median ratio of {len(ratios)} rounds: {statistics.median(ratios):.2f}")


def reactors(run):
    """Two reactors beside one. Where there are not enough cores for them and the load, each reactor gets a fifth of one."""
    is_wide = len(CORES) >= CORES_FOR_REACTORS
    load_cores = ",".join(CORES[2:]) if is_wide else ALL_CORES
    edges = reactor_variants(run.site, run.sluice, is_wide)
    run.say("two reactors beside one")
    with Worker(run.site, run.program, "wide", core=load_cores), run.running(edges):
        figures = run.rounds(edges, lambda edge: loads_together(run, edge, load_cores), "server_cpu_us_per_message")
        run.tell("reactors", figures, report.times(
            "CPU per echo with one reactor and with two, 128 B", "µs", measure.column(figures, "server_cpu_us_per_message"),
            ours="two reactors"))
        title = "Echoes a second"
        if not is_wide:
            title += f", each reactor with a fifth of a core, since here are {len(CORES)}"
            try:
                figures = rationed_rounds(run, edges, load_cores)
            except OSError as error:
                run.lines += [f"What two reactors carry was not measured: the kernel gives out no part of a core ({error}).", ""]
                return
    run.tell("carried", figures, report.times(title, "1/s", measure.column(figures, "messages_per_second"), ours="two reactors"))


def rationed_rounds(run, edges, load_cores):
    """Figures of edges that have a fifth of a core for each reactor. Raises `OSError` where the kernel gives none out."""
    with contextlib.ExitStack() as rations:
        for reactors, edge in enumerate(edges.values(), start=1):
            rations.enter_context(ration.rationed(edge.pid, reactors / 5))
        return run.rounds(edges, lambda edge: loads_together(run, edge, load_cores), "messages_per_second")


def loads_together(run, edge, cores):
    """Figures of three load generators: one alone could not keep two reactors busy."""
    loads = [run.bench.start("echo", edge, "--connections", measure.CONNECTIONS, "--seconds", run.options.seconds, core=cores)
             for _ in range(3)]
    results = [run.bench.result(load, edge) for load in loads]
    # The edge's time is that of all messages, and each load has counted its own alone.
    speed = sum(result["messages_per_second"] for result in results)
    busy = statistics.mean(result["server_busy"] for result in results)
    return {"messages_per_second": speed, "server_cpu_us_per_message": busy / speed * 1e6}


def edge_of(run):
    return next(proxy for proxy in all_proxies(run.site, run.sluice) if proxy.name == "sluice")


PARTS = {"echo": echo, "rate": rate, "handshake": handshake, "fan-out": fan_out, "h2": http2, "memory": memory,
         "instructions": instructions, "syscalls": syscalls, "checks": checks, "scrape": scrapes, "pages": admin_pages,
         "reactors": reactors}
