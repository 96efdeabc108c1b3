"""Where hubs of other instances are, and when they take goods in: asked of their homes by whoever supplies them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, select, update

from commensal import Invalid, NotFound, Transaction, enqueue, enterprises_by_id, plugin_settings
from commensal.enterprises import change_enterprise
from commensal_federation.messaging import Federation, Peer, Received, Refuse, copy_of_partner, enterprise_at, homes_of

from ..news import ASK
from ..settings import Settings
from ..tables import transport_place
from ..trips.needs import ID, Need
from .bodies import PlaceAnswer, PlaceRequest
from .sending import send

STALE = timedelta(days=7)  # then a place is asked for again
AGAIN = timedelta(hours=1)  # so long an answer is waited for

_place = transport_place.c


def ask_place(federation: Federation, tx: Transaction, need: Need, sharing: list[Peer]) -> None:
    """Asks the home of the need's receiver for its place, if that lives elsewhere and has not told it lately."""
    if not need.receiver_iri:
        return
    peer = next((peer for peer in sharing if need.receiver_iri.startswith(f"{peer.base}/")), None)
    if peer is None:
        return
    receiver_id = need.receiver_id or copy_of_partner(federation, tx, peer, need.receiver_iri, need.shop)
    row = tx.first(select(transport_place).where(_place.enterprise_id == receiver_id))
    if row is None:
        values = {"hours": Settings.reception_hours, "heard": 0, "asked_at": tx.now}
        tx.execute(insert(transport_place).values(enterprise_id=receiver_id, **values))
    elif row["asked_at"] <= tx.now < row["asked_at"] + (STALE if row["heard"] else AGAIN):
        return
    else:
        tx.execute(update(transport_place).where(_place.enterprise_id == receiver_id).values(asked_at=tx.now))
    request = PlaceRequest(number=1, enterprise=need.receiver_iri)
    send(federation, tx, peer, "PlaceRequest", receiver_id, request, again=True)


def handle_place_request(federation: Federation, tx: Transaction, received: Received[PlaceRequest]) -> None:
    """Answers where a hub of ours is, if it uses the plugin."""
    hub_id = enterprise_at(federation, tx, received.body.enterprise)
    hub = enterprises_by_id(tx, [hub_id])[hub_id] if hub_id else None
    if hub is None or not hub.is_hub or homes_of(federation, tx, [hub.id])[hub.id].peer_id is not None:
        raise Refuse("place", "There is no such hub here.")
    try:
        hours = plugin_settings(tx, federation.instance.hooks, hub.id, ID, Settings).reception_hours
    except NotFound:
        raise Refuse("place", "That hub shares no transport.") from None
    answer = PlaceAnswer(
        number=1,
        enterprise=received.body.enterprise,
        name=hub.name,
        latitude=hub.latitude,
        longitude=hub.longitude,
        street=hub.street,
        postcode=hub.postcode,
        city=hub.city,
        hours=hours,
    )
    send(federation, tx, received.peer, "PlaceAnswer", hub.id, answer, again=True)


def handle_place_answer(federation: Federation, tx: Transaction, received: Received[PlaceAnswer]) -> None:
    answer, peer = received.body, received.peer
    hub_id = enterprise_at(federation, tx, answer.enterprise)
    row = tx.first(select(transport_place).where(_place.enterprise_id == hub_id)) if hub_id else None
    if hub_id is None or row is None or homes_of(federation, tx, [hub_id])[hub_id].peer_id != peer.id:
        raise Refuse("place", "You were not asked that.")
    if answer.number <= row["heard"]:
        return
    hub = enterprises_by_id(tx, [hub_id])[hub_id]
    try:
        change_enterprise(
            tx,
            hub.id,
            hub.version,
            name=answer.name,
            latitude=answer.latitude,
            longitude=answer.longitude,
            street=answer.street,
            postcode=answer.postcode,
            city=answer.city,
        )
    except Invalid as error:
        raise Refuse("object", f"That place cannot be: {error}") from error
    values = {"hours": answer.hours, "heard": answer.number}
    tx.execute(update(transport_place).where(_place.enterprise_id == hub_id).values(values))
    enqueue(tx, ASK, {})
