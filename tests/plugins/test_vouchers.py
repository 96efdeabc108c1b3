"""Vouchers and gift cards: what a code takes off an order, why it is refused, and what happens to it later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, update

from commensal import Invalid, Phase
from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Refused
from commensal.enterprises.customer_categories import create_category, delete_category
from commensal.instance import Instance, InstanceSettings
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.testing.placed import a_shop
from commensal_vouchers.codes import Voucher, draw_card_code, draw_code
from commensal_vouchers.create import VoucherTerms, add_batch, archive_voucher, change_voucher
from commensal_vouchers.invariants import warnings
from commensal_vouchers.issuing import move_balance
from commensal_vouchers.questions import movements_of
from commensal_vouchers.tables import vouchers_voucher

from .market import Market, open_market


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return InstanceSettings(
        name="Test",
        base_url=settings.base_url,
        language="en",
        limits=settings.limits,
        plugins={"enabled": ["vouchers"]},
    )


@pytest.fixture
def market(instance: Instance) -> Market:
    return open_market(instance)


def amounts(order: Order) -> dict[Decimal | None, int]:
    return {adjustment.vat_rate: adjustment.amount for adjustment in order.adjustments}


def reasons(action: Callable[[], object]) -> list[tuple[str, str]]:
    """Returns the pointer and the text of each error about a code."""
    with pytest.raises(Invalid) as error:
        action()
    return [(problem.where, problem.text.format(**problem.values)) for problem in error.value.problems]


# ------------------------------------------------------------------------------------------------ discounts


def test_a_discount_is_spread_over_the_rates_of_the_goods_and_lowers_their_vat(market: Market) -> None:
    voucher = market.voucher(amount=500)
    order = market.order("juin", apples=2, soap=1)
    assert amounts(order) == {Decimal("5.5"): -400, Decimal(20): -100}
    assert {adjustment.label for adjustment in order.adjustments} == {"Voucher JUIN"}
    assert (order.codes, order.total) == (("JUIN",), 2000)
    assert [(share.rate, share.net + share.vat) for share in order.vat] == [(Decimal("5.5"), 1600), (Decimal(20), 400)]
    assert market.again(voucher).used == 1
    market.check()


@pytest.mark.parametrize(
    ("terms", "discount"),
    [
        ({"amount": 333}, 333),
        ({"amount": 99_999}, 2500),
        ({"kind": "percent", "percent": Decimal(10)}, 250),
        ({"kind": "percent", "percent": Decimal("0.5")}, 13),
        ({"kind": "percent", "percent": Decimal(50), "most": 700}, 700),
        ({"kind": "percent", "percent": Decimal(100)}, 2500),
        ({"kind": "percent", "percent": Decimal(10), "product_types": ("inedible",)}, 50),
        ({"amount": 800, "product_types": ("cosmetic",)}, 500),
    ],
)
def test_what_is_spared_follows_the_terms(market: Market, terms: dict[str, Any], discount: int) -> None:
    """The order has 20.00 of apples and 5.00 of soap; 12.5 cents are rounded up, once."""
    if terms.get("kind") == "percent":
        terms = {"amount": None, **terms}
    market.voucher(**terms)
    order = market.order("JUIN", apples=2, soap=1)
    assert (-order.adjustments_total, order.total) == (discount, 2500 - discount)


def test_vouchers_add_up_to_no_more_than_the_goods_and_what_does_nothing_is_not_used_up(market: Market) -> None:
    vouchers = [market.voucher(code, amount=900) for code in ("UNO", "DEUX", "TROIS")]
    order = market.order("UNO", "DEUX", "TROIS", apples=1)
    assert [(adjustment.code, adjustment.amount) for adjustment in order.adjustments] == [("UNO", -900), ("DEUX", -100)]
    assert [market.again(voucher).used for voucher in vouchers] == [1, 1, 0]
    assert market.change(order, apples=3).total == 300
    assert [market.again(voucher).used for voucher in vouchers] == [1, 1, 1]
    market.check()


def test_prices_without_vat_are_spared_without_it(instance: Instance) -> None:
    market = open_market(instance, prices_include_vat=False)
    market.voucher(amount=1000)
    order = market.order("JUIN", apples=2)
    assert (order.adjustments_total, order.vat_total, order.total) == (-1000, 55, 1055)


# ------------------------------------------------------------------------------------------------ why not


def test_every_reason_is_said_at_its_code(market: Market, clock: ManualClock) -> None:
    now = clock.now()
    market.voucher("LATER", valid_from=now + timedelta(hours=1))
    market.voucher("PAST", valid_until=now)
    market.voucher("LARGE", minimum=2000)
    market.voucher("SOAPY", product_types=("cosmetic",))
    codes = ("LATER", "PAST", "LARGE", "SOAPY")
    assert reasons(lambda: market.quote(*codes, apples=1)) == [
        ("/codes/0", "The code LATER is not valid before Thursday, 4 June 2026, 13:00."),
        ("/codes/1", "The code PAST was valid until Thursday, 4 June 2026, 12:00."),
        ("/codes/2", "The code LARGE needs 20.00 EUR of goods, you have 10.00 EUR."),
        ("/codes/3", "The code SOAPY is not for what you have chosen."),
    ]
    assert reasons(lambda: market.quote("NOPE", apples=1)) == [("/codes/0", "The code NOPE is not known here.")]
    clock.advance(hours=1)
    assert market.quote("LATER", apples=1).quote.totals.total == 500


def test_a_voucher_that_stands_alone_goes_with_gift_cards_only(market: Market) -> None:
    market.voucher("SEUL", alone=True)
    market.voucher("AUTRE")
    card = market.voucher(kind="card", amount=200)
    problems = reasons(lambda: market.quote("AUTRE", "SEUL", apples=1))
    assert [pointer for pointer, _ in problems] == ["/codes/0", "/codes/1"]
    assert market.quote("SEUL", card.code, apples=1).quote.totals.total == 300


def test_a_voucher_may_be_for_some_customers_only(market: Market) -> None:
    with market.store.write() as tx:
        members = create_category(tx, "shop", name="Members").id
    market.voucher("NOUS", category_ids=(members,))
    market.voucher("SUR", confirmed=True)
    assert [text for _, text in reasons(lambda: market.quote("NOUS", who="ada", apples=1))] == [
        "The code NOUS is for some customers only; log in if you are one."
    ]
    for who in ("", "bob"):
        (reason,) = reasons(lambda who=who: market.quote("SUR", who=who, apples=1))  # type: ignore[misc]
        assert reason[1].startswith("The code SUR is for people with a confirmed address")
    assert market.quote("SUR", who="ada", apples=1).quote.totals.total == 500


def test_the_code_of_another_shop_is_not_known_here(market: Market) -> None:
    market.voucher()
    with market.store.write() as tx:
        a_shop(tx, "other")
        tx.execute(update(vouchers_voucher).values(enterprise_id="other"))
    assert reasons(lambda: market.quote("JUIN", apples=1)) == [("/codes/0", "The code JUIN is not known here.")]


# ------------------------------------------------------------------------------------------------ once


def test_each_customer_has_a_code_once_by_their_address_and_by_their_log_in(market: Market) -> None:
    market.voucher("UNE", once=True)
    market.order("UNE", apples=1, email="eve@example.org")
    already_used = ("/codes/0", "You have used the code UNE already.")
    for email in ("eve@example.org", "EVE@example.org", "eve+2@example.org"):
        assert reasons(lambda email=email: market.order("UNE", apples=1, email=email)) == [already_used]  # type: ignore[misc]
    first_order = market.order("UNE", who="ada", apples=1)
    assert reasons(lambda: market.quote("UNE", who="ada", apples=1)) == [already_used]
    market.cancel(first_order)
    market.order("UNE", who="ada", apples=1)
    market.check()


def test_who_types_the_address_of_a_customer_neither_uses_up_their_code_nor_learns_that_they_have(
    market: Market,
) -> None:
    market.voucher("UNE", once=True)
    market.order("UNE", apples=1, email="ada@example.org")
    market.order("UNE", who="ada", apples=1)
    market.voucher("AUTRE", once=True)
    market.order("AUTRE", who="ada", apples=1)
    market.order("AUTRE", apples=1, email="ada@example.org")
    market.voucher("HUB", once=True)
    market.order("HUB", apples=1, email="ada@example.org", by_hub=True)
    already_used = ("/codes/0", "You have used the code HUB already.")
    assert reasons(lambda: market.order("HUB", who="ada", apples=1)) == [already_used], "the hub said that it was Ada"
    market.check()


@pytest.mark.parametrize("logged_in", [True, False])
def test_what_a_guest_used_counts_for_the_customer_once_the_order_is_proven(market: Market, logged_in: bool) -> None:
    market.voucher("UNE", once=True)
    order = market.order("UNE", apples=1, email="ada@example.org", secret="of the browser")
    assert market.quote("UNE", who="ada", apples=1).quote.totals.total == 500, "whoever typed her address is a stranger"
    proven = market.prove(order, who="ada" if logged_in else "")
    already_used = [("/codes/0", "You have used the code UNE already.")]
    assert reasons(lambda: market.order("UNE", who="ada", apples=1)) == already_used
    assert reasons(lambda: market.order("UNE", apples=1, email="ada@example.org")) == already_used, (
        "nor again as a guest"
    )
    assert market.quote("UNE", who="bob", apples=1).quote.totals.total == 500
    assert market.change(proven, apples=2).total == 1500, "the order itself keeps it"
    market.cancel(proven)
    assert market.order("UNE", who="ada", apples=1).total == 500
    market.check()


def test_a_proven_order_keeps_its_price_though_the_customer_had_used_the_code(market: Market) -> None:
    market.voucher("UNE", once=True)
    market.order("UNE", who="ada", apples=1)
    order = market.order("UNE", apples=1, email="ada@example.org", secret="of the browser")
    proven = market.prove(order)
    assert (proven.total, market.change(proven, apples=2).total) == (500, 1500)
    for email in ("ada@example.org", "ada+3@example.org"):
        assert len(reasons(lambda email=email: market.order("UNE", apples=1, email=email))) == 1  # type: ignore[misc]
    market.check()


# ------------------------------------------------------------------------------------------------ later


def test_an_order_keeps_its_code_when_it_has_expired_is_archived_or_is_used_up(
    market: Market, clock: ManualClock
) -> None:
    voucher = market.voucher(valid_until=clock.now() + timedelta(hours=1), most_uses=1, minimum=1000)
    order = market.order("JUIN", apples=2)
    clock.advance(hours=2)
    with market.store.write() as tx:
        archive_voucher(tx, "shop", voucher.id, 1)
    assert market.change(order, apples=3).total == 2500
    assert market.change(order, apples=1, by_hub=True).total == 500
    assert reasons(lambda: market.order("JUIN", apples=2))[0][1] == "The code JUIN is not valid any more."
    market.check()


def test_a_customer_cannot_change_an_order_below_what_its_code_needs_but_the_hub_can(market: Market) -> None:
    market.voucher(minimum=2000)
    order = market.order("JUIN", apples=2)
    assert reasons(lambda: market.change(order, apples=1)) == [
        ("/codes/0", "The code JUIN needs 20.00 EUR of goods, you have 10.00 EUR.")
    ]
    assert market.change(order, apples=1, codes=[]).total == 1000
    second_order = market.order("JUIN", apples=2)
    assert market.change(second_order, apples=1, by_hub=True).total == 500
    market.check()


def test_codes_are_added_and_taken_out_of_an_order_and_go_back_with_it(market: Market) -> None:
    voucher = market.voucher(most_uses=1)
    order = market.order(apples=1)
    assert market.change(order, codes=["juin"]).total == 500
    assert reasons(lambda: market.order("JUIN", apples=1))[0][1] == "The code JUIN is used up."
    assert market.change(order, codes=[]).total == 1000
    assert market.again(voucher).used == 0
    market.change(order, codes=["JUIN"])
    market.cancel(order)
    assert market.again(voucher).used == 0
    market.check()


def test_scales_that_say_less_or_nothing_never_stop_the_hub(market: Market) -> None:
    voucher = market.voucher(minimum=2000, most_uses=1)
    order = market.order("JUIN", chicken=2)
    assert market.weigh(order, "1.2").total == 700
    assert market.weigh(order, "0").total == 0
    assert market.again(voucher).used == 0
    other_order = market.order("JUIN", apples=2)
    assert market.weigh(order, "2").total == 2000  # the last use has gone to somebody else meanwhile
    market.cancel(other_order)
    assert market.weigh(order, "1.9").total == 1400
    market.check()


# ------------------------------------------------------------------------------------------------ gift cards


def movement_amounts(market: Market, voucher: Voucher) -> list[int]:
    with market.store.read() as tx:
        return [movement.amount for movement in movements_of(tx, "shop", voucher.id)]


def test_a_gift_card_pays_without_touching_vat_as_far_as_it_goes(market: Market) -> None:
    card = market.voucher(kind="card", amount=1500)
    order = market.order(card.code.lower(), apples=1)
    (adjustment,) = order.adjustments
    tail = f"…{card.code[-4:]}"
    assert (adjustment.phase, adjustment.amount, adjustment.vat_rate, adjustment.payer) == (
        Phase.SUBSIDY,
        -1000,
        None,
        f"GC-{tail}",
    )
    assert adjustment.label == f"Gift card {tail}"
    assert (order.total, order.payment_state) == (0, "Paid")
    assert [share.net + share.vat for share in order.vat] == [1000], "the goods are sold at their full price"
    second_order = market.order(card.code, apples=1)
    assert (second_order.total, market.again(card).balance) == (500, 0)
    text = f"Nothing is left on the gift card {card.code}."
    assert reasons(lambda: market.quote(card.code, apples=1)) == [("/codes/0", text)]
    assert movement_amounts(market, card) == [1500, -1000, -500]
    market.check()


def test_the_balance_follows_the_scales_changes_and_the_end_of_an_order(market: Market) -> None:
    card = market.voucher(kind="card", amount=2500)
    order = market.order(card.code, chicken=2)
    assert market.weigh(order, "1.8").total == 0
    assert market.again(card).balance == 700
    assert market.weigh(order, "2.7").total == 200  # all that is left, and no more
    assert market.again(card).balance == 0
    assert market.change(order, chicken=1, by_hub=True).total == 0  # it keeps half of the weight, 1.35 kg
    assert market.again(card).balance == 1150
    assert market.change(order, codes=[]).total == 1350
    assert market.change(order, codes=[card.code]).total == 0
    market.cancel(order)
    assert movement_amounts(market, card) == [2500, -2000, 200, -700, 1150, 1350, -1350, 1350]
    assert (market.revive(order).total, market.again(card).balance) == (0, 1150)
    market.cancel(order)
    market.order(card.code, chicken=2)
    with pytest.raises(Refused):  # its card has paid for something else
        market.revive(order)
    assert market.again(card).balance == 500
    market.check()


def test_a_card_that_is_archived_or_expired_still_follows_the_orders_that_it_paid(
    market: Market, clock: ManualClock
) -> None:
    card = market.voucher(kind="card", amount=1000, valid_until=clock.now() + timedelta(hours=1))
    order = market.order(card.code, apples=1)
    clock.advance(hours=2)
    with market.store.write() as tx:
        archive_voucher(tx, "shop", card.id, 1)
    market.cancel(order)
    assert market.again(card).balance == 1000
    assert reasons(lambda: market.quote(card.code, apples=1))[0][1].endswith("is not valid any more.")
    market.check()


def test_discounts_come_off_before_a_card_pays(market: Market) -> None:
    market.voucher(kind="percent", amount=None, percent=Decimal(10))
    card = market.voucher(kind="card", amount=2000)
    order = market.order(card.code, "JUIN", apples=2)
    assert [(adjustment.kind, adjustment.amount) for adjustment in order.adjustments] == [
        ("voucher", -200),
        ("gift_card", -1800),
    ]
    assert market.again(card).balance == 200


def test_the_shop_puts_money_onto_a_card_and_takes_it_off_but_not_below_nothing(market: Market) -> None:
    card = market.voucher(kind="card", amount=1000)
    with market.store.write() as tx:
        assert move_balance(tx, "shop", card.id, 500, note="cash", person_id=None).balance == 1500
        assert move_balance(tx, "shop", card.id, -1500, person_id=None).balance == 0
    with market.store.write() as tx, pytest.raises(Conflict, match=r"There are 0.00 EUR on this card."):
        move_balance(tx, "shop", card.id, -1, person_id=None)
    voucher = market.voucher()
    with market.store.write() as tx, pytest.raises(Invalid, match=r"Only a gift card has a balance."):
        move_balance(tx, "shop", voucher.id, 1, person_id=None)
    market.check()


# ------------------------------------------------------------------------------------------------ making them


def test_codes_that_are_drawn_can_be_read_out_and_are_not_guessed(market: Market) -> None:
    with market.store.write() as tx:
        drawn = {draw_code(tx) for _ in range(500)}
        cards = {draw_card_code(tx) for _ in range(500)}
    letters = set("".join(drawn)) - {"-"}
    assert (len(drawn), len(cards), len(letters)) == (500, 500, 32)
    assert {len(code.replace("-", "")) * 5 for code in drawn} == {60}
    assert {(len(code[3:].replace("-", "")) * 5, code[:3]) for code in cards} == {(80, "GC-")}
    assert not letters & set("01IO")


@pytest.mark.parametrize(
    ("code", "terms", "expected"),
    [
        ("A", {}, "A code has 3 to 40 letters"),
        ("GC-MINE", {}, "are those of gift cards"),
        ("OK1", {"amount": 0}, "The amount is above nothing"),
        ("OK1", {"kind": "percent", "amount": None, "percent": Decimal(101)}, "at most 100"),
        ("OK1", {"most": 5}, "Only a percentage has an amount"),
        ("OK1", {"product_types": ("unicorn",)}, "There is no kind of product unicorn."),
        ("OK1", {"category_ids": ("nobody",)}, "There is no customer group nobody here. There are: –."),
        ("", {"kind": "card", "most_uses": 1}, "A gift card is money"),
        ("", {"kind": "card", "amount": None}, "Put an amount onto the gift card."),
    ],
)
def test_what_a_voucher_cannot_be_is_said(market: Market, code: str, terms: dict[str, Any], expected: str) -> None:
    (text,) = [text for _, text in reasons(lambda: market.voucher(code, **terms))]
    assert expected in text


def test_groups_of_a_voucher_are_named_by_name_or_id(market: Market) -> None:
    with market.store.write() as tx:
        members = create_category(tx, "shop", name="Members").id
    voucher = market.voucher("NOUS", category_ids=("members", members))
    assert voucher.category_ids == (members, members)
    with market.store.write() as tx, pytest.raises(Invalid, match=r"no customer group Membres here.*Members"):
        change_voucher(tx, "shop", voucher.id, 1, category_ids=("Membres",))
    with market.store.write() as tx:
        assert change_voucher(tx, "shop", voucher.id, 1, category_ids=("MEMBERS",)).category_ids == (members,)


def test_the_check_tells_of_codes_for_a_group_that_was_deleted(market: Market) -> None:
    with market.store.write() as tx:
        members = create_category(tx, "shop", name="Members").id
    market.voucher("NOUS", category_ids=(members,))
    market.voucher("TOUS")
    card = market.voucher(kind="card", amount=200, category_ids=(members,))
    assert list(warnings(market.instance)) == []
    with market.store.write() as tx:
        delete_category(tx, "shop", members, 1)
    (problem,) = warnings(market.instance)
    assert (problem.code, problem.values["count"]) == ("lost_group", 2)
    assert card.code not in str(problem)


def test_a_code_is_there_once_in_capitals(market: Market) -> None:
    market.voucher("Ete-2026")
    with pytest.raises(Conflict, match=r"The code ETE-2026 exists already."):
        market.voucher("ete-2026")


def test_uses_are_not_limited_to_fewer_than_there_were(market: Market) -> None:
    voucher = market.voucher()
    for _ in range(2):
        market.order("JUIN", apples=1)
    with market.store.write() as tx, pytest.raises(Conflict, match=r"used more often already"):
        change_voucher(tx, "shop", voucher.id, 1, most_uses=1)
    with market.store.write() as tx:
        assert change_voucher(tx, "shop", voucher.id, 1, most_uses=2).most_uses == 2
    assert reasons(lambda: market.order("JUIN", apples=1))[0][1] == "The code JUIN is used up."


def test_a_batch_has_codes_of_its_own(market: Market) -> None:
    with market.store.write() as tx:
        batch = add_batch(tx, "shop", VoucherTerms(kind="amount", amount=500, most_uses=1), 50)
    assert len({voucher.code for voucher in batch}) == 50
    assert market.order(batch[0].code, apples=1).total == 500
    assert reasons(lambda: market.quote(batch[0].code, apples=1))[0][1].endswith("is used up.")
    assert market.quote(batch[1].code, apples=1).quote.totals.total == 500


# ------------------------------------------------------------------------------------------------ cost


def test_an_order_without_codes_costs_no_statement_and_one_with_a_code_three(market: Market) -> None:
    statements: list[str] = []
    event.listen(market.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    market.voucher(once=True, most_uses=5)
    card = market.voucher(kind="card", amount=5000)
    cost = []
    for codes in ((), ("JUIN",), (card.code,)):
        statements.clear()
        order = market.order(*codes, apples=1)
        cost.append(sum("vouchers_" in statement for statement in statements))
    assert cost == [0, 3, 3]
    with market.store.read() as tx:
        assert order_by_id(tx, order.id, enterprise_id="shop").codes == (card.code,)
