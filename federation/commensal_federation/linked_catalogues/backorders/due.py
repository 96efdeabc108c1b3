"""Which orders have something to be told or looked at now: each by a job of its own, and by one at a time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import bindparam, or_, select, update

from commensal import Transaction, promise

from .tables import federation_backorder

TELL = "federation.tell_backorder"  # a job: {"backorder": id}
CLAIM = timedelta(minutes=15)  # longer than all requests of a step may take, and a second try after a crash
_AT_ONCE = 200
_row = federation_backorder.c
# Made once, since they are asked every minute.
_FREE = or_(_row.claimed_until.is_(None), _row.claimed_until <= bindparam("now"))
_DUE = (
    select(_row.id)
    .where(_row.due_at <= bindparam("now"), _row.parked_at.is_(None), _FREE)
    .order_by(_row.due_at, _row.id)
    .limit(_AT_ONCE)
)
_DUE_OF = _DUE.where(_row.session_id == bindparam("session"))
_CLAIM_ONE = update(federation_backorder).where(_row.id == bindparam("order"), _FREE)


def tell_due(tx: Transaction, *, session_id: str = "") -> None:
    """Promises what is due, of one sale or of all. A slow platform makes none wait for another."""
    asked = (_DUE_OF, {"now": tx.now, "session": session_id}) if session_id else (_DUE, {"now": tx.now})
    for row in tx.all(*asked):
        claim = {"order": row["id"], "now": tx.now, "claimed_until": tx.now + CLAIM}
        if tx.change(_CLAIM_ONE, claim):  # nobody else has, in the same moment
            promise(tx, TELL, {"backorder": row["id"]})


def is_open(tx: Transaction, link_id: str) -> bool:
    """Whether something is ordered there that is to be completed yet, by a platform that answers."""
    held = or_(_row.said_state == "Held", _row.posting)
    return tx.first(select(_row.id).where(_row.link_id == link_id, held, _row.parked_at.is_(None)).limit(1)) is not None


def look_soon(tx: Transaction, link_id: str, iris: Collection[str]) -> bool:
    """The platform of a link says that something has happened to these things of its own: orders of ours among them are
    looked at now. False where none is."""
    ours = (_row.link_id == link_id, _row.iri.in_(sorted(iris)), _row.iri != "", _row.parked_at.is_(None))
    found = tx.execute(
        update(federation_backorder).where(*ours, _row.begins_at > tx.now).values(due_at=tx.now)
    ).rowcount
    if found:
        tell_due(tx)
    return bool(found)
