"""Every endpoint of the admin plane while 2,000 clients talk: each does what it says, and no message is lost for it."""

import json
import re

from crowd import Crowd
from edge import open_route
from eventstream import EventStream
from waiting import eventually

MANY = 2_000
ROUTES = [open_route(name="feed", path="/feed"), open_route(name="chat", path="/ws") | {"auth": "main"}, open_route()]


class Operator:
    """Asks an edge, and keeps what of its description was tried."""

    def __init__(self, edge):
        self._edge = edge
        self.tried = set()
        paths = self("GET", "/api/v1/openapi.json")["paths"]
        self.described = {(name.upper(), path) for path, item in paths.items() for name in item if name != "parameters"}

    def __call__(self, method, target, body=None, status=200):
        got, text = self._edge.admin(method, target, body)
        assert got == status, (method, target, got, text)
        self.tried.add((method, target.partition("?")[0]))
        return json.loads(text) if text.startswith("{") else text

    def untried(self):
        """The operations that nobody tried."""
        return {
            (method, path) for method, path in self.described
            if not any(method == tried and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), target) for tried, target in self.tried)}


def test_every_endpoint_serves_while_two_thousand_clients_talk(start_edge, directory, closing, site):
    crowd = closing(Crowd(directory / "worker.sock"))
    edge = start_edge({"main": [str(directory / "worker.sock")]}, ROUTES, threads=2)
    talkers = crowd.join(edge, MANY, "/open", source="127.0.0.2")
    before = crowd.talk(talkers, 1_000)
    ask = Operator(edge)

    def guests(count, path="/open"):
        """Clients that operators may be unkind to; none of them talks."""
        return crowd.join(edge, count, path, source="127.0.0.3")

    # What there is to see
    assert ask("GET", "/livez") and ask("GET", "/readyz") == "ready\n"
    assert ask("GET", "/api/v1/status")["connections"] == MANY
    assert f'sluice_connections{{listener="plain",protocol="http/1.1"}} {MANY}\n' in ask("GET", "/metrics")
    assert ask("GET", "/api/v1/whoami")["role"] == "admin"
    assert sum(route["connections"] for route in ask("GET", "/api/v1/routes")["routes"]) == MANY
    assert ask("GET", "/api/v1/workers")["workers"][0]["connections"] == MANY
    assert ask("GET", "/api/v1/certs")["certificates"][0]["days_left"] > 0
    assert ask("GET", "/api/v1/keys")["keys"][0]["location"] == str(site.jwks)
    assert ask("GET", "/api/v1/top?by=ip")["top"][0]["key"] == "127.0.0.2"
    events = closing(EventStream(edge, "?types=opened,closed,rule,reload&ip=127.0.0.3"))
    ask.tried.add(("GET", "/api/v1/events"))

    # One connection
    [guest] = guests(1)
    page = ask("GET", "/api/v1/connections?ip=127.0.0.3")
    assert (page["matched"], page["total"]) == (1, MANY + 1)
    one = f"/api/v1/connections/{page['connections'][0]['id']}"
    assert events.next("opened")["id"] == page["connections"][0]["id"]
    assert ask("PUT", f"{one}/throttle", {"messages_per_second": 5})["throttle"]["messages_per_second"] == 5
    assert ask("DELETE", f"{one}/throttle")["throttle"] is None
    ask("DELETE", one, {"code": 4001, "reason": "enough"})
    eventually(lambda: guest.end, what="the guest being closed")
    assert (guest.end.code, guest.end.reason, events.next("closed")["close_code"]) == (4001, "enough", 4001)
    assert ask("GET", one)["state"] == "closed"

    # Many
    crowd_of_guests = guests(20, "/feed")
    job = ask("POST", "/api/v1/connections/disconnect", {"selector": {"route": "feed"}, "rate_per_second": 1}, status=202)["job"]
    assert ask("GET", f"/api/v1/connections/disconnect/{job}")["matched"] == 20
    assert ask("DELETE", f"/api/v1/connections/disconnect/{job}")["done"]
    rule = ask("POST", "/api/v1/rules", {"action": "ban", "ip": "127.0.0.3", "ttl_seconds": 600}, status=201)["rule"]
    eventually(lambda: all(guest.end for guest in crowd_of_guests), what="the guests being banned")
    assert [found["id"] for found in ask("GET", "/api/v1/rules?ip=127.0.0.3")["rules"]] == [rule["id"]]
    assert ask("GET", f"/api/v1/rules/{rule['id']}") == rule
    ask("DELETE", f"/api/v1/rules/{rule['id']}")
    guests(1)

    # The workers and the edge
    for change in ({"weight": 7}, {"state": "drain"}, {"state": "ready", "weight": 1}):
        assert change.items() <= ask("PATCH", "/api/v1/workers/worker", change).items()
    assert ask("POST", "/api/v1/drain", {"delay_seconds": 600})["draining"]
    ask("GET", "/readyz", status=503)
    assert not ask("POST", "/api/v1/undrain", {})["draining"]
    assert ask("PUT", "/api/v1/log-level", {"level": "warn"}) == ask("GET", "/api/v1/log-level")
    document = json.loads(edge.path.read_text()) | {"timeouts": {"head": "9s"}}
    assert ask("POST", "/api/v1/config/validate", {"yaml": json.dumps(document)})["valid"]
    edge.path.write_text(json.dumps(document))
    assert ask("POST", "/api/v1/reload", {})["changed"]
    assert ask("GET", "/api/v1/config")["config"]["timeouts"]["head"] == "9s"

    assert ask.untried() == set()
    said = crowd.hush()
    eventually(lambda: crowd.received_count - before == said, what="every echo")
    assert said > 0 and all(talker.end is None for talker in talkers)
