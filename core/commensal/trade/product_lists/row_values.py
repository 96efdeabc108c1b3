"""What a row says of a product: its cells as values, or a mistake for each cell that says nothing sensible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from ...base.errors import Invalid, Problem
from ...base.search import search_key
from ...base.texts import read_text
from ..products.content import LARGEST_QUANTITY
from . import cells
from .cells import Choices
from .columns import Headers
from .existing import Place, Producer, find_producer
from .findings import Findings
from .read import Row

_LONGEST = {"name": 200, "display_name": 200, "lot": 200, "sku": 100, "id": 64}
_NAMING = ("id", "sku", "name", "display_name")  # columns that say which product is meant
# Cells that mean something when they are empty: no description, not hidden.
_OPTIONAL: dict[str, Callable[[str, Choices], Any]] = {
    "weighed": cells.read_flag,
    "hidden": cells.read_flag,
    "deposit": cells.read_deposit,
    "labels": cells.read_labels,
    "allergens": cells.read_allergens,
}
# Cells that say nothing when they are empty, so that what is known stays as it is.
_NEEDED: dict[str, Callable[[str, Choices], Any]] = {
    "price": cells.read_price,
    "on_hand": cells.read_pieces,
    "on_demand": cells.read_flag,
}


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What a new product is when its row does not say it in words we know; None: then the row is refused.

    category: a DFC product type; vat_rate: percent
    """

    category: str | None = None
    vat_rate: Decimal | None = None


NO_DEFAULTS = Defaults()


def read_defaults(category: str = "", vat_rate: str = "", language: str = "fr") -> Defaults:
    """Defaults from what somebody typed: a label or term of a product type, a rate; "" for none. Raises `Invalid`."""
    choices = Choices(currency="", language=language)
    product_type = cells.read_category(category, choices) if category else None
    rate = cells.read_vat(vat_rate, choices) if vat_rate else None
    problems = [
        replace(one, where=where)
        for where, one in (("default_category", product_type), ("default_vat", rate))
        if isinstance(one, Problem)
    ]
    if isinstance(product_type, Problem) or isinstance(rate, Problem):
        raise Invalid(problems)
    return Defaults(category=product_type, vat_rate=rate)


@dataclass(frozen=True)
class Said:
    """A row's values by their names, without those of which it says nothing.

    id lot name display_name sku description: texts; "" for none, where there may be none
    product_type quantity unit weighed labels allergens deposit vat_rate: as those of a `SuppliedProduct`
    price: minor units; on_hand: pieces; on_demand hidden: flags
    """

    row: int
    producer: Producer
    values: dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """Reads rows of one list."""

    place: Place
    headers: Headers
    defaults: Defaults
    findings: Findings

    def read(self, row: Row) -> Said | None:
        """What the row says, without the cells that hold a mistake, which are then among the findings; None where it
        cannot be said which product is meant."""
        language, suggest = self.headers.language, not self.findings.unlisted
        choices = Choices(currency=self.place.currency, language=language, suggest=suggest)
        producer = self._producer(row, choices)
        values = {**self._texts(row), **self._size(row, choices), **self._terms(row, choices)}
        for key, read in {**_OPTIONAL, **_NEEDED}.items():
            cell = row.cells.get(key)
            if cell is None or (key in _NEEDED and not cell):
                continue
            in_currency = replace(choices, currency=producer.currency) if key == "deposit" and producer else choices
            value = self._note(row, key, read(cell, in_currency))
            if value is not None:
                values[key] = value
        unclear = any(self.findings.in_cell(row.number, self.headers.spelling.get(key, "")) for key in _NAMING)
        return None if producer is None or unclear or "quantity" not in values else Said(row.number, producer, values)

    def _producer(self, row: Row, choices: Choices) -> Producer | None:
        cell = row.cells["producer"]
        found = find_producer(self.place, cell) if cell else None
        if found is None:
            self._note(row, "producer", self._unknown(cell, choices) if cell else _missing())
        return found

    def _unknown(self, cell: str, choices: Choices) -> Problem:
        near = get_close_matches(search_key(cell[:100]), self.place.spellings, n=1) if choices.suggest else []
        if not near:
            text = "{name} is neither this enterprise nor a producer that lets it change its products."
            return Problem("producer", text, values={"name": cell[:100]})
        text = "{name} may not be changed here, or is not known. Did you mean {meant}?"
        meant = self.place.spellings[near[0]].name
        return Problem("producer", text, values={"name": cell[:100], "meant": meant})

    def _texts(self, row: Row) -> dict[str, Any]:
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        for key, most in _LONGEST.items():
            if key in row.cells:
                values[key] = read_text(row.cells[key], key, problems, least=int(key == "name"), most=most)
        for problem in problems:
            self._note(row, problem.where, problem)
        if "description" in row.cells:
            values["description"] = row.cells["description"]
        return values

    def _size(self, row: Row, choices: Choices) -> dict[str, Any]:
        """Quantity and unit. OFN leaves the unit's type empty where the unit has a name, such as bunch."""
        units = self._note(row, "units", cells.read_units(row.cells["units"], choices))
        named = row.cells.get("variant_unit_name", "")
        key = "variant_unit_name" if named and not row.cells["unit_type"] else "unit_type"
        unit = self._note(row, key, cells.read_measure(row.cells[key], choices) if row.cells[key] else _missing())
        if units is None or unit is None:
            return {}
        quantity = units * unit.times
        if quantity > LARGEST_QUANTITY or unit.measure.dimension == "ratio":
            text = "Nobody can sell {cell} of this unit in one piece."
            self._note(row, "units", Problem("quantity", text, values={"cell": row.cells["units"][:40]}))
        return {"quantity": quantity, "unit": unit.measure.term}

    def _terms(self, row: Row, choices: Choices) -> dict[str, Any]:
        """Product type and VAT rate. What is not understood is a mistake, unless there is a default."""
        values: dict[str, Any] = {}
        readers = (
            ("category", "product_type", cells.read_category, self.defaults.category),
            ("tax_category", "vat_rate", cells.read_vat, self.defaults.vat_rate),
        )
        for key, name, read, default in readers:
            cell = row.cells.get(key)
            if not cell:
                continue
            value = read(cell, choices)
            if not isinstance(value, Problem):
                values[name] = value
            elif default is None:
                self._note(row, key, value)
        return values

    def _note(self, row: Row, key: str, value: Any) -> Any:
        """The value; None where it is a `Problem`, which is noted for the cell unless that has one already."""
        if not isinstance(value, Problem):
            return value
        header = self.headers.spelling.get(key, "")
        if not self.findings.in_cell(row.number, header):
            self.findings.add(row.number, header, value)
        return None


def _missing() -> Problem:
    return Problem("missing", "This must be filled in.")
