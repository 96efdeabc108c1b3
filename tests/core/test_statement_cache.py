"""A repeated statement goes straight to the driver, with the same results."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from sqlalchemy import bindparam, event, func, insert, literal, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from commensal.base.acting import Acting, acting
from commensal.base.errors import StoreError
from commensal.enterprises.tables import enterprise
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.tables import customer_order
from commensal.orders.values import Wish
from commensal.people.tables import person
from commensal.storage.database import Exact, Row, Store, Transaction, statement_cache
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item

OFTEN = range(5)
ADD = insert(person)
BY_EMAIL = select(person).where(person.c.email == bindparam("email"))


def values_of_person(number: int, tx: Transaction, **kwargs: Any) -> Row:
    """Returns the values of a person; without `phone`, which has a default in Python."""
    common = {"email": f"a{number}@example.org", "name": "Ada", "language": "fr", "is_operator": False, "version": 1}
    return {"id": f"p{number}", **common, "created_at": tx.now, **kwargs}


def test_values_go_in_and_come_back_as_they_do_the_first_time(store: Store) -> None:
    add = insert(job)
    query = select(job).where(job.c.id.in_(bindparam("ids", expanding=True)), job.c.state == "waiting")
    with store.write() as tx:
        for number in OFTEN:
            row: Row = {"id": f"j{number}", "kind": "é'\"%", "payload": {"n": [number, None]}, "state": "waiting"}
            row |= {"due_at": tx.now, "attempts": number, "error": "", "created_at": tx.now, "finished_at": None}
            assert tx.change(add, {**row, "claimed_until": None}) == 1
        for ids in ([], ["j0"], ["j0", "j4"], ["j3", "j1"], ["j4", "j0"], []):
            rows = tx.all(query.order_by(job.c.id), {"ids": ids})
            repeated = [tx.all(query, {"ids": ids}) for _ in OFTEN]
            assert all(sorted(rows_again, key=lambda row: str(row["id"])) == rows for rows_again in repeated)
            assert [row["payload"] for row in rows] == [{"n": [int(job_id[1]), None]} for job_id in sorted(ids)]
        assert all(type(row["due_at"]) is datetime and row["due_at"] == tx.now for row in repeated[-1])


class NamedPerson(NamedTuple):
    name: str
    is_operator: bool
    created_at: datetime


def test_typed_rows_are_the_same_the_first_time_and_the_sixth(store: Store) -> None:
    query = select(person.c.name, person.c.is_operator, person.c.created_at).order_by(person.c.email)
    with store.write() as tx:
        for number in (1, 2):
            tx.change(ADD, values_of_person(number, tx, name=f"Ada {number}"))
        first, second = (NamedPerson(f"Ada {number}", False, tx.now) for number in (1, 2))
        assert [tx.rows(NamedPerson, query) for _ in OFTEN] == [[first, second]] * len(OFTEN)
        assert [tx.rows(NamedPerson, query, limit=1) for _ in OFTEN] == [[first]] * len(OFTEN)
        assert [tx.row(NamedPerson, query) for _ in OFTEN] == [first] * len(OFTEN)
        assert tx.row(NamedPerson, query.where(person.c.name == "Eve")) is None


@pytest.mark.parametrize("before", [0, 5])
def test_a_statement_with_other_columns_than_the_fields_of_a_row_is_refused(store: Store, before: int) -> None:
    query = select(person.c.name, person.c.created_at, person.c.is_operator)
    with store.read() as tx:
        for _ in range(before):
            tx.all(query)
        with pytest.raises(TypeError, match=r"NamedPerson has the fields .*, but the statement returns \('name', 'cre"):
            tx.rows(NamedPerson, query)


def test_decimals_go_in_and_come_back_as_they_are(store: Store) -> None:
    rate = select(bindparam("rate", type_=Exact).label("rate"), literal(Decimal("0.10"), Exact).label("fixed"))
    with store.read() as tx:
        rows = [tx.one(rate, {"rate": Decimal("5.50")}) for _ in OFTEN]
        assert {str(row["rate"]) for row in rows} == {"5.5"}
        assert all(row["fixed"] == Decimal("0.1") and type(row["fixed"]) is Decimal for row in rows)
        assert {tx.value(rate, {"rate": None}) for _ in OFTEN} == {None}


def test_listeners_see_every_statement_and_may_change_it(store: Store) -> None:
    statements: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute", retval=True)
    def note(connection: Any, cursor: Any, text: str, sent: Any, context: Any, many: bool) -> tuple[str, Any]:
        statements.append(text)
        return text.replace("person.name", "person.email AS name"), sent

    names = select(person.c.name)
    with store.write() as tx:
        tx.change(ADD, values_of_person(1, tx))
        assert {tx.value(names) for _ in OFTEN} == {"a1@example.org"}
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == len(OFTEN)


def test_a_default_that_python_makes_is_made_every_time(store: Store) -> None:
    with store.write() as tx:
        for number in OFTEN:
            tx.change(ADD, values_of_person(number, tx))
            assert tx.one(BY_EMAIL, {"email": f"a{number}@example.org"})["phone"] == ""


def test_a_number_that_is_inexact_is_refused_even_if_it_equals_an_exact_one_of_before(store: Store) -> None:
    bind = Exact().bind_processor(store.engine.dialect)
    assert [bind(Decimal("2.50")), bind(Decimal("2.5")), bind(None)] == ["2.5", "2.5", None]
    for inexact in (2.5, 2):
        with pytest.raises(TypeError, match="is not a Decimal"):
            bind(inexact)


@pytest.mark.parametrize("before", [0, 5])
def test_errors_are_the_same_the_first_time_and_the_sixth(store: Store, before: int) -> None:
    add = insert(person)
    with store.write() as tx:
        for number in range(before):
            tx.change(add, values_of_person(number, tx, phone=""))
        tx.change(add, values_of_person(7, tx, phone=""))
        with pytest.raises(IntegrityError) as error, tx.attempt():
            tx.change(add, values_of_person(7, tx, phone="0601"))
        with pytest.raises(StatementError, match="no time zone"), tx.attempt():
            tx.change(add, values_of_person(8, tx, phone="0601", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001
        with pytest.raises(StatementError, match="A value is required"):
            tx.all(BY_EMAIL)
        assert tx.value(select(func.count()).select_from(person)) == before + 1, "the transaction goes on"
    assert "0601" not in str(error.value), "what was sent is not shown"


def test_a_reader_cannot_write_the_sixth_time_either(store: Store) -> None:
    no_change = update(person).values(name="Eve")
    with store.write() as tx:
        assert [tx.change(no_change) for _ in OFTEN] == [0] * len(OFTEN)
    with pytest.raises(DBAPIError), store.read() as tx:
        tx.change(no_change)


def test_a_savepoint_that_is_over_takes_no_more_statements(store: Store) -> None:
    names = select(person.c.name)
    with store.write() as tx:
        assert [tx.all(names) for _ in OFTEN] == [[]] * len(OFTEN)
        with tx.attempt() as nested:
            nested.rollback()
            with pytest.raises(StoreError, match="rolled back"):
                tx.all(names)


def test_the_audit_trail_notes_the_sixth_change_like_the_first(instance: Instance) -> None:
    rename = update(enterprise).where(enterprise.c.id == "shop").values(name=bindparam("new"))
    with instance.store.write() as tx:
        a_shop(tx)
    with acting(Acting(kind="shell", enterprise_id="shop")), instance.store.write() as tx:
        for number in OFTEN:
            assert tx.change(rename, {"new": f"Shop {number}"}) == 1
        assert tx.trail is not None
        names = [change.fields["name"][1] for change in tx.trail.changes]
    assert names == [f"Shop {number}" for number in OFTEN]


def test_what_returns_rows_changes_them_although_only_the_first_is_read(store: Store) -> None:
    rename = update(person).values(name=bindparam("new")).returning(person.c.id)
    with store.write() as tx:
        for number in OFTEN:
            tx.change(ADD, values_of_person(number, tx))
        for number in OFTEN:
            assert tx.first(rename, {"new": f"Ada {number}"}) is not None
        assert {row["name"] for row in tx.all(select(person.c.name))} == {"Ada 4"}


def test_all_statements_of_the_fourth_order_are_constants(instance: Instance) -> None:
    compiled: list[str] = []

    def order() -> None:
        with instance.store.write() as tx:
            place_order(tx, instance.hooks, "shop-session", Wish(items={item: 1}, name="Ada", email="ada@example.org"))

    with instance.store.write() as tx:
        a_shop(tx)
        item = an_item(tx, a_lot(tx, on_hand="9"))
    for _ in range(3):
        order()
    event.listen(instance.store.engine, "before_execute", lambda *args: compiled.append(str(args[1])))
    order()
    assert compiled == [], "SQLAlchemy compiles every statement that fires this event"


def test_without_the_cache_every_statement_is_left_to_sqlalchemy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.read() as tx:
        assert tx.constant(BY_EMAIL, {"email": "a1@example.org"}, often=1) is not None
        monkeypatch.setattr(statement_cache, "ENABLED", False)
        assert tx.constant(BY_EMAIL, {"email": "a1@example.org"}, often=1) is None
        assert tx.all(BY_EMAIL, {"email": "a1@example.org"}) == []


def test_words_of_a_statement_stand_in_its_text_and_values_do_not(store: Store) -> None:
    texts: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: texts.append(args[2]))
    states = job.c.state.in_(("waiting", "on hold"))
    query = select(job.c.id).where(states, job.c.kind == "mail", job.c.id == bindparam("id"), job.c.error != "it's %s")
    with store.read() as tx:
        for _ in OFTEN:
            tx.all(query, {"id": "j"})
    text = texts[-1]
    assert "IN ('waiting', 'on hold')" in text
    assert "kind = 'mail'" in text
    assert "it's" not in text
    assert "'j'" not in text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # it is SQLite that plans anew
def test_a_partial_index_serves_a_repeated_statement_without_a_plan_for_each_execution(store: Store) -> None:
    unpaid = select(customer_order.c.id).where(
        customer_order.c.enterprise_id == bindparam("shop"), customer_order.c.payment_state == "Unpaid"
    )
    with store.read() as tx:
        for _ in OFTEN:
            tx.all(unpaid, {"shop": "shop"})
        prepared = tx.constant(unpaid, {"shop": "shop"})
        assert prepared is not None
        plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {prepared.text}", ("shop",)).all()
    assert prepared.text.count("?") == 1
    assert "ix_customer_order_unpaid" in plan[0].detail
