"""What every document that we write for platforms must satisfy, so that the deployed connectors can read it.

The rules are those of the official connector for Ruby, as Open Food Network uses it: it builds an object for each node,
knows only some classes, passes an IRI to some of them and to others none, and turns a link to something that is not in
the document into a hash, at which it fails when it writes the object again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from commensal_federation.dfc.contexts import links_of
from commensal_federation.dfc.names import COUNTRY, CURRENCY

NAMED = {
    "Address",
    "AsPlannedConsumptionFlow",
    "AsPlannedProductionFlow",
    "AsPlannedTransformation",
    "Catalog",
    "CatalogItem",
    "CustomerCategory",
    "DeliveryOption",
    "Enterprise",
    "Offer",
    "Order",
    "OrderLine",
    "Person",
    "PhoneNumber",
    "PhysicalPlace",
    "PickupOption",
    "SaleSession",
    "SocialMedia",
    "SuppliedProduct",
    "TheoreticalStock",
}
UNNAMED = {"AllergenCharacteristic", "NutrientCharacteristic", "PhysicalCharacteristic", "Price", "QuantitativeValue"}
_VERSION_2 = {"ldp:Container", "dfc-b:Organization", "dfc-b:Enterprise"}
_CONCEPTS = ("dfc-m:", "dfc-pt:", "dfc-f:", "dfc-v:", CURRENCY, COUNTRY)
_PAIRS = (
    ("dfc-b:references", "dfc-b:referencedBy"),
    ("dfc-b:offeredItem", "dfc-b:offeredThrough"),
    ("dfc-b:partOf", "dfc-b:hasPart"),
)


def faults_of(document: dict[str, Any]) -> list[str]:
    """Returns what is wrong with a document, in words; an empty list if nothing is."""
    is_version_2 = not isinstance(document["@context"], str)
    nodes = {node["@id"]: node for node in document["@graph"]}
    faults = [] if len(nodes) == len(document["@graph"]) else ["two nodes have the same IRI"]
    for iri, node in nodes.items():
        faults += _type_faults(iri, node.get("@type"), is_version_2)
        faults += _link_faults(iri, node, nodes, links_of("2.0" if is_version_2 else "1.16"))
    return [*faults, *_one_way_links(nodes)]


def assert_readable(content: bytes) -> None:
    """Asserts that the connectors can read this document."""
    faults = faults_of(json.loads(content))
    assert not faults, "\n".join(faults)


def _type_faults(iri: str, types: Any, is_version_2: bool) -> Iterator[str]:
    if not isinstance(types, str):
        yield f"{iri} has the types {types}, not exactly one"
        return
    if is_version_2 and types in _VERSION_2:
        return
    name = types.removeprefix("dfc-b:")
    if name not in NAMED | UNNAMED:
        yield f"{iri} is of the class {types}, which the connectors do not know"
    elif (name in UNNAMED) != iri.startswith("_:"):
        yield f"{iri} is a {types}: value objects are blank nodes, and only they"


def _link_faults(iri: str, node: dict[str, Any], nodes: dict[str, Any], links: frozenset[str]) -> Iterator[str]:
    for property, values in node.items():
        for value in values if isinstance(values, list) else [values]:
            target = value.get("@id") if isinstance(value, dict) else value if property in links else None
            if target is not None and target not in nodes and not target.startswith(_CONCEPTS):
                yield f"{property} of {iri} names {target}, which the document does not have"


def _one_way_links(nodes: dict[str, Any]) -> Iterator[str]:
    for forth, back in _PAIRS:
        forward = {(iri, target) for iri, node in nodes.items() for target in _targets(node.get(forth))}
        backward = {(target, iri) for iri, node in nodes.items() for target in _targets(node.get(back))}
        yield from (f"{forth} of {a} names {b}, but not the other way round" for a, b in forward ^ backward)


def _targets(values: Any) -> list[str]:
    items = values if isinstance(values, list) else [values] if values else []
    return [value["@id"] if isinstance(value, dict) else value for value in items]
