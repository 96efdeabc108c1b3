"""Reports over the API and from the shell: who may read them, which parameters they take; they leave nothing open."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import event, insert
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from commensal.api import streaming
from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid
from commensal.base.ids import SeededIds
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.tables import customer_order
from commensal.parts.reports.look import Filter, columns_of, look
from commensal.parts.reports.parameters import a_period, current_sale, one_sale, read_parameters
from commensal.parts.reports.values import Column, Line, Parameter, Query, Report
from commensal.parts.serving.app import make_app
from commensal.people.tables import api_token, person
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.database import Store, Transaction
from commensal.testing.placed import a_placed_order, a_shop

REPORTS = "/api/enterprises/shop/reports"
Header = dict[str, str]
events: list[str] = []  # what happened to the endless report


def _orders(query: Query) -> Iterator[Line]:
    return look(query, "orders", "number", "customer", "total", order=("number",))


def _endless(query: Query) -> Iterator[Line]:
    events.append("begun")
    try:
        while True:
            yield [1, "x" * 1000, 1]
    finally:
        events.append("closed")


def _broken(query: Query) -> Iterator[Line]:
    raise ZeroDivisionError
    yield []


def _breaking(query: Query) -> Iterator[Line]:
    for number in range(5000):
        yield [number, "x" * 1000, 1]
    raise ZeroDivisionError


@hookimpl
def reports(language: str) -> list[Any]:
    """The hook of this module, which is loaded as the plugin `tried`."""
    columns = columns_of("orders", language, "number", "customer", "total", summed=("total",))
    row_functions = {"orders": _orders, "endless": _endless, "broken": _broken, "breaking": _breaking}
    return [
        Report(id="money", label="Money", description="", columns=columns, rows=_orders, scope="payments:read"),
        Report(id="of_month", label="M", description="", columns=columns, rows=_orders, parameters=a_period(language)),
        Report(id="no scope", label="", description="", columns=columns, rows=_orders),
        Report(id="nobodys", label="", description="", columns=columns, rows=_orders, scope="reports:all"),
        *(
            Report(id=name, label=name, description="", columns=columns, rows=rows, parameters=one_sale(language))
            for name, rows in row_functions.items()
        ),
    ]


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    settings_with_plugin = InstanceSettings(
        name="Test", base_url=settings.base_url, language="en", limits=settings.limits, plugins={"enabled": ["tried"]}
    )
    hooks = load_plugins(settings_with_plugin, clock=clock, modules={"tried": sys.modules[__name__]})
    with store.write() as tx:
        for shop in ("shop", "other"):
            a_shop(tx, shop)
            tx.execute(insert(enterprise_plugin).values(enterprise_id=shop, plugin="tried", settings={}, version=1))
            a_placed_order(tx, shop, total=1250, name=f"Canary of {shop}")
            a_placed_order(tx, shop, total=800, name="Bob")
            a_placed_order(tx, shop, total=300, name="Gone", state="Cancelled")
            draft = {"number": None, "placed_at": None}
            a_placed_order(tx, shop, total=400, name="Thinking", state="Draft", **draft)
    return Instance(tmp_path, settings_with_plugin, store, hooks, clock, ids)


def a_token(store: Store, name: str, role: str = "manager", shop: str = "shop", *scopes: str) -> Header:
    hashed = hashlib.sha256(f"cml_{name}".encode()).hexdigest()
    with store.write() as tx:
        values = {"phone": "", "language": "en", "is_operator": False, "created_at": tx.now, "version": 1}
        tx.execute(
            insert(person).values(id=name, email=f"{name}@example.org", name=name, confirmed_at=tx.now, **values)
        )
        token_scopes = list(scopes or ("orders:read", "payments:read"))
        token = {
            "id": name,
            "hash": hashed,
            "person_id": name,
            "name": "test",
            "scopes": token_scopes,
            "created_at": tx.now,
        }
        tx.execute(insert(api_token).values(token))
        tx.execute(insert(enterprise_member).values(enterprise_id=shop, person_id=name, role=role, since=tx.now))
    return {"Authorization": f"Bearer cml_{name}"}


@pytest.fixture
def manager(instance: Instance) -> Header:
    return a_token(instance.store, "ada")


@pytest.mark.bundled  # whose words are French
def test_reports_are_listed_with_parameters_and_columns(client: TestClient, manager: Header) -> None:
    reports_by_id = {report["id"]: report for report in client.get(REPORTS, headers=manager).json()}
    assert set(reports_by_id) == {
        f"tried:{name}" for name in ("money", "of_month", "orders", "endless", "broken", "breaking")
    }
    parameters = reports_by_id["tried:of_month"]["parameters"]
    assert [(parameter["name"], parameter["default"]) for parameter in parameters] == [
        ("since", "2026-05-01"),
        ("until", "2026-05-31"),
        ("sale", ""),
    ]
    assert reports_by_id["tried:orders"]["parameters"][0]["default"] == "shop-session"
    assert reports_by_id["tried:orders"]["columns"][2] == {
        "name": "total",
        "label": "Total",
        "kind": "money",
        "summed": True,
    }
    french = client.get(REPORTS, params={"language": "fr"}, headers=manager).json()
    assert french[0]["columns"][0]["label"] == "Commande"


@pytest.mark.bundled  # whose words are French
def test_a_report_holds_the_enterprises_own_placed_orders_alone(client: TestClient, manager: Header) -> None:
    answer = client.get(f"{REPORTS}/tried/orders", params={"language": "fr"}, headers=manager)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="orders-2026-06-04.csv"'
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "Commande;Client;Total (EUR)",
        "1;Canary of shop;12,50",
        "2;Bob;8,00",
        ";Total;20,50",
    ]
    flat = client.get(f"{REPORTS}/tried/orders", params={"flat": "true", "format": "jsonl"}, headers=manager)
    assert len(flat.text.splitlines()) == 2


@pytest.mark.parametrize(("format", "begins"), [("xlsx", b"PK"), ("html", b"<!DOCTYPE"), ("pdf", b"%PDF")])
def test_every_format_can_be_had(client: TestClient, manager: Header, format: str, begins: bytes) -> None:
    answer = client.get(f"{REPORTS}/tried/orders", params={"format": format}, headers=manager)
    assert answer.status_code == 200
    assert answer.content.startswith(begins)
    policy = answer.headers["content-security-policy"]
    assert ("style-src 'sha256-" in policy) == (format == "html")


def test_without_permission_a_report_is_refused(client: TestClient, instance: Instance) -> None:
    packer = a_token(instance.store, "pia", "packer")
    stranger = a_token(instance.store, "sam", "manager", "other")
    products_only = a_token(instance.store, "nora", "manager", "shop", "products:read")
    assert client.get(f"{REPORTS}/tried/orders").status_code == 401
    assert client.get(REPORTS, headers=stranger).status_code == 404
    assert client.get(f"{REPORTS}/tried/orders", headers=stranger).status_code == 404
    assert client.get(f"{REPORTS}/tried/orders", headers=products_only).status_code == 403
    assert client.get(f"{REPORTS}/tried/orders", headers=packer).status_code == 200
    assert client.get(f"{REPORTS}/tried/money", headers=packer).status_code == 403
    assert "tried:money" not in {report["id"] for report in client.get(REPORTS, headers=packer).json()}


@pytest.mark.parametrize("path", ["tried/nothing", "gone/orders", "tried/no%20scope", "tried/nobodys"])
def test_an_unknown_report_is_not_found(client: TestClient, manager: Header, path: str) -> None:
    assert client.get(f"{REPORTS}/{path}", headers=manager).status_code == 404


@pytest.mark.parametrize(
    ("report", "parameters", "where"),
    [
        ("orders", {"sale": "other-session"}, "sale"),
        ("orders", {"frobnicate": "1"}, "frobnicate"),
        ("of_month", {"since": "yesterday"}, "since"),
        ("of_month", {"since": "2026-02-30"}, "since"),
        ("of_month", {"since": "2026-06-02", "until": "2026-06-01"}, "until"),
        ("orders", {"format": "doc"}, "format"),
        ("orders", {"flat": "perhaps"}, "flat"),
    ],
)
def test_a_wrong_parameter_is_named(
    client: TestClient, manager: Header, report: str, parameters: dict[str, str], where: str
) -> None:
    answer = client.get(f"{REPORTS}/tried/{report}", params=parameters, headers=manager)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [where]


def test_what_fails_before_the_first_part_is_a_problem(client: TestClient, manager: Header) -> None:
    answer = client.get(f"{REPORTS}/tried/broken", headers=manager)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


def test_what_fails_later_breaks_off_and_is_never_taken_for_whole(instance: Instance, manager: Header) -> None:
    with TestClient(make_app(instance)) as client, pytest.raises(ZeroDivisionError):
        client.get(f"{REPORTS}/tried/breaking", headers=manager)
    assert idle(instance.store)


def idle(store: Store) -> bool:
    """Tells whether no connection is in use."""
    return all(pool.checkedout() == 0 for pool in store.pools)  # type: ignore[attr-defined]


async def _disconnect() -> None:
    raise OSError("the caller is gone")


@pytest.mark.parametrize("caller_action", [_disconnect, anyio.sleep_forever], ids=["goes away", "takes no more"])
def test_who_goes_away_or_falls_asleep_leaves_no_snapshot_open(
    instance: Instance, manager: Header, caller_action: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PART_TIMEOUT", 0.5)
    events.clear()
    parts = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal parts
        parts += len(message.get("body", b"")) > 0
        if parts == 3:
            await caller_action()

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{REPORTS}/tried/endless",
        "raw_path": b"",
        "query_string": b"",
        "headers": [(b"authorization", manager["Authorization"].encode()), (b"host", b"testserver")],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "scheme": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "root_path": "",
    }

    async def ask() -> None:
        await make_app(instance)(scope, receive, send)

    with pytest.raises((ClientDisconnect, TimeoutError)):
        anyio.run(ask)
    assert events == ["begun", "closed"]
    assert idle(instance.store)


def test_the_snapshot_stays_the_same_to_its_end(instance: Instance) -> None:
    store = instance.store
    with store.read() as tx:
        lines = _orders(a_query(tx))
        first = next(lines)
        with store.write() as writing:
            a_placed_order(writing, total=999, name="Too late")
        assert [first[1], *(line[1] for line in lines)] == ["Canary of shop", "Bob"]


def a_query(tx: Transaction, **kwargs: Any) -> Query:
    return Query(
        tx=tx,
        enterprise_id="shop",
        enterprise_name="shop",
        currency="EUR",
        timezone="Europe/Paris",
        language="en",
        given=kwargs,
    )


def test_the_number_of_statements_does_not_grow_with_the_lines(
    instance: Instance, client: TestClient, manager: Header
) -> None:
    def count_statements() -> int:
        statements: list[str] = []

        def note(*args: Any) -> None:
            statements.extend([args[2]] if args[2].startswith("SELECT") else [])

        event.listen(instance.store.engine, "before_cursor_execute", note)
        assert client.get(f"{REPORTS}/tried/orders", headers=manager).status_code == 200
        event.remove(instance.store.engine, "before_cursor_execute", note)
        return len(statements)

    count_statements()  # so that only this call writes the token's last use
    before = count_statements()
    with instance.store.write() as tx:
        for _ in range(200):
            a_placed_order(tx)
    assert count_statements() == before


def test_a_period_counts_days_of_the_distribution_on_the_shops_clocks(instance: Instance) -> None:
    """The shop's goods are handed over on 6 June from 17:00 in Paris, whenever they were ordered."""
    with instance.store.read() as tx:
        shop, parameters = enterprise_by_id(tx, "shop"), a_period("en")
        for since, until, count in (
            ("2026-06-06", "2026-06-06", 2),
            ("2026-06-01", "2026-06-05", 0),
            ("2026-06-07", "2026-06-30", 0),
        ):
            parameter_values = read_parameters(tx, shop, parameters, {"since": since, "until": until})
            assert len(list(_orders(a_query(tx, **parameter_values)))) == count


def test_the_current_sale_is_the_one_whose_goods_are_handed_out_next(store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        a_shop(tx)
        first = tx.one(sale_session.select())
        for name, days in (("next-week", 7), ("last-week", -7)):
            times = {
                key: first[key] + timedelta(days=days) for key in ("opens_at", "closes_at", "begins_at", "ends_at")
            }
            sale = {
                "opens_at": times["opens_at"],
                "closes_at": times["closes_at"],
                "coordinator_id": "shop",
                "name": name,
            }
            tx.execute(insert(coordination).values(id=name, created_at=tx.now, version=1, **sale))
            tx.execute(insert(sale_session).values({**first, "id": name, "coordination_id": name, **times}))
    for days, current in ((0, "shop-session"), (2, "shop-session"), (3, "next-week"), (30, "next-week")):
        clock.advance(days=days)
        with store.read() as tx:
            assert current_sale(tx, "shop") == current
        clock.advance(days=-days)


def test_parameters_are_read_strictly_and_every_mistake_is_told(instance: Instance) -> None:
    parameters = [
        Parameter(name="n", label="", kind="whole", default=3, least=1, most=5),
        Parameter(name="flag", label="", kind="flag", default=False),
        Parameter(name="word", label="", kind="text"),
    ]
    with instance.store.read() as tx:
        shop = enterprise_by_id(tx, "shop")
        assert read_parameters(tx, shop, parameters, {}) == {"n": 3, "flag": False, "word": None}
        assert read_parameters(tx, shop, parameters, {"n": "5", "flag": "true", "word": "a"})["n"] == 5
        with pytest.raises(Invalid) as error:
            read_parameters(tx, shop, parameters, {"n": "6", "flag": "yes", "word": "x" * 201, "more": ""})
    assert [problem.where for problem in error.value.problems] == ["more", "n", "flag", "word"]


def test_filters_compare_as_they_say(instance: Instance) -> None:
    def order_numbers(operator: Any, field: str, value: Any) -> list[Any]:
        with instance.store.read() as tx:
            return [line[0] for line in look(a_query(tx), "orders", "number", where=[Filter(field, operator, value)])]

    assert order_numbers("is", "customer", "Bob") == [2]
    assert order_numbers("is_not", "customer", "Bob") == [1]
    assert order_numbers("contains", "customer", "CANARY") == [1]
    assert order_numbers("contains", "customer", "%") == []
    assert order_numbers("least", "total", 801) == [1]
    assert order_numbers("most", "total", 800) == [2]


def test_columns_carry_labels_and_kinds() -> None:
    assert columns_of("orders", "fr", "total", summed=("total",)) == [
        Column(name="total", label="Total", kind="money", summed=True)
    ]


def test_a_cancelled_order_is_in_no_report(instance: Instance) -> None:
    with instance.store.write() as tx:
        tx.execute(customer_order.update().where(customer_order.c.name == "Bob").values(state="Cancelled"))
    with instance.store.read() as tx:
        assert [line[1] for line in _orders(a_query(tx))] == ["Canary of shop"]
