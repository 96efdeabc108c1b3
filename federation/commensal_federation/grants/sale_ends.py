"""Decides until when a lot may be sold here, or that it may not be sold at all; no other module decides this.

The barrier: a restored instance has forgotten what it granted, returned and sold since its backup. Its peers have kept
that, signed, and send it back; until they have, each lot here may be promised elsewhere, also of an enterprise whose
first grant came after the backup. So none of it is sold or lent until every peer that may lease here has answered, or a
person goes on without that peer by its name.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, select, update

from commensal import Row, Transaction, enqueue
from commensal.enterprises import every_enterprise
from commensal.parts.copies import sell_until
from commensal.stock import lots_by_id, lots_of

from ..authority.authority import is_frozen, is_quarantined
from ..peers.tables import federation_peer
from .tables import FederationLeaseRow, federation_grant, federation_lease, federation_mirror

MARGIN = timedelta(minutes=2)  # sales stop so long before a lease ends, because clocks differ
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # a moment past on every clock, even one that runs late
LEASING = "stock.lease"  # a peer without this scope holds nothing of ours
# A job: {"lot": its id}, or {"after": the id of a lot} for all that follow, which tells hubs what may be had again.
TELL_LEVELS = "federation.tell_levels"
_AT_ONCE = 500
_NAMED = 10  # lots named in a text
_lease, _peer, _grant = federation_lease.c, federation_peer.c, federation_grant.c
_BEHIND = select(_peer.id, _peer.scopes_given).where(_peer.barrier)
_LEASED = select(_lease.lot_id, _lease.role, _lease.peer_id, _lease.until).where(
    _lease.lot_id.in_(bindparam("lots", expanding=True))
)
_SELLS = (
    select(_grant.enterprise_id)
    .join(federation_mirror, federation_mirror.c.iri == _grant.other_iri)
    .join(federation_peer, _peer.id == _grant.peer_id)
    .where(federation_mirror.c.enterprise_id == bindparam("producer"), _grant.direction == "received")
    .where(_grant.state == "accepted", _peer.state == "accepted", ~_peer.refusing)
    .order_by(_grant.enterprise_id)
)
_IS_SOLD = _SELLS.limit(1)
_OF_PEER = select(_lease.lot_id).where(_lease.peer_id == bindparam("peer"))


def is_barred(tx: Transaction, lot_id: str) -> bool:
    """Whether a peer behind the barrier may hold, or have received back, units of this lot."""
    behind = _barrier_peers(tx)
    if not behind:
        return False
    return _barred(tx.all(_LEASED, {"lots": [lot_id]}), behind)


def set_sale_ends(tx: Transaction, lot_ids: Collection[str]) -> None:
    """Decides anew until when these lots may be sold here. To be called after any change that bears on it."""
    ids, behind = sorted(lot_ids), _barrier_peers(tx)
    for first in range(0, len(ids), _AT_ONCE):
        chunk = ids[first : first + _AT_ONCE]
        leases: dict[str, list[Row]] = {lot_id: [] for lot_id in chunk}
        for row in tx.all(_LEASED, {"lots": chunk}):
            leases[row["lot_id"]].append(row)
        lots = lots_by_id(tx, chunk)
        sell_until(
            tx, {id: _sale_end(tx, id, lots[id].enterprise_id, leases[id], behind) for id in chunk if id in lots}
        )


def sale_end(tx: Transaction, lease: FederationLeaseRow) -> datetime | None:
    """Returns until when (UTC) units of this lease may be sold; None when nothing has been granted yet."""
    rows = tx.all(_LEASED, {"lots": [lease.lot_id]})
    return _sale_end(tx, lease.lot_id, lease.enterprise_id, rows, _barrier_peers(tx))


def is_sold_here(tx: Transaction, producer_id: str) -> bool:
    """Whether a hub here may sell goods of this remote producer now; `producer_id` is the producer's copy here."""
    return tx.first(_IS_SOLD, {"producer": producer_id}) is not None


def hubs_selling(tx: Transaction, producer_id: str) -> list[str]:
    """Returns the ids of the hubs here that may sell goods of this remote producer now."""
    return [row["enterprise_id"] for row in tx.all(_SELLS, {"producer": producer_id})]


def raise_barrier(tx: Transaction, peer_ids: Collection[str]) -> None:
    """Raises the barrier after a restore: nothing that they may hold is sold or lent until they have reported."""
    tx.execute(update(federation_peer).where(_peer.id.in_(sorted(peer_ids))).values(barrier=True))
    set_sale_ends(tx, _every_lot(tx))


def lift_barrier(tx: Transaction, peer_id: str) -> bool:
    """Lifts the barrier of a peer that has sent what it knows, or without which a person goes on.

    Returns False when there was none.
    """
    change = update(federation_peer).where(_peer.id == peer_id, _peer.barrier)
    if tx.execute(change.values(barrier=False)).rowcount != 1:
        return False
    set_sale_ends(tx, _every_lot(tx))
    enqueue(tx, TELL_LEVELS, {"after": ""})  # they last heard that nothing is to be had
    return True


def names_behind_barrier(tx: Transaction, peer_id: str) -> str | None:
    """Returns the names of the lots behind the peer's barrier, at most `_NAMED`, and how many there are besides.

    Returns None when the peer is behind no barrier.
    """
    if not tx.value(select(_peer.barrier).where(_peer.id == peer_id)):
        return None
    barred = sorted(id for id in _every_lot(tx) if is_barred(tx, id))
    names = sorted(lot.name for lot in lots_by_id(tx, barred[:_NAMED]).values())
    more = [f"{len(barred) - _NAMED} more"] if len(barred) > _NAMED else []
    return ", ".join([*names, *more])


def update_peer_sales(tx: Transaction, peer_id: str) -> None:
    """Decides anew whether the peer's goods are sold here, after it was suspended or resumed."""
    set_sale_ends(tx, lots_of_peer(tx, peer_id))


def lots_of_peer(tx: Transaction, peer_id: str) -> set[str]:
    """Returns all lots that this peer has leased from us, or we from it."""
    return {row["lot_id"] for row in tx.all(_OF_PEER, {"peer": peer_id})}


def _barrier_peers(tx: Transaction) -> dict[str, bool]:
    """Returns the peers behind the barrier, each with whether it may lease here."""
    return {row["id"]: LEASING in row["scopes_given"] for row in tx.all(_BEHIND)}


def _sale_end(
    tx: Transaction, lot_id: str, enterprise_id: str, leases: Collection[Row], behind: dict[str, bool]
) -> datetime | None:
    holding = next((row for row in leases if row["role"] == "holder"), None)
    if holding is None:
        stopped = is_frozen(tx, enterprise_id)
    else:
        stopped = is_quarantined(tx, enterprise_id) or not is_sold_here(tx, enterprise_id)
    if stopped or (behind and _barred(leases, behind)):
        return NEVER
    return None if holding is None or holding["until"] is None else holding["until"] - MARGIN


def _barred(leases: Collection[Row], behind: dict[str, bool]) -> bool:
    return any(behind.values()) or any(row["role"] == "holder" and row["peer_id"] in behind for row in leases)


def _every_lot(tx: Transaction) -> set[str]:
    """Returns the ids of all lots here: which of them had been granted to a peer, a restored instance cannot know."""
    lot_ids: set[str] = set()
    for enterprise in every_enterprise(tx):
        after = ""
        while lots := lots_of(tx, enterprise.id, after=after, limit=_AT_ONCE):
            lot_ids.update(lot.id for lot in lots)
            after = lots[-1].id
    return lot_ids
