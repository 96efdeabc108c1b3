"""Records refunds and corrects mistakes in the journal: never by changing an entry, always by a new one."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select, update

from ..base.errors import Conflict, NotFound
from ..base.failpoints import failpoint
from ..base.money import Money
from ..events.announce import announce
from ..hooks import specifications
from ..orders.emails import mail_refund
from ..orders.questions import order_by_id
from ..storage.database import Transaction
from .due import change_paid_total, due, locked_due, refuse_beyond_closed_books
from .journal import append_entry, journal_entry
from .methods import WRITTEN_OFF
from .payments import payment_by_id, write_once
from .problems import keep_problem, settle_owed, settle_unclear
from .tables import payment, payment_journal
from .values import OPEN, Due, JournalEntry, Payment


def refund(
    tx: Transaction,
    *,
    enterprise_id: str,
    order_id: str,
    method: str,
    amount: int,
    idempotency_key: str,
    person_id: str | None,
    reference: str = "",
    anyway: bool = False,
) -> Payment:
    """Records that `amount` minor units (positive) were given back by `method`, also for a cancelled order.

    The same key and content return the same refund. Raises `Conflict` if more would be given back than is owed, or
    with `anyway`, than was received in total, decided while the order is locked; and for a key that was used for
    something else.
    """
    order = locked_due(tx, enterprise_id, order_id)
    new_refund = write_once(tx, order, "refund", method, amount, idempotency_key)
    if new_refund.state == "Done":
        return new_refund
    refuse_too_much(tx, order, amount, anyway=anyway, except_id=new_refund.id)
    return _write_refund(tx, order, new_refund, reference, person_id)


def record_provider_refund(tx: Transaction, enterprise_id: str, refund_id: str, *, reference: str = "") -> Payment:
    """Records that the provider has sent the money of a refund: writes the journal entry, once.

    If the provider had reported the opposite before, nothing is recorded and a person is told.
    """
    given_refund = payment_by_id(tx, enterprise_id, refund_id)
    order = locked_due(tx, enterprise_id, given_refund.order_id)
    given_refund = payment_by_id(tx, enterprise_id, refund_id)
    if given_refund.is_under_way:
        settle_unclear(tx, refund_id)
        return _write_refund(tx, order, given_refund, reference or given_refund.reference, None)
    if given_refund.state != "Done":
        keep_problem(tx, given_refund, "refund_contradicted", reference=reference)
    return given_refund


def fail_refund(tx: Transaction, enterprise_id: str, refund_id: str, *, text: str = "") -> Payment:
    """Marks the refund as Failed, because its provider refuses it, and tells a person. A new one may be begun then."""
    locked_due(tx, enterprise_id, payment_by_id(tx, enterprise_id, refund_id).order_id)
    values = {"state": "Failed", "instructions": {"text": text} if text else None, "changed_at": tx.now}
    fail_open = update(payment).where(payment.c.id == refund_id, payment.c.state.in_(OPEN)).values(values)
    has_failed = tx.execute(fail_open).rowcount == 1
    current = payment_by_id(tx, enterprise_id, refund_id)
    if has_failed:
        settle_unclear(tx, refund_id)
        keep_problem(tx, current, "refund_failed")
        announce(tx, specifications.payment_failed, payment, payment.c.id == refund_id)
    elif current.state == "Done":
        keep_problem(tx, current, "refund_contradicted")
    return current


def await_refund(tx: Transaction, enterprise_id: str, refund_id: str, *, reference: str) -> Payment:
    """Marks the refund as Pending: the provider has accepted it and will report its end."""
    set_pending = update(payment).where(payment.c.id == refund_id, payment.c.state.in_(OPEN))
    values = {"state": "Pending", "changed_at": tx.now} | ({"reference": reference} if reference else {})
    tx.execute(set_pending.values(values))
    return payment_by_id(tx, enterprise_id, refund_id)


def owed_to_customer(tx: Transaction, order: Due, *, except_id: str = "") -> int:
    """Returns what the shop owes the customer of this locked order and is not refunding yet, in minor units.

    Refunds under way count as given back, except the refund `except_id`. What was written off was never received.
    """
    return max(0, -order.balance - _kept_back(tx, order, except_id))


def refuse_too_much(tx: Transaction, order: Due, amount: int, *, anyway: bool, except_id: str = "") -> None:
    """Raises `Conflict` if `amount` is more than is owed; with `anyway`, than was received, or if the books are closed.

    `order` is locked.

    `except_id` is the refund that is being checked, so it does not count as under way.
    """
    refuse_more_than_received(tx, order, amount, except_id=except_id)
    owed = owed_to_customer(tx, order, except_id=except_id)
    if amount > owed:
        if not anyway:
            text = "Only {owed} is owed back for this order now; say that more is meant to be given back, if it is."
            raise Conflict("more_than_owed", text, owed=Money(owed, order.currency))
        refuse_beyond_closed_books(tx, order.order_id)


def refuse_more_than_received(tx: Transaction, order: Due, amount: int, *, except_id: str = "") -> None:
    """Raises `Conflict` if `amount` is more than was received and not refunded yet. `order` is locked."""
    if amount > order.paid - _kept_back(tx, order, except_id):
        raise Conflict("more_than_received", "More cannot be given back than was received for this order.")


def _kept_back(tx: Transaction, order: Due, except_id: str) -> int:
    """What of the paid total cannot be given back: refunds under way, and what was written off instead of paid."""
    row = payment.c
    under_way = and_(row.kind == "refund", row.state.in_(OPEN))
    written_off = and_(row.kind == "payment", row.state == "Done", row.method == WRITTEN_OFF)
    others = (row.order_id == order.order_id, row.id != except_id, or_(under_way, written_off))
    return int(tx.value(select(func.coalesce(func.sum(row.amount), 0)).where(*others)))


def _write_refund(tx: Transaction, order: Due, new_refund: Payment, reference: str, person_id: str | None) -> Payment:
    change_paid_total(tx, order, -new_refund.amount)
    failpoint("refund.given")
    update_row = update(payment).where(payment.c.id == new_refund.id)
    tx.execute(update_row.values(state="Done", reference=reference, instructions=None, changed_at=tx.now))
    recorded = payment_by_id(tx, new_refund.enterprise_id, new_refund.id)
    append_entry(tx, recorded, kind="refund", order_number=order.number, amount=-new_refund.amount, person_id=person_id)
    if due(tx, order.enterprise_id, order.order_id).balance >= 0:
        settle_owed(tx, order.order_id)
    _tell_customer(tx, recorded)
    return recorded


def _tell_customer(tx: Transaction, recorded: Payment) -> None:
    """Mails the customer about each refund, whether a person or a plugin gave it."""
    order = order_by_id(tx, recorded.order_id, enterprise_id=recorded.enterprise_id)
    mail_refund(tx, order, recorded.amount)


def correct(tx: Transaction, enterprise_id: str, sequence: int, *, person_id: str) -> JournalEntry:
    """Corrects a wrong entry by a reversing entry that refers to it; its payment is then Cancelled.

    A second call returns the same correction. Raises `NotFound`; `Conflict` for an entry that is itself a correction,
    and if refunds have already given back the money of the entry.
    """
    entry = journal_entry(tx, enterprise_id, sequence)
    if entry.kind == "correction":
        raise Conflict("is_correction", "A correction is not corrected; record the payment again.")
    order = locked_due(tx, enterprise_id, entry.order_id)
    return _correction_of(tx, entry) or _write_correction(tx, order, entry, person_id)


def correct_payment(tx: Transaction, enterprise_id: str, payment_id: str, *, person_id: str) -> JournalEntry:
    """Corrects the entry of a payment or refund that was recorded by mistake. Otherwise like `correct`. Raises
    `NotFound` for one that is in no journal."""
    journal = payment_journal.c
    entry_of_payment = select(journal.sequence).where(
        journal.enterprise_id == enterprise_id, journal.payment_id == payment_id, journal.kind != "correction"
    )
    sequence = tx.value(entry_of_payment)
    if sequence is None:
        raise NotFound("no_payment", "There is no such payment.")
    return correct(tx, enterprise_id, sequence, person_id=person_id)


def _correction_of(tx: Transaction, entry: JournalEntry) -> JournalEntry | None:
    journal = payment_journal.c
    statement = select(payment_journal).where(
        journal.enterprise_id == entry.enterprise_id, journal.corrects == entry.sequence
    )
    correction = tx.first(statement)
    return None if correction is None else JournalEntry(**correction)


def _write_correction(tx: Transaction, order: Due, entry: JournalEntry, person_id: str) -> JournalEntry:
    if entry.amount > 0:
        refuse_more_than_received(tx, order, entry.amount, except_id=entry.payment_id)
    change_paid_total(tx, order, -entry.amount)
    update_row = update(payment).where(payment.c.id == entry.payment_id)
    tx.execute(update_row.values(state="Cancelled", changed_at=tx.now))
    cancelled = payment_by_id(tx, order.enterprise_id, entry.payment_id)
    return append_entry(
        tx,
        cancelled,
        kind="correction",
        order_number=order.number,
        amount=-entry.amount,
        person_id=person_id,
        corrects=entry.sequence,
    )
