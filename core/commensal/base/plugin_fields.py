"""The fields that plugins add to things of the core, by plugin and name, and the values that may be read by whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PluginValues = Mapping[str, Mapping[str, Any]]  # by plugin and name


@dataclass(frozen=True, eq=False)
class PluginFields:
    """The fields that enabled plugins declare, each a `ProductField`. Two are equal only if they are the same."""

    by_plugin: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Pairs of a plugin's id and one of its fields."""
        return ((plugin, entry) for plugin, entries in self.by_plugin.items() for entry in entries.values())

    def shown(self, values: PluginValues) -> dict[str, dict[str, Any]]:
        """The values that the shop shows, which everybody may read."""
        return self._select(values, "shown")

    def copied(self, values: PluginValues) -> dict[str, dict[str, Any]]:
        """The values that peers and platforms are told."""
        return self._select(values, "copied")

    def _select(self, values: PluginValues, permission: str) -> dict[str, dict[str, Any]]:
        selected: dict[str, dict[str, Any]] = {}
        for plugin, entry in self:
            if getattr(entry, permission) and entry.name in values.get(plugin, ()):
                selected.setdefault(plugin, {})[entry.name] = values[plugin][entry.name]
        return selected


NO_PLUGIN_FIELDS = PluginFields()
