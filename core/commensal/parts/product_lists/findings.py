"""The mistakes in a list by row and column: the first thousand, and the number of further ones."""

from __future__ import annotations

from dataclasses import replace

from ...base.errors import Invalid, Problem

LISTED = 1_000


class Findings:
    """Collects mistakes. Rows are counted as a spreadsheet does: the headers are row 1."""

    def __init__(self) -> None:
        self._listed: list[Problem] = []
        self._wrong: dict[int, set[str]] = {}  # headers by row
        self.unlisted = 0

    def add(self, row: int, header: str, problem: Problem) -> None:
        """Adds a problem with its place. `header` is the column's header as in the file; "" for a whole row."""
        self._wrong.setdefault(row, set()).add(header)
        if len(self._listed) == LISTED:
            self.unlisted += 1
            return
        where = f"row {row}, {header}" if header else f"row {row}"
        values = {**problem.values, "row": row, "column": header}
        self._listed.append(replace(problem, where=where, values=values))

    def in_cell(self, row: int, header: str) -> bool:
        """Whether this cell has a mistake already; further ones in the same cell are not reported."""
        return header in self._wrong.get(row, ())

    def in_row(self, row: int) -> bool:
        return row in self._wrong

    def __bool__(self) -> bool:
        return bool(self._listed)

    @property
    def listed(self) -> tuple[Problem, ...]:
        """The first thousand mistakes, ordered by row."""
        return tuple(sorted(self._listed, key=lambda problem: int(problem.values["row"])))

    def refuse(self) -> None:
        """Raises `Invalid` with the listed mistakes, if there are any. A last entry counts the others."""
        if self.unlisted:
            rest = Problem("more", "There are {count} more mistakes.", "", {"count": self.unlisted})
            raise Invalid([*self.listed, rest])
        if self._listed:
            raise Invalid(self.listed)
