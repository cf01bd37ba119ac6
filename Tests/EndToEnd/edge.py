"""The edge under test: the real binary, a generated configuration, ports that the kernel chose."""

import datetime
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import urllib.parse

from processes import Child
from service import handing_over
from waiting import eventually, patient

BINARIES = pathlib.Path(
    os.environ.get("EDGE_BIN_DIR", pathlib.Path(__file__).resolve().parents[2] / ".build" / "debug"))
SLUICE = BINARIES / "sluice"


def configuration(directory, site, pools, routes, **sections):
    """A configuration with a TLS and a plain listener, and an admin socket that is ours.

    `pools` maps names to socket paths, or to whole sections; `sections` replaces whole top-level sections.
    """
    tls = {"certificates": [{"chain": str(site.chain), "key": str(site.key)}]}
    document = {
        "version": 1,
        "state_dir": str(directory),
        "listeners": [
            {"name": "secure", "address": "127.0.0.1:0", "tls": tls},
            {"name": "plain", "address": "127.0.0.1:0", "protocols": ["h2", "http/1.1"]},
        ],
        "limits": {"exempt": ["127.0.0.0/8"], "handshakes": {"rate": "10000/s"}},
        "auth": {
            "main": {
                "issuer": "https://id.example.test/", "audience": ["chat"], "algorithms": ["ES256"],
                "keys": {"file": str(site.jwks)}, "token_from": ["header", "cookie:session"], "leeway": "1s",
            }
        },
        "pools": {
            name: pool if isinstance(pool, dict) else {"workers": [str(path) for path in pool]} for name, pool in pools.items()},
        # A client that a test plays by hand answers no ping, and a busy machine may take its time.
        "routes": [{"ping": {"interval": "1h"}} | route for route in routes],
        "admin": {"listen": [f"unix:{directory}/admin.sock"]},
        "drain": {"delay": "0s", "spread": "0s", "timeout": "5s"},
    }
    return document | sections


def open_route(pool="main", name="open", path="/", **more):
    """A route that everyone may use."""
    return {"name": name, "match": {"path": path}, "pool": pool, "origins": "*"} | more


class Edge:
    """A running edge. Close it, or use it as a context manager."""

    def __init__(self, directory, site, document, descriptors=None, clock=None, environment=None, passed=None):
        """`clock`: the time that it is to believe; `passed`: sockets by the names under which a service manager hands them over."""
        self.directory = directory
        self.site = site
        self.path = directory / "sluice.yaml"
        self.path.write_text(json.dumps(document, indent=1))  # JSON is YAML
        command = [SLUICE, "run", "-c", self.path]
        self._clock = clock
        names, numbers = {}, ()
        if passed:
            command, names, numbers = handing_over(command, passed)
        self.child = Child(
            clock.command(command) if clock else command, directory, "sluice", names | (environment or {}), descriptors=descriptors,
            passed=numbers)
        self._listener_count = len(document["listeners"])
        try:
            self.ports = eventually(self._bound_ports, 30, what=f"the edge being ready ({self.child.errors})")
        except AssertionError:
            self.close()
            raise AssertionError(f"the edge did not start: {self.child.errors}") from None

    def _bound_ports(self):
        assert self.child.exit_code is None, f"the edge ended with {self.child.exit_code}: {self.child.errors}"
        ready = [line for line in self.log() if line["event.name"] == "listener.ready"]
        if len(ready) < self._listener_count:
            return None
        addresses = {line["listener"]: line["server.address"] for line in ready}
        return {name: int(address.rpartition(":")[2]) for name, address in addresses.items() if not address.startswith("unix:")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.child.close()
        if self._clock:
            self._clock.forget(self.child.pid)

    # Where it is

    @property
    def wss(self):
        return f"wss://localhost:{self.ports['secure']}"

    @property
    def https(self):
        return f"https://localhost:{self.ports['secure']}"

    def connect(self, listener="secure", receive_buffer=None, source=None, host="127.0.0.1", protocols=()):
        """A connected socket to a listener, with TLS where the listener has it.

        `source`: the client's own address; `protocols`: what it offers by ALPN.
        """
        raw = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        raw.settimeout(patient(10))
        if receive_buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source is not None:
            raw.bind((source, 0))
        raw.connect((host, self.ports[listener]))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if listener == "secure":
            context = self.site.client_context()
            if protocols:
                context.set_alpn_protocols(protocols)
            return context.wrap_socket(raw, server_hostname="localhost")
        return raw

    # What it says of itself

    def log(self):
        """Every whole log line so far, as objects."""
        lines = self.child.error_path.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith(b"{")]

    def events(self, name, **fields):
        """The log lines of one event whose fields have these values; `close_code` stands for `close.code`."""
        wanted = {key.replace("_", "."): value for key, value in fields.items()}
        return [
            line for line in self.log()
            if line["event.name"] == name and all(line.get(key) == value for key, value in wanted.items())]

    def times(self, name, **fields):
        """When these events happened by the edge's own clock, in seconds: in order, however late a test hears of them."""
        return sorted(datetime.datetime.fromisoformat(line["timestamp"]).timestamp() for line in self.events(name, **fields))

    def admin(self, method, target, body=None, headers=None):
        """Asks the admin plane over its Unix socket; gives status and body."""
        return self.ask(method, target, body, headers)[:2]

    def ask(self, method, target, body=None, headers=None):
        """The same; gives status, body and fields."""
        connection = _UnixConnection(self.directory / "admin.sock")
        try:
            fields = dict(headers or {})
            if body is not None:
                fields.setdefault("Content-Type", "application/json")
            connection.request(method, target, json.dumps(body) if body is not None else None, fields)
            response = connection.getresponse()
            return response.status, response.read().decode(), response.headers
        finally:
            connection.close()

    def admin_address(self):
        """Where the admin plane listens on TCP, as host and port."""
        addresses = [line["server.address"] for line in self.log() if line["event.name"] == "admin.ready"]
        return next(address for address in addresses if not address.startswith("unix:"))

    @property
    def admin_addresses(self):
        """Where operators are served, in the order of the configuration."""
        return [line["server.address"] for line in self.events("admin.ready")]

    @property
    def metrics_address(self):
        """Where anybody may scrape, if the configuration says so."""
        return self.admin_addresses[-1]

    def admin_socket(self):
        """A connected socket to the admin plane."""
        return _UnixConnection(self.directory / "admin.sock").connected()

    def connections(self, **query):
        """The open WebSockets, as the admin plane lists them."""
        target = "/api/v1/connections" + ("?" + urllib.parse.urlencode(query) if query else "")
        status, body = self.admin("GET", target)
        assert status == 200, body
        return json.loads(body)["connections"]

    def open_connections(self):
        """How many clients are connected, WebSocket or not."""
        status, body = self.admin("GET", "/api/v1/status")
        assert status == 200, body
        return json.loads(body)["connections"]

    def clock(self):
        """What time it is for the edge, in seconds since 1970."""
        status, body = self.admin("GET", "/api/v1/status")
        assert status == 200, body
        return datetime.datetime.fromisoformat(json.loads(body)["now"]).timestamp()

    def rules(self, **query):
        """The rules in force, as the admin plane lists them."""
        status, body = self.admin("GET", "/api/v1/rules?" + urllib.parse.urlencode(query))
        assert status == 200, body
        return json.loads(body)["rules"]

    def rule(self, action, status=201, **order):
        """Makes a rule, or asks in vain for `status`; gives the answer."""
        got, body = self.admin("POST", "/api/v1/rules", {"action": action} | order)
        assert got == status, body
        return json.loads(body)

    def lift(self, rule):
        """Takes a rule out of force."""
        status, body = self.admin("DELETE", f"/api/v1/rules/{rule['id']}")
        assert status == 200, body
        return json.loads(body)

    def workers(self):
        """Every worker, as the admin plane lists them."""
        status, body = self.admin("GET", "/api/v1/workers")
        assert status == 200, body
        return json.loads(body)["workers"]

    def settle(self):
        """Waits until every reactor has ended its turn: what a client or worker has seen of it is counted from then on."""
        self.connections(ip="192.0.2.255", limit=1)

    def metrics(self):
        """A scrape, once the edge has settled: {(name, frozenset of labels): value}."""
        self.settle()
        status, text = self.admin("GET", "/metrics")
        assert status == 200
        samples = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, labels, value = re.fullmatch(r"([a-z0-9_]+)(?:\{(.*)\})? (\S+)", line).groups()
                samples[name, frozenset(re.findall(r'([a-z_]+)="([^"]*)"', labels or ""))] = float(value)
        return samples

    def metric(self, name, **labels):
        """The sum of a metric's samples that bear these labels."""
        wanted = set(labels.items())
        return sum(value for (sample, has), value in self.metrics().items() if sample == name and wanted <= has)

    def terminate(self):
        self.child.signal(signal.SIGTERM)


class Reloaded:
    """An edge and its document: `change` writes the file anew, and asks for a reload."""

    def __init__(self, edge):
        self.edge = edge
        self.document = json.loads(edge.path.read_text())

    def write(self, **sections):
        self.document |= sections
        beside = self.edge.path.with_suffix(".new")
        beside.write_text(json.dumps(self.document, indent=1))
        os.replace(beside, self.edge.path)

    def change(self, **sections):
        """Asks by signal; waits until another configuration is in force."""
        done = len(self.edge.events("reload.applied"))
        self.write(**sections)
        self.edge.child.signal(signal.SIGHUP)
        eventually(lambda: len(self.edge.events("reload.applied")) > done)

    def refused(self, **sections):
        """Asks by signal for what cannot be; gives what the log says of it."""
        done = len(self.edge.events("reload.failed"))
        before = dict(self.document)
        self.write(**sections)
        self.edge.child.signal(signal.SIGHUP)
        lines = eventually(lambda: self.edge.events("reload.failed")[done:])
        self.write(**before)
        return [line["error.type"] for line in lines]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=patient(10))
        self._path = str(path)

    def connected(self):
        self.connect()
        return self.sock

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
