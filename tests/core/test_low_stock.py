"""Stock that runs low: its owner is told once, and again after a refill; by an e-mail, an event, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.event import listen

from commensal import Instance
from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid
from commensal.enterprises.tables import enterprise
from commensal.orders.cancel import cancel_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.copies.products import LotCopy, keep_lots
from commensal.parts.event_delivery.tell import announce_low_stock
from commensal.parts.serving.work import work_of
from commensal.products.tables import supplied_product
from commensal.stock.lots import change_lot, lot_by_id, low_lots, open_lot
from commensal.stock.movements import count_stock, receive_stock
from commensal.stock.tables import stock_lot
from commensal.storage.database import Transaction
from commensal.storage.jobs.run import run_due
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, an_item

from .listening import Listener, a_shop_that_uses, plugins_loaded


@pytest.fixture
def listener() -> Listener:
    return Listener("ear")


@pytest.fixture
def instance(instance: Instance, listener: Listener) -> Iterator[Instance]:
    with plugins_loaded(instance, {"ear": listener.module("stock_low")}) as listening_instance:
        yield listening_instance


@pytest.fixture
def item(instance: Instance) -> str:
    """An item on sale, of which 100 pieces are there; the shop wants to know when 10 are left."""
    with instance.store.write() as tx:
        item = a_shop_that_uses(tx, "ear")
        tx.execute(update(enterprise).values(email="shop@example.org", language="fr"))
        change_lot(tx, "shop", the_lot(tx), 1, low_level=Decimal(10))
    return item


def the_lot(tx: Transaction) -> str:
    (lot_id,) = (row["id"] for row in tx.all(select(stock_lot.c.id)))
    return str(lot_id)


def order(instance: Instance, item: str, pieces: int) -> str:
    wish = Wish(items={item: pieces}, name="Ada", email="ada@example.org")
    with instance.store.write() as tx:
        return place_order(tx, instance.hooks, "shop-session", wish).id


def tell(instance: Instance) -> list[str]:
    """Does the periodic work. Returns the names of the lots in the e-mails that it promises."""
    with instance.store.write() as tx:
        tx.execute(delete(job))
    work = work_of(instance)
    (periodic,) = (each for each in work.periodic if each.name == "announce_low_stock")
    with instance.store.write() as tx:
        periodic.act(tx)
    with instance.store.read() as tx:
        mails = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
    while run_due(instance, work):
        pass
    return [lot["name"] for mail in mails if mail["kind"] == "stock_low" for lot in mail["values"]["lots"]]


def test_the_owner_is_told_once_when_no_more_is_left_than_the_level(
    instance: Instance, item: str, listener: Listener, clock: ManualClock
) -> None:
    order(instance, item, 89)
    assert (tell(instance), listener.events) == ([], [])
    order(instance, item, 1)
    assert tell(instance) == ["Pommes"]
    ((event, lot),) = listener.events
    assert (event.enterprise_id, lot.free, lot.low_level, lot.is_low) == ("shop", 10, 10, True)
    clock.advance(hours=2)
    order(instance, item, 5)
    assert (tell(instance), len(listener.events)) == ([], 1)


def test_a_refill_by_people_counts_at_once_and_what_orders_give_back_after_a_day(
    instance: Instance, item: str, clock: ManualClock
) -> None:
    first = order(instance, item, 95)
    assert tell(instance) == ["Pommes"]
    with instance.store.write() as tx:
        cancel_order(tx, instance.hooks, locked_order(tx, first, enterprise_id="shop"))
    clock.advance(hours=2)
    second = order(instance, item, 95)
    assert tell(instance) == [], "a change of an order is not news"
    with instance.store.write() as tx:
        receive_stock(tx, "shop", the_lot(tx), Decimal(50))
        count_stock(tx, "shop", the_lot(tx), Decimal(99))
    assert tell(instance) == ["Pommes"], "it was refilled in between"
    with instance.store.write() as tx:
        cancel_order(tx, instance.hooks, locked_order(tx, second, enterprise_id="shop"))
    clock.advance(days=1, hours=2)
    assert tell(instance) == []
    with instance.store.write() as tx:
        count_stock(tx, "shop", the_lot(tx), Decimal(3))
    assert tell(instance) == ["Pommes"]


def test_an_enterprise_is_told_once_an_hour_of_all_its_lots(
    instance: Instance, item: str, listener: Listener, clock: ManualClock
) -> None:
    with instance.store.write() as tx:
        for name in ("Cerises", "Poires"):
            an_item(tx, a_lot(tx, name=name, on_hand="9"), name=name)
    order(instance, item, 95)
    assert tell(instance) == ["Pommes"]
    with instance.store.write() as tx:
        tx.execute(update(stock_lot).where(stock_lot.c.name != "Pommes").values(low_level=9))
    clock.advance(minutes=59)
    assert tell(instance) == []
    clock.advance(minutes=1)
    assert tell(instance) == ["Cerises", "Poires"]
    assert [lot.name for _, lot in listener.events] == ["Pommes", "Cerises", "Poires"]


@pytest.mark.parametrize(
    "reason",
    [
        update(stock_lot).values(low_level=None),
        update(stock_lot).values(unlimited=True, free=0),
        update(stock_lot).values(free_until=stock_lot.c.created_at),  # it moves to another instance
        update(supplied_product).values(archived_at=supplied_product.c.created_at),
        update(enterprise).values(archived_at=enterprise.c.created_at),
    ],
    ids=["no level", "unlimited", "moves", "archived product", "archived enterprise"],
)
def test_nobody_is_told_of(instance: Instance, item: str, reason: Any) -> None:
    order(instance, item, 95)
    with instance.store.write() as tx:
        tx.execute(reason)
    assert tell(instance) == []


def test_another_level_is_told_anew(instance: Instance, item: str, clock: ManualClock) -> None:
    order(instance, item, 95)
    assert tell(instance) == ["Pommes"]
    clock.advance(hours=2)
    with instance.store.write() as tx:
        lot = lot_by_id(tx, "shop", the_lot(tx))
        lot = change_lot(tx, "shop", lot.id, lot.version, name="Pommes Reinette")
    assert tell(instance) == []
    with instance.store.write() as tx:
        change_lot(tx, "shop", lot.id, lot.version, low_level=Decimal(20))
        assert [each.name for each in low_lots(tx, "shop")] == ["Pommes Reinette"]
        assert low_lots(tx, "elsewhere") == []
    assert tell(instance) == ["Pommes Reinette"]


def test_a_level_is_counted_like_the_stock(instance: Instance, item: str) -> None:
    with instance.store.write() as tx:
        flour = open_lot(tx, enterprise_id="shop", name="Farine", unit="Kilogram", low_level=Decimal("2.5"))
        assert (flour.low_level, flour.is_low) == (Decimal("2.5"), True)
        for wrong in ("-1", "0.0001", "Infinity"):
            with pytest.raises(Invalid) as error:
                change_lot(tx, "shop", flour.id, 1, low_level=Decimal(wrong))
            assert [problem.where for problem in error.value.problems] == ["/low_level"]
        with pytest.raises(Invalid) as error:
            open_lot(tx, enterprise_id="shop", name="Riz", unit="Kilogram", low_level=Decimal("0.0001"))
        assert [problem.code for problem in error.value.problems] == ["too_fine"]
        assert change_lot(tx, "shop", flour.id, 1, low_level=None).low_level is None


def test_copies_take_the_level_of_an_enterprise_that_moves_here_and_lose_it_otherwise(
    instance: Instance, item: str
) -> None:
    with instance.store.write() as tx:
        lot = the_lot(tx)
        values: dict[str, Any] = {"name": "Pommes", "unit": "Piece", "per_unit": 1, "unlimited": False}
        moved = LotCopy(id="moved", new=True, low_level=7, **values)
        keep_lots(tx, "shop", [LotCopy(id=lot, new=False, **values), moved])
        levels = {each.id: each.low_level for each in low_lots(tx, "shop")}
        assert lot_by_id(tx, "shop", lot).low_level is None
        assert lot_by_id(tx, "shop", "moved").low_level == Decimal(7)
        assert levels == {}, "no product is taken of it"


def test_a_hundred_lots_are_told_by_as_many_statements_as_one(
    instance: Instance, item: str, clock: ManualClock
) -> None:
    def run_low(*names: str) -> int:
        statements: list[str] = []
        with instance.store.write() as tx:
            for name in names:
                an_item(tx, a_lot(tx, name=name, on_hand="1"), name=name)
            tx.execute(update(stock_lot).where(stock_lot.c.name.in_(names)).values(low_level=1))
        clock.advance(hours=2)
        with instance.store.write() as tx:
            listen(instance.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
            assert len(announce_low_stock(tx)) == len(names)
            return len(statements)

    assert run_low("a") == run_low(*(f"b{number}" for number in range(100)))
