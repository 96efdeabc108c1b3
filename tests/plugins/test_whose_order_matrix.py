"""Who may reach what belongs to Ada: nobody who only typed her address, whatever they do with the order; only she and
her hub. Somebody of her household has what is hers, until they have left it.

Each cell lets one of these people run one command, and checks whether it reached anything of Ada's: whether a plugin
was told that she is the customer, and whether her account, her yearly help or her group's prices changed. The same
cells run once more without the check, where each of the first two rows must be detected.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from commensal import Adjustment, ConsentRequest, Hooks, OrderDraft, Phase, Refused, Transaction, hookimpl
from commensal.catalogs.tables import offer
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer, customer_by_email
from commensal.enterprises.households import household_invitations_to
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders import place, quote
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.consents import consents_of
from commensal.orders.fulfil import hand_order_over, weigh_order
from commensal.orders.lock import locked_order, locked_together
from commensal.orders.place import place_order
from commensal.orders.proof import CustomerRecord, OrderOwner
from commensal.orders.questions import order_by_id
from commensal.orders.quote import quote_order
from commensal.orders.sale_context import KnownCustomer
from commensal.orders.values import Identity, Order, Wish
from commensal.parts.accounts.joining import accept_household_invitation, invite_to_household, leave_household
from commensal.parts.order_corrections.merge import merge_orders
from commensal.parts.order_corrections.substitutes import shorten_order, substitute
from commensal.parts.serving.work import work_of
from commensal.parts.supply.corrections import LineCorrection, correct_order
from commensal.payments.begin import change_payment_method, start_payment
from commensal.payments.methods import choose_method
from commensal.payments.payments import receive_payment
from commensal.payments.refunds import refund
from commensal.people.people import NewPerson, add_person
from commensal.storage.database import Store
from commensal.storage.jobs.periodic import tick
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_account.accounts import open_account, write_entry
from commensal_account.tables import account_entry
from commensal_solidarity.tables import solidarity_entry

PLUGINS = ("account", "cash", "solidarity", "witness")
ADA = "ada@example.org"
GUEST, STRANGER, MEMBER, HUB = "guest with Ada's address", "stranger who is logged in", "Ada", "her hub"
SHARER = "somebody of her household"
ACCOUNT = "account:account"
SEEN: list[str | None] = []  # the customers that plugins were told of


@hookimpl
def price_adjustments(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
    SEEN.append(order.customer_id)
    return [Adjustment(phase=phase, kind="bag", label="Bag", amount=1)] if phase is Phase.FEE else []


@hookimpl
def settle_adjustments(order: OrderDraft) -> None:
    SEEN.append(order.customer_id)


@hookimpl
def order_problems(order: OrderDraft) -> None:
    SEEN.append(order.customer_id)


@hookimpl
def consent_requests(order: OrderDraft) -> Sequence[ConsentRequest]:
    SEEN.append(order.customer_id)
    return [ConsentRequest(id="news", text="News")]


@dataclass
class Hall:
    """A shop where Ada is a member: a fund pays half of her orders, and her account holds 100.00."""

    instance: Instance
    items: dict[str, str]
    ada: str
    eve: str
    bob: str
    record: str

    def order(self, who: str) -> Order:
        """Orders two apples for 5.00 and a chicken for 20.00, which cost everybody more than Ada's group."""
        wish = Wish(items={self.items["apples"]: 2, self.items["chicken"]: 1}, name="Ada", email=ADA)
        options: dict[str, dict[str, Any]] = {
            GUEST: {"secret": self.instance.ids.secret()},
            STRANGER: {"person_id": self.eve},
            MEMBER: {"person_id": self.ada},
            HUB: {"by_hub": True},
            SHARER: {"person_id": self.bob},
        }
        with self.instance.store.write() as tx:
            return place_order(tx, self.instance.hooks, "shop-session", wish, **options[who])

    def act(self, order: Order, command: Callable[[Transaction, Hooks, Order], object]) -> None:
        with self.instance.store.write() as tx:
            command(tx, self.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))

    def books(self) -> tuple[int, int]:
        """Returns the number of entries in Ada's account and of her yearly help."""
        with self.instance.store.read() as tx:
            account, subsidy = (
                int(tx.value(select(func.count()).where(table.c.customer_id == self.record)))
                for table in (account_entry, solidarity_entry)
            )
            return account, subsidy

    def touched(self, action: Callable[[], object]) -> bool:
        """Runs the action. Returns whether anything of Ada's was shown or changed by it."""
        SEEN.clear()
        books_before = self.books()
        action()
        return self.record in SEEN or self.books() != books_before


@pytest.fixture
def hall(settings: InstanceSettings, store: Store, clock: Any, ids: Any, tmp_path: Path) -> Hall:
    witness: ModuleType = sys.modules[__name__]
    instance = Instance(
        tmp_path, settings, store, load_plugins(settings, clock=clock, modules={"witness": witness}), clock, ids
    )
    with store.write() as tx:
        a_shop(tx)
        members = create_category(tx, "shop", name="Members").id
        programme = {"id": "ccas", "payer": "CCAS", "category": members, "percent": "50", "budget": 10**6}
        settings_by_plugin: dict[str, dict[str, Any]] = {
            "account": {},
            "cash": {},
            "witness": {},
            "solidarity": {"programmes": [programme]},
        }
        for plugin, plugin_settings in settings_by_plugin.items():
            row = {"enterprise_id": "shop", "plugin": plugin, "settings": plugin_settings, "version": 1}
            tx.execute(insert(enterprise_plugin).values(row))
        lots = {name: a_lot(tx, name=name, on_hand="100") for name in ("apples", "pears")}
        items = {name: an_item(tx, lot, name=name) for name, lot in lots.items()}
        birds = a_lot(tx, name="chicken", unit="Kilogram", on_hand="100")
        items["chicken"] = an_item(tx, birds, name="chicken", price=2000, unit="Kilogram", weighed=True, grains=1000)
        for item in items.values():
            tx.execute(insert(offer).values(id=tx.new_id(), item_id=item, category_id=members, price=100, version=1))
        ada, eve, bob = (
            add_person(tx, NewPerson(email=email, name="A", phone="", language="en", password_hash=""), confirmed=True)
            for email in (ADA, "eve@example.org", "bob@example.org")
        )
        assert ada is not None
        assert eve is not None
        assert bob is not None
        record = create_customer(tx, "shop", email=ADA, name="Ada", categories=[members]).id
        open_account(tx, "shop", record)
        write_entry(tx, "shop", record, "paid in", 10000, note="", person_id=None)
        invite_to_household(tx, ada.id, record, email="bob@example.org")
        (invitation,) = household_invitations_to(tx, bob.id)
        accept_household_invitation(tx, bob.id, invitation.id)
    return Hall(instance, items, ada.id, eve.id, bob.id, record)


# ------------------------------------------------------------------------------------------- the commands


def _quote(hall: Hall, who: str) -> bool:
    person = {GUEST: None, STRANGER: hall.eve, MEMBER: hall.ada, SHARER: hall.bob, HUB: None}[who]
    if who == HUB:
        return hall.touched(lambda: hall.order(HUB))  # a hub sees prices when it places the order

    def ask() -> None:
        with hall.instance.store.read() as tx:
            quote_order(
                tx, hall.instance.hooks, "shop-session", {hall.items["apples"]: 2}, language="en", person_id=person
            )

    return hall.touched(ask)


def _place(hall: Hall, who: str) -> bool:
    return hall.touched(lambda: hall.order(who))


def _on(command: Callable[[Hall, Transaction, Hooks, Order], object]) -> Callable[[Hall, str], bool]:
    """Returns a cell that runs the command on an order placed before."""

    def cell(hall: Hall, who: str) -> bool:
        order = hall.order(who)
        return hall.touched(lambda: hall.act(order, lambda tx, hooks, locked: command(hall, tx, hooks, locked)))

    return cell


def _line(order: Order, name: str) -> str:
    return next(line.id for line in order.lines if line.name == name)


def _change(hall: Hall, tx: Transaction, hooks: Hooks, order: Order) -> None:
    change_order(tx, hooks, order, items={hall.items["apples"]: 2, hall.items["pears"]: 1})


def _weigh(hall: Hall, tx: Transaction, hooks: Hooks, order: Order) -> None:
    weigh_order(tx, hooks, order, {_line(order, "chicken"): Decimal("1.2")})


def _substitute(hall: Hall, tx: Transaction, hooks: Hooks, order: Order) -> None:
    substitute(tx, hooks, order, line_id=_line(order, "apples"), item_id=hall.items["pears"], quantity=2)


def _shorten(hall: Hall, tx: Transaction, hooks: Hooks, order: Order) -> None:
    shorten_order(tx, hooks, order, {_line(order, "apples"): 1})


def _consent(hall: Hall, tx: Transaction, hooks: Hooks, order: Order) -> None:
    consents_of(tx, hooks, order, "en")


def _cancel(hall: Hall, tx: Transaction, hooks: Hooks, order: Order) -> None:
    cancel_order(tx, hooks, order)


def _correct(hall: Hall, who: str) -> bool:
    order = hall.order(who)
    hall.act(order, lambda tx, hooks, locked: hand_order_over(tx, locked, at_estimate=True))
    correction = {_line(order, "apples"): LineCorrection(amount=100)}
    return hall.touched(
        lambda: hall.act(order, lambda tx, hooks, locked: correct_order(tx, hooks, locked, correction, reason="soft"))
    )


def _merge(hall: Hall, who: str) -> bool:
    target, other = hall.order(who), hall.order(who)

    def merge() -> None:
        with hall.instance.store.write() as tx:
            pair = locked_together(tx, target.id, other.id, enterprise_id="shop")
            merge_orders(tx, hall.instance.hooks, *pair)

    return hall.touched(merge)


def _pay_otherwise(hall: Hall, who: str) -> bool:
    """Returns whether the order can be made one that is paid by account."""
    order = hall.order(who)
    chosen = choose_method(hall.instance, order.id, ACCOUNT, "en")
    try:
        hall.act(order, lambda tx, hooks, locked: change_payment_method(tx, hooks, locked, chosen))
    except Refused as error:
        if error.code != "payment_unknown":
            raise
        return False
    return True


def _try_to_pay(hall: Hall, order: Order) -> bool:
    """Returns whether it could be paid by account. Others are told nothing about the account."""
    try:
        start_payment(hall.instance, order.id, ACCOUNT, f"pay {order.id}", "en")
    except Refused as error:
        if error.code != "payment_unknown" or error.values:
            raise
        return False
    return True


def _pay(hall: Hall, who: str) -> bool:
    order = hall.order(who)
    return hall.touched(lambda: _try_to_pay(hall, order))


def _refund(hall: Hall, who: str) -> bool:
    """The order is paid, by account if possible; it is cancelled, and its money is given back."""
    order = hall.order(who)
    by_account = _try_to_pay(hall, order)
    payment_fields: dict[str, Any] = {
        "enterprise_id": "shop",
        "order_id": order.id,
        "amount": order.total,
        "person_id": None,
    }
    if not by_account:
        with hall.instance.store.write() as tx:
            receive_payment(tx, **payment_fields, method="cash:cash", idempotency_key="cash")
    lines, _ = hall.books()
    hall.act(order, lambda tx, hooks, locked: cancel_order(tx, hooks, locked))
    if not by_account:
        with hall.instance.store.write() as tx:
            refund(tx, **payment_fields, method="cash:cash", idempotency_key="back")
    tick(hall.instance, work_of(hall.instance))  # the account gives back automatically what came from it
    return hall.books()[0] != lines


CELLS: dict[str, Callable[[Hall, str], bool]] = {
    "quote": _quote,
    "place": _place,
    "change": _on(_change),
    "weigh": _on(_weigh),
    "substitute": _on(_substitute),
    "shorten": _on(_shorten),
    "pay": _pay,
    "refund": _refund,
    "consent": _on(_consent),
    "cancel": _on(_cancel),
    "correct": _correct,
    "merge": _merge,
    "pay otherwise": _pay_otherwise,
}


@pytest.mark.parametrize("command", CELLS)
@pytest.mark.parametrize("who", [GUEST, STRANGER])
def test_who_has_typed_the_address_of_a_member_comes_near_nothing_of_hers(hall: Hall, who: str, command: str) -> None:
    assert not CELLS[command](hall, who)


@pytest.mark.parametrize("command", CELLS)
@pytest.mark.parametrize("who", [MEMBER, SHARER, HUB])
def test_a_member_her_household_and_her_hub_have_what_is_hers(hall: Hall, who: str, command: str) -> None:
    assert CELLS[command](hall, who)


@pytest.mark.parametrize("command", CELLS)
@pytest.mark.parametrize("who", [GUEST, STRANGER])
def test_with_the_check_taken_out_each_cell_is_found(
    hall: Hall, who: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: a typed address is believed."""

    def trust_address(tx: Transaction, enterprise_id: str, wish: Wish, email: str, **kwargs: Any) -> OrderOwner:
        record = customer_by_email(tx, enterprise_id, email)
        known = KnownCustomer(record.id, record.categories)
        stored = CustomerRecord(record.id, is_new=False)
        return OrderOwner(Identity.PROVEN, email, known, kwargs.get("person_id"), lambda: stored)

    monkeypatch.setattr(place, "identify", trust_address)
    monkeypatch.setattr(quote, "known_customer", lambda tx, shop, person: KnownCustomer(hall.record, frozenset()))
    assert CELLS[command](hall, who)


@pytest.mark.parametrize("command", ["quote", "place", "pay"])
def test_who_has_left_her_household_comes_near_nothing_of_hers(hall: Hall, command: str) -> None:
    with hall.instance.store.write() as tx:
        leave_household(tx, hall.bob, hall.record, hall.bob)
    assert not CELLS[command](hall, SHARER)


def test_her_household_shares_the_yearly_help_of_one_customer(hall: Hall) -> None:
    """Its budget is counted by customer: ordering twice, once each, is not two people's help."""
    by_both = [hall.order(MEMBER), hall.order(SHARER)]
    with hall.instance.store.read() as tx:
        entries = tx.all(select(solidarity_entry.c.order_id, solidarity_entry.c.customer_id))
    assert {row["order_id"] for row in entries} == {order.id for order in by_both}
    assert {row["customer_id"] for row in entries} == {hall.record}


def test_the_prices_of_a_group_and_its_help_are_for_its_members(hall: Hall) -> None:
    """25.00 for everybody; 3.00 for members, of which a fund pays half. A bag costs a cent."""
    totals = {who: hall.order(who).total for who in (GUEST, STRANGER, MEMBER, HUB)}
    assert totals == {GUEST: 2501, STRANGER: 2501, MEMBER: 151, HUB: 151}


def test_a_correction_gives_back_what_the_customer_paid_and_what_the_fund_paid(hall: Hall) -> None:
    """An apple costs a member 1.00, of which the fund pays half."""
    order = hall.order(MEMBER)
    hall.act(order, lambda tx, hooks, locked: hand_order_over(tx, locked, at_estimate=True))
    correction = {_line(order, "apples"): LineCorrection(amount=100)}
    hall.act(order, lambda tx, hooks, locked: correct_order(tx, hooks, locked, correction, reason="soft"))
    with hall.instance.store.read() as tx:
        corrected = order_by_id(tx, order.id, enterprise_id="shop")
        amounts = solidarity_entry.c.amount
        granted = [row["amount"] for row in tx.all(select(amounts).order_by(solidarity_entry.c.id))]
    assert corrected.total == order.total - 50
    assert granted == [150, -50]


def test_goods_of_a_stranger_do_not_reach_a_member_by_merging(hall: Hall) -> None:
    members, strangers = hall.order(MEMBER), hall.order(GUEST)

    def merge(*, vouched: bool = False) -> Order:
        with hall.instance.store.write() as tx:
            pair = locked_together(tx, members.id, strangers.id, enterprise_id="shop")
            return merge_orders(tx, hall.instance.hooks, *pair, vouched=vouched)

    with pytest.raises(Refused, match="ask them first"):
        merge()
    merged = merge(vouched=True)
    assert merged.products_total == 300 + 2500, "what the stranger ordered keeps its price"
