"""The office: receiving goods. A shortage shows whose order changes before it does, and is noted once."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import insert, update

from commensal.base.clock import ManualClock
from commensal.catalogs.tables import offer
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id
from commensal.orders.tables import customer_order
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.parts.serving.work import work_of
from commensal.parts.supply.answers import answer_purchase_order
from commensal.parts.supply.corrections import LineCorrection, correct_order
from commensal.parts.supply.policy import change_closing_policy
from commensal.parts.supply.purchase_orders import PurchaseOrder, purchase_orders_of
from commensal.sale_sessions.tables import coordination_supplier
from commensal.stock.lots import lots_of
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due
from commensal.testing.placed import a_lot, a_shop, an_item

from .conftest import Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, an_order_of, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

RECEIVE = f"{OFFICE}/receive"


@pytest.fixture
def apples(stall: Stall) -> str:
    """An item of the farm, which supplies the sale with apples."""
    with stall.instance.store.write() as tx:
        a_shop(tx, "farm", name="La ferme", is_producer=True, is_hub=False)
        tx.execute(insert(coordination_supplier).values(coordination_id="shop-sale", enterprise_id="farm"))
        return an_item(tx, a_lot(tx, "farm", name="Pommes", on_hand="100"), "shop", name="Pommes", enterprise_id="farm")


def close_the_sale(stall: Stall, clock: ManualClock) -> None:
    clock.advance(hours=25)
    run_periodic(stall.instance, work_of(stall.instance))
    run_all(stall)


def run_all(stall: Stall) -> None:
    while run_due(stall.instance, work_of(stall.instance)):
        pass


def mail_about(stall: Stall, number: int | None, word: str) -> tuple[str, str]:
    """The text and the HTML of the newest e-mail about the order that says that it is so."""
    files = [file.read_bytes() for file in sorted((stall.instance.folder / "mail").glob("*"))]
    mails = [message_from_bytes(content, policy=default) for content in files]
    mail = [mail for mail in mails if word in mail["Subject"] and f"commande {number}" in mail["Subject"]][-1]
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    text, html = (" ".join(body.get_content().split()) if body else "" for body in bodies)
    return text, html


def purchase_order(stall: Stall) -> PurchaseOrder:
    with stall.instance.store.read() as tx:
        (order,) = purchase_orders_of(tx, "shop")
        return order


def pieces(stall: Stall, order: Order) -> list[int]:
    with stall.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        return [line.quantity for line in order_by_id(tx, order.id, enterprise_id="shop").lines]


@pytest.fixture
def orders(stall: Stall, apples: str, clock: ManualClock) -> tuple[Order, Order]:
    """An early order of three apples and a late one of two; the sale has closed, and the farm was told."""
    early = an_order_of(stall, {apples: 3}, "Corinne Clerc")
    clock.advance(minutes=1)
    late = an_order_of(stall, {apples: 2}, "Denis Diop")
    close_the_sale(stall, clock)
    return early, late


def test_all_there_is_noted_with_a_tap(owner: Browser, stall: Stall, orders: tuple[Order, Order]) -> None:
    page = owner.go(RECEIVE)
    assert "0/1 suppliers received" in page.text
    order = purchase_order(stall)
    with stall.instance.store.write() as tx:
        answer_purchase_order(tx, stall.instance.hooks, order.id, {})
    page = owner.go(RECEIVE)
    assert "0/1 suppliers received · 1 more has answered" in page.text, "nobody has counted what came"
    page = owner.go(f"{RECEIVE}/{order.id}")
    owner.post(f"{owner.at}?then=all", **page.forms[0].fields)
    assert "1/1 suppliers received" in owner.page.text
    assert "all comes" in owner.page.text
    assert purchase_order(stall).state == "confirmed"


def test_a_shortage_shows_whose_order_changes_before_it_does(
    owner: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    order = purchase_order(stall)
    (line,) = order.lines
    page = owner.go(f"{RECEIVE}/{order.id}")
    typed = {**page.forms[0].fields, f"came/{line.id}": "4", f"why/{line.id}": "hail"}
    page = owner.post(owner.at, **typed)
    assert "Nothing has changed yet" in page.text
    assert "1 order changes" in page.text
    assert "2 · Denis Diop" in page.text
    assert "Corinne" not in page.text
    assert [pieces(stall, each) for each in orders] == [[3], [2]]
    page = owner.send("?then=sure", ("back", "1"))
    assert (page.forms[0].fields[f"came/{line.id}"], page.forms[0].fields[f"why/{line.id}"]) == ("4", "hail")
    owner.post(owner.at, **typed)
    owner.send("?then=sure")
    assert "less comes" in owner.page.text
    assert [pieces(stall, each) for each in orders] == [[3], [1]]
    assert (purchase_order(stall).lines[0].confirmed, purchase_order(stall).lines[0].reason) == (4, "hail")


def test_goods_whose_price_changed_during_the_sale_are_counted_together(
    owner: Browser, stall: Stall, apples: str, clock: ManualClock
) -> None:
    early = an_order_of(stall, {apples: 3}, "Corinne Clerc")
    with stall.instance.store.write() as tx:
        tx.execute(update(offer).where(offer.c.item_id == apples).values(price=offer.c.price + 50))
    clock.advance(minutes=1)
    late = an_order_of(stall, {apples: 2}, "Denis Diop")
    close_the_sale(stall, clock)
    order = purchase_order(stall)
    assert sorted(line.quantity for line in order.lines) == [2, 3]
    page = owner.go(f"{RECEIVE}/{order.id}")
    (came,) = (name for name in page.forms[0].fields if name.startswith("came/"))
    assert page.forms[0].fields[came] == "5"
    owner.post(
        owner.at, **{**page.forms[0].fields, came: "3", came.replace("came", "why"): "hail", "shortage": "pro rata"}
    )
    assert "2 orders change" in owner.page.text, "everybody a bit, and not only who paid one of the prices"
    page = owner.send("?then=sure", ("back", "1"))
    assert page.forms[0].fields[came] == "3"
    owner.post(owner.at, **{**page.forms[0].fields, "shortage": "pro rata"})
    owner.send("?then=sure")
    assert [pieces(stall, each) for each in (early, late)] == [[2], [1]]
    assert {(line.coming, line.reason) for line in purchase_order(stall).lines} == {(2, "hail"), (1, "hail")}


def test_what_came_beyond_the_order_is_kept_as_own_stock_and_paid(
    owner: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    order = purchase_order(stall)
    (line,) = order.lines
    pages = (
        f"{RECEIVE}/{order.id}",
        f"{OFFICE}/money/suppliers",
        f"{OFFICE}/money/suppliers/shop-session/farm",
        RECEIVE,
    )
    for kept, to_pay, left in ((2, "€17.50", 93), (0, "€12.50", 95), (1, "€15.00", 94)):
        owner.go(pages[0])
        page = owner.post(owner.at, **{**owner.page.forms[0].fields, f"came/{line.id}": str(5 + kept)})
        assert "Nothing has changed yet" in page.text
        assert "0 order" not in page.text, "nobody's order changes"
        if kept == 2:
            assert "More came than was ordered Pommes 1 piece · ordered: 5 +2" in page.text, page.text
            assert "To pay to the supplier: €5.00 more." in page.text
        owner.send("?then=sure", surplus="keep", from_stock="1")
        for address in pages:
            assert to_pay in owner.go(address).text, (address, owner.page.text)
        assert stock(stall, "Pommes (La ferme)", "shop") == kept
        assert stock(stall, "Pommes", "farm") == left
    assert [pieces(stall, each) for each in orders] == [[3], [2]]
    assert "6 × Pommes €2.50 for 1 piece · of it for the stock of the hub: 1" in owner.go(pages[2]).text, (
        owner.page.text
    )
    assert owner.go(pages[0]).forms[0].fields[f"came/{line.id}"] == "6"
    given = an_order_changed(owner, orders[1], "Pommes (La ferme) · 1 piece")
    assert "The order is changed." in given
    assert stock(stall, "Pommes (La ferme)", "shop") == 0
    owner.go(pages[0])
    owner.post(owner.at, **{**owner.page.forms[0].fields, f"came/{line.id}": "5"})
    assert "Less of Pommes (La ferme) is in your stock than was kept: some are ordered." in owner.page.text
    assert "€15.00" in owner.go(pages[0]).text


def test_what_came_beyond_the_order_goes_back_with_the_supplier(
    owner: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    (line,) = purchase_order(stall).lines
    owner.go(f"{RECEIVE}/{purchase_order(stall).id}")
    owner.post(owner.at, **{**owner.page.forms[0].fields, f"came/{line.id}": "7"})
    owner.send("?then=sure", surplus="leave")
    assert "all comes" in owner.page.text
    assert "€12.50" in owner.page.text
    assert stock(stall, "Pommes", "farm") == 95


def an_order_changed(owner: Browser, order: Order, goods: str) -> str:
    """The page of the order after one piece of other goods was added."""
    owner.go(f"{OFFICE}/orders/{order.id}/change")
    owner.send("", **{"add/1": goods, "pieces/1": "1"})
    assert "Nothing has changed yet" in owner.page.text, owner.page.text
    owner.send(next(form.action for form in owner.page.forms if form.fields.get("sure")))
    return owner.page.text


def stock(stall: Stall, name: str, enterprise_id: str) -> int:
    """What is free of the lot of this name, after all invariants were checked."""
    with stall.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        lots = lots_of(tx, enterprise_id)
        return next(int(lot.free) for lot in lots if lot.name == name)


def test_missing_goods_that_orders_still_hold_are_named_until_the_orders_are_changed(
    owner: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    order = purchase_order(stall)
    (line,) = order.lines
    page = owner.go(f"{RECEIVE}/{order.id}")
    typed = {**page.forms[0].fields, f"came/{line.id}": "4", "shortage": "by hand"}
    owner.post(f"{owner.at}?then=sure", **typed)
    assert "To pay to the supplier €10.00" in owner.go(f"{RECEIVE}/{order.id}").text
    missing = "Missing, and still on customers’ orders"
    pages = (f"{RECEIVE}/{order.id}", f"{OFFICE}/money/suppliers", f"{OFFICE}/money/suppliers/shop-session/farm")
    for address in pages:
        assert f"{missing} Their" in owner.go(address).text, address
        assert f"{OFFICE}/orders/{orders[1].id}" in owner.page.links(), address
    assert "Total €12.50 of which did not come €2.50Left to pay €10.00" in owner.page.text
    assert "Mail it to the supplier" not in owner.page.text, "it is known to be wrong"
    owner.post(f"{pages[-1]}?then=mail", sent="0")
    assert owner.status == 409
    assert "Left to pay €10.00" in owner.go(pages[1]).text
    assert "€10.00 is left to pay to suppliers" in owner.go(f"{OFFICE}/money/close").text
    owner.go(pages[-1])
    assert owner.page.form("").fields["amount"] == "10.00"
    assert "€2.50 of missing goods is still on customers’ orders" in owner.go(f"{OFFICE}/money/close").text
    assert "1 × Pommes did not come, and is still on orders" in owner.go(OFFICE).text
    with stall.instance.store.write() as tx:
        tx.execute(update(customer_order).values(fulfilment_state="Fulfilled"))
        held = order_by_id(tx, orders[1].id, enterprise_id="shop")
    owner.go(f"{OFFICE}/orders/{held.id}/correct")
    owner.send("", **{f"lines/{held.lines[0].id}/amount": "2.50", "reason": "hail", "borne_by": "supplier"})
    owner.send(next(form.action for form in owner.page.forms if form.fields.get("sure")))
    for address in (*pages, f"{OFFICE}/money/close", OFFICE):
        text = owner.go(address).text
        assert not [words for words in (missing, "missing goods", "did not come") if words in text], address
    statement = owner.go(pages[-1]).text
    assert "Left to pay €10.00" in statement
    assert "Pommes, hail VAT 5.5%-€2.50" in statement, "by its name and reason"
    assert "Fees for this supplier" not in statement
    assert "Pommes, hail" in owner.client.get(f"{pages[-1]}/statement.csv").text
    owner.send("?then=mail")
    assert "The statement is on its way." in owner.page.text


def test_a_shortage_after_the_hand_out_says_why_no_order_changes(
    owner: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(customer_order).values(fulfilment_state="Fulfilled"))
    (line,) = purchase_order(stall).lines
    typed = owner.go(f"{RECEIVE}/{purchase_order(stall).id}").forms[0].fields
    page = owner.post(owner.at, **{**typed, f"came/{line.id}": "4"})
    assert "No order changes These goods are handed out already" in page.text
    assert "You have chosen to decide yourself" not in page.text
    page = owner.post(owner.at, **{**typed, f"came/{line.id}": "4", "shortage": "by hand"})
    assert "You have chosen to decide yourself" in page.text


def test_a_shortage_is_not_noted_twice(owner: Browser, stall: Stall, orders: tuple[Order, Order]) -> None:
    order = purchase_order(stall)
    (line,) = order.lines
    typed = {"version": "1", "shortage": "newest first", "lost": "1", f"came/{line.id}": "4"}
    owner.post(f"{RECEIVE}/{order.id}?then=sure", **typed)
    page = owner.post(f"{RECEIVE}/{order.id}?then=sure", **{**typed, f"came/{line.id}": "3"})
    assert owner.status == 422
    assert "changed" in page.text
    assert [pieces(stall, each) for each in orders] == [[3], [1]]


def test_a_customer_reads_what_is_missing_and_why(
    owner: Browser, stall: Stall, apples: str, clock: ManualClock
) -> None:
    order = an_order_of(stall, {apples: 2, stall.eggs: 1})
    emptied = an_order_of(stall, {apples: 1}, "Denis Diop")
    close_the_sale(stall, clock)
    (line,) = purchase_order(stall).lines
    owner.go(f"{RECEIVE}/{purchase_order(stall).id}")
    typed = {**owner.page.forms[0].fields, f"came/{line.id}": "0", f"why/{line.id}": "hail"}
    owner.post(f"{owner.at}?then=sure", **typed)
    assert pieces(stall, order) == [0, 1]
    run_all(stall)
    for number, kind in ((order.number, "Modifiée"), (emptied.number, "Annulée")):
        text, html = mail_about(stall, number, kind)
        for body in (text, html):
            assert "Pommes : La ferme n’en apporte pas (hail)" in body.replace("\N{NO-BREAK SPACE}", " "), body
            assert "0 × " not in body
    text, html = mail_about(stall, order.number, "Modifiée")
    assert "N’est plus dans votre commande : Pommes (" in text.replace("\xa0", " "), text
    with stall.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="shop")
        hand_order_over(tx, locked)
        handed_over = locked_order(tx, order.id, enterprise_id="shop")
        (eggs,) = (each.id for each in handed_over.lines if each.quantity)
        correct_order(tx, stall.instance.hooks, handed_over, {eggs: LineCorrection(amount=100)}, reason="two cracked")
    run_all(stall)
    text, _ = mail_about(stall, order.number, "Modifiée")
    assert ("two cracked" in text, "hail" in text) == (True, False), text


def test_a_wrong_number_stands_at_its_field_and_changes_nothing(
    owner: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    order = purchase_order(stall)
    (line,) = order.lines
    for text, problem in (("four", "whole number of pieces"), ("", "Write how many come")):
        page = owner.post(f"{RECEIVE}/{order.id}", version="1", **{f"came/{line.id}": text})
        assert owner.status == 422
        assert problem in page.text
        assert f"came/{line.id}-problem" in page.ids()
        assert next(iter(page.forms)).fields[f"came/{line.id}"] == text
    assert purchase_order(stall).state == "placed"


def test_a_hub_that_tells_by_hand_sends_the_order_from_here(
    owner: Browser, stall: Stall, apples: str, clock: ManualClock
) -> None:
    with stall.instance.store.write() as tx:
        change_closing_policy(tx, "shop", telling="by hand")
    an_order_of(stall, {apples: 3})
    close_the_sale(stall, clock)
    page = owner.go(RECEIVE)
    assert "nobody has told this supplier" in page.text
    owner.send(f"{RECEIVE}/sales/shop-session", ("supplier", "farm"))
    assert "Order 1 is on its way." in owner.page.text
    assert purchase_order(stall).mail_state == "waiting"


def test_goods_added_after_the_cut_off_name_the_supplier_and_tell_it_at_once(
    owner: Browser, stall: Stall, orders: tuple[Order, Order], clock: ManualClock
) -> None:
    with stall.instance.store.write() as tx:
        a_shop(tx, "dairy", name="La laiterie", is_producer=True, is_hub=False)
        tx.execute(insert(coordination_supplier).values(coordination_id="shop-sale", enterprise_id="dairy"))
        an_item(tx, a_lot(tx, "dairy", name="Tomme", on_hand="100"), "shop", name="Tomme", enterprise_id="dairy")
    clock.advance(hours=2)  # no straggler's order is expected any more
    owner.go(f"{OFFICE}/orders/{orders[1].id}/change")
    (field,) = (name for name in owner.page.form("").fields if name.startswith("items/"))
    owner.send("", **{field: "4", "add/1": "Tomme · 1 piece", "pieces/1": "3"})
    assert "La ferme: 2 → 4 × Pommes 1 piece Its order was final" in owner.page.text, owner.page.text
    assert "It is told at once by e-mail what has changed. Ask whether it can still bring this" in owner.page.text
    assert "La laiterie: 0 → 3 × Tomme" in owner.page.text
    assert purchase_order(stall).revision == 1, "only shown"
    owner.send(next(form.action for form in owner.page.forms if form.fields.get("sure")))
    assert "La ferme: told by e-mail what has changed. Order 1, version 2" in owner.page.text, owner.page.text
    with stall.instance.store.read() as tx:
        bought = {each.supplier: each for each in purchase_orders_of(tx, "shop")}
    assert [(each.coming, each.confirmed) for each in bought["La ferme"].lines] == [(7, None)]
    assert [(each.coming, bought["La laiterie"].revision) for each in bought["La laiterie"].lines] == [(3, 1)]
    for address in (f"{RECEIVE}/{bought['La ferme'].id}", f"{OFFICE}/money/suppliers"):
        assert "€17.50" in owner.go(address).text, address
    run_all(stall)
    text, html = mail_about(stall, 1, "a changé")
    for body in (text, html):
        assert "5 → 7 × Pommes (1 pièce)" in body.replace("\N{NO-BREAK SPACE}", " ").replace("<strong>", "").replace(
            "</strong>", ""
        )


def test_an_order_is_mailed_once_more(owner: Browser, stall: Stall, orders: tuple[Order, Order]) -> None:
    order = purchase_order(stall)
    assert order.mail_state == "sent"
    owner.go(f"{RECEIVE}/{order.id}")
    owner.send("?then=mail")
    assert "mailed once more" in owner.page.text
    assert purchase_order(stall).mail_state == "waiting"


def test_before_the_cut_off_it_says_when_orders_go_out(owner: Browser, stall: Stall, apples: str) -> None:
    page = owner.go(RECEIVE)
    assert "No supplier has an order of this sale yet" in page.text
    assert f"{OFFICE}/orders?sale=shop-session" in page.links()


def test_a_packer_sees_what_comes_without_prices_and_changes_nothing(
    browser: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    browser.log_in(a_member(stall, "packer"))
    order = purchase_order(stall)
    for path in (RECEIVE, f"{RECEIVE}/{order.id}"):
        assert "€" not in browser.go(path).text
    for then in ("all", "sure", "mail", ""):
        browser.post(f"{RECEIVE}/{order.id}?then={then}", version="1")
        assert browser.status == 403
    browser.post(f"{RECEIVE}/sales/shop-session", supplier="farm")
    assert browser.status == 403
    assert purchase_order(stall).state == "placed"


def test_an_answer_is_taken_back_after_the_page_has_said_what_happens(
    owner: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    order = purchase_order(stall)
    page = owner.go(f"{RECEIVE}/{order.id}")
    assert "Open the order again" not in page.text
    owner.post(f"{owner.at}?then=all", **page.forms[0].fields)
    owner.go(f"{RECEIVE}/{order.id}")
    assert "sent to farm@example.org" in owner.page.text
    owner.go(f"{RECEIVE}/{order.id}?ask=reopen")
    assert "Take the answer of La ferme back?" in owner.page.text
    question = owner.page
    owner.go(f"{RECEIVE}/{order.id}?ask=reopen")  # in another tab
    owner.send("?then=reopen")
    assert "The order is open again" in owner.page.text
    assert (purchase_order(stall).state, purchase_order(stall).revision) == ("placed", 2)
    owner.page, owner.at = question, f"{RECEIVE}/{order.id}"
    owner.send("?then=reopen")
    assert owner.status == 422, "the order has changed since the page was shown"
