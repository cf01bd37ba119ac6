"""What operators do to workers and to the edge while it runs: drain, maintenance, weights, and back."""

import asyncio
import contextlib
import datetime
import json
import time
import urllib.parse

import pytest
import websockets.asyncio.client
from cryptography import x509
from websockets.exceptions import ConnectionClosed

from edge import open_route
from rawhttp import ByteStream, request
from waiting import eventually, patient, slow
from workers import ForeignWorker


class Talker:
    """A client that sends numbers one after the other, and holds every echo to its turn."""

    def __init__(self, socket):
        self._socket = socket
        self.echoes = 0
        self.ended_at = None
        self.close = None
        self._quiet = asyncio.Event()
        self._task = asyncio.create_task(self._talk())

    async def _talk(self):
        try:
            while not self._quiet.is_set():
                await self._socket.send(str(self.echoes))
                assert await self._socket.recv() == str(self.echoes)
                self.echoes += 1
                await asyncio.sleep(0.05)
        except ConnectionClosed as end:
            self.close = (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")
            self.ended_at = time.monotonic()

    async def goes_on(self):
        """Whether it has more echoes soon: it is connected, and nothing was lost."""
        before = self.echoes
        deadline = time.monotonic() + patient(10)
        while self.echoes < before + 3 and not self._task.done() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        return self.echoes >= before + 3

    async def ended(self):
        """Waits for the other side's Close: (code, reason)."""
        await asyncio.wait_for(self._task, patient(20))
        return self.close

    async def hang_up(self):
        self._quiet.set()
        await asyncio.wait_for(self._task, patient(20))
        await self._socket.close()


@contextlib.asynccontextmanager
async def talkers(edge, count):
    """Clients of the library `websockets` that talk all the time."""
    everybody = [Talker(await connect(edge)) for _ in range(count)]
    try:
        yield everybody
    finally:
        for talker in everybody:
            if talker.ended_at is None:
                await talker.hang_up()


def connect(edge):
    return websockets.asyncio.client.connect(
        f"ws://127.0.0.1:{edge.ports['plain']}/ws", open_timeout=patient(10), close_timeout=patient(10), ping_interval=None, proxy=None)


async def until(condition, within=10.0):
    deadline = time.monotonic() + patient(within)
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.01)
    return value


@pytest.fixture
def pair(directory, closing, start_edge):
    """An edge with two workers on node's `ws`, called a and b."""

    def make(pool=None, **sections):
        for name in ("a", "b"):
            closing(ForeignWorker("node", directory, name)).wait_until_ready()
        return start_edge({"main": {"workers": [f"{directory}/[ab].sock"]} | (pool or {})}, **sections)

    return make


def ask(edge, method, target, body=None, status=200):
    got, text = edge.admin(method, f"/api/v1{target}", body)
    assert got == status, (got, text)
    return json.loads(text)


def change(edge, worker, status=200, **order):
    return ask(edge, "PATCH", f"/workers/{urllib.parse.quote(worker, safe='')}", order, status)


def loads(edge):
    return {worker["name"]: worker["connections"] for worker in edge.workers()}


def answer(edge, target="/hello"):
    """The answer to a plain request on a connection of its own."""
    stream = ByteStream(edge.connect("plain"))
    try:
        stream.send(request(target))
        return stream.response()
    finally:
        stream.close()


# A worker


async def test_a_drained_worker_keeps_its_clients_and_gets_no_new_ones_until_it_is_ready_again(pair):
    edge = pair()
    async with talkers(edge, 10) as early:
        assert loads(edge) == {"a": 5, "b": 5}
        worker = change(edge, "a", state="drain")
        assert (worker["state"], worker["closing"], worker["connections"]) == ("drain", 0, 5)
        async with talkers(edge, 6) as late:
            assert loads(edge) == {"a": 5, "b": 11}
            assert all(await asyncio.gather(*(talker.goes_on() for talker in early + late)))
        await until(lambda: loads(edge) == {"a": 5, "b": 5})
        change(edge, "a", state="ready")
        async with talkers(edge, 4):
            assert loads(edge) == {"a": 7, "b": 7}
    assert all(talker.close is None for talker in early)
    lines = await until(lambda: (found := edge.events("admin.write", audit_action="worker.change")) and len(found) == 2 and found)
    assert [line["audit.target"].rpartition("/")[2] for line in lines] == ["a.sock", "a.sock"]


async def test_a_worker_s_clients_are_closed_evenly_over_the_spread_and_others_lose_nothing(pair):
    edge = pair()
    async with talkers(edge, 80) as everybody:
        began = time.time()
        worker = change(edge, "a", state="drain", close_clients=True, spread_seconds=2)
        assert worker["closing"] == 40
        await until(lambda: sum(talker.ended_at is not None for talker in everybody) == 40)
        await until(lambda: len(edge.times("connection.closed", close_reason="worker_draining")) == 40)
        ends = [end - began for end in edge.times("connection.closed", close_reason="worker_draining")]
        # One goes in each fortieth of the two seconds of each reactor: never before its time, and, where the reactor got no
        # processor for a moment, a moment later.
        for place, end in enumerate(ends):
            assert place / 20 - 0.1 <= end <= place / 20 + slow(1.5), ends
        assert {talker.close for talker in everybody if talker.ended_at} == {(1012, "worker_draining")}
        stayed = [talker for talker in everybody if not talker.ended_at]
        assert all(await asyncio.gather(*(talker.goes_on() for talker in stayed)))
        assert loads(edge) == {"a": 0, "b": 40}
    assert len(edge.events("connection.closed", close_code=1012, close_reason="worker_draining")) == 40


async def test_who_was_not_sent_away_yet_stays_when_the_worker_is_ready_again(pair):
    edge = pair()
    async with talkers(edge, 40) as everybody:
        assert change(edge, "a", state="drain", close_clients=True, spread_seconds=30)["closing"] == 20
        await until(lambda: any(talker.ended_at for talker in everybody))
        change(edge, "a", state="ready")
        gone = sum(talker.ended_at is not None for talker in everybody)
        assert gone < 15
        assert sum(await asyncio.gather(*(talker.goes_on() for talker in everybody))) >= 40 - gone - 3  # some may be on their way


async def test_maintenance_closes_the_clients_and_outlives_the_worker_s_restart(pair, directory, closing):
    edge = pair()
    async with talkers(edge, 8) as everybody:
        assert change(edge, f"{directory}/a.sock", state="maint", spread_seconds=0)["closing"] == 4
        await until(lambda: sum(talker.close == (1012, "worker_draining") for talker in everybody) == 4)
    (directory / "a.sock").unlink()
    eventually(lambda: [worker["name"] for worker in edge.workers()] == ["b"], what="the worker being gone")
    closing(ForeignWorker("node", directory, "a")).wait_until_ready()
    eventually(lambda: sorted(loads(edge).items()) == [("a", 0), ("b", 0)], what="the worker being back, and everybody having left")
    async with talkers(edge, 4):
        assert loads(edge) == {"a": 0, "b": 4}
        change(edge, "a", state="ready")
        async with talkers(edge, 4):
            assert loads(edge) == {"a": 4, "b": 4}


def test_plain_requests_avoid_a_drained_worker_and_there_may_be_none_left(pair):
    edge = pair(pool={"balance": "round_robin"})
    assert {answer(edge).status for _ in range(4)} == {200}
    change(edge, "a", state="drain")
    assert {answer(edge).body for _ in range(4)} == {b"hello"}
    change(edge, "b", state="maint")
    assert (answer(edge).status, answer(edge).word) == (503, "no_worker")
    change(edge, "a", state="ready")
    assert answer(edge).status == 200


@pytest.mark.parametrize("balance", ["least_connections", "round_robin"])
async def test_weights_share_the_clients_out(pair, balance):
    edge = pair(pool={"balance": balance})
    assert change(edge, "a", weight=3)["weight"] == 3
    async with talkers(edge, 40):
        assert loads(edge) == {"a": 30, "b": 10}
        change(edge, "a", weight=1)
        change(edge, "b", weight=3)
        if balance == "least_connections":
            async with talkers(edge, 40):
                assert loads(edge) == {"a": 30, "b": 50}


def test_names_that_two_workers_share_are_told_apart_by_path(directory, closing, start_edge):
    for name in ("x", "y"):
        (directory / name).mkdir()
        closing(ForeignWorker("node", directory / name, "chat")).wait_until_ready()
    edge = start_edge({"main": [f"{directory}/*/chat.sock"]})
    assert sorted(worker["name"] for worker in edge.workers()) == [f"{directory}/x/chat.sock", f"{directory}/y/chat.sock"]
    change(edge, "chat", status=409, state="drain")
    change(edge, "nobody", status=404, state="drain")
    change(edge, f"{directory}/x/chat.sock", state="drain")
    assert {worker["path"]: worker["state"] for worker in edge.workers()} == {
        f"{directory}/x/chat.sock": "drain", f"{directory}/y/chat.sock": "ready"}


# The edge


async def test_a_drain_sends_everybody_away_and_refuses_who_comes_until_it_is_taken_back(pair):
    edge = pair()
    async with talkers(edge, 20) as everybody:
        drain = ask(edge, "POST", "/drain", {"spread_seconds": 1, "delay_seconds": 0})
        assert drain["draining"] is True and drain["spread_seconds"] == 1 and drain["exit"] is False
        assert drain["connections"] == 20
        assert edge.admin("GET", "/readyz") == (503, "draining\n")
        assert {await talker.ended() for talker in everybody} == {(1012, "edge_draining")}
        await until(lambda: len(edge.times("connection.closed", close_reason="edge_draining")) == 20)
        began = datetime.datetime.fromisoformat(drain["began_at"]).timestamp()
        assert edge.times("connection.closed", close_reason="edge_draining")[-1] - began > 0.4
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        await connect(edge)
    assert refused.value.response.status_code == 503
    assert int(refused.value.response.headers["Retry-After"]) >= 1
    assert json.loads(refused.value.response.body)["code"] == "draining"
    refusal = answer(edge)
    assert (refusal.status, refusal.word, int(refusal["Retry-After"]) >= 1) == (503, "draining", True)
    assert ask(edge, "POST", "/drain", {"spread_seconds": 99})["began_at"] == drain["began_at"], "it goes on as it is"
    assert ask(edge, "POST", "/undrain", {}) == {"draining": False}
    assert edge.admin("GET", "/readyz") == (200, "ready\n")
    async with talkers(edge, 4) as later:
        assert all(await asyncio.gather(*(talker.goes_on() for talker in later)))
    assert answer(edge).status == 200


async def test_until_the_delay_is_over_a_drain_is_seen_by_load_balancers_alone(pair):
    edge = pair()
    ask(edge, "POST", "/drain", {"delay_seconds": 60, "spread_seconds": 0})
    assert edge.admin("GET", "/readyz")[0] == 503
    async with talkers(edge, 2) as everybody:
        assert all(await asyncio.gather(*(talker.goes_on() for talker in everybody)))
        ask(edge, "POST", "/undrain", {})
        assert edge.admin("GET", "/readyz")[0] == 200


async def test_who_was_not_told_to_go_yet_stays_when_a_drain_is_taken_back(pair):
    edge = pair()
    async with talkers(edge, 40) as everybody:
        ask(edge, "POST", "/drain", {"spread_seconds": 60, "delay_seconds": 0})
        await until(lambda: any(talker.ended_at for talker in everybody))
        ask(edge, "POST", "/undrain", {})
        gone = sum(talker.ended_at is not None for talker in everybody)
        assert gone < 20
        assert sum(await asyncio.gather(*(talker.goes_on() for talker in everybody))) >= 40 - gone - 3  # some may be on their way


async def test_a_drain_that_exits_ends_the_process_and_cannot_be_taken_back(pair):
    edge = pair()
    async with talkers(edge, 4) as everybody:
        ask(edge, "POST", "/drain", {"exit": True, "spread_seconds": 1, "delay_seconds": 0})
        assert ask(edge, "POST", "/undrain", {}, status=409)["error"] == "ending"
        assert {await talker.ended() for talker in everybody} == {(1012, "edge_draining")}
    assert edge.child.wait() == 0


@pytest.mark.parametrize("order", [{"spread_seconds": 60, "delay_seconds": 0}, {"exit": True, "spread_seconds": 60}])
async def test_terminate_ends_the_process_in_the_middle_of_a_drain(pair, order):
    edge = pair(drain={"delay": "0s", "spread": "500ms", "timeout": "10s"})
    async with talkers(edge, 4) as everybody:
        ask(edge, "POST", "/drain", order)
        edge.terminate()
        assert {await talker.ended() for talker in everybody} == {(1012, "edge_draining")}
    assert edge.child.wait() == 0


def test_what_is_left_at_the_end_of_a_drain_is_cut_off(pair, closing):
    edge = pair()
    stream = closing(ByteStream(edge.connect("plain")))
    stream.send(request("/events"))
    assert b"200" in stream.until(b"data: first")
    ask(edge, "POST", "/drain", {"spread_seconds": 0, "delay_seconds": 0, "timeout_seconds": 1})
    stream.rest()
    assert answer(edge).status == 503
    ask(edge, "POST", "/undrain", {})
    assert answer(edge).status == 200


# What there is to see


async def test_status_and_routes_count_what_clients_did(directory, closing, start_edge, site):
    closing(ForeignWorker("node", directory, "a")).wait_until_ready()
    routes = [
        open_route(name="chat", path="/ws") | {"auth": "main", "origins": ["https://chat.example.test"], "origin_missing": "allow"},
        open_route(name="open", path="/", match={"host": "localhost", "path": "=/open"}), open_route(name="rest", path="/")]
    edge = start_edge({"main": [directory / "a.sock"]}, routes, threads=2)
    url = f"ws://127.0.0.1:{edge.ports['plain']}"
    sockets = [
        await websockets.asyncio.client.connect(f"{url}/rest", ping_interval=None, proxy=None) for _ in range(6)]
    for number, socket in enumerate(sockets):
        for _ in range(number):
            await socket.send("x" * 10)
            assert await socket.recv() == "x" * 10
    for socket in sockets[:2]:
        await socket.close()
    for _ in range(2):
        with pytest.raises(websockets.exceptions.InvalidStatus):
            await websockets.asyncio.client.connect(f"{url}/ws", proxy=None)
    with pytest.raises(websockets.exceptions.InvalidStatus):
        await websockets.asyncio.client.connect(f"{url}/ws", proxy=None, origin="https://evil.test")
    await until(lambda: ask(edge, "GET", "/status")["connections"] == 4)
    status = ask(edge, "GET", "/status")
    assert [status[key] for key in ("messages_in", "messages_out", "bytes_in", "bytes_out")] == [15, 15, 150, 150]
    counted = {word: count for word, count in status["handshakes"].items() if count}
    assert counted == {"accepted": 6, "origin_denied": 1, "token_missing": 2}
    assert status["ready"] is True and status["draining"] is False and status["drain"] is None
    assert (status["throttled_connections"], status["clients_waiting"], status["send_queue_bytes"]) == (0, 0, 0)
    assert status["config"]["age_seconds"] >= 0
    shown = {route["name"]: route for route in ask(edge, "GET", "/routes")["routes"]}
    assert list(shown) == ["chat", "open", "rest"]
    assert (shown["rest"]["connections"], shown["rest"]["messages_in"], shown["chat"]["handshakes"]["token_missing"]) == (4, 15, 2)
    assert [shown["open"][key] for key in ("host", "path", "pool", "auth", "origins")] == ["localhost", "=/open", "main", None, ["*"]]
    assert (shown["chat"]["host"], shown["chat"]["auth"]) == (None, "main")
    assert shown["chat"]["origins"] == ["https://chat.example.test"]
    for socket in sockets:
        await socket.close()


def test_certificates_are_shown_with_the_days_that_they_have_left(pair, site):
    edge = pair()
    (shown,) = ask(edge, "GET", "/certs")["certificates"]
    real = x509.load_pem_x509_certificates(site.chain.read_bytes())[0]
    assert (shown["listener"], shown["name"]) == ("secure", str(site.chain))
    assert int(shown["serial"], 16) == real.serial_number
    assert shown["subject"] == real.subject.rfc4514_string() and shown["issuer"] == real.issuer.rfc4514_string()
    assert datetime.datetime.fromisoformat(shown["not_after"]) == real.not_valid_after_utc
    assert datetime.datetime.fromisoformat(shown["not_before"]) == real.not_valid_before_utc
    left = (real.not_valid_after_utc - datetime.datetime.now(datetime.UTC)).days
    assert shown["days_left"] in (left, left + 1)
    names = real.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert shown["names"] == names.get_values_for_type(x509.DNSName) + [
        str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert shown["key_type"].startswith(("EC P-", "RSA ", "Ed"))
    expiry = ask(edge, "GET", "/status")["next_certificate_expiry"]
    assert expiry == {key: shown[key] for key in ("name", "not_after", "days_left")}


def test_keys_are_shown_without_the_keys(pair, site):
    edge = pair()
    (shown,) = ask(edge, "GET", "/keys")["keys"]
    assert (shown["auth"], shown["source"], shown["location"]) == ("main", "file", str(site.jwks))
    real = json.loads(site.jwks.read_bytes())["keys"]
    assert {key["kid"] for key in shown["keys"]} <= {key["kid"] for key in real}
    assert {key["algorithm"] for key in shown["keys"]} == {"ES256"}
    assert 0 <= shown["age_seconds"] < 60
    text = edge.admin("GET", "/api/v1/keys")[1]
    assert not any(key[part] in text for key in real for part in ("x", "y", "n", "k") if part in key)


async def test_the_log_level_changes_at_once_and_audit_lines_are_written_at_any(pair):
    edge = pair()
    assert ask(edge, "GET", "/log-level") == {"level": "info"}
    async with talkers(edge, 1):
        edge.settle()
        assert ask(edge, "PUT", "/log-level", {"level": "error"}) == {"level": "error"}
        async with talkers(edge, 1):
            edge.settle()
            assert ask(edge, "PUT", "/log-level", {"level": "info"}) == {"level": "info"}
            async with talkers(edge, 1):
                pass
    await until(lambda: len(edge.events("connection.closed")) == 3)
    assert len(edge.events("connection.opened")) == 2
    lines = await until(lambda: (found := edge.events("admin.write", audit_action="log_level.set")) and len(found) == 2 and found)
    assert [json.loads(line["audit.detail"]) for line in lines] == [{"from": "info", "to": "error"}, {"from": "error", "to": "info"}]
    ask(edge, "PUT", "/log-level", {"level": "verbose"}, status=400)


# A crowd


async def test_two_thousand_clients_are_sent_away_evenly_while_others_lose_nothing(pair):
    edge = pair(threads=2)
    async with contextlib.AsyncExitStack() as stack:
        crowd = []
        for _ in range(20):
            crowd += await asyncio.gather(*(stack.enter_async_context(connect(edge)) for _ in range(100)))
        everybody = await stack.enter_async_context(talkers(edge, 20))
        assert loads(edge) == {"a": 1010, "b": 1010}
        ends = []

        async def watch(socket):
            await socket.wait_closed()
            ends.append((socket.close_code, socket.close_reason))

        watching = [asyncio.create_task(watch(socket)) for socket in crowd]
        began = time.time()
        assert change(edge, "a", state="drain", close_clients=True, spread_seconds=4)["closing"] == 1010
        await until(lambda: loads(edge)["a"] == 0, 30)
        assert set(ends) <= {(1012, "worker_draining")}
        await until(lambda: len(edge.times("connection.closed", close_reason="worker_draining")) == 1010)
        closed = [end - began for end in edge.times("connection.closed", close_reason="worker_draining")]
        gone = [sum(end < second for end in closed) for second in range(1, 6)]
        for second, by_then in enumerate(gone, 1):
            assert (second - slow(3)) / 4 * 1010 <= by_then <= second / 4 * 1010 + 25, gone
        await until(lambda: sum(talker.ended_at is not None for talker in everybody) == 10)
        stayed = [talker for talker in everybody if talker.ended_at is None]
        assert all(await asyncio.gather(*(talker.goes_on() for talker in stayed)))
        status = ask(edge, "GET", "/status")
        assert status["connections"] == 1010 and sum(route["connections"] for route in ask(edge, "GET", "/routes")["routes"]) == 1010
        ask(edge, "POST", "/drain", {"spread_seconds": 2, "delay_seconds": 0})
        await asyncio.wait_for(asyncio.gather(*watching), patient(20))
        assert ends.count((1012, "edge_draining")) == 1000
        ask(edge, "POST", "/undrain", {})
    await until(lambda: loads(edge) == {"a": 0, "b": 0})
    async with talkers(edge, 2) as later:
        assert loads(edge) == {"a": 0, "b": 2}
        assert all(await asyncio.gather(*(talker.goes_on() for talker in later)))


async def test_eight_operators_at_once_get_their_answers_and_no_message_is_lost(pair):
    edge = pair(threads=2)
    reads = ["status", "routes", "certs", "keys", "workers", "connections", "log-level", "rules", "openapi.json"]

    def operate(number):
        for turn in range(15):
            for target in reads:
                ask(edge, "GET", f"/{target}")
            change(edge, "ab"[number % 2], state=["drain", "ready"][turn % 2], weight=1 + turn)
            ask(edge, "PUT", "/log-level", {"level": ["debug", "info"][turn % 2]})
            ask(edge, "POST", "/drain", {"delay_seconds": 600})
            ask(edge, "POST", "/undrain", {})
            assert edge.admin("GET", "/metrics")[0] == 200

    async with talkers(edge, 40) as everybody:
        before = [talker.echoes for talker in everybody]
        await asyncio.gather(*(asyncio.to_thread(operate, number) for number in range(8)))
        assert all(talker.close is None and talker.echoes > echoes for talker, echoes in zip(everybody, before))
        for worker in ("a", "b"):
            change(edge, worker, state="ready", weight=1)
        assert all(await asyncio.gather(*(talker.goes_on() for talker in everybody)))
    assert {worker["state"] for worker in edge.workers()} == {"ready"}
    await until(lambda: len(edge.events("admin.write", audit_action="edge.drain")) == 120)
