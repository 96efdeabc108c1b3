"""The goods of an enterprise's catalogs as those who keep them see them, whichever customers may buy them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from commensal import StockLot, SuppliedProduct, Transaction
from commensal.catalogs import CatalogItem, Offer, items_by_id
from commensal.pages import Visit
from commensal.parts.distribution import count_orders_with
from commensal.parts.order_corrections import orders_at_other_prices
from commensal.parts.product_lists import PriceSlip, is_slip
from commensal.products import StockedProduct, stocked_by_id

from ..frame.desk import Desk


@dataclass(frozen=True, kw_only=True)
class CatalogGoods:
    """An item with its product and stock, or a product of the enterprise that only others sell.

    item:  None: the enterprise does not list the product
    price: for everybody, in minor units of the enterprise's currency; None: there is none
    """

    item: CatalogItem | None
    name: str
    price: int | None
    product: SuppliedProduct
    lot: StockLot

    @property
    def item_id(self) -> str:
        """Empty without an item."""
        return self.item.id if self.item else ""


def prices_by_group(item: CatalogItem) -> dict[str, Offer]:
    """The prices of an item for groups, by the id of the group."""
    return {offer.category_id: offer for offer in item.offers if offer.category_id is not None}


def price_for_everybody(item: CatalogItem) -> int | None:
    """Minor units; None: only groups with a price of their own can buy it."""
    return next((offer.price for offer in item.offers if offer.category_id is None), None)


def goods_by_item(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> dict[str, CatalogGoods]:
    """The goods of these items of the enterprise, by item id. Four statements."""
    items = items_by_id(tx, enterprise_id, item_ids) if item_ids else []
    stocked = stocked_by_id(tx, {item.product_id for item in items})
    return {item.id: _goods(item, stocked[item.product_id]) for item in items}


def unlisted_goods(tx: Transaction, product_ids: Iterable[str]) -> dict[str, CatalogGoods]:
    """Goods that the enterprise does not list, by product id. One statement."""
    return {id: _goods(None, stocked) for id, stocked in stocked_by_id(tx, list(product_ids)).items()}


def _goods(item: CatalogItem | None, stocked: StockedProduct) -> CatalogGoods:
    name = (item.name if item else None) or stocked.product.name
    price = price_for_everybody(item) if item else None
    return CatalogGoods(item=item, name=name, price=price, product=stocked.product, lot=stocked.lot)


# Asks once before a price is saved that looks like a slip of the hand: 0, or ten times more or less than before.


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
