"""Guards every edit of a sale: it may change until it is cancelled or completed, and only from its latest version."""

from __future__ import annotations

from sqlalchemy import select

from ..base.errors import Conflict
from ..storage.database import Transaction, edit_row
from .questions import coordination_by_id
from .tables import coordination
from .values import Coordination


def lock_unsettled(tx: Transaction, coordination_id: str, coordinator_id: str) -> Coordination:
    """Locks and returns the coordination if it may still change. Raises `NotFound`, or `Conflict` with the reason."""
    sale = lock_uncancelled(tx, coordination_id, coordinator_id)
    if sale.completed_at:
        raise Conflict("completed", "The sale {name} is over, and its orders are settled.", name=sale.name)
    return sale


def lock_uncancelled(tx: Transaction, coordination_id: str, coordinator_id: str) -> Coordination:
    """Locks and returns the coordination, also of a sale that has closed. Raises `NotFound`, or `Conflict` if it was
    cancelled.

    Edits of one sale wait for each other here, so that none is checked against times that another one is changing.
    """
    conditions = (coordination.c.id == coordination_id, coordination.c.coordinator_id == coordinator_id)
    tx.one(select(coordination.c.id).where(*conditions).with_for_update())
    sale = coordination_by_id(tx, coordination_id, coordinator_id)
    if sale.cancelled_at:
        raise Conflict("cancelled", "The sale {name} was cancelled.", name=sale.name)
    return sale


def edit_coordination(tx: Transaction, sale: Coordination, version: int, **values: object) -> None:
    """Writes `values` and increments the version. Raises `Stale`, also if the sale was settled meanwhile."""
    conditions = (coordination.c.id == sale.id, coordination.c.coordinator_id == sale.coordinator_id)
    edit_row(tx, coordination, *conditions, version=version, values=values)
