"""An instance backs itself up every night and tries the newest backup every week; operators hear when that fails."""

from __future__ import annotations

import fcntl
import os
import time as clocks
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import SettingsError
from commensal.base.ids import RandomIds
from commensal.instance import Instance, load_settings, open_instance
from commensal.parts.backups.backup import back_up
from commensal.parts.backups.nightly import enqueue_backup
from commensal.parts.backups.restore import restore
from commensal.parts.backups.upkeep.tables import upkeep
from commensal.parts.backups.upkeep.upkeep import TRIAL, backups_in, last_moment, overdue_work
from commensal.parts.monitoring.environment import warnings
from commensal.parts.monitoring.health import Watcher
from commensal.parts.serving.work import work_of
from commensal.parts.setup.begin import begin_instance
from commensal.storage.jobs import Job, Work, enqueue
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.run import CLAIM, keep_claimed, renew_claim, run_due
from commensal.storage.jobs.tables import job

from .keeping import folder, make_instance, postgresql_tools, sqlite_url, write_settings

__all__ = ["folder", "postgresql_tools", "sqlite_url"]  # fixtures

# The clock of the tests stands at noon in Paris, on 4 June 2026; 03:30 there is 01:30 UTC.
LAST_NIGHT = datetime(2026, 6, 4, 1, 30, tzinfo=UTC)


def open_with_backups(folder: Path, url: str, disk: Path, clock: ManualClock) -> Instance:
    make_instance(folder, url)
    write_settings(folder, url, backups={"folder": str(disk), "keep": 2})
    return open_instance(folder, clock=clock, ids=RandomIds())


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "other disk"


@pytest.fixture
def val(folder: Path, sqlite_url: str, disk: Path, clock: ManualClock) -> Iterator[Instance]:
    with open_with_backups(folder, sqlite_url, disk, clock) as instance:
        without_mail(instance)
        yield instance


def without_mail(instance: Instance) -> None:
    with instance.store.write() as tx:
        tx.execute(update(job).values(state="done"))


def work(instance: Instance) -> None:
    tick(instance, work_of(instance))


def backup_jobs(instance: Instance) -> list[tuple[str, str, str]]:
    """Returns the backup jobs as (kind, state, error), in the order in which they were promised."""
    with instance.store.read() as tx:
        rows = tx.all(select(job.c.kind, job.c.state, job.c.error).where(job.c.kind.like("backup%")).order_by(job.c.id))
    return [(row["kind"], row["state"], row["error"]) for row in rows]


def backup_reasons(instance: Instance) -> list[str]:
    """Returns the reasons about backups in the instance's health."""
    return [reason for reason in Watcher(instance).health().reasons if "backup" in reason]


# ------------------------------------------------------------------------------------------------ every night


def test_an_instance_backs_itself_up_every_night_and_tries_one_backup_a_week(
    folder: Path, database_url: str, disk: Path, clock: ManualClock
) -> None:
    with open_with_backups(folder, database_url, disk, clock) as instance:
        without_mail(instance)
        nights = []
        for days in (1, 5, 1, 0):
            work(instance)
            work(instance)
            nights.append(len(backup_jobs(instance)))
            clock.advance(days=days)
        with instance.store.read() as tx:
            trials = tx.all(select(upkeep.c.due_at).where(upkeep.c.kind == TRIAL).order_by(upkeep.c.due_at))
        assert [row["due_at"] for row in trials] == [LAST_NIGHT, LAST_NIGHT + timedelta(days=7)]
        assert nights == [2, 3, 4, 6], "one job for each night with a worker, and two trials"
        assert {state for _, state, _ in backup_jobs(instance)} == {"done"}
        assert len(backups_in(disk)) == 2, "as many as backups.keep says"
        assert backup_reasons(instance) == []


def test_two_workers_make_one_backup_a_night(val: Instance, disk: Path, clock: ManualClock) -> None:
    with open_instance(val.folder, clock=clock, ids=RandomIds()) as other:
        clock.advance(minutes=4)
        work(val)
        clock.advance(minutes=2)  # another slot of the periodic check
        work(other)
        work(val)
    assert len(backups_in(disk)) == 1


def test_a_backup_begins_when_its_time_has_come_on_the_clock_of_the_place(
    val: Instance, disk: Path, clock: ManualClock
) -> None:
    work(val)
    clock.advance(hours=15, minutes=29)
    work(val)
    assert len(backups_in(disk)) == 1
    clock.advance(minutes=1)
    work(val)
    assert backups_in(disk)[0].name == "commensal-20260605T013000Z.zip"


def test_a_backup_made_while_the_clock_was_ahead_stands_for_no_later_night(val: Instance, disk: Path) -> None:
    """It would count as the newest until the day in its name, and nobody would be told."""
    disk.mkdir(exist_ok=True)
    (disk / "commensal-20300604T013000Z.zip").touch()
    assert any("There is no backup" in str(warning) for warning in warnings(val))
    work(val)
    assert [file.name[:14] for file in backups_in(disk)] == ["commensal-2030", "commensal-2026"]


def test_nights_without_power_are_made_up_by_one_backup(val: Instance, disk: Path, clock: ManualClock) -> None:
    work(val)
    clock.advance(days=4)
    work(val)
    work(val)
    assert [kind for kind, _, _ in backup_jobs(val)] == ["backup", "backup_trial", "backup"]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 28, 1, 30, tzinfo=UTC)),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # 02:30 is skipped
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first 02:30
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the second
    ],
)
def test_a_night_has_one_backup_also_when_the_clocks_change(now: datetime, due: datetime) -> None:
    assert last_moment(now, time(2, 30), "Europe/Paris") == due


def test_without_a_backup_folder_nothing_is_backed_up(folder: Path, sqlite_url: str, clock: ManualClock) -> None:
    make_instance(folder, sqlite_url)
    with open_instance(folder, clock=clock, ids=RandomIds()) as instance:
        without_mail(instance)
        work(instance)
        assert backup_jobs(instance) == []
        assert "Nobody makes backups: let backups.folder in instance.toml name a folder, best on another disk." in map(
            str, warnings(instance)
        )


# ------------------------------------------------------------------------------------------------ when it goes wrong


def test_a_backup_that_somebody_else_is_making_is_waited_for_and_is_that_of_the_night(
    val: Instance, disk: Path, clock: ManualClock
) -> None:
    disk.mkdir()
    lock = os.open(disk / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    work(val)
    assert backup_jobs(val) == [("backup", "done", ""), ("backup", "waiting", "")], "no failure, and another try"
    os.close(lock)
    back_up(val.folder, disk, clock=clock)
    clock.advance(minutes=15)
    work(val)
    assert len(backups_in(disk)) == 1
    assert {state for _, state, _ in backup_jobs(val)} == {"done"}


def test_an_instance_that_cannot_back_itself_up_says_so_after_an_hour_and_until_it_can(
    val: Instance, disk: Path, clock: ManualClock
) -> None:
    disk.write_text("a file where the folder was")
    work(val)
    assert backup_reasons(val) == []
    for _ in range(5):
        clock.advance(minutes=15)
        work(val)
    assert backup_reasons(val) == [
        "No backup has been made since 2026-06-04 10:00 UTC: StoreError: Backups cannot be written to "
        f"{disk}: File exists."
    ]
    for _ in range(40):  # more nights: the warning stays after the job is parked
        clock.advance(hours=1)
        work(val)
    assert any("No backup has been made since 2026-06-04 10:00" in reason for reason in backup_reasons(val))
    disk.unlink()
    clock.advance(hours=24)
    work(val)
    assert backup_reasons(val) == [], "and nothing is left to be tried again"
    assert {state for _, state, _ in backup_jobs(val)} == {"done"}


def test_a_backup_that_no_worker_makes_is_told(val: Instance, clock: ManualClock) -> None:
    with val.store.write() as tx:
        enqueue_backup(tx, settings=val.settings)
    clock.advance(hours=1, seconds=1)
    assert any("the job waits for a worker, or is still under way" in reason for reason in backup_reasons(val))


def test_a_backup_that_cannot_be_restored_is_told(val: Instance, disk: Path, clock: ManualClock) -> None:
    def damaged(instance: Instance, job: Job) -> None:
        (file,) = backups_in(disk)
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
        work_of(instance).handlers[TRIAL](instance, job)

    tick(val, replace(work_of(val), handlers={**work_of(val).handlers, TRIAL: damaged}))
    clock.advance(hours=1, seconds=1)
    (reason,) = [reason for reason in backup_reasons(val) if "restored" in reason]
    assert reason.startswith("No backup has been restored to try it since 2026-06-04 10:00 UTC: StoreError: ")
    assert "is damaged" in reason


def test_what_is_overdue_is_asked_without_reading_all_jobs(val: Instance) -> None:
    statements: list[tuple[str, Any]] = []

    @event.listens_for(val.store.engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    with val.store.read() as tx:
        assert list(overdue_work(tx)) == []
        ((statement, parameters),) = [query for query in statements if "upkeep" in query[0]]
        plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    (jobs,) = [row[-1] for row in plan if " job" in row[-1]]
    assert jobs.startswith("SEARCH job USING"), plan


# ------------------------------------------------------------------------------------------------ check, and moving


def test_check_tells_of_backups_that_are_missing_or_old(val: Instance, disk: Path, clock: ManualClock) -> None:
    def about_backups() -> list[str]:
        return [warning for warning in map(str, warnings(val)) if "ackup" in warning and "chmod" not in warning]

    assert about_backups() == [
        f"There is no backup in {disk} yet; a running worker makes one, and so does `commensal backup`."
    ]
    work(val)
    assert about_backups() == []
    clock.advance(days=2)
    assert about_backups() == [
        f"The newest backup in {disk} is of 2026-06-04 10:00 UTC; `commensal jobs` tells what went wrong, and "
        "`commensal backup` makes one now."
    ]


def test_an_instance_that_was_restored_does_not_write_among_the_backups_of_the_other(
    val: Instance, disk: Path, tmp_path: Path, clock: ManualClock
) -> None:
    work(val)
    (file,) = backups_in(disk)
    with zipfile.ZipFile(file) as archive:
        assert str(disk) not in archive.read("instance.toml").decode()
    restored = restore(file, tmp_path / "val2", clock=clock)
    assert "backups.folder" in restored.manifest.left_out
    assert load_settings(tmp_path / "val2").backups.folder == ""
    assert "backup" not in restored.waiting, "no backup job waits"


def test_init_makes_the_folder_and_sets_it(tmp_path: Path) -> None:
    begin_instance(tmp_path / "val", name="Val", backups=tmp_path / "disk" / "val", plugins=())
    assert load_settings(tmp_path / "val").backups.folder == str(tmp_path / "disk" / "val")
    assert (tmp_path / "disk" / "val").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('folder = "backups"', "backups.folder: 'backups' must be an absolute path"),
        ('at = "3h30"', "backups.at: '3h30' is not a time of day; write it like \"03:30\""),
        ('at = "24:00"', "backups.at: '24:00' is not a time of day"),
        ("keep = 0", "backups.keep: 0 is too few"),
        ('fodler = "/x"', "backups.fodler is unknown; did you mean 'folder'?"),
    ],
)
def test_settings_of_backups_that_are_wrong_are_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "instance.toml").write_text(f'name = "Val"\n[backups]\n{line}\n')
    with pytest.raises(SettingsError) as error:
        load_settings(tmp_path)
    assert message in str(error.value)


# ------------------------------------------------------------------------------------------------ longer than a claim


def test_a_job_that_takes_longer_than_its_claim_is_not_taken_up_by_another(
    instance: Instance, clock: ManualClock
) -> None:
    attempts: list[int] = []

    def long(_: Instance, job: Job) -> None:
        attempts.append(job.attempts)
        for _minute in range(12):
            clock.advance(minutes=1)
            renew_claim(instance, job)
            assert not run_due(instance, work_items)

    work_items = Work({"long": long})
    with instance.store.write() as tx:
        enqueue(tx, "long", {})
    assert run_due(instance, work_items)
    assert attempts == [1]


def test_what_was_lost_to_another_worker_is_not_taken_back(instance: Instance, clock: ManualClock) -> None:
    with instance.store.write() as tx:
        enqueue(tx, "long", {})

    def slow(_: Instance, job: Job) -> None:
        clock.advance(seconds=CLAIM.total_seconds() + 1)
        run_due(instance, Work({"long": die}))
        renew_claim(instance, job)

    def die(*_: object) -> None:
        with instance.store.read() as tx:
            claims.append(tx.value(select(job.c.claimed_until)))
        clock.advance(minutes=1)
        raise KeyboardInterrupt

    claims: list[datetime] = []
    with pytest.raises(KeyboardInterrupt):
        run_due(instance, Work({"long": slow}))
    with instance.store.read() as tx:
        assert tx.value(select(job.c.claimed_until)) == claims[0]


def test_a_job_is_held_while_its_block_runs(instance: Instance, clock: ManualClock) -> None:
    def claimed_until() -> datetime:
        with instance.store.read() as tx:
            until: datetime = tx.value(select(job.c.claimed_until))
        return until

    def long(_: Instance, job: Job) -> None:
        first = claimed_until()
        clock.advance(minutes=1)
        with keep_claimed(instance, job, every=timedelta(milliseconds=1)):
            deadline = clocks.monotonic() + 20
            while claimed_until() == first and clocks.monotonic() < deadline:
                pass
        assert claimed_until() == first + timedelta(minutes=1)

    with instance.store.write() as tx:
        enqueue(tx, "long", {})
    assert run_due(instance, Work({"long": long}))
    with instance.store.read() as tx:
        assert tx.value(select(job.c.state)) == "done"
