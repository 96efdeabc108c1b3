"""Exports an instance into one archive that can be imported into either kind of database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from ...base.clock import Clock
from ...base.errors import SettingsError, StoreError
from ...hooks.loading import migration_folders
from ...storage.database.core_tables import tables_of
from ...storage.database.revisions import missing
from ..setup.named_files import file_of_caller
from .archive import SETTINGS, Archive, archive_in, exists_already
from .manifest import Manifest, describe
from .rows import write_rows
from .settings import without_secrets
from .source import Source


@dataclass(frozen=True)
class ExportResult:
    manifest: Manifest
    left_behind: tuple[str, ...]
    """Tables of plugins that are no longer enabled; they are not in the archive."""


def export(folder: Path, file: Path, *, clock: Clock) -> ExportResult:
    """Writes a snapshot of the instance in `folder` into the new archive `file`, and checks it.

    It contains the secrets in the enterprises' settings of plugins, which they need to sell, but not those of
    ``instance.toml``. Raises `SettingsError` if an enabled plugin cannot be loaded or `file` exists, and `StoreError`
    for a database that is older than this version.
    """
    source = Source.of(folder, clock)
    refuse_absent(source)
    try:
        with file_of_caller(file, new=True) as out:
            result = _write(source, out)
            with Archive.read(file, out) as archive:
                archive.check()
    except FileExistsError:
        raise exists_already(file) from None
    except OSError as error:
        raise StoreError("{file}: {error}", file=file, error=error) from error
    return result


def refuse_absent(source: Source) -> None:
    """Raises `SettingsError` if an enabled plugin cannot be loaded, because its tables are unknown then."""
    for plugin, why in source.hooks.absent.items():
        text = "The plugin {plugin} is enabled and cannot be loaded, so its tables are not known: {why}."
        raise SettingsError(text, plugin=plugin, why=why)


def _write(source: Source, file: IO[bytes]) -> ExportResult:
    text, left_out = without_secrets(source.folder, source.settings, source.hooks)
    if source.sqlite_file is not None and not source.sqlite_file.exists():
        raise StoreError("There is no database {file}.", file=source.sqlite_file)
    store = source.store(source.url)
    try:
        if missing(store, migration_folders(source.hooks)):
            raise StoreError("The database is older than this version; run `commensal upgrade` first.")
        with archive_in(file) as out:
            with store.read() as tx:
                manifest = describe(
                    tx, "export", made_at=source.clock.now(), plugins=source.settings.enabled_plugins, left_out=left_out
                )
                tables = tables_of(source.hooks.plugins())
                for table in tables:
                    write_rows(tx, table, out)
            out.add(SETTINGS, text.encode())
            out.add_images(source.settings.images_of(source.folder))
            names = {table.name for table in tables}
            lines = {"alembic_version", *(f"{plugin}_revision" for plugin in source.hooks.plugins())}
            exported = replace(
                manifest,
                counts={name: count for name, count in manifest.counts.items() if name in names},
                revisions={name: revisions for name, revisions in manifest.revisions.items() if name in lines},
            )
            return ExportResult(out.finish(exported), tuple(sorted(set(manifest.counts) - names)))
    finally:
        store.close()
