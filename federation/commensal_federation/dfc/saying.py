"""How a field of a value is said in DFC: by which property, in which spelling, and as what."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

How = Literal[
    "text", "html", "texts", "link", "links", "concept", "concepts", "allergens", "number", "stock", "flag", "moment",
    "price", "quantity", "country",
]  # fmt: skip
_EMPTY: dict[How, Any] = {
    "text": "", "html": "", "country": "", "flag": False, "texts": (), "links": (), "concepts": (), "allergens": (),
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """term:    the property, as the ontology spells it: "name", or with another prefix than dfc-b's, "own:deposit"
    wire:    as the official connectors spell it, where that differs; both are written, either is read
    scheme:  the taxonomy of a concept: dfc-pt, dfc-f, dfc-m or dfc-v
    inverse: the property by which the thing that is linked to names this one; both are written, either is read
    """

    term: str
    how: How
    wire: str = ""
    scheme: str = ""
    inverse: str = ""

    @cached_property
    def properties(self) -> tuple[str, ...]:
        """The short names by which it is read: the ontology's, and the connectors'."""
        return tuple(named(one) for one in (self.term, self.wire) if one)


def named(term: str) -> str:
    """The short name of a term; those without a prefix are of dfc-b."""
    return term if ":" in term else f"dfc-b:{term}"


def said(how: How, term: str, *, wire: str = "", scheme: str = "", inverse: str = "") -> Any:
    """A field of a frozen dataclass, empty where nothing is said of it."""
    return field(default=_EMPTY.get(how), metadata={"said": Said(term, how, wire, scheme, inverse)})
