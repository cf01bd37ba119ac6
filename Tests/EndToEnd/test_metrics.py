"""What a scraper gets: well-formed in both formats, complete, cheap, and equal to what the clients counted."""

import collections
import re
import subprocess
import threading

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from edge import open_route
from frames import BINARY, TEXT, FrameStream, frame, upgrade_request
from rawhttp import ByteStream
from waiting import eventually, patient

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

# The contract with those who made dashboards of it: every family, and its labels.
FAMILIES = {
    "sluice_build_info": "version revision tls",
    "sluice_draining": "",
    "sluice_clients_connected": "",
    "sluice_clients_limit": "",
    "sluice_clients_waiting": "",
    "sluice_connections": "listener protocol",
    "sluice_connections_opened_total": "",
    "sluice_connections_closed_total": "route initiator code",
    "sluice_connection_duration_seconds": "",
    "sluice_tls_handshakes_total": "result version resumed",
    "sluice_tls_handshake_duration_seconds": "",
    "sluice_tls_certificate_not_after_timestamp_seconds": "name",
    "sluice_handshakes_total": "route result",
    "sluice_handshake_duration_seconds": "route",
    "sluice_http_requests_total": "route code",
    "sluice_spoofed_forwarded_total": "",
    "sluice_http2_floods_total": "kind",
    "sluice_token_cache_total": "result",
    "sluice_messages_total": "route direction type",
    "sluice_message_bytes_total": "route direction",
    "sluice_message_size_bytes": "",
    "sluice_message_transit_seconds": "direction",
    "sluice_messages_dropped_total": "route reason",
    "sluice_protocol_errors_total": "route side error",
    "sluice_slow_consumers_total": "route",
    "sluice_send_queue_bytes": "",
    "sluice_throttled_connections": "",
    "sluice_throttle_events_total": "scope action",
    "sluice_limiter_entries": "scope",
    "sluice_limiter_evictions_total": "scope",
    "sluice_event_loop_lag_seconds": "loop",
    "sluice_log_records_dropped_total": "",
    "sluice_pool_ready_workers": "pool",
    "sluice_worker_up": "pool worker",
    "sluice_worker_connections": "pool worker",
    "sluice_worker_connect_duration_seconds": "",
    "sluice_worker_connect_failures_total": "pool worker reason",
    "sluice_config_reloads_total": "result",
    "sluice_config_last_reload_successful": "",
    "sluice_admin_actions_total": "action result",
    "process_cpu_seconds_total": "",
    "process_resident_memory_bytes": "",
    "process_virtual_memory_bytes": "",
    "process_open_fds": "",
    "process_max_fds": "",
    "process_start_time_seconds": "",
}


ORIGIN = "https://chat.example.test"
ROUTES = [
    open_route(),
    {"name": "chat", "match": {"path": "/chat"}, "pool": "main", "auth": "main", "origins": [ORIGIN]},
    open_route(name="narrow", path="/narrow", messages={"rate": "1/1d", "burst": 2, "over": "drop"}),
    open_route(name="lost", path="/lost", pool="empty"),
]


@pytest.fixture
def pair(relayed):
    """An edge with four routes, before a hand-played worker and a pool that has none."""
    return relayed(ROUTES, pools={"empty": ["/nonexistent/*.sock"]})


def scrape(edge, accept="text/plain"):
    status, text = edge.admin("GET", "/metrics", headers={"Accept": accept})
    assert status == 200, text
    return text


def converse(pair, target="/ws", messages=(b"hello", b"again")):
    """A WebSocket on which both sides said these messages."""
    client, worker = pair.open(target=target)
    for message in messages:
        client.send_frame(TEXT, message)
        worker.send_frame(TEXT, worker.frame().payload)
        assert client.frame().payload == message
    return client, worker


def refused(pair, target="/ws", fields=(), listener="plain"):
    """Asks for a WebSocket in vain; gives the status."""
    stream = FrameStream(pair.edge.connect(listener))
    stream.send(upgrade_request(target, fields))
    status = stream.response().status
    stream.close()
    return status


def make_busy(pair):
    """Lets every family with labels have a sample."""
    client, worker = converse(pair)
    client.send_close(1000)
    worker.close_frame()
    worker.send_close(1000)
    client.close_frame()
    broken, _ = pair.open()
    broken.send(frame(7))
    broken.close_frame()
    dropped, _ = pair.open(target="/narrow")
    for _ in range(3):
        dropped.send_frame(TEXT, b"x")
    assert refused(pair, "/lost") == 503
    pair.edge.rule("ban", ip="192.0.2.1")
    pair.worker.stop_listening()
    assert refused(pair) == 503
    plain = ByteStream(pair.edge.connect("plain"))
    plain.send(b"GET //two HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert plain.response().status == 400
    plain.close()
    eventually(lambda: pair.edge.metric("sluice_messages_dropped_total") == 1)


def labels_of(text):
    """The labels that the samples of each family bear: {family: set of words}; no sample, no entry."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    found = {}
    for name, labels in re.findall(r"^([a-z0-9_]+)(?:\{(.*)\})? \S+$", text, re.M):
        family = name if name in kinds else re.sub("_(bucket|sum|count)$", "", name)
        assert family in kinds, name
        words = " ".join(label for label in re.findall(r'([a-z_]+)="', labels) if label != "le")
        assert found.setdefault(family, words) == words, name
    return found


def test_every_family_has_its_name_and_its_labels(pair):
    make_busy(pair)
    found = labels_of(scrape(pair.edge))
    assert {family: found.get(family) for family in FAMILIES} == FAMILIES


def test_promtool_finds_nothing_to_say(pair):
    make_busy(pair)
    checked = subprocess.run(
        ["/usr/bin/promtool", "check", "metrics"], input=scrape(pair.edge), capture_output=True, text=True, timeout=patient(30))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_both_formats_say_the_same_and_the_official_parser_reads_them(pair):
    make_busy(pair)
    families = list(text_string_to_metric_families(scrape(pair.edge, OPEN_METRICS)))
    read = {(sample.name, frozenset(sample.labels.items())) for family in families for sample in family.samples}

    def normal(name, labels):  # a bucket's bound is written with a point in one of them
        return name, frozenset((key, str(float(value)) if key == "le" else value) for key, value in labels)

    assert {normal(*key) for key in read} == {normal(*key) for key in pair.edge.metrics()}
    units = {family.name: family.unit for family in families}
    assert units["sluice_message_bytes"] == "bytes" and units["process_cpu_seconds"] == "seconds"
    assert units["sluice_handshakes"] == ""


def test_the_content_type_names_the_format(pair):
    response = ByteStream(pair.edge.admin_socket())
    for accept, expected in [("text/plain", "text/plain; version=0.0.4; charset=utf-8"), (OPEN_METRICS, OPEN_METRICS)]:
        response.send(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode())
        assert response.response()["Content-Type"] == expected


# Everybody counts the same


def test_handshakes_are_counted_by_what_came_of_them(pair, site):
    edge = pair.edge
    token = ("Authorization", f"Bearer {site.token()}")
    expired = ("Authorization", f"Bearer {site.token(exp=1_700_000_000, iat=1_600_000_000)}")
    origin = ("Origin", ORIGIN)
    attempts = [
        ("chat", "origin_denied", "/chat", [("Origin", "https://evil.test"), token]),
        ("chat", "origin_denied", "/chat", [token]),
        ("chat", "token_missing", "/chat", [origin]),
        ("chat", "token_invalid", "/chat", [origin, ("Authorization", "Bearer x.y.z")]),
        ("chat", "token_expired", "/chat", [origin, expired]),
        ("lost", "no_worker", "/lost", []),
        ("open", "bad_request", "/ws", [("Sec-WebSocket-Version", "12")]),
    ]
    counted = collections.Counter()
    for number, (route, result, target, fields) in enumerate(attempts):
        for _ in range(number + 1):
            assert refused(pair, target, fields) >= 400
            counted[route, result] += 1
    for target, route, fields in [("/ws", "open", []), ("/chat", "chat", [origin, token])]:
        client, _ = pair.open(target=target, fields=fields)
        counted[route, "accepted"] += 1
    edge.rule("ban", user="alice", auth="main")
    assert refused(pair, "/chat", [origin, token]) == 403
    counted["chat", "banned"] += 1
    samples = {
        (dict(labels)["route"], dict(labels)["result"]): value
        for (name, labels), value in edge.metrics().items() if name == "sluice_handshakes_total" and value}
    assert samples == counted


def test_ends_are_counted_by_code_and_by_who_began(pair):
    counted = collections.Counter()
    for code in (1000, 1001, 3000, 4000, 4403):
        client, worker = pair.open()
        client.send_close(code)
        assert worker.close_frame()[0] == code
        worker.send_close(code)
        client.close_frame()
        counted["client", str(code) if code in (1000, 1001, 4403) else "other"] += 1
    for code in (1000, 1011, 1012):
        client, worker = pair.open()
        worker.send_close(code)
        assert client.close_frame()[0] == code
        client.send_close(code)
        worker.close_frame()
        counted["worker", str(code)] += 1
    client, _ = pair.open()
    client.send(frame(7))
    assert client.close_frame()[0] == 1002
    client.close()
    counted["client", "1002"] += 1
    client, _ = pair.open()
    (line,) = pair.edge.connections()
    pair.edge.admin("DELETE", f"/api/v1/connections/{line['id']}")
    assert client.close_frame()[0] == 4403
    client.close()
    counted["edge", "4403"] += 1
    eventually(lambda: pair.edge.metric("sluice_connections_closed_total") == counted.total(), what="all being closed")
    samples = {
        (dict(labels)["initiator"], dict(labels)["code"]): value
        for (name, labels), value in pair.edge.metrics().items() if name == "sluice_connections_closed_total"}
    assert samples == counted
    assert pair.edge.metric("sluice_connections_opened_total") == counted.total()
    assert pair.edge.metric("sluice_connections") == 0


def test_messages_dropped_are_counted_and_not_as_messages(pair):
    client, worker = pair.open(target="/narrow")
    for number in range(7):
        client.send_frame(BINARY, bytes(number))
    assert [len(worker.frame().payload) for _ in range(2)] == [0, 1]
    eventually(lambda: pair.edge.metric("sluice_messages_dropped_total", route="narrow", reason="message_rate") == 5)
    assert pair.edge.metric("sluice_messages_total", route="narrow", direction="received", type="binary") == 2
    assert pair.edge.metric("sluice_message_bytes_total", route="narrow", direction="received") == 1


def test_forwarding_fields_of_strangers_are_counted_once_for_a_request(pair):
    stream = ByteStream(pair.edge.connect("plain"))
    for fields in ["", "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n", "X-Real-IP: 192.0.2.1\r\n", ""]:
        stream.send(f"GET /lost HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
        stream.response()
    assert pair.edge.metric("sluice_spoofed_forwarded_total") == 2


def test_actions_on_the_admin_plane_are_counted_by_what_came_of_them(pair):
    edge = pair.edge
    rule = edge.rule("ban", ip="192.0.2.1")["rule"]
    edge.lift(rule)
    assert edge.admin("DELETE", f"/api/v1/rules/{rule['id']}")[0] == 404
    edge.rule("ban", status=400, ip="nonsense")
    samples = {
        (dict(labels)["action"], dict(labels)["result"]): value
        for (name, labels), value in edge.metrics().items() if name == "sluice_admin_actions_total" and value}
    assert samples == {
        ("rule.add", "done"): 1, ("rule.add", "refused"): 1, ("rule.remove", "done"): 1, ("rule.remove", "refused"): 1}


def test_clients_are_counted_against_the_limit_with_a_websocket_or_without(relayed):
    pair = relayed(limits={"max_connections": 40})
    assert pair.edge.metric("sluice_clients_limit") == 40
    pair.open()
    idle = pair.edge.connect("plain")
    eventually(lambda: pair.edge.metric("sluice_clients_connected") == 2)
    assert pair.edge.metric("sluice_connections") == 1
    idle.close()
    eventually(lambda: pair.edge.metric("sluice_clients_connected") == 1)


def test_a_pool_without_workers_is_seen(pair):
    assert pair.edge.metric("sluice_pool_ready_workers", pool="main") == 1
    assert ("sluice_pool_ready_workers", frozenset({("pool", "empty")})) in pair.edge.metrics()
    assert pair.edge.metric("sluice_pool_ready_workers", pool="empty") == 0
    pair.worker.close()
    eventually(lambda: pair.edge.metric("sluice_pool_ready_workers", pool="main") == 0)


# How long messages are in the edge


def test_messages_are_timed_in_both_directions(pair):
    client, worker = pair.open()
    for number in range(1_000):
        client.send_frame(TEXT, b"%d" % number)
        worker.send_frame(TEXT, worker.frame().payload)
        client.frame()
    for direction in ("received", "sent"):
        assert 5 <= pair.edge.metric("sluice_message_transit_seconds_count", direction=direction) <= 60


def test_a_message_that_waits_for_a_slow_client_is_timed_until_the_kernel_has_it(pair):
    client, worker = pair.open(receive_buffer=4096)
    sender = threading.Thread(target=lambda: [worker.send_frame(BINARY, bytes(32_768)) for _ in range(400)], daemon=True)
    sender.start()
    for _ in range(400):
        client.frame()
        pair.edge.metric("sluice_send_queue_bytes")  # takes a while: that makes the client slow
    sender.join(patient(10))
    buckets = {
        float(dict(labels)["le"]): value for (name, labels), value in pair.edge.metrics().items()
        if name == "sluice_message_transit_seconds_bucket" and dict(labels)["direction"] == "sent"}
    assert buckets[float("inf")] > buckets[0.001]


# What a scrape costs (the figure for 9,000 connections is in docs/benchmarks.md)


def test_a_scrape_costs_the_same_with_many_connections_and_reactors_take_no_part(pair):
    def cost():
        """The cheapest of some: what others do on the machine makes a scrape dearer, and never cheaper."""
        return min((cost_once() for _ in range(4)), key=collections.Counter.total)

    def cost_once():
        scrape(pair.edge)
        before = pair.edge.child.cpu_by_thread()
        for _ in range(20):
            scrape(pair.edge)
        return pair.edge.child.cpu_by_thread() - before

    alone = cost()
    held = [pair.open("plain") for _ in range(600)]
    crowded = cost()
    assert crowded.total() < 1.5 * alone.total()
    assert crowded["reactor"] < 0.1 * crowded.total()
    assert pair.edge.metric("sluice_connections") == len(held)
