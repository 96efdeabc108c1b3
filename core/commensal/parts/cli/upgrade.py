"""``commensal upgrade``: upgrades an instance to the installed version, or installs another and upgrades to that."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from packaging.version import Version
from rich.markup import escape

from ...base.clock import SystemClock
from ...base.errors import SettingsError
from ...instance.instance import UpgradeRecord
from ..hosting import UNITS
from ..setup.owner import ask_as_owner
from ..terminal.lists import console
from ..terminal.shell import spoken, told
from ..upgrading.bringing_back import give_back
from ..upgrading.preflight import UpgradePlan, preflight
from ..upgrading.replacing import Site, go_back, refuse_unattended, replace
from ..upgrading.services import Services, how_to_start
from ..upgrading.upgrade import UpgradeFailed, UpgradeResult, try_on_copy, upgrade
from ..upgrading.versions import DOWNLOADS, LATEST, Program, Wheel, is_beside_others
from .backup import BackupFolder, backup_folder
from .named import HERE, Folder

_HALF_WAY = 3  # the exit code; 1 is "refused, and nothing was changed"


def add_to(app: typer.Typer) -> None:
    @app.command("upgrade")
    def upgrade_command(
        release: Annotated[
            str, typer.Argument(metavar="[VERSION]", help="A wheel, a version, or `latest`: installed beside this one.")
        ] = "",
        to: BackupFolder = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look, and say what would happen.")] = False,
        trial: Annotated[
            bool, typer.Option("--trial", help="Only try it on a copy, while the instance serves.")
        ] = False,
        back: Annotated[bool, typer.Option("--back", help="Go back to the version before.")] = False,
        losing_changes: Annotated[
            bool, typer.Option("--losing-changes", help="With --back: lose what people have done since.")
        ] = False,
        unattended: Annotated[
            bool, typer.Option("--unattended", help="Refuse what a person should look at first.")
        ] = False,
        unit: Annotated[list[str] | None, typer.Option(help="A service to stop and start; else the usual two.")] = None,
        also: Annotated[
            list[Path] | None, typer.Option(help="Another instance that this program serves.", file_okay=False)
        ] = None,
        instance: Folder = HERE,
    ) -> None:
        """Brings an instance that is stopped to this version: looks, backs up, migrates, checks.

        With a version, it does the rest too: installs that version beside this one, tries it on a copy, stops the
        services, upgrades, starts them again, and says for how long nobody was served; --back undoes that while nobody
        has ordered. Where no version lies beside this one, as in containers, --back gives an instance that is stopped
        its database from before. If this is broken off, run it again: it goes on. Exits 1 where it refuses and nothing
        was changed, 3 where it stopped half-way and says how to go on or back.
        """
        if release or back:
            if release and back:
                raise SettingsError("--back returns to the previous version: do not name another.")
            folders = [instance, *(also or [])]
            if back and not is_beside_others():
                _give_back(folders, losing=losing_changes)
                return
            site = _site_of(folders, unit or [])
            if back:
                _return_to_before(site, losing=losing_changes)
            else:
                _replace_version(site, release, unattended=unattended)
            return
        with preflight(instance, to or backup_folder(instance), clock=SystemClock()) as plan:
            _print_plan(plan)
            if dry_run:
                _print_intent(plan)
                return
            if trial:
                try_on_copy(plan)
                _print_step(spoken("tried"), spoken("a copy was upgraded, checked and deleted; nothing was changed"))
                return
            try:
                result = upgrade(plan, on_step=_print_step)
            except UpgradeFailed as error:
                _print_options(error, instance, postgresql=plan.source.sqlite_file is None)
                raise typer.Exit(_HALF_WAY) from error
            _print_end(plan, result)


def _print_plan(plan: UpgradePlan) -> None:
    settings = plan.source.settings
    file, count = plan.source.folder / "instance.toml", len(settings.enabled_plugins)
    _print_step(spoken("settings"), spoken("{file}, {count} plugins are there", file=file, count=count))
    _print_step(spoken("database"), _describe_database(plan))
    if plan.left:
        names = ", ".join(plan.left)
        _print_step(spoken("left"), spoken("tables of {names}, not enabled, stay as they are", names=names))
    if plan.revisions:
        size = sum(plan.needed.values()) / 1024**2
        _print_step(spoken("space"), spoken("{size:,.1f} MB for a while, which is there", size=size))
    if plan.earlier_backup:
        _print_step(spoken("resumed"), spoken("an upgrade was broken off; this one goes on where it was"))
    elif plan.unfinished:
        text = "an upgrade was broken off before its first step, or after its last; this one begins anew"
        _print_step(spoken("again"), spoken(text))


def _describe_database(plan: UpgradePlan) -> str:
    kind, size, last_upgrade = "SQLite" if plan.source.sqlite_file else "PostgreSQL", plan.size / 1024**2, plan.record
    if last_upgrade is None or not last_upgrade.finished:
        return spoken("{kind}, {size:,.1f} MB", kind=kind, size=size)
    text = "{kind}, {size:,.1f} MB, of Commensal {version}, {at:%Y-%m-%d}"
    return spoken(text, kind=kind, size=size, version=last_upgrade.version, at=last_upgrade.at)


def _print_intent(plan: UpgradePlan) -> None:
    if plan.earlier_backup:
        _print_step(spoken("would"), spoken("keep {file}", file=plan.earlier_backup))
    elif plan.revisions:
        text = "back up into {folder}, and try the upgrade on the copy"
        _print_step(spoken("would"), spoken(text, folder=plan.backups))
    for revision in plan.revisions:
        _print_step(spoken("would"), spoken("migrate {revision}", revision=revision))
    console.print(spoken("Nothing was changed." if plan.revisions else "There is nothing to migrate."), soft_wrap=True)


def _print_end(plan: UpgradePlan, result: UpgradeResult) -> None:
    for problem in result.problems:
        console.print(f"[yellow]{spoken('settings'):<9}[/yellow] {escape(problem)}", soft_wrap=True)
    text = (
        "[green]sound[/green] The database is that of Commensal {version}. Start the instance again: {how}. Keep "
        "{backup} until you are content."
    )
    how = how_to_start(plan.source.folder, tuple(UNITS), "start" if result.backup else "restart")
    if result.backup is None:
        text = (
            "[green]sound[/green] The database is that of Commensal {version} already. Restart what began before it "
            "was installed: {how}."
        )
    console.print(spoken(text, version=plan.version, how=how, backup=result.backup), soft_wrap=True)


def _print_options(error: UpgradeFailed, instance: Path, *, postgresql: bool) -> None:
    """Prints the exact commands to continue or to go back, so that operators need not look anything up."""
    old_version = f"commensal=={error.before}" if error.before else spoken("the version that you had")
    console.print(f"[red]{spoken('stopped'):<9}[/red] {escape(told(error))}", soft_wrap=True)
    console.print(spoken("Nothing of this step stays. The instance must not serve before one of two things is done."))
    forward = "To go on: mend what is named above, then run `commensal upgrade --instance {instance}` again."
    console.print(spoken(forward, instance=instance), soft_wrap=True)
    console.print(_way_back(error, old_version, instance, postgresql=postgresql), markup=False, soft_wrap=True)


def _way_back(error: UpgradeFailed, old: str, instance: Path, *, postgresql: bool) -> str:
    if error.untouched:
        return spoken("To go back: nothing has changed: install {old} and start the instance as before.", old=old)
    if error.before:
        text = (
            "To go back: `commensal upgrade --back --instance {instance}` gives it the database of before; then "
            "install {old} and start the instance. Nobody has ordered since."
        )
        return spoken(text, old=old, instance=instance)
    restore = f"commensal restore {error.backup} --instance {instance.absolute()}-restored"
    if postgresql:
        restore += f" --database {spoken('URL-OF-AN-EMPTY-DATABASE')}"
    text = (
        "To go back: install {old}, then `{restore}`: the new folder is the instance as it was, and nobody has ordered "
        "since."
    )
    return spoken(text, old=old, restore=restore)


def _print_step(step: str, text: str) -> None:
    console.print(f"[green]{step:<9}[/green] {escape(text)}", soft_wrap=True)


def _give_back(folders: Sequence[Path], *, losing: bool) -> None:
    """Gives instances that are stopped their databases from before, and prints which version to start."""
    for folder in folders:
        before = partial(give_back, folder, losing=losing, clock=SystemClock())
        version = ask_as_owner(folder, before, UpgradeRecord).version
        text = (
            "[green]back[/green] The database in {folder} is that of Commensal {version}, as it was before the "
            "upgrade. Now start that version: its image, or after `pip install commensal=={version}`."
        )
        console.print(spoken(text, folder=folder.absolute(), version=version), soft_wrap=True)


def _site_of(instances: Sequence[Path], units: Sequence[str]) -> Site:
    """The place of the version that runs this; `units` are the services, if they are not the usual ones. Raises
    `SettingsError` if this version is not beside others."""
    program, folders = Program.of_this_process(), [folder.absolute() for folder in instances]
    services = Services(units) if units else Services.of(folders, tuple(UNITS))
    return Site(program, folders, services, SystemClock())


def _replace_version(site: Site, release: str, *, unattended: bool) -> None:
    """Upgrades to `release`, a wheel, a version, or `LATEST`, and prints each step and how long nobody was served."""
    program = site.program
    wheel = Wheel.find(release, program.folder / DOWNLOADS)
    version = str(wheel.version)
    if release == LATEST and program.current and wheel.version <= Version(program.current):
        console.print(spoken("Commensal {version} is the newest.", version=program.current))
        return
    if unattended:
        refuse_unattended(site, wheel)
    seconds = replace(site, wheel, on_step=_print_step)
    text = (
        "[green]done[/green] Commensal {version} serves. Nobody was served for {seconds:.1f} seconds. While nobody has "
        "ordered, `commensal upgrade --back` leads back."
    )
    console.print(spoken(text, version=version, seconds=seconds), soft_wrap=True)


def _return_to_before(site: Site, *, losing: bool) -> None:
    """Goes back to the version before, and prints each step and how long nobody was served."""
    seconds = go_back(site, losing=losing, on_step=_print_step)
    if seconds is None:
        text = "Commensal {version} serves. It is the version before already: there is nothing to go back to."
        console.print(spoken(text, version=site.program.current), soft_wrap=True)
        return
    text = "[green]done[/green] Commensal {version} serves again. Nobody was served for {seconds:.1f} seconds."
    console.print(spoken(text, version=site.program.current, seconds=seconds), soft_wrap=True)
