"""The program as an operator runs it: exit codes, signals, drain, the command line."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest

from edge import SLUICE, configuration, open_route
from frames import FrameStream, upgrade_request
from rawhttp import ByteStream, request
from waiting import eventually, patient, slow


def run(*arguments, **options):
    return subprocess.run(
        [SLUICE, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patient(20), **options)


# Drain


def test_terminate_drains_and_ends_with_0(relayed):
    pair = relayed(drain={"delay": "4s", "spread": "500ms", "timeout": "5m"}, timeouts={"close": "5m"})
    pairs = [pair.open(listener) for listener in ("secure", "plain") for _ in range(5)]
    assert pair.edge.admin("GET", "/readyz")[0] == 200
    began = time.monotonic()
    pair.edge.terminate()
    eventually(lambda: pair.edge.admin("GET", "/readyz")[0] == 503)
    assert pair.edge.admin("GET", "/livez")[0] == 200
    assert pair.edge.metric("sluice_draining") == 1
    # Until the delay is over, load balancers that have not noticed may still send clients.
    pairs.append(pair.open("plain"))
    for client, upstream in pairs:
        assert client.close_frame() == (1012, "edge_draining")
        assert upstream.close_frame() == (1001, "edge_draining")
        upstream.send_close(1001)
        client.send_close(1012)
        assert client.is_ended()
        client.close()
    assert time.monotonic() - began > 3.9
    assert pair.edge.child.wait() == 0
    assert time.monotonic() - began < 200, "nobody had to be cut off"
    with pytest.raises(ConnectionRefusedError):
        pair.edge.connect("plain")
    assert len(pair.edge.events("connection.closed", close_code=1012, close_initiator="edge")) == len(pairs)


def test_a_request_that_is_going_on_is_finished_in_a_drain(start_edge, raw_worker, closing):
    edge = start_edge({"main": [raw_worker.path]})
    client = closing(ByteStream(edge.connect()))
    client.send(request())
    upstream = raw_worker.next()
    upstream.head()
    edge.terminate()
    eventually(lambda: edge.admin("GET", "/readyz")[0] == 503)
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    response = client.response()
    assert response.body == b"ok" and response["Connection"] == "close"
    assert client.is_ended()
    client.close()
    assert edge.child.wait() == 0


def test_a_drain_ends_at_its_timeout_whatever_clients_do(relayed):
    pair = relayed(drain={"delay": "0s", "spread": "0s", "timeout": "1s"}, timeouts={"close": "30s"})
    client, _ = pair.open()
    pair.edge.terminate()
    assert client.close_frame()[0] == 1012
    assert pair.edge.child.wait(patient(10)) == 0


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(relayed, first):
    pair = relayed(drain={"delay": "60s", "spread": "60s", "timeout": "120s"})
    client, upstream = pair.open()
    pair.edge.child.signal(first)
    eventually(lambda: pair.edge.admin("GET", "/readyz")[0] == 503)
    began = time.monotonic()
    pair.edge.terminate()
    pair.edge.child.wait()
    assert time.monotonic() - began < slow(40), "a minute of delay is left"
    assert client.is_ended() and upstream.is_ended()


def test_user_signal_1_reopens_the_log(relayed, directory):
    access = directory / "access.jsonl"
    pair = relayed(log={"access": str(access)})
    pair.open("plain")
    eventually(lambda: access.exists() and access.read_text())
    access.rename(directory / "access.1")
    pair.edge.child.signal(signal.SIGUSR1)
    eventually(access.exists)
    pair.open("plain")
    (line,) = eventually(lambda: access.read_text().splitlines())
    assert json.loads(line)["event.name"] == "connection.opened"


def test_logs_do_not_break_lines_whatever_a_client_sends(relayed):
    pair = relayed([open_route(origins=["https://a.test"])])
    stream = FrameStream(pair.edge.connect("plain"))
    stream.send(upgrade_request("/ws/%C2%85%E2%80%A8", [("Origin", 'https://\x85"}\\')]))
    assert stream.response().status == 403
    (line,) = eventually(lambda: pair.edge.events("connection.denied"))
    assert line["outcome"] == "origin_denied"
    raw = pair.edge.child.error_path.read_bytes()
    assert all(json.loads(line) for line in raw.splitlines())


# Exit codes


@pytest.fixture
def document(directory, site):
    return configuration(directory, site, {"main": [directory / "worker.sock"]}, [open_route()])


@pytest.fixture
def write(directory):
    def write(document):
        path = directory / "sluice.yaml"
        path.write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
        return path

    return write


def test_a_valid_configuration_is_0(write, document):
    assert run("check", "-c", write(document)).returncode == 0


BROKEN = {
    "an unknown key": lambda d: d | {"limitz": {}},
    "an unknown pool": lambda d: d | {"routes": [open_route(pool="other")]},
    "a bad duration": lambda d: d | {"timeouts": {"head": "soon"}},
    "no listener": lambda d: {key: value for key, value in d.items() if key != "listeners"},
    "a public admin address": lambda d: d | {"admin": {"listen": ["0.0.0.0:9901"]}},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_configuration_is_78_with_file_and_line(write, document, name):
    path = write(BROKEN[name](document))
    for command in ("check", "run"):
        result = run(command, "-c", path)
        assert result.returncode == 78
        assert f"{path}:" in result.stderr


def test_every_error_comes_in_one_go_with_a_hint(write, document):
    path = write(document | {"limitz": {}, "drian": {}, "timeouts": {"head": "soon"}})
    errors = run("check", "-c", path).stderr
    assert "limits" in errors and "drain" in errors and "timeouts.head" in errors
    lines = [line for line in errors.splitlines() if f"{path}:" in line]
    assert len(lines) == 3 and all(line.split(f"{path}:")[1].split(":")[0].isdigit() for line in lines)


@pytest.mark.parametrize("text", ["", "{", "a: [", "\0", "- 1\n- 2\n", "&a [*a]", "\t"])
def test_what_is_no_configuration_is_78(write, text):
    assert run("check", "-c", write(text)).returncode == 78


def test_a_file_that_is_not_there_is_78(directory):
    assert run("run", "-c", directory / "nothing.yaml").returncode == 78


def test_a_certificate_that_is_not_there_is_78(write, document, site):
    document["listeners"][0]["tls"]["certificates"][0]["chain"] = "/nowhere/chain.pem"
    assert run("run", "-c", write(document)).returncode == 78


def test_an_address_that_is_taken_is_69(write, document):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        document["listeners"][1]["address"] = address
        result = run("run", "-c", write(document))
    assert result.returncode == 69
    assert address in result.stderr


@pytest.mark.parametrize("arguments", [["run"], ["frobnicate"], ["check", "--no-such-flag"], ["run", "-c"]], ids=str)
def test_a_wrong_command_line_is_64(arguments):
    assert run(*arguments).returncode == 64


def test_version_and_help_are_0():
    assert run("version").returncode == 0
    assert json.loads(run("version", "--json").stdout)["version"]
    assert run("--help").returncode == 0


def test_flag_beats_environment_beats_file(write, document):
    path = write(document | {"timeouts": {"head": "7s"}})
    environment = os.environ | {"SLUICE_TIMEOUTS__HEAD": "8s"}
    effective = lambda *more, **options: run("config", "--effective", "-c", path, *more, **options).stdout
    assert "head: 7s" in effective()
    assert "head: 8s" in effective(env=environment)
    assert "head: 9s" in effective("--set", "timeouts.head=9s", env=environment)


def test_the_effective_configuration_is_a_configuration(write, document, directory):
    text = run("config", "--effective", "-c", write(document)).stdout
    again = directory / "effective.yaml"
    again.write_text(text)
    assert run("check", "-c", again).returncode == 0
    assert run("config", "--effective", "-c", again).stdout == text


def test_a_token_of_the_program_is_taken_by_the_edge(start_edge, raw_worker, site, closing):
    routes = [open_route() | {"auth": "main"}]
    edge = start_edge({"main": [raw_worker.path]}, routes)
    minted = run(
        "token", "--key", site.directory / "signing.pem", "--sub", "alice", "--iss", "https://id.example.test/", "--aud", "chat",
        "--kid", "key-1")
    assert minted.returncode == 0, minted.stderr
    client = closing(ByteStream(edge.connect()))
    client.send(request(fields=[("Authorization", f"Bearer {minted.stdout.strip()}")]))
    upstream = raw_worker.next()
    upstream.head()
    upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert client.response().status == 200
