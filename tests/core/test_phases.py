"""Adjustments: phase by phase, whatever the order of plugins, never below zero, and never nonsense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from commensal.base.clock import ManualClock
from commensal.base.errors import PluginError
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.pricing.lines import by_rate, totals
from commensal.pricing.phases import MOST_ADJUSTMENTS, Ask, ask_plugins, price_order
from commensal.pricing.values import Adjustment, OrderDraft, Phase
from commensal.testing.drafts import a_draft, a_line, an_adjustment


def ask_for(*adjustments: Adjustment) -> Ask:
    """Returns plugins that answer these adjustments, each in its phase."""
    return lambda order, phase: [adjustment for adjustment in adjustments if adjustment.phase == phase]


def amounts(order: OrderDraft) -> list[int]:
    return [adjustment.amount for adjustment in order.adjustments]


def test_lines_are_priced_and_old_adjustments_forgotten() -> None:
    draft = a_draft(replace(a_line(250, 4), amount=1), adjustments=(an_adjustment(Phase.FEE, 900),))
    order = price_order(draft, ask_for(an_adjustment(Phase.FEE, 100)))
    assert order.lines[0].amount == 1000
    assert amounts(order) == [100]


def test_each_phase_sees_what_the_phases_before_have_made_of_the_subtotal() -> None:
    """10.00; a fee of 10 % is 1.00; a discount of 10 % is 1.10 of 11.00; rounding down to whole euros is 0.90."""
    subtotals: dict[Phase, int] = {}

    def ask(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
        subtotals[phase] = order.subtotal
        rules = {
            Phase.FEE: order.subtotal // 10,
            Phase.DISCOUNT: -(order.subtotal // 10),
            Phase.ROUNDING: -(order.subtotal % 100),
        }
        return [an_adjustment(phase, rules[phase])] if phase in rules else []

    order = price_order(a_draft(a_line(1000)), ask)
    assert list(subtotals.items()) == [
        (Phase.FEE, 1000),
        (Phase.DISCOUNT, 1100),
        (Phase.VOUCHER, 990),
        (Phase.SUBSIDY, 990),
        (Phase.ROUNDING, 990),
        (Phase.PREPAID, 900),
    ]
    assert totals(order).total == 900


def test_two_plugins_in_one_phase_see_the_same_subtotal() -> None:
    def ask(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
        if phase is not Phase.DISCOUNT:
            return []
        return [an_adjustment(phase, -(order.subtotal // 2), plugin=plugin) for plugin in ("b", "a")]

    assert amounts(price_order(a_draft(a_line(1000)), ask)) == [-500, -500]


def test_who_comes_first_by_name_spares_all_and_who_goes_too_far_spares_what_is_left() -> None:
    discounts = [an_adjustment(Phase.DISCOUNT, -600, plugin=plugin) for plugin in ("c", "b", "a")]
    order = price_order(a_draft(a_line(1000)), ask_for(*discounts))
    assert [(adjustment.plugin, adjustment.amount) for adjustment in order.adjustments] == [("a", -600), ("b", -400)]


def test_deposits_are_never_spared() -> None:
    order = price_order(a_draft(a_line(1000, deposit=200)), ask_for(an_adjustment(Phase.SUBSIDY, -5000)))
    assert (amounts(order), totals(order).total) == ([-1000], 200)


def test_no_more_is_spared_at_a_rate_than_was_charged_at_it() -> None:
    """7.00 at 5.5 % and 3.00 at 20 %: a discount of 5.00 at 20 % is 3.00, and one at 10 % nothing at all."""
    discounts = (an_adjustment(Phase.DISCOUNT, -500, "20"), an_adjustment(Phase.DISCOUNT, -100, "10"))
    order = price_order(a_draft(a_line(700), a_line(300, vat_rate="20")), ask_for(*discounts))
    assert amounts(order) == [-300]
    assert [share.rate for share in totals(order).shares] == [Decimal("5.5")]


def test_where_vat_is_added_a_subsidy_may_pay_it_too() -> None:
    """10.00 net at 20 % is 12.00 to pay, and all of it can be paid by a fund."""
    order = price_order(
        a_draft(a_line(1000, vat_rate="20"), prices_include_vat=False), ask_for(an_adjustment(Phase.SUBSIDY, -5000))
    )
    assert (amounts(order), totals(order).total, totals(order).vat) == ([-1200], 0, 200)


def test_a_rated_voucher_after_one_without_a_rate_takes_its_vat_along() -> None:
    """10.00 net at 20 % is 12.00, of which 11.00 are spared. With 0.83 net less, VAT is 9.17 x 0.2 = 1.834 -> 1.83."""
    reductions = (an_adjustment(Phase.DISCOUNT, -1100), an_adjustment(Phase.VOUCHER, -500, "20"))
    order = price_order(a_draft(a_line(1000, vat_rate="20"), prices_include_vat=False), ask_for(*reductions))
    assert amounts(order) == [-1100, -83]
    assert totals(order).total == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amount": 1.5}, "not a whole number"),
        ({"amount": True}, "not a whole number"),
        ({"amount": 10**12 + 1}, "too large"),
        ({"amount": -1}, "a fee cannot be negative"),
        ({"phase": Phase.DISCOUNT}, "DISCOUNT was given in FEE"),
        ({"vat_rate": Decimal(101)}, "the VAT rate"),
        ({"vat_rate": Decimal("NaN")}, "the VAT rate"),
        ({"vat_rate": 5.5}, "the VAT rate"),
        ({"line_id": "of another order"}, "no line 'of another order'"),
        ({"label": ""}, "the label"),
        ({"label": "x" * 201}, "the label"),
        ({"kind": None}, "the kind"),
        ({"payer": "Fund"}, "only a voucher or a subsidy"),
    ],
)
def test_nonsense_is_refused_and_names_its_plugin(changes: dict[str, Any], message: str) -> None:
    fee = replace(an_adjustment(Phase.FEE, 100, plugin="fees"), **changes)
    with pytest.raises(PluginError, match=message) as error:
        price_order(a_draft(a_line()), lambda order, phase: [fee] if phase is Phase.FEE else [])
    assert error.value.plugin == "fees"


@pytest.mark.parametrize(
    ("adjustment", "message"),
    [
        (an_adjustment(Phase.DISCOUNT, 100), "a discount cannot be positive"),
        (an_adjustment(Phase.VOUCHER, 100), "a voucher cannot be positive"),
        (an_adjustment(Phase.SUBSIDY, 100), "a subsidy cannot be positive"),
        (an_adjustment(Phase.SUBSIDY, -100, payer="customer"), "must name who pays it"),
        (an_adjustment(Phase.SUBSIDY, -100, "5.5"), "no VAT rate of its own"),
        (an_adjustment(Phase.VOUCHER, -100, "5.5", payer="Fund"), "no VAT rate of its own"),
    ],
)
def test_kind_sign_and_payer_must_agree(adjustment: Adjustment, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        price_order(a_draft(a_line()), ask_for(adjustment))


def test_an_answer_that_is_no_list_of_adjustments_names_its_plugin(clock: ManualClock) -> None:
    module = ModuleType("sloppy")
    module.price_adjustments = hookimpl(lambda: 5)  # type: ignore[attr-defined]
    settings = InstanceSettings(name="Test", plugins={"enabled": ["sloppy"]})
    hooks = load_plugins(settings, clock=clock, modules={"sloppy": module})
    nothing: Any = None
    with pytest.raises(PluginError, match="5 is not a list of Adjustment") as error:
        price_order(a_draft(a_line()), ask_plugins(hooks, nothing, {"sloppy": {}}))
    assert error.value.plugin == "sloppy"


def test_plugins_cannot_sign_with_the_name_of_another(clock: ManualClock) -> None:
    def price_adjustments(phase: Phase) -> list[Adjustment]:
        return [an_adjustment(phase, 100, plugin="somebody else")] if phase is Phase.FEE else []

    module = ModuleType("fees")
    module.price_adjustments = hookimpl(price_adjustments)  # type: ignore[attr-defined]
    settings = InstanceSettings(name="Test", plugins={"enabled": ["fees"]})
    hooks = load_plugins(settings, clock=clock, modules={"fees": module})
    nothing: Any = None
    order = price_order(a_draft(a_line()), ask_plugins(hooks, nothing, {"fees": {}}))
    assert [adjustment.plugin for adjustment in order.adjustments] == ["fees"]
    assert price_order(a_draft(a_line()), ask_plugins(hooks, nothing, {})).adjustments == ()


def test_adjustments_of_an_order_are_limited() -> None:
    with pytest.raises(PluginError, match="at most"):
        price_order(a_draft(a_line()), ask_for(*[an_adjustment(Phase.FEE, 1)] * (MOST_ADJUSTMENTS + 1)))


RATES = ["0", "5.5", "20"]
rates = some.none() | some.sampled_from(RATES)
plugins = some.sampled_from(["a", "b", "c", "d"])
negative_amounts = some.integers(-3000, 0)
adjustments = some.one_of(
    some.builds(an_adjustment, some.just(Phase.FEE), some.integers(0, 2000), rates, plugin=plugins),
    some.builds(an_adjustment, some.just(Phase.DISCOUNT), negative_amounts, rates, plugin=plugins),
    some.builds(an_adjustment, some.just(Phase.VOUCHER), negative_amounts, rates, plugin=plugins),
    some.builds(an_adjustment, some.just(Phase.SUBSIDY), negative_amounts, plugin=plugins),
    some.builds(an_adjustment, some.just(Phase.ROUNDING), some.integers(-50, 50), plugin=plugins),
)
baskets = some.lists(
    some.builds(a_line, some.integers(0, 2000), some.integers(0, 3), some.sampled_from(RATES)), max_size=4
)


@given(baskets, some.lists(adjustments, max_size=8), some.booleans())
def test_nobody_ever_pays_less_than_nothing(basket: list[Any], chosen: list[Adjustment], included: bool) -> None:
    order = price_order(a_draft(*basket, prices_include_vat=included), ask_for(*chosen))
    sums = totals(order)
    assert sums.total >= sums.deposits >= 0
    assert all(sum_ >= 0 for sum_ in by_rate(order).values())
    assert all(share.vat >= 0 for share in sums.shares)


@given(
    baskets,
    some.lists(adjustments, max_size=8, unique_by=lambda adjustment: (adjustment.phase, adjustment.plugin)),
    some.booleans(),
    some.randoms(),
)
def test_the_order_of_plugins_is_irrelevant(
    basket: list[Any], chosen: list[Adjustment], included: bool, random: Any
) -> None:
    draft = a_draft(*basket, prices_include_vat=included)
    order = price_order(draft, ask_for(*chosen))
    random.shuffle(chosen)
    assert price_order(draft, ask_for(*chosen)) == order


@given(baskets, adjustments.filter(lambda adjustment: adjustment.amount < 0), some.booleans())
def test_a_cut_leaves_nothing_that_could_still_be_spared(
    basket: list[Any], reduction: Adjustment, included: bool
) -> None:
    """The cut is the largest that fits: one cent more would go below zero."""
    draft = a_draft(*basket, prices_include_vat=included)
    order = price_order(draft, ask_for(reduction))
    amount = order.adjustments[0].amount if order.adjustments else 0
    if amount != reduction.amount:
        lower = replace(draft, adjustments=(replace(reduction, amount=amount - 1),))
        assert totals(lower).total < totals(lower).deposits or min(by_rate(lower).values()) < 0
