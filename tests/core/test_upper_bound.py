"""What an order costs at most before it is weighed: no weight, with whatever fees and reductions, costs more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from commensal.pricing.lines import amount_of, totals
from commensal.pricing.phases import Ask, price_order, total_at_most
from commensal.pricing.values import Adjustment, OrderDraft, Phase, PricedLine
from commensal.testing.drafts import a_draft, a_line, an_adjustment

BIRD = a_line(price=2500, weighed=True, weight_tolerance=Decimal(8))  # about a kilogram for 25.00


def at_most(*lines: PricedLine, ask: Ask = lambda order, phase: (), **fields: bool) -> int | None:
    return total_at_most(price_order(a_draft(*lines, **fields), ask), ask)


def in_phase(phase: Phase, amount: Callable[[int], int]) -> Ask:
    """A plugin that asks for an amount by the sum of the goods."""

    def ask(order: OrderDraft, present: Phase) -> Sequence[Adjustment]:
        return [an_adjustment(phase, amount(order.subtotal))] if present is phase else []

    return ask


def test_about_25_euros_is_at_most_27() -> None:
    assert at_most(BIRD) == 2700
    assert at_most(BIRD, a_line(250, 2)) == 3200


def test_nothing_is_said_where_nothing_is_to_weigh_or_a_tolerance_is_unknown() -> None:
    assert at_most(a_line(250)) is None
    assert at_most(replace(BIRD, final_quantity=Decimal("1.05"))) is None
    assert at_most(BIRD, replace(BIRD, weight_tolerance=None)) is None


def test_the_customer_pays_for_no_more_than_they_were_told() -> None:
    """The scales say 1.2 kg, and 8 % above 1 kg were told."""
    assert amount_of(replace(BIRD, final_quantity=Decimal("1.2"))) == 2700
    assert amount_of(replace(BIRD, quantity=2, final_quantity=Decimal("2.1"))) == 5250


@pytest.mark.parametrize(
    ("ask", "most"),
    [
        (in_phase(Phase.FEE, lambda goods: goods // 10), 2970),
        (in_phase(Phase.FEE, lambda goods: 0 if goods >= 2600 else 300), 3000),  # free of charge from 26.00
        (in_phase(Phase.DISCOUNT, lambda goods: -goods // 10 if goods >= 2600 else 0), 2700),
        (in_phase(Phase.VOUCHER, lambda goods: -5000), 0),  # a gift card pays whatever it weighs
        (in_phase(Phase.VOUCHER, lambda goods: -500 if goods >= 2400 else 0), 2700),  # not if it is light
        (in_phase(Phase.VOUCHER, lambda goods: -500), 2200),
    ],
)
def test_fees_and_reductions_count_as_they_cost_most(ask: Ask, most: int) -> None:
    assert at_most(BIRD, ask=ask) == most


def test_vat_that_is_added_is_part_of_it() -> None:
    assert at_most(BIRD, prices_include_vat=False) == 2700 + 149  # 5.5 % of 27.00 are 1.485


@given(
    weight=some.decimals("0.92", "1.08", places=3),
    phase=some.sampled_from([Phase.FEE, Phase.DISCOUNT, Phase.VOUCHER]),
    amount=some.integers(0, 3000),
    percent=some.integers(0, 20),
    least=some.integers(0, 3000),
    net=some.booleans(),
)
def test_no_weight_within_the_tolerance_costs_more(
    weight: Decimal, phase: Phase, amount: int, percent: int, least: int, net: bool
) -> None:
    sign = 1 if phase is Phase.FEE else -1
    begins = in_phase(phase, lambda goods: sign * (amount + goods * percent // 100) if goods >= least else 0)
    ends = in_phase(phase, lambda goods: sign * (amount + goods * percent // 100) if goods < least else 0)
    for ask in (begins, ends):
        weighed = price_order(a_draft(replace(BIRD, final_quantity=weight), prices_include_vat=not net), ask)
        most = at_most(BIRD, ask=ask, prices_include_vat=not net)
        assert most is not None
        assert totals(weighed).total <= most
