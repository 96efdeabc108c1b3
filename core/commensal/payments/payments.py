"""Payments of an order: begun, received, failed, cancelled. Each received payment is in the journal exactly once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import bindparam, exists, func, select, update

from ..base.errors import Conflict, Invalid, NotFound, Problem
from ..base.failpoints import failpoint
from ..base.languages.catalogs import translate
from ..base.money import LARGEST
from ..events.announce import announce
from ..hooks import specifications
from ..orders.tables import customer_order
from ..storage.database import Transaction, insert_or
from ..storage.jobs import enqueue
from ..storage.jobs.tables import job
from .due import change_paid_total, locked_due
from .journal import append_entry
from .methods import METHOD
from .problems import keep_problem
from .tables import payment, payment_journal
from .tables import payment as table
from .values import OPEN, Due, Payment

# Enqueues the jobs of payments: the names of their kinds, and when a provider is asked again.

STATUS, CANCEL, REFUND, LATE = "payment_status", "cancel_payment", "refund_payment", "refund_late_payment"

# After one minute, then less and less often, for a little more than a week: bank debits take that long.
_HOURS = (1, 3, 6, 12, *[24] * 7)
INTERVALS = (*(timedelta(minutes=minutes) for minutes in (1, 5, 15)), *(timedelta(hours=hours) for hours in _HOURS))


def enqueue_status(tx: Transaction, payment: Payment) -> None:
    """Enqueues the first question to the provider about the state of a payment that has just begun."""
    enqueue(tx, STATUS, _payload(payment) | {"asked": 0}, due_at=tx.now + INTERVALS[0])


def enqueue_cancel(tx: Transaction, payment: Payment) -> None:
    """Enqueues the cancellation of a payment at its provider."""
    enqueue(tx, CANCEL, _payload(payment))


def uncancelled_at_provider(tx: Transaction, payment_ids: Collection[str]) -> set[str]:
    """Returns the payments not yet cancelled at their provider: their jobs wait, run, or were given up."""
    unfinished = select(job.c.payload).where(job.c.state.in_(("waiting", "running", "parked")), job.c.kind == CANCEL)
    return {row["payload"]["payment_id"] for row in tx.all(unfinished)} & set(payment_ids)


def enqueue_refund(tx: Transaction, refund: Payment) -> None:
    """Enqueues the request to the provider for this refund."""
    enqueue(tx, REFUND, _payload(refund) | {"asked": 0})


def enqueue_late_refund(tx: Transaction, payment: Payment) -> None:
    """Enqueues the refund of a payment that was received for a cancelled order."""
    enqueue(tx, LATE, _payload(payment))


def enqueue_again(tx: Transaction, kind: str, payment: Payment, queries: int) -> None:
    """Enqueues the next query, after `queries` earlier ones, once: a job that runs twice does not enqueue two.

    After the last interval there is no further query.
    """
    count_up = update(table).where(table.c.id == payment.id, table.c.asked == queries).values(asked=queries + 1)
    if queries + 1 < len(INTERVALS) and tx.execute(count_up).rowcount == 1:
        enqueue(tx, kind, _payload(payment) | {"asked": queries + 1}, due_at=tx.now + INTERVALS[queries + 1])


def _payload(payment: Payment) -> dict[str, object]:
    return {"enterprise_id": payment.enterprise_id, "payment_id": payment.id}


MOST_PAYMENTS = 100  # of one order, with refunds and failed attempts
_MOST_FOUND = 200  # orders with one reference
_COLUMNS = tuple(column for column in payment.c if column.name not in ("idempotency_key", "asked"))
_PAYMENTS_OF_ORDER = (
    select(*_COLUMNS)
    .where(payment.c.order_id == bindparam("order"), payment.c.enterprise_id == bindparam("enterprise"))
    .order_by(payment.c.id)
)


def start(
    tx: Transaction, *, enterprise_id: str, order_id: str, method: str, amount: int, idempotency_key: str
) -> Payment:
    """Creates a payment of `amount` minor units for a placed order, in state Started.

    `idempotency_key` is the caller's name for this payment: the same key with the same content returns the same
    payment, however often it comes and whatever its state is by now. Raises `Conflict` for a key that was used for
    something else and for an order that is cancelled; `NotFound`, `Invalid`.
    """
    order = locked_due(tx, enterprise_id, order_id)
    started = write_once(tx, order, "payment", method, amount, idempotency_key)
    if started.state == "Started" and order.state == "Cancelled":
        raise Conflict("order_cancelled", "This order was cancelled; there is nothing to pay.")
    return started


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
    """Records money that was already received, such as cash or a bank transfer. Otherwise like `start`."""
    order = locked_due(tx, enterprise_id, order_id)
    started = write_once(tx, order, "payment", method, amount, idempotency_key)
    return _record_received(tx, order, started, person_id, reference)


def record_payment(
    tx: Transaction, enterprise_id: str, payment_id: str, *, person_id: str | None, reference: str = ""
) -> Payment:
    """Records that the money of a payment was received: writes the journal entry and the order's payment state.

    A second call changes nothing. Money for a payment that had failed or was cancelled is recorded too, since it was
    received. Raises `NotFound`.
    """
    started = payment_by_id(tx, enterprise_id, payment_id)
    return _record_received(tx, locked_due(tx, enterprise_id, started.order_id), started, person_id, reference)


def _record_received(tx: Transaction, order: Due, started: Payment, person_id: str | None, reference: str) -> Payment:
    entry = payment_journal.c
    in_journal = exists().where(entry.order_id == order.order_id, entry.payment_id == started.id)
    # Not "is not Done": a payment that was corrected is Cancelled, and a late message must not bring it back.
    unless_in_journal = update(payment).where(payment.c.id == started.id, payment.c.kind == "payment", ~in_journal)
    values = {"state": "Done", "changed_at": tx.now, "instructions": None, "reference": reference or started.reference}
    row = tx.first(unless_in_journal.values(values).returning(*_COLUMNS))
    if row is None:
        return payment_by_id(tx, order.enterprise_id, started.id)
    received = Payment(**row)
    change_paid_total(tx, order, received.amount)
    failpoint("payment.received")
    append_entry(tx, received, kind="payment", order_number=order.number, amount=received.amount, person_id=person_id)
    if order.balance <= received.amount:
        cancel_open(tx, order.order_id)
    if order.balance < received.amount and person_id is None:
        _note_overpayment(tx, order, received)
    return received


def _note_overpayment(tx: Transaction, order: Due, received: Payment) -> None:
    """Stores a problem: a provider has sent more than was due, and no person knows about it yet."""
    keep_problem(tx, received, "owed", amount=received.amount - max(order.balance, 0))
    if order.state == "Cancelled":
        enqueue_late_refund(tx, received)


def ask_payer(
    tx: Transaction, enterprise_id: str, payment_id: str, *, instructions: Mapping[str, object], reference: str
) -> Payment:
    """Makes the payment wait for its payer, who sees `instructions`. Changes nothing once it is Done or has ended."""
    values = {"state": "Pending", "instructions": dict(instructions), "reference": reference}
    return _change_state(tx, enterprise_id, payment_id, ("Started",), values)


def await_provider(tx: Transaction, enterprise_id: str, payment_id: str, *, reference: str) -> Payment:
    """Makes the payment wait for its provider: the payer has done their part, so their instructions are replaced."""
    current = payment_by_id(tx, enterprise_id, payment_id)
    language = tx.value(select(customer_order.c.language).where(customer_order.c.id == current.order_id))
    text = translate(language, "Your payment is under way. It may take some days until it has arrived.")
    instructions = {"text": text, "redirect": "", "picture": ""}
    values = {"state": "Pending", "instructions": instructions, "reference": reference or current.reference}
    return _change_state(tx, enterprise_id, payment_id, OPEN, values)


def record_late_answer(tx: Transaction, earlier: Payment, *, reference: str) -> Payment:
    """Records a plugin's answer that came when the payment was not Started any more.

    Its reference is stored if there is none. If the payment has ended meanwhile, it is also cancelled at the provider,
    which needs the reference.
    """
    unless_named = update(payment).where(payment.c.id == earlier.id, payment.c.reference == "")
    tx.execute(unless_named.values(reference=reference))
    current = payment_by_id(tx, earlier.enterprise_id, earlier.id)
    if current.state in ("Cancelled", "Failed"):
        enqueue_cancel(tx, current)
    return current


def fail_payment(tx: Transaction, enterprise_id: str, payment_id: str, *, text: str = "") -> Payment:
    """Marks the payment as Failed; `text` tells the payer why, in their language. One that is Done stays Done."""
    values = {"state": "Failed", "instructions": {"text": text} if text else None}
    earlier = payment_by_id(tx, enterprise_id, payment_id)
    failed = _change_state(tx, enterprise_id, payment_id, OPEN, values)
    if failed.state == "Failed" != earlier.state:
        announce(tx, specifications.payment_failed, payment, payment.c.id == payment_id)
    return failed


def cancel(tx: Transaction, enterprise_id: str, payment_id: str) -> Payment:
    """Cancels the payment, here and at its provider. Raises `Conflict` for one that is Done, which needs a refund
    instead, and for a refund under way, which only its provider can end."""
    current = payment_by_id(tx, enterprise_id, payment_id)
    if current.kind == "refund":
        raise Conflict("refund_under_way", "The money may be on its way; a refund cannot be cancelled.")
    cancelled = end_payment(tx, enterprise_id, payment_id)
    if cancelled.state == "Done":
        raise Conflict("payment_done", "This payment has been received; give it back by a refund.")
    if current.is_under_way:
        enqueue_cancel(tx, cancelled)
    return cancelled


def end_payment(tx: Transaction, enterprise_id: str, payment_id: str) -> Payment:
    """Marks the payment as Cancelled if it was under way. One that is Done stays Done."""
    return _change_state(tx, enterprise_id, payment_id, OPEN, {"state": "Cancelled", "instructions": None})


def cancel_open(tx: Transaction, order_id: str) -> None:
    """Cancels all payments of the order that are under way: another one replaces them, or nothing is due."""
    end_all = update(payment).where(
        payment.c.order_id == order_id, payment.c.kind == "payment", payment.c.state.in_(OPEN)
    )
    values = {"state": "Cancelled", "instructions": None, "changed_at": tx.now}
    for row in tx.all(end_all.values(values).returning(*_COLUMNS)):
        enqueue_cancel(tx, Payment(**row))


def payment_by_id(tx: Transaction, enterprise_id: str, payment_id: str) -> Payment:
    """Returns a payment or refund of the enterprise. Raises `NotFound`."""
    statement = select(*_COLUMNS).where(payment.c.id == payment_id, payment.c.enterprise_id == enterprise_id)
    row = tx.first(statement)
    if row is None:
        raise NotFound("no_payment", "There is no such payment.")
    return Payment(**row)


def orders_with_reference(tx: Transaction, enterprise_id: str, reference: str) -> set[str]:
    """Returns the ids of the shop's orders with a payment of this reference, whatever its blanks and its case."""
    written = func.upper(func.replace(payment.c.reference, " ", ""))
    statement = select(payment.c.order_id).where(payment.c.enterprise_id == enterprise_id, payment.c.reference != "")
    rows = tx.all(statement.where(written == reference.replace(" ", "").upper()).limit(_MOST_FOUND))
    return {row["order_id"] for row in rows}


def payment_by_key(tx: Transaction, enterprise_id: str, idempotency_key: str) -> Payment | None:
    """Returns the payment that was created with this key, or None."""
    row = tx.first(
        select(*_COLUMNS).where(payment.c.enterprise_id == enterprise_id, payment.c.idempotency_key == idempotency_key)
    )
    return None if row is None else Payment(**row)


def payments_of(tx: Transaction, enterprise_id: str, order_id: str) -> tuple[Payment, ...]:
    """Returns payments and refunds of an order in any state, oldest first; `MOST_PAYMENTS` at most."""
    rows = tx.all(_PAYMENTS_OF_ORDER, {"order": order_id, "enterprise": enterprise_id})
    return tuple(Payment(**row) for row in rows)


def write_once(
    tx: Transaction, order: Due, kind: str, method: str, amount: int, idempotency_key: str, refunds: str | None = None
) -> Payment:
    """Returns the payment with this key: the existing one, or a new one in state Started.

    Raises `Conflict` if the key was used for other content, `Invalid` for an impossible method or amount.
    """
    _refuse_invalid(method, amount, idempotency_key)
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
    inserted = tx.first(insert_or(tx, payment).values(values).on_conflict_do_nothing().returning(*_COLUMNS))
    if inserted is not None:
        _refuse_too_many(tx, order)
        return Payment(**inserted)
    existing = payment_by_key(tx, order.enterprise_id, idempotency_key)
    if existing is None or any(getattr(existing, name) != value for name, value in content.items()):
        raise Conflict("key_reused", "This idempotency key was used for another payment.")
    return existing


def _refuse_invalid(method: str, amount: int, idempotency_key: str) -> None:
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
    count = select(func.count()).select_from(payment).where(payment.c.order_id == order.order_id)
    if tx.value(count) > MOST_PAYMENTS:
        raise Conflict("too_many_payments", "There are too many payments for this order.")


def _change_state(
    tx: Transaction, enterprise_id: str, payment_id: str, before: tuple[str, ...], values: Mapping[str, object]
) -> Payment:
    """Changes the payment if its state is one of `before`; otherwise leaves it as it is. Returns it either way."""
    from_states = update(payment).where(
        payment.c.id == payment_id, payment.c.enterprise_id == enterprise_id, payment.c.state.in_(before)
    )
    row = tx.first(from_states.values({**values, "changed_at": tx.now}).returning(*_COLUMNS))
    return payment_by_id(tx, enterprise_id, payment_id) if row is None else Payment(**row)
