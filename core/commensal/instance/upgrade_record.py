"""The last upgrade of an instance, recorded in ``upgrade.json`` of its folder.

The database contains its revisions, but neither the version to which they belong nor the backup from before.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from ..storage.database.revisions import NewerDatabase

FILE = "upgrade.json"


@dataclass(frozen=True, kw_only=True)
class UpgradeRecord:
    """version:   the version of Commensal to which the database was upgraded
    before:    the version before; "" if unknown
    at:        when the upgrade began, UTC
    backup:    the file with the instance as it was before; "" if there is none
    revisions: the revisions that the upgrade had to run
    finished:  False during the upgrade, and after it was killed
    left:      the later version from which the instance went back to this one; "" if it did not
    """

    version: str
    before: str = ""
    at: datetime
    backup: str = ""
    revisions: tuple[str, ...] = ()
    finished: bool = True
    left: str = ""


_read = msgspec.json.Decoder(UpgradeRecord).decode  # created here, by one thread: see converting.py


def read_upgrade_record(folder: Path) -> UpgradeRecord | None:
    """The record of the instance in `folder`; None if it is missing or unreadable, since it only informs."""
    try:
        return _read((folder / FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def write_upgrade_record(folder: Path, record: UpgradeRecord) -> None:
    """Writes the record atomically, and syncs it to the disk."""
    unfinished = folder / f".{FILE}.part"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(folder / FILE)


def with_version(error: NewerDatabase, folder: Path) -> NewerDatabase:
    """The error, completed with the version that wrote the database and the backup from before, if they are known."""
    record = read_upgrade_record(folder)
    if record is None:
        return error
    text = "{error} That was Commensal {version}, on {at:%Y-%m-%d}."
    if record.backup:
        text = "{error} That was Commensal {version}, on {at:%Y-%m-%d}. The backup from before is {backup}."
    return NewerDatabase(text, error=error, version=record.version, at=record.at, backup=record.backup)
