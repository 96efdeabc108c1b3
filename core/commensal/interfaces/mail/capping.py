"""How many mails a mailbox gets that a stranger may have caused, by typing its address: some an hour, some a day.

Counted in the database before a mail leaves, so that any number of workers and instances of the program share the
count. What is too much about an account is not sent: its link would be too old later on. A mail about an order is late
instead, and stands for all that happens to the order meanwhile, because a mail tells what the order is when it leaves.
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
_TYPED = select(_order.id).where(_order.id == bindparam("order"), _UNPROVED)
_WINDOWS = ((timedelta(hours=1), 1), (timedelta(days=1), 3))  # and how many times the hourly number fits into each


def may_leave(tx: Transaction, job: Job, *, most: int) -> bool:
    """Counts a mail that is about to leave. False where it is not to be sent now; then it was promised again for later,
    or is dropped.

    `most` is how many an hour one mailbox gets. A job that is tried again keeps the first decision: its mail is counted
    once, and one that was held back is not sent because the worker was killed afterwards.
    """
    if "leaves" in job.payload:
        return bool(job.payload["leaves"])
    order_id = job.payload.get("order_id")
    if order_id is not None and not _typed(tx, order_id):
        return True
    if job.payload.get("late"):
        tx.execute(delete(late_mail).where(late_mail.c.order_id == order_id))
    until = _claim(tx, str(job.payload["to"]), "account" if order_id is None else "order", most)
    note_for_retry(tx, job, leaves=until is None)
    if until is None:
        return True
    if order_id is not None and insert_once(tx, late_mail, {"order_id": order_id, "due_at": until}):
        promise(tx, "mail", {**job.payload, "late": True}, due_at=until)
    return False


def forget_counts(tx: Transaction) -> int:
    """Deletes counts whose day is over. Returns how many."""
    return tx.execute(delete(mailbox_count).where(mailbox_count.c.began_at < tx.now - _WINDOWS[-1][0])).rowcount


def _typed(tx: Transaction, order_id: str) -> bool:
    """Whether nobody has proved that the order's address is theirs: a guest typed it, or somebody with an account of
    another address."""
    return tx.value(_TYPED, {"order": order_id}) is not None


def _claim(tx: Transaction, email: str, about: str, most: int) -> datetime | None:
    """None where the mail fits; else when there is room again."""
    for window, times in _WINDOWS:
        until = _count(tx, fingerprint(mailbox_of(email)), f"{about} {window.days or 'hour'}", window, most * times)
        if until is not None:
            return until
    return None


def _count(tx: Transaction, mailbox: str, about: str, window: timedelta, most: int) -> datetime | None:
    """Two at once take turns at the row, so that none slips through."""
    counter = {"mailbox": mailbox, "about": about, "began_at": tx.now, "sent": 1}
    if tx.first(_counting(tx.postgresql), {**counter, "over_since": tx.now - window, "most": most}) is not None:
        return None
    row = mailbox_count.c
    began_at: datetime = tx.value(select(row.began_at).where(row.mailbox == mailbox, row.about == about))
    return began_at + window


@cache
def _counting(on_postgresql: bool) -> ReturningInsert[Any]:
    """Counts one more, or begins anew where the window is over; returns no row where the mailbox is full."""
    row, new = mailbox_count.c, insert_on(on_postgresql, mailbox_count)
    over = row.began_at <= bindparam("over_since", type_=Time)
    counted = new.on_conflict_do_update(
        index_elements=["mailbox", "about"],
        set_={
            "sent": case((over, new.excluded.sent), else_=row.sent + 1),
            "began_at": case((over, new.excluded.began_at), else_=row.began_at),
        },
        where=over | (row.sent < bindparam("most", type_=Whole)),
    )
    return counted.returning(row.sent)
