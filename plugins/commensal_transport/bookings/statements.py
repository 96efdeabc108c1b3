"""The statement of a round: what it cost and who bears how much, with a digest that all participants compare.

Participants are numbers; what is disclosed of each is what driving alone would cost and their detour. Whoever reads it
can work the shares out again with `sharing` and finds the same cents, and the kilometres from the stops, which are
rounded to 0.01 degrees.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from sqlalchemy import insert, select, update

from commensal import Conflict, NotFound, Row, Transaction, convert

from ..costs.alone import cost, grams_co2e
from ..costs.sharing import BUILT_IN, LONGEST_RULE, Carried, NoShare, Participant, Round, Rules, shares, whole_cents
from ..news import tell_others
from ..places.routing import MEASURED, Point, Stop, length, minutes
from ..tables import transport_comparison, transport_statement, transport_trip
from ..trips.trips import Trip, locked_trip, trip_by_id
from .bookings import Booking, bookings_of_trip, carried_on
from .quotes import round_of
from .states import OWED, TOOK_PART

MOST_PARTICIPANTS = 100
MOST_PLACES = 30
LONGER = Fraction(115, 100)  # than by its stops: then a round is disputed, since its kilometres are inflated
LONGER_BY_ROAD = Fraction(16, 10)  # of real roads, such as around a mountain, no reader can be as sure
# Metres more, since each stop is rounded by up to half a kilometre either way: of honest rounds within three kilometres
# of their start fewer than one in a thousand is longer, and with one kilometre one in two hundred.
ROUNDED = 2_000
_statement, _comparison = transport_statement.c, transport_comparison.c
_Whole = Annotated[int, Meta(ge=-(10**9), le=10**9)]
_Part = Annotated[int, Meta(ge=0, le=10**9)]
_Degrees = Annotated[str, Meta(pattern=r"^-?[0-9]{1,3}\.[0-9]{2}$")]


class CostItem(Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    """What the round cost: `kind` "km" has metres and cents of each kilometre, "toll" the cents alone."""

    kind: str
    metres: _Part
    cents_per_km: _Part
    cents: _Part


class ParticipantRow(Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    """One who takes part, the driver first; amounts are cents. `cap` is None for the driver alone; `owed` is the share;
    `in_vain` is 1 where the detour brought nothing. `Participant` has the meaning of the others."""

    number: _Part
    alone: _Part
    detour: _Part
    cap: _Part | None
    owed: _Whole
    tariff: _Part
    in_vain: Literal[0, 1]

    @property
    def name(self) -> str:
        return str(self.number)


class StatementContent(Struct, forbid_unknown_fields=True, frozen=True):
    """The common part of a statement, as `settled` writes it: kilometres and tolls, participants, and minutes."""

    trip: Annotated[str, Meta(max_length=100)]
    rule: Annotated[str, Meta(max_length=LONGEST_RULE)]
    measured: Annotated[str, Meta(max_length=40)]
    total: _Part
    items: Annotated[list[CostItem], Meta(min_length=2, max_length=2)]
    participants: Annotated[list[ParticipantRow], Meta(min_length=1, max_length=MOST_PARTICIPANTS)]
    minutes: _Part
    minutesForOthers: _Part
    gramsCO2e: _Part
    stops: Annotated[list[tuple[_Degrees, _Degrees]], Meta(max_length=MOST_PLACES)] = []  # of the first ones: unknown

    @property
    def places(self) -> list[Point]:
        """Where the van was, in this order, to a kilometre."""
        return [Point(Decimal(latitude), Decimal(longitude)) for latitude, longitude in self.stops]


@dataclass(frozen=True, kw_only=True)
class TripStatement:
    """content: what everybody reads alike, as JSON that `read_content` reads; digest: of it
    shares:  number and cents of each booking, at home only
    """

    trip_id: str
    content: Mapping[str, Any]
    shares: Mapping[str, tuple[int, int]]
    digest: str
    written_at: datetime


def finish_trip(tx: Transaction, enterprise_id: str, trip_id: str, rules: Rules = BUILT_IN) -> TripStatement:
    """The trip is driven: writes its statement.

    Raises `NotFound`, `Conflict` while a booking has no end, or if its rule is not among `rules`.
    """
    trip = locked_trip(tx, trip_id, enterprise_id)
    bookings = bookings_of_trip(tx, trip.id)
    if trip.state != "open":
        raise Conflict("on_the_road", "This trip is driven already, or called off.")
    if any(booking.state in ("confirmed", "picked_up") for booking in bookings):
        raise Conflict("open_bookings", "Say first what became of each booking: delivered, not there, or refused.")
    if trip.rule not in rules:
        raise Conflict("rule", "The plugin whose rule shares the cost of this trip is not enabled any more.")
    content, owed = settled(trip, bookings, rules)
    statement = TripStatement(
        trip_id=trip.id, content=content, shares=owed, digest=digest_of(content), written_at=tx.now
    )
    values = {"trip_id": trip.id, "content": content, "digest": statement.digest, "written_at": tx.now}
    values |= length_and_received(content)
    tx.execute(insert(transport_statement).values(**values, shares={id: list(pair) for id, pair in owed.items()}))
    driven = update(transport_trip).where(transport_trip.c.id == trip.id)
    tx.execute(driven.values(state="driven", version=trip.version + 1))
    tell_others(tx, trip=trip.id)
    return statement


def length_and_received(content: Mapping[str, Any]) -> dict[str, int]:
    """Columns of a statement that are summed for a year: the metres of the round, and the cents that others pay."""
    return {"metres": content["items"][0][1], "received": sum(row[4] for row in content["participants"][1:])}


def settled(
    trip: Trip, bookings: Sequence[Booking], rules: Rules = BUILT_IN
) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """The common part of the statement, and of each booking its participant's number and its cents.

    Who caused a detour in vain pays it, at most their cap; the others share the rest. If the rule has no answer any
    more because somebody has dropped out, each pays their detour, at most their cap, and the driver bears the rest.
    """
    owing = frozenset(state for state, owes in OWED.items() if owes != "nothing")
    driven = round_of(trip, carried_on(trip, bookings, owing=owing))
    states = {booking.id: booking.state for booking in bookings}
    parties = driven.parties()
    participants = driven.participants()
    in_vain = [
        number
        for number, party in enumerate(parties)
        if number and all(OWED[states[carried.id]] == "detour" for carried in party)
    ]
    owed = {participants[number].name: _own_detour(participants[number]) for number in in_vain}
    sharing = [member for number, member in enumerate(participants) if number not in in_vain]
    owed |= _shared(trip.rule, driven.total - sum(owed.values()), sharing, rules)
    content = {
        "trip": trip.id,
        "rule": trip.rule,
        "measured": trip.measured,
        "total": driven.total,
        "items": [
            ["km", driven.metres, trip.cents_per_km, cost(driven.metres, trip.cents_per_km)],
            ["toll", 0, 0, trip.toll],
        ],
        "participants": [
            [
                int(member.name),
                member.alone,
                member.detour,
                member.cap,
                owed[member.name],
                member.tariff,
                int(number in in_vain),
            ]
            for number, member in enumerate(participants)
        ],
        "minutes": minutes(trip.stops, trip.roads),
        "minutesForOthers": _minutes_for_others(trip, driven),
        "gramsCO2e": grams_co2e(driven.metres),
        "stops": _rounded(driven.stops),
    }
    return content, _by_booking(parties, owed)


def _rounded(stops: Sequence[Stop]) -> list[list[str]]:
    places = [stop.place.rounded() for stop in stops]
    return [[str(place.latitude), str(place.longitude)] for place in places]


def _minutes_for_others(trip: Trip, driven: Round) -> int:
    """By how many minutes the round was longer than the driver's own stops alone."""
    own = {trip.stops[0].id, trip.stops[-1].id}
    for carried in driven.carried:
        if carried.cap is None:
            own |= {carried.pickup_id, carried.delivery_id}
    alone = [stop for stop in trip.stops if stop.id in own]
    return max(0, minutes(trip.stops, trip.roads) - minutes(alone, trip.roads))


def _own_detour(member: Participant) -> int:
    return min(member.detour, member.alone, member.cap or 0)


def _shared(rule: str, total: int, participants: Sequence[Participant], rules: Rules) -> dict[str, int]:
    try:
        return shares(rule, total, participants, rules)
    except NoShare:
        owed = {member.name: 0 if member.is_driver else _own_detour(member) for member in participants}
        return owed | {"1": total - sum(owed.values())}


def _by_booking(parties: Sequence[Sequence[Carried]], owed: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Of each booking the number of its participant and its part of the share, in proportion to the caps."""
    numbers: dict[str, tuple[int, int]] = {}
    for number, party in enumerate(parties, 1):
        caps = {carried.id: carried.cap or 0 for carried in party}
        weights = caps if any(caps.values()) else dict.fromkeys(caps, 1)
        parts = {id: Fraction(owed[str(number)] * weight, sum(weights.values())) for id, weight in weights.items()}
        numbers |= {id: (number, cents) for id, cents in whole_cents(parts).items()}
    return numbers


def digest_of(content: Mapping[str, object]) -> str:
    """SHA-256 of the common part as canonical JSON (RFC 8785; it has whole numbers and ASCII text only)."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha-256:{sha256(text.encode()).hexdigest()}"


def is_inflated(metres: int, places: list[Point], *, by_road: bool = False) -> bool:
    """Whether a round was longer than one that passes these rounded places could be."""
    return metres > length(places) * (LONGER_BY_ROAD if by_road else LONGER) + ROUNDED


def mistakes_of(content: Mapping[str, object], rules: Rules = BUILT_IN) -> list[str]:
    """What a reader finds wrong in a statement, by codes: sum, km, cap, alone, shares, unknown_rule. Empty if it is
    right."""
    statement = read_content(content)
    members = [
        Participant(name=row.name, alone=row.alone, detour=row.detour, cap=row.cap, tariff=row.tariff)
        for row in statement.participants
    ]
    owed = {row.name: row.owed for row in statement.participants}
    in_vain = {row.name for row in statement.participants if row.in_vain}
    driven, by_road = statement.items[0], statement.measured != MEASURED
    expected = {member.name: _own_detour(member) for member in members if member.name in in_vain}
    sharing = [member for member in members if member.name not in in_vain]
    expected |= _shared(statement.rule, statement.total - sum(expected.values()), sharing, rules)
    checks = {
        "sum": sum(owed.values()) == statement.total == sum(item.cents for item in statement.items),
        "km": driven.kind == "km"
        and driven.cents == cost(driven.metres, driven.cents_per_km)
        and not (statement.stops and is_inflated(driven.metres, statement.places, by_road=by_road)),
        "cap": all(owed[member.name] <= member.cap for member in members if member.cap is not None),
        "alone": all(owed[member.name] <= member.alone for member in members if member.cap is not None),
        "shares": owed == expected or statement.rule not in rules,
        "unknown_rule": statement.rule in rules,  # nobody here can work its shares out
    }
    return [code for code, is_right in checks.items() if not is_right]


def read_content(content: Mapping[str, object]) -> StatementContent:
    """The common part of a statement from its JSON. Raises `ValueError` if a member is missing or of another kind."""
    statement: StatementContent = convert(content, StatementContent)
    return statement


def refuse_unreadable(content: Mapping[str, object]) -> None:
    """Raises `ValueError` unless a statement can have this common part: kilometres, tolls, one driver who is first."""
    statement = read_content(content)
    driver, *others = statement.participants
    if [item.kind for item in statement.items] != ["km", "toll"] or driver.cap is not None:
        raise ValueError("content has km and tolls, and the driver is its first participant")
    if any(row.cap is None for row in others):
        raise ValueError("content has one driver")
    if len(statement.stops) < 2:
        raise ValueError("content says where the round began and where it ended")


def statement_of(tx: Transaction, trip_id: str) -> TripStatement | None:
    """The statement of a trip; None before it is driven. Checks no permission."""
    row = tx.first(select(transport_statement).where(_statement.trip_id == trip_id))
    return _from(row) if row else None


def readable_statement(tx: Transaction, enterprise_id: str, trip_id: str) -> tuple[Trip, TripStatement, list[Booking]]:
    """A driven trip with its statement and its bookings, for one of those who took part. Raises `NotFound` for all
    others, and before it is driven."""
    trip, bookings, statement = trip_by_id(tx, trip_id), bookings_of_trip(tx, trip_id), statement_of(tx, trip_id)
    riding = [booking for booking in bookings if booking.state in TOOK_PART]
    took_part = {trip.enterprise_id} | {id for booking in riding for id in (booking.sender_id, booking.receiver_id)}
    if statement is None or enterprise_id not in took_part:
        raise NotFound
    return trip, statement, bookings


def _from(row: Row) -> TripStatement:
    known = {name: row[name] for name in TripStatement.__dataclass_fields__}
    shares_of = {id: (number, cents) for id, (number, cents) in row["shares"].items()}
    return TripStatement(**{**known, "shares": shares_of})


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the home of others who took part in a round reads as its statement; `mistakes` are codes."""

    trip_id: str
    peer_id: str
    number: int
    digest: str
    mistakes: Sequence[str]
    at: datetime


def compared(tx: Transaction, trip_id: str, peer_id: str, number: int, digest: str, mistakes: Sequence[str]) -> bool:
    """Writes down what another home reads. Returns False for what is older than what is known."""
    about = (_comparison.trip_id == trip_id, _comparison.peer_id == peer_id)
    before = tx.value(select(_comparison.number).where(*about).with_for_update())
    values = {"number": number, "digest": digest, "mistakes": list(mistakes), "at": tx.now}
    if before is None:
        tx.execute(insert(transport_comparison).values(trip_id=trip_id, peer_id=peer_id, **values))
    elif number > before:
        tx.execute(update(transport_comparison).where(*about).values(values))
    return before is None or number > before


def comparisons_of(tx: Transaction, trip_id: str) -> list[Comparison]:
    """What other homes read of a trip's statement."""
    query = select(transport_comparison).where(_comparison.trip_id == trip_id)
    return [Comparison(**row) for row in tx.all(query.order_by(_comparison.peer_id))]
