"""Attacks by those who speak for an enterprise that is not theirs, or no longer theirs: 34 and 38 of the list.

Each is followed by a canary: the attack succeeds without the defence.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from commensal.catalogs.offers import set_price
from commensal.storage.jobs.clock import trust_clock
from commensal.testing.placed import a_shop
from commensal_federation.authority.authority import set_authority
from commensal_federation.catalogue import copies, grants
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.dfc.iris import item_iri
from commensal_federation.dfc.vocabulary import DfcEnterprise
from commensal_federation.handlers import TYPES
from commensal_federation.messages.catalogue import CatalogueWithdraw, GrantOffer, WithdrawnItem
from commensal_federation.messages.moving import Move, MoveOffer
from commensal_federation.messages.types import Reading
from commensal_federation.moving import followers
from commensal_federation.moving.moves import find_move
from commensal_federation.testing import Region

from .moves import farm, home_of, hub, move, say, states
from .trading import Hub, Place, Producer, clock_of, minutes

__all__ = ["farm", "hub"]  # fixtures
PEERS = ("ab", "ac", "bc")


@pytest.fixture
def decoy(region: Region) -> Place:
    """An enterprise of c that pretends to be the farm."""
    place = Place(region, "c", "decoy")
    with place.write() as tx:
        a_shop(tx, "decoy", name="decoy")
    return place


def refusal_codes(hub: Hub) -> list[str]:
    """The codes with which b refused messages."""
    box = federation_inbox.c
    with hub.read() as tx:
        dead = tx.all(select(box.error).where(box.state == "dead").order_by(box.received_at, box.id))
    return [row["error"].partition(":")[0] for row in dead]


def offer_again(farm: Producer, hub: Hub) -> None:
    """Sends what the old home, or the holder of its keys, would send to get the hub back."""
    body = GrantOffer(
        grantor=DfcEnterprise(iri=farm.iri, name="farm"),
        hub=hub.iri,
        currency="EUR",
        language="en",
        timezone="Europe/Paris",
        resell=False,
        includes_vat=True,
    )
    say(farm.region, "a", "b", "GrantOffer", body)


def withdraw(farm: Producer, hub: Hub, rev: int) -> None:
    body = CatalogueWithdraw(
        grantor=farm.iri, hub=hub.iri, items=(WithdrawnItem(item_iri(farm.federation.base, farm.item), rev),)
    )
    say(farm.region, "a", "b", "CatalogueWithdraw", body)


def test_34_an_older_word_after_a_newer_one(farm: Producer, hub: Hub) -> None:
    with farm.write() as tx:
        set_price(tx, "farm", farm.item, 2200)  # revision 2
    farm.region.work()
    withdraw(farm, hub, 1)
    withdraw(farm, hub, 2)
    assert [listing.price for listing in hub.received(farm)] == [2200]
    withdraw(farm, hub, 3)  # a newer revision counts
    assert hub.received(farm) == []


def speak_for_others(farm: Producer, hub: Hub) -> None:
    """An instance that was granted goods sends the farm's items, cheaper, as if they were its own."""
    other_producer = Producer(farm.region, "c", "other")
    other_producer.grant(hub)
    (upsert,) = [
        TYPES["CatalogueUpsert"].read(
            json.loads(row["body"])["object"], Reading("https://b.example", other_producer.iri)
        )
        for row in _outbox(other_producer, "CatalogueUpsert")
    ]
    (item,) = upsert.items
    base = farm.federation.base
    forged_item = replace(item, item=replace(item.item, iri=item_iri(base, farm.item)), rev=9)
    forged_item = replace(forged_item, offer=replace(item.offer, item=forged_item.item.iri))
    say(farm.region, "c", "b", "CatalogueUpsert", replace(upsert, items=(forged_item,)))


def _outbox(place: Place, type: str) -> Any:
    with place.read() as tx:
        return tx.all(select(federation_outbox.c.body).where(federation_outbox.c.type == type))


def test_34_an_instance_that_is_not_the_authority_tells_of_an_item(farm: Producer, hub: Hub) -> None:
    speak_for_others(farm, hub)
    assert refusal_codes(hub) == ["authority"]


def test_34_without_that_check_it_would_be_listed(farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_refuse_foreign", lambda peer, items: None)
    speak_for_others(farm, hub)
    assert refusal_codes(hub) == []


def test_34_the_old_home_speaks_after_the_move(farm: Producer, hub: Hub) -> None:
    new_farm = move(farm)
    offer_again(farm, hub)
    assert refusal_codes(hub) == ["moved"]
    assert home_of(hub) == [new_farm.iri]


def test_34_without_the_fence_the_old_home_would_be_believed(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "refuse_moved", lambda tx, iri: None)
    new_farm = move(farm)
    offer_again(farm, hub)
    assert sorted(home_of(hub)) == [farm.iri, new_farm.iri]


def test_38_a_move_of_before_is_said_once_more(farm: Producer, hub: Hub) -> None:
    old_move = _move_there_and_back(farm)
    say(farm.region, "a", "b", "Move", old_move)
    assert refusal_codes(hub) == ["old_epoch"]
    assert states(farm.region)["b"] == ["following followed", "following followed"]


def test_38_an_epoch_far_ahead_is_refused_and_the_next_one_counts(farm: Producer, hub: Hub) -> None:
    """Taken, it would be the last: no later move could have a higher one, and go on being written."""
    far = 2**53 - 1
    say(farm.region, "a", "c", "MoveOffer", MoveOffer(enterprise=farm.iri, name="farm", products=1, epoch=far))
    assert states(farm.region)["c"] == []
    say(farm.region, "a", "b", "Move", Move(enterprise=farm.iri, moved_to=decoy_iri(farm), epoch=far))
    assert (states(farm.region)["b"], refusal_codes(hub)) == ([], ["leap"])
    moved = move(farm)
    assert home_of(hub) == [moved.iri]


def decoy_iri(farm: Place) -> str:
    return Place(farm.region, "c", "decoy").iri


def test_38_without_epochs_it_would_be_looked_into_again(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_move = _move_there_and_back(farm)
    monkeypatch.setattr(followers, "refuse_old_epoch", lambda tx, iri, epoch: None)
    say(farm.region, "a", "b", "Move", old_move)
    assert states(farm.region)["b"] == ["following followed", "following followed", "following heard"]


def _move_there_and_back(farm: Producer) -> Move:
    """Returns the first of two moves, after which the farm is back at its old home."""
    new_farm = move(farm)
    move(new_farm, to="a")
    return Move(enterprise=farm.iri, moved_to=new_farm.iri, epoch=2)


def claim_from_old_side(farm: Producer, decoy: Place) -> Move:
    """The old home claims, also in its document, that the farm is now the decoy. The decoy does not claim it."""
    with farm.write() as tx:
        set_authority(tx, farm.iri, epoch=2, moved_to=decoy.iri)
    move = Move(enterprise=farm.iri, moved_to=decoy.iri, epoch=2)
    say(farm.region, "a", "b", "Move", move)
    minutes(farm.region, 2)
    return move


def test_38_a_move_that_the_new_home_does_not_return(farm: Producer, hub: Hub, decoy: Place) -> None:
    claimed_move = claim_from_old_side(farm, decoy)
    assert (states(farm.region)["b"], home_of(hub)) == (["following heard"], [farm.iri])
    with hub.write() as tx:
        following: Any = find_move(tx, "following", ("heard",), iri=claimed_move.enterprise)
    assert following.error == "the new home's document does not say that it came from there"
    clock_of(farm.region).advance(days=1)
    minutes(farm.region, 2)
    assert (states(farm.region)["b"], home_of(hub)) == (["following refused"], [farm.iri])


def test_a_move_is_not_refused_while_the_clock_is_in_doubt(farm: Producer, hub: Hub, decoy: Place) -> None:
    claim_from_old_side(farm, decoy)
    clock_of(farm.region).advance(days=10)
    minutes(farm.region, 2)
    assert (states(farm.region)["b"], home_of(hub)) == (["following heard"], [farm.iri])
    with hub.write() as tx:
        trust_clock(tx, vouched=True)
    minutes(farm.region, 2)
    assert states(farm.region)["b"] == ["following refused"]


def test_38_without_the_new_homes_document_the_hub_would_be_sent_anywhere(
    farm: Producer, hub: Hub, decoy: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "refuse_unreturned", lambda move, new: None)
    claim_from_old_side(farm, decoy)
    assert home_of(hub) == [decoy.iri]


def claim_from_new_side(farm: Producer, decoy: Place) -> None:
    """The new side alone claims, also in its document, that the decoy is now the farm."""
    with decoy.write() as tx:
        set_authority(tx, decoy.iri, epoch=2, came_from=farm.iri)
    say(farm.region, "c", "b", "Move", Move(enterprise=farm.iri, moved_to=decoy.iri, epoch=2))
    minutes(farm.region, 2)


def test_38_a_move_that_only_the_new_side_has_signed(farm: Producer, hub: Hub, decoy: Place) -> None:
    claim_from_new_side(farm, decoy)
    assert (refusal_codes(hub), states(farm.region)["b"], home_of(hub)) == (["one_side"], [], [farm.iri])


def test_38_without_both_signatures_anybody_could_take_a_producer(
    farm: Producer, hub: Hub, decoy: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "refuse_one_side", lambda peer, move: None)
    claim_from_new_side(farm, decoy)
    assert home_of(hub) == [farm.iri]  # the old home's document does not agree
    monkeypatch.setattr(followers, "refuse_disagreement", lambda move, old, new: None)
    minutes(farm.region, 2)
    assert home_of(hub) == [decoy.iri]
