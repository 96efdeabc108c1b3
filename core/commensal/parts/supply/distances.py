"""Asks plugins how far places are from each other by road (hook `distances`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...hooks import specifications
from ...hooks.values import RoadPoint, RoadTable

if TYPE_CHECKING:
    from ...instance import Instance

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
