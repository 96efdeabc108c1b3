"""What it costs to drive alone, shown first: 63 % of farms that were asked did not know.

0.40 EUR/km for a small van and 0.80 for a refrigerated one, 15 EUR for an hour (La France Agricole 733135). Hours are
shown and never shared as money: under mutual help between farms, only costs may be (code rural L325-1 to L325-3).
CO2e is 0.160 litres of diesel a kilometre (a van of 3.5 t, level 1) at 3.17 kg, well to wheel (order of 26 April 2017).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise, permutations

from commensal import Amount

from ..places.geography import ESTIMATED, Point, Roads, seconds
from ..places.routing import SERVICE

CENTS_PER_KM = 40
GRAMS_CO2E_PER_KM = 507  # 0.160 l/km × 3.17 kg/l
_MOST_PERMUTED = 6  # stops: 720 orders


@dataclass(frozen=True)
class Tour:
    """A drive from home along some places and back. `cents` are for the vehicle, without the driver's time."""

    metres: int
    minutes: int
    cents: Amount

    @property
    def grams_co2e(self) -> int:
        return grams_co2e(self.metres)


def cost(metres: int, cents_per_km: int) -> int:
    """Cents for so many metres, rounded half up."""
    return (metres * cents_per_km + 500) // 1000


def grams_co2e(metres: int) -> int:
    return round(metres * GRAMS_CO2E_PER_KM / 1000)


def drive_alone(
    home: Point, places: Collection[Point], cents_per_km: int = CENTS_PER_KM, roads: Roads = ESTIMATED
) -> Tour:
    """The shortest tour from home to all of these places and back."""
    distinct = sorted(set(places), key=lambda place: (place.latitude, place.longitude))
    orders = permutations(distinct) if len(distinct) <= _MOST_PERMUTED else [tuple(distinct)]
    way = min(([home, *order, home] for order in orders), key=roads.length)
    metres = roads.length(way)
    driving = sum(roads.seconds(a, b) for a, b in pairwise(way)) if roads.measured else seconds(metres)
    minutes = (driving + len(distinct) * int(SERVICE.total_seconds())) // 60
    return Tour(metres, minutes, cost(metres, cents_per_km))
