"""VAT: computed once for each rate, rounded half up, and always adding up to the sum it came from."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from commensal.pricing.lines import split, vat_shares
from commensal.pricing.values import Phase, VatShare
from commensal.testing.drafts import a_draft, a_line, an_adjustment

RATES = ["0", "2.1", "5.5", "10", "20"]


@pytest.mark.parametrize(
    ("gross", "rate", "net", "vat"),
    [
        (750, "5.5", 711, 39),  # 7.50 / 1.055 = 7.10900
        (420, "20", 350, 70),
        (100, "5.5", 95, 5),  # 0.94787
        (3, "20", 3, 0),  # 0.025: half up, not half even
        (1055, "5.5", 1000, 55),
        (999, "0", 999, 0),
        (-750, "5.5", -711, -39),  # a refund mirrors the charge
    ],
)
def test_vat_that_is_included(gross: int, rate: str, net: int, vat: int) -> None:
    assert split(gross, Decimal(rate), included=True) == VatShare(rate=Decimal(rate), net=net, vat=vat)


@pytest.mark.parametrize(
    ("net", "rate", "vat"),
    [
        (1000, "5.5", 55),
        (300, "5.5", 17),  # 16.5: half up, not half even
        (84, "5.5", 5),  # 4.62
        (770, "20", 154),
        (999, "0", 0),
        (-300, "5.5", -17),
    ],
)
def test_vat_that_is_added(net: int, rate: str, vat: int) -> None:
    assert split(net, Decimal(rate), included=False) == VatShare(rate=Decimal(rate), net=net, vat=vat)


def test_lines_of_one_rate_are_added_before_vat_is_worked_out() -> None:
    """Three lines of 1.00 at 5.5 %: line by line it would be 3 x 0.05; together 3.00 / 1.055 = 2.8436, VAT 0.16."""
    three = a_draft(a_line(100), a_line(100), a_line(100))
    assert vat_shares(three) == (VatShare(rate=Decimal("5.5"), net=284, vat=16),)


def test_added_vat_is_worked_out_of_the_sum_too() -> None:
    """Three lines of 0.28 at 5.5 %: line by line 3 x 0.02; together 0.84 x 0.055 = 0.0462, VAT 0.05."""
    three = a_draft(a_line(28), a_line(28), a_line(28), prices_include_vat=False)
    assert vat_shares(three) == (VatShare(rate=Decimal("5.5"), net=84, vat=5),)


def test_one_rate_written_in_two_ways_is_one_rate() -> None:
    assert len(vat_shares(a_draft(a_line(100, vat_rate="5.5"), a_line(100, vat_rate="5.50")))) == 1


def test_shares_come_by_rate_and_a_rate_of_nothing_has_none() -> None:
    order = a_draft(a_line(100, vat_rate="20"), a_line(100, vat_rate="5.5"), a_line(0, vat_rate="10"))
    assert [share.rate for share in vat_shares(order)] == [Decimal("5.5"), Decimal(20)]


def test_goods_free_of_vat_are_listed_at_their_rate() -> None:
    assert vat_shares(a_draft(a_line(100, vat_rate="0"))) == (VatShare(rate=Decimal(0), net=100, vat=0),)


def test_deposits_and_adjustments_without_a_rate_are_outside_vat() -> None:
    plain = a_draft(a_line(1000, 2))
    draft = a_draft(a_line(1000, 2, deposit=200), adjustments=(an_adjustment(Phase.SUBSIDY, -900),))
    assert vat_shares(plain) == vat_shares(draft)


def test_an_adjustment_with_a_rate_changes_the_share_of_that_rate() -> None:
    """10.00 - 1.00 at 5.5 %: 9.00 / 1.055 = 8.5308, VAT 0.47; delivery 3.50 at 20 %: 2.9167, VAT 0.58."""
    order = a_draft(
        a_line(1000), adjustments=(an_adjustment(Phase.FEE, 350, "20"), an_adjustment(Phase.DISCOUNT, -100, "5.5"))
    )
    assert [(share.net, share.vat) for share in vat_shares(order)] == [(853, 47), (292, 58)]


amounts = some.integers(-(10**9), 10**9)
rates = some.sampled_from(RATES).map(Decimal)


@given(amounts, rates)
def test_net_and_vat_are_always_the_gross(gross: int, rate: Decimal) -> None:
    share = split(gross, rate, included=True)
    assert share.net + share.vat == gross
    assert abs(share.net * (1 + Fraction(rate) / 100) - gross) <= (1 + Fraction(rate) / 100) / 2


@given(amounts, rates)
def test_added_vat_is_never_further_than_half_a_cent_from_exact(net: int, rate: Decimal) -> None:
    assert abs(split(net, rate, included=False).vat - net * Fraction(rate) / 100) <= Fraction(1, 2)


@given(amounts, rates, some.booleans())
def test_giving_back_is_charging_with_the_sign_turned(amount: int, rate: Decimal, included: bool) -> None:
    charged, refunded = split(amount, rate, included), split(-amount, rate, included)
    assert (charged.net, charged.vat) == (-refunded.net, -refunded.vat)


@given(some.lists(some.tuples(some.integers(0, 10**6), some.sampled_from(RATES)), max_size=12), some.randoms())
def test_the_order_of_lines_changes_nothing(basket: list[tuple[int, str]], random) -> None:  # type: ignore[no-untyped-def]
    lines = [a_line(price, vat_rate=rate) for price, rate in basket]
    shares = vat_shares(a_draft(*lines))
    random.shuffle(lines)
    assert vat_shares(a_draft(*lines)) == shares
    assert sum(share.net + share.vat for share in shares) == sum(line.amount for line in lines)
