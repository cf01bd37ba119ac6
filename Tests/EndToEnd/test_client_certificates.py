"""Certificates of clients: who may come, what the worker is told, and that nobody can say it himself."""

import json
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from authorities import Authority
from edge import open_route
from frames import TEXT, FrameStream, upgrade_request
from rawhttp import ByteStream, request
from streams import Multiplexed
from waiting import eventually, patient
from workers import accept_upgrade

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
SUBJECT = "CN=device%207,O=Example"
SPOOFS = [
    ("X-Client-Cert-Subject", "CN=admin"), ("x-client-cert-subject", "CN=admin"), ("X_Client_Cert_Subject", "CN=admin"),
    ("X-Client_Cert-Subject", "CN=admin"), ("X-Client-Cert-Fingerprint", "00" * 32), ("X_Client_Cert_Verify", "SUCCESS"),
    ("X-Client-Cert-Verify", "SUCCESS"), ("X-Client-Cert", "-----BEGIN CERTIFICATE-----")]


@pytest.fixture
def ours(directory):
    return Authority(directory, "ours")


@pytest.fixture
def theirs(directory):
    return Authority(directory, "theirs")


@pytest.fixture
def listeners(site, ours, directory):
    """Two listeners that ask for certificates, and two that do not; `ca.pem` may be replaced."""
    authorities = directory / "ca.pem"
    authorities.write_bytes(ours.path.read_bytes())
    tls = {"certificates": [{"chain": str(site.chain), "key": str(site.key)}]}
    asking = {name: tls | {"client_ca": str(authorities), "client_certificates": name} for name in ("required", "optional")}
    return [{"name": name, "address": "127.0.0.1:0", "tls": asking.get(name, tls)} for name in ("required", "optional", "secure")] + [
        {"name": "plain", "address": "127.0.0.1:0"}]


@pytest.fixture
def edge(start_edge, responding_worker, listeners):
    return start_edge({"main": [responding_worker.path]}, listeners=listeners)


@pytest.fixture
def connect(site, closing):
    """Connects to a listener, and shows `identity`."""

    def connect(edge, listener, identity=None, session=None, version=None, protocols=None, context=None):
        context = context or client_context(site, identity)
        if version:
            context.minimum_version = context.maximum_version = version
        if protocols:
            context.set_alpn_protocols(protocols)
        raw = socket.create_connection(("127.0.0.1", edge.ports[listener]), patient(10))
        return closing(context.wrap_socket(raw, server_hostname="localhost", session=session))

    return connect


def client_context(site, identity=None):
    context = site.client_context()
    if identity:
        context.load_cert_chain(identity.path)
    return context


def exchange(sock, target="/", fields=()):
    stream = ByteStream(sock)
    stream.send(request(target, fields=fields))
    return stream.response()


def is_refused(connect, *arguments, **more):
    """Whether a handshake ends without an answer; in TLS 1.3 a client hears of it when it reads."""
    try:
        exchange(connect(*arguments, **more))
    except (ssl.SSLError, ConnectionError, EOFError):
        return True
    return False


def told(worker):
    """What the worker was told of the last client's certificate: every field that could be meant."""
    _, fields = worker.requests[-1]
    return {name.lower(): value for name, value in fields if "cert" in name.lower()}


def shown(identity, subject=SUBJECT):
    return {
        "x-client-cert-verify": "SUCCESS", "x-client-cert-fingerprint": identity.fingerprint, "x-client-cert-subject": subject}


# Who may come


@pytest.mark.parametrize("version", VERSIONS)
def test_who_shows_a_certificate_comes_in_and_the_worker_is_told(edge, connect, ours, responding_worker, version):
    identity = ours.issue()
    for listener in ("required", "optional"):
        assert exchange(connect(edge, listener, identity, version=version)).status == 200
        assert told(responding_worker) == shown(identity)
    exchange(connect(edge, "secure", identity, version=version))
    assert told(responding_worker) == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_without_one_a_client_comes_where_none_is_required(edge, connect, responding_worker, version):
    assert exchange(connect(edge, "optional", version=version)).status == 200
    assert told(responding_worker) == {"x-client-cert-verify": "NONE"}
    assert is_refused(connect, edge, "required", version=version)
    assert edge.metric("sluice_tls_handshakes_total", result="failed") == 1
    (line,) = eventually(lambda: edge.events("tls.refused"))
    assert line["error.type"] == "certificate_missing" and line["listener"] == "required"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("listener", ["required", "optional"])
@pytest.mark.parametrize("kind, word", [
    ("theirs", "unknown_authority"), ("expired", "expired"), ("server", "purpose")])
def test_one_that_does_not_verify_ends_the_handshake(
        edge, connect, ours, theirs, responding_worker, version, listener, kind, word):
    identity = {
        "theirs": theirs.issue, "expired": lambda: ours.issue(days=-1),
        "server": lambda: ours.issue(usage=ExtendedKeyUsageOID.SERVER_AUTH)}[kind]()
    assert is_refused(connect, edge, listener, identity, version=version)
    (line,) = eventually(lambda: edge.events("tls.refused"))
    assert line["error.type"] == f"certificate_{word}"
    assert edge.metric("sluice_tls_handshakes_total", result="failed") == 1
    assert responding_worker.requests == []


def test_an_intermediate_authority_may_sign_if_it_is_shown(edge, connect, ours, directory, responding_worker):
    identity = Authority(directory, "team", parent=ours).issue()
    assert exchange(connect(edge, "required", identity)).status == 200
    assert told(responding_worker) == shown(identity)


def test_refusals_of_one_address_are_logged_once_a_second(edge, connect, theirs):
    identity = theirs.issue()
    began = time.monotonic()
    for _ in range(20):
        assert is_refused(connect, edge, "required", identity)
    seconds = time.monotonic() - began
    assert edge.metric("sluice_tls_handshakes_total", result="failed") == 20
    assert 1 <= len(eventually(lambda: edge.events("tls.refused"))) <= 1 + seconds


# What the worker is told


@pytest.mark.parametrize("listener", ["required", "optional", "secure", "plain"])
@pytest.mark.parametrize("spoof", SPOOFS, ids=lambda field: field[0])
def test_what_a_client_says_of_its_certificate_is_dropped(edge, connect, ours, responding_worker, listener, spoof):
    if listener == "plain":
        sock = edge.connect("plain")
    else:
        identity = ours.issue() if listener == "required" else None
        sock = connect(edge, listener, identity)
    assert exchange(sock, fields=[spoof, ("Connection", "X-Client-Cert-Verify, X-Client-Cert-Subject")]).status == 200
    assert told(responding_worker) == {
        "required": lambda: shown(identity), "optional": lambda: {"x-client-cert-verify": "NONE"}}.get(listener, dict)()


def test_a_subject_is_one_word_whatever_it_says(edge, connect, ours, responding_worker):
    identity = ours.issue((NameOID.COMMON_NAME, 'Zoë 100%, "x"\r\nX-User: admin'))
    assert exchange(connect(edge, "required", identity)).status == 200
    assert told(responding_worker)["x-client-cert-subject"] == (
        r"CN=Zo\C3\AB%20100%25\,%20\"x\"\0D\0AX-User:%20admin")


def test_a_subject_that_is_too_long_is_refused(edge, connect, ours, responding_worker):
    units = [(NameOID.ORGANIZATIONAL_UNIT_NAME, "u" * 60)] * 16
    fits = ours.issue(*units[:15])
    assert exchange(connect(edge, "required", fits)).status == 200
    assert len(told(responding_worker)["x-client-cert-subject"]) == 15 * 64 - 1
    response = exchange(connect(edge, "required", ours.issue(*units, (NameOID.COMMON_NAME, "x"))))
    assert response.status == 431 and response.word == "certificate_subject_too_long"
    assert len(responding_worker.requests) == 1


def test_a_websocket_brings_it_too(start_edge, raw_worker, listeners, connect, ours, closing):
    edge = start_edge({"main": [raw_worker.path]}, listeners=listeners)
    identity = ours.issue()
    client = closing(FrameStream(connect(edge, "required", identity)))
    client.send(upgrade_request(fields=SPOOFS))
    upstream = raw_worker.next()
    fields = {name.lower(): value for name, value in accept_upgrade(upstream) if "cert" in name.lower()}
    assert client.response().status == 101
    assert fields == shown(identity)
    client.send_frame(TEXT, b"hello")
    assert upstream.frame().payload == b"hello"


def test_it_stands_beside_what_a_token_says(start_edge, responding_worker, listeners, site, connect, ours):
    edge = start_edge(
        {"main": [responding_worker.path]},
        [open_route(auth="main", headers={"set": {"X-Sluice-User": "{claim.sub}"}})], listeners=listeners)
    identity = ours.issue()
    assert exchange(connect(edge, "required", identity)).status == 401
    response = exchange(connect(edge, "required", identity), fields=[("Authorization", f"Bearer {site.token('alice')}")])
    assert response.status == 200
    assert told(responding_worker) == shown(identity)
    assert dict(responding_worker.requests[-1][1])["X-Sluice-User"] == "alice"


def test_streams_of_http_2_bring_their_connections(edge, connect, ours, responding_worker):
    identity = ours.issue()
    connection = Multiplexed(connect(edge, "required", identity, protocols=["h2"]))
    for spoof in SPOOFS:
        assert connection.request(fields=[(spoof[0].lower(), spoof[1])]).response().status == 200
        assert told(responding_worker) == shown(identity)


def test_curl_shows_one(edge, ours, site, responding_worker):
    identity = ours.issue()
    for option in ("--http1.1", "--http2"):
        command = ["curl", "-sS", "--max-time", str(patient(20)), option, "--cacert", site.chain, "--cert", identity.path,
                   f"https://localhost:{edge.ports['required']}/"]
        subprocess.run(command, check=True, capture_output=True)
        assert told(responding_worker) == shown(identity)


# Sessions


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_session_keeps_its_certificate(edge, connect, site, ours, responding_worker, version):
    identity = ours.issue()
    context = client_context(site, identity)
    session = None
    for round in range(3):
        sock = connect(edge, "required", context=context, session=session, version=version)
        assert exchange(sock).status == 200
        assert sock.session_reused == (round > 0)
        assert told(responding_worker) == shown(identity)
        session = sock.session


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("listener", ["optional", "secure"])
def test_a_session_of_another_listener_is_not_resumed(edge, connect, site, version, listener):
    context = client_context(site)
    sock = connect(edge, listener, context=context, version=version)
    assert exchange(sock).status == 200
    assert is_refused(connect, edge, "required", context=context, session=sock.session, version=version)


# Reload


def reload(edge, event="reload.applied"):
    """Asks by signal; gives what the log says."""
    done = len(edge.events(event))
    edge.child.signal(signal.SIGHUP)
    return eventually(lambda: edge.events(event)[done:])


def replace(path, content):
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, path)


@pytest.mark.parametrize("version", VERSIONS)
def test_after_a_reload_the_old_authority_is_worth_nothing(
        edge, connect, site, ours, theirs, directory, responding_worker, version):
    context = client_context(site, ours.issue())
    stays = connect(edge, "required", context=context, version=version)
    assert exchange(stays).status == 200
    session = stays.session
    replace(directory / "ca.pem", theirs.path.read_bytes())
    reload(edge)
    assert is_refused(connect, edge, "required", context=context, session=session, version=version)
    assert is_refused(connect, edge, "required", context=context, version=version)
    identity = theirs.issue()
    assert exchange(connect(edge, "required", identity, version=version)).status == 200
    assert told(responding_worker) == shown(identity)
    # Who is connected is not disconnected.
    assert exchange(stays).status == 200


def test_a_reload_of_something_else_keeps_sessions(edge, connect, site, ours):
    context = client_context(site, ours.issue())
    sock = connect(edge, "required", context=context)
    assert exchange(sock).status == 200
    document = json.loads(edge.path.read_text())
    replace(edge.path, json.dumps(document | {"timeouts": {"close": "4s"}}).encode())
    reload(edge)
    again = connect(edge, "required", context=context, session=sock.session)
    assert exchange(again).status == 200 and again.session_reused


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_authorities_that_cannot_be_read_change_nothing(edge, connect, ours, directory, content):
    replace(directory / "ca.pem", content)
    (line,) = reload(edge, "reload.failed")
    assert "ca.pem" in json.dumps(line)
    assert exchange(connect(edge, "required", ours.issue())).status == 200
