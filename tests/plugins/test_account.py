"""Accounts: members pay in, and pay orders from their balance but never more."""

from __future__ import annotations

import email
import threading
from email.policy import default as modern
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from commensal.base.errors import Conflict, Invalid, NotFound, Refused, SettingsError
from commensal.enterprises.plugins import disable_plugin
from commensal.enterprises.tables import customer, enterprise_member, enterprise_plugin
from commensal.enterprises.tokens import make_token
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings, read_settings
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.emails import mailed_secret
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id
from commensal.orders.tables import customer_order
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.parts.mail.deliver import FOLDER
from commensal.parts.order_corrections.merge import revive_order
from commensal.parts.serving.work import work_of
from commensal.parts.till.provider_refunds import refund_by_provider
from commensal.payments.begin import begin_payment, start_payment
from commensal.payments.methods import choose_method, payment_methods
from commensal.payments.payments import payments_of
from commensal.payments.refunds import refund
from commensal.payments.values import Payment
from commensal.people.people import add_person, new_person
from commensal.storage.database import Store
from commensal.storage.jobs.periodic import tick
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_account.accounts import account_of, entries, open_account, write_entry
from commensal_account.invariants import invariants
from commensal_account.payments import start_payment as take_from_account
from commensal_account.settings import Settings as Account
from commensal_account.tables import account_balance, account_entry

from .conftest import SALE, Browser

PLUGINS = ("account", "cash", "shop")
METHOD = "account:account"


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: Any, ids: Any, tmp_path: Path) -> Instance:
    return Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)


class Stall:
    """A shop with apples at 2.50, and Ada with an account of 20.00 there."""

    def __init__(self, instance: Instance, account_settings: dict[str, Any]) -> None:
        self.instance = instance
        with instance.store.write() as tx:
            a_shop(tx)
            for plugin, plugin_settings in (("account", account_settings), ("cash", {})):
                row = {"enterprise_id": "shop", "plugin": plugin, "settings": plugin_settings, "version": 1}
                tx.execute(insert(enterprise_plugin).values(row))
            self.apples = an_item(tx, a_lot(tx, on_hand="1000"))
            new_ada = new_person(email="ada@example.org", name="Ada", password="correct horse", language="en")
            person = add_person(tx, new_ada, confirmed=True)
            assert person is not None
            self.ada = person.id
        self.buy(1, method="cash:cash")  # makes Ada a customer of the shop
        with instance.store.write() as tx:
            customer_id = tx.value(select(customer.c.id).where(customer.c.person_id == self.ada))
            self.customer = str(customer_id)
            open_account(tx, "shop", self.customer)
            write_entry(tx, "shop", self.customer, "paid in", 2000, note="à la caisse", person_id=None)

    def buy(self, pieces: int, *, method: str = METHOD) -> Order:
        """Places an order and begins its payment, as the shop's page does."""
        order = self.place(pieces, method)
        start_payment(self.instance, order.id, method, f"order:{order.id}", "en")
        return self.order(order.id)

    def place(self, pieces: int, method: str = METHOD) -> Order:
        wish = Wish(
            items={self.apples: pieces}, name="Ada", email="ada@example.org", language="en", payment_method=method
        )
        order: Order = self.instance.store.transact(
            lambda tx: place_order(tx, self.instance.hooks, "shop-session", wish, person_id=self.ada)
        )
        return order

    def order(self, order_id: str) -> Order:
        with self.instance.store.read() as tx:
            return order_by_id(tx, order_id, enterprise_id="shop")

    @property
    def balance(self) -> int:
        with self.instance.store.read() as tx:
            assert broken_invariants(tx) == []
            assert invariants(tx) == []
            return account_of(tx, "shop", self.customer).balance

    def new_mails(self) -> list[str]:
        """The texts of the e-mails since the last call, each on one line, by no order."""
        texts = []
        for path in (self.instance.folder / FOLDER).glob("*.eml"):
            message = email.message_from_bytes(path.read_bytes(), policy=modern)
            body = message.get_body(("plain",))
            texts.append(" ".join(str(body.get_content() if body else "").split()))
            path.unlink()
        return texts

    def work(self) -> None:
        tick(self.instance, work_of(self.instance))


@pytest.fixture
def stall(instance: Instance) -> Stall:
    return Stall(instance, {})


# ------------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    "bad_settings", [{"unit": "heures"}, {"unit_price": 1000}, {"minimum": 10**13}, {"unit": "x" * 31}]
)
def test_settings_that_cannot_be_are_refused(bad_settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        read_settings(Account, bad_settings)


def test_another_unit_has_a_price() -> None:
    hours = Account(unit="heures", unit_price=1000)
    assert [hours.to_account(money) for money in (1000, 2500, 333, 5)] == [100, 250, 33, 1]
    assert hours.as_text(250, "EUR", "fr") == "2,5\xa0heures"
    assert Account().to_account(333) == 333


# ------------------------------------------------------------------------------------------------ orders


def test_an_order_is_paid_from_the_account(stall: Stall) -> None:
    order = stall.buy(4)
    assert (order.payment_state, order.paid_total) == ("Paid", 1000)
    assert stall.balance == 1000
    with stall.instance.store.read() as tx:
        paid_in, payment_entry = entries(tx, "shop", stall.customer)
    assert (paid_in.kind, paid_in.amount, paid_in.balance) == ("paid in", 2000, 2000)
    assert (payment_entry.kind, payment_entry.amount, payment_entry.balance, payment_entry.order_number) == (
        "order",
        -1000,
        1000,
        order.number,
    )


def test_who_has_an_account_may_choose_it_at_the_checkout_and_nobody_else(stall: Stall, client: TestClient) -> None:
    ada = Browser(client)
    ada.go("/login")
    ada.send("/login", email="ada@example.org", password="correct horse")
    for browser, method_ids in ((ada, ["account:account", "cash:cash"]), (ada.another(), ["cash:cash"])):
        browser.go(SALE)
        browser.send(f"{SALE}/cart", **{f"items/{stall.apples}": "2"})
        browser.go(f"{SALE}/checkout")
        assert browser.page.values("payment_method") == method_ids
    ada.go(f"{SALE}/checkout")
    ada.send("", ("then", "order"), payment_method=METHOD)
    assert "paid" in ada.page.text
    assert stall.balance == 1500


def test_an_order_that_the_account_cannot_pay_is_refused_and_nothing_is_taken(stall: Stall) -> None:
    with pytest.raises(Invalid) as refused:
        stall.buy(9)
    (problem,) = refused.value.problems
    assert (problem.code, problem.where, problem.values["balance"]) == ("balance_low", "/payment_method", "€20.00")
    assert stall.balance == 2000


def test_who_has_no_account_cannot_pay_with_it(stall: Stall) -> None:
    wish = Wish(items={stall.apples: 1}, name="Bob", email="bob@example.org", payment_method=METHOD)
    with stall.instance.store.write() as tx, pytest.raises(Invalid, match="no account"):
        place_order(tx, stall.instance.hooks, "shop-session", wish)
    assert [payment_method.id for payment_method in payment_methods(stall.instance, "shop", "en")] == ["cash:cash"]
    methods = payment_methods(stall.instance, "shop", "en", person_id=stall.ada)
    assert [method.id for method in methods] == [METHOD, "cash:cash"]
    assert "€20.00" in methods[0].description


def test_a_shop_may_give_credit_to_all_or_to_one(instance: Instance) -> None:
    stall = Stall(instance, {"minimum": -500})
    stall.buy(10)
    assert stall.balance == -500
    with pytest.raises(Invalid, match=r"balance is -€5\.00, the credit allowed €5\.00"):
        stall.buy(1)
    words = [Account().balance_in_words(-500, "EUR", language) for language in ("en", "fr")]
    assert words == ["€5.00 still to be paid into the account", "Il reste 5,00\xa0€ à verser sur le compte"]


def test_an_account_in_hours_pays_in_hours(instance: Instance) -> None:
    stall = Stall(instance, {"unit": "hours", "unit_price": 1000})
    order = stall.buy(4)  # 10.00 euros are one hour
    assert order.payment_state == "Paid"
    assert stall.balance == 1900


def test_asked_twice_an_account_pays_once(stall: Stall) -> None:
    order = stall.buy(4)
    second_payment = start_payment(stall.instance, order.id, METHOD, f"order:{order.id}", "en")
    assert second_payment.state == "Done"
    assert stall.balance == 1000


def test_what_a_changed_order_costs_more_is_taken_and_less_goes_back(stall: Stall) -> None:
    order = stall.buy(4)
    for pieces, balance in ((6, 500), (2, 1500)):
        with stall.instance.store.write() as tx:
            locked = locked_order(tx, order.id, person_id=stall.ada)
            changed = change_order(tx, stall.instance.hooks, locked, items={stall.apples: pieces})
        assert changed.payment_state == "Paid"
        stall.work()
        assert stall.balance == balance
        assert stall.order(order.id).payment_state == "Paid"
        assert stall.order(order.id).paid_total == pieces * 250


def test_what_a_changed_order_costs_more_is_taken_before_anybody_is_asked_for_it(stall: Stall) -> None:
    """By the hub; and from the account too if the customer chose it only on the page of the order."""
    order = stall.place(2, "cash:cash")
    start_payment(stall.instance, order.id, METHOD, f"order:{order.id}", "en")
    stall.work()
    stall.new_mails()
    with stall.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="shop")
        changed = change_order(tx, stall.instance.hooks, locked, items={stall.apples: 6}, by_hub=True)
    assert (changed.paid_total, changed.payment_state, stall.balance) == (1500, "Paid", 500)
    stall.work()
    (mail,) = stall.new_mails()
    assert "To pay" not in mail
    _remove_two_apples(stall, order)
    stall.work()
    assert (stall.balance, stall.order(order.id).paid_total) == (1500, 500)


def test_what_the_account_cannot_pay_of_a_change_by_the_hub_stays_due(stall: Stall) -> None:
    order = stall.buy(4)
    with stall.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="shop")
        changed = change_order(tx, stall.instance.hooks, locked, items={stall.apples: 9}, by_hub=True)
    assert (changed.paid_total, changed.payment_state, stall.balance) == (1000, "Unpaid", 1000)
    assert [payment.amount for payment in payments_of_order(stall, order)] == [1000]


def test_a_change_that_the_account_cannot_pay_is_refused(stall: Stall) -> None:
    order = stall.buy(4)
    with stall.instance.store.write() as tx, pytest.raises(Invalid, match=r"€10\.00"):
        change_order(tx, stall.instance.hooks, locked_order(tx, order.id, person_id=stall.ada), items={stall.apples: 9})
    assert stall.balance == 1000


def test_a_cancelled_order_gives_everything_back(stall: Stall) -> None:
    order = stall.buy(4)
    with stall.instance.store.write() as tx:
        cancel_order(tx, stall.instance.hooks, locked_order(tx, order.id, person_id=stall.ada))
    stall.work()
    stall.work()
    assert stall.balance == 2000
    assert (stall.order(order.id).payment_state, stall.order(order.id).paid_total) == ("Cancelled", 0)


def test_a_cancelled_order_is_refunded_by_one_mail_and_paid_again_when_it_comes_back(stall: Stall) -> None:
    order = stall.buy(4)
    with stall.instance.store.write() as tx:
        change_order(tx, stall.instance.hooks, locked_order(tx, order.id, person_id=stall.ada), items={stall.apples: 6})
    stall.work()
    stall.new_mails()
    with stall.instance.store.write() as tx:
        cancel_order(tx, stall.instance.hooks, locked_order(tx, order.id, person_id=stall.ada))
    stall.work()
    (refunded,) = [mail for mail in stall.new_mails() if "has given you back" in mail]
    assert "€15.00 for your order" in refunded
    assert "Apples" not in refunded, "nobody gets them"
    with stall.instance.store.write() as tx:
        revived = revive_order(tx, stall.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))
    assert (revived.payment_state, stall.balance) == ("Paid", 500)
    stall.work()
    (again,) = stall.new_mails()
    assert "stands again" in again
    assert "Thank you" not in again


def _remove_two_apples(stall: Stall, order: Order) -> None:
    """Takes two apples, 5.00, off the order; nothing is given back yet."""
    with stall.instance.store.write() as tx:
        change_order(tx, stall.instance.hooks, locked_order(tx, order.id, person_id=stall.ada), items={stall.apples: 2})


def _refund_in_cash(stall: Stall, order: Order, amount: int) -> None:
    with stall.instance.store.write() as tx:
        refund(
            tx,
            enterprise_id="shop",
            order_id=order.id,
            method="cash:cash",
            amount=amount,
            idempotency_key="cash",
            person_id=stall.ada,
        )


def test_what_went_back_to_the_account_is_not_given_back_in_cash_too(stall: Stall) -> None:
    order = stall.buy(4)
    _remove_two_apples(stall, order)
    stall.work()
    with pytest.raises(Conflict, match=r"Only 0\.00 EUR is owed back"):
        _refund_in_cash(stall, order, 500)
    assert (stall.balance, stall.order(order.id).paid_total) == (1500, 500)


def test_what_was_given_back_in_cash_does_not_go_back_to_the_account_too(stall: Stall) -> None:
    order = stall.buy(4)
    _remove_two_apples(stall, order)
    _refund_in_cash(stall, order, 300)
    stall.work()
    assert (stall.balance, stall.order(order.id).paid_total) == (1200, 500)


def test_a_refund_on_its_way_to_the_account_counts_as_given_back(stall: Stall) -> None:
    order = stall.buy(4)
    _remove_two_apples(stall, order)
    (paid,) = payments_of_order(stall, order)
    assert refund_by_provider(stall.instance, paid, None, key="once") == refund_by_provider(
        stall.instance, paid, None, key="once"
    )
    with pytest.raises(Conflict, match=r"Only 0\.00 EUR is owed back"):
        _refund_in_cash(stall, order, 1)
    assert refund_by_provider(stall.instance, paid, None, key="again") is None
    stall.work()
    assert (stall.balance, stall.order(order.id).paid_total) == (1500, 500)


def payments_of_order(stall: Stall, order: Order) -> list[Payment]:
    with stall.instance.store.read() as tx:
        return list(payments_of(tx, "shop", order.id))


@pytest.mark.parametrize("kind", ["payments", "refunds"])
def test_nobody_records_by_hand_what_only_the_account_knows(stall: Stall, client: TestClient, kind: str) -> None:
    order = stall.buy(1) if kind == "refunds" else stall.place(1)
    client.headers.update(a_token(stall, "payments:read", "payments:write"))
    body = {"method": METHOD, "amount": 100, "anyway": True}
    answer = client.post(f"/api/enterprises/shop/orders/{order.id}/{kind}", json=body, headers={"Idempotency-Key": "k"})
    assert answer.json()["errors"][0]["code"] == "not_by_hand"
    assert stall.order(order.id).paid_total == order.paid_total


def test_two_hasty_orders_do_not_count_on_the_same_money(stall: Stall) -> None:
    """Eight tills sell 5.00 each to one account of 20.00: four orders are placed, whatever comes first."""
    refusal_codes: list[str] = []

    def buy_at_till() -> None:
        try:
            stall.buy(2)
        except Invalid as error:
            refusal_codes.append(error.problems[0].code)

    tills = [threading.Thread(target=buy_at_till) for _ in range(8)]
    for till in tills:
        till.start()
    for till in tills:
        till.join()
    assert refusal_codes == ["balance_low"] * 4
    assert stall.balance == 0


def test_what_was_taken_and_is_not_written_down_yet_counts_once(stall: Stall) -> None:
    """The account and the order's journal change in two transactions; another order may come in between."""
    order = stall.place(2)
    choice = choose_method(stall.instance, order.id, METHOD, "en")
    with stall.instance.store.write() as tx:
        payment = begin_payment(tx, stall.instance.hooks, choice, f"order:{order.id}")
    take_from_account(stall.instance, payment, Account(), "en")
    assert stall.balance == 1500
    with pytest.raises(Invalid):
        stall.buy(7)
    assert stall.buy(6).payment_state == "Paid"
    assert stall.balance == 0


def test_a_balance_that_is_not_the_sum_of_its_ledger_is_a_broken_invariant(stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(account_balance).values(balance=2001))
        (problem,) = broken_invariants(tx, stall.instance.hooks)
    assert (problem.where, problem.values["balance"], problem.values["ledger"]) == ("shop", 2001, 2000)


def test_the_plugin_stays_on_until_the_accounts_are_settled(stall: Stall) -> None:
    def switch_off() -> None:
        stall.instance.store.transact(lambda tx: disable_plugin(tx, stall.instance.hooks, "shop", "account"))

    with pytest.raises(Refused, match="not at zero: 1"):
        switch_off()
    with stall.instance.store.write() as tx:
        write_entry(tx, "shop", stall.customer, "paid out", -stall.balance, note="", person_id=None)
    switch_off()


@pytest.mark.parametrize("pieces", [1, 40])
def test_a_guest_with_the_address_of_a_member_pays_nothing_from_her_account_and_learns_nothing_of_it(
    client: TestClient, stall: Stall, pieces: int
) -> None:
    """The order of 40 pieces costs more than the balance of the account."""
    balance_before = stall.balance
    wish = {"items": {stall.apples: pieces}, "name": "Ada", "email": "ada@example.org", "language": "en"}
    response = client.post(
        "/api/sale-sessions/shop-session/orders", json=wish, headers={"Idempotency-Key": "place"}
    ).json()
    assert (response["order"]["identity"], response["order"]["customer_id"]) == ("typed", None)
    refused = client.post(
        f"/api/guest-orders/{response['secret']}/payments", json={"method": METHOD}, headers={"Idempotency-Key": "pay"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_unknown")
    assert "log in if you are a customer" in refused.text
    assert "20.00" not in refused.text
    assert client.get(f"/api/guest-orders/{response['secret']}/payments").json()["payments"] == []
    assert stall.balance == balance_before
    with_cash = client.post(
        f"/api/guest-orders/{response['secret']}/payments",
        json={"method": "cash:cash"},
        headers={"Idempotency-Key": "cash"},
    )
    assert with_cash.status_code == 201


def test_what_came_from_an_account_goes_back_to_it_though_the_order_proves_nothing_of_its_customer(
    stall: Stall,
) -> None:
    """Before orders kept their identity, a guest could pay from the account of a member."""
    order = stall.buy(2)
    with stall.instance.store.write() as tx:
        tx.execute(update(customer_order).where(customer_order.c.id == order.id).values(identity="typed"))
        cancel_order(tx, stall.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))
    assert stall.balance == 1500
    tick(stall.instance, work_of(stall.instance))
    assert stall.balance == 2000


def test_a_guest_who_has_followed_the_mailed_link_pays_from_the_account_that_is_theirs(
    client: TestClient, stall: Stall
) -> None:
    wish = Wish(items={stall.apples: 2}, name="Ada", email="ada@example.org")
    with stall.instance.store.write() as tx:
        order = place_order(tx, stall.instance.hooks, "shop-session", wish, secret="s" * 43)
        secret = str(mailed_secret(tx, order.id))
    paths = [f"/api/guest-orders/{guest_secret}" for guest_secret in ("s" * 43, secret)]
    assert [client.post(f"{path}/proof").status_code for path in paths] == [422, 200]
    paid = client.post(f"{paths[1]}/payments", json={"method": METHOD}, headers={"Idempotency-Key": "pay"})
    assert (paid.status_code, paid.json()["state"], stall.balance) == (201, "Done", 1500)
    assert client.get(paths[0]).status_code == 404, "who placed it is out"


# ------------------------------------------------------------------------------------------------ the ledger


def test_the_ledger_only_grows(stall: Stall) -> None:
    for change in (account_entry.update().values(amount=1), account_entry.delete()):
        with pytest.raises(DBAPIError, match="only grows"), stall.instance.store.write() as tx:
            tx.execute(change)


@pytest.mark.parametrize(
    ("kind", "amount"), [("paid in", 0), ("paid in", -5), ("paid out", 5), ("correction", 0), ("paid in", 10**13)]
)
def test_an_entry_that_makes_no_sense_is_refused(stall: Stall, kind: Any, amount: int) -> None:
    with stall.instance.store.write() as tx, pytest.raises(Invalid):
        write_entry(tx, "shop", stall.customer, kind, amount, note="", person_id=None)


def test_nobody_is_paid_out_what_is_not_there(stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        write_entry(tx, "shop", stall.customer, "paid out", -1500, note="", person_id=None)
        with pytest.raises(Conflict):
            write_entry(tx, "shop", stall.customer, "paid out", -501, note="", person_id=None)
        write_entry(tx, "shop", stall.customer, "correction", -600, note="compté deux fois", person_id=None)
    assert stall.balance == -100


def test_an_account_is_opened_once_and_for_customers_of_the_shop(stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        a_shop(tx, "other")
        with pytest.raises(Conflict):
            open_account(tx, "shop", stall.customer)
        with pytest.raises(NotFound):
            open_account(tx, "other", stall.customer)
        with pytest.raises(NotFound):
            account_of(tx, "other", stall.customer)


# ------------------------------------------------------------------------------------------------ over the API


def a_token(stall: Stall, *scopes: str, member: bool = True) -> dict[str, str]:
    with stall.instance.store.write() as tx:
        if member:
            membership = {"enterprise_id": "shop", "person_id": stall.ada, "role": "owner", "since": tx.now}
            tx.execute(insert(enterprise_member).values(membership))
        token = make_token(tx, stall.ada, name="t", scopes=scopes, enterprise_id="shop" if member else None)
    return {"Authorization": f"Bearer {token.secret}"}


def test_the_shop_keeps_accounts_over_the_api(stall: Stall, client: TestClient) -> None:
    client.headers.update(a_token(stall, "payments:read", "payments:write"))
    url = f"/api/-/account/enterprises/shop/customers/{stall.customer}/account"
    (account,) = client.get("/api/-/account/enterprises/shop/accounts").json()["items"]
    assert (account["customer_id"], account["balance"]) == (stall.customer, 2000)
    entry = {"kind": "paid in", "amount": 500, "note": "en chèque"}
    assert client.post(f"{url}/entries", json=entry).status_code == 422  # without an idempotency key
    keyed = {"Idempotency-Key": "one"}
    answers = [client.post(f"{url}/entries", json=entry, headers=keyed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert stall.balance == 2500
    assert [entry["amount"] for entry in client.get(f"{url}/entries").json()["items"]] == [2000, 500]
    response = client.get(url)
    patched = client.patch(url, json={"minimum": -1000}, headers={"If-Match": response.headers["ETag"]})
    assert (patched.status_code, patched.json()["minimum"]) == (200, -1000)
    stall.buy(14)
    assert stall.balance == -1000


def test_a_member_sees_their_own_account(stall: Stall, client: TestClient) -> None:
    assert client.get("/api/-/account/me/shops/shop/account").status_code == 401
    client.headers.update(a_token(stall, "self", member=False))
    own_account = client.get("/api/-/account/me/shops/shop/account").json()
    assert own_account["account"]["balance"] == 2000
    assert [entry["note"] for entry in own_account["entries"]] == ["à la caisse"]
    assert client.get("/api/-/account/me/shops/elsewhere/account").status_code == 404
