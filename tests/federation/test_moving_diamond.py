"""A hub has a producer's goods by two ways, from the producer and from a reseller, and the producer moves to the
reseller's instance."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from commensal.base.errors import Conflict
from commensal.catalogs.product_listing import Listing, list_products
from commensal.enterprises.grants import grant
from commensal.products.questions import products_of
from commensal.sale_sessions.tables import coordination_supplier, session_item
from commensal.stock.tables import stock_lot
from commensal_federation.catalogue.grants import SELLING
from commensal_federation.delivery.tables import federation_outbox
from commensal_federation.grants.tables import federation_lease
from commensal_federation.leases.tables import federation_joined_lot
from commensal_federation.testing import Region

from .conftest import NewRegion
from .moves import add_person, farm, farm_of_ann, move, states
from .trading import Hub, Producer, assert_consistent, close, customer_orders, minutes, region_of_peers

__all__ = ["farm"]  # fixtures
# The farm lives on a; c sells its goods, and resells them to b.
PEERS = ("ab", "ac", "bc")


@pytest.fixture
def reseller(farm: Producer) -> Producer:
    regional = Hub(farm.region, "c", "regional")
    farm.grant(regional, resell=True)
    return regional.as_producer(farm)


@pytest.fixture
def shop(farm: Producer, reseller: Producer) -> Hub:
    hub = Hub(farm.region, "b", "shop")
    farm.grant(hub)
    reseller.grant(hub)
    return hub


def crates(region: Region) -> int:
    """All that exist, wherever they lie: free, or reserved for customers."""
    count = 0
    for federation in region.members.values():
        with federation.instance.store.read() as tx:
            count += sum(row["free"] + row["reserved"] for row in tx.all(select(stock_lot)))
    return count


def lent_and_leased(region: Region, lender: str) -> dict[str, tuple[int, int]]:
    """What each lot of the lender has lent, and what its leases say that holders have."""
    lot, lease = stock_lot.c, federation_lease.c
    with region[lender].instance.store.read() as tx:
        lots = {row["id"]: row["lent"] for row in tx.all(select(lot.id, lot.lent))}
        leased: dict[str, int] = {}
        for row in tx.all(select(federation_lease).where(lease.role == "lender")):
            outstanding = row["granted"] - row["seen"] + row["held"]
            leased[row["lot_id"]] = leased.get(row["lot_id"], 0) + outstanding
    return {lot_id: (lots[lot_id], leased.get(lot_id, 0)) for lot_id in lots}


def test_what_came_by_two_ways_goes_on_by_the_producers_own(farm: Producer, reseller: Producer, shop: Hub) -> None:
    region = farm.region
    direct, resold = shop.sell(farm), shop.sell(reseller)
    shop.order(direct, 3)
    shop.order(resold, 2, "Bea")
    minutes(region, 2)
    move(farm)
    assert states(region) == {"a": ["leaving moved"], "b": ["following followed"], "c": ["coming done"]}
    shop.order(direct, 40, "Cid")
    with pytest.raises(Conflict):
        shop.order(resold, 1, "Dan")  # its reseller lives beside the producer, and has withdrawn it
    minutes(region, 2)
    assert crates(region) == 100
    assert all(lent == leased for lent, leased in lent_and_leased(region, "c").values())
    close(region)
    assert sorted(line.quantity for order in customer_orders(shop) for line in order.lines) == [2, 3, 40]
    assert_consistent(region)


def test_what_comes_back_of_the_lease_that_was_kept_apart_is_the_producers_stock(
    farm: Producer, reseller: Producer, shop: Hub
) -> None:
    region = farm.region
    direct = shop.sell(farm)
    shop.sell(reseller)
    minutes(region, 2)
    new_farm = move(farm)
    minutes(region, 2)
    with new_farm.read() as tx:
        (joined,) = tx.all(select(federation_joined_lot))
        apart = tx.one(select(stock_lot).where(stock_lot.c.id == joined["lot_id"]))
    assert (apart["free"], apart["reserved"], apart["lent"]) == (0, 0, 0), "nothing of it was ordered"
    shop.order(direct, 50)
    assert crates(region) == 100
    assert_consistent(region)


def test_the_old_home_may_have_a_hub_that_buys_at_the_new_one(farm: Producer, reseller: Producer) -> None:
    """Its goods are in the next room, and came by the reseller all the same."""
    region = farm.region
    market = Hub(region, "a", "market")
    reseller.grant(market)
    item = market.sell(reseller)
    market.order(item, 4)
    minutes(region, 2)
    move(farm)
    assert states(region)["a"] == ["leaving moved"]
    minutes(region, 2)
    assert crates(region) == 100
    assert all(lent == leased for lent, leased in lent_and_leased(region, "c").values())
    assert_consistent(region)


def test_the_old_home_keeps_two_leases_where_a_hub_of_it_sold_both_ways(farm: Producer, reseller: Producer) -> None:
    region = farm.region
    market = Hub(region, "a", "market")
    with market.write() as tx:
        for scope in SELLING:
            grant(tx, "farm", "market", scope)
    reseller.grant(market)
    item = market.sell(reseller)
    market.order(item, 4)
    own = _sells_beside(market, farm)
    market.order(own, 6, "Bea")
    minutes(region, 2)
    move(farm)
    market.order(own, 20, "Cid")
    minutes(region, 2)
    assert crates(region) == 100
    assert all(lent == leased for lent, leased in lent_and_leased(region, "c").values())
    assert_consistent(region)


def test_it_can_move_back_and_what_was_lent_on_stays_lent(new_region: NewRegion) -> None:
    """b sells both ways, and lends on to d what came by the first."""
    region = region_of_peers(new_region, "ab", "ac", "bc", "bd", "cd", "ad")
    farm = farm_of_ann(region)
    regional, shop, last = Hub(region, "c", "regional"), Hub(region, "b", "shop"), Hub(region, "d", "last")
    farm.grant(regional, resell=True)
    farm.grant(shop, resell=True)
    direct = shop.sell(farm)
    between = Producer.over(shop)
    between.grant(last)
    item = last.sell(between)
    regional.as_producer(farm).grant(shop)
    minutes(region, 3)
    last.order(item, 2)
    minutes(region, 3)
    shop.order(direct, 3)
    new_farm = move(farm)
    minutes(region, 3)
    shop.order(direct, 20, "Cid")
    minutes(region, 3)
    last.order(item, 10, "Dan")
    minutes(region, 2)
    assert crates(region) == 100
    assert all(lent == leased for at in "bc" for lent, leased in lent_and_leased(region, at).values())
    move(new_farm, to="a")
    minutes(region, 3)
    shop.order(direct, 5, "Eve")
    assert crates(region) == 100
    assert all(lent == leased for at in "ab" for lent, leased in lent_and_leased(region, at).values())
    assert_consistent(region)


def test_what_was_lent_on_of_the_resellers_goods_is_still_reported(new_region: NewRegion) -> None:
    """b has the goods by both ways, and lends on to d what came by the reseller."""
    region = region_of_peers(new_region, "ab", "ac", "bc", "bd", "cd", "ad")
    farm = farm_of_ann(region)
    regional, shop, last = Hub(region, "c", "regional"), Hub(region, "b", "shop"), Hub(region, "d", "last")
    farm.grant(regional, resell=True)
    farm.grant(shop, resell=True)
    reseller = regional.as_producer(farm)
    reseller.grant(shop, resell=True)
    shop.sell(reseller)
    between = Producer.over(shop)
    between.grant(last)
    item = last.sell(between)
    minutes(region, 3)
    last.order(item, 2)
    minutes(region, 3)
    move(farm)
    close(region)
    assert crates(region) == 100
    assert all(lent == leased for at in "bc" for lent, leased in lent_and_leased(region, at).values())
    assert reports_in_vain(region) == []
    assert_consistent(region)


def test_what_a_hub_of_its_home_has_lent_on_stays_there_when_it_moves_on(new_region: NewRegion) -> None:
    """d has bought of the hub on c, and has no trade with the farm, which lives on c for a while."""
    region = region_of_peers(new_region, "ac", "cd", "ad")
    farm = farm_of_ann(region)
    regional, last = Hub(region, "c", "regional"), Hub(region, "d", "last")
    farm.grant(regional, resell=True)
    between = regional.as_producer(farm)
    between.grant(last)
    last.order(last.sell(between), 2)
    minutes(region, 3)
    move(move(farm), to="a")
    close(region)
    assert crates(region) == 100
    assert all(lent == leased for at in "ac" for lent, leased in lent_and_leased(region, at).values())
    assert reports_in_vain(region) == []
    assert_consistent(region)


def test_it_moves_on_to_where_only_its_reseller_had_listed_the_goods(farm: Producer, reseller: Producer) -> None:
    region = farm.region
    shop = Hub(region, "b", "shop")
    reseller.grant(shop)
    shop.order(shop.sell(reseller), 4)
    minutes(region, 2)
    beside_reseller = move(farm)
    with region["b"].instance.store.write() as tx:
        add_person(tx, "ann-at-b")
    beside_shop = move(beside_reseller, to="b")
    with beside_shop.read() as tx:
        (apples,) = products_of(tx, beside_shop.id)
    assert (apples.product.name, apples.lot.on_hand) == ("Apples", Decimal(100))
    close(region)
    assert crates(region) == 100
    assert reports_in_vain(region) == []
    assert_consistent(region)


def reports_in_vain(region: Region) -> list[str]:
    """Why reports of leases were refused."""
    message = federation_outbox.c
    failed = select(message.error).where(message.type == "LeaseReport", message.state == "dead")
    errors = []
    for federation in region.members.values():
        with federation.instance.store.read() as tx:
            errors += [row["error"] for row in tx.all(failed)]
    return errors


def _sells_beside(hub: Hub, farm: Producer) -> str:
    with hub.write() as tx:
        (item,) = list_products(tx, hub.id, f"{hub.id}-catalog", [Listing(product_id=farm.product.id, price=2500)])
        tx.execute(insert(coordination_supplier).values(coordination_id=f"{hub.id}-sale", enterprise_id=farm.id))
        tx.execute(insert(session_item).values(session_id=f"{hub.id}-session", item_id=item))
    return item
