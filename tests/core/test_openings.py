"""A sale is announced once when it opens, which depends on time alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select, update

from commensal import Instance
from commensal.base.clock import ManualClock
from commensal.orders.cancel import cancel_coordination
from commensal.parts.event_delivery.tables import sale_opening
from commensal.parts.event_delivery.tell import LATEST, announce_openings, forget_openings
from commensal.parts.serving.work import work_of
from commensal.sale_sessions.questions import coordination_by_id
from commensal.sale_sessions.sessions import remove_session
from commensal.sale_sessions.tables import coordination, sale_session, session_item
from commensal.storage.jobs.periodic import run_periodic

from .listening import Listener, a_shop_that_uses, plugins_loaded, run


@pytest.fixture
def listener() -> Listener:
    return Listener("ear")


@pytest.fixture
def instance(instance: Instance, listener: Listener) -> Iterator[Instance]:
    """An instance with a listening plugin."""
    with plugins_loaded(instance, {"ear": listener.module()}) as listening_instance:
        yield listening_instance


@pytest.fixture
def session_id(instance: Instance) -> str:
    """The id of the shop's session, which opens in an hour."""
    with instance.store.write() as tx:
        a_shop_that_uses(tx, "ear")
        times = {"opens_at": tx.now + timedelta(hours=1)}
        for table in (coordination, sale_session):
            tx.execute(update(table).values(times))
        tx.execute(delete(sale_opening))
    return "shop-session"


def announce(instance: Instance) -> list[str]:
    with instance.store.write() as tx:
        return announce_openings(tx)


def test_a_sale_that_opens_with_nothing_in_it_is_told_to_who_coordinates_it(
    instance: Instance, session_id: str, clock: ManualClock
) -> None:
    with instance.store.write() as tx:
        tx.execute(delete(session_item).where(session_item.c.session_id == session_id))
    clock.advance(hours=1)
    run_periodic(instance, work_of(instance))
    run(instance)
    (letter,) = [file.read_text() for file in (instance.folder / "mail").glob("*.eml")]
    assert "<shop@example.org>" in letter


def test_a_sale_is_announced_once_when_it_opens(
    instance: Instance, session_id: str, listener: Listener, clock: ManualClock
) -> None:
    assert announce(instance) == []
    clock.advance(minutes=59, seconds=59)
    assert announce(instance) == []
    clock.advance(seconds=1)
    assert announce(instance) == [session_id]
    assert announce(instance) == []
    run(instance)
    ((event, about),) = listener.events
    assert (event.kind, about.id) == ("sale_opened", session_id)


def test_a_sale_that_was_cancelled_before_it_opened_is_not_announced(
    instance: Instance, session_id: str, clock: ManualClock
) -> None:
    with instance.store.write() as tx:
        version = coordination_by_id(tx, "shop-sale", "shop").version
        cancel_coordination(tx, "shop-sale", "shop", version)
    clock.advance(hours=2)
    assert announce(instance) == []


def test_a_sale_that_opened_while_nobody_worked_is_announced_late(
    instance: Instance, session_id: str, clock: ManualClock
) -> None:
    clock.advance(days=3)
    assert announce(instance) == [session_id]


def test_a_sale_that_was_over_long_ago_is_not_announced(
    instance: Instance, session_id: str, clock: ManualClock
) -> None:
    clock.advance(days=1, seconds=LATEST.total_seconds())
    assert announce(instance) == []


def test_a_session_that_is_taken_back_is_told_to_nobody(
    instance: Instance, session_id: str, listener: Listener, clock: ManualClock
) -> None:
    clock.advance(hours=1)
    assert announce(instance) == [session_id]
    with instance.store.write() as tx:
        tx.execute(delete(session_item))
        remove_session(tx, session_id, "shop", 1)
    run(instance)
    assert listener.events == []


def test_finding_openings_does_not_grow_with_history(instance: Instance, session_id: str, clock: ManualClock) -> None:
    """Checks the query plan, not the time: the database uses the index of closings."""
    if instance.store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses a plan by what is in the tables, and they are nearly empty here")
    plan_steps: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.startswith("SELECT sale_session.id"):
            rows = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plan_steps.extend(row[3] for row in rows)

    event.listen(instance.store.engine, "before_cursor_execute", explain)
    announce(instance)
    event.remove(instance.store.engine, "before_cursor_execute", explain)
    assert any("ix_sale_session_closes" in step for step in plan_steps), plan_steps
    assert not any(step.startswith("SCAN") for step in plan_steps), plan_steps


def test_what_was_announced_is_forgotten_when_nobody_can_ask_again(
    instance: Instance, session_id: str, clock: ManualClock
) -> None:
    clock.advance(hours=1)
    announce(instance)
    for days, remaining in ((1, 1), (7, 0)):
        clock.advance(days=days)
        with instance.store.write() as tx:
            forget_openings(tx)
            assert tx.value(select(func.count()).select_from(sale_opening)) == remaining
    assert announce(instance) == []
