"""RFC 6455 on the wire: who learns what when a client or a worker breaks a rule."""

import time

import pytest

from edge import open_route
from frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame
from waiting import eventually, slow
from ways import both_ways

pytestmark = both_ways

# name: (a client's bytes, the close code it gets, the word)
CLIENT_BREACHES = {
    "an unmasked frame": (frame(TEXT, b"hello", mask=None), 1002, "mask_missing"),
    "an unmasked empty frame": (frame(TEXT, mask=None), 1002, "mask_missing"),
    "RSV1": (frame(TEXT, b"x", rsv=4), 1002, "reserved_bits"),
    "RSV2": (frame(TEXT, b"x", rsv=2), 1002, "reserved_bits"),
    "RSV3": (frame(TEXT, b"x", rsv=1), 1002, "reserved_bits"),
    "RSV1 on a ping": (frame(PING, rsv=4), 1002, "reserved_bits"),
    "opcode 3": (frame(3), 1002, "unknown_opcode"),
    "opcode 7": (frame(7), 1002, "unknown_opcode"),
    "opcode 11": (frame(11), 1002, "unknown_opcode"),
    "opcode 15": (frame(15), 1002, "unknown_opcode"),
    "a fragmented ping": (frame(PING, fin=False), 1002, "control_fragmented"),
    "a fragmented close": (frame(CLOSE, fin=False), 1002, "control_fragmented"),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002, "control_too_long"),
    "a close of 126 bytes": (frame(CLOSE, close_payload(1000, "x" * 124)), 1002, "control_too_long"),
    "a length of 5 in 2 bytes": (frame(TEXT, b"hello", length_bytes=2), 1002, "length_not_minimal"),
    "a length of 200 in 8 bytes": (frame(TEXT, b"x" * 200, length_bytes=8), 1002, "length_not_minimal"),
    "a length with the top bit": (frame(TEXT, announced=1 << 63, length_bytes=8), 1002, "length_out_of_range"),
    "a continuation of nothing": (frame(CONTINUATION, b"x"), 1002, "continuation_without_start"),
    "a message within a message": (frame(TEXT, fin=False) + frame(BINARY), 1002, "message_interrupted"),
    "text that is not UTF-8": (frame(TEXT, b"\xff"), 1007, "invalid_utf8"),
    "text with a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007, "invalid_utf8"),
    "text with an overlong form": (frame(TEXT, b"\xc0\xaf"), 1007, "invalid_utf8"),
    "text that ends within a character": (frame(TEXT, "é".encode()[:1]), 1007, "invalid_utf8"),
    "bad UTF-8 in a second fragment": (
        frame(TEXT, "é".encode()[:1], fin=False) + frame(CONTINUATION, b"x"), 1007, "invalid_utf8"),
    "a close of one byte": (frame(CLOSE, b"\x03"), 1002, "close_payload_too_short"),
    "close code 999": (frame(CLOSE, close_payload(999)), 1002, "close_code_invalid"),
    "close code 1004": (frame(CLOSE, close_payload(1004)), 1002, "close_code_invalid"),
    "close code 1005": (frame(CLOSE, close_payload(1005)), 1002, "close_code_invalid"),
    "close code 1006": (frame(CLOSE, close_payload(1006)), 1002, "close_code_invalid"),
    "close code 1015": (frame(CLOSE, close_payload(1015)), 1002, "close_code_invalid"),
    "close code 2000": (frame(CLOSE, close_payload(2000)), 1002, "close_code_invalid"),
    "close code 5000": (frame(CLOSE, close_payload(5000)), 1002, "close_code_invalid"),
    "a close reason that is not UTF-8": (frame(CLOSE, close_payload(1000) + b"\xff"), 1007, "close_reason_invalid"),
}


@pytest.mark.parametrize("name", CLIENT_BREACHES)
def test_a_client_that_breaks_the_protocol_is_closed_and_the_worker_gets_1001(relayed, name):
    data, code, word = CLIENT_BREACHES[name]
    pair = relayed()
    client, upstream = pair.open()
    client.send(data)
    assert client.close_frame()[0] == code
    assert client.is_ended()
    if "message" in name or "second fragment" in name:
        # The worker has the beginning of a message, but of no frame: it still gets the Close.
        assert not upstream.frame().fin
    assert upstream.close_frame()[0] == 1001
    assert pair.edge.metric("sluice_protocol_errors_total", side="client", error=word) == 1
    (line,) = eventually(lambda: pair.edge.events("connection.closed"))
    assert (line["close.code"], line["close.initiator"]) == (code, "client")


@pytest.mark.parametrize("split", [1, 2, 3, 5])
def test_a_breach_is_found_however_the_bytes_are_split(relayed, split):
    client, upstream = relayed().open("plain")
    data = frame(TEXT, b"first message") + frame(CONTINUATION, b"x")
    for start in range(0, len(data), split):
        client.send(data[start:start + split])
        time.sleep(0.001)
    assert client.close_frame()[0] == 1002
    assert upstream.frame().payload == b"first message"
    assert upstream.close_frame()[0] == 1001


def test_a_message_over_the_limit_is_1009_before_its_payload_is_sent(relayed):
    client, upstream = relayed([open_route(max_message="64KiB")]).open()
    client.send(frame(BINARY, announced=(64 << 10) + 1))
    assert client.close_frame()[0] == 1009
    assert upstream.close_frame()[0] == 1001


def test_fragments_are_added_up_for_the_limit(relayed):
    client, upstream = relayed([open_route(max_message="64KiB")]).open()
    client.send(frame(BINARY, bytes(60_000), fin=False) + frame(CONTINUATION, announced=6_000))
    assert client.close_frame()[0] == 1009
    assert len(upstream.frame().payload) == 60_000
    assert upstream.close_frame()[0] == 1001


def test_a_message_of_exactly_the_limit_passes(relayed):
    client, upstream = relayed([open_route(max_message="64KiB")]).open()
    client.send(frame(BINARY, bytes(60_000), fin=False) + frame(CONTINUATION, bytes(5_536)))
    assert len(upstream.frame().payload) + len(upstream.frame().payload) == 64 << 10


WORKER_BREACHES = {
    "a masked frame": frame(TEXT, b"x"),
    "RSV1": frame(TEXT, b"x", mask=None, rsv=4),
    "opcode 3": frame(3, mask=None),
    "a fragmented ping": frame(PING, mask=None, fin=False),
    "a ping of 126 bytes": frame(PING, b"x" * 126, mask=None),
    "a continuation of nothing": frame(CONTINUATION, mask=None),
    "text that is not UTF-8": frame(TEXT, b"\xff", mask=None),
    "close code 1006": frame(CLOSE, close_payload(1006), mask=None),
}


@pytest.mark.parametrize("name", WORKER_BREACHES)
def test_a_worker_that_breaks_the_protocol_gets_1002_and_its_client_1014(relayed, name):
    pair = relayed()
    client, upstream = pair.open()
    upstream.send(WORKER_BREACHES[name])
    assert client.close_frame()[0] == 1014
    assert upstream.close_frame()[0] == 1002
    assert pair.edge.metric("sluice_protocol_errors_total", side="worker") == 1


def test_a_workers_message_over_the_limit_is_not_read(relayed):
    client, upstream = relayed([open_route(max_message="64KiB")]).open()
    upstream.send_frame(BINARY, announced=(64 << 10) + 1)
    assert client.close_frame()[0] == 1014
    assert upstream.close_frame()[0] == 1002


def test_the_worker_gets_masked_frames_and_the_client_unmasked_ones(relayed):
    client, upstream = relayed().open()
    client.send_frame(TEXT, b"up")
    upstream.send_frame(TEXT, b"down")
    received, sent = upstream.frame(), client.frame()
    assert (received.was_masked, received.payload) == (True, b"up")
    assert (sent.was_masked, sent.payload) == (False, b"down")


def test_control_frames_pass_between_fragments(relayed):
    client, upstream = relayed().open()
    client.send(
        frame(TEXT, b"one ", fin=False) + frame(PING, b"now") + frame(CONTINUATION, b"two", fin=False) + frame(PONG, b"unasked")
        + frame(CONTINUATION))
    assert [(f.opcode, f.payload, f.fin) for f in (upstream.frame() for _ in range(5))] == [
        (TEXT, b"one ", False), (PING, b"now", True), (CONTINUATION, b"two", False), (PONG, b"unasked", True),
        (CONTINUATION, b"", True)]


@pytest.mark.parametrize("code,reason", [(1000, ""), (1000, "bye"), (1001, ""), (3000, "x" * 123), (4999, "é"), (1014, "")])
def test_a_close_of_either_side_passes_unchanged_and_is_answered_by_the_other(relayed, code, reason):
    pair = relayed()
    client, upstream = pair.open()
    client.send_close(code, reason)
    assert upstream.close_frame() == (code, reason)
    upstream.send_close(code)
    assert client.close_frame() == (code, "")
    assert client.is_ended() and upstream.is_ended()
    client, upstream = pair.open()
    upstream.send_close(code, reason)
    assert client.close_frame() == (code, reason)
    client.send_close(code, reason)
    assert upstream.close_frame() == (code, reason)
    assert client.is_ended() and upstream.is_ended()


def test_a_close_without_a_code_passes_as_one(relayed):
    client, upstream = relayed().open()
    client.send_frame(CLOSE)
    assert upstream.close_frame() == (None, "")
    upstream.send_frame(CLOSE)
    assert client.close_frame() == (None, "")


def test_nothing_passes_behind_a_close(relayed):
    client, upstream = relayed().open()
    client.send(frame(CLOSE, close_payload(1000)) + frame(TEXT, b"more") + frame(PING))
    assert upstream.close_frame()[0] == 1000
    upstream.send_close(1000)
    assert upstream.rest() == b""


def test_a_client_that_never_answers_a_close_is_cut_off_at_the_deadline(relayed):
    client, upstream = relayed(timeouts={"close": "1s"}).open()
    upstream.send_close(1000)
    assert client.close_frame()[0] == 1000
    began = time.monotonic()
    assert client.is_ended() and upstream.is_ended()
    assert time.monotonic() - began < slow(2.5)


def test_a_lost_client_is_an_end_without_close_to_the_worker(relayed):
    client, upstream = relayed().open()
    client.send_frame(TEXT, b"last words")
    assert upstream.frame().payload == b"last words"
    client.close()
    assert upstream.rest() == b""


def test_a_lost_worker_is_1014_to_the_client(relayed):
    pair = relayed()
    client, upstream = pair.open()
    upstream.send_frame(TEXT, b"last words")
    upstream.close()
    assert client.frame().payload == b"last words"
    assert client.close_frame()[0] == 1014
    client.send_close(1014)
    (line,) = eventually(lambda: pair.edge.events("connection.closed"))
    assert line["close.initiator"] == "worker"


def test_a_worker_lost_within_a_frame_ends_the_clients_connection_without_a_close(relayed):
    client, upstream = relayed().open()
    upstream.send_frame(BINARY, b"half", announced=100)
    eventually(lambda: client.more() or len(client.buffer) == 6, what="half a frame")
    upstream.close()
    assert client.rest() == b"\x82\x64half"


# Liveness


def test_a_silent_client_is_pinged_at_every_interval_and_its_pong_is_not_the_workers_to_see(relayed):
    client, upstream = relayed([open_route(ping={"interval": "200ms", "timeout": "2s"})]).open()
    began = time.monotonic()
    for _ in range(3):
        ping = client.frame()
        assert ping.opcode == PING and len(ping.payload) == 8
        client.send_frame(PONG, ping.payload)
    assert 0.5 < time.monotonic() - began < slow(1.5)
    client.send_frame(TEXT, b"hello")
    assert upstream.frame().payload == b"hello"


def test_a_client_that_never_answers_a_ping_is_4408(relayed):
    client, upstream = relayed([open_route(ping={"interval": "200ms", "timeout": "300ms"})]).open()
    assert client.frame().opcode == PING
    assert client.close_frame()[0] == 4408
    assert upstream.close_frame()[0] == 1001


def test_a_pong_with_another_payload_passes_to_the_worker(relayed):
    client, upstream = relayed([open_route(ping={"interval": "200ms", "timeout": "2s"})]).open()
    ping = client.frame()
    client.send(frame(PONG, b"12345678") + frame(PONG, ping.payload) + frame(TEXT, b"end"))
    assert [upstream.frame().payload for _ in range(2)] == [b"12345678", b"end"]


def test_an_idle_connection_is_1001(relayed):
    client, upstream = relayed([open_route(idle_timeout="500ms")]).open()
    began = time.monotonic()
    client.send_frame(TEXT, b"one message")
    assert client.close_frame()[0] == 1001
    assert 0.4 < time.monotonic() - began < slow(2)
    upstream.frame()
    assert upstream.close_frame()[0] == 1001


# A worker's death


def test_200_clients_learn_of_their_workers_death_promptly(relayed):
    pair = relayed()
    pairs = [pair.open("plain") for _ in range(200)]
    began = time.monotonic()
    for _, upstream in pairs:
        upstream.close()
    assert [client.close_frame()[0] for client, _ in pairs] == [1014] * 200
    assert time.monotonic() - began < slow(1)
