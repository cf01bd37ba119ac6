"""The load generator against a real edge with checks on: each mode, h1 and h2, TLS and plain; what it counts adds up."""

import contextlib
import itertools
import json
import socket
import subprocess
import threading

import pytest

from edge import BINARIES, Edge, configuration
from frames import TEXT, FrameStream
from processes import REPORTS, Child
from waiting import eventually, patient
from workers import accept_upgrade

BENCH = BINARIES / "sluice-bench"
CARRIAGES = {
    "h1": [], "h2": ["--http2", "--streams", 4],
    "h1-plain": ["--plain"], "h2-plain": ["--plain", "--http2", "--streams", 4],
}


@pytest.fixture(scope="module")
def bench(module_directory, site):
    with serving(module_directory, site) as bench:
        yield bench


@contextlib.contextmanager
def serving(directory, site):
    """Runs the load generator against an edge that asks for an Origin, a token and a subprotocol, with two workers behind it."""
    workers = [Child([BENCH, "worker", "--listen", directory / f"{name}.sock", *more], directory, name)
               for name, more in (("echo", []), ("broadcast", ["--broadcast"]))]
    routes = [
        {"name": name, "match": {"path": f"/{name}"}, "pool": name, "auth": "main", "origins": ["https://chat.example"]}
        for name in ("echo", "broadcast")]
    pools = {name: [directory / f"{name}.sock"] for name in ("echo", "broadcast")}
    document = configuration(directory, site, pools, routes, threads=1)
    document["listeners"][1]["protocols"] = ["h2", "http/1.1"]
    edge = Edge(directory, site, document)
    (directory / "token").write_text(site.token())
    try:
        for name in pools:
            eventually((directory / f"{name}.sock").exists, what="the worker listening")
        yield Bench(edge, directory)
    finally:
        edge.close()
        for worker in workers:
            worker.close()


class Bench:
    def __init__(self, edge, directory):
        self.edge, self._directory = edge, directory

    def __call__(self, mode, *options, **more):
        """What a run came to, read from its JSON; it has to succeed."""
        done = self.run(mode, *options, **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def run(self, mode, *options, path="/echo", token=True, json_output=True):
        listener = "plain" if "--plain" in options else "secure"
        words = [BENCH, mode, "--connect", f"127.0.0.1:{self.edge.ports[listener]}", "--path", path, "--origin", "https://chat.example",
                 "--server-pid", self.edge.child.pid, "--give-up-after", int(patient(30)), *options]
        words += ["--token-file", self._directory / "token"] if token else []
        words += ["--json"] if json_output else []
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=patient(60), check=False)

    def messages(self):
        """How many messages of clients the edge has counted."""
        return self.edge.metric("sluice_messages_total", direction="received")


@pytest.mark.parametrize("carriage", CARRIAGES)
def test_a_closed_loop_counts_every_echo(bench, carriage):
    before = bench.messages()
    result = bench("echo", "--connections", 8, "--messages", 500, "--warm-up", 100, *CARRIAGES[carriage])
    assert result["connections"] == 8 and result["messages"] == 500
    assert result["protocol"].startswith(carriage[:2].replace("h1", "http/1.1"))
    assert result["tls"] == "none" if "plain" in carriage else result["tls"].startswith("TLSv1.3")
    assert 0 < result["latency_p50_us"] <= result["latency_p99_us"] <= result["latency_max_us"]
    assert result["server_cpu_us_per_message"] > 0
    # What was still under way at the end is counted by the edge alone.
    eventually(lambda: 600 <= bench.messages() - before <= 608, what="the edge counting the same")


@pytest.mark.parametrize("carriage", ["h1", "h2"])
@pytest.mark.parametrize("size", [1, 200_000])
def test_messages_of_any_size_come_back(bench, carriage, size):
    result = bench("echo", "--connections", 2, "--messages", 20, "--warm-up", 0, "--size", size, "--binary", *CARRIAGES[carriage])
    assert result["messages"] == 20 and result["message_bytes"] == size


@pytest.mark.parametrize("carriage", CARRIAGES)
def test_an_open_loop_sends_all_that_it_was_told_to(bench, carriage):
    before = bench.messages()
    result = bench("rate", "--connections", 8, "--rate", 200, "--seconds", 1, "--warm-up", 0, *CARRIAGES[carriage])
    assert result["messages"] == 200 and result["rate"] == 200
    assert result["send_delay_p50_us"] <= result["latency_p50_us"], "a latency counts from the moment that was meant"
    eventually(lambda: bench.messages() - before == 200, what="the edge counting the same")


@pytest.mark.parametrize("carriage", CARRIAGES)
def test_connections_are_counted_and_closed(bench, carriage):
    result = bench("connect", "--count", 40, "--warm-up", 8, *CARRIAGES[carriage])
    assert result["handshakes"] == 40 and result["resumed"] == 0
    eventually(lambda: bench.edge.open_connections() == 0, what="every connection being closed")


@pytest.mark.parametrize("carriage", ["h1", "h2"])
def test_tls_sessions_are_resumed_when_asked(bench, carriage):
    result = bench("connect", "--count", 20, "--warm-up", 1, "--resume", *CARRIAGES[carriage])
    assert result["handshakes"] == 20 and result["resumed"] == 20


@pytest.mark.parametrize("carriage", ["h1", "h2"])
def test_memory_is_told_of_websockets_that_are_held(bench, carriage):
    result = bench("idle", "--connections", 200, "--sources", 10, "--hold", 1, *CARRIAGES[carriage])
    assert result["connections"] == 200
    assert result["server_pss_before_bytes"] > 0 and result["server_pss_after_bytes"] > 0


@pytest.mark.skipif(bool(REPORTS), reason="a sanitizer keeps what is freed, and marks what is not")
def test_a_further_websocket_on_a_connection_of_http2_takes_at_most_4_kb(directory, site):
    with serving(directory, site) as bench:  # one that has freed nothing yet, which others could use again
        result = bench("idle", "--connections", 2000, "--hold", 1, "--http2", "--streams", 100)
    growth = result["server_pss_after_bytes"] - result["server_pss_before_bytes"]
    print(f"{growth / 2000:.0f} bytes, a hundredth of a connection among them")
    assert 0 < growth <= 2000 * 4096


@pytest.mark.parametrize("carriage", CARRIAGES)
def test_a_fan_out_reaches_everyone(bench, carriage):
    result = bench("fan-out", "--receivers", 30, "--messages", 5, "--warm-up", 2, *CARRIAGES[carriage], path="/broadcast")
    assert result["receivers"] == 30 and result["messages"] == 5 and result["deliveries"] == 150


def test_people_get_a_table(bench):
    done = bench.run("echo", "--connections", 1, "--messages", 10, "--warm-up", 0, json_output=False)
    assert done.returncode == 0
    assert dict(line.split(None, 1) for line in done.stdout.splitlines())["messages"] == "10"


def test_a_proxy_without_http2_is_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def refuse():
            client = listener.accept()[0]
            client.recv(1000)
            client.sendall(b"HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n\r\n")
            client.recv(1000)
            client.close()

        threading.Thread(target=refuse, daemon=True).start()
        words = [BENCH, "echo", "--plain", "--http2", "--connect", f"127.0.0.1:{listener.getsockname()[1]}"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=patient(30), check=False)
    assert done.returncode == 1 and "what came is not HTTP/2" in done.stderr


@pytest.mark.parametrize("carriage", ["h1", "h2"])
def test_whoever_is_refused_says_so(bench, carriage):
    done = bench.run("echo", "--connections", 1, *CARRIAGES[carriage], token=False)
    assert done.returncode == 1 and "401" in done.stderr and not done.stdout


@pytest.mark.parametrize("carriage", ["h1", "h2"])
def test_fields_and_subprotocols_of_ones_own_reach_the_worker(bench, carriage, site):
    result = bench("echo", "--connections", 1, "--messages", 5, "--warm-up", 0, *CARRIAGES[carriage], "--subprotocol", "chat.v1",
                   "--header", f"Cookie: session={site.token()}", token=False)
    assert result["messages"] == 5


def test_an_echo_that_differs_is_found():
    def third_is_false(stream):
        for number in itertools.count(1):
            payload = bytearray(stream.frame().payload)
            payload[20] ^= number == 3
            stream.send_frame(TEXT, bytes(payload))

    done = run_against(third_is_false, "echo", "--messages", 5, "--warm-up", 0)
    assert done.returncode == 1 and "message 3 differs from what was sent at byte 20" in done.stderr and not done.stdout


def test_a_server_that_stalls_is_told_by_every_message_that_it_held_up():
    """Latencies count from the moment that was meant: of a second's messages that all come back half a second after its end, half
    took a second and more. Echoes that only count from when a free client sends would show one that was slow."""
    def answers_at_the_end(stream):
        payloads = [stream.frame().payload for _ in range(200)]
        threading.Event().wait(0.5)
        for payload in payloads:
            stream.send_frame(TEXT, payload)
        stream.frame()

    done = run_against(answers_at_the_end, "rate", "--rate", 200, "--seconds", 1, "--warm-up", 0)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["messages"] == 200 and result["latency_p50_us"] > 950_000 and result["latency_max_us"] > 1_450_000
    assert result["rate_kept"] is False and result["messages_per_second"] < 140
    assert "the rate was not kept" in done.stderr


def run_against(behave, mode, *options):
    """Runs the load generator, with one client, against a server that a test plays by hand."""
    def serve():
        with contextlib.suppress(OSError, EOFError), contextlib.closing(FrameStream(listener.accept()[0], mask=None)) as stream:
            accept_upgrade(stream)
            behave(stream)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        words = [BENCH, mode, "--plain", "--connect", f"127.0.0.1:{listener.getsockname()[1]}", "--connections", 1, "--json", *options]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=patient(30), check=False)
