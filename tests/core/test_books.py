"""The treasurer's week: the till counted, suppliers paid, and the books of a sale closed and opened again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, select

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid, NotFound
from commensal.instance import Instance
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import hand_order_over, weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.tables import order_line
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.parts.order_corrections.returns import Returned, count_returned
from commensal.parts.supply.books import close_books, figures_of, history_of_books, open_books
from commensal.parts.supply.supplier_accounts import (
    account_of,
    pay_supplier,
    payments_to,
    statement_lines,
    supplier_accounts,
)
from commensal.parts.till.till import count_till, take_back_count, till_counts, till_of, uncounted_of
from commensal.parts.till.unpaid_guests import remind_to_pay, reminded_of
from commensal.payments.by_hand import record_given_back, record_received
from commensal.payments.payments import receive_payment
from commensal.products.tables import supplied_product
from commensal.sale_sessions.questions import sale_by_id

from .supplying import Supplying, pretend_rows
from .test_purchase_orders import letters, pass_time

CASH = "cash:cash"


@pytest.fixture
def supplying(instance: Instance) -> Any:
    """Yields the two hubs; the invariants hold in the end."""
    supplying = Supplying(instance)
    yield supplying
    with instance.store.read() as tx:
        assert broken_invariants(tx) == []


def act(supplying: Supplying, command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    with supplying.instance.store.write() as tx:
        return command(tx, *arguments, **options)


def pay(supplying: Supplying, order: Order, amount: int) -> None:
    act(
        supplying,
        receive_payment,
        enterprise_id="hub",
        order_id=order.id,
        method=CASH,
        amount=amount,
        idempotency_key=f"{order.id}{amount}",
        person_id="max",
    )


def by_hand(order: Order, amount: int) -> dict[str, Any]:
    """What somebody records of an order of the hub in cash."""
    of_order = {"enterprise_id": "hub", "order_id": order.id, "amount": amount}
    return {**of_order, "method": CASH, "person_id": "max", "allowed": [CASH]}


def hand_over(supplying: Supplying, order: Order) -> None:
    with supplying.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="hub"))


def count(supplying: Supplying, counted: int, expected: int, *, left: int = 0, reason: str = "") -> Any:
    return act(
        supplying,
        count_till,
        "hub",
        method=CASH,
        currency="EUR",
        counted=counted,
        expected=expected,
        float_after=left,
        reason=reason,
        person_id="ada",
    )


# ------------------------------------------------------------------------------------------------ the till


def test_each_entry_of_the_journal_is_in_one_count(supplying: Supplying) -> None:
    order = supplying.order("hub", {"apples": 4})
    pay(supplying, order, 600)
    first = count(supplying, 600, 600, left=100)
    pay(supplying, order, 400)
    with supplying.instance.store.read() as tx:
        till = till_of(tx, "hub", CASH)
        assert (till.float_before, till.expected, [part.amount for part in till.taken]) == (100, 500, [400])
        assert till_of(tx, "north", CASH).expected == 0
    second = count(supplying, 480, 500, reason="a slip of change")
    assert (first.difference, second.difference, second.until) == (0, -20, 2)
    again = count(supplying, 20, 0, reason="it lay under the box")
    assert again.difference == 20
    with supplying.instance.store.read() as tx:
        assert [row.number for row in till_counts(tx, "hub")] == [3, 2, 1]


def test_the_last_count_is_taken_back_by_a_counter_entry_and_counted_anew(supplying: Supplying) -> None:
    order = supplying.order("hub", {"apples": 4})
    pay(supplying, order, 600)
    first = count(supplying, 600, 600, left=100)
    pay(supplying, order, 400)
    wrong = count(supplying, 50, 500, reason="typed badly")

    def take_back(count_id: str, reason: str = "typed badly") -> None:
        act(supplying, take_back_count, "hub", count_id, reason=reason, person_id="ada")

    with pytest.raises(Conflict, match="last count"):
        take_back(first.id)
    with pytest.raises(Invalid):
        take_back(wrong.id, " ")
    with pytest.raises(NotFound):
        act(supplying, take_back_count, "north", wrong.id, reason="x", person_id="ada")
    take_back(wrong.id)
    with pytest.raises(Conflict, match="last count"):
        take_back(wrong.id)
    with supplying.instance.store.read() as tx:
        till = till_of(tx, "hub", CASH)
        assert (till.float_before, till.expected) == (100, 500), "as before the wrong count"
        newest, oldest = till_counts(tx, "hub")
    assert (newest.counted, newest.taken_back and newest.taken_back.number) == (50, 3)
    assert oldest.taken_back is None
    assert count(supplying, 500, 500).number == 4


def test_a_difference_needs_a_reason_and_a_count_the_latest_figures(supplying: Supplying) -> None:
    order = supplying.order("hub", {"apples": 4})
    pay(supplying, order, 600)
    with pytest.raises(Conflict, match=r"6\.00"):
        count(supplying, 500, 500)
    for counted, left, reason in ((590, 0, ""), (-1, 0, "x"), (600, 601, "")):
        with pytest.raises(Invalid):
            count(supplying, counted, 600, left=left, reason=reason)
    with supplying.instance.store.read() as tx:
        assert till_counts(tx, "hub") == []


@pytest.mark.parametrize("analyzed", [True, False])
def test_payments_of_other_sales_are_not_read_to_close_a_week(supplying: Supplying, analyzed: bool) -> None:
    """With 100,000 payments in cash that nobody had counted, the page read them all, each with its order."""
    store = supplying.instance.store
    if store.engine.dialect.name == "postgresql":
        pytest.skip("the statistics of SQLite are written here")
    pay(supplying, supplying.order("hub", {"apples": 4}), 600)
    if analyzed:
        pretend_rows(store, {"sale_session": 260, "customer_order": 100_000, "payment_journal": 100_000})
    queries: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: queries.append((args[2], args[3])))
    with store.read() as tx:
        assert uncounted_of(tx, "hub", "hub-session", CASH) == 1
        ((text, values),) = [query for query in queries if "payment_journal" in query[0]]
        plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
    steps = [step[-1] for step in plan]
    assert "SEARCH payment_journal USING INDEX ix_payment_journal_order (order_id=?)" in steps


# ------------------------------------------------------------------------------------------------ reminders


def test_who_has_not_paid_is_reminded_three_times_and_not_daily(supplying: Supplying, clock: ManualClock) -> None:
    order = supplying.order("hub", {"apples": 4})

    def remind() -> None:
        with supplying.instance.store.write() as tx:
            remind_to_pay(tx, locked_order(tx, order.id, enterprise_id="hub"), person_id="ada")

    with pytest.raises(Conflict, match="not begun"):
        remind()
    for _ in range(3):
        clock.advance(days=4)
        remind()
        with pytest.raises(Conflict, match="Call instead"):
            remind()
    clock.advance(days=4)
    with pytest.raises(Conflict, match="Call instead"):
        remind()
    with supplying.instance.store.read() as tx:
        assert reminded_of(tx, [order.id])[order.id].times == 3
    pass_time(supplying, clock)
    reminders = letters(supplying, "ada@example.org", about="To pay: ")
    assert ["10.00" in str(letter["Subject"]) for letter in reminders] == [True, True, True]
    pay(supplying, order, 1000)
    with pytest.raises(Conflict, match="is paid"):
        remind()


def test_who_pays_before_a_reminder_leaves_gets_none(supplying: Supplying, clock: ManualClock) -> None:
    order = supplying.order("hub", {"apples": 4})
    clock.advance(days=3)
    with supplying.instance.store.write() as tx:
        remind_to_pay(tx, locked_order(tx, order.id, enterprise_id="hub"), person_id="ada")
    pay(supplying, order, 1000)
    pass_time(supplying, clock)
    assert letters(supplying, "ada@example.org", about="To pay: ") == []


# ------------------------------------------------------------------------------------------------ suppliers


def test_a_supplier_is_paid_what_is_left_and_not_twice(supplying: Supplying) -> None:
    supplying.buy("hub", "apples", price=200)
    order = supplying.order("hub", {"apples": 3, "cheese": 1})
    supplying.order("hub", {"apples": 1}, "Bob")
    farm = ("hub", "hub-session", "farm")
    with supplying.instance.store.read() as tx:
        (line,) = statement_lines(tx, *farm)
        assert (line.name, line.pieces, line.amount) == ("Apples", 4, 800)
    assert act(supplying, pay_supplier, *farm, amount=500, left=800, reference="SEPA 1", person_id="ada").amount == 500
    with pytest.raises(Conflict, match=r"3\.00"):
        act(supplying, pay_supplier, *farm, amount=500, left=800, reference="SEPA 1", person_id="ada")
    for amount in (301, 0, -501):
        with pytest.raises(Invalid):
            act(supplying, pay_supplier, *farm, amount=amount, left=300, reference="", person_id="ada")
    act(supplying, pay_supplier, *farm, amount=-500, left=300, reference="never left", person_id="ada")
    with supplying.instance.store.read() as tx:
        assert [each.amount for each in payments_to(tx, *farm)] == [500, -500]
        names = [(each.owed.supplier, each.left) for each in supplier_accounts(tx, "hub", "hub-session")]
        assert names == [("The dairy", 250), ("The farm", 800)]
        with pytest.raises(NotFound):
            account_of(tx, "north", "hub-session", "farm")
    assert order.total == 1000


# ------------------------------------------------------------------------------------------------ the books


def test_books_close_early_once_every_order_is_handed_over(supplying: Supplying, clock: ManualClock) -> None:
    placed, other = supplying.order("hub", {"apples": 3}), supplying.order("hub", {"apples": 1}, "Bob")
    with supplying.instance.store.read() as tx:
        session = sale_by_id(tx, "hub-session").session
    clock.advance(seconds=(session.begins_at - clock.now()).total_seconds() + 1)
    with pytest.raises(Conflict, match="not over"):
        act(supplying, close_books, "hub", "hub-session", person_id="ada", anyway=True)
    hand_over(supplying, placed)
    with pytest.raises(Conflict, match="not over"):
        act(supplying, close_books, "hub", "hub-session", person_id="ada")
    act(supplying, close_books, "hub", "hub-session", person_id="ada", anyway=True)
    act(supplying, open_books, "hub", "hub-session", reason="Bob came after all", person_id="ada")
    hand_over(supplying, other)
    act(supplying, close_books, "hub", "hub-session", person_id="ada")
    with pytest.raises(Conflict, match="books of the sale"):
        supplying.order("hub", {"apples": 1}, "Zoe", by_hub=True)
    with pytest.raises(Conflict, match="is closed"):
        supplying.order("hub", {"apples": 1}, "Zoe")


def test_closed_books_change_no_more_until_they_are_opened_with_a_reason(
    supplying: Supplying, clock: ManualClock
) -> None:
    order, other = supplying.order("hub", {"apples": 3}), supplying.order("hub", {"apples": 1}, "Bob")
    with pytest.raises(Conflict, match="not over"):
        act(supplying, close_books, "hub", "hub-session", person_id="ada")
    clock.advance(days=3)
    hand_over(supplying, order)
    with pytest.raises(Conflict, match="not collected: 1"):
        act(supplying, close_books, "hub", "hub-session", person_id="ada")
    closed = act(supplying, close_books, "hub", "hub-session", person_id="ada", anyway=True)
    assert (closed.figures.orders, closed.figures.total, closed.figures.unpaid) == (2, 1000, 1000)
    hooks = supplying.instance.hooks
    items = {supplying.items["hub apples"]: 2}
    empties = [Returned(supplier_id="farm", deposit=20, pieces=1)]
    changes: tuple[Callable[[Any, Order], Any], ...] = (
        lambda tx, old: change_order(tx, hooks, old, items=items, by_hub=True),
        lambda tx, old: cancel_order(tx, hooks, old, by_hub=True),
        lambda tx, old: count_returned(tx, old, empties),
    )
    for change in changes:
        with pytest.raises(Conflict, match="books of the sale"), supplying.instance.store.write() as tx:
            change(tx, locked_order(tx, other.id, enterprise_id="hub"))
    pay(supplying, other, 250)  # who owes still pays
    for act_beyond in (record_received, record_given_back):
        with pytest.raises(Conflict, match="books of the sale"):
            act(supplying, act_beyond, **by_hand(other, 1), anyway=True)
    with pytest.raises(Conflict):
        act(supplying, close_books, "hub", "hub-session", person_id="ada", anyway=True)
    with pytest.raises(Invalid):
        act(supplying, open_books, "hub", "hub-session", reason=" ", person_id="ada")
    act(supplying, open_books, "hub", "hub-session", reason="a crate was forgotten", person_id="ada")
    with supplying.instance.store.write() as tx:
        cancel_order(tx, hooks, locked_order(tx, other.id, enterprise_id="hub"), by_hub=True)
        history = history_of_books(tx, "hub", "hub-session")
        assert [(entry.kind, entry.reason) for entry in history] == [
            ("closed", ""),
            ("opened again", "a crate was forgotten"),
        ]
        assert figures_of(tx, "hub", "hub-session").to_give_back == 250
        assert uncounted_of(tx, "hub", "hub-session", CASH) == 1


def test_the_books_of_a_shop_are_nobody_elses(supplying: Supplying, clock: ManualClock) -> None:
    clock.advance(days=3)
    with pytest.raises(NotFound):
        act(supplying, close_books, "north", "hub-session", person_id="ada")
    with pytest.raises(Conflict):
        act(supplying, open_books, "north", "hub-session", reason="mine", person_id="ada")


def test_the_treasurers_week_over_the_api(supplying: Supplying, clock: ManualClock, client: Any, somebody: Any) -> None:
    headers = supplying.token(somebody("Ada"), "hub")
    order = supplying.order("hub", {"apples": 4})
    clock.advance(days=3)
    hand_over(supplying, order)
    pay(supplying, order, 1000)

    def send(method: str, path: str, json: Any = None) -> Any:
        answer = client.request(method, f"/api/enterprises/hub/{path}", json=json, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    session = "sale-sessions/hub-session"
    assert send("GET", "till")["taken"][0]["amount"] == 1000
    counted = {"counted": 1000, "float_after": 50, "expected": 1000}
    assert send("POST", "till/counts", counted)["taken"] == 1000
    assert len(send("GET", "till/counts")) == 1
    assert send("GET", f"{session}/supplier-accounts")[0]["owed"]["total"] == 1000
    paid = {"amount": 1000, "left": 1000, "reference": "SEPA 1"}
    assert send("POST", f"{session}/supplier-accounts/farm/payments", paid)["amount"] == 1000
    assert send("GET", f"{session}/supplier-accounts/farm")["lines"][0]["name"] == "Apples"
    assert send("POST", f"{session}/books/close", {})["kind"] == "closed"
    assert send("POST", f"{session}/books/open", {"reason": "x"})["kind"] == "opened again"
    assert send("GET", f"{session}/books")["figures"]["settled"] == 1000


def test_books_that_an_older_version_closed_keep_what_its_rounding_made_of_weights(
    supplying: Supplying, clock: ManualClock
) -> None:
    supplying.buy("hub", "apples", price=235)
    with supplying.instance.store.write() as tx:
        tx.execute(supplied_product.update().values(weighed=True))
    order, farm = supplying.order("hub", {"apples": 2}), ("hub", "hub-session", "farm")
    with supplying.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        weigh_order(tx, supplying.instance.hooks, locked, {order.lines[0].id: Decimal("1.87")})
    clock.advance(days=3)
    act(supplying, close_books, "hub", "hub-session", person_id="ada", anyway=True)

    def owed() -> tuple[int, int]:
        with supplying.instance.store.read() as tx:
            return account_of(tx, *farm).left, sum(line.amount for line in statement_lines(tx, *farm))

    assert owed() == (439, 439)
    with supplying.instance.store.write() as tx:
        assert tx.value(select(order_line.c.settled_cost)) == 439, "closing fixes what it is today"
        tx.execute(order_line.update().values(settled_cost=440))  # as an older version rounded it
        pay_supplier(tx, *farm, amount=440, left=440, reference="", person_id="ada")
    assert owed() == (0, 440)
    act(supplying, open_books, "hub", "hub-session", reason="a crate was forgotten", person_id="ada")
    assert owed() == (-1, 439), "opened again, they are counted by the rules of today"
