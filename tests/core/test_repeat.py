"""Sales that come back: once each, at the same hour, with the rhythm moving on."""

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
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.storage.database import Store
from commensal.trade.enterprises.tables import enterprise_plugin
from commensal.trade.sale_sessions.coordinations import cancel_coordination, change_coordination
from commensal.trade.sale_sessions.on_sale import put_on_sale
from commensal.trade.sale_sessions.questions import coordination_by_id, coordinations_of, items_on_sale, sessions_of
from commensal.trade.sale_sessions.repeat import repeat_due
from commensal.trade.sale_sessions.values import Coordination

PARIS = ZoneInfo("Europe/Paris")
WEEK = timedelta(weeks=1)
HOUR = timedelta(hours=1)
HOOKS = load_plugins(InstanceSettings(name="Test"), clock=SystemClock())


def repeated(store: Store) -> list[Coordination]:
    with store.write() as tx:
        return [coordination_by_id(tx, one, "hub") for one in repeat_due(tx, HOOKS)]


def test_the_next_sale_comes_when_the_last_one_closes_and_only_once(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    session = village.session(sale)
    with store.write() as tx:
        put_on_sale(tx, session.id, "hub")
    clock.set(sale.closes_at - timedelta(microseconds=1))
    assert repeated(store) == []
    clock.set(sale.closes_at)
    (following,) = repeated(store)
    assert (following.opens_at, following.closes_at) == (sale.opens_at + WEEK, sale.closes_at + WEEK)
    assert (following.previous_id, following.rhythm) == (sale.id, "FREQ=WEEKLY")
    assert repeated(store) == []
    with store.read() as tx:
        assert coordination_by_id(tx, sale.id, "hub").rhythm is None
        (its,) = sessions_of(tx, following.id, "hub")
        assert its.begins_at == session.begins_at + WEEK
        assert len(items_on_sale(tx, its.id, "hub")) == 6


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
    (following,) = repeated(store)
    with store.read() as tx:
        (its,) = sessions_of(tx, following.id, "hub")
    for made in (following, its):
        times = (made.opens_at, made.closes_at, made.planned_closes_at)
        assert times == (sale.opens_at + WEEK, sale.closes_at + WEEK, None)


def test_a_sale_that_was_closed_early_is_opened_again_by_a_new_plan(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale()
    village.enterprise("shop")
    village.grant("shop", "hub", "WriteOrders")
    whole, own = village.session(sale), village.session(sale, shop="shop", closes_at=sale.closes_at - HOUR)
    clock.set(sale.opens_at + timedelta(minutes=7))

    def change(closes_at: datetime) -> tuple[Coordination, dict[str, tuple[datetime, datetime | None]]]:
        with store.write() as tx:
            now = coordination_by_id(tx, sale.id, "hub")
            coordination = change_coordination(tx, sale.id, "hub", now.version, closes_at=closes_at)
            return coordination, {
                session.id: (session.closes_at, session.planned_closes_at)
                for session in sessions_of(tx, sale.id, "hub")
            }

    _, closed = change(clock.now())
    assert closed == {whole.id: (clock.now(), sale.closes_at), own.id: (clock.now(), sale.closes_at - HOUR)}
    again, opened = change(sale.closes_at + HOUR)
    assert (again.closes_at, again.planned_closes_at) == (sale.closes_at + HOUR, None)
    assert opened == {whole.id: (sale.closes_at + HOUR, None), own.id: (sale.closes_at - HOUR, None)}


def test_a_series_ends_by_count(store: Store, village: Any, clock: ManualClock) -> None:
    village.sale(rhythm="FREQ=WEEKLY;COUNT=3")
    made = []
    for _ in range(6):
        clock.advance(days=7)
        made += repeated(store)
    assert [one.rhythm for one in made] == ["FREQ=WEEKLY;COUNT=2", "FREQ=WEEKLY;COUNT=1"]
    with store.read() as tx:
        assert {coordination.rhythm for coordination in coordinations_of(tx, "hub")} == {None}


def test_a_year_of_thursdays_opens_at_noon_in_paris(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    opened = [sale]
    for _ in range(52):
        clock.set(opened[-1].closes_at)
        opened += repeated(store)
    local = [one.opens_at.astimezone(PARIS) for one in opened]
    assert {f"{one:%a %H:%M}" for one in local} == {"Thu 12:00"}
    assert {f"{one.closes_at.astimezone(PARIS):%a %H:%M}" for one in opened} == {"Sat 12:00"}
    assert len({one.date() for one in local}) == 53
    assert {one.opens_at.hour for one in opened} == {10, 11}  # UTC


def test_dates_that_passed_while_nobody_looked_are_skipped(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    clock.set(sale.opens_at + 5 * WEEK + timedelta(hours=25))  # more than half of the sixth sale has passed
    (following,) = repeated(store)
    assert following.opens_at == sale.opens_at + 6 * WEEK


def test_a_sale_that_is_late_by_less_than_half_opens_at_once(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    clock.set(sale.opens_at + 5 * WEEK + timedelta(hours=23))
    (following,) = repeated(store)
    assert following.opens_at == sale.opens_at + 5 * WEEK


def test_a_sale_does_not_come_back_before_it_has_closed(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=DAILY", closes_at=clock.now() + timedelta(days=2, hours=1))
    clock.set(sale.closes_at)
    (following,) = repeated(store)
    assert following.opens_at == sale.opens_at + timedelta(days=3)


def test_a_cancelled_sale_comes_back_unless_its_series_was_cancelled(
    store: Store, village: Any, clock: ManualClock
) -> None:
    week, series = village.sale(rhythm="FREQ=WEEKLY"), village.sale(rhythm="FREQ=WEEKLY")
    with store.write() as tx:
        cancel_coordination(tx, week.id, "hub", 1)
        cancel_coordination(tx, series.id, "hub", 1, series=True)
    clock.set(week.closes_at)
    (following,) = repeated(store)
    assert (following.previous_id, following.cancelled_at) == (week.id, None)


def test_a_rhythm_that_is_taken_away_ends_the_series(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale(rhythm="FREQ=WEEKLY")
    with store.write() as tx:
        change_coordination(tx, sale.id, "hub", 1, rhythm=None)
    clock.set(sale.closes_at)
    assert repeated(store) == []


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York", "Asia/Kathmandu"])
def test_the_clocks_are_those_of_the_coordinator(store: Store, village: Any, clock: ManualClock, zone: str) -> None:
    village.enterprise("far", timezone=zone)
    opens_at = datetime(2026, 9, 24, 18, 0, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    sale = village.sale(
        coordinator_id="far", rhythm="FREQ=MONTHLY", opens_at=opens_at, closes_at=opens_at + timedelta(hours=5)
    )
    clock.set(sale.closes_at)
    with store.write() as tx:
        (made,) = repeat_due(tx, HOOKS)
        following = coordination_by_id(tx, made, "far")
    assert following.opens_at == datetime(2026, 10, 24, 18, 0, tzinfo=ZoneInfo(zone))


def test_workers_that_look_at_the_same_time_make_one_sale_each_time(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sales = [village.sale(rhythm="FREQ=WEEKLY") for _ in range(3)]
    clock.set(sales[0].closes_at)

    def look(_: int) -> list[str]:
        return store.transact(partial(repeat_due, hooks=HOOKS))

    with ThreadPoolExecutor(4) as workers:
        made = [one for found in workers.map(look, range(4)) for one in found]
    assert len(made) == 3
    with store.read() as tx:
        assert sorted(coordination.previous_id or "" for coordination in coordinations_of(tx, "hub")) == [
            "",
            "",
            "",
            *sorted(sale.id for sale in sales),
        ]


def test_a_shop_whose_plugin_fails_holds_up_its_own_sales_only(store: Store, village: Any, clock: ManualClock) -> None:
    broken, mended = ModuleType("fussy"), ModuleType("fussy")

    @hookimpl
    def sale_copied() -> None:
        raise RuntimeError("no")

    vars(broken)["sale_copied"] = sale_copied
    named = InstanceSettings(name="Test", plugins={"enabled": ["fussy"]})
    hooks, later = (load_plugins(named, clock=clock, modules={"fussy": one}) for one in (broken, mended))
    village.enterprise("shop")
    first = village.sale(rhythm="FREQ=WEEKLY")
    village.session(first)
    second = village.sale(coordinator_id="shop", rhythm="FREQ=WEEKLY", closes_at=first.closes_at + timedelta(hours=1))
    with store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="hub", plugin="fussy", settings={}, version=1))
    clock.set(second.closes_at)
    with store.write() as tx:
        (made,) = repeat_due(tx, hooks)
        assert coordination_by_id(tx, made, "shop").previous_id == second.id
        assert coordination_by_id(tx, first.id, "hub") == first, "as if nothing had been tried"
    with store.write() as tx:
        (made,) = repeat_due(tx, later)
        assert coordination_by_id(tx, made, "hub").previous_id == first.id
