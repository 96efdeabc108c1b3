"""The office: money that has not come, money that came twice, lists to print, and what a producer brings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from commensal.api import handler
from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_member
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.payments.payments import start
from commensal.payments.problems import keep_unknown_payment
from commensal.people.people import add_person, new_person
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.database import Transaction
from commensal_office.money.conflicts import open_conflicts

from .conftest import PASSWORD, Browser, Stall
from .test_office import HANDOUT, OFFICE, PLUGINS, a_member, an_order, journal, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

HOW = ("method", "cash:cash")  # of the list of ways to pay


@pytest.fixture
def over(stall: Stall, clock: ManualClock) -> Order:
    """An order of 4.80 whose hand-out is over, not paid."""
    order = an_order(stall)
    clock.advance(days=4)
    return order


def hand_out(browser: Browser, order: Order, key: str, **event: Any) -> Any:
    """Sends what a telephone noted."""
    return browser.client.post(
        f"/api/-/office/enterprises/shop/orders/{order.id}/hand-out",
        json={"method": "cash:cash", "amount": 480, "at": datetime(2026, 6, 4, 12).astimezone().isoformat(), **event},
        headers={"Idempotency-Key": key},
    )


# ------------------------------------------------------------------------------------------------ not paid


def test_a_message_of_a_provider_leaves_the_list_when_somebody_says_so(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        keep_unknown_payment(tx, "shop", "stripe", "pi_7", amount=480, currency="EUR", reference="pi_7")
    assert "1 payment needs a decision" in owner.go(OFFICE).text
    assert "A payment without an order €4.80 · pi_7" in owner.go(f"{OFFICE}/money").text
    (problem,) = [
        each["value"] for tag, each in owner.page.elements if tag == "button" and each.get("name") == "problem"
    ]
    owner.send("", ("problem", problem))
    assert "Nothing is recorded or given back by this" in owner.page.text
    owner.send(f"{OFFICE}/money", problem=problem, sure="1")
    assert "pi_7" not in owner.go(f"{OFFICE}/money").text


def test_unpaid_orders_stand_by_age_with_their_sum(browser: Browser, stall: Stall, over: Order) -> None:
    browser.log_in(a_member(stall, "accountant"))
    page = browser.go(f"{OFFICE}/money")
    assert "1 order €4.80" in page.text
    assert f"{OFFICE}/orders/{over.id}" in page.links()


def test_money_and_the_closing_page_name_the_same_unpaid_amounts(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    page = owner.go(f"{OFFICE}/money")
    assert "To pay at hand-outs that are not over" in page.text
    assert "1 order €4.80" in page.text
    assert "€4.80 is not paid" in owner.go(f"{OFFICE}/money/close").text
    with stall.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id="shop"))
    page = owner.go(f"{OFFICE}/money")
    assert "To pay at hand-outs that are not over" not in page.text
    assert f"{OFFICE}/money/{order.id}" in page.links()
    assert "Everything that was handed out is paid" not in page.text


def test_an_amount_stands_in_its_field_as_the_reader_writes_it(browser: Browser, stall: Stall, over: Order) -> None:
    browser.log_in(a_member(stall, "owner"))
    browser.go(OFFICE)
    browser.send("/language", ("language", "fr"))
    assert browser.go(f"{OFFICE}/money/{over.id}").form("").fields["amount"] == "4,80"


def test_a_payment_is_recorded_with_its_reference(browser: Browser, stall: Stall, over: Order) -> None:
    browser.log_in(a_member(stall, "owner"))
    page = browser.go(f"{OFFICE}/money/{over.id}")
    assert page.form("").fields["amount"] == "4.80"
    page = browser.send("", HOW, reference="Statement 12")
    assert browser.at == f"{OFFICE}/orders/{over.id}"
    assert "Statement 12" in page.text
    assert journal(stall) == [480]
    assert "Everything that was handed out is paid" in browser.go(f"{OFFICE}/money").text


def test_the_same_payment_sent_twice_is_recorded_once(browser: Browser, stall: Stall, over: Order) -> None:
    browser.log_in(a_member(stall, "owner"))
    page = browser.go(f"{OFFICE}/money/{over.id}")
    for _ in range(2):
        browser.page, browser.at = page, f"{OFFICE}/money/{over.id}"
        browser.send("", HOW)
    assert journal(stall) == [480]


def a_later_sale(tx: Transaction) -> None:
    """Another sale of the shop, a week later."""
    for table, changes in (
        (coordination, {"id": "later-sale"}),
        (sale_session, {"id": "later", "coordination_id": "later-sale"}),
    ):
        row: dict[str, Any] = dict(tx.one(select(table).where(table.c.id.in_(("shop-sale", "shop-session")))))
        times = {name: moment + timedelta(days=7) for name, moment in row.items() if name.endswith("s_at") and moment}
        tx.execute(insert(table).values({**row, **times, **changes}))


@pytest.mark.parametrize(
    ("amount", "words"), [("4,8O", "is not a number"), ("4.801", "more than 2 decimals"), ("5", "Only €4.80 is due")]
)
def test_a_mistake_in_an_amount_is_said_and_the_text_is_kept(
    browser: Browser, stall: Stall, over: Order, amount: str, words: str
) -> None:
    browser.log_in(a_member(stall, "owner"))
    browser.go(f"{OFFICE}/money/{over.id}")
    page = browser.send("", HOW, amount=amount)
    assert words in page.text
    assert page.form("").fields["amount"] == amount
    assert journal(stall) == []


def test_more_than_is_due_is_recorded_if_it_is_meant_so(browser: Browser, stall: Stall, over: Order) -> None:
    browser.log_in(a_member(stall, "owner"))
    browser.go(f"{OFFICE}/money/{over.id}")
    browser.send("", HOW, amount="5")
    browser.at = f"{OFFICE}/money/{over.id}"
    browser.send("", HOW, anyway="1")
    assert journal(stall) == [500]


def test_an_accountant_sees_money_and_records_none(browser: Browser, stall: Stall, over: Order) -> None:
    browser.log_in(a_member(stall, "accountant"))
    browser.go(f"{OFFICE}/money/{over.id}")
    assert browser.status == 403
    browser.post(f"{OFFICE}/money/{over.id}", amount="4.80", method="cash:cash", key="k")
    assert browser.status == 403
    assert journal(stall) == []


# ------------------------------------------------------------------------------------------------ telephones


def test_the_event_of_a_telephone_counts_once_however_often_it_is_sent(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    answers = [hand_out(owner, order, "the-first-telephone") for _ in range(3)]
    assert [answer.json()["outcome"] for answer in answers] == ["done"] * 3
    assert journal(stall) == [480]


@pytest.mark.parametrize(
    ("decision", "amounts", "told"),
    [
        ("given_back", [480], "gave back €4.80 that was taken and not recorded"),
        ("recorded", [480, 480], "recorded €4.80 that was taken at the hand-out"),
    ],
)
def test_the_second_telephone_gets_a_conflict_which_the_treasurer_decides(
    owner: Browser, stall: Stall, decision: str, amounts: list[int], told: str
) -> None:
    order = an_order(stall)
    hand_out(owner, order, "the-first-telephone")
    answer = hand_out(owner, order, "the-second-telephone").json()
    assert answer["outcome"] == "conflict"
    assert "Olivia took €4.80 and handed it over at" in answer["text"]
    assert journal(stall) == [480]
    assert "1 order was paid twice" in owner.go(OFFICE).text
    with stall.instance.store.write() as tx:
        a_later_sale(tx)
    assert "1 order was paid twice" not in owner.go(f"{OFFICE}?sale=later").text, "it is not of this sale"
    assert "€4.80 was taken at the hand-out and is not recorded" in owner.go(f"{OFFICE}/orders/{order.id}").text
    assert "Olivia" in owner.go(f"{OFFICE}/money").text
    with stall.instance.store.read() as tx:
        (conflict,) = open_conflicts(tx, "shop")
    asked = owner.post(f"{OFFICE}/money", conflict=conflict.id, decision=decision)
    assert "Nothing has changed yet" in asked.text
    assert "€4.80 to give back" in asked.text or decision == "given_back"
    owner.post(f"{OFFICE}/money", conflict=conflict.id, decision="neither", sure="1")
    assert "Taken at the hand-out, not recorded" in owner.page.text
    owner.post(f"{OFFICE}/money", conflict=conflict.id, decision=decision, sure="1")
    assert owner.at == f"{OFFICE}/orders/{order.id}?done=decided"
    assert f"Olivia: {told}" in owner.page.text
    assert "€4.80 was taken at the hand-out and is not recorded" not in owner.page.text
    assert journal(stall) == amounts
    assert "Taken at the hand-out, not recorded" not in owner.go(f"{OFFICE}/money").text
    owner.post(f"{OFFICE}/money", conflict=conflict.id, decision="recorded", sure="1")
    assert "This was settled before." in owner.page.text
    assert journal(stall) == amounts


def test_a_payment_that_never_came_does_not_look_like_money_that_was_taken_back(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    method = "bank_transfer:transfer"
    with stall.instance.store.write() as tx:
        start(tx, enterprise_id="shop", order_id=order.id, method=method, amount=480, idempotency_key="planned")
    hand_out(owner, order, "one")
    owner.go(f"{HANDOUT}/{order.id}")
    owner.send("?then=undo")
    page = owner.go(f"{OFFICE}/orders/{order.id}").text
    assert page.count("taken back") == 1
    assert "Payment that was planned" in page
    assert "did not come €4.80" in page


def test_who_sees_no_money_hears_of_none_from_another_telephone(browser: Browser, stall: Stall) -> None:
    order = an_order(stall)
    browser.log_in(a_member(stall, "owner"))
    hand_out(browser, order, "the-first-telephone")
    browser.client.cookies.clear()
    browser.log_in(a_member(stall, "packer", "pia@example.org"))
    answer = hand_out(browser, order, "the-second-telephone", method="", amount=0).json()
    assert answer["outcome"] == "conflict"
    assert answer["text"].startswith("It was handed over at")


def test_what_was_taken_is_recorded_even_if_the_order_was_paid_meanwhile(owner: Browser, stall: Stall) -> None:
    order = an_order(stall)
    owner.go(f"{OFFICE}/money/{order.id}")
    owner.send("", HOW)
    hand_out(owner, order, "telephone")
    assert journal(stall) == [480, 480]
    assert "€4.80 to give back" in owner.go(f"{OFFICE}/orders/{order.id}").text
    assert f"{OFFICE}/orders/{order.id}/refund" in owner.go(f"{OFFICE}/money").links()
    assert "Corinne Clercmore was paid than is due €4.80" in owner.page.text
    cancelled = an_order(stall, "Denis Diop")
    owner.go(f"{OFFICE}/money/{cancelled.id}")
    owner.send("", HOW)
    with stall.instance.store.write() as tx:
        cancel_order(tx, stall.instance.hooks, locked_order(tx, cancelled.id, enterprise_id="shop"))
    assert "Denis DiopCancelled €4.80" in owner.go(f"{OFFICE}/money").text
    assert "2 customers get money back€9.60" in owner.go(OFFICE).text


@pytest.mark.parametrize(
    "forged",
    [
        {"weights": {"LINE": "NaN"}},
        {"weights": {"LINE": "-1"}},
        {"weights": {"LINE": "1e999999"}},
        {"weights": {"another": "1"}},
        {"amount": -480},
        {"amount": 10**13},
        {"at": "9999-12-31T23:59:59-12:00"},
        {"returned": [{"supplier_id": "shop", "deposit": 50, "pieces": -2}]},
        {"at": "2026-06-04T12:00:00"},
    ],
    ids=str,
)
def test_a_forged_event_hands_nothing_over(owner: Browser, stall: Stall, forged: dict[str, Any]) -> None:
    order = an_order(stall)
    if "weights" in forged:
        forged = {
            "weights": {name.replace("LINE", order.lines[0].id): each for name, each in forged["weights"].items()}
        }
    answer = hand_out(owner, order, "forged", **forged)
    assert answer.status_code == 422 or answer.json()["outcome"] == "conflict", answer.text
    assert (journal(stall), fulfilment(stall, order)) == ([], "Unfulfilled")


def test_a_queue_that_is_sent_again_after_undoing_or_by_somebody_else_hands_nothing_over(
    owner: Browser, stall: Stall
) -> None:
    order = an_order(stall)
    path = f"/api/-/office/enterprises/shop/orders/{order.id}/hand-out"
    assert hand_out(owner, order, "one").json()["outcome"] == "done"
    assert owner.client.post(f"{path}/undo", headers={"Idempotency-Key": "undo"}).status_code == 200
    assert hand_out(owner, order, "one").json()["outcome"] == "done", "the answer of the first time, and no more"
    assert hand_out(owner, order, "one", amount=1).status_code == 409, "one key, another event"
    for visitor, status in ((owner.another(), 401), (member_of_nothing(owner, stall), 404)):
        assert hand_out(visitor, order, "one").status_code == status
    owner.post("/logout")
    assert hand_out(owner, order, "two").status_code == 401
    assert (journal(stall), fulfilment(stall, order)) == ([480, -480], "Held")


def test_without_remembered_keys_a_queue_that_is_sent_again_would_hand_over(
    owner: Browser, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = an_order(stall)
    hand_out(owner, order, "one")
    path = f"/api/-/office/enterprises/shop/orders/{order.id}/hand-out/undo"
    owner.client.post(path, headers={"Idempotency-Key": "undo"})
    monkeypatch.setattr(handler, "claim_key", lambda *_: None)
    monkeypatch.setattr(handler, "store_answer", lambda *_: None)
    hand_out(owner, order, "one")
    assert fulfilment(stall, order) == "Fulfilled"


def member_of_nothing(browser: Browser, stall: Stall) -> Browser:
    """The browser of somebody who has an account and belongs to no enterprise."""
    with stall.instance.store.write() as tx:
        add_person(
            tx, new_person(email="nina@example.org", name="Nina", password=PASSWORD, language="en"), confirmed=True
        )
    other = browser.another()
    other.log_in("nina@example.org")
    return other


def fulfilment(stall: Stall, order: Order) -> str:
    with stall.instance.store.read() as tx:
        return order_by_id(tx, order.id, enterprise_id="shop").fulfilment_state


def test_a_packers_telephone_takes_no_money(browser: Browser, stall: Stall) -> None:
    order = an_order(stall)
    browser.log_in(a_member(stall, "packer"))
    answer = hand_out(browser, order, "telephone").json()
    assert answer["outcome"] == "conflict"
    assert "Your role does not include this" in answer["text"]
    assert journal(stall) == []
    with stall.instance.store.read() as tx:
        assert [each.amount for each in open_conflicts(tx, "shop")] == [480], "the treasurer hears of it"
    assert hand_out(browser, order, "nothing was taken", amount=0).status_code == 403
    assert hand_out(browser, order, "another", method="", amount=0).json()["outcome"] == "done"
    listed = browser.client.get(f"{HANDOUT}/list.json").json()
    assert "due" not in listed["orders"][0]
    assert "amount" not in listed["orders"][0]["lines"][0]


def test_a_packer_who_may_take_money_sees_what_is_due_and_cashes_in(browser: Browser, stall: Stall) -> None:
    order = an_order(stall)
    browser.log_in(a_member(stall, "packer"))
    with stall.instance.store.write() as tx:
        tx.execute(update(enterprise_member).values(takes_money=True))
    assert browser.client.get(f"{HANDOUT}/list.json").json()["orders"][0]["due"] == 480
    assert hand_out(browser, order, "telephone").json()["outcome"] == "done"
    assert journal(stall) == [480]
    browser.go(f"{OFFICE}/money/{order.id}")
    assert browser.status == 403  # the books are not the packer's


def test_the_list_of_a_telephone_holds_no_address(owner: Browser, stall: Stall) -> None:
    an_order(stall)
    text = owner.client.get(f"{HANDOUT}/list.json").text
    assert "Corinne Clerc" in text
    assert "corinne@example.org" not in text
    assert "06 39" not in text


# ------------------------------------------------------------------------------------------------ bringing, papers


def test_a_producer_reads_what_to_bring_without_a_customer(owner: Browser, stall: Stall) -> None:
    assert "Nothing now." in owner.go(f"{OFFICE}/bring").text
    an_order(stall, small=3)
    page = owner.go(f"{OFFICE}/bring").text
    assert "3 × Carottes" in page
    assert "so far" in page
    assert "Corinne" not in page


def test_reports_are_linked_for_the_sale_that_matters(owner: Browser, stall: Stall) -> None:
    page = owner.go(f"{OFFICE}/papers")
    addresses = [link for link in page.links() if "/reports/" in link]
    for address in addresses[:2]:
        assert owner.client.get(address).status_code == 200, address
    assert owner.status == 200
