"""The lender's view of what idles: how much of a lot may be had, and who is asked to give some back.

A holder says with each report and request how much of what it holds its customers have ordered. The rest idles, and is
called back when others are short: no more of it than they are short of.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import bindparam, select

from commensal import Row, StockLot, Transaction

from ..delivery import post
from ..messages.bodies.leases import LeaseRecall
from ..peers.peers import peer_by_id
from ..runtime import Federation
from .row import Held, lease_by_id, out, set_lease, units
from .sales import is_barred
from .tables import federation_lease

ANSWERED = timedelta(seconds=10)  # in which a holder that was asked to give back has answered, or is not there
_row = federation_lease.c
_LENT = (
    select(*federation_lease.c)
    .where(_row.lot_id == bindparam("lot"), _row.role == "lender", _row.granted > 0)
    .order_by(_row.id)
)


def idle(row: Row) -> int:
    """Grains that the holder has, or that are on their way to it, and that none of its customers has ordered, as far as
    it has said."""
    return max(0, out(row, row["seen"], row["held"], row["late"]) - int(row["ordered"]))


def to_be_had(tx: Transaction, lot: StockLot, *, but: str = "") -> Decimal:
    """How much of the lot may be had by the peer `but`: what is free here, what idles at others, and what may be had
    from where this instance has it itself. A hint, in the lot's unit."""
    if is_barred(tx, lot.id):
        return Decimal(0)
    elsewhere = sum(idle(row) for row in tx.all(_LENT, {"lot": lot.id}) if row["peer_id"] != but)
    return lot.free + lot.beyond + units(elsewhere, lot.per_unit)


def recall(federation: Federation, tx: Transaction, lease: Held, missing: int) -> int:
    """Asks others to give back what the holder of this lease is short of, whoever has most idle first. Who was asked
    just now is not asked again. Returns the grains that nobody has."""
    others = [row for row in tx.all(_LENT, {"lot": lease.row["lot_id"]}) if row["id"] != lease.row["id"]]
    for row in sorted(others, key=lambda row: -idle(row)):
        if missing <= 0:
            break
        if not idle(row) or not peer_by_id(tx, row["peer_id"]).active:
            continue
        asked = int(row["recalled"]) if _is_asked(tx, row) else 0
        more = min(idle(row) - asked, missing - asked)
        missing -= asked
        if more > 0:
            _ask_back(federation, tx, row, lease, more, asked)
            missing -= more
    return max(0, missing)


def _is_asked(tx: Transaction, row: Row) -> bool:
    return row["recalled_at"] is not None and bool(row["recalled_at"] > tx.now - ANSWERED)


def _ask_back(federation: Federation, tx: Transaction, row: Row, lease: Held, more: int, asked: int) -> None:
    set_lease(tx, lease_by_id(tx, row["id"]), recalled=asked + more, recalled_at=tx.now)
    body = LeaseRecall(lot=lease.row["lot_iri"], unit=lease.unit, wanted=lease.units(more))
    post(federation, tx, row["peer_id"], "LeaseRecall", body)
