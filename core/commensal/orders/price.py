"""What an order costs: its lines, then the adjustments that plugins ask for, phase by phase, then VAT and totals."""

from __future__ import annotations

from dataclasses import replace

from ..hooks.dispatcher import Hooks
from ..hooks.values import ShippingOption
from ..pricing.asking import ask_plugins
from ..pricing.phases import price_order
from ..pricing.totals import totals
from ..pricing.values import OrderDraft, PricedLine
from ..store import Transaction
from .values import Quote, Selling


def draft_of(
    order_id: str,
    shop: Selling,
    lines: tuple[PricedLine, ...],
    *,
    category_ids: frozenset[str],
    person_id: str | None,
    shipping: str = "",
) -> OrderDraft:
    """The order as plugins see it, before any adjustment."""
    return OrderDraft(
        id=order_id,
        session_id=shop.session_id,
        enterprise_id=shop.enterprise_id,
        currency=shop.currency,
        prices_include_vat=shop.prices_include_vat,
        category_ids=category_ids,
        person_id=person_id,
        lines=lines,
        shipping=shipping,
        begins_at=shop.begins_at,
    )


def price(tx: Transaction, hooks: Hooks, shop: Selling, draft: OrderDraft, option: ShippingOption | None) -> Quote:
    """Asks the shop's plugins for adjustments and adds everything up. `option` is the booked or wished shipping."""
    whole = price_order(replace(draft, shipping_option=option), ask_plugins(hooks, tx, shop.plugins))
    return Quote(draft=whole, totals=totals(whole))
