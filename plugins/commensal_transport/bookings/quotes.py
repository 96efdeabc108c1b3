"""What it would cost to send goods with a trip, worked out at once and from places only; a quote changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from commensal import Conflict, Transaction

from ..costs.law import Party, may_carry
from ..costs.sharing import BUILT_IN, WITHOUT_SAVING, Carried, NoShare, Round, Rules, shares
from ..places.routing import Insertion, schedule
from ..trips.help_years import SHARES_COSTS, HelpYear
from ..trips.needs import Need
from ..trips.trips import Trip, insertion_for, refusal


@dataclass(frozen=True, kw_only=True)
class TripQuote:
    """price:        the most that the sender pays, in cents; whoever books later can only lower it
    alone:           what driving alone costs them, in cents, at their own price of a kilometre or, where it is lower,
                     at the trip's
    pickup, delivery: when the van comes at the earliest (UTC)
    extra_metres:    by how much the trip becomes longer
    """

    trip: Trip
    need: Need
    insertion: Insertion
    price: int
    alone: int
    tariff: int
    pickup: datetime
    delivery: datetime
    extra_metres: int

    @property
    def saving(self) -> int:
        """Percent of driving alone."""
        return (self.alone - self.price) * 100 // self.alone if self.alone else 0


@dataclass(frozen=True)
class NoQuote:
    """Why a trip does not carry this."""

    trip: Trip
    error: Conflict

    @property
    def code(self) -> str:
        return self.error.code


def quote(
    tx: Transaction,
    trip: Trip,
    carried: Sequence[Carried],
    need: Need,
    party: Party,
    rules: Rules = BUILT_IN,
    year: HelpYear | None = None,
) -> TripQuote | NoQuote:
    """The price of carrying a need with a trip that carries `carried`; `party` is what its sender declares, and `year`
    is the carrier's, so that nobody pays it more than its costs as help between farms."""
    if trip.state != "open" or trip.book_until <= tx.now or trip.enterprise_id == need.sender_id:
        return NoQuote(trip, refusal_of("gone"))
    trip = replace(trip, roads=trip.roads.along(need.roads))
    try:
        insertion = insertion_for(tx, trip, need)
    except Conflict as error:
        return NoQuote(trip, error)
    if not may_carry(trip.basis, trip.proof, party, [stop.place for stop in insertion.stops]):
        return NoQuote(trip, refusal_of("basis"))
    return _priced(trip, carried, need, insertion, tx.now, rules, year or HelpYear())


def _priced(
    trip: Trip,
    carried: Sequence[Carried],
    need: Need,
    insertion: Insertion,
    now: datetime,
    rules: Rules,
    year: HelpYear,
) -> TripQuote | NoQuote:
    assert need.home is not None
    assert need.destination is not None
    newcomer = Carried(
        id="new",
        sender_id=need.sender_id,
        pickup_id=insertion.stops[insertion.pickup].id,
        delivery_id=insertion.stops[insertion.delivery].id,
        place=need.home,
        destination=need.destination,
        tariff=trip.stop_price + trip.crate_price * need.crates,
        cap=0,
        booked_at=now,
        most=need.most,
    )
    after = round_of(trip, [*carried, newcomer], insertion)
    mine = next(number for number, bookings in enumerate(after.parties()) if newcomer in bookings)
    participants = after.participants()
    aboard, alone = participants[mine].cap or 0, participants[mine].alone
    # Whoever was promised a price keeps it: what is above falls to the newcomer, at most up to driving alone.
    participants.append(replace(participants.pop(mine), cap=alone))
    try:
        owed = shares(trip.rule, after.total, participants, rules)
    except NoShare:
        return _too_dear(trip)
    if owed["1"] > participants[0].alone and trip.rule not in WITHOUT_SAVING:
        return _too_dear(trip)
    if trip.basis in SHARES_COSTS:
        paid = after.total - owed["1"]
        terms = {"metres": after.metres, "cents_per_km": trip.cents_per_km, "toll": trip.toll}
        if year.with_round(**terms, received=paid).is_beyond_costs:
            return NoQuote(trip, refusal_of("beyond_costs"))
    price, alone = max(0, owed[str(mine + 1)] - aboard), min(alone - aboard, own_cost(need))
    if price >= alone:
        return _too_dear(trip)
    moments = schedule(insertion.stops, trip.roads)
    assert moments is not None
    return TripQuote(
        trip=trip,
        need=need,
        insertion=insertion,
        price=price,
        alone=alone,
        tariff=newcomer.tariff,
        pickup=moments[insertion.pickup],
        delivery=moments[insertion.delivery],
        extra_metres=after.metres - round_of(trip, carried).metres,
    )


def own_cost(need: Need) -> int:
    """The cents that the sender reads as its own cost of driving alone, at its own price of a kilometre, or the least
    that it says it would pay. A dear vehicle of somebody else makes no saving out of a higher price."""
    assert need.alone is not None
    return need.alone.cents if need.most is None else min(need.alone.cents, need.most)


def _too_dear(trip: Trip) -> NoQuote:
    return NoQuote(trip, refusal_of("price"))


def refusal_of(code: str) -> Conflict:
    """Why a trip does not carry something, for people, by its code; one that is not known means that it takes none."""
    match code:
        case "full" | "time" | "class" | "place":
            return refusal(code)
        case "basis":
            text = "Its legal basis does not cover your goods; your settings say whether you are a farm."
            return Conflict(code, text)
        case "price":
            return Conflict(code, "Joining this trip costs you more than driving alone, or than you would pay.")
        case "beyond_costs":
            text = "Its driver would get more than a year's kilometres cost. That is not help between farms any more."
            return Conflict(code, text)
        case "rule":
            return Conflict(code, "It shares its cost by a rule that is not known here.")
        case "too_many":
            return Conflict(code, "Your site has too many bookings with this carrier already.")
        case "too_often":
            return Conflict(code, "Your site has asked for too many prices at once; it asks again in some hours.")
        case "too_many_today":
            return Conflict(code, "Your site has asked the carrier's for as many prices as it answers in a day.")
        case _:
            return Conflict("gone", "This trip takes no more bookings.")


def round_of(trip: Trip, carried: Sequence[Carried], insertion: Insertion | None = None) -> Round:
    """The trip with these bookings as a round, on its own stops or on those of an insertion."""
    stops = insertion.stops if insertion else trip.stops
    return Round(stops=stops, carried=tuple(carried), cents_per_km=trip.cents_per_km, toll=trip.toll, roads=trip.roads)


def quotes(
    tx: Transaction,
    trips: Sequence[Trip],
    carried: Mapping[str, Sequence[Carried]],
    need: Need,
    party: Party,
    rules: Rules = BUILT_IN,
    years: Mapping[str, HelpYear] = MappingProxyType({}),
) -> tuple[list[TripQuote], list[NoQuote]]:
    """Quotes of all trips for a need, the cheapest first, and why the others do not carry it."""
    answers = [
        quote(tx, trip, carried.get(trip.id, ()), need, party, rules, years.get(trip.enterprise_id)) for trip in trips
    ]
    offered = [answer for answer in answers if isinstance(answer, TripQuote)]
    return sorted(offered, key=lambda offer: (offer.price, offer.pickup)), [
        answer for answer in answers if isinstance(answer, NoQuote)
    ]
