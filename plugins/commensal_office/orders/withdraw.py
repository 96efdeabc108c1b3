"""Takes goods off all orders that have them, and moves all orders of a slot: whose orders change is shown before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.responses import Response

from commensal import Invalid, Order, Problem, ShippingOption, Stale, Transaction
from commensal.orders import change_order, locked_order
from commensal.pages import Visit, on_refusal
from commensal.parts.distribution import summaries_of_session
from commensal.parts.supply import HeldGoods, ShortenedOrder, goods_on_orders, withdraw_goods

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show
from ..frame.sessions import by_slot, chosen_session, recent_sessions, session_of_page, slot_order, slots_of_sale

GOODS, SALE = "goods/", "sale/"
_MOST = 50  # products at once


@dataclass(frozen=True, kw_only=True)
class SaleWithGoods:
    """A sale in which orders with the goods are still to be handed over; `begins_at` is of its distribution (UTC)."""

    id: str
    name: str
    begins_at: datetime
    orders: int


def withdraw_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = _open(tx, visit)
        held = goods_on_orders(tx, desk.enterprise.id, _products_of(visit))
    waiting = [goods for goods in held if goods.handed_over_at is None]
    sales, only = _sales(waiting), visit.query.get("sale", "")
    ticked = {f"{GOODS}{goods.product_id}" for goods in waiting}
    ticked |= {f"{SALE}{sale.id}" for sale in sales if only in ("", sale.id)}
    return show(
        visit,
        desk,
        "withdraw",
        at="orders",
        waiting=waiting,
        sales=sales,
        products=_one_of_each(waiting),
        handed_over=[goods for goods in held if goods.handed_over_at is not None],
        ticked=set(visit.form) if visit.form else ticked,
        typed={"reason": "", **(visit.form or {"lost": "1"})},
        own=any(goods.supplier_id == desk.enterprise.id for goods in held),
        done=visit.query.get("done", ""),
    )


@on_refusal(withdraw_page)
def post_withdraw(visit: Visit) -> Response:
    """Shows whose orders change, and how; then changes them."""
    typed = dict(visit.form)
    if goes_back(visit):
        return withdraw_page(visit)
    with visit.write() as tx, tx.attempt() as attempt:
        desk = _open(tx, visit)
        held = goods_on_orders(tx, desk.enterprise.id, _products_of(visit))
        shortened = _withdraw(tx, visit, desk, held)
        if not is_sure(visit):
            attempt.rollback()
    if is_sure(visit):
        query = urlencode({"product": visit.query.get("product", ""), "done": len(shortened)})
        return visit.redirect(f"{desk.address}/withdraw?{query}")
    return show(
        visit,
        desk,
        "withdrawn",
        at="orders",
        orders=shortened,
        typed=typed,
        products=[goods for goods in _one_of_each(held) if f"{GOODS}{goods.product_id}" in typed],
    )


def _open(tx: Transaction, visit: Visit) -> Desk:
    open_desk(tx, visit, "catalogs:write")  # the goods are no longer offered
    return open_desk(tx, visit, "orders:write")


def _products_of(visit: Visit) -> list[str]:
    """The ids of the products in the query, separated by commas."""
    return [product for product in visit.query.get("product", "").split(",") if product][:_MOST]


def _withdraw(tx: Transaction, visit: Visit, desk: Desk, held: Sequence[HeldGoods]) -> list[ShortenedOrder]:
    """Withdraws the ticked ones of these goods. Raises `Invalid` if nothing is ticked, and what `withdraw_goods`
    raises."""
    products = {goods.product_id for goods in held if f"{GOODS}{goods.product_id}" in visit.form}
    sessions = {goods.session_id for goods in held if f"{SALE}{goods.session_id}" in visit.form}
    if not products or not sessions:
        raise Invalid([Problem("nothing_ticked", "Tick at least one product and one sale.")])
    return withdraw_goods(
        tx,
        visit.instance.hooks,
        desk.enterprise.id,
        products,
        session_ids=sessions,
        reason=visit.form.get("reason", ""),
        lost="lost" in visit.form,
        by=visit.actor.person_id,
    )


def _sales(waiting: Sequence[HeldGoods]) -> list[SaleWithGoods]:
    orders: dict[str, set[str]] = {}
    for goods in waiting:
        orders.setdefault(goods.session_id, set()).add(goods.order_id)
    first = {goods.session_id: goods for goods in reversed(waiting)}
    return [
        SaleWithGoods(id=id, name=first[id].sale, begins_at=first[id].begins_at, orders=len(order_ids))
        for id, order_ids in orders.items()
    ]


def _one_of_each(held: Iterable[HeldGoods]) -> list[HeldGoods]:
    """The first row of each product."""
    return list({goods.product_id: goods for goods in reversed(list(held))}.values())[::-1]


# Moves all orders of one slot into another: its place is closed, or its round is not driven.

Moved = tuple[Order, Order]  # an order before and after


def move_page(visit: Visit, moved: Sequence[Moved] = ()) -> Response:
    """The slots of a sale with their orders; of the slot that the query names, its orders and where they can go."""
    origin = visit.query.get("from", "")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        if session is None:
            return visit.redirect(f"{desk.address}/orders")
        options = slots_of_sale(tx, visit, desk, session.id)
        going = [order for order in summaries_of_session(tx, desk.enterprise.id, session.id) if order.is_going]
    slots = by_slot(sorted(going, key=lambda order: (slot_order(order, options), order.number)))
    orders = slots.get(origin, [])
    return show(
        visit,
        desk,
        "move",
        at="orders",
        session=session,
        slots=slots,
        options=options,
        origin=origin,
        orders=orders,
        total=sum(order.total for order in orders),
        targets=_targets(options, origin),
        target=visit.form.get("target", ""),
        moved=moved,
        done=visit.query.get("done", ""),
    )


def _targets(options: Mapping[str, ShippingOption], origin: str) -> dict[str, ShippingOption]:
    """The slots that take more orders. Deliveries need an address, which each customer gives."""
    return {
        id: option for id, option in options.items() if id != origin and option.left != 0 and not option.needs_address
    }


@on_refusal(move_page, {"target"})
def post_move(visit: Visit) -> Response:
    """Shows what moving the orders changes; the form of that page moves them, all or none."""
    if goes_back(visit):
        return move_page(visit)
    sure = is_sure(visit)
    with visit.write() as tx, tx.attempt() as attempt:
        desk = open_desk(tx, visit, "orders:write")
        session = chosen_session(tx, desk.enterprise.id, visit.query.get("sale", ""))
        target = visit.form.get("target", "")
        moved = _move(tx, visit, desk, session.id, target)
        if not sure:
            attempt.rollback()
    if not sure:
        return move_page(visit, moved=moved)
    return visit.redirect(f"{desk.address}/orders/move?sale={session.id}&from={target}&done={len(moved)}")


def _move(tx: Transaction, visit: Visit, desk: Desk, session_id: str, target: str) -> list[Moved]:
    """Moves the orders in the slot that the query names. Raises `Stale` if they are not those that were shown,
    `Invalid` without a slot to move them to, and `Conflict` if it does not take them all."""
    if target not in _targets(slots_of_sale(tx, visit, desk, session_id), visit.query.get("from", "")):
        raise Invalid([Problem("target", "Choose a slot that takes more orders.", "/target")])
    summaries = summaries_of_session(tx, desk.enterprise.id, session_id)
    orders = [order for order in summaries if order.is_going and order.shipping == visit.query.get("from", "")]
    shown = (visit.form.get("number", ""), visit.form.get("total", ""))
    if shown != (str(len(orders)), str(sum(order.total for order in orders))):
        raise Stale
    moved = dict[str, Moved]()
    for order_id in sorted(order.id for order in orders):  # locked in one sequence everywhere
        before = locked_order(tx, order_id, enterprise_id=desk.enterprise.id)
        after = change_order(tx, visit.instance.hooks, before, shipping=target, by_hub=True, by=visit.actor.person_id)
        moved[order_id] = (before, after)
    return [moved[order.id] for order in orders]
