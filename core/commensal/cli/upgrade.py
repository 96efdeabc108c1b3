"""``commensal upgrade``: brings an instance to the version that was installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ..base.clock import SystemClock
from ..base.languages.shell import spoken, told
from ..operations.hosting import UNITS
from ..operations.upgrading.preflight import UpgradePlan, preflight
from ..operations.upgrading.upgrade import UpgradeFailed, UpgradeResult, upgrade
from .backup import BackupFolder, backup_folder
from .folder import HERE, Folder
from .printing import console

_HALF_WAY = 3  # the exit code; 1 is "refused, and nothing was changed"
_UNITS = " ".join(UNITS)


def add_to(app: typer.Typer) -> None:
    @app.command("upgrade")
    def upgrade_command(
        to: BackupFolder = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look, and say what would happen.")] = False,
        instance: Folder = HERE,
    ) -> None:
        """Brings an instance that is stopped to this version: looks, backs up, migrates, checks.

        Install the new version and stop the instance first. If this is broken off, run it again: it goes on. Exits 1
        where it refuses and nothing was changed, 3 where it stopped half-way and says how to go on or back.
        """
        with preflight(instance, to or backup_folder(instance), clock=SystemClock()) as plan:
            _print_plan(plan)
            if dry_run:
                _print_intent(plan)
                return
            try:
                done = upgrade(plan, on_step=_say)
            except UpgradeFailed as error:
                _print_ways(error, instance, postgresql=plan.source.sqlite_file is None)
                raise typer.Exit(_HALF_WAY) from error
            _print_end(plan, done)


def _say(step: str, said: str) -> None:
    console.print(f"[green]{step:<9}[/green] {escape(said)}", soft_wrap=True)


def _print_plan(plan: UpgradePlan) -> None:
    settings = plan.source.settings
    file, count = plan.source.folder / "instance.toml", len(settings.enabled_plugins)
    _say(spoken("settings"), spoken("{file}, {count} plugins are there", file=file, count=count))
    _say(spoken("database"), _database(plan))
    if plan.left:
        names = ", ".join(plan.left)
        _say(spoken("left"), spoken("tables of {names}, not enabled, stay as they are", names=names))
    if plan.revisions:
        size = sum(plan.needed.values()) / 1024**2
        _say(spoken("space"), spoken("{size:,.1f} MB for a while, which is there", size=size))
    if plan.earlier_backup:
        _say(spoken("resumed"), spoken("an upgrade was broken off; this one goes on where it was"))
    elif plan.unfinished:
        said = "an upgrade was broken off before its first step, or after its last; this one begins anew"
        _say(spoken("again"), spoken(said))


def _database(plan: UpgradePlan) -> str:
    kind, size, known = "SQLite" if plan.source.sqlite_file else "PostgreSQL", plan.size / 1024**2, plan.record
    if known is None or not known.finished:
        return spoken("{kind}, {size:,.1f} MB", kind=kind, size=size)
    text = "{kind}, {size:,.1f} MB, of Commensal {version}, {at:%Y-%m-%d}"
    return spoken(text, kind=kind, size=size, version=known.version, at=known.at)


def _print_intent(plan: UpgradePlan) -> None:
    if plan.earlier_backup:
        _say(spoken("would"), spoken("keep {file}", file=plan.earlier_backup))
    elif plan.revisions:
        text = "back up into {folder}, and try the upgrade on the copy"
        _say(spoken("would"), spoken(text, folder=plan.backups))
    for one in plan.revisions:
        _say(spoken("would"), spoken("migrate {revision}", revision=one))
    console.print(spoken("Nothing was changed." if plan.revisions else "There is nothing to migrate."), soft_wrap=True)


def _print_end(plan: UpgradePlan, done: UpgradeResult) -> None:
    for one in done.problems:
        console.print(f"[yellow]{spoken('settings'):<9}[/yellow] {escape(one)}", soft_wrap=True)
    text = (
        "[green]sound[/green] The database is that of Commensal {version}. Start the instance again: `systemctl start "
        "{units}`, or `commensal serve`. Keep {backup} until you are content."
    )
    if done.backup is None:
        text = (
            "[green]sound[/green] The database is that of Commensal {version} already. Restart what began before it "
            "was installed: `systemctl restart {units}`."
        )
    console.print(spoken(text, version=plan.version, units=_UNITS, backup=done.backup), soft_wrap=True)


def _print_ways(error: UpgradeFailed, instance: Path, *, postgresql: bool) -> None:
    """On and back, spelled out: who reads this has no time to look anything up."""
    old = f"commensal=={error.before}" if error.before else spoken("the version that you had")
    console.print(f"[red]{spoken('stopped'):<9}[/red] {escape(told(error))}", soft_wrap=True)
    console.print(spoken("Nothing of this step stays. The instance must not serve before one of two things is done."))
    on = "On: mend what is named above, then run `commensal upgrade --instance {instance}` again."
    console.print(spoken(on, instance=instance), soft_wrap=True)
    restore = f"commensal restore {error.backup} --instance {instance.absolute()}-restored"
    if postgresql:
        restore += f" --database {spoken('URL-OF-AN-EMPTY-DATABASE')}"
    back = (
        "Back: install {old}, then `{restore}`: the new folder is the instance as it was, and nobody has ordered since."
    )
    if error.untouched:
        back = "Back: nothing has changed: install {old} and start the instance as before."
    console.print(spoken(back, old=old, restore=restore), markup=False, soft_wrap=True)
