"""A hub's instance may order of a producer what it has leased, at valid prices, until the order is complete.

Anything more waits for a person, and is not confirmed automatically.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from commensal.catalogs.offers import set_price
from commensal_federation.delivery import post
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.outbox.dead_letters import dead_letters
from commensal_federation.leases.lender import accept_late, force_return
from commensal_federation.leases.row import lease_with
from commensal_federation.messages.bodies.orders import InstanceOrder
from commensal_federation.messages.leases import LeaseReport
from commensal_federation.messages.order_update import OrderUpdate, UpdateLine
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.supplier import answer_order

from .conftest import NewRegion
from .trading import Hub, Place, Producer, clock_of, close, minutes, only_order, region_of_peers

PEERS = ("ab",)
BOTH = True  # databases


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    farm.grant(hub)
    return hub.sell(farm)


def say(hub: Hub, order: InstanceOrder, *lines: UpdateLine, state: str, rev: int = 1000) -> None:
    """Sends an order as a lying peer would."""
    body = OrderUpdate(
        iri=order.iri,
        buyer=hub.iri,
        supplier=order.other_iri,
        session_iri=order.session_iri,
        session_name="a sale",
        closes_at=None,
        begins_at=None,
        currency="EUR",
        state=state,
        rev=rev,
        lines=lines,
    )
    with hub.write() as tx:
        post(hub.federation, tx, order.peer_id, "OrderUpdate", body, on_behalf_of=hub.iri)
    hub.region.work()


def said_line(order: InstanceOrder, **changed: Any) -> UpdateLine:
    """Returns the first line as the hub sent it, with changes."""
    (line,) = order.lines
    sent_line = UpdateLine(
        item_iri=line.item_iri,
        offer_iri=line.offer_iri,
        rev=line.rev,
        name=line.name,
        price=line.price,
        quantity=line.quantity,
    )
    return replace(sent_line, **changed)


def line_states(farm: Producer) -> list[tuple[int, str, int, str]]:
    """For each line: the quantity ordered, the answer, the quantity that is certain, and the doubt."""
    return [(line.quantity, line.answer, line.coming, line.doubt) for line in only_order(farm).lines]


def alert_texts(place: Place) -> dict[str, str]:
    with place.read() as tx:
        return {alert.kind: alert.text for alert in alerts(tx)}


def test_what_no_lease_covers_is_not_confirmed_and_a_person_is_told(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    minutes(farm.region, 2)
    hub_order = only_order(hub)
    say(hub, hub_order, said_line(hub_order, quantity=5000), state="Complete")
    assert line_states(farm) == [(5000, "", 0, "lease")]
    assert "5000 Apples: no lease covers that" in alert_texts(farm)["doubt"]
    say(hub, hub_order, said_line(hub_order, quantity=2), state="Complete", rev=1001)
    assert line_states(farm) == [(2, "confirmed", 2, "")], "what is covered again needs nobody"


def test_two_orders_are_not_confirmed_on_one_lease(farm: Producer, hub: Hub, item: str) -> None:
    """Each order alone would be covered."""
    hub.order(item, 45)
    hub.order(item, 15, "Bea")
    minutes(farm.region, 2)
    hub_order = only_order(hub)
    say(hub, hub_order, said_line(hub_order), state="Complete")
    second_order = replace(hub_order, iri=f"{hub_order.iri}x", session_iri=f"{hub_order.session_iri}x")
    say(hub, second_order, said_line(hub_order), state="Complete")
    with farm.read() as tx:
        answers = {order.iri: order.lines[0].answer for order in orders_of(tx, farm.id)}
    assert answers == {hub_order.iri: "confirmed", second_order.iri: ""}


def test_a_complete_order_does_not_grow_without_a_person(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    hub.order(item, 40, "Bea")  # so that the lease covers more than the line
    minutes(farm.region, 2)
    hub_order = only_order(hub)
    say(hub, hub_order, said_line(hub_order, quantity=2), state="Complete")
    assert line_states(farm) == [(2, "confirmed", 2, "")]
    for rev, state in ((1001, "Complete"), (1002, "Complete")):
        say(hub, hub_order, said_line(hub_order, quantity=40), state=state, rev=rev)
        assert line_states(farm) == [(40, "", 2, "complete")]
    assert "complete" in alert_texts(farm)["doubt"]
    with farm.write() as tx:
        answer_order(farm.federation, tx, farm.id, only_order(farm).id, {})
    farm.region.work()
    assert line_states(farm) == [(40, "confirmed", 40, "")], "by a person"


def test_what_a_reseller_confirms_after_a_doubt_is_ordered_from_the_producer(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ab", "bc")
    farm, hub, shop = Producer(region, "a"), Hub(region, "b"), Hub(region, "c", "shop")
    farm.grant(hub, resell=True)
    reseller = hub.as_producer(farm)
    reseller.grant(shop)
    shop.order(shop.sell(reseller), 10)
    minutes(region, 2)
    shop_order = only_order(shop)
    say(shop, shop_order, said_line(shop_order), state="Complete")
    minutes(region, 2)
    say(shop, shop_order, said_line(shop_order, quantity=12), state="Complete", rev=1001)
    minutes(region, 2)
    assert line_states(farm) == [(10, "confirmed", 10, "")], "the doubt of the reseller is not the producer's"
    with hub.write() as tx:
        (order,) = [order for order in orders_of(tx, hub.id) if order.role == "supplier"]
        answer_order(hub.federation, tx, hub.id, order.id, {})
    minutes(region, 2)
    assert line_states(farm) == [(12, "", 10, "complete")], "the producer decides on the two others as well"
    with farm.write() as tx:
        answer_order(farm.federation, tx, farm.id, only_order(farm).id, {})
    minutes(region, 2)
    with hub.read() as tx:
        orders = orders_of(tx, hub.id)
    assert [(line.answer, line.coming) for order in orders for line in order.lines] == [("confirmed", 12)] * 2


def test_an_older_price_counts_for_minutes_and_for_lines_that_have_it(farm: Producer, hub: Hub, item: str) -> None:
    hub.trust()  # prices that rise by more than usual come in by themselves
    hub.order(item, 2)
    farm.region.cut("a", "b")  # before the hub has sent anything
    with farm.write() as tx:
        set_price(tx, farm.id, farm.item, 2400)
    minutes(farm.region, 10)
    farm.region.mend()
    minutes(farm.region, 13)  # the longest pause after ten minutes of failures
    assert line_states(farm) == [(2, "", 2, "")], "news were under way"
    clock_of(farm.region).advance(minutes=30)
    hub.order(item, 3, "Bea")
    minutes(farm.region, 2)
    assert line_states(farm) == [(5, "", 5, "")], "a line keeps its price"
    hub_order = only_order(hub)
    second_order = replace(hub_order, iri=f"{hub_order.iri}x", session_iri=f"{hub_order.session_iri}x")
    say(hub, second_order, said_line(hub_order, quantity=1), state="Held")
    with farm.read() as tx:
        doubts = {order.iri: order.lines[0].doubt for order in orders_of(tx, farm.id)}
    assert doubts == {hub_order.iri: "", second_order.iri: "price"}


def test_a_revision_that_never_was_is_refused(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    minutes(farm.region, 2)
    hub_order = only_order(hub)
    second_order = replace(hub_order, iri=f"{hub_order.iri}x", session_iri=f"{hub_order.session_iri}x")
    say(hub, second_order, said_line(hub_order, rev=999), state="Held")
    assert only_order(farm).iri == hub_order.iri, "there is no other"
    with hub.read() as tx:
        assert ["price" in dead_letter.error for dead_letter in dead_letters(tx, "out")] == [True]


def test_more_sold_than_was_leased_is_told_to_a_person(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    minutes(farm.region, 2)
    (lent,) = farm.leases()
    with hub.write() as tx:
        lease = lease_with(tx, "holder", hub.region.peer("b", "a").id, lot_id=hub.leases()[0].lot_id)
        assert lease is not None
        body = LeaseReport(
            lot=lease.row.lot_iri,
            unit="Piece",
            epoch=1,
            report=lease.row.report + 1,
            seen=lent.granted,
            returned=Decimal(0),
            held=lent.granted,
            sold=Decimal(1000),
        )
        post(hub.federation, tx, lease.row.peer_id, "LeaseReport", body)
    hub.region.work()
    assert farm.leases()[0].late == 1000
    assert "1000 Piece" in alert_texts(farm)["late"]


def test_what_was_sold_late_is_confirmed_when_it_is_granted_after_all(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 6)
    minutes(farm.region, 2)
    with farm.write() as tx:
        force_return(farm.federation, tx, farm.leases()[0].id)
    farm.region.work()
    close(farm.region)
    assert line_states(farm) == [(6, "", 0, "lease")]
    with farm.write() as tx:
        assert accept_late(farm.federation, tx, farm.leases()[0].id)
    minutes(farm.region, 3)
    assert line_states(farm) == [(6, "confirmed", 6, "")]
