"""An instance that is restored to before it knew a peer takes the trade up with it again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from commensal_federation.peering.inviting import accept, invite
from commensal_federation.peering.requests import receive_request
from commensal_federation.peers.peers import SCOPES
from commensal_federation.peers.tables import federation_peer
from commensal_federation.testing import Region

from .conftest import NewRegion
from .restoring import Backup
from .test_restored_lots import alert_kinds, sells
from .trading import Hub, Producer, assert_consistent, minutes, only_order


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    return new_region("a", "b", "c", friends=("ac",))


@pytest.fixture
def item(region: Region, farm: Producer, hub: Hub, backup: Backup) -> str:
    """What the hub sells of the producer, of which it has sold forty by then."""
    region.befriend("a", "b")
    farm.grant(hub)
    item = hub.sell(farm)
    hub.order(item, 40)
    minutes(region, 3)
    return item


@pytest.fixture
def backup(farm: Producer, tmp_path: Path) -> Backup:
    return Backup(farm, tmp_path)


def invite_again(region: Region, name: str, other: str) -> None:
    invite(region[name], region[other].base, SCOPES)
    region.work()
    minutes(region, 15)


def test_the_goods_of_who_does_not_know_us_any_more_are_off_sale(
    region: Region, farm: Producer, hub: Hub, backup: Backup, item: str
) -> None:
    backup.restore()
    assert sells(hub, item, 1), "of what it holds, since it has heard nothing yet"
    minutes(region, 3)
    assert not sells(hub, item, 1)
    assert alert_kinds(hub) == {"refused"}


def test_a_producer_takes_up_leases_and_orders_of_a_hub_that_it_had_forgotten(
    region: Region, farm: Producer, hub: Hub, backup: Backup, item: str
) -> None:
    backup.restore()
    sells(hub, item, 1)
    minutes(region, 3)
    invite_again(region, "a", "b")
    (lease_given,), (lease_held,) = farm.leases(), hub.leases()
    assert lease_given.held == lease_held.held >= 41
    assert farm.lot.free == 100 - lease_given.held
    assert [line.quantity for line in only_order(farm).lines] == [41]
    assert "dead_letter" not in alert_kinds(hub) | alert_kinds(farm)
    assert sells(hub, item, 1)
    assert_consistent(region)


def test_a_hub_takes_up_its_leases_of_a_producer_that_it_had_forgotten(
    region: Region, farm: Producer, hub: Hub, tmp_path: Path
) -> None:
    backup = Backup(hub, tmp_path)
    region.befriend("a", "b")
    farm.grant(hub)
    hub.order(hub.sell(farm), 40)
    minutes(region, 3)
    backup.restore()
    invite_again(region, "b", "a")
    assert [listing.name for listing in hub.received(farm)] == ["Apples"]
    (lease_given,), (lease_held,) = farm.leases(), hub.leases()
    assert (lease_given.granted, lease_given.held, lease_given.returned) == (
        lease_held.granted,
        lease_held.held,
        lease_held.returned,
    )
    assert only_order(hub).iri == only_order(farm).iri
    assert_consistent(region)
    assert sells(hub, hub.sell(farm), 3)


def test_an_invitation_that_is_accepted_after_a_restore_leads_to_trade(
    region: Region, farm: Producer, hub: Hub, tmp_path: Path
) -> None:
    """The numbers of the one that invited count anew since then."""
    invite(region["a"], region["b"].base, SCOPES)
    region.work()
    Backup(farm, tmp_path).restore()
    minutes(region, 2)
    accept(region["b"], region.peer("b", "a").id, SCOPES)
    minutes(region, 2)
    farm.grant(hub)
    assert sells(hub, hub.sell(farm), 3)
    assert alert_kinds(farm) == set()


def test_a_request_that_led_to_the_agreement_changes_nothing_when_it_comes_again(region: Region, hub: Hub) -> None:
    """Somebody has recorded it."""
    region.befriend("a", "b")
    row = federation_peer.c
    with hub.read() as tx:
        before = tx.one(select(row.request, row.version))
    receipt = receive_request(region["b"], before["request"].encode(), "192.0.2.1")
    assert (receipt.status, receipt.code) == (200, "known")
    with hub.read() as tx:
        assert tx.one(select(row.request, row.version)) == before
