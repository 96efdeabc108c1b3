"""Which version of Commensal has brought the database where it is, kept in ``upgrade.json`` of the instance's folder.

The database knows its revisions, but not which version to install again, nor where the backup from before is.
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
class Brought:
    """version:   that brings the database to its own revisions, or has done so
    before:    the one that had done so before; empty where nobody knows
    at:        UTC, when that began
    backup:    the file with the instance as it was before; empty where there is none
    revisions: that were to run
    finished:  False while it is under way, also after it was killed
    """

    version: str
    before: str = ""
    at: datetime
    backup: str = ""
    revisions: tuple[str, ...] = ()
    finished: bool = True


_read = msgspec.json.Decoder(Brought).decode  # made here, by one thread: see converting


def read_brought(folder: Path) -> Brought | None:
    """None where it was never written, or is not readable: an instance does not stand on it."""
    try:
        return _read((folder / FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def write_brought(folder: Path, brought: Brought) -> None:
    """Writes it whole or not at all, and onto the disk."""
    unfinished = folder / f".{FILE}.part"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(brought), indent=1) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(folder / FILE)


def told_of_version(error: NewerDatabase, folder: Path) -> NewerDatabase:
    """The error with the version that it was, for who has installed an older one; as it is where nobody knows."""
    seen = read_brought(folder)
    if seen is None:
        return error
    text = "{error} That was Commensal {version}, on {at:%Y-%m-%d}."
    if seen.backup:
        text = "{error} That was Commensal {version}, on {at:%Y-%m-%d}. The backup from before is {backup}."
    return NewerDatabase(text, error=error, version=seen.version, at=seen.at, backup=seen.backup)
