"""A program at a terminal of its own, as a person runs it."""

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from waiting import eventually, patient


class AtTerminal:
    """A program with a pseudo-terminal as its controlling one."""

    def __init__(self, arguments, environment=None, columns=120, rows=40):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._slave = theirs
        self.modes = termios.tcgetattr(theirs)
        self.output = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a read may end within a character

        def prepare():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self._process = subprocess.Popen(
            [str(argument) for argument in arguments], stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=prepare,
            env=clean | {"TERM": "xterm-256color"} | (environment or {}))

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(patient(10))
        os.close(self._ours)
        os.close(self._slave)

    def read(self):
        """Takes what has come; gives everything so far."""
        while select.select([self._ours], [], [], 0)[0]:
            self.output += self._decoder.decode(os.read(self._ours, 65536))
        return self.output

    def expect(self, text, within=10):
        """Waits until `text` was shown."""
        return eventually(lambda: text in self.read(), within, f"{text!r} on the terminal ({self.output!r})")

    def type(self, text):
        os.write(self._ours, text.encode())

    def resize(self, columns, rows):
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number=signal.SIGTERM):
        self._process.send_signal(number)

    def wait(self, within=10):
        """The exit code, once the program has ended; its output is read meanwhile, so that it never waits for us."""
        deadline = time.monotonic() + patient(within)
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"it goes on: {self.output!r}"
            self.read()
            time.sleep(0.01)
        self.read()
        return self._process.returncode

    @property
    def exit_code(self):
        """None while the program runs."""
        return self._process.poll()

    @property
    def is_restored(self):
        """Whether the terminal is as it was: modes, screen and cursor."""
        return (
            termios.tcgetattr(self._slave) == self.modes and self.output.count("\x1b[?1049h") == self.output.count("\x1b[?1049l")
            and self.output.rfind("\x1b[?25h") >= self.output.rfind("\x1b[?25l"))
