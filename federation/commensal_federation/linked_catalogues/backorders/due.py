"""Enqueues the work on orders that are due: each is sent or checked by a job of its own, one at a time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import bindparam, or_, select, update

from commensal import Transaction, enqueue

from .tables import federation_backorder

SEND = "federation.tell_backorder"  # a job: {"backorder": id}
CLAIM = timedelta(minutes=15)  # longer than all requests of a step, and a second attempt after a crash
_AT_ONCE = 200
_row = federation_backorder.c
# Built once, since they run every minute.
_FREE = or_(_row.claimed_until.is_(None), _row.claimed_until <= bindparam("now"))
_DUE = (
    select(_row.id)
    .where(_row.due_at <= bindparam("now"), _row.parked_at.is_(None), _FREE)
    .order_by(_row.due_at, _row.id)
    .limit(_AT_ONCE)
)
_DUE_OF = _DUE.where(_row.session_id == bindparam("session"))
_CLAIM_ONE = update(federation_backorder).where(_row.id == bindparam("order"), _FREE)


def enqueue_due(tx: Transaction, *, session_id: str = "") -> None:
    """Enqueues a job for each due order, of one sale or of all, so that no order waits for a slow platform."""
    statement = (_DUE_OF, {"now": tx.now, "session": session_id}) if session_id else (_DUE, {"now": tx.now})
    for row in tx.all(*statement):
        claim = {"order": row["id"], "now": tx.now, "claimed_until": tx.now + CLAIM}
        if tx.change(_CLAIM_ONE, claim):  # no other process has claimed it in the same moment
            enqueue(tx, SEND, {"backorder": row["id"]})


def is_open(tx: Transaction, link_id: str) -> bool:
    """Whether an order at this link is still to be completed, unless it is parked."""
    is_held = or_(_row.said_state == "Held", _row.posting)
    return (
        tx.first(select(_row.id).where(_row.link_id == link_id, is_held, _row.parked_at.is_(None)).limit(1)) is not None
    )


def check_soon(tx: Transaction, link_id: str, iris: Collection[str]) -> bool:
    """Checks our orders among these IRIs now, after a notice of their platform. Returns False if none is ours."""
    conditions = (_row.link_id == link_id, _row.iri.in_(sorted(iris)), _row.iri != "", _row.parked_at.is_(None))
    count = tx.execute(
        update(federation_backorder).where(*conditions, _row.begins_at > tx.now).values(due_at=tx.now)
    ).rowcount
    if count:
        enqueue_due(tx)
    return bool(count)
