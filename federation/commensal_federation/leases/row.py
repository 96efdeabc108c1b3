"""A lease's row, with its lot: locked, and counted in grains."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import bindparam, insert, select, update

from commensal import NotFound, Row, StockLot, Transaction, lot_by_id

from .tables import federation_lease

Role = Literal["lender", "holder"]
_row = federation_lease.c
_SAME = (_row.role == bindparam("as"), _row.peer_id == bindparam("with"))
# Made once: a lease is looked at for each order, each message, and each minute.
_OF_LOT = select(federation_lease).where(*_SAME, _row.lot_id == bindparam("lot")).with_for_update()
_OF_IRI = select(federation_lease).where(*_SAME, _row.lot_iri == bindparam("lot")).with_for_update()
_BY_ID = select(federation_lease).where(_row.id == bindparam("lease")).with_for_update()
_CHANGE = update(federation_lease).where(_row.id == bindparam("lease"))


@dataclass(frozen=True)
class Held:
    """A lease that nobody else changes until the transaction ends; quantities in grains of `lot`."""

    row: Row
    lot: StockLot

    @property
    def unit(self) -> str:
        return self.lot.unit

    def grains(self, quantity: Decimal) -> int:
        """Whole grains of a quantity in the lot's unit; what is finer is cut off."""
        return int(quantity * self.lot.per_unit)

    def units(self, grains: int) -> Decimal:
        return units(grains, self.lot.per_unit)

    @property
    def free(self) -> int:
        return self.grains(self.lot.free)

    @property
    def out(self) -> int:
        """At the lender: what the holder may still have, as far as is known here."""
        return out(self.row, self.row["seen"], self.row["held"], self.row["late"])

    @property
    def sold(self) -> int:
        """At the lender: what was sold of what was granted. Late ones are counted as held as long as they can be."""
        return by_right(self.row["sold"], self.row["held"], self.row["late"])

    @property
    def found(self) -> int:
        """At the lender: what the holder's scales have found beyond what was granted. Late sales are not found."""
        row = self.row
        return max(0, int(row["held"] + row["sold"] + row["returned"] - row["seen"] - row["late"]))

    @property
    def ordered(self) -> int:
        """At the holder: what it has and cannot give back now."""
        return self.grains(self.lot.reserved + self.lot.lent)

    @property
    def counts(self) -> tuple[int, int]:
        """At the holder: held and sold, now."""
        lot = self.lot
        return self.grains(lot.free + lot.reserved + lot.lent), self.grains(lot.sold) - self.row["sold_before"]

    @property
    def uncovered(self) -> int:
        """At the holder: what it has, sold and gave back without having been granted it; negative: what it lacks."""
        return sum(self.counts) + int(self.row["returned"] - self.row["granted"])


def out(row: Row, seen: int, held: int, late: int) -> int:
    """What was granted and not seen yet, and what is held by right."""
    return int(row["granted"] - seen + max(0, held - late))


def by_right(sold: int, held: int, late: int) -> int:
    return sold - max(0, late - held)


def units(grains: int, per_unit: int) -> Decimal:
    """Grains in the lot's unit, without needless zeros."""
    value = Decimal(grains) / per_unit
    return value.quantize(Decimal(1)) if value == value.to_integral() else value.normalize()


_HOLDINGS = select(federation_lease).where(_row.role == "holder", _row.lot_id.in_(bindparam("lots", expanding=True)))


def lease_with(tx: Transaction, role: Role, peer_id: str, *, lot_id: str = "", lot_iri: str = "") -> Held | None:
    """The lease of a lot, by its id here or its IRI, with this peer; locked before its lot is."""
    row = tx.first(_OF_LOT if lot_id else _OF_IRI, {"as": role, "with": peer_id, "lot": lot_id or lot_iri})
    return None if row is None else _held(tx, row)


def holdings_of(tx: Transaction, lot_ids: Collection[str]) -> list[Held]:
    """The leases by which these lots are held here, one for each lot that is; not locked."""
    rows = tx.all(_HOLDINGS, {"lots": sorted(lot_ids)})
    return [_held(tx, row) for row in rows]


def lease_by_id(tx: Transaction, lease_id: str) -> Held:
    """Locked. Raises `NotFound`."""
    row = tx.first(_BY_ID, {"lease": lease_id})
    if row is None:
        raise NotFound("no_lease", "There is no such lease.")
    return _held(tx, row)


def _held(tx: Transaction, row: Row) -> Held:
    return Held(row, lot_by_id(tx, row["enterprise_id"], row["lot_id"]))


def open_lease(
    tx: Transaction, role: Role, peer_id: str, enterprise_id: str, lot_id: str, lot_iri: str, *, sold_before: int = 0
) -> Held:
    """A new lease, of which nothing is granted yet."""
    counts = dict.fromkeys(("granted", "report", "seen", "returned", "held", "sold", "late", "wanted"), 0)
    row = {
        "id": tx.new_id(), "role": role, "peer_id": peer_id, "enterprise_id": enterprise_id, "lot_id": lot_id,
        "lot_iri": lot_iri, "epoch": 1, **counts, "sold_before": sold_before, "created_at": tx.now,
    }  # fmt: skip
    tx.execute(insert(federation_lease), row)
    made = lease_with(tx, role, peer_id, lot_id=lot_id)
    assert made is not None
    return made


def set_lease(tx: Transaction, lease: Held, **values: Any) -> Held:
    """Writes these columns and reads the lease again."""
    tx.change(_CHANGE, {"lease": lease.row["id"], **values})
    return lease_by_id(tx, lease.row["id"])


def later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other > one else one
