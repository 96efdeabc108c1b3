"""What an operator should look at: a peer that contradicts itself, a wrong clock, lost numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, select

from commensal import NotFound, Transaction, insert_or

from ..notices import CONDITIONS, note_for_operators
from .tables import federation_alert

_log = structlog.get_logger("commensal.federation")
_LONGEST = 500


@dataclass(frozen=True, kw_only=True)
class Alert:
    """`count` is how often it has happened since `first_at`; times are UTC."""

    peer_id: str
    kind: str
    text: str
    count: int
    first_at: datetime
    last_at: datetime


def alert(tx: Transaction, peer_id: str, kind: str, text: str) -> None:
    """Records an alert: one row for each kind and peer, with the newest text and a count.

    Operators get a mail about kinds for them, at most once a day. The people of an enterprise get one about the others
    from the caller.
    """
    _log.warning("a peer needs attention", peer=peer_id, kind=kind, text=text[:_LONGEST])
    row = {"peer_id": peer_id, "kind": kind, "text": text[:_LONGEST], "count": 1, "first_at": tx.now, "last_at": tx.now}
    again = insert_or(tx, federation_alert).values(row)
    changed = {"text": again.excluded.text, "count": federation_alert.c.count + 1, "last_at": again.excluded.last_at}
    tx.execute(again.on_conflict_do_update(index_elements=["peer_id", "kind"], set_=changed))
    if kind in CONDITIONS:
        note_for_operators(tx, kind, peer_id, text)


def alerts(tx: Transaction) -> Sequence[Alert]:
    """Returns all alerts, the newest first."""
    return [Alert(**row) for row in tx.all(select(federation_alert).order_by(federation_alert.c.last_at.desc()))]


def dismiss_alert(tx: Transaction, peer_id: str, kind: str) -> None:
    """Deletes an alert that somebody has looked at. Raises `NotFound`."""
    row = federation_alert.c
    if tx.execute(delete(federation_alert).where(row.peer_id == peer_id, row.kind == kind)).rowcount != 1:
        raise NotFound
