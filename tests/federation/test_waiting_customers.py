"""Customers who wait for goods held elsewhere get them within seconds; customers who leave take nothing along."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, select, update

from commensal import Refused, SoldOut
from commensal.catalogs.items import add_item
from commensal.catalogs.listings import listings_of
from commensal.catalogs.offers import set_price
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.products.products import create_product
from commensal_federation.delivery.tables import federation_outbox
from commensal_federation.delivery.work import start
from commensal_federation.grants.tables import federation_lease
from commensal_federation.identity.tables import federation_key
from commensal_federation.leases.on_demand import PATIENCE
from commensal_federation.peering.deciding import probe
from commensal_federation.peers.peers import Limits
from commensal_federation.testing import Region

from .conftest import NewRegion
from .trading import Hub, Place, Producer, assert_consistent, clock_of, minutes, region_of_peers

PEERS = ("ab", "ac")


def refusal(hub: Hub, item: str, pieces: int) -> str:
    """Returns the code with which an order is refused, or an empty text for one that is placed."""
    try:
        hub.order(item, pieces)
    except Refused as refusal:
        return refusal.code
    return ""


def count_messages(place: Place) -> int:
    with place.read() as tx:
        return int(tx.value(select(func.count()).select_from(federation_outbox)))


def units_out(farm: Producer) -> dict[str, int]:
    """The units that each hub has, by its peer's name."""
    return {lease.peer_name: int(lease.out) for lease in farm.leases()}


# ------------------------------------------------------------------------------------------------ who has left


def test_requests_of_customers_who_left_move_nothing_when_the_link_is_back(
    region: Region, farm: Producer, near: Hub
) -> None:
    item = near.sell(farm)
    minutes(region)
    held_before = units_out(farm)["Instance B"]
    region.cut("a", "b")
    for _ in range(20):
        assert refusal(near, item, 30) == "unreachable"
        clock_of(region).advance(seconds=4)
    clock_of(region).advance(minutes=1)  # clocks may differ by so much, so a request is valid as long
    region.mend()
    region.work()
    assert units_out(farm)["Instance B"] <= held_before + 5, "nobody waits for it any more"


def test_of_those_who_asked_in_the_last_minute_one_at_most_is_served(new_region: NewRegion) -> None:
    """Their requests are still valid, since clocks may differ by a minute."""
    region = region_of_peers(new_region, "ab")
    farm, hub = Producer(region, "a", on_hand="1000"), Hub(region, "b")
    farm.grant(hub)
    item = hub.sell(farm)
    minutes(region)
    held_before = units_out(farm)["Instance B"]
    region.cut("a", "b")
    for _ in range(10):
        assert refusal(hub, item, held_before + 50) == "unreachable"
        clock_of(region).advance(seconds=4)
    region.mend()
    assert refusal(hub, item, 1) == ""
    region.work()
    assert granted(farm)[-1] <= 2 * held_before + 50


def granted(farm: Producer) -> list[int]:
    """The units that the first hub had by each grant."""
    box = federation_outbox.c
    with farm.read() as tx:
        rows = tx.all(select(box.body).where(box.type == "LeaseGrant").order_by(box.seq))
    return [int(json.loads(row["body"])["object"]["dfc-b:hasQuantity"]["dfc-b:value"]) for row in rows]


def test_many_customers_do_not_make_many_messages(region: Region, farm: Producer, near: Hub) -> None:
    item = near.sell(farm)
    minutes(region)
    messages_before = count_messages(farm) + count_messages(near)
    placed_count = sum(not refusal(near, item, 1) for _ in range(150))
    assert placed_count == 100
    assert count_messages(farm) + count_messages(near) - messages_before < 60


# ------------------------------------------------------------------------------------------------ refused orders


def test_one_refused_order_moves_nothing_away_from_other_hubs(
    region: Region, farm: Producer, near: Hub, far: Hub
) -> None:
    near_item, far_item = near.sell(farm), far.sell(farm)
    minutes(region)
    held_before = units_out(farm)
    assert refusal(near, near_item, 99) == "sold_out"
    minutes(region, 2)
    assert units_out(farm) == held_before
    assert not refusal(far, far_item, 30)


def test_an_order_of_two_things_of_which_one_is_gone_gives_the_other_back_at_once(
    region: Region, farm: Producer, near: Hub, far: Hub
) -> None:
    with farm.write() as tx:
        pears = create_product(
            tx,
            enterprise_id=farm.id,
            name="Pears",
            product_type="fruit",
            quantity=Decimal(1),
            unit="Piece",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(2),
        )
        set_price(tx, farm.id, add_item(tx, farm.id, "farm-catalog", pears.id).id, 1000)
    region.work()
    near.sell(farm)
    with near.read() as tx:
        names = {
            listing.name: listings_of(tx, near.id, [listing.product_id])[listing.product_id][0]
            for listing in near.received(farm)
        }
    wish = Wish(items={names["Apples"]: 40, names["Pears"]: 9}, name="Ada", email="ada@example.org", language="en")
    with pytest.raises(SoldOut):
        near.instance.transact(lambda tx: place_order(tx, near.instance.hooks, "near-session", wish))
    region.work()
    assert sum(int(lease.out) for lease in farm.leases()) == 0


def test_a_hub_holds_half_of_a_lot_unsold_at_most_and_more_when_it_sells(
    region: Region, farm: Producer, near: Hub
) -> None:
    assert (Limits().lot_share, Limits().order_share) == (50, 50)
    item = near.sell(farm)
    assert refusal(near, item, 60) == "sold_out", "one order asks for half of a lot at most"
    assert units_out(farm)["Instance B"] <= 50
    assert not refusal(near, item, 45)
    assert not refusal(near, item, 40)
    assert refusal(near, item, 70) == "sold_out"
    assert_consistent(region)


def test_no_more_is_called_back_than_is_needed(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ab", "ac", "ad")
    farm = Producer(region, "a")
    hubs = [Hub(region, at, f"hub-{at}") for at in "bcd"]
    items = []
    for hub in hubs:
        farm.grant(hub)
        items.append(hub.sell(farm))
    minutes(region)
    for hub, item in zip(hubs[:2], items, strict=False):
        order = hub.order(item, 40)
        cancel(hub, order.id)  # so the hub holds the pieces, and no customer wants them
    region.work()
    idle = sum(units_out(farm).values())
    assert idle > 60
    assert not refusal(hubs[2], items[2], 30), "within two seconds and one recall"
    minutes(region, 0)
    assert sum(units_out(farm).values()) >= idle - 5
    assert_consistent(region)


def cancel(hub: Hub, order_id: str) -> None:
    from commensal.orders.cancel import cancel_order
    from commensal.orders.lock import locked_order

    with hub.write() as tx:
        cancel_order(tx, hub.instance.hooks, locked_order(tx, order_id, enterprise_id=hub.id), by_hub=True)


def test_a_customer_asks_too_when_the_answer_to_the_one_before_was_not_enough(
    region: Region, farm: Producer, near: Hub
) -> None:
    item = near.sell(farm)
    minutes(region)
    set_asked(near, clock_of(region).now() + PATIENCE)
    region.wires.meanwhile = lambda: set_asked(near, None)
    assert not refusal(near, item, 30)
    assert_consistent(region)


def test_a_customer_who_waits_while_the_producer_moves_to_the_hub_reads_sold_out(
    region: Region, farm: Producer, near: Hub
) -> None:
    item = near.sell(farm)
    minutes(region)
    set_asked(near, clock_of(region).now() + PATIENCE)

    def end_lease() -> None:
        with near.write() as tx:
            tx.execute(delete(federation_lease))

    region.wires.meanwhile = end_lease
    assert refusal(near, item, 30) == "sold_out"
    assert near.instance.hooks.failures == [], "the hook found no lease any more, and failed"


def set_asked(hub: Hub, until: datetime | None) -> None:
    """Notes that the producer is being asked for another customer, or that it has answered."""
    with hub.write() as tx:
        tx.execute(update(federation_lease).values(asked_until=until))


def test_what_two_instances_away_is_free_comes_within_the_customers_patience(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ab", "bc")
    farm, hub, shop = Producer(region, "a"), Hub(region, "b"), Hub(region, "c", "shop")
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    hub.sell(farm)
    regional.grant(shop)
    item = shop.sell(regional)
    assert not refusal(shop, item, 9)
    assert_consistent(region)


def test_what_idles_elsewhere_is_shown_as_to_be_had(region: Region, farm: Producer, near: Hub, far: Hub) -> None:
    near_item = near.sell(farm)
    far.sell(farm)
    cancel(near, near.order(near_item, 50).id)
    minutes(region)
    farm_item = far.received(farm)[0]
    assert farm_item.left == 100


# ------------------------------------------------------------------------------------------------ a restart


def test_a_restart_of_seconds_is_no_minutes_of_sold_out(region: Region, farm: Producer, near: Hub) -> None:
    item = near.sell(farm)
    minutes(region)
    region.cut("a", "b")
    for _ in range(40):  # customers keep ordering while it restarts, so messages fail too
        assert refusal(near, item, 30) == "unreachable"
        clock_of(region).advance(seconds=0.5)
        region.work("b")
    region.mend()
    clock_of(region).advance(seconds=4)
    assert not refusal(near, item, 30)
    assert region.peer("b", "a").breaker == "closed"


def test_who_starts_again_says_hello_and_gets_what_waits_for_it(region: Region, farm: Producer, near: Hub) -> None:
    near.sell(farm)
    minutes(region)
    region.cut("a", "b")
    with farm.write() as tx:
        set_price(tx, farm.id, farm.item, 2200)
    for _ in range(12):
        region.work("a")
        clock_of(region).advance(seconds=10)
    region.work("a")
    region.mend()
    clock_of(region).advance(seconds=10)
    region.work()
    assert region.peer("a", "b").breaker == "open", "its next probe is not due yet"
    start(near.federation)
    region.work()
    assert region.peer("a", "b").breaker == "closed"
    assert [listing.price for listing in near.received(farm)] == [2200]


def test_customers_are_not_told_of_the_keys_of_an_instance_whose_clock_is_behind(
    region: Region, farm: Producer, near: Hub
) -> None:
    """By such a clock, a key that was made a moment ago is not in use yet."""
    item = near.sell(farm)
    minutes(region)
    with near.write() as tx:
        tx.execute(update(federation_key).values(used_from=tx.now + timedelta(minutes=5)))
    assert refusal(near, item, 60) == "unreachable"


def test_a_person_has_a_peer_tried_now(region: Region, farm: Producer, near: Hub) -> None:
    near.sell(farm)
    region.cut("a", "b")
    with farm.write() as tx:
        set_price(tx, farm.id, farm.item, 2200)
    for _ in range(12):
        region.work()
        clock_of(region).advance(seconds=10)
    assert probe(farm.federation, region.peer("a", "b").id) == "silent"
    region.work()  # what was due has failed, and is put off
    region.mend()
    assert probe(farm.federation, region.peer("a", "b").id) == "answers"
    region.work()
    assert [listing.price for listing in near.received(farm)] == [2200]


def test_whoever_calls_after_an_outage_has_its_answers_at_once_whatever_was_planned(
    region: Region, farm: Producer, near: Hub, far: Hub
) -> None:
    """A cut of 100 seconds, at whose end the hub was just tried again in vain: its next try would be a minute later."""
    near_item, far_item = near.sell(farm), far.sell(farm)
    minutes(region)
    assert refusal(near, near_item, 40) == ""
    minutes(region)  # it holds more for its next customers
    idle = int(near.lot(farm).free)
    assert idle >= 10
    region.cut("a", "b")
    near.order(near_item, 1)
    minutes(region, 2)
    while not region.peer("b", "a").failures:
        clock_of(region).advance(seconds=1)
        region.work("b")
    tried = region.peer("b", "a").failures
    for _ in range(200):
        if region.peer("b", "a").failures > tried + 5:
            break
        clock_of(region).advance(seconds=1)
        region.work("b")
    region.mend()
    clock_of(region).advance(seconds=1)
    left = int(farm.lot.free) + int(far.lot(farm).free)
    assert refusal(far, far_item, left + 5) == "", "what idles at the hub is reported and returned within two seconds"
