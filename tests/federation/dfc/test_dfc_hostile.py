"""Malicious or broken documents: a clear error for each, in little time and memory."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commensal_federation.dfc.contexts import CONTEXT_116, CONTEXTS, expand
from commensal_federation.dfc.read import CATALOGUE, DEEPEST, LARGEST, SENT_IN, DfcDocument, UnreadableDocument, read
from commensal_federation.dfc.vocabulary import DfcItem, DfcOffer, DfcPrice, DfcProduct

HERE = "https://farm.example/api/dfc"


def graph(*nodes: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"@context": CONTEXT_116, "@graph": nodes, **members}).encode()


def product(number: int = 1, **members: Any) -> dict[str, Any]:
    properties = {f"dfc-b:{name}": value for name, value in members.items()}
    return {"@id": f"{HERE}/products/{number}", "@type": "dfc-b:SuppliedProduct", **properties}


def error_codes(document: DfcDocument) -> list[str]:
    return [finding.code for finding in document.findings if finding.weight == "wrong"]


@pytest.mark.parametrize(
    "context",
    [
        "https://evil.example/context.json",
        [CONTEXT_116, "https://evil.example/context.json"],
        {"@import": "https://evil.example/context.json"},
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_an_unknown_context_is_refused_and_not_fetched(context: object) -> None:
    document = {"@context": context, "@id": f"{HERE}/x", "dfc-b:name": {"dfc-b:name": "x"}}
    with pytest.raises(UnreadableDocument) as refused:
        read(json.dumps(document).encode())
    assert refused.value.code == "unknown_context"


def test_an_unknown_context_within_a_context_is_refused_too() -> None:
    scoped = {"name": {"@id": "https://a.example/b", "@context": "https://evil.example/context.json"}}
    with pytest.raises(UnreadableDocument):
        read(json.dumps({"@context": scoped, "@id": f"{HERE}/x", "name": {"name": "x"}}).encode())


def test_every_known_context_is_resolved_without_a_network() -> None:
    for url in CONTEXTS:
        expanded = expand({"@context": url, "@id": f"{HERE}/x", "https://a.example/b": "c"})
        assert expanded == [{"@id": f"{HERE}/x", "https://a.example/b": [{"@value": "c"}]}]


def test_what_no_context_knows_is_an_error_in_what_we_write() -> None:
    with pytest.raises(UnreadableDocument, match="No context knows colour"):
        expand({"@context": CONTEXT_116, "@id": f"{HERE}/x", "colour": "red"})


def test_what_no_context_knows_is_reported_in_what_we_read() -> None:
    document = read(graph({**product(name="Apples"), "colour": "red"}))
    assert ("no_meaning", "colour") in [(finding.code, finding.property_name) for finding in document.findings]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"[" * 10_000, "too_deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_deep"),
        (b'{"a":' * (DEEPEST + 1) + b"{}" + b"}" * (DEEPEST + 1), "too_deep"),
        (b" " * (LARGEST + 1), "too_large"),
        (b"[" + b"{}," * (CATALOGUE.objects + 1) + b"{}]", "too_many"),
        (b"{", "no_json"),
        (b"\xff\xfe\x00", "no_json"),
        (b"12", "no_jsonld"),
        (b"[{}]", "nothing"),
        (b"{}", "nothing"),
        (b'{"@id": 12}', "no_jsonld"),
        (b'{"@graph": [{"@type": {"a": 1}}]}', "no_jsonld"),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code(content: bytes, code: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        read(content)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"[" + b'{"@id":"a"},' * 100 + b"{}]", "too_many_contexts"),
        (json.dumps({"@context": [{f"a{number}": "http://a"} for number in range(100)]}).encode(), "too_many_contexts"),
        (b"[" + b"{}," * (SENT_IN.objects + 1) + b"{}]", "too_many"),
    ],
)
def test_who_sends_a_document_in_may_not_ask_for_more_work_than_an_order_is(content: bytes, code: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        read(content, limits=SENT_IN)
    assert refused.value.code == code


def test_an_order_of_500_lines_with_all_that_is_said_of_its_products_may_be_sent_in() -> None:
    lines = [
        {
            "@id": f"{HERE}/orders/1/lines/{number}",
            "@type": "dfc-b:OrderLine",
            "dfc-b:hasQuantity": {"@type": "dfc-b:QuantitativeValue", "dfc-b:value": number},
            "dfc-b:concerns": {
                "@id": f"{HERE}/offers/{number}",
                "@type": "dfc-b:Offer",
                "dfc-b:hasPrice": {"@type": "dfc-b:Price", "dfc-b:value": 1, "dfc-b:VATrate": 5.5},
                "dfc-b:offers": {
                    **product(number, name="Carottes", description="lavées"),
                    "dfc-b:hasQuantity": {"@type": "dfc-b:QuantitativeValue", "dfc-b:value": 1},
                },
            },
        }
        for number in range(500)
    ]
    order = {"@id": f"{HERE}/orders/1", "@type": "dfc-b:Order", "dfc-b:hasPart": lines}
    assert len(read(graph(order), limits=SENT_IN).all(DfcProduct)) == 500


@pytest.mark.long  # seconds
def test_a_million_unnamed_nodes_are_refused_before_they_cost_anything() -> None:
    content = graph(*({"@type": "dfc-b:Price"} for _ in range(1_000_000)))
    assert len(content) < LARGEST
    tracemalloc.start()
    with pytest.raises(UnreadableDocument) as refused:
        read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.code == "too_many"
    assert peak < 800_000_000


def test_two_values_of_one_thing_are_reported_and_the_first_counts() -> None:
    document = read(graph(product(name="Apples"), product(name="Pears")))
    (thing,) = document.all(DfcProduct)
    assert thing.name == "Apples"
    assert thing.extra == {"dfc-b:name": ({"@value": "Pears"},)}
    assert error_codes(document) == ["two_values"]


def test_two_owners_of_one_item_are_reported() -> None:
    item = {"@id": f"{HERE}/items/1", "@type": "dfc-b:CatalogItem", "dfc-b:references": f"{HERE}/products/1"}
    second_product = product(2, referencedBy=f"{HERE}/items/1")
    document = read(graph(item, product(1), second_product))
    assert document.one(DfcItem).product == f"{HERE}/products/1"
    assert error_codes(document) == ["two_values"]


@pytest.mark.parametrize("price", ["1e400", "1e300", "-Infinity", "NaN", "9" * 400, "1,500", "3.50 €", "abc", "1e16"])
def test_a_price_that_cannot_be_is_no_price(price: str) -> None:
    offer = {
        "@id": f"{HERE}/offers/1",
        "@type": "dfc-b:Offer",
        "dfc-b:hasPrice": {"@type": "dfc-b:Price", "dfc-b:value": price, "dfc-b:hasUnit": "dfc-m:Euro"},
    }
    document = read(graph(offer))
    assert document.one(DfcOffer).price is None
    assert error_codes(document) == ["no_number"]
    assert document.one(DfcOffer).extra  # it is passed on as it was


def test_a_price_beyond_all_floats_is_no_price() -> None:
    content = graph({"@id": f"{HERE}/offers/1", "@type": "dfc-b:Offer", "dfc-b:hasPrice": {"dfc-b:value": "X"}})
    document = read(content.replace(b'"X"', b"1e400"))
    assert error_codes(document) == ["no_number"]


def test_a_price_finer_than_its_money_is_rounded_and_reported() -> None:
    offer = {
        "@id": f"{HERE}/offers/1",
        "@type": "dfc-b:Offer",
        "dfc-b:hasPrice": {"@type": "dfc-b:Price", "dfc-b:value": "0.0625", "dfc-b:hasUnit": "dfc-m:Euro"},
    }
    document = read(graph(offer))
    assert document.one(DfcOffer).price == DfcPrice(amount=6, currency="EUR")
    assert error_codes(document) == ["rounded"]


def test_scripts_in_descriptions_are_gone() -> None:
    text = '<p onclick="steal()">Good<script>steal()</script> <img src=x onerror=steal()></p>'
    document = read(graph(product(description=text)))
    assert document.one(DfcProduct).description == "<p>Good </p>"
    assert [finding.code for finding in document.findings] == ["html"]


def test_things_of_somebody_elses_host_are_reported() -> None:
    document = read(graph(product(), {**product(2), "@id": "https://other.example/products/2"}), host="farm.example")
    assert [(finding.code, finding.iri) for finding in document.findings] == [
        ("foreign_host", "https://other.example/products/2")
    ]


def test_cycles_are_followed_once_and_reported() -> None:
    variants = [product(number, isVariantOf=f"{HERE}/products/{(number + 1) % 500}") for number in range(500)]
    document = read(graph(*variants))
    assert error_codes(document) == ["cycle"]
    assert len(document.things) == 500


def test_a_case_that_is_made_of_itself_is_reported() -> None:
    flows = [
        {
            "@id": f"{HERE}/c",
            "@type": "dfc-b:AsPlannedConsumptionFlow",
            "dfc-b:consumes": f"{HERE}/products/1",
            "dfc-b:inputOf": f"{HERE}/t",
        },
        {
            "@id": f"{HERE}/p",
            "@type": "dfc-b:AsPlannedProductionFlow",
            "dfc-b:produces": f"{HERE}/products/1",
            "dfc-b:outputOf": f"{HERE}/t",
        },
        {"@id": f"{HERE}/t", "@type": "dfc-b:AsPlannedTransformation"},
    ]
    assert error_codes(read(graph(product(), *flows))) == ["cycle"]


def test_findings_stay_few_whatever_the_document() -> None:
    broken_products = [product(number, totalTheoreticalStock="many", **{f"of{number}": "x"}) for number in range(3_000)]
    document = read(graph(*broken_products))
    assert len(document.findings) == 2_001
    assert document.findings[-1].code == "more"


_KEYS = st.sampled_from(
    [
        "@id",
        "@type",
        "@graph",
        "@context",
        "@value",
        "@list",
        "@set",
        "@reverse",
        "@included",
        "@language",
        "@index",
        "@nest",
        "@none",
        "dfc-b:name",
        "dfc-b:hasPrice",
        "dfc-b:hasQuantity",
        "dfc-b:value",
        "dfc-b:references",
        "dfc-b:referencedBy",
        "dfc-b:hasCountry",
        "dfc-b:hasAllergenCharacteristic",
        "dfc-b:date",
        "ldp:contains",
        "x",
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "_:b1", "#x", "dfc-b:Offer", "dfc-b:CatalogItem", "ldp:Container", f"{HERE}/1", "Gram"])
)
_DOCUMENTS = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=st.dictionaries(_KEYS, _DOCUMENTS, min_size=1, max_size=5))
def test_whatever_is_no_document_is_refused_and_nothing_else_happens(document: Any) -> None:
    content = json.dumps(document).encode()
    with contextlib.suppress(UnreadableDocument):
        assert read(content).things is not None


def test_prices_and_quantities_of_different_documents_in_a_list_do_not_mix() -> None:
    def offer_with_price(number: int) -> dict[str, Any]:
        offer = {"@id": f"{HERE}/offers/{number}", "@type": "dfc-b:Offer", "dfc-b:hasPrice": "_:b1"}
        price = {"@id": "_:b1", "@type": "dfc-b:Price", "dfc-b:value": number, "dfc-b:hasUnit": "dfc-m:Euro"}
        return {"@context": CONTEXT_116, "@graph": [offer, price]}

    document = read([offer_with_price(1), offer_with_price(2)])
    assert [offer.price and offer.price.amount for offer in document.all(DfcOffer)] == [100, 200]
    assert "2 documents in a list" in document.shapes
