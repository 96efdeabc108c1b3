"""What is found in a list: mistakes by row and column, similar words for misspelt ones, and prices that look like a
slip."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import TypeVar

from ...base.errors import Invalid, Problem
from ...base.hidden_fields import Amount

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


# Similar words for what a list misspells: each word is looked up once, and only so many words of a file are.

MOST = 50  # different words of one file: each takes milliseconds, and nobody mends more of them at a time

T = TypeVar("T")


class Suggestions:
    """The budget of one file."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._found: dict[Hashable, object] = {}

    def find(self, question: Hashable, search: Callable[[], T]) -> T | None:
        """Returns what `search` returns, called once for each question; None once the budget is spent."""
        if question not in self._found:
            if len(self._found) >= self._most:
                return None
            self._found[question] = search()
        return self._found[question]  # type: ignore[return-value]


# Finds prices that look like a slip of the hand: none at all, or the point at another place.

_TIMES = 10  # a point that is forgotten or misplaced makes a price ten times larger or smaller, or more


@dataclass(frozen=True, kw_only=True)
class PriceSlip:
    """A price that somebody should confirm. Amounts are minor units for one piece; `before` is None for new goods.

    item_id: "" for goods that are not listed yet
    """

    item_id: str
    name: str
    before: Amount | None
    after: Amount


def is_slip(before: int | None, after: int) -> bool:
    """Whether a new price is 0, or at least ten times more or less than the one before (None: there was none)."""
    if after == before:
        return False
    if not after or not before:
        return not after
    return after >= before * _TIMES or after * _TIMES <= before
