"""The one way to wait: for a condition, up to a deadline."""

import os
import time

SLOWNESS = float(os.environ.get("E2E_SLOWNESS", 1))


def slow(seconds):
    """An upper bound of time, longer where the binaries under test are slow builds."""
    return seconds * SLOWNESS


def eventually(condition, within=10.0, what="the condition"):
    """Returns the first truthy value of `condition()`; fails when there is none after `within` seconds."""
    deadline = time.monotonic() + slow(within)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} did not come true within {slow(within)} s; last value: {value!r}")
        time.sleep(0.01)
