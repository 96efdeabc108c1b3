"""The treasurer's Friday in the office: reminders, the till, suppliers paid, and the week closed."""

from __future__ import annotations

import csv
import io
from email import message_from_bytes
from email.policy import default

import pytest
from pypdf import PdfReader
from sqlalchemy import insert, select

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.values import Order
from commensal.parts.supply.corrections import LineCorrection, correct_order
from commensal.parts.till.till import till_counts
from commensal.storage.jobs.tables import job
from commensal.testing import RunJobs
from commensal.testing.placed import a_lot, a_shop, an_item

from .conftest import Browser, Stall
from .test_office import CASH, HANDOUT, OFFICE, a_member, an_order, an_order_of, journal, owner

__all__ = ["owner"]  # a fixture

PLUGINS = ("shop", "office", "cash", "bank_transfer", "pickup", "sales")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

MONEY = f"{OFFICE}/money"


def paid_in_cash(owner: Browser, order: Order) -> None:
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=done", CASH)


NAME = "＝Tomme"  # with a full-width sign


def from_a_farm(stall: Stall) -> Order:
    """An order of two cheeses of a farm, 2.50 each; its name would be a formula in a spreadsheet."""
    with stall.instance.store.write() as tx:
        a_shop(tx, "farm", name="La Ferme", is_producer=True, is_hub=False)
        cheese = an_item(tx, a_lot(tx, "farm", name="Tomme", on_hand="9"), name=NAME, enterprise_id="farm")
    return an_order_of(stall, {cheese: 2})


def test_who_has_not_paid_is_reminded_with_a_button_and_not_twice(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    order = an_order(stall)
    clock.advance(days=4)
    owner.go(MONEY)
    page = owner.send("", ("remind", order.id))
    assert f"The customer of order {order.number} is reminded." in page.text
    assert "reminded 1 time" in page.text
    assert not [each for each in page.elements if each[1].get("name") == "remind"]
    owner.post(MONEY, remind=order.id)
    assert (owner.status, "Call instead" in owner.page.text) == (409, True)
    with stall.instance.store.read() as tx:
        kinds = [row["payload"].get("kind") for row in tx.all(select(job.c.payload))]
    assert kinds.count("order_to_pay") == 1


def test_an_old_debt_stays_on_the_list(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    an_order(stall)
    for _ in range(5):
        clock.advance(days=8)
    browser.log_in(a_member(stall, "owner"))
    assert "1 order €4.80" in browser.go(MONEY).text


def test_the_till_is_counted_and_a_wrong_count_taken_back(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    paid_in_cash(owner, an_order(stall))
    assert "The till is counted" not in owner.go(f"{MONEY}/close").text, "the hand-out is not over"
    page = owner.go(f"{MONEY}/till")
    assert page.text.index("Record the count") < page.text.index("Should be in the till €4.80"), "count first"
    assert "Reason of the difference (needed if the count differs; “unknown” is an answer)" in page.text
    page = owner.send("", counted="4,50", float_after="1")
    assert "Say what the difference comes from" in page.text
    assert page.form("").fields["counted"] == "4,50"
    owner.at = f"{MONEY}/till"
    owner.send("", reason="a slip of change")
    page = owner.go(f"{MONEY}/till")
    assert "difference: -€0.30" in page.text.replace("\N{MINUS SIGN}", "-")
    assert "Should be in the till €1.00" in page.text
    with stall.instance.store.read() as tx:
        (count,) = till_counts(tx, "shop")
    assert (count.expected, count.counted, count.float_after) == (480, 450, 100)
    assert "Say why the count is taken back" in owner.send("then=back").text
    owner.send("then=back", why="the purse of the hall was in it")
    assert "The count is taken back" in owner.page.text
    page = owner.go(f"{MONEY}/till")
    assert "(count 2): the purse of the hall was in it" in page.text
    assert "Should be in the till €4.80" in page.text
    assert not [form for form in page.forms if "back" in form.action], "it is taken back once"
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="sales", settings={}, version=1))
    day = f"{clock.now():%Y-%m-%d}"
    page = owner.go(f"{OFFICE}/papers?since={day}&until={day}")
    (together,) = [link for link in page.links() if "moment=account" in link]
    pdf = PdfReader(io.BytesIO(owner.client.get(together).content))
    text = " ".join(page.extract_text() for page in pdf.pages)
    assert text.count(f"From {clock.now():%d/%m/%Y} to {clock.now():%d/%m/%Y}") == len(pdf.pages) >= 5
    (address,) = [link for link in page.links() if "/sales/till?" in link and "format=csv" in link]
    entries = list(csv.DictReader(io.StringIO(owner.client.get(address).text)))
    assert [(row["Kind"], row["Expected (EUR)"], row["Difference (EUR)"], row["Reason"]) for row in entries] == [
        ("Count", "4.80", "-0.30", "a slip of change"),
        ("Count taken back", "-4.80", "0.30", "the purse of the hall was in it"),
        ("Total", "", "0.00", ""),
    ]
    assert entries[0]["Payment method"] == "Cash on collection"


def test_money_that_comes_while_somebody_counts_is_not_lost(owner: Browser, stall: Stall) -> None:
    paid_in_cash(owner, an_order(stall))
    counting = owner.go(f"{MONEY}/till")
    paid_in_cash(owner, an_order(stall, "Paul Girard", small=1))
    owner.page, owner.at = counting, f"{MONEY}/till"
    assert "Count again" in owner.send("", counted="4.80").text
    assert owner.status == 409


def test_a_supplier_is_paid_with_its_statement(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    order = from_a_farm(stall)
    with stall.instance.store.write() as tx:
        a_shop(tx, "dairy", name="La Laiterie", is_producer=True, is_hub=False)
        milk = an_item(tx, a_lot(tx, "dairy", name="Milk", on_hand="9"), name="Milk", enterprise_id="dairy")
    an_order_of(stall, {milk: 1})
    clock.advance(days=4)
    page = owner.go(f"{MONEY}/suppliers")
    account = next(link for link in page.links() if link.endswith("/farm"))
    page = owner.go(account)
    assert f"2 × {NAME}" in page.text
    form = page.form("").fields
    assert (form["amount"], form["left"]) == ("5.00", "500")
    owner.send("", amount="3", reference="SEPA 6")
    owner.go(f"{account}?then=back")
    assert owner.page.form("?then=back").fields["amount"] == "3.00", "also before all is paid"
    owner.go(account)
    owner.send("", reference="SEPA 7")
    assert "Left to pay €0.00" in owner.page.text
    owner.post(account, **form)  # a second click
    assert owner.status == 409
    csv = owner.client.get(f"{account}/statement.csv")
    assert f"\r\n'{NAME},2,2,Piece,1,2.50,5.5,5.00,0.00,EUR" in csv.text
    assert csv.headers["content-disposition"].startswith("attachment")
    with stall.instance.store.write() as tx:
        placed = hand_order_over(tx, locked_order(tx, order.id, enterprise_id="shop"))
        spoiled = {placed.lines[0].id: LineCorrection(amount=100)}
        correct_order(tx, stall.instance.hooks, placed, spoiled, reason="mouldy", borne_by="supplier")
    text = owner.go(f"{MONEY}/suppliers").text
    assert "Left to pay €2.50" in text, "what was paid too much to one is not what another is owed"
    assert "Too much paid, to come back €1.00" in text
    text = owner.go(f"{MONEY}/close").text
    assert "€2.50 is left to pay to suppliers" in text
    assert "€1.00 too much was paid to suppliers" in text


def test_the_week_is_closed_by_a_list_and_opened_with_a_reason(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    order = an_order(stall)
    assert "The hand-out is not over yet" in owner.go(f"{MONEY}/close").text
    clock.advance(days=4)
    paid_in_cash(owner, order)
    page = owner.go(f"{MONEY}/close")
    assert "1 payment is not counted in the till" in page.text
    assert "Everybody has paid" in page.text
    owner.send(f"{MONEY}/close?sale=shop-session")
    assert "The books are closed since" in owner.page.text
    assert "books of this sale are still open" not in owner.go("/office/shop").text
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=undo")
    assert "books of the sale" in owner.page.text
    owner.go(f"{MONEY}/close")
    owner.send("then=open", reason="a crate was forgotten")
    assert "opened again: a crate was forgotten" in owner.page.text


def test_who_only_reads_the_books_changes_nothing(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    order = an_order(stall)
    clock.advance(days=4)
    reader = owner.another()
    reader.log_in(a_member(stall, "accountant", "max@example.org"))
    for path in ("", "/till", "/suppliers", "/close"):
        assert not [form for form in reader.go(f"{MONEY}{path}").forms if form.method == "post" and not form.action]
        assert reader.status == 200
    for path, fields in (
        ("", {"remind": order.id}),
        ("/till", {"method": "cash:cash", "counted": "0", "float_after": "0", "expected": "0"}),
        ("/close?sale=shop-session", {}),
    ):
        reader.post(f"{MONEY}{path}", **fields)
        assert reader.status == 403, path
    assert journal(stall) == []


def test_a_supplier_gets_the_statement_by_mail_once_for_each_press(
    owner: Browser, stall: Stall, run_jobs: RunJobs
) -> None:
    from_a_farm(stall)
    page = f"{MONEY}/suppliers/shop-session/farm"
    form = owner.go(page).form("?then=mail")
    owner.go(page)  # in another tab
    owner.send("?then=mail")
    assert ("The statement is on its way." in owner.page.text, "Mailed on" in owner.page.text) == (True, True)
    owner.post(form.action, **form.fields)
    assert (owner.status, "sent a moment ago" in owner.page.text) == (409, True)
    run_jobs()
    files = [file.read_bytes() for file in (stall.instance.folder / "mail").glob("*")]
    mails = [message_from_bytes(content, policy=default) for content in files]
    (mail,) = [mail for mail in mails if "Relevé de" in mail["Subject"]]
    assert str(mail["To"]).startswith("La Ferme"), "in the language of the farm"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "5,00" in body.get_content()
    as_csv, as_pdf = mail.iter_attachments()
    names = [file.get_filename() for file in (as_csv, as_pdf)]
    assert names == ["shop-2026-06-06.csv", "shop-2026-06-06.pdf"]
    rows = list(csv.reader(io.StringIO(bytes(as_csv.get_payload(decode=True)).decode("utf-8-sig")), delimiter=";"))
    assert [row[-2:] for row in rows] == [["Montant (EUR)", "Consignes (EUR)"], ["5,00", "0,00"], ["5,00", "0,00"]]
    assert "Reste à payer" in " ".join(PdfReader(io.BytesIO(as_pdf.get_content())).pages[0].extract_text().split())
    assert as_pdf.get_content().startswith(b"%PDF")
    owner.go(page)
    owner.send("?then=mail")
    assert owner.page.text.count("Mailed on") == 2


def test_who_only_reads_the_books_mails_no_statement(owner: Browser, browser: Browser, stall: Stall) -> None:
    from_a_farm(stall)
    reader = browser.another()
    reader.log_in(a_member(stall, "accountant", "max@example.org"))
    page = f"{MONEY}/suppliers/shop-session/farm"
    assert "Mail it to the supplier" not in reader.go(page).text
    reader.post(f"{page}?then=mail", sent="0")
    assert reader.status == 403
