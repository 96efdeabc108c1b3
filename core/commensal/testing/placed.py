"""Writes a shop and placed orders as rows, for tests of what follows after an order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, insert, select

from ..catalogs.tables import catalog, catalog_item, offer
from ..enterprises.tables import enterprise, guest_policy
from ..orders.tables import customer_order
from ..products.fields import PRODUCT_FIELDS
from ..products.tables import product_vat, supplied_product
from ..sale_sessions.tables import coordination, sale_session, session_item
from ..stock.lots import open_lot
from ..storage.database import Transaction

# A guest policy without limits, so that tests of other things may order as guests.
ANY_GUEST = {
    "guests": "yes",
    "largest_unpaid": None,
    "orders_of_mailbox": 10**6,
    "orders_of_network": 10**6,
    "confirm_minutes": 60,
    "unpaid_hours": 0,
}


def a_shop(tx: Transaction, shop: str = "shop", **fields: object) -> str:
    """Writes a hub in euros with an open sale, distributed the day after tomorrow. Returns its id, which is `shop`."""
    texts = dict.fromkeys(
        ("description", "phone", "street", "postcode", "city", "vat_number", "contact_name", "website", "social_media"),
        "",
    )
    flags = {"is_producer": False, "is_hub": True, "prices_include_vat": True}
    place = {"country": "FR", "language": "fr", "timezone": "Europe/Paris", "currency": "EUR"}
    identity = {"visibility": "public", "slug": shop, "name": shop, "email": f"{shop}@example.org"}
    values = {"id": shop, **texts, **flags, **place, **identity, "created_at": tx.now, "version": 1, **fields}
    tx.execute(insert(enterprise).values(values))
    tx.execute(insert(guest_policy).values(enterprise_id=shop, **ANY_GUEST))
    sale = {"opens_at": tx.now - timedelta(days=1), "closes_at": tx.now + timedelta(days=1), "version": 1}
    distribution = {"begins_at": tx.now + timedelta(days=2, hours=5), "ends_at": tx.now + timedelta(days=2, hours=7)}
    tx.execute(insert(catalog).values(id=f"{shop}-catalog", enterprise_id=shop, name="Catalogue", version=1))
    tx.execute(
        insert(coordination).values(
            id=f"{shop}-sale", coordinator_id=shop, name="Vente de juin", created_at=tx.now, **sale
        )
    )
    session = {"id": f"{shop}-session", "coordination_id": f"{shop}-sale", "catalog_id": f"{shop}-catalog", "note": ""}
    tx.execute(insert(sale_session).values(**session, enterprise_id=shop, **sale, **distribution))
    return shop


def a_placed_order(tx: Transaction, shop: str = "shop", *, total: int = 1000, **fields: object) -> str:
    """Writes an order of `total` cents at the shop, without lines and with the next number. Returns its id."""
    order_id, of_shop = tx.new_id(), customer_order.c.enterprise_id == shop
    number = 1 + (tx.value(select(func.max(customer_order.c.number)).where(of_shop)) or 0)
    texts = dict.fromkeys(("phone", "note", "shipping", "shipping_label", "payment_method"), "")
    states = {"state": "Held", "payment_state": "Unpaid", "fulfilment_state": "Unfulfilled"}
    totals = {"products_total": total, "deposits_total": 0, "adjustments_total": 0, "vat_total": 0, "total": total}
    references = {"session_id": f"{shop}-session", "enterprise_id": shop, "name": "Ada", "email": "ada@example.org"}
    money = {"currency": "EUR", "prices_include_vat": True, **totals}
    times = {"created_at": tx.now, "placed_at": tx.now, "changed_at": tx.now, "version": 1, "language": "fr"}
    values = {"id": order_id, "number": number, **references, **states, **texts, **money, **times, **fields}
    tx.execute(insert(customer_order).values(values))
    return order_id


# Writes lots and items on sale as rows, for tests of orders and stock.


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
