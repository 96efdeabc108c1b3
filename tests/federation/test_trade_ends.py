"""Trade that ends or is suspended: an instance sells nothing more from the moment on in which it hears of it."""

from __future__ import annotations

import pytest

from commensal import Refused
from commensal_federation.catalogue.grants import accept_grant, end_grant, give_grant
from commensal_federation.delivery.alerts import alerts
from commensal_federation.grants.questions import grants_between
from commensal_federation.leases.lender import force_return
from commensal_federation.orders.questions import cuts_of
from commensal_federation.peering.deciding import resume, revoke, suspend
from commensal_federation.testing import Region

from .conftest import NewRegion
from .trading import (
    Hub,
    Place,
    Producer,
    assert_consistent,
    clock_of,
    close,
    customer_orders,
    minutes,
    only_order,
    region_of_peers,
)

PEERS = ("ab",)
BOTH = True  # databases


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    farm.grant(hub)
    item = hub.sell(farm)
    minutes(farm.region)
    assert hub.lot(farm).free > 0, "it holds some ahead of need"
    return item


def sells(hub: Hub, item: str, pieces: int = 1) -> bool:
    try:
        hub.order(item, pieces)
    except Refused:
        return False
    return True


def alert_kinds(place: Place) -> set[str]:
    with place.read() as tx:
        return {alert.kind for alert in alerts(tx)}


def test_a_revoked_hub_sells_nothing_more_and_its_people_settle_what_is_ordered(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    hub.order(item, 3)
    minutes(region, 2)
    with farm.write() as tx:
        revoke(farm.federation, tx, region.peer("a", "b").id, reason="it is over")
    region.work()
    assert not sells(hub, item)
    assert {"revoked", "unsettled"} <= alert_kinds(hub)
    with hub.read() as tx:
        (open_question,) = cuts_of(tx, [only_order(hub).id])
    assert (open_question.customer_order_id, open_question.pieces) == (None, 3)
    assert [order.state for order in customer_orders(hub)] == ["Held"], "nobody's order is cut without a person"
    (lease,) = farm.leases()
    with farm.write() as tx:
        force_return(farm.federation, tx, lease.id)
    assert farm.lot.free == 100
    assert_consistent(region)


def test_behind_a_revoked_hub_that_sells_on_nothing_more_is_sold_either(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ab", "bc")
    farm, middle, last = Producer(region, "a"), Hub(region, "b", "middle"), Hub(region, "c", "last")
    farm.grant(middle, resell=True)
    resold = middle.as_producer(farm)
    resold.grant(last)
    item = last.sell(resold)
    minutes(region, 2)
    last.order(item, 3)
    minutes(region, 2)
    with farm.write() as tx:
        revoke(farm.federation, tx, region.peer("a", "b").id, reason="it is over")
    minutes(region, 2)
    assert not sells(last, item), "although the shop's own neighbour is a peer still"
    assert [order.state for order in customer_orders(last)] == ["Held"], "nobody's order is cut without a person"
    assert_consistent(region)


def test_the_end_of_a_grant_ends_the_sale_and_what_was_ordered_stays_ordered(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    hub.order(item, 3)
    minutes(region, 2)
    with farm.write() as tx:
        (grant,) = grants_between(tx, enterprise_id=farm.id, direction="given")
        end_grant(farm.federation, tx, grant.id)
    region.work()
    assert not sells(hub, item)
    minutes(region, 2)
    assert (int(farm.lot.free), int(farm.lot.lent)) == (97, 3), "what nobody had ordered has gone home"
    close(region)
    assert [(line.quantity, line.answer) for line in only_order(farm).lines] == [(3, "")], "confirmed by hand"
    assert_consistent(region)


def test_a_grant_that_is_given_anew_brings_the_goods_back_into_the_sale(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    with farm.write() as tx:
        (grant,) = grants_between(tx, enterprise_id=farm.id, direction="given")
        end_grant(farm.federation, tx, grant.id)
    region.work()
    with farm.write() as tx:
        give_grant(farm.federation, tx, farm.id, grant.peer_id, grant.other_iri, grant.other_name)
    region.work()
    assert not sells(hub, item)
    with hub.write() as tx:
        (new_grant,) = grants_between(tx, enterprise_id=hub.id, direction="received", state="offered")
        accept_grant(hub.federation, tx, new_grant.id)
    region.work()
    assert sells(hub, item)


def test_of_two_hubs_at_one_instance_the_other_goes_on_selling(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    other_hub = Hub(region, "b", "other")
    farm.grant(other_hub)
    other_item = other_hub.sell(farm)
    with farm.write() as tx:
        (grant,) = [
            grant for grant in grants_between(tx, enterprise_id=farm.id, direction="given") if grant.other_name == "hub"
        ]
        end_grant(farm.federation, tx, grant.id)
    region.work()
    assert not sells(hub, item)
    assert sells(other_hub, other_item)


def test_a_hub_that_suspends_a_producer_sells_nothing_of_it_until_it_resumes(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    with hub.write() as tx:
        suspend(tx, region.peer("b", "a").id)
    assert not sells(hub, item)
    with hub.write() as tx:
        resume(tx, region.peer("b", "a").id)
    region.work()
    assert sells(hub, item)


def test_a_hub_that_is_suspended_stops_when_it_hears_it(region: Region, farm: Producer, hub: Hub, item: str) -> None:
    with farm.write() as tx:
        suspend(tx, region.peer("a", "b").id)
    hub.order(item, 1)
    minutes(region, 2)  # its next message is refused
    assert not sells(hub, item)
    with farm.write() as tx:
        resume(tx, region.peer("a", "b").id)
    clock_of(region).advance(minutes=5)
    minutes(region, 3)
    assert sells(hub, item)
    assert_consistent(region)
