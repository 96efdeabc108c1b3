"""Things on sale at a shop, written as rows: for tests of orders, and of what must not happen to stock."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from ..storage.database import Transaction
from ..trade.catalogs.tables import catalog_item, offer
from ..trade.products.tables import product_vat, supplied_product
from ..trade.sale_sessions.tables import session_item
from ..trade.stock.lots import open_lot


def a_lot(
    tx: Transaction, shop: str = "shop", *, name: str = "Pommes", unit: str = "Piece", on_hand: str = "10"
) -> str:
    """A lot of the shop's own with this much in it, in its unit. Returns its id."""
    return open_lot(tx, enterprise_id=shop, name=name, unit=unit, on_hand=Decimal(on_hand)).id


def an_item(
    tx: Transaction, lot_id: str, shop: str = "shop", *, name: str = "Pommes", price: int = 250, grains: int = 1,
    vat: str = "5.5", **more: Any,
) -> str:  # fmt: skip
    """Something on sale in the shop's session, `grains` of its lot a piece. Returns the catalog item's id."""
    product, item = tx.new_id(), tx.new_id()
    made = {"description": "", "product_type": "vegetable", "quantity": Decimal(1), "unit": "Piece", "weighed": False}
    made |= {"labels": [], "allergens": [], "deposit": 0, "search": "", "version": 1, "created_at": tx.now}
    given = {
        "id": product,
        "enterprise_id": shop,
        "lot_id": lot_id,
        "lot_quantity": grains,
        "name": name,
        **made,
        **more,
    }
    tx.execute(insert(supplied_product).values(given))
    tx.execute(insert(product_vat).values(product_id=product, valid_from="2020-01-01", rate=Decimal(vat)))
    listed = {"id": item, "catalog_id": f"{shop}-catalog", "product_id": product, "position": 1, "hidden": False}
    tx.execute(insert(catalog_item).values(**listed, created_at=tx.now, version=1))
    tx.execute(insert(offer).values(id=tx.new_id(), item_id=item, price=price, version=1))
    tx.execute(insert(session_item).values(session_id=f"{shop}-session", item_id=item))
    return item
