"""Words that platforms use besides those of DFC's ontology are read as what they stand for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from commensal_federation.dfc.classes import BY_TYPE, INVERSES
from commensal_federation.dfc.names import CLASSES, PROPERTIES, class_name, property_name
from commensal_federation.dfc.read import DfcDocument, read
from commensal_federation.dfc.vocabulary import (
    DfcCertificate,
    DfcEnterprise,
    DfcOffer,
    DfcOrder,
    DfcPerson,
    DfcPhone,
    DfcPickup,
    DfcPrice,
    DfcProduct,
    DfcQuantity,
)

CONTEXT = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"
HERE = "https://platform.example/"


def document_with(*nodes: dict[str, Any]) -> DfcDocument:
    """The document of these nodes, whose names are relative to the platform."""
    graph = [{**node, "@id": f"{HERE}{node['@id']}"} for node in nodes]
    return read(json.dumps({"@context": CONTEXT, "@graph": graph}).encode())


def a_node(type_name: str, **properties: Any) -> dict[str, Any]:
    return {"@id": "1", "@type": type_name, **{f"dfc-b:{name}": value for name, value in properties.items()}}


def test_names_of_classes_are_those_in_use() -> None:
    size = {"@type": "dfc-b:QuantitiveValue", "dfc-b:hasValue": "2", "dfc-b:hasUnit": "dfc-m:Kilogram"}
    document = document_with(a_node("dfc-b:Variant", name="Carrots", hasQuantity=size))
    assert document.one(DfcProduct).quantity == DfcQuantity(value=2, unit="Kilogram")  # type: ignore[arg-type]
    assert document_with(a_node("dfc-b:Entreprise", name="Farm")).one(DfcEnterprise).name == "Farm"
    assert document_with(a_node("dfc-b:PickUpOption", name="Depot")).one(DfcPickup).name == "Depot"
    assert document_with(a_node("dfc-b:Certification", name="AB")).one(DfcCertificate).name == "AB"


def test_properties_of_people_and_enterprises_are_those_in_use() -> None:
    node = a_node("dfc-b:Enterprise", hasEmail="farm@example.org", hasAdress=f"{HERE}2", hasPhoneNumber="+33 4 76 00")
    document = document_with(node, {"@id": "2", "@type": "dfc-b:Address", "dfc-b:hasCity": "Grenoble"})
    enterprise = document.one(DfcEnterprise)
    assert (enterprise.email, enterprise.addresses) == ("farm@example.org", (f"{HERE}2",))
    phone = document.one(DfcPhone)
    assert (phone.number, enterprise.phones) == ("+33 4 76 00", (phone.iri,))
    assert document_with(a_node("dfc-b:Person", firtsName="Ada", familyName="Farm")).one(DfcPerson).first_name == "Ada"


def test_properties_of_orders_are_those_in_use() -> None:
    order = a_node("dfc-b:Order", OrderedBy=f"{HERE}2", hasPaymentState="dfc-v:Paid", date="2026-11-25 08:00:00 +0100")
    read_order = document_with(order).one(DfcOrder)
    assert (read_order.ordered_by, read_order.payment_state) == (f"{HERE}2", "Paid")
    assert read_order.date == datetime(2026, 11, 25, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "price",
    [
        {"hasPrice": 9.99, "hasUnit": "dfc-m:Euro"},
        {"hasPrice": "9.99", "hasUnit": "dfc-m:Euro"},
        {"price": "9.99", "hasUnit": "dfc-m:Euro"},
        {"Price": {"@type": "dfc-b:Price", "dfc-b:hasValue": "9.99", "dfc-b:hasUnit": "dfc-m:Euro"}},
        {"hasPrice": {"dfc-b:value": 9.99, "dfc-b:hasUnit": {"@id": "dfc-m:Euro"}}},
    ],
)
def test_prices_stand_where_platforms_put_them(price: dict[str, Any]) -> None:
    document = document_with(a_node("dfc-b:Offer", offeres=f"{HERE}2", **price))
    offer = document.one(DfcOffer)
    assert (offer.item, offer.price) == (f"{HERE}2", DfcPrice(amount=999, currency="EUR"))
    assert not [finding for finding in document.findings if finding.weight == "wrong" or finding.code == "kept"]


@pytest.mark.parametrize("property", ["hasCertification", "isCertifiedBy"])
def test_a_certificate_with_the_name_of_a_label_is_that_label(property: str) -> None:
    product = a_node("dfc-b:SuppliedProduct", name="Carrots", **{property: f"{HERE}2"})
    certificate = {"@id": "2", "@type": "dfc-b:Certfication", "dfc-b:name": "agriculture biologique UE"}
    assert document_with(product, certificate).one(DfcProduct).labels == ("Organic-EU",)
    unknown = document_with(product, {**certificate, "dfc-b:name": "From here"})
    assert [finding.code for finding in unknown.findings] == ["unknown_certificate"]


@pytest.mark.parametrize("name", ["Container", "ldp:Container", "BasicContainer", "ldp:BasicContainer"])
def test_a_container_may_stand_without_its_vocabulary(name: str) -> None:
    member = {"@id": f"{HERE}2", "@type": "dfc-b:SuppliedProduct", "dfc-b:name": "Carrots"}
    document = document_with({"@id": "1", "@type": name, "ldp:contains": [member]})
    assert document.containers == {f"{HERE}1": (f"{HERE}2",)}
    assert document.others == ()


@pytest.mark.parametrize("name", ["SUPPLIEDBY", "LifeTime", "vatRate", "OrderedBy", "Endswith"])
def test_capitals_do_not_matter_unless_nothing_of_that_name_is_known(name: str) -> None:
    known = {"SUPPLIEDBY": "suppliedBy", "LifeTime": "lifetime", "vatRate": "VATrate", "OrderedBy": "orderedBy"}
    assert property_name(f"dfc-b:{name}") == f"dfc-b:{known.get(name, name)}"


def test_each_alias_stands_for_a_name_and_not_for_another_alias() -> None:
    assert not CLASSES.keys() & set(CLASSES.values())
    assert not PROPERTIES.keys() & set(PROPERTIES.values())
    assert not CLASSES.keys() & BY_TYPE.keys() - {"dfc-b:TheoriticalStock"}
    assert not PROPERTIES.keys() & INVERSES.keys()
    assert class_name("dfc-b:Enterprise") == "dfc-b:Enterprise"


@pytest.mark.parametrize("document", [[], {"@graph": []}, {"@context": CONTEXT, "@graph": []}])
def test_an_empty_list_says_that_there_is_nothing(document: object) -> None:
    assert read(json.dumps(document).encode()).things == {}
