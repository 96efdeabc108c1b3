"""Assigns the rows of a list to lots and computes the lots' levels: rows of several sizes may share a lot.

A row counts stock in pieces of its own size. Rows of one lot that change its level must agree; rows that repeat the
present level, as an export does, do not count as changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ...base.errors import Problem
from ...base.search import search_key
from ...base.units.measures import MEASURES
from ...stock.levels import LARGEST, as_text, fitting_unit, grains_of
from .columns import Headers
from .existing import Lot
from .findings import Findings
from .matching import Match
from .read import as_cell

# What the stock of a row is: all that is there, as people count it, or what may still be ordered, as platforms say it.
Counted = Literal["on_hand", "free"]


@dataclass
class LotGroup:
    """A lot, the rows of products taken from it, and its new level.

    lot:          the existing lot, or if `is_new` a new one without an id
    lot_quantity: grains of one piece, by row number
    unlimited, on_hand, low_level: the new values; in grains, `on_hand` with ordered ones
    changed:      numbers of the rows that change one of them
    """

    lot: Lot
    is_new: bool
    matches: list[Match] = field(default_factory=list)
    lot_quantity: dict[int, int] = field(default_factory=dict)
    unlimited: bool = False
    on_hand: int = 0
    low_level: int | None = None
    changed: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class LotGrouper:
    """Groups rows by lot; `lots` are those of all producers of the list. `counted` is what the rows count."""

    lots: Mapping[str, Lot]
    headers: Headers
    findings: Findings
    counted: Counted = "on_hand"

    def group(self, matches: Iterable[Match]) -> list[LotGroup]:
        """Returns all groups. Adds rows that contradict each other to the findings."""
        lots_by_name: dict[Hashable, list[Lot]] = defaultdict(list)
        for existing in self.lots.values():
            lots_by_name[existing.producer_id, _key(existing.name)].append(existing)
        groups: dict[Hashable, LotGroup] = {}
        for match in matches:
            assignment = self._lot_of(match, lots_by_name)
            if assignment is not None:
                key, lot = assignment
                group = groups.setdefault(key, LotGroup(lot or _new_lot(match), lot is None))
                group.matches.append(match)
        for group in groups.values():
            self._measure(group)
            self._decide_unlimited(group)
            self._count(group)
            self._watch(group)
        return list(groups.values())

    def _lot_of(self, match: Match, lots_by_name: Mapping[Hashable, list[Lot]]) -> tuple[Hashable, Lot | None] | None:
        """A key that rows of one lot have in common, and the existing lot or None for a new one.

        Returns None after noting that the lot's name is ambiguous.
        """
        name = _key(match.row.values.get("lot", ""))
        current = self.lots[match.product.lot_id] if match.product else None
        if current is not None and (not name or _key(current.name) == name):
            return current.id, current
        if not name:
            return match.row.number, None
        key = match.row.producer.id, name
        candidates = lots_by_name.get(key, [])
        if len(candidates) > 1:
            text = "{count} lots of this producer have this name. Rename one of them first."
            self._note(match, "lot", Problem("ambiguous_lot", text, values={"count": len(candidates)}))
            return None
        return (candidates[0].id, candidates[0]) if candidates else (key, None)

    def _measure(self, group: LotGroup) -> None:
        """Sets the grains of each row. A new lot gets grains small enough for all its sizes, if possible."""
        sizes = [(match.row.values["quantity"], MEASURES[match.row.values["unit"]]) for match in group.matches]
        if group.is_new:
            units = dict.fromkeys(fitting_unit(*size) for size in sizes)
            fitting = (unit for unit in units if all(isinstance(grains_of(*size, *unit), int) for size in sizes))
            unit, per_unit = next(fitting, next(iter(units)))
            group.lot = replace(group.lot, unit=unit, per_unit=per_unit)
        for match, size in zip(group.matches, sizes, strict=True):
            product = match.product
            if (
                product
                and product.lot_id == group.lot.id
                and (product.quantity, product.unit) == (size[0], size[1].term)
            ):
                group.lot_quantity[match.row.number] = product.lot_quantity
                continue
            grains = grains_of(*size, group.lot.unit, group.lot.per_unit)
            if isinstance(grains, Problem):
                self._note(match, "lot" if match.row.values.get("lot") else "unit_type", grains)
                grains = 1
            group.lot_quantity[match.row.number] = grains

    def _decide_unlimited(self, group: LotGroup) -> None:
        matches = [match for match in group.matches if "on_demand" in match.row.values]
        if group.is_new:
            group.unlimited = bool(matches and matches[0].row.values["on_demand"])
            other = next((match for match in matches if match.row.values["on_demand"] != group.unlimited), None)
            if other is not None:
                self._note(other, "on_demand", _disagree(matches[0]))
            return
        changing = [match for match in matches if match.row.values["on_demand"] != group.lot.unlimited]
        group.unlimited = group.lot.unlimited != bool(changing)
        group.changed |= {match.row.number for match in changing}

    def _count(self, group: LotGroup) -> None:
        """Sets the new level: that of the rows which change it, or else the present one."""
        lot = group.lot
        group.on_hand = lot.bound if group.unlimited or lot.unlimited else lot.free + lot.bound
        if group.unlimited:
            return
        besides = lot.bound if self.counted == "free" else 0
        present = group.on_hand - besides
        counts = {
            match.row.number: (match, match.row.values["on_hand"] * size)
            for match in group.matches
            if "on_hand" in match.row.values
            for size in [group.lot_quantity[match.row.number]]
            if group.is_new or match.row.values["on_hand"] != present // size
        }
        if not counts:
            return
        first, most = max(counts.values(), key=lambda count: count[1])
        for row, (match, grains) in counts.items():
            size = group.lot_quantity[row]
            if most // size * size != grains:
                self._note(match, "on_hand", _disagree(first))
        group.on_hand = most + besides
        group.changed |= counts.keys()
        if group.on_hand > LARGEST:
            self._note(first, "on_hand", Problem("quantity", "That is more than a lot can hold."))
        if group.on_hand < lot.bound:
            text = "{reserved} are ordered, so there cannot be less. Change or cancel orders first."
            reserved = as_text(lot.bound, lot.unit, lot.per_unit)
            self._note(first, "on_hand", Problem("below_reserved", text, values={"reserved": reserved}))

    def _watch(self, group: LotGroup) -> None:
        """Sets the level that counts as low: that of the rows which change it, or else the present one."""
        present = group.low_level = group.lot.low_level
        levels = {
            match.row.number: (match, pieces * size if pieces >= 0 else -1)
            for match in group.matches
            if "low_level" in match.row.values
            for size, pieces in [(group.lot_quantity[match.row.number], match.row.values["low_level"])]
            if pieces != (-1 if present is None else present // size)
        }
        if not levels:
            return
        first, most = max(levels.values(), key=lambda level: level[1])
        for row, (match, grains) in levels.items():
            size = group.lot_quantity[row]
            if grains != (most // size * size if most >= 0 else -1):
                self._note(match, "low_level", _disagree(first))
        group.low_level = None if most < 0 else most
        group.changed |= levels.keys()
        if most > LARGEST:
            self._note(first, "low_level", Problem("quantity", "That is more than a lot can hold."))

    def _note(self, match: Match, key: str, problem: Problem) -> None:
        self.findings.add(match.row.number, self.headers.spelling.get(key, ""), problem)


def _new_lot(match: Match) -> Lot:
    values = match.row.values
    return Lot(
        id="",
        producer_id=match.row.producer.id,
        name=values.get("lot") or values["name"],
        unit=values["unit"],
        per_unit=1,
        unlimited=False,
        free=0,
        reserved=0,
        lent=0,
        version=1,
    )


def _key(name: str) -> str:
    return search_key(as_cell(name))


def _disagree(other: Match) -> Problem:
    text = "Row {other} is taken from the same lot, and says something else of it."
    return Problem("lots_disagree", text, values={"other": other.row.number})
