"""Adds headings, subtotals and the total to the lines of a report while they are streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from .values import Cell, Column, Line, PrintedRow, Quantity, Report


def add_sums(report: Report, lines: Iterable[Line]) -> Iterator[PrintedRow]:
    """The rows of the report. Lines of a group must be adjacent: a group ends when the value of its column changes."""
    places = [_place(report, name) for name in report.grouped_by]
    sums = [_Sums(report.columns, places[: level + 1]) for level in range(len(places))]
    total = _Sums(report.columns, ())
    previous_keys: list[Cell] | None = None
    for line in lines:
        if places:
            keys = [line[place] for place in places]
            if keys != previous_keys:
                first_changed = 0 if previous_keys is None else _first_change(previous_keys, keys)
                yield from _subtotals(sums, previous_keys, first_changed)
                for level in range(first_changed, len(places)):
                    yield PrintedRow("group", level, (keys[level],))
                previous_keys = keys
        for group_sums in sums:
            group_sums.add(line)
        total.add(line)
        yield PrintedRow("line", len(places), line)
    yield from _subtotals(sums, previous_keys, 0)
    if total.places and total.lines:
        yield PrintedRow("total", 0, total.take())


def _place(report: Report, name: str) -> int:
    return next(place for place, column in enumerate(report.columns) if column.name == name)


def _first_change(previous_keys: Sequence[Cell], keys: Sequence[Cell]) -> int:
    return next(level for level, (old, new) in enumerate(zip(previous_keys, keys, strict=True)) if old != new)


def _subtotals(sums: list[_Sums], keys: Sequence[Cell] | None, down_to: int) -> Iterator[PrintedRow]:
    """Subtotals of the groups that end, the innermost first. A group of a single line gets none."""
    if keys is None:
        return
    for level in range(len(keys) - 1, down_to - 1, -1):
        single = sums[level].lines < 2
        cells = sums[level].take()
        if sums[level].places and not single:
            yield PrintedRow("subtotal", level, cells)


class _Sums:
    """Adds up the summed columns, and keeps the values that all lines of the group share."""

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
                self._sums[place] = _add_cells(self._sums[place], cell) if place in self._sums else cell

    def take(self) -> Line:
        """Returns the sums as a line, and resets them."""
        cells: list[Cell] = [self._sums.get(place) for place in range(self._wide)]
        self._sums, self.lines = {}, 0
        return [None if isinstance(cell, Quantity) and not cell.unit else cell for cell in cells]


def _add_cells(first: Cell, second: Cell) -> Cell:
    """The sum of two cells. Quantities of different units have none, which the unit "" marks. Raises `TypeError` for
    what is not a number."""
    if isinstance(first, Quantity) and isinstance(second, Quantity):
        return Quantity(first.value + second.value, first.unit if first.unit == second.unit else "")
    if isinstance(first, int | Decimal) and isinstance(second, int | Decimal):
        return first + second
    raise TypeError(f"a summed column has no numbers: {first!r}, {second!r}")
