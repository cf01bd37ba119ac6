"""Who may use the admin plane, from where, and what those do to others who only hold on to it."""

import hashlib
import http.client
import json
import os
import pwd
import socket
import time

import pytest

from edge import open_route
from frames import TEXT, FrameStream, upgrade_request
from rawhttp import ByteStream, request
from waiting import eventually, patient, slow

TOKENS = {role: f"the-{role}-token-{'0123456789abcdef' * 2}" for role in ("viewer", "operator", "admin")}


@pytest.fixture
def guarded(directory, echo_worker, start_edge):
    """An edge whose admin plane listens on a Unix socket and on TCP, with a token for each role."""

    def start(**settings):
        lines = [f"{role}:{role}-name:{hashlib.sha256(token.encode()).hexdigest()}\n" for role, token in TOKENS.items()]
        (directory / "tokens").write_text("".join(lines))
        return start_edge({"main": [echo_worker.path]}, [open_route()], admin={
            "listen": [f"unix:{directory}/admin.sock", "127.0.0.1:0"], "tokens_file": str(directory / "tokens"),
            "audit_log": str(directory / "audit.jsonl")} | settings)

    return start


def port(edge, place=0):
    """The port of a TCP address of the admin plane, in the order in which they are configured."""
    ready = [address for address in edge.admin_addresses if not address.startswith("unix:")]
    return int(ready[place].rpartition(":")[2])


def call(at, method, target, token=None, host=None, body=None, address="127.0.0.1", **fields):
    """One request over TCP: status and body."""
    connection = http.client.HTTPConnection(address, at, timeout=patient(10))
    try:
        headers = {"Host": host or f"localhost:{at}"} | {name.replace("_", "-"): value for name, value in fields.items()}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def dial(at, source="127.0.0.1"):
    client = socket.create_connection(("127.0.0.1", at), timeout=patient(20), source_address=(source, 0))
    return ByteStream(client)


def has_ended(stream):
    """Says one byte more; whether that was too much."""
    try:
        stream.send(b"x")
        stream.sock.settimeout(0.1)
        return stream.is_ended()
    except TimeoutError:
        return False
    except OSError:
        return True


def audit(directory):
    return [json.loads(line) for line in (directory / "audit.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(("method", "target", "body", "needs"), [
    ("GET", "/api/v1/status", None, "viewer"), ("GET", "/api/v1/keys", None, "viewer"), ("GET", "/api/v1/certs", None, "viewer"),
    ("PUT", "/api/v1/log-level", '{"level":"info"}', "operator"), ("POST", "/api/v1/undrain", "", "operator"),
    ("POST", "/api/v1/rules", '{"action":"ban","ip":"192.0.2.7","ttl_seconds":9}', "operator"),
    ("POST", "/api/v1/rules", '{"action":"ban","cidr":"0.0.0.0/0","all":true,"ttl_seconds":1}', "admin"),
])
def test_a_token_opens_what_its_role_may_do_and_every_attempt_at_a_change_is_on_record(
        guarded, directory, method, target, body, needs):
    edge = guarded()
    roles = ["viewer", "operator", "admin"]
    statuses = [call(port(edge), method, target, TOKENS[role], body=body)[0] for role in roles]
    assert [status < 300 for status in statuses] == [roles.index(role) >= roles.index(needs) for role in roles], statuses
    assert set(statuses) <= {200, 201, 403}
    assert call(port(edge), method, target, body=body)[0] == 401
    assert edge.admin("GET", "/api/v1/status")[0] == 200, "the edge's own user is admin on the Unix socket"
    if method != "GET":
        lines = eventually(lambda: len(audit(directory)) == 4 and audit(directory))
        assert [line["http.response.status_code"] for line in lines] == [*statuses, 401]
        assert lines[2]["audit.actor"] == "admin-name (admin)"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("has_tokens", [True, False], ids=["with tokens", "without tokens"])
def test_on_the_unix_socket_another_user_is_nobody_until_they_show_a_token(guarded, directory, has_tokens):
    edge = guarded() if has_tokens else guarded(tokens_file=None)
    # The files' modes would keep them out before anybody asked who they are.
    directory.chmod(0o755)
    (directory / "admin.sock").chmod(0o666)
    assert ask_as("root", directory, "/api/v1/status") == (200, None)
    assert ask_as("nobody", directory, "/livez") == (200, None)
    assert ask_as("nobody", directory, "/metrics") == (200, None)
    for token in (None, "wrong", *TOKENS.values()):
        for target in ("/api/v1/status", "/api/v1/connections", "/api/v1/whoami"):
            told = ask_as("nobody", directory, target, token)
            if not has_tokens:
                assert told == (403, "access_denied"), (token, target)
            elif token in TOKENS.values():
                assert told == (200, None), (token, target)
            else:
                assert told == (401, "token_invalid" if token else "token_missing"), (token, target)
    viewer = TOKENS["viewer"]
    refused = (403, "role_too_low") if has_tokens else (403, "access_denied")
    assert ask_as("nobody", directory, "/api/v1/undrain", viewer, method="POST") == refused
    assert edge.admin("POST", "/api/v1/undrain", {})[0] == 200
    lines = eventually(lambda: len(audit(directory)) == 2 and audit(directory))
    assert [line["http.response.status_code"] for line in lines] == [403, 200]
    assert lines[1]["audit.actor"] == "uid:0 (admin)"


def ask_as(user, directory, target, token=None, method="GET"):
    """Asks over the Unix socket in a process that is another user's: the status, and the word of a problem."""
    receiving, giving = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            who = pwd.getpwnam(user)
            os.setgroups([])
            os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
            os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(slow(10))
            client.connect(str(directory / "admin.sock"))
            lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", "Content-Type: application/json",
                     *([f"Authorization: Bearer {token}"] if token else []), *(["Content-Length: 0"] if method != "GET" else [])]
            client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            while received := client.recv(65_536):
                os.write(giving, received)
        finally:
            os._exit(0)
    os.close(giving)
    with open(receiving, "rb") as pipe:
        head, _, body = pipe.read().partition(b"\r\n\r\n")
    os.waitpid(child, 0)
    assert head, f"{user} got no answer"
    status = int(head.split()[1])
    return status, json.loads(body)["error"] if status >= 400 else None


def test_a_page_can_forge_nothing(guarded):
    edge = guarded()
    at = port(edge)
    token = TOKENS["admin"]
    assert call(at, "GET", "/api/v1/status", token, host="evil.example")[0] == 403
    assert call(at, "GET", "/metrics", host=f"evil.example:{at}")[0] == 403
    assert call(at, "POST", "/api/v1/undrain", token, body="", Origin="http://evil.example")[0] == 403
    assert call(at, "POST", "/api/v1/undrain", token, body="", Origin="http://localhost:1")[0] == 403
    assert call(at, "POST", "/api/v1/undrain", token, body="", Origin=f"http://localhost:{at}")[0] == 200
    assert call(at, "POST", "/api/v1/undrain", token, body="", Content_Type="text/plain")[0] == 415
    assert call(at, "GET", "/api/v1/status", token, host=f"[::1]:{at}")[0] == 200
    assert call(at, "HEAD", "/api/v1/status", token) == (200, "")


def test_metrics_have_a_listener_of_their_own_that_may_be_public(guarded):
    edge = guarded(metrics_listen="0.0.0.0:0")
    at = port(edge, 1)
    for target in ("/metrics", "/livez", "/readyz"):
        status, body = call(at, "GET", target, host="edge-7.monitoring.example")
        assert status == 200 and body
        assert call(at, "HEAD", target, host="10.1.2.3:1234") == (200, "")
        assert call(at, "POST", target, body="")[0] == 405
    for target in ("/api/v1/status", "/api/v1/openapi.json", "/", "/api/v1/connections"):
        assert call(at, "GET", target, TOKENS["admin"])[0] == 404
    assert call(at, "POST", "/api/v1/drain", TOKENS["admin"], body="{}")[0] == 404
    assert edge.admin("GET", "/readyz")[0] == 200


def test_a_public_address_is_served_where_the_configuration_means_it_under_any_address_and_no_name(guarded, directory):
    edge = guarded(listen=[f"unix:{directory}/admin.sock", "0.0.0.0:0"], allow_public=True)
    at = port(edge)
    for host in ("10.1.2.3:9901", "127.0.0.1", "[2001:db8::1]:9901"):
        assert call(at, "GET", "/api/v1/status", TOKENS["viewer"], host=host)[0] == 200
    for host in ("evil.example", "10.1.2.3.evil.example"):
        assert call(at, "GET", "/api/v1/status", TOKENS["viewer"], host=host)[0] == 403


def test_who_only_holds_on_to_the_admin_plane_harms_nobody_and_is_let_go_of(guarded, closing):
    edge = guarded(metrics_listen="127.0.0.1:0")
    at = port(edge)
    chat = closing(FrameStream(edge.connect("plain")))
    chat.send(upgrade_request("/ws"))
    assert chat.response().status == 101
    # 32 clients of each of two addresses are all that a listener carries: some silent, some within a head, some within a body.
    beginnings = [
        b"", b"GET /livez HT", b"POST /api/v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: "]
    holding = []
    for number in range(64):
        stream = closing(dial(at, f"127.0.0.{1 + number % 2}"))
        stream.send(beginnings[number % 4])
        holding.append(stream)
    began = time.monotonic()
    assert edge.admin("GET", "/api/v1/status")[0] == 200
    assert call(port(edge, 1), "GET", "/metrics")[0] == 200
    chat.send_frame(TEXT, b"still here")
    assert chat.frame().payload == b"still here"
    assert time.monotonic() - began < slow(8), "the ten seconds that they may be idle were waited for"
    # One of them goes on to say a byte now and then: silence alone would never end it.
    drip = holding[3]

    def is_served():
        has_ended(drip)
        waiting = dial(at)
        waiting.sock.settimeout(slow(2))
        try:
            waiting.send(request("/livez", host="localhost"))
            return waiting.response().status == 200
        except (OSError, EOFError):
            return False
        finally:
            waiting.close()

    eventually(is_served, 20, "a place being free again")
    eventually(lambda: has_ended(drip), 25, "the end of who drips")
    assert edge.child.exit_code is None


def test_ten_megabytes_are_refused_before_they_are_read(guarded):
    edge = guarded()
    stream = dial(port(edge))
    head = (
        f"POST /api/v1/drain HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKENS['admin']}\r\n"
        "Content-Type: application/json\r\nContent-Length: 10000000\r\n\r\n")
    stream.send(head.encode() + b"{")
    assert stream.response().status == 413
    try:
        for _ in range(100):
            stream.send(b" " * 100_000)
    except OSError:
        pass
    stream.close()
    assert json.loads(edge.admin("GET", "/api/v1/status")[1])["ready"] is True
    assert call(port(edge), "GET", "/livez")[0] == 200


def test_guessing_is_slow_and_no_token_is_ever_written_down(guarded, directory):
    edge = guarded()
    at = port(edge)
    guess = "a-wrong-token-that-might-be-right-elsewhere"
    for role, token in TOKENS.items():
        assert call(at, "GET", "/api/v1/status", token)[0] == 200
        assert call(at, "GET", f"/api/v1/status?token={token}", token)[0] == 400
        assert call(at, "POST", "/api/v1/undrain", token, body=json.dumps({"token": token}))[0] in (400, 403)
    statuses = [call(at, "POST", "/api/v1/undrain", guess, body="")[0] for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert call(at, "GET", "/api/v1/status", TOKENS["admin"])[0] == 429, "not even the right one is heard now"
    assert edge.admin("GET", "/api/v1/status")[0] == 200
    eventually(lambda: len(audit(directory)) == 15)
    written = edge.child.errors + (directory / "audit.jsonl").read_text() + edge.admin("GET", "/metrics")[1]
    for secret in [guess, *TOKENS.values()]:
        assert secret not in written
        assert hashlib.sha256(secret.encode()).hexdigest() not in written
