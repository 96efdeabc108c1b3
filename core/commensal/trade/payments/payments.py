"""Payments of an order: begun, received, failed, cancelled. What was received stands in the journal, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, func, select, update

from ...base.errors import Conflict, Invalid, NotFound, Problem
from ...base.failpoints import failpoint
from ...base.languages.catalogs import translate
from ...base.money import LARGEST
from ...storage.database import Transaction, insert_or
from ..orders.tables import customer_order
from .due import held_due, move_paid
from .journal import append
from .methods import METHOD
from .problems import keep_problem
from .promises import promise_cancel, promise_late_refund
from .tables import payment, payment_journal
from .values import Due, Payment

OPEN = ("Started", "Pending")
MOST_PAYMENTS = 100  # of one order, with refunds and failed attempts
_COLUMNS = tuple(column for column in payment.c if column.name not in ("idempotency_key", "asked"))


def start(
    tx: Transaction, *, enterprise_id: str, order_id: str, method: str, amount: int, idempotency_key: str
) -> Payment:
    """Begins a payment of `amount` minor units for a placed order, in state Started.

    `idempotency_key` is the caller's name for this one payment: the same key with the same content is the same payment,
    however often it comes, and in whatever state it is by now. Raises `Conflict` for a key that was used for something
    else, and for an order that is cancelled; `NotFound`, `Invalid`.
    """
    order = held_due(tx, enterprise_id, order_id)
    found = write_once(tx, order, "payment", method, amount, idempotency_key)
    if found.state == "Started" and order.state == "Cancelled":
        raise Conflict("order_cancelled", "This order was cancelled; there is nothing to pay.")
    return found


def receive_payment(
    tx: Transaction,
    *,
    enterprise_id: str,
    order_id: str,
    method: str,
    amount: int,
    idempotency_key: str,
    person_id: str | None,
    reference: str = "",
) -> Payment:
    """Writes down money that is already there: cash in hand, a transfer on the account. Otherwise as `start`."""
    order = held_due(tx, enterprise_id, order_id)
    begun = write_once(tx, order, "payment", method, amount, idempotency_key)
    return _done(tx, order, begun, person_id, reference)


def record_payment(
    tx: Transaction, enterprise_id: str, payment_id: str, *, person_id: str | None, reference: str = ""
) -> Payment:
    """The money of a payment has come. The journal gets its entry, the order its payment state; a second message
    changes nothing.

    Money that comes after all for a payment that had failed or was cancelled is written down too: it is there.
    Raises `NotFound`.
    """
    begun = payment_by_id(tx, enterprise_id, payment_id)
    return _done(tx, held_due(tx, enterprise_id, begun.order_id), begun, person_id, reference)


def _done(tx: Transaction, order: Due, begun: Payment, person_id: str | None, reference: str) -> Payment:
    entry = payment_journal.c
    in_journal = exists().where(entry.order_id == order.order_id, entry.payment_id == begun.id)
    # Not "is not Done": a payment that was corrected is Cancelled, and a late message must not bring it back.
    guarded = update(payment).where(payment.c.id == begun.id, payment.c.kind == "payment", ~in_journal)
    values = {"state": "Done", "changed_at": tx.now, "instructions": None, "reference": reference or begun.reference}
    row = tx.first(guarded.values(values).returning(*_COLUMNS))
    if row is None:
        return payment_by_id(tx, order.enterprise_id, begun.id)
    done = Payment(**row)
    move_paid(tx, order, done.amount)
    failpoint("payment.received")
    append(tx, done, kind="payment", order_number=order.number, amount=done.amount, person_id=person_id)
    if order.balance <= done.amount:
        cancel_open(tx, order.order_id)
    if order.balance < done.amount and person_id is None:
        _tell_owed(tx, order, done)
    return done


def _tell_owed(tx: Transaction, order: Due, done: Payment) -> None:
    """Money came by itself and is more than was due, so nobody knows of it yet."""
    keep_problem(tx, done, "owed", amount=done.amount - max(order.balance, 0))
    if order.state == "Cancelled":
        promise_late_refund(tx, done)


def ask_payer(
    tx: Transaction, enterprise_id: str, payment_id: str, *, instructions: Mapping[str, Any], reference: str
) -> Payment:
    """The payment waits for its payer, who is told `instructions`. Nothing changes once it is Done or has ended."""
    values = {"state": "Pending", "instructions": dict(instructions), "reference": reference}
    return _move(tx, enterprise_id, payment_id, ("Started",), values)


def provider_has_it(tx: Transaction, enterprise_id: str, payment_id: str, *, reference: str) -> Payment:
    """The payer has done their part, so they are not told again what to do; the provider will say how it ends."""
    found = payment_by_id(tx, enterprise_id, payment_id)
    language = tx.value(select(customer_order.c.language).where(customer_order.c.id == found.order_id))
    said = translate(language, "Your payment is under way. It may take some days until it has arrived.")
    told = {"text": said, "redirect": "", "picture": ""}
    values = {"state": "Pending", "instructions": told, "reference": reference or found.reference}
    return _move(tx, enterprise_id, payment_id, OPEN, values)


def answer_late(tx: Transaction, asked: Payment, *, reference: str) -> Payment:
    """The plugin's answer came when the payment was not Started any more. Its reference is kept where there is none,
    and where the payment has ended meanwhile its provider is told so, now that it is known by what name."""
    unnamed = update(payment).where(payment.c.id == asked.id, payment.c.reference == "")
    tx.execute(unnamed.values(reference=reference))
    now = payment_by_id(tx, asked.enterprise_id, asked.id)
    if now.state in ("Cancelled", "Failed"):
        promise_cancel(tx, now)
    return now


def fail(tx: Transaction, enterprise_id: str, payment_id: str, *, text: str = "") -> Payment:
    """The payment did not work; `text` tells the payer why, in their language. One that is Done stays Done."""
    values = {"state": "Failed", "instructions": {"text": text} if text else None}
    return _move(tx, enterprise_id, payment_id, OPEN, values)


def cancel(tx: Transaction, enterprise_id: str, payment_id: str) -> Payment:
    """Nobody waits for this payment any more, and its provider will be told so. Raises `Conflict` for one that is Done:
    that takes a refund; and for a refund under way, which only its provider can end."""
    found = payment_by_id(tx, enterprise_id, payment_id)
    if found.kind == "refund":
        raise Conflict("refund_under_way", "The money may be on its way; a refund cannot be cancelled.")
    cancelled = end(tx, enterprise_id, payment_id)
    if cancelled.state == "Done":
        raise Conflict("payment_done", "This payment has been received; give it back by a refund.")
    if found.state in OPEN:
        promise_cancel(tx, cancelled)
    return cancelled


def end(tx: Transaction, enterprise_id: str, payment_id: str) -> Payment:
    """The payment is Cancelled, if it was under way. One that is Done stays Done."""
    return _move(tx, enterprise_id, payment_id, OPEN, {"state": "Cancelled", "instructions": None})


def cancel_open(tx: Transaction, order_id: str) -> None:
    """Ends all payments of the order that are under way: another one has taken their place, or nothing is due."""
    ending = update(payment).where(
        payment.c.order_id == order_id, payment.c.kind == "payment", payment.c.state.in_(OPEN)
    )
    values = {"state": "Cancelled", "instructions": None, "changed_at": tx.now}
    for row in tx.all(ending.values(values).returning(*_COLUMNS)):
        promise_cancel(tx, Payment(**row))


def payment_by_id(tx: Transaction, enterprise_id: str, payment_id: str) -> Payment:
    """A payment or refund of the enterprise. Raises `NotFound`."""
    wanted = select(*_COLUMNS).where(payment.c.id == payment_id, payment.c.enterprise_id == enterprise_id)
    row = tx.first(wanted)
    if row is None:
        raise NotFound("no_payment", "There is no such payment.")
    return Payment(**row)


def payment_by_key(tx: Transaction, enterprise_id: str, idempotency_key: str) -> Payment | None:
    """The payment that was begun with this key."""
    row = tx.first(
        select(*_COLUMNS).where(payment.c.enterprise_id == enterprise_id, payment.c.idempotency_key == idempotency_key)
    )
    return None if row is None else Payment(**row)


def payments_of(tx: Transaction, enterprise_id: str, order_id: str) -> tuple[Payment, ...]:
    """Payments and refunds of an order in whatever state, oldest first; `MOST_PAYMENTS` at most."""
    wanted = select(*_COLUMNS).where(payment.c.order_id == order_id, payment.c.enterprise_id == enterprise_id)
    return tuple(Payment(**row) for row in tx.all(wanted.order_by(payment.c.id)))


def write_once(
    tx: Transaction, order: Due, kind: str, method: str, amount: int, idempotency_key: str, refunds: str | None = None
) -> Payment:
    """The payment of this key: the one that is there already, or a new one in state Started.

    Raises `Conflict` where the key names something else, `Invalid` for a method or amount that cannot be.
    """
    _refuse_odd(method, amount, idempotency_key)
    content = {"order_id": order.order_id, "kind": kind, "method": method, "amount": amount, "refunds": refunds}
    values = {
        **content,
        "id": tx.new_id(),
        "enterprise_id": order.enterprise_id,
        "currency": order.currency,
        "state": "Started",
        "idempotency_key": idempotency_key,
        "reference": "",
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    new = tx.first(insert_or(tx, payment).values(values).on_conflict_do_nothing().returning(*_COLUMNS))
    if new is not None:
        _refuse_too_many(tx, order)
        return Payment(**new)
    found = payment_by_key(tx, order.enterprise_id, idempotency_key)
    if found is None or any(getattr(found, name) != value for name, value in content.items()):
        raise Conflict("key_reused", "This idempotency key was used for another payment.")
    return found


def _refuse_odd(method: str, amount: int, idempotency_key: str) -> None:
    problems = []
    if not METHOD.fullmatch(method):
        problems.append(Problem("method", "A way to pay is written like cash:cash.", "/method"))
    if not 0 < amount <= LARGEST:
        problems.append(Problem("amount", "An amount must be above zero, and not too large.", "/amount"))
    if not 0 < len(idempotency_key) <= 200:
        problems.append(Problem("key", "An idempotency key has 1 to 200 characters.", "/idempotency_key"))
    if problems:
        raise Invalid(problems)


def _refuse_too_many(tx: Transaction, order: Due) -> None:
    counted = select(func.count()).select_from(payment).where(payment.c.order_id == order.order_id)
    if tx.value(counted) > MOST_PAYMENTS:
        raise Conflict("too_many_payments", "There are too many payments for this order.")


def _move(
    tx: Transaction, enterprise_id: str, payment_id: str, before: tuple[str, ...], values: Mapping[str, Any]
) -> Payment:
    """One guarded step from a state `before` to the next; where the payment has moved on already, it stays there."""
    guarded = update(payment).where(
        payment.c.id == payment_id, payment.c.enterprise_id == enterprise_id, payment.c.state.in_(before)
    )
    row = tx.first(guarded.values({**values, "changed_at": tx.now}).returning(*_COLUMNS))
    return payment_by_id(tx, enterprise_id, payment_id) if row is None else Payment(**row)
