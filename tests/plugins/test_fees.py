"""Fees: nine calculators, who is paid, and what happens when an order changes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as some

from commensal import Adjustment, OrderDraft, Phase, PricedLine
from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid
from commensal.base.reading import read_settings
from commensal.enterprises.plugins import check_settings
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.parts.mail.order_view import as_told
from commensal.pricing.lines import with_amount
from commensal.pricing.phases import ask_plugins, price_order
from commensal.testing.drafts import a_draft, a_line
from commensal_fees import order_thresholds, price_adjustments
from commensal_fees.settings import AnyFee, Settings

EGG = a_line(33, unit="Piece")
BAG = a_line(500, weighed=True, unit_quantity=Decimal(2))  # two kilograms


def a_fee(calculator: str, **fields: Any) -> dict[str, Any]:
    return {"calculator": calculator, "name": "Frais", **fields}


def adjustments_of(order: OrderDraft, *fees: Mapping[str, Any]) -> list[Adjustment]:
    """Returns the adjustments of these fees, written as a hub writes them."""
    return list(price_adjustments(order, read_settings(Settings, {"fees": list(fees)})) or ())


def amounts(order: OrderDraft, *fees: Mapping[str, Any]) -> list[int]:
    return [adjustment.amount for adjustment in adjustments_of(order, *fees)]


def with_quantity(line: PricedLine, quantity: int) -> PricedLine:
    return with_amount(replace(line, quantity=quantity))


def weighed_as(line: PricedLine, weight: str) -> PricedLine:
    return with_amount(replace(line, final_quantity=Decimal(weight)))


TENTH = a_fee("FlatPercentPerItem", percent=10)
SACK = a_fee("PriceSack", minimal_amount=5000, normal_amount=400)
FLEXI = a_fee("FlexiRate", first_item=100, additional_item=20, max_items=5)
WITHIN = a_fee("FlatPercentWithin", percent="3", least=50, most=600)
STEPS = a_fee(
    "WeightSteps", steps=[{"up_to": "10", "amount": 500}, {"up_to": "30", "amount": 800}], beyond=1500, piece="0.06"
)


@pytest.mark.parametrize(
    ("lines", "fee", "expected_amounts"),
    [
        ([EGG], a_fee("FlatPercentPerItem", percent=5), [2]),
        ([with_quantity(EGG, 3)], a_fee("FlatPercentPerItem", percent=5), [6]),
        ([weighed_as(BAG, "1.870")], a_fee("FlatPercentPerItem", percent=10), [47]),  # of 4.68
        ([with_quantity(EGG, 3), a_line(100, id="b")], a_fee("PerItem", amount=10), [30, 10]),
        ([weighed_as(BAG, "1.870")], a_fee("Weight", per_kilogram=40), [75]),  # 0.748
        ([with_quantity(BAG, 3)], a_fee("Weight", per_kilogram=40), [240]),
        ([a_line(300, unit="Centilitre", unit_quantity=Decimal(75))], a_fee("Weight", per_kilogram=100), [75]),
        ([with_quantity(EGG, 6)], a_fee("Weight", per_kilogram=100, piece="0.06"), [36]),
        ([with_quantity(EGG, 6)], a_fee("Weight", per_kilogram=100), [0]),
        ([with_quantity(EGG, 3)], a_fee("FlatPercentItemTotal", percent="5"), [5]),  # 4.95
        ([EGG, replace(EGG, id="b")], a_fee("FlatPercentItemTotal", percent=5.5), [4]),  # 3.63
        ([EGG, BAG], a_fee("FlatRate", amount=250), [250]),
        ([EGG], FLEXI, [100]),
        ([with_quantity(EGG, 3)], FLEXI, [140]),
        ([with_quantity(EGG, 5)], FLEXI, [180]),
        ([with_quantity(EGG, 50)], FLEXI, [180]),
        ([with_quantity(EGG, 50)], a_fee("FlexiRate", first_item=100, additional_item=20), [1080]),
        ([a_line(4999)], SACK, [400]),
        ([a_line(5000)], SACK, [0]),
        ([a_line(5000)], {**SACK, "discount_amount": 100}, [100]),
        ([a_line(1000)], WITHIN, [50]),
        ([a_line(5000)], WITHIN, [150]),
        ([a_line(30000)], WITHIN, [600]),
        ([with_quantity(BAG, 5)], STEPS, [500]),
        ([weighed_as(with_quantity(BAG, 5), "10.001")], STEPS, [800]),
        ([with_quantity(BAG, 15)], STEPS, [800]),
        ([with_quantity(BAG, 15), replace(EGG, id="b")], STEPS, [1500]),
    ],
)
def test_each_calculator_says_what_its_example_says(
    lines: list[PricedLine], fee: dict[str, Any], expected_amounts: list[int]
) -> None:
    assert amounts(a_draft(*lines), fee) == expected_amounts


@pytest.mark.parametrize(
    ("lines", "fee", "missing"),
    [
        ([a_line(3000)], SACK, [2000]),
        ([a_line(5000)], SACK, []),
        ([a_line(3000)], {**SACK, "discount_amount": 400}, []),  # nothing is saved
        ([a_line(3000)], {**SACK, "supplier": "somebody else"}, []),
        ([a_line(3000)], FLEXI, []),
    ],
)
def test_a_threshold_tells_how_much_is_missing_to_save(
    lines: list[PricedLine], fee: dict[str, Any], missing: list[int]
) -> None:
    thresholds = order_thresholds(order=a_draft(*lines), settings=read_settings(Settings, {"fees": [fee]}))
    assert [threshold.missing for threshold in thresholds] == missing
    assert all(threshold.saving == 400 for threshold in thresholds)


def test_there_are_nine_calculators_and_the_package_tells_of_each() -> None:
    import commensal_fees

    nine = [fee_type.__struct_config__.tag for fee_type in AnyFee.__args__]
    assert len(nine) == 9
    assert all(f"``{name}``" in str(commensal_fees.__doc__) for name in nine)


def test_what_could_not_be_delivered_bears_no_fee() -> None:
    all_fees = [a_fee("PerItem", amount=10), a_fee("FlatRate", amount=250), FLEXI, SACK, WITHIN, STEPS]
    assert adjustments_of(a_draft(weighed_as(with_quantity(BAG, 3), "0")), *all_fees) == []
    assert amounts(a_draft(weighed_as(with_quantity(BAG, 3), "0"), replace(EGG, id="b")), FLEXI) == [100]


def test_deposits_bear_no_fee() -> None:
    assert amounts(a_draft(a_line(1000, deposit=500)), a_fee("FlatPercentItemTotal", percent=10)) == [100]


def test_a_fee_for_each_line_names_its_line_and_may_bear_the_products_vat() -> None:
    order = a_draft(a_line(1000, vat_rate="5.5", id="a"), a_line(1000, vat_rate="20", id="b"))
    adjustments = adjustments_of(order, a_fee("PerItem", amount=10, vat_of_product=True, type="sales"))
    assert [(adjustment.line_id, adjustment.vat_rate) for adjustment in adjustments] == [
        ("a", Decimal("5.5")),
        ("b", Decimal(20)),
    ]
    assert {(adjustment.kind, adjustment.label, adjustment.phase) for adjustment in adjustments} == {
        ("sales", "Frais", Phase.FEE)
    }
    (own,) = adjustments_of(order, a_fee("FlatRate", amount=10, vat_rate="20"))
    assert (own.line_id, own.vat_rate) == (None, Decimal(20))
    (outside,) = adjustments_of(order, a_fee("FlatRate", amount=10))
    assert outside.vat_rate is None


def test_a_fee_for_each_line_is_told_once() -> None:
    order = a_draft(a_line(1000, id="a"), a_line(3000, id="b"))
    as_shown = as_told(adjustments_of(order, TENTH, {**TENTH, "name": "Autre"}, a_fee("FlatRate", amount=10)))
    assert [(adjustment.label, adjustment.amount) for adjustment in as_shown] == [
        ("Frais", 400),
        ("Autre", 400),
        ("Frais", 10),
    ]


def test_a_fee_of_a_supplier_is_worked_out_from_its_goods_alone() -> None:
    farm, mill = a_line(1000, id="a", supplier_id="farm"), a_line(3000, id="b", supplier_id="mill")
    tenth = a_fee("FlatPercentItemTotal", percent=10, supplier="farm")
    assert amounts(a_draft(farm, mill), tenth) == [100]
    assert amounts(a_draft(mill), a_fee("FlatRate", amount=100, supplier="farm")) == []


@pytest.mark.parametrize(
    ("calculator", "payee", "supplier", "payees"),
    [
        ("FlatRate", "shop", "", [""]),
        ("FlatRate", "coordinator", "farm", ["network"]),
        ("FlatRate", "supplier", "farm", ["farm"]),
        ("PerItem", "supplier", "", ["farm", "mill"]),
        ("PerItem", "coordinator", "mill", ["network"]),
    ],
)
def test_a_fee_goes_to_the_shop_the_coordinator_or_the_supplier(
    calculator: str, payee: str, supplier: str, payees: list[str]
) -> None:
    lines = a_line(1000, id="a", supplier_id="farm"), a_line(3000, id="b", supplier_id="mill")
    order = a_draft(*lines, coordinator_id="network")
    adjustments = adjustments_of(order, a_fee(calculator, amount=10, payee=payee, supplier=supplier))
    assert [adjustment.payee for adjustment in adjustments] == payees


@pytest.mark.parametrize(
    ("condition", "order", "due"),
    [
        ({"categories": ["pros"]}, {"category_ids": frozenset({"pros", "near"})}, True),
        ({"categories": ["pros"]}, {"category_ids": frozenset({"near"})}, False),
        ({"sale_sessions": ["session"]}, {}, True),
        ({"sale_sessions": ["other"]}, {}, False),
        ({"shipping": ["delivery"]}, {"shipping": "delivery:round"}, True),
        ({"shipping": ["delivery:"]}, {"shipping": "delivery:round"}, True),
        ({"shipping": ["delivery:round"]}, {"shipping": "delivery:round"}, True),
        ({"shipping": ["delivery:ro"]}, {"shipping": "delivery:round"}, False),
        ({"shipping": ["pickup"]}, {"shipping": "pickup_truck:x"}, False),
        ({"shipping": ["pickup"]}, {}, False),
        ({"shipping": ["pickup"], "categories": ["pros"]}, {"shipping": "pickup:x"}, False),
    ],
)
def test_a_fee_may_be_for_some_only(condition: dict[str, Any], order: dict[str, Any], due: bool) -> None:
    assert amounts(a_draft(EGG, **order), a_fee("FlatRate", amount=10, **condition)) == ([10] if due else [])


# ------------------------------------------------------------------------------------------------ any order, any fee

PERCENT = some.decimals(0, 100, places=2)
AMOUNT = some.integers(0, 1_000_000)
UNITS = {"Kilogram": Fraction(1), "Gram": Fraction(1, 1000), "Litre": Fraction(1), "Piece": None}


@some.composite
def lines(draw: some.DrawFn) -> list[PricedLine]:
    drawn = []
    for number in range(draw(some.integers(1, 6))):
        line = a_line(
            draw(some.integers(0, 50_000)),
            draw(some.integers(0, 40)),
            id=str(number),
            unit=draw(some.sampled_from(sorted(UNITS))),
            unit_quantity=draw(some.decimals("0.001", 50, places=3)),
            supplier_id=draw(some.sampled_from(["farm", "mill"])),
        )
        if draw(some.booleans()):
            line = with_amount(replace(line, final_quantity=draw(some.decimals(0, 500, places=3))))
        drawn.append(line)
    return drawn


FEES = some.one_of(
    some.builds(lambda p: a_fee("FlatPercentPerItem", percent=p), PERCENT),
    some.builds(lambda p: a_fee("FlatPercentItemTotal", percent=p), PERCENT),
    some.builds(lambda a: a_fee("PerItem", amount=a), AMOUNT),
    some.builds(lambda a, p: a_fee("Weight", per_kilogram=a, piece=p), AMOUNT, some.decimals(0, 5, places=3)),
    some.builds(lambda a: a_fee("FlatRate", amount=a), AMOUNT),
    some.builds(
        lambda a, b, m: a_fee("FlexiRate", first_item=a, additional_item=b, max_items=m),
        AMOUNT,
        AMOUNT,
        some.none() | some.integers(1, 60),
    ),
    some.builds(
        lambda m, a, b: a_fee("PriceSack", minimal_amount=m, normal_amount=a, discount_amount=b), AMOUNT, AMOUNT, AMOUNT
    ),
    some.builds(
        lambda p, a, b: a_fee("FlatPercentWithin", percent=p, least=min(a, b), most=max(a, b)), PERCENT, AMOUNT, AMOUNT
    ),
    some.builds(
        lambda s, b, p: a_fee(
            "WeightSteps",
            steps=[{"up_to": up_to, "amount": amount} for up_to, amount in sorted(s.items())],
            beyond=b,
            piece=p,
        ),
        some.dictionaries(some.decimals(0, 500, places=1), AMOUNT, min_size=1, max_size=4),
        AMOUNT,
        some.decimals(0, 5, places=3),
    ),
)


def expected(lines: list[PricedLine], fee: Mapping[str, Any]) -> int:
    """Computes the fee in another way: with fractions, rounded where the rule says so."""
    delivered = [line for line in lines if line.quantity and line.final_quantity != 0]
    total = sum(line.amount for line in delivered)
    count = sum(line.quantity for line in delivered)
    match fee["calculator"]:
        case _ if not delivered:
            return 0
        case "FlatPercentPerItem":
            singles = [
                (line.price, line.quantity) if line.final_quantity is None else (line.amount, 1) for line in delivered
            ]
            return sum(round_half_up(cents * Fraction(fee["percent"]) / 100) * times for cents, times in singles)
        case "FlatPercentItemTotal":
            return round_half_up(total * Fraction(fee["percent"]) / 100)
        case "PerItem":
            return int(fee["amount"]) * count
        case "Weight":
            return sum(round_half_up(fee["per_kilogram"] * weight(line, fee["piece"])) for line in delivered)
        case "FlatRate":
            return int(fee["amount"])
        case "FlexiRate":
            charged_items = range(count if fee["max_items"] is None else min(count, fee["max_items"]))
            return int(sum(fee["additional_item"] if number else fee["first_item"] for number in charged_items))
        case "PriceSack":
            return int(fee["discount_amount"] if total >= fee["minimal_amount"] else fee["normal_amount"])
        case "FlatPercentWithin":
            return int(sorted([fee["least"], round_half_up(total * Fraction(fee["percent"]) / 100), fee["most"]])[1])
        case "WeightSteps":
            total_weight = sum(weight(line, fee["piece"]) for line in delivered)
            reached = [step["amount"] for step in fee["steps"] if step["up_to"] >= total_weight]
            return int(reached[0] if reached else fee["beyond"])
    raise AssertionError(fee)


def round_half_up(exact: Fraction) -> int:
    return floor(exact + Fraction(1, 2))


def weight(line: PricedLine, piece: Decimal) -> Fraction:
    kilos = UNITS[line.unit]
    if kilos is None:
        return Fraction(piece) * line.quantity
    return kilos * Fraction(line.unit_quantity * line.quantity if line.final_quantity is None else line.final_quantity)


def through_json(fee: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fee as it is sent: in JSON, where decimals are texts."""
    return dict(msgspec.json.decode(msgspec.json.encode(fee)))


@hypothesis(deadline=None)
@given(lines(), FEES)
def test_any_fee_on_any_order_is_what_fractions_say(lines: list[PricedLine], fee: dict[str, Any]) -> None:
    fee_amounts = amounts(a_draft(*lines), through_json(fee))
    assert sum(fee_amounts) == expected(lines, fee)
    assert all(amount >= 0 for amount in fee_amounts)


@hypothesis(deadline=None)
@given(lines(), some.lists(FEES, min_size=2, max_size=3))
def test_fees_do_not_see_one_another_so_their_order_is_irrelevant(
    lines: list[PricedLine], fees: list[dict[str, Any]]
) -> None:
    hooks = load_plugins(
        InstanceSettings(name="Test", plugins={"enabled": ["fees"]}),
        clock=ManualClock(datetime(2026, 6, 4, tzinfo=UTC)),
    )
    sums = {
        price_order(a_draft(*lines), ask_plugins(hooks, None, {"fees": {"fees": turn}})).subtotal  # type: ignore[arg-type]
        for turn in itertools.permutations(map(through_json, fees))
    }
    goods_total = sum(line.amount for line in lines)
    assert sums == {goods_total + sum(expected(lines, fee) for fee in fees)}


# ------------------------------------------------------------------------------------------------ settings

RATE = {"calculator": "FlatRate", "name": "Frais"}


@pytest.mark.parametrize(
    ("fee", "message"),
    [
        (RATE, "fees[1]: object missing required field `amount`."),
        ({**RATE, "amount": -1}, "fees[1].amount: expected `int` >= 0."),
        ({**RATE, "amount": 1_000_001}, "fees[1].amount: expected `int` <= 1000000."),
        ({**RATE, "calculator": "FlatRat"}, "fees[1].calculator: 'FlatRat' is unknown; did you mean 'FlatRate'?"),
        ({**RATE, "amout": 1}, "fees[1].amout is unknown; did you mean 'amount'?"),
        ({**RATE, "amount": 1, "vat_rate": "120"}, "fees[1]: vat_rate: a percentage must be between 0 and 100."),
        ({**RATE, "amount": 1, "vat_rate": "Infinity"}, "fees[1]: vat_rate: a percentage must be between 0 and 100."),
        (
            {**RATE, "amount": 1, "type": "other"},
            "fees[1].type: expected one of 'packing', 'transport', 'admin', 'sales', 'fundraising', got 'other'.",
        ),
        ({**RATE, "amount": 1, "payee": "supplier"}, "fees[1]: supplier: name the one who gets the fee."),
        (a_fee("FlatPercentItemTotal", percent="-1"), "fees[1]: percent: a percentage must be between 0 and 100."),
        (
            a_fee("PerItem", amount=1, vat_of_product=True, vat_rate=20),
            "fees[1]: vat_rate: it is the product's; leave this empty, or vat_of_product false.",
        ),
        ({**WITHIN, "least": 700}, "fees[1]: most: it is less than the least."),
        ({**STEPS, "steps": [{"up_to": 1, "amount": "x"}]}, "fees[1].steps[0].amount: expected `int`, got `str`."),
        ({**STEPS, "steps": STEPS["steps"][::-1]}, "fees[1]: steps: each goes up to more than the one before."),
        ({**STEPS, "piece": "-1"}, "fees[1]: piece: a weight must be between 0 and 100000 kilograms."),
    ],
)
def test_a_wrong_fee_is_named_with_its_place_and_what_is_wrong(fee: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_settings(Settings, {"fees": [{**RATE, "amount": 1}, fee]})
    (problem,) = refused.value.problems
    assert (problem.where, str(problem.values["what"])) == ("/settings/fees/1", message)


def test_a_fee_for_the_order_cannot_bear_the_vat_of_one_product() -> None:
    with pytest.raises(Invalid, match="vat_of_product is unknown"):
        check_settings(Settings, {"fees": [{**RATE, "amount": 1, "vat_of_product": True}]})


def test_every_wrong_fee_is_named_at_once_and_too_many_are_refused() -> None:
    with pytest.raises(Invalid) as refused:
        check_settings(Settings, {"fees": [RATE, {**RATE, "amount": 1}, 7]})
    assert [problem.where for problem in refused.value.problems] == ["/settings/fees/0", "/settings/fees/2"]
    with pytest.raises(Invalid, match=r"fees: expected `array` of length <= 10"):
        check_settings(Settings, {"fees": [{**RATE, "amount": 1}] * 11})
