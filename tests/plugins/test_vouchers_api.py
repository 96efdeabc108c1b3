"""Vouchers over the API and through the pages of the shop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.enterprises.tokens import make_token
from commensal.instance import InstanceSettings
from commensal.instance.settings import LimitSettings
from commensal.parts.checks import broken_invariants
from commensal.people.people import add_person, new_person
from commensal_vouchers.codes import Voucher
from commensal_vouchers.create import VoucherTerms, add_voucher
from commensal_vouchers.questions import voucher_by_id
from commensal_vouchers.tables import vouchers_voucher

from .conftest import CONTACT, ORDER, SALE, Browser, Stall, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

API = "/api/-/vouchers/enterprises/shop"
UPDATE = ("then", "update")


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    limits = LimitSettings(reads=100_000, writes=100_000, logins=10)
    enabled = {"enabled": ["shop", "cash", "pickup", "vouchers", "bank"]}
    return replace(settings, name="Les Paniers", limits=limits, plugins=enabled)


@pytest.fixture
def stall(stall: Stall) -> Stall:
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="vouchers", settings={}, version=1))
    return stall


def new_voucher(stall: Stall, code: str = "JUIN", **terms: Any) -> Voucher:
    with stall.instance.store.write() as tx:
        return add_voucher(tx, "shop", VoucherTerms(**{"kind": "amount", "amount": 100, **terms}), code=code)


def token(stall: Stall, role: str) -> dict[str, str]:
    """Returns the headers of a member of the shop, with all scopes that their role allows for payments."""
    new_member = new_person(email=f"{role}@example.org", name=role, password="a long password", language="en")
    scopes = ["payments:read", *(["payments:write"] if role == "manager" else [])]
    with stall.instance.store.write() as tx:
        person = add_person(tx, new_member, confirmed=True)
        assert person is not None
        member = {"enterprise_id": "shop", "person_id": person.id, "role": role, "since": tx.now}
        tx.execute(insert(enterprise_member).values(member))
        api_token = make_token(tx, person.id, name="t", scopes=scopes, enterprise_id="shop")
    return {"Authorization": f"Bearer {api_token.secret}"}


# ------------------------------------------------------------------------------------------------ the API


def test_a_shop_makes_changes_and_archives_codes(client: TestClient, stall: Stall) -> None:
    manager = token(stall, "manager")
    terms = {"kind": "percent", "percent": "10", "minimum": 2000, "once": True, "name": "Rentrée"}
    created = client.post(f"{API}/vouchers", json={**terms, "code": "rentree"}, headers=manager)
    assert (created.status_code, created.json()["code"], created.json()["percent"]) == (201, "RENTREE", "10")
    url, etag = f"{API}/vouchers/{created.json()['id']}", {"If-Match": '"1"'}
    patched = client.patch(url, json={"minimum": 1500, "valid_until": None}, headers=manager | etag)
    assert (patched.status_code, patched.json()["minimum"]) == (200, 1500)
    assert client.patch(url, json={"percent": "90"}, headers=manager | {"If-Match": '"2"'}).status_code == 422
    assert [voucher["code"] for voucher in client.get(f"{API}/vouchers", headers=manager).json()["items"]] == [
        "RENTREE"
    ]
    assert client.get(f"{API}/vouchers?code=rentree", headers=manager).json()["items"][0]["used"] == 0
    assert client.delete(url, headers=manager | {"If-Match": '"2"'}).status_code == 204
    assert client.get(f"{API}/vouchers", headers=manager).json()["items"] == []
    assert len(client.get(f"{API}/vouchers?archived=true", headers=manager).json()["items"]) == 1


def test_a_batch_is_made_once_and_comes_as_a_table(client: TestClient, stall: Stall) -> None:
    manager = token(stall, "manager")
    body = {"kind": "card", "amount": 3000, "count": 20, "name": "=Noël"}
    answers = [
        client.post(f"{API}/batches", json=body, headers=manager | {"Idempotency-Key": "a-batch-of-20"})
        for _ in range(2)
    ]
    assert [response.status_code for response in answers] == [201, 201]
    codes = [voucher["code"] for voucher in answers[0].json()]
    assert codes == [voucher["code"] for voucher in answers[1].json()]
    batch = answers[0].json()[0]["batch_id"]
    table = client.get(f"{API}/batches/{batch}/csv", headers=manager | {"Accept-Language": "fr"})
    lines = table.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Code;Valeur;Valable à partir de;Valable jusqu’à;Motif"
    assert [line.partition(";")[0] for line in lines[1:]] == codes
    assert "30,00" in lines[1]
    assert lines[1].endswith(";'=Noël"), "no spreadsheet takes a name for a formula"
    assert client.get(f"{API}/batches/nothing/csv", headers=manager).status_code == 404


def test_the_movements_of_a_card_are_told(client: TestClient, stall: Stall) -> None:
    manager, card = token(stall, "manager"), new_voucher(stall, "", kind="card", amount=1000)
    key = {"Idempotency-Key": "top-up-number-1"}
    url = f"{API}/vouchers/{card.id}/movements"
    movement = client.post(url, json={"amount": 500, "note": "au marché"}, headers=manager | key)
    assert (movement.status_code, movement.json()["balance"]) == (201, 1500)
    entries = client.get(url, headers=manager).json()["items"]
    assert [(entry["amount"], entry["note"]) for entry in entries] == [(1000, ""), (500, "au marché")]


def test_cards_and_vouchers_that_do_not_add_up_are_broken_invariants(stall: Stall) -> None:
    card, voucher = new_voucher(stall, "", kind="card", amount=1000), new_voucher(stall)
    with stall.instance.store.write() as tx:
        assert broken_invariants(tx, stall.instance.hooks) == []
        tx.execute(update(vouchers_voucher).where(vouchers_voucher.c.id == card.id).values(balance=1001))
        tx.execute(update(vouchers_voucher).where(vouchers_voucher.c.id == voucher.id).values(used=3))
        problems = broken_invariants(tx, stall.instance.hooks)
    assert [(problem.values["id"], problem.values["counted"], problem.values["journal"]) for problem in problems] == [
        (card.id, 1001, 1000),
        (voucher.id, 3, 0),
    ]


def test_codes_are_shown_to_those_only_who_see_payments(client: TestClient, stall: Stall) -> None:
    created, accountant = new_voucher(stall), token(stall, "accountant")
    assert client.get(f"{API}/vouchers", headers=accountant).status_code == 200
    assert client.post(f"{API}/vouchers", json={"kind": "amount", "amount": 1}, headers=accountant).status_code == 403
    for url in (f"{API}/vouchers", f"{API}/vouchers/{created.id}", f"{API}/vouchers/{created.id}/movements"):
        assert client.get(url).status_code == 401
    url_of_other = "/api/-/vouchers/enterprises/other/vouchers"
    assert client.get(url_of_other, headers=accountant).status_code in (403, 404)


def test_an_order_over_the_api_says_what_is_against_its_codes(client: TestClient, stall: Stall) -> None:
    new_voucher(stall, minimum=5000)
    items = {stall.small: 1}
    answer = client.post("/api/sale-sessions/shop-session/quote", json={"items": items, "codes": ["juin", "NOPE"]})
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert (problem["pointer"], problem["code"]) == ("/codes/0", "code_minimum")
    assert problem["detail"] == "The code JUIN needs €50.00 of goods, you have €2.40."


def test_codes_are_guessed_ten_times_a_minute_and_then_right_ones_get_no_answer_either(
    client: TestClient, stall: Stall
) -> None:
    new_voucher(stall)
    url, items = "/api/sale-sessions/shop-session/quote", {stall.small: 1}

    def status_with(*codes: str) -> int:
        return client.post(url, json={"items": items, "codes": codes}).status_code

    assert [status_with("JUIN") for _ in range(15)] == [200] * 15  # a holder of a valid code may use it
    assert [status_with(f"GUESS{number}") for number in range(12)] == [422] * 10 + [429] * 2
    assert (status_with("JUIN"), status_with()) == (429, 200)


def test_each_code_of_a_request_is_a_guess(client: TestClient, stall: Stall) -> None:
    new_voucher(stall)
    url, items = "/api/sale-sessions/shop-session/quote", {stall.small: 1}
    guesses = [["JUIN", *(f"GUESS{number}-{place}" for place in range(4))] for number in range(4)]
    statuses = [client.post(url, json={"items": items, "codes": codes}).status_code for codes in guesses]
    assert statuses == [422, 422, 429, 429], "ten wrong codes, not ten requests with four of them"


# ------------------------------------------------------------------------------------------------ the shop's pages


def test_a_code_is_tried_at_the_checkout_before_anything_is_ordered(
    browser: Browser, stall: Stall, clock: ManualClock
) -> None:
    new_voucher(stall, "MAI", valid_until=clock.now())
    to_the_checkout(browser, stall, small=2)
    assert "code" not in browser.page.form("").fields, "nobody is asked for a code where none counts"
    new_voucher(stall)
    card = new_voucher(stall, "", kind="card", amount=200)
    browser.go(browser.at)
    browser.send("", UPDATE, code=" juin", name="Bob")
    assert browser.status == 200
    assert "JUIN -€1.00 Take it out" in browser.page.text
    assert browser.page.form("").fields.items() >= {
        ("codes/0", "JUIN"),
        ("code", ""),
        ("total", "380"),
        ("name", "Bob"),
    }
    browser.send("", UPDATE, code=card.code)
    assert browser.page.form("").fields["total"] == "180"
    browser.send("", ("then", "remove/JUIN"))
    assert browser.page.form("").fields["total"] == "280"
    assert stored_orders(stall) == []
    browser.send("", UPDATE, code="JUIN")
    browser.send("", ORDER, **CONTACT, shipping=stall.slots[0])
    (row,) = stored_orders(stall)
    assert (row["total"], row["codes"]) == (180, [card.code, "JUIN"])
    assert "Thank you for your order." in browser.page.text
    assert f"…{card.code[-4:]}, JUIN" in browser.page.text


def test_a_code_that_does_not_count_says_why_and_everything_else_stays(browser: Browser, stall: Stall) -> None:
    new_voucher(stall, "GRAND", minimum=5000)
    new_voucher(stall)
    to_the_checkout(browser, stall, small=1)
    browser.send("", UPDATE, code="JUIN")
    for code, expected in (
        ("grand", "needs €50.00 of goods, you have €2.40."),
        ("nope", "The code NOPE is not known here."),
    ):
        browser.send("", UPDATE, code=code, note="Allô")
        assert browser.status == 422
        assert expected in browser.page.text
        fields = browser.page.form("").fields
        assert (fields["code"], fields["codes/0"], fields["note"], fields["total"]) == (code, "JUIN", "Allô", "140")
    browser.send("", ORDER, **CONTACT, shipping=stall.slots[0])
    assert stored_orders(stall) == [], "a code that does not count stops the order too"
    browser.send("", ORDER, code="")
    assert [row["total"] for row in stored_orders(stall)] == [140]


def test_a_code_typed_and_never_tried_is_not_ordered_at_another_total(browser: Browser, stall: Stall) -> None:
    new_voucher(stall)
    to_the_checkout(browser, stall, small=1)
    browser.send("", ORDER, code="JUIN", **CONTACT, shipping=stall.slots[0])
    assert browser.status == 409
    assert "With this choice the total is €1.40. Please confirm your order." in browser.page.text
    browser.send("", ORDER)
    assert [row["total"] for row in stored_orders(stall)] == [140]


def test_the_last_use_that_is_gone_meanwhile_is_said(browser: Browser, stall: Stall) -> None:
    created = new_voucher(stall, most_uses=1)
    to_the_checkout(browser, stall, small=1)
    browser.send("", UPDATE, code="JUIN")
    with stall.instance.store.write() as tx:
        tx.execute(update(vouchers_voucher).where(vouchers_voucher.c.id == created.id).values(used=1))
    browser.send("", ORDER, **CONTACT, shipping=stall.slots[0])
    assert browser.status == 422
    assert "The code JUIN is used up." in browser.page.text
    assert browser.page.form("").fields["total"] == "240"


def test_codes_of_an_order_are_changed_after_the_new_total_was_seen(browser: Browser, stall: Stall) -> None:
    created = new_voucher(stall)
    to_the_checkout(browser, stall, small=2)
    browser.send("", ORDER, **CONTACT, shipping=stall.slots[0])
    order_page = browser.at
    browser.go(f"{order_page}/change")
    browser.send("", UPDATE, code="nope")
    assert browser.status == 422
    browser.send("", UPDATE, code="juin")
    assert "Voucher JUIN" in browser.page.text
    assert stored_orders(stall)[0]["codes"] == []
    browser.send("", ("then", "change"))
    assert browser.at == order_page
    assert (stored_orders(stall)[0]["codes"], stored_orders(stall)[0]["total"]) == (["JUIN"], 380)
    browser.go(f"{order_page}/change")
    browser.send("", ("then", "remove/own/0"))
    browser.send("", ("then", "change"))
    assert (stored_orders(stall)[0]["codes"], stored_orders(stall)[0]["total"]) == ([], 480)
    with stall.instance.store.read() as tx:
        assert voucher_by_id(tx, "shop", created.id).used == 0


def test_guessing_at_the_checkout_is_slowed_down(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    form = browser.page.form("").fields
    statuses = []
    for number in range(12):
        browser.post(f"{SALE}/checkout", **{**form, "code": f"GUESS{number}"}, then="update")
        statuses.append(browser.status)
    assert statuses == [422] * 10 + [429] * 2
