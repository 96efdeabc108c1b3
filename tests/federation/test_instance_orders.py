"""Hubs order from producers elsewhere: summed up, amended, complete at the close; and producers answer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from commensal.orders.cancel import cancel_order
from commensal.orders.lock import locked_order
from commensal.orders.tables import order_consent
from commensal.parts.supply.demand import demand_of_supplier
from commensal.parts.supply.moving_distribution import move_distribution
from commensal.parts.supply.passed_cut_offs import parts_of
from commensal.parts.supply.purchase_orders import purchase_orders_of
from commensal.sale_sessions.questions import session_by_id
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.messages.bodies.orders import CustomerPart
from commensal_federation.orders import work as orders_work
from commensal_federation.orders.producer_names import with_customers
from commensal_federation.orders.questions import cuts_of, orders_of
from commensal_federation.testing import Region

from .trading import Hub, Producer, answer, assert_consistent, clock_of, close, customer_orders, minutes, only_order

PEERS = ("ab", "bc")
BOTH = True  # databases


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    """An item on sale at the hub."""
    farm.grant(hub)
    return hub.sell(farm)


def test_what_customers_order_is_one_order_to_the_producer_which_grows(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    minutes(farm.region)
    hub.order(item, 3, "Bea")
    minutes(farm.region)
    farm_order, hub_order = only_order(farm), only_order(hub)
    assert (farm_order.role, farm_order.state, farm_order.other_iri) == ("supplier", "Held", hub.iri)
    assert [(line.name, line.quantity, line.price) for line in farm_order.lines] == [("Apples", 5, 2000)]
    assert farm_order.rev == hub_order.rev == 2
    assert "Ada" not in str(farm_order)
    assert "Bea" not in str(farm_order)


def test_a_sum_that_a_dying_worker_did_not_send_is_sent_by_the_next(
    farm: Producer, hub: Hub, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    hub.order(item, 3)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(orders_work, "send_session_orders", die)
        minutes(farm.region)
    minutes(farm.region, 6)
    assert [line.quantity for line in only_order(farm).lines] == [3]


def test_an_order_that_is_cancelled_is_ordered_no_more(farm: Producer, hub: Hub, item: str) -> None:
    order = hub.order(item, 2)
    minutes(farm.region)
    with hub.write() as tx:
        cancel_order(tx, hub.instance.hooks, locked_order(tx, order.id, enterprise_id="hub"))
    farm.region.work()
    minutes(farm.region)
    assert [line.quantity for line in only_order(farm).lines] == [0]


def test_it_is_complete_when_the_sale_has_closed_and_confirmed_by_itself(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    close(farm.region)
    for place in (farm, hub):
        order = only_order(place)
        assert order.state == "Complete"
        assert [(line.answer, line.confirmed) for line in order.lines] == [("confirmed", 2)]
    before = only_order(farm)
    with hub.write() as tx:
        session = session_by_id(tx, "hub-session", "hub")
        day = session.begins_at + timedelta(days=1)
        move_distribution(tx, hub.instance.hooks, session.id, "hub", session.version, day)
    farm.region.work()
    minutes(farm.region)
    moved = only_order(farm)
    assert (moved.begins_at, moved.rev, moved.state) == (day, before.rev + 1, "Complete"), "it is to come a day later"
    assert [(line.answer, line.confirmed) for line in moved.lines] == [("confirmed", 2)]
    assert_consistent(farm.region)


def test_orders_of_hubs_elsewhere_are_part_of_what_the_producer_brings(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2, "Canary")
    minutes(farm.region)
    assert _brings(farm) == [("federation", "hub", False, [("Apples", 2)])]
    close(farm.region)
    assert _brings(farm) == [("federation", "hub", True, [("Apples", 2)])]
    answer(farm, 1)
    assert _brings(farm) == [("federation", "hub", True, [("Apples", 1)])]
    clock_of(farm.region).advance(days=3)
    assert _brings(farm) == []


def test_a_producer_elsewhere_is_ordered_from_by_messages_and_gets_no_purchase_order(hub: Hub, item: str) -> None:
    hub.order(item, 2)
    close(hub.region)
    minutes(hub.region)
    with hub.read() as tx:
        assert [part.state for part in parts_of(tx, "hub", "hub-session")] == ["told"]
        assert purchase_orders_of(tx, "hub") == []


def _brings(farm: Producer) -> list[tuple[str, str, bool, list[tuple[str, int]]]]:
    with farm.read() as tx:
        demand = demand_of_supplier(tx, farm.instance.hooks, farm.id)
    assert "anary" not in str(demand)
    sales = demand.sales
    return [(sale.origin, sale.shop, sale.final, [(line.name, line.quantity) for line in sale.lines]) for sale in sales]


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
    ada = hub.order(item, 2, "Ada <Ash>" + "x" * 180, consents=[request])
    hub.order(item, 3, "Canary")
    minutes(farm.region)
    with farm.read() as tx:
        (order,) = with_customers(tx, [only_order(farm)])
        boxes = [tx.all(select(box.c.body)) for box in (federation_inbox, federation_outbox)]
    assert [line.quantity for line in order.lines] == [5]
    assert order.lines[0].customers == (CustomerPart("Ada <Ash>" + "x" * 71, 2),), "one short line"
    assert "<Ash>" not in str(boxes), "no signed message holds a name: those are kept for long"
    with hub.read() as tx:
        consent = tx.one(select(order_consent))
    assert (consent["order_id"], consent["text"], consent["withdrawn_at"]) == (ada.id, text, None)
    assert consent["given_at"] == ada.placed_at
    sent = b"".join(request.body + answer.body for _, request, answer in farm.region.wires.passed)
    assert b"anary" not in sent
    assert b"ada@example.org" not in sent
    assert_consistent(farm.region)


def test_who_ordered_last_gets_less_when_less_will_come(farm: Producer, hub: Hub, item: str) -> None:
    hub.trust()
    first_order = hub.order(item, 3)
    clock_of(farm.region).advance(seconds=1)
    last_order = hub.order(item, 2, "Bea")
    close(farm.region)
    free = farm.lot.free
    answer(farm, 4)
    pieces = {order.id: [line.quantity for line in order.lines] for order in customer_orders(hub)}
    assert pieces == {first_order.id: [3], last_order.id: [1]}
    with hub.read() as tx:
        (order_cut,) = cuts_of(tx, [only_order(hub).id])
    assert (order_cut.customer_order_id, order_cut.pieces, order_cut.owed) == (last_order.id, 1, 0)
    assert farm.lot.free == free, "what will not come is sold to nobody else"
    assert farm.lot.lent == 4
    assert_consistent(farm.region)


def test_a_refused_line_cancels_what_has_nothing_else(farm: Producer, hub: Hub, item: str) -> None:
    hub.trust()
    hub.order(item, 3)
    close(farm.region)
    answer(farm, 0)
    assert [order.state for order in customer_orders(hub)] == ["Cancelled"]
    assert (farm.lot.lent, farm.lot.on_hand) == (0, 97)
    assert_consistent(farm.region)


def test_an_answer_that_comes_twice_or_late_takes_nothing_more(farm: Producer, hub: Hub, item: str) -> None:
    hub.trust()
    hub.order(item, 5)
    close(farm.region)
    answer(farm, 3)
    answer(farm, 3)
    assert [[line.quantity for line in order.lines] for order in customer_orders(hub)] == [[3]]


def test_what_the_producer_weighed_comes_back_and_both_say_the_same(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 5)
    close(farm.region)
    answer(farm, 5, weighed=Decimal("5.2"))
    hub_order, farm_order = only_order(hub), only_order(farm)
    assert [line.final_quantity for line in hub_order.lines] == [Decimal("5.2")]
    statements = [
        [(line.item_iri, line.price, line.quantity, line.confirmed, line.final_quantity) for line in order.lines]
        for order in (hub_order, farm_order)
    ]
    assert statements[0] == statements[1]


def test_goods_pass_through_a_regional_hub_to_a_local_shop_each_hop_by_grant(
    farm: Producer, hub: Hub, region: Region
) -> None:
    shop = Hub(region, "c", "shop")
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    regional.grant(shop)
    shop.trust()
    (listing,) = shop.received(regional)
    assert [hop.name for hop in listing.provenance] == ["farm", "hub"]
    item = shop.sell(regional)
    shop.order(item, 10)  # the regional hub requests stock from the farm while the customer waits
    close(region)
    order = only_order(farm)
    assert [(line.name, line.quantity) for line in order.lines] == [("Apples", 10)]
    with shop.read() as tx:
        (shop_order,) = orders_of(tx, "shop")
    assert [(line.answer, line.confirmed) for line in shop_order.lines] == [("confirmed", 10)]
    answer(farm, 6)
    assert [(line.answer, line.coming) for line in only_order(shop).lines] == [("shortened", 6)]
    assert [[line.quantity for line in order.lines] for order in customer_orders(shop)] == [[6]]
    assert_consistent(region)


def test_goods_that_may_not_be_resold_go_no_further(farm: Producer, hub: Hub, region: Region) -> None:
    shop = Hub(region, "c", "shop")
    farm.grant(hub)
    regional = hub.as_producer(farm)
    regional.grant(shop)
    assert shop.received(regional) == []


def test_an_answer_that_crosses_the_close_on_the_way_counts_at_both(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 6)
    minutes(farm.region)
    answer(farm, 4)
    hub.order(item, 2, "Bea")
    minutes(farm.region)
    assert [line.coming for line in only_order(hub).lines] == [4]
    farm.region.cut("a", "b")
    answer(farm, 6)
    close(farm.region)
    farm.region.mend()
    minutes(farm.region, 70)
    views = [[(line.quantity, line.answer, line.coming) for line in only_order(place).lines] for place in (farm, hub)]
    assert views == [[(6, "confirmed", 6)]] * 2
