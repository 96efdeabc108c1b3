"""Two hubs are short of one lot at the same moment, on PostgreSQL: each transaction needs the other hub's lease."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from commensal_federation.leases.lender import answer_request
from commensal_federation.messages.leases import Asked
from commensal_federation.testing import Region

from .conftest import NewRegion
from .trading import Hub, Producer, assert_consistent, minutes, region_of_peers

BOTH = True
TRANSACTIONS = 2
_LOCK_WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids) AND wait_event_type = 'Lock'")


@pytest.fixture
def region(request: pytest.FixtureRequest, new_region: NewRegion) -> Region:
    if request.node.callspec.params["new_region"] == "sqlite":
        pytest.skip("SQLite has one writer, and no locks of rows")
    return region_of_peers(new_region, "ab", "ac")


@contextmanager
def meeting_before_recalls(engine: Engine) -> Iterator[None]:
    """Holds a transaction that reads which holders have idle units, until the other is there or waits for a lock."""
    turn, began, arrived = threading.Condition(), set[int](), set[int]()
    watching = create_engine(engine.url, poolclass=NullPool)

    def other_waits(pid: int) -> bool:
        with watching.connect() as connection:
            return bool(connection.execute(_LOCK_WAITS, {"pids": sorted(began - {pid})}).scalar())

    def before(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        driver: Any = connection.connection.driver_connection
        pid = int(driver.info.backend_pid)
        with turn:
            began.add(pid)
            if "granted > " not in statement or "FROM federation_lease" not in statement:
                return
            arrived.add(pid)
            turn.notify_all()
            while len(arrived) < TRANSACTIONS and not other_waits(pid):
                turn.wait(timeout=0.05)

    event.listen(engine, "before_cursor_execute", before)
    yield
    event.remove(engine, "before_cursor_execute", before)
    watching.dispose()


@pytest.mark.parametrize("names", [("farm", "farm"), ("farm", "orchard")], ids=["of one lot", "of two lots"])
def test_two_hubs_that_are_short_at_once_do_not_wait_for_each_other(region: Region, names: tuple[str, str]) -> None:
    """Of one lot they need each other's lease; of two lots both tell both hubs, in lanes that are numbered."""
    producers = {name: Producer(region, "a", name) for name in sorted({*names})}
    hubs = [Hub(region, at, f"hub-{at}") for at in "bc"]
    for hub in hubs:
        for producer in producers.values():
            producer.grant(hub)
            hub.order(hub.sell(producer), 30)
    minutes(region, 2)
    errors: list[OperationalError] = []

    def ask(hub: Hub, producer: Producer) -> None:
        least, peer = int(producer.lot.free) + 2, region.peer("a", hub.at)
        request = Asked(least=least, hoped=least, ordered=30)
        try:
            with producer.write() as tx:
                answer_request(producer.federation, tx, peer, producer.id, producer.lot.id, request, "")
        except OperationalError as error:
            errors.append(error)

    pairs = zip(hubs, names, strict=True)
    threads = [threading.Thread(target=ask, args=(hub, producers[name])) for hub, name in pairs]
    with meeting_before_recalls(producers["farm"].instance.store.engine):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    assert [str(error.orig).splitlines()[0] for error in errors] == []
    with producers["farm"].read() as tx:
        recalled = tx.all(text("SELECT recalled FROM federation_lease WHERE role = 'lender' AND recalled > 0"))
    assert len(recalled) == TRANSACTIONS, "each has asked the other"
    region.work()
    assert_consistent(region)
