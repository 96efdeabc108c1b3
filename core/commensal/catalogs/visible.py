"""What a sale session offers to a customer: the question that shop pages and orders ask, in one statement."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from ..enterprises.tables import enterprise
from ..products.tables import product_vat, supplied_product
from ..sale_sessions.tables import coordination_supplier, sale_session, session_item
from ..stock.tables import stock_lot
from ..store import Transaction
from .tables import catalog_item, item_shown_to, offer


@dataclass(frozen=True, kw_only=True)
class VisibleOffer:
    """A catalog item as one customer sees it. `price` and `deposit` are minor units of the shop's currency for a piece.

    quantity, unit:  net content of one piece, in a DFC measure
    vat_rate:        percent, in force on the day of distribution
    left:            whole pieces that can still be ordered; None: any number
    orderable_until: the close of the session, or the supplier's own, earlier cut-off
    """

    item_id: str
    product_id: str
    supplier_id: str
    supplier: str
    lot_id: str
    lot_quantity: int
    name: str
    description: str
    product_type: str
    sku: str | None
    quantity: Decimal
    unit: str
    price: int
    deposit: int
    vat_rate: Decimal
    weighed: bool
    labels: tuple[str, ...]
    allergens: tuple[str, ...]
    image_id: str | None
    position: int
    left: int | None
    orderable_until: datetime


def offers_for(
    tx: Transaction,
    session_id: str,
    category_ids: Collection[str],
    *,
    day: date,
    item_ids: Collection[str] | None = None,
) -> list[VisibleOffer]:
    """The session's items that a customer of these categories sees, by position; of `item_ids` only, where given.

    The price of a category beats the general one; among several categories the lowest counts. Items that are hidden,
    archived, shown to other categories only, or without a price for this customer are left out. `day` is that of the
    distribution, for the VAT rate.
    """
    item, product, lot, session = catalog_item, supplied_product, stock_lot, sale_session
    found = (
        select(
            item.c.id.label("item_id"),
            product.c.id.label("product_id"),
            product.c.enterprise_id.label("supplier_id"),
            enterprise.c.name.label("supplier"),
            product.c.lot_id,
            product.c.lot_quantity,
            func.coalesce(item.c.name, product.c.name).label("name"),
            product.c.description,
            product.c.product_type,
            product.c.sku,
            product.c.quantity,
            product.c.unit,
            _price(category_ids).label("price"),
            product.c.deposit,
            _vat_rate(day).label("vat_rate"),
            product.c.weighed,
            product.c.labels,
            product.c.allergens,
            product.c.image_id,
            item.c.position,
            lot.c.unlimited,
            lot.c.free,
            session.c.closes_at,
            coordination_supplier.c.closes_at.label("cut_off"),
        )
        .select_from(session_item)
        .join(session, session.c.id == session_item.c.session_id)
        .join(item, item.c.id == session_item.c.item_id)
        .join(product, product.c.id == item.c.product_id)
        .join(lot, lot.c.id == product.c.lot_id)
        .join(enterprise, enterprise.c.id == product.c.enterprise_id)
        .outerjoin(
            coordination_supplier,
            and_(
                coordination_supplier.c.coordination_id == session.c.coordination_id,
                coordination_supplier.c.enterprise_id == product.c.enterprise_id,
            ),
        )
        .where(session_item.c.session_id == session_id, ~item.c.hidden, product.c.archived_at.is_(None))
        .where(_shown(category_ids))
        .order_by(item.c.position, item.c.id)
    )
    if item_ids is not None:
        found = found.where(session_item.c.item_id.in_(sorted(item_ids)))
    return [_offer(row) for row in tx.all(found) if row["price"] is not None and row["vat_rate"] is not None]


def _price(category_ids: Collection[str]) -> ColumnElement[int]:
    of_item = offer.c.item_id == catalog_item.c.id
    general = select(offer.c.price).where(of_item, offer.c.category_id.is_(None)).correlate(catalog_item)
    if not category_ids:
        return general.scalar_subquery()
    lowest = select(func.min(offer.c.price)).where(of_item, offer.c.category_id.in_(sorted(category_ids)))
    return func.coalesce(lowest.correlate(catalog_item).scalar_subquery(), general.scalar_subquery())


def _vat_rate(day: date) -> ColumnElement[Decimal]:
    in_force = (
        select(product_vat.c.rate)
        .where(product_vat.c.product_id == supplied_product.c.id, product_vat.c.valid_from <= day.isoformat())
        .order_by(product_vat.c.valid_from.desc())
        .limit(1)
        .correlate(supplied_product)
    )
    return in_force.scalar_subquery()


def _shown(category_ids: Collection[str]) -> ColumnElement[bool]:
    of_item = select(item_shown_to.c.item_id).where(item_shown_to.c.item_id == catalog_item.c.id)
    if not category_ids:
        return ~of_item.exists()
    return or_(~of_item.exists(), of_item.where(item_shown_to.c.category_id.in_(sorted(category_ids))).exists())


def _offer(row: Any) -> VisibleOffer:
    values = dict(row)
    free, unlimited = values.pop("free"), values.pop("unlimited")
    closes_at, cut_off = values.pop("closes_at"), values.pop("cut_off")
    values["labels"], values["allergens"] = tuple(row["labels"]), tuple(row["allergens"])
    return VisibleOffer(
        **values,
        left=None if unlimited else free // row["lot_quantity"],
        orderable_until=closes_at if cut_off is None else min(cut_off, closes_at),
    )
