"""The upgrade itself: every step can be interrupted and repeated."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...base.errors import Busy, SettingsError, Several, StoreError, Trouble
from ...base.failpoints import failpoint
from ...base.ids import RandomIds
from ...hooks.loading import migration_folders
from ...instance import Instance
from ...instance.backup_key import make_backup_key
from ...instance.instance import UpgradeRecord, write_upgrade_record
from ...storage.database.migrate import migrate, missing_revisions
from ...storage.database.presence import exclusive_access
from ..backups.archive import Archive
from ..backups.backup import back_up
from ..backups.databases import may_make_databases
from ..checks import broken_invariants
from ..setup.settings import settings_problems
from ..terminal import shell
from .preflight import UpgradePlan

OnStep = Callable[[str, str], None]
"""Called after each step, with its name and a text for the operator."""
_TRIAL = ".trial-"  # how the names of folders for trials begin


class UpgradeFailed(Trouble):
    """A step failed; `backup` contains the instance as it was before the upgrade.

    untouched: no step has changed the database, so that the old version still starts
    before:    the old version; "" if unknown
    """

    def __init__(self, step: str, error: object, backup: Path, *, untouched: bool, before: str) -> None:
        super().__init__(text="{step}: {error}", step=step, error=error)
        self.backup, self.untouched, self.before = backup, untouched, before


@dataclass(frozen=True)
class UpgradeResult:
    """revisions: the revisions that ran
    backup:    the instance as it was before; None if there was nothing to do
    problems:  settings of enterprises that the new version refuses; their plugins are skipped until they are corrected
    """

    revisions: tuple[str, ...]
    backup: Path | None
    problems: tuple[str, ...]


def upgrade(plan: UpgradePlan, *, on_step: OnStep = lambda step, text: None) -> UpgradeResult:
    """Backs up, migrates one revision at a time, checks, and records the version.

    Raises `Busy` while the instance is running, and `StoreError` if it cannot be backed up: then nothing was changed.
    Raises `UpgradeFailed` if a later step fails.
    """
    if not plan.revisions and not plan.unfinished:
        _note(plan, finished=True)
        return UpgradeResult((), None, ())
    with exclusive_access(plan.store):
        backup = _backup(plan, on_step)
        if not plan.earlier_backup:
            _note(plan, finished=False, backup=backup)
        failpoint("upgrade.backed_up")
        revisions = _migrate(plan, backup, on_step)
        failpoint("upgrade.migrated")
        problems = _check(plan, backup)
        on_step(shell.spoken("checked"), shell.spoken("stock, numbers, totals, payments and journals agree"))
        failpoint("upgrade.checked")
        _note(plan, finished=True, backup=backup)
    return UpgradeResult(revisions, backup, problems)


def try_on_copy(plan: UpgradePlan) -> None:
    """Upgrades a copy of the database and checks it, while the instance may serve; the copy is deleted.

    Raises `StoreError` if that fails, or this user may not make a temporary database on PostgreSQL.
    """
    if not plan.revisions:
        return
    folder = plan.backups if plan.backups.exists() else plan.source.folder
    for leftover in folder.glob(f"{_TRIAL}*"):
        shutil.rmtree(leftover)  # of a killed process
    with tempfile.TemporaryDirectory(prefix=_TRIAL, dir=folder) as temporary:
        try:
            back_up(plan.source.folder, Path(temporary), whole=True, clock=plan.source.clock)
        except (Busy, SettingsError):
            raise
        except Exception as error:  # also of a revision that fails on the copy
            text = "A copy cannot be upgraded, so nothing was changed. {kind}: {error}"
            raise StoreError(text, kind=type(error).__name__, error=error) from error


def _backup(plan: UpgradePlan, on_step: OnStep) -> Path:
    if plan.earlier_backup:
        with Archive.open(plan.earlier_backup) as archive:
            archive.refuse_unproven([make_backup_key(plan.source.folder)])
            archive.check()
        on_step(
            shell.spoken("backup"),
            shell.spoken("{file}, of the attempt that was broken off, is whole", file=plan.earlier_backup),
        )
        return plan.earlier_backup
    is_tried = plan.source.sqlite_file is not None or may_make_databases(plan.store)
    try:
        backup = back_up(plan.source.folder, plan.backups, whole=is_tried, clock=plan.source.clock).file.absolute()
    except (Busy, SettingsError):
        raise
    except Exception as error:  # also of a revision that fails on the copy
        text = "The backup is not good, so nothing was changed. {kind}: {error}"
        raise StoreError(text, kind=type(error).__name__, error=error) from error
    text = "{file} was opened and checked, and a copy upgraded" if is_tried else "{file} was opened and checked"
    on_step(shell.spoken("backup"), shell.spoken(text, file=backup))
    return backup


def _migrate(plan: UpgradePlan, backup: Path, on_step: OnStep) -> tuple[str, ...]:
    folders = migration_folders(plan.source.hooks)
    try:
        return tuple(
            migrate(plan.store, folders, on_revision=lambda revision: on_step(shell.spoken("migrated"), revision))
        )
    except Exception as error:  # whatever a revision raises, the operator must read how to go on
        remaining = missing_revisions(plan.store, folders)
        untouched = len(remaining) == len(plan.revisions) and not plan.earlier_backup
        raise UpgradeFailed(remaining[0], error, backup, untouched=untouched, before=_before(plan)) from error


def _check(plan: UpgradePlan, backup: Path) -> tuple[str, ...]:
    with plan.store.read() as tx:
        broken = broken_invariants(tx, plan.source.hooks)
    if broken:
        raise UpgradeFailed("check", Several(broken[:5]), backup, untouched=False, before=_before(plan))
    source = plan.source
    instance = Instance(source.folder, source.settings, plan.store, source.hooks, source.clock, RandomIds())
    return tuple(map(shell.told, settings_problems(instance)))


def _before(plan: UpgradePlan) -> str:
    """The version to which the database belonged before this upgrade; "" if unknown."""
    record = plan.record
    if record is None:
        return ""
    is_current = record.finished or not set(record.revisions).intersection(plan.revisions)
    return record.version if is_current and not plan.earlier_backup else record.before


def _note(plan: UpgradePlan, *, finished: bool, backup: Path | None = None) -> None:
    """Records the upgrade. The record of an earlier upgrade to the same version stays, with its backup."""
    record = plan.record
    if backup is None and record is not None and record.version == plan.version:
        write_upgrade_record(plan.source.folder, replace(record, finished=True))
        return
    new_record = UpgradeRecord(
        version=plan.version,
        before=_before(plan),
        at=plan.source.clock.now(),
        backup=str(backup or ""),
        revisions=record.revisions if plan.earlier_backup and record else plan.revisions,
        finished=finished,
    )
    write_upgrade_record(plan.source.folder, new_record)
