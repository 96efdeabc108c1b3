"""Payments: begun once, received once, and an order that knows what it still costs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from commensal.base.errors import Conflict, Invalid, NotFound
from commensal.orders.tables import customer_order
from commensal.payments.due import due
from commensal.payments.journal import journal_entries
from commensal.payments.payments import (
    MOST_PAYMENTS,
    ask_payer,
    cancel,
    fail_payment,
    payment_by_id,
    payments_of,
    receive_payment,
    record_payment,
    start,
)
from commensal.payments.tables import payment
from commensal.payments.values import Payment
from commensal.storage.database import Store, Transaction
from commensal.testing.placed import a_placed_order, a_shop


@pytest.fixture
def order(store: Store) -> str:
    with store.write() as tx:
        a_shop(tx)
        return a_placed_order(tx, total=1250)


def begin(tx: Transaction, order_id: str, **kwargs: Any) -> Payment:
    values = {"method": "card:card", "amount": 1250, "idempotency_key": "key", "enterprise_id": "shop", **kwargs}
    return start(tx, order_id=order_id, **values)


def receive_cash(tx: Transaction, order_id: str, amount: int = 1250, key: str = "key", **kwargs: Any) -> Payment:
    values = {"method": "cash:cash", "enterprise_id": "shop", "person_id": None, **kwargs}
    return receive_payment(tx, order_id=order_id, amount=amount, idempotency_key=key, **values)


def state_of(tx: Transaction, order_id: str) -> str:
    return str(tx.value(select(customer_order.c.payment_state).where(customer_order.c.id == order_id)))


def test_a_key_names_one_payment_however_often_it_comes(store: Store, order: str) -> None:
    with store.write() as tx:
        first = begin(tx, order)
    with store.write() as tx:
        assert begin(tx, order) == first
        assert payments_of(tx, "shop", order) == (first,)
    assert (first.state, first.kind, first.currency) == ("Started", "payment", "EUR")


@pytest.mark.parametrize("changes", [{"amount": 1200}, {"method": "cash:cash"}])
def test_a_key_that_was_used_for_something_else_is_refused(store: Store, order: str, changes: dict[str, Any]) -> None:
    with store.write() as tx:
        begin(tx, order)
        with pytest.raises(Conflict, match="idempotency key was used"):
            begin(tx, order, **changes)


def test_a_key_of_another_order_is_refused_and_one_of_another_shop_is_not_known(store: Store, order: str) -> None:
    with store.write() as tx:
        begin(tx, order)
        with pytest.raises(Conflict):
            begin(tx, a_placed_order(tx))
        order_elsewhere = a_placed_order(tx, a_shop(tx, "elsewhere"))
        assert begin(tx, order_elsewhere, enterprise_id="elsewhere").enterprise_id == "elsewhere"


def test_every_mistake_of_a_payment_is_named(store: Store, order: str) -> None:
    with store.write() as tx, pytest.raises(Invalid) as error:
        begin(tx, order, method="=cmd", amount=0, idempotency_key="")
    assert [problem.where for problem in error.value.problems] == ["/method", "/amount", "/idempotency_key"]


@pytest.mark.parametrize("amount", [-1, 10**12 + 1])
def test_amounts_have_limits(store: Store, order: str, amount: int) -> None:
    with store.write() as tx, pytest.raises(Invalid):
        begin(tx, order, amount=amount)


def test_an_order_of_another_shop_a_draft_and_nothing_cannot_be_paid(store: Store, order: str) -> None:
    with store.write() as tx:
        a_shop(tx, "elsewhere")
        draft = a_placed_order(tx, state="Draft", number=None, placed_at=None)
        for order_id, shop in ((order, "elsewhere"), (draft, "shop"), ("nothing", "shop")):
            with pytest.raises(NotFound):
                begin(tx, order_id, enterprise_id=shop)


def test_nothing_is_begun_for_a_cancelled_order(store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)
        with pytest.raises(Conflict, match="was cancelled"):
            begin(tx, a_placed_order(tx, state="Cancelled"))


def test_attempts_to_pay_one_order_are_limited(store: Store, order: str) -> None:
    with store.write() as tx:
        for number in range(MOST_PAYMENTS):
            begin(tx, order, idempotency_key=f"key {number}")
        with pytest.raises(Conflict, match="too many"):
            begin(tx, order, idempotency_key="one more")


def test_money_received_makes_the_order_paid(store: Store, order: str) -> None:
    with store.write() as tx:
        assert state_of(tx, order) == "Unpaid"
        received = receive_cash(tx, order, reference="Receipt 12")
        assert (received.state, received.reference, state_of(tx, order)) == ("Done", "Receipt 12", "Paid")
        assert due(tx, "shop", order).balance == 0
        (entry,) = journal_entries(tx, "shop")
    assert (entry.amount, entry.kind, entry.payment_id, entry.order_number) == (1250, "payment", received.id, 1)


def test_an_order_is_paid_when_all_of_it_is(store: Store, order: str) -> None:
    with store.write() as tx:
        receive_cash(tx, order, 1000, "first")
        assert (state_of(tx, order), due(tx, "shop", order).balance) == ("Unpaid", 250)
        receive_cash(tx, order, 300, "second")
        assert (state_of(tx, order), due(tx, "shop", order).balance) == ("Paid", -50)


def test_money_that_is_told_twice_is_written_down_once(store: Store, order: str) -> None:
    for _ in range(2):
        with store.write() as tx:
            payment_begun = begin(tx, order)
            record_payment(tx, "shop", payment_begun.id, person_id=None, reference="psp-1")
    with store.write() as tx:
        assert receive_cash(tx, order, key="cash") == receive_cash(tx, order, key="cash")
        assert [entry.amount for entry in journal_entries(tx, "shop")] == [1250, 1250]
        assert due(tx, "shop", order).paid == 2500
        assert payment_by_id(tx, "shop", payment_begun.id).reference == "psp-1"


def test_money_that_comes_after_all_is_written_down(store: Store, order: str) -> None:
    with store.write() as tx:
        failed_payment = begin(tx, order, idempotency_key="a")
        assert fail_payment(tx, "shop", failed_payment.id, text="Refused by the bank.").state == "Failed"
        cancelled_payment = begin(tx, order, idempotency_key="b")
        assert cancel(tx, "shop", cancelled_payment.id).state == "Cancelled"
        for ended in (failed_payment, cancelled_payment):
            assert record_payment(tx, "shop", ended.id, person_id=None).state == "Done"
        assert due(tx, "shop", order).paid == 2500


def test_a_payment_waits_for_its_payer_and_then_ends_once(store: Store, order: str) -> None:
    with store.write() as tx:
        payment_begun = begin(tx, order)
        pending = ask_payer(tx, "shop", payment_begun.id, instructions={"text": "Pay here."}, reference="psp-1")
        assert (pending.state, pending.instructions, pending.reference) == ("Pending", {"text": "Pay here."}, "psp-1")
        received = record_payment(tx, "shop", payment_begun.id, person_id=None)
        assert (received.state, received.instructions, received.reference) == ("Done", None, "psp-1")
        assert fail_payment(tx, "shop", payment_begun.id) == received
        assert ask_payer(tx, "shop", payment_begun.id, instructions={}, reference="") == received
        with pytest.raises(Conflict, match="by a refund"):
            cancel(tx, "shop", payment_begun.id)


def test_what_is_under_way_ends_when_nothing_is_due_any_more(store: Store, order: str) -> None:
    with store.write() as tx:
        payment_begun = begin(tx, order, idempotency_key="card")
        receive_cash(tx, order, 1000, "part")
        assert payment_by_id(tx, "shop", payment_begun.id).state == "Started"
        receive_cash(tx, order, 250, "rest")
        assert payment_by_id(tx, "shop", payment_begun.id).state == "Cancelled"


def test_money_for_a_cancelled_order_is_shown_as_received(store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)
        order_id = a_placed_order(tx, state="Cancelled", payment_state="Cancelled")
        receive_cash(tx, order_id, 500)
        assert state_of(tx, order_id) == "Paid"


def test_the_order_gets_a_new_version_when_money_moves(store: Store, order: str) -> None:
    with store.write() as tx:
        receive_cash(tx, order)
        assert tx.value(select(customer_order.c.version).where(customer_order.c.id == order)) == 2


def test_payments_of_another_shop_are_not_found(store: Store, order: str) -> None:
    with store.write() as tx:
        payment_begun = begin(tx, order)
        a_shop(tx, "elsewhere")
        with pytest.raises(NotFound):
            record_payment(tx, "elsewhere", payment_begun.id, person_id=None)
        with pytest.raises(NotFound):
            cancel(tx, "elsewhere", payment_begun.id)
        assert payments_of(tx, "elsewhere", order) == ()
        assert tx.value(select(payment.c.state)) == "Started"
