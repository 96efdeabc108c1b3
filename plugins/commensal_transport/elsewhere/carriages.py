"""What is to be carried, between a need here and what messages say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from commensal import Enterprise, NotFound, Transaction, enterprises_by_id, plugin_settings
from commensal_federation.messaging import Federation, Home, enterprise_at, homes_of

from ..bookings.bookings import Booking
from ..costs.law import Party
from ..places.roads import roads_around
from ..settings import Settings
from ..trips.needs import ID, Need, SaleKey, need_by_key, point_of
from ..trips.trips import refusal
from .bodies import Carriage


def carriage_of(federation: Federation, tx: Transaction, booking: Booking, homes: Mapping[str, Home]) -> Carriage:
    """What a booking of ours with a trip elsewhere asks for; where its goods are loaded is told exactly.

    Raises `NotFound` if its sale is over.
    """
    hooks = federation.instance.hooks
    need = need_by_key(tx, hooks, booking.sender_id, booking.key)
    rounded = asked_carriage(federation, tx, need, homes[booking.receiver_id].iri)
    assert need.home is not None
    return replace(
        rounded,
        crates=booking.crates,
        kg=booking.kg,
        keeping=booking.keeping,
        own_boxes=booking.own_boxes,
        most=booking.most,
        latitude=need.home.latitude,
        longitude=need.home.longitude,
    )


def asked_carriage(federation: Federation, tx: Transaction, need: Need, receiver: str) -> Carriage:
    """What a need asks for, with its place rounded: a price binds nobody, so nobody needs the exact one.

    Raises `NotFound` if its sender does not use the plugin any more.
    """
    party = plugin_settings(tx, federation.instance.hooks, need.sender_id, ID, Settings).party
    sender = enterprises_by_id(tx, [need.sender_id])[need.sender_id]
    assert need.home is not None
    place = need.home.rounded()
    return Carriage(
        sender=homes_of(federation, tx, [sender.id])[sender.id].iri,
        sender_name=sender.name,
        is_farm=party.is_farm,
        group=party.group,
        contract=party.contract,
        receiver=receiver,
        crates=need.crates,
        kg=need.kg,
        keeping=need.keeping,
        own_boxes=need.own_boxes,
        latitude=place.latitude,
        longitude=place.longitude,
        opens=need.opens,
        closes=need.closes,
        most=need.most,
    )


def party_of(carriage: Carriage) -> Party:
    return Party(is_farm=carriage.is_farm, group=carriage.group.strip(), contract=carriage.contract.strip())


def need_from(federation: Federation, tx: Transaction, carriage: Carriage, sender_id: str, key: SaleKey) -> Need:
    """A carriage that a peer asks for, as a need. Its receiver names a place that its own home has published, so that
    nobody sends a van to a stranger's address. Raises `Conflict` with the code "place"."""
    receiver_id = enterprise_at(federation, tx, carriage.receiver)
    receiver = enterprises_by_id(tx, [receiver_id])[receiver_id] if receiver_id else None
    if receiver is None or not _takes_goods_in(federation, tx, receiver):
        raise refusal("place")
    return Need(
        key=key,
        sender_id=sender_id,
        receiver_id=receiver.id,
        home=carriage.home,
        destination=point_of(receiver),
        sale="",
        shop=receiver.name,
        crates=carriage.crates,
        kg=carriage.kg,
        keeping=carriage.keeping,
        own_boxes=carriage.own_boxes,
        opens=carriage.opens,
        closes=carriage.closes,
        most=carriage.most,
        roads=roads_around(tx, federation.instance.hooks, [carriage.home]),
    )


def _takes_goods_in(federation: Federation, tx: Transaction, receiver: Enterprise) -> bool:
    """A hub of this instance that uses the plugin, or one elsewhere whose place its home has told."""
    if homes_of(federation, tx, [receiver.id])[receiver.id].peer_id is not None:
        return receiver.latitude is not None
    try:
        plugin_settings(tx, federation.instance.hooks, receiver.id, ID, Settings)
    except NotFound:
        return False
    return receiver.is_hub
