"""Writes the catalogs of an enterprise that moves here from another instance, and stamps those that may have
changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    true,
    union,
    update,
)

from ...base.errors import Conflict, Invalid, Problem
from ...base.money import price_problem
from ...base.texts import read_text
from ...catalogs.tables import catalog, catalog_item, item_shown_to, offer
from ...enterprises.tables import customer_category, enterprise
from ...products.tables import product_vat, supplied_product
from ...stock.tables import stock_lot
from ...storage.database import RowQuery, Transaction, insert_rows, refuse_conflict


@dataclass(frozen=True, kw_only=True)
class BroughtItem:
    """An item of the enterprise's own product; the fields are those of `CatalogItem`.

    `prices` are minor units by customer category id; None: for everybody.
    """

    id: str
    catalog_id: str
    product_id: str
    name: str | None
    position: int
    hidden: bool
    shown_to: tuple[str, ...]
    prices: Mapping[str | None, int]


def bring_listing(
    tx: Transaction,
    enterprise_id: str,
    *,
    categories: Mapping[str, str],
    catalogs: Mapping[str, str],
    items: Sequence[BroughtItem],
) -> None:
    """Writes customer categories and catalogs (names by id), and the items of the catalogs.

    Updates those that the enterprise left here when it moved away earlier. Raises `Invalid` for wrong names and prices,
    `Conflict` if an id or name belongs to another enterprise.
    """
    problems: list[Problem] = []
    names = {id: read_text(name, "/name", problems, least=1) for id, name in {**categories, **catalogs}.items()}
    prices = (price for item in items for price in item.prices.values())
    problems += [problem for price in prices if (problem := price_problem(price, "/price"))][:1]
    if problems:
        raise Invalid(problems)
    with refuse_conflict(tx, duplicate=Conflict("there_already", "Some of this is here already.")):
        _keep_named(tx, customer_category, enterprise_id, {id: names[id] for id in categories})
        _keep_named(tx, catalog, enterprise_id, {id: names[id] for id in catalogs})
        _keep_items(tx, enterprise_id, items)
    _keep_offers(tx, items)


def _keep_named(tx: Transaction, table: Table, enterprise_id: str, names: Mapping[str, str]) -> None:
    """Inserts categories or catalogs, and renames those that the enterprise left here earlier."""
    query = select(table.c.id).where(table.c.enterprise_id == enterprise_id)
    existing = {row["id"] for row in tx.all(query)}
    new = [{"id": id, "enterprise_id": enterprise_id, "name": names[id], "version": 1} for id in names]
    insert_rows(tx, table, [row for row in new if row["id"] not in existing])
    renamed = [{"row_id": id, "new_name": name} for id, name in names.items() if id in existing]
    if renamed:
        tx.execute(update(table).where(table.c.id == bindparam("row_id")).values(name=bindparam("new_name")), renamed)


def _keep_items(tx: Transaction, enterprise_id: str, items: Sequence[BroughtItem]) -> None:
    is_own = catalog_item.c.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    existing = {row["id"] for row in tx.all(select(catalog_item.c.id).where(is_own))}
    insert_rows(tx, catalog_item, [_item_row(tx, item) for item in items if item.id not in existing])
    updates = [
        {"row_id": item.id, "new_name": item.name, "new_position": item.position, "new_hidden": item.hidden}
        for item in items
        if item.id in existing
    ]
    if updates:
        values = {
            "name": bindparam("new_name"),
            "position": bindparam("new_position"),
            "hidden": bindparam("new_hidden", type_=catalog_item.c.hidden.type),
        }
        tx.execute(update(catalog_item).where(catalog_item.c.id == bindparam("row_id")).values(values), updates)
        ids = [row["row_id"] for row in updates]
        for table in (item_shown_to, offer):
            tx.execute(delete(table).where(table.c.item_id.in_(ids)))


def _keep_offers(tx: Transaction, items: Sequence[BroughtItem]) -> None:
    insert_rows(
        tx,
        item_shown_to,
        [{"item_id": item.id, "category_id": category_id} for item in items for category_id in item.shown_to],
    )
    prices = [
        {"id": tx.new_id(), "item_id": item.id, "category_id": category_id, "price": price, "version": 1}
        for item in items
        for category_id, price in item.prices.items()
    ]
    insert_rows(tx, offer, prices)


def _item_row(tx: Transaction, item: BroughtItem) -> dict[str, object]:
    return {
        "id": item.id,
        "catalog_id": item.catalog_id,
        "product_id": item.product_id,
        "name": item.name,
        "position": item.position,
        "hidden": item.hidden,
        "created_at": tx.now,
        "version": 1,
    }


# A stamp of an enterprise's catalogs: shows at low cost whether anything in them has changed.


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
