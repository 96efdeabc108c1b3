"""Zones of delivery: which zone has a postcode, and the price of a delivery there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from starlette.testclient import TestClient

from commensal import Address
from commensal.enterprises.tables import enterprise_member
from commensal.instance import Instance
from commensal.people.people import add_person, new_person
from commensal.people.sessions import begin_session
from commensal.testing.drafts import a_line
from commensal.testing.placed import a_shop
from commensal_delivery import adjustment_names
from commensal_delivery.zones import (
    DeliverySettings,
    Step,
    Zone,
    is_pattern,
    matches,
    normalized,
    price_in,
    value_of,
    weight_of,
    zone_of,
)

PLUGINS = ("delivery",)
CENTRE = Zone(
    id="centre",
    name="Tours centre",
    postcodes=("37000", "37100-37199"),
    price=300,
    free_from=5000,
    steps=(Step(above=Decimal(25), price=900), Step(above=Decimal(10), price=600)),
)
AROUND = Zone(id="around", name="Touraine", postcodes=("37*",), price=700, minimum=3000)
ABROAD = Zone(id="kehl", name="Kehl", postcodes=("77694",), country="DE", price=900)
SETTINGS = DeliverySettings(zones=(CENTRE, AROUND, ABROAD))


# ------------------------------------------------------------------------------------------------ postcodes


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("37000", ["37000", "37 000"], ["37001", "3700", "370000"]),
        ("37*", ["37000", "37999", "37"], ["36999", "44137"]),
        ("37100-37199", ["37100", "37150", "37199"], ["37099", "37200", "371500", "3715A"]),
        ("SW1A 1AA", ["sw1a1aa", "SW1A 1AA"], ["SW1A 1AB"]),
        ("sw1*", ["SW1A 1AA"], ["SW2"]),
        ("00-950", ["00-950", "00950"], ["00-951", "00"]),
        ("4000-123", ["4000-123"], ["4000-124", "4000"]),
    ],
)
def test_a_pattern_means_these_postcodes_and_no_others(pattern: str, inside: list[str], outside: list[str]) -> None:
    assert is_pattern(pattern)
    assert [postcode for postcode in inside if not matches(pattern, normalized(postcode))] == []
    assert [postcode for postcode in outside if matches(pattern, normalized(postcode))] == []


@pytest.mark.parametrize("text", ["", "*", "3*7", "37199-37100", "37000;44000", "x" * 11, "37?", "37**"])
def test_what_means_nothing_is_no_pattern(text: str) -> None:
    assert not is_pattern(text)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_can_be_asked_about(pattern: str, postcode: str) -> None:
    assert matches(pattern, normalized(postcode)) in (True, False)
    assert is_pattern(pattern) in (True, False)


# ------------------------------------------------------------------------------------------------ zones


def test_delivery_to_a_zone_has_one_name_in_reports_whatever_customers_read() -> None:
    settings = DeliverySettings(zones=(replace(CENTRE, name="Le centre", names={"en": "The centre"}),))
    names = adjustment_names(language="fr", settings=settings)
    assert names["Delivery to The centre"] == names["Livraison Le centre"] == "Livraison Le centre"


def test_the_first_zone_that_has_the_postcode_counts() -> None:
    assert zone_of(SETTINGS, Address(postcode="37000")) == CENTRE
    assert zone_of(SETTINGS, Address(postcode="37200")) == AROUND
    backwards = replace(SETTINGS, zones=(AROUND, CENTRE))
    assert zone_of(backwards, Address(postcode="37000")) == AROUND


def test_an_address_without_a_country_lies_in_the_shops_own() -> None:
    assert zone_of(SETTINGS, Address(postcode="37000", country="fr")) == CENTRE
    assert zone_of(SETTINGS, Address(postcode="37000", country="DE")) is None
    assert zone_of(SETTINGS, Address(postcode="77694")) is None
    assert zone_of(SETTINGS, Address(postcode="77694", country="DE")) == ABROAD


def test_nothing_serves_an_address_outside_or_without_a_postcode() -> None:
    for address in (None, Address(), Address(postcode=" "), Address(postcode="12345")):
        assert zone_of(SETTINGS, address) is None


# ------------------------------------------------------------------------------------------------ price


def line_of_kilograms(weight: str, quantity: int = 1, price: int = 100) -> Any:
    return a_line(price=price, quantity=quantity, unit="Kilogram", unit_quantity=Decimal(weight))


def test_the_price_follows_the_weight_by_the_highest_step_that_is_exceeded() -> None:
    prices = {weight: price_in(CENTRE, [line_of_kilograms(weight)]) for weight in ("0.5", "10", "10.001", "25", "25.5")}
    assert prices == {"0.5": 300, "10": 300, "10.001": 600, "25": 600, "25.5": 900}
    assert price_in(CENTRE, [line_of_kilograms("5", 2), line_of_kilograms("2")]) == 600, "of all lines together"


def test_the_price_falls_away_from_a_value_of_goods() -> None:
    assert price_in(CENTRE, [a_line(price=4999, unit="Piece")]) == 300
    assert price_in(CENTRE, [a_line(price=2500, quantity=2, unit="Piece")]) == 0
    assert price_in(CENTRE, [line_of_kilograms("30", price=6000)]) == 0, "however heavy it is"


def test_weight_is_exact_and_counts_measures_of_mass_only() -> None:
    lines = [
        a_line(unit="Gram", unit_quantity=Decimal(350), quantity=3),
        line_of_kilograms("0.1", 3),
        a_line(unit="Litre", unit_quantity=Decimal(5)),
        a_line(unit="Piece", quantity=7),
        a_line(unit="Nonsense"),
    ]
    assert weight_of(lines) == Decimal("1.35")


def test_the_scales_change_neither_weight_nor_value() -> None:
    ordered_line = line_of_kilograms("2", 6, price=850)
    weighed_line = replace(ordered_line, final_quantity=Decimal("9.5"), amount=4000)
    assert price_in(CENTRE, [ordered_line]) == price_in(CENTRE, [weighed_line]) == 0
    assert weight_of([weighed_line]) == 12
    assert value_of([weighed_line]) == 5100


# ------------------------------------------------------------------------------------------------ settings


@pytest.fixture
def manager(instance: Instance, client: TestClient) -> TestClient:
    with instance.store.write() as tx:
        a_shop(tx)
        new_ada = new_person(email="ada@example.org", name="Ada", password="a long enough password", language="fr")
        ada = add_person(tx, new_ada, confirmed=True)
        assert ada is not None
        member = {"enterprise_id": "shop", "person_id": ada.id, "role": "manager", "since": tx.now}
        tx.execute(insert(enterprise_member).values(member))
        client.cookies.set("session", begin_session(tx, ada).secret)
    client.headers["Origin"] = "http://testserver"
    return client


PLUGIN = "/api/enterprises/shop/plugins/delivery"
ZONE = {"id": "centre", "name": "Tours centre", "postcodes": ["37000", "371*"], "price": 300}


def test_a_coordinator_sets_zones_and_tries_them_out(manager: TestClient) -> None:
    steps = [{"above": 12.5, "price": 600}]
    sent = {"settings": {"zones": [{**ZONE, "steps": steps, "free_from": 5000, "minimum": 1500}], "vat_rate": 5.5}}
    response = manager.post(PLUGIN, json=sent)
    assert response.status_code == 201, response.text
    url = "/api/-/delivery/enterprises/shop/zones/serving"
    zone = manager.get(url, params={"postcode": "37 150"}).json()
    assert (zone["name"], zone["free_from"], zone["steps"]) == ("Tours centre", 5000, [{"above": "12.5", "price": 600}])
    refused = manager.get(url, params={"postcode": "12345"}, headers={"Accept-Language": "fr"})
    assert (refused.status_code, refused.json()["detail"]) == (404, "Nous ne livrons pas à 12345.")


@pytest.mark.parametrize(
    ("bad_fields", "message"),
    [
        ({"id": "Centre ville"}, "not an id of a zone"),
        ({"name": " "}, "1 to 100 characters"),
        ({"postcodes": []}, "1 to 300 postcodes"),
        ({"postcodes": ["37000", "3*7"]}, "'3*7' is not a postcode"),
        ({"country": "France"}, "two capital letters"),
        ({"price": -1}, "price must be between 0"),
        ({"steps": [{"above": 0, "price": 1}]}, "above a weight"),
        ({"steps": [{"above": 1, "price": 1}, {"above": 1, "price": 2}]}, "each above another weight"),
        ({"free_form": 5000}, "did you mean 'free_from'"),
    ],
)
def test_a_zone_that_cannot_be_is_refused_with_what_is_wrong(
    manager: TestClient, bad_fields: dict[str, Any], message: str
) -> None:
    body = {"settings": {"zones": [{**ZONE, **bad_fields}]}}
    refusal = manager.post(PLUGIN, json=body)
    assert refusal.status_code == 422
    assert message in refusal.text


def test_two_zones_cannot_have_one_id(manager: TestClient) -> None:
    sent = {"settings": {"zones": [ZONE, {**ZONE, "name": "Again"}]}}
    assert "two zones have the same id" in manager.post(PLUGIN, json=sent).text
