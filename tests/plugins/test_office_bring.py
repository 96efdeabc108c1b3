"""What a producer brings: answered in two taps, taken off for a week, paid; and no customer is named."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import delete, insert, update

from commensal.base.clock import ManualClock
from commensal.base.errors import Refused
from commensal.enterprises.grants import grant
from commensal.enterprises.tables import enterprise_member
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.parts.copies.lending import lend_stock
from commensal.parts.sale_calendar.absences import absences_of, absent_suppliers
from commensal.parts.supply.answers import answer_purchase_order
from commensal.parts.supply.supplier_accounts import pay_supplier
from commensal.people.people import add_person, new_person
from commensal.products.tables import supplied_product
from commensal.sale_sessions.tables import sale_session
from commensal.sale_sessions.visible_offers import offers_for
from commensal.stock.lots import lots_of
from commensal.stock.tables import stock_lot

from .conftest import PASSWORD, Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, an_order_of, owner
from .test_office_receive import apples, close_the_sale, mail_about, orders, pieces, purchase_order, run_all

__all__ = ["PLUGINS", "apples", "orders", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

BRING = "/office/farm/bring"


@pytest.fixture
def farmer(browser: Browser, stall: Stall, apples: str) -> Browser:
    """The farm's owner, who has nothing to do with the hub."""
    with stall.instance.store.write() as tx:
        member = add_person(
            tx, new_person(email="farm@example.org", name="Fanny", password=PASSWORD, language="en"), confirmed=True
        )
        assert member is not None
        row = {"enterprise_id": "farm", "person_id": member.id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
    browser.log_in("farm@example.org")
    return browser


def test_everything_comes_with_one_tap(farmer: Browser, stall: Stall, orders: object) -> None:
    page = farmer.go(BRING)
    assert "Halle Saint-Jean waits for your answer" in page.text
    farmer.send("?then=all")
    assert "You bring everything" in farmer.page.text
    assert purchase_order(stall).state == "confirmed"
    for name in ("Corinne", "Denis", "example.org"):
        assert name not in page.text


def test_what_is_delivered_is_not_to_be_brought_any_more(
    farmer: Browser, stall: Stall, orders: tuple[Order, Order]
) -> None:
    assert "5 × Pommes" in farmer.go(BRING).text.partition("Halle Saint-Jean")[0]
    with stall.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, orders[0].id, enterprise_id="shop"))
    assert "2 × Pommes" in farmer.go(BRING).text.partition("Halle Saint-Jean")[0]
    with stall.instance.store.write() as tx:
        answer_purchase_order(tx, stall.instance.hooks, purchase_order(stall).id, {}, received=True)
    assert "All of it is delivered." in farmer.go(BRING).text
    assert "Halle Saint-Jean delivered" in farmer.page.text


def test_the_producer_reads_where_customers_collect_and_answers_by_one_link(
    farmer: Browser, stall: Stall, orders: object
) -> None:
    mails = [
        message_from_bytes(file.read_bytes(), policy=default) for file in (stall.instance.folder / "mail").glob("*")
    ]
    (mail,) = (mail for mail in mails if "farm@" in mail["To"] and "Commande 1" in mail["Subject"])
    text, html = (part.get_content() for kind in ("plain", "html") if (part := mail.get_body((kind,))))
    for body in (text, html, farmer.go(BRING).text):
        assert "Salle des fêtes" in body
        assert "Gare" in body
    link = f"{BRING}/{purchase_order(stall).id}"
    assert link in text
    assert link in html
    printed = farmer.client.get(f"/api/enterprises/farm/supplier-orders/{purchase_order(stall).id}/file?format=html")
    assert "Salle des fêtes" in printed.text


def test_a_producer_who_begins_is_led_to_their_products_and_to_no_hand_out(farmer: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(delete(sale_session).where(sale_session.c.enterprise_id == "farm"))
        tx.execute(update(stock_lot).where(stock_lot.c.enterprise_id == "farm").values(enterprise_id="shop"))
    assert "you have no products here yet" in farmer.go(BRING).text
    assert "/office/farm/products/import" in farmer.page.links()
    links = farmer.page.links()
    assert {f"/office/farm/{page}" for page in ("products", "bring", "hubs")} <= set(links)
    assert not {f"/office/farm/{page}" for page in ("handout", "pack", "receive", "orders", "customers")} & set(links)


def test_less_comes_with_a_reason_after_it_was_shown(
    farmer: Browser, stall: Stall, orders: tuple[object, object]
) -> None:
    order = purchase_order(stall)
    farmer.go(f"{BRING}/{order.id}")
    line = order.lines[0].id
    farmer.send("", **{f"came/{line}": "", f"why/{line}": "hail"})
    assert (farmer.status, "Write how many come; 0 if none does." in farmer.page.text) == (422, True)
    farmer.send("", **{f"came/{line}": "4"})
    assert "5 → 4" in farmer.page.text
    farmer.send("", ("back", "1"))
    assert farmer.page.form("").fields[f"came/{line}"] == "4"
    assert farmer.page.form("").fields[f"why/{line}"] == "hail"
    farmer.send("")
    assert purchase_order(stall).state == "placed"
    farmer.send("")
    assert "The hub knows what is missing." in farmer.page.text
    shortened = purchase_order(stall)
    assert (shortened.state, shortened.lines[0].confirmed, shortened.lines[0].reason) == ("shortened", 4, "hail")
    assert [pieces(stall, each) for each in orders] == [[3], [1]]  # type: ignore[arg-type]
    run_all(stall)
    for body in mail_about(stall, order.number, "autre quantité"):
        assert "La ferme a répondu à votre commande 1" in body
        assert "Pommes : 4 sur 5 (hail)" in body
        assert f"/receive/{order.id}" in body


def test_the_hub_hears_that_nothing_comes(
    farmer: Browser, stall: Stall, orders: tuple[Order, Order], clock: ManualClock
) -> None:
    order = purchase_order(stall)
    farmer.go(f"{BRING}/{order.id}")
    farmer.send("", **{f"came/{order.lines[0].id}": "0"})
    farmer.send("")
    assert "The hub knows what is missing." in farmer.page.text
    run_all(stall)
    for body in mail_about(stall, order.number, "n’apporte rien"):
        assert "Pommes : 0 sur 5" in body
        assert "Commandes de clients réduites pour cela : 2." in body
    for each in orders:
        for body in mail_about(stall, each.number, "Annulée"):
            assert "Pommes : La ferme n’en apporte pas." in body
    farmer.post("/logout")
    hub = farmer
    hub.log_in(a_member(stall, "manager"))
    assert "nothing comes" in hub.go(f"{OFFICE}/receive").text
    week = hub.go(f"{OFFICE}?sale=shop-session").text
    assert "La ferme brings less than was ordered (urgent)Pommes 5 → 0 See the answer" in week
    clock.advance(hours=29)
    assert "La ferme brings less" not in hub.go(f"{OFFICE}?sale=shop-session").text, "the hand-out has begun"


def mails_about(stall: Stall, subject: str) -> list[str]:
    """The texts of all e-mails with this subject."""
    run_all(stall)
    files = sorted((stall.instance.folder / "mail").glob("*"))
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
    found = [mail.get_body(("plain",)) for mail in mails if mail["Subject"] == subject]
    return [part.get_content() for part in found if part]


def test_a_producer_who_is_away_is_on_sale_nowhere_in_these_days(farmer: Browser, stall: Stall, apples: str) -> None:
    an_order_of(stall, {apples: 3})
    away = "/office/farm/away"
    farmer.go(away)
    farmer.send("/away", first_day="2026-06-06", last_day="2026-06-14")
    assert "3 pieces are ordered at hubs that show no details" in farmer.page.text, farmer.page.text
    assert "Nothing is ordered" not in farmer.page.text
    with stall.instance.store.write() as tx:
        grant(tx, "shop", "farm", "ReadOrders")
    farmer.go(away)
    farmer.send("/away", first_day="2026-06-07", last_day="2026-06-06")
    assert (farmer.status, "The last day lies before the first." in farmer.page.text) == (422, True)
    farmer.send("/away", first_day="2026-06-06", last_day="2026-06-14")
    assert "Away from Saturday, 6 June 2026 to Sunday, 14 June 2026?" in farmer.page.text, farmer.page.text
    assert "· 3 × Pommes" in farmer.page.text, farmer.page.text
    an_order_of(stall, {apples: 1})  # only shown
    farmer.send("/away")
    assert "Your goods are off the sales of these days." in farmer.page.text
    with pytest.raises(Refused, match=r"Pommes|on sale"):
        an_order_of(stall, {apples: 1}, slot=1)
    (mail,) = mails_about(stall, "Absence : La ferme")
    assert "déjà commandé\u00a0: 4" in mail
    with stall.instance.store.read() as tx:
        assert [each.supplier for each in absent_suppliers(tx, "shop-session")] == ["La ferme"]
        assert apples not in [offer.item_id for offer in offers_for(tx, "shop-session", [])]
    farmer.go(away)
    with stall.instance.store.read() as tx:
        (absence,) = absences_of(tx, "farm")
    farmer.send("?then=end", ("absence", absence.id))
    assert "Your goods are on sale again." in farmer.page.text
    farmer.send("/away", first_day="2026-06-07", last_day="2026-06-14")
    farmer.send("/away")
    assert an_order_of(stall, {apples: 1}, slot=1).state != "Draft", "another day than that of the hand-out"


def test_an_answer_to_an_order_that_has_changed_is_refused(farmer: Browser, stall: Stall, orders: object) -> None:
    farmer.go(BRING)
    shown = farmer.page
    farmer.go(BRING)  # in another tab
    farmer.send("?then=all")
    farmer.page = shown
    farmer.send("?then=all")
    assert farmer.status == 422


def test_a_product_is_taken_off_for_the_week_and_what_is_ordered_stays(
    farmer: Browser, stall: Stall, apples: str
) -> None:
    an_order_of(stall, {apples: 3})
    with stall.instance.store.write() as tx:
        grant(tx, "shop", "farm", "ReadOrders")
        assert lend_stock(tx, lots_of(tx, "farm")[0].id, 5)
    assert "8 pieces" in farmer.go("/office/farm/products").text.replace("\xa0", " "), (
        "set aside, as in the question below"
    )
    page = farmer.go(BRING)
    assert "Your stock may have more set aside" in page.text
    (link,) = [link for link in page.links() if "off=" in link]
    farmer.go(link)
    assert "92 pieces could still be ordered" in farmer.page.text.replace("\xa0", " ")
    assert "What is set aside stays: 8" in farmer.page.text
    farmer.send("?then=off")
    assert "Nobody can order more of it." in farmer.page.text
    with stall.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        (lot,) = lots_of(tx, "farm")
    assert (int(lot.free), int(lot.reserved)) == (0, 3)


def test_nobody_takes_off_what_is_anothers(farmer: Browser, stall: Stall, apples: str) -> None:
    with stall.instance.store.read() as tx:
        product = next(row["id"] for row in tx.all(supplied_product.select()) if row["enterprise_id"] == "shop")
    farmer.go(f"{BRING}?off={product}")
    assert farmer.status == 404
    farmer.post(f"{BRING}?then=off", product=product)
    assert farmer.status == 404


def test_a_producer_reads_what_deliveries_came_to_and_what_was_paid(
    farmer: Browser, stall: Stall, orders: object, clock: ManualClock
) -> None:
    assert "not paid yet" not in farmer.go(BRING).text, "nothing is delivered yet"
    clock.advance(days=3)
    assert "delivered for €12.50 not paid yet" in farmer.go(BRING).text
    with stall.instance.store.write() as tx:
        pay_supplier(
            tx, "shop", "shop-session", "farm", amount=450, left=1250, reference="transfer", person_id="treasurer"
        )
    assert "delivered for €12.50 €4.50 of €12.50, €8.00 open €4.50" in farmer.go(BRING).text
    statement = farmer.go("/office/farm/bring/paid/shop-session").text
    for words in ("5 × Pommes", "Total €12.50", "Payment", "transfer", "€4.50", "Left to pay €8.00"):
        assert words in statement
    for name in ("Corinne", "Denis", "example.org"):
        assert name not in statement
    assert "Pommes,5,5,Piece,1,2.50,5.5,12.50" in farmer.client.get(f"{farmer.at}/statement.csv").text
    farmer.go("/office/farm/bring/paid/elsewhere")
    assert farmer.status == 404
    with stall.instance.store.write() as tx:
        pay_supplier(tx, "shop", "shop-session", "farm", amount=800, left=800, reference="", person_id="treasurer")
    assert "delivered for €12.50 paid €12.50" in farmer.go(BRING).text


def test_a_producer_reads_what_was_paid_before_the_distribution_or_without_an_order(
    farmer: Browser, stall: Stall, apples: str, clock: ManualClock
) -> None:
    an_order_of(stall, {apples: 5})
    with stall.instance.store.write() as tx:
        pay_supplier(tx, "shop", "shop-session", "farm", amount=500, left=1250, reference="", person_id="treasurer")
    assert "What I was paid" in farmer.go(BRING).text
    assert "paid €5.00" in farmer.page.text
    close_the_sale(stall, clock)
    assert "delivered for €12.50 €5.00 of €12.50, €7.50 open €5.00" in farmer.go(BRING).text


def test_a_producer_reads_what_a_hub_owes_that_has_sent_no_order(
    farmer: Browser, stall: Stall, apples: str, clock: ManualClock
) -> None:
    clock.advance(days=3)
    assert "What I was paid" not in farmer.go(BRING).text, "nobody has ordered anything"
    clock.advance(days=-3)
    an_order_of(stall, {apples: 2})
    clock.advance(days=3)
    assert "delivered for €5.00 not paid yet" in farmer.go(BRING).text
    assert "Left to pay €5.00" in farmer.go(f"{BRING}/paid/shop-session").text


def test_the_last_list_is_kept_by_a_worker_of_this_page_alone(farmer: Browser, stall: Stall) -> None:
    answer = farmer.client.get(f"{BRING}/worker.js")
    assert (answer.status_code, answer.headers["Service-Worker-Allowed"]) == (200, BRING)
    assert farmer.client.get("/office/shop/bring/worker.js").status_code == 404
