"""A document in any dialect is read as the same things: whatever aliases, order, nesting, units and form it uses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from commensal_federation.dfc.classes import BY_TYPE
from commensal_federation.dfc.graph import write_116
from commensal_federation.dfc.names import CLASSES, PREFIXES_20, PREFIXES_116, PROPERTIES
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import (
    DfcAddress,
    DfcEnterprise,
    DfcItem,
    DfcLine,
    DfcOffer,
    DfcOrder,
    DfcPrice,
    DfcProduct,
    DfcQuantity,
    Thing,
)

HERE = "https://platform.example/"
UNITS = ("Gram", "Kilogram", "Litre", "Millilitre", "Piece", "Dozen", "Crate")
EURO = "http://qudt.org/vocab/currency/EUR"
XSD = "http://www.w3.org/2001/XMLSchema#"
# How platforms spell the units and currencies of the document below.
SPELLINGS = {
    "dfc-m:Kilogram": (
        "dfc-m:kilogram",
        "kg",
        "KGM",
        "kilogramme",
        "http://qudt.org/vocab/unit/KiloGM",
        "http://static.datafoodconsortium.org/data/units.rdf#Kilogram",
    ),
    "dfc-m:Piece": ("piece", "pièce", "unit", "H87"),
    "dfc-m:Euro": ("EUR", "€", "dfc-m:EUR", "euro", EURO, "https://qudt.org/vocab/unit/CCY_EUR"),
}
_NUMBERS = ("dfc-b:value", "dfc-b:VATrate", "dfc-b:stockLimitation", "dfc-b:quantity")


def things() -> list[Thing]:
    """A farm, what it offers, and an order for it."""
    farm, product, item, offer, order = (f"{HERE}{name}" for name in ("farm", "product", "item", "offer", "order"))
    price = DfcPrice(amount=999, currency="EUR", vat_rate=Decimal("5.5"))
    return [
        DfcEnterprise(iri=farm, name="Farm", email="farm@example.org", addresses=(f"{HERE}address",)),
        DfcAddress(iri=f"{HERE}address", city="Grenoble", country="FR"),
        DfcProduct(
            iri=product,
            name="Carrots",
            enterprise=farm,
            quantity=DfcQuantity(value=Decimal(2), unit="Kilogram"),
            images=("https://platform.example/carrots.png",),
            allergens=("Celery",),
        ),
        DfcItem(iri=item, product=product, enterprise=farm, sku="C-1", stock=Decimal(7)),
        DfcOffer(iri=offer, item=item, price=price),
        DfcOrder(iri=order, ordered_by=farm, state="Held", payment_state="Unpaid"),
        DfcLine(iri=f"{HERE}line", order=order, offer=offer, quantity=DfcQuantity(value=Decimal(3)), price=price),
    ]


def _spellings(table: Mapping[str, str]) -> dict[str, list[str]]:
    """All names for each name that stands on the right of a table of aliases."""
    spellings: dict[str, list[str]] = {}
    for alias, name in table.items():
        spellings.setdefault(name, [name]).append(alias)
    return spellings


_CLASSES, _PROPERTIES = _spellings(CLASSES), _spellings(PROPERTIES)


class Dialect:
    """Rewrites a document of ours, as a strategy of Hypothesis decides."""

    def __init__(self, data: st.DataObject, document: dict[str, Any]) -> None:
        self._data, self._nodes = data, {node["@id"]: node for node in document["@graph"]}
        self._written: set[str] = set()

    def choose(self, *options: Any) -> Any:
        return self._data.draw(st.sampled_from(options))

    def document(self) -> Any:
        names = self._data.draw(st.permutations(list(self._nodes)))
        graph = [self.node(name) for name in names if name not in self._written]
        prefixes = self.choose(PREFIXES_116, PREFIXES_20)
        context = self.choose("https://www.datafoodconsortium.org", {**prefixes, "ldp": "http://www.w3.org/ns/ldp#"})
        wrapped = self.choose("graph", "list", "container")
        if wrapped == "list":
            return [{"@context": context, **node} for node in graph]
        if wrapped == "container":
            container = self.choose("ldp:Container", "ldp:BasicContainer")
            graph = [{"@id": f"{HERE}all", "@type": container, "ldp:contains": graph}]
        return {"@context": context, "@graph": graph}

    def node(self, name: str) -> dict[str, Any]:
        """A node, with other nodes inside where the strategy says so. Links of both directions are written anyway."""
        self._written.add(name)
        members = self._data.draw(st.permutations(list(self._nodes[name].items())))
        written: dict[str, Any] = {}
        for key, value in members:
            if key == "@id":
                if not value.startswith("_:") or self.choose(True, False):
                    written["@id"] = value
            elif key == "@type":
                written["@type"] = self.choose(*_CLASSES.get(value, [value]))
            elif key.startswith("dfc-b:"):
                spelt = self.spelt(key, value) if isinstance(value, str) else self.value(value)
                written[self.choose(*_PROPERTIES.get(key, [key]), *self._in_capitals(key))] = spelt
            else:
                written[key] = value
        return written

    def _in_capitals(self, key: str) -> list[str]:
        name = f"dfc-b:{key[6:7].upper()}{key[7:]}"
        return [] if name in ("dfc-b:Image", "dfc-b:Price") else [name]

    def spelt(self, key: str, value: str) -> Any:
        """A literal or a link as some platform writes it: numbers, units and texts have many forms."""
        if key in _NUMBERS:
            typed = {"@value": value, "@type": f"{XSD}decimal"}
            return self.choose(value, float(value), value.replace(".", ","), f"{value} ", typed)
        if key == "dfc-b:hasUnit":
            unit = self.choose(value, *SPELLINGS[value])
            return self.choose(unit, {"@value": unit}, [{"@id": value}])
        if key == "dfc-b:name":
            return self.choose(value, {"@value": value, "@language": "en"}, {"@set": [value]})
        return self.value(value)

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.value(member) for member in value]
        iri = value["@id"] if isinstance(value, dict) else value
        if iri in self._nodes:
            if iri.startswith("_:") or (iri not in self._written and self.choose(True, False)):
                return self.node(iri)
            return {"@id": iri}
        if isinstance(iri, str) and iri.startswith(("dfc-", "http://publications", "http://qudt")):
            return self.choose({"@id": iri}, iri) if iri != EURO else {"@id": iri}
        return self.choose(value, [value]) if isinstance(value, str) else value


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_same_things_are_read_in_any_dialect(data: st.DataObject) -> None:
    original = things()
    document = Dialect(data, write_116(original)).document()
    found = read(json.dumps(document).encode())
    assert {thing.iri: found.things.get(thing.iri) for thing in original} == {thing.iri: thing for thing in original}
    assert [finding for finding in found.findings if finding.weight == "wrong"] == []


@given(st.sampled_from(UNITS), st.decimals("0.001", 10_000, places=3), st.booleans(), st.booleans())
def test_a_size_is_read_in_any_unit_and_place(unit: str, size: Decimal, literal: bool, full_iri: bool) -> None:
    unit_iri = f"{PREFIXES_116['dfc-m']}{unit}" if full_iri else f"dfc-m:{unit}"
    node: dict[str, Any] = {"@id": f"{HERE}product", "@type": "dfc-b:SuppliedProduct", "dfc-b:name": "Carrots"}
    if literal:
        node |= {"dfc-b:quantity": str(size), "dfc-b:hasUnit": {"@id": unit_iri}}
    else:
        node["dfc-b:hasQuantity"] = {"dfc-b:hasUnit": {"@id": unit_iri}, "dfc-b:value": float(size)}
    document = read(json.dumps({"@context": "https://www.datafoodconsortium.org", "@graph": [node]}).encode())
    assert document.one(DfcProduct).quantity == DfcQuantity(value=size, unit=unit)


def test_the_dialects_use_every_alias_of_the_things_that_they_write() -> None:
    """Otherwise an alias could be wrong and no document would show it."""
    written = {name for node in write_116(things())["@graph"] for name in node}
    types = {node["@type"] for node in write_116(things())["@graph"]}
    assert {"dfc-b:hasAddress", "dfc-b:hasPaymentStatus", "dfc-b:hasPrice", "dfc-b:value"} <= written & set(_PROPERTIES)
    assert {"dfc-b:Enterprise", "dfc-b:SuppliedProduct", "dfc-b:QuantitativeValue"} <= types & set(_CLASSES)
    assert set(_CLASSES) - {"ldp:Container", "ldp:BasicContainer", "dfc-b:QuantitativeValue"} <= set(BY_TYPE)
