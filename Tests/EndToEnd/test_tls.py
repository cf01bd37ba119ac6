"""TLS as clients meet it: versions, certificates by name, resumption, and peers that never finish a handshake."""

import socket
import ssl
import time

import pytest

from frames import TEXT, upgrade_request
from rawhttp import ByteStream, request
from tokens import Site
from waiting import eventually, patient, slow
from workers import accept_upgrade


@pytest.fixture
def edge(start_edge, responding_worker):
    return start_edge({"main": [responding_worker.path]})


@pytest.fixture
def impatient(start_edge, responding_worker):
    """An edge that waits two seconds for a handshake."""
    return start_edge({"main": [responding_worker.path]}, timeouts={"handshake": "2s"})


def handshake(edge, context, name="localhost", session=None):
    raw = socket.create_connection(("127.0.0.1", edge.ports["secure"]), patient(10))
    return context.wrap_socket(raw, server_hostname=name, session=session)


def exchange(sock):
    stream = ByteStream(sock)
    stream.send(request())
    return stream.response().status


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken(edge, site, version):
    context = site.client_context()
    context.minimum_version = context.maximum_version = version
    with handshake(edge, context) as sock:
        assert exchange(sock) == 200
        label = {"TLSv1.2": "1.2", "TLSv1.3": "1.3"}[sock.version()]
    assert edge.metric("sluice_tls_handshakes_total", result="ok", version=label) == 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_versions_are_refused(edge, site):
    context = site.client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(edge, context)
    eventually(lambda: edge.metric("sluice_tls_handshakes_total", result="failed") == 1)


@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "PSK-AES128-GCM-SHA256"])
def test_ciphers_beyond_mozillas_intermediate_are_refused(edge, site, cipher):
    context = site.client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(edge, context)


@pytest.mark.parametrize("offered, agreed", [
    (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["x", "h2"], "h2")])
def test_the_best_common_version_is_agreed_by_alpn(edge, site, offered, agreed):
    context = site.client_context()
    context.set_alpn_protocols(offered)
    with handshake(edge, context) as sock:
        assert sock.selected_alpn_protocol() == agreed


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_on_whichever_reactor_comes_next(edge, site, version):
    context = site.client_context()
    context.minimum_version = context.maximum_version = version
    with handshake(edge, context) as sock:
        assert exchange(sock) == 200
        session = sock.session
    for _ in range(8):
        with handshake(edge, context, session=session) as sock:
            assert exchange(sock) == 200
            assert sock.session_reused
            session = sock.session


def test_the_certificate_is_chosen_by_name(directory, site, start_edge, responding_worker):
    folder = directory / "other"
    folder.mkdir()
    other = Site(folder, names=["chat.example.test", "*.example.org"])
    certificates = [{"chain": str(one.chain), "key": str(one.key)} for one in (site, other)]
    edge = start_edge(
        {"main": [responding_worker.path]}, listeners=[
            {"name": "secure", "address": "127.0.0.1:0", "tls": {"certificates": certificates}},
            {"name": "plain", "address": "127.0.0.1:0"}])
    for name, one in [
            ("localhost", site), ("chat.example.test", other), ("CHAT.example.test", other), ("a.example.org", other)]:
        with handshake(edge, one.client_context(), name) as sock:
            assert exchange(sock) == 200
    # Nobody's name gets the first certificate.
    with pytest.raises(ssl.SSLCertVerificationError, match="ostname"):
        handshake(edge, site.client_context(), "a.b.example.org")


def test_a_handshake_that_never_comes_is_ended_at_the_deadline(impatient):
    began = time.monotonic()
    stream = ByteStream(socket.create_connection(("127.0.0.1", impatient.ports["secure"]), patient(10)))
    assert stream.rest() == b""
    assert 1.8 < time.monotonic() - began < slow(9), "ten seconds are what it waits elsewhere"
    assert impatient.metric("sluice_tls_handshakes_total", result="timeout") == 1


def test_a_handshake_that_dribbles_is_ended_at_the_deadline(impatient):
    began = time.monotonic()
    sock = socket.create_connection(("127.0.0.1", impatient.ports["secure"]), patient(10))
    with pytest.raises(OSError):
        for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(400):
            sock.send(bytes([byte]))
            time.sleep(0.02)
    assert time.monotonic() - began < slow(7), "the bytes would go on for eight seconds"


@pytest.mark.parametrize("data", [request(), b"\0" * 1000, b"SSH-2.0-OpenSSH_9.2\r\n", b"\x80\x2e\x01\x00\x02"], ids=repr)
def test_what_is_no_tls_is_ended_without_harm(impatient, site, data):
    stream = ByteStream(socket.create_connection(("127.0.0.1", impatient.ports["secure"]), patient(10)))
    stream.send(data)
    assert len(stream.rest()) < 100
    with handshake(impatient, site.client_context()) as sock:
        assert exchange(sock) == 200


def test_a_record_that_was_tampered_with_ends_the_connection(start_edge, raw_worker, site):
    edge = start_edge({"main": [raw_worker.path]})
    raw = socket.create_connection(("127.0.0.1", edge.ports["secure"]), patient(10))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = site.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            raw.sendall(outgoing.read())
            incoming.write(raw.recv(65536))
    raw.sendall(outgoing.read())
    tls.write(upgrade_request())
    raw.sendall(outgoing.read())
    upstream = raw_worker.next()
    accept_upgrade(upstream)
    tls.write(b"\x81\x81\0\0\0\0x")
    record = bytearray(outgoing.read())
    record[-1] ^= 1
    raw.sendall(record)
    assert upstream.rest() == b""
    (line,) = eventually(lambda: edge.events("connection.closed"))
    assert line["close.code"] == 1006


def test_a_close_notify_is_an_end(relayed):
    client, upstream = relayed().open()
    client.send_frame(TEXT, b"last")
    client.sock.unwrap()
    assert upstream.frame().payload == b"last"
    assert upstream.rest() == b""


def test_records_split_at_every_byte_are_read(edge, site):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = site.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    raw = socket.create_connection(("127.0.0.1", edge.ports["secure"]), patient(10))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def flush():
        for byte in outgoing.read():
            raw.send(bytes([byte]))

    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            flush()
            incoming.write(raw.recv(65536))
    tls.write(request())
    flush()
    answer = b""
    while b"GET / HTTP/1.1" not in answer:
        try:
            answer += tls.read(65536)
        except ssl.SSLWantReadError:
            incoming.write(raw.recv(65536))
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_unix_listener_serves_like_any_other(directory, site, start_edge, responding_worker):
    path = directory / "edge.sock"
    start_edge(
        {"main": [responding_worker.path]}, listeners=[
            {"name": "plain", "address": "127.0.0.1:0"}, {"name": "local", "address": f"unix:{path}"}])
    for _ in range(20):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(patient(10))
        sock.connect(str(path))
        assert exchange(sock) == 200
        sock.close()
