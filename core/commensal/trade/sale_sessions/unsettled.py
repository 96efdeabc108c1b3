"""The guard of every edit: a sale may change until it is cancelled or completed, by whoever saw it last."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ...base.errors import Conflict
from ...storage.database import Transaction, edit_row
from .questions import coordination_by_id
from .tables import coordination
from .values import Coordination


def unsettled(tx: Transaction, coordination_id: str, coordinator_id: str) -> Coordination:
    """The coordination, if it may still change. Raises `NotFound`, or `Conflict` saying why it may not.

    Edits of one sale queue here, so that none is checked against times that another one is changing.
    """
    mine = (coordination.c.id == coordination_id, coordination.c.coordinator_id == coordinator_id)
    tx.one(select(coordination.c.id).where(*mine).with_for_update())
    found = coordination_by_id(tx, coordination_id, coordinator_id)
    if found.cancelled_at:
        raise Conflict("cancelled", "The sale {name} was cancelled.", name=found.name)
    if found.completed_at:
        raise Conflict("completed", "The sale {name} is over, and its orders are settled.", name=found.name)
    return found


def edit_coordination(tx: Transaction, sale: Coordination, version: int, **values: Any) -> None:
    """Writes `values` and raises the version. Raises `Stale`, also where it was settled meanwhile."""
    mine = (coordination.c.id == sale.id, coordination.c.coordinator_id == sale.coordinator_id)
    edit_row(tx, coordination, *mine, version=version, values=values)
