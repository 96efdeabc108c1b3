"""A hub with goods at two rates of VAT and with the plugin of vouchers, for tests of what codes do to its orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import Instance
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.emails import mailed_secret
from commensal.orders.fulfil import weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.price import Choices
from commensal.orders.proof import prove_order
from commensal.orders.quote import Offered, quote_order
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.parts.order_corrections.merge import revive_order
from commensal.people.codes import fingerprint
from commensal.people.people import add_person, new_person
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_vouchers.codes import Voucher
from commensal_vouchers.create import VoucherTerms, add_voucher
from commensal_vouchers.questions import voucher_by_id
from commensal_vouchers.tables import vouchers_movement, vouchers_use, vouchers_voucher

SESSION = "shop-session"


@dataclass(frozen=True)
class Market:
    """Apples at 10.00 with 5.5 % VAT, soap at 5.00 with 20 %, and chickens at 10.00 that the scales decide."""

    instance: Instance
    goods: dict[str, str]
    people: dict[str, str]

    @property
    def store(self) -> Store:
        return self.instance.store

    def voucher(self, code: str = "JUIN", **terms: Any) -> Voucher:
        all_terms: Any = {"kind": "amount", "amount": 500, **terms}
        with self.store.write() as tx:
            return add_voucher(tx, "shop", VoucherTerms(**all_terms), code="" if all_terms["kind"] == "card" else code)

    def again(self, voucher: Voucher) -> Voucher:
        with self.store.read() as tx:
            return voucher_by_id(tx, "shop", voucher.id)

    def quote(self, *codes: str, who: str = "", **pieces: int) -> Offered:
        with self.store.read() as tx:
            return quote_order(
                tx,
                self.instance.hooks,
                SESSION,
                self._items(pieces),
                language="en",
                person_id=self.people.get(who),
                chosen=Choices(codes=codes),
            )

    def order(
        self,
        *codes: str,
        who: str = "",
        email: str = "eve@example.org",
        total: int | None = None,
        by_hub: bool = False,
        secret: str | None = None,
        **pieces: int,
    ) -> Order:
        """Placed by Ada or Bob, or by a guest with this address."""
        address = f"{who}@example.org" if who else email
        wish = Wish(items=self._items(pieces), name="Name", email=address, language="en", codes=codes, total=total)
        with self.store.write() as tx:
            return place_order(
                tx, self.instance.hooks, SESSION, wish, person_id=self.people.get(who), by_hub=by_hub, secret=secret
            )

    def prove(self, order: Order, who: str = "") -> Order:
        """Follows the link in the e-mail about a guest's order, logged in as `who`."""
        with self.store.write() as tx:
            secret = mailed_secret(tx, order.id)
            assert secret is not None, "no guest has placed this order"
            return prove_order(tx, fingerprint(secret), person_id=self.people.get(who))

    def change(self, order: Order, *, codes: list[str] | None = None, by_hub: bool = False, **pieces: int) -> Order:
        items = self._items(pieces) if pieces else None
        with self.store.write() as tx:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            return change_order(tx, self.instance.hooks, locked, items=items, codes=codes, by_hub=by_hub)

    def revive(self, order: Order) -> Order:
        with self.store.write() as tx:
            return revive_order(tx, self.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))

    def cancel(self, order: Order) -> None:
        with self.store.write() as tx:
            cancel_order(tx, self.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"), by_hub=True)

    def weigh(self, order: Order, weight: str) -> Order:
        with self.store.write() as tx:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            (line,) = [line for line in locked.lines if line.weighed]
            return weigh_order(tx, self.instance.hooks, locked, {line.id: Decimal(weight)})

    def check(self) -> None:
        """Uses are counted, balances are the sums of their movements, and orders have what the books say."""
        with self.store.read() as tx:
            assert broken_invariants(tx) == []
            for row in tx.all(select(vouchers_voucher)):
                uses = select(func.count()).where(vouchers_use.c.voucher_id == row["id"])
                moved = select(func.coalesce(func.sum(vouchers_movement.c.amount), 0)).where(
                    vouchers_movement.c.voucher_id == row["id"]
                )
                assert row["used"] == tx.value(uses)
                assert (row["balance"] or 0) == tx.value(moved)

    def _items(self, pieces: dict[str, int]) -> dict[str, int]:
        return {self.goods[name]: number for name, number in pieces.items()}


def open_market(instance: Instance, **shop: Any) -> Market:
    with instance.store.write() as tx:
        a_shop(tx, **shop)
        for plugin in instance.hooks.plugins():
            tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin=plugin, settings={}, version=1))
        goods = {
            "apples": an_item(tx, a_lot(tx, name="Pommes", on_hand="500"), name="Pommes", price=1000),
            "soap": an_item(
                tx, a_lot(tx, name="Savon", on_hand="500"), name="Savon", price=500, vat="20", product_type="cosmetic"
            ),
            "chicken": an_item(
                tx,
                a_lot(tx, name="Poulet", unit="Kilogram", on_hand="500"),
                name="Poulet",
                price=1000,
                grains=1000,
                unit="Kilogram",
                weighed=True,
                product_type="chicken",
            ),
        }
        people = {}
        for name in ("ada", "bob"):
            new_member = new_person(
                email=f"{name}@example.org", name=name.title(), password="long enough", language="en"
            )
            person = add_person(tx, new_member, confirmed=name == "ada")
            assert person is not None
            people[name] = person.id
    return Market(instance, goods, people)
