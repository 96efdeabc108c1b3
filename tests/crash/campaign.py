"""Kills an instance again and again while people shop, and checks after each time. ``make crash`` runs many of these.

Where and at which hit it is killed is drawn from a seed. What four clients do at that moment is up to the machine, so a
seed that has found something finds it again soon, and not always at the same kill.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from commensal.failpoints import FAILPOINTS

from .lifeline import KILLED, Lifeline, lifeline
from .promises import broken_promises
from .shoppers import Crowd, Shopper, Told

SHOPPERS = 4
AT_MOST = 2.0  # seconds of a life, where its failpoint is not reached
BETWEEN = 7.0  # minutes by which each life is later: a job that a killed worker had claimed is free by then
SLOWEST = 5.0  # seconds from the start of a life to its first answer
WHILE_SERVING = sorted(
    name
    for name in FAILPOINTS
    if name.partition(".")[0] in ("request", "order", "payment", "refund", "job", "periodic", "mail", "event")
)


class Broken(AssertionError):
    """A promise was broken."""


@dataclass
class Figures:
    """What a campaign did. `recovered` are seconds from each start to the first answer."""

    kills: Counter[str] = field(default_factory=Counter)  # by failpoint
    recovered: list[float] = field(default_factory=list)
    orders: int = 0
    paid: int = 0
    seconds: float = 0.0

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
    line: Lifeline, folder: Path, *, seed: str, kills: int, planted: str = "", only: Sequence[str] = ()
) -> Figures:
    """Kills an instance in the empty `folder` so many times. Raises `Broken`, with what to run to see it again."""
    chance, told, figures, begun = random.Random(seed), Told(), Figures(), time.perf_counter()
    line.open_shop(folder)
    crowd = Crowd([Shopper(line, folder, told, f"{seed}-{n}") for n in range(SHOPPERS)])
    for n in range(kills):
        name = chance.choice(only or [*WHILE_SERVING, ""])
        hit = 1 if name.startswith("refund") else chance.randint(1, 6)
        seconds = AT_MOST if name else chance.uniform(0.05, 0.4)  # or at any moment
        armed = f"{name}:{hit}" if name else ""
        ended, recovered = line.serve(seconds, folder=str(folder), later=n * BETWEEN, armed=armed, planted=planted)
        if recovered is not None:
            figures.recovered.append(recovered)
        figures.kills[name if line.in_time else "at any moment"] += 1
        _refuse(seed, f"kill {n + 1} at {armed or 'any moment'}", [
            *([] if ended == KILLED else [f"it ended by itself: {ended}"]), *broken_promises(folder, told)
        ])  # fmt: skip
    finish(line, crowd, folder, kills * BETWEEN, planted)
    _refuse(seed, "the end", broken_promises(folder, told, at_rest=True))
    if max(figures.recovered) > SLOWEST:
        raise Broken(f"one start took {max(figures.recovered):.1f} s")
    figures.orders, figures.paid, figures.seconds = len(told.orders), len(told.paid), time.perf_counter() - begun
    return figures


def finish(line: Lifeline, crowd: Crowd, folder: Path, later: float, planted: str = "") -> None:
    """A last life in which everybody gets their answers; then every job is done."""

    def leave() -> None:
        crowd.finish()
        line.kill()

    line.serve(60, meanwhile=leave, folder=str(folder), later=later, planted=planted)
    if line.run("drain", folder=str(folder), later=later + BETWEEN, planted=planted) != 0:
        raise Broken("jobs cannot be done")


def _refuse(seed: str, when: str, found: Sequence[str]) -> None:
    if found:
        raise Broken(f"after {when}, with SEED={seed}:\n" + "\n".join(found[:10]))


def main() -> None:
    seed = os.environ.get("SEED") or datetime.now(UTC).strftime("%Y%m%d")
    kills, each = int(os.environ.get("KILLS", "2000")), 50
    total = Figures()
    with lifeline() as line:
        for n in range(-(-kills // each)):
            with tempfile.TemporaryDirectory(prefix="commensal-crash-") as folder:
                total.add(campaign(line, Path(folder) / "shop", seed=f"{seed}-{n}", kills=each))
            print(f"SEED={seed} {total}", flush=True)
    for name, times in sorted(total.kills.items()):
        print(f"{times:5} {name}")


if __name__ == "__main__":
    main()
