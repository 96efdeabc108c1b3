"""Backups, made while others write, on both databases; and what happens if one cannot be finished."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from commensal.base.clock import ManualClock
from commensal.base.errors import Busy, SettingsError, StoreError
from commensal.orders.tables import customer_order
from commensal.parts.backups.archive import Archive
from commensal.parts.backups.backup import back_up, try_newest
from commensal.parts.backups.upkeep.upkeep import backups_in, newest_for_certain
from commensal.stock.tables import stock_lot

from .keeping import PASSWORD, buy, folder, make_instance, open_store, postgresql_tools, sqlite_url, write_settings

__all__ = ["folder", "postgresql_tools", "sqlite_url"]  # fixtures

COMMENSAL = Path(sys.executable).with_name("commensal")


def test_a_backup_is_one_private_file_that_names_all_that_is_in_it(
    folder: Path, database_url: str, clock: ManualClock
) -> None:
    make_instance(folder, database_url)
    backup = back_up(folder, folder / "backups", clock=clock)
    assert backup.file == folder / "backups" / "commensal-20260604T100000Z.zip"
    assert stat.S_IMODE(backup.file.stat().st_mode) == 0o600
    assert sorted(path.name for path in backup.file.parent.iterdir()) == [".lock", backup.file.name]
    with Archive.open(backup.file) as archive:
        manifest = archive.manifest
    assert (manifest.counts["customer_order"], manifest.counts["job"]) == (1, 2)
    assert manifest.made_at == clock.now()
    assert len(manifest.revisions["alembic_version"]) == 1
    assert f"images/{'a' * 64}.webp" in manifest.files
    assert try_newest(folder, folder / "backups", clock=clock) == backup.file


@pytest.mark.bundled
def test_passwords_are_not_in_a_backup_and_are_named_as_missing(
    folder: Path, database_url: str, clock: ManualClock
) -> None:
    make_instance(folder, database_url)
    if database_url.startswith("postgresql"):
        url = make_url(database_url).set(password="hunter2").render_as_string(hide_password=False)
        write_settings(folder, url)
    with (folder / "instance.toml").open("a", encoding="utf-8") as file:
        file.write('[plugins.stripe]\nsecret_key = "sk_live_1"\n')
    backup = back_up(folder, folder / "backups", clock=clock)
    with zipfile.ZipFile(backup.file) as archive:
        texts = archive.read("instance.toml").decode() + archive.read("manifest.json").decode()
    assert "Les Paniers “du Val”" in texts
    assert not any(secret in texts for secret in (PASSWORD, "sk_live_1", "hunter2"))
    assert {"mail.password", "plugins.stripe"} <= set(backup.manifest.left_out)
    assert ("database.url (its password)" in backup.manifest.left_out) == database_url.startswith("postgresql")


def test_a_backup_is_consistent_while_orders_come_in_and_stops_none(
    folder: Path, database_url: str, clock: ManualClock
) -> None:
    item = make_instance(folder, database_url)
    started, stop = threading.Barrier(4), threading.Event()
    errors: list[BaseException] = []

    def shop() -> None:
        store = open_store(database_url)
        try:
            buy(store, item)
            started.wait(timeout=60)
            while not stop.is_set():
                buy(store, item)
        except BaseException as error:
            errors.append(error)
        finally:
            store.close()

    def orders() -> int:
        store = open_store(database_url)
        with store.read() as tx:
            count: int = tx.value(select(func.count()).select_from(customer_order))
        store.close()
        return count

    shoppers = [threading.Thread(target=shop) for _ in range(3)]
    for shopper in shoppers:
        shopper.start()
    started.wait(timeout=60)
    before = orders()
    backup = back_up(folder, folder / "backups", clock=clock)  # checks the invariants of the copy
    after = orders()
    stop.set()
    for shopper in shoppers:
        shopper.join()
    assert errors == []
    assert before <= backup.manifest.counts["customer_order"] <= after
    assert after > before
    try_newest(folder, folder / "backups", clock=clock)


def test_what_is_not_sound_is_not_kept_as_a_backup(folder: Path, database_url: str, clock: ManualClock) -> None:
    make_instance(folder, database_url)
    first = back_up(folder, folder / "backups", keep=1, clock=clock)
    store = open_store(database_url)
    with store.write() as tx:
        tx.execute(update(stock_lot).values(free=stock_lot.c.free + 1))
    store.close()
    clock.advance(days=1)
    with pytest.raises(StoreError, match="not sound: stock: The lot Pommes is at"):
        back_up(folder, folder / "backups", keep=1, clock=clock)
    assert backups_in(folder / "backups") == [first.file]


def test_the_newest_stay_and_nothing_is_overwritten(folder: Path, database_url: str, clock: ManualClock) -> None:
    make_instance(folder, database_url)
    backups = folder / "backups"
    (backups).mkdir()
    (backups / "notes.zip").write_bytes(b"of the operator")
    files = []
    for _ in range(3):
        files.append(back_up(folder, backups, keep=2, clock=clock).file)
        clock.advance(hours=1)
    assert backups_in(backups) == [files[2], files[1]]
    assert (backups / "notes.zip").exists()
    clock.advance(hours=-1)
    content = files[2].read_bytes()
    backup = back_up(folder, backups, keep=2, clock=clock)  # within the same second
    assert files[2].read_bytes() == content
    assert backups_in(backups) == [backup.file, files[2]]
    clock.advance(days=-7)  # somebody set the machine's clock back
    with pytest.raises(StoreError, match=r"T120001Z.zip was made after now, .*name the right file") as refusal:
        newest_for_certain(backups, clock.now())
    assert refusal.value.values["newest"] == backup.file, "all are from after now"
    last = back_up(folder, backups, keep=2, clock=clock)
    assert try_newest(folder, backups, clock=clock) == last.file, "what is newer by its name was made by a wrong clock"
    last = back_up(folder, backups, keep=1, clock=clock)
    assert backups_in(backups) == [last.file]


def test_a_database_of_a_newer_version_is_not_backed_up_by_an_older_one(
    folder: Path, sqlite_url: str, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    store = open_store(sqlite_url)
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
    store.close()
    with pytest.raises(StoreError, match="of_tomorrow, which this version of Commensal does not know"):
        back_up(folder, folder / "backups", clock=clock)
    assert backups_in(folder / "backups") == []


def test_a_disk_that_is_full_leaves_nothing_behind_and_is_told(folder: Path, sqlite_url: str) -> None:
    make_instance(folder, sqlite_url)
    with (folder / "images" / f"{'b' * 64}.webp").open("wb") as image:
        image.write(os.urandom(4_000_000))

    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    result = subprocess.run(
        [COMMENSAL, "backup", "--instance", folder],
        capture_output=True,
        text=True,
        preexec_fn=limit_file_size,
        check=False,
    )
    assert result.returncode == 1
    assert "StoreError" in result.stderr
    assert "File too large" in result.stderr
    assert [path.name for path in (folder / "backups").iterdir()] == [".lock"]


def test_one_that_is_killed_leaves_no_backup_and_the_next_one_clears_up(folder: Path, sqlite_url: str) -> None:
    make_instance(folder, sqlite_url)
    backups = folder / "backups"
    running = subprocess.Popen([COMMENSAL, "backup", "--instance", folder], stdout=subprocess.DEVNULL)
    while running.poll() is None and not list(backups.glob(".commensal-*.part")):
        pass
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert backups_in(backups) == []
    assert list(backups.glob(".commensal-*.part"))
    subprocess.run([COMMENSAL, "backup", "--instance", folder], check=True, stdout=subprocess.DEVNULL)
    assert len(backups_in(backups)) == 1
    assert list(backups.glob(".commensal-*.part")) == []


def test_two_backups_do_not_run_at_once(folder: Path, sqlite_url: str, clock: ManualClock) -> None:
    make_instance(folder, sqlite_url)
    (folder / "backups").mkdir()
    with (folder / "backups" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="another backup"):
            back_up(folder, folder / "backups", clock=clock)


def test_a_missing_pg_dump_is_named_with_its_package(
    folder: Path, new_postgresql: Callable[[], str], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_instance(folder, new_postgresql())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SettingsError, match=r"pg_dump is not installed.*postgresql-client"):
        back_up(folder, folder / "backups", clock=clock)
    assert backups_in(folder / "backups") == []


def test_who_may_make_no_database_is_told_what_a_test_needs(
    folder: Path, new_postgresql: Callable[[], str], clock: ManualClock
) -> None:
    """A role may restore the backup although only an administrator may make the extension that is in it."""
    url = make_url(new_postgresql())
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE EXTENSION amcheck"))
    make_instance(folder, url.render_as_string(hide_password=False))
    backup = back_up(folder, folder / "backups", clock=clock)
    reader = f"reader_{os.getpid()}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE ROLE {reader} LOGIN"))
        write_settings(folder, url.set(username=reader).render_as_string(hide_password=False))
        with pytest.raises(StoreError, match=f"ALTER USER {reader} CREATEDB"):
            try_newest(folder, folder / "backups", clock=clock)
        connection.execute(text(f"ALTER ROLE {reader} CREATEDB"))
        assert try_newest(folder, folder / "backups", clock=clock) == backup.file
        connection.execute(text(f"DROP ROLE {reader}"))  # it owns no database any more
    admin.dispose()


def test_a_backup_that_has_rotted_is_found_by_its_test(folder: Path, sqlite_url: str, clock: ManualClock) -> None:
    make_instance(folder, sqlite_url)
    backup = back_up(folder, folder / "backups", clock=clock)
    content = bytearray(backup.file.read_bytes())
    content[len(content) // 2] ^= 1
    backup.file.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        try_newest(folder, folder / "backups", clock=clock)
    with pytest.raises(StoreError, match="There is no backup"):
        try_newest(folder, folder, clock=clock)
