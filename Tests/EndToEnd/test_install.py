"""`make install` into a directory of its own, and what systemd says of the units in it."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from edge import BINARIES
from waiting import patient

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ["sluice", "sluicectl", "chat-worker"]
UNITS = ["sluice.service", "sluice.socket", "chat-worker@.service"]


def make(target, root, **variables):
    values = {"DESTDIR": root, "BUILD": BINARIES} | variables
    return subprocess.run(
        ["make", "--no-print-directory", "-C", ROOT, target, *(f"{name}={value}" for name, value in values.items())],
        capture_output=True, text=True, timeout=patient(60))


def files(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def installed(module_directory):
    root = module_directory / "root"
    result = make("install", root)
    assert result.returncode == 0, result.stderr
    return root


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_run_from_where_they_are_installed(installed, program):
    path = installed / "usr/local/bin" / program
    help = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=patient(20))
    assert help.returncode == 0 and "USAGE" in help.stdout
    assert path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("shell, path", [
    ("bash", "bash-completion/completions/{}"), ("zsh", "zsh/site-functions/_{}"), ("fish", "fish/vendor_completions.d/{}.fish")])
def test_shells_find_completions(installed, shell, path):
    for program in PROGRAMS:
        text = (installed / "usr/local/share" / path.format(program)).read_text()
        assert program in text
    if shell == "bash":
        script = installed / "usr/local/share" / path.format("sluicectl")
        assert subprocess.run(["bash", "-c", f"source {script}; complete -p sluicectl"], timeout=patient(20)).returncode == 0


def test_every_name_in_the_units_is_filled_in_and_every_file_is_there(installed):
    for unit in UNITS:
        text = (installed / "usr/local/lib/systemd/system" / unit).read_text()
        settings = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        assert "@bindir" not in settings and "@docdir" not in settings and "@sysconfdir" not in settings
        for path in re.findall(r"(?<=file:)/\S+|(?<==)/\S+|(?<=-c )/\S+", settings):
            assert (installed / path.lstrip("/")).is_file(), f"{unit} names {path}"


def test_another_prefix_is_another_place_in_everything(module_directory):
    root = module_directory / "other"
    assert make("install", root, PREFIX="/opt/sluice", SYSCONFDIR="/opt/etc").returncode == 0
    assert {path.split("/")[0] for path in files(root)} == {"opt"}
    unit = (root / "opt/sluice/lib/systemd/system/sluice.service").read_text()
    assert "ExecStart=/opt/sluice/bin/sluice run -c /opt/etc/sluice/sluice.yaml" in unit


def test_a_configuration_that_is_there_is_left_alone_and_stays(module_directory):
    root = module_directory / "again"
    configuration = root / "etc/sluice/sluice.yaml"
    assert make("install", root).returncode == 0
    assert configuration.read_bytes() == (ROOT / "conf/sluice.example.yaml").read_bytes()
    configuration.write_text("mine")
    assert make("install", root).returncode == 0 and make("uninstall", root).returncode == 0
    assert files(root) == {"etc/sluice/sluice.yaml"}
    assert configuration.read_text() == "mine"


def test_without_programs_nothing_is_installed(module_directory):
    root = module_directory / "nothing"
    result = make("install", root, BUILD=module_directory / "no-build")
    assert result.returncode != 0 and "make build" in result.stderr
    assert not root.exists()


# systemd


@pytest.fixture(scope="module")
def machine(installed, module_directory):
    """The installed files beside the system's own units, which ours refer to."""
    root = module_directory / "machine"
    shutil.copytree(installed, root)
    shutil.copytree("/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    return root


def analyze(verb, root, *arguments):
    return subprocess.run(
        ["systemd-analyze", "--no-pager", verb, f"--root={root}", *arguments], capture_output=True, text=True, timeout=patient(60),
        env=os.environ | {"SYSTEMD_COLORS": "0"})


@pytest.mark.parametrize("unit", ["sluice.service", "sluice.socket", "chat-worker@1.service"])
def test_systemd_finds_no_fault_with_the_units(machine, unit):
    result = analyze("verify", machine, "--man=no", unit)
    assert result.returncode == 0 and not result.stderr, result.stderr


def test_systemd_would_find_a_fault(machine, module_directory):
    broken = module_directory / "broken"
    shutil.copytree(machine, broken, symlinks=True)
    unit = broken / "usr/local/lib/systemd/system/sluice.service"
    unit.write_text(unit.read_text().replace("NoNewPrivileges=", "NoNewPrivilege="))
    assert "Unknown key" in analyze("verify", broken, "--man=no", "sluice.service").stderr


# Exposure of 10 is none of it held back; what systemd 252 said when this was written was 1.4 and 0.3.
@pytest.mark.parametrize("unit, tenths", [("sluice.service", 15), ("chat-worker@.service", 5)])
def test_a_break_in_would_reach_little_of_the_machine(machine, unit, tenths):
    result = analyze("security", machine, "--offline=true", f"--threshold={tenths}", unit)
    assert result.returncode == 0, result.stdout


def test_the_units_users_and_groups_are_made(installed):
    made = subprocess.run(
        ["systemd-sysusers", "--dry-run", f"--root={installed}", installed / "usr/local/lib/sysusers.d/sluice.conf"],
        capture_output=True, text=True, timeout=patient(20))
    assert made.returncode == 0, made.stderr
    for unit in ("sluice.service", "chat-worker@.service"):
        settings = dict(
            line.split("=", 1) for line in (installed / "usr/local/lib/systemd/system" / unit).read_text().splitlines()
            if line.startswith(("User=", "Group=")))
        assert f"Creating user '{settings['User']}'" in made.stderr + made.stdout
        assert f"Creating group '{settings['Group']}'" in made.stderr + made.stdout


def test_the_unit_gives_the_sample_configuration_what_it_names(installed):
    unit = (installed / "usr/local/lib/systemd/system/sluice.service").read_text()
    sample = yaml.safe_load((installed / "etc/sluice/sluice.yaml").read_text())
    assert sample["state_dir"] == "/var/lib/sluice" and "StateDirectory=sluice" in unit
    (socket,) = [address for address in sample["admin"]["listen"] if address.startswith("unix:")]
    assert socket == "unix:/run/sluice/admin.sock" and "RuntimeDirectory=sluice" in unit
    assert "unix:///run/sluice/admin.sock reload" in unit
    worker = (installed / "usr/local/lib/systemd/system/chat-worker@.service").read_text()
    assert sample["pools"]["chat"]["workers"] == ["/run/chat/*.sock"] and "--listen unix:/run/chat/%i.sock" in worker
