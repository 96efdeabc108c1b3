"""What is wrong with a list: mistakes by row and column, the first thousand of them, and how many more there are."""

from __future__ import annotations

from typing import Any

from ..errors import Invalid, Problem

LISTED = 1_000


class Findings:
    """Collects mistakes in the order they are met. Rows are counted as a spreadsheet does: the headers are row 1."""

    def __init__(self) -> None:
        self._listed: list[Problem] = []
        self._places: set[tuple[int, str]] = set()
        self.unlisted = 0

    def add(self, row: int, header: str, code: str, text: str, **values: Any) -> None:
        """`header` is the column's as the file spells it; "" for a mistake of the whole row or file."""
        self._places.add((row, header))
        if len(self._listed) == LISTED:
            self.unlisted += 1
            return
        where = f"row {row}, {header}" if header else f"row {row}"
        self._listed.append(Problem(code, text, where, {"row": row, "column": header, **values}))

    def has(self, row: int, header: str) -> bool:
        """Whether this cell is known to be wrong: one mistake in a cell is enough."""
        return (row, header) in self._places

    def __bool__(self) -> bool:
        return bool(self._listed)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was listed; the last one says how many are not."""
        if not self.unlisted:
            return tuple(self._listed)
        more = Problem("more", "There are {count} more mistakes.", "", {"count": self.unlisted})
        return (*self._listed, more)

    def refuse(self) -> None:
        """Raises `Invalid` with every mistake, where there is one."""
        if self:
            raise Invalid(self.problems)
