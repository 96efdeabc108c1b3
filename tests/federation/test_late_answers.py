"""A producer that holds its first answer to a complete order back: what it says days later counts for nothing alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.parts.supply.owed import owed_at_session
from commensal_federation.delivery import post
from commensal_federation.messages.bodies.orders import InstanceOrder
from commensal_federation.messages.order_answer import AnswerLine, OrderAnswer
from commensal_federation.notices.tables import federation_notice
from commensal_federation.orders.claims import answer_receipt
from commensal_federation.orders.statement import statement_of

from .test_shortages import choose
from .trading import Hub, Producer, answer, clock_of, close, customer_orders, minutes, only_order

PEERS = ("ab",)
BOTH = True  # databases
ORDERED, FIRST, PRICE = 6, 2, 2000


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    farm.grant(hub)
    return hub.sell(farm)


@pytest.fixture
def shortened(farm: Producer, hub: Hub, item: str) -> None:
    """Ada has ordered six pieces; the farm says that two come while the sale is open, and the hub decides by hand."""
    choose(hub, "by hand")
    hub.order(item, ORDERED)
    minutes(farm.region)
    answer(farm, FIRST)


def holds_back(farm: Producer, hub: Hub, confirmed: int, days: float) -> None:
    """The sale closes, and the farm's instance says for the first time some days later what comes, with its real
    keys."""
    farm.region.cut("a", "b")
    close(farm.region)
    closed = only_order(hub)
    clock_of(farm.region).advance(seconds=days * 86400)
    line = AnswerLine(item_iri=closed.lines[0].item_iri, answer="confirmed", confirmed=confirmed)
    late_answer = OrderAnswer(iri=closed.iri, answer=closed.answer + 1, rev=closed.rev, lines=(line,))
    with farm.write() as tx:
        post(farm.federation, tx, only_order(farm).peer_id, "OrderAnswer", late_answer, on_behalf_of=farm.iri)
    farm.region.mend()
    minutes(farm.region, 70)
    assert only_order(hub).answer > closed.answer


def sums(hub: Hub) -> tuple[int, int]:
    """What the hub's order says that it owes, and what its books say."""
    with hub.read() as tx:
        (owed,) = owed_at_session(tx, "hub", "hub-session")
    return statement_of(only_order(hub)).total, owed.total


def noted(hub: Hub) -> set[str]:
    with hub.read() as tx:
        rows = tx.all(select(federation_notice.c.kind).where(federation_notice.c.enterprise_id == "hub"))
    return {row["kind"] for row in rows}


def test_more_that_is_confirmed_days_after_the_close_waits_for_the_hub(
    farm: Producer, hub: Hub, shortened: None
) -> None:
    holds_back(farm, hub, ORDERED, days=5)
    assert [line.coming for line in only_order(hub).lines] == [FIRST]
    assert statement_of(only_order(hub)).total == FIRST * PRICE
    assert "confirmed_late" in noted(hub)


def test_more_that_is_confirmed_after_the_distribution_waits_for_the_hub(
    farm: Producer, hub: Hub, shortened: None
) -> None:
    begins_at = only_order(hub).begins_at
    assert begins_at is not None
    holds_back(farm, hub, ORDERED, days=1.2)
    assert begins_at < clock_of(farm.region).now() < begins_at + timedelta(days=1)
    assert statement_of(only_order(hub)).total == FIRST * PRICE


def test_what_came_after_all_is_owed_once_the_hub_has_handed_it_out(farm: Producer, hub: Hub, shortened: None) -> None:
    holds_back(farm, hub, ORDERED, days=5)
    (placed,) = customer_orders(hub)
    with hub.write() as tx:
        hand_order_over(tx, locked_order(tx, placed.id, enterprise_id="hub"))
    minutes(farm.region, 2)
    with farm.write() as tx:
        answer_receipt(farm.federation, tx, "farm", only_order(farm).id, objection="", owed=ORDERED * PRICE)
    farm.region.work()
    assert sums(hub) == (ORDERED * PRICE, ORDERED * PRICE)
    assert statement_of(only_order(farm)).total == ORDERED * PRICE


def test_a_first_answer_of_nothing_days_later_takes_nothing_from_customers(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, ORDERED)
    minutes(farm.region)
    holds_back(farm, hub, 0, days=5)
    assert sums(hub) == (0, ORDERED * PRICE)  # its own word costs the farm what it says, and no customer anything
    assert [order.state for order in customer_orders(hub)] == ["Complete"]
    assert "shortened" in noted(hub)


def test_an_answer_in_time_counts(farm: Producer, hub: Hub, shortened: None) -> None:
    holds_back(farm, hub, ORDERED, days=0.5)
    assert statement_of(only_order(hub)).total == ORDERED * PRICE


def test_without_its_time_a_first_answer_would_count_whenever_it_comes(
    farm: Producer, hub: Hub, shortened: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InstanceOrder, "is_late", lambda *_: False)
    holds_back(farm, hub, ORDERED, days=5)
    assert statement_of(only_order(hub)).total == ORDERED * PRICE
