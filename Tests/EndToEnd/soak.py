"""An edge for hours, with clients of every kind who come, talk and go: memory must stay flat, and every descriptor come back.

`make soak MINUTES=60`, or `scripts/soak`. Figures go to a CSV file every few seconds, a table of them to standard output at the end.
"""

import argparse
import collections
import contextlib
import csv
import dataclasses
import pathlib
import random
import statistics
import sys
import time

from conftest import short_directory
from scene import Figures, Scene
from waiting import eventually

MIB = 1 << 20
TURN_SECONDS = 0.5
SAMPLE_SECONDS = 5
# The edge gets to know its load within the first part of a run: what it keeps from then on must not grow.
WARM_UP = 0.25
# What a median over a quarter of a run may be off by: pages that allocators hold come and go.
GROWTH_BYTES = 2 * MIB
GROWTH_SHARE = 0.03
GROWTH_DESCRIPTORS = 16
# Codes that somebody here is told: kicked, banned, no progress, a worker that was killed.
TOLD = {4100, 4403, 1013, 1014}


@dataclasses.dataclass
class Sample:
    """What the edge held at one moment, and what had been done by then."""

    seconds: float
    clients: int
    resident_bytes: int
    descriptors: int
    connections: int
    worker_connections: int
    queued_bytes: int
    waiting: int
    cpu_seconds: float
    joined: int
    left: int
    said: int

    @classmethod
    def of(cls, scene, churn, seconds):
        return cls(
            seconds=seconds, clients=len(scene.speakers), **dataclasses.asdict(Figures.of(scene.edge)),
            cpu_seconds=scene.edge.child.cpu_seconds(), joined=churn.counts["joined"], left=churn.counts["left"], said=scene.crowd.said)


class Churn:
    """What happens to a scene, a piece in each turn."""

    def __init__(self, scene, seed):
        self.scene = scene
        self.counts = collections.Counter()
        self.told = collections.Counter()
        self._random = random.Random(seed)
        self._dawdlers = []
        self._kinds = {
            self._leave: 12, self._vanish: 12, self._dawdle: 6, self._stop_reading: 1, self._kick: 3, self._throttle: 3,
            self._slow_down_a_user: 3, self._ban: 2, self._reload: 3, self._swap_certificates: 2, self._kill_a_worker: 1}

    def turn(self):
        """Something happens; then who is missing comes again, if the edge lets them."""
        [kind] = self._random.choices(list(self._kinds), self._kinds.values())
        kind()
        self.counts[kind.__name__.strip("_")] += 1
        self._wake_dawdlers()
        self.count_ended()
        before = len(self.scene.speakers)
        self.scene.fill_once()
        self.counts["joined"] += len(self.scene.speakers) - before

    def count_ended(self):
        """Holds those who ended to what they may have been told, and takes them off the list."""
        self.scene.check()
        told = self.scene.told()
        assert set(told) <= TOLD, (told, [vars(one) for one in self.scene.speakers if one.end and one.end.code not in TOLD])
        self.told += told
        self.counts["left"] += self.scene.forget_ended()

    def finish(self):
        """Nothing more happens: dawdlers read, rules end."""
        for _, one in self._dawdlers:
            one.read(True)
        for rule in self.scene.edge.rules():
            self.scene.edge.lift(rule)

    # Clients

    def _some(self, most=5):
        there = [one for one in self.scene.speakers if one.is_there and not one.went]
        return self._random.sample(there, min(len(there), self._random.randint(1, most)))

    def _leave(self):
        for one in self._some():
            one.leave()

    def _vanish(self):
        for one in self._some():
            one.vanish()

    def _dawdle(self):
        """A client that reads nothing for a while, though much comes, and then all of it."""
        for one in self._some():
            if one.way == "plain" and one not in [sleeper for _, sleeper in self._dawdlers]:
                one.read(False)
                one.speak_much()
                self._dawdlers.append((time.monotonic() + self._random.uniform(1, 6), one))

    def _stop_reading(self):
        """A client that never reads again: the edge gives it up."""
        for one in self._some(1):
            if one.way == "plain":
                one.went = True
                one.read(False)
                one.speak_much()
                self._dawdlers.append((time.monotonic() + 30, one))

    def _wake_dawdlers(self):
        now = time.monotonic()
        for _, one in (entry for entry in self._dawdlers if entry[0] <= now):
            one.read(True)
        self._dawdlers = [entry for entry in self._dawdlers if entry[0] > now]

    # Operators

    def _user(self):
        return self._random.choice(self.scene.users)

    def _kick(self):
        self.scene.order("POST", "/api/v1/connections/disconnect", {"selector": {"user": self._user()}, "code": 4100})

    def _throttle(self):
        for connection in self.scene.edge.connections(limit=1, user=self._user()):
            # Its client may have gone meanwhile.
            self.scene.order(
                "PUT", f"/api/v1/connections/{connection['id']}/throttle", {"messages_per_second": 1, "ttl_seconds": 5}, or_status=404)

    def _slow_down_a_user(self):
        self._rule("throttle", user=self._user(), messages_per_second=2, ttl_seconds=5)

    def _ban(self):
        self._rule("ban", user=self._user(), ttl_seconds=3)

    def _rule(self, action, **order):
        self.scene.order("POST", "/api/v1/rules", {"action": action} | order)

    def _reload(self):
        limits = {"messages": {"rate": "1000/s", "burst": 1000}, "max_message": "2MiB"} if self.counts["reload"] % 2 else {}
        self.scene.reloaded.write(routes=[self.scene.route(**limits)])
        self.scene.order("POST", "/api/v1/reload", {})

    def _swap_certificates(self):
        self.scene.install_other_certificate()
        self.scene.order("POST", "/api/v1/reload", {})

    def _kill_a_worker(self):
        worker = self._random.choice(self.scene.workers)
        worker.child.kill()
        worker.start()


def run(minutes, rate, users, seed, write, say):
    """Runs a soak; gives its samples and its churn once everything is back to where it was."""
    with short_directory() as directory, contextlib.closing(make_scene(directory, users)) as scene:
        before = scene.visit(rate)
        scene.fill()
        scene.talk(rate)
        churn = Churn(scene, seed)
        samples = []
        began = next_sample = time.monotonic()
        while time.monotonic() - began < minutes * 60 or len(samples) < 2:
            turn_ends = time.monotonic() + TURN_SECONDS
            churn.turn()
            if time.monotonic() >= next_sample:
                next_sample += SAMPLE_SECONDS
                samples.append(Sample.of(scene, churn, time.monotonic() - began))
                write(samples[-1])
                say(samples, churn)
            time.sleep(max(0, turn_ends - time.monotonic()))
        churn.finish()
        scene.crowd.hush()
        scene.settle_all()
        churn.count_ended()
        after = eventually(lambda: before.met_by(scene.empty()), 60, f"everything being as it was: {before}")
    return samples, churn, before, after


def make_scene(directory, users):
    return Scene(
        directory, users, route={"ping": {"interval": "5s", "timeout": "20s"}}, log={"access": str(directory / "access.jsonl")},
        timeouts={"stall": {"min_bytes": "4KiB", "timeout": "10s"}, "close": "2s"})


def growth(samples):
    """By how many bytes resident memory has grown after the warm-up: from the median of a quarter of what follows to that of the last."""
    warm = [one.resident_bytes for one in samples[int(len(samples) * WARM_UP):]]
    part = max(1, len(warm) // 4)
    return int(statistics.median(warm[-part:]) - statistics.median(warm[:part]))


def verdict(samples):
    """What is wrong with a curve, as a list of sentences."""
    warm = samples[int(len(samples) * WARM_UP):]
    part = max(1, len(warm) // 4)
    wrong = []
    grown = growth(samples)
    if grown > GROWTH_BYTES + GROWTH_SHARE * warm[0].resident_bytes:
        wrong.append(f"resident memory grew by {grown / MIB:.1f} MiB after the warm-up")
    opened = statistics.median(one.descriptors for one in warm[-part:]) - statistics.median(one.descriptors for one in warm[:part])
    clients = statistics.median(one.clients for one in warm[-part:]) - statistics.median(one.clients for one in warm[:part])
    if opened > 2 * max(0, clients) + GROWTH_DESCRIPTORS:
        wrong.append(f"open descriptors grew by {opened:.0f} after the warm-up")
    return wrong


def table(samples, rows=12):
    """The curve in Markdown, a row for each equal part of the run."""
    lines = [
        "| Minutes | Resident MiB, median | most | Descriptors, median | Clients | Joined | Left | Messages/s | Edge's CPU |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    seconds = samples[-1].seconds + 0.001
    before = samples[0]
    for row in range(rows):
        part = [one for one in samples if row * seconds / rows <= one.seconds < (row + 1) * seconds / rows]
        if not part:
            continue
        last = part[-1]
        took = max(0.001, last.seconds - before.seconds)
        resident = [one.resident_bytes / MIB for one in part]
        lines.append(
            f"| {before.seconds / 60:.0f}–{last.seconds / 60:.0f} | {statistics.median(resident):.1f} | {max(resident):.1f} "
            f"| {statistics.median(one.descriptors for one in part):.0f} | {statistics.median(one.clients for one in part):.0f} "
            f"| {last.joined - before.joined} | {last.left - before.left} | {(last.said - before.said) / took:.0f} "
            f"| {(last.cpu_seconds - before.cpu_seconds) / took:.1%} |")
        before = last
    return "\n".join(lines)


def main():
    options = parse()
    path = pathlib.Path(options.output)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(Sample)])
        writer.writeheader()

        def write(one):
            writer.writerow(dataclasses.asdict(one))
            file.flush()

        samples, churn, before, after = run(options.minutes, options.rate, options.users, options.seed, write, show)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(table(samples))
    print(f"\nWhat happened: {dict(sorted(churn.counts.items()))}; told, by close code: {dict(sorted(churn.told.items()))}")
    print(f"Nobody there, before: {before}\nNobody there, after: {after}")
    print(f"Resident memory from the first quarter after the warm-up to the last: {growth(samples) / MIB:+.2f} MiB; all samples: {path}")
    wrong = verdict(samples)
    print("\n".join(wrong) or "Flat.")
    sys.exit(1 if wrong else 0)


def show(samples, churn):
    """The progress: a line that is written anew at a terminal, and elsewhere one a minute."""
    before, one = samples[-2:] if len(samples) > 1 else samples * 2
    took = max(0.001, one.seconds - before.seconds)
    line = (
        f"{one.seconds / 60:6.1f} min {one.clients:5} clients {one.resident_bytes / MIB:7.1f} MiB {one.descriptors:5} descriptors "
        f"{(one.said - before.said) / took:6.0f} messages/s {(one.cpu_seconds - before.cpu_seconds) / took:6.1%} CPU "
        f"{one.joined:7} joined {sum(churn.told.values()):6} told")
    if sys.stderr.isatty():
        print(f"\r{line}", end="", file=sys.stderr, flush=True)
    elif int(one.seconds / 60) > int(before.seconds / 60):
        print(line, file=sys.stderr, flush=True)


def parse():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60, help="how long (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=100, help="messages a second (default: %(default)s)")
    parser.add_argument("--users", type=int, default=24, help="users, with nine clients each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="decides what happens when (default: by chance)")
    parser.add_argument("--output", default=".build/soak.csv", help="where the samples go (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
