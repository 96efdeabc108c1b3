"""Schedules drawn from seeds: whatever the wires, clocks, disks and people do, stock, orders and money stay right."""

from __future__ import annotations

import time
from functools import partial

import pytest

from .campaign import run, summary
from .mutants import planted
from .seeds import CAUGHT_BY, FOUND

SCHEDULES, BLOCKS = 48, 12  # more by `make sim`: one costs two to four seconds of a processor


@pytest.mark.parametrize("block", range(BLOCKS))
def test_whatever_happens_both_sides_agree_in_the_end(block: int) -> None:
    begun = time.perf_counter()
    found = [run(seed) for seed in range(block, SCHEDULES, BLOCKS)]
    print(summary(found, time.perf_counter() - begun))
    assert [f"SEED={one.seed}: {one.wrong}" for one in found if one.wrong] == []


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_once_stays_mended(seed: int) -> None:
    assert run(seed).wrong == ""


@pytest.mark.parametrize("seed", [4, 6])
def test_the_same_seed_is_the_same_story(seed: int) -> None:
    first, again = run(seed), run(seed)
    assert first.digest == again.digest != ""


def test_seven_instances_trade_too() -> None:
    assert run(1, world="seven").wrong == ""


@pytest.mark.parametrize("name", sorted(CAUGHT_BY))
def test_a_planted_bug_is_found(name: str) -> None:
    """By the seed that found it first."""
    assert run(CAUGHT_BY[name], partial(planted, name)).wrong, f"{name} is not found any more"
