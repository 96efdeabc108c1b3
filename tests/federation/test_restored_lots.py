"""After a restore, nothing of a lot is sold or lent until every possible holder has reported what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import insert

from commensal import Conflict, Refused
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.sale_sessions.tables import session_item
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.work import start
from commensal_federation.leases.holder import give_back
from commensal_federation.leases.row import holdings_of
from commensal_federation.peering.deciding import go_on_without
from commensal_federation.testing import Region

from .conftest import NewRegion
from .restoring import Backup
from .test_waiting_customers import cancel, refusal
from .trading import Hub, Place, Producer, assert_consistent, minutes, region_of_peers

PEERS = ("ab", "ac")


def sells(hub: Hub, item: str, pieces: int) -> bool:
    try:
        hub.order(item, pieces)
    except Refused:
        return False
    return True


def test_what_a_hub_was_granted_after_the_backup_is_sold_to_nobody_else(
    region: Region, farm: Producer, near: Hub, far: Hub, tmp_path: Path
) -> None:
    near_item, far_item = near.sell(farm), far.sell(farm)
    backup = Backup(farm, tmp_path)
    assert sells(near, near_item, 40)
    region.cut("a", "b")
    backup.restore()
    minutes(region, 2)
    assert not sells(far, far_item, 30), "nobody knows what the hub that is cut off holds"
    region.mend()
    minutes(region, 5)
    assert sells(far, far_item, 10)
    assert farm.lot.free + farm.lot.lent == 100
    assert_consistent(region)


def place_own(farm: Producer, pieces: int) -> None:
    """A shopper orders in the producer's own sale. Raises `Refused`."""
    wish = Wish(items={farm.item: pieces}, name="Cyd", email="cyd@example.org", language="en")
    farm.instance.transact(lambda tx: place_order(tx, farm.instance.hooks, f"{farm.id}-session", wish))


def shopper_orders(farm: Producer, pieces: int) -> bool:
    """Returns whether a shopper's order in the producer's own sale is placed."""
    try:
        place_own(farm, pieces)
    except Refused:
        return False
    return True


def open_own_sale(farm: Producer) -> None:
    with farm.write() as tx:
        tx.execute(insert(session_item).values(session_id=f"{farm.id}-session", item_id=farm.item))


def alert_kinds(place: Place) -> set[str]:
    with place.read() as tx:
        return {alert.kind for alert in alerts(tx)}


def test_the_producers_own_shop_waits_too_from_the_start_on(
    region: Region, farm: Producer, near: Hub, tmp_path: Path
) -> None:
    """Also before any job has run: the instance checks when it begins to serve."""
    item = near.sell(farm)
    open_own_sale(farm)
    backup = Backup(farm, tmp_path)
    assert sells(near, item, 40)
    region.cut("a", "b")
    backup.restore()
    start(farm.federation)
    assert not shopper_orders(farm, 1)
    minutes(region, 2)
    assert not shopper_orders(farm, 1)
    assert "barrier" in alert_kinds(farm)
    region.mend()
    minutes(region, 5)
    assert shopper_orders(farm, 1)
    assert not shopper_orders(farm, 60)


def test_nobody_reads_sold_out_of_goods_that_a_restored_producer_counts_again(
    region: Region, farm: Producer, near: Hub, far: Hub, tmp_path: Path
) -> None:
    near_item, far_item = near.sell(farm), far.sell(farm)
    open_own_sale(farm)
    backup = Backup(farm, tmp_path)
    assert sells(near, near_item, 40)
    region.cut("a", "b")
    backup.restore()
    minutes(region, 2)
    assert refusal(far, far_item, 30) == "unreachable"
    assert refusal(far, far_item, 30) == "unreachable", "the next customer reads the same, without another question"
    with pytest.raises(Conflict, match="Apples is being counted after a restore"):
        place_own(farm, 1)
    region.mend()
    minutes(region, 5)
    assert refusal(far, far_item, 10) == ""
    assert refusal(far, far_item, 60) == "sold_out", "what is counted again is said as before"
    assert_consistent(region)


@dataclass(frozen=True)
class CountedChain:
    """A restored farm that counts its goods again, since `near` is cut off; `middle` resells them to `last`."""

    farm: Producer
    middle: Hub
    resold: Producer
    last: Hub
    item: str

    def near_answers(self) -> None:
        self.farm.region.mend()
        minutes(self.farm.region, 6)


@pytest.fixture
def counted(new_region: NewRegion, tmp_path: Path) -> CountedChain:
    region = region_of_peers(new_region, "ab", "ac", "cd")
    farm, near, middle = Producer(region, "a"), Hub(region, "b", "near"), Hub(region, "c", "middle")
    last = Hub(region, "d", "last")
    farm.grant(near)
    farm.grant(middle, resell=True)
    near_item = near.sell(farm)
    resold = middle.as_producer(farm)
    resold.grant(last)
    item = last.sell(resold)
    minutes(region)
    backup = Backup(farm, tmp_path)
    assert sells(near, near_item, 40)
    region.cut("a", "b")
    backup.restore()
    minutes(region, 2)
    assert refusal(last, item, 30) == "unreachable"
    return CountedChain(farm, middle, resold, last, item)


def test_a_reseller_passes_on_that_the_producer_counts_again(counted: CountedChain) -> None:
    assert refusal(counted.last, counted.item, 30) == "unreachable"
    counted.near_answers()
    assert refusal(counted.last, counted.item, 10) == ""


def test_pages_of_hubs_show_what_may_be_had_once_a_producer_has_counted(counted: CountedChain) -> None:
    """Nobody has to order first: behind a reseller neither."""
    assert counted.last.lot(counted.resold).beyond == 0
    counted.near_answers()
    assert counted.middle.lot(counted.farm).beyond >= 40
    assert counted.last.lot(counted.resold).beyond >= 40


def test_a_person_goes_on_without_a_peer_and_hears_what_is_promised_twice(
    region: Region, farm: Producer, near: Hub, tmp_path: Path
) -> None:
    item = near.sell(farm)
    open_own_sale(farm)
    backup = Backup(farm, tmp_path)
    assert sells(near, item, 40)
    region.cut("a", "b")
    backup.restore()
    minutes(region, 2)
    with farm.write() as tx:
        go_on_without(tx, region.peer("a", "b").id)
    assert shopper_orders(farm, 70)
    region.mend()
    minutes(region, 5)
    assert "overlent" in alert_kinds(farm)
    (lease,) = farm.leases()
    assert lease.granted >= 40
    assert_consistent(region)


def test_nobody_hears_that_goods_are_promised_twice_which_a_hub_had_given_back(
    region: Region, farm: Producer, near: Hub, tmp_path: Path
) -> None:
    """It was granted more since the backup than there is, but never at once."""
    item = near.sell(farm)
    minutes(region)
    backup = Backup(farm, tmp_path)
    for _ in range(3):
        cancel(near, near.order(item, 45).id)
        with near.write() as tx:
            (holding,) = holdings_of(tx, [near.lot(farm).id])
            give_back(near.federation, tx, holding, holding.free)
        region.work()
    backup.restore()
    minutes(region, 6)
    assert "overlent" not in alert_kinds(farm)
    assert [int(lease.out) for lease in farm.leases()] == [int(near.lot(farm).free)]
    assert farm.lot.on_hand == 100
    assert_consistent(region)


def test_what_a_restored_hub_gave_back_after_the_backup_is_not_sold_by_it(
    region: Region, farm: Producer, near: Hub, tmp_path: Path
) -> None:
    item = near.sell(farm)
    minutes(region)
    held_units = int(near.lot(farm).free)
    assert held_units > 0
    backup = Backup(near, tmp_path)
    with near.write() as tx:
        (holding,) = holdings_of(tx, [near.lot(farm).id])
        give_back(near.federation, tx, holding, holding.free)
    region.work()
    region.cut("a", "b")
    backup.restore()
    start(near.federation)
    assert near.lot(farm).free == held_units, "as the backup has it"
    assert not sells(near, item, 1)
    region.mend()
    minutes(region, 3)
    assert sells(near, item, 1)
    assert_consistent(region)


def test_a_machine_that_was_rolled_back_hears_of_it_when_it_starts(
    region: Region, farm: Producer, near: Hub, tmp_path: Path
) -> None:
    item = near.sell(farm)
    backup = Backup(farm, tmp_path)
    assert sells(near, item, 40)
    region.work()
    backup.restore(with_marker=False)
    start(farm.federation)
    region.work()
    assert farm.leases()[0].granted >= 40
    assert alert_kinds(near) == {"restored"}


def test_a_producer_whose_first_grant_came_after_the_backup_waits_too(
    region: Region, farm: Producer, tmp_path: Path
) -> None:
    """Neither the grant nor the lease is in the backup, so the restored instance knows of nobody who may hold some."""
    open_own_sale(farm)
    near = Hub(region, "b", "near")
    backup = Backup(farm, tmp_path)
    farm.grant(near)
    item = near.sell(farm)
    assert sells(near, item, 40)
    region.cut("a", "b")
    backup.restore()
    start(farm.federation)
    assert not shopper_orders(farm, 70), "40 of 100 are sold at the hub that is cut off"
    minutes(region, 2)
    assert "barrier" in alert_kinds(farm)
    region.mend()
    minutes(region, 6)
    (lease,) = farm.leases()
    assert lease.granted >= 40
    assert not shopper_orders(farm, 70)
    assert "grant" in alert_kinds(farm)
    assert sells(near, item, 2), "the grant that was forgotten holds"
    assert_consistent(region)
