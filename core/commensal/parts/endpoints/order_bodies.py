"""Bodies of requests about orders that shoppers and hubs share, and their conversion for `trade.orders`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ...api.endpoint import Body, Call
from ...orders.values import Order, Wish
from ...payments.payments import cancel_open
from ...pricing.values import Address
from ..web.openapi import Language
from .product_bodies import PluginBody

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]
Pieces = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Items = Annotated[dict[Id, Pieces], msgspec.Meta(max_length=500)]
Codes = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=40)], ...], msgspec.Meta(max_length=10)]
Consents = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=200)], ...], msgspec.Meta(max_length=100)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


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
    """`items` maps catalog items to pieces; `email` is where the mails go; an order of an account with a confirmed
    address takes that one instead. `total` is what the shopper was shown, in minor units; `consents` are the
    `consent_requests` of the quote that the shopper agrees to. `language` is that of the e-mails about the order; where
    it is left out, it is what Accept-Language prefers for a shopper's own order, else the shop's. `terms_id` is that of
    the quote: the version of the shop's terms of sale that the shopper accepts."""

    items: Items
    name: Text
    email: Text
    phone: Text = ""
    collector: Text = ""
    note: Note = ""
    shipping: Text = ""
    payment_method: Text = ""
    language: Language | None = None
    total: Amount | None = None
    codes: Codes = ()
    address: WishedAddress | None = None
    consents: Consents = ()
    plugin_fields: PluginBody = msgspec.field(default_factory=dict)
    terms_id: Annotated[str, msgspec.Meta(max_length=64)] = ""


class OrderChanges(Body, frozen=True, kw_only=True):
    """What is given replaces what was; `items` is the whole order, not a difference."""

    items: Items | None = None
    shipping: Text | None = None
    note: Note | None = None
    phone: Text | None = None
    collector: Text | None = None
    total: Amount | None = None
    codes: Codes | None = None
    address: WishedAddress | None = None
    plugin_fields: PluginBody | None = None


def stop_payments(call: Call, order: Order) -> Order:
    """Cancels the payments of a cancelled order that are still open. Returns the order."""
    cancel_open(call.tx, order.id)
    return order


def read_wish(body: NewOrder, requested_language: str = "") -> Wish:
    """The order as its shopper or hub wishes it; items of no pieces are left out.

    A body without a language means `requested_language`, that of the shopper's request; empty: the shop's.
    """
    return Wish(
        items={item: pieces for item, pieces in body.items.items() if pieces},
        name=body.name,
        email=body.email,
        phone=body.phone,
        note=body.note,
        collector=body.collector,
        language=body.language or requested_language,
        shipping=body.shipping,
        payment_method=body.payment_method,
        total=body.total,
        codes=body.codes,
        address=body.address.read() if body.address else None,
        consents=body.consents,
        plugin_fields=body.plugin_fields,
        terms_id=body.terms_id,
    )


def read_changes(body: OrderChanges) -> dict[str, Any]:
    """Keyword arguments of `change_order`: what was not sent is None, and stays as it is."""
    address = body.address.read() if body.address else None
    names = ("items", "shipping", "note", "phone", "collector", "total", "codes", "plugin_fields")
    values = {name: getattr(body, name) for name in names}
    return {**values, "address": address}
