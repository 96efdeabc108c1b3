"""Documents as platforms may write them tomorrow: each is read as what it says, or what is not understood is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from commensal_federation.dfc.findings import DocumentFindings
from commensal_federation.dfc.offered_products import OfferedProduct, OfferedProducts
from commensal_federation.dfc.read import DfcDocument, read

THERE = "https://platform.example/"
CONTEXT = "https://www.datafoodconsortium.org"
GITHUB = "https://github.com/datafoodconsortium/{}/releases/latest/download/"
PRODUCT, ITEM, OFFER = f"{THERE}product", f"{THERE}item", f"{THERE}offer"
KILOGRAM = {"@type": "dfc-b:QuantitativeValue", "dfc-b:value": "2", "dfc-b:hasUnit": {"@id": "dfc-m:Kilogram"}}
PRICE = {"@type": "dfc-b:Price", "dfc-b:value": "3.50", "dfc-b:VATrate": "5.5", "dfc-b:hasUnit": {"@id": "dfc-m:Euro"}}
XSD = "http://www.w3.org/2001/XMLSchema#"


@dataclass(frozen=True)
class Read:
    """What is read of a document about apples. `codes`: of its findings."""

    name: str = "Apples"
    size: str = "2 Kilogram"
    stock: int | None = 7
    price: str | None = "350 EUR 5.5"
    kind: str | None = "apples"
    codes: tuple[str, ...] = ()


def document(
    product: Mapping[str, Any] | None = None,
    item: Mapping[str, Any] | None = None,
    offer: Mapping[str, Any] | None = None,
    context: Any = CONTEXT,
) -> dict[str, Any]:
    """Two kilograms of apples, seven of them, for 3.50 euros each; None takes a member away."""
    nodes = [
        {
            "@id": PRODUCT,
            "@type": "dfc-b:SuppliedProduct",
            "dfc-b:name": "Apples",
            "dfc-b:hasQuantity": KILOGRAM,
            "dfc-b:hasType": {"@id": "dfc-pt:apples"},
            "dfc-b:referencedBy": ITEM,
            **(product or {}),
        },
        {
            "@id": ITEM,
            "@type": "dfc-b:CatalogItem",
            "dfc-b:references": PRODUCT,
            "dfc-b:stockLimitation": "7",
            "dfc-b:offeredThrough": OFFER,
            **(item or {}),
        },
        {"@id": OFFER, "@type": "dfc-b:Offer", "dfc-b:offers": ITEM, "dfc-b:hasPrice": PRICE, **(offer or {})},
    ]
    graph = [{name: value for name, value in node.items() if value is not None} for node in nodes]
    return {"@context": context, "@graph": graph}


def priced(**members: Any) -> dict[str, Any]:
    return {"dfc-b:hasPrice": {**PRICE, **{f"dfc-b:{name}": value for name, value in members.items()}}}


def sized(**members: Any) -> dict[str, Any]:
    return {"dfc-b:hasQuantity": {**KILOGRAM, **{f"dfc-b:{name}": value for name, value in members.items()}}}


def renamed(prefix: str) -> dict[str, Any]:
    """The document under a prefix of its own for the business ontology."""
    context = {
        prefix: "https://w3id.org/dfc/ontology/src/DFC_BusinessOntology.owl#",
        "dfc-m": "https://w3id.org/dfc/taxonomies/measures.rdf#",
        "dfc-pt": "http://static.datafoodconsortium.org/data/productTypes.rdf#",
    }
    text = json.dumps(document(context=context)).replace("dfc-b:", f"{prefix}:")
    for name in (PRODUCT, ITEM, OFFER):  # nothing declares here which properties are links
        text = text.replace(f': "{name}"', f': {{"@id": "{name}"}}').replace(
            f'"@id": {{"@id": "{name}"}}', f'"@id": "{name}"'
        )
    return json.loads(text)  # type: ignore[no-any-return]


def nested_without_names() -> dict[str, Any]:
    """One tree in a vocabulary without prefixes, whose nodes have no addresses."""
    units = GITHUB.format("taxonomies") + "measures.rdf#"
    price = {"value": 3.5, "VATrate": 5.5, "hasUnit": {"@id": f"{units}Euro"}}
    return {
        "@context": {"@vocab": "http://static.datafoodconsortium.org/ontologies/DFC_BusinessOntology.owl#"},
        "@type": "SuppliedProduct",
        "name": "Apples",
        "hasType": "Apple",
        "hasQuantity": {"value": 2, "hasUnit": {"@id": f"{units}Kilogram"}},
        "referencedBy": {
            "@type": "CatalogItem",
            "stockLimitation": 7.0,
            "offeredThrough": {"@type": "Offer", "hasPrice": price},
        },
    }


def relative() -> dict[str, Any]:
    text = json.dumps(document(context=[CONTEXT, {"@base": THERE}]))
    return json.loads(text.replace(f'"{THERE}', '"'))  # type: ignore[no-any-return]


def reversed_links() -> dict[str, Any]:
    graph = document(product={"dfc-b:referencedBy": None}, item={"dfc-b:references": None})["@graph"]
    return {"@context": CONTEXT, "@graph": [{**graph[0], "@reverse": {"dfc-b:references": graph[1]}}, graph[2]]}


LANGUAGES = [{"@value": "Apples", "@language": "en"}, {"@value": "Pommes", "@language": "fr"}]
OWN_KIND = {"@id": f"{THERE}kinds/3", "@type": "skos:Concept", "skos:prefLabel": {"@value": "Pomme", "@language": "fr"}}

DOCUMENTS: dict[str, tuple[dict[str, Any], Read]] = {
    "as connectors write it": (document(), Read()),
    # numbers
    "a comma of decimals": (document(offer=priced(value="3,50")), Read()),
    "a comma that may be of thousands": (
        document(offer=priced(value="1,500")),
        Read(price=None, codes=("no_number", "other")),
    ),
    "typed literals": (
        document(
            offer=priced(value={"@value": "3.50", "@type": f"{XSD}decimal"}),
            item={"dfc-b:stockLimitation": {"@value": 7, "@type": f"{XSD}integer"}},
        ),
        Read(),
    ),
    "a price with its currency in the text": (
        document(offer=priced(value="3.50 €")),
        Read(price=None, codes=("no_number", "other")),
    ),
    "a price without a node": (
        document(offer={"dfc-b:hasPrice": 3.5}),
        Read(price="350  None", codes=("no_currency",)),
    ),
    "a rate with a sign": (document(offer=priced(VATrate="5,5 %")), Read()),
    "a rate as a fraction": (
        document(offer=priced(VATrate="0.055")),
        Read(price="350 EUR 0.055", codes=("small_rate",)),
    ),
    "a rate that cannot be": (document(offer=priced(VATrate=550)), Read(price="350 EUR None", codes=("no_number",))),
    "a size as text": (document(product={"dfc-b:hasQuantity": "2 kg"}), Read(size="", codes=("no_number", "no_size"))),
    "a size beside its unit": (
        document(product={"dfc-b:hasQuantity": None, "dfc-b:quantity": 2, "dfc-b:hasUnit": "dfc-m:Kilogram"}),
        Read(),
    ),
    # units and currencies
    "a unit's symbol": (document(product=sized(hasUnit="kg")), Read()),
    "a unit's label": (document(product=sized(hasUnit="kilogramme")), Read()),
    "a unit of UN/CEFACT": (document(product=sized(hasUnit={"@value": "KGM"})), Read()),
    "a unit of QUDT": (document(product=sized(hasUnit="http://qudt.org/vocab/unit/KiloGM")), Read()),
    "a term in small letters": (document(product=sized(hasUnit={"@id": "dfc-m:kilogram"})), Read()),
    "an unknown unit": (
        document(product=sized(hasUnit="dfc-m:Bushel")),
        Read(size="2 Bushel", codes=("unknown_unit",)),
    ),
    "a currency's code": (document(offer=priced(hasUnit="EUR")), Read()),
    "a currency's sign": (document(offer=priced(hasUnit={"@value": "€"})), Read()),
    "a currency of QUDT 3": (document(offer=priced(hasUnit="https://qudt.org/vocab/unit/CCY_EUR")), Read()),
    "a currency that is none": (
        document(offer=priced(hasUnit="dfc-m:Shells")),
        Read(price=None, codes=("no_currency", "other")),
    ),
    # stock
    "a stock in a node": (
        document(item={"dfc-b:stockLimitation": {"dfc-b:value": 7, "dfc-b:hasUnit": "dfc-m:Piece"}}),
        Read(),
    ),
    "a stock in kilograms": (
        document(item={"dfc-b:stockLimitation": {"dfc-b:value": 7, "dfc-b:hasUnit": "dfc-m:Kilogram"}}),
        Read(stock=0, codes=("no_pieces", "no_stock", "other")),
    ),
    "a stock in words": (
        document(item={"dfc-b:stockLimitation": "unlimited"}),
        Read(stock=0, codes=("no_number", "no_stock")),
    ),
    "a stock that is blank": (document(item={"dfc-b:stockLimitation": ""}), Read(stock=None)),
    "a stock of the product alone": (
        document(product={"dfc-b:totalTheoreticalStock": 7.0}, item={"dfc-b:stockLimitation": None}),
        Read(),
    ),
    "an offer of less than there is": (document(offer={"dfc-b:stockLimitation": 3}), Read(stock=3)),
    # words
    "a name in two languages": (document(product={"dfc-b:name": LANGUAGES}), Read(codes=("languages",))),
    "a name as an object": (
        document(product={"dfc-b:name": {"en": "Apples"}}),
        Read(name="", codes=("no_text", "no_meaning")),
    ),
    "a name of the item alone": (document(product={"dfc-b:name": None}, item={"dfc-b:name": "Apples"}), Read()),
    "a kind by its label": (document(product={"dfc-b:hasType": "Pomme"}), Read()),
    "a kind of the platform's own": (document(product={"dfc-b:hasType": OWN_KIND}), Read()),
    "a kind with the one above it": (
        document(product={"dfc-b:hasType": [{"@id": "dfc-pt:fruit"}, {"@id": "dfc-pt:apples"}]}),
        Read(),
    ),
    "a flag in words": (document(product={"dfc-b:refrigerated": "sometimes"}), Read(codes=("no_flag",))),
    # form
    "a prefix of its own": (renamed("biz"), Read()),
    "nested, without names": (nested_without_names(), Read()),
    "relative names": (relative(), Read()),
    "links reversed by JSON-LD": (reversed_links(), Read()),
    "a type of a vendor first": (document(product={"@type": ["ofn:Variant", "dfc-b:SuppliedProduct"]}), Read()),
    "the class that items reference": (document(product={"@type": "dfc-b:DefinedProduct"}), Read()),
    "an offer of the product and its item": (document(product={"dfc-b:offeredThrough": OFFER}), Read()),
    "no context": ({"@graph": document()["@graph"]}, Read(codes=("no_context",))),
    "a context of next year": (
        document(context="https://w3id.org/dfc/ontology/context/context_2.1.0.json"),
        Read(codes=("other_version",)),
    ),
    "a context of next year among others": (
        document(context=["https://w3id.org/dfc/ontology/context/context_1.17.0.json", {"ofn": THERE}]),
        Read(codes=("other_version",)),
    ),
    "an address with a space": (document(product={"dfc-b:suppliedBy": f"{THERE}the farm"}), Read(codes=("bad_iri",))),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_says_is_read_or_named(name: str) -> None:
    content, expected = DOCUMENTS[name]
    parsed, findings = read(json.dumps(content).encode()), DocumentFindings()
    goods = list(OfferedProducts(parsed, "EUR", findings))
    assert as_read(parsed, goods, findings) == expected


def as_read(parsed: DfcDocument, goods: list[OfferedProduct], findings: DocumentFindings) -> Read:
    codes = tuple(dict.fromkeys(finding.code for finding in (*parsed.findings, *findings.collected)))
    if not goods:
        return Read(size="", codes=codes)
    (good,) = goods
    price = f"{good.price.amount} {good.price.currency} {good.price.vat_rate}" if good.price else None
    size = f"{good.size.value:f} {good.size.unit}"
    return Read(good.product.name, size, good.stock, price, good.product.product_type, codes)
