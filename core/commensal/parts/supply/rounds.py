"""Asks plugins for rounds: which vehicle carries whose goods (hook `plan_rounds`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...hooks import specifications
from ...hooks.values import PlannedRound, RoundsTask

if TYPE_CHECKING:
    from ...instance import Instance


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
