"""Which plugins are installed, enabled or not."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from .errors import PluginError

GROUP = "commensal"  # of the entry points of plugins
_Folders = tuple[tuple[str, int], ...]


def plugin_entry_points() -> dict[str, EntryPoint]:
    """The entry points of all installed plugins by id, enabled or not.

    Raises `PluginError` if two distributions claim the same id.
    """
    return dict(read_entry_points(tuple((folder, _changed_at(folder)) for folder in sys.path)))


@lru_cache(maxsize=1)
def read_entry_points(folders: _Folders) -> dict[str, EntryPoint]:
    """The entry points by id. `folders` are those of packages, each with the time of its last change: the answer is
    cached until one changes, since reading the metadata of all packages takes milliseconds, and pages ask for each
    plugin."""
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in points and points[point.name].value != point.value:
            raise PluginError(point.name, "loading", f"claimed by {points[point.name].value} and by {point.value}")
        points[point.name] = point
    return points


def _changed_at(folder: str) -> int:
    """The time of the folder's last change, in nanoseconds; 0 if there is no such folder."""
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return 0
