"""Moves all orders of one slot into another: its place is closed, or its round is not driven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from commensal import Invalid, Order, Problem, ShippingOption, Stale, Transaction
from commensal.orders import change_order, locked_order
from commensal.pages import Visit, on_refusal
from commensal.parts.distribution import summaries_of_session

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show
from ..frame.sessions import by_slot, chosen_session, recent_sessions, session_of_page, slot_order, slots_of_sale

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
