"""Reads documents of any platform that speaks DFC, in whichever of its dialects, into values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from .vocabulary import DfcEvent, DfcOther, Thing

T = TypeVar("T", bound=Thing)
Weight = Literal["wrong", "note"]


class Unreadable(Exception):
    """A document that is not read at all. `code` is for programs, `text` in English for a platform's developer."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that was not understood (a note), or that cannot be right (wrong), and where it stands."""

    weight: Weight
    code: str
    text: str
    iri: str = ""
    property: str = ""


@dataclass(frozen=True, kw_only=True)
class DfcDocument:
    """What a document says. `version` is "1.16" or "2.0"; `shapes` say how it was written, in words.

    things:   by IRI, in the order of the document; what has no value of its own is among them as `DfcOther`
    """

    version: str
    shapes: tuple[str, ...]
    things: Mapping[str, Thing]
    events: tuple[DfcEvent, ...] = ()
    findings: tuple[Finding, ...] = ()

    def all(self, kind: type[T]) -> tuple[T, ...]:
        """All things of a kind, in the order of the document."""
        return tuple(one for one in self.things.values() if isinstance(one, kind))

    def get(self, kind: type[T], iri: str | None) -> T | None:
        """The thing of that name, where the document has it and it is of that kind."""
        found = self.things.get(iri or "")
        return found if isinstance(found, kind) else None

    def one(self, kind: type[T]) -> T:
        """The only thing of a kind. Raises `Unreadable` where there is none, or more than one."""
        found = self.all(kind)
        if len(found) != 1:
            raise Unreadable("not_one", f"The document has {len(found)} things of type {kind.NAMES[0]}, not one.")
        return found[0]

    @property
    def others(self) -> tuple[DfcOther, ...]:
        return self.all(DfcOther)


def read(document: Mapping[str, Any] | list[Any] | bytes, *, host: str = "") -> DfcDocument:
    """The values of a document. Nothing is fetched: a context that is not known is refused.

    `host` is who sent it: things of another host are reported. Raises `Unreadable`.
    """
    raise NotImplementedError
