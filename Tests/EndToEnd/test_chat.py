"""The chat service behind the edge: two `chat-worker` processes, people on both, a foreign client library."""

import asyncio
import json
import random

import pytest

from clients import WebsocketsClient
from edge import BINARIES, Edge, configuration
from processes import Child
from waiting import eventually

ORIGIN = "https://chat.example.test"


@pytest.fixture
def workers(directory, closing):
    """Two workers that know each other."""
    started = []
    for name in ("one", "two"):
        addresses = ["--listen", f"unix:{directory}/{name}.sock", "--broker", f"unix:{directory}/broker"]
        started.append(closing(Child([BINARIES / "chat-worker", *addresses], directory, name)))
    eventually(lambda: all((directory / f"{name}.sock").exists() for name in ("one", "two")))
    return started


@pytest.fixture
def edge(directory, site, workers, closing):
    routes = [{
        "name": "chat", "match": {"path": "/ws"}, "pool": "main", "auth": "main", "origins": [ORIGIN],
        "headers": {"set": {"X-Sluice-User": "{claim.sub}"}}}]
    return closing(Edge(directory, site, configuration(
        directory, site, {"main": [directory / "one.sock", directory / "two.sock"]}, routes)))


class Person:
    """Somebody who chats."""

    def __init__(self, edge, name):
        self.edge = edge
        self.name = name
        self.heard = []

    async def come(self, room=None, **position):
        headers = {"Authorization": f"Bearer {self.edge.site.token(self.name)}"}
        self.socket = await WebsocketsClient().open(
            self.edge.wss + "/ws", self.edge.site.client_context(), ["chat.v1"], headers, ORIGIN)
        assert (await self.until("welcome"))["senderId"] == self.name
        if room:
            await self.send("join", room=room, **position)
            return await self.until("joined")

    async def send(self, type, **data):
        await self.socket.send(json.dumps({"type": type, "data": data}))

    async def receive(self):
        envelope = json.loads(await self.socket.receive())
        self.heard.append(envelope)
        return envelope

    async def until(self, type, **wanted):
        """The next envelope of a type whose members have these values."""
        while True:
            envelope = await self.receive()
            if envelope["type"] == type and all(envelope["data"].get(key) == value for key, value in wanted.items()):
                return envelope["data"]

    async def messages(self, count):
        """The next messages: (sequence, sender, text)."""
        found = [await self.until("message") for _ in range(count)]
        return [(message["sequence"], message["senderId"], message["text"]) for message in found]


async def test_people_on_different_workers_see_the_same_messages_in_the_same_order(edge):
    people = [Person(edge, f"person-{number}") for number in range(6)]
    for person in people:
        await person.come("lobby")
    assert {line["worker"] for line in edge.connections()} == {str(edge.directory / name) for name in ("one.sock", "two.sock")}

    async def talk(person):
        for number in range(20):
            await person.send("message", room="lobby", text=f"{person.name} says {number}", id=f"{person.name}-{number}")
            await asyncio.sleep(random.random() / 200)

    await asyncio.gather(*[talk(person) for person in people])
    heard = await asyncio.gather(*[person.messages(120) for person in people])
    assert all(messages == heard[0] for messages in heard)
    assert [sequence for sequence, _, _ in heard[0]] == list(range(1, 121))
    for person in people:
        own = [text for _, sender, text in heard[0] if sender == person.name]
        assert own == [f"{person.name} says {number}" for number in range(20)]


async def test_the_sender_is_the_verified_user_whatever_a_message_claims(edge):
    ada, mallory = Person(edge, "ada"), Person(edge, "mallory")
    await ada.come("lobby")
    await mallory.come("lobby")
    await mallory.send("message", room="lobby", text="I am ada", senderId="ada", timestamp=0, sequence=7)
    message = await ada.until("message")
    assert (message["senderId"], message["sequence"]) == ("mallory", 1)
    assert message["timestamp"] > 1_600_000_000_000


async def test_who_comes_back_gets_exactly_what_was_missed(edge):
    ada, grace = Person(edge, "ada"), Person(edge, "grace")
    await ada.come("lobby")
    joined = await grace.come("lobby")
    await ada.send("message", room="lobby", text="first")
    assert await grace.messages(1) == [(1, "ada", "first")]
    await grace.socket.close()
    for number in range(5):
        await ada.send("message", room="lobby", text=f"missed {number}")
    await ada.messages(6)
    again = await grace.come("lobby", since=1, epoch=joined["epoch"])
    assert [message["text"] for message in again["messages"]] == [f"missed {number}" for number in range(5)]
    assert again["gap"] is None and again["resumed"]


async def test_a_message_sent_again_is_said_once(edge):
    ada, grace = Person(edge, "ada"), Person(edge, "grace")
    await ada.come("lobby")
    await grace.come("lobby")
    for _ in range(3):
        await ada.send("message", room="lobby", text="once", id="m-1")
    acks = [await ada.until("ack") for _ in range(3)]
    assert [(ack["sequence"], ack["duplicate"]) for ack in acks] == [(1, False), (1, True), (1, True)]
    await ada.send("message", room="lobby", text="next", id="m-2")
    assert await grace.messages(2) == [(1, "ada", "once"), (2, "ada", "next")]


async def test_nothing_is_lost_when_a_worker_dies_and_people_send_again(edge, workers):
    people = [Person(edge, name) for name in ("ada", "grace", "kim", "lee")]
    for person in people:
        await person.come("lobby")
    for person in people:
        await person.send("message", room="lobby", text="before", id=f"{person.name}-1")
    for person in people:
        await person.messages(4)
    workers[0].kill()
    for person in people:
        await person.socket.close()
        joined = await person.come("lobby")
        # The room's messages lived on in the other worker.
        assert len(joined["messages"]) == 4
    for person in people:
        await person.send("message", room="lobby", text="again", id=f"{person.name}-1")
        assert (await person.until("ack"))["duplicate"]


@pytest.mark.parametrize("text,code", [
    ("no json", "bad_json"), ("[]", "bad_envelope"), ("{}", "bad_envelope"), ('{"type":"fly","data":{}}', "unknown_type"),
    ('{"type":"join","data":{"room":"a b"}}', "invalid_field"), ('{"type":"join","data":{"room":7}}', "invalid_field"),
    ('{"type":"message","data":{"room":"elsewhere","text":"x"}}', "not_joined"),
    ('{"type":"message","data":{"room":"lobby","text":""}}', "invalid_field"),
    (json.dumps({"type": "message", "data": {"room": "lobby", "text": "x" * 10_000}}), "invalid_field"),
    ('{"type":"join","type":"leave","data":{"room":"lobby"}}', "bad_json"), ("[" * 5000, "bad_json"), (b"\x00", "not_text")],
    ids=lambda value: str(value)[:40])
async def test_a_malformed_envelope_is_answered_with_an_error_and_harms_nobody(edge, text, code):
    ada = Person(edge, "ada")
    await ada.come("lobby")
    await ada.socket.send(text)
    assert (await ada.until("error"))["code"] == code
    await ada.send("message", room="lobby", text="still here")
    assert await ada.messages(1) == [(1, "ada", "still here")]


async def test_presence_and_typing_are_told_to_the_room(edge):
    ada, grace = Person(edge, "ada"), Person(edge, "grace")
    await ada.come("lobby")
    joined = await grace.come("lobby")
    assert joined["users"] == ["ada", "grace"]
    assert await ada.until("presence", senderId="grace") == {"room": "lobby", "senderId": "grace", "online": True}
    await grace.send("typing", room="lobby", active=True)
    assert (await ada.until("typing", senderId="grace"))["active"] is True
    await grace.socket.close()
    assert (await ada.until("presence", senderId="grace"))["online"] is False
