"""A ration of CPU time for a process: where cores are few, it shows what a second one would bring.

The kernel's control groups hand it out, of either version, to whoever may write to them.
"""

import contextlib
import pathlib

PERIOD = 25_000  # in microseconds
ROOT = pathlib.Path("/sys/fs/cgroup")


@contextlib.contextmanager
def rationed(pid, cores):
    """Meanwhile all threads of a process together get the time of so many cores. Raises `OSError` where that cannot be had."""
    top = ROOT / "cpu" if (ROOT / "cpu" / "cpu.cfs_quota_us").exists() else ROOT
    if top == ROOT:
        (top / "cgroup.subtree_control").write_text("+cpu")
    group = top / f"sluice-bench-{pid}"
    group.mkdir()
    try:
        limit(group, round(PERIOD * cores))
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        (top / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def limit(group, quota):
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{quota} {PERIOD}")
    else:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
