"""Fetches stock from elsewhere while a customer waits for an order to be accepted: first what idles at those to whom it
was lent, then what our own lender has.

The customer waits for two seconds, and for two more if the request of a customer before had to be answered first. A
lender that first has to recall units from another hub, or to ask its own lender, says in its refusal how much is
obtainable (`beyond`); its grant may then arrive within the remaining time.
Units that were granted for an order that fails anyway are returned at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import bindparam, or_, update

from commensal import Conflict, Instance, StockLot, Transaction, enqueue, hookimpl
from commensal.stock import lots_by_id

from ..delivery import ask
from ..grants.sale_ends import NEVER, is_barred, sale_end
from ..grants.tables import FederationLeaseRow, federation_lease
from ..identity.keys import NoKey
from ..messages.leases import LeaseGrant, LeaseRefusal
from ..messages.types import Received
from ..peers.peers import peer_by_id
from ..runtime import Federation, federation_of
from ..transport import Unreachable
from .holder import EXPIRES, expected_sales, give_back, lease_request
from .joined import hold_lanes_to_holders, lock_leases
from .recalling import idle_at_holders, recall
from .row import LotLease, holdings_of, lease_with

PATIENCE = timedelta(seconds=2)  # how long a customer waits
REFUSAL_HOLDS = timedelta(seconds=2)  # during which a refusal also answers the next customer
STEP = 0.05  # seconds between two checks for arrived units
RETURN_UNUSED = "federation.look_at_lease"  # a job: {"peer", "lot"}
CHECK_AFTER = timedelta(seconds=10)  # after this time units that nobody used are returned
_row = federation_lease.c
_NOT_ASKED = or_(_row.asked_until.is_(None), _row.asked_until <= bindparam("at"))
_CLAIM = update(federation_lease).where(_row.id == bindparam("lease"), _NOT_ASKED)
_CHANGE = update(federation_lease).where(_row.id == bindparam("lease"))


@dataclass
class _Shortage:
    """The grains of one lot that one order lacks.

    lease:   under which this instance holds the lot; None for goods of its own, or where no more can be had so
    free:    grains that were free here at the first attempt
    wanted:  grains that nobody to whom they were lent has idle, so that the lender is asked for them
    hopeful: more may arrive while the customer waits
    away:    the lender cannot be reached
    asked:   the lender was asked for this order
    came:    grains granted for this order
    """

    lot: StockLot
    lease: LotLease | None
    missing: int
    free: int
    wanted: int
    hopeful: bool = True
    away: bool = False
    asked: bool = False
    came: int = 0

    @property
    def barred(self) -> bool:
        """Whether the lender, which was asked for it, counts the lot again after a restore."""
        return self.wanted > 0 and self.lease is not None and self.lease.row.barred


@hookimpl
def bring_stock(instance: Instance, missing: Mapping[str, int]) -> bool:
    """Recalls the grains that an order lacks, and asks lenders for the rest and for a little more; `missing` holds
    grains by lot id.

    Returns whether all of it is here now. Raises `Conflict` when a lender cannot be reached: the customer must not read
    "sold out" of goods that may be available.
    """
    federation, until = federation_of(instance), instance.clock.now() + PATIENCE
    with instance.store.read() as tx:
        _refuse_barred([lot.name for id, lot in lots_by_id(tx, missing).items() if is_barred(tx, id)])
        shortages = _shortages(tx, missing)
        if not all(shortage.lease or idle_at_holders(tx, shortage.lot) for shortage in shortages):
            return False  # nobody can supply one of the lots
    for shortage in shortages:
        _recall(federation, shortage)
    if any(shortage.wanted and not shortage.lease for shortage in shortages):
        return False
    for shortage in shortages:
        _ask_lender(federation, shortage)
    _wait(federation, shortages, until)
    if all(_has_arrived(instance, shortage) for shortage in shortages):
        return True
    _return_granted(federation, shortages)
    _refuse_barred([shortage.lot.name for shortage in shortages if shortage.barred])
    unreachable = [shortage.lot.name for shortage in shortages if shortage.away]
    if unreachable:
        names = ", ".join(unreachable)
        text = "The producer of {names} cannot be reached at the moment. Order less of it, or try again in a minute."
        raise Conflict("unreachable", text, names=names)
    return False


def _refuse_barred(names: Collection[str]) -> None:
    """Raises `Conflict` if there are any: behind the barrier of a restore goods may be free, not sold out."""
    if names:
        text = (
            "{names} is being counted after a restore, and cannot be ordered at the moment. Try again in a few minutes."
        )
        raise Conflict("unreachable", text, names=", ".join(sorted(names)))


def _shortages(tx: Transaction, missing: Mapping[str, int]) -> list[_Shortage]:
    leases = {lease.lot.id: lease for lease in holdings_of(tx, missing) if _can_sell_more(tx, lease)}
    return [
        _Shortage(lot, leases.get(id), missing[id], _grains(lot, lot.free), missing[id])
        for id, lot in lots_by_id(tx, missing).items()
    ]


def _recall(federation: Federation, shortage: _Shortage) -> None:
    """Recalls what is idle at those to whom the lot was lent."""
    if not shortage.lot.lent:
        return
    with federation.instance.store.write() as tx:
        lock_leases(tx, shortage.lot.id)
        hold_lanes_to_holders(tx, shortage.lot.id)
        shortage.wanted = recall(federation, tx, shortage.lot.id, shortage.missing)


def _can_sell_more(tx: Transaction, lease: LotLease) -> bool:
    """Whether this instance could sell more of the lot now, if units arrived."""
    stopped = sale_end(tx, lease.row) == NEVER
    return not lease.lot.unlimited and not stopped and peer_by_id(tx, lease.row.peer_id).active


def _ask_lender(federation: Federation, shortage: _Shortage) -> None:
    """Asks the lender, one request at a time for each lot and peer; a second customer waits for its answer too, and
    asks afterwards if that was not enough."""
    store, lease, now = federation.instance.store, shortage.lease, federation.instance.clock.now()
    if lease is None or not shortage.wanted:
        return
    row = lease.row
    if row.refused_until is not None and row.refused_until > now and _beyond(lease) < shortage.wanted:
        shortage.hopeful = False
        return
    if not store.transact(lambda tx: tx.change(_CLAIM, {"lease": row.id, "at": now, "asked_until": now + PATIENCE})):
        return
    shortage.asked = True
    with store.read() as tx:
        body = lease_request(tx, lease, shortage.wanted, shortage.wanted + expected_sales(tx, lease))
    try:
        answer = ask(federation, row.peer_id, "LeaseRequest", body, PATIENCE.total_seconds(), expires=now + EXPIRES)
    except (Unreachable, NoKey):  # what is wrong with our key is for operators; for customers the way is cut
        shortage.away, shortage.hopeful, answer = True, False, None
    refused = isinstance(answer, Received) and isinstance(answer.body, LeaseRefusal)
    store.transact(lambda tx: _record_answer(tx, row, refused))
    if answer is not None and isinstance(answer.body, LeaseGrant):
        shortage.came = max(0, lease.grains(answer.body.granted) - row.granted)
    if answer is not None and isinstance(answer.body, LeaseRefusal):
        shortage.hopeful = lease.grains(answer.body.beyond) >= shortage.wanted


def _record_answer(tx: Transaction, row: FederationLeaseRow, refused: bool) -> None:
    tx.change(
        _CHANGE, {"lease": row.id, "asked_until": None, "refused_until": tx.now + REFUSAL_HOLDS if refused else None}
    )
    enqueue(tx, RETURN_UNUSED, {"peer": row.peer_id, "lot": row.lot_id}, due_at=tx.now + CHECK_AFTER)


def _wait(federation: Federation, shortages: Sequence[_Shortage], until: datetime) -> None:
    """Waits until all units have arrived, or no more can arrive in time."""
    instance = federation.instance
    for _ in range(int(PATIENCE.total_seconds() / STEP)):
        pending = [shortage for shortage in shortages if not _has_arrived(instance, shortage)]
        if not all(shortage.hopeful for shortage in pending) or not pending or instance.clock.now() >= until:
            return
        federation.transport.wait(STEP)
        for shortage in pending:
            if not shortage.asked and _is_answered(instance, shortage):
                _ask_lender(federation, shortage)


def _is_answered(instance: Instance, shortage: _Shortage) -> bool:
    """Whether the lender has answered the request of the customer before, so that it can be asked again."""
    _read_again(instance, shortage)
    return shortage.lease is not None and shortage.lease.row.asked_until is None


def _has_arrived(instance: Instance, shortage: _Shortage) -> bool:
    _read_again(instance, shortage)
    return _grains(shortage.lot, shortage.lot.free) >= shortage.free + shortage.missing


def _read_again(instance: Instance, shortage: _Shortage) -> None:
    """Reads lot and lease anew. Where there is no lease any more the producer has moved here meanwhile, and no more
    comes."""
    with instance.store.read() as tx:
        leases = holdings_of(tx, [shortage.lot.id]) if shortage.lease else []
        shortage.lot = lots_by_id(tx, [shortage.lot.id])[shortage.lot.id]
    if shortage.lease and not leases:
        shortage.hopeful = False
    shortage.lease = leases[0] if leases else None
    if shortage.lease and shortage.barred and _beyond(shortage.lease) < shortage.wanted:
        shortage.hopeful = False


def _return_granted(federation: Federation, shortages: Sequence[_Shortage]) -> None:
    """Returns the units granted for an order that failed, so that others can have them."""
    for shortage in shortages:
        if shortage.came and shortage.lease is not None:
            with federation.instance.store.write() as tx:
                lease = lease_with(tx, "holder", shortage.lease.row.peer_id, lot_id=shortage.lot.id)
                if lease is not None:
                    give_back(federation, tx, lease, shortage.came)


def _grains(lot: StockLot, quantity: Decimal) -> int:
    return int(quantity * lot.per_unit)


def _beyond(lease: LotLease) -> int:
    return lease.grains(lease.lot.beyond)
