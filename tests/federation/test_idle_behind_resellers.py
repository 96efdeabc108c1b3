"""No goods lie idle behind a reseller while others read "sold out": whoever lends recalls through the whole chain."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import insert

from commensal.sale_sessions.tables import coordination_supplier, session_item
from commensal.stock.lots import lots_by_id
from commensal_federation.leases.recalling import obtainable
from commensal_federation.peering.deciding import suspend
from commensal_federation.testing import Region

from .conftest import NewRegion
from .test_waiting_customers import refusal
from .trading import Hub, Place, Producer, assert_consistent, minutes, region_of_peers


@dataclass
class Chain:
    """A farm at A lends to a regional hub at B, which sells and lends on to a shop at D; a hub at C sells beside them.

    The shop at D has idle units, and next to nothing is free anywhere else.
    """

    region: Region
    farm: Producer
    regional: Hub
    near: Hub
    shop: Hub
    items: dict[str, str]

    def idle_at_shop(self) -> int:
        with self.shop.read() as tx:
            return int(lots_by_id(tx, [self.shop.leases()[0].lot_id])[self.shop.leases()[0].lot_id].free)


@pytest.fixture
def chain(new_region: NewRegion) -> Chain:
    region = region_of_peers(new_region, "ab", "ac", "bd")
    farm, regional, near, shop = (
        Producer(region, "a"),
        Hub(region, "b"),
        Hub(region, "c", "near"),
        Hub(region, "d", "shop"),
    )
    farm.grant(regional, resell=True)
    farm.grant(near)
    of_regional = regional.as_producer(farm)
    of_regional.grant(shop)
    items = {"b": regional.sell(farm), "d": shop.sell(of_regional)}
    shop.order(items["d"], 30)  # and it holds as much again for its next customers
    minutes(region, 4)
    items["c"] = near.sell(farm)
    near.order(items["c"], 30)
    minutes(region)
    chain = Chain(region, farm, regional, near, shop, items)
    assert chain.idle_at_shop() >= 10
    assert int(farm.lot.free) < 10
    return chain


def test_a_customer_of_the_reseller_gets_what_idles_behind_it(chain: Chain) -> None:
    chain.region.cut("a", "b")
    assert refusal(chain.regional, chain.items["b"], 10) == ""
    assert_consistent(chain.region)


def test_a_customer_of_another_hub_gets_what_idles_behind_a_reseller(chain: Chain) -> None:
    held = int(chain.near.lot(chain.farm).free)
    assert refusal(chain.near, chain.items["c"], held + 10) == ""
    assert_consistent(chain.region)


def test_a_customer_of_the_producers_own_shop_gets_what_idles_at_hubs_and_behind_them(chain: Chain) -> None:
    own = Hub.__new__(Hub)
    Place.__init__(own, chain.region, "a", "farm")
    with own.write() as tx:
        tx.execute(insert(coordination_supplier).values(coordination_id="farm-sale", enterprise_id="farm"))
        tx.execute(insert(session_item).values(session_id="farm-session", item_id=chain.farm.item))
    assert refusal(own, chain.farm.item, int(chain.near.lot(chain.farm).free) + 10) == ""
    assert_consistent(chain.region)


def test_where_nothing_idles_the_customer_reads_sold_out_and_nothing_moves(chain: Chain) -> None:
    everything = int(chain.near.lot(chain.farm).free) + chain.idle_at_shop()
    assert refusal(chain.near, chain.items["c"], everything + 1) == "sold_out"
    assert_consistent(chain.region)


def test_a_reseller_tells_its_lender_what_idles_behind_it(chain: Chain) -> None:
    minutes(chain.region)
    with chain.farm.read() as tx:
        elsewhere = obtainable(tx, chain.farm.lot, but=chain.region.peer("a", "c").id)
    assert elsewhere >= chain.farm.lot.free + chain.idle_at_shop()


def test_what_idles_at_a_shop_with_whom_the_reseller_does_not_trade_now_is_not_told_as_idle(chain: Chain) -> None:
    """Else its lender would recall it again and again, and get the same answer each time."""
    with chain.regional.write() as tx:
        suspend(tx, chain.region.peer("b", "d").id)
    minutes(chain.region)
    assert refusal(chain.near, chain.items["c"], int(chain.near.lot(chain.farm).free) + 10) == "sold_out"
    asked = [request for _, request, _ in chain.region.wires.passed if b"LeaseRecall" in request.body]
    assert len(asked) <= 1
