"""Creates, changes and archives products. One piece of a product takes a whole number of grains from its lot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Unpack

from sqlalchemy import insert, select, update

from ..base.errors import Invalid, Problem
from ..base.fields import Kind, read_plain_value
from ..base.plugin_fields import read_plugin_values
from ..base.search import search_key
from ..base.units.measures import MEASURES
from ..events.announce import announce_products
from ..stock.levels import fitting_unit, grains_of, has_few_decimals, to_grains
from ..stock.lots import open_lot
from ..stock.tables import stock_lot
from ..storage.database import Row, Transaction, edit_row, refuse_conflict
from .fields import PRODUCT_FIELDS, OptionalContent, ProductContent, ProductField
from .questions import product_by_id
from .tables import image, product_vat, supplied_product
from .values import SuppliedProduct
from .vat import ALWAYS, read_rate

# Validates the fields of a product, each by its kind.


def read_content(
    tx: Transaction, enterprise_id: str, content: ProductContent, problems: list[Problem], *, product_id: str = ""
) -> Row:
    """Validates `content`, adds mistakes to `problems`, and returns column values.

    `product_id` is the product that changes; "" for a new one.
    """
    values: Row = dict(content)
    for kind, read in _READERS.items():
        for field in PRODUCT_FIELDS.values():
            if field.kind == kind and field.name in values:
                values[field.name] = read(field, values[field.name], problems)
        if kind == "text" and values.get("sku") is not None:
            _refuse_taken_sku(tx, enterprise_id, values["sku"], product_id, problems)
    if content.get("image_id") is not None:
        _refuse_foreign_image(tx, enterprise_id, content["image_id"], problems)
    return values


def search_text(name: str, sku: str | None) -> str:
    """The text in which a search looks for words."""
    return search_key(f"{name} {sku or ''}")


def sku_taken(sku: str | None) -> Problem:
    """The problem that another product of the enterprise has this reference."""
    return Problem("sku_taken", "Another product has the reference {sku}.", "/sku", {"sku": sku})


def _read_number(field: ProductField, number: Decimal | None, problems: list[Problem]) -> Decimal | None:
    """The net content of one piece, or its tolerance in percent: so far the only numbers among the fields."""
    if number is None:
        return None
    in_range = number.is_finite() and 0 <= number <= field.most and has_few_decimals(number)
    if field.name == "quantity" and not (in_range and number):
        text = "The net content must be between 0 and {most}."
        problems.append(Problem("quantity", text, f"/{field.name}", {"most": field.most}))
    elif not in_range:
        text = "The tolerance must be between 0 and {most} percent."
        problems.append(Problem("tolerance", text, f"/{field.name}", {"most": field.most}))
    return number


def _read_deposit(field: ProductField, amount: int, problems: list[Problem]) -> int:
    """A deposit in minor units, so far the only amount among the fields."""
    if not 0 <= amount <= field.most:
        problems.append(Problem("deposit", "A deposit is not negative.", f"/{field.name}"))
    return amount


# In the order in which mistakes are named.
_READERS: Mapping[Kind, Callable[[ProductField, Any, list[Problem]], object]] = {
    "text": read_plain_value,
    "html": read_plain_value,
    "texts": read_plain_value,
    "htmls": read_plain_value,
    "term": read_plain_value,
    "number": _read_number,
    "terms": read_plain_value,
    "amount": _read_deposit,
    "flag": read_plain_value,
}


def _refuse_taken_sku(tx: Transaction, enterprise_id: str, sku: str, product_id: str, problems: list[Problem]) -> None:
    product = supplied_product.c
    query = select(product.id).where(
        product.enterprise_id == enterprise_id, product.sku == sku, product.id != product_id
    )
    if tx.first(query) is not None:
        problems.append(sku_taken(sku))


def _refuse_foreign_image(tx: Transaction, enterprise_id: str, image_id: str | None, problems: list[Problem]) -> None:
    query = select(image.c.id).where(image.c.id == image_id, image.c.enterprise_id == enterprise_id)
    if tx.first(query) is None:
        problems.append(Problem("no_image", "There is no such image.", "/image_id"))


def create_product(
    tx: Transaction,
    *,
    enterprise_id: str,
    name: str,
    product_type: str,
    quantity: Decimal,
    unit: str,
    vat_rate: Decimal,
    lot_id: str | None = None,
    on_hand: Decimal | None = None,
    pieces: Decimal | None = None,
    unlimited: bool = False,
    person_id: str | None = None,
    **optional: Unpack[OptionalContent],
) -> SuppliedProduct:
    """Creates a product: one piece contains `quantity` of `unit`, a DFC measure, and is taxed at `vat_rate` percent.

    With `lot_id` the product is a further size of that lot. Without, it gets a lot of its own, in the usual unit of its
    measure, that holds `on_hand` of that unit, or so many `pieces` of this size, or is `unlimited`. `deposit` is in
    minor units of the producer's currency. Raises `Invalid` with every mistake.
    """
    problems: list[Problem] = []
    content: Any = {field.name: field.default for field in PRODUCT_FIELDS.values() if not field.required}
    content |= {"name": name, "product_type": product_type, "quantity": quantity, "unit": unit, **optional}
    values = read_content(tx, enterprise_id, content, problems)
    values["plugin_fields"] = read_plugin_values(
        tx.plugin_fields.products, content.get("plugin_fields", {}), {}, problems
    )
    rate = read_rate(vat_rate)
    if isinstance(rate, Problem):
        problems.append(rate)
    if lot_id is not None and (on_hand is not None or pieces is not None or unlimited):
        problems.append(Problem("lot_exists", "The stock exists already; count it instead.", "/on_hand"))
    size = _size_in_lot(tx, enterprise_id, lot_id, quantity, unit, problems)
    if size is not None and pieces is not None:
        on_hand = pieces * size.grains / size.per_unit
    if lot_id is None and size is not None and on_hand is not None:
        level = to_grains(on_hand, size.unit, size.per_unit, "/on_hand")
        problems += [level] if isinstance(level, Problem) else []
    if problems or size is None:
        raise Invalid(problems)
    if lot_id is None:
        lot_id = open_lot(
            tx,
            enterprise_id=enterprise_id,
            name=values["name"],
            unit=size.unit,
            per_unit=size.per_unit,
            unlimited=unlimited,
            on_hand=on_hand or Decimal(0),
            person_id=person_id,
        ).id
    return _insert(tx, enterprise_id, {**values, "lot_id": lot_id, "lot_quantity": size.grains}, rate)


def change_product(
    tx: Transaction, enterprise_id: str, product_id: str, version: int, **content: Unpack[ProductContent]
) -> SuppliedProduct:
    """Changes the named fields. Placed orders keep the product as it was.

    Raises `Invalid` with every mistake, `NotFound`, `Stale`.
    """
    before = product_by_id(tx, enterprise_id, product_id)
    problems: list[Problem] = []
    values = read_content(tx, enterprise_id, content, problems, product_id=product_id)
    if "plugin_fields" in content:
        values["plugin_fields"] = read_plugin_values(
            tx.plugin_fields.products, content["plugin_fields"], before.plugin_fields, problems
        )
    current = {name: getattr(before, name) for name in ("name", "sku", "quantity", "unit", "lot_id")} | values
    if {"quantity", "unit", "lot_id"} & values.keys():
        size = _size_in_lot(tx, enterprise_id, current["lot_id"], current["quantity"], current["unit"], problems)
        values["lot_quantity"] = size.grains if size else None
    if problems:
        raise Invalid(problems)
    values["search"] = search_text(current["name"], current["sku"])
    with refuse_conflict(tx, duplicate=Invalid([sku_taken(current["sku"])])):
        return _edit(tx, enterprise_id, product_id, version, values)


def set_product_image(tx: Transaction, enterprise_id: str, product_id: str, image_id: str | None) -> None:
    """Shows an image of the enterprise with a product, in all sizes of its lot, which pages show as one; None: none.

    Raises `Invalid` for an image of another enterprise, `NotFound`.
    """
    lot_id = product_by_id(tx, enterprise_id, product_id).lot_id
    problems: list[Problem] = []
    values = read_content(tx, enterprise_id, {"image_id": image_id}, problems)
    if problems:
        raise Invalid(problems)
    row = supplied_product.c
    sizes = (row.lot_id == lot_id, row.enterprise_id == enterprise_id, row.archived_at.is_(None))
    tx.execute(update(supplied_product).where(*sizes).values(**values, version=row.version + 1))
    announce_products(tx, *sizes)


def archive_product(tx: Transaction, enterprise_id: str, product_id: str, version: int) -> SuppliedProduct:
    """Removes a product from all lists and sales; orders keep it. Raises `NotFound`, `Stale`."""
    return _edit(tx, enterprise_id, product_id, version, {"archived_at": tx.now})


def restore_product(tx: Transaction, enterprise_id: str, product_id: str, version: int) -> SuppliedProduct:
    """Makes an archived product active again. Raises `NotFound`, `Stale`."""
    return _edit(tx, enterprise_id, product_id, version, {"archived_at": None})


def _insert(tx: Transaction, enterprise_id: str, values: Row, rate: object) -> SuppliedProduct:
    product_id = tx.new_id()
    values["search"] = search_text(values["name"], values["sku"])
    row = {"id": product_id, "enterprise_id": enterprise_id, "created_at": tx.now, "version": 1, **values}
    with refuse_conflict(tx, duplicate=Invalid([sku_taken(values["sku"])])):
        tx.execute(insert(supplied_product).values(row))
    tx.execute(insert(product_vat).values(product_id=product_id, valid_from=ALWAYS.isoformat(), rate=rate))
    announce_products(tx, supplied_product.c.id == product_id)
    return product_by_id(tx, enterprise_id, product_id)


def _edit(
    tx: Transaction, enterprise_id: str, product_id: str, version: int, values: dict[str, object]
) -> SuppliedProduct:
    conditions = (supplied_product.c.id == product_id, supplied_product.c.enterprise_id == enterprise_id)
    edit_row(tx, supplied_product, *conditions, version=version, values=values)
    announce_products(tx, supplied_product.c.id == product_id)
    return product_by_id(tx, enterprise_id, product_id)


class _SizeInLot(NamedTuple):
    """How one piece is taken from a lot: the lot's unit, the grains in one, and the grains of one piece."""

    unit: str
    per_unit: int
    grains: int


def _size_in_lot(
    tx: Transaction, enterprise_id: str, lot_id: str | None, quantity: Decimal, unit: str, problems: list[Problem]
) -> _SizeInLot | None:
    """The size in the enterprise's lot, or in a new lot if `lot_id` is None. None after adding to `problems`."""
    if any(problem.where in ("/quantity", "/unit") for problem in problems):
        return None
    lot_unit, per_unit = fitting_unit(quantity, MEASURES[unit])
    if lot_id is not None:
        conditions = (stock_lot.c.id == lot_id, stock_lot.c.enterprise_id == enterprise_id)
        lot = tx.first(select(stock_lot.c.unit, stock_lot.c.per_unit).where(*conditions))
        if lot is None:
            problems.append(Problem("no_lot", "There is no such stock.", "/lot_id"))
            return None
        lot_unit, per_unit = lot["unit"], lot["per_unit"]
    grains = grains_of(quantity, MEASURES[unit], lot_unit, per_unit, "/quantity")
    if isinstance(grains, Problem):
        problems.append(grains)
        return None
    return _SizeInLot(lot_unit, per_unit, grains)
