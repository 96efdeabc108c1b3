"""The line above figures that says where they were measured."""

from __future__ import annotations

import multiprocessing
import os
import platform
import sqlite3
from importlib.metadata import version


def machine(*libraries: str) -> str:
    """The machine, its load, and the versions of these libraries."""
    cores, load = multiprocessing.cpu_count(), os.getloadavg()[0]
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    return (
        f"{platform.machine()}, {cores} cores (load {load:.1f}), Python {platform.python_version()}, {versions}, "
        f"SQLite {sqlite3.sqlite_version}"
    )
