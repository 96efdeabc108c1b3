"""What it costs to drive alone, shown first: 63 % of farms that were asked did not know.

0.40 EUR/km for a small van and 0.80 for a refrigerated one, 15 EUR for an hour (La France Agricole 733135). Hours are
shown and never shared as money: under mutual help between farms, only costs may be (code rural L325-1 to L325-3).
CO2e is 0.160 litres of diesel a kilometre (a van of 3.5 t, level 1) at 3.17 kg, well to wheel (order of 26 April 2017).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, pairwise

from commensal import Amount

from ..places.routing import ESTIMATED, SERVICE, Point, Roads, seconds

CENTS_PER_KM = 40
GRAMS_CO2E_PER_KM = 507  # 0.160 l/km × 3.17 kg/l
EXACT = 12  # places: 25,000 ways to compare


@dataclass(frozen=True)
class Tour:
    """A drive from home along some places and back. `cents` are for the vehicle, without the driver's time;
    `is_estimate`: there are too many places to be sure that none is shorter."""

    metres: int
    minutes: int
    cents: Amount
    is_estimate: bool = False

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
    """The shortest tour from home to all of these places and back; a short one (`is_estimate`) beyond `EXACT`."""
    distinct = sorted(set(places), key=lambda place: (place.latitude, place.longitude))
    is_estimate = len(distinct) > EXACT
    way = [home, *(_short_way if is_estimate else _shortest_way)(home, distinct, roads), home]
    metres = roads.length(way)
    driving = sum(roads.seconds(a, b) for a, b in pairwise(way)) if roads.measured else seconds(metres)
    minutes = (driving + len(distinct) * int(SERVICE.total_seconds())) // 60
    return Tour(metres, minutes, cost(metres, cents_per_km), is_estimate)


def _shortest_way(home: Point, places: Sequence[Point], roads: Roads) -> list[Point]:
    """The order of the shortest tour, by the shortest way to each place through each set of others (Held and Karp,
    "A dynamic programming approach to sequencing problems", 1962)."""
    if len(places) < 2:
        return list(places)
    numbers = range(len(places))
    between = [[roads.driven(a, b) for b in places] for a in places]
    best = {(1 << n, n): (roads.driven(home, place), -1) for n, place in enumerate(places)}
    for visited in range(1, 1 << len(places)):
        for last in numbers:
            if (visited, last) not in best:
                continue
            so_far = best[visited, last][0]
            for after in numbers:
                key, metres = (visited | 1 << after, after), so_far + between[last][after]
                if not visited & 1 << after and (key not in best or metres < best[key][0]):
                    best[key] = (metres, last)
    visited = (1 << len(places)) - 1
    last = min(numbers, key=lambda n: best[visited, n][0] + roads.driven(places[n], home))
    way: list[Point] = []
    while last >= 0:
        way.append(places[last])
        visited, last = visited & ~(1 << last), best[visited, last][1]
    return way[::-1]


def _short_way(home: Point, places: Sequence[Point], roads: Roads) -> list[Point]:
    """A short order: each time to the nearest place, then stretches are turned round while that makes it shorter."""
    way, left = [home], list(places)
    while left:
        way.append(min(left, key=partial(roads.driven, way[-1])))
        left.remove(way[-1])
    way.append(home)
    improved = True
    while improved:
        improved = False
        for first, last in combinations(range(1, len(way) - 1), 2):
            turned = way[:first] + way[first : last + 1][::-1] + way[last + 1 :]
            if roads.length(turned) < roads.length(way):
                way, improved = turned, True
    return way[1:-1]
