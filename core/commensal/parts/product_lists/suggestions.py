"""Similar words for what a list misspells: each word is looked up once, and only so many words of a file are."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

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
