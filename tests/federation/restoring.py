"""Puts an instance back to an earlier moment, as a backup that is restored does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commensal_federation.delivery.restore.restored import MARKER

from .trading import Place


class Backup:
    """Of a SQLite database, which is copied while it is open."""

    def __init__(self, place: Place, folder: Path) -> None:
        if place.instance.store.engine.dialect.name != "sqlite":
            pytest.skip("a file is copied")
        self._place, self._copy = place, folder / f"backup of {place.at}.db"
        self._live = place.instance.folder / "commensal.db"
        _copied(self._live, self._copy)

    def restore(self, *, told: bool = True) -> None:
        """`told`: by a marker, as `commensal restore` leaves it; a virtual machine that is rolled back leaves none."""
        _copied(self._copy, self._live)
        if told:
            (self._place.instance.folder / MARKER).write_text(self._place.instance.clock.now().isoformat())


def _copied(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
