"""A producer whose home is gone moves with the recovery key: peers wait, and the old home may object."""

from __future__ import annotations

import pytest

from commensal import enqueue
from commensal.base.errors import SoldOut
from commensal.storage.jobs.clock import trust_clock
from commensal_federation.authority.authority import authority_of
from commensal_federation.catalogue.grants import give_grant
from commensal_federation.delivery.alerts import alerts
from commensal_federation.moving import recovering
from commensal_federation.moving.followers import FOLLOW
from commensal_federation.moving.moves import moves
from commensal_federation.moving.recovering import (
    contest,
    did_of,
    make_recovery_key,
    read_recovery_key,
    recover,
    recovery_key,
)
from commensal_federation.signing import SigningKey
from commensal_federation.testing import Region

from .moves import farm, home_of, hub, states
from .test_moving_attacks import refusal_codes
from .trading import Hub, Producer, assert_consistent, clock_of, minutes

__all__ = ["farm", "hub"]  # fixtures
PEERS = ("ab", "ac", "bc")


@pytest.fixture
def key(farm: Producer, hub: Hub) -> SigningKey:
    """The recovery key, which Ann has on paper."""
    with farm.write() as tx:
        recovery = make_recovery_key(farm.federation, tx, "farm")
    farm.region.work()
    return read_recovery_key(recovery.secret)


@pytest.fixture
def new(region: Region) -> Producer:
    """The farm as Ann has created it again on c, where she has counted thirty crates."""
    return Producer(region, "c", "farm-anew", on_hand="30")


def move_with(key: SigningKey, farm: Producer, new: Producer) -> None:
    with new.write() as tx:
        recover(new.federation, tx, new.id, farm.iri, key)
    farm.region.work()


def pass_days(region: Region, count: int) -> None:
    clock_of(region).advance(days=count)
    minutes(region, 2)


def test_the_public_half_of_the_key_is_known_to_peers_that_were_granted_something(
    farm: Producer, hub: Hub, key: SigningKey
) -> None:
    with hub.read() as tx:
        assert authority_of(tx, farm.iri).recovery_key == did_of(key)


def test_a_hub_that_is_granted_something_later_is_told_the_key_too(farm: Producer, key: SigningKey) -> None:
    shop = Hub(farm.region, "c", "shop")
    farm.grant(shop)
    with shop.read() as tx:
        assert authority_of(tx, farm.iri).recovery_key == did_of(key)


def test_a_producer_whose_home_is_gone_is_followed_after_three_days(
    farm: Producer, hub: Hub, key: SigningKey, new: Producer
) -> None:
    item = hub.sell(farm)
    hub.order(item, 3)
    minutes(farm.region, 2)
    farm.region.cut("a", "b")
    farm.region.cut("a", "c")
    move_with(key, farm, new)
    assert (states(farm.region)["b"], home_of(hub)) == (["following quarantined"], [farm.iri])
    with pytest.raises(SoldOut):
        hub.order(item, 1)
    pass_days(farm.region, 2)
    assert home_of(hub) == [farm.iri]
    pass_days(farm.region, 1)
    assert (states(farm.region)["b"], home_of(hub)) == (["following followed"], [new.iri])
    assert hub.leases() == []
    with new.write() as tx:  # the hub has taken that long ago
        give_grant(new.federation, tx, new.id, farm.region.peer("c", "b").id, hub.iri, "hub")
    farm.region.work()
    (listing,) = hub.received(new)
    assert (listing.name, listing.left) == ("Apples", 30)
    assert_consistent(farm.region)


def test_a_quarantine_does_not_end_while_the_clock_is_in_doubt(
    farm: Producer, hub: Hub, key: SigningKey, new: Producer
) -> None:
    move_with(key, farm, new)
    minutes(farm.region)
    clock_of(farm.region).advance(days=10)
    with hub.write() as tx:
        (move_row,) = moves(tx, role="following", states=("quarantined",))
        enqueue(tx, FOLLOW, {"move": move_row.id})  # as in the minute before the jump
    farm.region.work()
    assert states(farm.region)["b"] == ["following quarantined"]
    with hub.write() as tx:
        trust_clock(tx, vouched=True)
    minutes(farm.region, 2)
    assert states(farm.region)["b"] == ["following followed"]


def test_the_old_home_is_told_and_can_object(farm: Producer, hub: Hub, key: SigningKey, new: Producer) -> None:
    item = hub.sell(farm)
    minutes(farm.region, 2)
    move_with(key, farm, new)
    with farm.read() as tx:
        assert "move" in [alert.kind for alert in alerts(tx)]
    with farm.write() as tx:
        contest(farm.federation, tx, farm.iri, new.iri)
    pass_days(farm.region, 0)
    hub.order(item, 5)
    pass_days(farm.region, 4)
    assert (states(farm.region)["b"], home_of(hub)) == (["following contested"], [farm.iri])


def test_the_key_can_object_too_and_what_is_contested_is_not_begun_again(
    farm: Producer, hub: Hub, key: SigningKey, new: Producer
) -> None:
    thief_key = key  # a copy of the paper
    move_with(thief_key, farm, new)
    with new.write() as tx:
        contest(new.federation, tx, farm.iri, new.iri, key=key)
    farm.region.work()
    pass_days(farm.region, 4)
    assert (states(farm.region)["b"], home_of(hub)) == (["following contested"], [farm.iri])


def test_somebody_else_cannot_object(farm: Producer, hub: Hub, key: SigningKey, new: Producer) -> None:
    move_with(key, farm, new)
    with new.write() as tx:
        contest(new.federation, tx, farm.iri, new.iri, key=recovery_key())
    farm.region.work()
    assert (refusal_codes(hub), states(farm.region)["b"]) == (["recovery_key"], ["following quarantined"])


def test_nobody_moves_it_with_another_key(farm: Producer, hub: Hub, key: SigningKey, new: Producer) -> None:
    move_with(recovery_key(), farm, new)
    assert (refusal_codes(hub), states(farm.region)["b"]) == (["recovery_key"], [])


def test_without_the_check_of_the_key_anybody_could(
    farm: Producer, hub: Hub, key: SigningKey, new: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "refuse_other_key", lambda document, did, now: None)
    move_with(recovery_key(), farm, new)
    pass_days(farm.region, 3)
    assert home_of(hub) == [new.iri]


def test_nobody_moves_an_enterprise_that_has_no_key(farm: Producer, hub: Hub, new: Producer) -> None:
    move_with(recovery_key(), farm, new)
    assert (refusal_codes(hub), states(farm.region)["b"]) == (["recovery_key"], [])
