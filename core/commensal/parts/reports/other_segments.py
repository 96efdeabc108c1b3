"""Segments of payments, customers, products and stock."""

from __future__ import annotations

from sqlalchemy import and_, case, func

from ...base.units.product_types import PRODUCT_TYPES
from ...catalogs.tables import catalog, catalog_item, offer
from ...enterprises.tables import customer, enterprise
from ...orders.tables import customer_order
from ...payments.tables import payment_journal
from ...products.tables import supplied_product
from ...stock.tables import stock_lot
from .order_segments import details_field, number_field, order_conditions, plain_field, replace_terms, show_method
from .parameters import period_of
from .segments import Conditions, Segment, SegmentField, day_of, field_label
from .values import Query


def payments(language: str) -> Segment:
    row = payment_journal.c
    day = day_of(row.at)
    kinds = {
        "payment": field_label(language, "Payment"),
        "refund": field_label(language, "Refund"),
        "correction": field_label(language, "Correction"),
    }
    fields = [
        plain_field(language, "sequence", "Entry", row.sequence, "whole"),
        plain_field(language, "at", "Date and time", row.at, "moment"),
        plain_field(language, "day", "Day", day, "date"),
        plain_field(language, "kind", "Kind", row.kind, shown=replace_terms(kinds)),
        plain_field(language, "number", "Order", row.order_number, "whole"),
        plain_field(language, "customer", "Customer", customer_order.c.name),
        plain_field(language, "method", "Payment method", row.method, shown=show_method(language)),
        number_field(language, "amount", "Amount", row.amount),
        number_field(language, "entries", "Entries", row.sequence * 0 + 1, "whole"),
    ]

    def conditions(query: Query) -> Conditions:
        own_entries = [row.enterprise_id == query.enterprise_id]
        period = period_of(query)
        if period is not None:
            return [*own_entries, period.contains(row.at)]
        sale = query.given.get("sale")
        return [*own_entries, customer_order.c.session_id == sale] if sale else own_entries

    source = payment_journal.join(customer_order, customer_order.c.id == row.order_id)
    label = field_label(language, "Payments")
    return Segment(
        name="payments",
        label=label,
        source=source,
        conditions=conditions,
        scope="payments:read",
        fields=_by_name(fields),
    )


def customers(language: str) -> Segment:
    """Who has ordered; whoever left no e-mail address is not a customer on record, and is named as on the order."""
    row, order = customer.c, customer_order.c
    name = func.coalesce(row.name, order.name)
    fields = [
        plain_field(language, "customer", "Customer", name, sort=func.coalesce(row.search, order.name)),
        plain_field(language, "email", "E-mail", func.coalesce(row.email, order.email)),
        plain_field(language, "phone", "Telephone", func.coalesce(row.phone, order.phone)),
        plain_field(language, "code", "Customer’s reference", func.coalesce(row.code, "")),
        plain_field(language, "note", "Note", func.coalesce(row.note, "")),
        details_field(language, "details", "Further details", row.plugin_fields, "customers"),
        plain_field(language, "since", "Customer since", row.created_at, "moment"),
        SegmentField(
            name="orders",
            label=field_label(language, "Orders"),
            kind="whole",
            expression=order.number,
            total=func.count(order.id),
        ),
        number_field(language, "total", "Total", order.total),
        number_field(language, "due", "Due", order.total - order.paid_total),
        SegmentField(
            name="last_order",
            label=field_label(language, "Last order"),
            kind="moment",
            expression=order.placed_at,
            total=func.max(order.placed_at),
        ),
    ]

    def conditions(query: Query) -> Conditions:
        return [order.enterprise_id == query.enterprise_id, *order_conditions(query)]

    source = customer_order.outerjoin(customer, order.customer_id == row.id)
    label = field_label(language, "Customers")
    return Segment(
        name="customers",
        label=label,
        source=source,
        conditions=conditions,
        scope="customers:read",
        fields=_by_name(fields),
    )


def products(language: str) -> Segment:
    """Products in the enterprise's catalogs, its own and those of others, with its prices for all customers."""
    row, producer = supplied_product.c, enterprise.alias("producer")
    own = case((row.enterprise_id == catalog.c.enterprise_id, 1), else_=0)
    types = {term: product_type.label(language) for term, product_type in PRODUCT_TYPES.items()}
    fields = [
        plain_field(language, "product", "Product", row.name, sort=row.search),
        plain_field(language, "size", "Size", row.quantity, "quantity", unit=row.unit),
        plain_field(language, "supplier", "Supplier", producer.c.name, sort=producer.c.search),
        plain_field(language, "product_type", "Product type", row.product_type, shown=replace_terms(types)),
        plain_field(language, "sku", "Reference", func.coalesce(row.sku, "")),
        plain_field(language, "catalog", "Catalogue", catalog.c.name),
        plain_field(language, "price", "Price", offer.c.price, "money"),
        plain_field(language, "deposit", "Deposit", row.deposit, "money"),
        *_levels(language),
        plain_field(language, "own", "Goods of the shop itself", own, "whole"),
        plain_field(language, "lot_id", "Lot’s id", row.lot_id),
        plain_field(language, "grains", "Grains of a piece", row.lot_quantity, "whole"),
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
    label = field_label(language, "Products")
    return Segment(
        name="products",
        label=label,
        source=source,
        conditions=conditions,
        scope="products:read",
        dated=False,
        fields=_by_name(fields),
    )


def stock(language: str) -> Segment:
    row = stock_lot.c
    fields = [plain_field(language, "lot", "Lot", row.name), *_levels(language)]

    def conditions(query: Query) -> Conditions:
        return [row.enterprise_id == query.enterprise_id]

    label = field_label(language, "Stock")
    return Segment(
        name="stock",
        label=label,
        source=stock_lot,
        conditions=conditions,
        scope="products:read",
        dated=False,
        fields=_by_name(fields),
    )


def _levels(language: str) -> list[SegmentField]:
    """The levels of a lot, in grains; `look` divides them by the grains of a unit."""
    lot = stock_lot.c
    on_hand = lot.free + lot.reserved + lot.lent
    return [
        plain_field(language, "free", "Left to sell", lot.free, "quantity", unit=lot.unit, grains=lot.per_unit),
        plain_field(language, "reserved", "Ordered", lot.reserved, "quantity", unit=lot.unit, grains=lot.per_unit),
        plain_field(language, "on_hand", "On hand", on_hand, "quantity", unit=lot.unit, grains=lot.per_unit),
        plain_field(language, "on_hand_grains", "On hand, in grains", on_hand, "whole"),
        plain_field(language, "unlimited", "Without limit", case((lot.unlimited, 1), else_=0), "whole"),
    ]


def _by_name(fields: list[SegmentField]) -> dict[str, SegmentField]:
    return {field.name: field for field in fields}


MAKERS = {"payments": payments, "customers": customers, "products": products, "stock": stock}
