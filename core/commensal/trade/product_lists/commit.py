"""Carries out the plan of a list: a constant number of statements for each table, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Table, bindparam, func, or_, select, update

from ...base.errors import Conflict, Invalid, Problem, Stale
from ...storage.database import Transaction, insert_or, insert_rows, refuse_conflict
from ..catalogs.tables import catalog_item, offer
from ..events.listings import announce_listing
from ..products.content import search_text
from ..products.tables import product_vat, supplied_product
from ..stock.grains import as_text
from ..stock.lots import lent_out
from ..stock.moving import Change, change_levels, lock_lots, write_movements
from ..stock.tables import stock_lot
from .existing import Item, Known
from .plan import Plan, Row

_EDITED = (
    "lot_id", "lot_quantity", "name", "description", "product_type", "sku", "quantity", "unit", "weighed", "labels",
    "allergens", "deposit",
)  # fmt: skip
_AT_ONCE = 500  # lots whose levels one statement changes: the database looks each up among the others


def commit_plan(tx: Transaction, plan: Plan, *, person_id: str | None) -> None:
    """Writes all of it.

    Raises `Stale` where somebody has changed or listed one of the products since the plan was made, `Invalid` where
    they have given away a reference, `Conflict` where more of a lot is ordered than was counted. Then the transaction
    must end without a commit.
    """
    insert_rows(tx, stock_lot, plan.lots)
    received = {row["id"]: Change(free=row["free"]) for row in plan.lots if row["free"]}
    write_movements(tx, "received", received, person_id=person_id)
    _edit(tx, stock_lot, [(lot.id, lot.version, {"unlimited": unlimited}) for lot, unlimited in plan.unlimited])
    _count(tx, plan.counted, person_id)
    taken = Invalid([Problem("sku_taken", "One of the references was given to another product meanwhile.")])
    with refuse_conflict(tx, duplicate=taken):
        insert_rows(tx, supplied_product, plan.products)
        _edit(tx, supplied_product, [(one.id, one.version, _edited(one, row)) for one, row in plan.product_changes])
    _set_rates(tx, plan.rates)
    with refuse_conflict(tx, duplicate=Stale()):
        _list(tx, plan)
    _announce(tx, plan)


def _count(tx: Transaction, counted: Mapping[str, int | None], person_id: str | None) -> None:
    """Sets levels under the lots' locks: orders that came in since the plan was made keep what they reserved."""
    changes: dict[str, Change] = {}
    for lot in lock_lots(tx, counted):
        on_hand = counted[lot["id"]]
        bound = lot["reserved"] + lot["lent"]
        if on_hand is None and lot["lent"]:
            raise lent_out(lot)
        if on_hand is not None and on_hand < bound:
            text = "{reserved} of {name} are ordered, so there cannot be less. Change or cancel orders first."
            reserved = as_text(bound, lot["unit"], lot["per_unit"])
            raise Conflict("below_reserved", text, reserved=reserved, name=lot["name"])
        free = 0 if on_hand is None else on_hand - bound
        changes[lot["id"]] = Change(free=free - lot["free"])
    for some in _slices(changes.items(), _AT_ONCE):
        if not change_levels(tx, dict(some)):
            raise AssertionError("lots have changed under their lock")
    write_movements(tx, "counted", changes, person_id=person_id)


def _set_rates(tx: Transaction, rates: Sequence[Row]) -> None:
    if not rates:
        return
    row = insert_or(tx, product_vat).values(
        {name: bindparam(name, type_=product_vat.c[name].type) for name in rates[0]}
    )
    again = {"rate": row.excluded.rate}
    tx.execute(row.on_conflict_do_update(index_elements=["product_id", "valid_from"], set_=again), list(rates))


def _list(tx: Transaction, plan: Plan) -> None:
    """New items come last, in the order of the list."""
    catalog_id = plan.place.catalog_id
    last = select(func.coalesce(func.max(catalog_item.c.position), 0)).where(catalog_item.c.catalog_id == catalog_id)
    position = tx.value(last) if plan.items else 0
    same = {"catalog_id": catalog_id, "created_at": tx.now, "version": 1}
    items = [{**row, "position": place, **same} for place, row in enumerate(plan.items, start=position + 1)]
    insert_rows(tx, catalog_item, items)
    _edit(tx, catalog_item, [(item.id, item.version, _renamed(item, row)) for item, row in plan.item_changes])
    insert_rows(tx, offer, plan.offers)
    _edit(tx, offer, [(item.offer_id, item.offer_version, {"price": price}) for item, price in plan.price_changes])


def _announce(tx: Transaction, plan: Plan) -> None:
    items = {one.id for one, _ in (*plan.item_changes, *plan.price_changes)}
    products = {row["id"] for row in plan.products} | {one.id for one, _ in plan.product_changes}
    products |= {row["product_id"] for row in plan.rates}
    if items or products:
        touched = or_(catalog_item.c.id.in_(sorted(items)), supplied_product.c.id.in_(sorted(products)))
        announce_listing(tx, touched)


def _edit(tx: Transaction, table: Table, edits: Sequence[tuple[str | None, int | None, Row]]) -> None:
    """Sets the same columns of many rows, each guarded by its id and version, and raises their versions by one."""
    if not edits:
        return
    names = list(edits[0][2])
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    guarded = (table.c.id == bindparam("edited_id"), table.c.version == bindparam("edited_version"))
    statement = update(table).where(*guarded).values({**values, "version": table.c.version + 1})
    parameters = [
        {"edited_id": row_id, "edited_version": version, **{f"new_{name}": row[name] for name in names}}
        for row_id, version, row in edits
    ]
    if tx.execute(statement, parameters).rowcount != len(edits):
        raise Stale


def _edited(known: Known, changes: Row) -> Row:
    """All columns that a list may change, with what is to be in them."""
    row = {name: changes.get(name, getattr(known, name)) for name in _EDITED}
    return {**row, "search": search_text(row["name"], row["sku"])}


def _renamed(item: Item, changes: Row) -> Row:
    return {"name": item.name, "hidden": item.hidden, **changes}


def _slices(things: Iterable[tuple[str, Change]], size: int) -> Iterable[list[tuple[str, Change]]]:
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some
