"""Payments over HTTP: what the shop records, what customers choose, and the journal with its verification."""

from __future__ import annotations

import hashlib
import itertools
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.hooks.contract import hookimpl
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.hooks.values import PaymentMethod, PaymentStart
from commensal.instance import Instance, InstanceSettings
from commensal.payments.journal import MEMBERS
from commensal.people.actor import ENTERPRISE_SCOPES, SELF
from commensal.people.codes import fingerprint
from commensal.people.tables import api_token, person
from commensal.storage.database import Store
from commensal.testing.placed import a_placed_order, a_shop

SECRET = "s" * 43
_keys = itertools.count()


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Any) -> Instance:
    """A shop with a manager Ada, who has ordered for 12.50, and a guest's order. Customers pay at "till:desk", or by
    "till:card", which no person may record by hand."""
    till = ModuleType("till")
    methods = [PaymentMethod(id="desk", label="At the desk", by_hand=True), PaymentMethod(id="card", label="Card")]
    till.payment_methods = hookimpl(lambda: methods)  # type: ignore[attr-defined]
    till.start_payment = hookimpl(lambda payment: PaymentStart(text=f"Bring {payment.amount}."))  # type: ignore[attr-defined]
    settings_with_till = InstanceSettings(
        name="Test", base_url="http://testserver", language="en", plugins={"enabled": ["till"]}
    )
    hooks: Hooks = load_plugins(settings_with_till, clock=clock, modules={"till": till})
    with store.write() as tx:
        a_shop(tx)
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="till", settings={}, version=1))
        for name, role in (("ada", "manager"), ("bob", "packer")):
            values = {"phone": "", "language": "en", "is_operator": False, "created_at": tx.now, "version": 1}
            email = f"{name}@example.org"
            tx.execute(insert(person).values(id=name, email=email, name=name, confirmed_at=tx.now, **values))
            hashed = hashlib.sha256(f"cml_{name}".encode()).hexdigest()
            token_scopes = sorted({SELF, *ENTERPRISE_SCOPES})
            token = {
                "id": f"token-{name}",
                "hash": hashed,
                "name": "test",
                "scopes": token_scopes,
                "created_at": tx.now,
            }
            tx.execute(insert(api_token).values(person_id=name, **token))
            tx.execute(insert(enterprise_member).values(enterprise_id="shop", person_id=name, role=role, since=tx.now))
        a_placed_order(tx, id="mine", total=1250, person_id="ada")
        a_placed_order(tx, id="guests", total=800, secret_hash=fingerprint(SECRET))
    return Instance(tmp_path, settings, store, hooks, clock, ids)


def send(client: TestClient, method: str, path: str, body: Any = None, *, person_id: str = "ada", key: str = "") -> Any:
    headers = {"Authorization": f"Bearer cml_{person_id}"} if person_id else {}
    if method == "POST":
        headers["Idempotency-Key"] = key or f"key {next(_keys)}"
    return client.request(method, f"/api{path}", json=body, headers=headers)


def post_cash(
    client: TestClient,
    amount: int,
    path: str = "/enterprises/shop/orders/mine/payments",
    extra: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    return send(client, "POST", path, {"method": "till:desk", "amount": amount, **(extra or {})}, **kwargs)


def test_the_shop_records_what_it_receives_and_gives_back(client: TestClient) -> None:
    assert post_cash(client, 1250).status_code == 201
    assert post_cash(client, 250, "/enterprises/shop/orders/mine/refunds").json()["code"] == "more_than_owed"
    response = post_cash(client, 250, "/enterprises/shop/orders/mine/refunds", {"anyway": True})
    assert (response.status_code, response.json()["kind"]) == (201, "refund")
    assert (
        post_cash(client, 1001, "/enterprises/shop/orders/mine/refunds", {"anyway": True}).json()["code"]
        == "more_than_received"
    )
    body = send(client, "GET", "/enterprises/shop/orders/mine/payments").json()
    assert (body["total"], body["paid"], body["balance"]) == (1250, 1000, 250)
    assert [(payment["kind"], payment["amount"]) for payment in body["payments"]] == [
        ("payment", 1250),
        ("refund", 250),
    ]


def test_more_than_is_due_is_recorded_only_where_it_is_meant(client: TestClient) -> None:
    response = post_cash(client, 1251)
    assert (response.status_code, response.json()["code"]) == (409, "more_than_due")
    assert "12.50" in response.json()["detail"]
    assert post_cash(client, 1251, extra={"anyway": True}).status_code == 201
    assert post_cash(client, 1).json()["code"] == "more_than_due"


@pytest.mark.parametrize("method", ["bogus:bogus", "cash:cash", "till:card", "till:nothing"])
@pytest.mark.parametrize("what", ["payments", "refunds"])
def test_only_ways_that_are_on_and_may_be_recorded_by_hand_are(client: TestClient, method: str, what: str) -> None:
    assert post_cash(client, 1250).status_code == 201
    response = post_cash(client, 100, f"/enterprises/shop/orders/mine/{what}", {"method": method, "anyway": True})
    (problem,) = response.json()["errors"]
    assert (response.status_code, problem["code"], problem["pointer"]) == (422, "not_by_hand", "/method")
    assert "what can is: till:desk" in problem["detail"]
    assert len(send(client, "GET", "/enterprises/shop/journal").json()["items"]) == 1


def test_nobody_says_by_hand_that_a_card_was_charged(client: TestClient) -> None:
    body = send(client, "POST", "/me/orders/mine/payments", {"method": "till:card"}).json()
    response = send(client, "POST", f"/enterprises/shop/payments/{body['id']}/arrival", {})
    assert response.json()["errors"][0]["code"] == "not_by_hand"
    assert send(client, "GET", "/enterprises/shop/orders/mine/payments").json()["paid"] == 0


def test_a_repeated_request_records_money_once(client: TestClient) -> None:
    first, second = post_cash(client, 500, key="same"), post_cash(client, 500, key="same")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert send(client, "GET", "/enterprises/shop/orders/mine/payments").json()["paid"] == 500
    headers = {"Authorization": "Bearer cml_ada"}
    path = "/api/enterprises/shop/orders/mine/payments"
    response = client.post(path, json={"method": "till:desk", "amount": 1}, headers=headers)
    assert response.json()["errors"][0]["code"] == "idempotency_key_missing"


@pytest.mark.parametrize(
    "body",
    [
        {"method": "till:desk", "amount": 12.5},
        {"method": "till:desk", "amount": "1250"},
        {"method": "till:desk", "amount": 0},
        {"method": "till:desk", "amount": -5},
        {"method": "till:desk", "amount": 10**30},
        {"method": "=cmd|calc", "amount": 100},
        {"method": "till:desk", "amount": 100, "currency": "USD"},
        {"amount": 100},
    ],
)
def test_what_is_no_amount_of_money_is_refused_and_changes_nothing(client: TestClient, body: Any) -> None:
    assert send(client, "POST", "/enterprises/shop/orders/mine/payments", body).status_code == 422
    assert send(client, "GET", "/enterprises/shop/journal").json() == {"items": [], "next": None}


def test_who_packs_orders_does_not_see_or_touch_money(client: TestClient) -> None:
    assert post_cash(client, 100, person_id="bob").status_code == 403
    assert send(client, "GET", "/enterprises/shop/journal", person_id="bob").status_code == 403


def test_the_journal_is_paged_exported_and_verified(client: TestClient) -> None:
    for amount in (100, 200, 300):
        post_cash(client, amount)
    first = send(client, "GET", "/enterprises/shop/journal?limit=2").json()
    assert ([item["amount"] for item in first["items"]], first["next"]) == ([100, 200], "2")
    assert first["items"][0]["person_id"] == "ada"
    second = send(client, "GET", "/enterprises/shop/journal?limit=2&after=2").json()
    assert ([item["sequence"] for item in second["items"]], second["next"]) == ([3], None)
    export = send(client, "GET", "/enterprises/shop/journal.csv")
    assert export.headers["content-disposition"] == 'attachment; filename="journal.csv"'
    assert export.text.splitlines()[0] == ",".join([*MEMBERS, "hash"])
    assert len(export.text.splitlines()) == 4
    assert send(client, "GET", "/enterprises/shop/journal/verification").json() == {"sound": True, "problem": None}


def test_an_entry_is_corrected_by_its_number(client: TestClient) -> None:
    post_cash(client, 100)
    response = send(client, "POST", "/enterprises/shop/journal/1/correction")
    assert (response.status_code, response.json()["corrects"], response.json()["amount"]) == (201, 1, -100)
    for unknown in ("9", "one", "9" * 30):
        assert send(client, "POST", f"/enterprises/shop/journal/{unknown}/correction").status_code == 404


def test_customers_see_how_to_pay_choose_and_are_told_what_to_do(client: TestClient) -> None:
    method, _ = send(client, "GET", "/sale-sessions/shop-session/payment-methods", person_id="").json()
    assert (method["id"], method["label"]) == ("till:desk", "At the desk")
    response = send(client, "POST", "/me/orders/mine/payments", {"method": method["id"]})
    assert (response.status_code, response.json()["state"]) == (201, "Pending")
    assert response.json()["instructions"]["text"] == "Bring 1250."
    body = send(client, "GET", "/me/orders/mine/payments").json()
    assert (body["balance"], body["payments"]) == (1250, [response.json()])
    other_method = send(client, "POST", "/me/orders/mine/payments", {"method": "paypal:paypal"})
    assert (other_method.status_code, other_method.json()["code"]) == (409, "payment_unknown")


def test_what_a_customer_has_chosen_arrives_or_is_cancelled_at_the_shop(client: TestClient) -> None:
    first = send(client, "POST", "/me/orders/mine/payments", {"method": "till:desk"}).json()
    response = send(client, "POST", f"/enterprises/shop/payments/{first['id']}/arrival", {"reference": "R1"})
    assert (response.json()["state"], response.json()["reference"]) == ("Done", "R1")
    assert send(client, "POST", f"/enterprises/shop/payments/{first['id']}/cancel").json()["code"] == "payment_done"
    assert send(client, "POST", "/enterprises/shop/payments/nothing/cancel").status_code == 404


def test_a_guest_pays_with_the_secret_of_the_order(client: TestClient) -> None:
    path = f"/guest-orders/{SECRET}/payments"
    assert send(client, "POST", path, {"method": "till:desk"}, person_id="").json()["state"] == "Pending"
    assert send(client, "GET", path, person_id="").json()["balance"] == 800
    assert send(client, "GET", f"/guest-orders/{'x' * 43}/payments", person_id="").status_code == 404


def test_nobody_pays_or_sees_the_order_of_somebody_else(client: TestClient) -> None:
    assert send(client, "POST", "/me/orders/mine/payments", {"method": "till:desk"}, person_id="bob").status_code == 404
    assert send(client, "GET", "/me/orders/mine/payments", person_id="bob").status_code == 404
