"""Notices that the files of an open SQLite database were moved, deleted or replaced.

SQLite goes on writing into a file that has lost its name, and commits succeed: what is written then is gone when the
process ends. So each write transaction looks first whether the names still lead to the files that are open.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...base.errors import Unavailable

_Identity = tuple[int, int]  # device, inode


class OpenDatabase:
    """The file of a database, as it was when it was first opened."""

    def __init__(self, file: Path) -> None:
        self._file, self._wal = file, Path(f"{file}-wal")
        self._opened = _identity(file)

    def refuse_if_moved(self) -> None:
        """Raises `Unavailable` if the name of the file leads to another file, or to none."""
        if _identity(self._file) != self._opened:
            text = (
                "{file} was moved, deleted or replaced while process {pid} has it open, and nothing is written until "
                "the same file is back. If nobody has it, copy it from /proc/{pid}/fd before you stop anything."
            )
            raise Unavailable(text, file=self._file, pid=os.getpid())

    def refuse_if_log_is_gone(self, info: dict[Any, Any]) -> None:
        """Raises `Unavailable` if the write-ahead log is another than when the connection first wrote. SQLite
        removes it only with the last connection. `info` is what is kept with the connection."""
        current = _identity(self._wal)
        if info.setdefault("wal", current) != current:
            text = (
                "{file} was moved, deleted or replaced while process {pid} has it open, and nothing is written until "
                "you restart it; what was written is not lost."
            )
            raise Unavailable(text, file=self._wal, pid=os.getpid())


def _identity(file: Path) -> _Identity | None:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino
