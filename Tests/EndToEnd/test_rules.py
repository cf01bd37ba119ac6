"""Bans, throttles and revocations: for who is connected and who comes, on every reactor, over restarts."""

import concurrent.futures
import contextlib
import datetime
import json
import os
import signal
import threading
import time

import pytest

from edge import SLUICE, Edge, configuration, open_route
from frames import TEXT, FrameStream, upgrade_request
from processes import Child
from rawhttp import request
from tokens import AUDIENCE, ISSUER
from waiting import eventually
from ways import both_ways
from workers import RawWorker, accept_upgrade

LISTENERS = [
    {"name": "plain", "address": "127.0.0.1:0", "protocols": ["h2", "http/1.1"]},
    {"name": "dual", "address": "[::]:0", "protocols": ["h2", "http/1.1"]}]


class AcceptingWorker(RawWorker):
    """Accepts every WebSocket, and answers any other request with a response that does not end."""

    def __init__(self, path):
        super().__init__(path)
        threading.Thread(target=self._serve_all, daemon=True).start()

    def _serve_all(self):
        while True:
            stream = self.next(within=None)
            stream.sock.settimeout(None)
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream):
        try:
            line, fields = stream.head()
            names = {name.lower(): value for name, value in fields}
            if "sec-websocket-key" in names:
                stream.buffer[:0] = ("\r\n".join([line, *(f"{n}: {v}" for n, v in fields), "", ""])).encode("latin-1")
                accept_upgrade(stream)
            elif "/stream" in line:
                stream.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            else:
                stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                self._serve(stream)
        except (OSError, EOFError):
            stream.close()


@pytest.fixture
def worker(directory, closing):
    return closing(AcceptingWorker(directory / "worker.sock"))


@pytest.fixture
def document(directory, site, worker):
    """Makes the edge's configuration: two reactors, a route that asks for a token and one that is open."""

    def make(route=None, **sections):
        routes = [
            open_route(name="chat", path="/ws") | {"auth": "main"} | (route or {}),
            open_route(name="open", path="/open"), open_route(name="plain", path="/")]
        return configuration(directory, site, {"main": [worker.path]}, routes, **{"threads": 2, "listeners": LISTENERS} | sections)

    return make


@pytest.fixture
def start(directory, site, closing, document):
    return lambda **sections: closing(Edge(directory, site, document(**sections)))


@pytest.fixture
def knock(way):
    """Sends an opening handshake; gives the answer, with the stream in it."""

    def knock(edge, target="/open", source="127.0.0.1", token=None, fields=(), listener="plain", host="127.0.0.1"):
        fields = [*fields, ("Authorization", f"Bearer {token}")] if token else fields
        stream = way.ask(edge, target, fields, listener, source=source, host=host)
        response = stream.response()
        response.stream = stream
        return response

    return knock


@pytest.fixture
def enter(knock, way):
    """The same, where it must succeed: gives the stream."""

    def enter(*arguments, **options):
        response = knock(*arguments, **options)
        assert response.status == way.accepted, response
        return response.stream

    return enter


@pytest.fixture
def enter_on_both_reactors(enter, way):
    """Opens WebSockets until there is one on each reactor: the kernel spreads connections as it likes."""

    def enter_on_both_reactors(edge, **options):
        streams = []

        def is_spread():
            way.anew()
            streams.append(enter(edge, **options))
            return len(reactors(edge)) == 2

        eventually(is_spread, what="both reactors having clients")
        return streams

    return enter_on_both_reactors


def reactors(edge):
    return {connection["id"][:4] for connection in edge.connections(limit=1000)}


# Bans


@both_ways
@pytest.mark.parametrize("order", [{"ip": "127.0.0.7"}, {"cidr": "127.0.0.6/31"}, {"ip": "::ffff:127.0.0.7"}])
def test_a_banned_address_is_closed_on_every_reactor_and_refused_from_then_on(
        start, enter, enter_on_both_reactors, knock, way, order):
    edge = start()
    banned = enter_on_both_reactors(edge, source="127.0.0.7")
    others = [enter(edge, source="127.0.0.8") for _ in range(4)]
    answer = edge.rule("ban", reason="spam", **order)
    assert answer["persisted"] and answer["closed"] == len(banned)
    assert [stream.close_frame() for stream in banned] == [(4403, "banned")] * len(banned)
    refused = knock(edge, source="127.0.0.7")
    assert (refused.status, refused.word, refused["Retry-After"]) == (403, "banned", None)
    assert refused["Connection"] == way.last_word
    assert edge.metric("sluice_handshakes_total", route="open", result="banned") == 1
    enter(edge, source="127.0.0.8")
    assert len(edge.connections(ip="127.0.0.8")) == len(others) + 1


@both_ways
def test_a_banned_user_is_closed_and_refused_and_nobody_else_is(start, enter, enter_on_both_reactors, knock, site):
    edge = start()
    mallory = enter_on_both_reactors(edge, target="/ws", token=site.token("mallory"))
    enter(edge, "/ws", token=site.token("alice"))
    answer = edge.rule("ban", user="mallory")
    assert answer["closed"] == len(mallory)
    assert {stream.close_frame() for stream in mallory} == {(4403, "banned")}
    refused = knock(edge, "/ws", token=site.token("mallory"))
    assert (refused.status, refused.word) == (403, "banned")
    enter(edge, "/ws", token=site.token("alice"))
    enter(edge, "/open")
    edge.lift(answer["rule"])
    enter(edge, "/ws", token=site.token("mallory"))


def test_a_ban_of_a_user_can_be_for_one_auth_block(start, enter, knock, site):
    edge = start()
    assert "nobody" in edge.rule("ban", status=400, user="mallory", auth="nobody")["detail"]
    edge.rule("ban", user="mallory", auth="main")
    assert knock(edge, "/ws", token=site.token("mallory")).word == "banned"


@both_ways
def test_the_close_codes_of_a_ban_and_a_revocation_are_the_routes_own(start, enter, site):
    edge = start(route={"close_codes": {"banned": 4003, "auth": 4001}})
    first = enter(edge, "/ws", token=site.token("a"))
    second = enter(edge, "/ws", token=site.token("b"))
    edge.rule("ban", user="a")
    edge.rule("revoke", user="b")
    assert (first.close_frame(), second.close_frame()) == ((4003, "banned"), (4001, "token_revoked"))


@both_ways
def test_the_families_are_told_apart_and_mapped_addresses_are_ipv4(start, enter, knock):
    edge = start()
    edge.rule("ban", ip="127.0.0.7")
    edge.rule("ban", ip="::1")
    mapped = dict(listener="dual", host="::ffff:127.0.0.1")
    assert knock(edge, source="::ffff:127.0.0.7", **mapped).word == "banned"
    assert knock(edge, source="127.0.0.7", listener="dual").word == "banned"
    assert knock(edge, source="::1", listener="dual", host="::1").word == "banned"
    enter(edge, source="::ffff:127.0.0.8", **mapped)
    enter(edge, source="127.0.0.1", listener="dual")


@both_ways
def test_a_ban_ends_with_its_time(start, knock, way):
    edge = start()
    answer = edge.rule("ban", ip="127.0.0.7", ttl_seconds=3)
    refused = knock(edge, source="127.0.0.7")
    assert refused.status == 403 and 1 <= int(refused["Retry-After"]) <= 4

    def is_let_in():
        status = knock(edge, source="127.0.0.7").status
        way.close()  # 256 refusals at a time have an answer
        return status == way.accepted

    eventually(is_let_in)
    eventually(lambda: edge.events("rule.expired"))
    assert edge.rules() == []
    assert edge.admin("GET", f"/api/v1/rules/{answer['rule']['id']}")[0] == 404


@both_ways
def test_behind_a_trusted_proxy_the_forwarded_address_counts(start, enter, knock, way):
    edge = start(trusted_proxies=["127.0.0.9"])
    proxied = dict(source="127.0.0.9")
    victim = enter(edge, fields=[("X-Forwarded-For", "192.0.2.7")], **proxied)
    other = enter(edge, fields=[("X-Forwarded-For", "192.0.2.8")], **proxied)
    assert edge.rule("ban", cidr="192.0.2.7/32")["closed"] == 1
    assert victim.close_frame() == (4403, "banned")
    refused = knock(edge, fields=[("X-Forwarded-For", "192.0.2.7")], **proxied)
    assert (refused.status, refused["Connection"]) == (403, None)
    # The proxy's own address is nobody's: a ban of it is a ban of no client.
    edge.rule("ban", ip="127.0.0.9")
    enter(edge, fields=[("X-Forwarded-For", "192.0.2.8")], **proxied)
    other.send_close(1000)
    assert knock(edge, source="127.0.0.7", fields=[("X-Forwarded-For", "192.0.2.7")]).status == way.accepted


def test_plain_connections_of_a_banned_address_end(start, closing):
    edge = start()
    idle = closing(FrameStream(edge.connect("plain", source="127.0.0.7")))
    idle.send(request("/plain"))
    assert idle.response().body == b"ok"
    streaming = closing(FrameStream(edge.connect("plain", source="127.0.0.7")))
    streaming.send(request("/stream"))
    streaming.until(b"data: 1")
    silent = closing(FrameStream(edge.connect("plain", source="127.0.0.7")))
    other = closing(FrameStream(edge.connect("plain", source="127.0.0.8")))
    other.send(request("/plain"))
    assert other.response().body == b"ok"
    eventually(lambda: edge.open_connections() == 4)
    assert edge.rule("ban", ip="127.0.0.7")["closed"] == 1
    for stream in (idle, streaming, silent):
        stream.rest()
    other.send(request("/plain"))
    assert other.response().body == b"ok"


def test_beyond_256_refusals_at_a_time_a_banned_client_is_closed_without_a_word(start, enter, closing):
    edge = start(timeouts={"head": "5m"})
    edge.rule("ban", ip="127.0.0.7")
    answers = []
    streams = []
    for _ in range(300):
        try:
            streams.append(closing(FrameStream(edge.connect("plain", source="127.0.0.7"))))
        except ConnectionResetError:
            answers.append(b"")
    eventually(lambda: edge.open_connections() == 256)
    for stream in streams:
        with contextlib.suppress(OSError):
            stream.send(upgrade_request("/open"))
        answers.append(stream.rest())
    assert sum(answer.startswith(b"HTTP/1.1 403 ") for answer in answers) == 256
    assert sum(answer == b"" for answer in answers) == 44
    enter(edge, source="127.0.0.8")


def test_a_ban_holds_in_the_middle_of_a_storm(start, enter_on_both_reactors):
    edge = start()
    is_over = threading.Event()
    banned = threading.Event()

    def storm(source):
        late = []
        while not is_over.is_set():
            was_banned = banned.is_set()
            stream = FrameStream(edge.connect("plain", source=source))
            try:
                stream.send(upgrade_request("/open"))
                status = stream.response().status
            except (OSError, EOFError):
                status = None
            finally:
                stream.close()
            if was_banned:
                late.append(status)
        return late

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        enemies = [pool.submit(storm, "127.0.0.7") for _ in range(4)]
        friends = [pool.submit(storm, "127.0.0.8") for _ in range(4)]
        enter_on_both_reactors(edge, source="127.0.0.8")
        edge.rule("ban", ip="127.0.0.7")
        banned.set()
        eventually(lambda: edge.connections(ip="127.0.0.7") == [])
        eventually(lambda: edge.metric("sluice_handshakes_total", result="banned") > 50)
        is_over.set()
        assert {status for enemy in enemies for status in enemy.result()} <= {403, None}
        assert {status for friend in friends for status in friend.result()} == {101}


# Revocations


@both_ways
def test_revoking_a_user_closes_and_refuses_their_tokens_until_they_log_in_again(
        start, enter, enter_on_both_reactors, knock, way, site):
    edge = start()
    old = site.token("alice")
    streams = enter_on_both_reactors(edge, target="/ws", token=old)
    bystander = enter(edge, "/ws", token=site.token("bob"))
    assert edge.rule("revoke", user="alice")["closed"] == len(streams)
    assert {stream.close_frame() for stream in streams} == {(4401, "token_revoked")}
    # A token that is issued now is taken, but for one of the second of the revocation.
    eventually(lambda: knock(edge, "/ws", token=site.token("alice")).status == way.accepted)
    # The old one stays out although it was verified, and is in the cache of each reactor.
    refusals = [knock(edge, "/ws", token=old) for _ in range(8)]
    assert {(refusal.status, refusal.word) for refusal in refusals} == {(401, "token_invalid")}
    assert "invalid_token" in refusals[0]["WWW-Authenticate"]
    assert eventually(lambda: edge.events("connection.denied", outcome="token_invalid"))[0]["error.type"] == "revoked"
    assert knock(edge, "/ws", token=site.token("alice", iat=None)).status == 401
    bystander.send_close(1000)
    assert old not in edge.child.errors


@both_ways
def test_a_single_token_is_revoked_by_its_jti(start, enter, knock, site):
    edge = start()
    stolen, own = site.token("alice", jti="t-1"), site.token("alice", jti="t-2")
    thief, owner = enter(edge, "/ws", token=stolen), enter(edge, "/ws", token=own)
    answer = edge.rule("revoke", jti="t-1", ttl_seconds=3600)
    assert answer["closed"] == 1 and thief.close_frame() == (4401, "token_revoked")
    assert knock(edge, "/ws", token=stolen).status == 401
    enter(edge, "/ws", token=own)
    owner.send_close(1000)
    edge.lift(answer["rule"])
    enter(edge, "/ws", token=stolen)


@both_ways
def test_tokens_are_revoked_by_when_they_were_issued(start, enter, knock, site):
    edge = start()
    now = int(time.time())
    before, after = site.token("alice", iat=now - 120), site.token("alice", iat=now - 60)
    first, second = enter(edge, "/ws", token=before), enter(edge, "/ws", token=after)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 60))
    assert edge.rule("revoke", status=400, issued_before=moment, auth="main")["field"] == "all"
    assert edge.rule("revoke", issued_before=moment, auth="main", all=True)["closed"] == 1
    assert first.close_frame() == (4401, "token_revoked")
    assert knock(edge, "/ws", token=before).status == 401
    assert knock(edge, "/ws", token=site.token("bob", iat=now - 61)).status == 401
    enter(edge, "/ws", token=after)
    second.send_close(1000)
    future = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3600))
    assert edge.rule("revoke", status=400, user="alice", issued_before=future)["field"] == "issued_before"


# WebSockets that the edge accepts itself, and tokens within them


def with_tokens(site):
    """The configuration's token check, with tokens from the first message too."""
    return {"main": {
        "issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["ES256"], "keys": {"file": str(site.jwks)},
        "token_from": ["header", "first_message"]}}


def token_message(token):
    return json.dumps({"type": "edge.token", "token": token}, separators=(",", ":")).encode()


@both_ways
def test_who_still_owes_a_token_is_closed_by_a_ban_and_a_revoked_token_lets_nobody_in(start, knock, site):
    edge = start(auth=with_tokens(site))
    banned = knock(edge, "/ws", source="127.0.0.7").stream
    user, thief = knock(edge, "/ws").stream, knock(edge, "/ws").stream
    assert edge.rule("ban", ip="127.0.0.7")["closed"] == 1
    edge.rule("ban", user="mallory")
    edge.rule("revoke", jti="t-1")
    assert banned.close_frame() == (4403, "banned")
    user.send_frame(TEXT, token_message(site.token("mallory")))
    assert user.close_frame() == (4403, "banned")
    thief.send_frame(TEXT, token_message(site.token("alice", jti="t-1")))
    assert thief.close_frame() == (4401, "token_invalid")


@both_ways
def test_a_connection_is_not_renewed_with_a_revoked_token(start, enter, site):
    edge = start(auth=with_tokens(site), route={"renew": "message", "notice": "envelope"})
    client = enter(edge, "/ws", token=site.token("alice", jti="t-1"))
    edge.rule("revoke", jti="t-2")
    now = int(time.time())
    client.send_frame(TEXT, token_message(site.token("alice", jti="t-2", exp=now + 7200)))
    assert b"token_invalid" in client.frame().payload
    client.send_frame(TEXT, token_message(site.token("alice", jti="t-3", exp=now + 7200)))
    assert b"edge.token_renewed" in client.frame().payload
    # The renewed token is the connection's own from now on.
    assert edge.rule("revoke", jti="t-1")["closed"] == 0
    assert edge.rule("revoke", jti="t-3")["closed"] == 1
    assert client.close_frame() == (4401, "token_revoked")


@both_ways
def test_a_page_script_can_read_of_a_ban_where_the_route_says_so(start, knock, site):
    edge = start(route={"reject": {"banned": "close", "auth": "close"}})
    edge.rule("ban", ip="127.0.0.7", ttl_seconds=60)
    edge.rule("revoke", jti="t-1")
    code, reason = knock(edge, "/ws", source="127.0.0.7").stream.close_frame()
    assert code == 4403 and reason.startswith("banned;retry_after=")
    assert knock(edge, "/ws", token=site.token("alice", jti="t-1")).stream.close_frame() == (4401, "token_invalid")


# Throttles


@pytest.fixture
def talk(start_edge, raw_worker, way):
    """An edge in front of a worker that is played by hand, and `open`, which gives both ends of a WebSocket through it."""

    class Talk:
        def __init__(self, **sections):
            self.edge = start_edge({"main": [raw_worker.path]}, threads=2, **sections)

        def open(self, source):
            client = way.ask(self.edge, listener="plain", source=source)
            upstream = raw_worker.next()
            accept_upgrade(upstream)
            assert client.response().status == way.accepted
            return client, upstream

        def wait_until_throttled(self, count=1):
            eventually(lambda: self.edge.metric("sluice_throttled_connections") == count)

    return Talk


def say(client, count):
    for number in range(count):
        client.send_frame(TEXT, b"%d" % number)


def hear(upstream, count):
    heard = [upstream.frame().payload for _ in range(count)]
    assert heard == [b"%d" % number for number in range(count)]


@both_ways
def test_a_throttle_slows_who_is_connected_and_who_comes_until_it_is_lifted(talk):
    talk = talk()
    present, friend = talk.open("127.0.0.7"), talk.open("127.0.0.8")
    rule = talk.edge.rule("throttle", cidr="127.0.0.6/31", messages_per_second=1, burst=2)["rule"]
    assert rule["messages"] == {"count": 1, "per_ms": 1000, "burst": 2}
    newcomer = talk.open("127.0.0.7")
    for client, _ in (present, newcomer, friend):
        say(client, 60)
    hear(friend[1], 60)
    talk.wait_until_throttled(2)
    assert talk.edge.metric("sluice_throttle_events_total", scope="rule", action="delay") >= 2
    began = time.monotonic()
    talk.edge.lift(rule)
    hear(present[1], 60)
    hear(newcomer[1], 60)
    assert time.monotonic() - began < 30  # at the throttle's rate it would be a minute
    assert talk.edge.metric("sluice_throttled_connections") == 0


@both_ways
def test_a_throttle_ends_with_its_time(talk):
    talk = talk()
    client, upstream = talk.open("127.0.0.7")
    talk.edge.rule("throttle", ip="127.0.0.7", bytes_per_second=1, ttl_seconds=3)
    say(client, 60)
    eventually(lambda: talk.edge.metric("sluice_throttle_events_total", scope="rule", action="delay") > 0)
    began = time.monotonic()
    hear(upstream, 60)
    assert time.monotonic() - began < 30  # at the throttle's rate it would be ten minutes


@both_ways
def test_the_same_throttle_again_gives_no_second_burst_and_the_strictest_of_two_holds(talk):
    talk = talk()
    client, upstream = talk.open("127.0.0.7")
    day = {"count": 1, "per_ms": 86_400_000, "burst": 3}
    strict = talk.edge.rule("throttle", ip="127.0.0.7", messages=day)["rule"]
    loose = talk.edge.rule("throttle", cidr="127.0.0.0/24", messages=day | {"count": 1000, "burst": 1000})["rule"]
    say(client, 60)
    talk.wait_until_throttled()
    for _ in range(3):
        talk.edge.rule("throttle", status=200, ip="127.0.0.7", messages=day)
    talk.edge.lift(loose)
    assert talk.edge.connections()[0]["messages_in"] == 3
    talk.edge.lift(strict)
    hear(upstream, 60)


def test_throttles_come_from_the_configuration_too_and_survive_a_restart(talk):
    seeded = talk(rules=[{"throttle": {"ip": "127.0.0.7", "messages": "1/1d"}}])
    client, upstream = seeded.open("127.0.0.7")
    say(client, 2)
    seeded.wait_until_throttled()
    hear(upstream, 1)
    seeded.edge.rule("throttle", ip="127.0.0.9", bytes_per_second=1)
    seeded.edge.child.kill()
    again = talk()
    client, _ = again.open("127.0.0.9")
    say(client, 3)
    again.wait_until_throttled()


# What survives


def restarted(edge, start, **sections):
    """Kills the edge where it stands, and starts it again over the same state."""
    edge.child.signal(signal.SIGKILL)
    edge.child.wait()
    return start(**sections)


def test_rules_survive_a_kill_and_an_unban_does_too(start, enter, knock, site, directory):
    edge = start()
    ban = edge.rule("ban", ip="127.0.0.7", reason="spam \"and\" worse")["rule"]
    edge.rule("ban", user="mallory", ttl_seconds=3600)
    token = site.token("alice")
    edge.rule("revoke", user="alice")
    assert (os.stat(directory / "rules.json").st_mode & 0o777) == 0o600
    before = edge.rules()
    edge = restarted(edge, start)
    assert edge.rules() == before
    assert edge.events("rules.loaded")[0]["rules"] == 3
    assert knock(edge, source="127.0.0.7").status == 403
    assert knock(edge, "/ws", token=site.token("mallory")).status == 403
    assert knock(edge, "/ws", token=token).status == 401
    assert edge.lift(ban) == {"id": ban["id"], "persisted": True}
    enter(edge, source="127.0.0.7")
    edge = restarted(edge, start)
    enter(edge, source="127.0.0.7")
    # Numbers are not given twice.
    assert edge.rule("ban", ip="127.0.0.7")["rule"]["id"] == "r4"


def test_what_expired_meanwhile_is_left_out(start, enter, directory):
    edge = start()
    edge.rule("ban", ip="127.0.0.7", ttl_seconds=1)
    edge.child.kill()
    end = json.loads((directory / "rules.json").read_text())["rules"][0]["expires"]
    eventually(lambda: datetime.datetime.now(datetime.UTC) > datetime.datetime.fromisoformat(end))
    edge = start()
    enter(edge, source="127.0.0.7")
    assert edge.events("rules.loaded")[0]["rules.expired"] == 1


@pytest.mark.parametrize("content", [
    "", "{", "[]", '{"version":2,"next":1,"rules":[]}', '{"version":1,"next":1,"rules":[{"id":"r1"}]}',
    '{"version":1,"next":1,"rules":[],"more":1}', '{"version":1,"next":1,"rules":[{"id":"r1","action":"ban","user":"a",'
    '"created":"2026-01-01T00:00:00Z","by":"x","surprise":1}]}'])
def test_a_corrupt_state_file_keeps_the_edge_from_starting_and_is_left_alone(directory, closing, document, content):
    (directory / "rules.json").write_text(content)
    (directory / "sluice.yaml").write_text(json.dumps(document()))
    child = closing(Child([SLUICE, "run", "-c", directory / "sluice.yaml"], directory, "sluice"))
    assert child.wait() == 78
    assert f"{directory}/rules.json" in child.errors and "move it away" in child.errors
    assert (directory / "rules.json").read_text() == content


def test_without_a_writable_state_directory_rules_hold_and_the_answer_says_that_they_are_not_kept(start, knock, directory):
    (directory / "file").touch()
    edge = start(state_dir=str(directory / "file" / "state"))
    assert len(edge.events("state.unwritable")) == 1
    answer = edge.rule("ban", ip="127.0.0.7")
    assert answer["persisted"] is False
    assert knock(edge, source="127.0.0.7").status == 403
    assert edge.lift(answer["rule"])["persisted"] is False


def test_a_state_directory_is_made_and_a_start_alone_writes_nothing_in_it(start, directory):
    edge = start(state_dir=str(directory / "state"), rules=[{"ban": {"ip": "127.0.0.7"}}])
    assert (os.stat(directory / "state").st_mode & 0o777) == 0o700
    assert os.listdir(directory / "state") == []
    edge.rule("ban", ip="127.0.0.8")
    assert os.listdir(directory / "state") == ["rules.json"]


def test_a_disk_that_fails_later_is_told(start, directory, knock):
    edge = start(state_dir=str(directory / "state"))
    assert edge.rule("ban", ip="127.0.0.7")["persisted"] is True
    (directory / "state" / "rules.json").unlink()
    (directory / "state" / "rules.json").mkdir()
    assert edge.rule("ban", ip="127.0.0.8")["persisted"] is False
    assert edge.rule("ban", ip="127.0.0.9")["persisted"] is False
    assert knock(edge, source="127.0.0.8").status == 403
    eventually(lambda: len(edge.events("rule.added")) == 3)
    assert len(edge.events("state.unwritable")) == 1
    (directory / "state" / "rules.json").rmdir()
    assert edge.rule("ban", ip="127.0.0.10")["persisted"] is True
    assert len(json.loads((directory / "state" / "rules.json").read_text())["rules"]) == 4


# Seeds


def test_the_configuration_seeds_rules_and_says_them_again_at_every_start(start, enter, knock, site, directory):
    seeds = [
        {"ban": {"cidr": "127.0.0.6/31"}}, {"ban": {"ip": "127.0.0.20"}, "ttl": "1s"}, {"ban": {"user": "mallory"}},
        {"ban": {"user": "mallory"}}, {"revoke": {"jti": "t-1", "auth": "main"}}]
    edge = start(rules=seeds)
    assert [rule["by"] for rule in edge.rules()][:3] == ["configuration"] * 3
    for response in (
            knock(edge, source="127.0.0.7"), knock(edge, "/ws", token=site.token("mallory")),
            knock(edge, "/ws", token=site.token("alice", jti="t-1"))):
        assert response.word in ("banned", "token_invalid")
    eventually(lambda: knock(edge, source="127.0.0.20").status == 101)
    assert len(edge.rules()) == 3
    ban = edge.rules(ip="127.0.0.7")[0]
    assert ban["id"].startswith("seed-")
    assert edge.lift(ban)["persisted"] is False
    enter(edge, source="127.0.0.7")
    edge = restarted(edge, start, rules=seeds)
    assert edge.rules(ip="127.0.0.7")[0]["id"] == ban["id"]
    assert knock(edge, source="127.0.0.7").status == 403
    edge = restarted(edge, start)
    assert edge.rules() == []


# The API


def test_the_same_ban_again_is_the_same_rule_with_the_later_end(start):
    edge = start()
    first = edge.rule("ban", user="mallory", ttl_seconds=60)["rule"]
    again = edge.rule("ban", status=200, user="mallory", ttl_seconds=3600)["rule"]
    assert again["id"] == first["id"] and again["expires"] > first["expires"]
    assert edge.rule("ban", status=200, user="mallory", ttl_seconds=1)["rule"]["expires"] == again["expires"]
    assert len(edge.rules()) == 1


def test_pages_of_rules_go_on_where_they_were_while_rules_come_and_go(start):
    edge = start()
    made = [edge.rule("ban", ip=f"127.0.1.{number}")["rule"] for number in range(6)]
    status, body = edge.admin("GET", "/api/v1/rules?limit=2&action=ban&ip=127.0.1.0/24")
    page = json.loads(body)
    assert (page["total"], page["matched"], [rule["id"] for rule in page["rules"]]) == (6, 6, ["r1", "r2"])
    edge.lift(made[1])
    edge.lift(made[2])
    rest = edge.rules(cursor=page["next_cursor"])
    assert [rule["id"] for rule in rest] == ["r4", "r5", "r6"]
    assert [rule["id"] for rule in edge.rules(ip="127.0.1.3")] == ["r4"]
    assert edge.rules(user="mallory") == [] and edge.rules(action="revoke") == []


def test_changes_leave_a_line_each_in_the_log_and_the_audit(start):
    edge = start()
    rule = edge.rule("ban", user="mallory")["rule"]
    edge.lift(rule)
    for event in ("rule.added", "rule.removed"):
        line = eventually(lambda event=event: edge.events(event))[0]
        assert (line["rule.id"], line["rule.action"], line["rule.subject"], line["user.id"]) == ("r1", "ban", "user", "mallory")
    audits = eventually(lambda: len(edge.events("admin.write")) == 2 and edge.events("admin.write"))
    assert [(line["audit.action"], line["audit.target"]) for line in audits] == [("rule.add", "r1"), ("rule.remove", "r1")]


def test_a_hundred_thousand_rules_are_read_at_the_start_and_one_more_is_refused(start, enter, knock, directory):
    lines = [
        json.dumps({"id": f"r{number}", "action": "ban", "cidr": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32",
                    "created": "2026-01-01T00:00:00.000Z", "by": "bulk"}) for number in range(1, 100_000)]
    lines.append(json.dumps({
        "id": "r100000", "action": "ban", "cidr": "127.0.0.6/31", "created": "2026-01-01T00:00:00.000Z", "by": "bulk"}))
    (directory / "rules.json").write_text('{"version":1,"next":100001,"rules":[' + ",\n".join(lines) + "]}")
    edge = start()
    assert knock(edge, source="127.0.0.7").status == 403
    enter(edge, source="127.0.0.8")
    assert json.loads(edge.admin("GET", "/api/v1/rules?limit=1")[1])["total"] == 100_000
    assert edge.rule("ban", status=409, ip="127.0.0.9")["error"] == "rules_full"
    edge.lift({"id": "r1"})
    edge.rule("ban", ip="127.0.0.9")
    # Whoever asks waits five seconds for the disk, and a slow machine writes so many for longer.
    eventually(lambda: b'"127.0.0.9' in (directory / "rules.json").read_bytes(), 30)
