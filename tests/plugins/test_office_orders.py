"""One order in the office: changed, joined, corrected, cancelled, refunded; each effect is shown before it happens."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import func, select, update

from commensal.base.clock import ManualClock
from commensal.base.languages.catalogs import spaced
from commensal.catalogs.offers import set_prices
from commensal.enterprises.customers import create_customer
from commensal.enterprises.plugins import enable_plugin
from commensal.enterprises.tables import customer
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.emails import mailed_secret
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.proof import prove_order
from commensal.orders.questions import order_by_id
from commensal.orders.tables import customer_order, guest_order
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.parts.sale_calendar.clone import clone_coordination
from commensal.parts.serving.work import work_of
from commensal.payments.begin import start_payment
from commensal.payments.payments import payments_of, receive_payment
from commensal.payments.tables import payment as payment_table
from commensal.people.codes import fingerprint
from commensal.people.people import Person
from commensal.products.tables import supplied_product
from commensal.sale_sessions.questions import sale_by_id
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.tables import job

from .conftest import Browser, Stall, stored_orders
from .test_office import HANDOUT, OFFICE, a_member, an_order, journal, owner

PLUGINS = ("shop", "office", "cash", "bank_transfer", "pickup", "fees")
__all__ = ["owner"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

TAKE = f"{OFFICE}/orders/new?sale=shop-session"
CARROTS, EGGS = "Carottes · 1 kg", "Œufs par 6 · 6 pieces"


def address(order: Order, page: str = "") -> str:
    return f"{OFFICE}/orders/{order.id}{page}"


def sure(browser: Browser, button: tuple[str, str] | None = None, /, **fields: str) -> None:
    """Presses the button of the page that has told what would happen."""
    (form,) = [form for form in browser.page.forms if "sure" in form.fields]
    browser.send(form.action, button, **fields)


def now(stall: Stall, order: Order) -> Order:
    with stall.instance.store.read() as tx:
        assert broken_invariants(tx) == []
        return order_by_id(tx, order.id, enterprise_id="shop")


def lines(order: Order) -> list[tuple[str, int]]:
    return [(line.name, line.quantity) for line in order.lines]


def handed_over(stall: Stall, order: Order, *, paid: int = 0) -> None:
    with stall.instance.store.write() as tx:
        if paid:
            receive_payment(
                tx,
                enterprise_id="shop",
                order_id=order.id,
                method="cash:cash",
                amount=paid,
                person_id=None,
                idempotency_key="till",
            )
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="shop"))


# ------------------------------------------------------------------------------------------------ changing


def test_goods_slot_and_note_are_changed_after_the_new_total_was_shown(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    owner.go(address(order, "/change"))
    owner.send(
        "", **{f"items/{stall.small}": "3", "add/1": EGGS, "pieces/1": "2", "shipping": stall.slots[1], "note": "Late"}
    )
    assert "Nothing has changed yet" in owner.page.text
    assert "€4.80 → €13.40" in owner.page.text, owner.page.text
    assert "corinne@example.org" in owner.page.text
    assert now(stall, order) == order
    sure(owner, ("back", "1"))
    assert owner.page.form("").fields["note"] == "Late"
    owner.send("")
    sure(owner)
    assert "The order is changed." in owner.page.text
    changed = now(stall, order)
    assert (lines(changed), changed.note) == ([("Carottes", 3), ("Œufs par 6", 2)], "Late")
    assert (changed.shipping, changed.total) == (stall.slots[1], 1340)


def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    owner.go(address(order, "/change"))
    owner.send("", **{f"items/{stall.small}": "many", "add/1": "Carrots", "note": "Late"})
    assert owner.status == 422
    assert "Write a whole number of pieces" in owner.page.text
    assert "nothing on sale is called exactly so" in owner.page.text
    form = owner.page.form("")
    assert (form.fields[f"items/{stall.small}"], form.fields["note"]) == ("many", "Late")


def test_of_two_coordinators_the_second_sees_that_the_order_has_changed(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    owner.go(address(order, "/change"))
    owner.send("", note="First")
    first = owner.page
    owner.go(address(order, "/change"))
    owner.send("", note="Second")
    sure(owner)
    owner.page = first
    sure(owner)
    assert owner.status == 422
    assert now(stall, order).note == "Second"


def test_an_order_is_paid_another_way(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        enable_plugin(
            tx, stall.instance.hooks, "shop", "bank_transfer", {"holder": "H", "iban": "FR7630006000011234567890189"}
        )
    order = an_order(stall, small=2)
    owner.go(address(order, "/change"))
    owner.send("?for=method", method="bank_transfer:transfer")
    assert "Bank transfer" in owner.page.text
    owner.send("?for=method")
    assert now(stall, order).payment_method == "bank_transfer:transfer"


def test_something_else_is_given_instead(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    owner.go(address(order))
    assert address(order, f"/substitute?line={order.lines[0].id}") in owner.page.links()
    owner.go(address(order, f"/substitute?line={order.lines[0].id}"))
    owner.send("", item=EGGS, replaced="1")
    assert "2 → 1" in owner.page.text
    sure(owner)
    assert lines(now(stall, order)) == [("Carottes", 1), ("Œufs par 6", 1)]


# ------------------------------------------------------------------------------------------------ two orders


def test_two_orders_of_one_customer_are_put_together(owner: Browser, stall: Stall) -> None:
    first, second = an_order(stall, small=2), an_order(stall, eggs=1)
    owner.go(address(first))
    assert f"has another order in this sale: {second.number}" in owner.page.text
    owner.send("?then=merge", ("other", second.id))
    assert f"Order {second.number} is then empty" in owner.page.text
    assert now(stall, second) == second
    sure(owner)
    assert owner.at == address(first, "?done=merged")
    assert lines(now(stall, first)) == [("Carottes", 2), ("Œufs par 6", 1)]
    assert "put together with order" in owner.go(address(second)).text


def test_an_order_that_nobody_has_proven_joins_only_after_somebody_was_asked(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        record = create_customer(tx, "shop", email="corinne@example.org", name="Corinne").id
        wish = Wish(items={stall.small: 1}, name="Corinne", email="corinne@example.org", shipping=stall.slots[0])
        known = place_order(tx, stall.instance.hooks, "shop-session", wish, by_hub=True, customer_id=record)
    typed = an_order(stall, eggs=1)
    owner.go(address(known))
    owner.send("?then=merge", ("other", typed.id))
    assert "I have asked Corinne" in owner.page.text
    question = owner.page
    sure(owner)
    assert (owner.status, len(now(stall, known).lines)) == (409, 1)
    assert "ask them first" in owner.page.text
    owner.page, owner.at = question, address(known)
    sure(owner, agreed="1")
    assert len(now(stall, known).lines) == 2


def test_who_telephones_adds_to_the_order_that_they_have(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    owner.go(f"{OFFICE}/orders/new?q=corinne")
    (link,) = [link for link in owner.page.links() if "customer=" in link]
    owner.go(link)
    assert f"Corinne Clerc has order {order.number} already." in owner.page.text
    assert address(order, "/change") in owner.page.links()
    owner.send(TAKE, **{"add/1": EGGS, "shipping": stall.slots[0]})
    assert owner.status == 422
    assert "add to it, or say that a second one is meant" in owner.page.text
    owner.send(TAKE, second="1")
    sure(owner)
    assert len(stored_orders(stall)) == 2


def test_an_order_is_taken_for_somebody_new(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(update(supplied_product).where(supplied_product.c.name == "Carottes").values(weighed=True))
    owner.go(f"{OFFICE}/orders/new?new=1")
    fields = {"name": "Marie", "email": "marie@example.org", "shipping": stall.slots[0], "method": "cash:cash"}
    owner.send(TAKE, **fields, **{"add/1": CARROTS, "pieces/1": "3", "add/2": EGGS})
    assert stored_orders(stall) == []
    preview = owner.page.text.partition("Marie")[2]
    shown = ("3 · about €7.20", "1 · €2.15", "Deposits€0.20", "Total about €9.55")
    assert [words for words in shown if words not in preview] == [], preview[:300]
    sure(owner)
    (order,) = stored_orders(stall)
    assert (order["name"], order["identity"], order["total"]) == ("Marie", "hub", 955)


def test_an_order_that_was_cancelled_by_mistake_is_taken_again_as_it_was(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2, eggs=1)
    with stall.instance.store.write() as tx:
        cancel_order(tx, stall.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"))
    (again,) = [link for link in owner.go(address(order)).links() if "again=" in link]
    owner.go(again)
    owner.send(TAKE)
    assert (owner.status, len(stored_orders(stall))) == (200, 1), "nothing yet"
    sure(owner)
    cancelled, taken = stored_orders(stall)
    same = ("name", "email", "phone", "shipping", "payment_method", "total")
    assert [taken[name] for name in same] == [cancelled[name] for name in same]
    assert (cancelled["state"], taken["state"]) == ("Cancelled", "Held")


def test_a_cancellation_is_taken_back_with_prices_payments_and_the_place(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2, eggs=1)
    with stall.instance.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="shop",
            order_id=order.id,
            method="cash:cash",
            amount=500,
            person_id=None,
            idempotency_key="till",
        )
        cancel_order(tx, stall.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"), by_hub=True)
        set_prices(tx, "shop", {stall.small: 999})
    owner.go(address(order))
    owner.send("?then=revive")
    assert "Nothing has changed yet" in owner.page.text
    assert now(stall, order).state == "Cancelled"
    shown = owner.page
    sure(owner)
    assert "The order stands again." in owner.page.text
    revived = now(stall, order)
    kept = ("number", "lines", "adjustments", "total", "shipping", "customer_id", "person_id")
    assert [getattr(revived, name) for name in kept] == [getattr(order, name) for name in kept]
    assert (revived.state, revived.payment_state, revived.paid_total) == ("Held", "Unpaid", 500)
    assert "cancellation taken back" in owner.page.text
    owner.page = shown
    sure(owner)
    assert now(stall, order).version == revived.version, "pressed twice, it is done once"
    with stall.instance.store.write() as tx:
        cancel_order(tx, stall.instance.hooks, locked_order(tx, order.id, enterprise_id="shop"), by_hub=True)
    owner.go(address(order))
    an_order(stall, "Denis Diop", eggs=10)
    owner.send("?then=revive")
    assert (owner.status, now(stall, order).state) == (409, "Cancelled"), "the eggs are somebody else's"


def test_an_order_by_telephone_needs_no_address_and_is_nobodys_who_signs_up(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    owner.go(f"{OFFICE}/orders/new?new=1")
    fields = {"name": "Odette", "email": "", "shipping": stall.slots[0], "method": "cash:cash", "add/1": CARROTS}
    owner.send(TAKE, **fields)
    assert "Give an e-mail address or a telephone number." in owner.page.text
    owner.send(TAKE, phone="06 39 98 00 17")
    assert "Odette has no e-mail address: call 06 39 98 00 17." in owner.page.text
    sure(owner)
    (row,) = stored_orders(stall)
    assert (row["email"], row["identity"], row["customer_id"], row["person_id"]) == ("", "hub", None, None)
    orders = [owner.at.partition("?")[0]]
    an_order_of_odette = {**fields, "phone": "06 39 98 00 18", "add/1": EGGS}
    owner.go(f"{OFFICE}/orders/new?new=1")
    owner.send(TAKE, **an_order_of_odette)
    sure(owner)
    orders.append(owner.at.partition("?")[0])
    for page in orders:
        assert "none: this customer is told by telephone" in owner.go(page).text
        assert "has another order in this sale" not in owner.page.text, "two people without an address are not one"
        assert "Mail Odette once more" not in owner.page.text
    first, second = stored_orders(stall)
    merge = {"other": str(second["id"]), "version": str(first["version"]), "sure": "1", "agreed": "1"}
    owner.post(f"{orders[0]}?then=merge", **merge)
    assert "belong to two customers" in owner.page.text
    assert [order["state"] for order in stored_orders(stall)] == ["Held", "Held"]
    owner.go(f"{orders[0]}/change")
    owner.send("", **{f"items/{stall.small}": "4"})
    sure(owner)
    clock.advance(days=3)
    owner.post(f"{orders[0]}?then=mail", mail="order_final")
    assert "This order has no e-mail address. Call instead." in owner.page.text
    owner.go(f"{HANDOUT}/{first['id']}")
    owner.send("?then=done", ("method", ""))
    assert "Odette handed over" in owner.page.text
    with stall.instance.store.read() as tx:
        assert tx.all(select(job).where(job.c.kind == "mail")) == []
        assert tx.value(select(func.count()).select_from(customer).where(customer.c.email == "")) == 0


def test_who_collects_instead_is_named_wherever_the_order_is_looked_for(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    owner.go(address(order, "/change"))
    owner.send("", collector="Paul Petit, 06 12 34 56 78")
    assert "Paul Petit" in owner.page.text
    sure(owner)
    assert "somebody else collects it" in owner.page.text
    who = "Collected by: Paul Petit, 06 12 34 56 78"
    for words in ("petit", "5678", ""):
        assert who in owner.go(f"{HANDOUT}?q={words}").text
    for page in (f"{HANDOUT}/{order.id}", f"{OFFICE}/pack"):
        assert who in owner.go(page).text
    (listed,) = owner.client.get(f"{HANDOUT}/list.json").json()["orders"]
    assert listed["collector"] == "Paul Petit, 06 12 34 56 78"
    tick(stall.instance, work_of(stall.instance))
    mails = [
        message_from_bytes(file.read_bytes(), policy=default) for file in (stall.instance.folder / "mail").glob("*.eml")
    ]
    texts = [body.get_content() for mail in mails if (body := mail.get_body(("plain",)))]
    assert [text for text in texts if spaced("fr", "par : Paul Petit, 06 12 34 56 78") in text], texts


def test_what_a_customer_changed_and_got_back_stands_in_what_happened(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    order = an_order(stall, small=2, eggs=1)
    clock.advance(minutes=1)
    with stall.instance.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="shop",
            order_id=order.id,
            method="cash:cash",
            amount=715,
            person_id=None,
            idempotency_key="till",
        )
        locked = locked_order(tx, order.id, enterprise_id="shop")
        change_order(tx, stall.instance.hooks, locked, items={stall.small: 1})
    owner.go(address(order, "/refund"))
    owner.send("")
    sure(owner)
    text = owner.go(address(order)).text
    assert "the customer: total €7.15 → €2.40 · Carottes (1 kg) 2 → 1 · Œufs par 6 (6 pieces) 1 → 0" in text
    assert "€4.75 given back" in text


SLIP = 18  # cents, for 1.80


def a_slip(stall: Stall, price: int) -> None:
    with stall.instance.store.write() as tx:
        set_prices(tx, "shop", {stall.small: price})


def test_orders_at_a_price_that_was_a_slip_get_the_right_one_and_nobody_pays_more_unasked(
    owner: Browser, stall: Stall
) -> None:
    a_slip(stall, 1800)
    dear = an_order(stall, "Corinne Clerc", small=2)
    a_slip(stall, SLIP)
    cheap = an_order(stall, "Denis Diop", small=1)
    owner.go(f"{OFFICE}/products")
    was = {f"was/price/{stall.small}": "0.18", "prices_right": f"{stall.small}=240"}
    owner.post(f"{OFFICE}/products", **{f"price/{stall.small}": "2.40", **was})
    assert "2 orders that are still to be handed over hold another price." in owner.page.text
    prices = f"{OFFICE}/orders/prices?item={stall.small}"
    assert "€0.18" in owner.go(f"{OFFICE}/orders/prices").text
    assert prices in owner.page.links()
    assert "2 × €18.00" in owner.go(prices).text
    owner.send(prices)
    assert "1 order gets cheaper" in owner.page.text
    assert f"{dear.number} · Corinne Clerc" in owner.page.text
    assert "€36.00 → €4.80" in owner.page.text
    assert "1 order would get dearer, and stays as it is" in owner.page.text
    assert (now(stall, dear).total, now(stall, cheap).total) == (3600, SLIP)
    sure(owner)
    assert "1 order has the right price now." in owner.page.text
    assert (now(stall, dear).total, now(stall, cheap).total) == (480, SLIP)
    owner.send(prices)
    assert "1 order would get dearer" in owner.page.text
    owner.send(f"{OFFICE}/orders/{cheap.id}/price")
    assert "Carottes €0.18 → €2.40" in owner.page.text
    sure(owner)
    assert "would cost more, €2.40: ask its customer first" in owner.page.text
    assert now(stall, cheap).total == SLIP, "who was not asked pays no more"
    owner.send(prices)
    owner.send(f"{OFFICE}/orders/{cheap.id}/price")
    sure(owner, agreed="1")
    assert now(stall, cheap).total == 240
    assert "price of Carottes €0.18 → €2.40, as the customer agreed" in owner.go(address(cheap)).text
    assert "has the prices of today" in owner.go(f"{OFFICE}/orders/prices").text


# ------------------------------------------------------------------------------------------------ afterwards


def test_an_order_is_cancelled_after_its_goods_and_money_were_shown(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    with stall.instance.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="shop",
            order_id=order.id,
            method="cash:cash",
            amount=480,
            person_id=None,
            idempotency_key="till",
        )
    owner.go(address(order, "/cancel"))
    assert "2 × Carottes" in owner.page.text
    assert "€4.80 were paid and are then owed back" in owner.page.text
    owner.send("", goods="lost")
    cancelled = now(stall, order)
    assert (cancelled.state, cancelled.restocked) == ("Cancelled", False)
    for page in (address(order, ""), f"{OFFICE}/orders"):
        assert "s" in [tag for tag, _ in owner.go(page).elements], "nobody owes this sum"


def test_an_order_is_corrected_after_the_hand_over_and_the_money_given_back_once(owner: Browser, stall: Stall) -> None:
    fee = {"calculator": "FlatPercentItemTotal", "name": "Running costs", "percent": "5", "type": "admin"}
    with stall.instance.store.write() as tx:
        enable_plugin(tx, stall.instance.hooks, "shop", "fees", {"fees": [fee]})
    order = an_order(stall, small=2)
    handed_over(stall, order, paid=504)
    owner.go(address(order, "/correct"))
    line = order.lines[0].id
    owner.send("", **{f"lines/{line}/amount": "2.40", "reason": "rotten"})
    assert "You bear it" in owner.page.text
    assert "Running costs-€0.12" in owner.page.text, "what is shown adds up to what is given back"
    assert "€5.04 → €2.52" in owner.page.text
    sure(owner)
    assert "Carottes, rotten" in owner.page.text
    owner.go(address(order, "/refund"))
    owner.send("", reference="from the till")
    assert "2.52 EUR → Corinne Clerc: Cash" in owner.page.text
    assert journal(stall) == [504]
    question = owner.page
    sure(owner)
    owner.page, owner.at = question, address(order, "/refund")
    sure(owner)
    assert journal(stall) == [504, -252]


def test_what_was_recorded_by_mistake_is_taken_back_by_an_opposite_entry(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    owner.go(f"{OFFICE}/money/{order.id}")
    owner.send("", amount="4.80", reference="of another customer")
    owner.go(address(order, "/refund"))
    owner.send("", amount="1", reference="typed twice", anyway="1")
    sure(owner)
    for told in ("Then this order is paid.", "Then €4.80 is to be paid for this order."):
        entry = next(link for link in reversed(owner.go(address(order)).links()) if "/money/" in link)
        assert told in owner.go(entry).text
        question = owner.page
        owner.send("")
        assert "taken back by an opposite one" in owner.page.text
        owner.page, owner.at = question, entry
        owner.send("")  # a double click
        assert "it is taken back already" in owner.go(entry).text
    assert journal(stall) == [480, -100, 100, -480]
    assert not [link for link in owner.go(address(order)).links() if f"{order.id}/money/" in link]


def test_more_than_is_owed_goes_back_only_on_purpose(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    handed_over(stall, order, paid=480)
    owner.go(address(order, "/refund"))
    for amount, refused in (("-1", 422), ("1", 409)):
        owner.send("", amount=amount)
        assert (owner.status, "Yes, give it back" in owner.page.text) == (refused, False), "before it is asked"
    owner.send("", amount="4.81", anyway="1")
    assert "More cannot be given back than was received for this order." in owner.page.text
    assert journal(stall) == [480]
    owner.send("", amount="1", anyway="1")
    sure(owner)
    assert journal(stall) == [480, -100]


def test_a_way_that_is_gone_meanwhile_is_named_as_the_reason(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    handed_over(stall, order, paid=480)
    owner.go(address(order, "/refund"))
    owner.post(address(order, "/refund"), amount="1", way="provider:gone")
    assert (owner.status, "Choose another one" in owner.page.text) == (422, True)
    owner.send("", ("way", "hand:cash:cash"), amount="1", anyway="1")
    sure(owner)
    assert journal(stall) == [480, -100]


def test_mails_and_changes_are_told_in_words(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    order = an_order(stall, small=2)
    clock.advance(minutes=1)
    owner.go(address(order, "/change"))
    owner.send("", **{f"items/{stall.small}": "3"})
    sure(owner)
    owner.send("?then=mail", mail="order_final")
    tick(stall.instance, work_of(stall.instance))
    text = owner.go(address(order)).text
    assert "Olivia: total €4.80 → €7.20 · Carottes (1 kg) 2 → 3" in text
    for mail in ("confirmation", "changed order", "final order"):
        assert f"E-mail “{mail}” sent to corinne@example.org" in text


def test_an_order_is_found_by_the_reference_of_its_transfer(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    start_payment(stall.instance, order.id, "cash:cash", "key", "en")
    with stall.instance.store.write() as tx:
        (payment,) = payments_of(tx, "shop", order.id)
        tx.execute(payment_table.update().where(payment_table.c.id == payment.id).values(reference="RF18 5390"))
    an_order(stall, "Bob")
    owner.go(f"{OFFICE}/orders?q=rf185390")
    assert [link for link in owner.page.links() if f"{OFFICE}/orders/" in link] == [
        f"{OFFICE}/orders/new?sale=shop-session",
        f"{OFFICE}/orders/move?sale=shop-session",
        address(order),
    ]


def test_an_order_under_another_name_shows_whose_account_it_is(owner: Browser, stall: Stall, ada: Person) -> None:
    wish = Wish(items={stall.small: 1}, name="Chloé", email="chloe@example.org", shipping=stall.slots[0])
    with stall.instance.store.write() as tx:
        order = place_order(tx, stall.instance.hooks, "shop-session", wish, person_id=ada.id)
    owner.go(address(order))
    assert f"Account{ada.name}, {ada.email}" in owner.page.text
    assert "chloe@example.org" not in owner.page.text


def test_a_packer_sees_an_order_and_changes_nothing(browser: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    browser.log_in(a_member(stall, "packer"))
    assert "Change the order" not in browser.go(address(order)).text
    for page in ("/change", "/cancel", "/correct", "/refund", "/substitute"):
        browser.go(address(order, page))
        assert browser.status == 403, page
        browser.post(address(order, page), version="1", goods="back", sure="1")
        assert browser.status == 403, page
    browser.post(address(order, "?then=merge"), other=order.id)
    assert browser.status == 403
    assert now(stall, order) == order
    handed_over(stall, order, paid=order.total)
    shown = browser.go(f"{OFFICE}/orders?show=unpaid")
    assert "Corinne Clerc" in shown.text, "who sees no money cannot tell paid orders from others by a filter"
    assert "Not paid" not in shown.text


def test_an_order_that_its_guest_has_not_confirmed_is_no_order_yet(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    sure, unsure = an_order(stall), an_order(stall, "Denis Diop")
    by = clock.now() + timedelta(hours=1)
    with stall.instance.store.write() as tx:
        tx.execute(update(guest_order).values(confirm_by=None))
        tx.execute(update(guest_order).where(guest_order.c.order_id == unsure.id).values(confirm_by=by))
    assert f"{unsure.number} Denis Diop" in owner.go(f"{OFFICE}/orders").text
    assert "not confirmed yet" in owner.page.text
    assert "neither packed nor counted" in owner.go(f"{OFFICE}/orders/{unsure.id}").text
    assert "neither packed nor counted" not in owner.go(f"{OFFICE}/orders/{sure.id}").text
    assert "Orders1" in owner.go(OFFICE).text
    assert "· 1 more, not confirmed yet" in owner.page.text
    assert "Denis Diop" not in owner.go(f"{OFFICE}/pack").text
    assert "Denis Diop" not in owner.go(HANDOUT).text
    assert [each["id"] for each in owner.client.get(f"{HANDOUT}/list.json").json()["orders"]] == [sure.id]
    assert f"{unsure.number}Denis DiopVente de juin · not confirmed yet" in owner.go(f"{HANDOUT}?q=diop").text
    (other,) = owner.client.get(f"{HANDOUT}/search.json?q=diop").json()["others"]
    assert other["text"] == "Vente de juin · not confirmed yet"
    assert "1 order" in owner.go(f"{OFFICE}/money").text
    with stall.instance.store.write() as tx:
        of_browser = update(customer_order).where(customer_order.c.id == unsure.id)
        tx.execute(of_browser.values(secret_hash=fingerprint("of the browser")))
        prove_order(tx, fingerprint(str(mailed_secret(tx, unsure.id))))
    assert "the customer: confirmed the address by a link in an e-mail" in owner.go(f"{OFFICE}/orders/{unsure.id}").text
    assert "confirmed the address" not in owner.go(f"{OFFICE}/orders/{sure.id}").text
    assert "Denis Diop" in owner.go(f"{OFFICE}/pack").text
    assert "2 orders" in owner.go(f"{OFFICE}/money").text


def test_sales_of_one_name_on_days_that_read_the_same_are_told_apart(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        session = sale_by_id(tx, "shop-session").session
        clone_coordination(
            tx,
            stall.instance.hooks,
            "shop-sale",
            "shop",
            session.opens_at + timedelta(hours=1),
            begins_at=session.begins_at + timedelta(hours=1),
        )
    for page in (f"{OFFICE}/orders", f"{OFFICE}/pack"):
        text = owner.go(page).text
        assert "Vente de juin · Sat 6 · closing Fri 5 Jun, 12:00" in text, text
        assert "closing Fri 5 Jun, 13:00" in text


def test_who_may_not_read_addresses_does_not_learn_by_a_search_whose_they_are(
    browser: Browser, owner: Browser, stall: Stall
) -> None:
    order = an_order(stall)
    packer = browser.another()
    packer.log_in(a_member(stall, "packer", "pia@example.org"))
    name, seen = order.name, f"/{order.id}"
    for words in ("corinne@example.org", "@example.org"):
        for page in (f"{OFFICE}/orders?q={words}", f"{HANDOUT}?q={words}", f"{HANDOUT}/search.json?q={words}"):
            assert seen not in packer.client.get(page).text, page
            assert order.id not in packer.client.get(page).text, page
        assert seen in owner.client.get(f"{OFFICE}/orders?q={words}").text, "an owner finds it"
    assert seen in packer.client.get(f"{OFFICE}/orders?q={name}").text, "a packer finds it by its name"
