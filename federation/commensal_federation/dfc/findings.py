"""What was noticed in a document: what is not understood, and what cannot be right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from commensal import Problem

LISTED = 1_000  # of what cannot be right; the others are counted
Weight = Literal["wrong", "note"]


class Unreadable(Exception):
    """A document that is not read at all. `code` is for programs, `text` in English for a platform's developer."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that was not understood (a note), or that cannot be right (wrong): what it is, and in which thing it
    stands first. `place` is the thing's property, if it is one.

    Notes of one kind are one finding; `count` says how often.
    """

    weight: Weight
    problem: Problem
    place: str = ""
    count: int = 1

    @property
    def code(self) -> str:
        return self.problem.code

    @property
    def iri(self) -> str:
        return self.problem.where


class Findings:
    """Collects what is noticed. It stays small, whatever the document."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, ...], Finding] = {}  # the first of each
        self._again: dict[tuple[str, ...], int] = {}
        self._wrong: list[Finding] = []
        self._unlisted = 0

    def note(self, code: str, text: str, iri: str = "", place: str = "", **values: str) -> None:
        key = (code, text, *values.values())
        if key in self._notes:
            self._again[key] = self._again.get(key, 0) + 1
        elif len(self._notes) < LISTED:
            found = Problem(code, text, iri[:300], values)
            self._notes[key] = Finding(weight="note", problem=found, place=place)
        else:
            self._unlisted += 1

    def wrong(self, code: str, text: str, iri: str = "", place: str = "", **values: str) -> None:
        if len(self._wrong) < LISTED:
            found = Problem(code, text, iri[:300], values)
            self._wrong.append(Finding(weight="wrong", problem=found, place=place))
        else:
            self._unlisted += 1

    @property
    def listed(self) -> tuple[Finding, ...]:
        """What cannot be right first."""
        notes = (replace(first, count=1 + self._again.get(key, 0)) for key, first in self._notes.items())
        found = [*self._wrong, *notes]
        if self._unlisted:
            more = Problem("more", "There is more that is not listed.")
            found.append(Finding(weight="wrong", problem=more, count=self._unlisted))
        return tuple(found)
