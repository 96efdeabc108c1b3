"""What an operator should look at: a peer that contradicts itself, a wrong clock, lost numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import bindparam, delete, select

from commensal import NotFound, Time, Transaction, insert_or

from ..notices import CONDITIONS, note_for_operators
from ..peers.tables import federation_peer
from .tables import federation_alert

_log = structlog.get_logger("commensal.federation")
_LONGEST = 500
_PASSING = ("clock", "refused")  # kinds that messages in both directions disprove
_QUIET = timedelta(hours=1)  # after which what has not happened again is over
_row, _peer = federation_alert.c, federation_peer.c
_GETS_THROUGH = select(_peer.id).where(
    _peer.id == _row.peer_id, _peer.failures == 0, ~_peer.refusing, _peer.last_seen_at > _row.last_at
)
_OVER = delete(federation_alert).where(
    _row.kind.in_(_PASSING), _row.last_at < bindparam("before", type_=Time), _GETS_THROUGH.exists()
)


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


def forget_what_is_over(tx: Transaction) -> None:
    """Every hour: deletes alerts about what has passed by itself, so that nobody looks into them."""
    tx.change(_OVER, {"before": tx.now - _QUIET})


def forget_alert(tx: Transaction, peer_id: str, kind: str) -> bool:
    """Deletes an alert. Returns whether there was one."""
    return tx.execute(delete(federation_alert).where(_row.peer_id == peer_id, _row.kind == kind)).rowcount == 1


def dismiss_alert(tx: Transaction, peer_id: str, kind: str) -> None:
    """Deletes an alert that somebody has looked at. Raises `NotFound`."""
    if not forget_alert(tx, peer_id, kind):
        raise NotFound
