"""Which lot each product of a list is taken from, and how much is there: sizes of one heap share a lot.

A row counts in pieces of its own size. Where rows of one lot change what is there, they must agree; those that repeat
what is known of it, as an export does, say nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...base.errors import Problem
from ...base.search import search_key
from ...base.units.measures import MEASURES
from ..stock.grains import LARGEST, as_text, fitting_unit, grains_of
from .columns import Headers
from .existing import Lot
from .findings import Findings
from .matching import Match
from .read import as_cell


@dataclass
class Heap:
    """A lot as it is to be, and the rows that are taken from it.

    lot:          what there is; a new one where `is_new`, without an id yet
    lot_quantity: grains of one piece, by row
    unlimited, on_hand: as they are to be; `on_hand` in grains, ordered ones included
    changed:      rows that say something new of it
    """

    lot: Lot
    is_new: bool
    matches: list[Match] = field(default_factory=list)
    lot_quantity: dict[int, int] = field(default_factory=dict)
    unlimited: bool = False
    on_hand: int = 0
    changed: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Heaping:
    """Puts rows onto heaps; `lots` are those of all producers of the list."""

    lots: Mapping[str, Lot]
    headers: Headers
    findings: Findings

    def heaps(self, matches: Iterable[Match]) -> list[Heap]:
        """All heaps with their rows. Rows that do not go together are noted."""
        named: dict[Hashable, list[Lot]] = defaultdict(list)
        for lot in self.lots.values():
            named[lot.producer_id, _key(lot.name)].append(lot)
        heaps: dict[Hashable, Heap] = {}
        for match in matches:
            found = self._lot_of(match, named)
            if found is not None:
                key, there = found
                heap = heaps.setdefault(key, Heap(there or _new_lot(match), there is None))
                heap.matches.append(match)
        for heap in heaps.values():
            self._measure(heap)
            self._decide_unlimited(heap)
            self._count(heap)
        return list(heaps.values())

    def _lot_of(self, match: Match, named: Mapping[Hashable, list[Lot]]) -> tuple[Hashable, Lot | None] | None:
        """A key that is the same for rows of one lot, and the lot; None for one that is to be made."""
        name = _key(match.said.values.get("lot", ""))
        own = self.lots[match.known.lot_id] if match.known else None
        if own is not None and (not name or _key(own.name) == name):
            return own.id, own
        if not name:
            return match.said.row, None
        key = match.said.producer.id, name
        there = named.get(key, [])
        if len(there) > 1:
            text = "{count} lots of this producer have this name. Rename one of them first."
            self._note(match, "lot", Problem("ambiguous_lot", text, values={"count": len(there)}))
            return None
        return (there[0].id, there[0]) if there else (key, None)

    def _measure(self, heap: Heap) -> None:
        """How many grains each row takes. A new lot is counted as finely as all its sizes need, if that is possible."""
        sizes = [(match.said.values["quantity"], MEASURES[match.said.values["unit"]]) for match in heap.matches]
        if heap.is_new:
            choices = dict.fromkeys(fitting_unit(*size) for size in sizes)
            fits = (one for one in choices if all(isinstance(grains_of(*size, *one), int) for size in sizes))
            unit, per_unit = next(fits, next(iter(choices)))
            heap.lot = replace(heap.lot, unit=unit, per_unit=per_unit)
        for match, size in zip(heap.matches, sizes, strict=True):
            known = match.known
            if known and known.lot_id == heap.lot.id and (known.quantity, known.unit) == (size[0], size[1].term):
                heap.lot_quantity[match.said.row] = known.lot_quantity
                continue
            grains = grains_of(*size, heap.lot.unit, heap.lot.per_unit)
            if isinstance(grains, Problem):
                self._note(match, "lot" if match.said.values.get("lot") else "unit_type", grains)
                grains = 1
            heap.lot_quantity[match.said.row] = grains

    def _decide_unlimited(self, heap: Heap) -> None:
        said = [match for match in heap.matches if "on_demand" in match.said.values]
        if heap.is_new:
            heap.unlimited = bool(said and said[0].said.values["on_demand"])
            other = next((one for one in said if one.said.values["on_demand"] != heap.unlimited), None)
            if other is not None:
                self._note(other, "on_demand", _disagree(said[0]))
            return
        changing = [match for match in said if match.said.values["on_demand"] != heap.lot.unlimited]
        heap.unlimited = heap.lot.unlimited != bool(changing)
        heap.changed |= {match.said.row for match in changing}

    def _count(self, heap: Heap) -> None:
        """What is to be there: as the rows say that say something new, else as it was."""
        lot = heap.lot
        heap.on_hand = lot.bound if heap.unlimited or lot.unlimited else lot.free + lot.bound
        if heap.unlimited:
            return
        counts = {
            match.said.row: (match, match.said.values["on_hand"] * heap.lot_quantity[match.said.row])
            for match in heap.matches
            if "on_hand" in match.said.values
            and (heap.is_new or match.said.values["on_hand"] != lot.pieces(heap.lot_quantity[match.said.row]))
        }
        if not counts:
            return
        first, most = max(counts.values(), key=lambda one: one[1])
        for row, (match, grains) in counts.items():
            size = heap.lot_quantity[row]
            if most // size * size != grains:
                self._note(match, "on_hand", _disagree(first))
        heap.on_hand = most
        heap.changed |= counts.keys()
        if most > LARGEST:
            self._note(first, "on_hand", Problem("quantity", "That is more than a lot can hold."))
        if most < lot.bound:
            text = "{reserved} are ordered, so there cannot be less. Change or cancel orders first."
            reserved = as_text(lot.bound, lot.unit, lot.per_unit)
            self._note(first, "on_hand", Problem("below_reserved", text, values={"reserved": reserved}))

    def _note(self, match: Match, key: str, problem: Problem) -> None:
        self.findings.add(match.said.row, self.headers.spelling.get(key, ""), problem)


def _new_lot(match: Match) -> Lot:
    values = match.said.values
    return Lot(
        id="", producer_id=match.said.producer.id, name=values.get("lot") or values["name"], unit=values["unit"],
        per_unit=1, unlimited=False, free=0, reserved=0, lent=0, version=1,
    )  # fmt: skip


def _key(name: str) -> str:
    return search_key(as_cell(name))


def _disagree(other: Match) -> Problem:
    text = "Row {other} is taken from the same lot, and says something else of it."
    return Problem("lots_disagree", text, values={"other": other.said.row})
