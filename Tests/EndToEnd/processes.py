"""Child processes that never outlive the test, however it ends."""

import collections
import ctypes
import os
import pathlib
import resource
import signal
import subprocess

from waiting import patient

# Where a sanitizer puts its reports, if the programs under test were built with one.
REPORTS = os.environ.get("E2E_REPORTS")
_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class Child:
    """A program that was started by a test, with its standard streams in files of `directory`."""

    def __init__(self, arguments, directory, name, environment=None, descriptors=None, umask=-1, passed=()):
        """`descriptors`: the soft and hard limit of open files, for tests of running out of them; `passed`: what it inherits."""
        self.name = name
        self.output_path = directory / f"{name}.out"
        self.error_path = directory / f"{name}.err"

        def prepare():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        with open(self.output_path, "wb") as output, open(self.error_path, "wb") as error:
            self._process = subprocess.Popen(
                [str(argument) for argument in arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=error,
                preexec_fn=prepare, umask=umask, env=os.environ | (environment or {}), cwd=directory,
                pass_fds=passed)

    @property
    def pid(self):
        return self._process.pid

    @property
    def exit_code(self):
        """None while the program runs; negative for the signal that ended it."""
        return self._process.poll()

    @property
    def output(self):
        return self.output_path.read_text(errors="replace")

    @property
    def errors(self):
        return self.error_path.read_text(errors="replace")

    def signal(self, number):
        self._process.send_signal(number)

    def wait(self, within=patient(10)):
        return self._process.wait(within)

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(patient(10))

    def close(self):
        """Ends the program. Under a sanitizer it is first asked to: leaks are looked for only where a program ends by itself."""
        try:
            if REPORTS and self.exit_code is None:
                self.signal(signal.SIGTERM)
                self.signal(signal.SIGINT)  # the second signal ends a drain at once
                self.wait()
        finally:
            self.kill()

    def open_descriptors(self):
        """How many descriptors the program has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        """User and system time so far, in seconds."""
        fields = open(f"/proc/{self.pid}/stat").read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_by_thread(self):
        """Seconds on a processor so far, by the threads' names, to the nanosecond."""
        spent = collections.Counter()
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            nanoseconds = int((task / "schedstat").read_text().split()[0])
            spent[(task / "comm").read_text().strip()] += nanoseconds / 1e9
        return spent
