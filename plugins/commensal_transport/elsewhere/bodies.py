"""What the messages say. Money is in cents of euros, times are UTC, and no text is a person's or a product's.

`number` counts the messages about one subject from one instance, from 1 on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta

from ..bookings.counts import Reason, Side
from ..bookings.statements import refuse_unreadable
from ..bookings.states import Event, State
from ..costs.law import Basis
from ..costs.sharing import LONGEST_RULE
from ..places.loads import MOST_CRATES, MOST_KG, Keeping
from ..places.routing import Point
from ..trips.trips import LONGEST

FINEST = 8  # decimals of a degree: about a millimetre

Iri = Annotated[str, Meta(min_length=1, max_length=300)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(max_length=40)]
Declared = Annotated[str, Meta(max_length=100)]
Number = Annotated[int, Meta(ge=1, le=10**12)]
Count = Annotated[int, Meta(ge=0, le=10**12)]
Cents = Annotated[int, Meta(ge=0, le=10**9)]
Crates = Annotated[int, Meta(ge=1, le=MOST_CRATES)]
Kilograms = Annotated[int, Meta(ge=1, le=MOST_KG)]
Moment = Annotated[datetime, Meta(tz=True)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True)
class OfferedTrip:
    """A trip as others see it: who drives when with what, and by which rule its cost is shared; never where."""

    trip: Iri
    carrier: Iri
    carrier_name: Name
    basis: Basis
    rule: Annotated[str, Meta(min_length=1, max_length=LONGEST_RULE)]
    crates: Crates
    kg: Kilograms
    cold: Annotated[int, Meta(ge=0, le=MOST_CRATES)]
    keeping: Keeping
    cents_per_km: Cents
    toll: Cents
    stop_price: Cents
    crate_price: Cents
    starts_at: Moment
    ends_at: Moment
    book_until: Moment

    def __post_init__(self) -> None:
        if not self.starts_at < self.ends_at <= self.starts_at + LONGEST:
            raise ValueError("endsAt must be later than startsAt, by 24 hours at most")
        if self.cold > self.crates:
            raise ValueError("cold counts some of the crates")


@dataclass(frozen=True, kw_only=True)
class TripOffer:
    """Carrier's home to peers: a trip that takes bookings of theirs, or does so no more."""

    number: Number
    state: Literal["open", "withdrawn", "cancelled", "driven"]
    offered: OfferedTrip


@dataclass(frozen=True, kw_only=True)
class PlaceRequest:
    """Supplier's home to a hub's: where is this hub, and when does it take goods in?"""

    number: Number
    enterprise: Iri


@dataclass(frozen=True, kw_only=True)
class PlaceAnswer:
    """The answer. `hours` before a distribution begins, goods are taken in; without coordinates it is not known."""

    number: Number
    enterprise: Iri
    name: Name
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    street: Annotated[str, Meta(max_length=200)] = ""
    postcode: Annotated[str, Meta(max_length=20)] = ""
    city: Annotated[str, Meta(max_length=200)] = ""
    hours: Annotated[int, Meta(ge=1, le=48)]

    def __post_init__(self) -> None:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude come together")
        if self.latitude is not None and self.longitude is not None:
            _refuse_nowhere(self.latitude, self.longitude)


@dataclass(frozen=True, kw_only=True)
class Carriage:
    """What is to be carried: whose goods, how much of them, from where, to whom, and between when and when.

    latitude, longitude: where they are loaded; rounded to 0.01 degrees until it is ordered
    is_farm, group, contract: what the sender declares, for the legal basis
    most: cents that the sender pays at most, who would not drive there; None: they would drive
    """

    sender: Iri
    sender_name: Name
    is_farm: bool
    group: Declared
    contract: Declared
    receiver: Iri
    crates: Crates
    kg: Kilograms
    keeping: Keeping
    own_boxes: bool
    latitude: Decimal
    longitude: Decimal
    opens: Moment
    closes: Moment
    most: Cents | None = None

    def __post_init__(self) -> None:
        _refuse_nowhere(self.latitude, self.longitude)
        if self.closes <= self.opens:
            raise ValueError("closes must be later than opens")

    @property
    def home(self) -> Point:
        return Point(self.latitude, self.longitude)


@dataclass(frozen=True, kw_only=True)
class QuoteRequest:
    """Sender's home to the carrier's: what would it cost? Binds nobody."""

    number: Number
    quote: Iri
    trip: Iri
    carriage: Carriage


@dataclass(frozen=True, kw_only=True)
class QuoteAnswer:
    """The answer: a price and two moments, or a `code`: gone, place, class, full, time, basis, price."""

    number: Number
    quote: Iri
    code: Code = ""
    price: Cents = 0
    alone: Cents = 0
    pickup_at: Moment | None = None
    delivery_at: Moment | None = None

    def __post_init__(self) -> None:
        if not self.code and (self.pickup_at is None or self.delivery_at is None or self.price >= self.alone):
            raise ValueError("a quote has its moments, and a price below driving alone")


@dataclass(frozen=True, kw_only=True)
class BookingOrder:
    """Sender's home to the carrier's: the booking as its sender wants it, for at most `price`.

    pickup_digest, delivery_digest: SHA-256 of the secrets that prove its hand-overs
    """

    number: Number
    booking: Iri
    state: Literal["ordered", "cancelled"]
    trip: Iri
    price: Cents
    carriage: Carriage | None = None
    pickup_digest: Digest | None = None
    delivery_digest: Digest | None = None

    def __post_init__(self) -> None:
        if self.state == "ordered" and self.carriage is None:
            raise ValueError("an order says what is to be carried")


@dataclass(frozen=True, kw_only=True)
class Happening:
    """An event of the round as the carrier reported it: `crates` and `empties` as counted, `celsius` as measured;
    `code` is what the other side has shown, which is of no use any more; `photo` is the SHA-256 of a picture."""

    event: Event
    at: Moment
    crates: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    celsius: Decimal | None = None
    empties: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    code: Annotated[str, Meta(pattern="^([0-9a-f]{32}|[0-9]{7})$")] | None = None
    photo: Digest | None = None

    def __post_init__(self) -> None:
        if self.celsius is not None and not (self.celsius.is_finite() and abs(self.celsius) <= 60):
            raise ValueError("celsius must be between -60 and 60")


@dataclass(frozen=True, kw_only=True)
class BookingState:
    """Carrier's home to the sender's and to the receiver's: what has become of a booking.

    answers: the number of the sender's newest order that it knows; 0 for goods of the carrier's own instance
    cap:     the most that the sender pays; None for the carrier's own goods
    reason:  code of a refusal
    """

    number: Number
    answers: Count
    booking: Iri
    state: State
    reason: Code = ""
    offered: OfferedTrip
    sender: Iri
    sender_name: Name
    receiver: Iri
    crates: Crates
    kg: Kilograms
    keeping: Keeping
    own_boxes: bool
    pickup_at: Moment
    delivery_at: Moment
    alone: Cents
    cap: Cents | None = None
    events: Annotated[tuple[Happening, ...], Meta(max_length=50)] = ()


@dataclass(frozen=True, kw_only=True)
class ReceiverReport:
    """Receiver's home to the carrier's: these goods came warm and were refused."""

    number: Number
    booking: Iri
    event: Literal["refuse_warm"]


@dataclass(frozen=True, kw_only=True)
class CountReport:
    """Home of one side of a delivered booking to those of the others: how many crates this side says were loaded, which
    its receiver does not know, and unloaded, which its sender does not know; and the code of why it stands by that."""

    number: Number
    booking: Iri
    side: Side
    loaded: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    unloaded: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    reason: Reason = ""

    def __post_init__(self) -> None:
        says = (self.loaded is not None, self.unloaded is not None)
        if says != {"carrier": (True, True), "sender": (True, False), "receiver": (False, True)}[self.side]:
            raise ValueError("a sender says what was loaded, a receiver what was unloaded, a carrier both")


@dataclass(frozen=True, kw_only=True)
class StatementCopy:
    """Carrier's home to those of senders and receivers: the statement that all read alike, and the reader's shares.

    content: the common part, of which `digest` is the SHA-256
    shares:  of each booking of the reader its participant's number and its cents
    """

    number: Number
    trip: Iri
    content: dict[str, Any]
    digest: Annotated[str, Meta(max_length=80)]
    shares: Annotated[dict[Iri, tuple[Count, int]], Meta(max_length=200)]

    def __post_init__(self) -> None:
        refuse_unreadable(self.content)


@dataclass(frozen=True, kw_only=True)
class StatementAnswer:
    """A reader's home to the carrier's and to each other reader's: the digest that it reads, and what is wrong."""

    number: Number
    trip: Iri
    digest: Annotated[str, Meta(max_length=80)]
    mistakes: Annotated[tuple[Code, ...], Meta(max_length=20)] = ()


def _refuse_nowhere(latitude: Decimal, longitude: Decimal) -> None:
    for degrees, most in ((latitude, 90), (longitude, 180)):
        if not degrees.is_finite() or abs(degrees) > most or int(degrees.as_tuple().exponent) < -FINEST:
            raise ValueError(f"latitude and longitude are degrees with at most {FINEST} decimals")
