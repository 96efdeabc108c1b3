"""Detects a lost database by the other files of the instance, so that no new one is created in its place.

An empty shop would trade under the identity that partners know, and would tell them that everything is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..base.errors import StoreError
from .backup_key import FILE as BACKUP_KEY_FILE
from .settings import InstanceSettings
from .upgrade_record import FILE

_BACKUP_KEY = Path(BACKUP_KEY_FILE).name  # every instance has it, also where there never was a database
_FOLDERS = ("keys", "images", "mail", "backups")


def refuse_lost_database(folder: Path, settings: InstanceSettings, database: str) -> None:
    """Raises `StoreError`, with what to do, if the folder has other files of an instance whose database is missing or
    empty. `database` is its file or URL, for the message."""
    remains = sorted(_remains(folder, settings))
    if not remains:
        return
    text = (
        "The database {database} is missing or empty, but there is more of this instance: {left}. Look for the "
        "database first: is its disk mounted, and is database.url right? Else restore the newest backup into a new "
        "folder (`commensal restore BACKUP --instance NEW`) and copy the folder keys there. Nothing was changed."
    )
    raise StoreError(text, database=database, left=", ".join(remains))


def _remains(folder: Path, settings: InstanceSettings) -> Iterator[str]:
    for name in _FOLDERS:
        subfolder = folder / name
        if subfolder.is_dir() and any(entry.name != _BACKUP_KEY for entry in subfolder.iterdir()):
            yield f"{name}/"
    if (folder / FILE).exists():
        yield FILE
    backups = settings.backups.folder
    if backups and any(Path(backups).glob("commensal-*.zip")):
        yield backups
