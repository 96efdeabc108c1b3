"""Many want the last use of a code, or the rest of a card, at once; whatever happens to orders, the books add up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as some
from sqlalchemy import insert, update

from commensal import OrderDraft, Refused, Transaction
from commensal.instance import Instance
from commensal.orders.values import Order
from commensal_vouchers import pricing
from commensal_vouchers.issuing import move_balance
from commensal_vouchers.tables import vouchers_use, vouchers_voucher

from .at_once import at_once
from .market import Market, open_market

PLUGINS = ("vouchers",)


@pytest.fixture
def market(instance: Instance) -> Market:
    return open_market(instance)


def guests(market: Market, code: str, number: int) -> list[Callable[[], object]]:
    """So many guests who each order apples for 10.00 with the code."""
    return [partial(market.order, code, apples=1, email=f"guest{guest}@example.org") for guest in range(number)]


def test_the_last_uses_of_a_code_are_given_once_each(market: Market) -> None:
    voucher = market.voucher(most_uses=3)
    outcomes = at_once(*guests(market, "JUIN", 12))
    assert outcomes == {"done": 3, "code_used_up": 9}
    assert market.again(voucher).used == 3
    market.check()


def test_the_balance_of_a_card_is_spent_once(market: Market) -> None:
    card = market.voucher(kind="card", amount=2500)
    outcomes = at_once(*guests(market, card.code, 12))
    assert set(outcomes) <= {"done", "card_spent", "card_empty"}
    assert outcomes["done"] >= 3 - outcomes["card_spent"]
    market.check()
    for guest in guests(market, card.code, 3):
        with suppress(Refused):
            guest()
    assert market.again(card).balance == 0
    market.check()


def test_a_customer_with_two_baskets_has_a_code_once(market: Market) -> None:
    market.voucher("UNE", once=True)
    orders_of_eve = [partial(market.order, "UNE", apples=1, email=email) for email in ("eve@a.org", "eve+1@a.org")]
    assert at_once(*orders_of_eve, *orders_of_eve) == {"done": 1, "code_used_by_you": 3}
    assert at_once(*[lambda: market.order("UNE", who="ada", apples=1)] * 4) == {"done": 1, "code_used_by_you": 3}
    market.check()


def test_a_use_that_is_given_back_is_taken_by_one_other(market: Market) -> None:
    market.voucher(most_uses=1)
    order = market.order("JUIN", apples=1)
    outcomes = at_once(lambda: market.cancel(order), *guests(market, "JUIN", 6))
    assert outcomes["done"] in (1, 2)  # the cancellation, and the order that came after it
    market.check()


def test_without_the_guard_the_last_use_is_given_to_all_and_it_shows(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: code that trusts a stale read gives one use to six orders, and the books show it."""
    voucher = market.voucher(most_uses=1)

    def take_use_unchecked(tx: Transaction, order: OrderDraft, code: str) -> None:
        tx.execute(update(vouchers_voucher).values(used=voucher.used + 1))
        tx.execute(insert(vouchers_use).values(voucher_id=voucher.id, order_id=order.id, at=tx.now))

    monkeypatch.setattr(pricing, "_take_use", take_use_unchecked)
    monkeypatch.setattr(pricing, "voucher_problem", lambda *_: None)
    assert at_once(*guests(market, "JUIN", 6)) == {"done": 6}
    with pytest.raises(AssertionError):
        market.check()


_STEP = some.tuples(
    some.sampled_from(["order", "change", "weigh", "codes", "cancel", "top up"]),
    some.integers(0, 5),
    some.integers(0, 9),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@hypothesis(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(_STEP, max_size=14))
def test_the_books_add_up_after_any_history(market: Market, steps: list[tuple[str, int, int]]) -> None:
    """One market, whose history grows from example to example."""
    code = market.voucher("", kind="percent", amount=None, percent=Decimal(10), most_uses=2, minimum=1000).code
    card = market.voucher(kind="card", amount=1500)
    choices: list[list[str]] = [[], [code], [card.code], [code, card.code]]
    orders: list[Order] = []
    for action, code_index, number in steps:
        with suppress(Refused):
            if action == "order":
                orders.append(market.order(*choices[code_index % 4], chicken=1 + number % 3, soap=1))
            elif action == "top up":
                with market.store.write() as tx:
                    move_balance(tx, "shop", card.id, (number - 5) * 100, person_id=None)
            elif orders:
                _run_step(market, orders[code_index % len(orders)], action, number, choices[number % 4])
        market.check()


def _run_step(market: Market, order: Order, action: str, number: int, codes: list[str]) -> None:
    if action == "change":
        market.change(order, chicken=1 + number, soap=1, by_hub=bool(number % 2))
    elif action == "weigh":
        market.weigh(order, f"{number}.3")
    elif action == "codes":
        market.change(order, codes=codes)
    else:
        market.cancel(order)
