"""Fees in real orders: quoted, placed, changed, weighed, cancelled; they cost no statement of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update
from starlette.testclient import TestClient

import commensal_fees as fees
from commensal import DemoPlace
from commensal.enterprises.plugins import enabled_plugins
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.instance import Instance
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.quote import quote_order
from commensal.orders.tables import adjustment
from commensal.orders.values import MOST_LINES, Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.people.people import add_person, new_person
from commensal.people.sessions import begin_session
from commensal.sale_sessions.tables import coordination
from commensal.testing.placed import a_lot, a_shop, an_item

PLUGINS = ("fees",)
SESSION = "shop-session"
PER_KILOGRAM = {"calculator": "Weight", "name": "Transport", "type": "transport", "per_kilogram": 40}
TENTH = {"calculator": "FlatPercentPerItem", "name": "Gestion", "percent": "10", "vat_of_product": True}
ONCE = {"calculator": "FlatRate", "name": "Emballage", "type": "packing", "amount": 100, "vat_rate": "20"}


@dataclass
class Hub:
    """A hub that sells eggs at 0.33 and weighed meat at 20.00 a kilogram."""

    instance: Instance
    items: Mapping[str, str]

    def take(self, *fees: Mapping[str, Any]) -> None:
        with self.instance.store.write() as tx:
            tx.execute(update(enterprise_plugin).values(settings={"fees": list(fees)}))

    def order(self, **pieces: int) -> Order:
        wish = Wish(items=self.wanted(pieces), name="Ada", email="ada@example.org")
        with self.instance.store.write() as tx:
            return place_order(tx, self.instance.hooks, SESSION, wish)

    def quote(self, **pieces: int) -> int:
        with self.instance.store.read() as tx:
            items = self.wanted(pieces)
            return quote_order(tx, self.instance.hooks, SESSION, items, language="fr").quote.totals.total

    def wanted(self, pieces: Mapping[str, int]) -> dict[str, int]:
        return {self.items[name]: number for name, number in pieces.items()}

    def change(self, order: Order, **pieces: int) -> Order:
        with self.instance.store.write() as tx:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            return change_order(tx, self.instance.hooks, locked, items=self.wanted(pieces), by_hub=True)

    def weigh(self, order: Order, weight: str) -> Order:
        with self.instance.store.write() as tx:
            locked = locked_order(tx, order.id, enterprise_id="shop")
            (line,) = [line for line in locked.lines if line.weighed]
            return weigh_order(tx, self.instance.hooks, locked, {line.id: Decimal(weight)})


@pytest.fixture
def hub(instance: Instance) -> Hub:
    with instance.store.write() as tx:
        a_shop(tx)
        a_shop(tx, "network")
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="fees", settings={}, version=1))
        eggs = an_item(tx, a_lot(tx, on_hand="1000"), name="Œuf", price=33)
        meat = an_item(
            tx,
            a_lot(tx, unit="Kilogram", on_hand="100"),
            name="Bœuf",
            price=2000,
            grains=1000,
            unit="Kilogram",
            weighed=True,
        )
    return Hub(instance, {"eggs": eggs, "meat": meat})


def shown_fees(order: Order) -> list[tuple[str, int]]:
    return [(adjustment.label, adjustment.amount) for adjustment in order.adjustments]


def test_an_order_costs_what_was_quoted_and_its_fees_follow_it(hub: Hub) -> None:
    hub.take(PER_KILOGRAM, TENTH, ONCE)
    assert hub.quote(eggs=3, meat=1) == 99 + 2000 + 40 + 9 + 200 + 100
    order = hub.order(eggs=3, meat=1)
    assert shown_fees(order) == [("Transport", 40), ("Gestion", 9), ("Gestion", 200), ("Emballage", 100)]
    assert order.total == 2448
    lines = {line.id: line.name for line in order.lines}
    assert [lines.get(adjustment.line_id or "") for adjustment in order.adjustments] == ["Bœuf", "Œuf", "Bœuf", None]
    assert {str(share.rate): share.net + share.vat for share in order.vat} == {"5.5": 2308, "20": 100}
    weighed_order = hub.weigh(order, "1.250")
    assert shown_fees(weighed_order) == [("Transport", 50), ("Gestion", 9), ("Gestion", 250), ("Emballage", 100)]
    fewer = hub.change(weighed_order, meat=1)
    assert shown_fees(fewer) == [("Transport", 50), ("Gestion", 250), ("Emballage", 100)]
    undelivered = hub.weigh(hub.change(fewer, eggs=3, meat=1), "0")
    assert shown_fees(undelivered) == [("Gestion", 9), ("Emballage", 100)], "what is not there bears nothing"
    with hub.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="shop")
        assert cancel_order(tx, hub.instance.hooks, locked, by_hub=True).state == "Cancelled"
        assert broken_invariants(tx) == []


def test_new_fees_are_for_orders_to_come_and_for_those_that_change(hub: Hub) -> None:
    order = hub.order(eggs=3)
    hub.take(ONCE)
    with hub.instance.store.read() as tx:
        assert tx.all(select(adjustment)) == []
    assert shown_fees(hub.change(order, eggs=4)) == [("Emballage", 100)]


def test_whom_a_fee_goes_to_is_written_down(hub: Hub) -> None:
    with hub.instance.store.write() as tx:
        tx.execute(update(coordination).where(coordination.c.id == "shop-sale").values(coordinator_id="network"))
    hub.take({**ONCE, "payee": "coordinator"}, {**PER_KILOGRAM, "payee": "supplier"}, TENTH)
    order = hub.order(meat=1)
    with hub.instance.store.read() as tx:
        rows = tx.all(select(adjustment).where(adjustment.c.order_id == order.id).order_by(adjustment.c.position))
    assert [(row["kind"], row["payee"]) for row in rows] == [
        ("packing", "network"),
        ("transport", "shop"),
        ("admin", "shop"),
    ]


def test_fees_ask_the_database_nothing(hub: Hub) -> None:
    def count_statements() -> int:
        statements: list[str] = []

        def note_statement(*args: object) -> None:
            statements.append(str(args[2]))

        event.listen(hub.instance.store.engine, "before_cursor_execute", note_statement)
        hub.order(eggs=1)
        event.remove(hub.instance.store.engine, "before_cursor_execute", note_statement)
        return len(statements)

    hub.order(eggs=1)
    count_without = count_statements()
    hub.take({**ONCE, "name": "a"}, {**ONCE, "name": "b"}, TENTH)
    assert count_statements() - count_without == 1, "the row of the adjustments is written, and no more"


def test_the_longest_order_bears_the_most_fees(hub: Hub) -> None:
    hub.take(*[{**TENTH, "name": f"Frais {number}"} for number in range(10)])
    with hub.instance.store.write() as tx:
        lot = a_lot(tx, on_hand="1000")
        items = {an_item(tx, lot, name=f"n{number}"): 1 for number in range(MOST_LINES)}
        wish = Wish(items=items, name="Ada", email="ada@example.org")
        order = place_order(tx, hub.instance.hooks, SESSION, wish)
    assert len(order.adjustments) == 10 * MOST_LINES
    assert order.adjustments_total == 25 * 10 * MOST_LINES


def test_a_hub_sets_its_fees_over_the_api_and_reads_what_is_wrong(hub: Hub, client: TestClient) -> None:
    new_manager = new_person(email="m@example.org", name="M", password="a long enough password", language="en")
    with hub.instance.store.write() as tx:
        person = add_person(tx, new_manager, confirmed=True)
        assert person is not None
        row = {"enterprise_id": "shop", "person_id": person.id, "role": "manager", "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
        client.cookies.set("session", begin_session(tx, person).secret)
    client.headers["Origin"] = "http://testserver"
    path, if_match = "/api/enterprises/shop/plugins/fees", {"If-Match": '"1"'}
    refusal = client.put(path, json={"settings": {"fees": [ONCE, {**ONCE, "amont": 5}]}}, headers=if_match)
    assert refusal.status_code == 422, refusal.text
    (problem,) = refusal.json()["errors"]
    assert problem["pointer"] == "/settings/fees/1"
    assert "fees[1].amont is unknown; did you mean 'amount'?" in problem["detail"]
    right = client.put(path, json={"settings": {"fees": [{**TENTH, "percent": 7.5}]}}, headers=if_match)
    assert right.status_code == 200, right.text
    assert shown_fees(hub.order(eggs=10)) == [("Gestion", 20)]


def test_a_hub_of_the_demo_takes_fees(hub: Hub) -> None:
    with hub.instance.store.write() as tx:
        places = [
            DemoPlace(instance=hub.instance, enterprise_id=enterprise_id, seed=1)
            for enterprise_id in ("network", "shop")
        ]
        tx.execute(insert(enterprise_plugin).values(enterprise_id="network", plugin="fees", settings={}, version=1))
        assert [fees.demo_data(tx, place) for place in places] == [True, False], "the one that was there first"
        assert len(enabled_plugins(tx, "network")["fees"]["fees"]) == 3
