"""The quantity of an order's line is converted to pieces by the size of the product, or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal_federation.dfc.offered_products import pieces_in
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcLine, DfcQuantity

from .oidc import Oidc
from .platforms import an_order, grant_scopes, request, settings_with

ORDERS = "/api/dfc/enterprises/shop/orders"


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    return settings_with(oidc.issuer)


@pytest.fixture
def token(shop: Shop, oidc: Oidc) -> str:
    grant_scopes(shop, "ofn", "ReadProducts", "WriteOrders")
    return oidc.token("ofn-client")


def order_with(shop: Shop, token: str, name: str, quantity: object, unit: str, *, repeated: str = "") -> Any:
    """Orders a quantity in a unit. `repeated` is the number in the older property `quantity`."""
    order = an_order(shop, {name: 1})
    line = order["@graph"][1]
    del line["dfc-b:quantity"]
    line["dfc-b:hasQuantity"] = {
        "@type": "dfc-b:QuantitativeValue",
        "dfc-b:value": quantity,
        "dfc-b:hasUnit": f"dfc-m:{unit}",
    }
    if repeated:
        line["dfc-b:quantity"] = repeated
    return request(shop, token, ORDERS, method="POST", json=order)


@pytest.mark.parametrize(
    ("name", "quantity", "unit", "pieces"),
    [
        ("carrots", 3, "Piece", 3),
        ("carrots", 2, "Dozen", 24),
        ("chicken", 3, "Piece", 3),
        ("chicken", 10, "Kilogram", 5),
        ("chicken", "4000", "Gram", 2),
        ("chicken", 1, "HalfDozen", 6),
    ],
)
def test_a_quantity_in_any_unit_is_the_same_number_of_pieces(
    shop: Shop, token: str, name: str, quantity: object, unit: str, pieces: int
) -> None:
    """A piece of chicken has two kilograms."""
    answer = order_with(shop, token, name, quantity, unit)
    assert answer.status_code == 201, answer.text
    line = read(answer.content).one(DfcLine)
    assert line.quantity == DfcQuantity(value=Decimal(pieces))


@pytest.mark.parametrize(
    ("name", "quantity", "unit", "detail"),
    [
        ("chicken", 100, "Gram", "100 Gram is not a whole number of pieces of 2 Kilogram."),
        ("chicken", 3, "Kilogram", "3 Kilogram is not a whole number of pieces of 2 Kilogram."),
        ("chicken", 2, "Litre", "2 Litre cannot be converted to pieces of 2 Kilogram. Send a number of pieces."),
        ("carrots", 2, "Kilogram", "2 Kilogram cannot be converted to pieces of 1 Piece. Send a number of pieces."),
        ("carrots", 2, "Crate", "2 Crate cannot be converted to pieces of 1 Piece. Send a number of pieces."),
    ],
)
def test_a_quantity_that_is_no_number_of_pieces_is_refused(
    shop: Shop, token: str, name: str, quantity: object, unit: str, detail: str
) -> None:
    answer = order_with(shop, token, name, quantity, unit)
    assert answer.status_code == 422
    assert [problem["detail"] for problem in answer.json()["errors"]] == [detail]


def test_two_quantities_of_one_line_agree_or_are_refused(shop: Shop, token: str) -> None:
    answer = order_with(shop, token, "chicken", 10, "Kilogram", repeated="4")
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["pointer"] == "https://ofn.example/orders/1/lines/0"
    assert problem["detail"] == (
        "hasQuantity says 10 Kilogram, and quantity says 4. Send the same in both, or only one."
    )
    assert order_with(shop, token, "chicken", 10, "Kilogram", repeated="5").status_code == 201


@pytest.mark.parametrize(
    ("quantity", "unit", "size", "pieces"),
    [
        (2, "Piece", "6 Piece", 2),
        (1, "Dozen", "6 Piece", 2),
        (2, "Dozen", "1 Dozen", 2),
        (2, "Dozen", "1 Kilogram", 24),
    ],
)
def test_pieces_are_pieces_of_the_product_and_dozens_its_content(
    quantity: int, unit: str, size: str, pieces: int
) -> None:
    value, _, of = size.partition(" ")
    size_of_piece = DfcQuantity(value=Decimal(value), unit=of)
    assert pieces_in(DfcQuantity(value=Decimal(quantity), unit=unit), size_of_piece) == pieces


def test_an_order_whose_lines_are_missing_in_the_document_is_not_emptied(shop: Shop, token: str) -> None:
    answer = request(shop, token, ORDERS, method="POST", json=an_order(shop, {"carrots": 2}))
    path = answer.headers["Location"].removeprefix("http://testserver")
    order = an_order(shop, {"carrots": 2})
    del order["@graph"][1]
    refusal = request(shop, token, path, method="PUT", json=order)
    assert refusal.status_code == 422
    assert [problem["code"] for problem in refusal.json()["errors"]] == ["missing_line"]
    (line,) = read(request(shop, token, path).content).all(DfcLine)
    assert line.quantity == DfcQuantity(value=Decimal(2))
