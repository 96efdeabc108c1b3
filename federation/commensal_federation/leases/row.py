"""Reads and writes the rows of leases, each with its lot, counted in grains."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import bindparam, select, update

from commensal import NotFound, Row, RowQuery, StockLot, Transaction, insert_rows
from commensal.stock import lot_by_id, lots_by_id

from ..grants.tables import FederationLeaseRow, federation_lease
from ..messages.leases import Lease
from ..peers.tables import federation_peer

Role = Literal["lender", "holder"]
NO_COUNTS = dict.fromkeys(("granted", "report", "seen", "returned", "held", "sold", "late", "wanted"), 0)
COVERED = "covered by a grant"  # note of the movement that takes back what scales had found beyond the lease
_row = federation_lease.c
_SAME = (_row.role == bindparam("as"), _row.peer_id == bindparam("with"))
# Built once: leases are read for each order, each message, and each minute.
_OF_LOT = select(federation_lease).where(*_SAME, _row.lot_id == bindparam("lot")).with_for_update()
_OF_IRI = select(federation_lease).where(*_SAME, _row.lot_iri == bindparam("lot")).with_for_update()
_BY_ID = select(federation_lease).where(_row.id == bindparam("lease")).with_for_update()
_LOT_BY_ID = select(_row.lot_id).where(_row.id == bindparam("lease"))
_LOT_BY_IRI = select(_row.lot_id).where(*_SAME, _row.lot_iri == bindparam("lot"))
_CHANGE = update(federation_lease).where(_row.id == bindparam("lease"))


@dataclass(frozen=True)
class LotLease:
    """A lease with its lot; all quantities are grains of the lot. Locked until the transaction ends, unless it comes
    from `holdings_of`."""

    row: FederationLeaseRow
    lot: StockLot

    @property
    def unit(self) -> str:
        return self.lot.unit

    def grains(self, quantity: Decimal) -> int:
        """Converts a quantity in the lot's unit to whole grains, rounded down."""
        return int(quantity * self.lot.per_unit)

    def units(self, grains: int) -> Decimal:
        return units(grains, self.lot.per_unit)

    @property
    def free(self) -> int:
        return self.grains(self.lot.free)

    @property
    def outstanding(self) -> int:
        """At the lender: grains that the holder may still have, by its last report."""
        return outstanding(self.row.granted, self.row.seen, self.row.held, self.row.late)

    @property
    def sold(self) -> int:
        """At the lender: grains sold out of the grant. Late grains count as held ones first, then as sold ones."""
        return sold_by_right(self.row.sold, self.row.held, self.row.late)

    @property
    def surplus(self) -> int:
        """At the lender: grains beyond the grant that the holder's scales have found. Late sales do not count."""
        row = self.row
        return max(0, row.held + row.sold + row.returned - row.seen - row.late)

    @property
    def counts(self) -> tuple[int, int]:
        """At the holder: grains held and grains sold, now.

        A sale that the lender had counted before a forced return, and that was taken back since, is not a sale below
        zero: these goods are here, and for the lender they are sold.
        """
        lot = self.lot
        held, sold = self.grains(lot.free + lot.reserved + lot.lent), self.grains(lot.sold) - self.row.sold_before
        return max(0, held + min(0, sold)), max(0, sold)

    @property
    def uncovered(self) -> int:
        """At the holder: grains held, sold and returned beyond the grant; negative: granted grains that it lacks."""
        return sum(self.counts) + self.row.returned - self.row.granted


def outstanding(granted: int, seen: int, held: int, late: int) -> int:
    """Grains granted and not yet seen by the holder, and those that it holds by right."""
    return granted - seen + max(0, held - late)


def sold_by_right(sold: int, held: int, late: int) -> int:
    return sold - max(0, late - held)


def units(grains: int, per_unit: int) -> Decimal:
    """Converts grains to the lot's unit, without trailing zeros."""
    value = Decimal(grains) / per_unit
    return value.quantize(Decimal(1)) if value == value.to_integral() else value.normalize()


_HOLDINGS = select(federation_lease).where(_row.role == "holder", _row.lot_id.in_(bindparam("lots", expanding=True)))


def lease_with(tx: Transaction, role: Role, peer_id: str, *, lot_id: str = "", lot_iri: str = "") -> LotLease | None:
    """Returns the lease of a lot, by its id here or its IRI, with this peer. Locks the lease before the lot."""
    statement, lot = (_OF_LOT, lot_id) if lot_id else (_OF_IRI, lot_iri)
    row = tx.row(FederationLeaseRow, statement, {"as": role, "with": peer_id, "lot": lot})
    return None if row is None else _with_lot(tx, row)


def holdings_of(tx: Transaction, lot_ids: Collection[str]) -> list[LotLease]:
    """Returns the leases under which this instance holds these lots, at most one for each lot; not locked."""
    rows = tx.rows(FederationLeaseRow, _HOLDINGS, {"lots": sorted(lot_ids)})
    return [_with_lot(tx, row) for row in rows]


def lease_by_id(tx: Transaction, lease_id: str) -> LotLease:
    """Returns the lease, locked. Raises `NotFound`."""
    row = tx.row(FederationLeaseRow, _BY_ID, {"lease": lease_id})
    if row is None:
        raise NotFound("no_lease", "There is no such lease.")
    return _with_lot(tx, row)


def lot_of_lease(tx: Transaction, lease_id: str) -> str:
    """Returns the id of the lot, without a lock. Raises `NotFound`."""
    lot_id = tx.value(_LOT_BY_ID, {"lease": lease_id})
    if lot_id is None:
        raise NotFound("no_lease", "There is no such lease.")
    return str(lot_id)


def leased_lot(tx: Transaction, role: Role, peer_id: str, lot_iri: str) -> str | None:
    """Returns the id here of a lot leased with this peer, by its IRI, without a lock; None without a lease."""
    lot_id = tx.value(_LOT_BY_IRI, {"as": role, "with": peer_id, "lot": lot_iri})
    return None if lot_id is None else str(lot_id)


def _with_lot(tx: Transaction, row: FederationLeaseRow) -> LotLease:
    return LotLease(row, lot_by_id(tx, row.enterprise_id, row.lot_id))


def open_lease(
    tx: Transaction, role: Role, peer_id: str, enterprise_id: str, lot_id: str, lot_iri: str, *, sold_before: int = 0
) -> LotLease:
    """Inserts a lease under which nothing is granted yet, and returns it."""
    open_leases(tx, role, peer_id, enterprise_id, {lot_id: lot_iri}, sold_before=sold_before)
    lease = lease_with(tx, role, peer_id, lot_id=lot_id)
    assert lease is not None
    return lease


def open_leases(
    tx: Transaction, role: Role, peer_id: str, enterprise_id: str, lots: Mapping[str, str], *, sold_before: int = 0
) -> None:
    """Inserts leases of these lots, given by id here with their IRIs, under which nothing is granted yet."""
    rows = [
        {
            "id": tx.new_id(),
            "role": role,
            "peer_id": peer_id,
            "enterprise_id": enterprise_id,
            "lot_id": lot_id,
            "lot_iri": lot_iri,
            "epoch": 1,
            **NO_COUNTS,
            "sold_before": sold_before,
            "created_at": tx.now,
        }
        for lot_id, lot_iri in lots.items()
    ]
    insert_rows(tx, federation_lease, rows)


def set_lease(tx: Transaction, lease: LotLease, **values: object) -> LotLease:
    """Writes these columns and returns the lease as it is now."""
    tx.change(_CHANGE, {"lease": lease.row.id, **values})
    return lease_by_id(tx, lease.row.id)


def later(current: datetime | None, candidate: datetime) -> datetime:
    return candidate if current is None or candidate > current else current


# Lists leases as pages, commands and the API show them.

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
