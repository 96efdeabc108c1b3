"""Parses the cells of a row into values, and notes a mistake for each cell that makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from ...base.errors import Invalid, Problem
from ...base.fields import Kind
from ...base.plugin_fields import read_plugin_values
from ...base.search import search_key
from ...base.texts import read_text
from ...products.fields import LARGEST_QUANTITY, PRODUCT_FIELDS
from . import cells
from .cells import CellFormat
from .columns import Headers
from .existing import ListContext, ListProducer, find_producer
from .findings import Findings, Suggestions
from .read import ListRow

_TEXTS = {field.column: field for field in PRODUCT_FIELDS.values() if field.kind == "text"}
_LONGEST = {"display_name": 200, "lot": 200, "id": 64} | {key: field.most for key, field in _TEXTS.items()}
_NAMING = ("id", "sku", "name", "display_name")  # columns that say which product is meant
_BY_KIND: dict[Kind, Callable[[str, CellFormat], object]] = {"flag": cells.read_flag, "amount": cells.read_deposit}
# Columns in which an empty cell has a meaning: no deposit, not hidden, nobody is told.
_OPTIONAL: dict[str, Callable[[str, CellFormat], object]] = {
    "hidden": cells.read_flag,
    "low_level": cells.read_low_level,
    "weight_tolerance": cells.read_tolerance,
    **{field.column: _BY_KIND[field.kind] for field in PRODUCT_FIELDS.values() if field.kind in _BY_KIND},
    **{field.column: cells.terms_reader(field) for field in PRODUCT_FIELDS.values() if field.kind == "terms"},
    **{
        field.column: cells.texts_reader(field) for field in PRODUCT_FIELDS.values() if field.kind in ("texts", "htmls")
    },
}
# Columns in which an empty cell leaves the present value as it is.
_NEEDED: dict[str, Callable[[str, CellFormat], object]] = {
    "price": cells.read_price,
    "on_hand": cells.read_pieces,
    "on_demand": cells.read_flag,
}


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """Values for new products whose row lacks a known category or VAT rate; None: such a row is refused.

    category: a DFC product type; vat_rate: percent
    """

    category: str | None = None
    vat_rate: Decimal | None = None


NO_DEFAULTS = Defaults()


def read_defaults(category: str = "", vat_rate: str = "", language: str = "fr") -> Defaults:
    """Parses defaults: a label or term of a product type, and a rate in percent; "" for none. Raises `Invalid`."""
    cell_format = CellFormat(currency="", language=language)
    product_type = cells.read_category(category, cell_format) if category else None
    rate = cells.read_vat(vat_rate, cell_format) if vat_rate else None
    problems = [
        replace(value, where=where)
        for where, value in (("default_category", product_type), ("default_vat", rate))
        if isinstance(value, Problem)
    ]
    if isinstance(product_type, Problem) or isinstance(rate, Problem):
        raise Invalid(problems)
    return Defaults(category=product_type, vat_rate=rate)


@dataclass(frozen=True)
class RowValues:
    """A row's values by name, without those that it leaves as they are. `number` is the row's in the file.

    id lot display_name: texts; "" for none
    vat_rate and the fields of a product: as those of a `SuppliedProduct`
    price: minor units; on_hand: pieces; low_level: pieces, -1 for none; on_demand hidden: flags
    """

    number: int
    producer: ListProducer
    values: dict[str, Any]


@dataclass(frozen=True)
class RowReader:
    """Reads rows of one list."""

    context: ListContext
    headers: Headers
    defaults: Defaults
    findings: Findings
    suggestions: Suggestions = field(default_factory=Suggestions)

    def read(self, row: ListRow) -> RowValues | None:
        """Parses a row. Adds cells with mistakes to the findings and leaves their values out.

        Returns None if the mistakes make it unclear which product the row means.
        """
        cell_format = CellFormat(
            currency=self.context.currency, language=self.headers.language, suggestions=self.suggestions
        )
        producer = self._producer(row, cell_format)
        values = {**self._texts(row), **self._size(row, cell_format), **self._terms(row, cell_format)}
        for key, read in {**_OPTIONAL, **_NEEDED}.items():
            cell = row.cells.get(key)
            if cell is None or (key in _NEEDED and not cell):
                continue
            in_currency = (
                replace(cell_format, currency=producer.currency) if key == "deposit" and producer else cell_format
            )
            value = self._note(row, key, read(cell, in_currency))
            if value is not None:
                values[key] = value
        in_producers = replace(cell_format, currency=producer.currency) if producer else cell_format
        if plugin_values := self._plugin_values(row, in_producers):
            values["plugin_fields"] = plugin_values
        unclear = any(self.findings.in_cell(row.number, self.headers.spelling.get(key, "")) for key in _NAMING)
        return (
            None if producer is None or unclear or "quantity" not in values else RowValues(row.number, producer, values)
        )

    def _producer(self, row: ListRow, cell_format: CellFormat) -> ListProducer | None:
        cell, known = row.cells.get("producer", ""), self.context.producers
        producer = find_producer(self.context, cell) if cell else known[0] if len(known) == 1 else None
        if producer is None and "producer" in row.cells:
            self._note(row, "producer", self._unknown(cell, cell_format) if cell else _missing())
        return producer

    def _unknown(self, cell: str, cell_format: CellFormat) -> Problem:
        key = search_key(cell[:100])
        matches = cell_format.suggestions.find(
            ("producer", key), lambda: get_close_matches(key, self.context.spellings, n=1)
        )
        if not matches:
            text = "{name} is neither this enterprise nor a producer that lets it change its products."
            return Problem("producer", text, values={"name": cell[:100]})
        text = "{name} may not be changed here, or is not known. Did you mean {meant}?"
        meant = self.context.spellings[matches[0]].name
        return Problem("producer", text, values={"name": cell[:100], "meant": meant})

    def _texts(self, row: ListRow) -> dict[str, object]:
        problems: list[Problem] = []
        values: dict[str, object] = {}
        for key, most in _LONGEST.items():
            if key in row.cells:
                values[key] = read_text(row.cells[key], key, problems, least=int(key == "name"), most=most)
        for problem in problems:
            self._note(row, problem.where, problem)
        if "description" in row.cells:
            values["description"] = row.cells["description"]
        return values

    def _size(self, row: ListRow, cell_format: CellFormat) -> dict[str, object]:
        """Quantity and unit. OFN leaves the type of the unit empty if the unit has a name, such as bunch."""
        units = self._note(row, "units", cells.read_units(row.cells["units"], cell_format))
        unit_name = row.cells.get("variant_unit_name", "")
        key = "variant_unit_name" if unit_name and not row.cells["unit_type"] else "unit_type"
        unit = self._note(row, key, cells.read_measure(row.cells[key], cell_format) if row.cells[key] else _missing())
        if units is None or unit is None:
            return {}
        quantity = units * unit.times
        if quantity > LARGEST_QUANTITY or unit.measure.dimension == "ratio":
            text = "Nobody can sell {cell} of this unit in one piece."
            self._note(row, "units", Problem("quantity", text, values={"cell": row.cells["units"][:40]}))
        return {"quantity": quantity, "unit": unit.measure.term}

    def _terms(self, row: ListRow, cell_format: CellFormat) -> dict[str, object]:
        """Product type and VAT rate. An unknown word is a mistake, unless there is a default."""
        values: dict[str, object] = {}
        readers = (
            ("category", "product_type", cells.read_category, self.defaults.category),
            ("tax_category", "vat_rate", cells.read_vat, self.defaults.vat_rate),
        )
        for key, name, read, default in readers:
            cell = row.cells.get(key)
            if not cell:
                continue
            value = read(cell, cell_format)
            if not isinstance(value, Problem):
                values[name] = value
            elif default is None:
                self._note(row, key, value)
        return values

    def _plugin_values(self, row: ListRow, cell_format: CellFormat) -> dict[str, dict[str, object]]:
        """The values of plugins' columns; None for an empty cell, which takes the value away."""
        values: dict[str, dict[str, object]] = {}
        for plugin, entry in self.context.declared:
            key = f"{plugin}.{entry.name}"
            cell = row.cells.get(key)
            if cell is None:
                continue
            value = self._note(row, key, cells.read_field(entry, cell, cell_format)) if cell else None
            problems: list[Problem] = []
            read_plugin_values(self.context.declared, {plugin: {entry.name: value}}, {}, problems)
            for problem in problems:
                self._note(row, key, problem)
            values.setdefault(plugin, {})[entry.name] = value
        return values

    def _note(self, row: ListRow, key: str, value: object) -> Any:
        """Returns the value; for a `Problem` returns None and adds it to the findings, unless the cell has one."""
        if not isinstance(value, Problem):
            return value
        header = self.headers.spelling.get(key, "")
        if not self.findings.in_cell(row.number, header):
            self.findings.add(row.number, header, value)
        return None


def _missing() -> Problem:
    return Problem("missing", "This must be filled in.")
