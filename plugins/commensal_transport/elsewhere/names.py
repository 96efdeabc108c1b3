"""Names of trips, bookings and prices between instances: IRIs below the address of the instance that made them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from commensal import Instance, NotFound, Transaction
from commensal_federation.messaging import Federation, Peer, Refuse, enterprise_at, federation_of, homes_of, peers

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


# Names of other instances, for pages.


def instances_of(instance: Instance, tx: Transaction, enterprise_ids: Collection[str]) -> dict[str, str]:
    """The name of the instance of each of these enterprises that lives elsewhere."""
    homes = homes_of(federation_of(instance), tx, enterprise_ids)
    elsewhere = {id: home.peer_id for id, home in homes.items() if home.peer_id is not None}
    names = names_of(tx, set(elsewhere.values()))
    return {id: names[peer_id] for id, peer_id in elsewhere.items()}


def id_of_copy(instance: Instance, tx: Transaction, home: Instance, enterprise_id: str) -> str:
    """The id at `instance` of its copy of an enterprise that lives at `home`. Raises `NotFound`."""
    with home.store.read() as home_tx:
        iri = homes_of(federation_of(home), home_tx, [enterprise_id])[enterprise_id].iri
    copy_id = enterprise_at(federation_of(instance), tx, iri)
    if copy_id is None:
        raise NotFound
    return copy_id


def names_of(tx: Transaction, peer_ids: Collection[str]) -> dict[str, str]:
    """The names of these instances, by their ids as peers."""
    return {peer.id: peer.name for peer in peers(tx) if peer.id in peer_ids} if peer_ids else {}
