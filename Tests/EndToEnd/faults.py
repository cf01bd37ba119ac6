"""What breaks: each fault is done to a scene in which everybody talks.

A fault gives how many clients must be told of it, by close code; everybody else must not notice. It leaves nothing broken behind.
"""

import contextlib
import json
import resource
import signal
import ssl
import time

from edge import open_route
from frames import FrameStream, upgrade_request
from rawhttp import ByteStream
from waiting import eventually

HOUR = 3600


def kill_a_worker(scene):
    worker = scene.random.choice(scene.workers)
    clients = scene.clients_of(worker)
    worker.child.kill()
    scene.settle()
    worker.start()
    scene.wait_for_workers()
    return {1014: clients}


def kill_all_workers(scene):
    for worker in scene.workers:
        worker.child.kill()
    eventually(lambda: not any(one["up"] for one in scene.edge.workers()), 20, "no worker being up")
    for worker in scene.workers:
        worker.start()
    scene.wait_for_workers()
    return {1014: len(scene.speakers)}


def hang_a_worker(scene):
    """Those who come meanwhile meet the others; its own clients wait, and lose nothing."""
    worker = scene.random.choice(scene.workers)
    worker.child.signal(signal.SIGSTOP)
    try:
        eventually(lambda: not scene.is_up(worker), 20, "the worker being down")
        for one in scene.random.sample(scene.speakers, 20):
            one.vanish()
        scene.forget_ended()
        old = set(scene.speakers)
        scene.fill()
        scene.settle([one for one in scene.speakers if one not in old])
    finally:
        worker.child.signal(signal.SIGCONT)
    scene.wait_for_workers()
    return {}


def restart_workers(scene):
    """One after the other; each is drained first, so that its clients are told to come again."""
    told = 0
    for worker in scene.workers:
        name = worker.path.stem
        told += scene.clients_of(worker)
        scene.order("PATCH", f"/api/v1/workers/{name}", {"state": "maint", "spread_seconds": 0})
        eventually(lambda: scene.clients_of(worker) == 0, 20, "the worker being left alone")
        worker.child.kill()
        worker.start()
        scene.wait_for_workers()
        scene.order("PATCH", f"/api/v1/workers/{name}", {"state": "ready"})
    return {1012: told}


def reset_clients(scene, count=1_000):
    """Strangers at every stage of their handshake, and one in three of those who talk."""
    for one in scene.random.sample(scene.speakers, len(scene.speakers) // 3):
        one.vanish()
    fields = [("Authorization", f"Bearer {scene.token('stranger')}")]
    for number in range(count):
        stream = FrameStream(scene.edge.connect("secure" if number % 20 == 0 else "plain"))
        match number % 4:
            case 0: pass
            case 1: stream.send(b"GET /ws HT")
            case 2: stream.send(upgrade_request("/ws", fields))
            case 3:
                stream.send(upgrade_request("/ws", fields))
                stream.response()
        stream.reset()
    return {}


def exhaust_descriptors(scene):
    """Nobody else can come in; who is there goes on."""
    edge = scene.edge
    failures = len(edge.events("accept.failed"))
    limits = resource.prlimit(edge.child.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(edge.child.pid, resource.RLIMIT_NOFILE, (edge.child.open_descriptors() + 8, limits[1]))
    try:
        strangers = [ByteStream(edge.connect("plain")) for _ in range(50)]
        eventually(lambda: len(edge.events("accept.failed")) > failures, what="descriptors running out")
        scene.settle()
    finally:
        resource.prlimit(edge.child.pid, resource.RLIMIT_NOFILE, limits)
    for stranger in strangers:
        stranger.close()
    return {}


def fill_the_log_disk(scene):
    """Lines are dropped and counted, rules live in memory, nobody waits; afterwards every line is whole again."""
    edge = scene.edge
    access = scene.small_disk / "access.jsonl"
    filler = scene.small_disk / "filler"
    dropped = edge.metric("sluice_log_records_dropped_total")
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass

    def some_come_and_go():
        for one in scene.random.sample(scene.speakers, 12):
            one.vanish()
        scene.forget_ended()
        scene.fill()

    def drops():
        some_come_and_go()
        return edge.metric("sluice_log_records_dropped_total") > dropped

    eventually(drops, 20, "log lines being dropped")
    rule = edge.rule("ban", user="nobody", ttl_seconds=600)
    assert rule["persisted"] is False
    scene.settle()
    filler.unlink()
    eventually(lambda: edge.rule("ban", status=200, user="nobody", ttl_seconds=600)["persisted"], what="rules being kept again")
    edge.lift(rule["rule"])
    full = access.stat().st_size
    some_come_and_go()
    eventually(lambda: access.stat().st_size > full, what="lines being written again")
    whole, _, _ = access.read_bytes().rpartition(b"\n")  # The last one may be on its way.
    for line in whole.splitlines():
        json.loads(line)
    access.write_bytes(b"")
    return {}


def jump_the_clock(scene):
    """Forward by hours and back by more: what bears a date goes by the clock, timers do not."""
    edge = scene.edge
    edge.rule("ban", ip="192.0.2.1", ttl_seconds=2 * HOUR)
    for seconds in (3 * HOUR, -3 * HOUR, 0):
        scene.clock.jump(seconds)
        eventually(lambda: abs(edge.clock() - time.time() - seconds) < 600, what="the edge seeing another time")
        scene.settle()
        eventually(lambda: not edge.rules(ip="192.0.2.1"), what="the rule's end")
        scene.random.choice(scene.speakers).vanish()
        scene.forget_ended()
        scene.fill()
    return {}


def swap_certificates(scene):
    scene.install_other_certificate()
    scene.reloaded.change()
    with scene.edge.connect() as sock:
        assert sock.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(scene.chain.read_text())
    return {}


def reload(scene):
    """Other limits, timers, routes and addresses."""
    more = {"name": "more", "address": "127.0.0.1:0"}
    listeners = scene.reloaded.document["listeners"]
    for turn in range(4):
        limits = {"messages": {"rate": "100000/s", "burst": 100000}, "ping": {"interval": "5s"}} if turn % 2 else {}
        extra = [open_route(name="extra", path="/extra")] if turn % 2 else []
        scene.reloaded.change(
            routes=[scene.route(**limits), *extra], listeners=[*listeners, more] if turn % 2 == 0 else listeners)
        scene.settle()
    return {}
