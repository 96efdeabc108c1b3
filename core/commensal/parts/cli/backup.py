"""``commensal backup`` and ``commensal restore``: write a backup, and make an instance from one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ...base.clock import SystemClock
from ...base.errors import SettingsError, Trouble
from ...instance import load_settings, open_instance
from ..backups.backup import Backup, back_up, try_elsewhere, try_newest
from ..backups.elsewhere import push
from ..backups.restore import ImportedInstance, restore
from ..backups.upkeep.upkeep import BACKUP, TRIAL, Work, newest_for_certain, note_done
from ..terminal.lists import console
from ..terminal.shell import spoken
from .named import HERE, Folder

BackupFolder = Annotated[
    Path | None,
    typer.Option(help="A folder for this instance's backups alone; else backups.folder of instance.toml, or backups/."),
]


ProvingKey = Annotated[
    Path | None,
    typer.Option("--key", help="keys/backups.key of the instance; else that of one beside the new.", dir_okay=False),
]
Unproven = Annotated[bool, typer.Option("--unproven", help="Take it though nothing proves whose it is.")]


def refuse_both(key: Path | None, *, unproven: bool) -> None:
    if key is not None and unproven:
        raise SettingsError("--key proves the archive, and --unproven takes it without proof: name one of them.")


def add_to(app: typer.Typer) -> None:
    @app.command("backup")
    def backup(
        to: BackupFolder = None,
        keep: Annotated[int | None, typer.Option(min=1, help="How many of the newest stay; else backups.keep.")] = None,
        test: Annotated[
            bool, typer.Option("--test", help="Restore the newest into a temporary place instead.")
        ] = False,
        instance: Folder = HERE,
    ) -> None:
        """Backs up the instance, which may be serving, into one file, and checks that file."""
        settings = load_settings(instance).backups
        place = to or backup_folder(instance)
        if test:
            newest = try_newest(instance, place, clock=SystemClock())
            console.print(spoken("[green]sound[/green] {file} can be restored.", file=newest), soft_wrap=True)
            if settings.elsewhere and to is None:
                name = try_elsewhere(instance, settings.elsewhere, clock=SystemClock()).name
                text = spoken(
                    "[green]sound[/green] {name} was brought back from {place} and can be restored.",
                    name=name,
                    place=settings.elsewhere,
                )
                console.print(text, soft_wrap=True)
            if to is None:
                _note_done(instance, TRIAL)
            return
        result = back_up(instance, place, keep=keep or settings.keep, clock=SystemClock())
        _print_backup(result)
        if settings.elsewhere and to is None:
            push(place, settings.elsewhere)
            console.print(spoken("[green]copied[/green] to {place}", place=settings.elsewhere), soft_wrap=True)
        if to is None:
            _note_done(instance, BACKUP)

    @app.command("restore")
    def restore_command(
        archive: Annotated[Path, typer.Argument(help="A file of `commensal backup`, or its folder: the newest.")],
        instance: Annotated[Path, typer.Option("--instance", help="A new or empty folder.", file_okay=False)],
        database: Annotated[str, typer.Option(help="The URL of an empty database, for a backup of PostgreSQL.")] = "",
        key: ProvingKey = None,
        unproven: Unproven = False,
    ) -> None:
        """Makes an instance from a backup, in a new folder."""
        refuse_both(key, unproven=unproven)
        file = newest_for_certain(archive, SystemClock().now()) if archive.is_dir() else archive
        print_restored(
            restore(file, instance, database=database, key=key, unproven=unproven, clock=SystemClock()), instance
        )


def _note_done(instance: Path, kind: Work) -> None:
    """Notes it for health and the operator's page, as the worker does. It is done also where that is impossible: before
    an upgrade, on a disk that takes no writes, without the instance's plugins."""
    with suppress(Trouble), open_instance(instance, forgiving=True) as opened, opened.store.write() as tx:
        note_done(tx, kind)


def _print_backup(result: Backup) -> None:
    rows, size = sum(result.manifest.counts.values()), result.file.stat().st_size
    text = spoken(
        "[green]sound[/green] {file}: {rows:,} rows, {size:,} bytes, opened and checked.",
        file=result.file,
        rows=rows,
        size=size,
    )
    console.print(text, soft_wrap=True)
    if result.manifest.left_out:
        keys = ", ".join(result.manifest.left_out)
        console.print(
            spoken("Not in the backup; keep them elsewhere: {keys}.", keys=keys), markup=False, soft_wrap=True
        )
    for file in result.removed:
        console.print(spoken("removed {file}", file=file), soft_wrap=True)


def backup_folder(instance: Path) -> Path:
    """The folder for backups where no option names one."""
    return Path(load_settings(instance).backups.folder or instance / "backups")


def print_restored(restored: ImportedInstance, instance: Path) -> None:
    """Prints what an operator must do before the restored instance serves."""
    text = spoken(
        "[green]sound[/green] The instance of {at:%Y-%m-%d %H:%M} UTC is in {folder}.",
        at=restored.manifest.made_at,
        folder=instance,
    )
    console.print(text, soft_wrap=True)
    for line in _instructions(restored, instance):
        console.print(line, markup=False, soft_wrap=True)


def _instructions(restored: ImportedInstance, instance: Path) -> Iterator[str]:
    for key in restored.manifest.left_out:
        text = "set again in {folder}/instance.toml: {key}"
        if key.endswith("/"):
            text = "copy from where the instance was into {folder}, as its owner: {key}"
        yield spoken(text, folder=instance, key=key)
    for plugin, why in restored.absent.items():
        text = "install the plugin {plugin}: {why}; what it has kept is in the database"
        yield spoken(text, plugin=plugin, why=why)
    if restored.waiting:
        jobs = ", ".join(f"{count} {kind}" for kind, count in restored.waiting.items())
        yield spoken("Jobs that had not been done at that moment: {jobs}.", jobs=jobs)
        yield spoken(
            "They will be done when it serves. If the other instance has gone on since, it has done them, and e-mails "
            "would be sent twice: look first, with `commensal serve --no-jobs`, and never run both."
        )
