"""The README at its word: a newcomer who types what it says gets what it says. Only ports differ: they are free ones."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from edge import BINARIES
from ports import HeldPort
from processes import Child
from waiting import eventually, patient

README = (pathlib.Path(__file__).parents[2] / "README.md").read_text()


class Newcomer:
    """Somebody in an empty directory, with the programs in PATH."""

    def __init__(self, directory):
        self.directory = directory
        self._held = [HeldPort(), HeldPort()]
        self._ports = {known: port.number for known, port in zip(("8443", "9901"), self._held)}
        self._path = os.pathsep.join([str(BINARIES), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])
        self._prelude = ""

    def close(self):
        for port in self._held:
            port.close()

    def translate(self, text):
        for known, free in self._ports.items():
            text = re.sub(rf"\b{known}\b", str(free), text)
        return text

    def defines(self, functions):
        """Functions of the shell that later commands use."""
        self._prelude += functions

    def types(self, command, **environment):
        """What a command says, on both streams."""
        done = subprocess.run(
            ["bash", "-c", self.translate(self._prelude + command)], cwd=self.directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=patient(60), env=self.environment | environment)
        return done.stdout

    def starts(self, name, *arguments):
        return Child(arguments, self.directory, name, environment=self.environment)

    def writes(self, name, text):
        (self.directory / name).write_text(self.translate(text))

    @property
    def environment(self):
        return os.environ | {"PATH": self._path, "PWD": str(self.directory)}


def section(title):
    return re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", outside_code(README), re.M | re.S).group(1).replace("\0", "#")


def outside_code(text):
    """`text` with the comments of its code hidden: they look like headings."""
    return re.sub(r"^```.*?^```", lambda block: block.group().replace("#", "\0"), text, flags=re.M | re.S)


def blocks(title, language):
    return re.findall(rf"^```{language}\n(.*?)^```", section(title), re.M | re.S)


@pytest.fixture(scope="module")
def newcomer(module_directory):
    """Has followed the README up to a running edge and worker."""
    person = Newcomer(module_directory)
    keys, start = blocks("A minimal configuration", "sh")[0], blocks("A minimal configuration", "sh")[-1]
    person.types("set -e\n" + keys)
    person.writes("sluice.yaml", blocks("A minimal configuration", "yaml")[0])
    person.writes("worker.py", blocks("A minimal configuration", "python")[0])
    install, check, worker, run = (line.partition("#") for line in start.splitlines())
    assert person.types(check[0]).strip() == check[2].strip()
    assert install[0].strip().endswith("pip install websockets")  # as requirements.txt has done
    assert worker[0].strip() == "python3 worker.py &"
    assert run[0].strip() == "sluice run -c sluice.yaml"
    worker = person.starts("worker", "python3", "worker.py")
    edge = None
    try:
        eventually((module_directory / "worker.sock").exists, what="the worker's socket")
        edge = person.starts("edge", "sluice", "run", "-c", "sluice.yaml")
        eventually(lambda: person.types("curl -sS localhost:9901/readyz").strip() == "ready", what="an edge that is ready")
        person.edge = edge
        person.defines(blocks("The admin API", "sh")[0].splitlines()[0] + "\n")
        yield person
    finally:
        for child in filter(None, [edge, worker, person]):
            child.close()


def test_the_commands_that_check_say_what_their_comments_say(newcomer):
    lines = blocks("Check that it works", "sh")[0].splitlines()
    for line, word in zip(lines, ["ready", "token_missing", '"up":true']):
        command, _, comment = line.partition(" # ")
        assert word in comment
        assert word in newcomer.types(command), line


def test_the_client_in_a_few_lines_gets_its_echo_and_the_metrics_count_it(newcomer):
    checks = blocks("Check that it works", "sh")
    token = re.search(r"^export TOKEN=.*$", checks[0], re.M).group()
    said = newcomer.types(token + "\n" + checks[1])
    assert said.splitlines()[0] == re.search(r"it prints `(.*)`", section("Check that it works")).group(1)
    shown = re.findall(r"^sluice_.*", section("Check that it works"), re.M)
    assert len(shown) == 3
    assert set(shown) <= set(newcomer.types(checks[1].splitlines()[-1]).splitlines())


def refusals():
    rows = re.findall(r"^\| (.*?) \| (\d{3}|alert number \d+) \| (.*) \|$", section("What it trusts and refuses"), re.M)
    return [(what, answer, command) for what, answer, cell in rows for command in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize(("what", "answer", "command"), refusals())
def test_what_is_refused_is_refused_so(newcomer, what, answer, command):
    functions = blocks("What it trusts and refuses", "sh")[0]
    assert answer in newcomer.types(functions + command)


def test_the_table_of_refusals_is_read():
    assert len(refusals()) >= 9


def test_commands_about_http2_and_the_control_program_work_as_they_stand(newcomer):
    [line] = blocks("HTTP/2", "sh")[0].splitlines()
    command, _, version = line.partition("  # ")
    assert newcomer.types(command).strip() == version.strip()
    assert "ready" in newcomer.types(blocks("sluicectl", "sh")[0])


def test_each_look_at_the_admin_plane_is_answered(newcomer):
    looks = [line.partition("  #")[0] for block in blocks("The admin API", "sh") for line in block.splitlines()]
    looks = [look for look in looks if re.match(r"api '?http", look) and "/d1" not in look]
    assert len(looks) >= 5
    for look in looks:
        assert '"code"' not in newcomer.types(look), look


def test_rules_can_be_made_as_they_stand(newcomer):
    [block] = [block for block in blocks("The admin API", "sh") if block.startswith("rule()")]
    definition, *rules = block.splitlines()
    rules = [rule.partition("   ")[0] for rule in rules if rule.startswith("rule ")]
    assert len(rules) == 4
    for rule in rules:
        said = newcomer.types(f"{definition}\n{rule}")
        assert '"id":"r' in said, (rule, said)
    for number in range(1, 1 + len(rules)):
        newcomer.types(f"api -X DELETE http://localhost/api/v1/rules/r{number}")


def exit_codes():
    rows = re.findall(r"^\| (\d+) \| .* \| `(.*?)` \|$", section("Signals, reload, drain, exit codes"), re.M)
    return [(int(code), command) for code, command in rows if command.startswith("sluice ")]


@pytest.mark.parametrize(("code", "command"), exit_codes())
def test_a_start_that_fails_ends_with_the_code_of_the_table(newcomer, code, command):
    assert newcomer.types(f"{command} >/dev/null 2>&1; echo $?").strip() == str(code)


def test_a_signal_reloads_and_another_drains(newcomer):
    """The last test of the file: the edge ends."""
    reload, drain = (blocks("Signals, reload, drain, exit codes", "sh")[number] for number in (0, 1))
    pid = str(newcomer.edge.pid)
    for line in reload.splitlines():
        assert '"code"' not in newcomer.types(line.partition("  #")[0].replace('"$(pidof sluice)"', pid)), line
    command, _, expected = drain.partition("  # ")
    ready, status = expected.strip().split(", ")
    command, look = command.split(";")
    newcomer.types(command.replace('"$(pidof sluice)"', pid))
    eventually(lambda: newcomer.types(look).split() == [ready, status], what="an edge that drains")
    newcomer.edge.signal(signal.SIGTERM)
    assert newcomer.edge.wait() == 0
