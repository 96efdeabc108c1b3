"""What a transfer brings beyond the orders that it pays: kept on the customer's account, and taken back as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from commensal import Conflict, Invalid
from commensal.base.errors import Refused
from commensal.enterprises.customers import create_customer
from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import Instance
from commensal.orders.questions import order_by_id
from commensal.payments.journal import verify_journal
from commensal.testing.placed import a_placed_order, a_shop
from commensal_account.accounts import account_of, latest_entries, move_balance, open_account
from commensal_account.invariants import invariants
from commensal_bank_transfer.entries import BankEntry, Rest, entry_by_id, reopen, split
from commensal_bank_transfer.tables import bank_transfer_entry

from .test_bank_transfer import instance

PLUGINS = ("bank_transfer", "account")
__all__ = ["instance"]  # a fixture


class Till:
    """A shop with a customer who has an account, an order of theirs for 12.50, and a transfer of 20.00."""

    def __init__(self, instance: Instance, **account: Any) -> None:
        self.instance = instance
        with instance.store.write() as tx:
            a_shop(tx)
            for plugin, settings in (("bank_transfer", {}), ("account", account)):
                row = {"enterprise_id": "shop", "plugin": plugin, "settings": settings, "version": 1}
                tx.execute(insert(enterprise_plugin).values(row))
            self.customer = create_customer(tx, "shop", email="ada@example.org", name="Ada").id
            open_account(tx, "shop", self.customer)
            self.order = a_placed_order(tx, total=1250, customer_id=self.customer, identity="hub")
            self.credit = tx.new_id()
            tx.execute(
                insert(bank_transfer_entry).values(
                    id=self.credit,
                    enterprise_id="shop",
                    key="k",
                    booked_on="2026-06-03",
                    amount=2000,
                    currency="EUR",
                    payer="Ada",
                    text="Panier et avance",
                    state="open",
                    created_at=tx.now,
                )
            )

    def split(self, amounts: dict[int, int], rest_to: str = "account") -> BankEntry:
        with self.instance.store.write() as tx:
            return split(tx, self.instance.hooks, "shop", self.credit, amounts, rest_to=rest_to, person_id="olivia")

    def reopen(self) -> BankEntry:
        with self.instance.store.write() as tx:
            return reopen(tx, self.instance.hooks, "shop", self.credit, person_id="olivia")

    def see(self) -> tuple[int, int, list[tuple[str, int, str]], str]:
        """What the order was paid, the balance, the account's ledger, and the state of the transfer."""
        with self.instance.store.read() as tx:
            assert (verify_journal(tx, "shop"), invariants(tx)) == ([], [])
            ledger = latest_entries(tx, "shop", self.customer, limit=9)
            return (
                order_by_id(tx, self.order, enterprise_id="shop").paid_total,
                account_of(tx, "shop", self.customer).balance,
                [(entry.kind, entry.amount, entry.note) for entry in ledger],
                entry_by_id(tx, "shop", self.credit).state,
            )


NOTE = "2026-06-03 Panier et avance"
NOTHING: tuple[int, int, list[tuple[str, int, str]], str] = (0, 0, [], "open")


def test_the_rest_goes_to_the_account_and_comes_back_with_the_payment(instance: Instance) -> None:
    till = Till(instance)
    for turn in range(2):  # what was taken back is recorded anew
        assert till.split({1: 1250}).rest == Rest(customer_id=till.customer, plugin="account", amount=750)
        paid, balance, ledger, state = till.see()
        assert (paid, balance, ledger[0], state) == (1250, 750, ("paid in", 750, NOTE), "matched")
        assert till.reopen().rest is None
        paid, balance, ledger, state = till.see()
        assert (paid, balance, ledger[0], state) == (0, 0, ("correction", -750, NOTE), "open")
        assert len(ledger) == 2 * (turn + 1)


def test_a_rest_that_is_spent_keeps_the_whole_transfer_as_it_is(instance: Instance) -> None:
    till = Till(instance)
    till.split({1: 1250})
    with instance.store.write() as tx:
        move_balance(tx, "shop", till.customer, "paid out", -100, floor=0)
    before = till.see()
    with pytest.raises(Conflict, match="not enough"):
        till.reopen()
    assert till.see() == before


@pytest.mark.parametrize(
    ("amounts", "rest_to", "error"),
    [
        ({1: 1250}, "", Invalid),  # nobody said where the rest goes
        ({1: 1300}, "account", Conflict),  # more than is due
        ({1: 1250}, "stripe", Conflict),  # keeps nothing
        ({1: 1250}, "bank_transfer", Conflict),
        ({}, "account", Invalid),
        ({1: 2500}, "account", Invalid),
    ],
)
def test_what_does_not_add_up_records_nothing(
    instance: Instance, amounts: dict[int, int], rest_to: str, error: type[Refused]
) -> None:
    till = Till(instance)
    with pytest.raises(error):
        till.split(amounts, rest_to)
    assert till.see() == NOTHING


def test_an_address_that_was_only_typed_gets_nothing_onto_the_account(instance: Instance) -> None:
    till = Till(instance)
    with instance.store.write() as tx:
        a_placed_order(tx, total=1250, customer_id=till.customer, identity="typed")
    with pytest.raises(Conflict, match="proven"):
        till.split({2: 1250})
    assert till.see() == NOTHING


def test_an_account_in_hours_takes_no_money(instance: Instance) -> None:
    till = Till(instance, unit="heures", unit_price=1000)
    with pytest.raises(Conflict):
        till.split({1: 1250})
    assert till.see() == NOTHING
