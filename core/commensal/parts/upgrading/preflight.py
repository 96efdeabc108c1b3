"""The checks before an upgrade: whatever can be known to fail, fails here, before anything is changed."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import text

from ...base.clock import Clock
from ...base.errors import Problem, SettingsError, Several, StoreError
from ...hooks.loading import migration_folders
from ...instance.instance import UpgradeRecord, read_upgrade_record, with_version
from ...storage.database import Store
from ...storage.database.errors import DATABASE_ERRORS, database_message
from ...storage.database.revisions import NewerDatabase, is_empty, missing
from ..backups import databases
from ..backups.manifest import revisions_of
from ..backups.source import Source


@dataclass(frozen=True, kw_only=True)
class UpgradePlan:
    """What an upgrade would do.

    revisions: the missing revisions, in the order in which they would run
    left:      plugins that have tables but are not enabled; their tables stay as they are
    size:      bytes of the database
    needed:    bytes that the backup and the migration may take for a while, by folder
    record:    the record of the last upgrade, which may be unfinished
    """

    source: Source
    store: Store
    backups: Path
    version: str
    revisions: tuple[str, ...]
    left: tuple[str, ...]
    size: int
    needed: dict[Path, int]
    record: UpgradeRecord | None

    @property
    def unfinished(self) -> bool:
        """Whether an upgrade has begun and was interrupted."""
        return self.record is not None and not self.record.finished

    @property
    def earlier_backup(self) -> Path | None:
        """The backup of an interrupted upgrade, if it can still be used; else None."""
        return _usable_backup(self.record, self.revisions)


@contextmanager
def preflight(folder: Path, backups: Path, *, clock: Clock) -> Iterator[UpgradePlan]:
    """Checks settings, plugins, database and disks. The store of the plan is closed at the end of the block.

    Raises `SettingsError` for what the operator has to change, and `StoreError` for a database that cannot be reached,
    is empty, or is newer than this version.
    """
    _refuse_other_owner(folder)
    source = Source.of(folder, clock)
    if source.hooks.absent:
        reasons = [
            replace(why, where=plugin) if isinstance(why, Problem) else f"{plugin}: {why}"
            for plugin, why in source.hooks.absent.items()
        ]
        text = "Plugins that are enabled cannot be loaded. Install them for this version first: {said}."
        raise SettingsError(text, said=Several(reasons))
    if source.sqlite_file is None:
        databases.require_tools()
    elif not source.sqlite_file.exists():
        raise StoreError(
            "There is no database {file}; `commensal migrate` makes an empty one.", file=source.sqlite_file
        )
    store = source.store(source.url)
    try:
        plan = _plan(source, store, backups)
        _refuse_full(plan.needed)
        yield plan
    except DATABASE_ERRORS as error:
        raise StoreError("The database does not answer: {error}", error=database_message(error)) from error
    finally:
        store.close()


def _plan(source: Source, store: Store, backups: Path) -> UpgradePlan:
    if is_empty(store):
        raise StoreError("The database is empty; `commensal migrate` makes its tables.")
    folders = migration_folders(source.hooks)
    with store.read() as tx:
        plugins_with_tables = {
            name.removesuffix("_revision") for name in revisions_of(tx) if name.endswith("_revision")
        }
        size = _size_of_file(source.sqlite_file) if source.sqlite_file else tx.value(_SIZE)
    try:
        revisions = missing(store, folders)
    except NewerDatabase as error:
        raise with_version(error, source.folder) from None
    record = read_upgrade_record(source.folder)
    images = sum(image.stat().st_size for image in source.settings.images_of(source.folder).glob("*.webp"))
    to_back_up = 0 if _usable_backup(record, revisions) else 3 * size + images
    return UpgradePlan(
        source=source,
        store=store,
        backups=backups,
        version=version("commensal"),
        revisions=tuple(revisions),
        left=tuple(sorted(plugins_with_tables - set(folders))),
        size=size,
        needed=_needed(source.sqlite_file, size, backups, to_back_up) if revisions else {},
        record=record,
    )


def _usable_backup(record: UpgradeRecord | None, missing_revisions: Collection[str]) -> Path | None:
    """The backup of an interrupted upgrade, if the upgrade stopped between its first revision and its end.

    Then no version could serve since, so the backup is complete, and the old version could not use a newer one. If it
    stopped before or after, people may have ordered since, and a new backup is needed: None.
    """
    if record is None or record.finished or not Path(record.backup).is_file():
        return None
    remaining = set(record.revisions).intersection(missing_revisions)
    is_partly_done = bool(remaining) and remaining != set(record.revisions)
    return Path(record.backup) if is_partly_done or not missing_revisions else None


_SIZE = text("SELECT pg_database_size(current_database())")


def _size_of_file(file: Path) -> int:
    journal = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (journal.stat().st_size if journal.exists() else 0)


def _needed(file: Path | None, size: int, backups: Path, to_back_up: int) -> dict[Path, int]:
    """Bytes by folder. A backup needs a copy of the database, the archive, and the copy that is migrated as a trial. A
    revision may rewrite the whole database. The disk of a PostgreSQL server is unknown and not counted."""
    needed = Counter({_existing(backups): to_back_up})
    if file is not None:
        needed[file.parent.absolute()] += size
    return dict(needed)


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _refuse_full(needed: dict[Path, int]) -> None:
    """Raises `StoreError` if a disk has less free space than its folders need together."""
    disks: dict[int, list[Path]] = {}
    for folder in needed:
        disks.setdefault(folder.stat().st_dev, []).append(folder)
    for folders in disks.values():
        needed_bytes, free = sum(needed[folder_] for folder_ in folders), shutil.disk_usage(folders[0]).free
        if needed_bytes > free:
            text = (
                "The upgrade may need {wanted:,} MB for a while, and the disk of {folder} has {free:,} MB free. "
                "Make room, or name another place with --to. Nothing was changed."
            )
            raise StoreError(text, wanted=needed_bytes // 1024**2, folder=folders[0], free=free // 1024**2)


def _refuse_other_owner(folder: Path) -> None:
    """Raises `SettingsError` for root, if the instance belongs to another user, who could not read the new files."""
    file = folder / "instance.toml"
    if file.exists() and os.geteuid() == 0 != file.stat().st_uid:
        text = "{file} belongs to {owner}; run this as that user: `runuser -u {owner} -- commensal upgrade …`."
        raise SettingsError(text, file=file, owner=file.owner())
