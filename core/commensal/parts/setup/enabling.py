"""Changes which plugins instance.toml enables. Everything else in the file, comments too, stays as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import tomlkit

from ...base.clock import SystemClock
from ...base.errors import Conflict, SettingsError
from ...hooks.dispatcher import Hooks
from ...hooks.loading import load_plugins, migration_folders
from ...instance.instance import open_instance
from ...instance.settings import load_settings


def enable_in_instance(folder: Path, plugin: str) -> Hooks:
    """Makes the plugin's tables, and names it last in ``plugins.enabled``. Returns the plugins as they are then.

    Other processes may use the instance meanwhile: they go on without the plugin until they are started again. Raises
    `Conflict` if it is enabled already, `SettingsError` if it is not installed or cannot stand beside the others,
    `PluginError` if it cannot be loaded or its tables cannot be made; then instance.toml is unchanged.
    """
    settings = load_settings(folder)
    if plugin in settings.enabled_plugins:
        raise Conflict("plugin_enabled", "{plugin} is enabled already.", plugin=plugin)
    enabled = [*settings.enabled_plugins, plugin]
    hooks = load_plugins(replace(settings, plugins={**settings.plugins, "enabled": enabled}), clock=SystemClock())
    if plugin in (folders := migration_folders(hooks)):
        from ...storage.database.migrate import migrate  # imports Alembic, which takes long

        with open_instance(folder) as opened:
            migrate(opened.store, {plugin: folders[plugin]})
    _edit_enabled(folder, lambda plugins: plugins.append(plugin))
    return hooks


def disable_in_instance(folder: Path, plugin: str) -> None:
    """Takes the plugin out of ``plugins.enabled``. Its tables stay, and so do the settings of enterprises and operator.

    Raises `Conflict` if it is not enabled, or its pages are the `front`.
    """
    settings = load_settings(folder)
    if plugin not in settings.enabled_plugins:
        raise Conflict("plugin_not_enabled", "{plugin} is not enabled.", plugin=plugin)
    if plugin == settings.front:
        text = (
            "The pages of {plugin} are the front of this site; name another plugin as `front` in instance.toml first."
        )
        raise Conflict("plugin_is_front", text, plugin=plugin)
    _edit_enabled(folder, lambda plugins: plugins.remove(plugin))


def _edit_enabled(folder: Path, edit: Callable[[Any], object]) -> None:
    """Lets `edit` change the list of enabled plugins in place, and replaces the file in one step."""
    file = folder / "instance.toml"
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    tables: Any = document.setdefault("plugins", tomlkit.table())
    plugins = tables.setdefault("enabled", tomlkit.array())
    edit(plugins)
    with NamedTemporaryFile("w", encoding="utf-8", dir=folder, prefix=".instance.toml.", delete=False) as new:
        try:
            new.write(tomlkit.dumps(document))
            new.flush()
            os.fsync(new.fileno())
            os.chmod(new.name, file.stat().st_mode & 0o777)
            os.replace(new.name, file)
        except OSError as error:
            Path(new.name).unlink(missing_ok=True)
            raise SettingsError("{file} cannot be written: {error}", file=file, error=error) from error
