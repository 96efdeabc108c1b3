"""A week with all that moves sums: each sum is the same on every page and in every report that shows it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import insert, update

from commensal.base.clock import ManualClock
from commensal.catalogs.offers import PurchaseTerms, set_purchase_terms
from commensal.catalogs.tables import catalog_item
from commensal.enterprises.customer_categories import create_category
from commensal.enterprises.customers import create_customer
from commensal.enterprises.tables import customer, enterprise_member, enterprise_plugin
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.parts.supply.surplus import keep_surplus
from commensal.people.people import Person
from commensal.products.tables import supplied_product

from .conftest import Browser, Stall
from .test_office import CASH, HANDOUT, OFFICE, an_order_of, journal, owner
from .test_office_orders import address, sure
from .test_office_receive import apples, close_the_sale, purchase_order

__all__ = ["apples", "owner"]  # fixtures

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # the rooms are tested on both
    pytest.mark.long,
]

PLUGINS = ("shop", "office", "cash", "bank_transfer", "pickup", "sales", "fees", "solidarity", "distribution_lists")
FEE = {
    "calculator": "FlatRate",
    "name": "Packing",
    "amount": 50,
    "type": "packing",
    "payee": "supplier",
    "supplier": "farm",
}


@pytest.fixture
def week(stall: Stall, apples: str, ada: Person, owner: Browser, clock: ManualClock) -> dict[str, Order]:
    """Orders of a farm's apples, sold for 2.50 in boxes with a deposit of 0.40, of which the farm gets 80 %: one of a
    customer whom a fund helps, one that is corrected and refunded, one that nobody collects, one that is cancelled
    after it was paid. One box less came than is on the orders, one came back, and the shop kept two for its stock."""
    with stall.instance.store.write() as tx:
        product = catalog_item.select().with_only_columns(catalog_item.c.product_id).where(catalog_item.c.id == apples)
        tx.execute(
            update(supplied_product).where(supplied_product.c.id == product.scalar_subquery()).values(deposit=40)
        )
        set_purchase_terms(tx, "shop", {apples: PurchaseTerms(margin=Decimal(20))})
        group = create_category(tx, "shop", name="Quotient familial").id
        helped = create_customer(tx, "shop", email="ada@example.org", name="Ada Martin", categories=[group]).id
        tx.execute(update(customer).where(customer.c.id == helped).values(person_id=ada.id))
        fund = {"id": "ccas", "payer": "CCAS", "category": group, "percent": "30", "budget": 3000}
        settings: dict[str, Any] = {
            "sales": {},
            "distribution_lists": {},
            "fees": {"fees": [FEE]},
            "solidarity": {"programmes": [fund]},
        }
        for plugin, values in settings.items():
            row = {"enterprise_id": "shop", "plugin": plugin, "settings": values, "version": 1}
            tx.execute(insert(enterprise_plugin).values(row))
        tx.execute(insert(enterprise_member).values(enterprise_id="farm", person_id=ada.id, role="owner", since=tx.now))
        wish = Wish(items={apples: 3}, name="Ada Martin", email="ada@example.org", shipping=stall.slots[0])
        aided = place_order(tx, stall.instance.hooks, "shop-session", wish, person_id=ada.id)
    orders = {
        "aided": aided,
        "corrected": an_order_of(stall, {apples: 2, stall.eggs: 1}),
        "left": by_telephone(stall, {apples: 1}, "Paul Girard"),
        "cancelled": an_order_of(stall, {stall.small: 1}, "Denis Diop", slot=1),
    }
    close_the_sale(stall, clock)
    assert what_the_farm_is_to_bring(owner, stall) == [1440 + 150] * 3, "each has the fees, too"
    receive_less(owner, stall)
    hand_over(owner, orders)
    return orders


def by_telephone(stall: Stall, goods: dict[str, int], name: str) -> Order:
    """An order of somebody without an e-mail address, who is not a customer on record."""
    wish = Wish(
        items=goods, name=name, email="", phone="06 39 98 58 66", shipping=stall.slots[1], payment_method="cash:cash"
    )
    with stall.instance.store.write() as tx:
        return place_order(tx, stall.instance.hooks, "shop-session", wish, by_hub=True)


def what_the_farm_is_to_bring(owner: Browser, stall: Stall) -> list[int]:
    """What its order of six boxes comes to with deposits and fees: in its e-mail, as a table, and where they arrive."""
    order = purchase_order(stall)
    files = sorted((stall.instance.folder / "mail").glob("*"))
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
    letter: Any = next(mail for mail in mails if mail["Subject"].startswith("Commande 1 "))
    text = letter.get_body(("plain",)).get_content()
    file = owner.client.get(f"/api/enterprises/shop/purchase-orders/{order.id}/file?format=csv").content
    return [
        cents(re.findall(r"Total\s?: ([0-9,]+)", text)[0].replace(",", ".")),
        cents(list(table(file)[-1].values())[-1]),
        *amounts(owner.go(f"{OFFICE}/receive/{order.id}").text, "To pay to the supplier"),
    ]


def receive_less(owner: Browser, stall: Stall) -> None:
    order = purchase_order(stall)
    page = owner.go(f"{OFFICE}/receive/{order.id}")
    typed = {**page.forms[0].fields, f"came/{order.lines[0].id}": "5", "shortage": "by hand"}
    owner.post(f"{owner.at}?then=sure", **typed)
    with stall.instance.store.write() as tx:
        keep_surplus(tx, order.id, {order.lines[0].id: 2}, from_stock=True)


def hand_over(owner: Browser, orders: dict[str, Order]) -> None:
    owner.go(f"{HANDOUT}/{orders['aided'].id}")
    owner.send("?then=weigh", **{"back/farm/40": "1"})
    owner.send("?then=done", CASH)
    owner.go(f"{HANDOUT}/{orders['corrected'].id}")
    owner.send("?then=done", CASH)
    corrected = orders["corrected"]
    owner.go(address(corrected, "/correct"))
    owner.send("", **{f"lines/{corrected.lines[0].id}/amount": "2.00", "reason": "rotten"})
    sure(owner)
    owner.go(address(corrected, "/refund"))
    owner.send("", amount="1", reference="from the till")
    sure(owner)
    owner.go(f"{OFFICE}/money/{orders['cancelled'].id}")
    owner.send("", amount="2.40", reference="by hand")
    owner.go(address(orders["cancelled"], "/cancel"))
    owner.send("", goods="lost")


def cents(text: str) -> int:
    return int(Decimal(text.replace(",", "") or "0") * 100)


def amounts(text: str, words: str) -> list[int]:
    """The amounts in cents that stand behind these words on a page."""
    found = re.findall(re.escape(words) + r" ?€([0-9.,]+)", text)
    assert found, f"{words!r} is not in {text}"
    return [cents(amount) for amount in found]


def table(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of their columns; no cell reads "None"."""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert "None" not in {cell for row in rows for cell in row.values()}
    return rows


@dataclass
class Reports:
    """Runs the reports of the sale. Each of its totals is one of the last row, which has the sums."""

    owner: Browser

    def rows(self, name: str) -> list[dict[str, str]]:
        address = f"/api/enterprises/shop/reports/{name}?sale=shop-session&language=en"
        response = self.owner.client.get(address)
        assert response.status_code == 200, response.text
        return table(response.content)

    def total(self, name: str, *columns: str) -> int:
        last = self.rows(name)[-1]
        return sum(cents(last[f"{column} (EUR)"]) for column in columns)

    def part(self, part: str) -> int:
        """The total of a part of the accounts, which is the sum of its lines."""
        rows = [row for row in self.rows("sales/accounts") if row["Part"] == part]
        *lines, total = [cents(row["Amount (EUR)"]) for row in rows]
        assert sum(lines) == total, part
        return total


@pytest.fixture
def reports(owner: Browser) -> Reports:
    return Reports(owner)


def test_what_suppliers_are_owed_is_one_sum(
    owner: Browser, stall: Stall, week: dict[str, Order], reports: Reports, clock: ManualClock
) -> None:
    """Six boxes at 2.00 are 12.00, with fees of 1.50 and deposits of 2.40 - 0.40; of it 2.40 did not come. Two
    boxes for the shop's own stock are 4.80 with their deposits."""
    clock.advance(days=4)
    money = f"{OFFICE}/money"
    statement = owner.go(f"{money}/suppliers/shop-session/farm").text
    assert amounts(statement, "Total") == [2030]
    assert amounts(owner.go(f"{money}/close").text, "Owed to suppliers") == [2030]
    assert amounts(owner.go(f"{money}/suppliers").text, "owed:") == [2030]
    assert reports.part("Owed to suppliers") == 2030
    assert reports.total("sales/suppliers", "With VAT", "Deposits") == 2030
    assert amounts(statement, "of which did not come") == [240]
    assert amounts(owner.go(f"{OFFICE}/receive/{purchase_order(stall).id}").text, "To pay to the supplier") == [1790]
    farmer = owner.another()
    farmer.log_in("ada@example.org")
    assert amounts(farmer.go("/office/farm/bring").text, "delivered for") == [1790]
    assert amounts(farmer.go("/office/farm/bring/paid/shop-session").text, "Total") == [2030]
    for page in (f"{money}/suppliers/shop-session/farm", "/office/farm/bring/paid/shop-session"):
        browser = owner if page.startswith(OFFICE) else farmer
        *lines, total = table(browser.client.get(f"{page}/statement.csv").content)
        for column in ("amount", "deposits"):
            assert sum(cents(line[column]) for line in lines) == cents(total[column]), lines
        assert cents(total["amount"]) + cents(total["deposits"]) == 2030


def test_what_customers_owe_and_have_paid_is_one_sum(
    owner: Browser, stall: Stall, week: dict[str, Order], reports: Reports, clock: ManualClock
) -> None:
    clock.advance(days=4)
    money_page = f"{OFFICE}/money"
    closing, money = owner.go(f"{money_page}/close").text, owner.go(money_page).text
    sold = amounts(closing, "of that, paid by customers")
    assert sold == [1810] == [reports.part("Orders")] == [reports.total("sales/orders", "Total")]
    assert sold == [reports.total("sales/customers", "Total")]
    received = amounts(closing, "Received")
    assert received == [1660] == [sum(journal(stall))] == [reports.part("Received and given back")]
    assert received == [reports.total("sales/payments", "Amount")] == [reports.total("sales/journal", "Amount")]
    assert received == amounts(owner.go(f"{OFFICE}/money/till").text, "Should be in the till")
    assert reports.total("sales/given_back", "Amount") == -100
    assert amounts(money, "1 order") == [490]
    assert "€4.90 is not paid" in closing
    assert "€3.40 is to be given back" in closing, "1.00 of the corrected order, 2.40 of the cancelled one"
    assert 1810 - 1660 == 490 - 340, "what was sold, less what was received, is what is open"
    assert reports.total("sales/orders", "Due") == 490 - 100
    assert reports.total("distribution_lists/sign_in", "Due") == 490
    assert reports.total("distribution_lists/sign_in", "To give back") == 100
    assert reports.part("VAT that falls due") == reports.total("sales/vat", "VAT")
    empties = [row["Goes to"] for row in reports.rows("sales/fees") if row["Phase"] == "Empties returned"]
    assert "Supplier" in empties
    assert reports.total("sales/orders", "Fees and reductions") == reports.total("sales/fees", "Amount")
    helped = [row for row in reports.rows("sales/fees") if "CCAS" in "".join(row.values())]
    granted = -sum(cents(row["Amount (EUR)"]) for row in helped)
    assert granted > 0
    assert amounts(closing, "of that, paid by funds and gift cards") == [granted]
    assert amounts(closing, "Sold") == [1810 + granted]
    assert {*amounts(closing, "CCAS still owes"), *amounts(money, "CCAS still owes")} == {granted}
    at_table = [owner.client.get(f"{HANDOUT}/{order.id}").text for order in week.values()]
    assert any("CCAS" in page for page in at_table)
    assert "CCAS" not in re.sub(r"(?s)<details.*?</details>", "", "".join(at_table)), "who is helped is folded away"
    funds = f"{money_page}/funds"
    assert amounts(owner.go(funds).text, "Still owes") == [granted]
    owner.send(funds, amount="x", paid_on="soon", reference="RF 7")
    assert owner.page.form(funds).fields["reference"] == "RF 7"
    assert {"amount-problem", "paid_on-problem"} <= set(owner.page.ids())
    once = owner.go(funds).form(funds).fields
    owner.send(funds, amount=f"{granted / 100}", reference="RF 7")
    assert amounts(owner.page.text, "Still owes") == [0]
    owner.post(funds, **{**once, "amount": "1"})
    assert (owner.status, "was noted meanwhile" in owner.page.text) == (409, True), "a second press of the button"
    assert "CCAS still owes" not in owner.go(f"{OFFICE}/money/close").text
    for order, due in (("left", "€4.90 to pay"), ("corrected", "€1.00 to give back")):
        assert due in owner.go(HANDOUT).text
        assert due in owner.go(address(week[order])).text, order
