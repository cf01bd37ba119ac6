"""The edge under a service manager: sockets that it is given, and what it tells."""

import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from edge import SLUICE, Edge, configuration, open_route
from frames import FrameStream, upgrade_request
from processes import Child
from rawhttp import ByteStream, request
from service import Manager, Stopped, handing_over, listening, threads
from waiting import eventually, patient
from workers import accept_upgrade

# Sockets that are passed


@pytest.fixture
def sockets(directory, closing):
    """Sockets as socket units would name them: for clients by TCP and by path, and for operators."""
    return {
        "public": closing(listening("127.0.0.1")), "local": closing(listening(directory / "edge.sock")),
        "admin": closing(listening(directory / "admin.sock")), "metrics": closing(listening("127.0.0.1")),
    }


def listeners(site):
    tls = {"certificates": [{"chain": str(site.chain), "key": str(site.key)}]}
    return [{"name": "secure", "address": "fd://public", "tls": tls}, {"name": "local", "address": "fd://4"}]


ADMIN_ONLY = {"listen": ["fd://admin"]}
ADMIN = ADMIN_ONLY | {"metrics_listen": "fd://metrics"}


def answered(stream, worker):
    """Whether a client's upgrade reaches the worker."""
    stream.send(upgrade_request("/ws"))
    upstream = worker.next()
    accept_upgrade(upstream, ())
    return stream.response().status == 101


def test_clients_and_operators_are_served_on_sockets_by_name_and_number(start_edge, raw_worker, site, sockets, closing):
    edge = start_edge({"main": [raw_worker.path]}, passed=sockets, listeners=listeners(site), admin=ADMIN)
    assert answered(closing(FrameStream(edge.connect())), raw_worker)
    path = socket.socket(socket.AF_UNIX)
    path.settimeout(patient(10))
    path.connect(sockets["local"].getsockname())
    assert answered(closing(FrameStream(path)), raw_worker)
    assert edge.admin("GET", "/api/v1/status")[0] == 200
    scrape = socket.create_connection(sockets["metrics"].getsockname(), timeout=patient(10))
    stream = closing(ByteStream(scrape))
    stream.send(request("/readyz", host="localhost"))
    assert stream.response().status == 200
    addresses = {line["server.address"] for line in edge.events("listener.ready")}
    assert addresses == {f"127.0.0.1:{sockets['public'].getsockname()[1]}", f"unix:{sockets['local'].getsockname()}"}


def test_children_would_inherit_none_of_them(start_edge, raw_worker, site, sockets):
    edge = start_edge({"main": [raw_worker.path]}, passed=sockets, listeners=listeners(site), admin=ADMIN)
    for number in range(3, 3 + len(sockets)):
        flags = int(re.search(r"flags:\s+(\d+)", open(f"/proc/{edge.child.pid}/fdinfo/{number}").read())[1], 8)
        assert flags & 0o2000000 and flags & 0o4000, f"descriptor {number} is not close-on-exec and nonblocking: {flags:o}"


def test_who_comes_between_two_edges_waits_and_is_served(directory, site, raw_worker, sockets, closing):
    document = configuration(
        directory, site, {"main": [raw_worker.path]}, [open_route()], listeners=listeners(site), admin=ADMIN, threads=4,
        timeouts={"handshake": "5m", "head": "5m"})
    address = sockets["public"].getsockname()
    for _ in range(2):
        waiting = [socket.create_connection(address, timeout=patient(30)) for _ in range(20)]
        with Edge(directory, site, document, passed=sockets) as edge:
            for raw in waiting:
                secure = site.client_context().wrap_socket(raw, server_hostname="localhost")
                client = FrameStream(secure)
                assert answered(client, raw_worker)
                client.close()
            assert edge.admin("GET", "/livez")[0] == 200
            edge.terminate()
            assert edge.child.wait(patient(30)) == 0


def test_a_reload_keeps_it_and_may_let_go_of_it_and_take_it_up_again(start_edge, raw_worker, site, sockets, closing):
    edge = start_edge({"main": [raw_worker.path]}, passed=sockets, listeners=listeners(site), admin=ADMIN)
    text = edge.path.read_text()
    client = closing(FrameStream(edge.connect()))
    assert answered(client, raw_worker)

    def reload(text):
        edge.path.write_text(text)
        status, body = edge.admin("POST", "/api/v1/reload", {})
        assert status == 200, body

    reload(text.replace("fd://public", "127.0.0.1:0"))
    waiting = socket.create_connection(sockets["public"].getsockname(), timeout=patient(30))
    eventually(lambda: edge.events("listener.closed", listener="secure"))
    reload(text)
    secure = site.client_context().wrap_socket(waiting, server_hostname="localhost")
    assert answered(closing(FrameStream(secure)), raw_worker)
    assert len(edge.connections()) == 2


def refusal(directory, site, passed, **sections):
    """What an edge says that cannot serve, with its exit code."""
    path = directory / "refused.yaml"
    document = configuration(directory, site, {"main": [directory / "worker.sock"]}, [open_route()], **sections)
    path.write_text(json.dumps(document))
    command, names, numbers = [str(SLUICE), "run", "-c", str(path)], {}, []
    if passed:
        command, names, numbers = handing_over(command, passed)
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patient(20), env=os.environ | names,
        pass_fds=numbers)
    return result.returncode, result.stderr


REFUSED = {
    "nothing_was_passed": ({}, "edge", "no socket was passed"),
    "another_name": ({"web": lambda: listening("127.0.0.1")}, "edge", "no such socket was passed, but fd://web"),
    "datagrams": ({"edge": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)}, "edge", "is no stream socket"),
    "does_not_listen": ({"edge": lambda: socket.socket(socket.AF_INET)}, "edge", "does not listen"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_socket_that_cannot_be_used_is_69_with_its_name(directory, site, closing, name):
    passed, wanted, words = REFUSED[name]
    passed = {name: closing(make()) for name, make in passed.items()}
    code, errors = refusal(directory, site, passed, listeners=[{"name": "secure", "address": f"fd://{wanted}"}])
    assert code == 69 and f"cannot listen on fd://{wanted}" in errors and words in errors, errors


def test_one_socket_is_not_served_as_two_listeners(directory, site, closing):
    passed = {"edge": closing(listening("127.0.0.1"))}
    two = [{"name": "one", "address": "fd://edge"}, {"name": "other", "address": "fd://3"}]
    code, errors = refusal(directory, site, passed, listeners=two)
    assert code == 69 and "it is the socket of fd://edge" in errors, errors


def test_operators_are_not_served_on_a_public_socket_unless_the_configuration_says_so(directory, site, closing):
    passed = {"admin": closing(listening("0.0.0.0"))}
    admin = {"listen": ["fd://admin"]}
    code, errors = refusal(directory, site, passed, admin=admin)
    assert code == 69 and "open to other machines" in errors, errors
    document = configuration(
        directory, site, {"main": [directory / "worker.sock"]}, [open_route()], admin=admin | {"allow_public": True})
    with Edge(directory, site, document, passed=passed) as edge:
        assert edge.admin_addresses == [f"0.0.0.0:{passed['admin'].getsockname()[1]}"]


def test_a_socket_that_no_address_names_is_told_of(start_edge, raw_worker, sockets):
    passed = {"forgotten": sockets["public"], "admin": sockets["admin"]}
    edge = start_edge({"main": [raw_worker.path]}, passed=passed, admin=ADMIN_ONLY)
    (line,) = eventually(lambda: edge.events("listener.unused"))
    assert line["server.address"] == "fd://forgotten"


def test_check_says_that_it_cannot_see_them(directory, site):
    document = configuration(directory, site, {"main": [directory / "worker.sock"]}, [open_route()], listeners=listeners(site))
    path = directory / "sluice.yaml"
    path.write_text(json.dumps(document))
    result = subprocess.run([SLUICE, "check", "-c", path], capture_output=True, text=True, timeout=patient(20))
    assert result.returncode == 0 and "fd://public can only be looked at" in result.stdout, result.stdout + result.stderr


def test_systemds_own_tool_starts_it_when_the_first_client_comes(directory, site, raw_worker, closing):
    path = directory / "public.sock"
    document = configuration(
        directory, site, {"main": [raw_worker.path]}, [open_route()], listeners=[{"name": "local", "address": "fd://public"}])
    (directory / "sluice.yaml").write_text(json.dumps(document))
    closing(Child(
        ["systemd-socket-activate", "-l", path, "--fdname=public", SLUICE, "run", "-c", directory / "sluice.yaml"], directory,
        "activated"))
    eventually(path.exists)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(patient(30))
    eventually(lambda: client.connect_ex(str(path)) == 0)
    assert answered(closing(FrameStream(client)), raw_worker)


# What the service manager hears


@pytest.fixture
def manager(closing):
    return closing(Manager())


def test_the_service_manager_hears_that_it_serves_and_how_it_is(start_edge, raw_worker, manager):
    edge = start_edge({"main": [raw_worker.path]}, environment=manager.environment)
    message = manager.await_message("READY", "1")
    assert message["STATUS"] == "Serving 0 clients; 1 of 1 workers up"
    assert edge.admin("GET", "/readyz")[0] == 200


def test_at_a_path_too(start_edge, raw_worker, directory, closing):
    manager = closing(Manager(directory / "notify"))
    start_edge({"main": [raw_worker.path]}, environment=manager.environment)
    manager.await_message("READY", "1")


def test_an_edge_that_cannot_serve_says_nothing(directory, site, manager):
    document = configuration(
        directory, site, {"main": [directory / "worker.sock"]}, [open_route()], listeners=[{"name": "a", "address": "fd://none"}])
    (directory / "sluice.yaml").write_text(json.dumps(document))
    result = subprocess.run(
        [SLUICE, "run", "-c", directory / "sluice.yaml"], capture_output=True, timeout=patient(20),
        env=os.environ | manager.environment)
    assert result.returncode == 69 and manager.hear() == []


@pytest.mark.parametrize("way", ["signal", "admin"])
def test_a_reload_is_told_from_its_beginning_to_its_end(start_edge, raw_worker, manager, way):
    edge = start_edge({"main": [raw_worker.path]}, environment=manager.environment)
    manager.await_message("READY")
    before = time.monotonic_ns() // 1000

    def reload():
        if way == "signal":
            edge.child.signal(signal.SIGHUP)
        else:
            edge.admin("POST", "/api/v1/reload", {})
        began = manager.await_message("RELOADING", "1")
        assert before <= int(began["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        return manager.await_message("READY", "1")["STATUS"]

    text = edge.path.read_text()
    edge.path.write_text("listeners: none")
    assert reload().endswith("; the last reload failed, see the log")
    edge.path.write_text(text)
    assert reload() == "Serving 0 clients; 1 of 1 workers up"


def test_a_drain_is_told_and_asks_for_more_time_as_long_as_it_lasts(relayed, manager):
    pair = relayed(
        environment=manager.environment, drain={"delay": "0s", "spread": "0s", "timeout": "1h"}, timeouts={"close": "1h"})
    client, _ = pair.open()
    manager.await_message("READY")
    pair.edge.terminate()
    message = manager.await_message("STOPPING", "1")
    assert message["STATUS"] == "Draining: 1 client left"
    assert int(message["EXTEND_TIMEOUT_USEC"]) == 30_000_000
    assert int(manager.await_message("EXTEND_TIMEOUT_USEC")["EXTEND_TIMEOUT_USEC"]) == 30_000_000
    client.close()
    assert pair.edge.child.wait(patient(30)) == 0


def test_a_drain_that_can_be_taken_back_is_not_the_end(start_edge, raw_worker, manager):
    edge = start_edge({"main": [raw_worker.path]}, environment=manager.environment)
    manager.await_message("READY")
    assert edge.admin("POST", "/api/v1/drain", {"delay_seconds": 0})[0] == 200
    assert manager.await_message("STATUS", "Draining: 0 clients left").keys() == {"STATUS"}
    assert edge.admin("POST", "/api/v1/undrain", {})[0] == 200
    assert manager.await_message("STATUS", "Serving 0 clients; 1 of 1 workers up").keys() == {"STATUS"}


def test_the_watchdog_hears_it_only_while_every_reactor_turns(start_edge, raw_worker, directory, closing):
    manager = closing(Manager(watchdog=0.5))
    pool = {"workers": [str(directory / "*.sock")]}
    edge = start_edge({"main": pool}, environment=manager.environment, threads=2)
    for _ in range(5):
        manager.await_message("WATCHDOG", "1")
    first, second = threads(edge.child, "reactor")
    for thread in (first, second):
        with Stopped(thread):
            # The answers to one question may be on their way.
            manager.hear()
            before = len(manager.messages)
            # The control loop goes on: it finds three workers, each at least a second after the one before.
            for index in range(3):
                seen = len(edge.events("workers.changed"))
                closing(listening(directory / f"{thread}-{index}.sock"))
                eventually(lambda: len(edge.events("workers.changed")) > seen)
            manager.hear()
            assert sum("WATCHDOG" in message for message in manager.messages[before:]) <= 1
        manager.messages.clear()
        for _ in range(3):
            manager.await_message("WATCHDOG", "1")


def test_nobody_hears_of_the_watchdog_who_does_not_wait_for_it(start_edge, raw_worker, manager):
    other = {"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}
    edge = start_edge({"main": [raw_worker.path]}, environment=manager.environment | other)
    manager.await_message("READY")
    edge.terminate()
    assert edge.child.wait(patient(30)) == 0
    assert not any("WATCHDOG" in message for message in manager.messages + manager.hear())
