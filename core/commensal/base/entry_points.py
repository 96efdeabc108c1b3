"""Which plugins are installed, enabled or not."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from .errors import PluginError

GROUP = "commensal"  # of the entry points of plugins


def plugin_entry_points() -> dict[str, EntryPoint]:
    """The entry points of all installed plugins by id, enabled or not.

    Raises `PluginError` if two distributions claim the same id.
    """
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in points and points[point.name].value != point.value:
            raise PluginError(point.name, "loading", f"claimed by {points[point.name].value} and by {point.value}")
        points[point.name] = point
    return points
