"""The log of e-mails about orders, to customers and to suppliers: what was sent to whom, or why it was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, delete, literal, select, update

from ...base.hidden_fields import EmailAddress
from ...orders.tables import customer_order
from ...storage.database import RowQuery, Transaction, insert_or
from ...storage.jobs import Job
from ..supply.tables import purchase_order
from .tables import late_mail, late_supplier_mail, sent_mail

KEPT = timedelta(days=400)
_LONGEST_ERROR = 500


@dataclass(frozen=True, kw_only=True)
class SentMail:
    """An e-mail about an order. `id` is its job's, and part of its Message-ID.

    state:    "sent": the mail server has accepted it; "failed": the last try failed, for the reason `error`; "waiting":
              the mailbox has had many mails, and this one stands for all that would have left meanwhile
    kind:     for "waiting", "order" or "purchase_order"
    attempts: tries so far; a failed e-mail is tried six times in 16 hours
    at:       the last try, or when a waiting one leaves (UTC)
    """

    id: str
    kind: str
    to: EmailAddress
    state: Literal["sent", "failed", "waiting"]
    error: str
    attempts: int
    at: datetime


def note_mail(tx: Transaction, job: Job, error: str = "") -> None:
    """Notes that an e-mail about an order was sent, or has failed with an `error`."""
    payload, state = job.payload, "failed" if error else "sent"
    purchase_order_id = payload.get("purchase_order_id")
    about, id = (purchase_order, purchase_order_id) if purchase_order_id else (customer_order, payload["order_id"])
    if purchase_order_id:
        tx.execute(update(purchase_order).where(purchase_order.c.id == id).values(mail_state=state))
    values = {"state": state, "error": error[:_LONGEST_ERROR], "attempts": job.attempts, "at": tx.now}
    row = {
        "id": job.id,
        "order_id": payload.get("order_id"),
        "purchase_order_id": purchase_order_id,
        "kind": payload["kind"],
        "to": payload["to"],
        **values,
    }
    literals = [literal(value, sent_mail.c[name].type) for name, value in row.items()]
    source = select(about.c.enterprise_id, *literals).where(about.c.id == id)
    statement = insert_or(tx, sent_mail).from_select(["enterprise_id", *row], source)
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def mails_of_order(tx: Transaction, enterprise_id: str, order_id: str) -> Sequence[SentMail]:
    """Returns the e-mails about a customer's order of this shop, the oldest first."""
    late = (
        select(literal("order").label("kind"), customer_order.c.email.label("to"), late_mail.c.due_at)
        .join(customer_order, customer_order.c.id == late_mail.c.order_id)
        .where(customer_order.c.enterprise_id == enterprise_id, customer_order.c.id == order_id)
    )
    sent = _mails(tx, sent_mail.c.enterprise_id == enterprise_id, sent_mail.c.order_id == order_id)
    return [*sent, *_waiting_mails(tx, late, order_id)]


def mails_of_purchase_order(tx: Transaction, enterprise_id: str, order_id: str) -> Sequence[SentMail]:
    """Returns the e-mails about this shop's order to a supplier, the oldest first."""
    late = (
        select(literal("purchase_order").label("kind"), late_supplier_mail.c.to, late_supplier_mail.c.due_at)
        .join(purchase_order, purchase_order.c.id == late_supplier_mail.c.purchase_order_id)
        .where(purchase_order.c.enterprise_id == enterprise_id, purchase_order.c.id == order_id)
        .order_by(late_supplier_mail.c.to)
    )
    sent = _mails(tx, sent_mail.c.enterprise_id == enterprise_id, sent_mail.c.purchase_order_id == order_id)
    return [*sent, *_waiting_mails(tx, late, order_id)]


def _waiting_mails(tx: Transaction, late: RowQuery, order_id: str) -> list[SentMail]:
    return [
        SentMail(
            id=f"late {order_id} {row['to']}",
            kind=row["kind"],
            to=row["to"],
            state="waiting",
            error="",
            attempts=0,
            at=row["due_at"],
        )
        for row in tx.all(late)
    ]


def forget_mails(tx: Transaction) -> int:
    """Deletes what was noted of e-mails long ago. Returns their number."""
    return tx.execute(delete(sent_mail).where(sent_mail.c.at < tx.now - KEPT)).rowcount


_COLUMNS = [sent_mail.c[field.name] for field in fields(SentMail)]


def _mails(tx: Transaction, *conditions: ColumnElement[bool]) -> list[SentMail]:
    return [SentMail(**row) for row in tx.all(select(*_COLUMNS).where(*conditions).order_by(sent_mail.c.id))]
