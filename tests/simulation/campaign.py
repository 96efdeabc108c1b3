"""Runs many schedules on all processors, and reports.

``make sim`` runs 10,000, ``make sim SCHEDULES=…`` another number, ``make sim SEED=…`` one again with its story. ``make
sim MUTANTS=1`` looks for the first seed that finds each planted bug, ``make sim MUTANTS=its_name`` for that one.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from .mutants import MUTANTS, planted
from .plan import moving_plan
from .simulation import Plant, Simulation, Violation


@dataclass
class Found:
    """The result of one schedule; `wrong` is empty if all was well."""

    seed: int
    wrong: str = ""
    digest: str = ""
    events: int = 0
    figures: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)


def run(seed: int, plant: Plant = nullcontext, *, keep: int = 60, **changes: Any) -> Found:
    """Runs one schedule, and keeps its last lines if something is wrong. `changes` replace values of the plan, for
    example the world.
    """
    simulation = Simulation(seed, plant, **changes)
    outcome = Found(seed)
    try:
        outcome.digest = simulation.run()
    except Violation as violation:
        outcome.wrong, outcome.lines = str(violation), simulation.lines[-keep:]
    outcome.events, outcome.figures = simulation.events, simulation.figures + simulation.people.done
    return outcome


def summary(all_found: list[Found], seconds: float) -> str:
    figures: Counter[str] = Counter()
    for outcome in all_found:
        figures += outcome.figures
    number, violation_count = len(all_found), sum(bool(outcome.wrong) for outcome in all_found)
    bound = (
        f"under {3 / number:.3%} of schedules break a promise, with 95 % confidence"
        if not violation_count
        else "broken"
    )
    return (
        f"{number} schedules in {seconds:.0f} s: {figures['transactions']} transactions, "
        f"{figures['messages']} messages in {figures['requests']} requests "
        f"({figures['lost']} lost, {figures['doubled']} doubled), "
        f"{figures['crashes']} crashes, {figures['cuts']} cuts, {figures['wrong clocks']} wrong clocks, "
        f"{figures['full disks']} full disks, {figures['restores']} restores, {figures['upgrades']} upgrades, "
        f"{figures['moves']} moves, "
        f"{figures['forced']} forced returns, {figures['orders']} orders. {violation_count} violations: {bound}."
    )


def run_drawn(seed: int, *, keep: int = 60) -> Found:
    """One schedule of a campaign: in each eighth a farm moves, in the next of all shapes."""
    return run(seed, keep=keep, **(moving_plan(seed // 8) if seed % 8 == 0 else {}))


def _seeds() -> Iterator[int]:
    """New ones each day."""
    first_seed = int(datetime.now(UTC).strftime("%y%m%d")) * 100_000
    yield from range(first_seed, first_seed + int(os.environ.get("SCHEDULES", "10000")))


SEARCHED = 200  # seeds for each planted bug


def first_to_find(name: str) -> tuple[str, int | None, str]:
    """Returns the planted bug, the lowest seed that finds it, if any, and the violation."""
    for seed in range(SEARCHED):
        if violations := run(seed, partial(planted, name)).wrong:
            return name, seed, violations.splitlines()[0]
    return name, None, f"not found by {SEARCHED} seeds"


def _search(names: Sequence[str]) -> None:
    with pool_of_processes() as pool:
        for future in as_completed([pool.submit(first_to_find, name) for name in names]):
            name, seed, violation = future.result()
            print(f"{name}: {seed} ({violation})", flush=True)


def pool_of_processes(workers: int | None = None) -> ProcessPoolExecutor:
    """Processes, by default one for each processor. One that dies ends the campaign with an error."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def main() -> None:
    if mutant := os.environ.get("MUTANTS"):
        _search(sorted(MUTANTS) if mutant == "1" else [mutant])
        return
    if seed := os.environ.get("SEED"):
        outcome = run_drawn(int(seed), keep=10_000)
        print("\n".join(outcome.lines), outcome.wrong or f"All was well: {outcome.digest[:16]}.", sep="\n")
        raise SystemExit(bool(outcome.wrong))
    started, all_found = time.perf_counter(), []
    with pool_of_processes() as pool:
        for future in as_completed([pool.submit(run_drawn, seed) for seed in _seeds()]):
            outcome = future.result()
            all_found.append(outcome)
            if outcome.wrong:
                print(f"SEED={outcome.seed}: {outcome.wrong}", flush=True)
            if len(all_found) % 100 == 0:
                print(summary(all_found, time.perf_counter() - started), flush=True)
    print(summary(all_found, time.perf_counter() - started))
    raise SystemExit(any(outcome.wrong for outcome in all_found))


if __name__ == "__main__":
    main()
