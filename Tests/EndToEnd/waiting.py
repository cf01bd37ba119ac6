"""The one way to wait: for a condition, up to a deadline."""

import time


def eventually(condition, within=10.0, what="the condition"):
    """Returns the first truthy value of `condition()`; fails when there is none after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} did not come true within {within} s; last value: {value!r}")
        time.sleep(0.01)
