"""The code that a receiver shows when its goods come, which the sender's home gives to the receiver's, and to no other.

It stands in no message: the carrier's home reads its hash in the order, and the code itself when it has been shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from sqlalchemy import select

from commensal import Instance, NotFound, Transaction
from commensal_federation.messaging import (
    Federation,
    Peer,
    PeerDocument,
    Unreachable,
    Unreadable,
    federation_of,
    fetch_document,
    homes_of,
    peer_by_id,
)

from ..bookings.bookings import Booking, find_booking
from ..bookings.codes import codes_of, digest_of, keep_code
from ..bookings.states import REACHABLE
from ..news import ask_contacts
from ..tables import transport_booking, transport_code
from ..trips.needs import ID
from .codec import read_answer
from .names import own_id
from .sending import SCOPE

TO_COME = ("ordered", "confirmed", "picked_up")
"""In these, the goods are still to be delivered. A sender's home may hear of the confirmation after the receiver's."""
AT_ONCE = 500  # bookings whose codes are asked for by one run

_booking, _code = transport_booking.c, transport_code.c


def write_code(federation: Federation, tx: Transaction, peer: Peer, about: str) -> dict[str, object]:
    """The code of goods that a sender of ours sends to a receiver of this peer. Raises `NotFound`."""
    own = own_id(federation, "bookings", about)
    booking = find_booking(tx, own) if own is not None else None
    if booking is None or booking.state not in TO_COME or _home_of(federation, tx, booking.receiver_id) != peer.id:
        raise NotFound
    code = codes_of(tx, [booking.id]).get(booking.id, {}).get("deliver")
    if code is None or code.secret is None:
        raise NotFound
    return {"booking": about, "delivery": code.secret}


CODE = f"{ID}.Code"
DOCUMENT = PeerDocument(scope=SCOPE, write=write_code)


@dataclass(frozen=True)
class _Code:
    booking: str
    delivery: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


def ask_missing(instance: Instance) -> None:
    """Has the codes fetched of goods that come to enterprises of ours, where they are missing."""
    federation = federation_of(instance)
    known = select(_code.booking_id).where(
        _code.booking_id == _booking.id, _code.step == "deliver", _code.secret.is_not(None)
    )
    query = select(_booking.id).where(_booking.iri.is_not(None), _booking.state.in_(TO_COME), ~known.exists())
    with instance.store.write() as tx:
        query = query.where(_booking.delivery_at > tx.now - REACHABLE)
        for row in tx.all(query.order_by(_booking.delivery_at.desc(), _booking.id).limit(AT_ONCE)):
            if _asked_of(federation, tx, find_booking(tx, row["id"])) is not None:
                ask_contacts(tx, row["id"])


def fetch_code(instance: Instance, booking_id: str) -> None:
    """Asks the sender's home. If it cannot be reached, or answers something else, `ask_missing` asks it again."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        booking = find_booking(tx, booking_id)
        peer_id = _asked_of(federation, tx, booking)
        peer = peer_by_id(tx, peer_id) if peer_id is not None else None
    if booking is None or peer is None or booking.iri is None:
        return
    try:
        secret = read_delivery_code(fetch_document(federation, peer, CODE, booking.iri), booking.iri)
    except (Unreachable, Unreadable):
        return
    if secret is not None:
        with instance.store.write() as tx:
            keep_code(tx, booking.id, "deliver", digest_of(secret), secret)


def read_delivery_code(document: object, iri: str) -> str | None:
    """What a home has answered about this booking; None if it gives none or answers something else."""
    answer = read_answer(document, _Code)
    return answer.delivery if answer is not None and answer.booking == iri else None


def _asked_of(federation: Federation, tx: Transaction, booking: Booking | None) -> str | None:
    """The peer that has the code of goods which come to an enterprise of ours; None if it is not needed."""
    if booking is None or booking.iri is None or booking.is_own or booking.state not in TO_COME:
        return None
    code = codes_of(tx, [booking.id]).get(booking.id, {}).get("deliver")
    if (code is not None and code.secret is not None) or _home_of(federation, tx, booking.receiver_id) is not None:
        return None
    return _home_of(federation, tx, booking.sender_id)


def _home_of(federation: Federation, tx: Transaction, enterprise_id: str) -> str | None:
    return homes_of(federation, tx, [enterprise_id])[enterprise_id].peer_id
