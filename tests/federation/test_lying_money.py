"""What a paired partner says of money, signed with its real keys: no sum here follows its word without a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from commensal.trade.catalogs.items import add_item
from commensal.trade.catalogs.offers import set_price
from commensal.trade.products.products import create_product
from commensal.trade.supply.owed import owed_at_session
from commensal_federation.delivery import post
from commensal_federation.messages.bodies.orders import AnswerLine, OrderAnswer, OrderUpdate
from commensal_federation.orders.statement import statement_of

from .test_protocol_attacks import last_sent
from .trading import Hub, Place, Producer, clock_of, close, minutes, only_order

PEERS = ("ab",)
BOTH = True  # databases
JARS, PRICE = 15, 800


@pytest.fixture
def jars(farm: Producer, hub: Hub) -> None:
    """Ada has ordered fifteen jars of the farm; the sale is closed, and the farm has confirmed them by itself."""
    with farm.write() as tx:
        jar = create_product(
            tx,
            enterprise_id="farm",
            name="Jars",
            product_type="fruit",
            quantity=Decimal(1),
            unit="Piece",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(100),
        )
        set_price(tx, "farm", add_item(tx, "farm", "farm-catalog", jar.id).id, PRICE)
    farm.grant(hub)
    hub.sell(farm, price=1000)
    item = next(listing.item_ids[0] for listing in hub.received(farm) if listing.name == "Jars")
    hub.order(item, JARS)
    close(farm.region)
    assert totals(farm, hub) == (12000, 12000)


def totals(farm: Place, hub: Place) -> tuple[int, int]:
    """What the statements of the order say at the farm and at the hub."""
    return statement_of(only_order(farm)).total, statement_of(only_order(hub)).total


def lies(hub: Hub, update: OrderUpdate) -> None:
    """The hub's instance says this with its real keys, over real HTTP."""
    with hub.write() as tx:
        post(hub.federation, tx, only_order(hub).peer_id, "OrderUpdate", update, on_behalf_of=hub.iri)
    hub.region.work()


def all_lines(update: OrderUpdate, **changes: Any) -> OrderUpdate:
    return replace(update, lines=tuple(replace(line, **changes) for line in update.lines))


LESS: Mapping[str, Callable[[OrderUpdate], OrderUpdate]] = {
    "without lines": lambda update: replace(update, lines=()),
    "of no pieces": lambda update: all_lines(update, quantity=0),
    "of one piece": lambda update: all_lines(update, quantity=1),
    "cancelled": lambda update: replace(update, state="Cancelled"),
    "cancelled and empty": lambda update: replace(update, state="Cancelled", lines=()),
    "without the day": lambda update: replace(all_lines(update, quantity=0), begins_at=None),
}


@pytest.mark.parametrize("days", [0, 200])
@pytest.mark.parametrize("lie", LESS)
def test_a_delivered_order_is_not_erased_from_elsewhere(
    farm: Producer, hub: Hub, jars: None, lie: str, days: int
) -> None:
    update = last_sent(hub, "OrderUpdate")
    clock_of(farm.region).advance(days=days)
    lies(hub, LESS[lie](replace(update, rev=update.rev + 1)))
    assert statement_of(only_order(farm)).total == 12000


def test_an_order_that_grew_does_not_shrink_below_what_was_confirmed(farm: Producer, hub: Hub, jars: None) -> None:
    update = last_sent(hub, "OrderUpdate")
    for rev, pieces in ((1, 20), (2, 0)):
        lies(hub, all_lines(replace(update, rev=update.rev + rev), quantity=pieces))
    assert statement_of(only_order(farm)).total == 12000


def test_goods_by_the_piece_are_not_weighed_by_a_hub(farm: Producer, hub: Hub, jars: None) -> None:
    update = last_sent(hub, "OrderUpdate")
    weighed = {"received": JARS, "received_quantity": Decimal("10.5"), "received_amount": 8400}
    lies(hub, all_lines(replace(update, rev=update.rev + 1, owed=8400), **weighed))
    assert statement_of(only_order(farm)).total == 12000
    assert only_order(farm).receipt == "open"


def test_a_day_of_distribution_that_moves_afterwards_moves_no_limit(farm: Producer, hub: Hub, jars: None) -> None:
    update = last_sent(hub, "OrderUpdate")
    clock = clock_of(farm.region)
    assert update.begins_at is not None
    clock.set(update.begins_at + timedelta(days=61))
    moved = replace(update, rev=update.rev + 1, owed=11990, begins_at=clock.now() + timedelta(days=1))
    lies(hub, all_lines(moved, received=JARS, received_amount=11990))
    assert only_order(farm).receipt == "open"
    assert statement_of(only_order(farm)).total == 12000


def test_weights_that_a_producer_says_change_no_sum_of_the_hub(farm: Producer, hub: Hub, jars: None) -> None:
    order = only_order(farm)
    answer = OrderAnswer(
        iri=order.iri,
        answer=order.answer + 1,
        rev=order.rev,
        lines=tuple(
            AnswerLine(item_iri=line.item_iri, answer="confirmed", confirmed=JARS, final_quantity=Decimal(1_000_000))
            for line in order.lines
        ),
    )
    with farm.write() as tx:
        post(farm.federation, tx, order.peer_id, "OrderAnswer", answer, on_behalf_of=farm.iri)
    farm.region.work()
    minutes(farm.region)
    with hub.read() as tx:
        (owed,) = owed_at_session(tx, "hub", "hub-session")
    assert (statement_of(only_order(hub)).total, owed.total) == (12000, 12000)
