"""Until when a lot may be sold here, and why not at all: the one place that decides it, whatever the reason.

The barrier: a restored instance has forgotten what it granted, gave back and sold since its backup. Its peers keep
that, signed, and give it back; until they have, each lot that travels may be promised elsewhere. So nothing of it is
sold or lent until every peer that may hold some of it has answered, or a person has gone on without it by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, select, union, update

from commensal import Row, Transaction, lots_by_id, lots_of, sell_until, who_lists

from ..authority.authority import is_frozen, is_quarantined
from ..catalogue.tables import federation_grant, federation_mirror, federation_told
from ..delivery.alerts import alert
from ..peers.tables import federation_peer
from .tables import federation_lease

MARGIN = timedelta(minutes=2)  # before the end of a lease in which nothing of it is sold: clocks differ
NOT_AT_ALL = datetime(1970, 1, 1, tzinfo=UTC)  # is past on every clock, also on one that is set back
LEASING = "stock.lease"  # the scope without which a peer holds nothing of ours
_AT_ONCE = 500
_lease, _peer, _grant, _told = federation_lease.c, federation_peer.c, federation_grant.c, federation_told.c
_BEHIND = select(_peer.id, _peer.scopes_given).where(_peer.barrier)
_GRANTORS = select(_grant.enterprise_id).where(_grant.direction == "given").distinct()
_LEASED = select(_lease.lot_id, _lease.role, _lease.peer_id, _lease.until).where(
    _lease.lot_id.in_(bindparam("lots", expanding=True))
)
_SELLS = (
    select(_grant.id)
    .join(federation_mirror, federation_mirror.c.iri == _grant.other_iri)
    .join(federation_peer, _peer.id == _grant.peer_id)
    .where(federation_mirror.c.enterprise_id == bindparam("producer"), _grant.direction == "received")
    .where(_grant.state == "accepted", _peer.state == "accepted", ~_peer.refusing)
    .limit(1)
)
_OF_PEER = select(_lease.lot_id).where(_lease.peer_id == bindparam("peer"))


def is_barred(tx: Transaction, lot_id: str) -> bool:
    """Whether somebody may hold some of this lot, or have got it back, of whom a restore has made us forget it."""
    behind = _behind(tx)
    if not behind:
        return False
    leases = tx.all(_LEASED, {"lots": [lot_id]})
    return _barred(tx, lot_id, leases, behind)


def set_ends(tx: Transaction, lot_ids: Collection[str]) -> None:
    """Decides anew until when these lots may be sold here, whatever has changed."""
    ids, behind = sorted(lot_ids), _behind(tx)
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        leases: dict[str, list[Row]] = {lot_id: [] for lot_id in some}
        for row in tx.all(_LEASED, {"lots": some}):
            leases[row["lot_id"]].append(row)
        lots = lots_by_id(tx, some)
        sell_until(tx, {id: _end(tx, id, lots[id].enterprise_id, leases[id], behind) for id in some if id in lots})


def end_of(tx: Transaction, lease: Row) -> datetime | None:
    """Until when (UTC) what is held by this lease may be sold; None: nothing has been granted yet."""
    lot_id = lease["lot_id"]
    return _end(tx, lot_id, lease["enterprise_id"], tx.all(_LEASED, {"lots": [lot_id]}), _behind(tx))


def sells(tx: Transaction, producer_id: str) -> bool:
    """Whether some hub here may sell the goods of this producer elsewhere now; `producer_id` is its copy here."""
    return tx.first(_SELLS, {"producer": producer_id}) is not None


def raise_barrier(tx: Transaction, peer_ids: Collection[str]) -> None:
    """After a restore: nothing that travels is sold or lent until these peers have given back what they know."""
    tx.execute(update(federation_peer).where(_peer.id.in_(sorted(peer_ids))).values(barrier=True))
    set_ends(tx, set(_travelling(tx)))


def lift_barrier(tx: Transaction, peer_id: str) -> bool:
    """The peer has given back what it knows, or a person goes on without that. False where there is no barrier."""
    lifted = update(federation_peer).where(_peer.id == peer_id, _peer.barrier)
    if tx.execute(lifted.values(barrier=False)).rowcount != 1:
        return False
    set_ends(tx, set(_travelling(tx)))
    return True


def tell_barrier(tx: Transaction, peer_id: str) -> None:
    """The peer does not answer: a person may have to go on without it."""
    text = "Nothing that it may hold is sold or lent until it answers, or somebody goes on without it by its name."
    if tx.value(select(_peer.barrier).where(_peer.id == peer_id)):
        alert(tx, peer_id, "barrier", text)


def lots_of_peer(tx: Transaction, peer_id: str) -> set[str]:
    """All lots of which either of the two has leased something from the other."""
    return {row["lot_id"] for row in tx.all(_OF_PEER, {"peer": peer_id})}


def _behind(tx: Transaction) -> dict[str, bool]:
    """Peers behind the barrier, and whether each may lease here."""
    return {row["id"]: LEASING in row["scopes_given"] for row in tx.all(_BEHIND)}


def _end(
    tx: Transaction, lot_id: str, enterprise_id: str, leases: Collection[Row], behind: dict[str, bool]
) -> datetime | None:
    held = next((row for row in leases if row["role"] == "holder"), None)
    if held is None:
        stopped = is_frozen(tx, enterprise_id)
    else:
        stopped = is_quarantined(tx, enterprise_id) or not sells(tx, enterprise_id)
    if stopped or (behind and _barred(tx, lot_id, leases, behind)):
        return NOT_AT_ALL
    return None if held is None or held["until"] is None else held["until"] - MARGIN


def _barred(tx: Transaction, lot_id: str, leases: Collection[Row], behind: dict[str, bool]) -> bool:
    if any(row["role"] == "holder" and row["peer_id"] in behind for row in leases):
        return True
    if not any(behind.values()):
        return False
    lent = any(row["role"] == "lender" for row in leases)
    return lent or bool(who_lists(tx, lot_id) & _grantors(tx))


def _grantors(tx: Transaction) -> set[str]:
    """Enterprises here that have ever granted something: what they list may have been lent to whoever may lease."""
    return {row["enterprise_id"] for row in tx.all(_GRANTORS)}


def _travelling(tx: Transaction) -> Iterator[str]:
    """All lots that are leased, or may be."""
    for row in tx.all(union(select(_lease.lot_id), select(_told.lot_id))):
        yield row["lot_id"]
    for enterprise_id in sorted(_grantors(tx)):
        after = ""
        while found := lots_of(tx, enterprise_id, after=after, limit=_AT_ONCE):
            yield from (one.id for one in found)
            after = found[-1].id
