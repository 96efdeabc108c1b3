"""Limits the e-mails, per hour and per day, that somebody can cause for a mailbox by typing its address: a stranger, or
a hub that orders for somebody. What a hub sends to its own members is not counted.

E-mails to suppliers are limited for each hub and mailbox: nobody has proved the address of an enterprise, and a
producer of twenty hubs gets twenty orders at the same cut-off. A mailbox that stands for sixty customers, that of a
depot, is not an exception: nothing proves that it is one. The hub sees which mails are late, and may make who reads the
mailbox a member.

E-mails with a code are counted by what the code is for: whoever invites an address, or asks for it to be told of sales,
keeps its owner from no new password. Nor does a stranger who asks for one again and again: a network gets half of the
limit, and a browser with which the owner has logged in before has a limit of its own.

An e-mail of a plugin about the act of another enterprise is limited for each such enterprise and mailbox: it is caused
as often as somebody there presses a button.

They are counted in the database before they are sent, so that all workers share the count. An e-mail about an account
that exceeds the limit is dropped: its link would be too old later. So is one of a plugin. An e-mail about an order is
delayed instead, and replaces later ones about the order, because it is rendered from the order as it is when the e-mail
is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Table, bindparam, case, delete, or_, select
from sqlalchemy.sql.dml import ReturningInsert

from ...enterprises.tables import enterprise_member
from ...orders.tables import customer_order
from ...orders.values import Identity
from ...people.codes import fingerprint
from ...people.email import mailbox_of
from ...people.login_throttle import BROWSER
from ...people.tables import mailbox_count, person
from ...storage.database import Time, Transaction, Whole, insert_once
from ...storage.database.counting import Window, count_within
from ...storage.jobs import Job, enqueue
from ...storage.jobs.run import note_for_retry
from ..supply.tables import purchase_order
from .tables import late_mail, late_supplier_mail

_order, _person = customer_order.c, person.c
_PROVED = select(_person.id).where(
    _person.id == _order.person_id, _person.email == _order.email, _person.confirmed_at.is_not(None)
)
_OF_HUB = (
    select(_person.id)
    .join(enterprise_member, enterprise_member.c.person_id == _person.id)
    .where(
        enterprise_member.c.enterprise_id == _order.enterprise_id,
        _person.email == _order.email,
        _person.confirmed_at.is_not(None),
    )
)
_UNPROVED = case(
    (_order.identity == Identity.BY_HUB, ~_OF_HUB.exists()),  # whether the address has an account is nothing for a hub
    else_=or_(_order.identity == Identity.TYPED, _order.person_id.is_not(None) & ~_PROVED.exists()),
)
_UNPROVED_ORDER = select(_order.id).where(_order.id == bindparam("order"), _UNPROVED)
_supply = purchase_order.c
_HUB_OF_STRANGER = select(_supply.enterprise_id).where(
    _supply.id == bindparam("order"),
    ~select(_person.id)
    .join(enterprise_member, enterprise_member.c.person_id == _person.id)
    .where(
        enterprise_member.c.enterprise_id == _supply.enterprise_id,
        _person.email == bindparam("email"),
        _person.confirmed_at.is_not(None),
    )
    .exists(),
)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_HOURS = 3  # a day has the limit of so many hours
_count = mailbox_count.c
_COUNTER = select(mailbox_count).where(_count.mailbox == bindparam("of"), _count.about == bindparam("for"))


def may_send(tx: Transaction, job: Job, *, most: int) -> bool:
    """Counts an e-mail and returns whether to send it now. If not, it was enqueued again for later, or is dropped.

    `most` is the limit for a mailbox per hour. A job that is retried keeps its first decision: the e-mail is counted
    once, and a delayed one is not sent now because the worker was killed after the decision.
    """
    if "leaves" in job.payload:
        return bool(job.payload["leaves"])
    late = _late_row(job)
    if late is not None and job.payload.get("late"):
        late.forget(tx)
    counts = _counts_of(tx, job, most)
    if not counts:
        return True
    mailbox = fingerprint(mailbox_of(str(job.payload["to"])))
    reached = (_check_limits(tx, mailbox, about, limit) for about, limit in counts)
    until = next((until for until in reached if until is not None), None)
    note_for_retry(tx, job, leaves=until is None)
    if until is None:
        return True
    if late is not None and late.note(tx, until):
        enqueue(tx, "mail", {**job.payload, "late": True}, due_at=until)
    return False


def forget_counts(tx: Transaction) -> int:
    """Deletes counts whose day is over. Returns their number."""
    return tx.execute(delete(mailbox_count).where(_count.day_began_at < tx.now - _DAY)).rowcount


@dataclass(frozen=True)
class _LateMail:
    """The row of an e-mail about an order that is delayed."""

    table: Table
    key: Mapping[str, str]

    def note(self, tx: Transaction, due_at: datetime) -> bool:
        """Returns whether no e-mail about the order was delayed before."""
        return insert_once(tx, self.table, {**self.key, "due_at": due_at})

    def forget(self, tx: Transaction) -> None:
        tx.execute(delete(self.table).where(*(self.table.c[name] == value for name, value in self.key.items())))


def _late_row(job: Job) -> _LateMail | None:
    """None for an e-mail about an account or from a plugin, which is not delayed."""
    payload = job.payload
    if "purchase_order_id" in payload:
        key = {"purchase_order_id": str(payload["purchase_order_id"]), "to": str(payload["to"])}
        return _LateMail(late_supplier_mail, key)
    if "order_id" not in payload or "values" in payload:
        return None
    return _LateMail(late_mail, {"order_id": str(payload["order_id"])})


def _counts_of(tx: Transaction, job: Job, most: int) -> Sequence[tuple[str, int]]:
    """The counts of the mailbox in which the e-mail belongs, the narrowest first, each with its limit for an hour.
    Empty: it is not counted, since its reader wants it.

    An order's address is unproved if a guest typed it, a hub for somebody who is not a member of it, or a person whose
    account has another address.
    """
    payload = job.payload
    if "purchase_order_id" in payload:
        keys = {"order": payload["purchase_order_id"], "email": payload["to"]}
        hub_id = tx.value(_HUB_OF_STRANGER, keys)
        return [] if hub_id is None else [(f"orders of {hub_id}", most)]
    if "caused_by" in payload:
        return [(f"{payload['kind']} of {payload['caused_by']}", most)]
    if payload.get("order_id") is None:
        return _counts_of_account(payload, most)
    return [("order", most)] if tx.value(_UNPROVED_ORDER, {"order": payload["order_id"]}) is not None else []


def _counts_of_account(payload: Mapping[str, object], most: int) -> Sequence[tuple[str, int]]:
    about, source = str(payload.get("purpose", "account")), str(payload.get("source", ""))
    if payload["kind"] == "already_registered":  # another's sign-up, with a code for a new password
        about = "already registered"
    if source.startswith(BROWSER):
        return [(f"{about} of {source}", most)]
    return [*([(f"{about} of {source}", max(1, most // 2))] if source else []), (about, most)]


def _check_limits(tx: Transaction, mailbox: str, about: str, most: int) -> datetime | None:
    """Counts the e-mail in both windows. None if it is within the limits; else when it will be (UTC)."""
    new = {"hour_began_at": tx.now, "hour_sent": 1, "day_began_at": tx.now, "day_sent": 1}
    limits = {"hour_over": tx.now - _HOUR, "day_over": tx.now - _DAY, "most": most, "most_of_day": most * _HOURS}
    if tx.first(_count_statement(tx.postgresql), {"mailbox": mailbox, "about": about, **new, **limits}) is not None:
        return None
    row = tx.first(_COUNTER, {"of": mailbox, "for": about})
    assert row is not None, "a limit was reached"
    hour_ends: datetime = row["hour_began_at"] + _HOUR
    day_ends: datetime = row["day_began_at"] + _DAY
    return max(hour_ends, day_ends) if row["day_sent"] >= most * _HOURS else hour_ends


@cache
def _count_statement(on_postgresql: bool) -> ReturningInsert[*tuple[object, ...]]:
    """A statement that counts one more in both windows. It returns no row if the mailbox is at one of its limits."""
    hour = Window(
        over=_count.hour_began_at <= bindparam("hour_over", type_=Time),
        below=_count.hour_sent < bindparam("most", type_=Whole),
        counted={"hour_began_at": _count.hour_began_at, "hour_sent": _count.hour_sent + 1},
    )
    day = Window(
        over=_count.day_began_at <= bindparam("day_over", type_=Time),
        below=_count.day_sent < bindparam("most_of_day", type_=Whole),
        counted={"day_began_at": _count.day_began_at, "day_sent": _count.day_sent + 1},
    )
    return count_within(on_postgresql, mailbox_count, hour, day)
