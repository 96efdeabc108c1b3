"""What a paired partner says of money, signed with its real keys: no sum here follows its word without a person."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from commensal.catalogs.items import add_item
from commensal.catalogs.offers import set_price
from commensal.orders.lock import locked_order
from commensal.parts.order_corrections.substitutes import shorten_order
from commensal.parts.supply.owed import owed_at_session
from commensal.products.products import create_product
from commensal.testing.placed import a_shop
from commensal_federation import migrations
from commensal_federation.delivery import post
from commensal_federation.messages.bodies.orders import InstanceOrder
from commensal_federation.messages.order_answer import AnswerLine, OrderAnswer
from commensal_federation.messages.order_update import OrderUpdate
from commensal_federation.notices.tables import federation_notice
from commensal_federation.orders import claims, facts
from commensal_federation.orders.answers import take_answer
from commensal_federation.orders.claims import answer_receipt
from commensal_federation.orders.statement import statement_of
from commensal_federation.orders.tables import federation_order, federation_order_fact, federation_order_line

from .test_protocol_attacks import last_sent
from .trading import Hub, Place, Producer, clock_of, close, customer_orders, minutes, only_order

PEERS = ("ab",)
BOTH = True  # databases
JARS, PRICE = 15, 800
NUMBERS = count(100)  # of answers: higher than any that the instances give


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


def all_came(update: OrderUpdate) -> OrderUpdate:
    return all_lines(replace(update, owed=JARS * PRICE), received=JARS, received_amount=JARS * PRICE)


LESS: Mapping[str, Callable[[OrderUpdate], OrderUpdate]] = {
    "without lines": lambda update: replace(update, lines=()),
    "of no pieces": lambda update: all_lines(update, quantity=0),
    "of one piece": lambda update: all_lines(update, quantity=1),
    "cancelled": lambda update: replace(update, state="Cancelled"),
    "cancelled and empty": lambda update: replace(update, state="Cancelled", lines=()),
    "cancelled, with a receipt of all": lambda update: replace(all_came(update), state="Cancelled"),
    "of no pieces, with a receipt of all": lambda update: all_lines(all_came(update), quantity=0),
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
    assert (only_order(farm).state, statement_of(only_order(farm)).total) == ("Complete", 12000)


def test_a_receipt_of_all_does_not_carry_pieces_away_that_the_next_word_takes_back(
    farm: Producer, hub: Hub, jars: None
) -> None:
    update = last_sent(hub, "OrderUpdate")
    lies(hub, all_lines(all_came(replace(update, rev=update.rev + 1)), quantity=0))
    lies(hub, all_lines(replace(update, rev=update.rev + 2), quantity=0))
    assert statement_of(only_order(farm)).total == 12000


def test_who_agrees_to_an_order_called_off_is_owed_nothing_whatever_its_receipt_says(
    farm: Producer, hub: Hub, jars: None
) -> None:
    update = last_sent(hub, "OrderUpdate")
    lies(hub, replace(all_came(update), rev=update.rev + 1, state="Cancelled"))
    order = only_order(farm)
    claim = statement_of(order).claim
    assert claim is not None
    assert (claim.called_off, claim.total) == (True, 0), "a person is shown what agreeing means"
    decides(farm)
    assert (only_order(farm).state, statement_of(only_order(farm)).total) == ("Cancelled", 0)


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


def says(farm: Producer, confirmed: int, number: int = 0) -> None:
    """The farm's instance says how many jars come, with its real keys."""
    order = only_order(farm)
    lines = tuple(AnswerLine(item_iri=line.item_iri, answer="confirmed", confirmed=confirmed) for line in order.lines)
    answer = OrderAnswer(iri=order.iri, answer=number or next(NUMBERS), rev=order.rev, lines=lines)
    with farm.write() as tx:
        post(farm.federation, tx, order.peer_id, "OrderAnswer", answer, on_behalf_of=farm.iri)
    farm.region.work()


def test_an_order_numbered_far_ahead_is_refused_and_the_next_one_counts(farm: Producer, hub: Hub, jars: None) -> None:
    update = last_sent(hub, "OrderUpdate")
    lies(hub, replace(update, rev=2**40))
    lies(hub, all_lines(replace(update, rev=update.rev + 1), quantity=JARS + 5))
    assert [line.quantity for line in only_order(farm).lines] == [JARS + 5]


def test_an_answer_numbered_far_ahead_is_refused_and_the_next_one_counts(farm: Producer, hub: Hub, jars: None) -> None:
    says(farm, 14, number=2**40)
    says(farm, 12)
    assert statement_of(only_order(hub)).total == 9600


def test_what_came_short_does_not_come_back_by_the_producers_word_alone(farm: Producer, hub: Hub, jars: None) -> None:
    says(farm, 12)
    assert statement_of(only_order(hub)).total == 9600
    clock_of(farm.region).advance(days=200)
    says(farm, 15)
    assert statement_of(only_order(hub)).total == 9600


def test_without_its_bound_a_producer_would_confirm_more_than_before(
    farm: Producer, hub: Hub, jars: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(farm, 12)
    monkeypatch.setattr(InstanceOrder, "standing", lambda *_: None)
    says(farm, 15)
    assert statement_of(only_order(hub)).total == 12000


def test_without_what_stands_an_order_would_be_erased(
    farm: Producer, hub: Hub, jars: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InstanceOrder, "standing", lambda *_: None)
    update = last_sent(hub, "OrderUpdate")
    lies(hub, all_lines(replace(update, rev=update.rev + 1), quantity=0))
    assert statement_of(only_order(farm)).total == 0


def test_claims_within_the_allowance_count_until_it_is_used_up(farm: Producer, hub: Hub, jars: None) -> None:
    update = last_sent(hub, "OrderUpdate")
    lies(hub, all_lines(replace(update, rev=update.rev + 1), quantity=14))
    assert totals(farm, hub) == (11200, 11200)
    lies(hub, all_lines(replace(update, rev=update.rev + 2), quantity=13))
    order = only_order(farm)
    assert (statement_of(order).total, order.receipt) == (11200, "open")


def test_without_the_allowance_a_hub_would_pay_a_third_less(
    farm: Producer, hub: Hub, jars: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "draw", lambda *_: True)
    update = last_sent(hub, "OrderUpdate")
    lies(hub, all_lines(replace(update, rev=update.rev + 1), quantity=10))
    assert statement_of(only_order(farm)).total == 8000


def test_an_order_is_of_one_producer_whatever_the_hub_says_later(farm: Producer, hub: Hub, jars: None) -> None:
    with farm.write() as tx:
        a_shop(tx, "field", is_producer=True, name="field")
    field = Place(farm.region, "a", "field")
    update = last_sent(hub, "OrderUpdate")
    lies(hub, replace(all_lines(update, quantity=0), rev=update.rev + 1, supplier=field.iri))
    assert statement_of(only_order(farm)).total == 12000


# ------------------------------------------------------------------------------------------------ honest people


def takes_off(hub: Hub, pieces: int) -> None:
    """A person at the hub takes pieces off the customer's order, after the sale."""
    (order,) = customer_orders(hub)
    with hub.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        shorten_order(tx, hub.instance.hooks, locked, {order.lines[0].id: pieces})
    minutes(hub.region, 2)


def decides(farm: Producer, objection: str = "") -> None:
    claim = statement_of(only_order(farm)).claim
    assert claim is not None
    with farm.write() as tx:
        answer_receipt(farm.federation, tx, "farm", only_order(farm).id, objection=objection, owed=claim.total)
    farm.region.work()


def notices(place: Place) -> list[str]:
    with place.read() as tx:
        return sorted(row["kind"] for row in tx.all(select(federation_notice.c.kind)))


def test_a_hub_that_orders_less_after_the_close_owes_less_when_the_farm_agrees(
    farm: Producer, hub: Hub, jars: None
) -> None:
    takes_off(hub, 5)
    assert totals(farm, hub) == (12000, 12000)
    claimed = [statement_of(only_order(place)).claim for place in (farm, hub)]
    assert [(claim.total, claim.state) for claim in claimed if claim is not None] == [(8000, "open")] * 2
    assert "claimed" in notices(farm), "its people are told by e-mail"
    decides(farm)
    assert totals(farm, hub) == (8000, 8000)
    assert [statement_of(only_order(place)).claim for place in (farm, hub)] == [None, None]
    assert "claimed" not in notices(farm)
    assert [[line.quantity for line in only_order(place).lines if line.quantity] for place in (farm, hub)] == [[10]] * 2


def test_a_farm_that_objects_is_owed_what_it_confirmed_and_the_hub_reads_why(
    farm: Producer, hub: Hub, jars: None
) -> None:
    takes_off(hub, 5)
    decides(farm, "They are in the van.")
    assert totals(farm, hub) == (12000, 12000)
    order = only_order(hub)
    assert (order.receipt, order.objection) == ("disputed", "They are in the van.")
    assert "objected" in notices(hub)


def test_a_hub_takes_back_what_it_claimed(farm: Producer, hub: Hub, jars: None) -> None:
    update = last_sent(hub, "OrderUpdate")
    lies(hub, all_lines(replace(update, rev=update.rev + 1), quantity=5))
    assert only_order(farm).receipt == "open"
    lies(hub, replace(update, rev=update.rev + 2))
    order = only_order(farm)
    assert (order.receipt, statement_of(order).total, statement_of(order).claim) == ("", 12000, None)
    assert "claimed" not in notices(farm)


def test_an_order_that_is_called_off_ends_when_the_farm_agrees(farm: Producer, hub: Hub, jars: None) -> None:
    update = last_sent(hub, "OrderUpdate")
    lies(hub, replace(update, rev=update.rev + 1, state="Cancelled"))
    order = only_order(farm)
    assert (order.state, order.called_off, statement_of(order).total) == ("Complete", True, 12000)
    decides(farm)
    order = only_order(farm)
    assert (order.state, order.called_off, statement_of(order).total) == ("Cancelled", False, 0)


def test_a_producer_of_version_0_2_agrees_by_confirming_fewer(farm: Producer, hub: Hub, jars: None) -> None:
    """It takes fewer pieces at once, and answers without a word about claims."""
    farm.region.cut("a", "b", one_way=True)  # what the farm of today would answer
    takes_off(hub, 5)
    farm.region.mend()
    order = only_order(hub)
    lines = tuple(AnswerLine(item_iri=line.item_iri, answer="confirmed", confirmed=10) for line in order.lines)
    answer = OrderAnswer(iri=order.iri, answer=next(NUMBERS), rev=order.rev, lines=lines)
    with hub.write() as tx:
        take_answer(hub.federation, tx, hub.region.peer("b", "a"), answer)
    order = only_order(hub)
    assert (statement_of(order).total, statement_of(order).claim) == (8000, None)
    assert [(line.quantity, line.coming, line.wanted) for line in order.lines] == [(10, 10, None)]


# ------------------------------------------------------------------------------------------------ the chain


def chain(place: Place) -> list[tuple[str, str, int | None, int | None]]:
    return [(fact.kind, fact.said_by, fact.pieces, fact.amount) for fact in only_order(place).facts]


def test_both_sides_keep_the_same_facts(farm: Producer, hub: Hub, jars: None) -> None:
    takes_off(hub, 5)
    decides(farm, "They are in the van.")
    decides(farm)
    assert chain(farm) == chain(hub)
    kinds = [fact.kind for fact in only_order(farm).facts]
    assert kinds == ["ordered", "answered", "claimed", "claimed", "claimed", "agreed"]


def test_what_was_said_is_never_changed(farm: Producer, hub: Hub, jars: None) -> None:
    for change in (update(federation_order_fact).values(amount=1), delete(federation_order_fact)):
        with pytest.raises(DBAPIError, match="only grows"), farm.write() as tx:
            tx.execute(change)


def test_an_order_of_before_begins_its_chain_with_what_stands(farm: Producer, hub: Hub, jars: None) -> None:
    """The upgrade of an instance of version 0.2 makes the facts that this version would have noted."""
    revision = runpy.run_path(str(migrations() / "federation_0041_facts.py"))
    with farm.read() as tx:
        order = dict(tx.one(select(federation_order)))
        lines = [dict(row) for row in tx.all(select(federation_order_line))]
    facts = list(revision["_facts"](order, lines))
    assert [(fact["kind"], fact["said_by"], fact["pieces"], fact["amount"]) for fact in facts] == chain(farm)


def test_an_order_about_which_too_much_was_said_takes_no_more_and_keeps_its_sum(
    farm: Producer, hub: Hub, jars: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is 20,000 facts; here the chain is full after two more, and nothing that stood is lost."""
    monkeypatch.setattr("commensal_federation.orders.facts.MOST_FACTS", len(chain(farm)) + 2)
    told = last_sent(hub, "OrderUpdate")
    for rev in range(1, 9):
        lies(hub, all_lines(replace(told, rev=told.rev + rev), quantity=JARS - rev))
    assert len(chain(farm)) <= facts.MOST_FACTS
    assert statement_of(only_order(farm)).total == 12000
