"""Documents of deployed platforms are read completely. The examples are not part of the project."""

from __future__ import annotations

import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from commensal_federation.dfc.contexts import DFC_20, DFC_116, expand
from commensal_federation.dfc.graph import write_20, write_116
from commensal_federation.dfc.read import DfcDocument, read
from commensal_federation.dfc.vocabulary import (
    DfcAddress,
    DfcConsumption,
    DfcEnterprise,
    DfcEvent,
    DfcItem,
    DfcLine,
    DfcOffer,
    DfcOrder,
    DfcPrice,
    DfcProduct,
    DfcProduction,
    DfcQuantity,
    DfcSession,
)

SHARED = Path(os.environ.get("COMMENSAL_SHARED", Path(__file__).parents[4] / "shared")) / "dfc"
EXAMPLES = sorted(SHARED.glob("examples/*.json*"))
pytestmark = pytest.mark.skipif(not EXAMPLES, reason="the examples of DFC documents are not here")


def example(name: str) -> DfcDocument:
    return read((SHARED / "examples" / name).read_bytes())


# enterprises, products, items, offers with a price, sizes in a known unit
COUNTS = {
    "connector_all_types.jsonld": (1, 2, 1, 1, 2),
    "connector_demo.jsonld": (1, 1, 1, 1, 1),
    "fixture__fdc-catalog.json": (0, 8, 8, 8, 8),
    "fixture__supplied_product_GET.json": (0, 1, 1, 1, 1),
    "swagger__GET_enterprises_enterprise_id_catalog_items__as-platform-user.json": (0, 2, 1, 1, 1),
    "swagger__GET_enterprises_enterprise_id_catalog_items__in-DFC-v2-format.json": (0, 2, 1, 1, 1),
    "swagger__GET_enterprises_id__as-platform-user.json": (1, 1, 1, 0, 1),
    "swagger__GET_organizations_id__as-user-owning-an-enterprise.json": (1, 0, 0, 0, 0),
    "swagger__GET_supplied_products__in-DFC-v1-format.json": (0, 2, 1, 1, 1),
    "swagger__GET_supplied_products__in-DFC-v2-format.json": (0, 2, 1, 1, 1),
    "swagger__POST_events__request.json": (0, 0, 0, 0, 0),
    "swagger__PUT_enterprises_enterprise_id_catalog_items_id__request.json": (0, 0, 1, 0, 0),
    "vcr_fdc_backorder__1_POST_Orders__request.json": (0, 1, 0, 1, 1),
    "vcr_fdc_backorder__1_POST_Orders__response.json": (0, 1, 0, 0, 0),
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_yields_what_is_in_it_and_nothing_that_is_wrong(path: Path) -> None:
    document = read(path.read_bytes())
    counts = (
        len(document.all(DfcEnterprise)),
        len(document.all(DfcProduct)),
        len(document.all(DfcItem)),
        sum(row.price is not None for row in document.all(DfcOffer)),
        sum(row.quantity is not None and ":" not in row.quantity.unit for row in document.all(DfcProduct)),
    )
    assert counts == COUNTS.get(path.name, counts)
    assert [finding.problem for finding in document.findings if finding.weight == "wrong"] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_goes_in_and_out_and_in_again_without_loss_in_both_versions(path: Path) -> None:
    document = read(path.read_bytes())
    if not document.things:
        return
    for written_document in (
        write_116(document.things.values()),
        write_20(document.things.values(), document.containers),
    ):
        expand(written_document)
        assert read(json.dumps(written_document).encode()).things == document.things


def test_a_wholesale_catalogue_has_its_references_prices_stocks_and_cases() -> None:
    catalogue = example("fixture__fdc-catalog.json")
    items = {row.sku: row for row in catalogue.all(DfcItem)}
    assert items["LIB/NABVI/BF"].stock is None  # -1 is unlimited
    assert items["LIB/NABVI/C6"].stock == 5
    bottle = catalogue.get(DfcProduct, items["LIB/NABVI/BF"].product)
    assert bottle is not None
    assert bottle.quantity == DfcQuantity(value=Decimal("0.04"), unit="Kilogram")
    (offer,) = (row for row in catalogue.all(DfcOffer) if row.item == items["LIB/NABVI/BF"].iri)
    assert offer.price == DfcPrice(amount=625, currency="GBP", vat_rate=Decimal(0))
    (consumption,) = (row for row in catalogue.all(DfcConsumption) if row.product == bottle.iri)
    (production,) = (
        production
        for production in catalogue.all(DfcProduction)
        if production.transformation == consumption.transformation
    )
    assert consumption.quantity == DfcQuantity(value=Decimal(6), unit="Piece")
    assert production.product == items["LIB/NABVI/C6"].product
    assert Counter(row.price.currency for row in catalogue.all(DfcOffer) if row.price) == {"GBP": 8}


def test_an_enterprise_of_open_food_network_has_its_address_contact_and_links() -> None:
    document = example("swagger__GET_enterprises_id__as-platform-user.json")
    farm = document.one(DfcEnterprise)
    assert (farm.name, farm.description) == ("Fred's Farm", "This is an awesome enterprise")
    address = document.get(DfcAddress, farm.addresses[0])
    assert address is not None
    assert (address.street, address.postcode, address.city, address.country) == (
        "42 Doveton Street",
        "20170",
        "Herndon",
        "AU",
    )
    assert address.latitude == Decimal("-25.345376")
    assert document.one(DfcItem).enterprise == farm.iri
    assert document.one(DfcProduct).enterprise == farm.iri  # only the enterprise says so, by `supplies`
    assert farm.extra["ofn:contact_name"] == ({"@value": "Fred Farmer"},)


def test_the_same_list_says_the_same_in_both_versions() -> None:
    old_things, new_things = (
        example(f"swagger__GET_supplied_products__in-DFC-v{version}-format.json").one(DfcOffer) for version in (1, 2)
    )
    assert old_things == new_things
    container = example("swagger__GET_supplied_products__in-DFC-v2-format.json").containers
    assert [len(members) for members in container.values()] == [1]


def test_an_order_of_a_deployed_hub_is_understood() -> None:
    sent = example("vcr_fdc_backorder__1_POST_Orders__request.json")
    order, line, session = sent.one(DfcOrder), sent.one(DfcLine), sent.one(DfcSession)
    assert (order.state, order.session, line.order) == ("Held", session.iri, order.iri)
    assert line.quantity == DfcQuantity(value=Decimal(3), unit="Piece")
    assert session.closes_at is not None
    assert session.closes_at.isoformat() == "2024-12-24T02:30:56+00:00"
    answer = example("vcr_fdc_backorder__1_POST_Orders__response.json").one(DfcLine)
    assert answer.price == DfcPrice(amount=625, currency="GBP")


def test_a_notice_is_understood() -> None:
    (event,) = example("swagger__POST_events__request.json").events
    assert event == DfcEvent(
        kind="refresh", enterprise="https://api.beta.litefarm.org/dfc/enterprises/", scope="ReadEnterprise"
    )


@pytest.mark.parametrize(("name", "our_context"), [("1.16.0", DFC_116), ("2.0.0", DFC_20)])
def test_our_contexts_say_what_the_published_ones_say(name: str, our_context: object) -> None:
    assert json.loads((SHARED / "context" / f"context_{name}.json").read_text()) == our_context
