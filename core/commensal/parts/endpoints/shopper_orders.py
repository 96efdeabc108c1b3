"""Orders of shoppers over the API: with an account or as guests they place, change and cancel them, and consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, page_of
from ...hooks.values import ConsentRequest, ShippingOption
from ...orders.cancel import cancel_order
from ...orders.cart import cart_items, cart_of, fill_cart, open_cart
from ...orders.change import change_order
from ...orders.consents import OrderConsent, consents_of, set_consents
from ...orders.lock import locked_guest_order, locked_order
from ...orders.place import place_order
from ...orders.price import Choices
from ...orders.questions import order_by_id, order_by_secret, orders_of_person
from ...orders.quote import quote_order
from ...orders.values import Order
from ...people.codes import fingerprint
from ...pricing.values import Adjustment, PricedLine, Totals
from ...sale_sessions.questions import sale_for
from ..order_corrections.reprice import claim_order
from .order_bodies import (
    Codes,
    Consents,
    Items,
    NewOrder,
    OrderChanges,
    Text,
    WishedAddress,
    read_changes,
    read_wish,
    stop_payments,
)
from .product_bodies import PluginBody

routes = Routes("orders")

_UNTRACED = "the orders, their movements and their payments record what customers do with their own orders"


class Cart(Body, frozen=True, kw_only=True):
    items: Items


class Question(Body, frozen=True, kw_only=True):
    """What an order of these items would cost."""

    items: Items
    shipping: Text = ""
    payment_method: Text = ""
    codes: Codes = ()
    address: WishedAddress | None = None
    plugin_fields: PluginBody = msgspec.field(default_factory=dict)


class AgreedTo(Body, frozen=True, kw_only=True):
    """All that the customer agrees to from now on, by "plugin:id"; what is missing is taken back."""

    consents: Consents


@dataclass(frozen=True, kw_only=True)
class GuestOrder:
    """A guest's order, with the secret that opens it again: it is told once."""

    order: Order
    secret: str | None


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What it would cost now, in minor units, how it could be received, and what the shopper may agree to, by
    "plugin:id". `terms_id` is the version of the shop's terms of sale that whoever orders accepts; null: it has none.
    `GET /legal-text-versions/{text}` shows it."""

    lines: Sequence[PricedLine]
    adjustments: Sequence[Adjustment]
    totals: Totals
    shipping_options: dict[str, ShippingOption]
    consent_requests: dict[str, ConsentRequest]
    terms_id: str | None


@routes.post("/sale-sessions/{session}/quote", scope="public", untraced="it changes nothing")
def quote(call: Call, session: str, body: Question) -> Priced:
    """Says what these items would cost this shopper now. Takes and writes nothing."""
    offer = quote_order(
        call.tx,
        call.instance.hooks,
        session,
        body.items,
        language=call.language,
        person_id=call.actor.person_id,
        chosen=Choices(
            shipping=body.shipping,
            payment_method=body.payment_method,
            codes=body.codes,
            address=body.address.read() if body.address else None,
            plugin_fields=body.plugin_fields,
        ),
    )
    draft = offer.quote.draft
    return Priced(
        lines=draft.lines,
        adjustments=draft.adjustments,
        totals=offer.quote.totals,
        shipping_options=dict(offer.shipping_options),
        consent_requests=dict(offer.consent_requests),
        terms_id=offer.shop.terms_id,
    )


@routes.post(
    "/sale-sessions/{session}/orders", scope="public", status=201, needs_key=True, sealed=True, untraced=_UNTRACED
)
def place(call: Call, session: str, body: NewOrder) -> GuestOrder:
    """Places an order. Stock is taken in the same transaction; a guest gets the secret that opens the order again."""
    person = call.actor.person_id
    secret = None if person else call.tx.ids.secret()
    order = place_order(
        call.tx,
        call.instance.hooks,
        session,
        read_wish(body, call.requested_language),
        person_id=person,
        secret=secret,
        cart_id=cart_of(call.tx, session, person_id=person),
        client_address=call.actor.address,
    )
    return GuestOrder(order=order, secret=secret)


@routes.get("/me/sale-sessions/{session}/cart", scope="self")
def my_cart(call: Call, session: str) -> Cart:
    """What lies in my cart at this sale."""
    sale_for(call.tx, session, call.person_id)
    cart = cart_of(call.tx, session, person_id=call.person_id)
    return Cart(items=cart_items(call.tx, cart) if cart else {})


@routes.put("/me/sale-sessions/{session}/cart", scope="self", untraced="what lies in a cart is a wish")
def set_cart(call: Call, session: str, body: Cart) -> Cart:
    """Sets my whole cart at this sale. It reserves nothing."""
    sale_for(call.tx, session, call.person_id)
    cart = open_cart(call.tx, session, language=call.language, person_id=call.person_id)
    fill_cart(call.tx, cart, body.items)
    return Cart(items=cart_items(call.tx, cart))


@routes.get("/me/orders", scope="self")
def my_orders(call: Call, query: Paging) -> Page[Order]:
    """My orders, the newest first, without their lines."""
    found_orders = orders_of_person(call.tx, call.person_id, after=query.after, limit=query.limit)
    return page_of(found_orders, query.limit, lambda order: order.id)


@routes.get("/me/orders/{order}", scope="self")
def my_order(call: Call, order: str) -> Order:
    """One of my orders."""
    return order_by_id(call.tx, order, person_id=call.person_id)


@routes.patch("/me/orders/{order}", scope="self", edits=True, untraced=_UNTRACED)
def change_my_order(call: Call, order: str, body: OrderChanges) -> Order:
    """Changes my order while the sale is open."""
    locked = locked_order(call.tx, order, person_id=call.person_id, version=call.version)
    return change_order(call.tx, call.instance.hooks, locked, by=call.person_id, **read_changes(body))


@routes.post("/me/orders/{order}/cancel", scope="self", edits=True, untraced=_UNTRACED)
def cancel_my_order(call: Call, order: str) -> Order:
    """Cancels my order while the sale is open."""
    locked = locked_order(call.tx, order, person_id=call.person_id, version=call.version)
    return stop_payments(call, cancel_order(call.tx, call.instance.hooks, locked, by=call.person_id))


@routes.get("/guest-orders/{secret}", scope="public", limit="logins")
def guest_order(call: Call, secret: str) -> Order:
    """The order that this secret opens."""
    return order_by_secret(call.tx, fingerprint(secret))


@routes.patch("/guest-orders/{secret}", scope="public", edits=True, limit="logins", untraced=_UNTRACED)
def change_guest_order(call: Call, secret: str, body: OrderChanges) -> Order:
    """Changes the order that this secret opens, while the sale is open."""
    locked = locked_guest_order(call.tx, fingerprint(secret), version=call.version)
    return change_order(call.tx, call.instance.hooks, locked, **read_changes(body))


@routes.post("/guest-orders/{secret}/cancel", scope="public", edits=True, limit="logins", untraced=_UNTRACED)
def cancel_guest_order(call: Call, secret: str) -> Order:
    """Cancels the order that this secret opens, while the sale is open."""
    locked = locked_guest_order(call.tx, fingerprint(secret), version=call.version)
    return stop_payments(call, cancel_order(call.tx, call.instance.hooks, locked))


@routes.post("/guest-orders/{secret}/proof", scope="public", limit="logins", untraced=_UNTRACED)
def prove_guest_order(call: Call, secret: str) -> Order:
    """Says that the order is mine, with a secret that came by mail: it shows whose the address is. The secret of who
    placed the order opens nothing afterwards. If I am logged in with the address, the order is one of mine. While the
    sale is open, it gets my prices and the help that I am granted, if it costs less then."""
    return claim_order(call.tx, call.instance.hooks, fingerprint(secret), person_id=call.actor.person_id)


@routes.get("/me/orders/{order}/consents", scope="self")
def my_consents(call: Call, order: str) -> Sequence[OrderConsent]:
    """What I have agreed to with this order, and what else I am asked."""
    my_order = order_by_id(call.tx, order, person_id=call.person_id)
    return consents_of(call.tx, call.instance.hooks, my_order, call.language)


@routes.put("/me/orders/{order}/consents", scope="self", untraced=_UNTRACED)
def set_my_consents(call: Call, order: str, body: AgreedTo) -> Sequence[OrderConsent]:
    """Agrees to these and to nothing else. Taking back is always possible."""
    return _replace_consents(call, locked_order(call.tx, order, person_id=call.person_id), body)


@routes.get("/guest-orders/{secret}/consents", scope="public", limit="logins")
def guest_consents(call: Call, secret: str) -> Sequence[OrderConsent]:
    """What the guest has agreed to with this order, and what else they are asked."""
    return consents_of(call.tx, call.instance.hooks, order_by_secret(call.tx, fingerprint(secret)), call.language)


@routes.put("/guest-orders/{secret}/consents", scope="public", limit="logins", untraced=_UNTRACED)
def set_guest_consents(call: Call, secret: str, body: AgreedTo) -> Sequence[OrderConsent]:
    """Agrees to these and to nothing else. Taking back is always possible."""
    return _replace_consents(call, locked_guest_order(call.tx, fingerprint(secret)), body)


def _replace_consents(call: Call, order: Order, body: AgreedTo) -> Sequence[OrderConsent]:
    set_consents(call.tx, call.instance.hooks, order, body.consents, call.language)
    return consents_of(call.tx, call.instance.hooks, order, call.language)
