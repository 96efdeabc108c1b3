"""Puts an instance back to an earlier moment, as restoring a backup does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commensal_federation.delivery.restore.restored import MARKER

from .trading import Place


class Backup:
    """A backup of a SQLite database, copied while it is open."""

    def __init__(self, place: Place, folder: Path) -> None:
        if place.instance.store.engine.dialect.name != "sqlite":
            pytest.skip("a file is copied")
        self.is_used = False
        self._place, self._copy = place, folder / f"backup of {place.at}.db"
        self._live = place.instance.folder / "commensal.db"
        _copy_database(self._live, self._copy)

    def restore(self, *, with_marker: bool = True) -> None:
        """`with_marker` leaves the marker of `commensal restore`; a virtual machine that is rolled back leaves none."""
        _copy_database(self._copy, self._live)
        self.is_used = True
        if with_marker:
            (self._place.instance.folder / MARKER).write_text(self._place.instance.clock.now().isoformat())


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as source_database, closing(sqlite3.connect(target)) as target_database:
        source_database.backup(target_database)
