"""Custom reports: stored under a name, listed with the others, and limited to an allow-list."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.base.search import search_key
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.place import place_order
from commensal.orders.tables import order_line
from commensal.orders.values import Wish
from commensal.parts.reports.look import look
from commensal.parts.reports.segments import SEGMENTS, segment
from commensal.parts.reports.values import Query
from commensal.people.people import add_person, new_person
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item

from .reporting import use

PRESETS = "/api/-/custom_report/enterprises/shop/presets"
REPORTS = "/api/enterprises/shop/reports"
JUNE = {"since": "2026-06-01", "until": "2026-06-30", "format": "csv", "language": "en"}
BY_SUPPLIER = {
    "name": "Pieces by supplier",
    "segment": "order_lines",
    "columns": ["product", "customer", "pieces", "amount"],
    "grouped_by": ["product"],
    "ordered_by": ["-pieces", "customer"],
    "put_together": True,
}


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    enabled_plugins = InstanceSettings(
        name="T",
        base_url=settings.base_url,
        language="en",
        limits=settings.limits,
        plugins={"enabled": ["distribution_lists", "sales", "custom_report"]},
    )
    instance = Instance(tmp_path, enabled_plugins, store, load_plugins(enabled_plugins, clock=clock), clock, ids)
    with store.write() as tx:
        for shop in ("shop", "other"):
            a_shop(tx, shop)
            use(tx, shop)
        lot = a_lot(tx, on_hand="100")
        wares = (("Pommes", 250), ("Œufs", 300))
        items = [an_item(tx, lot, name=name, price=price, search=search_key(name)) for name, price in wares]
    for name, pieces in (("Ada", 1), ("Bob", 3)):
        wish = Wish(items={items[0]: pieces, items[1]: 1}, name=name, email=f"{name}@example.org")
        with store.write() as tx:
            place_order(tx, instance.hooks, "shop-session", wish)
    return instance


Header = dict[str, str]


def a_token(instance: Instance, name: str, role: str, shop: str = "shop") -> Header:
    with instance.store.write() as tx:
        person = add_person(
            tx,
            new_person(email=f"{name}@example.org", name=name, password="long enough for this", language="en"),
            confirmed=True,
        )
        assert person is not None
        tx.execute(insert(enterprise_member).values(enterprise_id=shop, person_id=person.id, role=role, since=tx.now))
        scopes = ["self", "orders:read", "payments:read", "plugins:write", "customers:read", "products:read"]
        token = make_token(tx, person.id, name="test", scopes=scopes)
    return {"Authorization": f"Bearer {token.secret}"}


@pytest.fixture
def manager(instance: Instance) -> Header:
    return a_token(instance, "ada", "manager")


def test_a_preset_is_kept_listed_run_changed_and_removed(client: TestClient, manager: Header) -> None:
    created = client.post(PRESETS, json=BY_SUPPLIER, headers=manager)
    assert created.status_code == 201, created.text
    name = f"custom_report:{created.json()['id']}"
    reports = {report["id"]: report for report in client.get(REPORTS, headers=manager).json()}
    assert reports[name]["label"] == "Pieces by supplier"
    address = f"{REPORTS}/{name.replace(':', '/')}"
    answer = client.get(address, params=JUNE, headers=manager)
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "Product,Customer,Pieces,Amount (EUR)",
        "Œufs,Ada,1,3.00",
        "Œufs,Bob,1,3.00",
        "Œufs,Subtotal,2,6.00",
        "Pommes,Bob,3,7.50",
        "Pommes,Ada,1,2.50",
        "Pommes,Subtotal,4,10.00",
        "Total,,6,16.00",
    ]
    for format in ("xlsx", "html", "pdf", "jsonl"):
        assert client.get(address, params={**JUNE, "format": format}, headers=manager).status_code == 200
    preset = f"{PRESETS}/{created.json()['id']}"
    filters = [
        {"field": "customer", "operator": "is", "value": "Bob"},
        {"field": "amount", "operator": "least", "value": "700"},
    ]
    patched = client.patch(preset, json={"filters": filters}, headers={**manager, "If-Match": '"1"'})
    assert patched.status_code == 200, patched.text
    lines = client.get(address, params={**JUNE, "flat": "true"}, headers=manager).text.splitlines()
    assert lines[1:] == ["Pommes,Bob,3,7.50"]
    assert client.delete(preset, headers={**manager, "If-Match": '"1"'}).status_code == 412
    assert client.delete(preset, headers={**manager, "If-Match": '"2"'}).status_code == 204
    assert client.get(address, params=JUNE, headers=manager).status_code == 404


@pytest.mark.parametrize(
    ("field", "operator", "value", "is_found"),
    [
        ("vat_rate", "least", "5.5", True),
        ("vat_rate", "most", "100", True),
        ("vat_rate", "least", "20.1", False),
        ("vat_rate", "is", "20.00", True),
        ("vat_rate", "is_not", "20", False),
        ("customer", "contains", "ADÀ", True),
        ("product", "contains", "oeuf", True),
        ("product", "contains", "poire", False),
    ],
)
def test_rates_are_filtered_as_numbers_and_names_as_people_type_them(
    client: TestClient, instance: Instance, manager: Header, field: str, operator: str, value: str, is_found: bool
) -> None:
    with instance.store.write() as tx:
        tx.execute(update(order_line).values(vat_rate=Decimal(20)))
    filters = [{"field": field, "operator": operator, "value": value}]
    created = client.post(PRESETS, json={**BY_SUPPLIER, "filters": filters}, headers=manager)
    assert created.status_code == 201, created.text
    address = f"{REPORTS}/custom_report/{created.json()['id']}"
    lines = client.get(address, params={**JUNE, "flat": "true"}, headers=manager).text.splitlines()
    assert (len(lines) > 1) is is_found, lines


@pytest.mark.parametrize(
    ("bad_fields", "pointer"),
    [
        ({"segment": "person"}, "/segment"),
        ({"columns": [], "grouped_by": [], "ordered_by": []}, "/columns"),
        ({"columns": ["product", "product"], "ordered_by": []}, "/columns"),
        ({"columns": ["product", "password_hash"], "grouped_by": [], "ordered_by": []}, "/columns/1"),
        ({"columns": ["product; DROP TABLE customer_order"], "grouped_by": [], "ordered_by": []}, "/columns/0"),
        ({"ordered_by": ["email"]}, "/ordered_by/0"),
        ({"grouped_by": ["pieces"]}, "/grouped_by/0"),
        ({"filters": [{"field": "secret_hash", "operator": "is", "value": "x"}]}, "/filters/0"),
        ({"filters": [{"field": "pieces", "operator": "is", "value": "many"}]}, "/filters/0"),
        ({"filters": [{"field": "vat_rate", "operator": "is", "value": "NaN"}]}, "/filters/0"),
        ({"filters": [{"field": "pieces", "operator": "contains", "value": "1"}]}, "/filters/0"),
        ({"filters": [{"field": "vat_rate", "operator": "contains", "value": "5.5"}]}, "/filters/0"),
    ],
)
def test_what_is_on_no_list_is_refused(
    client: TestClient, manager: Header, bad_fields: dict[str, Any], pointer: str
) -> None:
    answer = client.post(PRESETS, json=BY_SUPPLIER | bad_fields, headers=manager)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_names_are_taken_once_and_presets_are_not_endless(client: TestClient, manager: Header) -> None:
    for number in range(100):
        assert client.post(PRESETS, json=BY_SUPPLIER | {"name": f"n{number}"}, headers=manager).status_code == 201
    assert client.post(PRESETS, json=BY_SUPPLIER, headers=manager).json()["code"] == "too_many_presets"
    first_preset = client.get(PRESETS, headers=manager).json()[0]
    answer = client.patch(
        f"{PRESETS}/{first_preset['id']}", json={"name": "n5"}, headers={**manager, "If-Match": '"1"'}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_another_enterprise_and_a_smaller_role_may_not(client: TestClient, instance: Instance, manager: Header) -> None:
    money = {"segment": "payments", "columns": ["day", "amount"], "grouped_by": [], "ordered_by": []}
    created = client.post(PRESETS, json=BY_SUPPLIER | money, headers=manager)
    assert created.status_code == 201, created.text
    stranger, packer = a_token(instance, "sam", "manager", "other"), a_token(instance, "pia", "packer")
    address = f"{REPORTS}/custom_report/{created.json()['id']}"
    assert client.get(PRESETS, headers=stranger).status_code == 404
    assert client.get(address.replace("/shop/", "/other/"), headers=stranger).status_code == 404
    assert client.get(address, headers=packer).status_code == 403, "a preset opens nothing that its reader may not see"
    assert client.get(address, headers=manager).status_code == 200
    assert client.post(PRESETS, json=BY_SUPPLIER, headers=packer).status_code == 403


def test_the_segments_are_told_with_their_fields(client: TestClient, manager: Header) -> None:
    segments = client.get("/api/-/custom_report/segments", headers=manager).json()
    assert [segment["name"] for segment in segments] == list(SEGMENTS)
    assert {"name": "pieces", "label": "Pieces", "kind": "whole", "summed": True} in segments[0]["fields"]


@pytest.mark.parametrize("put_together", [False, True])
@pytest.mark.parametrize("name", SEGMENTS)
def test_every_field_of_every_segment_can_be_asked_for(instance: Instance, name: str, put_together: bool) -> None:
    """All fields at once, ordered by each: no field is broken on either database."""
    fields = list(segment(name, "en").fields)
    with instance.store.read() as tx:
        query = Query(
            tx=tx,
            enterprise_id="shop",
            enterprise_name="shop",
            currency="EUR",
            timezone="Europe/Paris",
            language="en",
            given={},
        )
        lines = list(look(query, name, *fields, put_together=put_together, order=fields))
        assert all(len(line) == len(fields) for line in lines)
        assert lines or name in ("adjustments", "payments", "till_counts", "supplier_payments", "stock_purchases")
