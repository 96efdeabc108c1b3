"""The bank statement in the office: one suggestion at a time, nothing recorded twice, and every decision taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update

from commensal import order_by_id
from commensal.base.clock import ManualClock
from commensal.enterprises import list_customers
from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.tables import customer_order
from commensal.payments.payments import start
from commensal_account.accounts import account_of, open_account, write_entry
from commensal_bank_transfer.entries import BankEntry, entries
from commensal_bank_transfer.payments import reference_of

from .conftest import Browser, Stall
from .test_office import CASH, OFFICE, a_member, an_order, an_order_of, journal, owner
from .test_office_orders import sure
from .test_office_receive import apples

PLUGINS = ("shop", "office", "cash", "bank_transfer", "pickup", "account")
__all__ = ["apples", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

PAGE = f"{OFFICE}/money/statement"


@pytest.fixture
def treasurer(owner: Browser, stall: Stall) -> Browser:
    """The owner of a shop whose bank account is known."""
    account = {"holder": "Les Paniers", "iban": "FR7630006000011234567890189"}
    with stall.instance.store.write() as tx:
        row = {"enterprise_id": "shop", "plugin": "bank_transfer", "settings": account, "version": 1}
        tx.execute(insert(enterprise_plugin).values(row))
    return owner


def hand_in(browser: Browser, *rows: str) -> str:
    """Sends a statement as the form does: rows of date, amount, payer and text. Returns what the page says."""
    content = "\n".join(("date;montant;émetteur;libellé", *rows, "")).encode()
    answer = browser.client.post(PAGE, files={"statement": ("june.csv", content)})
    browser.status = answer.status_code
    return answer.text


def order_with(stall: Stall, number: int) -> str:
    with stall.instance.store.read() as tx:
        return str(tx.value(select(customer_order.c.id).where(customer_order.c.number == number)))


def buttons(browser: Browser, name: str) -> list[str]:
    """The values of the buttons with this name."""
    pressed = [attributes for tag, attributes in browser.page.elements if tag == "button"]
    return [attributes["value"] for attributes in pressed if attributes.get("name") == name]


def answers(browser: Browser) -> list[str]:
    return buttons(browser, "answer")


def waiting(stall: Stall) -> list[BankEntry]:
    with stall.instance.store.read() as tx:
        return list(entries(tx, "shop"))


def test_the_likely_order_is_suggested_and_booked_by_a_button(treasurer: Browser, stall: Stall) -> None:
    order = an_order(stall)
    an_order(stall, "Paul Girard", small=1)
    assert "0 recorded, 1 to decide" in hand_in(treasurer, "03/06/2026;4,80;MME CLERC CORINNE;Panier")
    page = treasurer.go(PAGE)
    assert "1 · Corinne Clerc: €4.80 to pay the name is the same · the amount is the same" in page.text
    assert "Paul Girard" not in page.text
    treasurer.send(f"{PAGE}?then=order", ("number", str(order.number)))
    assert journal(stall) == [480]
    assert "Every transfer is decided" in treasurer.page.text
    treasurer.send(f"{PAGE}?then=reopen", ("entry", treasurer.at.partition("done=")[2]))
    assert journal(stall) == [480, -480]
    treasurer.go(PAGE)
    treasurer.send(f"{PAGE}?then=order", ("number", str(order.number)))
    assert journal(stall) == [480, -480, 480]


def test_a_second_transfer_for_a_paid_order_is_recognised_by_its_reference(treasurer: Browser, stall: Stall) -> None:
    order = an_order(stall)
    reference = reference_of(order.number or 0)
    hand_in(treasurer, f"03/06/2026;4,80;CLERC;{reference}", f"04/06/2026;4,80;CLERC;VIR {reference} merci")
    page = treasurer.go(PAGE)
    assert "1 · Corinne Clerc: €4.80 received, nothing to pay" in page.text
    assert "No unpaid order" not in page.text
    treasurer.send("?then=look", ("number", "1"))
    assert "with this transfer: €4.80 too much was paid" in treasurer.page.text
    treasurer.send("?then=order", ("number", "1"))
    assert journal(stall) == [480, 480]


def test_a_transfer_of_too_much_is_one_entry_and_its_refund_is_known_to_the_statement(
    treasurer: Browser, stall: Stall
) -> None:
    assert "No bank statement was handed in yet" in treasurer.go(PAGE).text
    order = an_order(stall)
    with stall.instance.store.write() as tx:
        how = "bank_transfer:transfer"
        start(tx, enterprise_id="shop", order_id=order.id, method=how, amount=480, idempotency_key="planned")
    reference = reference_of(order.number or 0)
    hand_in(treasurer, f"03/06/2026;5,80;CLERC;{reference}")
    money = treasurer.go(f"{OFFICE}/money").text
    assert "1 Corinne Clercmore was paid than is due €1.00" in money
    assert "From payment providers" not in money
    assert "needs a decision" not in treasurer.go(OFFICE).text
    assert f"{reference} received €5.80" in treasurer.go(f"{OFFICE}/orders/{order.id}").text
    assert "Payment that was planned" not in treasurer.page.text
    refund = treasurer.go(f"{OFFICE}/orders/{order.id}/refund").form("")
    assert refund.fields["way"] == "hand:bank_transfer:transfer"
    treasurer.send("", **refund.fields)
    treasurer.send("", **treasurer.page.form("").fields)
    assert journal(stall) == [580, -100]
    hand_in(treasurer, "04/06/2026;-1,00;CORINNE CLERC;remboursement")
    assert "1 · Corinne Clerc recorded already: this is the money given back" in treasurer.go(PAGE).text
    treasurer.send(f"{PAGE}?then=match", ("answer", answers(treasurer)[0]))
    assert journal(stall) == [580, -100], "nothing is recorded twice"
    hand_in(treasurer, "05/06/2026;-1,00;CORINNE CLERC;encore")
    assert "this is the money given back" not in treasurer.go(PAGE).text, "it went with another line"


def test_a_statement_of_days_to_come_or_with_a_rounded_amount_records_nothing(treasurer: Browser, stall: Stall) -> None:
    later = "9999-12-31, a day that has not come"
    for row, told in (
        ("31/12/9999;4,80;X;?", later),
        ("31/12/9999;-4,80;X;?", later),
        ("03/06/2026;1e5;X;?", "1e5 is not an amount"),
    ):
        assert told in hand_in(treasurer, "03/06/2026;4,80;X;?", row)
        assert waiting(stall) == []


def test_two_orders_that_are_the_transfer_together_are_suggested_and_recorded(treasurer: Browser, stall: Stall) -> None:
    an_order(stall), an_order(stall, "Paul Girard", slot=1, small=1), an_order(stall, small=1)
    hand_in(treasurer, "03/06/2026;7,20;CORINNE CLERC;Paniers de mai et juin")
    treasurer.go(PAGE)
    assert "For several orders of Corinne Clerc the name is the same · their sum is the same" in treasurer.page.text
    assert "Paul Girard" not in treasurer.page.text
    treasurer.send("?then=split", **{"amount/1": "4,80", "amount/3": "2,00"})
    assert "These amounts are €6.80 together, and the transfer is €7.20." in treasurer.page.text
    assert treasurer.page.form("?then=split").fields["amount/3"] == "2,00"
    treasurer.send("?then=split", **{"amount/3": "2,40"})
    assert journal(stall) == [480, 240]
    assert "Order 1, Order 3" in treasurer.page.text
    treasurer.send(f"{PAGE}?then=reopen", ("entry", treasurer.at.partition("done=")[2]))
    assert journal(stall) == [480, 240, -480, -240]


def test_several_numbers_are_typed_and_the_amounts_changed(treasurer: Browser, stall: Stall) -> None:
    an_order(stall), an_order(stall, small=1)
    hand_in(treasurer, "03/06/2026;6,00;X;?")
    treasurer.go(PAGE)
    treasurer.send("?then=look", number="1, 2")
    assert journal(stall) == [], "nothing is recorded before the orders are shown"
    assert "For several orders of Corinne Clerc" in treasurer.page.text
    treasurer.send("?then=split")
    assert "These amounts are €7.20 together, and the transfer is €6.00." in treasurer.page.text
    assert treasurer.page.form("?then=split").fields["amount/2"] == "2.40"
    treasurer.send("?then=split", **{"amount/2": "1.20"})
    assert journal(stall) == [480, 120]
    assert "1 · Corinne Clerc: everything is paid 2 · Corinne Clerc: €1.20 is still to be paid" in treasurer.page.text


def test_a_number_that_was_typed_shows_whose_order_it_is_before_anything_is_recorded(
    treasurer: Browser, stall: Stall
) -> None:
    an_order(stall), an_order(stall, "Paul Girard", small=1)
    hand_in(treasurer, "03/06/2026;6,00;X;?")
    treasurer.go(PAGE)
    treasurer.send("?then=look", number="2")
    assert "2 · Paul Girard: €2.40 to pay with this transfer: €3.60 too much was paid" in treasurer.page.text
    assert journal(stall) == []
    shown = treasurer.page
    treasurer.send("?then=look", number="1")
    assert "1 · Corinne Clerc: €4.80 to pay with this transfer: €1.20 too much was paid" in treasurer.page.text
    treasurer.go(f"{OFFICE}/money/{order_with(stall, 2)}")  # meanwhile it is paid in cash
    treasurer.send("", CASH)
    treasurer.page, treasurer.at = shown, PAGE
    treasurer.send("?then=order", ("number", "2"))
    assert (treasurer.status, "€0.00 is to be paid for order 2 now" in treasurer.page.text) == (409, True)
    treasurer.send("?then=look", number="1")
    treasurer.send("?then=order", ("number", "1"))
    assert journal(stall) == [240, 600]


def test_what_a_member_sent_beyond_their_order_goes_to_their_account_by_one_button(
    treasurer: Browser, stall: Stall
) -> None:
    order = an_order(stall)
    with stall.instance.store.write() as tx:
        row = {"enterprise_id": "shop", "plugin": "account", "settings": {}, "version": 1}
        tx.execute(insert(enterprise_plugin).values(row))
        tx.execute(update(customer_order).values(identity="hub"))
        (customer_id,) = (each.id for each in list_customers(tx, "shop"))
        open_account(tx, "shop", customer_id)
    hand_in(treasurer, "03/06/2026;20,00;CORINNE CLERC;Panier")
    page = treasurer.go(PAGE)
    assert "The rest goes to: Account, which holds €0.00" in page.text
    treasurer.send("?then=split", ("rest", "account"))
    assert (journal(stall), "€15.20 to the customer’s account" in treasurer.page.text) == ([480], True)
    with stall.instance.store.read() as tx:
        assert account_of(tx, "shop", customer_id).balance == 1520
    treasurer.send(f"{PAGE}?then=reopen", ("entry", treasurer.at.partition("done=")[2]))
    assert journal(stall) == [480, -480]
    with stall.instance.store.read() as tx:
        assert (account_of(tx, "shop", customer_id).balance, order.total) == (0, 480)


def test_what_was_sent_is_matched_with_suppliers_and_money_owed_back(
    treasurer: Browser, stall: Stall, apples: str, clock: ManualClock
) -> None:
    an_order_of(stall, {apples: 4})
    back = an_order(stall)
    treasurer.go(f"{OFFICE}/money/{back.id}")
    treasurer.send("", CASH, amount="5.80")
    treasurer.send("", CASH, amount="5.80", anyway="1")
    clock.advance(days=4)
    sent = (
        "04/06/2026;-10,00;SARL LA FERME;Panier",
        "04/06/2026;-1,00;CORINNE CLERC;Rendu",
        "05/06/2026;-90,00;Loyer;",
    )
    assert "3 outgoing transfers are new." in hand_in(treasurer, *sent)
    assert "outgoing transfers are new." not in hand_in(treasurer, *sent), "handed in twice, they stand there once"
    assert "3 outgoing transfers to decide" in treasurer.go(f"{OFFICE}/money").text
    page = treasurer.go(PAGE).text
    assert "La ferme · Vente de juin · Saturday, 6 June 2026 €10.00 is left to pay" in page
    decide = f"{PAGE}?then=match"
    treasurer.send(decide, ("answer", answers(treasurer)[0]))
    assert "Left to pay €0.00" in treasurer.go(f"{OFFICE}/money/suppliers/shop-session/farm").text
    treasurer.go(PAGE)
    assert "2 · Corinne Clerc €1.00 is to be given back" in treasurer.page.text
    treasurer.send(decide, ("answer", answers(treasurer)[0]))
    assert journal(stall) == [580, -100]
    treasurer.send(f"{PAGE}?then=pass", ("debit", buttons(treasurer, "debit")[0]))
    assert "outgoing transfers to decide" not in treasurer.page.text
    for debit in buttons(treasurer, "debit"):
        treasurer.go(PAGE)
        treasurer.send(f"{PAGE}?then=again", ("debit", debit))
    assert journal(stall) == [580, -100, 100], "money that was recorded with the decision is taken back with it"
    assert "Left to pay €10.00" in treasurer.go(f"{OFFICE}/money/suppliers/shop-session/farm").text
    treasurer.send("", amount="10.00", reference="SEPA 7")
    assert "recorded already: this is the same payment" in treasurer.go(PAGE).text
    assert answers(treasurer)[0].startswith("known:")
    treasurer.send(decide, ("answer", answers(treasurer)[0]))
    assert "Left to pay €0.00" in treasurer.go(f"{OFFICE}/money/suppliers/shop-session/farm").text, "paid once"


def test_a_transfer_of_an_order_that_is_paid_already_is_not_booked_again(treasurer: Browser, stall: Stall) -> None:
    order = an_order(stall)
    treasurer.go(f"{OFFICE}/money/{order.id}")
    treasurer.send("", ("method", "bank_transfer:transfer"))
    assert "0 recorded, 1 to decide" in hand_in(treasurer, f"03/06/2026;4,80;Clerc;{reference_of(order.number or 0)}")
    assert journal(stall) == [480]
    treasurer.go(PAGE)
    treasurer.send(f"{PAGE}?then=ignore", ("entry", waiting(stall)[0].id))
    assert (journal(stall), waiting(stall)) == ([480], [])


def test_the_same_statement_and_the_same_button_record_nothing_twice(treasurer: Browser, stall: Stall) -> None:
    order = an_order(stall)
    row = f"03/06/2026;4,80;Clerc;{reference_of(order.number or 0)}"
    assert "1 recorded, 1 to decide, 0 known before" in hand_in(treasurer, row, "03/06/2026;7,00;X;?")
    assert "0 recorded, 0 to decide, 2 known before" in hand_in(treasurer, row, "03/06/2026;7,00;X;?")
    (open_entry,) = waiting(stall)
    treasurer.post(f"{PAGE}?then=order", entry=open_entry.id, number="1")
    treasurer.post(f"{PAGE}?then=order", entry=open_entry.id, number="1")
    assert (treasurer.status, journal(stall)) == (409, [480, 700])


def test_what_is_no_statement_and_no_number_is_told_and_loses_nothing(treasurer: Browser, stall: Stall) -> None:
    assert "is not an amount" in hand_in(treasurer, "03/06/2026;4,8O;X;?")
    assert treasurer.status == 422
    an_order(stall)
    hand_in(treasurer, "03/06/2026;4,80;X;?", "04/06/2026;1,00;Y;?")
    treasurer.go(PAGE)
    for number, words in (("twelve", "Write the number of the order"), ("99", "no such order")):
        assert words in treasurer.post(f"{PAGE}?then=look", entry=waiting(stall)[0].id, number=number).text
    after = next(link for link in treasurer.go(PAGE).links() if "after=" in link)
    assert "Y" in treasurer.go(after).text
    assert len(waiting(stall)) == 2


def test_who_only_reads_the_books_sees_the_transfers_and_decides_none(treasurer: Browser, stall: Stall) -> None:
    hand_in(treasurer, "03/06/2026;4,80;X;?")
    reader = treasurer.another()
    reader.log_in(a_member(stall, "accountant", "max@example.org"))
    assert "1 transfer to decide" in reader.go(PAGE).text
    reader.post(f"{PAGE}?then=ignore", entry=waiting(stall)[0].id)
    assert (reader.status, len(waiting(stall))) == (403, 1)


def test_a_hub_without_the_plugin_has_no_such_page(treasurer: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(enterprise_plugin.delete().where(enterprise_plugin.c.plugin == "bank_transfer"))
    treasurer.go(PAGE)
    assert treasurer.status == 404


def test_who_telephones_pays_from_their_account_as_far_as_it_holds_enough(owner: Browser, stall: Stall) -> None:
    an_order(stall)
    with stall.instance.store.write() as tx:
        row = {"enterprise_id": "shop", "plugin": "account", "settings": {}, "version": 1}
        tx.execute(insert(enterprise_plugin).values(row))
        tx.execute(update(customer_order).values(identity="hub"))
        (customer_id,) = (each.id for each in list_customers(tx, "shop"))
        open_account(tx, "shop", customer_id)
        write_entry(tx, "shop", customer_id, "paid in", 1000, note="", person_id=None)
    take = f"{OFFICE}/orders/new?sale=shop-session&customer={customer_id}"
    fields = {"second": "1", "method": "account:account", "add/1": "Carottes · 1 kg"}
    tries = (("2", "The order is taken.", "Paid"), ("3", "is taken, but not paid", "Unpaid"))
    for slot, (pieces, words, state) in zip(stall.slots, tries, strict=True):
        assert "From my account · Your account holds €" in owner.go(take).text
        owner.send("?sale=shop-session", **fields, **{"pieces/1": pieces, "shipping": slot})
        sure(owner)
        assert words in owner.page.text
        with stall.instance.store.read() as tx:
            order = order_by_id(tx, owner.at.partition("?")[0].rpartition("/")[2], enterprise_id="shop")
            balance = account_of(tx, "shop", customer_id).balance
        assert (order.payment_state, balance) == (state, 520), "€4.80 of €10.00 are spent"
