"""How the goods reach the customer: options come from plugins, and one is booked with the order."""

from __future__ import annotations

from ..errors import Invalid, Problem
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import ShippingOption
from ..pricing.values import OrderDraft
from ..store import Transaction
from .values import Selling


def options(tx: Transaction, hooks: Hooks, shop: Selling, language: str) -> dict[str, ShippingOption]:
    """What the shop's plugins offer for this session, by "plugin:id"."""
    answers = hooks.each(
        specifications.shipping_options,
        shop.plugins,
        tx=tx,
        enterprise_id=shop.enterprise_id,
        session_id=shop.session_id,
        language=language,
    )
    return {f"{answer.plugin}:{one.id}": one for answer in answers for one in answer.value or ()}


def book(tx: Transaction, hooks: Hooks, shop: Selling, draft: OrderDraft, language: str) -> ShippingOption | None:
    """Takes a place in `draft.shipping`. Raises `Refused` where it is full, `Invalid` where it is none of the shop's.

    An empty choice is fine only where the shop offers nothing to choose from.
    """
    if not draft.shipping:
        if options(tx, hooks, shop, language):
            raise Invalid([Problem("shipping_missing", "Choose how you will receive your order.", "/shipping")])
        return None
    plugin, _, option = draft.shipping.partition(":")
    if plugin not in shop.plugins:
        raise unknown_shipping()
    return hooks.ask(specifications.book_shipping, plugin, tx=tx, order=draft, option=option, language=language)


def release(tx: Transaction, hooks: Hooks, order_id: str, shipping: str) -> None:
    """Gives the place back."""
    if shipping:
        plugin, _, option = shipping.partition(":")
        hooks.ask(specifications.release_shipping, plugin, tx=tx, order_id=order_id, option=option)


def unknown_shipping() -> Invalid:
    return Invalid([Problem("shipping_unknown", "This way to receive the order is not offered here.", "/shipping")])
