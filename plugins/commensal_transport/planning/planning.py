"""Rounds for what comes to a hub: who could drive for whom, so that all together drive least.

A solver says who rides with whom (hook `plan_rounds`); what a round costs and when it comes is worked out here, by the
same commands as a trip and its quotes, so a proposal that is accepted is a trip like all others. The hub needs nothing
that it does not have: it knows who brings goods. Vehicles and places of its suppliers are read by their own instance,
and shown to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from commensal import (
    Conflict,
    Hooks,
    Invalid,
    NotFound,
    PlannedRound,
    RoundLoad,
    RoundsTask,
    RoundVehicle,
    Transaction,
    plugin_settings,
    sessions_of_shop,
)
from commensal.sale_sessions import coordination_by_id

from ..bookings.bookings import carried_keys
from ..bookings.quotes import NoQuote, TripQuote, quote, round_of
from ..costs.alone import drive_alone
from ..costs.law import Basis, Party, may_carry, proof
from ..costs.sharing import Carried, NoShare, shares
from ..places.loads import keeps
from ..places.roads import roads_between
from ..places.routing import ESTIMATED, SERVICE, Point, Roads
from ..settings import Settings
from ..trips.needs import ID, Need, needs_of
from ..trips.trips import Trip, TripTerms, newest_trip, plan_trip
from ..trips.vehicles import Vehicle, vehicles_of

MOST_SALES = 20  # of a hub that are looked at
MOST_LOADS = 100  # in a plan
ANSWERED = timedelta(hours=12)  # before the start, or
ANSWERED_LATE = timedelta(hours=1)  # where that is over already
_REACH = timedelta(hours=6)  # before and after the hub takes goods in, in which vehicles may drive
_SLACK = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class HubSender:
    """Who brings goods to the hub that nobody carries yet. Without papers to carry others' goods, no `vehicles`."""

    id: str
    party: Party
    needs: tuple[Need, ...]
    basis: Basis = "farm_help"
    vehicles: tuple[Vehicle, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProposedRound:
    """A trip as it would be if everybody accepted; `until` is when the last answer counts. Prices are in cents.

    share, alone: of the driver, if everybody accepts
    """

    terms: TripTerms
    until: datetime
    trip: Trip
    own: tuple[Need, ...]
    guests: tuple[TripQuote, ...]
    share: int
    alone: int

    @property
    def needs(self) -> tuple[Need, ...]:
        """All that is aboard, the driver's first."""
        return (*self.own, *(offer.need for offer in self.guests))


# ------------------------------------------------------------------------------------------------ what is to be carried


def suppliers_of(tx: Transaction, hooks: Hooks, hub_id: str) -> list[HubSender]:
    """Who brings goods to the hub for sales that have closed, and has nobody who carries them. By their ids.

    Suppliers of other instances plan for themselves, since what is here is a copy without vehicles.
    """
    coming = [
        session
        for session in sessions_of_shop(tx, hub_id, limit=MOST_SALES)
        if session.cancelled_at is None and session.closes_at <= tx.now < session.begins_at
    ]
    ids = {
        supplier.enterprise_id
        for session in coming
        for supplier in coordination_by_id(tx, session.coordination_id, session.coordinator_id).suppliers
    }
    suppliers = (_supplier(tx, hooks, hub_id, supplier_id) for supplier_id in sorted(ids - {hub_id}))
    return [supplier for supplier in suppliers if supplier and supplier.needs][:MOST_LOADS]


def _supplier(tx: Transaction, hooks: Hooks, hub_id: str, supplier_id: str) -> HubSender | None:
    try:
        party = plugin_settings(tx, hooks, supplier_id, ID, Settings).party
    except NotFound:  # it does not use transport
        return None
    carried = carried_keys(tx, supplier_id)
    needs = tuple(
        need
        for need in needs_of(tx, hooks, supplier_id)
        if need.receiver_id == hub_id and need.alone and need.key not in carried and need.closes > tx.now
    )
    before = newest_trip(tx, supplier_id)
    basis: Basis = before["basis"] if before and before["basis"] != "hire" else "farm_help"
    papers = proof(basis, party)
    vehicles = tuple(vehicles_of(tx, supplier_id)) if papers is not None and basis != "own_account" else ()
    return HubSender(id=supplier_id, party=party, needs=needs, basis=basis, vehicles=vehicles)


def metres_alone(needs: Sequence[Need], roads: Roads) -> int:
    """Metres of all who bring these, if each drives for itself alone."""
    homes: dict[tuple[str, Point], set[Point]] = {}
    for need in needs:
        if need.home and need.destination:
            homes.setdefault((need.sender_id, need.home), set()).add(need.destination)
    return sum(drive_alone(home, places, roads=roads).metres for (_, home), places in homes.items())


# ------------------------------------------------------------------------------------------------ the solver's task


@dataclass
class TaskDraft:
    """The task for the solver, and what its ids stand for. All of it is counted by road, if every way is measured."""

    suppliers: Sequence[HubSender]
    roads: Roads = ESTIMATED
    places: list[Point] = field(default_factory=list)
    vehicles: dict[str, tuple[HubSender, Vehicle]] = field(default_factory=dict)
    loads: dict[str, tuple[HubSender, Need]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for supplier in self.suppliers:
            for vehicle in supplier.vehicles:
                self.vehicles[f"v{len(self.vehicles)}"] = (supplier, vehicle)
            for need in supplier.needs:
                self.loads[f"l{len(self.loads)}"] = (supplier, need)
        points = [point for _, need in self.loads.values() for point in (need.home, need.destination) if point]
        self.places = list(dict.fromkeys(points))

    def task(self, now: datetime) -> RoundsTask:
        """Moments count in seconds from now."""
        return RoundsTask(
            metres=tuple(tuple(self.roads.driven(a, b) for b in self.places) for a in self.places),
            seconds=tuple(tuple(self.roads.seconds(a, b) for b in self.places) for a in self.places),
            service=int(SERVICE.total_seconds()),
            vehicles=tuple(self._vehicles(now)),
            loads=tuple(self._loads(now)),
        )

    def metres_of(self, proposed: ProposedRound) -> int:
        """How far a round is, counted as everything else in this plan."""
        return self.roads.length([stop.place for stop in proposed.trip.stops])

    def _vehicles(self, now: datetime) -> Iterator[RoundVehicle]:
        opens = min(need.opens for _, need in self.loads.values())
        closes = max(need.closes for _, need in self.loads.values())
        begins, ends = max(now + ANSWERED_LATE, opens - _REACH), closes + _REACH
        for id, (supplier, vehicle) in self.vehicles.items():
            yield RoundVehicle(
                id=id,
                base=self._row(supplier.needs[0].home),
                room=(vehicle.crates, vehicle.kg, vehicle.cold),
                cents_per_km=vehicle.cents_per_km,
                begins=_since(now, begins),
                ends=_since(now, ends),
            )

    def _loads(self, now: datetime) -> Iterator[RoundLoad]:
        for id, (supplier, need) in self.loads.items():
            load = need.load
            yield RoundLoad(
                id=id,
                origin=self._row(need.home),
                destination=self._row(need.destination),
                room=(load.crates, load.kg, load.cold),
                opens=_since(now, need.opens),
                closes=_since(now, need.closes),
                vehicles=frozenset(
                    vehicle_id
                    for vehicle_id, (carrier, vehicle) in self.vehicles.items()
                    if _may_ride(carrier, vehicle, supplier, need)
                ),
            )

    def _row(self, place: Point | None) -> int:
        assert place is not None
        return self.places.index(place)


def _since(now: datetime, moment: datetime) -> int:
    return max(0, int((moment - now).total_seconds()))


def _may_ride(carrier: HubSender, vehicle: Vehicle, supplier: HubSender, need: Need) -> bool:
    """Whether law and temperature let this vehicle carry these goods."""
    if need.load.cold and not (vehicle.cold and keeps(vehicle.keeping, need.keeping)):
        return False
    home = carrier.needs[0].home
    papers = proof(carrier.basis, carrier.party)
    stops = [place for place in (home, need.home, need.destination) if place]
    return carrier is supplier or may_carry(carrier.basis, papers or "", supplier.party, stops)


def draft_for(tx: Transaction, hooks: Hooks, hub_id: str) -> TaskDraft:
    """The task of what comes to a hub."""
    draft = TaskDraft(suppliers_of(tx, hooks, hub_id))
    draft.roads = roads_between(tx, hooks, draft.places)
    return draft


# ------------------------------------------------------------------------------------------------ rounds as trips


def proposed_rounds(
    tx: Transaction, hooks: Hooks, draft: TaskDraft, planned: Sequence[PlannedRound]
) -> list[ProposedRound]:
    """The planned rounds that hold as trips, each with its guests as they can book; those without a guest are none."""
    rounds = []
    for each in planned:
        carrier, vehicle = draft.vehicles[each.vehicle]
        loads = [draft.loads[load] for load in each.loads]
        own = [need for supplier, need in loads if supplier is carrier]
        guests = [(supplier.party, need) for supplier, need in loads if supplier is not carrier]
        proposed = _as_trip(tx, hooks, draft.roads, carrier, vehicle, own, guests) if own and guests else None
        if proposed and proposed.guests:
            rounds.append(proposed)
    return rounds


def _as_trip(
    tx: Transaction,
    hooks: Hooks,
    roads: Roads,
    carrier: HubSender,
    vehicle: Vehicle,
    own: Sequence[Need],
    guests: Sequence[tuple[Party, Need]],
) -> ProposedRound | None:
    terms = _terms(tx.now, roads, carrier, vehicle, own, [need for _, need in guests])
    if terms is None or terms.book_until is None:
        return None
    try:
        trip = plan_trip(tx, hooks, carrier.id, terms, own)
    except (Conflict, Invalid):
        return None
    alone_trip, carried = trip, _own_carried(tx.now, trip, own)
    quotes: list[TripQuote] = []
    for party, need in guests:
        offer = quote(tx, trip, carried, need, party)
        if isinstance(offer, NoQuote):
            continue
        carried = [*carried, _guest_carried(tx.now, len(carried), offer)]
        trip = replace(trip, stops=offer.insertion.stops)
        first = quote(tx, alone_trip, carried[: len(own)], need, party)  # if nobody else accepts
        quotes.append(replace(offer, price=max(offer.price, first.price)) if isinstance(first, TripQuote) else offer)
    participants = round_of(trip, carried).participants()
    try:
        share = shares(trip.rule, round_of(trip, carried).total, participants)["1"]
    except NoShare:
        return None
    return ProposedRound(
        terms=terms,
        until=terms.book_until,
        trip=trip,
        own=tuple(own),
        guests=tuple(quotes),
        share=share,
        alone=participants[0].alone,
    )


def _terms(
    now: datetime, roads: Roads, carrier: HubSender, vehicle: Vehicle, own: Sequence[Need], guests: Sequence[Need]
) -> TripTerms | None:
    """A trip that reaches the hub when it begins to take goods in; None if it is too late for that."""
    home, hub = own[0].home, own[0].destination
    assert home is not None
    assert hub is not None
    way = [home, *dict.fromkeys(need.home for need in guests if need.home), hub]
    stops = sum(a != b for a, b in pairwise(way)) - 1
    opens = max(need.opens for need in (*own, *guests))
    closes = min(need.closes for need in (*own, *guests))
    starts = opens - timedelta(seconds=sum(roads.seconds(a, b) for a, b in pairwise(way))) - stops * SERVICE
    starts = starts.replace(minute=starts.minute // 5 * 5, second=0, microsecond=0)
    back = timedelta(seconds=roads.seconds(hub, home))
    until = starts - (ANSWERED if starts - ANSWERED > now + ANSWERED_LATE else ANSWERED_LATE)
    if until <= now:
        return None
    return TripTerms(
        vehicle_id=vehicle.id, starts_at=starts, ends_at=closes + back + _SLACK, book_until=until, basis=carrier.basis
    )


def _own_carried(now: datetime, trip: Trip, own: Sequence[Need]) -> list[Carried]:
    stops: Mapping[Point, str] = {stop.place: stop.id for stop in reversed(trip.stops)}
    return [
        Carried(
            id=f"{number:03}",
            sender_id=need.sender_id,
            pickup_id=stops[need.home],
            delivery_id=stops[need.destination],
            place=need.home,
            destination=need.destination,
            tariff=0,
            cap=None,
            booked_at=now,
        )
        for number, need in enumerate(own)
        if need.home and need.destination
    ]


def _guest_carried(now: datetime, number: int, offer: TripQuote) -> Carried:
    insertion, need = offer.insertion, offer.need
    assert need.home is not None
    assert need.destination is not None
    return Carried(
        id=f"{number:03}",
        sender_id=need.sender_id,
        pickup_id=insertion.stops[insertion.pickup].id,
        delivery_id=insertion.stops[insertion.delivery].id,
        place=need.home,
        destination=need.destination,
        tariff=offer.tariff,
        cap=offer.price,
        booked_at=now,
    )
