"""`sluicectl` as an operator runs it: against a running edge, at a terminal and from scripts."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from conftest import short_directory
from edge import BINARIES, Edge, configuration, open_route
from fakeadmin import FakeAdmin
from frames import TEXT, FrameStream, upgrade_request
from terminal import AtTerminal
from waiting import eventually, patient
from workers import RawWorker, accept_upgrade

SLUICECTL = BINARIES / "sluicectl"


class Control:
    """Runs the program against one admin plane."""

    def __init__(self, server, environment=None):
        self.server = server
        self.environment = environment or {}

    def command(self, *arguments):
        return [SLUICECTL, "-s", self.server, *map(str, arguments)]

    def __call__(self, *arguments, code=0):
        done = subprocess.run(
            self.command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patient(20),
            env=os.environ | self.environment)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *arguments, **options):
        return json.loads(self("-o", "json", *arguments, **options).stdout)


class Site:
    """An edge with a route that asks for a token and one that is open, and clients that can be opened by name."""

    def __init__(self, directory, site, stack):
        self._stack = stack
        self.site = site
        self.worker = RawWorker(directory / "chat-1.sock")
        stack.callback(self.worker.close)
        tokens = directory / "admin-tokens"
        tokens.touch()
        routes = [open_route(name="chat", path="/ws") | {"auth": "main"}, open_route(name="open", path="/")]
        self.directory = directory
        self.tokens = tokens
        self.document = configuration(
            directory, site, {"main": [self.worker.path]}, routes, threads=2,
            admin={"listen": [f"unix:{directory}/admin.sock", "127.0.0.1:0"], "tokens_file": str(tokens)})
        self.edge = Edge(directory, site, self.document)
        stack.callback(self.edge.close)

    def open(self, user=None, origin=None):
        fields = [("Authorization", f"Bearer {self.site.token(user)}")] if user else []
        if origin:
            fields.append(("Origin", origin))
        client = FrameStream(self.edge.connect("plain"))
        self._stack.callback(client.close)
        client.send(upgrade_request("/ws" if user else "/open", fields))
        upstream = self.worker.next()
        self._stack.callback(upstream.close)
        accept_upgrade(upstream)
        assert client.response().status == 101
        return client


@pytest.fixture(scope="module")
def edge_site(site):
    with short_directory() as path, contextlib.ExitStack() as stack:
        yield Site(path, site, stack)


@pytest.fixture(scope="module")
def control(edge_site):
    return Control(f"unix://{edge_site.directory}/admin.sock")


@pytest.fixture
def fake(directory, closing):
    """Starts a fake admin plane with these answers; gives it and a way to ask it."""

    def start(answers):
        admin = closing(FakeAdmin(directory / "admin.sock", answers))
        return admin, Control(f"unix://{admin.path}")

    return start


def plain(output):
    """What a terminal shows of it, without colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", output)


@pytest.fixture
def at_terminal(closing):
    return lambda control, *arguments, **options: closing(AtTerminal(control.command(*arguments), **options))


# Looking


def test_status_says_what_the_edge_carries(edge_site, control):
    edge_site.open("alice")
    text = control("status").stdout
    assert re.search(r"^edge +sluice \d", text, re.M) and re.search(r"^connections +[\d,]+ of [\d,]+", text, re.M)
    status = control.json("status")
    assert status["connections"] >= 1 and status["routes"] == ["chat", "open"]


def test_connections_are_listed_filtered_sorted_and_shown_one_by_one(edge_site, control):
    edge_site.open("lister")
    edge_site.open("lister")
    edge_site.open()
    lines = control("conns", "--user", "lister", "--sort", "opened", "--order", "desc").stdout.splitlines()
    assert lines[0].split()[:5] == ["ID", "STATE", "USER", "ADDRESS", "ROUTE"]
    assert len(lines) == 3 and all(line.split()[1:5] == ["open", "lister", "127.0.0.1", "chat"] for line in lines[1:])
    ids = [entry["id"] for entry in control.json("conns", "--user", "lister", "--worker", "chat-1")["connections"]]
    assert sorted(line.split()[0] for line in lines[1:]) == sorted(ids)
    one = control("conn", ids[0]).stdout
    assert re.search(r"^user +lister$", one, re.M) and re.search(r"^protocol +http/1.1$", one, re.M)
    limited = control("conns", "--ip", "127.0.0.0/8", "--limit", 1)
    assert len(limited.stdout.splitlines()) == 2 and "--limit shows more" in limited.stderr
    assert control.json("conns", "--ip", "10.0.0.0/8")["connections"] == []


def test_lists_of_several_pages_are_read_to_the_end(fake):
    def page(body):
        query = dict(part.split("=") for part in admin.requests[-1][2].split("&"))
        first = int(query.get("cursor", 0))
        limit = int(query["limit"])
        more = first + limit < 2_500
        return {
            "now": "2026-01-31T12:00:00.000Z", "total": 2_500, "matched": 2_500, "next_cursor": str(first + limit) if more else None,
            "connections": [{"id": f"{number:016x}"} for number in range(first, min(first + limit, 2_500))]}

    admin, control = fake({"GET /api/v1/connections": page})
    listed = control.json("conns", "--limit", 2_300)
    assert [entry["id"] for entry in listed["connections"]] == [f"{number:016x}" for number in range(2_300)]
    assert len(admin.requests) == 3
    assert len(control.json("conns", "--limit", 100_000)["connections"]) == 2_500


def test_what_clients_write_cannot_command_the_terminal(edge_site, control, fake):
    edge_site.open("mal\u202elory")
    text = control("conns", "--user", "mal\u202elory").stdout
    assert r"mal\u{202e}lory" in text and "\u202e" not in text
    raw = control("-o", "json", "conns", "--user", "mal\u202elory").stdout
    assert "\u202e" not in raw and json.loads(raw)["connections"][0]["user"] == "mal\u202elory"
    hostile = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\u2066\u200b"
    _, fooled = fake({
        "GET /api/v1/connections": {"connections": [{"id": hostile, "user": hostile, "origin": hostile}]},
        "GET /api/v1/status": {"version": hostile, "routes": [hostile], "config": {"file": hostile}},
        "GET /api/v1/rules": (404, {"error": "no_such_rule", "detail": hostile}),
        "GET /api/v1/config": hostile.encode() + b"\n",
    })
    for arguments, code in ((["conns"], 0), (["status"], 0), (["rules"], 65), (["config"], 0), (["-o", "json", "conns"], 0)):
        done = fooled(*arguments, code=code)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2066\u200b]", done.stdout + done.stderr), (arguments, done)
        assert "owned" in done.stdout + done.stderr


def test_workers_are_listed(edge_site, control):
    heading, line = control("workers").stdout.splitlines()
    assert heading.split()[:4] == ["WORKER", "POOL", "STATE", "UP"] and line.split()[:4] == ["chat-1", "main", "ready", "up"]


def test_what_the_edge_serves_with_is_listed(edge_site, control):
    status = control("status").stdout
    assert re.search(r"^edge .* · ready · ", status, re.M) and re.search(r"^certificate .* ends in \d+ days?$", status, re.M)
    assert re.search(r"^handshakes +\d+ accepted", status, re.M)
    routes = {line.split()[0]: line.split() for line in control("routes").stdout.splitlines()[1:]}
    assert routes["chat"][1:6] == ["any", "/ws", "main", "main", "*"] and routes["open"][4] == "open"
    certificate = control("certs").stdout.splitlines()[1]
    assert certificate.startswith("secure ") and "localhost" in certificate
    key = control("keys").stdout.splitlines()[1]
    assert key.split()[0] == "main" and " ES256 " in key and str(edge_site.site.jwks) in key
    assert control.json("certs")["certificates"] and control.json("keys")["keys"] and control.json("routes")["routes"]


def test_events_are_shown_as_they_happen(edge_site, control, at_terminal):
    terminal = at_terminal(control, "events", "--types", "opened,closed", "--user", "eve", "--count", 2)
    # Nothing says that the reader is there: open until it has seen one.
    eventually(lambda: edge_site.open("eve") and "opened" in terminal.read())
    edge_site.open("other")
    control("kick", control.json("conns", "--user", "eve")["connections"][0]["id"])
    eventually(lambda: edge_site.open("eve") and terminal.exit_code is not None)
    assert terminal.exit_code == 0 and "user=\x1b[0meve" in terminal.output and "other" not in terminal.output
    assert "types" in control("events", "--types", "nonsense", code=64).stderr


def test_a_stream_may_be_for_scripts_and_ends_as_it_should(fake):
    stream = b'id: 1\nevent: denied\ndata: {"at":"2026-01-31T12:00:00.000Z","user":"a\\u001b[2Jb"}\n\n: heartbeat\n\n'
    admin, control = fake({"GET /api/v1/events": stream * 3})
    done = control("-o", "json", "events", "--count", 2)
    assert [json.loads(line)["data"]["user"] for line in done.stdout.splitlines()] == ["a\x1b[2Jb"] * 2
    assert r"user=a\u{1b}[2Jb" in control("events", code=69).stdout
    admin.answers["GET /api/v1/events"] = b"data: " + b"x" * (1 << 20)
    assert "event of more than" in control("events", code=1).stderr
    admin.answers["GET /api/v1/events"] = (503, {"error": "readers_full", "detail": "16 read the events already."})
    assert "16 read" in control("events", code=69).stderr


# Acting


def test_one_connection_is_kicked_by_its_name(edge_site, control):
    client = edge_site.open("victim")
    [entry] = control.json("conns", "--user", "victim")["connections"]
    said = control("kick", entry["id"], "--code", 4001, "--reason", "bye").stdout
    assert said == f"{entry['id']} closed with 4001 bye.\n"
    assert client.close_frame() == (4001, "bye")
    assert "no connection" in control("kick", "00ff000000000001", code=65).stderr


def test_many_are_kicked_at_a_pace_and_remembered(edge_site, control, at_terminal):
    clients = [edge_site.open("crowd") for _ in range(30)]
    assert control("kick", "--user", "crowd", "--dry-run").stdout == "30 connections would be closed: user crowd.\n"
    assert "Say --yes" in control("kick", "--user", "crowd", "--worker", "chat-1", code=64).stderr
    began = time.monotonic()
    terminal = at_terminal(control, "kick", "--user", "crowd", "--rate", "20/s", "--code", 4000, "--reason", "moved")
    terminal.expect("Close 30 connections, user crowd? [y/N] ")
    terminal.type("y\n")
    assert terminal.wait() == 0 and "30 of 30 closed" in terminal.output and "30 connections closed." in terminal.output
    assert time.monotonic() - began > 1
    for client in clients:
        assert client.close_frame() == (4000, "moved")
        client.send_close(4000)
    assert "No connection is user crowd" in control("kick", "--user", "crowd", "--yes", code=65).stderr
    closed = eventually(lambda: [
        line for line in control("conns", "--state", "closed", "--user", "crowd").stdout.splitlines() if "4000 moved by edge" in line])
    assert closed


def test_a_paced_kick_is_stopped_by_ctrl_c_on_the_edge_too(edge_site, control, at_terminal):
    for _ in range(20):
        edge_site.open("stopped")
    terminal = at_terminal(control, "kick", "--user", "stopped", "--rate", "1/s", "--yes")
    terminal.expect(" of 20 closed")
    terminal.type("\x03")
    assert terminal.wait() == 1
    closed = int(re.search(r"Stopped: (\d+) of 20 closed\.", terminal.output)[1])
    states = [entry["state"] for entry in control.json("conns", "--user", "stopped")["connections"]]
    assert closed < 10 and states.count("open") == 20 - closed
    control("kick", "--user", "stopped", "--yes")


def test_one_connection_is_throttled_and_let_go(edge_site, control):
    edge_site.open("chatty")
    [entry] = control.json("conns", "--user", "chatty")["connections"]
    said = control("throttle", entry["id"], "--messages", "5/s", "--burst", 9, "--bytes", "64KiB/s", "--ttl", "10m").stdout
    assert said == f"{entry['id']} is throttled for 10m.\n"
    one = control("conn", entry["id"]).stdout
    assert re.search(r"^throttle +5 messages/s · burst 9 · 64.0 KiB/s · until ", one, re.M)
    assert " 5/s 64.0 KiB/s" in control("conns", "--user", "chatty").stdout
    control("unthrottle", entry["id"])
    assert control.json("conn", entry["id"])["throttle"] is None
    assert "no connection" in control("throttle", "00ff000000000001", "--messages", "5/s", code=65).stderr


def test_rules_are_made_listed_and_lifted(edge_site, control):
    client = edge_site.open("mallory")
    said = control("ban", "--user", "mallory", "--ttl", "1h", "--reason", "spam").stdout
    rule = re.fullmatch(r"Rule (r\d+) is in force, and has closed 1 connection\.\n", said)[1]
    assert client.close_frame() == (4403, "banned")
    line = control("bans", "--user", "mallory").stdout.splitlines()[1]
    assert line.split()[:4] == [rule, "ban", "user", "mallory"] and line.endswith("spam")
    assert control("unban", "--user", "mallory").stdout == f"{rule} is out of force.\n"
    assert "no such ban" in control("unban", "--user", "mallory", code=65).stderr
    assert "no rule" in control("rules", "remove", rule, code=65).stderr
    control("throttle", "--user", "bob", "--messages", "5/s", "--bytes", "64KiB/s", "--ttl", "10m")
    control("throttle", "--ip", "192.0.2.7", "--messages", "60/m", "--burst", 3)
    [rule] = control.json("rules", "--action", "throttle", "--user", "bob")["rules"]
    assert rule["messages"] == {"count": 5, "per_ms": 1000, "burst": 5} and rule["bytes"]["count"] == 65536
    assert re.search(r" 5.0/s 64.0 KiB/s +\d+m\d+s ", control("rules", "--user", "bob").stdout)
    # A rule about a wider block holds for the address, and is not the one that is meant.
    control("ban", "--ip", "192.0.2.0/24", "--yes")
    assert "Others hold for it" in control("unban", "--ip", "192.0.2.7", code=65).stderr
    control("unthrottle", "--ip", "192.0.2.7")
    control("unthrottle", "--user", "bob")
    control("unban", "--ip", "192.0.2.0/24")
    assert control.json("rules")["rules"] == []


def test_a_users_tokens_are_revoked(edge_site, control):
    client = edge_site.open("carol")
    assert "has closed 1 connection" in control("revoke", "--user", "carol").stdout
    assert client.close_frame()[0] == 4401
    control("revoke", "--jti", "t-1", "--auth", "main")
    assert "--yes" in control("revoke", "--issued-before", "2026-01-01T00:00:00Z", code=64).stderr
    control("rules", "remove", *[rule["id"] for rule in control.json("rules")["rules"]])


def test_what_concerns_everybody_needs_all(edge_site, control):
    assert '(all)' in control("ban", "--ip", "0.0.0.0/0", "--yes", code=64).stderr
    assert edge_site.edge.rules() == []


# Workers and the edge


def test_a_worker_is_drained_emptied_and_taken_back(edge_site, control):
    client = edge_site.open("staying")
    assert control("worker", "chat-1", "drain").stdout == "chat-1 is drain, weight 1.\n"
    assert control("workers").stdout.splitlines()[1].split()[2] == "drain"
    clients = control.json("workers")["workers"][0]["connections"]
    refused = control("worker", edge_site.worker.path, "maint", code=64).stderr
    assert re.search(rf"Close {clients:,} connections? of the worker chat-1\? Say --yes", refused)
    said = control("worker", edge_site.worker.path, "drain", "--close", "--spread", "0s", "--yes").stdout
    assert re.search(r"chat-1 is drain, weight 1; [\d,]+ connections? will be closed\.", said)
    assert client.close_frame()[0] == 1012
    assert control("worker", "chat-1", "ready", "--weight", 7).stdout == "chat-1 is ready, weight 7.\n"
    control("worker", "chat-1", "--weight", 1)
    edge_site.open("back")
    assert "no worker" in control("worker", "nobody", "drain", code=65).stderr


def test_names_of_workers_that_are_not_unique_are_refused(fake):
    workers = [{"name": f"/run/{pool}/1.sock", "path": f"/run/{pool}/1.sock", "pool": pool, "connections": 0} for pool in "ab"]
    _, control = fake({"GET /api/v1/workers": {"workers": workers}, "PATCH /api/v1/workers/%2Frun%2Fa%2F1.sock": workers[0] | {"state": "drain"}})
    assert "give the path" in control("worker", "1", "drain", code=64).stderr
    control("worker", "/run/a/1.sock", "drain")


def test_the_edge_is_drained_and_taken_back(edge_site, control, at_terminal):
    client = edge_site.open("leaving")
    assert re.search(r"Send [\d,]+ connections? away\? Say --yes", control("drain", code=64).stderr)
    terminal = at_terminal(control, "drain", "--delay", "0s", "--spread", "0s", "--within", "2s", "--wait")
    terminal.expect(" away? [y/N] ")
    terminal.type("y\n")
    assert client.close_frame() == (1012, "edge_draining")
    assert terminal.wait() == 0 and "] " in terminal.output and "The edge is empty." in terminal.output
    assert "draining" in control("status").stdout
    assert control("undrain").stdout == "The edge serves again.\n"
    edge_site.open("again")


def test_ctrl_c_ends_the_wait_and_not_the_drain(edge_site, control, at_terminal):
    edge_site.open("staying")
    terminal = at_terminal(control, "drain", "--delay", "60s", "--spread", "60s", "--within", "10m", "--wait", "--yes")
    terminal.expect(" gone")
    terminal.type("\x03")
    assert terminal.wait() == 1 and "goes on draining" in terminal.output
    assert control.json("status")["draining"] is True
    control("undrain")


def test_the_level_of_the_log_is_shown_and_changed(edge_site, control):
    before = control("log-level").stdout
    assert control("log-level", "debug").stdout == "debug\n" == control("log-level").stdout
    control("log-level", before.strip())


# Configuration


def test_the_edge_takes_a_changed_file_and_refuses_a_wrong_one(edge_site, control):
    path, document = edge_site.edge.path, edge_site.document
    assert control("reload").stdout == "Nothing differs.\n"
    changed = document | {"limits": document["limits"] | {"max_connections": 4_000}, "threads": 1}
    path.write_text(json.dumps(changed, indent=1))
    assert "~ threads: 2 → 1  (needs a restart)" in control("validate", path).stdout
    assert "max_connections: 4000" not in control("config").stdout
    done = control("reload")
    assert "~ limits.max_connections: " in done.stdout and "wait for a restart: threads" in done.stderr
    assert "max_connections: 4000" in control("config").stdout
    assert control.json("config")["config"]["limits"]["max_connections"] == 4_000
    path.write_text(json.dumps(document | {"limit": {}, "version": 7}, indent=1))
    for arguments in (["reload"], ["validate", path]):
        lines = control(*arguments, code=78).stderr.splitlines()
        assert len(lines) == 2 and all(re.match(rf"{path}:\d+:\d+: ", line) for line in lines), lines
        assert any('did you mean "limits"' in line for line in lines)
    assert "last reload failed" in control("status").stdout
    path.write_text(json.dumps(document, indent=1))
    control("reload")


def test_a_reload_prints_what_changed_or_every_error_by_its_place(fake):
    changes = [
        {"path": "limits.per_ip.connections", "old": "50", "new": "80", "effect": "applied"},
        {"path": "threads", "old": "auto", "new": "2", "effect": "needs_restart"}]
    admin, control = fake({
        "POST /api/v1/reload": {"applied": True, "changed": True, "diff": changes, "needs_restart": ["threads"]},
        "GET /api/v1/status": {"config": {"file": "/etc/sluice/sluice.yaml"}}})
    done = control("reload")
    assert done.stdout == "~ limits.per_ip.connections: 50 → 80\n~ threads: auto → 2  (needs a restart)\n"
    assert done.stderr == "sluicectl: These wait for a restart: threads.\n"
    assert control.json("reload")["diff"] == changes
    errors = [
        {"path": "routes[0].pool", "line": 14, "column": 11, "message": "there is no pool 'chta'; did you mean 'chat'?"},
        {"path": "", "line": None, "column": None, "message": "/etc/sluice/tls/key.pem: open: Permission denied"}]
    admin.answers["POST /api/v1/reload"] = (422, {"error": "bad_configuration", "detail": "It cannot be used.", "errors": errors})
    refused = control("reload", code=78)
    assert refused.stdout == "" and refused.stderr.splitlines() == [
        "/etc/sluice/sluice.yaml:14:11: routes[0].pool: there is no pool 'chta'; did you mean 'chat'?",
        "/etc/sluice/sluice.yaml: /etc/sluice/tls/key.pem: open: Permission denied"]


def test_a_file_is_judged_by_the_edge_and_its_errors_bear_its_name(fake, directory):
    admin, control = fake({"POST /api/v1/config/validate": {"valid": True, "diff": []}})
    path = directory / "new.yaml"
    path.write_text("version: 1\n")
    assert control("validate", path).stdout == "Nothing differs.\n"
    assert admin.asked("POST", "/api/v1/config/validate") == [{"yaml": "version: 1\n"}]
    errors = [{"path": "version", "line": 1, "column": 10, "message": "must be 1"}]
    admin.answers["POST /api/v1/config/validate"] = (422, {"error": "bad_configuration", "detail": "No.", "errors": errors})
    assert control("validate", path, code=78).stderr == f"{path}:1:10: version: must be 1\n"
    path.write_bytes(b"\xff")
    assert control("validate", path, code=78).stderr == f"{path}: not UTF-8\n"
    control("validate", directory / "missing.yaml", code=64)
    control("validate", "/dev/zero", code=64)


def test_the_configuration_is_printed_as_the_edge_has_it(fake):
    yaml = "version: 1\nlog:\n  level: info\n"
    admin, control = fake({"GET /api/v1/config": yaml.encode()})
    assert control("config").stdout == yaml
    assert admin.requests[-1][4]["Accept"] == "application/yaml"
    admin.answers["GET /api/v1/config"] = {"etag": "x", "config": {"version": 1}}
    assert control.json("config")["config"] == {"version": 1}


# Who may


def test_tokens_are_minted_without_an_edge_and_serve_over_tcp(edge_site, control, directory):
    minted = directory / "ops.token"
    done = subprocess.run(
        [SLUICECTL, "token", "new", "--role", "viewer", "--name", "ops", "--append-to", str(edge_site.tokens)],
        capture_output=True, text=True, timeout=patient(20), check=True)
    assert re.fullmatch(r"[0-9a-f]{64}\n", done.stdout) and done.stderr == ""
    assert re.fullmatch(r"viewer:ops:[0-9a-f]{64}\n", edge_site.tokens.read_text())
    minted.write_text(done.stdout)
    minted.chmod(0o600)
    control("reload")
    [line] = [line for line in edge_site.edge.log() if line["event.name"] == "admin.ready" and "127.0.0.1" in str(line)] or [None]
    port = re.search(r"127\.0\.0\.1:(\d+)", json.dumps(line))[1]
    over_tcp = Control(f"http://127.0.0.1:{port}")
    assert "--token-file" in over_tcp("status", code=77).stderr
    assert over_tcp("status", "--token-file", minted).stderr == ""
    by_environment = Control(over_tcp.server, {"SLUICECTL_TOKEN_FILE": str(minted)})
    by_environment("workers")
    assert "role" in by_environment("ban", "--user", "x", code=77).stderr
    minted.chmod(0o644)
    assert "chmod 600" in by_environment("workers").stderr
    minted.write_text("wrong-token\n")
    refused = by_environment("status", code=77)
    assert "wrong-token" not in refused.stderr + refused.stdout
    for content in ("", "two\nlines of\x01", "x" * 5000):
        minted.write_text(content)
        by_environment("status", code=64)


def test_a_token_and_its_line_may_come_as_json():
    done = subprocess.run(
        [SLUICECTL, "token", "new", "--role", "admin", "--name", "a.b", "-o", "json"], capture_output=True, text=True, timeout=patient(20))
    minted = json.loads(done.stdout)
    again = subprocess.run(
        [SLUICECTL, "token", "new", "--role", "admin", "--name", "a.b"], capture_output=True, text=True, timeout=patient(20))
    assert again.stdout.strip() != minted["token"] and "admin:a.b:" in again.stderr and again.stdout.strip() not in again.stderr


# Exit codes and hostile servers


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["kick"], ["kick", "--user", "a", "--all"], ["kick", "xyz"], ["kick", "--user", "a", "--rate", "1/h"],
     ["throttle", "--user", "a"], ["throttle", "--messages", "5/s"], ["ban"], ["ban", "--user", "a", "--ip", "10.0.0.1"],
     ["conns", "--limit", "0"], ["conns", "--sort", "size"], ["worker", "a"], ["worker", "a", "ready", "--close"],
     ["revoke"], ["token", "new", "--role", "root", "--name", "a"], ["token", "new", "--role", "viewer", "--name", "a:b"],
     ["top", "-o", "json"], ["events", "--count=-1"], ["status", "--timeout", "0s"], ["-s", "https://localhost", "status"], ["log-level", "loud"]], ids=" ".join)
def test_a_wrong_command_line_is_64(arguments):
    done = subprocess.run([SLUICECTL, *arguments], capture_output=True, text=True, timeout=patient(20), stdin=subprocess.DEVNULL)
    assert done.returncode == 64 and done.stderr and not done.stdout


def test_an_edge_that_is_not_there_is_69_and_says_what_to_do(directory):
    missing = Control(f"unix://{directory}/nothing.sock")
    assert "is the edge running? -s says where" in missing("status", code=69).stderr
    assert "Is the edge running?" in Control("http://127.0.0.1:1")("status", code=69).stderr
    by_environment = subprocess.run(
        [SLUICECTL, "status"], env=os.environ | {"SLUICECTL_SERVER": missing.server}, capture_output=True, text=True, timeout=patient(20))
    assert by_environment.returncode == 69 and "nothing.sock" in by_environment.stderr
    admin = FakeAdmin(directory / "left.sock", {})
    admin.close()
    assert "has ended" in Control(f"unix://{directory}/left.sock")("status", code=69).stderr


def test_an_answer_that_never_ends_is_too_large_odd_or_late_harms_nobody(fake):
    admin, control = fake({
        "GET /api/v1/status": lambda _: threading.Event().wait() or {},
        "GET /api/v1/workers": b"[" * (20 << 20),
        "GET /api/v1/rules": b"<html>",
        "GET /api/v1/connections": (302, {}),
        "GET /api/v1/certs": b"[" * 100_000,
        "GET /api/v1/keys": {"keys": [{"keys": {}}, None, 7]},
    })
    assert "did not answer in time" in control("status", "--timeout", "300ms", code=69).stderr
    assert "bytes" in control("workers", code=1).stderr
    assert "does not answer in JSON" in control("rules", code=1).stderr
    control("conns", code=1)
    assert [request[1] for request in admin.requests].count("/elsewhere") == 0
    control("certs", code=1)
    control("keys")
    assert "older than sluicectl" in control("routes", code=1).stderr


def test_proxies_of_the_environment_are_not_asked(edge_site, control):
    proxied = Control(control.server, {"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"})
    proxied("status")


# Many at once


def bulk(matched=2_431):
    """A fake edge's answers about disconnecting many, paced or not."""
    state = {"closed": 0, "stopped": False}

    def disconnect(body):
        if body.get("dry_run"):
            return {"matched": matched, "closed": 0, "job": None}
        if "rate_per_second" in body:
            return 202, {"matched": matched, "closed": 0, "job": "j1"}
        return {"matched": matched, "closed": matched, "job": None}

    def progress(_):
        state["closed"] = min(matched, state["closed"] + 600)
        done = state["closed"] == matched
        return {"job": "j1", "matched": matched, "closed": state["closed"], "gone": 0, "remaining": matched - state["closed"], "done": done}

    def stop(_):
        state["stopped"] = True
        return {"job": "j1", "matched": matched, "closed": 1_200, "gone": 0, "remaining": 1_231, "done": True}

    return state, {
        "POST /api/v1/connections/disconnect": disconnect, "GET /api/v1/connections/disconnect/j1": progress,
        "DELETE /api/v1/connections/disconnect/j1": stop}


def test_a_kick_of_many_is_counted_and_never_done_without_a_yes(fake):
    _, answers = bulk()
    admin, control = fake(answers)
    refused = control("kick", "--user", "alice", "--throttled", code=64)
    assert "Close 2,431 connections, user alice, throttled: true? Say --yes" in refused.stderr
    assert control("kick", "--all", "--dry-run").stdout == "2,431 connections would be closed: of the whole edge.\n"
    posted = admin.asked("POST", "/api/v1/connections/disconnect")
    assert posted == [{"selector": {"user": "alice", "throttled": True}, "dry_run": True}, {"selector": {}, "all": True, "dry_run": True}]
    assert control("kick", "--ip", "10.0.0.0/8", "--idle", "5m", "--code", 1012, "--yes").stdout == "2,431 connections closed.\n"
    assert admin.asked("POST", "/api/v1/connections/disconnect")[-1] == {
        "selector": {"ip": "10.0.0.0/8", "idle_gt": "5m"}, "code": 1012}


def test_a_kick_of_nobody_is_65(fake):
    _, answers = bulk(matched=0)
    admin, control = fake(answers)
    assert "No connection is user alice" in control("kick", "--user", "alice", "--yes", code=65).stderr
    assert len(admin.requests) == 1


@pytest.mark.parametrize(("answer", "code", "posts"), [("y\n", 0, 2), ("n\n", 1, 1), ("\n", 1, 1), ("\x04", 1, 1)], ids=["y", "n", "enter", "end"])
def test_at_a_terminal_it_asks(fake, at_terminal, answer, code, posts):
    _, answers = bulk()
    admin, control = fake(answers)
    terminal = at_terminal(control, "kick", "--user", "alice")
    terminal.expect("Close 2,431 connections, user alice? [y/N] ")
    terminal.type(answer)
    assert terminal.wait() == code
    assert len(admin.asked("POST", "/api/v1/connections/disconnect")) == posts


def test_a_paced_kick_shows_how_far_it_is(fake, at_terminal):
    _, answers = bulk()
    admin, control = fake(answers)
    terminal = at_terminal(control, "kick", "--all", "--rate", "200/s", "--yes")
    terminal.expect("2,431 of 2,431 closed")
    assert terminal.wait() == 0
    assert re.search(r"\[#+-+\] 1,200 of 2,431 closed, \d+s left", terminal.output) or "1,200 of 2,431" in terminal.output
    assert admin.asked("POST", "/api/v1/connections/disconnect")[-1]["rate_per_second"] == 200


def test_ctrl_c_stops_a_paced_kick(fake, at_terminal):
    state, answers = bulk(matched=1_000_000)
    _, control = fake(answers)
    terminal = at_terminal(control, "kick", "--all", "--rate", "200/s", "--yes")
    terminal.expect("of 1,000,000 closed")
    terminal.type("\x03")
    assert terminal.wait() == 1 and state["stopped"]
    assert "Stopped: 1,200 of 1,000,000 closed." in terminal.output


# Watching


def test_top_takes_the_screen_redraws_and_gives_it_back(edge_site, control, at_terminal):
    edge_site.open("alice")
    terminal = at_terminal(control, "top", "--interval", "100ms")
    terminal.expect("\x1b[?1049h")
    eventually(lambda: terminal.read().count("\x1b[H") >= 3)
    assert not terminal.is_restored and "connections" in terminal.output and "chat-1" in terminal.output
    terminal.resize(40, 8)
    terminal.type("xq")
    assert terminal.wait() == 0 and terminal.is_restored


@pytest.mark.parametrize("how", ["ctrl-c", signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, "ctrl-z then q"])
def test_the_terminal_is_given_back_however_top_ends(edge_site, control, at_terminal, how):
    terminal = at_terminal(control, "top", "--interval", "10s")
    terminal.expect("chat-1")
    if isinstance(how, str):
        terminal.type({"ctrl-c": "\x03", "ctrl-z then q": "\x1aq"}[how])
    else:
        terminal.signal(how)
    assert terminal.wait() == 0 and terminal.is_restored


def test_the_terminal_is_given_back_while_the_edge_is_silent(fake, at_terminal):
    looks = iter([{"connections": 1, "max_connections": 2}])

    def status(_):
        return next(looks, None) or threading.Event().wait()

    admin, control = fake({"GET /api/v1/status": status, "GET /api/v1/workers": {"workers": []}})
    terminal = at_terminal(control, "top", "--interval", "10ms")
    eventually(lambda: terminal.read() and len(admin.asked("GET", "/api/v1/status")) == 2)
    terminal.type("\x03")
    assert terminal.wait(5) == 0 and terminal.is_restored


def test_top_waits_for_an_edge_that_restarts(fake, at_terminal, directory):
    answers = {"GET /api/v1/status": {"connections": 1, "max_connections": 2}, "GET /api/v1/workers": {"workers": []}}
    admin, control = fake(answers)
    terminal = at_terminal(control, "top", "--interval", "50ms")
    terminal.expect("1 of 2")
    answers["GET /api/v1/status"] = (503, {"error": "stopping", "detail": "The edge is going down."})
    terminal.expect("The edge is going down.")
    answers["GET /api/v1/status"] = {"connections": 2, "max_connections": 2}
    terminal.expect("2 of 2")
    answers["GET /api/v1/status"] = (403, {"error": "role_too_low", "detail": "Not any more."})
    assert terminal.wait() == 77 and terminal.is_restored and "Not any more." in terminal.output


def test_top_says_who_talks_and_how_fast(edge_site, control, at_terminal):
    client = edge_site.open("talker")
    terminal = at_terminal(control, "top", "--interval", "100ms")

    def talks():
        client.send_frame(TEXT, b"hello")
        return re.search(r"messages in +[1-9][\d.,]*/s", plain(terminal.read())) and re.search(r"^talker +1 +[1-9]", plain(terminal.output), re.M)

    eventually(talks)
    terminal.type("q")
    assert terminal.wait() == 0 and terminal.is_restored


def test_lists_are_watched_and_top_works_without_a_terminal(edge_site, control, at_terminal):
    edge_site.open("watched")
    terminal = at_terminal(control, "conns", "--user", "watched", "--watch", "--interval", "50ms")
    eventually(lambda: terminal.read().count("watched") >= 3)
    terminal.type("q")
    assert terminal.wait() == 0 and terminal.is_restored
    views = control("-o", "json", "conns", "--user", "watched", "--watch", "--count", 2, "--interval", "10ms").stdout.split()
    assert len([json.loads(view) for view in views]) == 2
    text = control("top", "--count", 2, "--interval", "50ms").stdout
    assert "\x1b" not in text and len(re.findall("^chat-1 ", text, re.M)) == 2


def test_colour_is_for_terminals_and_can_be_refused(edge_site, control, at_terminal):
    assert "\x1b[" not in control("workers").stdout
    assert "\x1b[32mready\x1b[0m" in control("workers", "--color", "always").stdout
    for options, environment, is_colored in [([], {}, True), ([], {"NO_COLOR": "1"}, False), (["--color", "never"], {}, False)]:
        terminal = at_terminal(control, "workers", *options, environment=environment)
        assert terminal.wait() == 0
        assert ("\x1b[32mready" in terminal.output) is is_colored


def test_tables_are_cut_to_the_terminal_and_whole_elsewhere(edge_site, control, at_terminal):
    edge_site.open("u" * 150)
    terminal = at_terminal(control, "conns", "--user", "u" * 150, "--color", "never", columns=110)
    assert terminal.wait() == 0
    lines = terminal.output.replace("\r", "").splitlines()
    assert "uuu…" in lines[1] and len(lines[1]) <= 110
    assert "u" * 150 in control("conns", "--user", "u" * 150).stdout


# Completions


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_the_commands_and_options(shell):
    script = subprocess.run(
        [SLUICECTL, "--generate-completion-script", shell], capture_output=True, text=True, timeout=patient(20), check=True).stdout
    for word in ("conns", "unthrottle", "dry-run", "token-file"):
        assert word in script


def test_bash_completes_commands(directory):
    script = directory / "sluicectl.bash"
    script.write_bytes(subprocess.run([SLUICECTL, "--generate-completion-script", "bash"], capture_output=True, check=True).stdout)
    completed = subprocess.run(
        ["bash", "-c", f'. {script}; COMP_WORDS=(sluicectl unth); COMP_CWORD=1; COMP_LINE="sluicectl unth"; COMP_POINT=14; '
         f'COMP_TYPE=9; _sluicectl sluicectl unth sluicectl; echo "${{COMPREPLY[*]}}"'],
        capture_output=True, text=True, timeout=patient(20), env=os.environ | {"PATH": f"{BINARIES}:{os.environ['PATH']}"})
    assert completed.stdout.strip() == "unthrottle", completed
