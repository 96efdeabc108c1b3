"""What is open, over all sales: its sums are those of the other pages, today and on a day; cents are written off."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import insert, select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict
from commensal.enterprises.customers import create_customer
from commensal.enterprises.grants import grant
from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.parts.distribution.summaries import orders_to_give_back, unpaid_orders
from commensal.parts.serving.work import work_of
from commensal.parts.supply.supplier_accounts import account_of, pay_supplier
from commensal.payments.journal import journal_entries
from commensal.payments.methods import WRITTEN_OFF
from commensal.payments.payments import receive_payment
from commensal.payments.refunds import refund
from commensal.sale_sessions.questions import sessions_of_shop
from commensal.sale_sessions.tables import coordination, coordination_supplier
from commensal.sale_sessions.values import SaleSession
from commensal.storage.database import Transaction
from commensal.storage.jobs.periodic import run_periodic
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_account.accounts import open_account, write_entry
from commensal_pickup.tables import pickup_slot

from .conftest import Browser, Stall
from .test_office import OFFICE, a_member, an_order, journal, owner

__all__ = ["owner"]  # a fixture

PLUGINS = ("shop", "office", "cash", "pickup", "bank_transfer", "account", "solidarity")
OPEN = f"{OFFICE}/money/open"
CHEESE = 250
WEEKS = 52
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


@dataclass
class Year:
    """A year of sales, and beside it what a ledger of few lines says is open after each of them."""

    seed: int
    stall: Stall
    clock: ManualClock
    customers: dict[str, int] = field(default_factory=dict)
    suppliers: dict[str, int] = field(default_factory=dict)
    evenings: list[tuple[date, tuple[int, int, int]]] = field(default_factory=list)

    def sums(self) -> tuple[int, int, int]:
        """What customers owe, what they get back, and what suppliers are owed."""
        due = self.customers.values()
        return sum(max(each, 0) for each in due), sum(max(-each, 0) for each in due), sum(self.suppliers.values())

    def play(self) -> None:
        drawn = random.Random(self.seed)
        with self.stall.instance.store.write() as tx:
            a_shop(tx, "farm", name="La Ferme", is_producer=True, is_hub=False)
            cheese = an_item(tx, a_lot(tx, "farm", name="Tomme", on_hand="9000"), name="Tomme", enterprise_id="farm")
            for scope in ("ReadProducts", "WriteOrders"):
                grant(tx, "farm", "shop", scope)
            tx.execute(insert(coordination_supplier).values(coordination_id="shop-sale", enterprise_id="farm"))
            tx.execute(update(coordination).where(coordination.c.id == "shop-sale").values(rhythm="FREQ=WEEKLY"))
        for _ in range(WEEKS):
            session = self.newest()
            self.clock.set(max(self.clock.now(), session.opens_at + timedelta(minutes=1)))
            orders = [self.order(session, cheese, drawn.randint(1, 6)) for _ in range(3)]
            if drawn.random() < 0.3:
                self.pay(orders[0], orders[0].total)
                self.cancel(orders.pop(0))
            self.clock.set(session.ends_at + timedelta(hours=1))
            run_periodic(self.stall.instance, work_of(self.stall.instance))
            for order in orders:
                self.pay(order, max(0, order.total + drawn.choice((0, 0, 0, -80, 38, -order.total))))
            self.suppliers[session.id] = sum(order.total for order in orders)
            self.pay_farm(session, drawn.choice((1, 1, 0.5, 0)))
            self.evenings.append((self.clock.now().date(), self.sums()))

    def newest(self) -> SaleSession:
        with self.stall.instance.store.read() as tx:
            return max(sessions_of_shop(tx, "shop"), key=lambda each: each.begins_at)

    def order(self, session: SaleSession, item: str, pieces: int) -> Order:
        with self.stall.instance.store.write() as tx:
            slot = tx.value(
                select(pickup_slot.c.id)
                .where(pickup_slot.c.session_id == session.id)
                .order_by(pickup_slot.c.id)
                .limit(1)
            )
            tx.execute(update(pickup_slot).values(capacity=None))
            wish = Wish(
                items={item: pieces},
                name="Corinne Clerc",
                email="corinne@example.org",
                phone="06 39 98 58 66",
                shipping=f"pickup:{slot}",
                payment_method="cash:cash",
            )
            order = place_order(tx, self.stall.instance.hooks, session.id, wish)
        assert order.total == pieces * CHEESE
        self.customers[order.id] = order.total
        return order

    def pay(self, order: Order, amount: int) -> None:
        if not amount:
            return
        with self.stall.instance.store.write() as tx:
            receive_payment(
                tx,
                enterprise_id="shop",
                order_id=order.id,
                method="cash:cash",
                amount=amount,
                idempotency_key=tx.new_id(),
                person_id=None,
            )
        self.customers[order.id] -= amount

    def cancel(self, order: Order) -> None:
        with self.stall.instance.store.write() as tx:
            cancel_order(tx, self.stall.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))
        self.customers[order.id] -= order.total

    def pay_farm(self, session: SaleSession, share: float) -> None:
        with self.stall.instance.store.write() as tx:
            left = account_of(tx, "shop", session.id, "farm").left
            assert left == self.suppliers[session.id]
            if amount := int(left * share):
                pay_supplier(tx, "shop", session.id, "farm", amount=amount, left=left, reference="", person_id="x")
        self.suppliers[session.id] -= amount


def shown(text: str) -> tuple[int, int, int]:
    """The three sums of the page, in cents."""
    shown_sums = re.search(r"Customers owe€([\d,.]+) Customers get back€([\d,.]+) Suppliers are owed€([\d,.]+)", text)
    assert shown_sums, text
    due, back, owed = (int(amount.replace(",", "").replace(".", "")) for amount in shown_sums.groups())
    return due, back, owed


def left_on_pages(owner: Browser, sessions: Sequence[SaleSession]) -> int:
    """What the pages of the sales say is left to pay to suppliers, in sum."""
    sums = 0
    for session in sessions:
        left_to_pay = re.search(r"Left to pay €([\d,.]+)", owner.go(f"{OFFICE}/money/suppliers?sale={session.id}").text)
        sums += int(left_to_pay[1].replace(",", "").replace(".", "")) if left_to_pay else 0
    return sums


def test_after_a_year_the_sums_are_those_of_the_other_pages_today_and_on_each_day(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    year = Year(38, stall, clock)
    year.play()
    owner = owner.another()
    owner.log_in("olivia@example.org")
    assert shown(owner.go(OPEN).text) == year.sums()
    assert all(sum_ > 0 for sum_ in year.sums()), "something of each kind is open"
    with stall.instance.store.read() as tx:
        sessions = sessions_of_shop(tx, "shop", limit=200)
        unpaid = sum(order.due for order in unpaid_orders(tx, "shop", late=True))
        back = -sum(order.due for order in orders_to_give_back(tx, "shop"))
    assert (unpaid, back) == year.sums()[:2]
    assert left_on_pages(owner, sessions) == year.sums()[2]
    for (evening, sums), (following, _) in pairwise(year.evenings):
        for day in (evening, following - timedelta(days=1)):
            on_that_day = shown(owner.go(f"{OPEN}?day={day}").text)
            assert (on_that_day[0], on_that_day[2]) == (sums[0], sums[2]), day
    assert "See all that is open, of all sales" in owner.go(OFFICE).text


@pytest.fixture
def cents(stall: Stall, clock: ManualClock) -> Order:
    """An order of 4.80 whose hand-out is over; 0.80 is open."""
    order = an_order(stall)
    clock.advance(days=4)
    pay(stall, order, 400)
    return order


def pay(stall: Stall, order: Order, amount: int) -> None:
    with stall.instance.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="shop",
            order_id=order.id,
            method="cash:cash",
            amount=amount,
            idempotency_key=f"pays {amount}",
            person_id=None,
        )


def give_back(tx: Transaction, order: Order, amount: int) -> None:
    refund(
        tx,
        enterprise_id="shop",
        order_id=order.id,
        method="cash:cash",
        amount=amount,
        idempotency_key="back",
        person_id=None,
        anyway=True,
    )


@sqlite
def test_cents_are_written_off_with_a_reason_that_the_journal_keeps(cents: Order, owner: Browser, stall: Stall) -> None:
    page = f"{OFFICE}/money/{cents.id}/write-off"
    assert page in owner.go(OPEN).links()
    owner.go(page)
    owner.send("", reason="")
    assert owner.status == 422
    owner.send("", reason="moved away")
    assert "stands in the journal with its reason" in owner.page.text
    assert "Customers owe€0.00" in owner.page.text
    assert journal(stall) == [400, 80]
    text = owner.go(f"{OFFICE}/orders/{cents.id}").text
    assert "Written off" in text
    assert "moved away" in text
    assert "€0.80" not in owner.go(f"{OFFICE}/money/till").text, "no till holds it"
    with stall.instance.store.read() as tx:
        assert [entry.method for entry in journal_entries(tx, "shop")] == ["cash:cash", WRITTEN_OFF]
    owner.post(page, reason="once more")
    assert owner.status == 409


@pytest.fixture
def dear(stall: Stall) -> Order:
    return an_order(stall, "Denis Diop")


@sqlite
def test_more_than_cents_is_not_written_off_and_an_accountant_who_keeps_no_books_writes_none_off(
    dear: Order, cents: Order, owner: Browser, stall: Stall
) -> None:
    owner.post(f"{OFFICE}/money/{dear.id}/write-off", reason="gone", due=str(dear.total))
    assert owner.status == 422
    accountant = owner.another()
    accountant.log_in(a_member(stall, "accountant", "alix@example.org"))
    assert f"{OFFICE}/money/{cents.id}/write-off" not in accountant.go(OPEN).links()
    accountant.post(f"{OFFICE}/money/{cents.id}/write-off", reason="gone")
    assert (accountant.status, journal(stall)) == (403, [400])


@sqlite
def test_where_money_asks_for_two_people_a_second_one_agrees(cents: Order, owner: Browser, stall: Stall) -> None:
    other = owner.another()
    other.log_in(a_member(stall, "manager", "max@example.org"))
    owner.go(f"{OFFICE}/money/{cents.id}/write-off")
    owner.send("", reason="moved away")
    assert journal(stall) == [400], "it waits"
    other.go(f"{OFFICE}/money/second")
    assert "Write off what is open of an order" in other.page.text
    other.send("?then=yes")
    assert journal(stall) == [400, 80]


@sqlite
def test_cents_that_have_changed_since_the_page_was_shown_are_not_written_off(
    cents: Order, owner: Browser, stall: Stall
) -> None:
    owner.go(f"{OFFICE}/money/{cents.id}/write-off")
    pay(stall, cents, 50)
    owner.send("", reason="moved away")
    assert (owner.status, journal(stall)) == (409, [400, 50])
    assert "€0.30" in owner.page.text, "what it is now"
    owner.send("", reason="moved away")
    assert journal(stall) == [400, 50, 30]


@sqlite
def test_of_one_order_no_more_than_a_euro_is_written_off_in_however_many_steps(
    cents: Order, owner: Browser, stall: Stall
) -> None:
    page = f"{OFFICE}/money/{cents.id}/write-off"
    owner.go(page)
    owner.send("", reason="moved away")
    with stall.instance.store.write() as tx:
        give_back(tx, cents, 30)
    owner.go(page)
    assert "At most €1.00" in owner.page.text
    owner.post(page, reason="once more", due="30")
    assert (owner.status, journal(stall)) == (422, [400, 80, -30])


def written_off(owner: Browser, order: Order) -> None:
    owner.go(f"{OFFICE}/money/{order.id}/write-off")
    owner.send("", reason="moved away")
    assert owner.status == 200


@sqlite
def test_who_cancels_an_order_after_cents_were_written_off_gives_back_what_was_received(
    cents: Order, owner: Browser, stall: Stall
) -> None:
    written_off(owner, cents)
    with stall.instance.store.write() as tx:
        cancel_order(tx, stall.instance.hooks, locked_order(tx, cents.id, enterprise_id="shop"), by_hub=True)
    with pytest.raises(Conflict, match="than was received"), stall.instance.store.write() as tx:
        give_back(tx, cents, 480)
    page = f"{OFFICE}/orders/{cents.id}/refund"
    assert "Owed back now €4.00" in owner.go(page).text
    owner.send("", amount="4.80")
    assert (owner.status, "Continue" in owner.page.text) == (409, True), "nobody has received as much"
    owner.send("", amount="4.00")
    owner.send("")
    assert journal(stall) == [400, 80, -80, -400]
    assert "Customers get back€0.00" in owner.go(OPEN).text


@sqlite
def test_cents_that_are_owed_only_because_some_were_written_off_are_no_debt(
    cents: Order, owner: Browser, stall: Stall
) -> None:
    written_off(owner, cents)
    pay(stall, cents, 50)
    assert "Owed back now €0.00" in owner.go(f"{OFFICE}/orders/{cents.id}/refund").text
    written_off(owner, cents)
    assert journal(stall) == [400, 80, 50, -80, 30]


@sqlite
def test_accounts_of_members_are_open_too_each_with_its_name(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    with stall.instance.store.write() as tx:
        row = {"enterprise_id": "shop", "plugin": "account", "settings": {"minimum": -5000}, "version": 1}
        tx.execute(insert(enterprise_plugin).values(row))
        for name, amount in (("Ada", 3000), ("Bob", -1200)):
            id = create_customer(tx, "shop", email=f"{name}@example.org", name=name).id
            open_account(tx, "shop", id)
            write_entry(tx, "shop", id, "correction", amount, note="", person_id=None)
    before = clock.now().date() - timedelta(days=1)
    text = owner.go(OPEN).text
    assert "Members have paid in and not spent €30.00" in text
    assert "Members are to pay in €12.00" in text
    assert "Ada" in text
    assert "Members are to pay in €12.00" in owner.go(OFFICE).text
    assert "Accounts of members" not in owner.go(f"{OPEN}?day={before}").text


@sqlite
def test_who_has_handed_out_before_the_hour_owes_suppliers_at_once(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    year = Year(0, stall, clock)
    with stall.instance.store.write() as tx:
        a_shop(tx, "farm", name="La Ferme", is_producer=True, is_hub=False)
        cheese = an_item(tx, a_lot(tx, "farm", name="Tomme", on_hand="9"), name="Tomme", enterprise_id="farm")
        grant(tx, "farm", "shop", "WriteOrders")
        tx.execute(insert(coordination_supplier).values(coordination_id="shop-sale", enterprise_id="farm"))
    order = year.order(year.newest(), cheese, 2)
    assert "La Ferme" not in owner.go(OPEN).text
    with stall.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="shop"))
    assert clock.now() < year.newest().begins_at
    assert "La Ferme" in owner.go(OPEN).text


@sqlite
def test_a_day_that_is_none_is_said_at_its_field(owner: Browser, stall: Stall) -> None:
    owner.go(f"{OPEN}?day=yesterday")
    assert (owner.status, "day-problem" in owner.page.ids()) == (422, True)
