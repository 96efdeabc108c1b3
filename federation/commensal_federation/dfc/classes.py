"""The DFC classes: which field holds which property, and which inverse properties link to a class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields

from .properties import DfcProperty, short_name
from .vocabulary import THINGS, Thing

DfcClass = type[Thing]

# Older documents have the number of a quantity or price here, with its unit beside it instead of in a node of its own.
OLD_PLACES = {"quantity": "dfc-b:quantity", "price": "dfc-b:price"}


def _properties(kind: DfcClass) -> dict[str, DfcProperty]:
    return {field.name: field.metadata["dfc"] for field in fields(kind) if "dfc" in field.metadata}


def _by_property(kind: DfcClass) -> dict[str, str]:
    return {
        property: name
        for name, definition in PROPERTIES[kind].items()
        for property in (*definition.short_names, *map(short_name, definition.reads))
    }


def _inverses() -> dict[str, dict[DfcClass, str]]:
    inverses: dict[str, dict[DfcClass, str]] = defaultdict(dict)
    for kind, by_name in PROPERTIES.items():
        for name, definition in by_name.items():
            if definition.inverse:
                inverses[short_name(definition.inverse)][kind] = name
    return dict(inverses)


BY_TYPE: Mapping[str, DfcClass] = {short_name(name): kind for kind in THINGS for name in kind.NAMES}
PROPERTIES: Mapping[DfcClass, Mapping[str, DfcProperty]] = {kind: _properties(kind) for kind in THINGS}
BY_PROPERTY: Mapping[DfcClass, Mapping[str, str]] = {kind: _by_property(kind) for kind in THINGS}
# By inverse property: the classes of thing that it may link to, each with the field that holds the same link.
INVERSES: Mapping[str, Mapping[DfcClass, str]] = _inverses()


def field_of(kind: DfcClass, property: str) -> str | None:
    """The field of a class that holds this property; None if no field does."""
    return BY_PROPERTY[kind].get(property)


def inverse_of(property: str) -> Mapping[DfcClass, str]:
    """The fields that hold the inverse of this property, by class; empty if there are none."""
    return INVERSES.get(property, {})


def guess_class(properties: set[str]) -> DfcClass | None:
    """The class of a node without a type: the only class that has fields for all its dfc-b properties, else None."""
    dfc_properties = {property for property in properties if property.startswith("dfc-b:")}
    ranked = sorted(THINGS, key=lambda kind: -sum(field_of(kind, property) is not None for property in dfc_properties))
    best, second = (sum(field_of(kind, property) is not None for property in dfc_properties) for kind in ranked[:2])
    return ranked[0] if best > second and best == len(dfc_properties) else None
