"""The lender's view of idle units: how much of a lot is obtainable, and which holders are asked to return some.

With each report and request a holder states how many of its units are ordered: by its customers, or by those of the
holders to whom it has lent them on. The rest is idle, there or behind it, and the lender recalls as much of it as
customers elsewhere lack. So one recall reaches through a chain of resellers, each of which asks its own holders.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import and_, bindparam, case, func, or_, select

from commensal import Row, StockLot, Time, Transaction
from commensal.stock import lots_by_id

from ..delivery import post
from ..dfc.iris import local_id
from ..grants.questions import is_offered
from ..grants.sale_ends import is_barred
from ..grants.tables import federation_lease
from ..messages.leases import LeaseRecall
from ..messages.types import Refuse
from ..peers.peers import Peer
from ..peers.tables import federation_peer
from ..runtime import Federation
from .joined import main_lot
from .row import LotLease, lease_by_id, set_lease, units

ANSWER_TIME = timedelta(seconds=10)  # a holder that has not answered a recall by then is taken for absent
_row = federation_lease.c
_by_right = case((_row.held > _row.late, _row.held - _row.late), else_=0)
# Grains that the holder has, or that are on their way to it (`row.outstanding` in SQL), and that its customers have
# not ordered, by its last report: not below zero, for these queries take only leases with some.
_idle = _row.granted - _row.seen + _by_right - _row.ordered
_IDLING = (_row.lot_id == bindparam("lot"), _row.role == "lender", _row.granted > 0, _idle > 0)
# The database sums up: a lot may be lent to a thousand hubs, and each of their customers' requests asks for these sums.
_IDLE_ELSEWHERE = select(func.coalesce(func.sum(_idle), 0)).where(*_IDLING, _row.peer_id != bindparam("but"))
_IS_ACTIVE = _row.peer_id.in_(select(federation_peer.c.id).where(federation_peer.c.state == "accepted"))
_IDLE_AT_ACTIVE = select(func.coalesce(func.sum(_idle), 0)).where(*_IDLING, _IS_ACTIVE)
_gave_no_answer = and_(_row.recalled > 0, _row.recalled_at <= bindparam("answered_by", type_=Time))
_absent = case((or_(_gave_no_answer, federation_peer.c.failures > 0), 1), else_=0)
_before = func.sum(_idle).over(order_by=(_absent, _idle.desc(), _row.id)) - _idle
_RANKED = (
    select(_row.id, _row.recalled, _row.recalled_at)
    .add_columns(_idle.label("idle"), _absent.label("absent"), _before.label("before"))
    .join(federation_peer, federation_peer.c.id == _row.peer_id)
    .where(*_IDLING, federation_peer.c.state == "accepted", _row.id != bindparam("but"))
    .subquery()
)
# Those with most, the absent ones last, and no more of them than are needed.
_IDLEST = select(_RANKED).where(_RANKED.c.before < bindparam("missing")).order_by(_RANKED.c.before)


def obtainable(tx: Transaction, lot: StockLot, *, but: str = "") -> Decimal:
    """How much of the lot the peer `but` can obtain, in the lot's unit: the free stock here, the idle units of other
    holders, and what our own lender offers. A hint, not a promise."""
    if is_barred(tx, lot.id):
        return Decimal(0)
    idle_elsewhere = int(tx.value(_IDLE_ELSEWHERE, {"lot": lot.id, "but": but}))
    return lot.free + lot.beyond + units(idle_elsewhere, lot.per_unit)


def ordered_here(tx: Transaction, lease: LotLease) -> int:
    """At a holder: the grains that are reserved, or lent on and not idle there."""
    idle_behind = min(lease.grains(lease.lot.lent), idle_at_holders(tx, lease.lot))
    return lease.grains(lease.lot.reserved + lease.lot.lent) - idle_behind


def idle_at_holders(tx: Transaction, lot: StockLot) -> int:
    """Grains of the lot that are idle at those to whom this instance has lent them, by their last reports, and that a
    recall would reach: not those of a peer with whom the trade is suspended, nor any under the barrier of a restore."""
    if not lot.lent or is_barred(tx, lot.id):
        return 0
    return int(tx.value(_IDLE_AT_ACTIVE, {"lot": lot.id}))


def recall(federation: Federation, tx: Transaction, lot_id: str, missing: int, *, but: str = "") -> int:
    """Asks the holders of the lot to return the `missing` grains that a customer lacks, beginning with the most idle;
    not the holder whose lease is `but`.

    A holder that was asked a moment ago is not asked again. One that has not answered, or that our messages do not
    reach, is asked last, and nobody counts on it. Returns the grains that nobody else has. The caller has locked the
    leases of the lot, and holds the lanes of its holders.
    """
    if missing <= 0 or is_barred(tx, lot_id):
        return max(0, missing)
    lacking = missing
    since = tx.now - ANSWER_TIME
    for row in tx.all(_IDLEST, {"lot": lot_id, "but": but, "missing": missing, "answered_by": since}):
        already_asked = int(row["recalled"]) if _was_asked_recently(tx, row) else 0
        more = max(0, min(row["idle"] - already_asked, missing - already_asked))
        if more:
            _ask_back(federation, tx, lease_by_id(tx, row["id"]), more, already_asked)
        missing -= already_asked + more
        lacking -= 0 if row["absent"] else already_asked + more
        if missing <= 0:
            break
    return max(0, lacking)


def _was_asked_recently(tx: Transaction, row: Row) -> bool:
    return row["recalled_at"] is not None and bool(row["recalled_at"] > tx.now - ANSWER_TIME)


def _ask_back(federation: Federation, tx: Transaction, lease: LotLease, more: int, already_asked: int) -> None:
    set_lease(tx, lease, recalled=already_asked + more, recalled_at=tx.now)
    body = LeaseRecall(lot=lease.row.lot_iri, unit=lease.unit, wanted=lease.units(more))
    post(federation, tx, lease.row.peer_id, "LeaseRecall", body)


# Which lots a peer may lease: those of goods that it has been offered under a grant, and that are offered still.
#
# That an enterprise lists the goods is not enough. After a move, requests of the new home that are still on their way
# to the old one ask for goods of its own: units granted for them would lie under a lease that nobody holds.


def is_lendable(tx: Transaction, peer: Peer, lot_id: str) -> bool:
    """Whether goods of this lot are offered to the peer under a grant."""
    return is_offered(tx, main_lot(tx, lot_id), peer.id)


def lendable_lot(federation: Federation, tx: Transaction, peer: Peer, lot_iri: str) -> StockLot:
    """Returns the lot. Raises the same `Refuse` for an unknown lot and for one that the peer may not lease."""
    lot_id = local_id(federation.base, lot_iri, "stocks")
    lot = lots_by_id(tx, [lot_id]).get(lot_id) if lot_id else None
    if lot is None or not is_lendable(tx, peer, lot.id):
        raise Refuse("not_granted", "There is no such lot, or nobody has granted it to you.")
    return lot
