"""What there is in each class of things: its fields by their properties, and the links that others have to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields

from .saying import Said, named
from .vocabulary import THINGS, Thing

Kind = type[Thing]

# What was said by another property before, or is said so by some platform.
ALIASES = {
    "dfc-b:hasIncome": "dfc-b:hasInput",
    "dfc-b:hasOutcome": "dfc-b:hasOutput",
    "dfc-b:incomeOf": "dfc-b:inputOf",
    "dfc-b:outcomeOf": "dfc-b:outputOf",
    "dfc-b:affiliatedBy": "dfc-b:affiliatedTo",
    "dfc-b:hasDescription": "dfc-b:description",
    "dfc-b:hasName": "dfc-b:name",
    "dfc-b:hasImage": "dfc-b:Image",
    "dfc-b:sold": "dfc-b:sells",
    "dfc-b:country": "dfc-b:hasCountry",
    "dfc-b:priceValue": "dfc-b:price",
}
# Where a number stood before it had a node of its own, with its unit beside it.
OLD_PLACES = {"quantity": "dfc-b:quantity", "price": "dfc-b:price"}


def _said(kind: Kind) -> dict[str, Said]:
    return {one.name: one.metadata["said"] for one in fields(kind) if "said" in one.metadata}


def _by_property(kind: Kind) -> dict[str, str]:
    return {property: name for name, said in SAID[kind].items() for property in said.properties}


def _inverses() -> dict[str, dict[Kind, str]]:
    found: dict[str, dict[Kind, str]] = defaultdict(dict)
    for kind, by_name in SAID.items():
        for name, said in by_name.items():
            if said.inverse:
                found[named(said.inverse)][kind] = name
    return dict(found)


BY_TYPE: Mapping[str, Kind] = {named(name): kind for kind in THINGS for name in kind.NAMES}
SAID: Mapping[Kind, Mapping[str, Said]] = {kind: _said(kind) for kind in THINGS}
BY_PROPERTY: Mapping[Kind, Mapping[str, str]] = {kind: _by_property(kind) for kind in THINGS}
# A property that says from the other side what a field says: the kinds of things that may stand there, and the field.
INVERSES: Mapping[str, Mapping[Kind, str]] = _inverses()


def field_of(kind: Kind, property: str) -> str | None:
    """The field that holds what this property says of such a thing; None where none does."""
    known = BY_PROPERTY[kind]
    return known.get(property) or known.get(ALIASES.get(property, ""))


def inverse_of(property: str) -> Mapping[Kind, str]:
    """The fields that say the same from the other side, by kind of thing."""
    return INVERSES.get(ALIASES.get(property, property), {})


def guess_kind(properties: set[str]) -> Kind | None:
    """What something without a type is: the only kind of thing of which the most of this can be said."""
    known = {one for one in properties if one.startswith("dfc-b:")}
    ranked = sorted(THINGS, key=lambda kind: -sum(field_of(kind, one) is not None for one in known))
    best, second = (sum(field_of(kind, one) is not None for one in known) for kind in ranked[:2])
    return ranked[0] if best > second and best == len(known) else None
