"""Puts a new version in the place of the one that runs, and goes back to the one before.

The new version is made and tried on a copy of each database while the old one serves. Only then do the services stop,
the databases are migrated, the link changes, and the services start. Each step first looks whether it is done already:
killed at any moment, the same command goes on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from ...base.clock import Clock
from ...base.errors import CommensalError, SettingsError, Several, Trouble
from ...base.languages import shell
from ...instance import load_settings
from ...instance.owner import as_owner
from ...instance.upgrade_record import UpgradeRecord, read_upgrade_record, write_upgrade_record
from ..backups.source import Source
from .bringing_back import bring_back, changes_since, is_back
from .services import Services, wait_until_served
from .upgrade import OnStep
from .versions import CommandFailed, Program, Wheel, install, run

_HALF_WAY = 3  # the exit code of `commensal upgrade` that stopped between two revisions


@dataclass(frozen=True)
class Site:
    """The program of a machine, the instances that it serves, and their services."""

    program: Program
    instances: Sequence[Path]
    services: Services
    clock: Clock


class NeedsPerson(Trouble):
    """Nothing was changed: what is to be done is not safe to do unattended."""


def refuse_unattended(site: Site, wheel: Wheel) -> None:
    """Raises `NeedsPerson` for a version that may change what people see or how plugins work, and while the instance is
    not sound."""
    current = Version(site.program.current)
    if wheel.version.release[:2] != current.release[:2]:
        text = (
            "Commensal {new} is more than a mend of {current}: read its changes, then run "
            "`commensal upgrade {new}` yourself."
        )
        raise NeedsPerson(text, new=wheel.version, current=current)
    for folder in site.instances:
        try:
            run([site.program.link, "check", "--instance", folder], owner_of=folder)
        except CommandFailed as error:
            text = "The instance is not sound, so it is not upgraded unattended. {error}"
            raise NeedsPerson(text, error=error) from error


def replace(site: Site, wheel: Wheel, *, on_step: OnStep) -> float:
    """Upgrades the instances to the version of the wheel. Returns the seconds during which nobody was served.

    Raises `SettingsError` for an older version, and `CommandFailed` with what a step says. If the new version refuses a
    database, or does not serve, everything is as before again.
    """
    program, version, before = site.program, str(wheel.version), site.program.current
    if before and wheel.version < Version(before):
        text = "{new} is older than {current}, which is in use; `commensal upgrade --back` leads to the version before."
        raise SettingsError(text, new=version, current=before)
    site.services.refuse_missing()
    install(program, wheel)
    on_step(
        shell.spoken("built"),
        shell.spoken("{folder}, beside {before}", folder=program.environment(version), before=before),
    )
    command = program.command(version)
    for folder in site.instances:
        run([command, "upgrade", "--trial", "--instance", folder], owner_of=folder)
        on_step(shell.spoken("tried"), shell.spoken("a copy of {folder} was upgraded while it served", folder=folder))
    stopped_at = time.monotonic()
    site.services.stop()
    on_step(shell.spoken("stopped"), " ".join(site.services.units))
    _migrate(site, version, before, on_step)
    program.use(version)
    on_step(shell.spoken("switched"), str(program.link))
    try:
        _serve(site, on_step)
    except Trouble as error:
        if version == before:
            raise
        on_step(shell.spoken("failed"), shell.told(error))
        go_back(site, losing=False, on_step=on_step)
        raise Trouble(
            "{new} does not serve: {error} {before} serves again.", new=version, error=error, before=before
        ) from error
    return time.monotonic() - stopped_at


def _migrate(site: Site, version: str, before: str, on_step: OnStep) -> None:
    """Migrates every database, or none of them."""
    for number, folder in enumerate(site.instances):
        try:
            run([site.program.command(version), "upgrade", "--instance", folder], owner_of=folder)
        except CommandFailed as error:
            if error.code == _HALF_WAY:
                raise
            for migrated in site.instances[:number]:
                _bring_back(site, migrated, before)
            site.services.start()
            text = "{error}. Nothing was changed: {before} serves again."
            raise Trouble(text, error=error, before=before) from error
        on_step(shell.spoken("migrated"), str(folder))


def _serve(site: Site, on_step: OnStep) -> None:
    site.services.start()
    for folder in site.instances:
        health = wait_until_served(load_settings(folder))
        on_step(shell.spoken("started"), shell.spoken("{folder}: {health}", folder=folder, health=health))


def go_back(site: Site, *, losing: bool, on_step: OnStep) -> float:
    """Goes back to the version before, with the databases as they were before the upgrade. Returns the seconds during
    which nobody was served.

    Raises `SettingsError` if there is no such version, or people have changed something since and not `losing`.
    """
    before = _version_before(site)
    site.services.refuse_missing()
    stopped_at = time.monotonic()
    site.services.stop()
    on_step(shell.spoken("stopped"), " ".join(site.services.units))
    try:
        if not losing:
            _refuse_losses(site)
        for folder in site.instances:
            _bring_back(site, folder, before)
            on_step(shell.spoken("back"), str(folder))
    except CommensalError:
        if not any(record.version == before for record in _records(site).values()):
            site.services.start()
        raise
    site.program.use(before)
    on_step(shell.spoken("switched"), str(site.program.link))
    _serve(site, on_step)
    return time.monotonic() - stopped_at


def _records(site: Site) -> dict[Path, UpgradeRecord]:
    records = {folder: read_upgrade_record(folder) for folder in site.instances}
    if missing := [str(folder) for folder, record in records.items() if record is None]:
        text = "Nobody knows which version {folders} had before, so there is no way back but a backup."
        raise SettingsError(text, folders=", ".join(missing))
    return {folder: record for folder, record in records.items() if record is not None}


def _version_before(site: Site) -> str:
    current, records = site.program.current, _records(site)
    versions = {record.before if record.version == current else record.version for record in records.values()}
    if len(versions) == 1 and (before := versions.pop()) and before != current and site.program.has(before):
        return before
    text = (
        "There is no way back from {current} but a backup: the version before was {before}, and is not in {folder}. "
        "If the services are stopped, start them: `systemctl start {units}`."
    )
    values = {"current": current, "folder": site.program.folder, "units": " ".join(site.services.units)}
    raise SettingsError(
        text, before=", ".join(filter(None, sorted(versions))) or shell.spoken("not recorded"), **values
    )


def _refuse_losses(site: Site) -> None:
    for folder, record in _records(site).items():
        if record.version != site.program.current or not record.backup:
            continue  # it is back already, or its database did not change
        source = Source.of(folder, site.clock)
        if is_back(source):
            continue
        store = source.store(source.url)
        try:
            with store.read() as tx:
                losses = changes_since(tx, record.at)
        finally:
            store.close()
        if losses:
            text = (
                "Since the upgrade of {at:%Y-%m-%d %H:%M} UTC there are in {folder}: {losses}. Going back loses them; "
                "`--losing-changes` says that you want that. Nothing was changed."
            )
            raise SettingsError(text, at=record.at, folder=folder, losses=Several(losses))


def _bring_back(site: Site, folder: Path, before: str) -> None:
    """Gives the folder its database from before the upgrade, unless it has it already."""
    record = read_upgrade_record(folder)
    if record is None or record.version == before:
        return
    if record.backup and not is_back(Source.of(folder, site.clock)):
        bring_back(folder, Path(record.backup), command=site.program.command(before), clock=site.clock)
    with as_owner(folder):
        write_upgrade_record(folder, UpgradeRecord(version=before, at=site.clock.now()))
