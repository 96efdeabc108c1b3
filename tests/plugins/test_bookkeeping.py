"""The books of a hub's week over New Year, kept a second time in plain Python: any difference is a failure.

`Ledger` knows nothing of Commensal. Hypothesis draws what members, the hub and the clock do; after each step every
total, VAT, stock, account, fund and statement must equal the ledger's, and both must refuse the same actions.
COMMENSAL_TEST_BOOKS=10000 draws so many weeks, different ones each time (`make books`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import insert, update

import commensal_solidarity.statement as fund_statement
from commensal.base.clock import ManualClock
from commensal.base.errors import Refused
from commensal.base.ids import SeededIds
from commensal.catalogs.tables import offer
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer
from commensal.enterprises.tables import customer, enterprise_plugin
from commensal.hooks.loading import load_plugins, migration_folders
from commensal.instance import Instance, InstanceSettings
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import complete_due, hand_order_over, weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.parts.order_corrections.substitutes import shorten_order
from commensal.parts.serving.work import work_of
from commensal.payments import refunds
from commensal.payments.begin import start_payment
from commensal.payments.by_hand import record_given_back, record_received
from commensal.people.people import NewPerson, add_person
from commensal.sale_sessions.coordinations import change_coordination, open_coordination
from commensal.sale_sessions.on_sale import put_on_sale
from commensal.sale_sessions.questions import coordination_by_id
from commensal.sale_sessions.sessions import add_session
from commensal.sale_sessions.values import Supplier
from commensal.stock.lots import lot_by_id
from commensal.storage.database import Store, Transaction
from commensal.storage.database.migrate import migrate
from commensal.storage.jobs.run import run_due
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_account.accounts import account_of, open_account, write_entry
from commensal_account.invariants import invariants
from commensal_solidarity.settings import Programme
from commensal_solidarity.spending import day_start
from commensal_solidarity.statement import statement_of

WEEKS = int(os.environ.get("COMMENSAL_TEST_BOOKS", "0"))
LOTS = range(-(-WEEKS // 250) or 1)  # of weeks, which different processes keep
BOOKS = settings(
    max_examples=-(-WEEKS // len(LOTS)) or 12,
    stateful_step_count=30,
    derandomize=not WEEKS,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
WITHOUT_SHRINKING = settings(BOOKS, max_examples=60, phases=[Phase.generate], report_multiple_bugs=False)
MONDAY = datetime(2026, 12, 28, 8, tzinfo=UTC)
CLOSES = (MONDAY + timedelta(days=1, hours=10), MONDAY + timedelta(days=4, hours=10))
GIVEN_OUT = (MONDAY + timedelta(days=2), MONDAY + timedelta(days=6))  # 30 December, and 3 January
APPLES, BIRDS, WINE = range(3)
BUDGET, RATES, DEPOSITS = 4000, (Decimal("5.5"), Decimal("5.5"), Decimal(20)), (0, 0, 20)


# ------------------------------------------------------------------------------------------------ the ledger


def rounded(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))


Line = tuple[int, int, int, int | None]  # item, pieces, price of a piece in cents, and grams if it was weighed


@dataclass(eq=False)
class Bill:
    """An order; amounts in cents."""

    who: int
    sale: int
    by_account: bool
    lines: list[Line]
    grant: int = 0
    cash: int = 0
    account: int = 0  # paid from the account, less what was given back
    on_its_way: int = 0  # to be given back to the account
    state: str = "placed"

    def goods(self, rate: Decimal | None = None) -> int:
        lines = [line for line in self.lines if rate in (None, RATES[line[0]])]
        return sum((p * n if g is None else rounded(Decimal(p * g) / 2000) for _, n, p, g in lines), 0)

    @property
    def total(self) -> int:
        return self.goods() + sum(DEPOSITS[item] * pieces for item, pieces, *_ in self.lines) - self.grant

    @property
    def due(self) -> int:
        return (0 if self.state == "cancelled" else self.total) - self.cash - self.account

    @property
    def vat(self) -> int:
        return sum(self.goods(r) - rounded(self.goods(r) / (1 + r / 100)) for r in set(RATES))

    def holds(self, item: int) -> int:
        """The pieces held, or grams of birds: two kilograms each unless they were weighed."""
        lines = [line for line in self.lines if line[0] == item]
        return sum((2000 * n if g is None else g) if item == BIRDS else n for _, n, _, g in lines)


@dataclass
class Ledger:
    free: list[int] = field(default_factory=lambda: [30, 24_000, 20])
    prices: list[int] = field(default_factory=lambda: [250, 2400, 1000])
    accounts: list[int] = field(default_factory=lambda: [6000, 3000])
    spent: list[int] = field(default_factory=lambda: [0, 0])  # of the fund, for December and for January
    closes: list[datetime] = field(default_factory=lambda: list(CLOSES))
    bills: list[Bill] = field(default_factory=list)
    told: list[Bill] = field(default_factory=list)  # bills whose change the account has not handled yet

    def put(self, bill: Bill, lines: list[Line], *, by_hub: bool) -> bool:
        """Gives the bill these lines, if all of it is possible."""
        lines_and_grant_before, total_before = (bill.lines, bill.grant), bill.total
        held_before = [bill.holds(item) for item in range(3)]
        bill.lines = [line for line in lines if line[1] or line[3] is not None]
        wish = rounded(Decimal(bill.goods() * 30) / 100) if bill.who == 0 else 0
        bill.grant = min(wish, BUDGET - self.spent[bill.sale] + lines_and_grant_before[1])
        extra = [bill.holds(item) - held_before[item] for item in range(3)]
        owed = sum(
            max(0, other_bill.due)
            for other_bill in self.bills
            if other_bill.by_account and other_bill.who == bill.who and other_bill is not bill
        )
        owed += max(0, total_before - bill.cash - bill.account) if bill in self.bills else 0
        poor = (
            bill.by_account and bill.total > total_before and self.accounts[bill.who] < owed + bill.total - total_before
        )
        short = any(extra[item] > self.free[item] for item in range(3) if extra[item] > 0)
        if not any(line[1] for line in bill.lines) or (not by_hub and (poor or short)):
            bill.lines, bill.grant = lines_and_grant_before
            return False
        self.free = [max(0, free - taken) for free, taken in zip(self.free, extra, strict=True)]
        self.spent[bill.sale] += bill.grant - lines_and_grant_before[1]
        if bill.by_account and bill in self.bills:
            self.take(bill)  # what it costs more is taken with the change
        return True

    def cancel(self, bill: Bill, restock: bool) -> None:
        self.free = [free + restock * bill.holds(item) for item, free in enumerate(self.free)]
        self.spent[bill.sale] -= bill.grant
        bill.state = "cancelled"
        self.told.append(bill)

    def take(self, bill: Bill) -> None:
        if 0 < bill.due <= self.accounts[bill.who]:
            self.accounts[bill.who] -= bill.due
            bill.account += bill.due

    def settle(self) -> None:
        """The account handles all changes in turn: it takes what is due at once, and gives back afterwards."""
        for bill in self.told:
            if bill.by_account and bill.state != "cancelled" and bill.due > 0:
                self.take(bill)
            elif bill.by_account:
                bill.on_its_way += max(0, min(-bill.due - bill.on_its_way, bill.account - bill.on_its_way))
        for bill in self.bills:
            self.accounts[bill.who] += bill.on_its_way
            bill.account, bill.on_its_way = bill.account - bill.on_its_way, 0
        self.told.clear()


# ------------------------------------------------------------------------------------------------ the hub


def plugins() -> InstanceSettings:
    return InstanceSettings(name="Test", language="en", plugins={"enabled": ["cash", "account", "solidarity", "sales"]})


@dataclass
class Hub:
    """The ids of an opened hub: of its members Ada, who gets the subsidy, and Bob, of its goods, and of its sales."""

    programme: Programme
    people: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    lots: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    sales: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)


@cache
def _opened_hub() -> tuple[sqlite3.Connection, Hub]:
    """A database with an opened hub, which each week copies: to open one takes a fifth of a week."""
    clock = ManualClock(MONDAY)
    store = Store("sqlite://", clock=clock, ids=SeededIds("hub"))
    migrate(store, migration_folders(load_plugins(plugins(), clock=clock)))
    with store.write() as tx:
        hub = _open_hub(tx)
    template = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(store.engine.raw_connection()) as connection:
        connection.driver_connection.backup(template)  # type: ignore[union-attr]
    store.close()
    return template, hub


def _open_hub(tx: Transaction) -> Hub:
    a_shop(tx)
    group = create_category(tx, "shop", name="Entitled").id
    programme = {"id": "ccas", "payer": "CCAS", "category": group, "percent": "30", "budget": BUDGET}
    for plugin in ("cash", "account", "sales", "solidarity"):
        plugin_settings = {"programmes": [programme]} if plugin == "solidarity" else {}
        tx.execute(
            insert(enterprise_plugin).values(enterprise_id="shop", plugin=plugin, settings=plugin_settings, version=1)
        )
    hub = Hub(Programme(id="ccas", payer="CCAS", category=group, percent=Decimal(30), budget=BUDGET))
    for name, balance, groups in zip(("ada", "bob"), Ledger().accounts, ([group], []), strict=True):
        _add_member(tx, hub, name, balance, groups)
    hub.lots = [
        a_lot(tx, name="Apples", on_hand="30"),
        a_lot(tx, name="Birds", unit="Kilogram", on_hand="24"),
        a_lot(tx, name="Wine", on_hand="20"),
    ]
    kilo: dict[str, Any] = {"grains": 2000, "quantity": Decimal(2), "unit": "Kilogram", "weighed": True}
    hub.items = [
        an_item(tx, hub.lots[APPLES], name="Apples", price=250),
        an_item(tx, hub.lots[BIRDS], name="Bird", price=2400, **kilo),
        an_item(tx, hub.lots[WINE], name="Wine", price=1000, vat="20", deposit=20),
    ]
    for closes_at, begins_at in zip(CLOSES, GIVEN_OUT, strict=True):
        _open_sale(tx, hub, closes_at, begins_at)
    return hub


def _add_member(tx: Transaction, hub: Hub, name: str, balance: int, groups: list[str]) -> None:
    email = f"{name}@example.org"
    new_member = NewPerson(email=email, name=name, phone="", language="en", password_hash="")
    person = add_person(tx, new_member, confirmed=True)
    assert person is not None
    customer_id = create_customer(tx, "shop", email=email, name=name, categories=groups).id
    tx.execute(update(customer).where(customer.c.id == customer_id).values(person_id=person.id))
    open_account(tx, "shop", customer_id)
    write_entry(tx, "shop", customer_id, "paid in", balance, note="", person_id=None)
    hub.people.append(person.id)
    hub.customers.append(customer_id)


def _open_sale(tx: Transaction, hub: Hub, closes_at: datetime, begins_at: datetime) -> None:
    sale = open_coordination(
        tx,
        coordinator_id="shop",
        name="Sale",
        opens_at=tx.now,
        closes_at=closes_at,
        suppliers=[Supplier(enterprise_id="shop")],
    )
    session = add_session(
        tx,
        sale.id,
        "shop",
        shop_id="shop",
        catalog_id="shop-catalog",
        begins_at=begins_at,
        ends_at=begins_at + timedelta(hours=2),
    )
    assert put_on_sale(tx, session.id, "shop") == 3
    hub.sales.append(sale.id)
    hub.sessions.append(session.id)


class Week(RuleBasedStateMachine):
    bills = Bundle("bills")

    def __init__(self) -> None:
        super().__init__()
        template, self.hub = _opened_hub()
        self.folder = TemporaryDirectory()
        file = Path(self.folder.name) / "books.db"
        with closing(sqlite3.connect(file)) as copy:
            template.backup(copy)
        self.clock, self.ids, self.ledger = ManualClock(MONDAY), SeededIds("books"), Ledger()
        self.store = Store(f"sqlite:///{file}", clock=self.clock, ids=self.ids)
        hooks = load_plugins(plugins(), clock=self.clock)
        self.instance = Instance(Path(self.folder.name), plugins(), self.store, hooks, self.clock, self.ids)
        self.orders: dict[int, str] = {}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _do(self, action: Callable[[Transaction], Any]) -> Any:
        """Runs the action. Returns None if the rules refuse it: then nothing may have changed."""
        try:
            with self.store.write() as tx:
                return action(tx)
        except Refused:
            return None

    def _to(self, bill: Bill, action: Callable[[Transaction, Order], Any]) -> bool:
        """Runs the action on the order. Returns whether it was done."""
        id = self.orders[self.ledger.bills.index(bill)]
        return self._do(lambda tx: action(tx, locked_order(tx, id, enterprise_id="shop"))) is not None

    def _is_open(self, sale: int) -> bool:
        return self.clock.now() < self.ledger.closes[sale]

    @rule(
        target=bills,
        who=st.integers(0, 1),
        sale=st.integers(0, 1),
        apples=st.integers(0, 6),
        birds=st.integers(0, 2),
        wine=st.integers(0, 3),
        by_account=st.booleans(),
    )
    def place(self, who: int, sale: int, apples: int, birds: int, wine: int, by_account: bool) -> Any:
        ledger, pieces = self.ledger, {APPLES: apples, BIRDS: birds, WINE: wine}
        wish = Wish(
            items={self.hub.items[item]: n for item, n in pieces.items() if n},
            name="Ada",
            email="ada@example.org",
            language="en",
            payment_method="account:account" if by_account else "cash:cash",
        )
        order = self._do(
            lambda tx: place_order(
                tx, self.instance.hooks, self.hub.sessions[sale], wish, person_id=self.hub.people[who]
            )
        )
        bill = Bill(who, sale, by_account, [])
        lines: list[Line] = [(item, n, ledger.prices[item], None) for item, n in pieces.items() if n]
        expected = self._is_open(sale) and ledger.put(bill, lines, by_hub=False)
        assert (order is not None) == expected
        if order is None:
            return multiple()
        ledger.bills.append(bill)
        self.orders[len(ledger.bills) - 1] = order.id
        if by_account and order.total:
            start_payment(self.instance, order.id, "account:account", f"order:{order.id}", "en")
            ledger.take(bill)
        return bill

    @rule(bill=bills, apples=st.integers(0, 8), wine=st.integers(0, 3))
    def change(self, bill: Bill, apples: int, wine: int) -> None:
        birds = sum(n for item, n, *_ in bill.lines if item == BIRDS)
        quantities = {APPLES: apples, BIRDS: birds, WINE: wine}
        items = {self.hub.items[item]: n for item, n in quantities.items() if n}
        was_done = self._to(bill, lambda tx, order: change_order(tx, self.instance.hooks, order, items=items))
        possible = bill.state == "placed" and self._is_open(bill.sale)
        assert was_done == (possible and self.ledger.put(bill, self._with(bill, quantities), by_hub=False))
        if was_done:
            self.ledger.told.append(bill)

    def _with(self, bill: Bill, quantities: dict[int, int]) -> list[Line]:
        """Returns the bill's lines with new quantities: the last pieces go first, more come at the current price."""
        remaining, lines = dict(quantities), list[Line]()
        for item, n, price, grams in bill.lines:
            kept_pieces = min(n, remaining[item])
            remaining[item] -= kept_pieces
            lines.append((item, kept_pieces, price, grams if kept_pieces == n else None))
        for item, extra in remaining.items():
            price = self.ledger.prices[item]
            same_lines = [place for place, line in enumerate(lines) if (line[0], line[2]) == (item, price)]
            if extra and same_lines:
                lines[same_lines[-1]] = (item, lines[same_lines[-1]][1] + extra, price, None)
            elif extra:
                lines.append((item, extra, price, None))
        return [line for line in lines if line[1]]

    @rule(bill=bills, grams=st.integers(0, 5000))
    def weigh(self, bill: Bill, grams: int) -> None:
        birds = [line for line in bill.lines if line[0] == BIRDS]
        if not birds or bill.state != "placed":
            return

        def act(tx: Transaction, order: Order) -> Order:
            (line,) = [line for line in order.lines if line.weighed]
            return weigh_order(tx, self.instance.hooks, order, {line.id: Decimal(grams) / 1000})

        assert self._to(bill, act)
        lines = [(*line[:3], grams) if line[0] == BIRDS else line for line in bill.lines]
        assert self.ledger.put(bill, lines, by_hub=True)
        self.ledger.told.append(bill)

    @rule(bill=bills)
    def shorten(self, bill: Bill) -> None:
        """An apple of the first line could not be brought."""
        first_line = next((line for line in bill.lines if line[0] == APPLES), None)
        if first_line is None or bill.state != "placed":
            return

        def act(tx: Transaction, order: Order) -> Order:
            line = next(line for line in order.lines if line.item_id == self.hub.items[APPLES] and line.quantity)
            return shorten_order(tx, self.instance.hooks, order, {line.id: 1})

        assert self._to(bill, act)
        place, (item, n, price, grams) = bill.lines.index(first_line), first_line
        lines = [*bill.lines[:place], (item, n - 1, price, grams), *bill.lines[place + 1 :]]
        if not self.ledger.put(bill, lines, by_hub=True):
            self.ledger.cancel(bill, restock=True)
        else:
            self.ledger.told.append(bill)

    @rule(bill=bills, restock=st.booleans())
    def cancel(self, bill: Bill, restock: bool) -> None:
        def act(tx: Transaction, order: Order) -> Order:
            return cancel_order(tx, self.instance.hooks, order, restock=restock, by_hub=True)

        assert self._to(bill, act) == (bill.state != "cancelled")
        if bill.state != "cancelled":
            self.ledger.cancel(bill, restock)

    @rule(bill=bills)
    def hand_over(self, bill: Bill) -> None:
        by_estimate = partial(hand_order_over, at_estimate=True)
        assert self._to(bill, by_estimate) == (bill.state == "placed")
        if bill.state == "placed":
            bill.state = "handed over"

    @rule(bill=bills, cents=st.integers(1, 3000), all_of_it=st.booleans())
    def pay_in_cash(self, bill: Bill, cents: int, all_of_it: bool) -> None:
        amount = max(1, bill.due) if all_of_it else cents
        assert self._by_hand(record_received, bill, amount) == (amount <= bill.due)
        bill.cash += amount if amount <= bill.due else 0

    @rule(bill=bills, cents=st.integers(1, 500), all_of_it=st.booleans())
    def give_back_in_cash(self, bill: Bill, cents: int, all_of_it: bool) -> None:
        refundable = -bill.due - bill.on_its_way
        amount = max(1, refundable) if all_of_it else cents
        assert self._by_hand(record_given_back, bill, amount) == (amount <= refundable)
        bill.cash -= amount if amount <= refundable else 0

    def _by_hand(self, command: Callable[..., Any], bill: Bill, amount: int) -> bool:
        id = self.orders[self.ledger.bills.index(bill)]
        arguments: dict[str, Any] = {"enterprise_id": "shop", "method": "cash:cash", "allowed": {"cash:cash"}}
        arguments |= {"order_id": id, "amount": amount, "person_id": self.hub.people[0]}
        return self._do(lambda tx: command(tx, **arguments)) is not None

    @rule(who=st.integers(0, 1), cents=st.integers(1, 3000))
    def pay_in(self, who: int, cents: int) -> None:
        customer_id = self.hub.customers[who]
        self._do(lambda tx: write_entry(tx, "shop", customer_id, "paid in", cents, note="", person_id=None))
        self.ledger.accounts[who] += cents

    @rule(cents=st.sampled_from([-30, 20]))
    def correct_the_price_of_apples(self, cents: int) -> None:
        self.ledger.prices[APPLES] = price = max(50, self.ledger.prices[APPLES] + cents)
        self._do(
            lambda tx: tx.execute(update(offer).where(offer.c.item_id == self.hub.items[APPLES]).values(price=price))
        )

    @rule()
    def close_early(self) -> None:
        sale = self.hub.sales[0]

        def act(tx: Transaction) -> Any:
            sale_before = coordination_by_id(tx, sale, "shop")
            change_coordination(tx, sale, "shop", sale_before.version, closes_at=tx.now)
            return complete_due(tx)

        if self.clock.now() > MONDAY and self._is_open(0):
            assert self._do(act) == [sale]
            self.ledger.closes[0] = self.clock.now()

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(hours=hours)
        self._do(complete_due)

    @rule()
    def work(self) -> None:
        while run_due(self.instance, work_of(self.instance)):
            pass
        self.ledger.settle()

    @invariant()
    def every_figure_is_the_ledgers(self) -> None:
        ledger = self.ledger
        with self.store.read() as tx:
            for index, bill in enumerate(ledger.bills):
                order = order_by_id(tx, self.orders[index], enterprise_id="shop")
                assert (order.total, order.vat_total) == (bill.total, bill.vat)
                assert order.paid_total == bill.cash + bill.account
            lots = [lot_by_id(tx, "shop", lot) for lot in self.hub.lots]
            assert [round(lot.free * (1000 if place == BIRDS else 1)) for place, lot in enumerate(lots)] == ledger.free
            balances = [account_of(tx, "shop", customer).balance for customer in self.hub.customers]
            assert (balances, invariants(tx)) == (ledger.accounts, [])
            statements = [
                statement_of(tx, "shop", self.hub.programme, date(year, 1, 1), date(year, 12, 31))
                for year in (2026, 2027)
            ]
            assert [statement.year.spent for statement in statements] == ledger.spent
            assert [statement.total for statement in statements] == ledger.spent
            assert statements[1].owed == sum(ledger.spent)
            assert broken_invariants(tx) == []


@pytest.mark.parametrize("_lot", LOTS)
def test_a_hubs_week_over_new_year_is_what_the_ledger_says(_lot: int) -> None:
    run_state_machine_as_test(Week, settings=BOOKS)


@pytest.mark.long  # weeks are kept until one shows it
def test_a_refund_that_is_given_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refunds, "refuse_too_much", lambda *args, **kwargs: None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Week, settings=WITHOUT_SHRINKING)


@pytest.mark.long  # weeks are kept until one shows it
def test_a_statement_that_forgets_new_year_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_entry(day: date, first_month: int, timezone: str) -> Any:
        return fund_statement._entry.at < day_start(day + timedelta(days=1), timezone)

    monkeypatch.setattr(fund_statement, "_counted_until", by_entry)
    with pytest.raises(AssertionError, match=r"spent|=="):
        run_state_machine_as_test(Week, settings=WITHOUT_SHRINKING)
