"""Sets up an enterprise's trade with one peer at the new home, once that peer has followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, bindparam, exists, insert, or_, select

from commensal import Conflict, Row, Transaction, insert_rows
from commensal.parts.copies import carry_stock
from commensal.stock import lots_by_id

from ..catalogue.grantor import send_catalogue
from ..catalogue.grants import send_offer
from ..catalogue.tables import federation_told_price
from ..dfc.iris import KINDS, local_id, lot_iri
from ..grants.questions import grant_by_id
from ..grants.tables import federation_grant, federation_lease, federation_told
from ..leases.joined import id_apart, split_lent_stock
from ..leases.lender import notify_late_sales
from ..leases.row import lease_by_id, outstanding, sold_by_right
from ..messages.bodies.enterprise_rows import AnyRow, GrantRow, LeaseRow, OrderRow, PriceRow, SentItemRow
from ..messages.moving import MoveRow
from ..orders.facts import note_facts
from ..orders.questions import facts_of_orders, order_by_iri
from ..orders.tables import federation_order, federation_order_fact, federation_order_line
from ..peers.peers import Peer, peer_by_iri
from ..runtime import Federation
from .moves import base_of

# What stays at the old home of what its leases count.
#
# A hub there may have lent the goods on to a peer that has no grant of the enterprise.
#
# That peer trades with the hub and not with the enterprise, so it does not follow the move. The old home leases from
# the new home what it has lent on, beside what its own customers have ordered. What the new home itself has leased is
# never lent on: it is its own from now on.
#
# What peers have sold moves along, with their leases: a hand-over may be undone, and is reported to the new home
# then. What customers of the old home have got, it has sold from its lease.

_lease, _grant = federation_lease.c, federation_grant.c
_GRANTED = exists().where(
    _grant.direction == "given", _grant.enterprise_id == _lease.enterprise_id, _grant.peer_id == _lease.peer_id
)
_LENT = (_lease.role == "lender", _lease.enterprise_id == bindparam("enterprise"))
_LENT_ON = select(federation_lease).where(*_LENT, _lease.peer_id != bindparam("home"), ~_GRANTED)


def moves_along(new_home_id: str) -> ColumnElement[bool]:
    """Returns the condition for leases that move with their enterprise to this peer."""
    return or_(_lease.peer_id == new_home_id, _GRANTED)


def grains_lent_on(tx: Transaction, enterprise_id: str, new_home_id: str) -> Mapping[str, int]:
    """Returns the grains that peers hold by leases that stay, by lot, when the enterprise moves to the peer."""
    grains = Counter[str]()
    for row in tx.all(_LENT_ON, {"enterprise": enterprise_id, "home": new_home_id}):
        grains[row["lot_id"]] += outstanding(row["granted"], row["seen"], row["held"], row["late"])
    return grains


def grains_sold_along(tx: Transaction, enterprise_id: str, new_home_id: str) -> Mapping[str, int]:
    """Returns the grains that peers have sold by leases that move along, by lot. Asked before those are deleted."""
    grains = Counter[str]()
    for row in tx.all(select(federation_lease).where(*_LENT, moves_along(new_home_id)), {"enterprise": enterprise_id}):
        grains[row["lot_id"]] += grains_sold(row)
    return grains


def grains_sold(lease: Row) -> int:
    """Returns the grains that the lot counts as sold by this lease, in all its epochs.

    Moves from version 0.1.0 leave a first epoch with `sold_before`, which the lot at the new home does not count.
    """
    before = lease["sold_before"] if lease["epoch"] > 1 else 0
    return int(sold_by_right(lease["sold"], lease["held"], lease["late"]) + before)


def rebased(old_base: str, new_base: str, renamed: Mapping[str, str]) -> Callable[[str], str]:
    """Returns a function from an IRI of the old home to that of the new one; it leaves other IRIs as they are."""

    def new_iri(iri: str) -> str:
        for kind in KINDS:
            id = local_id(old_base, iri, kind)
            if id is not None:
                return f"{new_base}/api/dfc/{kind}/{renamed.get(id, id)}"
        return iri

    return new_iri


def place_trade(
    federation: Federation,
    tx: Transaction,
    move: MoveRow,
    peer: Peer,
    rows: Sequence[AnyRow],
    apart: Collection[str] = (),
) -> None:
    """Adds grants, leases and orders with this peer, once. Sends its hubs the whole catalogue, or the offer that they
    have not answered yet.

    `apart`: ids of lots at the old home whose lease the peer keeps beside another one of the same goods.
    """
    enterprise_id = local_id(federation.base, move.new_iri, "enterprises")
    assert enterprise_id is not None
    trade = _PeerTrade(federation, tx, move, peer, enterprise_id, frozenset(apart))
    own_rows = [row for row in rows if getattr(row, "peer", None) == peer.iri]
    grants = [row for row in own_rows if isinstance(row, GrantRow) and trade.is_new(row)]
    grant_ids = {row.id for row in grants}
    for grant in grants:
        trade.add_grant(grant)
    sent = [row for row in own_rows if isinstance(row, SentItemRow) and row.grant_id in grant_ids]
    insert_rows(tx, federation_told, [trade.sent_item(row) for row in sent])
    prices = [row for row in own_rows if isinstance(row, PriceRow) and row.grant_id in grant_ids]
    insert_rows(tx, federation_told_price, [_without_peer(row) for row in prices])
    for row in own_rows:
        if isinstance(row, LeaseRow):
            trade.add_lease(row)
        elif isinstance(row, OrderRow):
            trade.add_order(row)
    for lot_id in sorted({*apart} - {row.lot_id for row in own_rows if isinstance(row, LeaseRow)}):
        trade.split_lot(lot_id)  # where nothing was leased, it may be
    for grant in grants:
        if grant.state == "accepted":
            send_catalogue(federation, tx, grant_by_id(tx, grant.id), again=True)
        elif grant.state == "offered":
            send_offer(federation, tx, grant_by_id(tx, grant.id))


def peers_to_follow(federation: Federation, tx: Transaction, move: MoveRow, rows: Sequence[AnyRow]) -> Sequence[Peer]:
    """Returns the active peers whose trade with the enterprise waits here until they have followed `move`."""
    grants = {row.id: row.peer for row in rows if isinstance(row, GrantRow) and row.peer != federation.iri}
    existing = select(federation_grant.c.id).where(federation_grant.c.id.in_(sorted(grants)))
    placed = {row["id"] for row in tx.all(existing)}
    iris = sorted({iri for id, iri in grants.items() if id not in placed})
    return [peer for iri in iris if (peer := peer_by_iri(tx, iri)) is not None and peer.active]


class _PeerTrade:
    def __init__(
        self,
        federation: Federation,
        tx: Transaction,
        move: MoveRow,
        peer: Peer,
        enterprise_id: str,
        apart: Collection[str],
    ) -> None:
        self._federation, self._tx, self._peer, self._enterprise_id = federation, tx, peer, enterprise_id
        self._apart, self._epoch = apart, move.epoch
        self._renamed: Mapping[str, str] = move.said["renamed"]
        self._new_iri = rebased(base_of(move.old_iri), federation.base, self._renamed)

    def is_new(self, row: GrantRow) -> bool:
        """Whether the grant is to a hub of this peer and has not been added yet."""
        existing = select(federation_grant.c.id).where(federation_grant.c.id == row.id)
        return local_id(self._peer.base, row.hub, "enterprises") is not None and self._tx.first(existing) is None

    def add_grant(self, row: GrantRow) -> None:
        now = self._tx.now
        self._tx.execute(
            insert(federation_grant),
            {
                "id": row.id,
                "direction": "given",
                "peer_id": self._peer.id,
                "enterprise_id": self._enterprise_id,
                "other_iri": row.hub,
                "other_name": row.hub_name,
                "category_id": row.category_id,
                "resell": row.resell,
                "lot_share": row.lot_share,
                "ends_at": row.ends_at,
                "state": row.state,
                "created_at": now,
                "changed_at": now,
                "version": 1,
            },
        )

    def sent_item(self, row: SentItemRow) -> dict[str, object]:
        return {**_without_peer(row), "lot_id": self._renamed.get(row.lot_id, row.lot_id)}

    def add_lease(self, row: LeaseRow) -> None:
        main_id = self._renamed.get(row.lot_id, row.lot_id)
        lot_id = id_apart(row.lot_id, self._epoch) if row.lot_id in self._apart else main_id
        lease = federation_lease.c
        conditions = (lease.role == "lender", lease.peer_id == self._peer.id, lease.lot_id == lot_id)
        if self._tx.first(select(lease.id).where(*conditions)) is not None:
            return
        if lot_id != main_id:
            lent = outstanding(row.granted, row.seen, row.held, row.late)
            self.split_lot(row.lot_id, lent)
        counts = {name: value for name, value in _without_peer(row).items() if name != "lot_id"}
        self._tx.execute(
            insert(federation_lease),
            {
                **counts,
                "role": "lender",
                "peer_id": self._peer.id,
                "enterprise_id": self._enterprise_id,
                "lot_id": lot_id,
                "lot_iri": lot_iri(self._federation.base, lot_id),
                "wanted": 0,
                "created_at": self._tx.now,
            },
        )
        if not carry_stock(self._tx, lot_id, sold=grains_sold(msgspec.structs.asdict(row)), note=self._peer.name):
            raise Conflict("stock", "The stock {name} cannot be as it is told.", name=lot_id)
        if row.late:
            notify_late_sales(self._tx, lease_by_id(self._tx, row.id))

    def split_lot(self, old_id: str, lent: int = 0) -> None:
        """Makes the lot for leases that peers keep apart, unless it is there, and moves `lent` grains there."""
        lot_id, origin_id = id_apart(old_id, self._epoch), self._renamed.get(old_id, old_id)
        lots = lots_by_id(self._tx, [lot_id, origin_id])
        if origin_id not in lots or lots[origin_id].enterprise_id != self._enterprise_id:
            return
        if not split_lent_stock(self._tx, lot_id, origin_id, lent, note=self._peer.name):
            raise Conflict("stock", "The stock {name} cannot be as it is told.", name=lots[origin_id].name)

    def add_order(self, row: OrderRow) -> None:
        if self._tx.first(select(federation_order.c.id).where(federation_order.c.iri == row.iri)) is not None:
            return
        columns = {name: value for name, value in _without_peer(row).items() if name not in ("lines", "facts")}
        own_columns: dict[str, object] = {
            "role": "supplier",
            "peer_id": self._peer.id,
            "enterprise_id": self._enterprise_id,
            "session_id": "",
        }
        if row.state == "Complete":
            own_columns["settled_from"] = row.settled_from or row.begins_at
        times = {"created_at": self._tx.now, "changed_at": self._tx.now}
        self._tx.execute(insert(federation_order), {**columns, **own_columns, **times})
        earlier = facts_of_orders(self._tx, [row.id])[row.id]  # it has lived here before, and what was said then stays
        first = 1 + max((fact.line for fact in earlier), default=0)
        lines = [
            {
                "order_id": row.id,
                **msgspec.structs.asdict(line),
                "number": line.number or number,
                "item_iri": self._new_iri(line.item_iri),
                "offer_iri": self._new_iri(line.offer_iri),
                "product_id": self._renamed.get(line.product_id, line.product_id),
            }
            for number, line in enumerate(row.lines, first)
        ]
        insert_rows(self._tx, federation_order_line, lines)
        facts = [{"order_id": row.id, **msgspec.structs.asdict(fact)} for fact in row.facts]
        insert_rows(self._tx, federation_order_fact, [fact for fact in facts if fact["number"] > len(earlier)])
        order = order_by_iri(self._tx, row.iri)
        if order is not None:
            note_facts(self._tx, order)


def _without_peer(row: AnyRow) -> Row:
    return {name: value for name, value in msgspec.structs.asdict(row).items() if name != "peer"}
