"""A trip with its bookings as a round whose cost is shared: who takes part, with what alone and what detour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..places.geography import ESTIMATED, Point, Roads
from ..places.routing import Stop, metres
from .alone import cost, drive_alone
from .sharing import Participant


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
