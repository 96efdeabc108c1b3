"""Who would carry what an enterprise must bring, and at what price: trips of this instance, and answers from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from commensal import Hooks, Transaction, plugin_settings, say

from ..costs.cost_rules import known_rules
from ..settings import Settings
from ..trips.help_years import help_years
from ..trips.needs import ID, Need
from ..trips.trips import Trip, bookable_trips
from .bookings import Booking, bookings_of_trips, carried_on
from .quotes import TripQuote, quotes, refusal_of
from .quotes_elsewhere import QuoteElsewhere, answers_for


@dataclass
class NeedAnswer:
    """A need with what answers it: a booking, or quotes.

    refused:  the newest order that a carrier elsewhere has refused
    refusals: carriers, and why they do not carry it
    waiting:  carriers elsewhere that have been asked, or will be in a moment
    """

    need: Need
    key: str
    booking: Booking | None = None
    refused: Booking | None = None
    quotes: list[TripQuote | QuoteElsewhere] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def find_quotes(tx: Transaction, hooks: Hooks, enterprise_id: str, offers: Sequence[NeedAnswer], language: str) -> None:
    """Adds to each offer without a booking who would carry it, and at what price, and why others would not."""
    trips: list[Trip] = bookable_trips(tx, but_of=enterprise_id)
    bookings = bookings_of_trips(tx, [trip.id for trip in trips])
    carried = {trip.id: carried_on(trip, bookings[trip.id]) for trip in trips}
    party = plugin_settings(tx, hooks, enterprise_id, ID, Settings).party
    rules = known_rules(tx, hooks)
    years = help_years(tx, hooks, {trip.enterprise_id for trip in trips})
    elsewhere = bookable_trips(tx, but_of=enterprise_id, elsewhere=True)
    for offer in offers:
        if offer.booking is None and offer.need.alone:
            offered, refused = quotes(tx, _near(trips, offer.need), carried, offer.need, party, rules, years)
            offer.quotes.extend(offered)
            offer.refusals = [(answer.trip.enterprise_id, say(language, answer.error)) for answer in refused]
            _add_answers(tx, offer, language, _near(elsewhere, offer.need))


def _near(trips: list[Trip], need: Need) -> list[Trip]:
    """Those that are on the road when the goods are taken in."""
    return [trip for trip in trips if trip.starts_at < need.closes and trip.ends_at > need.opens]


def _add_answers(tx: Transaction, offer: NeedAnswer, language: str, trips: list[Trip]) -> None:
    """Adds what carriers elsewhere have answered."""
    for answer in answers_for(tx, offer.need, trips):
        if isinstance(answer, QuoteElsewhere):
            offer.quotes.append(answer)
        elif answer.code:
            offer.refusals.append((answer.trip.enterprise_id, say(language, refusal_of(answer.code))))
        else:
            offer.waiting.append(answer.trip.enterprise_id)
    offer.quotes.sort(key=lambda quote: (quote.price, quote.pickup))
