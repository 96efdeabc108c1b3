"""Schedules drawn from seeds: whatever wires, clocks, disks and people do, stock, orders and money stay right."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from .campaign import run, summary
from .lies import planted_lies, tried
from .mutants import MUTANTS, planted
from .plan import moving_plan
from .seeds import AIMED_AT, CAUGHT_BY, CAUGHT_BY_LIES, FOUND_BY_TEST, LIES, SCHEDULES
from .situations import SITUATIONS
from .worlds import SHAPES

ROOT = Path(__file__).parents[2]
BLOCK = 20  # schedules of one test, which pytest-xdist distributes
ROUND = 8  # tests of one process with planted bugs


@pytest.mark.parametrize("first", range(0, SCHEDULES, BLOCK))
def test_whatever_happens_both_sides_agree_in_the_end(first: int) -> None:
    started = time.process_time()
    seeds = range(first, min(first + BLOCK, SCHEDULES))
    outcomes = [run(seed) for seed in seeds]
    print(summary(outcomes, time.process_time() - started))
    assert [f"SEED={outcome.seed}: {outcome.wrong}" for outcome in outcomes if outcome.wrong] == []


@pytest.mark.parametrize("seed", range(len(SHAPES)), ids=SHAPES)
def test_a_producer_moves_in_each_shape_of_three_and_four_instances(seed: int) -> None:
    outcome = run(seed, **moving_plan(seed))
    assert outcome.wrong == "", "\n".join(outcome.lines)


def test_the_same_seed_is_the_same_story() -> None:
    first_run, second_run = run(4), run(4)
    assert first_run.digest == second_run.digest != ""


@pytest.mark.parametrize("name", sorted(CAUGHT_BY))
def test_a_planted_bug_is_found(name: str) -> None:
    """Uses the seed that found the bug first; `make sim MUTANTS=1` searches again."""
    assert run(CAUGHT_BY[name], partial(planted, name)).wrong, f"{name} is not found any more"


@pytest.mark.parametrize("name", sorted(AIMED_AT))
def test_a_planted_bug_is_found_in_a_schedule_that_is_aimed_at_it(name: str) -> None:
    situation, seed = AIMED_AT[name]
    assert run(seed, **SITUATIONS[situation]).wrong == "", "without the bug all is well"
    assert run(seed, partial(planted, name), **SITUATIONS[situation]).wrong, f"{name} is not found any more"


def rounds() -> list[dict[str, str]]:
    """Divides the bugs into processes of at most `ROUND` tests, none of which has two bugs for one test."""
    divided: list[dict[str, str]] = []
    for name, test in sorted(FOUND_BY_TEST.items()):
        node_id = f"tests/federation/{test}[sqlite]"
        chosen = next((round for round in divided if node_id not in round and len(round) < ROUND), None)
        if chosen is None:
            divided.append(chosen := {})
        chosen[node_id] = name
    return divided


@pytest.mark.parametrize("plants", rounds(), ids=lambda plants: " ".join(plants.values()))
def test_planted_bugs_that_no_schedule_shows_are_found_by_tests(plants: dict[str, str]) -> None:
    options = ("-q", "-rf", "-p", "no:cacheprovider", "-p", "tests.simulation.plant_in_suite")
    run_of_tests = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--plants", json.dumps(plants), *plants],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.findall(r"^FAILED (\S+)", run_of_tests.stdout, re.MULTILINE)
    assert sorted(failed) == sorted(plants), run_of_tests.stdout + run_of_tests.stderr


def test_no_sum_follows_a_lie() -> None:
    """`make lies` tries 10,000 schedules."""
    assert tried(LIES, 0).wrong == ""


@pytest.mark.parametrize("name", sorted(CAUGHT_BY_LIES))
def test_a_planted_bug_of_money_is_found_by_a_lie(name: str) -> None:
    assert planted_lies(name, 150, CAUGHT_BY_LIES[name]), f"{name} is not found any more"


def test_each_planted_bug_is_found() -> None:
    names = [*CAUGHT_BY, *AIMED_AT, *CAUGHT_BY_LIES, *FOUND_BY_TEST]
    assert sorted(names) == sorted(MUTANTS)
