"""The DFC property of a field: its name, its spelling in documents, and the datatype of its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Datatype = Literal[
    "text",
    "html",
    "texts",
    "link",
    "links",
    "concept",
    "concepts",
    "allergens",
    "number",
    "stock",
    "flag",
    "moment",
    "duration",
    "price",
    "quantity",
    "quantities",
    "country",
]
_EMPTY: dict[Datatype, object] = {
    "text": "",
    "html": "",
    "country": "",
    "flag": False,
    "texts": (),
    "links": (),
    "concepts": (),
    "allergens": (),
    "quantities": (),
}


@dataclass(frozen=True)
class DfcProperty:
    """The property that holds a field's value in a document.

    term:    the property in the ontology's spelling: "name", or with a prefix other than dfc-b: "own:deposit"
    wire:    the official connectors' spelling where it differs; we write both and read either
    scheme:  the taxonomy of a concept: dfc-pt, dfc-f, dfc-m or dfc-v
    inverse: the property by which the target of the link refers back; we write both and read either
    reads:   further properties, in the ontology's spelling, that mean the same at this class; we only read them
    """

    term: str
    datatype: Datatype
    wire: str = ""
    scheme: str = ""
    inverse: str = ""
    reads: tuple[str, ...] = ()

    @cached_property
    def short_names(self) -> tuple[str, ...]:
        """The short names under which documents have it: the ontology's, then the connectors'."""
        return tuple(short_name(term) for term in (self.term, self.wire) if term)


def short_name(term: str) -> str:
    """The short name of a term; a term without a prefix belongs to dfc-b."""
    return term if ":" in term else f"dfc-b:{term}"


def dfc(
    datatype: Datatype, term: str, *, wire: str = "", scheme: str = "", inverse: str = "", reads: tuple[str, ...] = ()
) -> Any:
    """Declares a field of a frozen dataclass with its DFC property; its default is the empty value of the datatype."""
    return field(
        default=_EMPTY.get(datatype), metadata={"dfc": DfcProperty(term, datatype, wire, scheme, inverse, reads)}
    )
