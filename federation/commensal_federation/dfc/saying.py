"""How a field of a value is said in DFC: by which property, in which spelling, and as what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

How = Literal[
    "text", "html", "texts", "link", "links", "concept", "concepts", "number", "stock", "flag", "moment", "price",
    "quantity", "country",
]  # fmt: skip
EMPTY: dict[How, Any] = {"text": "", "html": "", "texts": (), "links": (), "concepts": (), "flag": False}


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


def said(how: How, term: str, *, wire: str = "", scheme: str = "", inverse: str = "") -> Any:
    """A field of a frozen dataclass, empty where nothing is said of it."""
    return field(default=EMPTY.get(how), metadata={"said": Said(term, how, wire, scheme, inverse)})
