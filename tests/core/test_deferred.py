"""On PostgreSQL, statements without a result are sent with the next statement; errors still name the right cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from types import ModuleType
from typing import Any

import msgspec
import pytest
from sqlalchemy import bindparam, create_engine, func, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, ProgrammingError

from commensal import hookimpl
from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, PluginError, StoreError
from commensal.base.ids import SeededIds
from commensal.hooks import specifications
from commensal.hooks.contract import AnyHook
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.parts.backups.export import read_rows
from commensal.people.tables import person
from commensal.storage.database import Row, Store, Transaction, refuse_conflict

NONE: Any = None
ADD = insert(person)
RENAME = update(person).values(name=bindparam("name"))
COUNT = select(func.count()).select_from(person)


@pytest.fixture
def store(new_postgresql: Callable[[], str], clock: ManualClock, ids: SeededIds) -> Iterator[Store]:
    """A store whose statements were used often enough to be cached as constants."""
    store = Store(new_postgresql(), clock=clock, ids=ids)
    with store.write() as tx, pytest.raises(RuntimeError), tx.attempt():
        for number in range(3):
            tx.later(ADD, values_of_person(tx, number))
            tx.later(RENAME, {"name": "Ada"})
        raise RuntimeError
    yield store
    store.close()


def values_of_person(tx: Transaction, number: int) -> Row:
    values = {"name": "Ada", "phone": "", "language": "fr", "is_operator": False, "version": 1}
    return {"id": f"p{number}", "email": f"a{number}@example.org", "created_at": tx.now, **values}


def unsent_statements(tx: Transaction) -> list[str]:
    """Returns the first word of each statement that was not sent yet."""
    driver: Any = tx.connection.connection.driver_connection
    return [statement.text.split()[0] for statement in driver.unsent]


def person_ids(store: Store) -> list[str]:
    with store.read() as tx:
        return [str(row["id"]) for row in tx.all(select(person.c.id).order_by(person.c.id))]


def test_rows_are_sent_with_the_next_question_and_with_the_commit(store: Store) -> None:
    with store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
        tx.later(ADD, values_of_person(tx, 2))
        assert unsent_statements(tx) == ["BEGIN", "INSERT", "INSERT"]
        assert tx.value(COUNT) == 2
        assert unsent_statements(tx) == []
        tx.later(ADD, values_of_person(tx, 3))
        assert unsent_statements(tx) == ["INSERT"]
    assert person_ids(store) == ["p1", "p2", "p3"]


def test_where_nothing_is_asked_not_even_the_begin_is_sent(store: Store) -> None:
    with store.write() as tx, tx.hold.reading():
        assert unsent_statements(tx) == ["BEGIN", "SAVEPOINT", "SET"]


def test_very_many_rows_do_not_wait_in_memory(store: Store) -> None:
    with store.write() as tx:
        for number in range(50):
            tx.later(ADD, values_of_person(tx, number))
            assert len(unsent_statements(tx)) <= 20
    assert len(person_ids(store)) == 50


def test_what_fails_rolls_back_what_was_not_sent_yet(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
        raise RuntimeError
    assert person_ids(store) == []


@pytest.mark.parametrize("sender", ["question", "catching up", "commit"])
def test_what_is_wrong_with_a_row_is_told_by_whatever_sends_it(store: Store, sender: str) -> None:
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
        tx.later(ADD, values_of_person(tx, 1))
        tx.later(ADD, values_of_person(tx, 2))
        if sender == "question":
            tx.value(COUNT)
        elif sender == "catching up":
            tx.hold.catch_up()
    assert person_ids(store) == []


@pytest.mark.parametrize("sender", ["cached question", "other question", "catching up", "commit"])
def test_an_error_names_the_statement_that_failed_and_not_the_one_that_sent_it(store: Store, sender: str) -> None:
    for _ in range(3):
        with store.read() as tx:
            tx.value(COUNT)
    with pytest.raises(IntegrityError) as raised, store.write() as tx:
        tx.later(RENAME, {"name": "Ada"})
        tx.later(ADD, values_of_person(tx, 1))
        tx.later(ADD, values_of_person(tx, 1))
        tx.later(RENAME, {"name": "Eve"})
        if sender == "cached question":
            tx.value(COUNT)
        elif sender == "other question":
            tx.execute(text("SELECT 1"))
        elif sender == "catching up":
            tx.hold.catch_up()
    assert str(raised.value.statement).startswith("INSERT INTO person")
    assert "[SQL: INSERT INTO person" in str(raised.value)


def test_an_error_of_the_question_itself_names_the_question(store: Store) -> None:
    with pytest.raises(ProgrammingError) as raised, store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
        tx.execute(text("SELECT nothing FROM person"))
    assert raised.value.statement == "SELECT nothing FROM person"


def test_an_attempt_undoes_its_own_rows_and_no_others(store: Store) -> None:
    with store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
        with pytest.raises(RuntimeError), tx.attempt():
            tx.later(ADD, values_of_person(tx, 2))
            raise RuntimeError
        with pytest.raises(IntegrityError), tx.attempt():
            tx.later(ADD, values_of_person(tx, 1))
        tx.later(ADD, values_of_person(tx, 3))
    assert person_ids(store) == ["p1", "p3"]


def test_a_refusal_is_about_its_own_rows_and_no_others(store: Store) -> None:
    duplicate = Conflict("double", "It is there already.")
    with store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
        with pytest.raises(Conflict), refuse_conflict(tx, duplicate=duplicate):
            tx.later(ADD, values_of_person(tx, 1))
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
        with refuse_conflict(tx, duplicate=duplicate):
            tx.later(ADD, values_of_person(tx, 2))


def test_rows_of_an_export_are_refused_where_they_are_read(store: Store) -> None:
    with store.read() as tx:
        row = {**values_of_person(tx, 1), **dict.fromkeys(("password_hash", "confirmed_at", "disabled_at"))}
    line = msgspec.json.encode(row) + b"\n"
    for _ in range(4):
        with pytest.raises(StoreError, match="The database refuses rows of person"), store.write() as tx:
            read_rows(tx, person, BytesIO(line + line))


def _hooks(clock: ManualClock, hook: AnyHook, *functions: Callable[[Transaction], Any]) -> Hooks:
    modules = {f"plugin{number}": ModuleType(f"plugin{number}") for number, _ in enumerate(functions)}
    for module, function in zip(modules.values(), functions, strict=True):
        function.__name__ = hook.name
        setattr(module, hook.name, hookimpl(function))
    return load_plugins(InstanceSettings(name="Test", plugins={"enabled": list(modules)}), clock=clock, modules=modules)


HOOK_ARGUMENTS = dict.fromkeys(("person_id", "language", "enterprise_id", "session_id", "address"))


def test_a_hook_that_reads_cannot_write_by_a_statement_that_nobody_waits_for(store: Store, clock: ManualClock) -> None:
    def insert_later(tx: Transaction) -> list[object]:
        tx.later(ADD, values_of_person(tx, 1))
        return []

    def count_people(tx: Transaction) -> list[object]:
        assert tx.value(COUNT) == 1
        return []

    hook: AnyHook = specifications.menu_items
    hooks = _hooks(clock, hook, insert_later, count_people, insert_later)
    with store.write() as tx:
        tx.later(ADD, values_of_person(tx, 0))
        assert [answer.plugin for answer in hooks.each(hook, tx=tx, **HOOK_ARGUMENTS)] == ["plugin1"]
        tx.later(ADD, values_of_person(tx, 2))
    assert [failure.plugin for failure in hooks.failures] == ["plugin0", "plugin2"]
    assert person_ids(store) == ["p0", "p2"]


def test_a_plugin_is_not_blamed_for_what_went_wrong_before(store: Store, clock: ManualClock) -> None:
    def count_people(tx: Transaction) -> list[object]:
        assert tx.value(COUNT) is not None
        return []

    hook: AnyHook = specifications.menu_items
    hooks = _hooks(clock, hook, count_people)
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
        tx.later(ADD, values_of_person(tx, 1))
        hooks.each(hook, tx=tx, **HOOK_ARGUMENTS)
    assert hooks.failures == []


def test_a_plugin_that_writes_is_blamed_for_its_own_rows(store: Store, clock: ManualClock) -> None:
    def insert_twice(tx: Transaction) -> None:
        tx.later(ADD, values_of_person(tx, 1))
        tx.later(ADD, values_of_person(tx, 1))

    hook: AnyHook = specifications.settle_adjustments
    hooks = _hooks(clock, hook, insert_twice)
    with pytest.raises(PluginError, match="'plugin0' failed in settle_adjustments"), store.write() as tx:
        hooks.tell(hook, "plugin0", tx=tx, order=NONE, before=(), after=())
    assert person_ids(store) == []


def test_hooks_that_ask_nothing_send_nothing(store: Store, clock: ManualClock) -> None:
    def silent(tx: Transaction) -> list[object]:
        return []

    hook: AnyHook = specifications.menu_items
    hooks = _hooks(clock, hook, silent, silent)
    with store.write() as tx:
        assert len(hooks.each(hook, tx=tx, **HOOK_ARGUMENTS)) == 2
        assert unsent_statements(tx) == ["BEGIN"]


def test_whatever_way_of_asking_the_driver_has_it_hears_of_the_rows_before(store: Store) -> None:
    query = "SELECT count(*) FROM person"
    with store.write() as tx:
        driver: Any = tx.connection.connection.driver_connection
        tx.later(ADD, values_of_person(tx, 1))
        with driver.cursor(name="of_the_server") as cursor:
            assert cursor.execute(query).fetchone() == (1,)
        tx.later(ADD, values_of_person(tx, 2))
        with driver.cursor() as cursor:
            assert list(cursor.stream(query)) == [(2,)]
        tx.later(ADD, values_of_person(tx, 3))
        with driver.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copied:
            assert list(copied.rows()) == [("3",)]
        tx.later(ADD, values_of_person(tx, 4))
        with driver.cursor() as cursor:
            cursor.executemany("UPDATE person SET name = %s WHERE id = %s", [("Eve", "p4")])
        assert tx.value(select(person.c.name).where(person.c.id == bindparam("id")), {"id": "p4"}) == "Eve"


def test_a_line_that_was_cut_is_noticed_before_it_is_used(store: Store) -> None:
    with store.read(), store.read(), store.write():
        pass  # three lines in the pool
    address = make_url(store.url)
    admin = create_engine(address.set(drivername="postgresql+psycopg", database="postgres"))
    with admin.connect() as connection:
        cut = text("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = :name")
        assert connection.execute(cut, {"name": address.database}).scalar_one() == 3
    admin.dispose()
    with store.read(), store.read(), store.write() as tx:
        tx.later(ADD, values_of_person(tx, 1))
    assert person_ids(store) == ["p1"]
