"""The official connector reads what we write, offline, and we read what it exports: nothing is lost.

``npm ci --ignore-scripts`` in the folder ``connector`` installs the version that its lock file names by digest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commensal_federation.dfc.graph import write_116
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import (
    THINGS,
    DfcAddress,
    DfcCatalog,
    DfcCategory,
    DfcCertificate,
    DfcConsumption,
    DfcCoordination,
    DfcDelivery,
    DfcDeliveryStep,
    DfcEnterprise,
    DfcItem,
    DfcLine,
    DfcLoad,
    DfcLot,
    DfcOffer,
    DfcOrder,
    DfcPerson,
    DfcPhone,
    DfcPickup,
    DfcPickUpStep,
    DfcPlace,
    DfcPrice,
    DfcProduct,
    DfcProduction,
    DfcQuantity,
    DfcRoute,
    DfcSession,
    DfcShipment,
    DfcShippingOption,
    DfcSocialMedia,
    DfcStep,
    DfcTransformation,
    DfcVehicle,
    Thing,
)

# In documents of their own, in 2.0: the connectors do not know these classes.
ROUTES = (DfcDeliveryStep, DfcLoad, DfcPickUpStep, DfcRoute, DfcShipment, DfcStep, DfcVehicle)
FOLDER = Path(__file__).with_name("connector")
MISSING = shutil.which("node") is None or not (FOLDER / "node_modules").is_dir()
pytestmark = pytest.mark.skipif(
    MISSING and not os.environ.get("CI"), reason="Node and the official connector are not installed"
)

BASE = "https://farm.example/api/dfc"
FARM, ADDRESS, SESSION, PLACE, ITEM, OFFER = (
    f"{BASE}/{name}/1" for name in ("enterprises", "addresses", "sale_sessions", "places", "catalog_items", "offers")
)
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
EUROS = DfcPrice(amount=320, currency="EUR", vat_rate=Decimal("5.5"))


def things_of_every_kind() -> list[Thing]:
    """One thing of each kind that the connector implements, with a value in every field."""
    crate, apples = f"{BASE}/supplied_products/2", f"{BASE}/supplied_products/1"
    catalog, category, lot, mix = (f"{BASE}/{name}/1" for name in ("catalogs", "categories", "stocks", "made"))
    order, pickup = f"{BASE}/orders/1", f"{BASE}/shipping_options/1"
    return [
        DfcEnterprise(
            iri=FARM,
            name="Ferme",
            description="<p>Bio</p>",
            vat_number="FR001",
            email="ferme@example.org",
            website="https://farm.example",
            logo="https://farm.example/logo.png",
            addresses=(ADDRESS,),
            phones=(f"{BASE}/phones/1",),
            social=(f"{BASE}/social/1",),
            contact=f"{BASE}/persons/1",
        ),
        DfcAddress(
            iri=ADDRESS,
            street="1 rue du Marché",
            postcode="38000",
            city="Grenoble",
            region="Isère",
            country="FR",
            latitude=Decimal("45.188529"),
            longitude=Decimal("5.724524"),
        ),
        DfcPhone(iri=f"{BASE}/phones/1", number="476000000", country_code="33"),
        DfcSocialMedia(iri=f"{BASE}/social/1", name="forum", url="https://forum.example"),
        DfcPerson(iri=f"{BASE}/persons/1", first_name="Ada", family_name="Ferme"),
        DfcCategory(iri=category, name="Members", enterprise=FARM),
        DfcProduct(
            iri=apples,
            name="Apples",
            description="<p>Red</p>",
            product_type="apples",
            enterprise=FARM,
            quantity=DfcQuantity(value=Decimal("1.5"), unit="Kilogram"),
            images=("https://farm.example/a.png",),
            labels=("Organic-EU",),
            claims=("Vegan",),
            origins=("France",),
            allergens=("Eggs", "Nuts"),
            stock=Decimal(4),
            lot=lot,
            lot_quantity=Decimal(1500),
            weighed=True,
            vat_rate=Decimal("5.5"),
            deposit=DfcPrice(amount=20, currency="EUR"),
        ),
        DfcProduct(iri=crate, name="Crate", quantity=DfcQuantity(value=Decimal(9), unit="Kilogram"), enterprise=FARM),
        DfcLot(
            iri=lot,
            name="Apples",
            enterprise=FARM,
            quantity=DfcQuantity(value=Decimal(6), unit="Kilogram"),
            per_unit=Decimal(1000),
            available_from=MONDAY,
        ),
        DfcCatalog(iri=catalog, name="All", enterprise=FARM),
        DfcItem(
            iri=ITEM,
            name="Our apples",
            product=apples,
            catalogs=(catalog,),
            enterprise=FARM,
            sku="A-1",
            stock=Decimal(4),
            hidden=True,
        ),
        DfcItem(iri=f"{ITEM}2", product=crate, catalogs=(catalog,), enterprise=FARM, sku="A-6"),
        DfcOffer(iri=OFFER, item=ITEM, price=EUROS, sessions=(SESSION,)),
        DfcOffer(
            iri=f"{OFFER}2",
            item=ITEM,
            category=category,
            price=DfcPrice(amount=300, currency="CHF"),
            stock=Decimal(2),
            discount=Decimal("0.5"),
            sessions=(SESSION,),
        ),
        DfcTransformation(iri=mix, kind="combine"),
        DfcConsumption(iri=f"{mix}in", transformation=mix, product=apples, quantity=DfcQuantity(value=Decimal(6))),
        DfcProduction(iri=f"{mix}out", transformation=mix, product=crate, quantity=DfcQuantity(value=Decimal(1))),
        DfcSession(iri=SESSION, name="Week 48", opens_at=MONDAY, closes_at=MONDAY.replace(day=26), place=PLACE),
        DfcPlace(iri=PLACE, name="Depot", addresses=(ADDRESS,), phones=(f"{BASE}/phones/1",)),
        DfcPickup(
            iri=pickup, name="Depot", fee=Decimal(0), begins_at=MONDAY.replace(day=28), session=SESSION, place=PLACE
        ),
        DfcDelivery(iri=f"{pickup}2", name="Home", fee=Decimal("4.5"), session=SESSION, place=PLACE),
        DfcOrder(
            iri=order,
            number="7",
            date=MONDAY,
            session=SESSION,
            ordered_by=FARM,
            sold_by=FARM,
            shipping=pickup,
            state="Held",
            payment_state="Unpaid",
            fulfilment_state="Held",
        ),
        DfcLine(
            iri=f"{order}/1",
            order=order,
            offer=OFFER,
            quantity=DfcQuantity(value=Decimal(3)),
            price=EUROS,
            wanted=DfcQuantity(value=Decimal(5)),
            answer="shortened",
            reason="Rain",
        ),
    ]


def through_the_connector(document: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Returns the names of what the connector read, and what it exports again."""
    result = subprocess.run(
        ["node", "exchange.mjs"],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        cwd=FOLDER,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    return [iri for iri, _ in answer["read"]], answer["exported"]


def test_the_connector_reads_all_that_we_write_and_we_read_all_that_it_writes() -> None:
    things = things_of_every_kind()
    read_by_it, exported = through_the_connector(write_116(things))
    assert set(read_by_it) >= {thing.iri for thing in things}
    read_again = read(json.dumps(exported).encode())
    assert {thing.iri: read_again.things.get(thing.iri) for thing in things} == {thing.iri: thing for thing in things}
    assert read_again.findings == ()


def test_what_is_tried_is_one_of_every_kind_but_those_that_it_does_not_implement() -> None:
    assert set(THINGS) - {type(thing) for thing in things_of_every_kind()} == {
        DfcCertificate,
        DfcCoordination,
        DfcShippingOption,
        *ROUTES,
    }
