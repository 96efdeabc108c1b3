"""The plugins that a shop has switched on, with what it has set for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from ..enterprises.tables import enterprise_plugin
from ..errors import PluginError, SettingsError
from ..hooks.dispatcher import Hooks
from ..instance.reading import read_settings
from ..store import Transaction


def enabled_plugins(tx: Transaction, enterprise_id: str) -> dict[str, Mapping[str, Any]]:
    """Raw settings by plugin, for the plugins that the enterprise uses."""
    row = enterprise_plugin.c
    found = tx.all(select(row.plugin, row.settings).where(row.enterprise_id == enterprise_id).order_by(row.plugin))
    return {one["plugin"]: one["settings"] for one in found}


def settings_for(hooks: Hooks, plugin: str, values: Mapping[str, Any]) -> object:
    """The settings in the plugin's own shape; None for a plugin that has none.

    Raises `PluginError` where a newer version of the plugin cannot read what an older one let the enterprise set.
    """
    shape = hooks.settings_class(plugin)
    if shape is None:
        return None
    try:
        return read_settings(shape, values)
    except SettingsError as error:
        raise PluginError(plugin, "enterprise_settings", str(error)) from error
