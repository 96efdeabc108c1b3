"""The parts of a schedule. Quiet and violent ones both occur: each kind of fault is left out of many schedules.

Most are sprints: a few minutes, about twenty actions of people, two or three faults. The others last longer, and a few
have seven instances.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from .network import Weather
from .nodes import Node
from .worlds import SHAPES

if TYPE_CHECKING:
    from .simulation import Simulation

Fault = tuple[timedelta, Callable[[], None]]
SKEW = 600.0  # seconds
BEFORE_GRANTS = 0.3  # how many of the backups are from before the first grant

# How often people do what, if a schedule has the habit.
HABITS: Mapping[str, float] = {
    "order": 10,
    "order much": 3,
    "cancel": 3,
    "change": 2,
    "weigh": 2,
    "hand over": 4,
    "receive": 2,
    "count": 1,
    "price": 1,
    "hide": 1,
    "answer": 2,
    "revoke": 0.5,
    "grant": 2,
    "force": 0.7,
    "accept late": 1,
    "settle": 4,
    "forecast": 1,
}
_RARE = ("revoke", "force", "change", "hide", "count")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`begins`: delay after the world was made; `closes`: the sales, after that; `lasts`: until all is mended; `busy`:
    seconds between two actions of people; the rest is how many faults of each kind there are.
    """

    world: str
    begins: timedelta
    closes: timedelta
    lasts: timedelta
    busy: float
    habits: Mapping[str, float]
    by_hand: bool
    shortage: str
    weather: Weather
    crashes: int
    cuts: int
    skews: int
    full: int
    restores: int
    older: float | None  # which node speaks the older version, from 0 to 1; None: all speak the same
    upgrades: int
    alone: bool  # a restored node is cut off from one of its peers, so that not all recover at once
    liar: float | None  # which hub's instance lies, from 0 to 1; None: no liar
    moves: int = 0  # how often the farm moves; only where its owner has accounts elsewhere
    brisk: bool  # wires and workers are quick, so that waiting customers can be served

    @property
    def short(self) -> bool:
        return self.lasts < timedelta(minutes=5)

    def within(self, chance: random.Random, least: float, most: float) -> timedelta:
        """Draws the duration of a fault in seconds; shorter in short schedules, so that there is time left after it."""
        return timedelta(seconds=chance.uniform(least, most) * (0.15 if self.short else 1))

    def faults(self, simulation: Simulation) -> list[Fault]:
        chance, nodes = simulation.chance, list(simulation.nodes.values())
        drawn: list[Fault] = []

        def add_faults(number: int, fault: Callable[[Simulation, Node], None]) -> None:
            for _ in range(number):
                delay = self.lasts * chance.random()
                drawn.append((delay, partial(fault, simulation, chance.choice(nodes))))

        add_faults(self.crashes, crash)
        add_faults(self.cuts, cut)
        add_faults(self.skews, skew)
        add_faults(self.full, fill)
        add_faults(self.restores, back_up)
        add_faults(self.upgrades, upgrade)
        return drawn


_WORLDS = ["two hubs"] * 5 + ["chain"] * 3 + ["two farms"] * 2
# By kind: worlds; minutes until sales close, and until all is mended; seconds between two actions of people.
_SIZES: Mapping[str, tuple[Sequence[str], Sequence[float], Sequence[float], Sequence[float]]] = {
    "sprint": (_WORLDS, [1, 2, 3, 4], [1.5, 2, 3], [5, 8, 12]),
    "long": (_WORLDS, [6, 15, 30, 45], [8, 15, 25], [15, 25, 40]),
    "seven": (["seven"], [2, 5, 10], [3, 5, 8], [5, 8, 12]),
}


def plan_of(chance: random.Random, extra: random.Random) -> Plan:
    """`extra` is for values added later, so that older seeds still draw the same values."""
    (size,) = chance.choices(list(_SIZES), [90, 8, 2])
    worlds, closes, lasts, busy = _SIZES[size]
    return Plan(
        world=chance.choice(worlds),
        begins=timedelta(minutes=chance.choice([10, 10, 10, 60 * 23 + 45])),  # leases end after a day
        closes=timedelta(minutes=chance.choice(closes)),
        lasts=timedelta(minutes=chance.choice(lasts)),
        busy=chance.choice(busy),
        habits={name: weight for name, weight in HABITS.items() if chance.random() < (0.3 if name in _RARE else 0.85)}
        | {"order": HABITS["order"]},
        by_hand=chance.random() < 0.3,
        shortage=chance.choice(["newest first", "pro rata"]),
        weather=Weather(
            lost=chance.choice([0, 0, 0.05, 0.2, 0.4]),
            doubled=chance.choice([0, 0.1, 0.3]),
            late=0.5,
            delay=chance.choice([0.1, 1, 5]),
        ),
        crashes=chance.choice([0, 0, 1, 3]),
        cuts=chance.choice([0, 0, 1, 3]),
        skews=chance.choice([0, 0, 1]),
        full=chance.choice([0, 0, 0, 1]),
        restores=chance.choice([0, 0, 0, 0, 1]),
        older=chance.random() if chance.random() < 0.25 else None,
        upgrades=chance.choice([0, 1]),
        alone=extra.random() < 0.7,
        liar=extra.random() if extra.random() < 0.15 else None,
        brisk=extra.random() < 0.4,
    )


def moving_plan(seed: int) -> Mapping[str, Any]:
    """What is other in a schedule in which a farm moves, in one of the shapes that trade may have.

    Restores, units taken by force, lies and older versions are for other schedules: moves alone are tried here.
    """
    chance = random.Random(f"{seed} moves")
    plan = plan_of(random.Random(seed), random.Random(f"{seed} more"))
    often = {habit: weight for habit, weight in plan.habits.items() if habit not in ("force", "accept late")}
    often["take back"] = 2  # a hand-over of which the old home may have been told
    return {
        "world": SHAPES[seed % len(SHAPES)],
        "moves": chance.choice([1, 1, 2]),
        "habits": often,
        "restores": 0,
        "liar": None,
        "older": None,
        "upgrades": 0,
    }


def crash(simulation: Simulation, node: Node) -> None:
    """Fails soon, in the middle of something."""
    if node.up:
        node.moments = simulation.chance.randint(1, 30)


def cut(simulation: Simulation, node: Node) -> None:
    """Cuts one way or both, for some minutes."""
    chance, network = simulation.chance, simulation.network
    other_node = chance.choice([candidate for candidate in simulation.nodes.values() if candidate is not node])
    directions = [(node.name, other_node.name), (other_node.name, node.name)][: chance.randint(1, 2)]
    network.cut.update(directions)
    simulation.figures["cuts"] += 1
    simulation.note("network", f"cut {directions}")

    def mend() -> None:
        network.cut.difference_update(directions)
        simulation.note("network", f"whole {directions}")

    simulation.at(simulation.now + simulation.plan.within(chance, 10, 900), "whole", None, mend)


def skew(simulation: Simulation, node: Node) -> None:
    """Sets a clock wrong, and right again later."""
    chance = simulation.chance
    error = timedelta(seconds=round(chance.uniform(-SKEW, SKEW)))
    simulation.figures["wrong clocks"] += 1

    def set_clock(by: timedelta) -> None:
        node.skew, node.largest_skew = by, max(node.largest_skew, abs(by))
        simulation.note(node.name, f"clock wrong by {by.total_seconds():.0f} s")
        simulation.pass_time(0)
        simulation.touched.add(node.name)

    set_clock(error)
    simulation.at(
        simulation.now + simulation.plan.within(chance, 60, 900), "clock", None, partial(set_clock, timedelta())
    )


def fill(simulation: Simulation, node: Node) -> None:
    """Lets nothing more be written for a while."""
    node.fill_disk(True)
    simulation.figures["full disks"] += 1
    simulation.note(node.name, "disk full")

    def empty() -> None:
        node.fill_disk(False)
        simulation.note(node.name, "disk has room")

    simulation.at(simulation.now + simulation.plan.within(simulation.chance, 10, 400), "room", None, empty)


def upgrade(simulation: Simulation, node: Node) -> None:
    """The node with the older version speaks the newer one from now on."""
    for older_node in simulation.nodes.values():
        if older_node.older:
            older_node.older, older_node.up = False, False
            simulation.figures["upgrades"] += 1
            simulation.note(older_node.name, "is upgraded")
            simulation.rise(older_node)


def back_up(simulation: Simulation, node: Node) -> None:
    """Makes a backup, which replaces the instance some minutes later; of some, only one from before the first grant."""
    is_old = simulation.chance.random() < BEFORE_GRANTS and node.name in simulation.world.before_grants
    image = simulation.world.before_grants[node.name] if is_old else node.image()
    simulation.note(node.name, "has an old backup" if is_old else "backed up")

    def restore() -> None:
        if not simulation.mended:
            simulation.figures["restores"] += 1
            simulation.note(node.name, "restored")
            node.up, node.moments = True, None  # for the operator
            node.restore(image, f"{simulation.now.isoformat()} {node.restores}")
            simulation.set_closing(node)
            node.up = False
            if simulation.plan.alone:
                cut(simulation, node)
            simulation.rise(node)

    simulation.at(simulation.now + simulation.plan.within(simulation.chance, 30, 600), "restore", None, restore)
