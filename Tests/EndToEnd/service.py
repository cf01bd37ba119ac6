"""What a service manager is to the edge: it opens its sockets before it starts, and hears how it is."""

import contextlib
import ctypes
import os
import pathlib
import secrets
import socket
import sys

from waiting import eventually

# Puts descriptors at 3 and on, as sd_listen_fds(3) wants them, and becomes the program that is meant to have them.
_HAND_OVER = """
import os, sys
numbers, program = [int(text) for text in sys.argv[1].split(",")], sys.argv[2:]
spares = [os.dup(number) for number in numbers]
for place, spare in enumerate(spares, 3):
    os.dup2(spare, place)
    os.set_inheritable(place, True)
os.closerange(3 + len(numbers), max(numbers + spares) + 1)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(numbers))}
os.execv(program[0], program)
"""


def handing_over(command, passed):
    """What runs a command with sockets passed to it, by their names: arguments, environment and descriptors."""
    numbers = [one.fileno() for one in passed.values()]
    arguments = [sys.executable, "-c", _HAND_OVER, ",".join(map(str, numbers)), *map(str, command)]
    return arguments, {"LISTEN_FDNAMES": ":".join(passed)}, numbers


def listening(address):
    """A socket that listens, at a host or at a path, as a service manager would open it."""
    family = socket.AF_UNIX if isinstance(address, os.PathLike) else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM)
    one.bind(str(address) if family == socket.AF_UNIX else (address, 0))
    one.listen(128)
    return one


class Manager:
    """Hears what a service tells (sd_notify(3)), as dictionaries. At an abstract name, or at a path."""

    def __init__(self, path=None, watchdog=None):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path) if path else f"\0{secrets.token_hex(8)}")
        name = self._socket.getsockname()
        self.environment = {"NOTIFY_SOCKET": name if path else "@" + name[1:].decode()}
        if watchdog is not None:
            self.environment["WATCHDOG_USEC"] = str(round(watchdog * 1e6))
        self.messages = []

    def close(self):
        self._socket.close()

    def hear(self):
        """What has come since."""
        new = []
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                lines = self._socket.recv(4096).decode().split("\n")
                new.append(dict(line.split("=", 1) for line in lines))
        self.messages += new
        return new

    def await_message(self, name, value=None):
        """The first message, of those not looked at yet, that says this; those before it are left out."""
        found = []

        def look():
            self.hear()
            while self.messages and not found:
                message = self.messages.pop(0)
                if name in message and value in (None, message[name]):
                    found.append(message)
            return found

        return eventually(look, 30, f"{name}={value or '…'}")[0]


class Stopped:
    """One thread of a program that does not run meanwhile, by ptrace(2): the others go on. A context manager."""

    _SEIZE, _INTERRUPT, _DETACH, _ALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, thread):
        self._thread = thread

    def __enter__(self):
        # A thread that waits for something to do holds no lock that others need.
        eventually(lambda: self._state() == "S", what="the thread waiting")
        self._call(self._SEIZE)
        self._call(self._INTERRUPT)
        # Only then it stands; the signal that does it is no matter of the program's.
        os.waitpid(self._thread, self._ALL)
        return self

    def __exit__(self, *_):
        self._call(self._DETACH)

    def _state(self):
        return pathlib.Path(f"/proc/{self._thread}/stat").read_text().rpartition(")")[2].split()[0]

    def _call(self, request):
        if _libc.ptrace(request, self._thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x}: {os.strerror(ctypes.get_errno())}")


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_ulong, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def threads(child, name):
    """The numbers of a program's threads of this name."""
    tasks = pathlib.Path(f"/proc/{child.pid}/task").iterdir()
    return [int(task.name) for task in tasks if (task / "comm").read_text().strip() == name]
