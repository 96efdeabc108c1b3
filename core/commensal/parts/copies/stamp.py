"""A stamp of an enterprise's catalogs: shows at low cost whether anything in them has changed."""

from __future__ import annotations

import hashlib

from sqlalchemy import BindParameter, ColumnElement, FromClause, Text, bindparam, cast, func, or_, select, true, union

from ...catalogs.tables import catalog, catalog_item, offer
from ...enterprises.tables import customer_category, enterprise
from ...products.tables import product_vat, supplied_product
from ...stock.tables import stock_lot
from ...storage.database import RowQuery, Transaction


def listing_stamp(tx: Transaction, enterprise_id: str) -> str:
    """A hash that changes whenever items, products, stock, prices, VAT rates or producers of the enterprise's catalogs
    change. One statement. It also changes every hour, since a VAT rate may begin with a day.

    Every edit raises a row's version, and ids grow: so count, sum of versions and latest id show any change. Stock
    levels have no version and enter one by one.
    """
    values = [*tx.one(_STAMP, {"enterprise": enterprise_id}).values(), f"{tx.now:%Y%m%d%H}"]
    return hashlib.sha256("\n".join(map(str, values)).encode()).hexdigest()


def _stamp() -> RowQuery:
    product, item = supplied_product.c, catalog_item.c
    enterprise_id: BindParameter[str] = bindparam("enterprise", type_=Text)
    catalogs = select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id)
    products = select(product.id, product.lot_id, product.enterprise_id, product.version)
    own = products.where(product.enterprise_id == enterprise_id)
    others = products.join(catalog_item, item.product_id == product.id).where(item.catalog_id.in_(catalogs))
    goods = union(own, others).cte("goods")
    items = select(item.id, item.version).where(item.catalog_id.in_(catalogs)).cte("items")
    lot, rate = stock_lot.c, product_vat.c
    makers = or_(enterprise.c.id == enterprise_id, enterprise.c.id.in_(select(goods.c.enterprise_id)))
    parts = [
        _totals(enterprise, makers),
        _totals(customer_category, customer_category.c.enterprise_id == enterprise_id),
        _totals(catalog, catalog.c.enterprise_id == enterprise_id),
        _totals(items),
        _totals(offer, offer.c.item_id.in_(select(items.c.id))),
        _totals(goods),
        _rows_as_text(stock_lot, lot.id.in_(select(goods.c.lot_id)), lot.id, lot.free, lot.beyond, lot.version),
        _rows_as_text(
            product_vat, rate.product_id.in_(select(goods.c.id)), rate.product_id, rate.valid_from, rate.rate
        ),
    ]
    tables = [part.subquery() for part in parts]
    columns = [column for table in tables for column in table.c]
    one_row: FromClause = tables[0]
    for table in tables[1:]:
        one_row = one_row.join(table, true())
    return select(*(column.label(f"part_{index}") for index, column in enumerate(columns))).select_from(one_row)


def _totals(table: FromClause, *conditions: ColumnElement[bool]) -> RowQuery:
    """One row, in one pass over the table."""
    return select(func.count(), func.sum(table.c.version), func.max(table.c.id)).select_from(table).where(*conditions)


def _rows_as_text(table: FromClause, condition: ColumnElement[bool], *columns: ColumnElement[object]) -> RowQuery:
    """All rows as one text, joined by the database: transferring a thousand rows would cost more than the rest."""
    rows = select(*columns).select_from(table).where(condition).order_by(*columns).subquery()
    first, *others = (cast(column, Text) for column in rows.c)
    line: ColumnElement[str] = first
    for other in others:
        line = line.concat(":").concat(other)
    return select(func.aggregate_strings(line, " ")).select_from(rows)


_STAMP = _stamp()
