"""``commensal upgrade VERSION`` and ``--back``: put another version in the place of the one that runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packaging.version import Version
from rich.markup import escape

from ..base.clock import SystemClock
from ..base.languages.shell import spoken
from ..interfaces.terminal import console
from ..operations.hosting import UNITS
from ..operations.upgrading.replacing import Site, go_back, refuse_unattended, replace
from ..operations.upgrading.services import Services
from ..operations.upgrading.versions import DOWNLOADS, LATEST, Program, Wheel


def print_step(step: str, text: str) -> None:
    console.print(f"[green]{step:<9}[/green] {escape(text)}", soft_wrap=True)


def site_of(instances: Sequence[Path], units: Sequence[str]) -> Site:
    """The place of the version that runs this; `units` are the services, if they are not the usual ones. Raises
    `SettingsError` if this version is not beside others."""
    program, folders = Program.of_this_process(), [folder.absolute() for folder in instances]
    services = Services(units) if units else Services.of(folders, tuple(UNITS))
    return Site(program, folders, services, SystemClock())


def replace_version(site: Site, release: str, *, unattended: bool) -> None:
    """Upgrades to `release`, a wheel, a version, or `LATEST`, and prints each step and how long nobody was served."""
    program = site.program
    wheel = Wheel.find(release, program.folder / DOWNLOADS)
    version = str(wheel.version)
    if release == LATEST and program.current and wheel.version <= Version(program.current):
        console.print(spoken("Commensal {version} is the newest.", version=program.current))
        return
    if unattended:
        refuse_unattended(site, wheel)
    seconds = replace(site, wheel, on_step=print_step)
    text = (
        "[green]done[/green] Commensal {version} serves. Nobody was served for {seconds:.1f} seconds. While nobody has "
        "ordered, `commensal upgrade --back` leads back."
    )
    console.print(spoken(text, version=version, seconds=seconds), soft_wrap=True)


def return_to_before(site: Site, *, losing: bool) -> None:
    """Goes back to the version before, and prints each step and how long nobody was served."""
    seconds = go_back(site, losing=losing, on_step=print_step)
    text = "[green]done[/green] Commensal {version} serves again. Nobody was served for {seconds:.1f} seconds."
    console.print(spoken(text, version=site.program.current, seconds=seconds), soft_wrap=True)
