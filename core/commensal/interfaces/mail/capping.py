"""Limits the e-mails, per hour and per day, that strangers can cause for a mailbox by typing its address.

They are statement in the database before they are sent, so that all workers share the count. An e-mail about an account
that exceeds the limit is dropped: its link would be too old later. An e-mail about an order is delayed instead, and
replaces later ones about the order, because it is rendered from the order as it is when the e-mail is sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, delete, or_, select
from sqlalchemy.sql.dml import ReturningInsert

from ...storage.database import Time, Transaction, Whole, insert_on, insert_once
from ...storage.jobs import Job, promise
from ...storage.jobs.run import note_for_retry
from ...trade.orders.identity import Identity
from ...trade.orders.tables import customer_order
from ...trade.people.fingerprint import fingerprint
from ...trade.people.mailboxes import mailbox_of
from ...trade.people.tables import person
from .tables import late_mail, mailbox_count

_order, _person = customer_order.c, person.c
_PROVED = select(_person.id).where(
    _person.id == _order.person_id, _person.email == _order.email, _person.confirmed_at.is_not(None)
)
_UNPROVED = or_(_order.identity == Identity.TYPED, _order.person_id.is_not(None) & ~_PROVED.exists())
_UNPROVED_ORDER = select(_order.id).where(_order.id == bindparam("order"), _UNPROVED)
_WINDOWS = ((timedelta(hours=1), 1), (timedelta(days=1), 3))  # with the factor of the hourly limit


def may_send(tx: Transaction, job: Job, *, most: int) -> bool:
    """Counts an e-mail and returns whether to send it now. If not, it was promised again for later, or is dropped.

    `most` is the limit for a mailbox per hour. A job that is retried keeps its first decision: the e-mail is counted
    once, and a delayed one is not sent now because the worker was killed after the decision.
    """
    if "leaves" in job.payload:
        return bool(job.payload["leaves"])
    order_id = job.payload.get("order_id")
    if order_id is not None and not _is_unproved(tx, order_id):
        return True
    if job.payload.get("late"):
        tx.execute(delete(late_mail).where(late_mail.c.order_id == order_id))
    until = _check_limits(tx, str(job.payload["to"]), "account" if order_id is None else "order", most)
    note_for_retry(tx, job, leaves=until is None)
    if until is None:
        return True
    if order_id is not None and insert_once(tx, late_mail, {"order_id": order_id, "due_at": until}):
        promise(tx, "mail", {**job.payload, "late": True}, due_at=until)
    return False


def forget_counts(tx: Transaction) -> int:
    """Deletes counts whose day is over. Returns their number."""
    return tx.execute(delete(mailbox_count).where(mailbox_count.c.began_at < tx.now - _WINDOWS[-1][0])).rowcount


def _is_unproved(tx: Transaction, order_id: str) -> bool:
    """Whether the order's address is unproved: typed by a guest, or by a person whose account has another address."""
    return tx.value(_UNPROVED_ORDER, {"order": order_id}) is not None


def _check_limits(tx: Transaction, email: str, about: str, most: int) -> datetime | None:
    """Counts the e-mail in both windows. None if it is within the limits; else the time at which a window ends."""
    for window, times in _WINDOWS:
        until = _count(tx, fingerprint(mailbox_of(email)), f"{about} {window.days or 'hour'}", window, most * times)
        if until is not None:
            return until
    return None


def _count(tx: Transaction, mailbox: str, about: str, window: timedelta, most: int) -> datetime | None:
    """Counts the e-mail in one window. None if it is within the limit; else the time at which the window ends.
    Concurrent transactions wait for each other at the row, so that none exceeds the limit."""
    counter = {"mailbox": mailbox, "about": about, "began_at": tx.now, "sent": 1}
    if tx.first(_count_statement(tx.postgresql), {**counter, "over_since": tx.now - window, "most": most}) is not None:
        return None
    row = mailbox_count.c
    began_at: datetime = tx.value(select(row.began_at).where(row.mailbox == mailbox, row.about == about))
    return began_at + window


@cache
def _count_statement(on_postgresql: bool) -> ReturningInsert[Any]:
    """A statement that counts one more, or starts a new window. It returns no row if the mailbox is at its limit."""
    row, new = mailbox_count.c, insert_on(on_postgresql, mailbox_count)
    over = row.began_at <= bindparam("over_since", type_=Time)
    statement = new.on_conflict_do_update(
        index_elements=["mailbox", "about"],
        set_={
            "sent": case((over, new.excluded.sent), else_=row.sent + 1),
            "began_at": case((over, new.excluded.began_at), else_=row.began_at),
        },
        where=over | (row.sent < bindparam("most", type_=Whole)),
    )
    return statement.returning(row.sent)
