"""A customer of the hub waits: what their order is short of is asked for where the goods are, and comes within seconds.

Whoever waits has two seconds. A lender that has to call units back from another hub, or to ask further itself, says so
in its refusal (there is something beyond), and then its grant may come within the rest of them. What came for an order
that is refused all the same goes home at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, update

from commensal import Conflict, Instance, Transaction, hookimpl, promise

from ..delivery import ask
from ..messages.bodies.leases import LeaseGrant, LeaseRefusal
from ..messages.types import Received
from ..peers.peers import peer_by_id
from ..runtime import Federation, federation_of
from ..transport import Unreachable
from .holder import EXPIRES, ahead, give_back, request
from .row import Held, holdings_of, lease_with
from .sales import NOT_AT_ALL, end_of
from .tables import federation_lease

PATIENCE = timedelta(seconds=2)  # of a customer
SHORTLY = timedelta(seconds=2)  # for which a refusal counts for the next customer too
STEP = 0.05  # seconds between two looks whether something has come
LOOK = "federation.look_at_lease"  # a job: {"peer", "lot"}
UNUSED = timedelta(seconds=10)  # after which it is looked whether what came was needed
_row = federation_lease.c
_FREE = or_(_row.asked_until.is_(None), _row.asked_until <= bindparam("at"))
_CLAIM = update(federation_lease).where(_row.id == bindparam("lease"), _FREE)
_CHANGE = update(federation_lease).where(_row.id == bindparam("lease"))


@dataclass
class _Wanted:
    """What one order lacks of one lot, in grains, of which `free` were there when it was first tried.

    hopeful: more may come before the customer has gone
    away:    the lender cannot be reached
    came:    grains that were granted for this order
    """

    lease: Held
    missing: int
    free: int
    hopeful: bool = True
    away: bool = False
    came: int = 0

    @property
    def lot_id(self) -> str:
        return str(self.lease.row["lot_id"])


@hookimpl
def bring_stock(instance: Instance, missing: Mapping[str, int]) -> bool:
    """Asks lenders for what an order was short of, and for a little more, while the customer waits.

    Raises `Conflict` where a lender cannot be reached, so that nobody reads "sold out" of what may be there.
    """
    federation, until = federation_of(instance), instance.clock.now() + PATIENCE
    with instance.store.read() as tx:
        wanted = [_Wanted(one, missing[one.lot.id], one.free) for one in holdings_of(tx, missing) if _may(tx, one)]
    if len(wanted) < len(missing):
        return False  # of something nobody can bring any
    for one in wanted:
        _ask(federation, one)
    _wait(federation, wanted, until)
    if all(_is_there(instance, one) for one in wanted):
        return True
    _send_back(federation, wanted)
    away = [one for one in wanted if one.away]
    if away:
        names = ", ".join(one.lease.lot.name for one in away)
        text = "The producer of {names} cannot be reached at the moment. Order less of it, or try again in a minute."
        raise Conflict("unreachable", text, names=names)
    return False


def _may(tx: Transaction, lease: Held) -> bool:
    """Whether more of the lot could be sold here now, if it came."""
    stopped = end_of(tx, lease.row) == NOT_AT_ALL
    return not lease.lot.unlimited and not stopped and peer_by_id(tx, lease.row["peer_id"]).active


def _ask(federation: Federation, wanted: _Wanted) -> None:
    """One question at a time for each lot and peer: who comes while another's is under way waits for what it brings."""
    store, row = federation.instance.store, wanted.lease.row
    now = federation.instance.clock.now()
    if row["refused_until"] is not None and row["refused_until"] > now and _beyond(wanted.lease) < wanted.missing:
        wanted.hopeful = False
        return
    if not store.transact(lambda tx: tx.change(_CLAIM, {"lease": row["id"], "at": now, "asked_until": now + PATIENCE})):
        return
    with store.read() as tx:
        body = request(wanted.lease, wanted.missing, wanted.missing + ahead(tx, wanted.lease))
    try:
        answer = ask(federation, row["peer_id"], "LeaseRequest", body, PATIENCE.total_seconds(), expires=now + EXPIRES)
    except Unreachable:
        wanted.away, wanted.hopeful, answer = True, False, None
    refused = isinstance(answer, Received) and isinstance(answer.body, LeaseRefusal)
    store.transact(lambda tx: _asked(tx, row, refused))
    if answer is not None and isinstance(answer.body, LeaseGrant):
        wanted.came = max(0, wanted.lease.grains(answer.body.granted) - row["granted"])
    if answer is not None and isinstance(answer.body, LeaseRefusal):
        wanted.hopeful = wanted.lease.grains(answer.body.beyond) >= wanted.missing


def _asked(tx: Transaction, row: Mapping[str, object], refused: bool) -> None:
    tx.change(
        _CHANGE, {"lease": row["id"], "asked_until": None, "refused_until": tx.now + SHORTLY if refused else None}
    )
    promise(tx, LOOK, {"peer": row["peer_id"], "lot": row["lot_id"]}, due_at=tx.now + UNUSED)


def _wait(federation: Federation, wanted: Sequence[_Wanted], until: datetime) -> None:
    """Until all is there, or nothing more can come in time."""
    instance = federation.instance
    for _ in range(int(PATIENCE.total_seconds() / STEP)):
        short = [one for one in wanted if not _is_there(instance, one)]
        if not all(one.hopeful for one in short) or not short or instance.clock.now() >= until:
            return
        federation.transport.wait(STEP)


def _is_there(instance: Instance, wanted: _Wanted) -> bool:
    with instance.store.read() as tx:
        (now,) = holdings_of(tx, [wanted.lot_id])
    return now.free >= wanted.free + wanted.missing


def _send_back(federation: Federation, wanted: Sequence[_Wanted]) -> None:
    """The order is refused: what came for it is not kept from others."""
    for one in wanted:
        if one.came:
            with federation.instance.store.write() as tx:
                lease = lease_with(tx, "holder", one.lease.row["peer_id"], lot_id=one.lot_id)
                if lease is not None:
                    give_back(federation, tx, lease, one.came)


def _beyond(lease: Held) -> int:
    return lease.grains(lease.lot.beyond)
