"""Goods by weight at the hand-out: what is taken is what the order costs, also where a fee follows the weight."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from commensal.enterprises.plugins import enable_plugin
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.storage.jobs.tables import job

from .conftest import Browser, Stall
from .test_office import CASH, HANDOUT, a_chicken, a_member, an_order_of, journal, owner

__all__ = ["owner"]  # a fixture

PLUGINS = ("shop", "office", "cash", "pickup", "fees")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

FEE = {"calculator": "FlatPercentItemTotal", "name": "Gestion", "percent": "10"}


@pytest.fixture
def order(stall: Stall) -> Order:
    """A chicken of two kilograms for 24.00 and a fee of a tenth."""
    with stall.instance.store.write() as tx:
        enable_plugin(tx, stall.instance.hooks, "shop", "fees", {"fees": [FEE]})
    return an_order_of(stall, {a_chicken(stall): 1})


def weight_of(order: Order) -> str:
    """The name of the field of the chicken's weight."""
    return f"weights/{order.lines[0].id}"


def stored(stall: Stall, order: Order) -> Order:
    with stall.instance.store.read() as tx:
        return order_by_id(tx, order.id, enterprise_id="shop")


def test_what_is_due_by_a_typed_weight_counts_the_fee_and_saves_nothing(
    owner: Browser, stall: Stall, order: Order
) -> None:
    path, before = f"{HANDOUT}/{order.id}?then=due", stored(stall, order)
    answer = owner.client.post(path, data={weight_of(order): "1,985"})
    assert (answer.status_code, answer.text) == (200, '{"due":2620}')
    assert owner.client.post(path, data={weight_of(order): "heavy"}).status_code == 422
    assert stored(stall, order) == before


def test_a_packer_does_not_learn_what_is_due(browser: Browser, stall: Stall, order: Order) -> None:
    browser.log_in(a_member(stall, "packer"))
    answer = browser.client.post(f"{HANDOUT}/{order.id}?then=due", data={weight_of(order): "2"})
    assert (answer.status_code, answer.text) == (403, "{}")


def test_an_order_that_is_not_weighed_is_handed_over_only_after_a_question(
    owner: Browser, stall: Stall, order: Order
) -> None:
    owner.go(f"{HANDOUT}/{order.id}")
    page = owner.send("?then=done", CASH)
    assert owner.status == 422
    assert "press again to hand over at the estimate" in page.text
    assert journal(stall) == []
    owner.send("?then=done", CASH)
    assert journal(stall) == [2640]


def test_a_weight_that_is_typed_and_not_saved_counts_when_the_money_is_taken(
    owner: Browser, stall: Stall, order: Order
) -> None:
    page, weight = owner.go(f"{HANDOUT}/{order.id}"), weight_of(order)
    assert [each["form"] for _, each in page.elements if each.get("name") == weight] == ["pay"], "sent with the money"
    page = owner.post(
        f"{HANDOUT}/{order.id}?then=done", **page.form("?then=done").fields, **{weight: "1,985"} | dict([CASH])
    )
    assert (owner.status, journal(stall), "press again" in page.text) == (200, [], True)
    owner.post("/language", language="fr", next="/")
    values = {
        each["name"]: each.get("value") for _, each in owner.go(f"{HANDOUT}/{order.id}").elements if "name" in each
    }
    assert values[weight] == "1,985"
    owner.post(f"{HANDOUT}/{order.id}?then=done", **page.form("?then=done").fields, **{weight: "1.985"} | dict([CASH]))
    assert journal(stall) == [2620]


def test_programs_say_that_they_hand_over_at_the_estimate(owner: Browser, stall: Stall, order: Order) -> None:
    path, headers = f"/api/enterprises/shop/orders/{order.id}/hand-over", {"If-Match": f'"{order.version}"'}
    answer = owner.client.post(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_weighed")
    event = {"at": "2026-06-04T12:00:00Z"}
    answer = owner.client.post(
        f"/api/-/office/enterprises/shop/orders/{order.id}/hand-out", json=event, headers={"Idempotency-Key": "one"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "not_weighed")
    answer = owner.client.post(path, json={"at_estimate": True}, headers=headers)
    assert (answer.status_code, stored(stall, order).fulfilment_state) == (200, "Fulfilled")


def test_less_than_an_order_costs_meanwhile_is_not_taken(owner: Browser, stall: Stall, order: Order) -> None:
    owner.go(f"{HANDOUT}/{order.id}")
    before = owner.send("?then=weigh", **{weight_of(order): "1.985"})
    owner.send("?then=weigh", **{weight_of(order): "2.1"})
    owner.page = before
    page = owner.send("?then=done", CASH)
    assert (owner.status, journal(stall)) == (409, [])
    assert "€27.72 is due now" in page.text
    owner.send("?then=done", CASH)
    assert journal(stall) == [2772]


def test_an_e_mail_says_that_goods_were_weighed_and_none_says_it_twice(
    owner: Browser, stall: Stall, order: Order
) -> None:
    owner.post(f"{HANDOUT}/{order.id}?then=weigh", **{weight_of(order): "1,985"})
    assert [mail["changed_by"] for mail in mails_of_changes(stall)] == ["scales"]
    owner.post(f"{HANDOUT}/{order.id}?then=weigh", **{weight_of(order): "1.985"})
    assert len(mails_of_changes(stall)) == 1, "saved once more"
    page = owner.go(f"{HANDOUT}/{order.id}")
    owner.post(f"{HANDOUT}/{order.id}?then=done", **page.form("?then=done").fields, **{weight_of(order): "1.985"})
    assert stored(stall, order).fulfilment_state == "Fulfilled"
    assert len(mails_of_changes(stall)) == 1, "nothing is new at the hand-out"


def mails_of_changes(stall: Stall) -> list[Any]:
    with stall.instance.store.read() as tx:
        payloads = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
    return [payload for payload in payloads if payload["kind"] == "order_changed"]
