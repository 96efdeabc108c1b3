"""A hub that is restored to before a producer had granted it anything takes up what it had agreed to and sold."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal_federation.catalogue.grants import accept_grant, end_grant, give_grant
from commensal_federation.delivery.tables import federation_inbox
from commensal_federation.grants.questions import grants_between
from commensal_federation.leases.lender import force_return
from commensal_federation.testing import Region

from .restoring import Backup
from .trading import Hub, Producer, assert_consistent, minutes, only_order

PEERS = ("ab",)


@pytest.fixture
def before_the_grant(hub: Hub, farm: Producer, tmp_path: Path) -> Backup:
    return Backup(hub, tmp_path)


def hand_over(hub: Hub, item: str, pieces: int) -> None:
    sold = hub.order(item, pieces, "Bea")
    with hub.write() as tx:
        hand_order_over(tx, locked_order(tx, sold.id, enterprise_id=hub.id))
    minutes(hub.region, 2)


def state_of_grant(hub: Hub) -> list[str]:
    with hub.read() as tx:
        return [grant.state for grant in grants_between(tx, enterprise_id=hub.id, direction="received")]


def force(farm: Producer) -> None:
    (lease,) = farm.leases()
    with farm.write() as tx:
        force_return(farm.federation, tx, lease.id)


def refused(place: Hub | Producer) -> list[str]:
    with place.read() as tx:
        box = federation_inbox.c
        return [row["type"] for row in tx.all(select(box.type).where(box.state.in_(("dead", "parked"))))]


def assert_agree(farm: Producer, hub: Hub, *, sold: int) -> None:
    (lease_given,), (lease_held,) = farm.leases(), hub.leases()
    assert lease_given.sold == lease_held.sold == sold
    assert (lease_given.epoch, lease_given.granted, lease_given.returned) == (
        lease_held.epoch,
        lease_held.granted,
        lease_held.returned,
    )
    assert farm.lot.on_hand == 100 - sold
    assert_consistent(farm.region)


def test_a_hub_takes_up_the_grant_that_it_had_accepted_after_the_backup(
    region: Region, farm: Producer, hub: Hub, before_the_grant: Backup
) -> None:
    farm.grant(hub)
    hand_over(hub, hub.sell(farm), 3)
    before_the_grant.restore()
    minutes(region, 5)
    assert state_of_grant(hub) == ["accepted"]
    assert [listing.name for listing in hub.received(farm)] == ["Apples"]
    assert_agree(farm, hub, sold=3)
    assert (refused(hub), refused(farm)) == ([], [])
    hand_over(hub, hub.sell(farm), 2)
    minutes(region, 2)
    assert_agree(farm, hub, sold=5)


def test_what_was_sold_after_a_forced_return_under_a_forgotten_grant_is_not_on_sale_again(
    region: Region, farm: Producer, hub: Hub, before_the_grant: Backup
) -> None:
    farm.grant(hub)
    item = hub.sell(farm)
    hand_over(hub, item, 3)
    force(farm)
    minutes(region)
    hand_over(hub, item, 2)
    before_the_grant.restore()
    minutes(region, 15)
    (lease_given,), (lease_held,) = farm.leases(), hub.leases()
    assert (lease_given.epoch, lease_held.epoch) == (2, 2)
    assert lease_given.sold == lease_held.sold == 2
    assert farm.lot.on_hand == 95
    assert_consistent(region)


def test_a_forced_return_of_which_the_hub_had_not_heard_ends_its_forgotten_lease(
    region: Region, farm: Producer, hub: Hub, before_the_grant: Backup
) -> None:
    farm.grant(hub)
    hand_over(hub, hub.sell(farm), 3)
    region.cut("a", "b")
    force(farm)
    before_the_grant.restore()
    region.mend()
    minutes(region, 15)
    (lease_given,), (lease_held,) = farm.leases(), hub.leases()
    assert lease_given.epoch == lease_held.epoch == 2
    assert_consistent(region)


def test_the_order_that_a_hub_has_forgotten_with_its_grant_is_its_order_again(
    region: Region, farm: Producer, hub: Hub, before_the_grant: Backup
) -> None:
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)
    minutes(region, 5)
    before = only_order(hub)
    before_the_grant.restore()
    minutes(region, 5)
    order = only_order(hub)
    assert (order.iri, order.other_iri) == (before.iri, farm.iri)
    assert (refused(hub), refused(farm)) == ([], [])
    hub.order(hub.sell(farm), 5)
    minutes(region, 5)
    assert [line.quantity for line in only_order(farm).lines] == [5]
    assert_consistent(region)


def test_an_offer_that_the_hub_had_given_up_stays_given_up(
    region: Region, farm: Producer, hub: Hub, before_the_grant: Backup
) -> None:
    farm.grant(hub)
    (grant,) = received_grants(hub)
    with hub.write() as tx:
        end_grant(hub.federation, tx, grant)
    region.work()
    before_the_grant.restore()
    minutes(region, 5)
    assert state_of_grant(hub) == ["refused"]


def test_an_offer_after_the_one_that_was_accepted_waits_for_people(
    region: Region, farm: Producer, hub: Hub, before_the_grant: Backup
) -> None:
    grant = farm.grant(hub)
    with farm.write() as tx:
        end_grant(farm.federation, tx, grant.id)
    region.work()
    with farm.write() as tx:
        give_grant(farm.federation, tx, farm.id, region.peer("a", "b").id, hub.iri, hub.id)
    region.work()
    before_the_grant.restore()
    minutes(region, 5)
    assert state_of_grant(hub) == ["offered"]


def received_grants(hub: Hub) -> list[str]:
    with hub.read() as tx:
        return [grant.id for grant in grants_between(tx, enterprise_id=hub.id, direction="received")]


def test_an_answer_to_an_older_offer_is_none_to_the_last(region: Region, farm: Producer, hub: Hub) -> None:
    """The hub accepts while other terms are under way to it."""
    peer = region.peer("a", "b")
    with farm.write() as tx:
        offered = give_grant(farm.federation, tx, farm.id, peer.id, hub.iri, hub.id)
    region.work()
    region.cut("a", "b")
    with farm.write() as tx:
        give_grant(farm.federation, tx, farm.id, peer.id, hub.iri, hub.id, resell=True)
    (received,) = received_grants(hub)
    with hub.write() as tx:
        end_grant(hub.federation, tx, received)
    region.mend()
    minutes(region, 5)
    with farm.read() as tx:
        (grant,) = grants_between(tx, enterprise_id=farm.id, direction="given")
    assert (grant.id, grant.state, state_of_grant(hub)) == (offered.id, "offered", ["offered"])
    with hub.write() as tx:
        accept_grant(hub.federation, tx, received)
    region.work()
    with farm.read() as tx:
        (grant,) = grants_between(tx, enterprise_id=farm.id, direction="given")
    assert grant.state == "accepted"
