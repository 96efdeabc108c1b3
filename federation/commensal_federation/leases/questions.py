"""Lists leases as pages, commands and the API show them."""

from __future__ import annotations

from sqlalchemy import select

from commensal import NotFound, Row, RowQuery, StockLot, Transaction
from commensal.stock import lots_by_id

from ..availability.tables import federation_lease
from ..messages.bodies.leases import Lease
from ..peers.tables import federation_peer
from .row import units

_row = federation_lease.c
_COUNTS = ("granted", "returned", "held", "sold", "late", "wanted")


def leases(
    tx: Transaction, *, enterprise_id: str | None = None, after: str = "", limit: int | None = None
) -> list[Lease]:
    """Returns all leases, or the first `limit`, by id, of one enterprise's lots or of all, after the id `after`."""
    filters = [] if enterprise_id is None else [_row.enterprise_id == enterprise_id]
    return _read_leases(tx, _lease_query().where(_row.id > after, *filters).order_by(_row.id).limit(limit))


def lease_of(tx: Transaction, enterprise_id: str, lease_id: str, *, role: str) -> Lease:
    """Returns one lease of a lot of this enterprise. Raises `NotFound`."""
    filters = (_row.id == lease_id, _row.enterprise_id == enterprise_id, _row.role == role)
    matches = _read_leases(tx, _lease_query().where(*filters))
    if not matches:
        raise NotFound("no_lease", "There is no such lease.")
    return matches[0]


def _lease_query() -> RowQuery:
    return select(*federation_lease.c, federation_peer.c.name.label("peer_name")).join(
        federation_peer, federation_peer.c.id == _row.peer_id
    )


def _read_leases(tx: Transaction, query: RowQuery) -> list[Lease]:
    rows = tx.all(query)
    lots = lots_by_id(tx, {row["lot_id"] for row in rows})
    return [_read_lease(row, lots[row["lot_id"]]) for row in rows]


def _read_lease(row: Row, lot: StockLot) -> Lease:
    copied = ("id", "role", "peer_id", "peer_name", "enterprise_id", "epoch", "until")
    values: Row = {name: row[name] for name in copied}
    values |= {name: units(row[name], lot.per_unit) for name in _COUNTS}
    return Lease(**values, lot_id=lot.id, lot_name=lot.name, unit=lot.unit)
