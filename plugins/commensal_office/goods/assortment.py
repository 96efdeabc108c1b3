"""The goods of an enterprise's catalogs as those who keep them see them, whichever customers may buy them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from commensal import StockLot, SuppliedProduct, Transaction
from commensal.catalogs import CatalogItem, Offer, items_by_id
from commensal.products import StockedProduct, stocked_by_id


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
