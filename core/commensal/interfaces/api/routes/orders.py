"""Orders over the API: shoppers place, change and cancel theirs; the hub packs, weighs, substitutes and hands over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from ....hooks.values import ConsentRequest, ShippingOption
from ....trade.enterprises.customers import customer_by_id
from ....trade.orders.cancel import cancel_order
from ....trade.orders.cart import cart_items, cart_of, fill_cart, open_cart
from ....trade.orders.change import change_order
from ....trade.orders.consents import OrderConsent, consents_of, set_consents
from ....trade.orders.distribution import Parcel, ProductTotal, parcels, product_totals
from ....trade.orders.fulfil import hand_order_over, order_is_ready
from ....trade.orders.lock import locked_guest_order, locked_order
from ....trade.orders.place import place_order
from ....trade.orders.price import Choices
from ....trade.orders.proof import prove_order
from ....trade.orders.questions import order_by_id, order_by_secret, orders_of_person, orders_of_session
from ....trade.orders.quote import quote_order
from ....trade.orders.selling import refuse_foreign_session
from ....trade.orders.substitute import substitute
from ....trade.orders.values import Order, Wish
from ....trade.orders.weigh import weigh_order
from ....trade.payments.payments import cancel_open
from ....trade.people.fingerprint import fingerprint
from ....trade.pricing.values import Address, Adjustment, PricedLine, Totals
from ....trade.sale_sessions.questions import sale_for
from ..endpoint import Body, Call, Page, Paging, Routes, page_of

routes = Routes("orders")

_OWN = "what customers do with their own orders is told by the orders, their movements and their payments"

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]
Pieces = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Items = Annotated[dict[Id, Pieces], msgspec.Meta(max_length=500)]
Codes = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=40)], ...], msgspec.Meta(max_length=10)]
Consents = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=200)], ...], msgspec.Meta(max_length=100)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Language = Annotated[str, msgspec.Meta(pattern="^(fr|en)$")]


class WishedAddress(Body, frozen=True, kw_only=True):
    """Where the goods are to be brought."""

    street: Text = ""
    postcode: Annotated[str, msgspec.Meta(max_length=20)] = ""
    city: Text = ""
    country: Annotated[str, msgspec.Meta(pattern="^([A-Z]{2})?$")] = ""
    note: Text = ""

    def read(self) -> Address:
        return Address(**msgspec.structs.asdict(self))


class NewOrder(Body, frozen=True, kw_only=True):
    """`items` maps catalog items to pieces; `total` is what the shopper was shown, in minor units; `consents` are the
    `consent_requests` of the quote that the shopper agrees to."""

    items: Items
    name: Text
    email: Text
    phone: Text = ""
    note: Note = ""
    shipping: Text = ""
    payment_method: Text = ""
    language: Language = "fr"
    total: Amount | None = None
    codes: Codes = ()
    address: WishedAddress | None = None
    consents: Consents = ()


class HubOrder(NewOrder, frozen=True, kw_only=True):
    """An order that the hub takes for a customer, by telephone or at the counter."""

    customer_id: Id | None = None


class OrderChanges(Body, frozen=True, kw_only=True):
    """What is given replaces what was; `items` is the whole order, not a difference."""

    items: Items | None = None
    shipping: Text | None = None
    note: Note | None = None
    total: Amount | None = None
    codes: Codes | None = None
    address: WishedAddress | None = None


class Cart(Body, frozen=True, kw_only=True):
    items: Items


class Question(Body, frozen=True, kw_only=True):
    """What an order of these items would cost."""

    items: Items
    shipping: Text = ""
    payment_method: Text = ""
    codes: Codes = ()
    address: WishedAddress | None = None


class AgreedTo(Body, frozen=True, kw_only=True):
    """All that the customer agrees to from now on, by "plugin:id"; what is missing is taken back."""

    consents: Consents


class Cancellation(Body, frozen=True, kw_only=True):
    """Without `restock` the shop has lost the goods: they do not go back on sale, and are owed to their suppliers."""

    restock: bool = True


class Weights(Body, frozen=True, kw_only=True):
    """By line id, in the line's unit, for all its pieces together."""

    weights: Annotated[dict[Id, Decimal], msgspec.Meta(max_length=500)]


class Substitution(Body, frozen=True, kw_only=True):
    line_id: Id
    item_id: Id
    quantity: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    replaced: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    price: Amount | None = None


@dataclass(frozen=True, kw_only=True)
class GuestOrder:
    """A guest's order, with the secret that opens it again: it is told once."""

    order: Order
    secret: str | None


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What it would cost now, in minor units, how it could be received, and what the shopper may agree to, by
    "plugin:id"."""

    lines: Sequence[PricedLine]
    adjustments: Sequence[Adjustment]
    totals: Totals
    shipping_options: dict[str, ShippingOption]
    consent_requests: dict[str, ConsentRequest]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Who gets what, and what each supplier brings."""

    parcels: Sequence[Parcel]
    heaps: Sequence[ProductTotal]


# ------------------------------------------------------------------------------------------------ shoppers


@routes.post("/sale-sessions/{session}/quote", scope="public", untraced="it changes nothing")
def quote(call: Call, session: str, body: Question) -> Priced:
    """Says what these items would cost this shopper now. Takes and writes nothing."""
    offered = quote_order(
        call.tx, call.instance.hooks, session, body.items, language=call.language, person_id=call.actor.person_id,
        chosen=Choices(
            shipping=body.shipping, payment_method=body.payment_method, codes=body.codes,
            address=body.address.read() if body.address else None,
        ),
    )  # fmt: skip
    draft = offered.quote.draft
    return Priced(
        lines=draft.lines,
        adjustments=draft.adjustments,
        totals=offered.quote.totals,
        shipping_options=dict(offered.shipping_options),
        consent_requests=dict(offered.consent_requests),
    )


@routes.post(
    "/sale-sessions/{session}/orders", scope="public", status=201, needs_key=True, seals=("secret",), untraced=_OWN
)
def place(call: Call, session: str, body: NewOrder) -> GuestOrder:
    """Places an order. Stock is taken in the same transaction; a guest gets the secret that opens the order again."""
    person = call.actor.person_id
    secret = None if person else call.tx.ids.secret()
    order = place_order(
        call.tx, call.instance.hooks, session, _wish(body), person_id=person,
        secret=secret, cart_id=cart_of(call.tx, session, person_id=person), client_address=call.actor.address,
    )  # fmt: skip
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
    found = orders_of_person(call.tx, call.person_id, after=query.after, limit=query.limit)
    return page_of(found, query.limit, lambda one: one.id)


@routes.get("/me/orders/{order}", scope="self")
def my_order(call: Call, order: str) -> Order:
    """One of my orders."""
    return order_by_id(call.tx, order, person_id=call.person_id)


@routes.patch("/me/orders/{order}", scope="self", edits=True, untraced=_OWN)
def change_my_order(call: Call, order: str, body: OrderChanges) -> Order:
    """Changes my order while the sale is open."""
    mine = locked_order(call.tx, order, person_id=call.person_id, version=call.version)
    return change_order(call.tx, call.instance.hooks, mine, by=call.person_id, **_changes(body))


@routes.post("/me/orders/{order}/cancel", scope="self", edits=True, untraced=_OWN)
def cancel_my_order(call: Call, order: str) -> Order:
    """Cancels my order while the sale is open."""
    mine = locked_order(call.tx, order, person_id=call.person_id, version=call.version)
    return _cancelled(call, cancel_order(call.tx, call.instance.hooks, mine, by=call.person_id))


@routes.get("/guest-orders/{secret}", scope="public", limit="logins")
def guest_order(call: Call, secret: str) -> Order:
    """The order that this secret opens."""
    return order_by_secret(call.tx, fingerprint(secret))


@routes.patch("/guest-orders/{secret}", scope="public", edits=True, limit="logins", untraced=_OWN)
def change_guest_order(call: Call, secret: str, body: OrderChanges) -> Order:
    """Changes the order that this secret opens, while the sale is open."""
    found = locked_guest_order(call.tx, fingerprint(secret), version=call.version)
    return change_order(call.tx, call.instance.hooks, found, **_changes(body))


@routes.post("/guest-orders/{secret}/cancel", scope="public", edits=True, limit="logins", untraced=_OWN)
def cancel_guest_order(call: Call, secret: str) -> Order:
    """Cancels the order that this secret opens, while the sale is open."""
    found = locked_guest_order(call.tx, fingerprint(secret), version=call.version)
    return _cancelled(call, cancel_order(call.tx, call.instance.hooks, found))


@routes.post("/guest-orders/{secret}/proof", scope="public", limit="logins", untraced=_OWN)
def prove_guest_order(call: Call, secret: str) -> Order:
    """Says that the order is mine, with a secret that came by mail: it shows whose the address is. The secret of who
    placed the order opens nothing afterwards. If I am logged in with the address, the order is one of mine."""
    return prove_order(call.tx, fingerprint(secret), person_id=call.actor.person_id)


@routes.get("/me/orders/{order}/consents", scope="self")
def my_consents(call: Call, order: str) -> Sequence[OrderConsent]:
    """What I have agreed to with this order, and what else I am asked."""
    mine = order_by_id(call.tx, order, person_id=call.person_id)
    return consents_of(call.tx, call.instance.hooks, mine, call.language)


@routes.put("/me/orders/{order}/consents", scope="self", untraced=_OWN)
def set_my_consents(call: Call, order: str, body: AgreedTo) -> Sequence[OrderConsent]:
    """Agrees to these and to nothing else. Taking back is always possible."""
    return _agreed(call, locked_order(call.tx, order, person_id=call.person_id), body)


@routes.get("/guest-orders/{secret}/consents", scope="public", limit="logins")
def guest_consents(call: Call, secret: str) -> Sequence[OrderConsent]:
    """What the guest has agreed to with this order, and what else they are asked."""
    return consents_of(call.tx, call.instance.hooks, order_by_secret(call.tx, fingerprint(secret)), call.language)


@routes.put("/guest-orders/{secret}/consents", scope="public", limit="logins", untraced=_OWN)
def set_guest_consents(call: Call, secret: str, body: AgreedTo) -> Sequence[OrderConsent]:
    """Agrees to these and to nothing else. Taking back is always possible."""
    return _agreed(call, locked_guest_order(call.tx, fingerprint(secret)), body)


# ------------------------------------------------------------------------------------------------ the hub


@routes.get("/enterprises/{enterprise}/sale-sessions/{session}/orders", scope="orders:read")
def orders(call: Call, enterprise: str, session: str, query: Paging) -> Page[Order]:
    """Placed orders of one of the shop's sessions, without their lines."""
    refuse_foreign_session(call.tx, enterprise, session)
    found = orders_of_session(call.tx, enterprise, session, after=query.after, limit=query.limit)
    return page_of(found, query.limit, lambda one: one.id)


@routes.post(
    "/enterprises/{enterprise}/sale-sessions/{session}/orders", scope="orders:write", status=201, needs_key=True
)
def take_order(call: Call, enterprise: str, session: str, body: HubOrder) -> Order:
    """Takes an order for a customer, also after the close."""
    refuse_foreign_session(call.tx, enterprise, session)
    if body.customer_id:
        customer_by_id(call.tx, enterprise, body.customer_id)
    return place_order(call.tx, call.instance.hooks, session, _wish(body), by_hub=True, customer_id=body.customer_id)


@routes.get("/enterprises/{enterprise}/sale-sessions/{session}/distribution", scope="orders:read")
def distribution(call: Call, enterprise: str, session: str) -> Distribution:
    """Who gets what on distribution day, and what each supplier brings."""
    refuse_foreign_session(call.tx, enterprise, session)
    return Distribution(
        parcels=list(parcels(call.tx, enterprise, session)), heaps=product_totals(call.tx, enterprise, session)
    )


@routes.get("/enterprises/{enterprise}/orders/{order}", scope="orders:read")
def order(call: Call, enterprise: str, order: str) -> Order:
    """One of the shop's orders."""
    return order_by_id(call.tx, order, enterprise_id=enterprise)


@routes.patch("/enterprises/{enterprise}/orders/{order}", scope="orders:write", edits=True)
def change(call: Call, enterprise: str, order: str, body: OrderChanges) -> Order:
    """Changes an order for its customer, also after the close."""
    found = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return change_order(call.tx, call.instance.hooks, found, by_hub=True, by=call.person_id, **_changes(body))


@routes.post("/enterprises/{enterprise}/orders/{order}/cancel", scope="orders:write", edits=True)
def cancel(call: Call, enterprise: str, order: str, body: Cancellation) -> Order:
    """Cancels an order; its goods go back on sale, or not."""
    found = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    cancelled = cancel_order(call.tx, call.instance.hooks, found, restock=body.restock, by_hub=True, by=call.person_id)
    return _cancelled(call, cancelled)


@routes.post("/enterprises/{enterprise}/orders/{order}/weights", scope="orders:pack", edits=True)
def weigh(call: Call, enterprise: str, order: str, body: Weights) -> Order:
    """Writes down what the scales say; the price follows."""
    found = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return weigh_order(call.tx, call.instance.hooks, found, body.weights, by=call.person_id)


@routes.post("/enterprises/{enterprise}/orders/{order}/substitutions", scope="orders:write", edits=True)
def give_instead(call: Call, enterprise: str, order: str, body: Substitution) -> Order:
    """Gives something else for what cannot be delivered."""
    found = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return substitute(
        call.tx, call.instance.hooks, found, line_id=body.line_id, item_id=body.item_id, quantity=body.quantity,
        replaced=body.replaced, price=body.price, by=call.person_id,
    )  # fmt: skip


@routes.post("/enterprises/{enterprise}/orders/{order}/ready", scope="orders:pack", edits=True)
def ready(call: Call, enterprise: str, order: str) -> Order:
    """The order is packed and waits for its customer, who gets a mail."""
    return order_is_ready(call.tx, locked_order(call.tx, order, enterprise_id=enterprise, version=call.version))


@routes.post("/enterprises/{enterprise}/orders/{order}/hand-over", scope="orders:pack", edits=True)
def hand_over(call: Call, enterprise: str, order: str) -> Order:
    """The customer has the goods."""
    found = locked_order(call.tx, order, enterprise_id=enterprise, version=call.version)
    return hand_order_over(call.tx, found, by=call.person_id)


def _agreed(call: Call, order: Order, body: AgreedTo) -> Sequence[OrderConsent]:
    set_consents(call.tx, call.instance.hooks, order, body.consents, call.language)
    return consents_of(call.tx, call.instance.hooks, order, call.language)


def _cancelled(call: Call, order: Order) -> Order:
    """Nobody waits for the money of a cancelled order any more."""
    cancel_open(call.tx, order.id)
    return order


def _wish(body: NewOrder) -> Wish:
    return Wish(
        items={item: pieces for item, pieces in body.items.items() if pieces},
        name=body.name,
        email=body.email,
        phone=body.phone,
        note=body.note,
        language=body.language,
        shipping=body.shipping,
        payment_method=body.payment_method,
        total=body.total,
        codes=body.codes,
        address=body.address.read() if body.address else None,
        consents=body.consents,
    )


def _changes(body: OrderChanges) -> dict[str, Any]:
    address = body.address.read() if body.address else None
    given = {name: getattr(body, name) for name in ("items", "shipping", "note", "total", "codes")}
    return {**given, "address": address}
