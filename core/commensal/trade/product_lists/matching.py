"""Which product a row means: that of its id, else of its reference, else of its name and size. No two mean the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ...base.errors import Problem
from ...base.search import search_key
from ...base.units.measures import MEASURES
from .columns import Headers
from .existing import Known
from .findings import Findings
from .row_values import Said


@dataclass(frozen=True)
class Match:
    """A row and the product that it changes; None for a new one."""

    said: Said
    known: Known | None


@dataclass(frozen=True)
class _Index:
    """The products of the list's producers, by what rows may name them with."""

    by_id: dict[tuple[str, str], Known]
    by_sku: dict[tuple[str, str], Known]
    by_name: dict[Hashable, list[Known]]


def match_rows(rows: Iterable[Said], products: Iterable[Known], headers: Headers, findings: Findings) -> list[Match]:
    """Each row with its product. Notes rows that name none, several, or one that another row has named."""
    index = _index(products)
    doubles = _Doubles({}, {})
    matches = []
    for said in rows:
        known, problem = _find(said, index)
        found = problem or _refuse(said, known, index) or doubles.note(said, known)
        if found is None:
            matches.append(Match(said, known))
            continue
        key, what = found
        findings.add(said.row, headers.spelling.get(key, ""), what)
    return matches


Mistake = tuple[str, Problem]  # in which column, and what


def _index(products: Iterable[Known]) -> _Index:
    index = _Index({}, {}, defaultdict(list))
    for one in products:
        index.by_id[one.producer_id, one.id] = one
        if one.sku:
            index.by_sku[one.producer_id, one.sku] = one
        if not one.archived:
            index.by_name[_name_key(one.producer_id, one.name, one.quantity, one.unit)].append(one)
    return index


def _find(said: Said, index: _Index) -> tuple[Known | None, Mistake | None]:
    values, producer = said.values, said.producer
    if values.get("id"):
        known = index.by_id.get((producer.id, values["id"]))
        if known is None:
            text = "{producer} has no product of this id. Leave the cell empty for a new product."
            return None, ("id", Problem("unknown_id", text, values={"producer": producer.name}))
        return known, None
    sku = values.get("sku")
    if sku and (producer.id, sku) in index.by_sku:
        return index.by_sku[producer.id, sku], None
    named = index.by_name.get(_key_of(said), [])
    named = [one for one in named if not (sku and one.sku)]  # another reference, another product
    if len(named) > 1:
        shown = search_key(values.get("display_name", ""))
        named = [one for one in named if search_key((one.item and one.item.name) or "") == shown] or named
    if len(named) > 1:
        text = "{count} products have this name and size. Say which one is meant by its reference or id."
        return None, ("name", Problem("ambiguous", text, values={"count": len(named)}))
    return (named[0] if named else None), None


def _refuse(said: Said, known: Known | None, index: _Index) -> Mistake | None:
    if known is not None and known.archived:
        text = "{name} is archived. Bring it back first, or give the new product another reference."
        return "id" if said.values.get("id") else "sku", Problem("archived", text, values={"name": known.name})
    holder = index.by_sku.get((said.producer.id, said.values.get("sku", "")))
    if holder is not None and holder is not known:
        return "sku", Problem("sku_taken", "{name} has this reference already.", values={"name": holder.name})
    return None


@dataclass(frozen=True)
class _Doubles:
    """Which row has named a product first: by its id or reference, or a new one by its name and size."""

    rows: dict[Hashable, int]
    new: dict[Hashable, Said]

    def note(self, said: Said, known: Known | None) -> Mistake | None:
        """A mistake where an earlier row means the same product. Two new ones of one name need two references."""
        sku = said.values.get("sku")
        if sku and (other := self.rows.setdefault((said.producer.id, sku), said.row)) != said.row:
            return "sku", _doubled(other)
        if known is not None:
            other = self.rows.setdefault(known.id, said.row)
            return None if other == said.row else ("id" if said.values.get("id") else "name", _doubled(other))
        first = self.new.setdefault((_key_of(said), search_key(said.values.get("display_name", ""))), said)
        return None if first is said or (sku and first.values.get("sku")) else ("name", _doubled(first.row))


def _doubled(other: int) -> Problem:
    text = "This is the same product as in row {other}. Remove one of the two."
    return Problem("doubled_row", text, values={"other": other})


def _key_of(said: Said) -> Hashable:
    values = said.values
    return _name_key(said.producer.id, values["name"], values["quantity"], values["unit"])


def _name_key(producer_id: str, name: str, quantity: Decimal, unit: str) -> Hashable:
    """The same for 500 g and 0.5 kg of one name."""
    measure = MEASURES[unit]
    kind: Any = unit if measure.dimension in ("package", "ratio") else measure.dimension
    return producer_id, search_key(name), kind, Fraction(quantity) * measure.factor
