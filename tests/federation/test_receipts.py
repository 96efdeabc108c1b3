"""What a hub weighs is what it owes the producer elsewhere: one sum on both sides, or a difference to agree upon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commensal import Order, Transaction
from commensal.catalogs.items import add_item
from commensal.catalogs.offers import set_price
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import hand_order_over, weigh_order
from commensal.orders.lock import locked_order
from commensal.parts.supply.corrections import LineCorrection, correct_order
from commensal.parts.supply.owed import owed_at_session
from commensal.products.products import create_product
from commensal_federation.delivery.restore.restored import notice_restore
from commensal_federation.messages import Refuse
from commensal_federation.messages.bodies.orders import InstanceOrder
from commensal_federation.orders import claims
from commensal_federation.orders.claims import answer_receipt
from commensal_federation.orders.statement import statement_of
from commensal_federation.orders.supplier import take_order

from .restoring import Backup
from .test_protocol_attacks import last_sent
from .trading import Hub, Place, Producer, clock_of, close, minutes, only_order

PEERS = ("ab",)
BOTH = True  # databases
POULTRY = 2400  # a chicken of about 2 kg, with VAT


@pytest.fixture
def orders(farm: Producer, hub: Hub) -> list[Order]:
    """Ada has ordered one chicken and Bea two; the sale is closed, and the farm has confirmed them by itself."""
    with farm.write() as tx:
        chicken = create_product(
            tx,
            enterprise_id="farm",
            name="Chicken",
            product_type="fresh-meat",
            quantity=Decimal(2),
            unit="Kilogram",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(100),
            weighed=True,
        )
        set_price(tx, "farm", add_item(tx, "farm", "farm-catalog", chicken.id).id, POULTRY)
    farm.grant(hub)
    hub.sell(farm, price=2880)
    item = next(listing.item_ids[0] for listing in hub.received(farm) if listing.name == "Chicken")
    orders = [hub.order(item, 1), hub.order(item, 2, "Bea")]
    close(farm.region)
    return orders


def change(hub: Hub, order: Order, step: Callable[[Transaction, Order], object]) -> None:
    """Does a step with a customer's order; a minute later the farm has heard of it, and the hub of its answer."""
    with hub.write() as tx:
        step(tx, locked_order(tx, order.id, enterprise_id="hub"))
    hub.region.work()
    minutes(hub.region)


def weigh(hub: Hub, order: Order, weight: str) -> None:
    def on_the_scales(tx: Transaction, placed: Order) -> None:
        weigh_order(tx, hub.instance.hooks, placed, {placed.lines[0].id: Decimal(weight)})

    change(hub, order, on_the_scales)


def owed_by(hub: Hub) -> int:
    """What "Suppliers to pay" of the hub says."""
    with hub.read() as tx:
        (owed,) = owed_at_session(tx, "hub", "hub-session")
    return owed.total


def sums(farm: Producer, hub: Hub) -> tuple[int, int, int]:
    """What the hub owes by its books, and the statements of the order at the hub and at the farm."""
    return owed_by(hub), statement_of(only_order(hub)).total, statement_of(only_order(farm)).total


def receipt_at(place: Place) -> tuple[str, str]:
    order = only_order(place)
    return order.receipt, order.objection


def says(farm: Producer, objection: str) -> InstanceOrder:
    """The farm's people agree to what the hub says that it got, or object."""
    order = only_order(farm)
    assert order.owed is not None
    with farm.write() as tx:
        answered = answer_receipt(farm.federation, tx, "farm", order.id, objection=objection, owed=order.owed)
    farm.region.work()
    return answered


def test_what_the_hub_weighs_it_owes_by_weight_and_both_sides_say_the_same_sum(
    farm: Producer, hub: Hub, orders: list[Order]
) -> None:
    assert sums(farm, hub) == (7200, 7200, 7200)
    weigh(hub, orders[0], "2.2")
    assert sums(farm, hub) == (7440, 7440, 7440)
    weigh(hub, orders[1], "3.333")
    assert sums(farm, hub) == (6640, 6640, 6640), "26.40 and 39.9960, rounded for each customer"
    (line,) = statement_of(only_order(farm)).lines
    assert (line.quantity, line.weighed, line.by_hub) == (3, Decimal("5.533"), True)
    assert receipt_at(farm) == receipt_at(hub) == ("taken", "")
    change(hub, orders[0], hand_order_over)
    assert sums(farm, hub) == (6640, 6640, 6640)


def test_what_the_hub_gives_back_at_the_cost_of_the_farm_waits_for_its_people(
    farm: Producer, hub: Hub, orders: list[Order]
) -> None:
    """After the hand-over; also what the hub has lost itself, which it owes although nobody orders it any more."""
    weigh(hub, orders[0], "2.2")
    change(hub, orders[0], hand_order_over)

    def half_is_spoiled(tx: Transaction, placed: Order) -> None:
        line = placed.lines[0]
        correct_order(
            tx,
            hub.instance.hooks,
            placed,
            {line.id: LineCorrection(amount=line.amount // 2)},
            reason="spoiled",
            borne_by="supplier",
        )

    change(hub, orders[0], half_is_spoiled)
    assert receipt_at(farm) == receipt_at(hub) == ("open", "")
    assert sums(farm, hub) == (6120, 7440, 7440), "until the farm agrees the order is paid by the last sum of both"
    says(farm, "It was fresh.")
    assert receipt_at(farm) == receipt_at(hub) == ("disputed", "It was fresh.")
    assert sums(farm, hub) == (6120, 7440, 7440)
    says(farm, "")
    assert (receipt_at(farm), receipt_at(hub)) == (("agreed", ""), ("agreed", ""))
    assert sums(farm, hub) == (6120, 6120, 6120)
    weigh(hub, orders[1], "4.1")
    assert receipt_at(farm) == receipt_at(hub) == ("open", ""), "what it agreed to was another sum"

    def lost(tx: Transaction, placed: Order) -> None:
        cancel_order(tx, hub.instance.hooks, placed, restock=False, by_hub=True)

    change(hub, orders[1], lost)
    says(farm, "")
    assert sums(farm, hub) == (6240, 6240, 6240)


def test_a_receipt_that_is_lost_repeated_or_late_is_made_good_by_the_next(
    farm: Producer, hub: Hub, orders: list[Order]
) -> None:
    farm.region.cut("a", "b")
    weigh(hub, orders[0], "2.2")
    farm.region.mend()
    farm.region.cut("b", "a", one_way=True)
    weigh(hub, orders[0], "2.3")
    assert sums(farm, hub) == (7560, 7200, 7200)
    farm.region.mend()
    minutes(farm.region, 10)
    assert sums(farm, hub) == (7560, 7560, 7560)
    update = last_sent(hub, "OrderUpdate")
    with farm.write() as tx:
        for rev in (update.rev, update.rev - 1):
            take_order(farm.federation, tx, farm.region.peer("a", "b"), replace(update, rev=rev, owed=1))
    farm.region.work()
    assert sums(farm, hub) == (7560, 7560, 7560)


@pytest.mark.parametrize("restored", ["hub", "farm"])
def test_after_a_restore_both_sides_say_the_same_sum_again(
    farm: Producer, hub: Hub, orders: list[Order], restored: str, tmp_path: Path
) -> None:
    place = farm if restored == "farm" else hub
    backup = Backup(place, tmp_path)
    weigh(hub, orders[0], "1.2")  # 40 percent less than was sold
    says(farm, "")
    assert sums(farm, hub) == (6240, 6240, 6240)
    backup.restore()
    assert notice_restore(place.federation)
    minutes(farm.region, 10)
    known = 6240 if restored == "farm" else 7200  # the hub has forgotten what it weighed, and says so
    assert sums(farm, hub)[0] == known
    assert sums(farm, hub)[1:] == (known, known)


@pytest.mark.parametrize(
    ("lie", "owed"),
    [
        ({"received": 3, "received_quantity": Decimal(0), "received_amount": 0}, 0),
        ({"received": 3, "received_quantity": Decimal(100), "received_amount": 120_000}, 120_000),
        ({"received": 2, "received_quantity": None, "received_amount": 4800}, 4800),
        ({"received": 3, "received_quantity": None, "received_amount": 7000}, 7000),
        ({"received": 3, "received_quantity": None, "received_amount": 7200}, 7100),
    ],
    ids=["nothing", "100 kg", "less than it got", "another price", "another sum"],
)
def test_a_hub_that_lies_about_what_it_got_changes_no_sum_of_the_farm(
    farm: Producer, hub: Hub, orders: list[Order], lie: dict[str, Any], owed: int
) -> None:
    update = last_sent(hub, "OrderUpdate")
    lines = tuple(replace(line, **lie) for line in update.lines)
    with farm.write() as tx:
        peer = farm.region.peer("a", "b")
        take_order(farm.federation, tx, peer, replace(update, rev=update.rev + 1, owed=owed, lines=lines))
    assert receipt_at(farm) == ("open", "")
    assert statement_of(only_order(farm)).total == 7200


def test_without_bounds_a_hub_would_pay_what_it_likes(
    farm: Producer, hub: Hub, orders: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "_counts_by_itself", lambda *_: True)
    update = last_sent(hub, "OrderUpdate")
    lines = tuple(replace(line, received=3, received_amount=0) for line in update.lines)
    with farm.write() as tx:
        peer = farm.region.peer("a", "b")
        take_order(farm.federation, tx, peer, replace(update, rev=update.rev + 1, owed=0, lines=lines))
    assert statement_of(only_order(farm)).total == 0


def test_half_a_receipt_is_refused(farm: Producer, hub: Hub, orders: list[Order]) -> None:
    update = last_sent(hub, "OrderUpdate")
    with farm.write() as tx, pytest.raises(Refuse, match="how many pieces came"):
        take_order(farm.federation, tx, farm.region.peer("a", "b"), replace(update, rev=update.rev + 1, owed=1))


def test_what_is_said_two_months_after_the_distribution_waits_for_a_person(
    farm: Producer, hub: Hub, orders: list[Order]
) -> None:
    begins_at = only_order(farm).begins_at
    assert begins_at is not None
    clock_of(farm.region).advance(seconds=(begins_at - clock_of(farm.region).now()).total_seconds(), days=61)
    weigh(hub, orders[0], "2.2")
    assert receipt_at(farm) == receipt_at(hub) == ("open", "")
