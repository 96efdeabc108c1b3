"""Goods that come in cases: the number of pieces in a case is a rational number, and whole cases are ordered."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commensal import half_up
from commensal_federation.dfc.findings import DocumentFindings
from commensal_federation.dfc.graph import write_116
from commensal_federation.dfc.offered_products import OfferedProduct, OfferedProducts
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import (
    DfcConsumption,
    DfcItem,
    DfcOffer,
    DfcPrice,
    DfcProduct,
    DfcProduction,
    DfcQuantity,
    DfcTransformation,
    Thing,
)
from commensal_federation.linked_catalogues.backorders.cases import allot, cases_for, pieces_in, surplus

HERE = "https://farm.example/api/dfc"


def amount(text: str) -> DfcQuantity:
    value, _, unit = text.partition(" ")
    return DfcQuantity(value=Decimal(value), unit=unit or "Piece")


def case(used: str, filled: str = "1", *, size: str = "1", offered: bool = True) -> list[Thing]:
    """Jars and crates, with a transformation in which `used` jars fill `filled` crates."""
    jar, crate = f"{HERE}/supplied_products/jar", f"{HERE}/supplied_products/crate"
    transformation_iri = f"{HERE}/transformations/{used}".replace(" ", "-")
    things: list[Thing] = [
        DfcProduct(iri=jar, name="Jar", quantity=amount(size)),
        DfcProduct(iri=crate, name="Crate", quantity=amount("1")),
        DfcTransformation(iri=transformation_iri),
        DfcConsumption(
            iri=f"{transformation_iri}/in", transformation=transformation_iri, product=jar, quantity=amount(used)
        ),
        DfcProduction(
            iri=f"{transformation_iri}/out", transformation=transformation_iri, product=crate, quantity=amount(filled)
        ),
    ]
    if offered:
        item = DfcItem(iri=f"{HERE}/catalog_items/crate", product=crate, stock=Decimal(3))
        price = DfcPrice(amount=1500, currency="EUR")
        things += [item, DfcOffer(iri=f"{HERE}/offers/crate", item=item.iri, price=price)]
    return things


def jar_of(things: list[Thing]) -> OfferedProduct:
    return next(
        product
        for product in OfferedProducts(read(write_116(things)), "EUR", DocumentFindings())
        if product.product.name == "Jar"
    )


@pytest.mark.parametrize(
    ("used", "filled", "size", "pieces"),
    [
        ("6", "1", "1", Fraction(6)),
        ("12", "2", "0.5 Litre", Fraction(6)),
        ("5", "2", "1", Fraction(5, 2)),
        ("1", "3", "25 Kilogram", Fraction(1, 3)),
        ("3 Kilogram", "1", "500 Gram", Fraction(6)),
        ("2 Dozen", "1", "1", Fraction(24)),
    ],
)
def test_so_many_pieces_fill_a_case(used: str, filled: str, size: str, pieces: Fraction) -> None:
    jar = jar_of(case(used, filled, size=size))
    assert jar.case is not None
    assert (jar.case.pieces, jar.case.offer) == (pieces, f"{HERE}/offers/crate")
    assert jar.case.price is not None
    assert (jar.case.price.amount, jar.case.stock) == (1500, 3)
    assert jar.pieces_left == int(3 * pieces)
    assert jar.buying_price == DfcPrice(amount=half_up(1500 / pieces), currency="EUR")


def test_a_piece_costs_its_share_of_the_case_and_is_there_while_cases_are() -> None:
    """Whatever the piece alone costs, and however many are left of it: nobody can order it alone."""
    item = DfcItem(iri=f"{HERE}/catalog_items/jar", product=f"{HERE}/supplied_products/jar", stock=Decimal(100))
    offer = DfcOffer(iri=f"{HERE}/offers/jar", item=item.iri, price=DfcPrice(amount=300, currency="EUR"))
    jar = jar_of([*case("7"), item, offer])
    assert (jar.price, jar.stock) == (offer.price, 100)
    assert (jar.buying_price, jar.pieces_left) == (DfcPrice(amount=214, currency="EUR"), 21)


@pytest.mark.parametrize("used", ["0", "-6", "3 Litre", "1 Crate", "1000000", "0.000000000000000001"])
def test_what_cannot_be_reckoned_comes_by_the_piece(used: str) -> None:
    findings = DocumentFindings()
    document = read(write_116(case(used, size="1 Kilogram")))
    assert [product.case for product in OfferedProducts(document, "EUR", findings)] == [None, None]
    assert "case" in {finding.code for finding in findings.collected}


def crate_at(*prices: tuple[str, int | None]) -> OfferedProduct:
    """A jar that costs 300 alone, and comes in crates of seven. `prices` are those of a crate, each with the customer
    category that pays it, "" for everybody."""
    jar = DfcItem(iri=f"{HERE}/catalog_items/jar", product=f"{HERE}/supplied_products/jar")
    offers: list[Thing] = [DfcOffer(iri=f"{HERE}/offers/jar", item=jar.iri, price=DfcPrice(amount=300, currency="EUR"))]
    for number, (category, amount) in enumerate(prices):
        iri, price = f"{HERE}/offers/{number}", None if amount is None else DfcPrice(amount=amount, currency="EUR")
        item = f"{HERE}/catalog_items/crate"
        offers.append(DfcOffer(iri=iri, item=item, category=f"{HERE}/{category}" if category else None, price=price))
    return jar_of([*(thing for thing in case("7") if not isinstance(thing, DfcOffer)), jar, *offers])


@pytest.mark.parametrize(
    ("prices", "offer", "buying_price", "by_category"),
    [
        ([("", None), ("", 1400)], "1", 200, {}),
        ([("shops", 700), ("", 1400)], "1", 200, {"shops": 100}),
        ([("shops", 700), ("schools", 1400)], "0", 300, {"shops": 100, "schools": 200}),
        ([("", 3)], "0", 1, {}),
        ([("", 0)], "0", 0, {}),
    ],
)
def test_a_piece_costs_its_share_of_what_the_case_costs_who_buys_it(
    prices: list[tuple[str, int | None]], offer: str, buying_price: int, by_category: dict[str, int]
) -> None:
    """No price of another customer category, and none that rounding has made nothing."""
    jar = crate_at(*prices)
    assert jar.case is not None
    assert jar.case.offer == f"{HERE}/offers/{offer}"
    assert jar.buying_price == DfcPrice(amount=buying_price, currency="EUR")
    assert {iri: price.amount for iri, price in jar.buying_by_category.items()} == {
        f"{HERE}/{name}": amount for name, amount in by_category.items()
    }


def ring(count: int) -> list[Thing]:
    """Boxes of which two fill the next one, and two of the last one the first. Four lids fill the first one."""
    things: list[Thing] = [DfcProduct(iri=f"{HERE}/supplied_products/lid", name="Lid", quantity=amount("1"))]
    for number in range(count):
        box = f"{HERE}/supplied_products/{number}"
        things.append(DfcProduct(iri=box, name=f"Box {number}", quantity=amount("1")))
        things.append(DfcOffer(iri=f"{HERE}/offers/{number}", item=box, price=DfcPrice(amount=100, currency="EUR")))
    made = [*((str(number), str((number + 1) % count), "2") for number in range(count)), ("lid", "0", "4")]
    for piece, box, used in made:
        into, above = f"{HERE}/transformations/{piece}", f"{HERE}/supplied_products/{box}"
        source = f"{HERE}/supplied_products/{piece}"
        things += [
            DfcTransformation(iri=into),
            DfcConsumption(iri=f"{into}/in", transformation=into, product=source, quantity=amount(used)),
            DfcProduction(iri=f"{into}/out", transformation=into, product=above, quantity=amount("1")),
        ]
    return things


@pytest.mark.parametrize("count", [2, 3, 1000])
def test_what_is_made_of_itself_comes_by_the_piece_and_is_named(count: int) -> None:
    findings = DocumentFindings()
    cases = {good.product.name: good.case for good in OfferedProducts(read(write_116(ring(count))), "EUR", findings)}
    lid = cases.pop("Lid")
    assert lid is not None
    assert lid.pieces == 4
    assert not any(cases.values())
    (finding,) = [finding for finding in findings.collected if finding.code == "case_circle"]
    assert finding.count == count


def test_a_case_that_nobody_offers_is_not_ordered_and_of_two_the_smaller_is() -> None:
    assert jar_of(case("6", offered=False)).case is None
    both = {product.iri: product for product in (*case("12"), *case("6"))}
    jar = jar_of(list(both.values()))
    assert jar.case is not None
    assert jar.case.pieces == 6


@given(st.integers(0, 10_000), st.fractions(min_value=Fraction(1, 50), max_value=200, max_denominator=50))
def test_whole_cases_hold_what_is_wanted_and_one_fewer_does_not(pieces: int, per_case: Fraction) -> None:
    cases = cases_for(pieces, per_case)
    assert pieces_in(cases, per_case) == pieces + surplus(pieces, cases, per_case)
    assert cases == 0 or (cases - 1) * per_case < pieces


@given(st.integers(0, 100), st.lists(st.integers(0, 40), max_size=5))
def test_cases_that_come_are_allotted_once(cases: int, ordered: list[int]) -> None:
    shares = allot(cases, ordered)
    assert sum(shares) == min(cases, sum(ordered))
    assert all(share <= line_cases for share, line_cases in zip(shares, ordered, strict=True))
