"""A sale cloned from another: times move by the clock, and everything that may still be sold comes along."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, event, insert, update

from commensal import hookimpl
from commensal.base.clock import ManualClock, SystemClock
from commensal.base.errors import Invalid, NotFound
from commensal.enterprises.tables import enterprise_grant, enterprise_plugin
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.fulfil import complete_due
from commensal.parts.sale_calendar.clone import clone_coordination
from commensal.products.tables import supplied_product
from commensal.sale_sessions.coordinations import change_coordination
from commensal.sale_sessions.on_sale import put_on_sale
from commensal.sale_sessions.questions import coordination_by_id, items_on_sale, sessions_of
from commensal.sale_sessions.sessions import change_session
from commensal.sale_sessions.tables import sale_session
from commensal.sale_sessions.values import Coordination, SaleSession, Supplier
from commensal.storage.database import Store

PARIS = ZoneInfo("Europe/Paris")


def paris_time(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=PARIS).astimezone(UTC)


def load_hooks(**plugins: ModuleType) -> Hooks:
    settings = InstanceSettings(name="Test", plugins={"enabled": list(plugins)})
    return load_plugins(settings, clock=SystemClock(), modules=plugins)


def open_autumn_sale(store: Store, village: Any) -> tuple[Coordination, SaleSession]:
    """Opens a sale from Sunday to Wednesday, distributed on Friday, in the last week of summer time."""
    sale = village.sale(
        opens_at=paris_time(10, 18, 20),
        closes_at=paris_time(10, 21, 12),
        rhythm="FREQ=WEEKLY",
        suppliers=[Supplier(enterprise_id="farm", closes_at=paris_time(10, 20, 8)), Supplier(enterprise_id="dairy")],
    )
    session = village.session(
        sale,
        closes_at=paris_time(10, 21, 9),
        begins_at=paris_time(10, 23, 17),
        ends_at=paris_time(10, 23, 19),
        note="Au marché",
    )
    with store.write() as tx:
        put_on_sale(tx, session.id, "hub")
    return sale, session


def clone(store: Store, sale: Coordination, opens_at: datetime) -> tuple[Coordination, list[SaleSession], list[str]]:
    with store.write() as tx:
        copy = clone_coordination(tx, load_hooks(), sale.id, "hub", opens_at)
        sessions = sessions_of(tx, copy.id, "hub")
        return copy, sessions, [item.item_id for item in items_on_sale(tx, sessions[0].id, "hub", limit=5000)]


def test_every_time_moves_by_the_clock_on_the_wall(store: Store, village: Any) -> None:
    sale, _ = open_autumn_sale(store, village)
    copy, (session,), items = clone(store, sale, paris_time(10, 25, 20))  # the clocks have changed that morning
    assert (copy.opens_at, copy.closes_at) == (paris_time(10, 25, 20), paris_time(10, 28, 12))
    assert copy.suppliers == (
        Supplier(enterprise_id="dairy"),
        Supplier(enterprise_id="farm", closes_at=paris_time(10, 27, 8)),
    )
    assert (session.opens_at, session.closes_at) == (paris_time(10, 25, 20), paris_time(10, 28, 9))
    assert (session.begins_at, session.ends_at, session.note) == (
        paris_time(10, 30, 17),
        paris_time(10, 30, 19),
        "Au marché",
    )
    assert len(items) == 6


def test_a_clone_follows_what_was_planned_and_not_what_was_closed_early(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale, session = open_autumn_sale(store, village)
    clock.set(sale.opens_at + timedelta(minutes=7))
    with store.write() as tx:
        change_session(tx, load_hooks(), session.id, "hub", session.version, closes_at=clock.now())
        change_coordination(tx, sale.id, "hub", sale.version, closes_at=clock.now())
        closed = coordination_by_id(tx, sale.id, "hub")
    copy, (copied_session,), _ = clone(store, closed, paris_time(10, 25, 20))
    assert (copy.closes_at, copied_session.closes_at) == (paris_time(10, 28, 12), paris_time(10, 28, 9))
    assert (copy.planned_closes_at, copied_session.planned_closes_at) == (None, None)


def test_a_clone_is_a_new_sale_of_its_own(store: Store, village: Any, clock: ManualClock) -> None:
    sale, session = open_autumn_sale(store, village)
    clock.set(sale.closes_at)
    with store.write() as tx:
        complete_due(tx)
        tx.execute(update(sale_session).values(books_closed_at=tx.now))
    copy, (other,), _ = clone(store, sale, paris_time(10, 25, 20))
    assert (copy.completed_at, copy.cancelled_at, copy.rhythm, copy.previous_id) == (None, None, None, None)
    assert (copy.name, copy.version, copy.created_at) == (sale.name, 1, clock.now())
    assert (copy.id, other.id) != (sale.id, session.id)
    assert (other.version, other.books_closed_at) == (1, None)


def test_what_a_new_sale_would_refuse_stays_behind(store: Store, village: Any) -> None:
    village.enterprise("shop")
    village.grant("shop", "hub", "WriteOrders")
    sale, session = open_autumn_sale(store, village)
    village.session(sale, "shop")
    with store.write() as tx:
        tx.execute(delete(enterprise_grant).where(enterprise_grant.c.grantor_id.in_(["farm", "shop"])))
        archived_product = supplied_product.c.id == "hub-dairy-00003-product"
        tx.execute(update(supplied_product).where(archived_product).values(archived_at=tx.now))
        assert len(items_on_sale(tx, session.id, "hub")) == 6  # the running one keeps all
    _, sessions, items = clone(store, sale, paris_time(10, 25, 20))
    assert [session.enterprise_id for session in sessions] == ["hub"]
    assert items == ["hub-dairy-00004", "hub-dairy-00005"]


def test_what_was_taken_off_sale_stays_off(store: Store, village: Any) -> None:
    sale, _ = open_autumn_sale(store, village)
    village.items("hub", "farm", 2)  # listed, but never put on sale
    _, _, items = clone(store, sale, paris_time(10, 25, 20))
    assert len(items) == 6


def test_it_takes_as_many_statements_for_four_thousand_items_as_for_six(store: Store, village: Any) -> None:
    statements_sent: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements_sent.append(args[2]))

    def count_statements_of_clone(opens_at: datetime) -> tuple[int, int]:
        before = len(statements_sent)
        with store.write() as tx:
            copy = clone_coordination(tx, load_hooks(), sale.id, "hub", opens_at)
        statements = len(statements_sent) - before
        with store.read() as tx:
            session = sessions_of(tx, copy.id, "hub")[0]
            return statements, len(items_on_sale(tx, session.id, "hub", limit=5000))

    sale, session = open_autumn_sale(store, village)
    statements_for_six, items_of_six = count_statements_of_clone(paris_time(10, 25, 20))
    village.items("hub", "farm", 3994)
    with store.write() as tx:
        put_on_sale(tx, session.id, "hub")
    statements_for_all, items_of_all = count_statements_of_clone(paris_time(11, 1, 20))
    assert (items_of_six, items_of_all) == (6, 4000)
    assert statements_for_six == statements_for_all <= 12


def test_a_shop_that_opens_within_the_hour_the_clocks_skip_opens_with_the_sale(store: Store, village: Any) -> None:
    night = datetime(2027, 3, 21, tzinfo=PARIS)
    sale = village.sale(opens_at=night, closes_at=night.replace(hour=12))
    village.session(sale, opens_at=night.replace(hour=2, minute=50), closes_at=night.replace(hour=3, minute=5))
    copy, (session,), _ = clone(store, sale, (night + timedelta(days=7)).astimezone(UTC))
    assert copy.closes_at - copy.opens_at == timedelta(hours=11)
    assert (session.opens_at, session.closes_at) == (copy.opens_at, copy.closes_at)


def test_a_clone_opens_within_reason_and_is_its_coordinators(store: Store, village: Any, clock: ManualClock) -> None:
    sale, _ = open_autumn_sale(store, village)
    for opens_at, code in ((paris_time(1, 1, 8), "over"), (clock.now() + timedelta(days=800), "too_far")):
        with pytest.raises(Invalid) as error, store.write() as tx:
            clone_coordination(tx, load_hooks(), sale.id, "hub", opens_at)
        assert [problem.code for problem in error.value.problems] == [code]
    with pytest.raises(NotFound), store.write() as tx:
        clone_coordination(tx, load_hooks(), sale.id, "farm", paris_time(10, 25, 20))
    with store.read() as tx:
        assert coordination_by_id(tx, sale.id, "hub") == sale


def test_the_plugins_of_each_shop_are_told_what_was_copied_into_what(store: Store, village: Any) -> None:
    calls: list[tuple[SaleSession, SaleSession, str]] = []
    module = ModuleType("noting")

    @hookimpl
    def sale_copied(source: SaleSession, copy: SaleSession, timezone: str) -> None:
        calls.append((source, copy, timezone))

    vars(module)["sale_copied"] = sale_copied
    village.enterprise("shop", timezone="Indian/Reunion")
    village.grant("shop", "hub", "WriteOrders")
    sale, _ = open_autumn_sale(store, village)
    elsewhere = village.session(sale, "shop")
    with store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="noting", settings={}, version=1))
        cloned = clone_coordination(tx, load_hooks(noting=module), sale.id, "hub", paris_time(10, 25, 20))
        copies = {session.enterprise_id: session for session in sessions_of(tx, cloned.id, "hub")}
    assert calls == [(elsewhere, copies["shop"], "Indian/Reunion")], "the hub does not use this plugin"
