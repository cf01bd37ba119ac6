"""Everything that breaks, while everybody talks: nothing is lost, doubled, out of order or somebody else's for those who were not told.

Each fault comes once; `E2E_FAULT_SECONDS` lets them come again and again, in an order that `E2E_FAULT_SEED` decides.
"""

import collections
import os
import random
import subprocess
import time
import warnings

import pytest

import faults
from clock import Clock
from processes import REPORTS
from scene import Scene
from waiting import eventually, patient

SECONDS = float(os.environ.get("E2E_FAULT_SECONDS", 0))
SEED = int(os.environ.get("E2E_FAULT_SEED") or (random.randrange(1 << 30) if SECONDS else 1))
RATE = 400
FAULTS = [
    faults.kill_a_worker, faults.kill_all_workers, faults.hang_a_worker, faults.restart_workers, faults.reset_clients,
    faults.exhaust_descriptors, faults.swap_certificates, faults.reload]


@pytest.fixture
def small_disk(directory):
    """A disk of eight megabytes; None where this user may not mount one."""
    path = directory / "disk"
    path.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", path], capture_output=True)
    try:
        yield path if mount.returncode == 0 else None
    finally:
        if mount.returncode == 0:
            subprocess.run(["umount", "--lazy", path], check=True)


def go_through(scene, wanted):
    """Does faults to a scene, and holds it to what must be true after each and in the end."""
    before = scene.visit(RATE)
    scene.fill()
    scene.talk(RATE)
    until = time.monotonic() + SECONDS
    print(f"E2E_FAULT_SEED={SEED}")
    for fault in in_some_order(wanted, until):
        print(time.strftime("%H:%M:%S"), fault.__name__, flush=True)
        expected = collections.Counter(fault(scene))
        eventually(lambda: scene.told() == expected, what=f"{fault.__name__} being told to {expected}, and to nobody else")
        scene.forget_ended()
        scene.fill()
        scene.settle()
        scene.check()
    scene.crowd.hush()
    scene.settle_all()
    scene.check()
    after = eventually(lambda: before.met_by(scene.empty()), 20, f"everything being as it was: {before}")
    assert scene.edge.metric("sluice_protocol_errors_total") == 0
    print(f"{scene.crowd.said} messages; {before}; {after}")


def in_some_order(wanted, until):
    """Each once; as long as there is time, again and again."""
    chance = random.Random(SEED)
    while True:
        yield from chance.sample(wanted, len(wanted))
        if time.monotonic() >= until:
            return


@pytest.mark.timeout(patient(120) + SECONDS)
def test_whoever_is_not_told_loses_nothing_while_everything_breaks(directory, small_disk, closing):
    places = {"log": {"access": str(small_disk / "access.jsonl")}, "state_dir": str(small_disk)} if small_disk else {}
    scene = closing(Scene(directory, users=12, **places))
    scene.small_disk = small_disk
    if not small_disk:
        warnings.warn("the log's disk was not filled: this user may not mount one")
    go_through(scene, [*FAULTS, *([faults.fill_the_log_disk] if small_disk else [])])


@pytest.mark.skipif(bool(REPORTS), reason="libfaketime and sanitizers both want to be loaded first")
@pytest.mark.timeout(patient(120) + SECONDS)
def test_whoever_is_connected_does_not_notice_that_the_clock_jumps(directory, closing):
    clock = Clock(directory / "clock")
    scene = closing(Scene(directory, users=4, clock=clock))
    scene.clock = clock
    go_through(scene, [faults.jump_the_clock])
