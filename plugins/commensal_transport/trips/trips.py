"""Trips that a carrier drives anyway: offered, seen, repeated, called off, or driven with another vehicle.

The carrier's home is the only writer of room. Whatever changes a trip locks it first, and writes its stops as they are
afterwards; a check of the database refuses a leg with less than no room.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from sqlalchemy import delete, insert, select, update

from commensal import (
    Conflict,
    Hooks,
    Invalid,
    Money,
    NotFound,
    Problem,
    Row,
    RowQuery,
    Stale,
    Transaction,
    enterprise_by_id,
    plugin_settings,
)

from ..costs.cost_rules import known_rules
from ..costs.law import BASES, Basis, proof
from ..costs.sharing import DEAREST, Rules
from ..places.loads import Keeping, Load, keeps
from ..places.roads import measured_around, roads_between
from ..places.routing import ESTIMATED, MEASURED, Insertion, Point, Roads, Stop, cheapest, schedule
from ..settings import Settings
from ..tables import transport_stop, transport_trip
from .help_years import SHARES_COSTS, help_limit
from .needs import ID, Need, point_of
from .vehicles import Vehicle, vehicle_by_id

LONGEST = timedelta(hours=24)
MOST_STOPS = 20  # of a trip before another load is taken: a day holds no more, and quotes stay quick
MOST_SEEN = 50  # trips for which quotes are worked out
AHEAD = timedelta(days=21)
PROMISED = timedelta(minutes=30)  # within which the van comes after the moment that was confirmed

_trip, _stop = transport_trip.c, transport_stop.c


@dataclass(frozen=True, kw_only=True)
class Trip:
    """A trip with its stops. Money is in cents of euros; times are UTC.

    basis, proof: the legal basis, and what papers name for it: the group, the contract, the licence
    rule:         that shares its cost
    book_until:   until then bookings are taken, and cancelled for nothing
    state:        open, driven, cancelled
    measured:     what measured its distances when it was offered, and so until its statement; `roads` are these
    peer_id:      of a copy: the instance that is its home, where it is called `iri`; `heard` numbers its newest message
    """

    id: str
    enterprise_id: str
    vehicle_id: str
    basis: Basis
    proof: str
    rule: str
    crates: int
    kg: int
    cold: int
    keeping: Keeping
    cents_per_km: int
    toll: int
    stop_price: int
    crate_price: int
    starts_at: datetime
    ends_at: datetime
    book_until: datetime
    state: str
    version: int
    peer_id: str | None = None
    iri: str | None = None
    heard: int = 0
    stops: tuple[Stop, ...] = ()
    measured: str = MEASURED
    roads: Roads = ESTIMATED

    @property
    def room(self) -> Load:
        return Load(self.crates, self.kg, self.cold)

    @property
    def start(self) -> Stop:
        return self.stops[0]

    def moments(self) -> list[datetime]:
        """When the van is at each stop; a trip that is stored is in time."""
        return schedule(self.stops, self.roads) or [stop.opens for stop in self.stops]


@dataclass(frozen=True, kw_only=True)
class TripTerms:
    """What a carrier decides about a trip. Money is in cents, times are UTC; `book_until` None: 12 hours before it."""

    vehicle_id: str
    starts_at: datetime
    ends_at: datetime
    book_until: datetime | None = None
    basis: Basis = "farm_help"
    rule: str = "same_saving/1"
    toll: int = 0
    stop_price: int = 0
    crate_price: int = 0


# ------------------------------------------------------------------------------------------------ offering


def plan_trip(tx: Transaction, hooks: Hooks, enterprise_id: str, terms: TripTerms, needs: Sequence[Need]) -> Trip:
    """The trip that brings the carrier's own needs, as it would be offered; writes nothing.

    Raises `Invalid` with every mistake, `NotFound`, `Conflict` if the goods do not fit or would come late.
    """
    carrier = enterprise_by_id(tx, enterprise_id)
    vehicle = vehicle_by_id(tx, enterprise_id, terms.vehicle_id)
    papers = proof(terms.basis, plugin_settings(tx, hooks, enterprise_id, ID, Settings).party)
    until = terms.book_until or terms.starts_at - timedelta(hours=12)
    home = point_of(carrier)
    _refuse(tx, known_rules(tx, hooks), terms, until, papers, home, needs)
    _refuse_pay(hooks, terms.basis, vehicle)
    if vehicle.archived_at is not None:
        raise Invalid([Problem("vehicle", "This vehicle was removed; choose another one.", "/vehicle_id")])
    assert home is not None
    assert papers is not None
    places = [place for need in needs for place in (need.home, need.destination) if place]
    roads = roads_between(tx, hooks, [home, *places])
    trip = Trip(
        roads=roads,
        measured=roads.source,
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        vehicle_id=vehicle.id,
        basis=terms.basis,
        proof=papers,
        rule=terms.rule,
        crates=vehicle.crates,
        kg=vehicle.kg,
        cold=vehicle.cold,
        keeping=vehicle.keeping,
        cents_per_km=vehicle.cents_per_km,
        toll=terms.toll,
        stop_price=terms.stop_price,
        crate_price=terms.crate_price,
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        book_until=until,
        state="open",
        version=1,
        stops=(
            Stop(
                id=tx.new_id(),
                enterprise_id=enterprise_id,
                place=home,
                opens=terms.starts_at,
                closes=terms.starts_at,
                free=vehicle.room,
            ),
            Stop(
                id=tx.new_id(),
                enterprise_id=enterprise_id,
                place=home,
                opens=terms.starts_at,
                closes=terms.ends_at,
                free=vehicle.room,
            ),
        ),
    )
    for need in sorted(needs, key=lambda need: (need.closes, need.key)):
        trip = replace(trip, stops=insertion_for(tx, trip, need, promised=False).stops)
    return trip


def insertion_for(tx: Transaction, trip: Trip, need: Need, *, promised: bool = True) -> Insertion:
    """The cheapest way to carry a need; the moments at its new stops are `promised` to others, never to oneself.

    Raises `Conflict`: "class" if the vehicle does not keep it, "full", "time", or "place" without coordinates.
    """
    home, destination = need.home, need.destination
    if home is None or destination is None:
        raise refusal("place")
    if need.load.cold and not (trip.cold and keeps(trip.keeping, need.keeping)):
        raise refusal("class")
    if len(trip.stops) > MOST_STOPS:
        raise refusal("full")
    pickup = Stop(
        id=tx.new_id(),
        enterprise_id=need.sender_id,
        place=home,
        opens=trip.starts_at,
        closes=trip.ends_at,
        free=trip.room,
    )
    assert need.receiver_id is not None
    delivery = Stop(
        id=tx.new_id(),
        enterprise_id=need.receiver_id,
        place=destination,
        opens=need.opens,
        closes=need.closes,
        free=trip.room,
    )
    insertion = cheapest(trip.stops, pickup, delivery, need.load, trip.roads)
    if isinstance(insertion, str):
        raise refusal(insertion)
    return replace(
        insertion, stops=_promised(insertion.stops, {pickup.id, delivery.id} if promised else (), trip.roads)
    )


def _promised(stops: Sequence[Stop], new: Collection[str], roads: Roads) -> tuple[Stop, ...]:
    """The stops with narrow windows for the new ones, so that later bookings move nobody by more than that."""
    moments = schedule(stops, roads)
    assert moments is not None
    return tuple(
        replace(stop, opens=max(stop.opens, at), closes=min(stop.closes, at + PROMISED)) if stop.id in new else stop
        for stop, at in zip(stops, moments, strict=True)
    )


def refusal(code: Literal["full", "time", "class", "place"]) -> Conflict:
    """Why a vehicle cannot carry something, for people."""
    match code:
        case "full":
            return Conflict("full", "There is not enough room left on this trip.")
        case "time":
            return Conflict("time", "The van would come too late.")
        case "class":
            text = "This vehicle does not keep the goods cold enough; pack them in isotherm boxes."
            return Conflict("class", text)
        case "place":
            text = "One of the places has no coordinates; they are entered on the page of the enterprise."
            return Conflict("place", text)


def _refuse(
    tx: Transaction,
    rules: Rules,
    terms: TripTerms,
    until: datetime,
    papers: str | None,
    home: Point | None,
    needs: Sequence[Need],
) -> None:
    problems = []
    if not needs:
        problems.append(Problem("needs", "Choose what you bring yourself.", "/needs"))
    if not tx.now < terms.starts_at < terms.ends_at <= terms.starts_at + LONGEST:
        text = "A trip starts in the future and ends within 24 hours."
        problems.append(Problem("times", text, "/starts_at"))
    if until > terms.starts_at:
        problems.append(Problem("book_until", "Bookings end before the trip starts.", "/book_until"))
    if terms.rule not in rules or (terms.rule == "tariff/1") != (terms.basis == "hire"):
        text = "A posted price is for carriage for hire; everybody else shares costs."
        problems.append(Problem("rule", text, "/rule"))
    if not all(0 <= amount <= DEAREST for amount in (terms.toll, terms.stop_price, terms.crate_price)):
        problems.append(Problem("price", "An amount must be between 0 and 1,000 euros.", "/toll"))
    if terms.basis not in BASES or papers is None:
        text = "Your settings do not say what you need to carry on this legal basis."
        problems.append(Problem("basis", text, "/basis"))
    if home is None:
        text = "Enter the coordinates of your enterprise first."
        problems.append(Problem("place", text, "/needs"))
    if problems:
        raise Invalid(problems)


def _refuse_pay(hooks: Hooks, basis: Basis, vehicle: Vehicle) -> None:
    """Raises `Invalid` for a vehicle whose kilometre costs more than help between farms may cost."""
    most = help_limit(hooks)
    if basis in SHARES_COSTS and vehicle.cents_per_km > most:
        text = "In help between farms a kilometre costs at most {amount}. More is pay: carry for hire, or lower it."
        values = {"amount": Money(most, "EUR")}
        raise Invalid([Problem("beyond_costs", text, "/vehicle_id", values)])


def insert_trip(tx: Transaction, trip: Trip) -> None:
    """Writes a planned trip with its stops."""
    values = {column.name: getattr(trip, column.name) for column in transport_trip.columns}
    tx.execute(insert(transport_trip).values(values))
    write_stops(tx, replace(trip, stops=()), trip.stops)


def write_stops(tx: Transaction, trip: Trip, stops: Sequence[Stop]) -> Trip:
    """Makes `stops` the stops of a locked trip, and returns it. Bookings must not name those that are gone any more.

    Raises `Stale` if it has changed since it was read: the guard behind the lock, since rows are written whole.
    """
    unchanged = (_trip.id == trip.id, _trip.version == trip.version)
    if tx.change(update(transport_trip).where(*unchanged).values(version=trip.version + 1)) != 1:
        raise Stale
    known, staying = {stop.id for stop in trip.stops}, {stop.id for stop in stops}
    if known - staying:
        tx.execute(delete(transport_stop).where(_stop.id.in_(known - staying), _stop.trip_id == trip.id))
    for position, stop in enumerate(stops):
        values = _stop_values(trip.id, position, stop)
        if stop.id in known:
            tx.execute(update(transport_stop).where(_stop.id == stop.id).values(values))
        else:
            tx.execute(insert(transport_stop).values(values))
    return replace(trip, stops=tuple(stops), version=trip.version + 1)


def _stop_values(trip_id: str, position: int, stop: Stop) -> dict[str, object]:
    return {
        "id": stop.id,
        "trip_id": trip_id,
        "position": position,
        "enterprise_id": stop.enterprise_id,
        "latitude": stop.place.latitude,
        "longitude": stop.place.longitude,
        "opens_at": stop.opens,
        "closes_at": stop.closes,
        "free_crates": stop.free.crates,
        "free_kg": stop.free.kg,
        "free_cold": stop.free.cold,
    }


# ------------------------------------------------------------------------------------------------ questions


def trip_by_id(tx: Transaction, trip_id: str) -> Trip:
    """The trip. Checks no permission. Raises `NotFound`."""
    return _only(_with_stops(tx, tx.all(select(transport_trip).where(_trip.id == trip_id))))


def own_trip(tx: Transaction, carrier_id: str, trip_id: str) -> Trip:
    """A trip of this carrier. Raises `NotFound`, for one of another as well."""
    trip = trip_by_id(tx, trip_id)
    if trip.enterprise_id != carrier_id:
        raise NotFound
    return trip


def find_trip(tx: Transaction, trip_id: str) -> Trip | None:
    """The trip, or None. Checks no permission."""
    return next(iter(trips_by_id(tx, [trip_id]).values()), None)


def trip_by_iri(tx: Transaction, iri: str) -> Trip | None:
    """The copy of the trip that another instance calls so, or None."""
    return next(iter(_with_stops(tx, tx.all(select(transport_trip).where(_trip.iri == iri)))), None)


def locked_trip(tx: Transaction, trip_id: str, enterprise_id: str | None = None) -> Trip:
    """The same, locked until the transaction ends; with an enterprise only its own trip. Raises `NotFound`."""
    where = [_trip.id == trip_id] + ([_trip.enterprise_id == enterprise_id] if enterprise_id else [])
    return _only(_with_stops(tx, tx.all(select(transport_trip).where(*where).with_for_update())))


def trips_of(tx: Transaction, enterprise_id: str, *, since: datetime) -> list[Trip]:
    """The carrier's trips that end after `since`, the next one first."""
    query = select(transport_trip).where(_trip.enterprise_id == enterprise_id, _trip.ends_at > since)
    return _with_stops(tx, tx.all(query.order_by(_trip.starts_at, _trip.id).limit(MOST_SEEN)))


def newest_trip(tx: Transaction, enterprise_id: str) -> Row | None:
    """What the carrier decided last time, as proposal for the next trip."""
    query = select(transport_trip).where(_trip.enterprise_id == enterprise_id, _trip.state != "cancelled")
    return tx.first(query.order_by(_trip.starts_at.desc(), _trip.id).limit(1))


def bookable_trips(tx: Transaction, *, but_of: str, elsewhere: bool = False) -> list[Trip]:
    """Trips of others that take bookings now, the next one first; of this instance, or copies of trips `elsewhere`."""
    query = select(transport_trip).where(
        _trip.state == "open",
        _trip.book_until > tx.now,
        _trip.starts_at < tx.now + AHEAD,
        _trip.enterprise_id != but_of,
        _trip.heard > 0 if elsewhere else _trip.peer_id.is_(None),
    )
    return _with_stops(tx, tx.all(query.order_by(_trip.starts_at, _trip.id).limit(MOST_SEEN)))


def trips_by_id(tx: Transaction, ids: Collection[str]) -> dict[str, Trip]:
    """The existing trips among these ids, by id. Checks no permission."""
    if not ids:
        return {}
    return {trip.id: trip for trip in _with_stops(tx, tx.all(select(transport_trip).where(_trip.id.in_(set(ids)))))}


def _only(trips: Sequence[Trip]) -> Trip:
    if not trips:
        raise NotFound
    return trips[0]


def _with_stops(tx: Transaction, rows: Sequence[Row]) -> list[Trip]:
    if not rows:
        return []
    stops: dict[str, list[Stop]] = {row["id"]: [] for row in rows}
    for row in tx.all(_stops_of(stops)):
        stops[row["trip_id"]].append(_stop_from(row))
    trips = [Trip(**row, stops=tuple(stops[row["id"]])) for row in rows]
    by_road = [stop.place for trip in trips for stop in trip.stops if trip.measured != MEASURED]
    known = measured_around(tx, by_road) if by_road else {}
    return [trip if trip.measured == MEASURED else replace(trip, roads=Roads(trip.measured, known)) for trip in trips]


def _stops_of(trip_ids: Collection[str]) -> RowQuery:
    return select(transport_stop).where(_stop.trip_id.in_(trip_ids)).order_by(_stop.trip_id, _stop.position)


def _stop_from(row: Row) -> Stop:
    return Stop(
        id=row["id"],
        enterprise_id=row["enterprise_id"],
        place=Point(Decimal(row["latitude"]), Decimal(row["longitude"])),
        opens=row["opens_at"],
        closes=row["closes_at"],
        free=Load(row["free_crates"], row["free_kg"], row["free_cold"]),
    )
