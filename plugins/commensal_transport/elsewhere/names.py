"""Names of trips, bookings and prices between instances: IRIs below the address of the instance that made them."""

from __future__ import annotations

from typing import Literal

from commensal import Transaction
from commensal_federation.messaging import Federation, Peer, Refuse

from ..bookings.bookings import Booking, booking_by_iri, find_booking

Kind = Literal["trips", "bookings", "quotes"]


def iri_of(federation: Federation, kind: Kind, id: str) -> str:
    """The IRI of a thing of ours."""
    return f"{federation.base}/-/transport/{kind}/{id}"


def own_id(federation: Federation, kind: Kind, iri: str) -> str | None:
    """The id of a thing of ours that this IRI names; None for one of somebody else."""
    front = f"{federation.base}/-/transport/{kind}/"
    return iri.removeprefix(front) if iri.startswith(front) else None


def booking_named(federation: Federation, tx: Transaction, iri: str) -> Booking | None:
    """The booking of this name, which this instance or another has given; None if it is not known here."""
    own = own_id(federation, "bookings", iri)
    return find_booking(tx, own) if own is not None else booking_by_iri(tx, iri)


def refuse_other_owner(peer: Peer, kind: Kind, iri: str) -> None:
    """Raises `Refuse` unless the IRI is one that the peer may give to a thing of its own."""
    if not iri.startswith(f"{peer.base}/-/transport/{kind}/"):
        raise Refuse("authority", f"{iri} is not yours to speak about.")
