"""Matches rows with products: by id, else by reference, else by name and size. No two rows match the same product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ...base.errors import Problem
from ...base.search import search_key
from ...base.units.measures import MEASURES
from .columns import Headers
from .existing import ExistingProduct
from .findings import Findings
from .row_values import RowValues


@dataclass(frozen=True)
class Match:
    """A row and the product that it changes; None for a new product."""

    row: RowValues
    product: ExistingProduct | None


@dataclass(frozen=True)
class _Index:
    """The products of the list's producers by producer and id, reference, or name and size."""

    by_id: dict[tuple[str, str], ExistingProduct]
    by_sku: dict[tuple[str, str], ExistingProduct]
    by_name: dict[Hashable, list[ExistingProduct]]


def match_rows(
    rows: Iterable[RowValues], products: Iterable[ExistingProduct], headers: Headers, findings: Findings
) -> list[Match]:
    """Matches each row with its product. Adds rows to the findings that match no product by id, several products, or
    the product of another row."""
    index = _index(products)
    doubles = _Doubles({}, {})
    matches = []
    for row in rows:
        product, mistake = _find(row, index)
        mistake = mistake or _refuse(row, product, index) or doubles.note(row, product)
        if mistake is None:
            matches.append(Match(row, product))
            continue
        key, problem = mistake
        findings.add(row.number, headers.spelling.get(key, ""), problem)
    return matches


Mistake = tuple[str, Problem]  # in which column, and what


def _index(products: Iterable[ExistingProduct]) -> _Index:
    index = _Index({}, {}, defaultdict(list))
    for product in products:
        index.by_id[product.producer_id, product.id] = product
        if product.sku:
            index.by_sku[product.producer_id, product.sku] = product
        if not product.archived:
            index.by_name[_name_key(product.producer_id, product.name, product.quantity, product.unit)].append(product)
    return index


def _find(row: RowValues, index: _Index) -> tuple[ExistingProduct | None, Mistake | None]:
    values, producer = row.values, row.producer
    if values.get("id"):
        product = index.by_id.get((producer.id, values["id"]))
        if product is None:
            text = "{producer} has no product of this id. Leave the cell empty for a new product."
            return None, ("id", Problem("unknown_id", text, values={"producer": producer.name}))
        return product, None
    sku = values.get("sku")
    if sku and (producer.id, sku) in index.by_sku:
        return index.by_sku[producer.id, sku], None
    candidates = index.by_name.get(_key_of(row), [])
    candidates = [product for product in candidates if not (sku and product.sku)]  # another reference, another product
    if len(candidates) > 1:
        display_name = search_key(values.get("display_name", ""))
        candidates = [
            product for product in candidates if search_key((product.item and product.item.name) or "") == display_name
        ] or candidates
    if len(candidates) > 1:
        text = "{count} products have this name and size. Say which one is meant by its reference or id."
        return None, ("name", Problem("ambiguous", text, values={"count": len(candidates)}))
    return (candidates[0] if candidates else None), None


def _refuse(row: RowValues, product: ExistingProduct | None, index: _Index) -> Mistake | None:
    if product is not None and product.archived:
        text = "{name} is archived. Bring it back first, or give the new product another reference."
        return "id" if row.values.get("id") else "sku", Problem("archived", text, values={"name": product.name})
    holder = index.by_sku.get((row.producer.id, row.values.get("sku", "")))
    if holder is not None and holder is not product:
        return "sku", Problem("sku_taken", "{name} has this reference already.", values={"name": holder.name})
    return None


@dataclass(frozen=True)
class _Doubles:
    """The first row of each product: by id or reference, or for new products by name and size."""

    rows: dict[Hashable, int]
    new: dict[Hashable, RowValues]

    def note(self, row: RowValues, product: ExistingProduct | None) -> Mistake | None:
        """A mistake if an earlier row means the same product. Two new products of one name need two references."""
        sku = row.values.get("sku")
        if sku and (other := self.rows.setdefault((row.producer.id, sku), row.number)) != row.number:
            return "sku", _doubled(other)
        if product is not None:
            other = self.rows.setdefault(product.id, row.number)
            return None if other == row.number else ("id" if row.values.get("id") else "name", _doubled(other))
        first = self.new.setdefault((_key_of(row), search_key(row.values.get("display_name", ""))), row)
        return None if first is row or (sku and first.values.get("sku")) else ("name", _doubled(first.number))


def _doubled(other: int) -> Problem:
    text = "This is the same product as in row {other}. Remove one of the two."
    return Problem("doubled_row", text, values={"other": other})


def _key_of(row: RowValues) -> Hashable:
    values = row.values
    return _name_key(row.producer.id, values["name"], values["quantity"], values["unit"])


def _name_key(producer_id: str, name: str, quantity: Decimal, unit: str) -> Hashable:
    """A key that is equal for 500 g and 0.5 kg of the same name."""
    measure = MEASURES[unit]
    kind: object = unit if measure.dimension in ("package", "ratio") else measure.dimension
    return producer_id, search_key(name), kind, Fraction(quantity) * measure.factor
