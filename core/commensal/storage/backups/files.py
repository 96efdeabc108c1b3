"""The backups in a folder, known by their names alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from ...base.errors import StoreError

_NAME = re.compile(r"commensal-\d{8}T\d{6}Z\.zip")


def backups_in(folder: Path) -> list[Path]:
    """The backups in a folder, the newest first."""
    return sorted((file for file in folder.glob("*") if _NAME.fullmatch(file.name)), reverse=True)


def newest_in(folder: Path) -> Path:
    """The newest backup in a folder. Raises `StoreError` if there is none."""
    backups = backups_in(folder)
    if not backups:
        raise StoreError("There is no backup in {folder}.", folder=folder)
    return backups[0]


def made_at(backup: Path) -> datetime:
    """The moment (UTC) in the name of a backup."""
    return datetime.strptime(backup.name, "commensal-%Y%m%dT%H%M%SZ.zip").replace(tzinfo=UTC)


def newest_backup(folder: Path, now: datetime) -> datetime | None:
    """The moment (UTC) of the newest backup in a folder. Lists the folder, which may take long on a slow disk.

    A backup from after `now` does not count: it was made while the clock was ahead, so nobody knows when.
    """
    return max((moment for moment in map(made_at, backups_in(folder)) if moment <= now), default=None)
