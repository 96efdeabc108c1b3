"""The backups in a folder, known by their names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ....base.errors import StoreError

_AHEAD = timedelta(minutes=1)  # tolerance for names: of two backups in one second, the later is named a second later
_NAME = re.compile(r"commensal-\d{8}T\d{6}Z\.zip")


def backups_in(folder: Path) -> list[Path]:
    """The backups in a folder, the newest first."""
    return _newest_first(folder.glob("*"))


def _newest_first(files: Iterable[Path]) -> list[Path]:
    return sorted(filter(is_backup, files), key=lambda file: file.name, reverse=True)


def newest_in(folder: Path, now: datetime) -> Path:
    """The newest backup in a folder, as `newest_of` chooses it. Raises `StoreError` if there is none."""
    newest = newest_of(folder.glob("*"), now)
    if newest is None:
        raise StoreError("There is no backup in {folder}.", folder=folder)
    return newest


def newest_of(files: Iterable[Path], now: datetime) -> Path | None:
    """The newest backup among files that was not made after `now`, or else the newest of all; None if there is none.

    One from after `now` was made while the clock was ahead: by its name it would be the newest for years.
    """
    backups = _newest_first(files)
    return next((backup for backup in backups if made_at(backup) <= now + _AHEAD), backups[0] if backups else None)


def newest_for_certain(folder: Path, now: datetime) -> Path:
    """The newest backup in a folder. Raises `StoreError` if there is none, or if one was made after `now`: then either
    this clock is wrong or that one was, and only a person knows which backup is the newest."""
    newest, last = newest_in(folder, now), backups_in(folder)[0]
    if made_at(last) > now + _AHEAD:
        text = (
            "{last} was made after now, {now:%Y-%m-%d %H:%M} UTC by this machine's clock. Set the clock if it is "
            "wrong; otherwise the clock was ahead at that backup: name the right file, perhaps {newest}. "
            "Nothing was changed."
        )
        raise StoreError(text, last=last, now=now, newest=newest)
    return newest


def is_backup(file: Path) -> bool:
    """Whether its name is one that backups get."""
    return _NAME.fullmatch(file.name) is not None


def made_at(backup: Path) -> datetime:
    """The moment (UTC) in the name of a backup."""
    return datetime.strptime(backup.name, "commensal-%Y%m%dT%H%M%SZ.zip").replace(tzinfo=UTC)


def newest_backup(folder: Path, now: datetime) -> datetime | None:
    """The moment (UTC) of the newest backup in a folder. Lists the folder, which may take long on a slow disk.

    A backup from after `now` does not count: it was made while the clock was ahead, so nobody knows when.
    """
    return max((moment for moment in map(made_at, backups_in(folder)) if moment <= now), default=None)
