"""After the hand-over an order is corrected by counter-entries: what was recorded stays, and what is owed follows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import hand_order_over, undo_hand_over_of
from commensal.orders.lock import locked_order
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.parts.supply.books import close_books
from commensal.parts.supply.corrections import LineCorrection, correct_order
from commensal.parts.supply.owed import owed_at_session
from commensal.payments.payments import receive_payment
from commensal.payments.refunds import refund

from .supplying import Supplying


def handed_over(supplying: Supplying, goods: dict[str, int], *, paid: bool = False) -> Order:
    order = supplying.order("hub", goods)
    with supplying.instance.store.write() as tx:
        if paid:
            receive_payment(
                tx,
                enterprise_id="hub",
                order_id=order.id,
                method="cash:cash",
                amount=order.total,
                person_id=None,
                idempotency_key=order.id,
            )
        return hand_order_over(tx, locked_order(tx, order.id, enterprise_id="hub"))


def correct(supplying: Supplying, order: Order, amount: int, *, returned: int = 0, **options: Any) -> Order:
    """Corrects the order's first line."""
    with supplying.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        corrections = {locked.lines[0].id: LineCorrection(amount=amount, returned=returned)}
        corrected = correct_order(
            tx, supplying.instance.hooks, locked, corrections, reason=options.pop("reason", "cracked"), **options
        )
    with supplying.instance.store.read() as tx:
        assert broken_invariants(tx) == []
    return corrected


def owed(supplying: Supplying) -> dict[str, int]:
    with supplying.instance.store.read() as tx:
        return {each.supplier_id: each.total for each in owed_at_session(tx, "hub", "hub-session")}


def test_the_line_stays_and_a_counter_entry_gives_its_price_back(supplying: Supplying) -> None:
    order = handed_over(supplying, {"apples": 4}, paid=True)
    corrected = correct(supplying, order, 250)
    assert (corrected.lines, corrected.products_total) == (order.lines, 1000), "nothing that was recorded has changed"
    (entry,) = corrected.adjustments
    assert (entry.label, entry.amount, entry.vat_rate) == ("Correction: Apples, cracked", -250, Decimal("5.5"))
    assert (corrected.total, corrected.vat_total, corrected.paid_total) == (750, 39, 1000)
    with supplying.instance.store.write() as tx:
        refund(
            tx,
            enterprise_id="hub",
            order_id=order.id,
            method="cash:cash",
            amount=250,
            idempotency_key="back",
            person_id=None,
        )


def test_what_the_shop_bears_it_still_owes_and_what_the_supplier_bears_it_does_not(supplying: Supplying) -> None:
    supplying.buy("hub", "apples", price=200)
    order = handed_over(supplying, {"apples": 4})
    correct(supplying, order, 250)
    assert owed(supplying) == {"farm": 800}
    correct(supplying, order, 250, borne_by="supplier")
    assert owed(supplying) == {"farm": 600}


def test_counter_entries_add_up_to_the_line_and_no_further(supplying: Supplying) -> None:
    order = handed_over(supplying, {"apples": 2})
    correct(supplying, order, 300)
    with pytest.raises(Invalid) as refused:
        correct(supplying, order, 201)
    assert [problem.where for problem in refused.value.problems] == [f"/lines/{order.lines[0].id}/amount"]
    assert correct(supplying, order, 200).total == 0


def test_pieces_that_come_back_go_on_sale_again_once(supplying: Supplying) -> None:
    order = handed_over(supplying, {"apples": 2})
    correct(supplying, order, 250)
    assert supplying.free("apples") == 98, "what is cracked is not sold again"
    correct(supplying, order, 100, returned=2)
    assert supplying.free("apples") == 100
    with pytest.raises(Conflict, match="More would come back"):
        correct(supplying, order, 100, returned=1)


def test_every_mistake_is_named_and_nothing_is_written(supplying: Supplying) -> None:
    order = handed_over(supplying, {"apples": 2})
    with supplying.instance.store.write() as tx, pytest.raises(Invalid) as refused:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        corrections = {"none": LineCorrection(amount=1), order.lines[0].id: LineCorrection(amount=0, returned=3)}
        correct_order(tx, supplying.instance.hooks, locked, corrections, reason=" ")
    assert [problem.code for problem in refused.value.problems] == ["reason_missing", "no_line", "returned"]


def test_before_the_hand_over_an_order_is_changed_and_not_corrected(supplying: Supplying) -> None:
    with pytest.raises(Conflict, match="change it instead"):
        correct(supplying, supplying.order("hub", {"apples": 2}), 100)


def test_closed_books_are_opened_before_an_order_is_corrected(supplying: Supplying, clock: ManualClock) -> None:
    order = handed_over(supplying, {"apples": 2})
    clock.advance(days=3)
    with supplying.instance.store.write() as tx:
        close_books(tx, "hub", "hub-session", person_id="treasurer")
    with pytest.raises(Conflict, match="Open them again first"):
        correct(supplying, order, 100)


def test_a_corrected_order_is_neither_cancelled_nor_taken_back(supplying: Supplying, clock: ManualClock) -> None:
    """Both would count its goods and its price a second time."""
    order = correct(supplying, handed_over(supplying, {"apples": 2}), 250, returned=1)
    with supplying.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        with pytest.raises(Conflict, match="correct what is left"):
            cancel_order(tx, supplying.instance.hooks, locked, by_hub=True)
        with pytest.raises(Conflict, match="correct what is left"):
            undo_hand_over_of(tx, locked)


def test_a_hub_corrects_over_the_api(supplying: Supplying, client: TestClient, somebody: Any) -> None:
    order = handed_over(supplying, {"apples": 4})
    headers = {**supplying.token(somebody("Mo"), "hub"), "If-Match": f'"{order.version}"'}
    body = {"lines": {order.lines[0].id: {"amount": 250}}, "reason": "cracked", "borne_by": "supplier"}
    corrected = client.post(f"/api/enterprises/hub/orders/{order.id}/corrections", json=body, headers=headers)
    assert (corrected.status_code, corrected.json()["total"]) == (200, 750), corrected.text
    assert owed(supplying) == {"farm": 750}
