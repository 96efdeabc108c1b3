"""``commensal upgrade``: brings an instance to the version that was installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ..clock import SystemClock
from ..hosting import UNITS
from ..printing import console
from ..upgrading.preflight import Plan, preflight
from ..upgrading.upgrade import HalfWay, Upgraded, upgrade
from .backup import BackupFolder, backup_folder
from .folder import HERE, Folder

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
                done = upgrade(plan, told=_say)
            except HalfWay as error:
                _print_ways(error, instance, postgresql=plan.source.sqlite_file is None)
                raise typer.Exit(_HALF_WAY) from error
            _print_end(plan, done)


def _say(step: str, said: str) -> None:
    console.print(f"[green]{step:<9}[/green] {escape(said)}", soft_wrap=True)


def _print_plan(plan: Plan) -> None:
    settings = plan.source.settings
    _say("settings", f"{plan.source.folder / 'instance.toml'}, {len(settings.enabled_plugins)} plugins are there")
    kind = "SQLite" if plan.source.sqlite_file else "PostgreSQL"
    known = plan.brought
    by = f", of Commensal {known.version}, {known.at:%Y-%m-%d}" if known is not None and known.finished else ""
    _say("database", f"{kind}, {plan.size / 1024**2:,.1f} MB{by}")
    if plan.left:
        _say("left", f"tables of {', '.join(plan.left)}, not enabled, stay as they are")
    if plan.revisions:
        _say("space", f"{sum(plan.needed.values()) / 1024**2:,.1f} MB for a while, which is there")
    if plan.kept:
        _say("resumed", "an upgrade was broken off; this one goes on where it was")
    elif plan.unfinished:
        _say("again", "an upgrade was broken off before its first step, or after its last; this one begins anew")


def _print_intent(plan: Plan) -> None:
    if plan.kept:
        _say("would", f"keep {plan.kept}")
    elif plan.revisions:
        _say("would", f"back up into {plan.backups}, and try the upgrade on the copy")
    for one in plan.revisions:
        _say("would", f"migrate {one}")
    console.print("Nothing was changed." if plan.revisions else "There is nothing to migrate.", soft_wrap=True)


def _print_end(plan: Plan, done: Upgraded) -> None:
    for one in done.problems:
        console.print(f"[yellow]settings[/yellow]  {escape(one)}", soft_wrap=True)
    if done.backup is None:
        console.print(
            f"[green]sound[/green] The database is that of Commensal {plan.version} already. Restart what began before "
            f"it was installed: `systemctl restart {_UNITS}`.",
            soft_wrap=True,
        )
        return
    console.print(
        f"[green]sound[/green] The database is that of Commensal {plan.version}. Start the instance again: `systemctl "
        f"start {_UNITS}`, or `commensal serve`. Keep {done.backup} until you are content.",
        soft_wrap=True,
    )


def _print_ways(error: HalfWay, instance: Path, *, postgresql: bool) -> None:
    """On and back, spelled out: who reads this has no time to look anything up."""
    old = f"commensal=={error.before}" if error.before else "the version that you had"
    console.print(f"[red]stopped[/red]   {escape(str(error))}", soft_wrap=True)
    if error.untouched:
        back = f"nothing has changed: install {old} and start the instance as before."
    else:
        database = " --database URL-OF-AN-EMPTY-DATABASE" if postgresql else ""
        restore = f"commensal restore {error.backup} --instance {instance.absolute()}-restored{database}"
        back = (
            f"install {old}, then `{restore}`: the new folder is the instance as it was, and nobody has ordered since."
        )
    console.print("Nothing of this step stays. The instance must not serve before one of two things is done.")
    console.print(
        f"On: mend what is named above, then run `commensal upgrade --instance {instance}` again.", soft_wrap=True
    )
    console.print(f"Back: {back}", markup=False, soft_wrap=True)
