"""Segments of what stands beside orders: payments, customers, products, stock."""

from __future__ import annotations

from sqlalchemy import Text, and_, bindparam, case, func

from ...base.units.product_types import PRODUCT_TYPES
from ...storage.database import local_day
from ...trade.catalogs.tables import catalog, catalog_item, offer
from ...trade.enterprises.tables import customer, enterprise
from ...trade.orders.tables import customer_order
from ...trade.payments.tables import payment_journal
from ...trade.products.tables import supplied_product
from ...trade.stock.tables import stock_lot
from .order_segments import order_conditions, plain, whole, words
from .parameters import period_of
from .segments import Conditions, Field, Segment, said
from .values import Query


def payments(language: str) -> Segment:
    row = payment_journal.c
    day = local_day(row.at, bindparam("timezone", type_=Text()))
    kinds = {
        "payment": said(language, "Payment"),
        "refund": said(language, "Refund"),
        "correction": said(language, "Correction"),
    }
    fields = [
        plain(language, "sequence", "Entry", row.sequence, "whole"),
        plain(language, "at", "Date and time", row.at, "moment"),
        plain(language, "day", "Day", day, "date"),
        plain(language, "kind", "Kind", row.kind, shown=words(language, kinds)),
        plain(language, "number", "Order", row.order_number, "whole"),
        plain(language, "customer", "Customer", customer_order.c.name),
        plain(language, "method", "Payment method", row.method),
        whole(language, "amount", "Amount", row.amount),
        whole(language, "entries", "Entries", row.sequence * 0 + 1, "whole"),
    ]

    def conditions(query: Query) -> Conditions:
        found = [row.enterprise_id == query.enterprise_id]
        period = period_of(query)
        if period is not None:
            return [*found, row.at >= period.begins_at, row.at < period.ends_at]
        sale = query.given.get("sale")
        return [*found, customer_order.c.session_id == sale] if sale else found

    source = payment_journal.join(customer_order, customer_order.c.id == row.order_id)
    label = said(language, "Payments")
    return Segment(
        name="payments", label=label, source=source, conditions=conditions, scope="payments:read", fields=_named(fields)
    )


def customers(language: str) -> Segment:
    row, order = customer.c, customer_order.c
    fields = [
        plain(language, "customer", "Customer", row.name, sort=row.search),
        plain(language, "email", "E-mail", row.email),
        plain(language, "phone", "Telephone", row.phone),
        plain(language, "code", "Customer’s reference", func.coalesce(row.code, "")),
        plain(language, "note", "Note", row.note),
        plain(language, "since", "Customer since", row.created_at, "moment"),
        Field(
            name="orders", label=said(language, "Orders"), kind="whole", expression=order.number,
            total=func.count(order.id),
        ),
        whole(language, "total", "Total", order.total),
        whole(language, "due", "Due", order.total - order.paid_total),
        Field(
            name="last_order", label=said(language, "Last order"), kind="moment", expression=order.placed_at,
            total=func.max(order.placed_at),
        ),
    ]  # fmt: skip

    def conditions(query: Query) -> Conditions:
        return [row.enterprise_id == query.enterprise_id, *order_conditions(query)]

    source = customer.join(customer_order, order.customer_id == row.id)
    label = said(language, "Customers")
    return Segment(
        name="customers", label=label, source=source, conditions=conditions, scope="customers:read",
        fields=_named(fields),
    )  # fmt: skip


def products(language: str) -> Segment:
    """Products of the enterprise and of others that stand in its catalogs, with its prices for everybody."""
    row, producer = supplied_product.c, enterprise.alias("producer")
    types = {term: one.label(language) for term, one in PRODUCT_TYPES.items()}
    fields = [
        plain(language, "product", "Product", row.name, sort=row.search),
        plain(language, "size", "Size", row.quantity, "quantity", unit=row.unit),
        plain(language, "supplier", "Supplier", producer.c.name, sort=producer.c.search),
        plain(language, "product_type", "Product type", row.product_type, shown=words(language, types)),
        plain(language, "sku", "Reference", func.coalesce(row.sku, "")),
        plain(language, "catalog", "Catalogue", catalog.c.name),
        plain(language, "price", "Price", offer.c.price, "money"),
        plain(language, "deposit", "Deposit", row.deposit, "money"),
        *_levels(language),
        plain(language, "lot_id", "Lot’s id", row.lot_id),
        plain(language, "grains", "Grains of a piece", row.lot_quantity, "whole"),
    ]

    def conditions(query: Query) -> Conditions:
        return [catalog.c.enterprise_id == query.enterprise_id, row.archived_at.is_(None)]

    source = (
        catalog.join(catalog_item, catalog_item.c.catalog_id == catalog.c.id)
        .join(supplied_product, row.id == catalog_item.c.product_id)
        .join(producer, producer.c.id == row.enterprise_id)
        .join(stock_lot, stock_lot.c.id == row.lot_id)
        .outerjoin(offer, and_(offer.c.item_id == catalog_item.c.id, offer.c.category_id.is_(None)))
    )
    label = said(language, "Products")
    return Segment(
        name="products", label=label, source=source, conditions=conditions, scope="products:read", dated=False,
        fields=_named(fields),
    )  # fmt: skip


def stock(language: str) -> Segment:
    row = stock_lot.c
    fields = [plain(language, "lot", "Lot", row.name), *_levels(language)]

    def conditions(query: Query) -> Conditions:
        return [row.enterprise_id == query.enterprise_id]

    label = said(language, "Stock")
    return Segment(
        name="stock", label=label, source=stock_lot, conditions=conditions, scope="products:read", dated=False,
        fields=_named(fields),
    )  # fmt: skip


def _levels(language: str) -> list[Field]:
    """What is there of a lot: grains, which `look` divides by how many a unit has."""
    lot = stock_lot.c
    on_hand = lot.free + lot.reserved + lot.lent
    return [
        plain(language, "free", "Left to sell", lot.free, "quantity", unit=lot.unit, grains=lot.per_unit),
        plain(language, "reserved", "Ordered", lot.reserved, "quantity", unit=lot.unit, grains=lot.per_unit),
        plain(language, "on_hand", "On hand", on_hand, "quantity", unit=lot.unit, grains=lot.per_unit),
        plain(language, "on_hand_grains", "On hand, in grains", on_hand, "whole"),
        plain(language, "unlimited", "Without limit", case((lot.unlimited, 1), else_=0), "whole"),
    ]


def _named(fields: list[Field]) -> dict[str, Field]:
    return {one.name: one for one in fields}


MAKERS = {"payments": payments, "customers": customers, "products": products, "stock": stock}
