"""Local copies of lots and products of producers whose home is another instance, written in bulk.

Nobody here edits them, since their enterprise has no members here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select, update

from ...base.errors import Problem
from ...base.plugin_fields import PluginValues, read_plugin_values
from ...events.announce import announce_listing
from ...products.fields import PRODUCT_FIELDS, ProductDescription
from ...products.products import read_content, search_text
from ...products.tables import product_vat, supplied_product
from ...products.vat import ALWAYS, read_rate
from ...stock.levels import LARGEST
from ...stock.tables import stock_lot
from ...storage.database import Transaction, insert_or, insert_rows
from ..pictures.images import Picture, add_image


@dataclass(frozen=True, kw_only=True)
class LotCopy:
    """A lot in the unit of its home. `new`: there is no copy yet. The levels of an existing copy stay as they are.

    `low_level`, in grains, is that of an enterprise that moves here; of a copy nobody here is told.
    """

    id: str
    name: str
    unit: str
    per_unit: int
    unlimited: bool
    new: bool
    low_level: int | None = None


@dataclass(frozen=True, kw_only=True)
class ProductCopy(ProductDescription):
    """A product as its producer describes it; the fields are those of `SuppliedProduct`. `description` may be any HTML.

    `new`: there is no copy yet. `plugin_fields`: values by plugin and name.
    """

    id: str
    lot_id: str
    lot_quantity: int
    vat_rate: Decimal
    new: bool
    sku: str | None = None
    plugin_fields: PluginValues = field(default_factory=dict)


def keep_lots(tx: Transaction, enterprise_id: str, lots: Sequence[LotCopy]) -> None:
    """Inserts new lots, empty, and updates name, `unlimited` and `low_level` of existing ones."""
    empty = {"free": 0, "reserved": 0, "sold": 0, "lent": 0, "beyond": 0, "created_at": tx.now, "version": 1}
    insert_rows(
        tx,
        stock_lot,
        [
            {
                "id": lot.id,
                "enterprise_id": enterprise_id,
                "name": lot.name,
                "unit": lot.unit,
                "per_unit": lot.per_unit,
                "unlimited": lot.unlimited,
                "low_level": lot.low_level,
                **empty,
            }
            for lot in lots
            if lot.new
        ],
    )
    updates = [
        {"copy_id": lot.id, "new_name": lot.name, "new_unlimited": lot.unlimited, "new_low_level": lot.low_level}
        for lot in sorted(lots, key=lambda lot: lot.id)  # the order in which orders lock lots
        if not lot.new
    ]
    if updates:
        conditions = (stock_lot.c.id == bindparam("copy_id"), stock_lot.c.enterprise_id == enterprise_id)
        tx.execute(
            update(stock_lot)
            .where(*conditions)
            .values(
                name=bindparam("new_name"), unlimited=bindparam("new_unlimited"), low_level=bindparam("new_low_level")
            ),
            updates,
        )


def assign_lots(tx: Transaction, lot_ids: Sequence[str], enterprise_id: str) -> None:
    """Makes copied lots those of another enterprise here, as when its goods came by a reseller too."""
    tx.execute(update(stock_lot).where(stock_lot.c.id.in_(sorted(lot_ids))).values(enterprise_id=enterprise_id))


def keep_products(tx: Transaction, enterprise_id: str, copies: Sequence[ProductCopy]) -> dict[str, list[Problem]]:
    """Inserts or updates all valid copies. Returns the problems of the others, which are left out, by product id."""
    problems: dict[str, list[Problem]] = {}
    rows: list[tuple[ProductCopy, dict[str, object]]] = []
    for copy in copies:
        copy_problems: list[Problem] = []
        values = _values(tx, enterprise_id, copy, copy_problems)
        if copy_problems:
            problems[copy.id] = copy_problems
        else:
            rows.append((copy, values))
    common = {"enterprise_id": enterprise_id, "image_id": None, "created_at": tx.now, "version": 1}
    insert_rows(tx, supplied_product, [{"id": copy.id, **values, **common} for copy, values in rows if copy.new])
    _change(tx, enterprise_id, [(copy.id, values) for copy, values in rows if not copy.new])
    _set_rates(tx, [copy for copy, _ in rows])
    changed_ids = [copy.id for copy, _ in rows if not copy.new]
    if changed_ids:
        announce_listing(tx, supplied_product.c.id.in_(sorted(changed_ids)))
    return problems


def show_image(tx: Transaction, product_id: str, picture: Picture) -> None:
    """Sets the image of a copied product; `keep_picture` must have written its files. Raises `NotFound`."""
    copy = tx.one(select(supplied_product.c.enterprise_id).where(supplied_product.c.id == product_id))
    added = add_image(tx, enterprise_id=copy["enterprise_id"], picture=picture)
    tx.execute(update(supplied_product).where(supplied_product.c.id == product_id).values(image_id=added.id))
    announce_listing(tx, supplied_product.c.id == product_id)


def forget_copies(tx: Transaction, enterprise_id: str, product_ids: Sequence[str], *, forgotten: bool = True) -> None:
    """Archives copies that the producer no longer offers; with `forgotten` False makes them active again."""
    if not product_ids:
        return
    conditions = (supplied_product.c.enterprise_id == enterprise_id, supplied_product.c.id.in_(sorted(product_ids)))
    tx.execute(update(supplied_product).where(*conditions).values(archived_at=tx.now if forgotten else None))
    announce_listing(tx, supplied_product.c.id.in_(sorted(product_ids)))


def _values(tx: Transaction, enterprise_id: str, copy: ProductCopy, problems: list[Problem]) -> dict[str, object]:
    content: Any = {name: getattr(copy, name) for name in PRODUCT_FIELDS}
    values = read_content(tx, enterprise_id, content, problems, product_id=copy.id)
    rate = read_rate(copy.vat_rate)
    if isinstance(rate, Problem):
        problems.append(rate)
    if not 0 < copy.lot_quantity <= LARGEST:
        problems.append(Problem("lot_quantity", "A piece takes something of its lot.", "/lot_quantity"))
    return {
        **values,
        "lot_id": copy.lot_id,
        "lot_quantity": copy.lot_quantity,
        # Values of plugins that are not enabled here, or that their fields here do not allow, are left out.
        "plugin_fields": read_plugin_values(tx.plugin_fields.products, copy.plugin_fields, {}, []),
        "search": search_text(values["name"], copy.sku),
    }


def _change(tx: Transaction, enterprise_id: str, changes: Sequence[tuple[str, Mapping[str, object]]]) -> None:
    if not changes:
        return
    names = list(changes[0][1])
    new: dict[str, object] = {name: bindparam(f"new_{name}", type_=supplied_product.c[name].type) for name in names}
    conditions = (supplied_product.c.id == bindparam("copy_id"), supplied_product.c.enterprise_id == enterprise_id)
    statement = update(supplied_product).where(*conditions)
    tx.execute(
        statement.values({**new, "archived_at": None, "version": supplied_product.c.version + 1}),
        [{"copy_id": id, **{f"new_{name}": values[name] for name in names}} for id, values in changes],
    )


def _set_rates(tx: Transaction, copies: Sequence[ProductCopy]) -> None:
    """Sets the rate in force at the producer; placed orders keep theirs."""
    if not copies:
        return
    insertion = insert_or(tx, product_vat).values(
        product_id=bindparam("product"), valid_from=ALWAYS.isoformat(), rate=bindparam("percent")
    )
    upsert = insertion.on_conflict_do_update(
        index_elements=["product_id", "valid_from"], set_={"rate": insertion.excluded.rate}
    )
    tx.execute(upsert, [{"product": copy.id, "percent": copy.vat_rate} for copy in copies])
