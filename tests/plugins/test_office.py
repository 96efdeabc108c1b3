"""The office: its pages by role, and the hand-out, which takes money and goods once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from sqlalchemy import event, insert, update

from commensal.base.clock import ManualClock
from commensal.enterprises.plugins import disable_plugin, enable_plugin
from commensal.enterprises.tables import enterprise_member
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import UNDO
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.payments.journal import journal_entries
from commensal.people.people import add_person, new_person
from commensal.sale_sessions.tables import coordination
from commensal.testing.placed import a_lot, an_item
from commensal_bank_transfer.entries import import_credits
from commensal_bank_transfer.statements.values import Credit
from commensal_pickup.tables import pickup_slot

from .conftest import PASSWORD, Browser, Stall

PLUGINS = ("shop", "office", "cash", "bank_transfer", "pickup")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

OFFICE = "/office/shop"
HANDOUT = f"{OFFICE}/handout/shop-session"
CASH = ("method", "cash:cash")


def a_member(stall: Stall, role: str, email: str = "olivia@example.org") -> str:
    person = new_person(email=email, name="Olivia", password=PASSWORD, language="en")
    with stall.instance.store.write() as tx:
        member = add_person(tx, person, confirmed=True)
        assert member is not None
        row = {"enterprise_id": "shop", "person_id": member.id, "role": role, "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
    return email


def an_order(stall: Stall, name: str = "Corinne Clerc", *, slot: int = 0, **items: int) -> Order:
    goods = {getattr(stall, item): pieces for item, pieces in (items or {"small": 2}).items()}
    return an_order_of(stall, goods, name, slot=slot)


def an_order_of(stall: Stall, goods: dict[str, int], name: str = "Corinne Clerc", *, slot: int = 0) -> Order:
    email = "corinne@example.org" if name.startswith("Corinne") else "somebody@example.org"
    wish = Wish(
        items=goods,
        name=name,
        email=email,
        phone="06 39 98 58 66",
        shipping=stall.slots[slot],
        payment_method="cash:cash",
    )
    with stall.instance.store.write() as tx:
        return place_order(tx, stall.instance.hooks, "shop-session", wish)


def a_chicken(stall: Stall) -> str:
    """An item that is sold by weight: two kilograms for 24.00."""
    with stall.instance.store.write() as tx:
        lot = a_lot(tx, name="Poulet", unit="Kilogram", on_hand="200")
        return an_item(
            tx, lot, name="Poulet", price=2400, grains=2000, quantity=Decimal(2), unit="Kilogram", weighed=True
        )


def journal(stall: Stall) -> list[int]:
    """The amounts of the journal, after all invariants were checked."""
    with stall.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        return [entry.amount for entry in journal_entries(tx, "shop")]


@pytest.fixture
def owner(browser: Browser, stall: Stall) -> Browser:
    browser.log_in(a_member(stall, "owner"))
    return browser


# ------------------------------------------------------------------------------------------------ who sees what


def test_the_office_offers_the_languages_that_it_is_written_in(browser: Browser, stall: Stall) -> None:
    """German is one of the shop's: chosen in the office, it showed English pages."""
    browser.log_in(a_member(stall, "owner"))
    browser.go(OFFICE)
    buttons = [attributes for tag, attributes in browser.page.elements if tag == "button"]
    assert {button["value"] for button in buttons if button.get("name") == "language"} == {"en", "fr"}


def test_a_visitor_is_asked_to_log_in_and_led_back(browser: Browser, stall: Stall) -> None:
    a_member(stall, "owner")
    browser.go(f"{OFFICE}/orders")
    assert browser.at == f"/login?next={OFFICE}/orders"
    browser.send("/login", email="olivia@example.org", password=PASSWORD)
    assert browser.at == f"{OFFICE}/orders"


def test_a_person_without_an_enterprise_is_told_what_the_office_is(browser: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        add_person(
            tx, new_person(email="ada@example.org", name="Ada", password=PASSWORD, language="en"), confirmed=True
        )
    browser.log_in()
    assert "ask its owner for an invitation" in browser.go("/office").text
    assert "Office" not in browser.go("/").text
    for path in (OFFICE, f"{OFFICE}/orders", HANDOUT):
        browser.go(path)
        assert browser.status == 404


def test_a_member_goes_from_the_shop_to_the_week(owner: Browser, stall: Stall) -> None:
    assert "/office" in owner.go("/").links()
    owner.go("/office")
    assert owner.at == OFFICE
    assert "Average order" in owner.page.text


def test_a_packer_hands_out_and_sees_no_amount(browser: Browser, stall: Stall) -> None:
    order = an_order(stall)
    browser.log_in(a_member(stall, "packer"))
    for path in (OFFICE, f"{OFFICE}/orders", f"{OFFICE}/orders/{order.id}", HANDOUT, f"{HANDOUT}/{order.id}"):
        page = browser.go(path)
        assert browser.status == 200, path
        # By its deposit a bottle is told from a crate; it is not an amount of anybody's order.
        assert "€" not in page.text.replace("€0.20 Halle Saint-Jean", "Halle Saint-Jean"), path
    browser.send("?then=done", ("method", ""))
    assert browser.at == f"{HANDOUT}?done={order.id}"
    assert journal(stall) == []


def test_a_packer_cannot_take_money_by_a_form_of_their_own(browser: Browser, stall: Stall) -> None:
    order = an_order(stall)
    browser.log_in(a_member(stall, "packer"))
    page = browser.post(f"{HANDOUT}/{order.id}?then=done", method="cash:cash", due="480", key="k")
    assert browser.status == 403
    assert "Your role does not take money" in page.text
    assert journal(stall) == []


def test_an_accountant_sees_orders_but_hands_nothing_out(browser: Browser, stall: Stall) -> None:
    order = an_order(stall)
    browser.log_in(a_member(stall, "accountant"))
    assert HANDOUT.rpartition("/")[0] not in browser.go(f"{OFFICE}/orders").links()
    browser.go(HANDOUT)
    assert browser.status == 403
    browser.post(f"{HANDOUT}/{order.id}?then=done", method="", due="0", key="k")
    assert browser.status == 403


# ------------------------------------------------------------------------------------------------ this week


def test_the_week_counts_orders_and_says_what_needs_somebody(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    an_order(stall)
    an_order(stall, "Émile Renard", eggs=1)
    assert "2 orders so far" in owner.go(OFFICE).text
    clock.advance(days=2, hours=6)  # the hand-out is under way
    page = owner.go(OFFICE).text
    assert "It began at 17:00." in page
    assert "This one has closed, and nothing is planned after it." in page
    clock.advance(hours=1)  # it is over
    page = owner.go(OFFICE).text
    assert "This one is over, and nothing is planned after it." in page
    assert "2 orders were not collected" in page
    assert "2 orders are not paid" in page
    assert "No next sale is planned" in page
    with stall.instance.store.write() as tx:
        tx.execute(update(coordination).values(rhythm="FREQ=WEEKLY"))
    assert "No next sale is planned" not in owner.go(OFFICE).text, "a worker makes it in a moment"
    assert "The books of this sale are still open" in page


def test_the_average_of_orders_is_rounded_and_not_cut(owner: Browser, stall: Stall) -> None:
    totals = [an_order(stall, small=1).total, an_order(stall, eggs=1).total, an_order(stall, slot=1, eggs=1).total]
    assert sum(totals) % 3 == 2, "two thirds of a cent"
    cents = sum(totals) // 3 + 1
    assert f"Average order€{cents / 100:.2f}" in owner.go(OFFICE).text


def test_no_line_of_a_french_page_begins_with_a_sign(owner: Browser, stall: Stall) -> None:
    owner.post("/language", language="fr", next=OFFICE)
    for page in ("/settings/closing", "/settings/team", "/pack", "/rules"):
        html = owner.client.get(f"{OFFICE}{page}").text
        assert "«\u00a0" in html or "\u00a0:" in html or "\u00a0;" in html, page
        assert re.findall(r"\w+ [:;?!»]\s|« \w+", html) == [], page


def test_a_sale_without_a_way_to_pay_is_said_to_be_so(owner: Browser, stall: Stall) -> None:
    assert "Customers have no way to pay" not in owner.go(OFFICE).text
    with stall.instance.store.write() as tx:
        disable_plugin(tx, stall.instance.hooks, "shop", "cash")
    assert "Customers have no way to pay" in owner.go(OFFICE).text


def test_a_sale_whose_e_mails_reach_nobody_is_said_to_be_so(browser: Browser, stall: Stall) -> None:
    """On a server that people reach; who only tries it on their own machine reads the e-mails as files."""
    reached = replace(stall.instance.settings, base_url="https://testserver")
    with_mail = replace(reached, mail=replace(reached.mail, host="mail.example"))
    person, app = a_member(stall, "owner"), browser.client.app
    texts = []
    for settings in (stall.instance.settings, reached, with_mail):
        vars(app)["state"].instance = replace(stall.instance, settings=settings)
        browser.client.cookies.clear()
        browser.client.base_url = settings.base_url
        browser.client.headers["Origin"] = settings.base_url
        browser.log_in(person)
        texts.append(browser.go(OFFICE).text)
    assert ["E-mails reach nobody yet" in text for text in texts] == [False, True, False]


def test_another_plugin_adds_what_needs_somebody(owner: Browser, stall: Stall) -> None:
    credit = Credit(booked_on=date(2026, 6, 3), amount=2000, currency="EUR", payer="M. Renard", text="merci", key="one")
    with stall.instance.store.write() as tx:
        settings = {"holder": "Halle Saint-Jean", "iban": "FR7630006000011234567890189"}
        enable_plugin(tx, stall.instance.hooks, "shop", "bank_transfer", settings)
        import_credits(tx, "shop", [credit])
    page = owner.go(OFFICE).text
    assert "Bank transfers" in page
    assert "1 transfer without an order" in page
    packer = owner.another()
    packer.log_in(a_member(stall, "packer", "paul@example.org"))
    assert "transfer" not in packer.go(OFFICE).text, "it is not for packers"


# ------------------------------------------------------------------------------------------------ orders


@pytest.mark.parametrize(
    "words",
    ["corinne", "CLERC", "1", "#1", "corinne@example.org", "0639985866", "+33 6 39 98 58 66", "58 66", "carotte"],
)
def test_an_order_is_found_by_what_stands_on_paper(owner: Browser, stall: Stall, words: str) -> None:
    order = an_order(stall)
    an_order(stall, "Émile Renard", eggs=1)
    asked = {"q": words}
    page = owner.go(f"{OFFICE}/orders?{urlencode(asked)}")
    assert f"{OFFICE}/orders/{order.id}" in page.links()
    assert f"{HANDOUT}/{order.id}" in owner.go(f"{HANDOUT}?{urlencode(asked)}").links()
    found = owner.client.get(f"{HANDOUT}/search.json", params=asked).json()
    assert (order.id in found["ids"], found["others"]) == (True, [])


def test_the_hand_out_says_of_a_cancelled_order_that_it_is_cancelled(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    with stall.instance.store.write() as tx:
        cancel_order(tx, stall.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))
    page = owner.go(f"{HANDOUT}?q=corinne")
    assert "Not to hand out here 1Corinne Clerc" in page.text
    assert f"{OFFICE}/orders/{order.id}" in page.links()
    (other,) = owner.client.get(f"{HANDOUT}/search.json?q=corinne").json()["others"]
    assert (other["number"], other["text"].rpartition(" ")[2]) == (1, "cancelled")


def test_a_search_without_a_match_says_so(owner: Browser, stall: Stall) -> None:
    an_order(stall)
    page = owner.go(f"{OFFICE}/orders?q=nobody")
    assert "No order of this sale fits." in page.text
    assert "Corinne" not in page.text


def test_an_order_shows_its_lines_its_money_and_what_happened(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2, eggs=1)
    page = owner.go(f"{OFFICE}/orders/{order.id}").text
    for words in ("2 × Carottes", "€4.80", "€7.15 to pay", "06 39 98 58 66", "ordered"):
        assert words in page, words
    for address in (f"{OFFICE}/orders/{order.id}", f"{OFFICE}/orders", f"{OFFICE}/pack", f"{HANDOUT}/{order.id}"):
        assert "Salle des fêtes, Saturday, 6 June 2026, 17:00" in owner.go(address).text, "not in the hub's language"


# ------------------------------------------------------------------------------------------------ hand-out


def test_the_list_goes_by_slot_and_name(owner: Browser, stall: Stall) -> None:
    for name, slot in (("Zoé Petit", 0), ("Anna Blum", 1), ("Bruno Roy", 0)):
        an_order(stall, name, slot=slot)
    page = owner.go(HANDOUT).text
    places = [page.index(name) for name in ("Gare", "Anna Blum", "Salle des fêtes", "Bruno Roy", "Zoé Petit")]
    assert places == sorted(places)
    assert "0/3" in page


def test_slots_go_by_time_and_not_by_the_names_of_days(owner: Browser, stall: Stall) -> None:
    """The hall opens on Saturday and the station on Sunday, the first day of the alphabet in French."""
    for name, slot in (("Zoé Petit", 0), ("Anna Blum", 1)):
        an_order(stall, name, slot=slot)
    station = pickup_slot.c.id == stall.slots[1].removeprefix("pickup:")
    with stall.instance.store.write() as tx:
        begins_at = tx.now + timedelta(days=3)
        later = {"begins_at": begins_at, "ends_at": begins_at + timedelta(hours=1)}
        tx.execute(update(pickup_slot).where(station).values(**later))
    for address in (HANDOUT, f"{OFFICE}/pack"):
        page = owner.go(address).text
        assert page.index("Zoé Petit") < page.index("Anna Blum"), address


def test_cash_and_goods_go_over_the_table_in_one_step(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    owner.go(f"{HANDOUT}/{order.id}")
    page = owner.send("?then=done", CASH)
    assert "1 · Corinne Clerc handed over" in page.text
    assert "€4.80 taken" in page.text
    assert "1/1" in page.text
    assert journal(stall) == [480]
    assert "Paid €4.80" in owner.go(f"{HANDOUT}/{order.id}").text


def test_the_same_form_sent_twice_takes_the_money_once(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    page = owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=done", CASH)
    owner.page = page
    owner.send("?then=done", CASH)
    assert owner.at == f"{HANDOUT}?done={order.id}"
    assert journal(stall) == [480]


def test_a_second_telephone_learns_that_the_order_is_gone(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=done", CASH)
    page = owner.post(f"{HANDOUT}/{order.id}?then=done", method="cash:cash", due="480", key="of another telephone")
    assert owner.status == 409
    assert "Order 1 has been handed over already" in page.text
    assert journal(stall) == [480]


def test_more_than_is_due_is_not_taken(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    page = owner.post(f"{HANDOUT}/{order.id}?then=done", method="cash:cash", due="500", key="k")
    assert "Only €4.80 is due" in page.text
    assert journal(stall) == []


def test_who_pays_later_gets_the_goods_and_still_owes(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    owner.go(f"{HANDOUT}/{order.id}")
    page = owner.send("?then=done", ("method", ""))
    assert "€4.80 to pay" in page.text
    assert journal(stall) == []


def test_a_slip_is_undone_with_its_money(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=done", CASH)
    page = owner.send("?then=undo")
    assert owner.at == f"{HANDOUT}/{order.id}"
    assert "To pay €4.80" in page.text
    assert journal(stall) == [480, -480]
    owner.send("?then=done", CASH)
    assert journal(stall) == [480, -480, 480]


def test_what_was_handed_over_long_ago_is_not_undone(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    order = an_order(stall)
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=done", CASH)
    clock.advance(seconds=UNDO.seconds + 1)
    page = owner.send("?then=undo")
    assert owner.status == 409
    assert "within 30 minutes" in page.text
    assert journal(stall) == [480]


def test_a_packer_does_not_undo_money(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=done", CASH)
    packer = owner.another()
    packer.log_in(a_member(stall, "packer", "paul@example.org"))
    page = packer.post(f"{HANDOUT}/{order.id}?then=undo")
    assert packer.status == 409
    assert "Ask somebody who takes money" in page.text
    assert journal(stall) == [480]


@pytest.mark.parametrize(("typed", "total"), [("1.985", "23.82"), ("1,985", "23.82"), ("0,985+1", "23.82")])
def test_a_weight_is_typed_with_a_comma_a_point_or_as_a_sum(
    owner: Browser, stall: Stall, typed: str, total: str
) -> None:
    order = an_order_of(stall, {a_chicken(stall): 1})
    owner.go(f"{HANDOUT}/{order.id}")
    page = owner.send("?then=weigh", **{f"weights/{order.lines[0].id}": typed})
    assert owner.status == 200
    assert f"To pay €{total}" in page.text


def test_a_weight_that_is_far_off_is_asked_again_and_kept(owner: Browser, stall: Stall) -> None:
    order = an_order_of(stall, {a_chicken(stall): 1})
    field = f"weights/{order.lines[0].id}"
    owner.go(f"{HANDOUT}/{order.id}")
    page = owner.send("?then=weigh", **{field: "0.985"})
    assert "This is far from what was ordered" in page.text
    assert page.form("?then=weigh").fields[field] == "0.985"
    page = owner.send("?then=weigh")
    assert "To pay €11.82" in page.text


@pytest.mark.parametrize("typed", ["heavy", "-1", "1e9", "NaN", "1+" * 40])
def test_what_is_no_weight_is_said_beside_its_field(owner: Browser, stall: Stall, typed: str) -> None:
    order = an_order_of(stall, {a_chicken(stall): 1})
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=weigh", **{f"weights/{order.lines[0].id}": typed})
    assert owner.status == 422
    assert owner.page.text.count("Error:") == 1


# ------------------------------------------------------------------------------------------------ statements


@pytest.mark.parametrize("page", [OFFICE, f"{OFFICE}/orders", HANDOUT, f"{HANDOUT}/list.json", f"{OFFICE}/products"])
def test_a_page_asks_no_statement_for_each_order(owner: Browser, stall: Stall, page: str) -> None:
    stall.count(stall.heap, 100)
    with stall.instance.store.write() as tx:
        tx.execute(update(pickup_slot).values(capacity=100))
    an_order(stall, small=1)
    owner.client.get(page)  # what is read once and kept
    few = statements(owner, stall, page)
    for number in range(6):
        an_order(stall, f"Client {number}", small=1)
    assert statements(owner, stall, page) == few


def statements(browser: Browser, stall: Stall, page: str) -> int:
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    engine = stall.instance.store.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert browser.client.get(page).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return count
