"""Crates that differ at both ends of a way, and what each side says about them.

A driver counts at loading and at unloading. Where these counts differ, or the sender or the receiver counted otherwise,
carrier, sender and receiver each say what is true: they accept another count, or stand by their own and say why. Nobody
decides for the others. Where the words agree, the crates that were loaded and not unloaded are lost with the carrier;
where they do not, both counts stay, and what is between them is in dispute between these two sides.

So what was loaded is what was unloaded, lost, or in dispute. The share of the cost does not depend on it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, get_args

from sqlalchemy import ColumnElement, func, insert, or_, select

from commensal import Conflict, Invalid, NotFound, Problem, Row, Transaction

from ..news import tell_others
from ..tables import transport_booking, transport_count, transport_event, transport_trip
from ..trips.trips import Trip, locked_trip
from .bookings import MOST_SHOWN, SHOWN, Booking, booking_by_id
from .mails import tell

Side = Literal["carrier", "sender", "receiver"]
SIDES: tuple[Side, ...] = get_args(Side)
Reason = Literal["", "recounted", "note", "photo", "lost", "other"]
"""Why a side stands by its count: it counted again; the delivery note or the code shows it; a photograph shows it; the
crates were lost or broken on the way; something else, about which people speak. "": it accepts what others counted."""
REASONS: tuple[Reason, ...] = tuple(reason for reason in get_args(Reason) if reason)
MOST_CRATES = 10_000
MOST_WORDS = 5  # of a side about one booking
PERIOD = timedelta(days=365)  # for which lost crates are summed

_booking, _trip, _event, _count = transport_booking.c, transport_trip.c, transport_event.c, transport_count.c


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a side says: the crates that were loaded and unloaded. A sender knows the first alone, and a receiver the
    second; None: it says nothing of it."""

    side: Side
    number: int
    loaded: int | None
    unloaded: int | None
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What was counted of a delivered booking: by the carrier at both ends, and by its sender and receiver there.

    sides: the enterprise of each side; words: the newest of each that has spoken
    sender, receiver: crates by what they say, else by what the driver noted at their place
    loaded, unloaded: crates by what the carrier says, else by what the driver noted
    """

    booking: Booking
    sides: Mapping[Side, str]
    words: Mapping[Side, Said]
    sender: int
    loaded: int
    unloaded: int
    receiver: int

    @property
    def differ(self) -> bool:
        return len({self.sender, self.loaded, self.unloaded, self.receiver}) > 1

    @property
    def is_agreed(self) -> bool:
        """All counts are the same, or the carrier says that the rest was lost with it, and nobody says otherwise."""
        at_ends = self.sender == self.loaded and self.unloaded == self.receiver
        return at_ends and (self.loaded == self.unloaded or "carrier" in self.words)

    @property
    def waiting(self) -> list[Side]:
        """The sides that must say what is true."""
        if self.is_agreed:
            return []
        spoken = set(self.words)
        if self.sides["carrier"] == self.sides["sender"]:
            spoken |= {"sender"}
        if self.sides["carrier"] == self.sides["receiver"]:
            spoken |= {"receiver"}
        return [side for side in SIDES if side not in spoken]

    @property
    def state(self) -> Literal["same", "open", "lost", "kept"]:
        """All the same; somebody has not said what is true; lost with the carrier; or each stands by its own count."""
        if not self.differ:
            return "same"
        if self.is_agreed:
            return "lost"
        return "open" if self.waiting else "kept"

    @property
    def lost(self) -> int:
        """Crates that were lost with the carrier, as all agree; below 0 if more came than were loaded."""
        return self.loaded - self.unloaded if self.state == "lost" else 0

    @property
    def disputed(self) -> tuple[int, int]:
        """Crates that the sender says it gave to the carrier beyond what that one says, and those that the carrier says
        it gave to the receiver likewise; none before all have spoken."""
        return (self.sender - self.loaded, self.unloaded - self.receiver) if self.state == "kept" else (0, 0)

    def side_of(self, enterprise_id: str) -> Side | None:
        """As what an enterprise speaks; a carrier with its own goods as the carrier."""
        return next((side for side in SIDES if self.sides[side] == enterprise_id), None)

    def own(self, side: Side) -> int:
        """The count of a side at its own end of the way; of a carrier at the end."""
        return {"carrier": self.unloaded, "sender": self.sender, "receiver": self.receiver}[side]

    def others(self, side: Side) -> list[int]:
        """The counts that a side may accept in place of its own."""
        known = {self.sender, self.loaded, self.unloaded, self.receiver}
        return sorted(known if side == "carrier" else known - {self.own(side)}, reverse=True)


# ------------------------------------------------------------------------------------------------ saying


def say_count(
    tx: Transaction,
    enterprise_id: str,
    booking_id: str,
    *,
    loaded: int | None,
    unloaded: int | None,
    reason: Reason = "",
) -> Counts:
    """Writes down what one side of a delivered booking says was loaded (its sender), unloaded (its receiver), or both
    (its carrier), in crates, and tells the other sides.

    Raises `NotFound` for who is not a side of it, `Conflict` unless it was delivered in the last three weeks, or if the
    side has spoken five times, and `Invalid`: without a reason a side accepts what another has counted.
    """
    booking = booking_by_id(tx, booking_id)
    trip = locked_trip(tx, booking.trip_id)
    before = counts_of(tx, [(booking, trip.enterprise_id)]).get(booking.id)
    side = side_of(booking, trip.enterprise_id, enterprise_id)
    if side is None:
        raise NotFound
    if before is None or booking.delivery_at <= tx.now - SHOWN:
        raise Conflict("state", "Crates are counted when they are delivered, and for three weeks after it.")
    word = Said(
        side=side,
        number=newest_number(tx, booking.id, side) + 1,
        loaded=None if side == "receiver" else loaded,
        unloaded=None if side == "sender" else unloaded,
        reason=reason,
    )
    _refuse(before, word)
    if word.number > MOST_WORDS:
        raise Conflict("too_many", "You have said that several times. Speak to each other.")
    counts = keep_word(tx, trip, booking, word)
    tell_others(tx, booking=booking.id)
    return counts


def _refuse(before: Counts, word: Said) -> None:
    """Raises `Invalid` for a number that is none, and where a side contradicts another without a reason."""
    needed = {"carrier": (word.loaded, word.unloaded), "sender": (word.loaded,), "receiver": (word.unloaded,)}
    if not all(crates is not None and 0 <= crates <= MOST_CRATES for crates in needed[word.side]):
        raise Invalid([Problem("crates", "Count between 0 and 10,000 crates.", "/crates")])
    if word.reason and word.reason not in REASONS:
        raise Invalid([Problem("reason", "Choose why.", "/reason")])
    if not word.reason and not _accepts(before, word):
        raise Invalid([Problem("reason", "You stand by your own count: choose why.", "/reason")])


def _accepts(before: Counts, word: Said) -> bool:
    """Whether a word takes over what others have counted, or contradicts nobody, so that it needs no reason."""
    if word.side == "carrier":
        pair = (word.loaded, word.unloaded)
        is_new = pair != (before.loaded, before.unloaded) or before.is_agreed
        return word.loaded == word.unloaded and word.loaded in before.others("carrier") and is_new
    crates = word.loaded if word.side == "sender" else word.unloaded
    return crates in before.others(word.side) or (before.is_agreed and crates == before.own(word.side))


def keep_word(tx: Transaction, trip: Trip, booking: Booking, word: Said) -> Counts:
    """Writes a word of a side down, and tells people here if counts differ by it, or nobody gives way."""
    before = counts_of(tx, [(booking, trip.enterprise_id)]).get(booking.id)
    row = {"id": tx.new_id(), "booking_id": booking.id, "at": tx.now}
    tx.execute(insert(transport_count).values(**row, **_values(word)))
    after = counts_of(tx, [(booking, trip.enterprise_id)], states=None)[booking.id]
    if booking.state == "delivered":
        tell_of_difference(tx, trip, booking, before.state if before else "same", after)
    return after


def tell_of_difference(tx: Transaction, trip: Trip, booking: Booking, before: str, after: Counts) -> None:
    """Has an e-mail sent to the sides of a booking that live here, once if counts differ, and once if all stand by
    theirs."""
    if after.state != before and after.state in ("open", "kept"):
        tell(tx, "counts", trip, [booking])


def _values(word: Said) -> dict[str, object]:
    return {
        "side": word.side,
        "number": word.number,
        "loaded": word.loaded,
        "unloaded": word.unloaded,
        "reason": word.reason,
    }


# ------------------------------------------------------------------------------------------------ questions


def side_of(booking: Booking, carrier_id: str, enterprise_id: str) -> Side | None:
    """As what an enterprise speaks about a booking; None if it is not a side of it."""
    sides: dict[str, Side] = {booking.receiver_id: "receiver", booking.sender_id: "sender", carrier_id: "carrier"}
    return sides.get(enterprise_id)


def newest_number(tx: Transaction, booking_id: str, side: Side) -> int:
    """The number of the newest word of a side; 0 if it has said nothing."""
    query = select(func.max(_count.number)).where(_count.booking_id == booking_id, _count.side == side)
    return int(tx.value(query) or 0)


def words_of(tx: Transaction, booking_ids: Collection[str]) -> list[Row]:
    """All that was said about the counts of these bookings, the first word first."""
    query = select(transport_count).where(_count.booking_id.in_(booking_ids))
    return list(tx.all(query.order_by(_count.at, _count.id))) if booking_ids else []


def counts_of(
    tx: Transaction, bookings: Sequence[tuple[Booking, str]], *, states: Collection[str] | None = ("delivered",)
) -> dict[str, Counts]:
    """The counts of these bookings, each with its carrier, by their ids; without those that were not delivered."""
    known = [(booking, carrier) for booking, carrier in bookings if states is None or booking.state in states]
    ids = [booking.id for booking, _ in known]
    noted = _noted(tx, ids)
    words: dict[str, dict[Side, Said]] = {}
    for row in sorted(words_of(tx, ids), key=lambda row: row["number"]):
        word = Said(**{name: row[name] for name in Said.__dataclass_fields__})
        words.setdefault(row["booking_id"], {})[word.side] = word
    return {
        booking.id: _counts(booking, carrier, noted.get(booking.id, {}), words.get(booking.id, {}))
        for booking, carrier in known
    }


def _counts(booking: Booking, carrier_id: str, noted: Mapping[str, int], words: Mapping[Side, Said]) -> Counts:
    """What nobody counted at one end is taken from the other, or from the booking: then nothing differs by it."""
    loaded = noted.get("pick_up", noted.get("deliver", booking.crates))
    unloaded = noted.get("deliver", loaded)
    carrier, sender, receiver = (words.get(side) for side in SIDES)
    by_carrier = (carrier.loaded, carrier.unloaded) if carrier else (loaded, unloaded)
    known = Counts(
        booking=booking,
        words=words,
        sides={"carrier": carrier_id, "sender": booking.sender_id, "receiver": booking.receiver_id},
        loaded=_or(by_carrier[0], loaded),
        unloaded=_or(by_carrier[1], unloaded),
        sender=_or(sender.loaded if sender else None, loaded),
        receiver=_or(receiver.unloaded if receiver else None, unloaded),
    )
    # Who carries its own goods, or fetches them, has counted once.
    if carrier_id == booking.sender_id:
        known = replace(known, sender=known.loaded)
    return replace(known, receiver=known.unloaded) if carrier_id == booking.receiver_id else known


def _or(crates: int | None, otherwise: int) -> int:
    return otherwise if crates is None else crates


def _noted(tx: Transaction, booking_ids: Collection[str]) -> dict[str, dict[str, int]]:
    """The newest counts of drivers at both ends."""
    counted = (_event.booking_id.in_(booking_ids), _event.event.in_(("pick_up", "deliver")), _event.crates.is_not(None))
    rows = tx.all(select(transport_event).where(*counted).order_by(_event.at, _event.id)) if booking_ids else ()
    noted: dict[str, dict[str, int]] = {}
    for row in rows:
        noted.setdefault(row["booking_id"], {})[row["event"]] = row["crates"]
    return noted


def differing_counts(
    tx: Transaction, enterprise_id: str, *, states: Collection[str] = ("open", "kept")
) -> list[Counts]:
    """The counts in these states of what an enterprise sent, received or carried in the last three weeks, the oldest
    first; those that are not agreed, unless told otherwise."""
    recent = (_booking.state == "delivered", _booking.delivery_at > tx.now - SHOWN)
    counts = counts_of(tx, _of_enterprise(tx, enterprise_id, *recent))
    return [each for each in counts.values() if each.state in states]


@dataclass(frozen=True, kw_only=True)
class LostCrates:
    """Between an enterprise and a partner in a year: crates that were lost with the one that carried them, and crates
    in dispute, of which one says that the other has got them."""

    partner_id: str
    lost: int = 0
    disputed: int = 0
    owed_to: int = 0  # of those lost, empties that the enterprise owes to the partner whose goods it carried
    owed_by: int = 0  # and that the partner owes to it


def lost_with(tx: Transaction, enterprise_id: str) -> list[LostCrates]:
    """Crates that did not arrive, in the last year, for each partner with which some were lost or are in dispute."""
    spoken_of = select(_count.booking_id).where(_count.at > tx.now - PERIOD)
    sums: dict[str, LostCrates] = {}

    def add(partner_id: str, **more: int) -> None:
        before = sums.get(partner_id, LostCrates(partner_id=partner_id))
        sums[partner_id] = replace(before, **{name: getattr(before, name) + crates for name, crates in more.items()})

    for counts in counts_of(tx, _of_enterprise(tx, enterprise_id, _booking.id.in_(spoken_of))).values():
        loading, unloading = counts.disputed
        carrier, sender, receiver = (counts.sides[side] for side in SIDES)
        match counts.side_of(enterprise_id):
            case "carrier":
                add(sender, lost=counts.lost, disputed=loading, owed_to=counts.lost)
                add(receiver, disputed=unloading)
            case "sender":
                add(carrier, lost=counts.lost, disputed=loading, owed_by=counts.lost)
            case "receiver":
                add(carrier, lost=counts.lost, disputed=unloading)
    sums.pop(enterprise_id, None)
    return [sums[id] for id in sorted(sums) if sums[id].lost or sums[id].disputed]


def _of_enterprise(tx: Transaction, enterprise_id: str, *where: ColumnElement[bool]) -> list[tuple[Booking, str]]:
    """Bookings that an enterprise sends, receives or carries, each with its carrier; at most 200, the newest."""
    mine = or_(
        _booking.sender_id == enterprise_id, _booking.receiver_id == enterprise_id, _trip.enterprise_id == enterprise_id
    )
    query = select(transport_booking, _trip.enterprise_id.label("carrier_id")).join_from(
        transport_booking, transport_trip, _trip.id == _booking.trip_id
    )
    rows = tx.all(query.where(mine, *where).order_by(_booking.delivery_at.desc(), _booking.id).limit(MOST_SHOWN))
    return [
        (Booking(**{name: value for name, value in row.items() if name != "carrier_id"}), row["carrier_id"])
        for row in reversed(rows)
    ]
