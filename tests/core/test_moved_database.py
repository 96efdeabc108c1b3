"""Files of an open SQLite database that are moved, deleted or replaced: no write is confirmed that would be lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from commensal.base.acting import shell_command
from commensal.base.clock import ManualClock, SystemClock
from commensal.base.errors import StoreError, Unavailable
from commensal.instance import Instance, open_instance
from commensal.parts.accounts.operators import add_operator
from commensal.parts.backups.backup import back_up
from commensal.parts.checks import damaged_pages
from commensal.parts.monitoring.environment import health_problems
from commensal.parts.monitoring.health import Health, Watcher
from commensal.parts.setup.begin import begin_instance
from commensal.storage.database import Store
from commensal.storage.jobs import enqueue
from commensal.storage.jobs.tables import job

from .keeping import open_store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().now())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    begin_instance(tmp_path / "val", name="Val", plugins=())
    return tmp_path / "val"


@pytest.fixture
def instance(folder: Path, clock: ManualClock) -> Iterator[Instance]:
    """An open instance in a folder of its own, on SQLite."""
    with open_instance(folder, clock=clock) as opened:
        yield opened


@pytest.fixture
def file(instance: Instance) -> Path:
    return instance.folder / "commensal.db"


def write(store: Store) -> None:
    with store.write() as tx:
        enqueue(tx, "note", {})


def count(store: Store) -> int:
    with store.read() as tx:
        return int(tx.value(select(func.count()).select_from(job).where(job.c.kind == "note")))


def refused(store: Store) -> str:
    """Why a write is refused."""
    with pytest.raises(Unavailable) as refusal:
        write(store)
    return str(refusal.value)


def test_nothing_is_written_while_the_file_is_elsewhere_and_all_goes_on_once_it_is_back(
    instance: Instance, file: Path
) -> None:
    write(instance.store)
    file.rename(file.with_name("elsewhere.db"))
    assert f"{file} was moved, deleted or replaced while process {os.getpid()} has it open" in refused(instance.store)
    assert not file.exists(), "no empty database is made in its place"
    file.with_name("elsewhere.db").rename(file)
    write(instance.store)
    assert count(instance.store) == 2


def test_a_deleted_file_can_be_copied_from_the_process_that_has_it_open(instance: Instance, file: Path) -> None:
    """As the refusal says, and as the log beside it, in which the newest changes are."""
    write(instance.store)
    file.unlink()
    assert "/proc/" in refused(instance.store)
    names = {path: os.readlink(path) for path in Path(f"/proc/{os.getpid()}/fd").iterdir() if path.is_symlink()}
    copy = file.with_name("copy.db")
    shutil.copyfile(next(path for path, name in names.items() if name == f"{file} (deleted)"), copy)
    shutil.copyfile(f"{file}-wal", f"{copy}-wal")
    with closing(open_store(f"sqlite:///{copy}")) as store:
        assert count(store) == 1


def test_a_file_that_was_replaced_is_not_written(instance: Instance, file: Path) -> None:
    """As by `cp` of a backup over it, while the instance serves."""
    shutil.copyfile(file, file.with_name("copy.db"))
    file.with_name("copy.db").replace(file)
    assert "nothing is written until the same file is back" in refused(instance.store)


def test_a_log_that_was_deleted_costs_nothing_that_was_written(folder: Path) -> None:
    log = folder / "commensal.db-wal"
    with open_instance(folder) as instance:
        write(instance.store)
        for path in (log, folder / "commensal.db-shm"):
            path.unlink()
        assert f"{log} was moved, deleted or replaced" in (why := refused(instance.store))
        assert "until you have stopped all processes" in why
        with pytest.raises(Unavailable, match="deleted while other processes use the database"), open_instance(folder):
            pass  # what it would write now would be lost when the other process ends
        with pytest.raises(StoreError, match=r"cannot be read: .*deleted while other processes use the database"):
            back_up(folder, folder / "backups", clock=SystemClock())
        assert not log.exists()
    with open_instance(folder) as restarted:
        assert count(restarted.store) == 1
        write(restarted.store)


def health_later(instance: Instance, watcher: Watcher, clock: ManualClock) -> Health:
    """What a monitor reads within a minute."""
    clock.advance(seconds=20)
    return watcher.health()


def test_health_says_that_the_file_is_gone(instance: Instance, file: Path, clock: ManualClock) -> None:
    watcher = Watcher(instance)
    assert watcher.health().status == "ok"
    file.rename(file.with_name("elsewhere.db"))
    health = health_later(instance, watcher, clock)
    assert health.status == "down"
    assert "commensal.db was moved, deleted or replaced" in health.reasons[0]
    file.with_name("elsewhere.db").rename(file)
    assert health_later(instance, watcher, clock).status == "ok"


def test_health_says_that_the_folder_is_gone(instance: Instance, clock: ManualClock) -> None:
    """As when the disk is no longer mounted."""
    watcher = Watcher(instance)
    assert watcher.health().status == "ok"
    instance.folder.rename(instance.folder.with_name("elsewhere"))
    health = health_later(instance, watcher, clock)
    assert health.status == "down"
    assert f"There is no {instance.folder}: is its disk mounted?" in health.reasons
    instance.folder.with_name("elsewhere").rename(instance.folder)
    assert health_later(instance, watcher, clock).status == "ok"


def test_a_damaged_index_of_a_file_is_told_by_check_and_by_health_once_it_was_read(
    instance: Instance, file: Path, clock: ManualClock
) -> None:
    """No order can be placed then, although all tables can be read."""
    watcher = Watcher(instance)
    with instance.store.read() as tx:
        root = tx.value(text("SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'audit_entry'"))
    assert list(damaged_pages(instance.store)) == []
    for pool in instance.store.pools:
        pool.dispose()  # connections, with the pages that they keep; the last one writes the log back
    with file.open("r+b") as database:
        database.seek((root - 1) * 4096)
        database.write(b"\xff" * 4096)
    assert watcher.health().status == "ok", "nobody has read it"
    with pytest.raises(Unavailable, match="malformed"), shell_command("user"):
        add_operator(instance.store, email="ada@example.org", name="Ada", password="a long password", language="en")
    problems = list(damaged_pages(instance.store))
    assert [problem.code for problem in problems] == ["damaged_file"]
    health = health_later(instance, watcher, clock)
    assert (health.status, health.codes) == ("degraded", ("damaged_pages",))
    assert "damaged_pages" in {problem.code for problem in health_problems(instance)}, "the operator's page"
    for sentence in (str(problems[0]), health.reasons[0]):
        assert "restore the newest backup into a new folder" in sentence


def test_health_says_what_to_do_about_damaged_pages(instance: Instance, file: Path, clock: ManualClock) -> None:
    for pool in instance.store.pools:
        pool.dispose()  # connections, with the pages that they keep; the last one writes the log back
    with file.open("r+b") as database:
        database.seek(4096)
        database.write(b"\xff" * (file.stat().st_size - 4096))
    health = health_later(instance, Watcher(instance), clock)
    assert health.status == "down"
    assert health.reasons[0].startswith("The database does not answer: database disk image is malformed. The file is")
    assert "restore the newest backup into a new folder" in health.reasons[0]
