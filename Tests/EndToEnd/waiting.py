"""The one way to wait: for a condition, up to a deadline."""

import os
import time

SLOWNESS = float(os.environ.get("E2E_SLOWNESS", 1))
# A machine may be as much slower and busier than the one on which a deadline was thought of. Only what fails takes that long.
PATIENCE = 6


def slow(seconds):
    """A bound of time that protects a behaviour, longer where the binaries under test are slow builds."""
    return seconds * SLOWNESS


def patient(seconds):
    """How long to wait for what must come, before a test gives up."""
    return slow(seconds) * PATIENCE


def eventually(condition, within=10.0, what="the condition"):
    """Returns the first truthy value of `condition()`; fails when there is none after `within` seconds, times the patience."""
    deadline = time.monotonic() + patient(within)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} did not come true within {patient(within)} s; last value: {value!r}")
        time.sleep(0.01)


def unchanged(value, seconds):
    """Waits until `value()` has been the same for so long; gives it."""
    found, since = value(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.01)
        if (now := value()) != found:
            found, since = now, time.monotonic()
    return found
