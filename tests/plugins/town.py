"""A town whose social fund helps some of the customers of its shop, for tests of solidarity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update

from commensal import Transaction
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer
from commensal.enterprises.plugins import check_settings
from commensal.enterprises.tables import customer, enterprise_plugin
from commensal.instance import Instance
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.tables import adjustment, customer_order
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.people.people import NewPerson, add_person
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_solidarity.settings import Programme, Settings
from commensal_solidarity.tables import solidarity_budget, solidarity_entry

SESSION = "shop-session"


@dataclass
class Town:
    """A shop whose social fund pays a third, up to 30.00, of the goods of its group, to which Ada and Bob belong."""

    instance: Instance
    category: str
    people: Mapping[str, str]
    customers: Mapping[str, str]
    items: Mapping[str, str]

    @property
    def store(self) -> Store:
        return self.instance.store

    def agree(self, *programmes: Mapping[str, Any]) -> tuple[Programme, ...]:
        """Sets the shop's programmes; missing members have default values."""
        defaults = {"id": "ccas", "payer": "CCAS", "category": self.category, "percent": "30", "budget": 3000}
        values = {"programmes": [{**defaults, **programme} for programme in programmes]}
        check_settings(Settings, values)
        with self.store.write() as tx:
            tx.execute(update(enterprise_plugin).values(settings=values))
        settings: Any = self.instance.hooks.settings("solidarity", values)
        return tuple(settings.programmes)

    def order(self, who: str = "ada", total: int | None = None, **pieces: int) -> Order:
        wish = Wish(items=self.wanted(pieces), name=who.title(), email=f"{who}@example.org", total=total)
        with self.store.write() as tx:
            return place_order(tx, self.instance.hooks, SESSION, wish, person_id=self.people[who])

    def wanted(self, pieces: Mapping[str, int]) -> dict[str, int]:
        return {self.items[name]: number for name, number in pieces.items()}

    def change(self, order: Order, **pieces: int) -> Order:
        """Changes the order as the hub, which may do so after the close too."""
        with self.store.write() as tx:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            return change_order(tx, self.instance.hooks, locked, items=self.wanted(pieces), by_hub=True)

    def weigh(self, order: Order, weight: str) -> Order:
        with self.store.write() as tx:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            (line,) = [line for line in locked.lines if line.weighed]
            return weigh_order(tx, self.instance.hooks, locked, {line.id: Decimal(weight)})

    def cancel(self, order: Order) -> Order:
        with self.store.write() as tx:
            return cancel_order(tx, self.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"), by_hub=True)

    def spent(self) -> int:
        """The amount spent of all budgets, in cents: the books, their entries and the orders must agree."""
        with self.store.read() as tx:
            return spent_of(tx)


def spent_of(tx: Transaction) -> int:
    budgets = tx.all(select(solidarity_budget.c.spent))
    entries = tx.all(select(solidarity_entry.c.amount))
    live = tx.all(
        select(adjustment.c.amount)
        .join(customer_order, customer_order.c.id == adjustment.c.order_id)
        .where(adjustment.c.plugin == "solidarity", customer_order.c.state != "Cancelled")
    )
    spent, booked, granted = (
        sum(row[name] for row in rows) for rows, name in ((budgets, "spent"), (entries, "amount"), (live, "amount"))
    )
    assert spent == booked == -granted
    assert broken_invariants(tx) == []
    return int(spent)


def open_town(instance: Instance) -> Town:
    """Opens the shop with the programme `ccas`: 30 % of the goods of Ada and Bob, up to 30.00 a year; Eve is not
    helped.
    """
    with instance.store.write() as tx:
        a_shop(tx, name="Halle")
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="solidarity", settings={}, version=1))
        category = create_category(tx, "shop", name="Quotient familial").id
        people, customers = {}, {}
        for who in ("ada", "bob", "eve"):
            email = f"{who}@example.org"
            new_person = NewPerson(email=email, name=who.title(), phone="", language="en", password_hash="")
            person = add_person(tx, new_person, confirmed=True)
            assert person is not None
            groups = [] if who == "eve" else [category]
            customers[who] = create_customer(tx, "shop", email=email, name=who.title(), categories=groups).id
            people[who] = person.id
            tx.execute(update(customer).where(customer.c.id == customers[who]).values(person_id=person.id))
        apples = an_item(tx, a_lot(tx, on_hand="100000"), price=1000)
        meat = an_item(
            tx,
            a_lot(tx, unit="Kilogram", on_hand="10000"),
            name="Bœuf",
            price=2000,
            grains=1000,
            unit="Kilogram",
            weighed=True,
        )
        wine = an_item(tx, a_lot(tx, on_hand="1000"), name="Vin", price=1000, product_type="wine", labels=["Demeter"])
    town = Town(instance, category, people, customers, {"apples": apples, "meat": meat, "wine": wine})
    town.agree({})
    return town
