"""Statements for a fund: over the API, as CSV and on the command line; they name no customers."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient
from typer.testing import CliRunner

import commensal_solidarity as solidarity
from commensal import DemoPlace, Invalid, Query, metadata, plugin_settings
from commensal.base.clock import ManualClock
from commensal.enterprises.plugins import enabled_plugins
from commensal.enterprises.tables import customer, enterprise_member
from commensal.instance import Instance, open_instance
from commensal.orders.tables import customer_order
from commensal.parts.cli import app
from commensal.parts.reports.run import find_report
from commensal.parts.setup.begin import begin_instance
from commensal.people.people import add_person, new_person
from commensal.people.sessions import begin_session
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.database import Store
from commensal_solidarity.settings import Settings as Programmes
from commensal_solidarity.statement import FundSums, record_payment, statement_of, sums_of
from commensal_solidarity.tables import solidarity_entry

from .town import Town, open_town

PLUGINS = ("solidarity",)
HOUR = timedelta(hours=1)
API = "/api/-/solidarity/enterprises/shop/programmes"


@pytest.fixture
def town(instance: Instance) -> Town:
    return open_town(instance)


def log_in(store: Store, client: TestClient, role: str) -> TestClient:
    new_member = new_person(email=f"{role}@example.org", name=role, password="a long enough password", language="fr")
    with store.write() as tx:
        person = add_person(tx, new_member, confirmed=True)
        assert person is not None
        row = {"enterprise_id": "shop", "person_id": person.id, "role": role, "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
        client.cookies.set("session", begin_session(tx, person).secret)
    client.headers["Origin"] = "http://testserver"
    return client


@pytest.fixture
def accountant(town: Town, client: TestClient) -> TestClient:
    return log_in(town.store, client, "accountant")


def test_a_fund_is_told_its_orders_by_number_and_date_and_what_is_left(
    town: Town, accountant: TestClient, clock: ManualClock
) -> None:
    town.order("ada", apples=2)
    town.order("eve", apples=2)
    clock.advance(days=0.9)
    town.order("bob", apples=1)
    statement = accountant.get(f"{API}/ccas/statement", params={"from": "2026-06-01", "to": "2026-06-30"}).json()
    assert statement.pop("orders") == [
        {"number": 1, "placed_on": "2026-06-04", "who": "#1", "amount": 600},
        {"number": 3, "placed_on": "2026-06-05", "who": "#2", "amount": 300},
    ]
    year = {"first_day": "2026-01-01", "last_day": "2026-12-31", "budget": 3000, "spent": 900, "left": 2100}
    assert statement == {
        "programme": "ccas",
        "payer": "CCAS",
        "shop": "Halle",
        "currency": "EUR",
        "first_day": "2026-06-01",
        "last_day": "2026-06-30",
        "total": 900,
        "received": 0,
        "owed": 900,
        "year": year,
    }
    (programme,) = accountant.get(API).json()
    category = {"category": town.category, "category_name": "Quotient familial"}
    assert programme == {"id": "ccas", "payer": "CCAS", **category, "year": year}
    town.agree({"category": "gone"})
    assert accountant.get(API).json()[0]["category_name"] is None


def test_a_period_tells_what_was_granted_and_given_back_in_it(town: Town, clock: ManualClock) -> None:
    (programme,) = town.agree({})
    order, other_order = town.order("ada", apples=2), town.order("bob", apples=1)
    clock.advance(days=1)
    town.change(order, apples=1)
    town.cancel(other_order)
    with town.store.read() as tx:
        today = date(2026, 6, 5)
        amounts = {
            span: [(order.number, order.amount) for order in statement_of(tx, "shop", programme, *span).orders]
            for span in [(date(2026, 6, 4), date(2026, 6, 4)), (today, today), (None, None)]
        }
    assert list(amounts.values()) == [[(1, 600), (2, 300)], [(1, -300), (2, -300)], [(1, 300)]]


def test_over_new_year_a_statement_adds_up_to_the_budget_of_its_year(town: Town, clock: ManualClock) -> None:
    (programme,) = town.agree({"budget": 100_000})

    def year_of(year: int) -> tuple[list[int], int, int]:
        with town.store.read() as tx:
            year_statement = statement_of(tx, "shop", programme, date(year, 1, 1), date(year, 12, 31))
        assert year_statement.total == year_statement.year.spent
        return [order.amount for order in year_statement.orders], year_statement.total, year_statement.owed

    def set_distribution(day: datetime) -> None:
        with town.store.write() as tx:
            row = sale_session
            opens_at = day - 144 * HOUR
            tx.execute(update(row).values(opens_at=opens_at, closes_at=day, begins_at=day, ends_at=day + HOUR))
            tx.execute(update(coordination).values(opens_at=opens_at, closes_at=day))

    clock.set(datetime(2026, 12, 28, 12, tzinfo=UTC))
    set_distribution(datetime(2026, 12, 30, 17, tzinfo=UTC))
    old_order = town.order("ada", apples=2)
    set_distribution(datetime(2027, 1, 2, 17, tzinfo=UTC))
    town.order("bob", apples=1)
    assert year_of(2026) == ([600], 600, 600)
    assert year_of(2027) == ([300], 300, 900)
    clock.set(datetime(2027, 1, 5, 12, tzinfo=UTC))
    set_distribution(datetime(2026, 12, 30, 17, tzinfo=UTC))
    town.change(old_order, apples=1)  # the change comes after the end of December
    assert year_of(2026) == ([300], 300, 300)
    assert year_of(2027) == ([300], 300, 600)


def test_days_are_those_of_the_hubs_clocks(town: Town, clock: ManualClock) -> None:
    """At ten to midnight UTC it is the next day in Paris."""
    (programme,) = town.agree({})
    clock.advance(hours=13, minutes=50)
    town.order("ada", apples=2)
    with town.store.read() as tx:
        statements = [statement_of(tx, "shop", programme, day, day) for day in (date(2026, 6, 4), date(2026, 6, 5))]
        sums = [sums_of(tx, "shop", programme, day, day) for day in (date(2026, 6, 4), date(2026, 6, 5))]
    assert [statement.total for statement in statements] == [0, 600]
    assert sums == [
        FundSums(**{field.name: getattr(statement, field.name) for field in fields(FundSums)})
        for statement in statements
    ]
    assert statements[1].orders[0].placed_on == date(2026, 6, 5)


@pytest.mark.parametrize(
    ("terms", "code", "shown_name"),
    [({}, None, "#1"), ({}, "C-17", "C-17"), ({"show_names": True}, "C-17", "Ada Martin-Petit")],
)
def test_people_are_named_only_where_the_programme_says_so(
    town: Town, terms: dict[str, Any], code: str | None, shown_name: str
) -> None:
    (programme,) = town.agree(terms)
    town.order("ada", apples=2)
    town.order("ada", apples=1)
    with town.store.write() as tx:
        tx.execute(update(customer_order).values(name="Ada Martin-Petit"))
        tx.execute(update(customer).where(customer.c.id == town.customers["ada"]).values(code=code))
        granted = statement_of(tx, "shop", programme).orders
    assert [order.who for order in granted] == [shown_name] * 2, "the fund sees that it is the same person"


def test_a_statement_ends_after_it_begins_and_is_not_endless(town: Town, accountant: TestClient) -> None:
    for first_day, last_day in (("2026-06-02", "2026-06-01"), ("1990-01-01", "2026-06-01")):
        refusal = accountant.get(f"{API}/ccas/statement", params={"from": first_day, "to": last_day})
        assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (422, "period")
    assert accountant.get(f"{API}/ccas/statement", params={"from": "June"}).status_code == 422
    assert accountant.get(f"{API}/cse/statement").status_code == 404


@pytest.mark.parametrize(("language", "total"), [("fr", "9,00"), ("en", "9.00")])
def test_a_statement_opens_in_a_spreadsheet(town: Town, accountant: TestClient, language: str, total: str) -> None:
    town.agree({"payer": "=CCAS"})
    town.order("ada", apples=2)
    town.order("bob", apples=1)
    with town.store.write() as tx:
        tx.execute(update(customer).where(customer.c.id == town.customers["ada"]).values(code="=1+1"))
    answer = accountant.get(f"{API}/ccas/statement.csv", headers={"Accept-Language": language})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "ccas-2026-01-01-2026-06-04.csv" in answer.headers["content-disposition"]
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if language == "fr" else ","))
    assert rows[0] == ["Halle", "'=CCAS", "2026-01-01", "2026-06-04"]
    assert [row[2] for row in rows[2:4]] == ["'=1+1", "#2"]
    assert rows[4] == ["", "", "Total", total]
    assert {len(row) for row in rows} == {4}


# ------------------------------------------------------------------------------------------------ what was paid


def test_what_the_fund_pays_is_written_down_once_and_lowers_what_it_owes(town: Town, client: TestClient) -> None:
    manager = log_in(town.store, client, "manager")
    town.order("ada", apples=2)
    paid = {"amount": 400, "paid_on": "2026-06-04", "reference": "Mandat 17"}
    for _ in range(2):
        answer = manager.post(f"{API}/ccas/payments", json=paid, headers={"Idempotency-Key": "a"})
        assert answer.status_code == 201, answer.text
    statement = manager.get(f"{API}/ccas/statement").json()
    assert (statement["total"], statement["received"], statement["owed"]) == (600, 400, 200)
    correction = {**paid, "amount": -400, "reference": "Erreur"}
    assert manager.post(f"{API}/ccas/payments", json=correction, headers={"Idempotency-Key": "b"}).status_code == 201
    items = manager.get(f"{API}/ccas/payments").json()["items"]
    assert [(entry["amount"], entry["reference"]) for entry in items] == [(400, "Mandat 17"), (-400, "Erreur")]
    assert manager.get(f"{API}/ccas/statement").json()["owed"] == 600
    refusal = manager.post(f"{API}/ccas/payments", json={**paid, "amount": 0}, headers={"Idempotency-Key": "c"})
    assert refusal.status_code == 422
    assert manager.post(f"{API}/ccas/payments", json=paid).status_code >= 400, "money needs a key"


def test_what_was_paid_after_the_period_is_not_in_its_statement(town: Town) -> None:
    (programme,) = town.agree({})
    town.order("ada", apples=2)
    with town.store.write() as tx:
        record_payment(tx, "shop", "ccas", amount=100, paid_on=date(2026, 6, 4))
        record_payment(tx, "shop", "ccas", amount=200, paid_on=date(2026, 7, 1))
        record_payment(tx, "shop", "cse", amount=400, paid_on=date(2026, 6, 4))
        june = statement_of(tx, "shop", programme, date(2026, 6, 1), date(2026, 6, 30))
        july = statement_of(tx, "shop", programme, date(2026, 7, 1), date(2026, 7, 31))
        with pytest.raises(Invalid):
            record_payment(tx, "shop", "ccas", amount=0, paid_on=date(2026, 6, 4))
    assert [(statement.total, statement.received, statement.owed) for statement in (june, july)] == [
        (600, 100, 500),
        (0, 200, 300),
    ]


def test_the_books_only_grow(town: Town) -> None:
    town.order("ada", apples=2)
    for statement in (update(solidarity_entry).values(amount=1), delete(solidarity_entry)):
        with pytest.raises(DBAPIError, match="only grows"), town.store.write() as tx:
            tx.execute(statement)
    with town.store.write() as tx:
        record_payment(tx, "shop", "ccas", amount=400, paid_on=date(2026, 6, 4))
    with pytest.raises(DBAPIError, match="only grows"), town.store.write() as tx:
        tx.execute(text("DELETE FROM solidarity_payment"))


# ------------------------------------------------------------------------------------------------ who may


@pytest.mark.parametrize(
    ("role", "read_status", "write_status"), [("packer", 403, 403), ("accountant", 200, 403), ("manager", 200, 201)]
)
def test_accountants_read_managers_write_and_packers_need_not_know(
    town: Town, client: TestClient, role: str, read_status: int, write_status: int
) -> None:
    member = log_in(town.store, client, role)
    assert member.get(f"{API}/ccas/statement").status_code == read_status
    paid = {"amount": 400, "paid_on": "2026-06-04"}
    assert member.post(f"{API}/ccas/payments", json=paid, headers={"Idempotency-Key": "a"}).status_code == write_status


def test_strangers_are_told_nothing(town: Town, client: TestClient) -> None:
    for path in ("", "/ccas/statement", "/ccas/statement.csv", "/ccas/payments"):
        assert client.get(f"{API}{path}").status_code == 401


# ------------------------------------------------------------------------------------------------ elsewhere


def test_each_fund_has_its_page_in_the_report(town: Town) -> None:
    town.agree({"percent": "20"}, {"id": "cse", "payer": "CSE", "percent": "10"})
    town.order("ada", apples=2)
    with town.store.read() as tx:
        report = find_report(tx, town.instance.hooks, "shop", "solidarity", "statements", "fr")
        june = {"since": date(2026, 6, 1), "until": date(2026, 6, 30)}
        place: Any = {"enterprise_id": "shop", "enterprise_name": "Halle", "timezone": "Europe/Paris"}
        query = Query(tx=tx, **place, currency="EUR", language="fr", given=june)
        lines = [tuple(line) for line in report.rows(query)]
    assert report.label == "Relevés des financeurs"
    assert (report.grouped_by, report.page_per_group) == (["payer"], True)
    day = date(2026, 6, 4)
    assert lines == [("CCAS", "ccas", 1, day, "#1", 400), ("CSE", "cse", 1, day, "#1", 200)]
    with town.store.read() as tx:
        july = {"since": date(2026, 7, 1), "until": date(2026, 7, 31)}
        of_sale = {**july, "sale": tx.value(select(customer_order.c.session_id))}
        assert [tuple(line) for line in report.rows(replace(query, tx=tx, given=of_sale))] == lines
        assert list(report.rows(replace(query, tx=tx, given={**of_sale, "sale": "another"}))) == []


def test_a_hub_of_the_demo_has_a_programme(town: Town) -> None:
    with town.store.write() as tx:
        place = DemoPlace(instance=town.instance, enterprise_id="shop", seed=1)
        assert solidarity.demo_data(tx, place)
        assert not solidarity.demo_data(tx, DemoPlace(instance=town.instance, enterprise_id="other", seed=1))
        (programme,) = enabled_plugins(tx, "shop")["solidarity"]["programmes"]
    assert programme["category"] == town.category
    assert town.order("ada", apples=2).adjustments[0].amount == -600


def test_its_revisions_make_what_its_tables_declare(store: Store) -> None:
    def is_own_table(name: str | None, kind: str, parents: object) -> bool:
        return kind != "table" or (str(name).startswith("solidarity_") and name != "solidarity_revision")

    with store.read() as tx:
        context = MigrationContext.configure(tx.connection, opts={"include_name": is_own_table, "compare_type": True})
        differences = [
            difference for difference in compare_metadata(context, metadata) if "solidarity" in repr(difference)
        ]
    assert differences == []


def test_a_hub_writes_its_programmes_into_a_file_with_the_days_of_toml(tmp_path: Path) -> None:
    begin_instance(tmp_path, name="Halle", plugins=("solidarity",))
    with open_instance(tmp_path) as instance:
        category = open_town(instance).category
    file = tmp_path / "programmes.toml"
    terms = f'[[programmes]]\nid = "cse"\npayer = "CSE"\ncategory = "{category}"\npercent = 12.5\nbudget = 5000\n'
    file.write_text(f"{terms}valid_from = 2026-01-01\n", encoding="utf-8")
    result = CliRunner().invoke(
        app, ["enterprise", "plugin", "shop", "solidarity", "--file", str(file), "--instance", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    with open_instance(tmp_path) as instance, instance.store.read() as tx:
        (programme,) = plugin_settings(tx, instance.hooks, "shop", "solidarity", Programmes).programmes
    assert (programme.valid_from, programme.percent) == (date(2026, 1, 1), Decimal("12.5"))
