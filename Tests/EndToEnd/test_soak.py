"""The soak of `make soak`, in small: it ends where it began, and tells a leak from what merely goes up and down."""

import dataclasses
import random

import pytest

import soak
from waiting import patient

MIB = 1 << 20


def curve(resident=lambda minute: 40 * MIB, descriptors=lambda minute: 400, minutes=60):
    """Samples of a run in which these two go as they are told to."""
    noise = random.Random(1)
    quiet = soak.Sample(**{field.name: 0 for field in dataclasses.fields(soak.Sample)})
    return [
        dataclasses.replace(
            quiet, seconds=minute * 60.0, clients=216, said=6_000 * minute,
            resident_bytes=int(resident(minute)) + noise.randrange(MIB), descriptors=int(descriptors(minute)) + noise.randrange(20))
        for minute in range(minutes)]


def test_a_curve_that_grows_only_while_it_warms_up_is_flat():
    assert soak.verdict(curve()) == []
    assert soak.verdict(curve(resident=lambda minute: (30 + 10 * min(1, minute / 14)) * MIB)) == []
    assert soak.verdict(curve(resident=lambda minute: (60 if minute == 40 else 40) * MIB)) == []


@pytest.mark.parametrize("per_minute", [0.15, 1])
def test_memory_that_grows_all_the_time_is_found(per_minute):
    [wrong] = soak.verdict(curve(resident=lambda minute: (40 + per_minute * minute) * MIB))
    assert wrong.startswith("resident memory grew by ")


def test_descriptors_that_are_not_given_back_are_found():
    [wrong] = soak.verdict(curve(descriptors=lambda minute: 400 + minute))
    assert wrong.startswith("open descriptors grew by 3")


def test_the_table_has_a_row_for_each_part_of_the_run():
    rows = soak.table(curve()).splitlines()[2:]
    assert len(rows) == 12
    assert rows[3].startswith("| 14–19 | 40.") and rows[3].endswith("| 0 | 0 | 100 | 0.0% |")


@pytest.mark.timeout(patient(120))
def test_a_few_seconds_of_it_bring_everything_back_to_where_it_was():
    written = []
    samples, churn, before, after = soak.run(minutes=0.1, rate=100, users=6, seed=1, write=written.append, say=lambda *_: None)
    assert written == samples and len(samples) >= 2
    assert churn.counts["joined"] and samples[-1].said > 0
    assert after.descriptors <= before.descriptors
