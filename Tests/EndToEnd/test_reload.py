"""Another configuration while the edge runs: all of it or nothing, and nobody who is connected notices."""

import asyncio
import collections
import contextlib
import hashlib
import http.client
import itertools
import json
import signal
import socket
import ssl

import pytest

from clients import WebsocketsClient
from edge import Reloaded, open_route
from frames import BINARY, TEXT, FrameStream, upgrade_request
from processes import REPORTS
from providers import Key, key_set
from rawhttp import ByteStream, request
from tokens import AUDIENCE, ISSUER, Site
from waiting import eventually, patient


@pytest.fixture
def reloaded(start_edge, echo_worker):
    """Starts an edge in front of an echoing worker."""

    def start(routes=None, **sections):
        return Reloaded(start_edge({"main": [echo_worker.path]}, routes, **sections))

    return start


@pytest.fixture
def opened(closing):
    """Opens a WebSocket, or says with which status that failed."""

    def open(edge, target="/ws", fields=(), listener="secure"):
        client = closing(FrameStream(edge.connect(listener)))
        client.send(upgrade_request(target, fields))
        response = client.response()
        return client if response.status == 101 else response.status

    return open


def echoes(client, text=b"hello"):
    client.send_frame(TEXT, text)
    frame = client.frame()
    return frame.payload == text


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


# Nobody notices


def swapped_sites(tmp_path):
    """Two certificates of one name, which take turns in the same files."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return [Site(tmp_path / name, names=(f"{name}.example.test", "localhost")) for name in ("a", "b")]


async def test_a_hundred_reloads_and_certificates_under_traffic_lose_nothing(reloaded, site, tmp_path, directory):
    sites = swapped_sites(tmp_path)
    chain, key = directory / "chain.pem", directory / "key.pem"
    sites[0].install(chain, key)
    tls = {"certificates": [{"chain": str(chain), "key": str(key)}]}
    listeners = [
        {"name": "secure", "address": "127.0.0.1:0", "tls": tls}, {"name": "plain", "address": "127.0.0.1:0"}]
    other_limits = {"messages": {"rate": "100000/s", "burst": 100000}, "ping": {"interval": "5s"}}
    case = reloaded(listeners=listeners)
    edge = case.edge
    context = ssl.create_default_context()
    for one in sites:
        context.load_verify_locations(one.chain)
    stop = asyncio.Event()
    counts = collections.Counter()

    async def talk(number):
        client = await WebsocketsClient().open(f"{edge.wss}/ws", context)
        for turn in itertools.count():
            message = f"{number}:{turn}"
            await client.send(message)
            assert await client.receive() == message
            counts["echoed"] += 1
            if stop.is_set():
                return await client.close()
            await asyncio.sleep(0.005)

    async def come_and_go():
        while not stop.is_set():
            client = await WebsocketsClient().open(f"{edge.wss}/ws", context)
            await client.send("x")
            assert await client.receive() == "x"
            await client.close()
            counts["handshakes"] += 1

    async def reload(turn):
        sites[turn % 2].install(chain, key)
        routes = [open_route() | (other_limits if turn % 2 else {}), open_route(name=f"extra-{turn % 2}", path="/extra")]
        case.write(routes=routes)
        status, body = await asyncio.to_thread(edge.admin, "POST", "/api/v1/reload", {})
        assert status == 200, body
        paths = {change["path"]: change["effect"] for change in json.loads(body)["diff"]}
        assert paths["listeners.secure.tls.certificates.0.chain"] == "new_connections"
        assert paths["routes.open.ping.interval"] == "applied"

    async def reload_all():
        try:
            await reload_a_hundred_times()
        finally:
            stop.set()

    async def reload_a_hundred_times():
        await reload(1)
        for turn in range(2, 22):
            await reload(turn)
        resident, descriptors = edge.metric("process_resident_memory_bytes"), edge.child.open_descriptors()
        for turn in range(22, 102):
            await reload(turn)
        # AddressSanitizer holds on to what is freed.
        assert REPORTS or edge.metric("process_resident_memory_bytes") - resident < 4 << 20
        # Whoever comes and goes has some for a moment.
        await asyncio.to_thread(eventually, lambda: abs(edge.child.open_descriptors() - descriptors) < 8)
        await asyncio.to_thread(eventually, lambda: counts["echoed"] > 500 and counts["handshakes"] > 100, 60)

    async with asyncio.timeout(patient(200)), asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(talk(number))
        for _ in range(3):
            group.create_task(come_and_go())
        group.create_task(reload_all())
    assert edge.metric("sluice_config_reloads_total", result="applied") == 101
    assert edge.metric("sluice_tls_handshakes_total", result="failed") == 0
    assert edge.metric("sluice_connections_closed_total", initiator="edge") == 0


def test_a_session_is_resumed_across_another_certificate(reloaded, site, tmp_path, directory):
    sites = swapped_sites(tmp_path)
    case = reloaded()

    def listeners(one):
        tls = {"certificates": [{"chain": str(one.chain), "key": str(one.key)}]}
        return [{"name": "secure", "address": "127.0.0.1:0", "tls": tls}, {"name": "plain", "address": "127.0.0.1:0"}]

    context = ssl.create_default_context()
    for one in sites:
        context.load_verify_locations(one.chain)

    def visit(session=None):
        raw = socket.create_connection(("127.0.0.1", case.edge.ports["secure"]), patient(10))
        with context.wrap_socket(raw, server_hostname="localhost", session=session) as sock:
            stream = ByteStream(sock)
            stream.send(request("/echo", fields=[("Connection", "close")]))
            stream.response()
            return sock.session, sock.session_reused, sock.getpeercert()["serialNumber"]

    case.change(listeners=listeners(sites[0]))
    session, _, first = visit()
    case.change(listeners=listeners(sites[1]))
    assert visit()[2] != first
    assert visit(session)[1]


# What is refused


def test_a_bad_file_changes_nothing_and_every_error_is_told_with_its_place(reloaded, opened):
    case = reloaded()
    client = opened(case.edge)
    good = case.edge.path.read_text()
    case.edge.path.write_text("version: 1\nlisteners: []\nthreads: many\nrouts: []\n")
    status, body = case.edge.admin("POST", "/api/v1/reload", {})
    problem = json.loads(body)
    assert status == 422 and problem["error"] == "bad_configuration"
    assert {(error["path"], error["line"], error["column"]) for error in problem["errors"]} >= {
        ("listeners", 2, 12), ("threads", 3, 10), ("", 4, 1)}
    lines = eventually(lambda: len(case.edge.events("reload.failed")) >= len(problem["errors"]) and case.edge.events("reload.failed"))
    told = [line["error.type"] for line in lines]
    assert len(told) == len(problem["errors"])
    assert any(f"{case.edge.path}:3:10: threads: " in line for line in told)
    assert case.edge.metric("sluice_config_last_reload_successful") == 0
    assert echoes(client) and echoes(opened(case.edge))
    case.edge.path.write_text(good)
    status, body = case.edge.admin("POST", "/api/v1/reload", {})
    assert (status, json.loads(body)["changed"]) == (200, False)
    assert case.edge.metric("sluice_config_last_reload_successful") == 1


def test_what_the_file_names_must_be_there(reloaded, site, opened, directory):
    case = reloaded()
    before = case.edge.child.open_descriptors()
    missing = [
        {"listeners": [{"name": "secure", "address": "127.0.0.1:0", "tls": {"certificates": [
            {"chain": str(directory / "none.pem"), "key": str(site.key)}]}}]},
        {"auth": {"main": {"keys": {"file": str(directory / "none.json")}}}},
        {"log": {"access": str(directory / "none" / "access.jsonl")}},
        {"admin": case.document["admin"] | {"tokens_file": str(directory / "none")}},
    ]
    for sections in missing:
        (line,) = case.refused(**sections)
        assert str(directory / "none") in line
    assert echoes(opened(case.edge))
    eventually(lambda: case.edge.child.open_descriptors() <= before + 2)  # the client, and its worker
    assert case.edge.metric("sluice_config_reloads_total", result="invalid") == len(missing)


def test_an_address_that_is_taken_fails_the_whole_reload(reloaded, opened, closing):
    case = reloaded()
    taken = case.edge.connect("plain").getpeername()[1]
    (line,) = case.refused(
        listeners=[*case.document["listeners"], {"name": "more", "address": f"127.0.0.1:{taken}"}],
        routes=[open_route(path="/elsewhere")])
    assert f"127.0.0.1:{taken}" in line
    assert echoes(opened(case.edge))
    assert case.edge.metric("sluice_config_reloads_total", result="failed") == 1


def test_what_only_a_restart_changes_is_told_each_time_and_the_rest_is_applied(reloaded, directory, opened):
    case = reloaded()
    case.write(threads=7, state_dir=str(directory / "other"), admin=case.document["admin"] | {"metrics_listen": "127.0.0.1:1"})
    case.write(routes=[open_route(path="/other")])
    answers = [json.loads(case.edge.admin("POST", "/api/v1/reload", {})[1]) for _ in range(2)]
    assert [answer["changed"] for answer in answers] == [True, False]
    for answer in answers:
        assert answer["needs_restart"] == ["admin.metrics_listen", "state_dir", "threads"]
    assert {"path": "routes.open.match.path", "old": "/", "new": "/other", "effect": "new_connections"} in answers[0]["diff"]
    assert opened(case.edge, "/") == 404 and echoes(opened(case.edge, "/other"))
    (line,) = eventually(lambda: case.edge.events("reload.applied"))
    assert line["reload.needs_restart"] == "admin.metrics_listen state_dir threads"


# Who is connected


@pytest.mark.parametrize("close_removed", [False, True])
def test_a_removed_route_is_gone_for_new_clients_and_its_websockets_stay_or_go(reloaded, opened, close_removed):
    case = reloaded([open_route(name="kept", path="/kept"), open_route(name="gone", path="/gone")])
    kept, gone = opened(case.edge, "/kept"), opened(case.edge, "/gone")
    assert echoes(kept) and echoes(gone)
    case.change(routes=[open_route(name="kept", path="/kept")], reload={"close_removed": close_removed})
    assert opened(case.edge, "/gone") == 404
    if close_removed:
        assert gone.close_frame() == (1012, "route_removed")
        gone.send_close(1012)
    else:
        assert echoes(gone)
        assert case.edge.metric("sluice_messages_total", route="gone", direction="received") == 2
        gone.send_close(1000)
        assert gone.close_frame()[0] == 1000
    assert echoes(kept)
    eventually(lambda: case.edge.metric("sluice_connections_closed_total", route="gone") == 1)
    case.change(routes=[open_route(name="new", path="/new"), open_route(name="gone", path="/gone")])
    assert echoes(opened(case.edge, "/gone")) and echoes(opened(case.edge, "/new"))
    assert case.edge.metric("sluice_handshakes_total", route="gone", result="accepted") == 2
    assert case.edge.metric("sluice_handshakes_total", route="new", result="accepted") == 1


def test_a_limit_that_is_lowered_holds_for_who_is_connected(reloaded, opened):
    case = reloaded()
    client = opened(case.edge)
    for _ in range(10):
        assert echoes(client)
    case.change(routes=[open_route() | {"messages": {"rate": "1/m", "burst": 3, "over": "close"}}])
    for _ in range(3):
        assert echoes(client)
    client.send_frame(TEXT, b"too much")
    code, reason = client.close_frame()
    assert code == 4429 and reason in {f"rate_limited;retry_after={seconds}" for seconds in range(40, 61)}


def test_a_limit_that_makes_a_client_wait_goes_and_the_client_goes_on(reloaded, opened):
    slow_route = open_route() | {"messages": {"rate": "1/h", "burst": 1, "over": "delay"}}
    case = reloaded([slow_route])
    client = opened(case.edge)
    assert echoes(client, b"first")
    client.send_frame(TEXT, b"second")
    eventually(lambda: case.edge.metric("sluice_throttled_connections") == 1)
    case.change(routes=[open_route()])
    assert client.frame().payload == b"second"
    assert case.edge.metric("sluice_throttled_connections") == 0


def test_what_was_used_of_a_limit_stays_used(reloaded, opened):
    limit = {"messages": {"rate": "1/h", "burst": 2, "over": "drop"}}
    case = reloaded([open_route() | limit])
    client = opened(case.edge)
    assert echoes(client) and echoes(client)
    case.change(routes=[open_route() | limit | {"max_message": "2KiB"}])
    client.send_frame(TEXT, b"dropped")
    eventually(lambda: case.edge.metric("sluice_messages_dropped_total", route="open") == 1)


def test_sizes_timers_and_close_codes_hold_for_who_is_connected(reloaded, opened):
    case = reloaded()
    talker, sleeper = opened(case.edge), opened(case.edge)
    case.change(routes=[open_route() | {"max_message": "100B", "close_codes": {"idle": 4000}}])
    talker.send_frame(BINARY, b"x" * 101)
    assert talker.close_frame()[0] == 1009
    case.change(routes=[open_route() | {"idle_timeout": "1s", "close_codes": {"idle": 4000}}])
    assert sleeper.close_frame() == (4000, "idle_timeout")


# Addresses


def test_a_new_address_serves_and_a_removed_one_does_not_while_its_clients_stay(reloaded, opened, directory):
    case = reloaded()
    client = opened(case.edge, listener="plain")
    secure = case.document["listeners"][0]
    case.change(listeners=[secure | {"name": "renamed"}, {"name": "more", "address": f"unix:{directory}/more.sock"}])
    (line,) = case.edge.events("listener.ready", listener="more")
    assert line["server.address"] == f"unix:{directory}/more.sock"
    (closed,) = eventually(lambda: case.edge.events("listener.closed", listener="plain"))
    with pytest.raises(ConnectionRefusedError):
        case.edge.connect("plain")
    assert echoes(client)
    assert case.edge.metric("sluice_connections", listener="plain") == 1
    client.close()
    eventually(lambda: case.edge.metric("sluice_connections", listener="plain") == 0)


# Keys, rules, pools, logs


def test_keys_that_changed_count_at_once(reloaded, opened, directory):
    old, new = Key("old"), Key("new")
    path = directory / "jwks.json"
    path.write_text(key_set(old))
    auth = {"main": {"issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["ES256"], "keys": {"file": str(path)}}}
    case = reloaded([open_route() | {"auth": "main"}], auth=auth)
    client = opened(case.edge, fields=bearer(old.token()))
    path.write_text(key_set(new))
    case.change()
    assert opened(case.edge, fields=bearer(old.token())) == 401
    assert echoes(opened(case.edge, fields=bearer(new.token()))) and echoes(client)
    token = new.token()
    assert echoes(opened(case.edge, fields=bearer(token)))
    case.change(auth={"main": auth["main"] | {"audience": ["others"]}})
    assert opened(case.edge, fields=bearer(token)) == 401


def test_rules_of_the_file_come_and_go_for_who_is_connected_too(reloaded, opened):
    case = reloaded()
    client = opened(case.edge)
    made = case.edge.rule("ban", user="mallory")
    case.change(rules=[{"ban": {"ip": "127.0.0.1"}}])
    assert client.close_frame() == (4403, "banned")
    assert opened(case.edge, listener="plain") == 403
    assert len(case.edge.rules()) == 2
    case.change(rules=[])
    assert echoes(opened(case.edge))
    assert [rule["id"] for rule in case.edge.rules()] == [made["rule"]["id"]]


def test_a_pool_takes_other_workers_and_keeps_its_clients(reloaded, opened, echo_worker, responding_worker, directory):
    case = reloaded()
    client = opened(case.edge)
    case.change(pools={"main": {"workers": [str(responding_worker.path)], "health": {"path": "/", "interval": "100ms"}}})
    assert [worker["path"] for worker in case.edge.workers() if worker["connections"] == 0] == [str(responding_worker.path)]
    eventually(lambda: responding_worker.requests)
    assert echoes(client)
    case.change(pools={"main": {"workers": [str(echo_worker.path)]}})
    checks = len(responding_worker.requests)
    assert echoes(opened(case.edge)) and echoes(client)
    assert len(responding_worker.requests) <= checks + 1


def test_a_cookie_secret_that_changed_counts(start_edge, echo_worker, directory):
    secret = directory / "cookie"
    secret.write_bytes(b"a" * 32)
    pool = {"workers": [str(echo_worker.path)], "balance": "cookie", "cookie_secret_file": str(secret)}
    case = Reloaded(start_edge({"main": pool}))
    secret.write_bytes(b"b" * 32)
    answer = json.loads(case.edge.admin("POST", "/api/v1/reload", {})[1])
    assert [(change["path"], change["effect"]) for change in answer["diff"]] == [
        ("pools.main.cookie_secret_file", "new_connections")]


def test_admin_tokens_that_changed_count_at_once(reloaded, directory):
    path = directory / "tokens"
    path.write_text(f"viewer:first:{hashlib.sha256(b'first').hexdigest()}\n")
    case = reloaded(admin={"listen": [f"unix:{directory}/admin.sock", "127.0.0.1:0"], "tokens_file": str(path)})
    address = case.edge.admin_address()

    def status(token):
        connection = http.client.HTTPConnection(address, timeout=patient(10))
        connection.request("GET", "/api/v1/status", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status

    assert [status("first"), status("second")] == [200, 401]
    path.write_text(f"viewer:second:{hashlib.sha256(b'second').hexdigest()}\n")
    case.change()
    assert [status("first"), status("second")] == [401, 200]


def test_events_tell_of_reloads(reloaded):
    case = reloaded()
    with contextlib.closing(case.edge.admin_socket()) as sock:
        sock.sendall(b"GET /api/v1/events?types=reload HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = sock.makefile("rb")
        while b"heartbeat" not in (line := stream.readline()) and line != b"\r\n":
            pass
        case.change(timeouts={"head": "3s"})
        while not (line := stream.readline()).startswith(b"data: "):
            pass
    event = json.loads(line.removeprefix(b"data: "))
    assert (event["result"], event["by"], event["changes"]) == ("applied", "SIGHUP", ["timeouts.head"])
    last = json.loads(case.edge.admin("GET", "/api/v1/status")[1])["config"]
    assert last["file"] == str(case.edge.path) and last["last_reload"]["result"] == "applied"


def test_logs_move(reloaded, opened, directory):
    case = reloaded()
    access = directory / "access.jsonl"
    case.change(log={"access": str(access)})
    client = opened(case.edge)
    client.close()
    eventually(lambda: "connection.closed" in access.read_text())
    assert not case.edge.events("connection.closed")
    case.write(log={})
    assert case.edge.admin("POST", "/api/v1/reload", {})[0] == 200
    opened(case.edge).close()
    eventually(lambda: case.edge.events("connection.closed"))


# One after the other


def test_reloads_that_come_together_happen_one_after_the_other(reloaded):
    case = reloaded()
    case.write(routes=[open_route(path="/other")])

    async def ask_all():
        calls = [asyncio.to_thread(case.edge.admin, "POST", "/api/v1/reload", {}) for _ in range(8)]
        return await asyncio.gather(*calls)

    answers = asyncio.run(ask_all())
    assert {status for status, _ in answers} == {200}
    assert sorted(json.loads(body)["changed"] for _, body in answers) == [False] * 7 + [True]


def test_a_storm_of_signals_is_a_few_reloads(reloaded):
    case = reloaded()
    for number in range(500):
        case.edge.child.signal(signal.SIGHUP)
    case.change(routes=[open_route(path="/last")])
    assert case.edge.metric("sluice_config_reloads_total", result="applied") < 100
    assert case.edge.admin("GET", "/api/v1/status")[0] == 200


# The configuration on show


def test_the_configuration_is_shown_without_what_variables_say(start_edge, echo_worker, monkeypatch):
    monkeypatch.setenv("WORKER_KEY", "s3cret")
    case = Reloaded(start_edge({"main": [echo_worker.path]}, [open_route() | {"headers": {"set": {"X-Key": "k-${WORKER_KEY}"}}}]))
    status, body, fields = case.edge.ask("GET", "/api/v1/config")
    answer = json.loads(body)
    assert status == 200 and "s3cret" not in body
    assert answer["config"]["routes"][0]["headers"]["set"] == {"X-Key": "k-${WORKER_KEY}"}
    assert answer["config"]["timeouts"]["head"] == "10s"
    assert fields["ETag"] == f'W/"{answer["etag"]}"'
    assert case.edge.ask("GET", "/api/v1/config", headers={"If-None-Match": fields["ETag"]})[0:2] == (304, "")
    status, yaml, fields = case.edge.ask("GET", "/api/v1/config", headers={"Accept": "application/yaml"})
    assert status == 200 and fields["Content-Type"] == "application/yaml" and "s3cret" not in yaml
    # What is shown can be read again, and says the same.
    status, body = case.edge.admin("POST", "/api/v1/config/validate", {"yaml": yaml})
    assert (status, json.loads(body)) == (200, {"valid": True, "diff": []})
    case.change(timeouts={"head": "3s"})
    assert case.edge.ask("GET", "/api/v1/config")[2]["ETag"] != fields["ETag"]


def test_a_configuration_is_validated_and_changes_nothing(reloaded):
    case = reloaded()
    document = case.document | {"threads": 99, "drain": {"spread": "1m"}}
    status, body = case.edge.admin("POST", "/api/v1/config/validate", {"yaml": json.dumps(document)})
    assert status == 200 and json.loads(body)["valid"]
    changes = {change["path"]: (change["new"], change["effect"]) for change in json.loads(body)["diff"]}
    assert changes["drain.spread"] == ("1m", "applied") and changes["threads"] == ("99", "needs_restart")
    status, body = case.edge.admin("POST", "/api/v1/config/validate", {"yaml": "routs: 1"})
    assert status == 422 and json.loads(body)["errors"][0]["line"] == 1
    audited = eventually(lambda: len(case.edge.events("admin.write")) == 2 and case.edge.events("admin.write"))
    assert [(line["audit.action"], line["http.response.status_code"]) for line in audited] == [
        ("config.validate", 200), ("config.validate", 422)]
    assert not case.edge.events("reload.applied")
