"""Findings about a document: what was not understood, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from commensal import Problem, Refused

LISTED = 1_000  # findings of each weight; further ones are only counted
Weight = Literal["wrong", "note"]


class UnreadableDocument(Refused):
    """The document is not read at all. `code` is for programs, `what` in English for a platform's developer."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(code, what.replace("{", "{{").replace("}", "}}"))


@dataclass(frozen=True, kw_only=True)
class DocumentFinding:
    """Something that was not understood ("note") or is wrong ("wrong"), with the first thing that has it.
    `property_name` is the thing's property, if the finding concerns one.

    Equal notes are one finding; `count` says how often it occurred.
    """

    weight: Weight
    problem: Problem
    property_name: str = ""
    count: int = 1

    @property
    def code(self) -> str:
        return self.problem.code

    @property
    def iri(self) -> str:
        return self.problem.where


class DocumentFindings:
    """Collects findings; their number is bounded, whatever the document."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, ...], DocumentFinding] = {}  # the first occurrence of each
        self._again: dict[tuple[str, ...], int] = {}
        self._wrong: list[DocumentFinding] = []
        self._unlisted = 0

    def note(self, code: str, text: str, iri: str = "", property: str = "", **values: str) -> None:
        key = (code, text, *values.values())
        if key in self._notes:
            self._again[key] = self._again.get(key, 0) + 1
        elif len(self._notes) < LISTED:
            problem = Problem(code, text, iri[:300], values)
            self._notes[key] = DocumentFinding(weight="note", problem=problem, property_name=property)
        else:
            self._unlisted += 1

    def wrong(self, code: str, text: str, iri: str = "", property: str = "", **values: str) -> None:
        if len(self._wrong) < LISTED:
            problem = Problem(code, text, iri[:300], values)
            self._wrong.append(DocumentFinding(weight="wrong", problem=problem, property_name=property))
        else:
            self._unlisted += 1

    @property
    def collected(self) -> tuple[DocumentFinding, ...]:
        """All findings, wrong ones first."""
        notes = (replace(first, count=1 + self._again.get(key, 0)) for key, first in self._notes.items())
        findings = [*self._wrong, *notes]
        if self._unlisted:
            more = Problem("more", "There is more that is not listed.")
            findings.append(DocumentFinding(weight="wrong", problem=more, count=self._unlisted))
        return tuple(findings)
