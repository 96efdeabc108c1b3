"""Money given back, and mistakes of the journal taken back: never by changing an entry, always by a new one."""

from __future__ import annotations

from sqlalchemy import func, select, update

from ...base.errors import Conflict
from ...base.failpoints import failpoint
from ...base.money import Money
from ...storage.database import Transaction
from ...storage.jobs import promise
from ..orders.letters import order_mail
from ..orders.questions import order_by_id
from .due import due, held_due, move_paid
from .journal import append, journal_entry
from .payments import OPEN, payment_by_id, write_once
from .problems import keep_problem, settle_owed, settle_unclear
from .tables import payment, payment_journal
from .values import Due, JournalEntry, Payment


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
    """Writes down that `amount` minor units (positive) were given back by `method`, also of a cancelled order.

    The same key and content is the same refund: it is given once. Raises `Conflict` where more would be given back
    than is owed, or, `anyway`, than was received in sum, decided while the order is held; and for a key that was used
    for something else.
    """
    order = held_due(tx, enterprise_id, order_id)
    begun = write_once(tx, order, "refund", method, amount, idempotency_key)
    if begun.state == "Done":
        return begun
    refuse_too_much(tx, order, amount, anyway=anyway, but=begun.id)
    return _given(tx, order, begun, reference, person_id)


def refund_given(tx: Transaction, enterprise_id: str, refund_id: str, *, reference: str = "") -> Payment:
    """The provider has given the money of a refund back: the journal gets its entry, once.

    A provider that had said the opposite before is not believed; a person is told.
    """
    found = payment_by_id(tx, enterprise_id, refund_id)
    order = held_due(tx, enterprise_id, found.order_id)
    found = payment_by_id(tx, enterprise_id, refund_id)
    if found.state in OPEN:
        settle_unclear(tx, refund_id)
        return _given(tx, order, found, reference or found.reference, None)
    if found.state != "Done":
        keep_problem(tx, found, "refund_contradicted", reference=reference)
    return found


def refund_failed(tx: Transaction, enterprise_id: str, refund_id: str, *, text: str = "") -> Payment:
    """The provider will not give this refund: a person is told. A new one may be begun then, by hand or not."""
    held_due(tx, enterprise_id, payment_by_id(tx, enterprise_id, refund_id).order_id)
    values = {"state": "Failed", "instructions": {"text": text} if text else None, "changed_at": tx.now}
    failing = update(payment).where(payment.c.id == refund_id, payment.c.state.in_(OPEN)).values(values)
    failed = tx.execute(failing).rowcount == 1
    found = payment_by_id(tx, enterprise_id, refund_id)
    if failed:
        settle_unclear(tx, refund_id)
        keep_problem(tx, found, "refund_failed")
    elif found.state == "Done":
        keep_problem(tx, found, "refund_contradicted")
    return found


def refund_waits(tx: Transaction, enterprise_id: str, refund_id: str, *, reference: str) -> Payment:
    """The provider has taken the refund on and will say how it ends."""
    waiting = update(payment).where(payment.c.id == refund_id, payment.c.state.in_(OPEN))
    values = {"state": "Pending", "changed_at": tx.now} | ({"reference": reference} if reference else {})
    tx.execute(waiting.values(values))
    return payment_by_id(tx, enterprise_id, refund_id)


def owed_now(tx: Transaction, order: Due, *, but: str = "") -> int:
    """What the shop owes the customer of this order and is not giving back yet, in minor units. `order` is held.

    What providers are giving back at this moment counts as given back, except the refund `but`.
    """
    return max(0, -order.balance - _under_way(tx, order, but))


def refuse_too_much(tx: Transaction, order: Due, amount: int, *, anyway: bool, but: str = "") -> None:
    """Raises `Conflict` where so much more is not owed back; `anyway`, where so much was not received. `order` is
    held; the refund `but` is the one that is asked about.
    """
    refuse_more_than_received(tx, order, amount, but=but)
    owed = owed_now(tx, order, but=but)
    if amount > owed and not anyway:
        text = "Only {owed} is owed back for this order now; say that more is meant to be given back, if it is."
        raise Conflict("more_than_owed", text, owed=Money(owed, order.currency))


def refuse_more_than_received(tx: Transaction, order: Due, amount: int, *, but: str = "") -> None:
    """Raises `Conflict` where so much more was not received, less what is given back already. `order` is held."""
    if amount > order.paid - _under_way(tx, order, but):
        raise Conflict("more_than_received", "More cannot be given back than was received for this order.")


def _under_way(tx: Transaction, order: Due, but: str) -> int:
    refunds = select(func.coalesce(func.sum(payment.c.amount), 0)).where(
        payment.c.order_id == order.order_id,
        payment.c.kind == "refund",
        payment.c.state.in_(OPEN),
        payment.c.id != but,
    )
    return int(tx.value(refunds))


def _given(tx: Transaction, order: Due, begun: Payment, reference: str, person_id: str | None) -> Payment:
    move_paid(tx, order, -begun.amount)
    failpoint("refund.given")
    done = update(payment).where(payment.c.id == begun.id)
    tx.execute(done.values(state="Done", reference=reference, instructions=None, changed_at=tx.now))
    given = payment_by_id(tx, begun.enterprise_id, begun.id)
    append(tx, given, kind="refund", order_number=order.number, amount=-begun.amount, person_id=person_id)
    if due(tx, order.enterprise_id, order.order_id).balance >= 0:
        settle_owed(tx, order.order_id)
    _tell_customer(tx, given)
    return given


def _tell_customer(tx: Transaction, given: Payment) -> None:
    """Nobody is left to wonder whether money came back, whether a person or a plugin gave it."""
    order = order_by_id(tx, given.order_id, enterprise_id=given.enterprise_id)
    if order.email:
        mail = order_mail(tx, order, "order_refunded")
        promise(tx, mail.kind, {**mail.payload, "amount": given.amount})


def correct(tx: Transaction, enterprise_id: str, sequence: int, *, person_id: str) -> JournalEntry:
    """Takes back an entry that was a mistake, by an opposite one that refers to it; its payment is then Cancelled.

    A second call returns the same correction. Raises `NotFound`; `Conflict` for an entry that is itself a correction,
    and where refunds have already given back what the entry says was received.
    """
    wrong = journal_entry(tx, enterprise_id, sequence)
    if wrong.kind == "correction":
        raise Conflict("is_correction", "A correction is not corrected; record the payment again.")
    order = held_due(tx, enterprise_id, wrong.order_id)
    return _correction_of(tx, wrong) or _take_back(tx, order, wrong, person_id)


def _correction_of(tx: Transaction, wrong: JournalEntry) -> JournalEntry | None:
    row = payment_journal.c
    wanted = select(payment_journal).where(row.enterprise_id == wrong.enterprise_id, row.corrects == wrong.sequence)
    found = tx.first(wanted)
    return None if found is None else JournalEntry(**found)


def _take_back(tx: Transaction, order: Due, wrong: JournalEntry, person_id: str) -> JournalEntry:
    if wrong.amount > 0:
        refuse_more_than_received(tx, order, wrong.amount)
    move_paid(tx, order, -wrong.amount)
    ended = update(payment).where(payment.c.id == wrong.payment_id)
    tx.execute(ended.values(state="Cancelled", changed_at=tx.now))
    taken_back = payment_by_id(tx, order.enterprise_id, wrong.payment_id)
    return append(
        tx,
        taken_back,
        kind="correction",
        order_number=order.number,
        amount=-wrong.amount,
        person_id=person_id,
        corrects=wrong.sequence,
    )
