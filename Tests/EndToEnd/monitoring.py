"""A real Prometheus that scrapes edges, and what the repository gives to those who run one."""

import json
import pathlib
import re
import urllib.error
import urllib.parse
import urllib.request

from processes import Child
from waiting import eventually, patient

DASHBOARDS = pathlib.Path(__file__).resolve().parents[2] / "dashboards"
ALERTS = DASHBOARDS / "prometheus" / "alerts.yml"
PROMTOOL = "/usr/bin/promtool"
RATE_INTERVAL = "5s"
# Nobody waits five minutes for a test: windows shrink, `for` goes, and a queue is long that one slow client can fill. What a
# machine that is busy for a moment could raise, a scrape that is late or a reactor that gets no processor, must last.
SHORTENED = [
    (r"(- alert: Sluice(?:Down|EventLoopLag)\n(?: +.+\n)+? +for:) \w+", r"\1 10s"), (r"\n +for: (?!10s)\w+(?=\n)", ""),
    (r"\[5m\]", f"[{RATE_INTERVAL}]"), (r"\[10m\]", "[10s]"), (r"\[15m\]", "[1m]"),
    (r"offset 10m", "offset 10s"), (r"> 16777216\b", "> 4096"), (r"\b0\.25 \* process_resident", "0.00001 * process_resident"),
]


def shortened_alerts():
    """The text of the alert rules, for tests in a hurry."""
    text = ALERTS.read_text()
    for pattern, replacement in SHORTENED:
        text, count = re.subn(pattern, replacement, text)
        assert count > 0, pattern
    return text


class Prometheus:
    """Debian's Prometheus with the alerts of `dashboards/`, every second."""

    def __init__(self, directory):
        self._targets = directory / "targets.json"
        self._groups = []
        self._publish()
        (directory / "alerts.yml").write_text(shortened_alerts())
        configuration = directory / "prometheus.yml"
        configuration.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(directory / "alerts.yml")],
            "scrape_configs": [{
                "job_name": "sluice", "file_sd_configs": [{"files": [str(self._targets)], "refresh_interval": "1s"}]}],
        }))
        self.child = Child(
            ["/usr/bin/prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={directory}/data",
             "--web.listen-address=127.0.0.1:0", "--log.format=json"], directory, "prometheus")
        try:
            self._address = eventually(self._bound_address, 20, "Prometheus listening")
            eventually(self._is_ready, 20, "Prometheus being ready")
        except AssertionError:
            self.close()
            raise AssertionError(f"Prometheus did not start: {self.child.errors}") from None

    def _bound_address(self):
        assert self.child.exit_code is None, self.child.errors
        lines = [json.loads(line) for line in self.child.errors.splitlines() if line.startswith("{")]
        return next((line["address"] for line in lines if line.get("msg") == "Listening on"), None)

    def _is_ready(self):
        try:
            return urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=patient(5)).status == 200
        except OSError:
            return False

    def close(self):
        self.child.kill()

    def watch(self, name, edge):
        """Scrapes an edge from now on; its samples bear `name` as their `instance`."""
        self._groups.append({"targets": [edge.metrics_address], "labels": {"instance": name}})
        self._publish()

    def _publish(self):
        fresh = self._targets.with_suffix(".new")
        fresh.write_text(json.dumps(self._groups))
        fresh.rename(self._targets)

    def query(self, expression):
        """The samples of an instant query: a list of (labels, value)."""
        result = self._ask("query", query=expression)
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def history(self, expression, seconds):
        """The values that an expression had in the last seconds, of all its series, in one list."""
        end = self.query("vector(time())")[0][1]
        result = self._ask("query_range", query=expression, start=end - seconds, end=end, step=1)
        return [float(value) for series in result for _, value in series["values"]]

    def rules(self):
        return self._get("rules")["groups"]

    def alerts(self):
        return self._get("alerts")["alerts"]

    def _ask(self, what, **parameters):
        return self._get(what, **parameters)["result"]

    def _get(self, what, **parameters):
        url = f"http://{self._address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=patient(20)) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None


def dashboards():
    """The Grafana dashboards of the repository by file name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((DASHBOARDS / "grafana").glob("*.json"))}


def panels(dashboard):
    """The panels that show something."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def filled_in(expression):
    """An expression as Grafana sends it: its variables have values."""
    for name, value in [("$instance", ".*"), ("$__rate_interval", RATE_INTERVAL)]:
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression
