"""How the goods reach the customer: options come from plugins, and one is booked with the order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from ...base.errors import Invalid, Problem
from ...base.texts import refuse_links
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import ShippingOption
from ...storage.database import Transaction
from ...storage.jobs import Job
from ...storage.jobs.enqueue import promise
from ..enterprises.plugins import enabled_plugins
from ..pricing.values import Address, OrderDraft
from ..sale_sessions.tables import sale_session
from .tables import customer_order
from .values import Order, Selling

if TYPE_CHECKING:
    from ...instance import Instance

RELEASE = "release_shipping"  # a job: {"order": id, "shipping": "plugin:option"}
AGAIN = timedelta(hours=1)


def links_in(address: Address) -> list[Problem]:
    """It stands in the mails about the order, and whoever types the e-mail address of another writes to them."""
    problems: list[Problem] = []
    for name in ("street", "postcode", "city", "note"):
        refuse_links(getattr(address, name), f"/address/{name}", problems)
    return problems


def options(
    tx: Transaction, hooks: Hooks, shop: Selling, language: str, address: Address | None
) -> dict[str, ShippingOption]:
    """What the shop's plugins offer for this session, by "plugin:id"."""
    return _offered(tx, hooks, shop.plugins, shop, language, address)


def _offered(
    tx: Transaction,
    hooks: Hooks,
    plugins: Mapping[str, Mapping[str, object]],
    where: Selling | Order,
    language: str,
    address: Address | None,
) -> dict[str, ShippingOption]:
    answers = hooks.each(
        specifications.shipping_options,
        plugins,
        tx=tx,
        enterprise_id=where.enterprise_id,
        session_id=where.session_id,
        language=language,
        address=address,
    )
    return {f"{answer.plugin}:{one.id}": one for answer in answers for one in answer.value or ()}


def book(tx: Transaction, hooks: Hooks, shop: Selling, draft: OrderDraft, language: str) -> ShippingOption | None:
    """Takes a place in `draft.shipping`. Raises `Refused` where it is full, `Invalid` where it is none of the shop's.

    An empty choice is fine only where the shop offers nothing to choose from, to whatever address.
    """
    if not draft.shipping:
        if options(tx, hooks, shop, language, None):
            raise Invalid([Problem("shipping_missing", "Choose how you will receive your order.", "/shipping")])
        return None
    plugin, _, option = draft.shipping.partition(":")
    if plugin not in shop.plugins:
        raise unknown_shipping()
    booked = hooks.ask(
        specifications.book_shipping, plugin, shop.plugins, tx=tx, order=draft, option=option, language=language
    )
    if booked.needs_address and not (draft.address and draft.address.street and draft.address.city):
        raise Invalid([Problem("address_missing", "Say where your order shall be brought.", "/address")])
    return booked


def kept_option(tx: Transaction, hooks: Hooks, shop: Selling, draft: OrderDraft) -> ShippingOption | None:
    """What the order has booked already, as its plugin tells it now. Raises `Invalid` where it is not offered any more.

    Wherever its address lies: what is booked stays booked, and whether a new address will do `order_problems` says.
    None where nothing was chosen, and where the plugin is gone: what it had priced falls away, and the label stays.
    """
    plugin = draft.shipping.partition(":")[0]
    if plugin not in hooks.plugins() or plugin not in shop.plugins:
        return None
    option = options(tx, hooks, shop, draft.language, None).get(draft.shipping)
    if option is None:
        raise unknown_shipping()
    return option


def shipping_told(option: ShippingOption | None) -> dict[str, str]:
    """The columns of an order that tell its customer when and where they get it; what is brought has its address."""
    if option is None:
        return dict.fromkeys(("shipping_label", "shipping_address", "shipping_note"), "")
    collected = not option.needs_address
    return {
        "shipping_label": option.label,
        "shipping_address": option.address if collected else "",
        "shipping_note": option.note if collected else "",
    }


def with_place_of_today(tx: Transaction, hooks: Hooks, order: Order) -> Order:
    """The order with the place where it is collected as its plugin tells it now: a place may have moved since.

    As it was written down where the plugin is gone or fails.
    """
    plugin = order.shipping.partition(":")[0]
    if order.address is not None or plugin not in hooks.plugins():
        return order
    enabled = enabled_plugins(tx, order.enterprise_id)
    if plugin not in enabled:
        return order
    offered = _offered(tx, hooks, {plugin: enabled[plugin]}, order, order.language, None)
    option = offered.get(order.shipping)
    if option is None:
        return order
    return replace(order, shipping_address=option.address, shipping_note=option.note)


def release(tx: Transaction, hooks: Hooks, order_id: str, shipping: str) -> None:
    """Gives the place back. Where the plugin is gone nobody is kept in an order for its sake: the place is given back
    when the plugin returns."""
    plugin, _, option = shipping.partition(":")
    if plugin in hooks.plugins():
        hooks.ask(specifications.release_shipping, plugin, tx=tx, order_id=order_id, option=option)
    elif plugin:
        promise(tx, RELEASE, {"order": order_id, "shipping": shipping}, due_at=tx.now + AGAIN)


def release_when_back(instance: Instance, one: Job) -> None:
    """The job `RELEASE`. It comes back every hour until the plugin is there, or the distribution is over."""
    order_id, shipping = one.payload["order"], one.payload["shipping"]
    ends = select(sale_session.c.ends_at).join_from(customer_order, sale_session).where(customer_order.c.id == order_id)

    def act(tx: Transaction) -> None:
        ends_at = tx.value(ends)
        if ends_at is not None and ends_at > tx.now:
            release(tx, instance.hooks, order_id, shipping)

    instance.store.transact(act)


def unknown_shipping() -> Invalid:
    return Invalid([Problem("shipping_unknown", "This way to receive the order is not offered here.", "/shipping")])
