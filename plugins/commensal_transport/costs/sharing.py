"""Rules that share the cost of a round, exact to the cent. Whoever has the statement can check them with a pencil.

``same_saving/1``, the default: everybody saves the same percentage against driving alone, and nobody pays less than
the detour that they cause. With T the cost of the round, a the cost alone and d the detour of each (at most a; 0 for
the driver): k = (T − Σ d of those at their detour) ÷ (Σ a of the others); whoever's a·k lies below their d pays d;
again until nobody changes. Everybody else pays a·k, in whole cents by the largest remainder, ties by name.

    T 52.10; a 33.00 27.50 14.80 21.00; d 0 6.10 11.90 2.40  →  16.28 13.56 11.90 10.36, k 402/815
    T 40.00; a 30.00 25.00 25.00; d 0 3.00 3.00              →  15.00 12.50 12.50
    T 30.00; a 26.00 15.00 9.00; d 0 12.00 8.00              →  10.00 12.00 8.00, k 5/13

Plugins bring others (hook `share_costs`), which `cost_rules` reads.

``turns/1``: no money; the driver bears the cost, and a ledger says whose turn it is. ``tariff/1``: a posted price for
each stop and crate, for carriage for hire; the driver has what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from ..places.routing import ESTIMATED, Point, Roads, Stop, metres
from .alone import cost, drive_alone

Share = Callable[[int, Sequence["Participant"]], Mapping[str, int]]
Rules = Mapping[str, Share]
"""How each rule shares a cost in cents; the rules of plugins have a colon in their names."""
LONGEST_RULE = 80  # characters of its name
DEAREST = 100_000  # cents of tolls, of a posted price, or that somebody would pay


class NoShare(ValueError):
    """The rule has no answer: the round costs more than driving alone, or less than its detours."""


@dataclass(frozen=True, kw_only=True)
class Participant:
    """Somebody with goods in a round. Amounts are cents.

    name:   orders ties; in statements a number
    alone:  what driving alone would cost
    detour: by how much the round is cheaper without the stops that only they need; 0 for the driver
    tariff: the posted price of their stops and crates; only ``tariff/1`` reads it
    cap:    the most that they pay, as confirmed; None: the driver, who has no cap
    """

    name: str
    alone: int
    detour: int
    tariff: int = 0
    cap: int | None = None

    @property
    def is_driver(self) -> bool:
        return self.cap is None


def whole_cents(amounts: Mapping[str, Fraction]) -> dict[str, int]:
    """Rounds amounts whose sum is whole so that it stays the same: by the largest remainder, then by name."""
    floors = {name: amount.numerator // amount.denominator for name, amount in amounts.items()}
    missing = int(sum(amounts.values())) - sum(floors.values())
    by_remainder = sorted(amounts, key=lambda name: (floors[name] - amounts[name], name))
    return floors | {name: floors[name] + 1 for name in by_remainder[:missing]}


def same_saving(total: int, participants: Sequence[Participant]) -> dict[str, int]:
    """Cents of each by ``same_saving/1``, before caps. Raises `NoShare` unless Σ detours ≤ total ≤ Σ alone."""
    floor = {member.name: min(member.detour, member.alone) for member in participants}
    alone = {member.name: member.alone for member in participants}
    if not sum(floor.values()) <= total <= sum(alone.values()):
        raise NoShare(f"{total} is not between {sum(floor.values())} and {sum(alone.values())}")
    at_floor: set[str] = set()
    while True:
        others = alone.keys() - at_floor
        base = sum(alone[name] for name in others)
        rest = total - sum(floor[name] for name in at_floor)
        rate = Fraction(rest, base) if base else Fraction(0)
        below = {name for name in others if alone[name] * rate < floor[name]}
        if not below:
            break
        at_floor |= below
    return whole_cents({name: Fraction(floor[name]) if name in at_floor else alone[name] * rate for name in alone})


def turns(total: int, participants: Sequence[Participant]) -> dict[str, int]:
    """The driver bears the cost; others owe a turn."""
    return {member.name: total if member.is_driver else 0 for member in participants}


def tariff(total: int, participants: Sequence[Participant]) -> dict[str, int]:
    """Guests pay the posted price, never more than driving alone; the driver has what is left."""
    owed = {member.name: 0 if member.is_driver else min(member.tariff, member.alone) for member in participants}
    driver = next(member.name for member in participants if member.is_driver)
    return owed | {driver: total - sum(owed.values())}


BUILT_IN: Rules = {"same_saving/1": same_saving, "turns/1": turns, "tariff/1": tariff}
WITHOUT_SAVING = ("turns/1", "tariff/1")
"""By these a driver may bear more than driving alone costs: a turn, or what the posted price does not cover."""


def shares(rule: str, total: int, participants: Sequence[Participant], rules: Rules = BUILT_IN) -> dict[str, int]:
    """The cents that each participant pays, by name: never more than their cap, and `total` in all. Participants
    stand in the order in which they booked.

    What somebody would pay above their cap falls to those who booked last and have room below theirs, then to the
    driver. Raises `NoShare`, also for a rule that is not among `rules`: nobody pays by one that cannot be checked.
    """
    if rule not in rules:
        raise NoShare(f"{rule} is not a rule that is known here; known are {', '.join(rules)}")
    amounts = rules[rule](total, participants)
    caps = {member.name: amounts[member.name] if member.cap is None else member.cap for member in participants}
    capped = {name: min(amount, caps[name]) for name, amount in amounts.items()}
    excess = total - sum(capped.values())
    for member in reversed(participants):
        if member.cap is not None and excess:
            more = min(excess, member.cap - capped[member.name])
            capped[member.name] += more
            excess -= more
    driver = next(member.name for member in participants if member.is_driver)
    return capped | {driver: capped[driver] + excess}


# A trip with its bookings as a round whose cost is shared: who takes part, with what alone and what detour.


@dataclass(frozen=True, kw_only=True)
class Carried:
    """A booking as far as costs depend on it. `cap` is None for the driver's own goods; `booked_at` is UTC.

    most: the cents that its sender pays at most, who would not drive there; None: they would drive
    """

    id: str
    sender_id: str
    pickup_id: str
    delivery_id: str
    place: Point
    destination: Point
    tariff: int
    cap: int | None
    booked_at: datetime
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Round:
    """Cents, metres; `toll` is part of the total, and no detour saves it."""

    stops: tuple[Stop, ...]
    carried: tuple[Carried, ...]
    cents_per_km: int
    toll: int
    roads: Roads = ESTIMATED

    @property
    def metres(self) -> int:
        return metres(self.stops, self.roads)

    @property
    def total(self) -> int:
        return cost(self.metres, self.cents_per_km) + self.toll

    def parties(self) -> list[tuple[Carried, ...]]:
        """Bookings by the place where they are loaded, the driver's first, then in the order of booking.

        Whoever appears twice at one place is one participant: else each entry would have a detour of 0 (4 % of rounds).
        """
        by_place: dict[Point, list[Carried]] = {self.stops[0].place: []}
        for booking in sorted(self.carried, key=lambda booking: (booking.booked_at, booking.id)):
            by_place.setdefault(booking.place, []).append(booking)
        return [tuple(bookings) for bookings in by_place.values()]

    def participants(self) -> list[Participant]:
        """One for each of `parties`, named by its number, beginning with "1" for the driver."""
        return [self._participant(number, party) for number, party in enumerate(self.parties(), 1)]

    def _participant(self, number: int, party: tuple[Carried, ...]) -> Participant:
        home = party[0].place if number > 1 else self.stops[0].place
        alone = self._alone(home, party)
        return Participant(
            name=str(number),
            alone=alone + (self.toll if number == 1 else 0),
            detour=0 if number == 1 else self._detour(party),
            tariff=sum(booking.tariff for booking in party),
            cap=None if number == 1 else sum(booking.cap or 0 for booking in party),
        )

    def _alone(self, home: Point, party: tuple[Carried, ...]) -> int:
        """What the party would spend without this round: for driving, or at most what each says who would not drive."""
        drive = self._drive(home, [booking.destination for booking in party])
        staying = [booking.most for booking in party if booking.most is not None]
        if not staying:
            return drive
        places = [booking.destination for booking in party if booking.most is None]
        rest = self._drive(home, places) if places else 0
        return min(drive, rest + sum(staying))

    def _drive(self, home: Point, places: list[Point]) -> int:
        return drive_alone(home, places, self.cents_per_km, self.roads).cents

    def _detour(self, party: tuple[Carried, ...]) -> int:
        """By how many cents the same order of stops is cheaper without those that only this party needs."""
        own = {booking.id for booking in party}
        needed = {self.stops[0].id, self.stops[-1].id}
        for booking in self.carried:
            if booking.id not in own:
                needed |= {booking.pickup_id, booking.delivery_id}
        rest = [stop for stop in self.stops if stop.id in needed]
        shorter = metres(rest, self.roads)
        return max(0, cost(self.metres, self.cents_per_km) - cost(shorter, self.cents_per_km))
