"""The old home: it offers the enterprise, freezes and exports it, and hands it over in one transaction.

Until then either side can cancel the move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from commensal import Conflict, NotFound, StockLot, Transaction, demand, enterprise_by_id, insert_rows, sales
from commensal.parts.copies import (
    HomeRights,
    carry_stock,
    leave_home,
    lend_stock,
    refuse_leaving,
    settle_lent,
    stay_home,
    tell_beyond,
)
from commensal.people import Actor
from commensal.products import StockedProduct, count_products, products_of
from commensal.stock import lots_by_id, lots_of, stop_watching_lots

from ..authority.authority import authority_of, set_authority
from ..catalogue.tables import federation_copy, federation_told_price
from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import enterprise_iri, local_id
from ..grants.questions import grants_between
from ..grants.sale_ends import MARGIN, set_sale_ends
from ..grants.tables import federation_grant, federation_lease, federation_mirror, federation_told
from ..leases.joined import forget_joined_lots
from ..leases.row import open_lease, set_lease
from ..messages.bodies.enterprise_rows import parts_of
from ..messages.moving import Move, MoveAccept, MoveCancel, MoveExport, MoveOffer, MoveReady, MoveRow
from ..messages.types import Failed, Refuse
from ..notices.note import note_for_enterprise
from ..orders.signed_orders import keep_moved_orders
from ..orders.tables import federation_order, federation_order_line
from ..peers.peers import Peer, peer_by_id
from ..runtime import Federation
from .export import TERM, export_rows, local_hubs, pages
from .followers import MovedThing, place_copies
from .moves import find_move, move_by_id, open_move, set_move
from .new_home import refuse_unfollowed
from .placing import grains_lent_on, grains_sold_along, moves_along

UNDER_WAY = ("offered", "frozen")
_AT_ONCE = 500


def offer_move(
    federation: Federation, tx: Transaction, enterprise_id: str, peer_id: str, *, by: str | None = None
) -> MoveRow:
    """Offers the enterprise to a peer. Nothing changes until the people there agree.

    Raises `NotFound`, and `Conflict` for a peer that accepts no enterprises of ours, and for an enterprise that lives
    elsewhere, is moving already, has sales of its own that are not over, or has not been followed here by every peer;
    and for what a plugin calls an obstacle.
    """
    enterprise, peer = enterprise_by_id(tx, enterprise_id), peer_by_id(tx, peer_id)
    iri = enterprise_iri(federation.base, enterprise.id)
    _refuse_offer(tx, enterprise.id, enterprise.name, iri, peer)
    refuse_leaving(tx, federation.instance.hooks, enterprise.id)
    refuse_unfollowed(federation, tx, enterprise.id, enterprise.name)
    epoch = authority_of(tx, iri).epoch + 1
    move = open_move(
        tx,
        "leaving",
        "offered",
        peer_id=peer.id,
        name=enterprise.name,
        old_iri=iri,
        epoch=epoch,
        enterprise_id=enterprise.id,
        created_by=by,
    )
    count = count_products(tx, enterprise.id)
    body = MoveOffer(enterprise=iri, name=enterprise.name, products=count, epoch=epoch)
    post(federation, tx, peer.id, "MoveOffer", body, on_behalf_of=iri)
    return move


def demand_leaving(tx: Transaction, actor: Actor, move: MoveRow) -> None:
    """Requires that the actor may cancel the move: who could offer it, also while it is frozen, when every role is
    read-only.

    Raises `NotFound`, and `Forbidden` for members with another role.
    """
    if move.role != "leaving" or move.enterprise_id is None:
        raise NotFound("no_move", "There is no such move.")
    if move.state != "frozen":
        demand(tx, actor, "members:write", move.enterprise_id)
    elif move.said.get("kept_by"):
        demand(tx, actor, "members:write", move.said["kept_by"])
    elif move.said["roles"].get(actor.person_id, "").split()[:1] != ["owner"]:  # further rights follow the role
        raise NotFound("no_move", "There is no such move.")


def cancel_leaving(federation: Federation, tx: Transaction, move_id: str) -> MoveRow:
    """Cancels a move: the enterprise stays. Raises `NotFound`, `Conflict` once it is handed over."""
    move = move_by_id(tx, move_id)
    if move.role != "leaving" or move.state not in UNDER_WAY:
        raise Conflict("move_state", "This move is {state}.", state=move.state)
    if move.new_iri:
        raise Conflict(
            "handed_over",
            "{name} has moved to {address} before a restore. Complete the move.",
            name=move.name,
            address=move.new_iri,
        )
    body = MoveCancel(enterprise=move.old_iri)
    post(federation, tx, move.peer_id, "MoveCancel", body, on_behalf_of=move.old_iri)
    return _unfreeze(tx, move, "cancelled")


def take_move_answer(federation: Federation, tx: Transaction, peer: Peer, answer: MoveAccept) -> None:
    """Freezes and exports the enterprise when the new home accepts, or keeps it when the new home refuses, or when a
    plugin has an obstacle by now.

    Raises `Refuse` for an enterprise that was not offered to this peer.
    """
    move = find_move(tx, "leaving", UNDER_WAY, iri=answer.enterprise, peer_id=peer.id)
    if move is None:
        raise Refuse("no_move", "That enterprise was not offered to you.")
    if not answer.accepted:
        _unfreeze(tx, move, "refused")
        note_for_enterprise(tx, str(move.enterprise_id), "move_refused", peer.id, move.id, reason="")
    elif move.state == "offered":
        try:
            refuse_leaving(tx, federation.instance.hooks, str(move.enterprise_id))
        except Conflict as error:  # it has come up since the offer
            stays = cancel_leaving(federation, tx, move.id)
            set_move(tx, stays, error=f"{error.code}: {error}"[:500])
            alert(tx, peer.id, "move", f"{move.old_iri} stays: {error.code}: {error}")
        else:
            _freeze(federation, tx, move)


def take_export_refusal(federation: Federation, tx: Transaction, failed: Failed[MoveExport]) -> None:
    """Keeps the enterprise, with an alert, when the new home could not import it."""
    iri = failed.body.enterprise
    move = find_move(tx, "leaving", UNDER_WAY, iri=iri, peer_id=failed.peer.id)
    if move is not None:
        set_move(tx, _unfreeze(tx, move, "refused"), error=f"{failed.code}: {failed.text}"[:500])
        reason = {"reason": failed.text}
        note_for_enterprise(tx, str(move.enterprise_id), "move_refused", failed.peer.id, move.id, **reason)
        alert(tx, failed.peer.id, "move", f"{iri} stays: {failed.code}: {failed.text}")


def hand_over_enterprise(federation: Federation, tx: Transaction, peer: Peer, ready: MoveReady) -> None:
    """Hands the enterprise over: from this transaction on the new home has authority, and we have a copy.

    Notifies all peers that trade with it. Raises `Refuse` for a move that was not agreed with this peer.
    """
    move = find_move(tx, "leaving", ("frozen",), iri=ready.enterprise, peer_id=peer.id)
    if move is None or move.enterprise_id is None:
        raise Refuse("no_move", "That enterprise does not move to you.")
    if move.new_iri:
        return  # handed over before a restore: a person completes that, see `restored`
    if local_id(peer.base, ready.moved_to, "enterprises") is None:
        raise Refuse("authority", "It can only move to an address of yours.")
    peer_ids = _trading_peers(tx, move.enterprise_id) | {peer.id}
    set_authority(tx, move.old_iri, epoch=move.epoch, moved_to=ready.moved_to)
    set_authority(tx, ready.moved_to, epoch=move.epoch, came_from=move.old_iri)
    apart = become_copy(tx, move, peer, ready)
    set_move(tx, move, state="moved", new_iri=ready.moved_to)
    body = Move(enterprise=move.old_iri, moved_to=ready.moved_to, epoch=move.epoch, renamed=ready.renamed, apart=apart)
    for peer_id in sorted(peer_ids):
        if peer_by_id(tx, peer_id).state in ("accepted", "suspended"):
            post(federation, tx, peer_id, "Move", body, on_behalf_of=move.old_iri)


# ------------------------------------------------------------------------------------------------ freeze and thaw


def _freeze(federation: Federation, tx: Transaction, move: MoveRow) -> None:
    """Stops new sales, grants and leases of the enterprise and sends the export. Orders and leases continue."""
    enterprise_id = str(move.enterprise_id)
    frozen = take_off_sale(tx, enterprise_id)
    rows = list(export_rows(federation, tx, enterprise_id, move.peer_id, frozen.lots, frozen.levels))
    set_move(tx, move, state="frozen", said=frozen.said)
    parts = list(parts_of(rows))
    for part, part_rows in enumerate(parts, 1):
        body = MoveExport(enterprise=move.old_iri, part=part, parts=len(parts), rows=tuple(part_rows))
        post(federation, tx, move.peer_id, "MoveExport", body, on_behalf_of=move.old_iri)


@dataclass(frozen=True)
class FrozenTrade:
    """The rights at the enterprise, and its lots and their levels in grains by lot, at the freeze: free, reserved,
    sold."""

    rights: HomeRights
    lots: Mapping[str, StockLot]
    levels: Mapping[str, tuple[int, int, int]]

    @property
    def said(self) -> dict[str, object]:
        """What the row of the move keeps."""
        rights = {"roles": self.rights.roles, "grants": self.rights.grants, "kept_by": self.rights.kept_by}
        return {**rights, "levels": self.levels}


def take_off_sale(tx: Transaction, enterprise_id: str) -> FrozenTrade:
    """Leaves nobody the right to change the enterprise, and takes all that is free off sale."""
    row = federation_lease.c
    conditions = (row.role == "lender", row.enterprise_id == enterprise_id)
    tx.all(select(row.id).where(*conditions).order_by(row.id).with_for_update())  # a lease is locked before its lot
    rights = leave_home(tx, enterprise_id)
    lots, levels = {}, {}
    for lot in pages(lambda after: lots_of(tx, enterprise_id, after=after, limit=_AT_ONCE), lambda lot: lot.id):
        lots[lot.id], levels[lot.id] = _reserve_free_stock(tx, lot.id)
    return FrozenTrade(rights, lots, levels)


def _reserve_free_stock(tx: Transaction, lot_id: str) -> tuple[StockLot, tuple[int, int, int]]:
    """Keeps the free stock for the new home. Returns the lot, and its free, reserved and sold grains before that."""
    tell_beyond(tx, lot_id, 0, tx.now)  # locks it
    lot = lots_by_id(tx, [lot_id])[lot_id]
    free, reserved, sold = (int(quantity * lot.per_unit) for quantity in (lot.free, lot.reserved, lot.sold))
    if free and not lend_stock(tx, lot_id, free, note="for the new home"):
        raise AssertionError(f"the lot {lot_id} has changed under its lock")
    return lots_by_id(tx, [lot_id])[lot_id], (free, reserved, sold)


def _unfreeze(tx: Transaction, move: MoveRow, state: str) -> MoveRow:
    """Undoes the freeze: the enterprise stays as it was. Returns the move in its new state."""
    if move.state == "frozen":
        # frozen by 0.1.0: without grants; by 0.2.0: without the hub that keeps it
        rights = HomeRights(move.said["roles"], move.said.get("grants", ()), move.said.get("kept_by"))
        stay_home(tx, str(move.enterprise_id), rights)
        for lot_id, (free, _, _) in sorted(move.said["levels"].items()):
            if free and not settle_lent(tx, lot_id, back=free, note="stays"):
                raise AssertionError(f"the lot {lot_id} has lent less than was kept")
    lots = sorted(move.said["levels"]) if move.state == "frozen" else ()
    unfrozen = set_move(tx, move, state=state, said={})
    set_sale_ends(tx, lots)
    return unfrozen


# ------------------------------------------------------------------------------------------------ what stays behind


def _trading_peers(tx: Transaction, enterprise_id: str) -> set[str]:
    """Returns the peers that have, or had, grants, leases or orders with the enterprise."""
    grant, lease, order = federation_grant.c, federation_lease.c, federation_order.c
    queries = (
        select(grant.peer_id).where(grant.enterprise_id == enterprise_id),
        select(lease.peer_id).where(lease.enterprise_id == enterprise_id),
        select(order.peer_id).where(order.enterprise_id == enterprise_id),
    )
    return {row["peer_id"] for query in queries for row in tx.all(query.distinct())}


def forget_trade(tx: Transaction, enterprise_id: str, new_home_id: str) -> None:
    """Deletes the grants, leases and orders that it had as a producer and that moved. What was signed stays here, and
    what hubs here have lent on."""
    keep_moved_orders(tx, enterprise_id)
    forget_joined_lots(tx, enterprise_id)
    lease, order = federation_lease.c, federation_order.c
    lent = (lease.role == "lender", lease.enterprise_id == enterprise_id)
    tx.execute(delete(federation_lease).where(*lent, moves_along(new_home_id)))
    grants = [grant.id for grant in grants_between(tx, enterprise_id=enterprise_id, direction="given")]
    for table in (federation_told, federation_told_price):
        tx.execute(delete(table).where(table.c.grant_id.in_(grants)))
    tx.execute(delete(federation_grant).where(federation_grant.c.id.in_(grants)))
    received = (federation_grant.c.direction == "received", federation_grant.c.enterprise_id == enterprise_id)
    # Grants that it has received are offered again at its new home.
    tx.execute(update(federation_grant).where(*received).values(state="revoked"))
    supplied = (order.role == "supplier", order.enterprise_id == enterprise_id)
    lines = federation_order_line.c.order_id.in_(select(order.id).where(*supplied))
    tx.execute(delete(federation_order_line).where(lines))
    tx.execute(delete(federation_order).where(*supplied))


def become_copy(tx: Transaction, move: MoveRow, peer: Peer, ready: MoveReady) -> tuple[str, ...]:
    """Makes the enterprise a copy of the one at the new home, as at any instance that trades with it, and deletes the
    trade that has moved.

    Returns the ids of lots that hubs here have leased from a hub at the new home too.
    """
    enterprise_id = str(move.enterprise_id)
    sold_along = grains_sold_along(tx, enterprise_id, peer.id)
    forget_trade(tx, enterprise_id, peer.id)
    stop_watching_lots(tx, enterprise_id)
    mirror = {"iri": ready.moved_to, "peer_id": peer.id, "enterprise_id": enterprise_id, "created_at": tx.now}
    tx.execute(insert(federation_mirror), mirror)
    products = pages(lambda after: products_of(tx, enterprise_id, after=after, limit=_AT_ONCE), _product_id)
    levels = move.said["levels"]
    things = [MovedThing(stocked.product.id, "product", stocked.product.id) for stocked in products]
    things += [MovedThing(lot_id, "lot", lot_id) for lot_id in sorted(levels)]
    placed = place_copies(tx, enterprise_id, peer.base, things, ready.renamed, move.epoch)
    insert_rows(
        tx,
        federation_copy,
        [
            {"iri": placed.iris[thing.id], "peer_id": peer.id, "kind": thing.kind, "local_id": thing.id, "image": ""}
            for thing in things
        ],
    )
    lent_on = grains_lent_on(tx, enterprise_id, peer.id)
    for lot_id, (_, reserved, sold) in sorted(levels.items()):
        held, along = reserved + lent_on[lot_id], min(sold, sold_along[lot_id])
        _lease_back(
            tx,
            peer,
            enterprise_id,
            lot_id,
            placed.iris[lot_id],
            held=held,
            lent=lent_on[lot_id],
            sold=sold - along,
            sold_along=along,
        )
    for hub_id, _ in local_hubs(tx, enterprise_id):
        _receive_grant(tx, hub_id, move, peer, ready.moved_to)
    return placed.apart


def _lease_back(
    tx: Transaction,
    peer: Peer,
    enterprise_id: str,
    lot_id: str,
    iri: str,
    *,
    held: int,
    lent: int,
    sold: int,
    sold_along: int,
) -> None:
    """Holds by a lease from the new home the stock that was reserved at the freeze, is lent on, or was handed over by
    this instance; what peers have sold, and all the rest, has moved."""
    tell_beyond(tx, lot_id, 0, tx.now + TERM - MARGIN)
    lot = lots_by_id(tx, [lot_id])[lot_id]
    if lot.unlimited:
        held = sold = sold_along = 0
    lent_away = int(lot.lent * lot.per_unit) - lent
    if not carry_stock(tx, lot_id, lent=-lent_away, sold=-sold_along, note=peer.name):
        raise AssertionError(f"the lot {lot_id} has changed under its lock")
    lease = open_lease(tx, "holder", peer.id, enterprise_id, lot_id, iri)
    granted = held + sold
    set_lease(tx, lease, granted=granted, seen=granted, held=held, sold=sold, until=tx.now + TERM)


def _receive_grant(tx: Transaction, hub_id: str, move: MoveRow, peer: Peer, grantor: str) -> None:
    row: dict[str, object] = {
        "id": tx.new_id(),
        "direction": "received",
        "peer_id": peer.id,
        "enterprise_id": hub_id,
        "other_iri": grantor,
        "other_name": move.name,
        "category_id": None,
        "resell": False,
        "state": "accepted",
        "created_at": tx.now,
        "changed_at": tx.now,
        "version": 1,
    }
    tx.execute(insert(federation_grant), row)


def _refuse_offer(tx: Transaction, enterprise_id: str, name: str, iri: str, peer: Peer) -> None:
    if not peer.active or "enterprise.move" not in peer.scopes_received:
        raise Conflict(
            "peer_scope",
            "{name} takes no enterprises of this instance, unless its operator allows it: enterprise.move.",
            name=peer.name,
        )
    copy = select(federation_mirror.c.iri).where(federation_mirror.c.enterprise_id == enterprise_id)
    if tx.first(copy) is not None:
        raise Conflict("lives_elsewhere", "{name} lives at another instance; only there can it move.", name=name)
    if find_move(tx, "leaving", UNDER_WAY, iri=iri) is not None:
        raise Conflict("moving", "This enterprise is moving to another instance. Wait for that, or cancel it.")
    if sales(tx, openness="both", shop_id=enterprise_id, limit=1):
        text = "{name} has sales of its own that are not over. Let them end, or cancel them, before it moves."
        raise Conflict("own_sales", text, name=name)


def _product_id(stocked: StockedProduct) -> str:
    return stocked.product.id
