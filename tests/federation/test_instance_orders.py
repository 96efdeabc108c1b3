"""Hubs order of producers elsewhere: summed up, amended, complete at the close; and producers answer."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from commensal.trade.orders.cancel import cancel_order
from commensal.trade.orders.lock import locked_order
from commensal.trade.orders.tables import order_consent
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.messages.bodies.orders import CustomerPart
from commensal_federation.orders.producer_names import with_customers
from commensal_federation.orders.questions import cuts_of, orders_of
from commensal_federation.testing import Region

from .conftest import NewRegion
from .trading import Hub, Producer, a_region, answer, clock_of, close, minutes, placed, sound, the_order

BOTH = True  # databases


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    return a_region(new_region, "ab", "bc")


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    """On sale at the hub."""
    farm.grant(hub)
    return hub.sell(farm)


def test_what_customers_order_is_one_order_to_the_producer_which_grows(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    minutes(farm.region)
    hub.order(item, 3, "Bea")
    minutes(farm.region)
    there, here = the_order(farm), the_order(hub)
    assert (there.role, there.state, there.other_iri) == ("supplier", "Held", hub.iri)
    assert [(line.name, line.quantity, line.price) for line in there.lines] == [("Apples", 5, 2000)]
    assert there.rev == here.rev == 2
    assert "Ada" not in str(there)
    assert "Bea" not in str(there)


def test_an_order_that_is_cancelled_is_ordered_no_more(farm: Producer, hub: Hub, item: str) -> None:
    order = hub.order(item, 2)
    minutes(farm.region)
    with hub.write() as tx:
        cancel_order(tx, hub.instance.hooks, locked_order(tx, order.id, enterprise_id="hub"))
    farm.region.work()
    minutes(farm.region)
    assert [line.quantity for line in the_order(farm).lines] == [0]


def test_it_is_complete_when_the_sale_has_closed_and_confirmed_by_itself(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    close(farm.region)
    for place in (farm, hub):
        order = the_order(place)
        assert order.state == "Complete"
        assert [(line.answer, line.confirmed) for line in order.lines] == [("confirmed", 2)]
    sound(farm.region)


def test_no_word_of_shoppers_crosses(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2, "Canary")
    close(farm.region)
    sent = b"".join(request.body for origin, request, _ in farm.region.wires.passed if origin == "https://b.example")
    assert b"OrderUpdate" in sent
    assert b"anary" not in sent


def test_customers_who_agree_are_named_to_the_producer_and_nobody_else_is(farm: Producer, hub: Hub, item: str) -> None:
    assert hub.asked(item) == {}, "the hub has to want it"
    hub.pass_on_names()
    ((request, text),) = hub.asked(item).items()
    assert text == "farm may learn my name and what I order of it, to label my boxes; nothing else."
    assert hub.asked(item, "fr")[request].startswith("farm peut connaître mon nom")
    ada = hub.order(item, 2, "Ada \u202e<Ash>" + "x" * 180, consents=[request])
    hub.order(item, 3, "Canary")
    minutes(farm.region)
    with farm.read() as tx:
        (order,) = with_customers(tx, [the_order(farm)])
        boxes = [tx.all(select(box.c.body)) for box in (federation_inbox, federation_outbox)]
    assert [line.quantity for line in order.lines] == [5]
    assert order.lines[0].customers == (CustomerPart("Ada <Ash>" + "x" * 71, 2),), "one short line"
    assert "<Ash>" not in str(boxes), "no signed message holds a name: those are kept for long"
    with hub.read() as tx:
        kept = tx.one(select(order_consent))
    assert (kept["order_id"], kept["text"], kept["withdrawn_at"]) == (ada.id, text, None)
    assert kept["given_at"] == ada.placed_at
    sent = b"".join(request.body + answer.body for _, request, answer in farm.region.wires.passed)
    assert b"anary" not in sent
    assert b"ada@example.org" not in sent
    sound(farm.region)


def test_who_ordered_last_gets_less_when_less_will_come(farm: Producer, hub: Hub, item: str) -> None:
    first = hub.order(item, 3)
    clock_of(farm.region).advance(seconds=1)
    last = hub.order(item, 2, "Bea")
    close(farm.region)
    free = farm.lot.free
    answer(farm, 4)
    pieces = {order.id: [line.quantity for line in order.lines] for order in placed(hub)}
    assert pieces == {first.id: [3], last.id: [1]}
    with hub.read() as tx:
        (cut,) = cuts_of(tx, [the_order(hub).id])
    assert (cut.customer_order_id, cut.pieces, cut.owed) == (last.id, 1, 0)
    assert farm.lot.free == free, "what will not come is sold to nobody else"
    assert farm.lot.lent == 4
    sound(farm.region)


def test_a_refused_line_cancels_what_has_nothing_else(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    close(farm.region)
    answer(farm, 0)
    assert [order.state for order in placed(hub)] == ["Cancelled"]
    assert (farm.lot.lent, farm.lot.on_hand) == (0, 97)
    sound(farm.region)


def test_an_answer_that_comes_twice_or_late_takes_nothing_more(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 5)
    close(farm.region)
    answer(farm, 3)
    answer(farm, 3)
    assert [[line.quantity for line in order.lines] for order in placed(hub)] == [[3]]


def test_what_the_producer_weighed_comes_back_and_both_say_the_same(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 5)
    close(farm.region)
    answer(farm, 5, weighed=Decimal("5.2"))
    here, there = the_order(hub), the_order(farm)
    assert [line.final_quantity for line in here.lines] == [Decimal("5.2")]
    same = [
        [(line.item_iri, line.price, line.quantity, line.confirmed, line.final_quantity) for line in order.lines]
        for order in (here, there)
    ]
    assert same[0] == same[1]


def test_goods_pass_through_a_regional_hub_to_a_local_shop_each_hop_by_grant(
    farm: Producer, hub: Hub, region: Region
) -> None:
    shop = Hub(region, "c", "shop")
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    regional.grant(shop)
    (listing,) = shop.received(regional)
    assert [hop.name for hop in listing.provenance] == ["farm", "hub"]
    item = shop.sell(regional)
    shop.order(item, 10)  # the regional hub asks where the goods are, while the customer waits
    close(region)
    order = the_order(farm)
    assert [(line.name, line.quantity) for line in order.lines] == [("Apples", 10)]
    with shop.read() as tx:
        (mine,) = orders_of(tx, "shop")
    assert [(line.answer, line.confirmed) for line in mine.lines] == [("confirmed", 10)]
    sound(region)


def test_goods_that_may_not_be_resold_go_no_further(farm: Producer, hub: Hub, region: Region) -> None:
    shop = Hub(region, "c", "shop")
    farm.grant(hub)
    regional = hub.as_producer(farm)
    regional.grant(shop)
    assert shop.received(regional) == []
