"""The upgrade itself: every step can be broken off, and taken again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...base.errors import Busy, SettingsError, Several, StoreError, Trouble
from ...base.failpoints import failpoint
from ...base.languages import shell
from ...hooks.loading import migration_folders
from ...instance.brought import Brought, write_brought
from ...storage.database.migrate import migrate, missing_revisions
from ...storage.database.presence import exclusive_access
from ...trade.enterprises.try_settings import settings_problems
from ..backups.archive import Archive
from ..backups.backup import back_up
from ..backups.postgresql import may_make_databases
from ..checks import broken_invariants
from .preflight import Plan

Told = Callable[[str, str], None]
"""Hears which step is done, and what is to be said of it."""


class HalfWay(Trouble):
    """A step failed, and `backup` holds the instance as it was before the first.

    untouched: no step has changed the database, so that the old version still starts
    before:    that version; empty where nobody knows
    """

    def __init__(self, step: str, error: object, backup: Path, *, untouched: bool, before: str) -> None:
        super().__init__(text="{step}: {error}", step=step, error=error)
        self.backup, self.untouched, self.before = backup, untouched, before


@dataclass(frozen=True)
class Upgraded:
    """`backup`: as it was before, if anything was to be done. `problems`: settings of enterprises that the new version
    does not take; their plugins are left out until somebody mends them."""

    revisions: tuple[str, ...]
    backup: Path | None
    problems: tuple[str, ...]


def upgrade(plan: Plan, *, told: Told = lambda step, said: None) -> Upgraded:
    """Backs up, migrates one revision at a time, checks, and notes which version the database belongs to.

    Raises `Busy` while the instance is running, `StoreError` where it cannot be backed up: then nothing was changed.
    Raises `HalfWay` where something fails later.
    """
    if not plan.revisions and not plan.unfinished:
        _note(plan, finished=True)
        return Upgraded((), None, ())
    with exclusive_access(plan.store):
        backup = _backup(plan, told)
        if not plan.kept:
            _note(plan, finished=False, backup=backup)
        failpoint("upgrade.backed_up")
        revisions = _migrate(plan, backup, told)
        failpoint("upgrade.migrated")
        problems = _check(plan, backup)
        told(shell.spoken("checked"), shell.spoken("stock, numbers, totals, payments and journals agree"))
        failpoint("upgrade.checked")
        _note(plan, finished=True, backup=backup)
    return Upgraded(revisions, backup, problems)


def _backup(plan: Plan, told: Told) -> Path:
    if plan.kept:
        with Archive.open(plan.kept) as archive:
            archive.check()
        told(
            shell.spoken("backup"), shell.spoken("{file}, of the attempt that was broken off, is whole", file=plan.kept)
        )
        return plan.kept
    tried = plan.source.sqlite_file is not None or may_make_databases(plan.store)
    try:
        made = back_up(plan.source.folder, plan.backups, whole=tried, clock=plan.source.clock).file.absolute()
    except (Busy, SettingsError):
        raise
    except Exception as error:  # also that of a revision which the copy does not take
        text = "The backup is not good, so nothing was changed. {kind}: {error}"
        raise StoreError(text, kind=type(error).__name__, error=error) from error
    text = "{file} was opened and checked, and a copy upgraded" if tried else "{file} was opened and checked"
    told(shell.spoken("backup"), shell.spoken(text, file=made))
    return made


def _migrate(plan: Plan, backup: Path, told: Told) -> tuple[str, ...]:
    lines = migration_folders(plan.source.hooks)
    try:
        return tuple(migrate(plan.store, lines, on_revision=lambda revision: told(shell.spoken("migrated"), revision)))
    except Exception as error:  # whatever a revision raises, the operator must read how to go on
        left = missing_revisions(plan.store, lines)
        untouched = len(left) == len(plan.revisions) and not plan.kept
        raise HalfWay(left[0], error, backup, untouched=untouched, before=_before(plan)) from error


def _check(plan: Plan, backup: Path) -> tuple[str, ...]:
    with plan.store.read() as tx:
        broken = broken_invariants(tx)
    if broken:
        raise HalfWay("check", Several(broken[:5]), backup, untouched=False, before=_before(plan))
    return tuple(map(shell.told, settings_problems(plan.store, plan.source.hooks)))


def _before(plan: Plan) -> str:
    """The version that had brought the database where it was; empty where nobody knows."""
    known = plan.brought
    if known is None:
        return ""
    reached = known.finished or not set(known.revisions).intersection(plan.revisions)
    return known.version if reached and not plan.kept else known.before


def _note(plan: Plan, *, finished: bool, backup: Path | None = None) -> None:
    """What is known of an earlier upgrade to the same version stays, its backup too."""
    known = plan.brought
    if backup is None and known is not None and known.version == plan.version:
        write_brought(plan.source.folder, replace(known, finished=True))
        return
    said = Brought(
        version=plan.version,
        before=_before(plan),
        at=plan.source.clock.now(),
        backup=str(backup or ""),
        revisions=known.revisions if plan.kept and known else plan.revisions,
        finished=finished,
    )
    write_brought(plan.source.folder, said)
