"""Headings, subtotals and the total, worked out while the lines pass by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .values import Cell, Column, Line, Quantity, Report, Row


def with_sums(report: Report, lines: Iterable[Line]) -> Iterator[Row]:
    """The report's rows. Lines of a group must follow each other; a group is over when one of its cells changes."""
    places = [_place(report, name) for name in report.grouped_by]
    sums = [_Sums(report.columns, places[: level + 1]) for level in range(len(places))]
    total = _Sums(report.columns, ())
    before: list[Cell] | None = None
    for line in lines:
        if places:
            keys = [line[place] for place in places]
            if keys != before:
                changed = 0 if before is None else _first_change(before, keys)
                yield from _ended(sums, before, changed)
                for level in range(changed, len(places)):
                    yield Row("group", level, (keys[level],))
                before = keys
        for one in sums:
            one.add(line)
        total.add(line)
        yield Row("line", len(places), line)
    yield from _ended(sums, before, 0)
    if total.places and total.lines:
        yield Row("total", 0, total.take())


def _place(report: Report, name: str) -> int:
    return next(place for place, column in enumerate(report.columns) if column.name == name)


def _first_change(before: Sequence[Cell], now: Sequence[Cell]) -> int:
    return next(level for level, (old, new) in enumerate(zip(before, now, strict=True)) if old != new)


def _ended(sums: list[_Sums], keys: Sequence[Cell] | None, down_to: int) -> Iterator[Row]:
    """Subtotals of the groups that end, the innermost first; none of a single line, which says it already."""
    if keys is None:
        return
    for level in range(len(keys) - 1, down_to - 1, -1):
        single = sums[level].lines < 2
        cells = sums[level].take()
        if sums[level].places and not single:
            yield Row("subtotal", level, cells)


class _Sums:
    """Adds up the columns that are summed, and keeps the cells that the lines have in common."""

    def __init__(self, columns: Sequence[Column], common: Sequence[int]) -> None:
        self.places = [place for place, column in enumerate(columns) if column.summed]
        self._common = common
        self._wide, self.lines = len(columns), 0
        self._sums: dict[int, Cell] = {}

    def add(self, line: Line) -> None:
        if not self.lines:
            self._sums = {place: line[place] for place in self._common}
        self.lines += 1
        for place in self.places:
            cell = line[place]
            if cell is not None:
                self._sums[place] = _added(self._sums[place], cell) if place in self._sums else cell

    def take(self) -> Line:
        """The sums as a line; begins anew."""
        cells: list[Cell] = [self._sums.get(place) for place in range(self._wide)]
        self._sums, self.lines = {}, 0
        return [None if isinstance(cell, Quantity) and not cell.unit else cell for cell in cells]


def _added(one: Any, other: Any) -> Cell:
    """Quantities of different units have no sum; their unit is "" from then on."""
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return Quantity(one.value + other.value, one.unit if one.unit == other.unit else "")
    added: Cell = one + other
    return added
