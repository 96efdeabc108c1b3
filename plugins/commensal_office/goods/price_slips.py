"""Asks once before a price is saved that looks like a slip of the hand: 0, or ten times more or less than before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from commensal import Transaction
from commensal.pages import Visit
from commensal.parts.distribution import count_orders_with
from commensal.parts.order_corrections import orders_at_other_prices
from commensal.parts.product_lists import PriceSlip, is_slip

from ..frame.desk import Desk
from .assortment import CatalogGoods


def slips_of(items: Iterable[CatalogGoods], prices: Mapping[str, int]) -> list[PriceSlip]:
    """The new prices (minor units by item id) of these items that look like slips."""
    return [
        PriceSlip(item_id=item.item_id, name=item.name, before=item.price, after=prices[item.item_id])
        for item in items
        if item.item_id in prices and is_slip(item.price, prices[item.item_id])
    ]


def confirmation_of(slips: Sequence[PriceSlip]) -> str:
    """What the box says that confirms exactly these prices: changing one of them asks again."""
    return ",".join(f"{slip.item_id}={slip.after}" for slip in slips)


def confirmed(visit: Visit, slips: Sequence[PriceSlip]) -> bool:
    """Whether there is nothing to ask, or the visitor has ticked the box beside these prices."""
    return not slips or visit.form.get("prices_right", "") == confirmation_of(slips)


def orders_at_old_price(tx: Transaction, desk: Desk, slips: Sequence[PriceSlip]) -> int:
    """How many orders that are still to be handed over hold these goods, and keep their price."""
    item_ids = [slip.item_id for slip in slips if slip.item_id]
    return count_orders_with(tx, desk.enterprise.id, item_ids) if item_ids else 0


def count_at_other_prices(tx: Transaction, desk: Desk, item_ids: Collection[str]) -> int:
    """How many orders hold these goods at another price than they have now; 0 for who cannot change orders."""
    if not item_ids or not (desk.may("orders:write") and desk.sees_money):
        return 0
    return len({line.order_id for line in orders_at_other_prices(tx, desk.enterprise.id, item_ids)})
