"""Behind PgBouncer in transaction mode, an instance works as without it: orders, locks, time limits, backups."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import InternalError

from commensal.base.clock import SystemClock
from commensal.base.errors import Busy, SettingsError
from commensal.instance import open_instance
from commensal.orders.tables import customer_order
from commensal.parts.backups.backup import back_up
from commensal.parts.backups.restore import restore
from commensal.storage.database.presence import exclusive_access
from commensal.testing.placed import a_lot, a_shop, an_item

from .keeping import buy, open_store, postgresql_tools, write_settings
from .pgbouncer import COMMAND, pgbouncer

__all__ = ["postgresql_tools"]  # fixtures
pytestmark = pytest.mark.skipif(not Path(COMMAND).exists() and "CI" not in os.environ, reason="there is no pgbouncer")


@pytest.fixture
def urls(new_postgresql: Callable[[], str], tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A PostgreSQL database, and the same through PgBouncer, which has three connections to it."""
    url = new_postgresql()
    with pgbouncer(tmp_path, url) as pool_url:
        yield url, pool_url


@pytest.fixture
def folder(urls: tuple[str, str], tmp_path: Path) -> Path:
    """An instance with a shop that uses both."""
    folder = tmp_path / "val"
    url, pool_url = urls
    write_settings(folder, url, database={"url": url, "pool_url": pool_url})
    return folder


def test_many_orders_at_once_share_few_connections(folder: Path) -> None:
    """With prepared statements, delayed ones, and savepoints."""
    with open_instance(folder) as instance:
        store = instance.store
        with store.write() as tx:
            a_shop(tx)
            item = an_item(tx, a_lot(tx, on_hand="1000"))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: buy(store, item), range(40)))
        with store.read() as tx:
            assert len(tx.all(select(customer_order.c.id))) == 40


def test_an_upgrade_still_sees_who_serves(folder: Path, urls: tuple[str, str]) -> None:
    with closing(open_store(urls[0])) as direct:
        with open_instance(folder), pytest.raises(Busy, match="the instance is running"), exclusive_access(direct):
            pass
        with exclusive_access(direct), pytest.raises(Busy, match="is being upgraded"):
            open_instance(folder)


def test_limits_of_a_session_hold_in_each_transaction(folder: Path) -> None:
    """And nothing of one stays for the next, which may be another instance's."""
    limits = text("SELECT current_setting('lock_timeout'), current_setting('timezone')")
    with open_instance(folder) as instance:
        store = instance.store
        with store.write() as tx:
            assert tx.execute(limits).one() == ("3s", "UTC")
        with store.read() as tx:
            assert tx.execute(limits).one() == ("3s", "UTC")
            with pytest.raises(InternalError, match="read-only"), tx.connection.begin_nested():
                tx.execute(text("CREATE TABLE never (id int)"))


def test_backups_go_around_the_pool_and_a_restored_instance_does_not_use_it(
    folder: Path, urls: tuple[str, str], new_postgresql: Callable[[str], str], tmp_path: Path
) -> None:
    backup = back_up(folder, tmp_path / "backups", clock=SystemClock())
    assert "database.pool_url" in backup.manifest.left_out
    restore(backup.file, tmp_path / "restored", database=new_postgresql("template0"), clock=SystemClock())
    assert urls[1] not in (tmp_path / "restored" / "instance.toml").read_text()


def test_a_pool_of_another_database_is_refused(
    folder: Path, urls: tuple[str, str], new_postgresql: Callable[[], str]
) -> None:
    write_settings(folder, "", database={"url": new_postgresql(), "pool_url": urls[1]})
    with pytest.raises(SettingsError, match=r"database\.pool_url and database\.url name different databases"):
        open_instance(folder)
