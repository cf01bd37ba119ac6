"""A time of its own for a program, by Debian's libfaketime."""

import os
import pathlib

SHARED = pathlib.Path("/dev/shm")


class Clock:
    """The time of day that a program sees; its monotonic clock is the real one."""

    def __init__(self, path):
        self._path = path
        self.jump(0)

    def jump(self, seconds):
        """Sets it so far ahead of the real time, or behind it; the program sees that within a second."""
        beside = self._path.with_suffix(".next")
        beside.write_text(f"{seconds:+d}\n")
        os.replace(beside, self._path)

    def command(self, command):
        """What to run instead of a command."""
        library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        settings = {
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": self._path, "FAKETIME_CACHE_DURATION": 1, "NO_FAKE_STAT": 1,
            "DONT_FAKE_MONOTONIC": 1, "FAKETIME_DONT_FAKE_MONOTONIC": 1}
        # The library adds a variable to the environment where it has none yet, and Swift then finds no arguments: let the shell
        # have that.
        return ["env", *(f"{name}={value}" for name, value in settings.items()), "sh", "-c", 'exec "$0" "$@"', *command]

    def forget(self, pid):
        """Removes what the library leaves behind of a program that has ended."""
        for path in SHARED.glob(f"*faketime_*_{pid}"):
            path.unlink(missing_ok=True)
