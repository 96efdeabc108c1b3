"""Schedules drawn from seeds: whatever the wires, clocks, disks and people do, stock, orders and money stay right."""

from __future__ import annotations

import time
from functools import partial

import pytest

from .campaign import run, summary
from .mutants import planted
from .seeds import CAUGHT_BY, SCHEDULES

BLOCKS = 6


@pytest.mark.parametrize("block", range(BLOCKS))
def test_whatever_happens_both_sides_agree_in_the_end(block: int) -> None:
    """A few of those that `make sim` runs: each costs some seconds of a processor."""
    begun = time.perf_counter()
    found = [run(seed) for seed in SCHEDULES[block::BLOCKS]]
    print(summary(found, time.perf_counter() - begun))
    assert [f"SEED={one.seed}: {one.wrong}" for one in found if one.wrong] == []


def test_the_same_seed_is_the_same_story() -> None:
    first, again = run(4), run(4)
    assert first.digest == again.digest != ""


@pytest.mark.parametrize("name", sorted(CAUGHT_BY))
def test_a_planted_bug_is_found(name: str) -> None:
    """By the seed that found it first."""
    assert run(CAUGHT_BY[name], partial(planted, name)).wrong, f"{name} is not found any more"
