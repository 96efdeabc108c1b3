"""Adds what is in a basket to an order that the visitor has placed at the same sale."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Order, Refused, Sale, Transaction, fingerprint
from commensal.orders import (
    cart_items,
    cart_of,
    change_order,
    empty_cart,
    fill_cart,
    locked_guest_order,
    locked_order,
    names_of_lines,
    open_cart,
)
from commensal.pages import Visit

from .cart import JoinableOrder, joinable_order, load_cart, visible_offers
from .change import ask_for_new_amount, typed_number
from .guest import CartOwner, cart_owner, new_owner, set_guest_secret
from .orders import OrderAccess, sale_to_order_again, totals_of
from .showing import on_refusal, show, with_mistakes


def join_page(visit: Visit) -> Response:
    """Shows what the order would be with the basket. Changes nothing."""
    session_id = visit.path["session"]
    with visit.read() as tx:
        cart = load_cart(tx, visit)
        joined = joinable_order(tx, visit, session_id)
    if joined is None or not cart.ready or cart.id is None:
        return visit.redirect(f"/sales/{session_id}/cart")
    try:
        preview = visit.instance.store.transact(lambda tx: _preview(tx, visit, joined))
        with visit.read() as tx:
            line_names = names_of_lines(tx, preview.lines, reader=visit.language, own=cart.sale.shop.language)
    except Refused as error:
        visit = visit if visit.mistakes else with_mistakes(visit, error, ())
        preview, line_names = None, {}
    return show(
        visit,
        "join",
        sale=cart.sale,
        cart=cart,
        joined=joined,
        preview=preview,
        line_names=line_names,
        sums=totals_of(preview) if preview else None,
    )


@on_refusal(join_page, ())
def post_join(visit: Visit) -> Response:
    """Adds the basket to the order, at the total that the customer has seen. Sending the form twice adds it once."""
    with visit.read() as tx:
        joined = joinable_order(tx, visit, visit.path["session"])
    if joined is None:
        return visit.redirect(f"/sales/{visit.path['session']}/cart")
    order = visit.instance.store.transact(lambda tx: _join(tx, visit, joined, typed_number(visit, "total")))
    if order is not None:
        ask_for_new_amount(visit, joined.address, order)
    return visit.redirect(joined.address)


def _preview(tx: Transaction, visit: Visit, joined: JoinableOrder) -> Order:
    with tx.attempt() as attempt:
        order = _change(tx, visit, joined, None)
        attempt.rollback()
    return order


def _join(tx: Transaction, visit: Visit, joined: JoinableOrder, shown_total: int) -> Order | None:
    """Changes the order and empties the cart. None if another request has done so meanwhile."""
    session_id, cart_id = visit.path["session"], visit.form.get("cart", "")
    if cart_of(tx, session_id, **cart_owner(visit, session_id), lock=True) != cart_id:
        return None
    order = _change(tx, visit, joined, shown_total)
    empty_cart(tx, cart_id)
    return order


def _change(tx: Transaction, visit: Visit, joined: JoinableOrder, shown_total: int | None) -> Order:
    session_id, person_id = visit.path["session"], visit.actor.person_id
    if joined.secret is None:
        order = locked_order(tx, joined.order.id, person_id=person_id)
    else:
        order = locked_guest_order(tx, fingerprint(joined.secret))
    cart = cart_of(tx, session_id, **cart_owner(visit, session_id))
    items = cart_items(tx, cart) if cart else {}
    for line in order.lines:
        if line.substitutes_id is None:
            items[line.item_id] = items.get(line.item_id, 0) + line.quantity
    return change_order(tx, visit.instance.hooks, order, items=items, total=shown_total, by=person_id)


# Puts what was ordered once into the basket of the sale that is open now.


def post_order_again(visit: Visit) -> Response:
    """Fills the basket and shows it. Goods that are not on sale now are left out; what the basket has already stays, so
    sending the form twice adds nothing."""
    access = OrderAccess(visit)
    with visit.read() as tx:
        order = access.order(tx)
        sale = sale_to_order_again(tx, order)
    if sale is None:
        return visit.redirect(access.address)
    owner, secret = new_owner(visit, sale.session.id)
    visit.instance.store.transact(lambda tx: _fill(tx, visit, order, sale, owner))
    return set_guest_secret(visit.redirect(f"/sales/{sale.session.id}/cart"), visit, secret)


def _fill(tx: Transaction, visit: Visit, order: Order, sale: Sale, owner: CartOwner) -> None:
    ordered: dict[str, int] = {}
    for line in order.lines:
        if line.substitutes_id is not None:
            continue  # it came instead of what was wanted
        ordered[line.item_id] = ordered.get(line.item_id, 0) + line.quantity
    offers = visible_offers(tx, visit, sale, list(ordered))
    available = {offer.item_id: ordered[offer.item_id] for offer in offers if offer.left != 0}
    if available:
        cart = open_cart(tx, sale.session.id, language=visit.language, **owner)
        now = cart_items(tx, cart)
        fill_cart(tx, cart, {**now, **{item: max(pieces, now.get(item, 0)) for item, pieces in available.items()}})
