"""The prices of lines and the totals of orders, with figures computed by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from commensal.pricing.lines import amount_of, deposit_of, totals
from commensal.pricing.values import Phase, VatShare
from commensal.testing.drafts import a_draft, a_line, an_adjustment


def test_a_line_costs_its_pieces() -> None:
    assert amount_of(a_line(price=250, quantity=3)) == 750


def test_a_line_that_was_weighed_costs_its_weight_rounded_half_up_once() -> None:
    bag = a_line(price=500, unit_quantity=Decimal(2), weighed=True)
    assert amount_of(replace(bag, final_quantity=Decimal("1.870"))) == 468  # 467.5
    assert amount_of(replace(bag, final_quantity=Decimal("1.8699"))) == 467
    assert amount_of(replace(bag, quantity=3, final_quantity=Decimal("5.61"))) == 1403  # 1402.5, not 3 times 468
    assert amount_of(replace(bag, final_quantity=Decimal(0))) == 0


def test_a_third_of_a_litre_is_exact() -> None:
    assert amount_of(a_line(price=100, unit_quantity=Decimal("0.33"), final_quantity=Decimal("0.66"))) == 200


def test_a_deposit_follows_the_pieces_and_not_the_weight() -> None:
    jars = a_line(price=420, quantity=6, deposit=30, weighed=True, final_quantity=Decimal("4.5"))
    assert deposit_of(jars) == 180
    assert amount_of(jars) == 1890


def test_a_whole_basket() -> None:
    """Carrots 3 x 2.50 and yoghurt 2 x 3.10 at 5.5 %, cider 4.20 at 20 %, jars with 2 x 0.30 of deposit,
    delivery 3.50 at 20 %, a discount of 1.00 at 5.5 %, and 4.00 paid by a fund.

    at 5.5 %: 7.50 + 6.20 - 1.00 = 12.70   net 12.70 / 1.055 = 12.0379 -> 12.04   VAT 0.66
    at 20 %:  4.20 + 3.50        =  7.70   net  7.70 / 1.2   =  6.4167 ->  6.42   VAT 1.28
    to pay:   17.90 products + 0.60 deposits + 3.50 - 1.00 - 4.00 = 17.00
    """
    order = a_draft(
        a_line(250, 3),
        a_line(310, 2, deposit=30),
        a_line(420, 1, "20"),
        adjustments=(
            an_adjustment(Phase.FEE, 350, "20"),
            an_adjustment(Phase.DISCOUNT, -100, "5.5"),
            an_adjustment(Phase.SUBSIDY, -400),
        ),
    )
    sums = totals(order)
    assert (sums.products, sums.deposits, sums.adjustments) == (1790, 60, -150)
    assert sums.shares == (
        VatShare(rate=Decimal("5.5"), net=1204, vat=66),
        VatShare(rate=Decimal(20), net=642, vat=128),
    )
    assert (sums.vat, sums.total) == (194, 1700)


def test_the_same_basket_for_a_shop_whose_prices_are_net() -> None:
    """at 5.5 %: 12.70 x 0.055 = 0.6985 -> 0.70; at 20 %: 7.70 x 0.2 = 1.54; to pay: 17.00 + 2.24."""
    order = a_draft(
        a_line(250, 3),
        a_line(310, 2, deposit=30),
        a_line(420, 1, "20"),
        prices_include_vat=False,
        adjustments=(
            an_adjustment(Phase.FEE, 350, "20"),
            an_adjustment(Phase.DISCOUNT, -100, "5.5"),
            an_adjustment(Phase.SUBSIDY, -400),
        ),
    )
    sums = totals(order)
    assert [(share.net, share.vat) for share in sums.shares] == [(1270, 70), (770, 154)]
    assert (sums.vat, sums.total) == (224, 1924)


def test_a_subsidy_spares_the_customer_and_leaves_vat_on_the_full_price() -> None:
    """20.00 of goods, 5.00 paid by a fund: net 20.00 / 1.055 = 18.9573 -> 18.96, VAT 1.04, and 15.00 to pay."""
    sums = totals(a_draft(a_line(2000), adjustments=(an_adjustment(Phase.SUBSIDY, -500),)))
    assert (sums.total, sums.vat, sums.shares[0].net) == (1500, 104, 1896)


def test_nothing_costs_nothing() -> None:
    sums = totals(a_draft())
    assert (sums.total, sums.shares) == (0, ())


lines = some.builds(
    a_line,
    price=some.integers(0, 10**6),
    quantity=some.integers(0, 1000),
    vat_rate=some.sampled_from(["0", "2.1", "5.5", "10", "20"]),
    deposit=some.integers(0, 500),
    unit_quantity=some.decimals("0.001", 100, places=3),
    final_quantity=some.none() | some.decimals(0, 1000, places=3),
)


@given(some.lists(lines, max_size=8), some.booleans())
def test_every_cent_of_a_total_is_accounted_for(basket: list, included: bool) -> None:  # type: ignore[type-arg]
    sums = totals(a_draft(*basket, prices_include_vat=included))
    gross = sum(share.net + share.vat for share in sums.shares)
    assert gross + sums.deposits + sums.adjustments == sums.total
    assert sum(share.vat for share in sums.shares) == sums.vat
    assert sums.products == sum(line.amount for line in basket)
