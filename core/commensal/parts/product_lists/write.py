"""Writes a product list as CSV or XLSX, such that importing it again changes nothing.

A French CSV has semicolons and decimal commas, as a French Excel expects.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ...base.money import digits
from ...base.search import search_key
from ...base.units.measures import MEASURES
from ...base.units.product_types import PRODUCT_TYPES, find_product_type
from ...products.fields import PRODUCT_FIELDS, ProductField
from ..formats.spreadsheets import csv_writer
from .cells import texts_cell
from .columns import COLUMNS, ListColumn, columns_with
from .existing import ExistingProduct, ListContext, ListProducer, Lot, find_producer
from .read import as_cell, guard_formula

Cell = str | Decimal | None
_WIDTHS = {"name": 30, "description": 40, "producer": 24, "category": 20, "display_name": 20, "id": 12}


def list_rows(
    context: ListContext, products: Iterable[ExistingProduct], lots: dict[str, Lot], language: str
) -> list[list[Cell]]:
    """A row for each product, ordered by producer, name and size; its cells are in the order of `COLUMNS`."""
    ordered = list(products)
    producers = {producer.id: producer for producer in context.producers}
    sizes: dict[str, int] = {}
    for product in ordered:
        sizes[product.lot_id] = sizes.get(product.lot_id, 0) + 1
    ordered.sort(
        key=lambda product: (search_key(producers[product.producer_id].name), product.producer_id, *_order(product))
    )
    return [
        _row(
            context, producers[product.producer_id], product, lots[product.lot_id], sizes[product.lot_id] > 1, language
        )
        for product in ordered
    ]


def to_csv(
    rows: Sequence[Sequence[Cell]], language: str, *, columns: Sequence[ListColumn] = COLUMNS, mark: bool = True
) -> bytes:
    """The CSV in UTF-8; `mark` puts a byte order mark first, without which Excel assumes Windows-1252."""
    french = language == "fr"
    text = io.StringIO(newline="")
    writer = csv_writer(text, language)
    writer.writerow([column.header(language) for column in columns])
    for row in rows:
        writer.writerow([_text(cell).replace(".", ",") if french and _is_number(cell) else _text(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig" if mark else "utf-8")


def to_xlsx(
    rows: Sequence[Sequence[Cell]], language: str, now: datetime, *, columns: Sequence[ListColumn] = COLUMNS
) -> bytes:
    """The XLSX file, with frozen headers; rows are written one by one, so that memory use stays constant."""
    import xlsxwriter  # it takes long to load, and few spreadsheets are written

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
        workbook.set_properties({"created": now.replace(tzinfo=None)})
        sheet, bold = workbook.add_worksheet(), workbook.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, _WIDTHS.get(column.key, 12))
            sheet.write_string(0, index, column.header(language), bold)
        for number, row in enumerate(rows, start=1):
            for index, cell in enumerate(row):
                if isinstance(cell, Decimal) and Decimal(repr(float(cell))) == cell:
                    sheet.write_number(number, index, float(cell))
                elif cell is not None and cell != "":
                    sheet.write_string(number, index, _text(cell))
    return file.getvalue()


def _order(product: ExistingProduct) -> tuple[str, str, Fraction, str]:
    measure = MEASURES[product.unit]
    return search_key(product.name), measure.dimension, Fraction(product.quantity) * measure.factor, product.id


def _row(
    context: ListContext, producer: ListProducer, product: ExistingProduct, lot: Lot, shared: bool, language: str
) -> list[Cell]:
    measure, item = MEASURES[product.unit], product.item
    is_package = not measure.symbol
    values: dict[str, Cell] = {
        field.column: _field_cell(field, getattr(product, name), producer.currency, language)
        for name, field in PRODUCT_FIELDS.items()
        if field.column
    }
    values |= {
        "id": product.id,
        "producer": producer.name if find_producer(context, as_cell(producer.name)) == producer else producer.slug,
        "display_name": item.name if item else None,
        "units": product.quantity,
        "unit_type": None if is_package else measure.symbol,
        "variant_unit_name": measure.label(language) if is_package else None,
        "price": None if item is None or item.price is None else _amount(item.price, context.currency),
        "on_hand": None if lot.unlimited else Decimal(lot.pieces(product.lot_quantity)),
        "on_demand": _flag(lot.unlimited),
        "low_level": None if lot.low_level is None else Decimal(lot.low_level // product.lot_quantity),
        "tax_category": product.vat_rate,
        "lot": lot.name if shared else None,
        "hidden": _flag(bool(item and item.hidden)),
    }
    for plugin, field in context.declared:
        value = product.plugin_fields.get(plugin, {}).get(field.name)
        values[f"{plugin}.{field.name}"] = (
            None if value is None else _plugin_cell(field, value, producer.currency, language)
        )
    return [_cell(values.get(column.key)) for column in columns_with(context.declared)]


def _field_cell(field: ProductField, value: Any, currency: str, language: str) -> Cell:
    if field.kind == "terms":
        return ", ".join(field.vocabulary[term].label(language) for term in value)
    if field.kind == "term":
        return _category(value, language)
    if field.kind in ("texts", "htmls"):
        return texts_cell(value)
    if field.kind == "amount":
        return _amount(value, currency)
    return _flag(value) if field.kind == "flag" else value


def _plugin_cell(field: ProductField, value: Any, currency: str, language: str) -> Cell:
    if field.kind == "term":
        return field.vocabulary[value].label(language) if value in field.vocabulary else None
    if field.kind == "terms":
        return ", ".join(field.vocabulary[term].label(language) for term in value if term in field.vocabulary)
    if field.kind == "number":
        return Decimal(value)
    return _field_cell(field, value, currency, language)


def _category(term: str, language: str) -> str:
    label = PRODUCT_TYPES[term].label(language)
    concept = find_product_type(label, language)
    return label if concept is not None and concept.term == term else term


def _amount(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-digits(currency))


def _flag(flag: bool) -> Decimal:
    """As Open Food Network writes it, in every language."""
    return Decimal(int(flag))


def _cell(cell: Cell) -> Cell:
    return guard_formula(as_cell(cell)) if isinstance(cell, str) else cell


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, Decimal)


def _text(cell: Cell) -> str:
    return format(cell, "f") if isinstance(cell, Decimal) else cell or ""
