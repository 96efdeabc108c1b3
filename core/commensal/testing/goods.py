"""Writes lots and items on sale as rows, for tests of orders and stock."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import insert

from ..catalogs.tables import catalog_item, offer
from ..products.fields import PRODUCT_FIELDS
from ..products.tables import product_vat, supplied_product
from ..sale_sessions.tables import session_item
from ..stock.lots import open_lot
from ..storage.database import Transaction


def a_lot(
    tx: Transaction, shop: str = "shop", *, name: str = "Pommes", unit: str = "Piece", on_hand: str = "10"
) -> str:
    """Writes a lot of the shop with `on_hand` in its unit. Returns its id."""
    return open_lot(tx, enterprise_id=shop, name=name, unit=unit, on_hand=Decimal(on_hand)).id


def an_item(
    tx: Transaction,
    lot_id: str,
    shop: str = "shop",
    *,
    name: str = "Pommes",
    price: int = 250,
    grains: int = 1,
    vat: str = "5.5",
    **fields: object,
) -> str:
    """Writes an item on sale in the shop's session; a piece takes `grains` of its lot, and `price` is in cents. Returns
    the id of the catalog item."""
    product, item = tx.new_id(), tx.new_id()
    defaults = {name: field.default for name, field in PRODUCT_FIELDS.items()}
    defaults |= {"product_type": "vegetable", "quantity": Decimal(1), "unit": "Piece"}
    defaults |= {"search": "", "version": 1, "created_at": tx.now}
    row = {
        **defaults,
        "id": product,
        "enterprise_id": shop,
        "lot_id": lot_id,
        "lot_quantity": grains,
        "name": name,
        **fields,
    }
    tx.execute(insert(supplied_product).values(row))
    tx.execute(insert(product_vat).values(product_id=product, valid_from="2020-01-01", rate=Decimal(vat)))
    catalog_row = {"id": item, "catalog_id": f"{shop}-catalog", "product_id": product, "position": 1, "hidden": False}
    tx.execute(insert(catalog_item).values(**catalog_row, created_at=tx.now, version=1))
    tx.execute(insert(offer).values(id=tx.new_id(), item_id=item, price=price, version=1))
    tx.execute(insert(session_item).values(session_id=f"{shop}-session", item_id=item))
    return item
