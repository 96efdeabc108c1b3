"""Whether backups can be read and written in their folder: a worker looks each minute, so that health, the operator's
page, `check` and the metrics can say so without touching that disk themselves, which may hang."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, delete, func, insert, select

from ...base.errors import Problem
from ...instance import Instance
from ...storage.jobs.tables import job_slot
from .watched import watching

EVERY = timedelta(minutes=1)
_REFUSED = "backups_folder"  # the name of the row with the moment since when


@contextmanager
def watching_backups_folder(instance: Instance) -> Iterator[None]:
    """Looks at once and every minute until the block ends, in a thread of its own. Does nothing without a folder."""
    if not instance.settings.backups.folder:
        yield
        return
    with watching("folder of backups", EVERY, lambda _: note_backups_folder(instance)):
        yield


def note_backups_folder(instance: Instance) -> None:
    """Looks at the folder of backups, and remembers since when it is refused. Raises `Busy`."""
    folder = instance.settings.backups.folder
    refused = bool(folder) and not may_be_used(Path(folder))
    with instance.store.read() as tx:
        noted = tx.value(folder_refused()) is not None
    if refused == noted:
        return
    with instance.store.write() as tx:
        tx.execute(delete(job_slot).where(job_slot.c.name == _REFUSED))
        if refused:
            tx.execute(insert(job_slot).values(name=_REFUSED, slot=tx.now))


def folder_refused() -> Select[datetime | None]:
    """A query for the moment (UTC) since when the folder is refused; NULL if it is not."""
    return select(func.max(job_slot.c.slot)).where(job_slot.c.name == _REFUSED)


def may_be_used(folder: Path) -> bool:
    """Whether this user may read and write the folder, or make it."""
    first_there = next((place for place in (folder, *folder.parents) if os.path.exists(place)), folder)
    return os.access(first_there, os.R_OK | os.W_OK | os.X_OK)


def refused_folder(instance: Instance) -> Problem:
    """That backups cannot be kept in the folder of the settings, and what to do."""
    text = (
        "Backups cannot be written to {folder}: give it to the user who serves (`chown -R {user}: {folder}`), or set "
        "backups.folder."
    )
    folder = instance.settings.backups.folder
    return Problem("backups_folder", text, values={"folder": folder, "user": _owner(instance.folder)})


def _owner(folder: Path) -> str:
    owner = folder.stat().st_uid
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:  # a user id without a name, as in containers
        return str(owner)
