"""Asks plugins for rounds, for the distances of places by road, and for rules that share a round's cost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...hooks import specifications
from ...hooks.values import CostRule, PlannedRound, RoadPoint, RoadTable, RoundParticipant, RoundsTask

if TYPE_CHECKING:
    from ...hooks.dispatcher import Hooks
    from ...instance import Instance
    from ...storage.database import Transaction


def ask_planners(instance: Instance, task: RoundsTask) -> Sequence[PlannedRound] | None:
    """The rounds of the first plugin that plans some; None if no plugin can plan here.

    Each vehicle and each load occurs once at most, and every id is one of the task.
    """
    for answer in instance.hooks.each(specifications.plan_rounds, None, instance=instance, task=task):
        return list(_known(answer.value or (), task))
    return None


def _known(rounds: Sequence[PlannedRound], task: RoundsTask) -> Iterator[PlannedRound]:
    vehicles, loads = {vehicle.id for vehicle in task.vehicles}, {load.id for load in task.loads}
    for planned in rounds:
        if planned.vehicle in vehicles:
            vehicles.discard(planned.vehicle)
            carried = tuple(load for load in dict.fromkeys(planned.loads) if load in loads)
            loads.difference_update(carried)
            if carried:
                yield PlannedRound(vehicle=planned.vehicle, loads=carried)


# Rules of plugins that share the cost of a round (hook `share_costs`).

_ID = re.compile(r"[a-z][a-z0-9_]{0,29}/[1-9][0-9]{0,2}")


def cost_rules(tx: Transaction, hooks: Hooks, language: str) -> dict[str, CostRule]:
    """The rules by "plugin:id", in the operator's order. Where its plugin fails, which is noted, `share` raises
    `ValueError`."""
    rules: dict[str, CostRule] = {}
    for answer in hooks.each(specifications.share_costs, None, tx=tx, language=language):
        for rule in answer.value or ():
            if not _ID.fullmatch(rule.id):
                hooks.blame(specifications.share_costs, answer.plugin, f"{rule.id!r:.100} is not an id of a rule")
                continue
            share = partial(_checked, tx, hooks, answer.plugin, rule)
            rules[f"{answer.plugin}:{rule.id}"] = replace(rule, share=share)
    return rules


def _checked(
    tx: Transaction, hooks: Hooks, plugin: str, rule: CostRule, total: int, participants: Sequence[RoundParticipant]
) -> Mapping[str, int] | None:
    what = f"cost rule {rule.id}"
    names = {participant.name for participant in participants}
    try:
        with hooks.running(plugin, what, tx.hold):
            owed = rule.share(total, participants)
            if owed is not None:
                _refuse_wrong(owed, total, names)
    except Exception as error:
        raise ValueError(f"{plugin}, {what}: {error}") from error
    return owed


def _refuse_wrong(owed: Mapping[str, int], total: int, names: Set[str]) -> None:
    if owed.keys() != names or not all(type(cents) is int and cents >= 0 for cents in owed.values()):
        raise ValueError("it does not say for each participant how many cents they pay")
    if sum(owed.values()) != total:
        raise ValueError(f"it shares {sum(owed.values())} cents of {total}")


# Asks plugins how far places are from each other by road (hook `distances`).

_FARTHEST = 10_000_000  # metres; and seconds
_LONGEST_SOURCE = 40


def ask_distances(instance: Instance, points: Sequence[RoadPoint]) -> RoadTable | None:
    """The table of the first plugin that measures these places; None if no plugin can here."""
    hook = specifications.distances
    for answer in instance.hooks.each(hook, None, instance=instance, points=points):
        if answer.value is not None and _fits(answer.value, len(points)):
            return answer.value
        instance.hooks.blame(hook, answer.plugin, f"its table is not one of {len(points)} places")
    return None


def _fits(table: RoadTable, places: int) -> bool:
    rows = [*table.metres, *table.seconds]
    is_square = len(table.metres) == len(table.seconds) == places and all(len(row) == places for row in rows)
    in_bounds = all(cell is None or 0 <= cell <= _FARTHEST for row in rows for cell in row)
    return is_square and in_bounds and 0 < len(table.source) <= _LONGEST_SOURCE
