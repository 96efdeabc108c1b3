"""Puts what was ordered once into the basket of the sale that is open now."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Order, Sale, Transaction
from commensal.orders import cart_items, fill_cart, open_cart
from commensal.pages import Visit

from .guest import CartOwner, new_owner, set_guest_secret
from .offers import visible_offers
from .orders import OrderAccess, sale_to_order_again


def order_again_now(visit: Visit) -> Response:
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
