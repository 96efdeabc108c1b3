"""What jobs do between instances: tell what has changed, and ask what it costs to carry what there is to bring."""

from __future__ import annotations

from commensal import Instance, NotFound, Transaction, enterprises_using
from commensal_federation.messaging import Federation, Peer, federation_of, homes_of, post

from ..bookings.bookings import carried_keys
from ..bookings.quotes_elsewhere import FRESH, trips_to_ask
from ..trips.needs import ID, Need, needs_of
from ..trips.trips import Trip, bookable_trips
from .bodies import QuoteRequest
from .carriages import asked_carriage
from .counting import tell_counts
from .names import iri_of
from .places import ask_place
from .sending import sharing_peers, tell_order, tell_trip


def tell_peers(instance: Instance, *, trip_id: str, booking_id: str) -> None:
    federation = federation_of(instance)
    with instance.store.write() as tx:
        if trip_id:
            tell_trip(federation, tx, trip_id)
        if booking_id:
            tell_order(federation, tx, booking_id)
            tell_counts(federation, tx, booking_id)


def ask_peers(instance: Instance, enterprise_id: str | None) -> None:
    """Asks for one enterprise, or for all that use the plugin: a transaction each, so that none waits for many."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        sharing = sharing_peers(tx)
        enterprise_ids = [enterprise_id] if enterprise_id else enterprises_using(tx, ID)
    for id in enterprise_ids if sharing else ():
        with instance.store.write() as tx:
            _ask_for(federation, tx, id, sharing)


def _ask_for(federation: Federation, tx: Transaction, enterprise_id: str, sharing: list[Peer]) -> None:
    try:
        needs = needs_of(tx, federation.instance.hooks, enterprise_id)
    except NotFound:
        return
    carried = carried_keys(tx, enterprise_id)
    trips = bookable_trips(tx, but_of=enterprise_id, elsewhere=True)
    for need in needs:
        if need.closes > tx.now and need.key not in carried:
            ask_place(federation, tx, need, sharing)
            _ask_prices(federation, tx, need, trips, {peer.id for peer in sharing})


def _ask_prices(federation: Federation, tx: Transaction, need: Need, trips: list[Trip], sharing: set[str]) -> None:
    if need.home is None or need.receiver_id is None or need.destination is None:
        return
    receiver = homes_of(federation, tx, [need.receiver_id])[need.receiver_id].iri
    near = [trip for trip in trips if trip.starts_at < need.closes and trip.ends_at > need.opens]
    near = [trip for trip in near if trip.peer_id in sharing]
    carriage = asked_carriage(federation, tx, need, receiver)
    for trip, id, number in trips_to_ask(tx, need, near):
        assert trip.iri is not None
        assert trip.peer_id is not None
        request = QuoteRequest(number=number, quote=iri_of(federation, "quotes", id), trip=trip.iri, carriage=carriage)
        post(federation, tx, trip.peer_id, f"{ID}.QuoteRequest", request, expires=tx.now + FRESH)
