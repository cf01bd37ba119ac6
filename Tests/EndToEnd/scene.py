"""An edge before workers that can be killed, and clients of every kind who talk to them all the time.

Everybody's place is counted: a user may hold exactly the connections that the scene gives them, so that a place which is not given
back keeps somebody out.
"""

import collections
import contextlib
import dataclasses
import itertools
import random
import time

from crowd import Crowd
from edge import Edge, Reloaded, configuration, open_route
from processes import REPORTS
from speakers import Speaker
from tokens import Site
from waiting import eventually
from workers import ForeignWorker

PLACES_OF_A_USER = 9
STREAMS_OF_A_CONNECTION = 15
WAYS = ["plain", "secure", "streams"]
MONTH = 30 * 86400
# What allocators may keep; AddressSanitizer holds on to what is freed.
KEPT_BYTES = 1 << 40 if REPORTS else 16 << 20


@dataclasses.dataclass
class Figures:
    """What must come back to where it was."""

    resident_bytes: int
    descriptors: int
    connections: int
    worker_connections: int
    queued_bytes: int
    waiting: int

    @classmethod
    def of(cls, edge):
        samples = edge.metrics()

        def total(name):
            return int(sum(value for (sample, _), value in samples.items() if sample == name))

        return cls(
            resident_bytes=total("process_resident_memory_bytes"), descriptors=edge.child.open_descriptors(),
            connections=total("sluice_connections"), worker_connections=total("sluice_worker_connections"),
            queued_bytes=total("sluice_send_queue_bytes"), waiting=total("sluice_clients_waiting"))

    def met_by(self, now):
        """Later figures, if they are no more than these."""
        allowed = dataclasses.replace(self, resident_bytes=self.resident_bytes + KEPT_BYTES)
        return now if all(is_now <= may for is_now, may in zip(dataclasses.astuple(now), dataclasses.astuple(allowed))) else None


class Scene:
    """The edge, its workers and its clients. Close it, whatever happens."""

    def __init__(self, directory, users, clock=None, route=None, **sections):
        """`users`: how many there are, nine clients each: three come without TLS, three with it, three as streams of HTTP/2."""
        self.directory = directory
        self.random = random.Random(users)
        self.speakers = []
        self._wrongs = []
        self._names = itertools.count()
        self._tokens = {}
        self.users = [f"user-{number}" for number in range(users)]
        self._places = [(user, number) for user in self.users for number in range(PLACES_OF_A_USER)]
        self._route = {"ping": {"interval": "1s", "timeout": "20s"}} | (route or {})
        self.sites = []
        for name in ("one", "other"):
            (directory / name).mkdir()
            self.sites.append(Site(directory / name, names=(f"{name}.example.test", "localhost")))
        self._signer = self.sites[0]
        self._signer.trusted.append(self.sites[1].chain)
        self.chain, self.key = directory / "chain.pem", directory / "key.pem"
        self.sites[0].install(self.chain, self.key)
        with contextlib.ExitStack() as started:

            def closing(thing):
                started.callback(thing.close)
                return thing

            self.workers = [closing(ForeignWorker("node", directory, f"worker-{number}")) for number in range(3)]
            self.edge = closing(Edge(directory, self._signer, self._document(sections), clock=clock))
            self.reloaded = Reloaded(self.edge)
            self.crowd = closing(Crowd())
            self.wait_for_workers()
            self._started = started.pop_all()

    def close(self):
        self._started.close()

    def _document(self, sections):
        tls = {"certificates": [{"chain": str(self.chain), "key": str(self.key)}]}
        pool = {
            "workers": [str(self.directory / "worker-*.sock")],
            "health": {"path": "/hello", "interval": "300ms", "timeout": "1s", "fall": 2, "rise": 1}}
        return configuration(
            self.directory, self._signer, {"main": pool}, [self.route()],
            listeners=[
                {"name": "secure", "address": "127.0.0.1:0", "tls": tls}, {"name": "plain", "address": "127.0.0.1:0"}],
            limits={
                "exempt": ["127.0.0.0/8"], "handshakes": {"rate": "100000/s"},
                "per_user": {"connections": PLACES_OF_A_USER}}, **{"threads": 2} | sections)

    def route(self, **changes):
        """The route of everybody."""
        return open_route(auth="main") | self._route | changes

    def order(self, method, target, body, or_status=200):
        """Asks the admin plane for a change; `or_status`: what it may answer instead."""
        status, answer = self.edge.admin(method, target, body)
        assert status in (200, 201, or_status), answer

    def install_other_certificate(self):
        """Lets a renewal replace the files of the certificate."""
        self.sites.reverse()
        self.sites[0].install(self.chain, self.key)

    # Workers

    def wait_for_workers(self):
        """Waits until each worker is ready, and the edge thinks so too."""
        for worker in self.workers:
            worker.wait_until_ready()
        eventually(lambda: len([one for one in self.edge.workers() if one["up"]]) == len(self.workers), 20, "every worker being up")

    def is_up(self, worker):
        """Whether the edge gives clients to a worker."""
        return any(one["up"] for one in self.edge.workers() if one["path"] == str(worker.path))

    def clients_of(self, worker):
        """How many clients a worker has, as the edge sees it."""
        return sum(one["connections"] for one in self.edge.workers() if one["path"] == str(worker.path))

    # Clients

    def fill(self):
        """Lets clients come until every place is taken. A place is free as soon as the edge knows that its client went."""
        eventually(self.fill_once, 20, "every place being taken")

    def fill_once(self):
        """Lets everybody try once; gives whether every place is taken."""
        taken = {one.place for one in self.speakers}
        missing = [self._speaker(place) for place in self._places if place not in taken]
        ways = {way: [one for one in missing if one.way == way] for way in WAYS}
        entered = self.crowd.enter(self.edge, ways["plain"]) + self.crowd.enter(self.edge, ways["secure"], "secure")
        for start in range(0, len(ways["streams"]), STREAMS_OF_A_CONNECTION):
            entered += self.crowd.enter_streams(self.edge, ways["streams"][start:start + STREAMS_OF_A_CONNECTION])
        self.crowd.call(self.speakers.extend, entered)
        return len(self.speakers) == len(self._places)

    def _speaker(self, place):
        user, number = place
        speaker = Speaker(
            self.crowd, f"c{next(self._names)}", self._wrongs, fields=[("Authorization", f"Bearer {self.token(user)}")])
        speaker.place, speaker.way = place, WAYS[number % len(WAYS)]
        return speaker

    def token(self, user):
        """A token that is good for a month, and was before, too: a clock that jumps does not matter to it."""
        if user not in self._tokens:
            self._tokens[user] = self._signer.token(user, iat=None, exp=int(time.time()) + MONTH)
        return self._tokens[user]

    def talk(self, per_second):
        """Lets everybody who is there talk, until `crowd.hush`."""
        self.crowd.talk(self.speakers, per_second)

    def settle(self, speakers=None):
        """Waits until each client has heard all that it has said by now, or has ended."""
        marks = [(one, one.said) for one in list(self.speakers if speakers is None else speakers)]
        eventually(lambda: all(one.heard >= mark or one.end for one, mark in marks), 30, "everybody hearing what they said")

    def settle_all(self):
        """The same, once nobody speaks any more: everything has come back."""
        eventually(lambda: all(one.heard == one.said or one.end for one in self.speakers), 30, "everything being heard")

    def told(self):
        """How clients ended that did not go by themselves: a count of each close code, 1006 where a reader was not told."""
        ended = [one for one in self.speakers if one.end and not one.went]
        return collections.Counter(one.end.code for one in ended if one.end.code != 1006 or not one.is_behind)

    def forget_ended(self):
        """Takes those who ended off the list, once they were counted; gives how many."""

        def forget():
            before = len(self.speakers)
            self.speakers[:] = [one for one in self.speakers if not one.end]
            return before - len(self.speakers)

        return self.crowd.call(forget)

    def check(self):
        """Nobody has heard what they should not, and everything runs."""
        assert not self._wrongs, self._wrongs[:10]
        assert self.edge.child.exit_code is None, self.edge.child.errors[-4000:]

    def visit(self, per_second):
        """Everybody comes, talks and leaves; gives the figures that come of it."""
        self.fill()
        self.talk(per_second)
        self.settle()
        self.crowd.hush()
        return self.empty()

    def empty(self):
        """Lets everybody leave in order; gives the figures once the edge has let go of all that they held."""
        for one in self.speakers:
            one.leave()
        eventually(lambda: all(one.end for one in self.speakers), 20, "everybody having left")
        assert {one.end.code for one in self.speakers} <= {1000}
        self.forget_ended()
        return eventually(self._figures_of_nobody, 20, "every connection being gone")

    def _figures_of_nobody(self):
        return None if self.edge.open_connections() else Figures.of(self.edge)
