"""A producer brings less than was ordered: the hub has chosen beforehand whose orders get less."""

from __future__ import annotations

import pytest

from commensal import Order
from commensal.base.errors import NotFound
from commensal.enterprises.plugins import change_plugin
from commensal.orders import locked_order
from commensal.parts.order_corrections import shorten_order
from commensal.parts.supply import withdraw_goods
from commensal.payments.payments import receive_payment
from commensal_federation.messages.bodies.orders import Cut
from commensal_federation.orders.claims import answer_receipt
from commensal_federation.orders.cutting import settle_cut
from commensal_federation.orders.questions import cuts_of

from .trading import Hub, Producer, answer, assert_consistent, clock_of, close, customer_orders, minutes, only_order

PEERS = ("ab",)


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    farm.grant(hub)
    return hub.sell(farm)


def choose(hub: Hub, shortage: str) -> None:
    with hub.write() as tx:
        change_plugin(tx, hub.instance.hooks, "hub", "federation", 1, {"shortage": shortage})


def pieces_by_customer(hub: Hub) -> dict[str, list[int]]:
    """The pieces by customer, of orders that are not cancelled."""
    orders = [order for order in customer_orders(hub) if order.state != "Cancelled"]
    return {order.name: [line.quantity for line in order.lines] for order in orders}


def shorten(hub: Hub, order: Order, fewer: int) -> None:
    """A person removes so many pieces from a customer's order."""
    with hub.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        shorten_order(tx, hub.instance.hooks, locked, {order.lines[0].id: fewer})


def cuts(hub: Hub) -> list[Cut]:
    with hub.read() as tx:
        return cuts_of(tx, [only_order(hub).id])


def test_pro_rata_everybody_gets_less_in_proportion(farm: Producer, hub: Hub, item: str) -> None:
    choose(hub, "pro rata")
    hub.trust()
    for name, quantity in (("Ada", 6), ("Bea", 3), ("Cyd", 1)):
        hub.order(item, quantity, name)
        clock_of(farm.region).advance(seconds=1)
    close(farm.region)
    answer(farm, 5)
    assert pieces_by_customer(hub) == {"Ada": [3], "Bea": [2]}, "half a piece is lost by who ordered last"
    assert sum(cut.pieces for cut in cuts(hub)) == 5
    assert_consistent(farm.region)


def test_by_hand_nobody_gets_less_until_a_person_has_decided(farm: Producer, hub: Hub, item: str) -> None:
    choose(hub, "by hand")
    hub.order(item, 3)
    close(farm.region)
    answer(farm, 1)
    assert pieces_by_customer(hub) == {"Ada": [3]}
    (open_question,) = cuts(hub)
    assert (open_question.customer_order_id, open_question.pieces, open_question.settled_at) == (None, 2, None)
    with hub.write() as tx, pytest.raises(NotFound):
        settle_cut(tx, "another hub", open_question.id)
    with hub.write() as tx:
        settle_cut(tx, "hub", open_question.id)
    assert cuts(hub)[0].settled_at is not None
    with hub.write() as tx, pytest.raises(NotFound):
        settle_cut(tx, "hub", open_question.id)


def test_by_hand_what_still_more_will_not_come_is_handed_over_too(farm: Producer, hub: Hub, item: str) -> None:
    """What a person had removed from orders after the first answer was not counted in the second."""
    choose(hub, "by hand")
    order = hub.order(item, 5)
    close(farm.region)
    answer(farm, 3)
    shorten(hub, order, 2)
    minutes(farm.region, 2)
    answer(farm, 2)
    assert [(cut.customer_order_id, cut.pieces) for cut in cuts(hub)] == [(None, 2), (None, 1)]
    answer(farm, 2)
    assert len(cuts(hub)) == 2, "the same answer once more is nothing new"
    shorten(hub, order, 1)
    minutes(farm.region, 2)
    assert [line.coming for line in only_order(hub).lines] == [2]
    assert len(cuts(hub)) == 2
    assert_consistent(farm.region)


def test_by_hand_who_finds_another_way_is_not_asked_again(farm: Producer, hub: Hub, item: str) -> None:
    choose(hub, "by hand")
    hub.order(item, 5)
    close(farm.region)
    answer(farm, 3)
    with hub.write() as tx:
        settle_cut(tx, "hub", cuts(hub)[0].id)  # two were bought at the market
    answer(farm, 3)
    assert [cut.pieces for cut in cuts(hub)] == [2]
    answer(farm, 2)
    assert [cut.pieces for cut in cuts(hub)] == [2, 1]


def test_what_was_paid_for_and_does_not_come_is_noted_as_owed(farm: Producer, hub: Hub, item: str) -> None:
    hub.trust()
    order = hub.order(item, 4)
    with hub.write() as tx:
        receive_payment(
            tx,
            enterprise_id="hub",
            order_id=order.id,
            person_id=None,
            method="cash:cash",
            amount=order.total,
            idempotency_key="at the counter",
        )
    close(farm.region)
    answer(farm, 3)
    (cut,) = cuts(hub)
    assert (cut.customer_order_id, cut.pieces, cut.owed) == (order.id, 1, 2500)


def test_withdrawn_goods_of_a_producer_elsewhere_go_back_to_it(farm: Producer, hub: Hub, item: str) -> None:
    order = hub.order(item, 4)
    close(farm.region)
    product_ids, session_ids = [order.lines[0].product_id], [order.session_id]
    with hub.write() as tx:
        withdraw_goods(tx, hub.instance.hooks, "hub", product_ids, session_ids=session_ids, reason="mould")
    minutes(farm.region, 3)
    assert [order.state for order in customer_orders(hub)] == ["Cancelled"]
    assert [line.coming for line in only_order(farm).lines] == [4], "it had confirmed them"
    with farm.write() as tx:
        answer_receipt(farm.federation, tx, "farm", only_order(farm).id, objection="", owed=0)
    minutes(farm.region, 3)
    assert [line.quantity for place in (farm, hub) for line in only_order(place).lines] == [0, 0]
    assert (farm.lot.on_hand, farm.lot.reserved) == (100, 0), "its own instance counts what was lost"
    assert_consistent(farm.region)
