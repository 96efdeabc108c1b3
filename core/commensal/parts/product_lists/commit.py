"""Writes the plan of an import, with a constant number of statements for each table, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from sqlalchemy import Table, bindparam, func, or_, select, update

from ...base.errors import Conflict, Invalid, Problem, Stale
from ...catalogs.tables import catalog_item, offer
from ...events.announce import announce, announce_listing
from ...hooks import specifications
from ...products.fields import PRODUCT_FIELDS
from ...products.products import search_text
from ...products.tables import product_vat, supplied_product
from ...stock.levels import LevelChange, as_text, change_levels, forget_notices, lock_lots, write_movements
from ...stock.lots import lent_error
from ...stock.tables import stock_lot
from ...storage.database import Transaction, insert_or, insert_rows, refuse_conflict
from .existing import ExistingProduct, Item
from .plan import ImportPlan, Values

_EDITED = ("lot_id", "lot_quantity", "plugin_fields", *PRODUCT_FIELDS)
_AT_ONCE = 500  # lots in one statement that changes levels: its time grows with the square of their number


def commit_plan(tx: Transaction, plan: ImportPlan, *, person_id: str | None) -> None:
    """Writes the whole plan.

    Raises `Stale` if one of the products was changed or listed since the plan was made, `Invalid` if a reference was
    taken meanwhile, `Conflict` if more of a lot is ordered than was counted. Roll the transaction back then.
    """
    insert_rows(tx, stock_lot, plan.lots)
    received = {row["id"]: LevelChange(free=row["free"]) for row in plan.lots if row["free"]}
    write_movements(tx, "received", received, person_id=person_id)
    _edit(tx, stock_lot, [(lot.id, lot.version, row) for lot, row in plan.lot_changes])
    forget_notices(tx, [lot.id for lot, row in plan.lot_changes if row["low_level"] != lot.low_level])
    _count(tx, plan.counted, person_id)
    sku_taken = Invalid([Problem("sku_taken", "One of the references was given to another product meanwhile.")])
    with refuse_conflict(tx, duplicate=sku_taken):
        insert_rows(tx, supplied_product, plan.products)
        _edit(
            tx,
            supplied_product,
            [(product.id, product.version, _edited(product, row)) for product, row in plan.product_changes],
        )
    _set_rates(tx, plan.rates)
    with refuse_conflict(tx, duplicate=Stale()):
        _list(tx, plan)
    _announce(tx, plan)


def _count(tx: Transaction, counted: Mapping[str, int | None], person_id: str | None) -> None:
    """Sets levels under the lots' locks: orders placed since the plan was made keep their reserved stock."""
    changes: dict[str, LevelChange] = {}
    for lot in lock_lots(tx, counted):
        on_hand = counted[lot.id]
        bound = lot.reserved + lot.lent
        if on_hand is None and lot.lent:
            raise lent_error(lot)
        if on_hand is not None and on_hand < bound:
            text = "{reserved} of {name} are ordered, so there cannot be less. Change or cancel orders first."
            reserved = as_text(bound, lot.unit, lot.per_unit)
            raise Conflict("below_reserved", text, reserved=reserved, name=lot.name)
        free = 0 if on_hand is None else on_hand - bound
        changes[lot.id] = LevelChange(free=free - lot.free)
    for batch in _slices(changes.items(), _AT_ONCE):
        if not change_levels(tx, dict(batch)):
            raise AssertionError("lots have changed under their lock")
    write_movements(tx, "counted", changes, person_id=person_id)


def _set_rates(tx: Transaction, rates: Sequence[Values]) -> None:
    if not rates:
        return
    insertion = insert_or(tx, product_vat).values(
        {name: bindparam(name, type_=product_vat.c[name].type) for name in rates[0]}
    )
    updates = {"rate": insertion.excluded.rate}
    tx.execute(insertion.on_conflict_do_update(index_elements=["product_id", "valid_from"], set_=updates), list(rates))


def _list(tx: Transaction, plan: ImportPlan) -> None:
    """Writes items and prices. New items come last in the catalog, in the order of the list."""
    catalog_id = plan.context.catalog_id
    last = select(func.coalesce(func.max(catalog_item.c.position), 0)).where(catalog_item.c.catalog_id == catalog_id)
    position = tx.value(last) if plan.items else 0
    common = {"catalog_id": catalog_id, "created_at": tx.now, "version": 1}
    items = [
        {**row, "position": row_position, **common} for row_position, row in enumerate(plan.items, start=position + 1)
    ]
    insert_rows(tx, catalog_item, items)
    _edit(tx, catalog_item, [(item.id, item.version, _renamed(item, row)) for item, row in plan.item_changes])
    insert_rows(tx, offer, plan.offers)
    _edit(tx, offer, [(item.offer_id, item.offer_version, {"price": price}) for item, price in plan.price_changes])


def _announce(tx: Transaction, plan: ImportPlan) -> None:
    items = {item.id for item, _ in (*plan.item_changes, *plan.price_changes)}
    products = {row["id"] for row in plan.products} | {product.id for product, _ in plan.product_changes}
    products |= {row["product_id"] for row in plan.rates}
    if items or products:
        touched = or_(catalog_item.c.id.in_(sorted(items)), supplied_product.c.id.in_(sorted(products)))
        announce_listing(tx, touched)
    if products:
        announce(tx, specifications.product_changed, supplied_product, supplied_product.c.id.in_(sorted(products)))


def _edit(tx: Transaction, table: Table, edits: Sequence[tuple[str | None, int | None, Values]]) -> None:
    """Sets the same columns of many rows, each guarded by its id and version, and raises their versions by one."""
    if not edits:
        return
    names = list(edits[0][2])
    values: dict[str, object] = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    conditions = (table.c.id == bindparam("edited_id"), table.c.version == bindparam("edited_version"))
    statement = update(table).where(*conditions).values({**values, "version": table.c.version + 1})
    parameters = [
        {"edited_id": row_id, "edited_version": version, **{f"new_{name}": row[name] for name in names}}
        for row_id, version, row in edits
    ]
    if tx.execute(statement, parameters).rowcount != len(edits):
        raise Stale


def _edited(product: ExistingProduct, changes: Values) -> Values:
    """The new values of all columns that a list may change."""
    row = {name: changes.get(name, getattr(product, name)) for name in _EDITED}
    return {**row, "search": search_text(row["name"], row["sku"])}


def _renamed(item: Item, changes: Values) -> Values:
    return {"name": item.name, "hidden": item.hidden, **changes}


def _slices(items: Iterable[tuple[str, LevelChange]], size: int) -> Iterable[list[tuple[str, LevelChange]]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
