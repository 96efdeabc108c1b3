"""Who holds what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from commensal import NotFound, Row, StockLot, Transaction, lots_by_id

from ..messages.bodies.leases import Lease
from ..peers.tables import federation_peer
from .row import units
from .tables import federation_lease

_row = federation_lease.c
_COUNTS = ("granted", "returned", "held", "sold", "late", "wanted")


def leases(tx: Transaction, *, enterprise_id: str | None = None, after: str = "", limit: int = 50) -> list[Lease]:
    """Leases by id, of one enterprise's lots or of all, from the one after `after` on."""
    mine = [] if enterprise_id is None else [_row.enterprise_id == enterprise_id]
    return _leases(tx, _leased().where(_row.id > after, *mine).order_by(_row.id).limit(limit))


def lease_of(tx: Transaction, enterprise_id: str, lease_id: str, *, role: str) -> Lease:
    """One lease of a lot of this enterprise. Raises `NotFound`."""
    mine = (_row.id == lease_id, _row.enterprise_id == enterprise_id, _row.role == role)
    found = _leases(tx, _leased().where(*mine))
    if not found:
        raise NotFound("no_lease", "There is no such lease.")
    return found[0]


def _leased() -> Select[Any]:
    return select(*federation_lease.c, federation_peer.c.name.label("peer_name")).join(
        federation_peer, federation_peer.c.id == _row.peer_id
    )


def _leases(tx: Transaction, wanted: Select[Any]) -> list[Lease]:
    rows = tx.all(wanted)
    lots = lots_by_id(tx, {row["lot_id"] for row in rows})
    return [_lease(row, lots[row["lot_id"]]) for row in rows]


def _lease(row: Row, lot: StockLot) -> Lease:
    same = ("id", "role", "peer_id", "peer_name", "enterprise_id", "epoch", "until")
    known: dict[str, Any] = {name: row[name] for name in same}
    known |= {name: units(row[name], lot.per_unit) for name in _COUNTS}
    return Lease(**known, lot_id=lot.id, lot_name=lot.name, unit=lot.unit)
