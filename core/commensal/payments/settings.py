"""What a shop has set for a plugin, as the plugin reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PluginError, SettingsError
from ..hooks.dispatcher import Hooks
from ..instance.reading import read_settings


def settings_for(hooks: Hooks, plugin: str, values: Mapping[str, Any]) -> object:
    """The values in the plugin's own shape; None for a plugin that has none.

    Raises `PluginError` where a newer version of the plugin cannot read what an older one let the enterprise set.
    """
    shape = hooks.settings_class(plugin)
    if shape is None:
        return None
    try:
        return read_settings(shape, values)
    except SettingsError as error:
        raise PluginError(plugin, "enterprise_settings", str(error)) from error
