"""The price per kilogram, litre, metre or piece: computed exactly, rounded once at the end."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commensal.base.money import Money
from commensal.base.units.measures import MEASURES
from commensal.products.values import UnitPrice, unit_price


@pytest.mark.parametrize(
    ("price", "quantity", "unit", "amount", "per"),
    [
        (250, "5", "Kilogram", 50, "Kilogram"),
        (199, "250", "Gram", 796, "Kilogram"),
        (1000, "3", "Kilogram", 333, "Kilogram"),
        (2000, "3", "Kilogram", 667, "Kilogram"),
        (1, "2", "Kilogram", 1, "Kilogram"),  # half a cent is a cent
        (1150, "75", "Centilitre", 1533, "Litre"),
        (500, "1", "PoundMass", 1102, "Kilogram"),
        (320, "1", "Dozen", 27, "Piece"),
        (300, "6", "Piece", 50, "Piece"),
        (450, "150", "Centimetre", 300, "Metre"),
        (0, "1", "Kilogram", 0, "Kilogram"),
    ],
)
def test_the_price_of_one_is_worked_out_and_rounded_once(
    price: int, quantity: str, unit: str, amount: int, per: str
) -> None:
    assert unit_price(Money(price, "EUR"), Decimal(quantity), unit) == UnitPrice(Money(amount, "EUR"), per)


@pytest.mark.parametrize("unit", ["Bunch", "Box", "Percent"])
def test_what_has_no_size_has_no_unit_price(unit: str) -> None:
    assert unit_price(Money(250, "EUR"), Decimal(1), unit) is None


@given(
    price=st.integers(0, 10**7),
    quantity=st.decimals("0.001", "1000", places=3),
    unit=st.sampled_from([measure.term for measure in MEASURES.values() if measure.dimension == "mass"]),
)
def test_a_unit_price_is_never_off_by_more_than_half_a_cent(price: int, quantity: Decimal, unit: str) -> None:
    result = unit_price(Money(price, "EUR"), quantity, unit)
    assert result is not None
    kilos = Fraction(quantity) * MEASURES[unit].factor / 1000
    exact = Fraction(price) / kilos
    assert -Fraction(1, 2) < exact - result.price.amount < Fraction(1, 2) or result.price.amount - exact == Fraction(
        1, 2
    )


def test_halves_go_up_as_the_decimal_module_has_it() -> None:
    for price in range(1, 200):
        result = unit_price(Money(price, "EUR"), Decimal(2), "Kilogram")
        assert result is not None
        assert result.price.amount == int((Decimal(price) / 2).quantize(Decimal(1), ROUND_HALF_UP))
