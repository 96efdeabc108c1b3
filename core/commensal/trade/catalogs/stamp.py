"""Whether anything has changed of what an enterprise lists: a question that costs less than the answer."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    Text,
    bindparam,
    cast,
    func,
    or_,
    select,
    union,
)

from ...storage.database import Transaction
from ..enterprises.tables import customer_category, enterprise
from ..products.tables import product_vat, supplied_product
from ..stock.tables import stock_lot
from .tables import catalog, catalog_item, offer


def listing_stamp(tx: Transaction, enterprise_id: str) -> str:
    """A word that changes with whatever the enterprise lists, with its products, their stock, prices and VAT, and with
    who produces them; one statement. It changes every hour besides, since rates of VAT begin with a day.

    Rows raise their versions whenever they are edited, and ids grow: number, sum and latest id tell any change. Levels
    of stock have no version, and are looked at one by one.
    """
    told = [*tx.one(_STAMP, {"enterprise": enterprise_id}).values(), f"{tx.now:%Y%m%d%H}"]
    return hashlib.sha256("\n".join(map(str, told)).encode()).hexdigest()


def _stamp() -> Select[Any]:
    product, item = supplied_product.c, catalog_item.c
    asked: BindParameter[str] = bindparam("enterprise", type_=Text)
    catalogs = select(catalog.c.id).where(catalog.c.enterprise_id == asked)
    listed = select(product.id, product.lot_id, product.enterprise_id, product.version)
    own = listed.where(product.enterprise_id == asked)
    others = listed.join(catalog_item, item.product_id == product.id).where(item.catalog_id.in_(catalogs))
    goods = union(own, others).cte("goods")
    items = select(item.id, item.version).where(item.catalog_id.in_(catalogs)).cte("items")
    lot, rate = stock_lot.c, product_vat.c
    makers = or_(enterprise.c.id == asked, enterprise.c.id.in_(select(goods.c.enterprise_id)))
    told = [
        *_sum(enterprise, makers),
        *_sum(customer_category, customer_category.c.enterprise_id == asked),
        *_sum(catalog, catalog.c.enterprise_id == asked),
        *_sum(items),
        *_sum(offer, offer.c.item_id.in_(select(items.c.id))),
        *_sum(goods),
        _text(stock_lot, lot.id.in_(select(goods.c.lot_id)), lot.id, lot.free, lot.beyond, lot.version),
        _text(product_vat, rate.product_id.in_(select(goods.c.id)), rate.product_id, rate.valid_from, rate.rate),
    ]
    return select(*(one.label(f"told_{place}") for place, one in enumerate(told)))


def _sum(table: FromClause, *which: ColumnElement[bool]) -> list[ScalarSelect[Any]]:
    told = (func.count(), func.sum(table.c.version), func.max(table.c.id))
    return [select(one).select_from(table).where(*which).scalar_subquery() for one in told]


def _text(table: FromClause, which: ColumnElement[bool], *columns: ColumnElement[Any]) -> ScalarSelect[Any]:
    """All of it as one text, put together by the database: a thousand rows would cost more than all the rest."""
    rows = select(*columns).select_from(table).where(which).order_by(*columns).subquery()
    first, *others = (cast(one, Text) for one in rows.c)
    line: ColumnElement[str] = first
    for one in others:
        line = line.concat(":").concat(one)
    return select(func.aggregate_strings(line, " ")).select_from(rows).scalar_subquery()


_STAMP = _stamp()
