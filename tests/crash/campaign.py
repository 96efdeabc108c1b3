"""Kills an instance again and again while people shop, and checks after each time. ``make crash`` runs many of these.

A seed decides where and at which hit it is killed. What four clients do at that moment depends on the machine, so a
seed that has found something finds it again soon, but not always at the same kill.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from .lifeline import KILLED, Lifeline, lifeline
from .moments import WHILE_BUYING, WHILE_WORKING
from .promises import broken_promises
from .shoppers import Crowd, Shopper, Told

SHOPPERS = 4
ANY_MOMENT = "any moment"
AT_MOST = 2.0  # seconds of a life whose failpoint is not reached
BETWEEN = 7.0  # minutes between two lives, so that the claim of a killed worker on a job has ended
SLOWEST = 5.0  # seconds from the start of a life to its first answer


class Broken(AssertionError):
    """A promise was broken."""


@dataclass
class Figures:
    """The figures of a campaign. `recovered` are seconds from each start to the first answer."""

    kills: Counter[str] = field(default_factory=Counter)  # by failpoint
    recovered: list[float] = field(default_factory=list)
    orders: int = 0
    paid: int = 0
    seconds: float = 0.0

    def count(self, where: str, recovered: float | None) -> None:
        self.kills[where] += 1
        self.recovered += [recovered] if recovered is not None else []

    def add(self, other: Figures) -> None:
        self.kills += other.kills
        self.recovered += other.recovered
        self.orders, self.paid = self.orders + other.orders, self.paid + other.paid
        self.seconds += other.seconds

    def __str__(self) -> str:
        number = self.kills.total()
        return (
            f"{number} kills in {self.seconds:.0f} s, {self.orders} confirmed orders and {self.paid} payments, nothing "
            f"lost or doubled: with 95 % confidence under {3 / number:.2%} of kills break a promise. "
            f"Slowest recovery {max(self.recovered):.2f} s."
        )


def campaign(
    line: Lifeline,
    folder: Path,
    *,
    seed: str,
    kills: int,
    planted: str = "",
    only: Sequence[str] = (),
    database: str = "",
) -> Figures:
    """Kills an instance in the new `folder` so many times. Raises `Broken`, with the command that repeats it."""
    told, figures, started = Told(), Figures(), time.perf_counter()
    line.open_shop(folder, database)
    crowd = Crowd([Shopper(line, folder, told, f"{seed}-{n}", email=f"ada-{n}@example.org") for n in range(SHOPPERS)])
    try:
        for n, life in enumerate(_lives(seed, kills, only)):
            exit_status, recovered = line.serve(
                life.seconds, folder=str(folder), later=n * BETWEEN, armed=life.armed, planted=planted
            )
            figures.count(life.name if line.in_time else ANY_MOMENT, recovered)
            ended_by_itself = [] if exit_status == KILLED else [f"it ended by itself: {exit_status}"]
            _refuse([*ended_by_itself, *broken_promises(folder, told)], f"kill {n + 1} at {life}", seed)
        finish(line, crowd, folder, kills * BETWEEN, planted)
        _refuse(broken_promises(folder, told, at_rest=True), "the end", seed)
    except BaseException:
        crowd.leave()
        raise
    if median(figures.recovered) > SLOWEST:  # a single one may wait for the machine; it is printed
        raise Broken(f"half of the starts took more than {SLOWEST} s")
    figures.orders, figures.paid, figures.seconds = len(told.orders), len(told.paid), time.perf_counter() - started
    return figures


@dataclass(frozen=True)
class Life:
    """How a life ends: at the n-th hit of a failpoint, or else after some seconds."""

    name: str
    hit: int
    seconds: float

    @property
    def armed(self) -> str:
        return f"{self.name}:{self.hit}" if self.name else ""

    def __str__(self) -> str:
        return self.armed or ANY_MOMENT


def _lives(seed: str, number: int, only: Sequence[str]) -> Iterator[Life]:
    chance = random.Random(seed)
    for _ in range(number):
        name = chance.choice(only or [*WHILE_BUYING, *WHILE_WORKING, ""])
        is_rare = name.startswith("refund")
        yield Life(name, 1 if is_rare else chance.randint(1, 4), AT_MOST if name else chance.uniform(0, 0.5))


def finish(line: Lifeline, crowd: Crowd, folder: Path, later: float, planted: str = "") -> None:
    """Runs a last life in which all shoppers get their answers; then every job."""

    def leave() -> None:
        crowd.finish()
        line.kill()

    line.serve(60, meanwhile=leave, folder=str(folder), later=later, planted=planted)
    if line.run("drain", folder=str(folder), later=later + BETWEEN, planted=planted) != 0:
        raise Broken("jobs cannot be done")


def _refuse(violations: Sequence[str], when: str, seed: str) -> None:
    if violations:
        raise Broken(f"after {when}, with SEED={seed}:\n" + "\n".join(violations[:10]))


def main() -> None:
    seed = os.environ.get("SEED") or datetime.now(UTC).strftime("%Y%m%d")
    kills, each = int(os.environ.get("KILLS", "2000")), 50
    total = Figures()
    with lifeline() as line:
        for n in range(0, kills, each):
            with tempfile.TemporaryDirectory(prefix="commensal-crash-") as folder:
                shop = Path(folder) / "shop"
                total.add(campaign(line, shop, seed=f"{seed}-{n}" if n else seed, kills=min(each, kills - n)))
            print(f"SEED={seed} {total}", flush=True)
    for name, times in sorted(total.kills.items()):
        print(f"{times:5} {name}")


if __name__ == "__main__":
    main()
