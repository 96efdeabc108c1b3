"""Loads: crates, kilograms and places kept cold; and what may travel with what.

A crate is a European one of 600 × 400 mm, about 10 kg. All other packages are a number of them, rounded up. Classes of
temperature follow the French orders of 21 December 2009 and 8 October 2013; the doors of a pooled round open often, so
goods below room temperature need cold places of the vehicle, or closed isotherm boxes of their sender.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Keeping = Literal["ambient", "cool8", "cold4", "cold2", "frozen"]
CLASSES: dict[Keeping, int | None] = {"ambient": None, "cool8": 8, "cold4": 4, "cold2": 2, "frozen": -18}
"""The highest temperature (°C) of each class, the warmest first; None: any."""
_ORDER: tuple[Keeping, ...] = tuple(CLASSES)

KG_PER_CRATE = 10
MOST_CRATES = 5_000
MOST_KG = 40_000


@dataclass(frozen=True)
class Load:
    """Room that goods take, or that is left. `cold` counts the crates among `crates` that the vehicle must cool."""

    crates: int = 0
    kg: int = 0
    cold: int = 0

    def __add__(self, other: Load) -> Load:
        return Load(self.crates + other.crates, self.kg + other.kg, self.cold + other.cold)

    def __sub__(self, other: Load) -> Load:
        return Load(self.crates - other.crates, self.kg - other.kg, self.cold - other.cold)

    def fits(self, room: Load) -> bool:
        return self.crates <= room.crates and self.kg <= room.kg and self.cold <= room.cold


def coldest(classes: set[Keeping]) -> Keeping:
    """The strictest class among these; ambient for none."""
    return max(classes, key=_ORDER.index, default="ambient")


def keeps(vehicle: Keeping, goods: Keeping) -> bool:
    """Whether a cold hold of the class `vehicle` keeps these goods. A frozen hold is for frozen goods alone."""
    if "frozen" in (vehicle, goods):
        return goods in ("ambient", vehicle)
    return _ORDER.index(goods) <= _ORDER.index(vehicle)


def room_taken(crates: int, kg: int, keeping: Keeping, *, own_boxes: bool) -> Load:
    """The room that so many crates take in a van. Isotherm boxes need no cold place, and half as much room again."""
    if keeping == "ambient":
        return Load(crates, kg)
    if own_boxes:
        return Load((crates * 3 + 1) // 2, kg)
    return Load(crates, kg, crates)
