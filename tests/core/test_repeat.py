"""Sales that repeat: once each, at the same hour, with the rhythm moving on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from commensal import hookimpl
from commensal.base.clock import ManualClock, SystemClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.cancel import cancel_coordination
from commensal.parts.sale_calendar.clone import repeat_due
from commensal.sale_sessions.coordinations import change_coordination
from commensal.sale_sessions.on_sale import put_on_sale
from commensal.sale_sessions.questions import coordination_by_id, coordinations_of, items_on_sale, sessions_of
from commensal.sale_sessions.values import Coordination
from commensal.storage.database import Store

PARIS = ZoneInfo("Europe/Paris")
WEEK = timedelta(weeks=1)
HOUR = timedelta(hours=1)
HOOKS = load_plugins(InstanceSettings(name="Test"), clock=SystemClock())


def repeat_sales(store: Store) -> list[Coordination]:
    with store.write() as tx:
        return [coordination_by_id(tx, coordination_id, "hub") for coordination_id in repeat_due(tx, HOOKS)]


def test_the_next_sale_comes_when_the_last_one_closes_and_only_once(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    session = village.session(sale)
    with store.write() as tx:
        put_on_sale(tx, session.id, "hub")
    clock.set(sale.closes_at - timedelta(microseconds=1))
    assert repeat_sales(store) == []
    clock.set(sale.closes_at)
    (following,) = repeat_sales(store)
    assert (following.opens_at, following.closes_at) == (sale.opens_at + WEEK, sale.closes_at + WEEK)
    assert (following.previous_id, following.rhythm) == (sale.id, "FREQ=WEEKLY")
    assert repeat_sales(store) == []
    with store.read() as tx:
        assert coordination_by_id(tx, sale.id, "hub").rhythm is None
        (next_session,) = sessions_of(tx, following.id, "hub")
        assert next_session.begins_at == session.begins_at + WEEK
        assert len(items_on_sale(tx, next_session.id, "hub")) == 6


def test_a_sale_that_was_closed_early_comes_back_as_it_was_planned(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    village.session(sale)
    clock.set(sale.opens_at + timedelta(minutes=7))
    with store.write() as tx:
        closed = change_coordination(tx, sale.id, "hub", sale.version, closes_at=clock.now())
        (session,) = sessions_of(tx, sale.id, "hub")
    assert (closed.closes_at, closed.planned_closes_at) == (clock.now(), sale.closes_at)
    assert (session.closes_at, session.planned_closes_at) == (clock.now(), sale.closes_at)
    (following,) = repeat_sales(store)
    with store.read() as tx:
        (next_session,) = sessions_of(tx, following.id, "hub")
    for copy in (following, next_session):
        times = (copy.opens_at, copy.closes_at, copy.planned_closes_at)
        assert times == (sale.opens_at + WEEK, sale.closes_at + WEEK, None)


def test_a_sale_that_was_closed_early_is_opened_again_by_a_new_plan(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale()
    village.enterprise("shop")
    village.grant("shop", "hub", "WriteOrders")
    unlimited, own_times = village.session(sale), village.session(sale, shop="shop", closes_at=sale.closes_at - HOUR)
    clock.set(sale.opens_at + timedelta(minutes=7))

    def change(closes_at: datetime) -> tuple[Coordination, dict[str, tuple[datetime, datetime | None]]]:
        with store.write() as tx:
            current = coordination_by_id(tx, sale.id, "hub")
            coordination = change_coordination(tx, sale.id, "hub", current.version, closes_at=closes_at)
            return coordination, {
                session.id: (session.closes_at, session.planned_closes_at)
                for session in sessions_of(tx, sale.id, "hub")
            }

    _, closed = change(clock.now())
    assert closed == {unlimited.id: (clock.now(), sale.closes_at), own_times.id: (clock.now(), sale.closes_at - HOUR)}
    reopened, times = change(sale.closes_at + HOUR)
    assert (reopened.closes_at, reopened.planned_closes_at) == (sale.closes_at + HOUR, None)
    assert times == {unlimited.id: (sale.closes_at + HOUR, None), own_times.id: (sale.closes_at - HOUR, None)}


def test_a_series_ends_by_count(store: Store, village: Any, clock: ManualClock) -> None:
    village.sale(rhythm="FREQ=WEEKLY;COUNT=3")
    copies = []
    for _ in range(6):
        clock.advance(days=7)
        copies += repeat_sales(store)
    assert [copy.rhythm for copy in copies] == ["FREQ=WEEKLY;COUNT=2", "FREQ=WEEKLY;COUNT=1"]
    with store.read() as tx:
        assert {coordination.rhythm for coordination in coordinations_of(tx, "hub")} == {None}


def test_a_year_of_thursdays_opens_at_noon_in_paris(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    sales = [sale]
    for _ in range(52):
        clock.set(sales[-1].closes_at)
        sales += repeat_sales(store)
    opening_times = [sale.opens_at.astimezone(PARIS) for sale in sales]
    assert {f"{opening:%a %H:%M}" for opening in opening_times} == {"Thu 12:00"}
    assert {f"{sale.closes_at.astimezone(PARIS):%a %H:%M}" for sale in sales} == {"Sat 12:00"}
    assert len({opening.date() for opening in opening_times}) == 53
    assert {sale.opens_at.hour for sale in sales} == {10, 11}  # UTC


def test_dates_that_passed_while_nobody_looked_are_skipped(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    clock.set(sale.opens_at + 5 * WEEK + timedelta(hours=25))  # more than half of the sixth sale has passed
    (following,) = repeat_sales(store)
    assert following.opens_at == sale.opens_at + 6 * WEEK


def test_a_sale_that_is_late_by_less_than_half_opens_at_once(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    clock.set(sale.opens_at + 5 * WEEK + timedelta(hours=23))
    (following,) = repeat_sales(store)
    assert following.opens_at == sale.opens_at + 5 * WEEK


def test_a_sale_does_not_come_back_before_it_has_closed(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=DAILY", closes_at=clock.now() + timedelta(days=2, hours=1))
    clock.set(sale.closes_at)
    (following,) = repeat_sales(store)
    assert following.opens_at == sale.opens_at + timedelta(days=3)


def test_a_cancelled_sale_comes_back_unless_its_series_was_cancelled(
    store: Store, village: Any, clock: ManualClock
) -> None:
    week, series = village.sale(rhythm="FREQ=WEEKLY"), village.sale(rhythm="FREQ=WEEKLY")
    with store.write() as tx:
        cancel_coordination(tx, week.id, "hub", 1)
        cancel_coordination(tx, series.id, "hub", 1, series=True)
    clock.set(week.closes_at)
    (following,) = repeat_sales(store)
    assert (following.previous_id, following.cancelled_at) == (week.id, None)


def test_a_rhythm_that_is_taken_away_ends_the_series(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    with store.write() as tx:
        change_coordination(tx, sale.id, "hub", 1, rhythm=None)
    clock.set(sale.closes_at)
    assert repeat_sales(store) == []


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York", "Asia/Kathmandu"])
def test_the_clocks_are_those_of_the_coordinator(store: Store, village: Any, clock: ManualClock, zone: str) -> None:
    village.enterprise("far", timezone=zone)
    opens_at = datetime(2026, 9, 24, 18, 0, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    sale = village.sale(
        coordinator_id="far", rhythm="FREQ=MONTHLY", opens_at=opens_at, closes_at=opens_at + timedelta(hours=5)
    )
    clock.set(sale.closes_at)
    with store.write() as tx:
        (coordination_id,) = repeat_due(tx, HOOKS)
        following = coordination_by_id(tx, coordination_id, "far")
    assert following.opens_at == datetime(2026, 10, 24, 18, 0, tzinfo=ZoneInfo(zone))


def test_workers_that_look_at_the_same_time_make_one_sale_each_time(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sales = [village.sale(rhythm="FREQ=WEEKLY") for _ in range(3)]
    clock.set(sales[0].closes_at)

    def repeat_in_transaction(_: int) -> list[str]:
        return store.transact(partial(repeat_due, hooks=HOOKS))

    with ThreadPoolExecutor(4) as workers:
        coordination_ids = [
            coordination_id for ids in workers.map(repeat_in_transaction, range(4)) for coordination_id in ids
        ]
    assert len(coordination_ids) == 3
    with store.read() as tx:
        assert sorted(coordination.previous_id or "" for coordination in coordinations_of(tx, "hub")) == [
            "",
            "",
            "",
            *sorted(sale.id for sale in sales),
        ]


def test_a_shop_whose_plugin_fails_holds_up_its_own_sales_only(store: Store, village: Any, clock: ManualClock) -> None:
    broken, working = ModuleType("fussy"), ModuleType("fussy")

    @hookimpl
    def sale_copied() -> None:
        raise RuntimeError("no")

    vars(broken)["sale_copied"] = sale_copied
    settings = InstanceSettings(name="Test", plugins={"enabled": ["fussy"]})
    hooks, working_hooks = (
        load_plugins(settings, clock=clock, modules={"fussy": module}) for module in (broken, working)
    )
    village.enterprise("shop")
    first = village.sale(rhythm="FREQ=WEEKLY")
    village.session(first)
    second = village.sale(coordinator_id="shop", rhythm="FREQ=WEEKLY", closes_at=first.closes_at + timedelta(hours=1))
    with store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="hub", plugin="fussy", settings={}, version=1))
    clock.set(second.closes_at)
    with store.write() as tx:
        (coordination_id,) = repeat_due(tx, hooks)
        assert coordination_by_id(tx, coordination_id, "shop").previous_id == second.id
        assert coordination_by_id(tx, first.id, "hub") == first, "as if nothing had been tried"
    with store.write() as tx:
        (coordination_id,) = repeat_due(tx, working_hooks)
        assert coordination_by_id(tx, coordination_id, "hub").previous_id == first.id
