"""What is looked at before anything is changed: whatever can be known to fail, fails here."""

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
from sqlalchemy.exc import DBAPIError

from ...base.clock import Clock
from ...base.errors import Problem, SettingsError, Several, StoreError
from ...hooks.loading import migration_folders
from ...instance.brought import Brought, read_brought, told_of_version
from ...storage.database import Store
from ...storage.database.revisions import NewerDatabase, is_empty, missing
from ..backups import postgresql
from ..backups.manifest import revisions_of
from ..backups.source import Source


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an upgrade would do.

    revisions: that the database has not had, in the order in which they would run
    left:      plugins that have tables in it and are not enabled; their tables stay as they are
    size:      bytes of the database
    needed:    bytes by folder that the backup and the migration may take for a while
    brought:   what is known of the last upgrade, which may not have come to its end
    """

    source: Source
    store: Store
    backups: Path
    version: str
    revisions: tuple[str, ...]
    left: tuple[str, ...]
    size: int
    needed: dict[Path, int]
    brought: Brought | None

    @property
    def unfinished(self) -> bool:
        """An upgrade has begun, and was broken off before its end."""
        return self.brought is not None and not self.brought.finished

    @property
    def kept(self) -> Path | None:
        """The backup of an upgrade that was broken off, where it is the one to go back to."""
        return _kept(self.brought, self.revisions)


@contextmanager
def preflight(folder: Path, backups: Path, *, clock: Clock) -> Iterator[Plan]:
    """Looks at settings, plugins, database and disks; its store is closed at the end of the block.

    Raises `SettingsError` for what the operator has to change, `StoreError` for a database that is away, empty, or
    newer than this version.
    """
    _refuse_other_owner(folder)
    source = Source.of(folder, clock)
    if source.hooks.absent:
        said = [
            replace(why, where=plugin) if isinstance(why, Problem) else f"{plugin}: {why}"
            for plugin, why in source.hooks.absent.items()
        ]
        text = "Plugins that are enabled cannot be loaded. Install them for this version first: {said}."
        raise SettingsError(text, said=Several(said))
    if source.sqlite_file is None:
        postgresql.need_tools()
    elif not source.sqlite_file.exists():
        raise StoreError(
            "There is no database {file}; `commensal migrate` makes an empty one.", file=source.sqlite_file
        )
    store = source.store(source.url)
    try:
        plan = _plan(source, store, backups)
        _refuse_full(plan.needed)
        yield plan
    except DBAPIError as error:
        raise StoreError("The database does not answer: {error}", error=error.orig) from error
    finally:
        store.close()


def _plan(source: Source, store: Store, backups: Path) -> Plan:
    if is_empty(store):
        raise StoreError("The database is empty; `commensal migrate` makes its tables.")
    lines = migration_folders(source.hooks)
    with store.read() as tx:
        had = {name.removesuffix("_revision") for name in revisions_of(tx) if name.endswith("_revision")}
        size = _size_of_file(source.sqlite_file) if source.sqlite_file else tx.value(_SIZE)
    try:
        revisions = missing(store, lines)
    except NewerDatabase as error:
        raise told_of_version(error, source.folder) from None
    brought = read_brought(source.folder)
    images = sum(one.stat().st_size for one in (source.folder / "images").glob("*.webp"))
    to_back_up = 0 if _kept(brought, revisions) else 3 * size + images
    return Plan(
        source=source,
        store=store,
        backups=backups,
        version=version("commensal"),
        revisions=tuple(revisions),
        left=tuple(sorted(had - set(lines))),
        size=size,
        needed=_needed(source.sqlite_file, size, backups, to_back_up) if revisions else {},
        brought=brought,
    )


def _kept(brought: Brought | None, left: Collection[str]) -> Path | None:
    """Between the first step and the last no version serves, so that the backup from before still holds everything, and
    a new one would be of no use to the old version. Before and after, somebody may have ordered since."""
    if brought is None or brought.finished or not Path(brought.backup).is_file():
        return None
    still = set(brought.revisions).intersection(left)
    between = bool(still) and still != set(brought.revisions)
    return Path(brought.backup) if between or not left else None


_SIZE = text("SELECT pg_database_size(current_database())")


def _size_of_file(file: Path) -> int:
    journal = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (journal.stat().st_size if journal.exists() else 0)


def _needed(file: Path | None, size: int, backups: Path, to_back_up: int) -> dict[Path, int]:
    """The backup takes a copy of the database, the archive, and the copy that is opened and migrated to try it. A
    revision may write the whole database anew. Where PostgreSQL keeps its files, nobody can see from here."""
    wanted = Counter({_existing(backups): to_back_up})
    if file is not None:
        wanted[file.parent.absolute()] += size
    return dict(wanted)


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(one for one in (folder, *folder.parents) if one.exists())


def _refuse_full(needed: dict[Path, int]) -> None:
    """Folders of one disk are added up."""
    disks: dict[int, list[Path]] = {}
    for folder in needed:
        disks.setdefault(folder.stat().st_dev, []).append(folder)
    for folders in disks.values():
        wanted, free = sum(needed[one] for one in folders), shutil.disk_usage(folders[0]).free
        if wanted > free:
            text = (
                "The upgrade may need {wanted:,} MB for a while, and the disk of {folder} has {free:,} MB free. "
                "Make room, or name another place with --to. Nothing was changed."
            )
            raise StoreError(text, wanted=wanted // 1024**2, folder=folders[0], free=free // 1024**2)


def _refuse_other_owner(folder: Path) -> None:
    """What root writes here, the instance could not read when it serves again."""
    file = folder / "instance.toml"
    if file.exists() and os.geteuid() == 0 != file.stat().st_uid:
        text = "{file} belongs to {owner}; run this as that user: `runuser -u {owner} -- commensal upgrade …`."
        raise SettingsError(text, file=file, owner=file.owner())
