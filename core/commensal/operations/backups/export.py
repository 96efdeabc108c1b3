"""Writes a whole instance into one archive that either database reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...base.clock import Clock
from ...base.errors import SettingsError, StoreError
from ...hooks.loading import migration_folders
from ...storage.database.revisions import missing
from .archive import SETTINGS, Archive, name_finished, writing
from .manifest import Manifest, describe
from .rows import tables_of, write_rows
from .settings import without_secrets
from .source import Source


@dataclass(frozen=True)
class Exported:
    manifest: Manifest
    left_behind: tuple[str, ...]
    """Tables of plugins that are not enabled any more."""


def export(folder: Path, file: Path, *, clock: Clock) -> Exported:
    """Writes the instance in `folder`, as it is at one moment, into the new archive `file`, and reads it back.

    Secrets that enterprises have set for their plugins are in it, since they could not sell without them; those of
    ``instance.toml`` are not. Raises `SettingsError` where an enabled plugin cannot be loaded or `file` exists,
    `StoreError` for a database that is older than this version.
    """
    if file.exists():
        raise SettingsError("{file} exists already; nothing was changed.", file=file)
    source = Source.of(folder, clock)
    refuse_absent(source)
    unfinished = file.with_name(f".{file.name}.part")
    try:
        unfinished.unlink(missing_ok=True)  # of one that was killed
        done = _write(source, unfinished)
        with Archive.open(unfinished) as archive:
            archive.check()
        name_finished(unfinished, file)
    except OSError as error:
        raise StoreError("{file}: {error}", file=file, error=error) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return done


def refuse_absent(source: Source) -> None:
    """Raises `SettingsError` where the tables of a plugin that is enabled are not known."""
    for plugin, why in source.hooks.absent.items():
        text = "The plugin {plugin} is enabled and cannot be loaded, so its tables are not known: {why}."
        raise SettingsError(text, plugin=plugin, why=why)


def _write(source: Source, unfinished: Path) -> Exported:
    text, left_out = without_secrets(source.folder, source.settings, source.hooks)
    if source.sqlite_file is not None and not source.sqlite_file.exists():
        raise StoreError("There is no database {file}.", file=source.sqlite_file)
    store = source.store(source.url)
    try:
        if missing(store, migration_folders(source.hooks)):
            raise StoreError("The database is older than this version; run `commensal upgrade` first.")
        with writing(unfinished) as out:
            with store.read() as tx:
                found = describe(
                    tx, "export", made_at=source.clock.now(), plugins=source.settings.enabled_plugins, left_out=left_out
                )
                tables = tables_of(source.hooks.plugins())
                for table in tables:
                    write_rows(tx, table, out)
            out.add(SETTINGS, text.encode())
            out.add_images(source.folder / "images")
            names = {one.name for one in tables}
            lines = {"alembic_version", *(f"{one}_revision" for one in source.hooks.plugins())}
            carried = replace(
                found,
                counts={name: count for name, count in found.counts.items() if name in names},
                revisions={name: had for name, had in found.revisions.items() if name in lines},
            )
            return Exported(out.finish(carried), tuple(sorted(set(found.counts) - names)))
    finally:
        store.close()
