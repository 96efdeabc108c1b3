"""The order that a basket can join: one that the visitor has placed at the same sale, and may still change.

Then there is one order with one fee and one crate, instead of several.
"""

from __future__ import annotations

from dataclasses import dataclass

from commensal import Order, Transaction, fingerprint
from commensal.orders import changeable_orders
from commensal.pages import Visit

from .guest import cart_owner, order_secret


@dataclass(frozen=True, kw_only=True)
class JoinableOrder:
    """An order that this visitor may still change.

    secret: a guest's key to it
    whose:  the name on an order that somebody else of the household has placed, who gets its e-mails; else empty
    """

    order: Order
    secret: str | None
    whose: str = ""

    @property
    def address(self) -> str:
        return f"/orders/guest/{self.secret}" if self.secret else f"/orders/{self.order.id}"


def joinable_order(tx: Transaction, visit: Visit, session_id: str) -> JoinableOrder | None:
    """The visitor's latest order at this sale that can be changed, without its lines; else that of their household;
    None if there is none.

    The orders of guests are found by the secrets that their browser derives for each, see `guest`.
    """
    person_id = visit.actor.person_id
    if person_id is not None:
        orders = changeable_orders(tx, session_id, person_id=person_id)
        if not orders:
            return None
        order = next((order for order, _ in orders if order.person_id == person_id), orders[0][0])
        return JoinableOrder(order=order, secret=None, whose="" if order.person_id == person_id else order.name)
    if cart_owner(visit, session_id)["secret_hash"] is None:
        return None  # a guest without a cookie has ordered nothing
    for order, secret_hash in changeable_orders(tx, session_id, person_id=None):
        secret = order_secret(visit, order.id)
        if secret is not None and fingerprint(secret) == secret_hash:
            return JoinableOrder(order=order, secret=secret)
    return None
