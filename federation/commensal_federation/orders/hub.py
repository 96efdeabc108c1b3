"""The hub's side of orders: sums up what its customers ordered from a remote producer and sends it, again when it
changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, select

from commensal import Event, Instance, Order, Sale, Transaction, enterprise_by_id, hookimpl, insert_once, sale_by_id
from commensal.parts.distribution import ordered_of, pieces_by_cost
from commensal.products import products_by_id

from ..delivery import post
from ..dfc.iris import enterprise_iri, order_iri, session_iri
from ..grants.tables import federation_grant, federation_mirror
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.order_update import OrderUpdate, UpdateLine
from ..peers.peers import peer_by_id
from ..runtime import Federation
from .claims import settled_from
from .facts import open_order, update_order
from .hub_names import NameQuery, digest_of, nameable_parts, sent_digest
from .line_prices import PiecesByCost, offered_items, with_ordered_amount
from .questions import order_between
from .receipts import ReceivedGoods, claim_parts, deliveries_at_session, with_receipt, without_receipt
from .signed_orders import keep_sent
from .tables import federation_order_due

_grant, _mirror = federation_grant.c, federation_mirror.c
# Built once, since every order message needs them.
_PRODUCERS = (
    select(_grant.id, _grant.peer_id, _grant.other_iri, _grant.other_name, _grant.created_at, _mirror.enterprise_id)
    .join(federation_mirror, _mirror.iri == _grant.other_iri)
    .where(_grant.enterprise_id == bindparam("hub"), _grant.direction == "received")
    .order_by(_grant.id)
)


# ------------------------------------------------------------------------------------------------ events


@hookimpl
def order_placed(instance: Instance, event: Event, order: Order) -> None:
    _queue_summary(instance, order)


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    _queue_summary(instance, order)


@hookimpl
def order_fulfilled(instance: Instance, event: Event, order: Order) -> None:
    _queue_summary(instance, order)


@hookimpl
def order_cancelled(instance: Instance, event: Event, order: Order) -> None:
    _queue_summary(instance, order)


def _queue_summary(instance: Instance, order: Order) -> None:
    """Queues the sale's sums; they are sent within a minute, so a hundred orders an hour make a few messages."""
    with instance.store.write() as tx:
        insert_once(tx, federation_order_due, {"kind": "session", "id": order.session_id, "at": tx.now})


# ------------------------------------------------------------------------------------------------ sending


def send_session_orders(federation: Federation, tx: Transaction, session_id: str) -> None:
    """Sends each remote producer of this sale the order for its goods as it is now, if it has changed."""
    sale = sale_by_id(tx, session_id)
    session, hub = sale.session, sale.shop.id
    state = "Cancelled" if session.cancelled_at else "Complete" if session.completed_at else "Held"
    producers = producers_of(tx, hub)
    copies = sorted({producer.enterprise_id for producer in producers})
    deliveries = deliveries_at_session(tx, hub, session_id, copies) if state != "Held" and copies else {}
    for producer in producers:
        if session.completed_at is not None and session.completed_at < producer.since:
            continue  # it brought the goods as an enterprise of this instance
        ordered = {line.product_id: line.quantity for line in ordered_of(tx, session_id, [producer.enterprise_id])}
        send_order(
            federation,
            tx,
            producer,
            hub,
            ordered,
            state,
            names=_names_digest(federation, tx, producer, sale),
            session_id=session_id,
            session_iri=session_iri(federation.base, session_id),
            session_name=session.name,
            closes_at=session.closes_at,
            begins_at=session.begins_at,
            delivery=deliveries.get(producer.enterprise_id),
            costs=pieces_by_cost(tx, session_id, producer.enterprise_id) if ordered else {},
        )


@dataclass(frozen=True)
class RemoteProducer:
    """A remote producer of a hub.

    enterprise_id: its copy here
    grant_id:      the grant under which the hub sells
    since:         when that was made, UTC; a producer that moves away from here makes it at that moment
    """

    iri: str
    name: str
    peer_id: str
    enterprise_id: str
    grant_id: str
    since: datetime


def producers_of(tx: Transaction, hub: str) -> list[RemoteProducer]:
    """Returns all remote producers of the hub, whatever the state of their grants: orders outlive grants."""
    return [
        RemoteProducer(
            row["other_iri"], row["other_name"], row["peer_id"], row["enterprise_id"], row["id"], row["created_at"]
        )
        for row in tx.all(_PRODUCERS, {"hub": hub})
    ]


def send_order(
    federation: Federation,
    tx: Transaction,
    producer: RemoteProducer,
    hub: str,
    ordered: dict[str, int],
    state: str,
    *,
    begins_at: datetime | None,
    names: str = "",
    delivery: ReceivedGoods | None = None,
    costs: Mapping[str, PiecesByCost] | None = None,
    **about: object,
) -> None:
    """Updates the order at this producer and sends it, unless nothing has changed.

    `ordered` holds pieces by the id of the product's copy here; `names` is the digest of the list of names; `delivery`
    what came of it, once the sale has closed; `costs` at which prices customers have ordered these pieces.
    """
    order = order_between(tx, "buyer", hub, producer.iri, str(about["session_iri"]))
    if order is None:
        if not ordered or _has_ended(federation, tx, producer, hub, str(about["session_iri"])):
            return
        order = _open(federation, tx, producer, hub, {**about, "begins_at": begins_at})
    called_off = order.is_called_off_by(state)
    updated = replace(order, state="Complete" if called_off else state, called_off=called_off)
    lines = _lines(tx, producer, order, ordered, costs or {})
    updated = without_receipt(updated, lines) if called_off else with_receipt(updated, lines, delivery)
    if claim_parts(updated) != claim_parts(order):
        updated = replace(updated, receipt="", objection="")
    renamed = names != sent_digest(tx, order.id)
    moved = begins_at != order.begins_at
    if order.rev and state == order.asked_state and _counted(updated) == _counted(order) and not (renamed or moved):
        return
    rev = order.rev + 1
    names_rev = order.names if not renamed else rev if names else 0
    is_complete = updated.state == "Complete" and order.settled_from is None
    update_order(
        tx,
        order,
        updated.lines,
        state=updated.state,
        called_off=called_off,
        settled_from=settled_from(begins_at, tx.now) if is_complete else order.settled_from,
        rev=rev,
        closes_at=about["closes_at"],
        begins_at=begins_at,
        names=names_rev,
        names_digest=names,
        owed=updated.owed,
        receipt=updated.receipt,
        objection=updated.objection,
    )
    _post_order(federation, tx, replace(updated, rev=rev, names=names_rev, begins_at=begins_at))


def _counted(order: InstanceOrder) -> tuple[object, ...]:
    """What is ordered, and what is said that came of it, to compare."""
    return (*((line.item_iri, line.asked, line.ordered_amount) for line in order.lines), claim_parts(order))


def _has_ended(federation: Federation, tx: Transaction, producer: RemoteProducer, hub: str, session: str) -> bool:
    """Whether the order for this sale ended when the producer moved here; it has left again since."""
    lived_at = enterprise_iri(federation.base, producer.enterprise_id)
    return order_between(tx, "buyer", hub, lived_at, session) is not None


def resend_order(federation: Federation, tx: Transaction, order: InstanceOrder) -> None:
    """Sends the order again under the next revision: the supplier may have missed the last one, or has moved."""
    update_order(tx, order, order.lines, rev=order.rev + 1)
    _post_order(federation, tx, replace(order, rev=order.rev + 1))


def _post_order(federation: Federation, tx: Transaction, order: InstanceOrder) -> None:
    ours = enterprise_iri(federation.base, order.enterprise_id)
    body = OrderUpdate(
        iri=order.iri,
        buyer=ours,
        supplier=order.other_iri,
        session_iri=order.session_iri,
        session_name=order.session_name,
        closes_at=order.closes_at,
        begins_at=order.begins_at,
        currency=order.currency,
        state=order.asked_state,
        rev=order.rev,
        names=order.names,
        owed=order.owed,
        lines=tuple(
            UpdateLine(
                item_iri=line.item_iri,
                offer_iri=line.offer_iri,
                rev=line.rev,
                name=line.name,
                price=line.price,
                quantity=line.asked,
                received=line.received,
                received_quantity=line.received_quantity,
                received_amount=line.received_amount,
                ordered_amount=line.sized(line.asked).ordered_amount,
            )
            for line in order.lines
        ),
    )
    message = post(federation, tx, order.peer_id, "OrderUpdate", body, on_behalf_of=ours)
    keep_sent(federation, tx, order.id, "OrderUpdate", message)


def _names_digest(federation: Federation, tx: Transaction, producer: RemoteProducer, sale: Sale) -> str:
    query = NameQuery(sale.shop.id, sale.session.id, producer.enterprise_id, sale.session.begins_at)
    return digest_of(nameable_parts(federation, tx, peer_by_id(tx, producer.peer_id), query))


def _open(
    federation: Federation, tx: Transaction, producer: RemoteProducer, hub: str, about: dict[str, object]
) -> InstanceOrder:
    copy, id = enterprise_by_id(tx, producer.enterprise_id), tx.new_id()
    return open_order(
        tx,
        id=id,
        iri=order_iri(federation.base, id),
        role="buyer",
        peer_id=producer.peer_id,
        enterprise_id=hub,
        other_iri=producer.iri,
        other_name=producer.name,
        currency=copy.currency,
        includes_vat=copy.prices_include_vat,
        state="Held",
        **about,
    )


def _lines(
    tx: Transaction,
    producer: RemoteProducer,
    order: InstanceOrder,
    ordered: dict[str, int],
    costs: Mapping[str, PiecesByCost],
) -> Iterable[Line]:
    """Returns all lines by item IRI. A line keeps its first price; a line that nobody orders any more stays, with 0.

    What was ordered at other prices is in the line's sum, so that the order comes to what the hub's books say. Of what
    its producer has confirmed of a complete order, the line keeps pieces and sum, and says what is wanted.
    """
    existing = {line.product_id: line for line in order.lines}
    products = products_by_id(tx, sorted({*ordered, *existing}))
    offered = offered_items(tx, producer.grant_id, order.enterprise_id, producer.enterprise_id, products)
    added = [
        Line(
            item_iri=item.iri,
            product_id=product_id,
            name=products[product_id].name,
            offer_iri=item.offer_iri,
            rev=first.rev,
            price=first.price,
            vat_rate=products[product_id].vat_rate or Decimal(0),
            quantity=0,
            answer="",
            confirmed=None,
            reason="",
            final_quantity=None,
            unit_quantity=products[product_id].quantity,
            unit=products[product_id].unit,
            statement=first.statement,
        )
        for product_id, item in offered.items()
        if product_id not in existing and (first := item.first(costs.get(product_id)))
    ]
    lines = []
    for line in (*order.lines, *added):
        standing = order.standing(line)
        line = line.ordered(ordered.get(line.product_id, 0), standing)
        if standing is None or line.quantity > standing:
            line = with_ordered_amount(line, offered.get(line.product_id), costs.get(line.product_id))
        lines.append(line)
    return sorted(lines, key=lambda line: line.item_iri)
