"""Dockerfile and compose.yaml, as far as they can be held without Docker: every part is run, but for the containers around it."""

import http.client
import json
import pathlib
import re
import shutil
import ssl
import subprocess

import pytest
import yaml
from websockets.sync.client import connect

from edge import BINARIES, SLUICE, Edge
from processes import REPORTS, Child
from waiting import eventually, patient

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def instructions():
    """The Dockerfile's, as words and the rest of the line."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    return [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]


def said(word):
    return [rest for name, rest in instructions() if name == word]


def mounts(service):
    """What a service mounts of the repository: its path there, and in the container."""
    pairs = [entry.split(":")[:2] for entry in service.get("volumes", [])]
    return {inside: outside for outside, inside in pairs if outside.startswith("./")}


# The image


def test_every_file_that_is_copied_is_there_and_not_ignored():
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [source for rest in said("COPY") if not rest.startswith("--from=") for source in rest.split()[:-1]]
    assert len(sources) > 4
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == path or source.startswith(path + "/") for path in kept), f"{source} is ignored"


def test_what_the_package_needs_is_copied(directory):
    command = ["swift", "package", "--package-path", ROOT, "--scratch-path", directory, "dump-package"]
    description = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=patient(120)).stdout)
    roots = {source for rest in said("COPY") if not rest.startswith("--from=") for source in rest.split()[:-1]}
    for target in description["targets"]:
        path = target.get("path") or f"{'Tests' if target['type'] == 'test' else 'Sources'}/{target['name']}"
        assert path.split("/")[0] in roots, f"target {target['name']} is at {path}"
    products = set(re.findall(r"for product in (.*?);", said("RUN")[1])[0].split())
    assert products == {"sluice", "sluicectl", "chat-worker"} <= {product["name"] for product in description["products"]}


def test_the_image_runs_as_nobody_and_tells_how_it_is():
    (user,) = said("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert json.loads(said("ENTRYPOINT")[0]) == ["/usr/local/bin/sluice"]
    assert json.loads(said("CMD")[0])[0] == "run"
    assert said("STOPSIGNAL") == ["SIGTERM"]
    (health,) = said("HEALTHCHECK")
    assert json.loads(health.split("CMD ", 1)[1])[0] == "/usr/local/bin/sluicectl"


def test_the_health_check_is_0_for_an_edge_and_not_without_one(start_edge, raw_worker, directory):
    (health,) = said("HEALTHCHECK")
    command = json.loads(health.split("CMD ", 1)[1])
    words = [word.replace("/usr/local/bin", str(BINARIES)).replace("/run/sluice", str(directory)) for word in command]
    check = lambda: subprocess.run(words, capture_output=True, timeout=patient(20)).returncode
    assert check() != 0
    edge = start_edge({"main": [raw_worker.path]}, drain={"delay": "1h", "spread": "0s", "timeout": "2h"})
    assert check() == 0
    edge.terminate()
    eventually(lambda: edge.admin("GET", "/readyz")[0] == 503)
    assert check() == 0, "an edge that drains is healthy"


@pytest.mark.skipif(bool(REPORTS), reason="a sanitizer asks for libraries of its own")
def test_the_image_has_every_library_that_the_programs_ask_for():
    """By the packages of this machine, which is a Debian 12 too."""
    (install,) = [rest for rest in said("RUN") if "libcurl4" in rest]
    for program in ("sluice", "sluicectl", "chat-worker"):
        needed = re.findall(r"NEEDED\s+(\S+)", subprocess.run(
            ["objdump", "-p", BINARIES / program], capture_output=True, text=True, check=True, timeout=patient(30)).stdout)
        for library in needed:
            if re.match(r"lib(swift|_|Foundation|dispatch|Blocks|c\.so|m\.so|gcc_s)|ld-", library):
                continue  # In the programs by --static-swift-stdlib, or in every Debian
            path = next(pathlib.Path("/usr/lib").glob(f"*-linux-gnu/{library}"))
            owner = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True, timeout=patient(30)).stdout.split(":")[0]
            assert owner in install.split(), f"{program} needs {library} of {owner}"


# The site


def test_every_file_that_is_mounted_is_there(compose):
    for name, service in compose["services"].items():
        for outside in mounts(service).values():
            assert (ROOT / outside).exists(), f"{name} mounts {outside}"
        for entry in service.get("volumes", []):
            volume = entry.split(":")[0]
            assert volume.startswith("./") or volume in compose["volumes"], f"{name} mounts {volume}"


def test_containers_have_few_rights_and_operators_ports_are_local(compose):
    for name, service in compose["services"].items():
        if service["image"] == "sluice":
            assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        for port in service.get("ports", []):
            assert port == "8443:8443" or port.startswith("127.0.0.1:"), f"{name} opens {port}"
    grace = compose["services"]["edge"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > 60, "drain.timeout is a minute"


def test_prometheus_takes_its_configuration_and_scrapes_what_the_edge_opens(compose, directory):
    for inside, outside in mounts(compose["services"]["prometheus"]).items():
        shutil.copy(ROOT / outside, directory / pathlib.Path(inside).name)
    checked = subprocess.run(
        ["promtool", "check", "config", directory / "prometheus.yml"], capture_output=True, text=True, timeout=patient(60))
    assert checked.returncode == 0 and "SUCCESS" in checked.stdout, checked.stdout + checked.stderr
    (job,) = yaml.safe_load((directory / "prometheus.yml").read_text())["scrape_configs"]
    metrics = yaml.safe_load((ROOT / "conf/compose/sluice.yaml").read_text())["admin"]["metrics_listen"]
    assert job["static_configs"][0]["targets"] == ["edge:" + metrics.rpartition(":")[2]] and "edge" in compose["services"]


def test_grafana_finds_its_dashboards_and_its_prometheus(compose):
    inside = mounts(compose["services"]["grafana"])
    (provider,) = yaml.safe_load((ROOT / "dashboards/grafana/provisioning/dashboards/sluice.yml").read_text())["providers"]
    shown = {pathlib.Path(path).name for path in inside if path.startswith(provider["options"]["path"] + "/")}
    assert shown == {path.name for path in (ROOT / "dashboards/grafana").glob("*.json")}
    (source,) = yaml.safe_load((ROOT / "conf/compose/datasource.yml").read_text())["datasources"]
    sample = ROOT / "dashboards/grafana/provisioning/datasources/prometheus.yml"
    assert source["url"] == "http://prometheus:9090" and "prometheus" in compose["services"]
    assert source["name"] == yaml.safe_load(sample.read_text())["datasources"][0]["name"]


def test_people_chat_over_what_the_services_run(compose, directory, site, closing):
    """Keys, workers and edge as compose.yaml starts them, with directories of the test's own in place of volumes."""
    services = compose["services"]
    places = {"/usr/local/bin": BINARIES}
    for name in ("keys", "run/chat", "run/sluice", "var/lib/sluice"):
        places["/" + name] = directory / name
        places["/" + name].mkdir(parents=True)

    def here(text):
        for inside, outside in places.items():
            text = re.sub(rf"(?<![\w/]){inside}(?![\w-])", str(outside), text)
        return text

    keys = services["keys"]["entrypoint"]
    script = ROOT / mounts(services["keys"])[keys[1]]
    for _ in range(2):  # The second time there is nothing to do.
        subprocess.run(["/bin/sh", script, here(keys[2])], check=True, capture_output=True, timeout=patient(30))
    for name in ("chat-1", "chat-2"):
        words = [*services[name]["entrypoint"], *services[name]["command"]]
        closing(Child([here(word) for word in words], directory, name))
    text = here((ROOT / mounts(services["edge"])["/etc/sluice/sluice.yaml"]).read_text())
    (directory / "checked.yaml").write_text(text)
    checked = subprocess.run([SLUICE, "check", "-c", directory / "checked.yaml"], capture_output=True, text=True, timeout=patient(20))
    assert checked.returncode == 0, checked.stderr
    document = yaml.safe_load(text)
    document["listeners"][0]["address"] = "127.0.0.1:0"
    document["admin"] = {"listen": [f"unix:{directory}/admin.sock"], "metrics_listen": "127.0.0.1:0"}
    edge = closing(Edge(directory, site, document))
    eventually(lambda: len([worker for worker in edge.workers() if worker["up"]]) == 2)

    tls = ssl.create_default_context(cafile=directory / "keys/cert.pem")
    address = f"localhost:{edge.ports['public']}"
    login = http.client.HTTPSConnection("localhost", edge.ports["public"], context=tls, timeout=patient(20))
    fields = {"Content-Type": "application/json", "Origin": f"https://{address}"}
    login.request("POST", "/login", json.dumps({"name": "alice"}), fields)
    answer = login.getresponse()
    answer.read()
    assert answer.status in (200, 204), answer.status
    cookie = answer.getheader("Set-Cookie").split(";")[0]
    fields = {"Cookie": cookie}
    with connect(
            f"wss://{address}/ws", ssl=tls, origin=f"https://{address}", additional_headers=fields, open_timeout=patient(10)) as chat:
        assert json.loads(chat.recv(timeout=patient(20)))["type"]
    eventually(lambda: edge.events("connection.opened", user_id="alice"))
