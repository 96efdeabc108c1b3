"""Refunds and corrections: never more than was received, never twice, and never by changing what was written."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select, update

from commensal.base.errors import Conflict, NotFound
from commensal.orders.tables import customer_order
from commensal.payments.due import due
from commensal.payments.journal import journal_entries, verify_journal
from commensal.payments.payments import payment_by_id, payments_of, receive_payment, record_payment
from commensal.payments.refunds import correct, refund
from commensal.payments.values import Payment
from commensal.storage.database import Store, Transaction
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_placed_order, a_shop


@pytest.fixture
def order(store: Store) -> str:
    """An order of 10.00 that was paid."""
    with store.write() as tx:
        a_shop(tx)
        order_id = a_placed_order(tx, total=1000)
        pay(tx, order_id)
        return order_id


def pay(tx: Transaction, order_id: str, amount: int = 1000, key: str = "paid") -> Payment:
    values = {"enterprise_id": "shop", "method": "cash:cash", "person_id": None}
    return receive_payment(tx, order_id=order_id, amount=amount, idempotency_key=key, **values)  # type: ignore[arg-type]


def refund_cash(tx: Transaction, order_id: str, amount: int, key: str = "back", **kwargs: Any) -> Payment:
    """Refunds even more than is owed, unless a test passes `anyway`."""
    values = {"enterprise_id": "shop", "method": "cash:cash", "person_id": "ada", "anyway": True, **kwargs}
    return refund(tx, order_id=order_id, amount=amount, idempotency_key=key, **values)


def state_of(tx: Transaction, order_id: str) -> str:
    return str(tx.value(select(customer_order.c.payment_state).where(customer_order.c.id == order_id)))


def test_a_refund_is_a_record_and_a_negative_entry(store: Store, order: str) -> None:
    with store.write() as tx:
        refund_given = refund_cash(tx, order, 400, reference="Crate returned")
        assert (refund_given.kind, refund_given.state, refund_given.amount, refund_given.reference) == (
            "refund",
            "Done",
            400,
            "Crate returned",
        )
        assert [(entry.kind, entry.amount, entry.person_id) for entry in journal_entries(tx, "shop")] == [
            ("payment", 1000, None),
            ("refund", -400, "ada"),
        ]
        assert (due(tx, "shop", order).balance, state_of(tx, order)) == (400, "Unpaid")


def test_no_more_is_given_back_than_is_owed_unless_it_is_meant(store: Store, order: str) -> None:
    with pytest.raises(Conflict, match=r"Only 0\.00 EUR is owed back"), store.write() as tx:
        refund_cash(tx, order, 1, anyway=False)
    with store.write() as tx:
        tx.execute(update(customer_order).values(total=700))  # three euros less came than was paid
    with pytest.raises(Conflict, match=r"Only 3\.00 EUR is owed back"), store.write() as tx:
        refund_cash(tx, order, 301, anyway=False)
    with store.write() as tx:
        refund_cash(tx, order, 200, "first", anyway=False)
    with pytest.raises(Conflict, match=r"Only 1\.00 EUR is owed back"), store.write() as tx:
        refund_cash(tx, order, 101, "second", anyway=False)
    with store.write() as tx:
        refund_cash(tx, order, 101, "second", anyway=True)
        assert due(tx, "shop", order).balance == 1


def test_the_customer_is_told_of_every_refund(store: Store, order: str) -> None:
    with store.write() as tx:
        refund_cash(tx, order, 400)
        refund_cash(tx, order, 400)  # the same one
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
    assert mails == [
        {"kind": "order_refunded", "order_id": order, "to": "ada@example.org", "language": "fr", "amount": 400}
    ]


def test_more_than_was_received_is_never_given_back(store: Store, order: str) -> None:
    with store.write() as tx:
        refund_cash(tx, order, 700, "first")
    with pytest.raises(Conflict, match="More cannot be given back"), store.write() as tx:
        refund_cash(tx, order, 301, "second")
    with store.write() as tx:
        assert len(payments_of(tx, "shop", order)) == 2
        refund_cash(tx, order, 300, "third")
        assert due(tx, "shop", order).paid == 0


def test_the_same_refund_is_given_once_even_when_nothing_is_left(store: Store, order: str) -> None:
    with store.write() as tx:
        first = refund_cash(tx, order, 1000)
    with store.write() as tx:
        assert refund_cash(tx, order, 1000) == first
        assert due(tx, "shop", order).paid == 0
        with pytest.raises(Conflict, match="idempotency key"):
            refund_cash(tx, order, 999)


def test_refunds_side_by_side_give_back_no_more_than_was_received(store: Store, order: str) -> None:
    outcomes: list[str] = []

    def act(number: int) -> None:
        try:
            store.transact(lambda tx: refund_cash(tx, order, 300, f"key {number}"))
        except Conflict as conflict:
            outcomes.append(conflict.code)
        else:
            outcomes.append("given")

    threads = [threading.Thread(target=act, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["given"] * 3 + ["more_than_received"] * 5
    with store.read() as tx:
        assert due(tx, "shop", order).paid == 100
        assert verify_journal(tx, "shop") == []


def test_a_cancelled_order_can_be_given_back(store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)
        order_id = a_placed_order(tx, state="Cancelled")
        pay(tx, order_id)
        refund_cash(tx, order_id, 1000)
        assert state_of(tx, order_id) == "Cancelled"


def test_an_order_of_another_shop_is_not_given_back(store: Store, order: str) -> None:
    with store.write() as tx:
        a_shop(tx, "elsewhere")
        with pytest.raises(NotFound):
            refund_cash(tx, order, 100, enterprise_id="elsewhere")


def test_a_correction_is_an_opposite_entry_that_refers_to_the_wrong_one(store: Store, order: str) -> None:
    with store.write() as tx:
        entry = correct(tx, "shop", 1, person_id="ada")
        assert (entry.sequence, entry.kind, entry.amount, entry.corrects) == (2, "correction", -1000, 1)
        assert (due(tx, "shop", order).paid, state_of(tx, order)) == (0, "Unpaid")
        assert payment_by_id(tx, "shop", entry.payment_id).state == "Cancelled"
        assert verify_journal(tx, "shop") == []


def test_a_refund_is_corrected_too(store: Store, order: str) -> None:
    with store.write() as tx:
        refund_cash(tx, order, 400)
        assert correct(tx, "shop", 2, person_id="ada").amount == 400
        assert (due(tx, "shop", order).paid, state_of(tx, order)) == (1000, "Paid")


def test_an_entry_is_corrected_once(store: Store, order: str) -> None:
    with store.write() as tx:
        assert correct(tx, "shop", 1, person_id="ada") == correct(tx, "shop", 1, person_id="bob")
        with pytest.raises(Conflict, match="record the payment again"):
            correct(tx, "shop", 2, person_id="ada")


def test_a_late_message_does_not_bring_back_what_was_corrected(store: Store, order: str) -> None:
    with store.write() as tx:
        entry = correct(tx, "shop", 1, person_id="ada")
        assert record_payment(tx, "shop", entry.payment_id, person_id=None).state == "Cancelled"
        assert pay(tx, order).state == "Cancelled"
        assert due(tx, "shop", order).paid == 0


def test_what_was_given_back_is_not_corrected_away(store: Store, order: str) -> None:
    with store.write() as tx:
        refund_cash(tx, order, 100)
        with pytest.raises(Conflict, match="More cannot be given back"):
            correct(tx, "shop", 1, person_id="ada")


def test_entries_of_another_shop_are_not_found(store: Store, order: str) -> None:
    with store.write() as tx:
        a_shop(tx, "elsewhere")
        with pytest.raises(NotFound):
            correct(tx, "elsewhere", 1, person_id="ada")
