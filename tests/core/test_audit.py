"""The audit trail: who changed what, read over HTTP, without secrets and personal texts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from tests.core.desk import PASSWORD, Desk

from commensal.base.clock import ManualClock
from commensal.base.errors import Refused
from commensal.enterprises.tables import enterprise_member
from commensal.instance import Instance
from commensal.instance.tables import audit_entry
from commensal.parts.privacy.retention import forget_old_entries
from commensal.products.tables import supplied_product
from commensal.testing.placed import a_lot, a_placed_order, an_item


@pytest.fixture
def desk(instance: Instance) -> Desk:
    return Desk(instance)


def test_a_new_price_says_who_set_it_and_what_it_was(desk: Desk) -> None:
    price = desk.ask("PUT", f"/enterprises/shop/items/{desk.item}/price", {"price": 320})
    assert price.status_code == 200
    entry = desk.last(object_kind="offer")
    assert (entry.person_id, entry.person, entry.actor, entry.token_id) == (
        desk.ada,
        "Ada",
        "token",
        desk.token.token.id,
    )
    assert (entry.enterprise_id, entry.command, entry.request_id) == ("shop", "put_price", "request-of-ada")
    assert (entry.action, entry.fields) == ("changed", {"price": [250, 320]})
    assert entry.at == desk.instance.clock.now()


def test_personal_texts_and_secrets_are_not_copied(desk: Desk) -> None:
    response = desk.ask(
        "POST", "/enterprises/shop/customers", {"email": "zoe@example.org", "name": "Zoé", "note": "likes leeks"}
    )
    assert response.status_code == 201
    desk.ask("PATCH", "/me", {"name": "Ada L.", "language": "fr"}, **{"If-Match": '"1"'})
    entry = desk.last(object_kind="customer")
    assert (entry.object_id, entry.fields["name"], entry.fields["note"]) == (
        response.json()["id"],
        [None, "***"],
        [None, "***"],
    )
    assert desk.last(object_kind="person", object_id=desk.ada).fields == {
        "name": ["***", "***"],
        "language": ["en", "fr"],
    }
    assert "zoe@" not in str(desk.trail())
    assert "leeks" not in str(desk.trail())


def test_what_was_undone_or_refused_leaves_no_trace(desk: Desk) -> None:
    before = len(desk.trail())
    desk.ask("POST", "/enterprises/shop/customers", {"email": "zoe@example.org", "code": "Z1"})
    assert (
        desk.ask("POST", "/enterprises/shop/customers", {"email": "yve@example.org", "code": "Z1"}).status_code == 422
    )
    assert len(desk.trail()) == before + 1
    with pytest.raises(Refused), desk.instance.store.write() as tx:
        tx.execute(update(supplied_product).values(name="Wrong"))
        raise Refused("no", "No.")
    with desk.instance.store.write() as tx, pytest.raises(Refused), tx.attempt():
        tx.execute(update(supplied_product).values(name="Wrong"))
        raise Refused("no", "No.")
    assert len(desk.trail()) == before + 1


def test_log_ins_are_told_whether_they_worked_or_not(desk: Desk) -> None:
    credentials = {"email": "ada@example.org", "password": "not the password"}
    assert desk.client.post("/api/sessions", json=credentials).status_code == 401
    assert desk.client.post("/api/sessions", json={**credentials, "password": PASSWORD}).status_code == 201
    actions = [entry.action for entry in desk.trail(object_kind="person", object_id=desk.ada)]
    assert actions[:2] == ["logged in", "log-in failed"]


def test_an_export_is_told_and_reading_is_not(desk: Desk) -> None:
    desk.ask("GET", "/enterprises/shop/journal/export")
    before = len(desk.trail())
    assert desk.ask("GET", "/enterprises/shop/customers").status_code == 200
    assert len(desk.trail()) == before
    assert desk.ask("GET", "/enterprises/shop/product-list?format=csv").status_code == 200
    assert (desk.last().action, desk.last().enterprise_id) == ("exported", "shop")


def test_stock_counted_by_hand_and_an_order_cancelled_for_a_customer_are_told(desk: Desk) -> None:
    with desk.instance.store.write() as tx:
        lot = a_lot(tx, on_hand="5")
        order = a_placed_order(tx, total=1000)
    assert desk.ask("POST", f"/enterprises/shop/lots/{lot}/counts", {"on_hand": "3"}).status_code == 200
    entry = desk.last(object_kind="stock_lot", object_id=lot)
    assert (entry.action, entry.command, entry.person_id) == ("counted", "count_goods", desk.ada)
    response = desk.ask("POST", f"/enterprises/shop/orders/{order}/cancel", {}, **{"If-Match": '"1"'})
    assert response.status_code == 200
    assert desk.last(object_kind="customer_order", object_id=order).fields["state"] == ["Held", "Cancelled"]


def test_the_trail_is_read_by_those_who_manage_the_enterprise_page_by_page(desk: Desk) -> None:
    for number in range(3):
        desk.ask("POST", "/enterprises/shop/customers", {"email": f"c{number}@example.org"})
    first = desk.ask("GET", "/enterprises/shop/audit?kind=customer&limit=2").json()
    second = desk.ask("GET", f"/enterprises/shop/audit?kind=customer&limit=2&after={first['next']}").json()
    assert [len(first["items"]), len(second["items"]), second["next"]] == [2, 1, None]
    assert first["items"][0]["at"] >= second["items"][0]["at"]
    assert desk.ask("GET", f"/enterprises/shop/audit?person={desk.ada}").json()["items"]
    assert not desk.ask("GET", "/enterprises/shop/audit?until=2020-01-01T00:00:00Z").json()["items"]
    with desk.instance.store.write() as tx:
        tx.execute(update(enterprise_member).values(role="packer"))
    assert desk.ask("GET", "/enterprises/shop/audit").status_code == 403


@pytest.mark.parametrize("change", [update(audit_entry).values(command="x"), delete(audit_entry)])
def test_the_database_refuses_to_change_the_trail(desk: Desk, change: Any) -> None:
    with pytest.raises(DBAPIError, match="audit_entry only grows"), desk.instance.store.write() as tx:
        tx.execute(change)


def test_old_entries_go_and_leave_a_trace_of_their_going(desk: Desk, clock: ManualClock) -> None:
    clock.advance(days=20)
    desk.ask("POST", "/enterprises/shop/customers", {"email": "new@example.org"})
    with desk.instance.store.write() as tx:
        assert forget_old_entries(tx, days=0) == 0
        assert forget_old_entries(tx, days=10) > 0
    entries = desk.trail()
    assert min(entry.at for entry in entries) >= clock.now() - timedelta(days=10)
    assert entries[0].action == "forgot"


def test_many_rows_of_one_statement_are_one_entry(desk: Desk) -> None:
    with desk.instance.store.write() as tx:
        for number in range(30):
            an_item(tx, a_lot(tx, on_hand="9"), name=f"n{number}")
    with desk.instance.store.write() as tx:
        tx.execute(update(supplied_product).values(weighed=True))
    assert (desk.last().object_kind, desk.last().rows, desk.last().object_id) == ("supplied_product", 31, "")
