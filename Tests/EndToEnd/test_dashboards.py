"""What `dashboards/` gives to operators: every panel shows data, and every alert fires under the fault that it is for."""

import contextlib
import http.client
import itertools
import json
import queue
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import yaml

from conftest import short_directory
from edge import Edge, configuration, open_route
from frames import BINARY, TEXT, FrameStream, frame, upgrade_request
from monitoring import ALERTS, DASHBOARDS, PROMTOOL, Prometheus, dashboards, filled_in, panels
from ports import HeldPort
from providers import Key, Provider
from rawhttp import ByteStream
from tokens import AUDIENCE, ISSUER, Site
from waiting import eventually, patient
from workers import EchoWorker, RawWorker, RespondingWorker, accept_upgrade

OPERATIONS = DASHBOARDS.parent / "docs" / "operations.md"
NOBODY = ["/nonexistent/*.sock"]


class Scene:
    """Edges in trouble, watched by one Prometheus: troubles begin together, so that none has to wait for the others."""

    def __init__(self, stack):
        self._stack = stack
        self.site = Site(self.directory())
        self.prometheus = self.keep(Prometheus(self.directory()))
        self._began = time.monotonic()
        self._ended = threading.Event()

    @property
    def age(self):
        """Seconds since it began."""
        return time.monotonic() - self._began

    def directory(self):
        return self._stack.enter_context(short_directory())

    def keep(self, thing):
        """Closes `thing` at the end."""
        self._stack.callback(thing.close)
        return thing

    def edge(self, name, workers=NOBODY, routes=None, site=None, descriptors=None, **sections):
        """An edge that Prometheus knows as `name`; `workers` are paths of its pool `main`, or all pools."""
        directory = self.directory()
        sections = {"admin": {"listen": [f"unix:{directory}/admin.sock"], "metrics_listen": "127.0.0.1:0"}} | sections
        document = configuration(
            directory, site or self.site, workers if isinstance(workers, dict) else {"main": workers}, routes or [open_route()],
            **sections)
        edge = self.keep(Edge(directory, site or self.site, document, descriptors=descriptors))
        self.prometheus.watch(name, edge)
        return edge

    def worker(self, kind=RawWorker):
        return self.keep(kind(self.directory() / "worker.sock"))

    def address_of_its_own(self):
        """A loopback address whose port nobody else gets, even while nobody listens there."""
        return self.keep(HeldPort()).address

    def press(self, action):
        """Does something again and again, until the end; whatever the edge makes of it."""

        def press():
            while not self._ended.wait(0.2):
                with contextlib.suppress(OSError, EOFError, AssertionError, queue.Empty):
                    action()

        self.background(press)

    def background(self, action):
        threading.Thread(target=action, daemon=True).start()

    def end(self):
        self._ended.set()

    def wait_for_the_end(self):
        self._ended.wait()

    @property
    def has_ended(self):
        return self._ended.is_set()

    def fired(self, alert, name):
        return bool(self.prometheus.query(
            f'last_over_time(ALERTS{{alertname="{alert}",alertstate="firing",instance="{name}"}}[1h])'))


def ask(edge, target="/ws", fields=(), listener="plain"):
    """Opens a WebSocket, or tries to; gives its stream."""
    stream = FrameStream(edge.connect(listener))
    stream.send(upgrade_request(target, fields))
    stream.status = stream.response().status
    return stream


# The troubles


def an_edge_that_crashed(scene):
    address = scene.address_of_its_own()
    scene.edge("crashed", admin={"listen": [], "metrics_listen": address}).child.kill()


def an_edge_that_crashes_again_and_again(scene):
    edge = scene.edge("restarting", admin={"listen": [], "metrics_listen": scene.address_of_its_own()})
    document = json.loads(edge.path.read_text())

    def starts():
        return {value for _, value in scene.prometheus.query('process_start_time_seconds{instance="restarting"}')}

    def crash(edge):
        seen = set()
        for _ in range(2):
            seen |= eventually(lambda: starts() - seen, 20, "the start being scraped")
            edge.child.kill()
            edge = scene.keep(Edge(edge.directory, edge.site, document))
        scene.wait_for_the_end()  # with the thread that started it, the edge would end

    scene.background(lambda: crash(edge))


def a_drain_that_was_forgotten(scene):
    scene.edge("draining", drain={"delay": "2m", "spread": "0s", "timeout": "3m"}).terminate()


def a_configuration_with_a_typing_error(scene):
    edge = scene.edge("mistyped")
    edge.path.write_text(edge.path.read_text().replace('"listeners"', '"listenres"'))
    scene.press(lambda: edge.child.signal(signal.SIGHUP))


def a_disk_that_is_full(scene):
    edge = scene.edge("unlogged", log={"access": "/dev/full"})
    scene.press(lambda: ask(edge).close())


def a_full_edge(scene):
    edge = scene.edge("full", limits={"max_connections": 4, "exempt": ["127.0.0.0/8"], "handshakes": {"rate": "10000/s"}})
    for _ in range(4):
        scene.keep(edge.connect("plain"))
    scene.press(lambda: ask(edge).close())


def a_rush_of_clients(scene):
    edge = scene.edge("rushed", limits={"exempt": ["127.0.0.0/8"], "handshakes": {"rate": "1/s", "queue_timeout": "60s"}})
    for _ in range(60):
        scene.keep(edge.connect("plain"))


def a_reactor_that_has_no_processor(scene):
    worker = scene.worker()
    edge = scene.edge("starved", [worker.path], threads=1)
    client = scene.keep(FrameStream(edge.connect("plain")))
    client.send(upgrade_request())
    upstream = worker.next()
    accept_upgrade(upstream)
    client.response()
    flood = frame(BINARY, bytes(1 << 20), mask=b"\0\0\0\0") * 8

    def is_over():
        return scene.has_ended or scene.fired("SluiceEventLoopLag", "starved")

    def send():
        client.sock.settimeout(None)
        with contextlib.suppress(OSError):
            while True:
                client.sock.sendall(flood)

    def take():
        upstream.sock.settimeout(None)
        while upstream.sock.recv(1 << 20):
            pass

    def starve():
        while not is_over():
            edge.child.signal(signal.SIGSTOP)
            time.sleep(0.2)
            edge.child.signal(signal.SIGCONT)
            time.sleep(0.2)
        client.sock.shutdown(socket.SHUT_RDWR)

    for action in (send, take, starve):
        scene.background(action)


def clients_that_do_not_read(scene):
    worker = scene.worker()
    edge = scene.edge("slow", [worker.path], timeouts={"stall": {"min_bytes": "4KiB", "timeout": "4s"}})

    def fall_asleep():
        client = scene.keep(FrameStream(edge.connect("plain", receive_buffer=4096)))
        client.send(upgrade_request())
        upstream = worker.next()
        accept_upgrade(upstream)
        for _ in range(256):  # until the edge ends it
            upstream.send_frame(BINARY, bytes(65_536))

    for _ in range(3):
        scene.press(fall_asleep)


def descriptors_that_run_out(scene):
    edge = scene.edge("exhausted", descriptors=256)
    for _ in range(400):
        scene.keep(edge.connect("plain"))


def a_page_that_asks_for_a_wrong_path(scene):
    edge = scene.edge("refusing", routes=[open_route(path="/ws")])
    scene.press(lambda: [ask(edge, "/nothing").close() for _ in range(3)])


def more_addresses_than_a_table_holds(scene):
    """A proxy that is trusted and says what it likes: each attempt has an address of its own, to be remembered for an hour."""
    edge = scene.edge(
        "crowded", routes=[open_route(origins=["https://chat.example.test"])], trusted_proxies=["127.0.0.0/8"],
        limits={"handshakes": {"rate": "10000/s"}, "per_ip": {"connections": 10, "handshakes": {"rate": "1/1h", "burst": 1}}})
    proxy = scene.keep(ByteStream(edge.connect("plain")))
    numbers = itertools.count()

    def attempt(count):
        addresses = [f"2a{number >> 16:02x}:{number & 0xFFFF:x}::1" for number in itertools.islice(numbers, count)]
        proxy.send(b"".join(upgrade_request(fields=[("X-Forwarded-For", address)]) for address in addresses))
        for _ in addresses:
            proxy.response()

    def come():
        with contextlib.suppress(OSError, EOFError):
            for _ in range(70):  # an IPv6 address is counted by two blocks, and the table has room for 65,536
                attempt(500)
            while not scene.has_ended:
                attempt(20)
                time.sleep(0.2)

    scene.background(come)


def clients_that_speak_no_tls(scene):
    edge = scene.edge("garbled")

    def talk():
        with socket.create_connection(("127.0.0.1", edge.ports["secure"]), timeout=patient(5)) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            client.recv(100)

    scene.press(talk)


def clients_that_talk_too_fast(scene):
    worker = scene.worker(EchoWorker)
    delaying = open_route(name="delaying", path="/delaying", messages={"rate": "1/s", "burst": 1, "over": "delay"})
    edge = scene.edge("throttled", [worker.path], [
        open_route(messages={"rate": "1/s", "burst": 1, "over": "drop"}), delaying])
    client = scene.keep(ask(edge))
    scene.press(lambda: [client.send_frame(TEXT, b"me again") for _ in range(5)])
    waiting = scene.keep(ask(edge, "/delaying"))
    for _ in range(90):
        waiting.send_frame(TEXT, b"patience")


def somebody_who_guesses_admin_tokens(scene):
    directory = scene.directory()
    listen = [f"unix:{directory}/admin.sock", "127.0.0.1:0"]
    edge = scene.edge("besieged", admin={"listen": listen, "metrics_listen": "127.0.0.1:0"})

    def guess():
        host, port = edge.admin_addresses[1].split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=patient(5))
        connection.request(
            "POST", "/api/v1/rules", "{}", {"Content-Type": "application/json", "Authorization": "Bearer guessed"})
        connection.getresponse().read()
        connection.close()

    scene.press(lambda: [guess() for _ in range(2)])


def a_pool_whose_workers_are_gone(scene):
    edge = scene.edge("lost")
    scene.press(lambda: ask(edge).close())


def a_worker_that_crashed(scene):
    alive, dead = scene.worker(EchoWorker), scene.worker()
    edge = scene.edge("halved", [alive.path, dead.path])
    dead.stop_listening()
    scene.press(lambda: [ask(edge).close() for _ in range(2)])


def a_worker_with_a_bug(scene):
    worker = scene.worker()
    edge = scene.edge("misled", [worker.path])

    def meet():
        client = FrameStream(edge.connect("plain"))
        client.send(upgrade_request())
        upstream = worker.next(patient(5))
        accept_upgrade(upstream)
        upstream.send_frame(TEXT, b"masked", mask=b"1234")
        client.response()
        client.close_frame()
        client.close()
        upstream.close()

    scene.press(meet)


def clients_with_a_bug(scene):
    """For the panels: no alert is for them, since the internet is full of them."""
    worker = scene.worker(EchoWorker)
    edge = scene.edge("poked", [worker.path])

    def poke():
        client = ask(edge)
        client.send_frame(TEXT, b"not masked", mask=None)
        client.close_frame()
        client.close()

    scene.press(poke)


def a_client_that_floods_http2(scene):
    """For the panel as well: a connection that floods ends, and that is all."""
    edge = scene.edge("flooded")
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    ping = bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + bytes(8)

    def flood():
        context = edge.site.client_context()
        context.set_alpn_protocols(["h2"])
        with socket.create_connection(("127.0.0.1", edge.ports["secure"]), timeout=patient(5)) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as client:
                client.sendall(preface + ping * 20_000)
                while client.recv(65_536):
                    pass

    scene.press(flood)


def a_provider_that_does_not_answer(scene):
    url = f"https://localhost:{scene.keep(HeldPort()).number}/jwks"
    keys = {"url": url, "ca_file": str(scene.site.chain)}
    auth = {"main": {"issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["ES256"], "keys": keys}}
    scene.edge("keyless", routes=[open_route() | {"auth": "main"}], auth=auth)


def a_certificate_that_nobody_renewed(scene):
    scene.edge("expiring")


def no_trouble(scene):
    """An edge with everything that edges do in peace."""
    site = Site(scene.directory(), days=90)
    key = Key("a")
    provider = scene.keep(Provider(site, key))
    keys = {"url": provider.url, "ca_file": str(site.chain)}
    auth = {"main": {"issuer": ISSUER, "audience": [AUDIENCE], "algorithms": ["ES256"], "keys": keys}}
    echo, plain = scene.worker(EchoWorker), scene.worker(RespondingWorker)
    edge = scene.edge(
        "healthy", {"main": [echo.path], "plain": [plain.path]},
        [open_route() | {"auth": "main"}, open_route("plain", "plain", "/plain")], site=site, auth=auth,
        limits={"per_ip": {"connections": 1000, "handshakes": {"rate": "1000/s", "burst": 1000}}})
    bearer = [("Authorization", f"Bearer {key.token()}")]
    edge.rule("throttle", user="nobody", messages_per_second=5)

    def talk(listener):
        client = ask(edge, fields=bearer, listener=listener)
        for number in range(30):
            client.send_frame(TEXT, b"%d" % number)
            assert client.frame().payload == b"%d" % number
        client.send_close(1000)
        client.close_frame()
        client.close()
        client = ByteStream(edge.connect(listener))
        client.send(b"GET /plain HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        client.response()
        client.close()

    scene.keep(ask(edge, fields=bearer, listener="secure"))
    scene.press(lambda: talk("secure"))


FAULTS = [
    ("SluiceDown", "crashed", an_edge_that_crashed),
    ("SluiceRestarts", "restarting", an_edge_that_crashes_again_and_again),
    ("SluiceDrainingTooLong", "draining", a_drain_that_was_forgotten),
    ("SluiceReloadFailed", "mistyped", a_configuration_with_a_typing_error),
    ("SluiceLogRecordsDropped", "unlogged", a_disk_that_is_full),
    ("SluiceFull", "full", a_full_edge),
    ("SluiceNearConnectionLimit", "full", a_full_edge),
    ("SluiceClientsWait", "rushed", a_rush_of_clients),
    ("SluiceEventLoopLag", "starved", a_reactor_that_has_no_processor),
    ("SluiceSendQueueGrowing", "slow", clients_that_do_not_read),
    ("SluiceSlowConsumers", "slow", clients_that_do_not_read),
    ("SluiceDescriptorsNearLimit", "exhausted", descriptors_that_run_out),
    ("SluiceLimiterEvictions", "crowded", more_addresses_than_a_table_holds),
    ("SluiceRefusalsSurge", "refusing", a_page_that_asks_for_a_wrong_path),
    ("SluiceTLSHandshakesFail", "garbled", clients_that_speak_no_tls),
    ("SluiceThrottlingSurge", "throttled", clients_that_talk_too_fast),
    ("SluiceAdminDenied", "besieged", somebody_who_guesses_admin_tokens),
    ("SluicePoolWithoutWorkers", "lost", a_pool_whose_workers_are_gone),
    ("SluiceWorkersFailHandshakes", "lost", a_pool_whose_workers_are_gone),
    ("SluiceWorkerDown", "halved", a_worker_that_crashed),
    ("SluiceWorkerBreaksProtocol", "misled", a_worker_with_a_bug),
    ("SluiceCertificateExpiresSoon", "expiring", a_certificate_that_nobody_renewed),
    ("SluiceCertificateExpires", "expiring", a_certificate_that_nobody_renewed),
    ("SluiceKeySetStale", "keyless", a_provider_that_does_not_answer),
]


@pytest.fixture(scope="module")
def scene():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack)
        stack.callback(scene.end)
        no_trouble(scene)
        clients_with_a_bug(scene)
        a_client_that_floods_http2(scene)
        for trouble in dict.fromkeys(trouble for _, _, trouble in FAULTS):
            trouble(scene)
        yield scene


# Alerts


def alert_names():
    return re.findall(r"- alert: (\w+)", ALERTS.read_text())


def test_the_rules_and_the_example_are_valid_and_pass_their_unit_tests():
    directory = ALERTS.parent
    for arguments in (["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run([PROMTOOL, *arguments], cwd=directory, capture_output=True, text=True, timeout=patient(60))
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_unit_test_a_fault_and_a_section_that_says_what_to_do():
    names = alert_names()
    assert len(set(names)) == len(names)
    assert re.findall(r"- name: (\w+)", (ALERTS.parent / "alerts.test.yml").read_text()) == names
    assert {alert for alert, _, _ in FAULTS} == set(names)
    assert re.findall(r"^### (Sluice\w+)", OPERATIONS.read_text(), re.M) == names


def test_every_alert_has_a_severity_a_summary_and_a_description(scene):
    rules = [rule for group in scene.prometheus.rules() for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == set(alert_names())
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["name"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["name"]


@pytest.mark.parametrize("alert, name", [(alert, name) for alert, name, _ in FAULTS])
def test_an_alert_fires_under_the_fault_that_it_is_for(scene, alert, name):
    eventually(lambda: scene.fired(alert, name), 60, f"{alert} firing for {name}")


def test_a_rendered_alert_names_the_edge_in_trouble(scene):
    alerts = scene.prometheus.alerts()
    [down] = [alert for alert in alerts if (alert["labels"]["alertname"], alert["labels"]["instance"]) == ("SluiceDown", "crashed")]
    assert down["annotations"]["summary"] == "The edge crashed does not answer scrapes."
    assert not [alert for alert in alerts if "error" in alert["annotations"]["summary"]]


# Dashboards


@pytest.mark.parametrize("name", dashboards())
def test_every_panel_shows_data(scene, name):
    for panel in panels(dashboards()[name]):
        for target in panel["targets"]:
            expression = filled_in(target["expr"])

            def shows():
                values = scene.prometheus.history(expression, seconds=scene.age + 1)
                return any(value == value and value != 0 for value in values)

            eventually(shows, 30, f"{name}: {panel['title']}: {expression} having data")


@pytest.mark.parametrize("name", dashboards())
def test_every_annotation_and_variable_asks_a_question_that_prometheus_understands(scene, name):
    dashboard = dashboards()[name]
    for annotation in dashboard["annotations"]["list"]:
        scene.prometheus.query(filled_in(annotation["expr"]))
    variable = next(each for each in dashboard["templating"]["list"] if each["name"] == "instance")
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
    assert {labels[label] for labels, _ in scene.prometheus.query(metric)} >= {"healthy", "full"}


@pytest.mark.parametrize("name", dashboards())
def test_a_dashboard_is_laid_out_and_every_panel_explained(name):
    dashboard = dashboards()[name]
    assert dashboard["uid"] == name and dashboard["title"] and dashboard["description"]
    everything = dashboard["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken = set()
    for panel in everything:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    for panel in panels(dashboard):
        assert panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel
        assert panel["datasource"]["uid"] == "${datasource}"
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    linked = {link["url"].removeprefix("/d/") for link in dashboard["links"]}
    assert linked == set(dashboards()) - {name}


# Debian has no Grafana. What it reads of a dashboard is held to what it knows: kinds of panels, units, variables, placeholders.
KINDS = {"row", "stat", "table", "timeseries"}
UNITS = {"Bps", "bytes", "cps", "mps", "none", "ops", "percentunit", "reqps", "s", "short"}
CALCULATIONS = {"lastNotNull", "last", "max", "mean", "min", "sum"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("name", dashboards())
def test_a_dashboard_is_made_of_what_grafana_knows(name):
    dashboard = dashboards()[name]
    assert 36 <= dashboard["schemaVersion"] <= 41 and "id" not in dashboard and "__inputs" not in dashboard
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    assert variables["instance"]["type"] == "query" and variables["instance"]["datasource"] == SOURCE
    assert {panel["type"] for panel in dashboard["panels"]} <= KINDS
    for panel in panels(dashboard):
        title = panel["title"]
        defaults, overrides = panel["fieldConfig"]["defaults"], panel["fieldConfig"]["overrides"]
        assert defaults["unit"] in UNITS, title
        for override in overrides:
            assert override["matcher"]["id"].startswith("by") and override["properties"], title
            assert all(change["value"] in UNITS for change in override["properties"] if change["id"] == "unit"), title
        base, *steps = [step["value"] for step in defaults.get("thresholds", {"steps": [{"value": None}]})["steps"]]
        assert base is None and steps == sorted(steps), title
        assert panel["datasource"] == SOURCE, title
        assert set(panel["options"].get("reduceOptions", {}).get("calcs", [])) <= CALCULATIONS, title
        for target in panel["targets"]:
            assert target["datasource"] == SOURCE and target["expr"], title
            named = set(re.findall(r"{{\s*(\w+)\s*}}", target.get("legendFormat", "")))
            assert all(re.search(rf"\b{label}\b", target["expr"]) for label in named), f"{title}: {target['legendFormat']}"


def test_grafana_is_told_where_both_dashboards_and_their_data_are():
    provisioning = DASHBOARDS / "grafana" / "provisioning"
    [provider] = yaml.safe_load((provisioning / "dashboards" / "sluice.yml").read_text())["providers"]
    assert provider["type"] == "file" and provider["options"]["path"].startswith("/")
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    [job] = yaml.safe_load((ALERTS.parent / "prometheus.yml").read_text())["scrape_configs"]
    assert source["type"] == "prometheus" and source["url"].startswith("http://")
    scraped = yaml.safe_load((ALERTS.parent / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == job.get("scrape_interval", scraped)


# Peace


def test_a_healthy_edge_raises_no_alert(scene):
    eventually(lambda: scene.prometheus.query('sluice_messages_total{instance="healthy"} > 100'), 20, "some traffic")
    raised = scene.prometheus.query('last_over_time(ALERTS{instance="healthy",alertstate="firing"}[1h])')
    # A reactor that gets no processor is the machine's doing: all those troubles are on it as well.
    assert {labels["alertname"] for labels, _ in raised} <= {"SluiceEventLoopLag"}
