"""A producer elsewhere changes its prices while a hub sells: books and the order between them say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete

from commensal.catalogs.offers import set_price
from commensal.orders.cancel import cancel_order
from commensal.orders.lock import locked_order
from commensal.parts.supply.owed import owed_at_session
from commensal_federation.orders import supplier
from commensal_federation.orders.facts import update_order
from commensal_federation.orders.hub import resend_order
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.statement import statement_of
from commensal_federation.orders.tables import federation_order_due

from .trading import Hub, Producer, close, minutes, only_order

PEERS = ("ab",)
BOTH = True  # databases


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    """An item on sale at the hub for 25.00, for which the farm asks 20.00."""
    farm.grant(hub)
    return hub.sell(farm)


def ask(farm: Producer, price: int) -> None:
    """The farm asks this price, in cents, and the hub hears of it."""
    with farm.write() as tx:
        set_price(tx, "farm", farm.item, price)
    farm.region.work()


def books(hub: Hub) -> int:
    """What the hub's books say that it owes the farm, in cents."""
    with hub.read() as tx:
        return sum(owed.total for owed in owed_at_session(tx, "hub", "hub-session"))


def statements(*places: Hub | Producer) -> list[int]:
    return [statement_of(only_order(place)).total for place in places]


def test_goods_ordered_at_two_prices_come_to_the_same_in_books_and_in_the_order(
    farm: Producer, hub: Hub, item: str
) -> None:
    hub.order(item, 2)
    minutes(farm.region)
    ask(farm, 2100)
    hub.order(item, 3, "Bea")
    close(farm.region)
    assert books(hub) == 2 * 2000 + 3 * 2100
    assert statements(farm, hub) == [10300, 10300]


def test_an_order_that_is_sent_after_a_price_has_changed_says_what_was_agreed_before(
    farm: Producer, hub: Hub, item: str
) -> None:
    hub.order(item, 2)
    ask(farm, 2100)
    minutes(farm.region)
    close(farm.region)
    assert (books(hub), statements(farm, hub)) == (4000, [4000, 4000])
    (line,) = only_order(farm).lines
    assert (line.price, line.ordered_amount) == (2000, None)


def test_a_line_that_nobody_orders_any_more_and_then_again_has_the_newer_price(
    farm: Producer, hub: Hub, item: str
) -> None:
    first = hub.order(item, 2)
    minutes(farm.region)
    with hub.write() as tx:
        cancel_order(tx, hub.instance.hooks, locked_order(tx, first.id, enterprise_id="hub"))
    hub.region.work()
    minutes(farm.region)
    ask(farm, 2100)
    hub.order(item, 1, "Bea")
    close(farm.region)
    assert (books(hub), statements(farm, hub)) == (2100, [2100, 2100])


@pytest.mark.parametrize(("amount", "taken"), [(5 * 2100, True), (5 * 2000, True), (5 * 2000 - 1, False), (1, False)])
def test_a_hub_that_names_a_sum_at_prices_it_was_not_offered_is_not_heard(
    farm: Producer, hub: Hub, item: str, amount: int, taken: bool
) -> None:
    hub.order(item, 2)
    minutes(farm.region)
    ask(farm, 2100)
    hub.order(item, 3, "Bea")
    with hub.write() as tx:
        tx.execute(delete(federation_order_due))  # it says a sum of its own instead
        order = orders_of(tx, "hub")[0]
        lines = [replace(line, quantity=5, ordered_amount=amount) for line in order.lines]
        update_order(tx, order, lines)
        resend_order(hub.federation, tx, replace(order, lines=tuple(lines)))
    hub.region.work()
    assert [(line.quantity, line.ordered_amount) for line in only_order(farm).lines] == [
        (5, amount) if taken else (2, None)
    ]


def test_without_its_bounds_a_hub_would_choose_what_it_pays(
    farm: Producer, hub: Hub, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary."""
    monkeypatch.setattr(supplier, "_refuse_other_sum", lambda *_: None)
    hub.order(item, 5)
    minutes(farm.region)
    with hub.write() as tx:
        tx.execute(delete(federation_order_due))
        order = orders_of(tx, "hub")[0]
        lines = tuple(replace(line, ordered_amount=1) for line in order.lines)
        update_order(tx, order, lines)
        resend_order(hub.federation, tx, replace(order, lines=lines))
    hub.region.work()
    assert [line.ordered_amount for line in only_order(farm).lines] == [1]
