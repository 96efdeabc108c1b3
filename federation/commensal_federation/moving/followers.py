"""A peer's side of a move: it follows when the old home announces the move and the documents of both homes agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import CompoundSelect, bindparam, delete, select, update

from commensal import Instance, Job, Row, Transaction, clock_in_doubt, enqueue

from ..authority.authority import authority_of, refuse_old_epoch, set_authority
from ..catalogue.grants import send_offer
from ..catalogue.tables import federation_copy, federation_item
from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import local_id, lot_iri, product_iri
from ..grants.questions import grant_by_id
from ..grants.tables import federation_grant, federation_lease, federation_mirror
from ..leases.holder import ask_again, report
from ..leases.joined import adopt_lots, id_apart
from ..leases.row import lease_by_id
from ..messages.moving import Move, MoveFollowed, MoveRow
from ..messages.types import Refuse
from ..orders.hub import resend_order
from ..orders.questions import order_by_iri
from ..orders.tables import federation_cut, federation_order, federation_order_line
from ..peers.peers import Peer
from ..proposals.tables import federation_sale
from ..runtime import LONGEST, Federation, federation_of
from ..transport import Unreachable
from .document import EnterpriseDocument, NoDocument, fetch_enterprise
from .moves import base_of, find_move, move_by_id, open_move, peer_at, set_move
from .new_home import complete_arrival
from .placing import rebased
from .quarantine import end_quarantine, take_statement

# Where copies go when their producer moves, also when the same goods came here through a hub at the new home already.
#
# Then there are two copies here of what is one thing from now on. A product is copied once: the producer's own way
# stays, and the reseller withdraws its items, since it lives beside the producer. Of a lot there are two leases here,
# each with counts that are right, messages under way, and perhaps stock lent on. Both go on: the lease with the old
# home is kept apart at the new one (`leases.joined`), and is used up, because the producer's products take from the
# other lot as soon as the new home has sent its catalogue.

_copy = federation_copy.c


@dataclass(frozen=True)
class MovedThing:
    """A product or lot of an enterprise that moves: its id here, and its id at the old home."""

    id: str
    kind: Literal["product", "lot"]
    old_id: str

    @classmethod
    def of(cls, copy: Row, old_base: str) -> MovedThing | None:
        """Reads a copy's row; None for a thing that is not of the old home."""
        old_id = local_id(old_base, copy["iri"], "supplied_products" if copy["kind"] == "product" else "stocks")
        return None if old_id is None else cls(copy["local_id"], copy["kind"], old_id)


@dataclass(frozen=True)
class PlacedCopies:
    """Addresses at the new home by ids here, and the ids at the old home of lots whose lease is kept apart."""

    iris: Mapping[str, str]
    apart: tuple[str, ...]


def place_copies(
    tx: Transaction, mirror: str, base: str, things: Sequence[MovedThing], renamed: Mapping[str, str], epoch: int
) -> PlacedCopies:
    """Returns where the things are at the new home (`base`), and makes room for them among the copies here.

    mirror:   the moving enterprise's copy here; lots that a reseller's copy had are its own from now on
    renamed:  ids at the new home by ids at the old one, where they differ
    epoch:    the authority epoch that begins with the move
    """
    iris = {thing.id: _iri(base, thing, renamed.get(thing.old_id, thing.old_id)) for thing in things}
    taken = {
        row["iri"]: row["local_id"]
        for row in tx.all(select(_copy.iri, _copy.local_id).where(_copy.iri.in_(sorted(iris.values()))))
        if row["local_id"] not in iris
    }
    twins = [thing for thing in things if iris[thing.id] in taken]
    products = [iris[thing.id] for thing in twins if thing.kind == "product"]
    tx.execute(delete(federation_copy).where(_copy.iri.in_(products)))
    lots = [thing for thing in twins if thing.kind == "lot"]
    lot_ids = [taken[iris[thing.id]] for thing in lots]
    adopt_lots(tx, lot_ids, mirror)
    apart = {thing.id: lot_iri(base, id_apart(thing.old_id, epoch)) for thing in lots}
    return PlacedCopies({**iris, **apart}, tuple(sorted(thing.old_id for thing in lots)))


def _iri(base: str, thing: MovedThing, id: str) -> str:
    return product_iri(base, id) if thing.kind == "product" else lot_iri(base, id)


FOLLOW = "federation.follow_move"  # a job: {"move": id}
OPEN = ("heard", "waiting")
PATIENCE = timedelta(days=1)  # time for the documents to agree
_mirror, _item = federation_mirror.c, federation_item.c
_grant, _lease, _order = federation_grant.c, federation_lease.c, federation_order.c


def take_move(federation: Federation, tx: Transaction, peer: Peer, message: Move) -> None:
    """Stores an announced move and enqueues a job that checks it. Raises `Refuse` for an invalid one."""
    if complete_arrival(federation, tx, peer, message) or not trades_with(tx, message.enterprise):
        return
    if message.statement is not None:
        take_statement(federation, tx, peer, message)
        return
    refuse_old_epoch(tx, message.enterprise, message.epoch)
    refuse_one_side(peer, message)
    if find_move(tx, "following", OPEN, iri=message.enterprise, peer_id=peer.id) is not None:
        return
    columns = {
        "name": message.enterprise[-200:],
        "old_iri": message.enterprise,
        "new_iri": message.moved_to,
        "epoch": message.epoch,
    }
    move = open_move(tx, "following", "heard", peer_id=peer.id, said={"renamed": dict(message.renamed)}, **columns)
    enqueue(tx, FOLLOW, {"move": move.id})


def trades_with(tx: Transaction, iri: str) -> bool:
    """Whether an enterprise here trades with that one."""
    queries = (select(_mirror.iri).where(_mirror.iri == iri), select(_grant.id).where(_grant.other_iri == iri))
    return any(tx.first(query.limit(1)) is not None for query in queries)


def refuse_one_side(peer: Peer, message: Move) -> None:
    """Raises `Refuse` unless the peer is the old home: only that can announce a move (FEP-7628)."""
    if local_id(peer.base, message.enterprise, "enterprises") is None:
        raise Refuse("one_side", "Only its old home, or its recovery key, can say that an enterprise has moved.")


def refuse_disagreement(move: MoveRow, old: EnterpriseDocument, new: EnterpriseDocument) -> None:
    """Raises `NoDocument` unless each home's document names the other one and the new epoch."""
    if old.moved_to != move.new_iri or old.epoch != move.epoch:
        raise NoDocument("the old home's document does not say that it has moved there")
    refuse_unreturned(move, new)


def refuse_unreturned(move: MoveRow, new: EnterpriseDocument) -> None:
    """Raises `NoDocument` unless the new home's document names the old one and the new epoch."""
    if move.old_iri not in new.also_known_as or new.epoch != move.epoch or new.moved_to:
        raise NoDocument("the new home's document does not say that it came from there")


def follow_move(instance: Instance, job: Job) -> None:
    """Checks a move and follows it. A move that cannot be decided yet is checked again each minute, for a day."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        move = move_by_id(tx, job.payload["move"], locked=False)
        old, new = peer_at(tx, move.old_iri), peer_at(tx, move.new_iri)
    if move.state not in (*OPEN, "quarantined"):
        return
    if new is None or not new.active:
        instance.store.transact(lambda tx: _wait_for_peer(tx, move))
        return
    if move.state == "quarantined":
        problem = end_quarantine(federation, move, new)
        if problem:
            instance.store.transact(lambda tx: set_move(tx, move, error=problem[:500]))
        return
    try:
        if old is None:
            raise NoDocument("its old home is not a peer any more")
        refuse_disagreement(
            move, fetch_enterprise(federation, old, move.old_iri), fetch_enterprise(federation, new, move.new_iri)
        )
    except (NoDocument, Unreachable) as error:
        problem = str(error)
        instance.store.transact(lambda tx: _retry_later(tx, move, problem))
        return
    instance.store.transact(lambda tx: follow(federation, tx, move.id), seconds=LONGEST)


def follow(federation: Federation, tx: Transaction, move_id: str) -> None:
    """Follows a move: transfers grants, items, leases and orders to the new home, which has authority now."""
    move = move_by_id(tx, move_id)
    new = peer_at(tx, move.new_iri)
    if move.state not in OPEN or new is None:
        return
    if move.epoch <= authority_of(tx, move.old_iri).epoch:
        set_move(tx, move, state="refused", error="another move came first")
        return
    fence(tx, move)
    new_iri = rebased(base_of(move.old_iri), new.base, move.said["renamed"])
    copies = _follow_copies(tx, move, new)
    _follow_catalogue(tx, move, new, new_iri)
    _follow_orders(tx, move, new, new_iri)
    leases = _follow_leases(tx, move, new, copies.iris)
    set_move(tx, move, state="followed", error="")
    body = MoveFollowed(enterprise=move.old_iri, moved_to=move.new_iri, apart=copies.apart)
    post(federation, tx, new.id, "MoveFollowed", body)
    for lease_id in leases:  # both sides exchange their counts
        if lease_by_id(tx, lease_id).row.granted:
            report(federation, tx, lease_by_id(tx, lease_id))
        ask_again(federation, tx, lease_by_id(tx, lease_id))
    for iri in _open_orders(tx, move.new_iri):
        order = order_by_iri(tx, iri)
        if order is not None:
            resend_order(federation, tx, order)
    offer_to_moved_hub(federation, tx, move, new)


def fence(tx: Transaction, move: MoveRow) -> None:
    """Ends the old home's authority: its later messages about the enterprise are of a past epoch."""
    key = authority_of(tx, move.old_iri).recovery_key
    set_authority(tx, move.old_iri, epoch=move.epoch, moved_to=move.new_iri)
    set_authority(tx, move.new_iri, epoch=move.epoch, moved_to="", came_from=move.old_iri, recovery_key=key)


def offer_to_moved_hub(federation: Federation, tx: Transaction, move: MoveRow, new: Peer) -> None:
    """Offers the grants of a hub that has moved again, at its new home."""
    granted = (_grant.direction == "given", _grant.other_iri == move.old_iri, _grant.state.in_(("offered", "accepted")))
    ids = [row["id"] for row in tx.all(select(_grant.id).where(*granted).order_by(_grant.id))]
    change = update(federation_grant).where(_grant.direction == "given", _grant.other_iri == move.old_iri)
    tx.execute(change.values(other_iri=move.new_iri, peer_id=new.id))
    tx.execute(update(federation_grant).where(_grant.id.in_(ids)).values(state="offered"))
    for grant_id in ids:
        send_offer(federation, tx, grant_by_id(tx, grant_id))


# ------------------------------------------------------------------------------------------------ transfer


def _follow_copies(tx: Transaction, move: MoveRow, new: Peer) -> PlacedCopies:
    """Gives the copies their addresses at the new home. Called first: leases and items tell which copies they are."""
    mirror = tx.value(select(_mirror.enterprise_id).where(_mirror.iri == move.old_iri))
    rows = tx.all(select(federation_copy).where(_copy.local_id.in_(_goods_of(mirror))))
    if mirror is None or not rows:
        return PlacedCopies({}, ())
    things = [MovedThing.of(row, base_of(move.old_iri)) for row in rows]
    placed = place_copies(tx, mirror, new.base, [thing for thing in things if thing], move.said["renamed"], move.epoch)
    change = update(federation_copy).where(_copy.local_id == bindparam("copy"))
    values = [{"copy": id, "new": iri} for id, iri in placed.iris.items()]
    tx.execute(change.values(iri=bindparam("new"), peer_id=new.id, image=""), values)
    return placed


def _follow_catalogue(tx: Transaction, move: MoveRow, new: Peer, new_iri: Callable[[str], str]) -> None:
    tx.execute(update(federation_mirror).where(_mirror.iri == move.old_iri).values(iri=move.new_iri, peer_id=new.id))
    received = (_grant.direction == "received", _grant.other_iri == move.old_iri)
    grants = [row["id"] for row in tx.all(select(_grant.id).where(*received))]
    tx.execute(update(federation_grant).where(*received).values(other_iri=move.new_iri, peer_id=new.id))
    items = tx.all(
        select(_item.grant_id, _item.iri, _item.offer_iri, _item.provenance).where(_item.grant_id.in_(grants))
    )
    changed = [
        {
            "grant": row["grant_id"],
            "old": row["iri"],
            "new": new_iri(row["iri"]),
            "offer": new_iri(row["offer_iri"]),
            "came": [[new_iri(iri), name] for iri, name in row["provenance"]],
        }
        for row in items
    ]
    if changed:
        matching = (_item.grant_id == bindparam("grant"), _item.iri == bindparam("old"))
        values = {
            "iri": bindparam("new"),
            "offer_iri": bindparam("offer"),
            "provenance": bindparam("came", type_=federation_item.c.provenance.type),
        }
        tx.execute(update(federation_item).where(*matching).values(values), changed)


def _goods_of(mirror: str | None) -> CompoundSelect[str]:
    """Selects the ids of the copy's products and lots, by its leases and items."""
    lots = select(_lease.lot_id).where(_lease.role == "holder", _lease.enterprise_id == mirror)
    products = select(_item.product_id).where(_item.lot_id.in_(lots))
    return lots.union(products)


def _follow_leases(tx: Transaction, move: MoveRow, new: Peer, iris: Mapping[str, str]) -> list[str]:
    """Continues the leases with the new home; `iris` has the addresses of lots there by their ids here."""
    mirror = tx.value(select(_mirror.enterprise_id).where(_mirror.iri == move.new_iri))
    conditions = (_lease.role == "holder", _lease.enterprise_id == mirror, _lease.lot_id.in_(sorted(iris)))
    rows = tx.all(select(_lease.id, _lease.lot_id).where(*conditions).order_by(_lease.id).with_for_update())
    for row in rows:
        change = update(federation_lease).where(_lease.id == row["id"])
        tx.execute(change.values(peer_id=new.id, lot_iri=iris[row["lot_id"]], wanted=0, wanted_at=None))
    return [row["id"] for row in rows]


def _follow_orders(tx: Transaction, move: MoveRow, new: Peer, new_iri: Callable[[str], str]) -> None:
    conditions = (_order.role == "buyer", _order.other_iri == move.old_iri)
    ids = [row["id"] for row in tx.all(select(_order.id).where(*conditions))]
    tx.execute(update(federation_order).where(*conditions).values(other_iri=move.new_iri, peer_id=new.id))
    line, cut, sale = federation_order_line.c, federation_cut.c, federation_sale.c
    for row in tx.all(select(line.order_id, line.item_iri, line.offer_iri).where(line.order_id.in_(ids))):
        matching = (line.order_id == row["order_id"], line.item_iri == row["item_iri"])
        values = {"item_iri": new_iri(row["item_iri"]), "offer_iri": new_iri(row["offer_iri"])}
        tx.execute(update(federation_order_line).where(*matching).values(values))
    for row in tx.all(select(cut.id, cut.item_iri).where(cut.order_id.in_(ids))):
        tx.execute(update(federation_cut).where(cut.id == row["id"]).values(item_iri=new_iri(row["item_iri"])))
    received = (sale.direction == "received", sale.other_iri == move.old_iri)
    tx.execute(update(federation_sale).where(*received).values(other_iri=move.new_iri, peer_id=new.id))


def _open_orders(tx: Transaction, new_iri: str) -> list[str]:
    """Returns the IRIs of orders whose last revision the old home may not have read."""
    conditions = (_order.role == "buyer", _order.other_iri == new_iri, _order.state != "Cancelled")
    return [row["iri"] for row in tx.all(select(_order.iri).where(*conditions).order_by(_order.id))]


def _wait_for_peer(tx: Transaction, move: MoveRow) -> None:
    current = move_by_id(tx, move.id)
    if current.state in OPEN:
        if current.state != "waiting":
            text = f"{move.old_iri} has moved to {move.new_iri}. Agree to trade with that instance, and it goes on."
            alert(tx, move.peer_id, "move", text)
        set_move(tx, current, state="waiting", error="its new home is not a peer")


def _retry_later(tx: Transaction, move: MoveRow, reason: str) -> None:
    current = move_by_id(tx, move.id)
    if current.state not in OPEN:
        return
    expired = current.created_at + PATIENCE < tx.now and not clock_in_doubt(tx)
    set_move(tx, current, state="refused" if expired else "heard", error=reason[:500])
    if expired:
        alert(tx, move.peer_id, "move", f"{move.old_iri} is said to have moved, but {reason}")
