"""Sessions open and close by the clock alone, and shoppers find the sessions that they may see."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid, NotFound
from commensal.orders.cancel import cancel_coordination
from commensal.orders.fulfil import complete_due
from commensal.orders.tables import customer_order
from commensal.sale_sessions.coordinations import change_coordination
from commensal.sale_sessions.openness import cut_off, is_coming, is_open, orderable_until
from commensal.sale_sessions.questions import coordination_by_id, page_key, sale_by_id, sales, session_by_id
from commensal.sale_sessions.tables import coordination_supplier, sale_session
from commensal.sale_sessions.values import SaleSession, Supplier
from commensal.storage.database import Store

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


def states(session: SaleSession, now: datetime) -> str:
    return "open" if is_open(session, now) else "coming" if is_coming(session, now) else "over"


def session_ids(store: Store, **kwargs: Any) -> list[str]:
    with store.read() as tx:
        return [sale.session.id for sale in sales(tx, **kwargs)]


def test_a_session_is_open_from_its_opening_to_just_before_its_closing(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale(opens_at=clock.now() + DAY, closes_at=clock.now() + 2 * DAY)
    session = village.session(sale)
    for moment, state in (
        (sale.opens_at - MOMENT, "coming"),
        (sale.opens_at, "open"),
        (sale.closes_at - MOMENT, "open"),
        (sale.closes_at, "over"),
    ):
        clock.set(moment)
        assert states(session, clock.now()) == state
        assert session_ids(store, openness="open") == [session.id] * (state == "open")
        assert session_ids(store, openness="coming") == [session.id] * (state == "coming")
        assert session_ids(store, openness="both") == [session.id] * (state != "over")


def test_a_cancelled_session_is_neither_open_nor_coming(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale()
    session = village.session(sale)
    with store.write() as tx:
        cancel_coordination(tx, sale.id, "hub", 1)
        session = session_by_id(tx, session.id, "hub")
    assert not is_open(session, clock.now())
    assert not is_coming(session, clock.now() - DAY)
    assert session_ids(store, openness="both") == []


def test_a_supplier_stops_before_the_session_does_in_code_and_in_sql(
    store: Store, village: Any, clock: ManualClock
) -> None:
    early, later = clock.now() + DAY, clock.now() + 2 * DAY
    suppliers = [Supplier(enterprise_id="farm", closes_at=early), Supplier(enterprise_id="dairy", closes_at=later)]
    session = village.session(
        village.sale(suppliers=[*suppliers, Supplier(enterprise_id="stranger")]), closes_at=later - timedelta(hours=1)
    )
    expected = {"farm": early, "dairy": session.closes_at, "stranger": session.closes_at}
    with store.read() as tx:
        rows = tx.all(
            select(coordination_supplier.c.enterprise_id, coordination_supplier.c.closes_at, cut_off().label("until"))
            .join_from(
                sale_session,
                coordination_supplier,
                coordination_supplier.c.coordination_id == sale_session.c.coordination_id,
            )
            .where(sale_session.c.id == session.id)
        )
    assert {row["enterprise_id"]: row["until"] for row in rows} == expected
    assert {row["enterprise_id"]: orderable_until(session, row["closes_at"]) for row in rows} == expected


def test_shoppers_find_public_shops_reach_others_by_address_and_never_see_hidden_ones(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale()
    for name in ("public", "link", "hidden"):
        village.enterprise(name, visibility=name)
        village.grant(name, "hub", "WriteOrders")
    ids = {name: village.session(sale, name).id for name in ("public", "link", "hidden")}
    assert session_ids(store) == [ids["public"]]
    assert session_ids(store, shop_id="link") == [ids["link"]]
    assert session_ids(store, shop_id="hidden") == []
    with store.read() as tx:
        shop = sale_by_id(tx, ids["hidden"]).shop
        assert (shop.name, shop.visibility, shop.timezone) == ("hidden", "hidden", "Europe/Paris")
        with pytest.raises(NotFound):
            sale_by_id(tx, "nothing")


def test_what_closes_first_comes_first_page_by_page(store: Store, village: Any, clock: ManualClock) -> None:
    closings = [3, 1, 2, 2, 5]
    sessions = [village.session(village.sale(closes_at=clock.now() + days * DAY)) for days in closings]
    expected = [session.id for session in sorted(sessions, key=lambda session: (session.closes_at, session.id))]
    with store.read() as tx:
        ids: list[str] = []
        after = ""
        while page := sales(tx, after=after, limit=2):
            ids += [listed_sale.session.id for listed_sale in page]
            after = page_key(page[-1])
        assert ids == expected
        with pytest.raises(Invalid):
            sales(tx, after="2026")


def test_completing_happens_once_after_the_closing_and_settles_the_orders(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale()
    other = village.session(village.sale(closes_at=clock.now() + 5 * DAY))
    session = village.session(sale)
    order_ids = [village.order(session.id, "hub", number=number) for number in (1, 2)]
    village.order(session.id, "hub", state="Cancelled", number=3)
    village.order(session.id, "hub", state="Draft", number=None)
    village.order(other.id, "hub", number=4)
    clock.set(sale.closes_at - MOMENT)
    with store.write() as tx:
        assert complete_due(tx) == []
    clock.set(sale.closes_at)
    with store.write() as tx:
        assert complete_due(tx) == [sale.id]
    with store.write() as tx:
        assert complete_due(tx) == []
        rows = tx.all(select(customer_order.c.id, customer_order.c.state, customer_order.c.version))
        assert sorted(row["id"] for row in rows if row["state"] == "Complete") == sorted(order_ids)
        assert {row["version"] for row in rows if row["state"] == "Complete"} == {2}
        assert coordination_by_id(tx, sale.id, "hub").completed_at == clock.now()
        with pytest.raises(Exception, match="its orders are settled"):
            change_coordination(tx, sale.id, "hub", 2, closes_at=clock.now() + DAY)


def test_an_order_that_was_committed_while_its_sale_was_completed_is_completed_too(
    store: Store, village: Any, clock: ManualClock
) -> None:
    sale = village.sale()
    session = village.session(sale)
    clock.set(sale.closes_at)
    with store.write() as tx:
        complete_due(tx)
    late_order = village.order(session.id, "hub")
    clock.advance(minutes=5)
    with store.write() as tx:
        assert complete_due(tx) == []
        assert tx.value(select(customer_order.c.state).where(customer_order.c.id == late_order)) == "Complete"


def test_a_sale_that_was_prolonged_is_not_completed_before(store: Store, village: Any, clock: ManualClock) -> None:
    sale = village.sale()
    clock.set(sale.closes_at)
    with store.write() as tx:
        change_coordination(tx, sale.id, "hub", 1, closes_at=clock.now() + DAY)
        assert complete_due(tx) == []
