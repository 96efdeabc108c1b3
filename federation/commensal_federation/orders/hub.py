"""The hub's side: what its customers have ordered of a distant producer is summed up, told, and amended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import bindparam, select

from commensal import (
    Event,
    Instance,
    Order,
    Sale,
    SaleSession,
    Transaction,
    enterprise_by_id,
    hookimpl,
    insert_once,
    ordered_of,
    products_by_id,
    sale_by_id,
)

from ..catalogue.tables import federation_grant, federation_item, federation_mirror
from ..delivery import post
from ..dfc.iris import enterprise_iri, order_iri, session_iri
from ..linked_catalogues.backorders.wanting import plan_session
from ..messages.bodies.orders import InstanceOrder, Line, OrderUpdate, SaidLine
from ..peers.peers import peer_by_id
from ..runtime import Federation, federation_of
from .names import Named, digest_of, digest_told, parts_named
from .questions import order_between
from .tables import federation_order_due
from .write import keep_order, open_order

_item, _grant, _mirror = federation_item.c, federation_grant.c, federation_mirror.c
# Made once, since each word of a hub needs them.
_PRODUCERS = (
    select(_grant.id, _grant.peer_id, _grant.other_iri, _grant.other_name, _mirror.enterprise_id)
    .join(federation_mirror, _mirror.iri == _grant.other_iri)
    .where(_grant.enterprise_id == bindparam("hub"), _grant.direction == "received")
    .order_by(_grant.id)
)
_OFFERED = (
    select(federation_item)
    .where(_item.grant_id == bindparam("grant"), _item.product_id.in_(bindparam("products", expanding=True)))
    .order_by(_item.product_id, _item.iri)
)


# ------------------------------------------------------------------------------------------------ what happened


@hookimpl
def order_placed(instance: Instance, event: Event, order: Order) -> None:
    _look_again(instance, order)


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    _look_again(instance, order)


@hookimpl
def order_cancelled(instance: Instance, event: Event, order: Order) -> None:
    _look_again(instance, order)


@hookimpl
def sale_completed(instance: Instance, event: Event, sale: SaleSession) -> None:
    """The producers are told at once what is final; platforms that are no peers, after the last who ordered."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        tell_session(federation, tx, sale.id)
        plan_session(tx, sale.id)


def _look_again(instance: Instance, order: Order) -> None:
    """Noted, and done within a minute: a hundred orders of the last hour are a few messages."""
    with instance.store.write() as tx:
        insert_once(tx, federation_order_due, {"kind": "session", "id": order.session_id, "at": tx.now})


# ------------------------------------------------------------------------------------------------ what is ordered


def tell_session(federation: Federation, tx: Transaction, session_id: str) -> None:
    """Tells each distant producer of this sale what is ordered of its goods now, if that has changed."""
    sale = sale_by_id(tx, session_id)
    session, hub = sale.session, sale.shop.id
    state = "Cancelled" if session.cancelled_at else "Complete" if session.completed_at else "Held"
    for mirror in producers_of(tx, hub):
        ordered = {one.product_id: one.quantity for one in ordered_of(tx, session_id, [mirror.enterprise_id])}
        tell(
            federation, tx, mirror, hub, ordered, state, names=_names(federation, tx, mirror, sale),
            session_id=session_id,
            session_iri=session_iri(federation.base, session_id), session_name=session.name,
            closes_at=session.closes_at, begins_at=session.begins_at,
        )  # fmt: skip


@dataclass(frozen=True)
class Mirror:
    """A distant producer of a hub: `enterprise_id` is its copy here, `grant_id` that by which the hub sells."""

    iri: str
    name: str
    peer_id: str
    enterprise_id: str
    grant_id: str


def producers_of(tx: Transaction, hub: str) -> list[Mirror]:
    """All of them, whatever became of their grants, taken back or offered anew: what was ordered stays ordered."""
    return [
        Mirror(row["other_iri"], row["other_name"], row["peer_id"], row["enterprise_id"], row["id"])
        for row in tx.all(_PRODUCERS, {"hub": hub})
    ]


def tell(
    federation: Federation,
    tx: Transaction,
    mirror: Mirror,
    hub: str,
    ordered: dict[str, int],
    state: str,
    *,
    names: str = "",
    **about: object,
) -> None:
    """`ordered` are pieces by product, a copy here; `names` a digest of whom the producer may know by name. Nothing is
    said where there is nothing new to say."""
    order = order_between(tx, "buyer", hub, mirror.iri, str(about["session_iri"]))
    if order is None:
        if not ordered:
            return
        order = _opened(federation, tx, mirror, hub, about)
    lines = tuple(_lines(tx, mirror, order, ordered))
    said = [(one.item_iri, one.quantity) for one in lines]
    renamed = names != digest_told(tx, order.id)
    same = state == order.state and said == [(one.item_iri, one.quantity) for one in order.lines]
    if order.rev and same and not renamed:
        return
    rev = order.rev + 1
    listed = order.names if not renamed else rev if names else 0
    keep_order(
        tx, order, lines, state=state, rev=rev, closes_at=about["closes_at"], names=listed, names_digest=names
    )  # fmt: skip
    _say(federation, tx, replace(order, lines=lines, state=state, rev=rev, names=listed))


def say_again(federation: Federation, tx: Transaction, order: InstanceOrder) -> None:
    """Says the order as it is once more: the supplier may not have read the last word, or has moved."""
    keep_order(tx, order, order.lines, rev=order.rev + 1)
    _say(federation, tx, replace(order, rev=order.rev + 1))


def _say(federation: Federation, tx: Transaction, order: InstanceOrder) -> None:
    ours = enterprise_iri(federation.base, order.enterprise_id)
    body = OrderUpdate(
        iri=order.iri, buyer=ours, supplier=order.other_iri, session_iri=order.session_iri,
        session_name=order.session_name, closes_at=order.closes_at, begins_at=order.begins_at,
        currency=order.currency, state=order.state, rev=order.rev, names=order.names,
        lines=tuple(
            SaidLine(
                item_iri=one.item_iri, offer_iri=one.offer_iri, rev=one.rev, name=one.name, price=one.price,
                quantity=one.quantity,
            )
            for one in order.lines
        ),
    )  # fmt: skip
    post(federation, tx, order.peer_id, "OrderUpdate", body, on_behalf_of=ours)


def _names(federation: Federation, tx: Transaction, mirror: Mirror, sale: Sale) -> str:
    asked = Named(sale.shop.id, sale.session.id, mirror.enterprise_id, sale.session.begins_at)
    return digest_of(parts_named(federation, tx, peer_by_id(tx, mirror.peer_id), asked))


def _opened(
    federation: Federation, tx: Transaction, mirror: Mirror, hub: str, about: dict[str, object]
) -> InstanceOrder:
    copy, id = enterprise_by_id(tx, mirror.enterprise_id), tx.new_id()
    return open_order(
        tx, id=id, iri=order_iri(federation.base, id), role="buyer", peer_id=mirror.peer_id, enterprise_id=hub,
        other_iri=mirror.iri, other_name=mirror.name, currency=copy.currency, includes_vat=copy.prices_include_vat,
        state="Held", **about,
    )  # fmt: skip


def _lines(tx: Transaction, mirror: Mirror, order: InstanceOrder, ordered: dict[str, int]) -> Iterable[Line]:
    """A line keeps the price at which it was first ordered; one that nobody wants any more stays, with nothing."""
    known = {line.product_id: line for line in order.lines}
    new = sorted(set(ordered) - set(known))
    rows = tx.all(_OFFERED, {"grant": mirror.grant_id, "products": new}) if new else ()
    offered = {row["product_id"]: row for row in reversed(rows)}  # one product in two catalogs: the first
    products = products_by_id(tx, new)
    made = [
        Line(
            item_iri=row["iri"], product_id=product_id, name=products[product_id].name, offer_iri=row["offer_iri"],
            rev=row["rev"], price=row["price"], vat_rate=products[product_id].vat_rate or Decimal(0), quantity=0,
            answer="", confirmed=None, reason="", final_quantity=None,
            unit_quantity=products[product_id].quantity, unit=products[product_id].unit,
        )
        for product_id, row in offered.items()
    ]  # fmt: skip
    lines = [line.ordered(ordered.get(line.product_id, 0)) for line in (*order.lines, *made)]
    return sorted(lines, key=lambda line: line.item_iri)
