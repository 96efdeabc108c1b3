"""Puts a new version in the place of the one that runs, and goes back to the one before.

The new version is made and tried on a copy of each database while the old one serves. Only then do the services stop,
the databases are migrated, the link changes, and the services start. Whatever fails then, the version before serves
again, with its databases. Each step first looks whether it is done already: killed at any moment, the same command goes
on, and going back leads to the version that served last.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from packaging.version import Version

from ...base.clock import Clock
from ...base.errors import CommensalError, SettingsError, Trouble
from ...base.failpoints import failpoint
from ...instance import load_settings
from ...instance.instance import UpgradeRecord, read_upgrade_record
from ..backups.source import Source
from ..setup.owner import ask_as_owner
from ..terminal import shell
from .bringing_back import bring_back, is_back, note_back, refuse_losses
from .services import Services, wait_until_served
from .upgrade import OnStep
from .versions import CommandFailed, Program, Wheel, install, run


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
    failpoint("replacing.built")
    for folder in site.instances:
        run([program.command(version), "upgrade", "--trial", "--instance", folder], owner_of=folder)
        on_step(shell.spoken("tried"), shell.spoken("a copy of {folder} was upgraded while it served", folder=folder))
    failpoint("replacing.tried")
    stopped_at = time.monotonic()
    site.services.stop()
    on_step(shell.spoken("stopped"), " ".join(site.services.units))
    failpoint("replacing.stopped")
    try:
        _take_over(site, version, on_step)
    except (CommensalError, OSError) as error:
        if version == before:
            raise
        on_step(shell.spoken("failed"), shell.told(error))
        _return_to(site, before, losing=False, on_step=on_step)
        raise Trouble(
            "{new} does not serve: {error} {before} serves again.", new=version, error=error, before=before
        ) from error
    seconds = time.monotonic() - stopped_at
    if before and version != before and (removed := program.remove_older(before)):
        on_step(shell.spoken("removed"), ", ".join(removed))
    return seconds


def _take_over(site: Site, version: str, on_step: OnStep) -> None:
    """Migrates every database to the version, lets the link lead to it, and starts it."""
    for folder in site.instances:
        run([site.program.command(version), "upgrade", "--instance", folder], owner_of=folder)
        on_step(shell.spoken("migrated"), str(folder))
    failpoint("replacing.migrated")
    site.program.use(version)
    on_step(shell.spoken("switched"), str(site.program.link))
    failpoint("replacing.switched")
    _serve(site, on_step)
    failpoint("replacing.served")


def _serve(site: Site, on_step: OnStep) -> None:
    site.services.start()
    for folder in site.instances:
        health = ask_as_owner(folder, partial(_health_of, folder), str)
        on_step(shell.spoken("started"), shell.spoken("{folder}: {health}", folder=folder, health=health))


def _health_of(folder: Path) -> str:
    return wait_until_served(load_settings(folder))


def go_back(site: Site, *, losing: bool, on_step: OnStep) -> float | None:
    """Goes back to the version before, with the databases as they were before the upgrade. Returns the seconds during
    which nobody was served; None, and stops nothing, where the instances are back already.

    After an upgrade that was killed before the link changed, the version in use is the one before. Raises
    `SettingsError` if there is no such version, or people have changed something since and not `losing`; then the
    version in use serves.
    """
    site.services.refuse_missing()
    started_at = time.monotonic()
    try:
        if _is_back(site):
            _serve(site, on_step)  # it may have been killed before it started them
            return None
        before = _version_before(site)
    except SettingsError:
        site.services.start()  # a killed upgrade may have stopped them
        raise
    _return_to(site, before, losing=losing, on_step=on_step)
    return time.monotonic() - started_at


def _return_to(site: Site, before: str, *, losing: bool, on_step: OnStep) -> None:
    site.services.stop()
    on_step(shell.spoken("stopped"), " ".join(site.services.units))
    failpoint("returning.stopped")
    try:
        if not losing:
            _refuse_losses(site, before)
        for folder in site.instances:
            ask_as_owner(folder, partial(_bring_back, folder, before, site.clock), None)
            on_step(shell.spoken("back"), str(folder))
    except (CommensalError, OSError):
        current, clock = site.program.current, site.clock
        if all(ask_as_owner(folder, partial(_belongs_to, folder, current, clock), bool) for folder in site.instances):
            site.services.start()
        raise
    failpoint("returning.recorded")
    site.program.use(before)
    on_step(shell.spoken("switched"), str(site.program.link))
    failpoint("returning.switched")
    _serve(site, on_step)


def _records(site: Site) -> dict[Path, UpgradeRecord]:
    records = {
        folder: ask_as_owner(folder, partial(read_upgrade_record, folder), UpgradeRecord | None)
        for folder in site.instances
    }
    if missing := [str(folder) for folder, record in records.items() if record is None]:
        text = "Nobody knows which version {folders} had before, so there is no way back but a backup."
        raise SettingsError(text, folders=", ".join(missing))
    return {folder: record for folder, record in records.items() if record is not None}


def _is_back(site: Site) -> bool:
    return all(record.version == site.program.current and record.left for record in _records(site).values())


def _version_before(site: Site) -> str:
    """The version to which going back leads: the one in use, if an upgrade was killed before the link changed."""
    current, records = site.program.current, _records(site).values()
    if any(record.before == current != record.version for record in records):
        return current
    versions = {_before(record, current) for record in records}
    if len(versions) == 1 and (before := versions.pop()) and site.program.has(before):
        return before
    text = "There is no way back from {current} but a backup: the version before was {before}, and is not in {folder}."
    names = ", ".join(filter(None, sorted(versions))) or shell.spoken("not recorded")
    raise SettingsError(text, current=current, before=names, folder=site.program.folder)


def _before(record: UpgradeRecord, current: str) -> str:
    """The version before `current` in the record of one instance; "" if unknown. Where the instance has gone back to
    `current` already, that is the one."""
    if record.version != current:  # going back was killed before the link changed
        return record.version
    return record.before or (current if record.left else "")


def _refuse_losses(site: Site, before: str) -> None:
    for folder, record in _records(site).items():
        if record.version != before and record.backup:  # else it is back already, or its database did not change
            ask_as_owner(folder, partial(refuse_losses, folder, record, site.clock), None)


def _bring_back(folder: Path, before: str, clock: Clock) -> None:
    """Gives the folder its database from before the upgrade, unless it has it already."""
    record = read_upgrade_record(folder)
    if record is None or record.version == before:
        return
    if not _belongs_to(folder, before, clock):
        bring_back(folder, Path(record.backup), clock=clock)
        failpoint("returning.replaced")
    note_back(folder, record, before, clock)


def _belongs_to(folder: Path, version: str, clock: Clock) -> bool:
    """Whether the database is that of the version: of its upgrade, or none of the revisions of a later one has run."""
    record = read_upgrade_record(folder)
    if record is None or record.version == version:
        return True
    if not record.backup:  # no revision was needed, or it went back
        return record.left != version
    source = Source.of(folder, clock)
    with closing(source.store(source.url)) as store, store.read() as tx:
        return record.before == version and is_back(tx, record.revisions)
