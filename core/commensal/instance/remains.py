"""What is left of an instance beside a database that is not there: then it was lost, and a new one would be wrong.

An empty shop in its place would trade under the identity that partners know, and would tell them that all is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..base.errors import StoreError
from .brought import FILE
from .settings import Settings

_FOLDERS = ("keys", "images", "mail", "backups")


def refuse_lost(folder: Path, settings: Settings, database: str) -> None:
    """Raises `StoreError` where something is left of an instance whose `database` is missing or empty: what is left,
    and what to do. `database` is named as the operator knows it."""
    left = sorted(_remains(folder, settings))
    if not left:
        return
    text = (
        "The database {database} is missing or empty, but there is more of this instance: {left}. Look for the "
        "database first: is its disk mounted, and is database.url right? Else restore the newest backup into a new "
        "folder (`commensal restore BACKUP --instance NEW`) and copy the folder keys there. Nothing was changed."
    )
    raise StoreError(text, database=database, left=", ".join(left))


def _remains(folder: Path, settings: Settings) -> Iterator[str]:
    for name in _FOLDERS:
        if (place := folder / name).is_dir() and any(place.iterdir()):
            yield f"{name}/"
    if (folder / FILE).exists():
        yield FILE
    backups = settings.backups.folder
    if backups and any(Path(backups).glob("commensal-*.zip")):
        yield backups
