"""``commensal enterprise plugin``: shows and changes an enterprise's settings of plugins."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ...base.errors import SettingsError
from ...enterprises.plugins import EnterprisePlugin, change_plugin, enable_plugin, list_plugins
from ...instance import Instance, open_instance
from ..setup.named_files import open_file_of_caller
from ..setup.settings import try_settings
from ..terminal.lists import print_table
from ..terminal.shell import spoken
from .named import HERE, Folder, named_enterprise


def add_to(enterprise: typer.Typer) -> None:
    @enterprise.command("plugin")
    def plugin_command(
        named: Annotated[str, typer.Argument(metavar="ENTERPRISE", help="Its id, or its name in addresses.")],
        plugin: Annotated[str, typer.Argument(help="The id of the plugin; without it all are listed.")] = "",
        sets: Annotated[
            list[str] | None, typer.Option("--set", help="A setting as name=value; the value is read as TOML.")
        ] = None,
        file: Annotated[
            Path | None, typer.Option(help="All settings, as a TOML file.", exists=True, dir_okay=False)
        ] = None,
        instance: Folder = HERE,
    ) -> None:
        """Switches a plugin on for an enterprise, with these settings; or changes them. Others stay as they are."""
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                enterprise_id = named_enterprise(tx, named).id
                by_plugin = {row.plugin: row for row in list_plugins(tx, opened.hooks, enterprise_id)}
            if plugin:
                existing = by_plugin.get(plugin)
                changes = _read_settings(sets or [], file)
                settings = changes if file else {**(existing.settings if existing else {}), **changes}
                _print_plugins([_change(opened, enterprise_id, plugin, existing, settings)])
            else:
                _print_plugins(list(by_plugin.values()))


def _change(
    instance: Instance, enterprise_id: str, plugin: str, existing: EnterprisePlugin | None, settings: dict[str, object]
) -> EnterprisePlugin:
    with instance.store.read() as tx:
        try_settings(tx, instance, enterprise_id, plugin, settings)
    with instance.store.write() as tx:
        if existing is None or not existing.enabled:
            return enable_plugin(tx, instance.hooks, enterprise_id, plugin, settings)
        return change_plugin(tx, instance.hooks, enterprise_id, plugin, existing.version, settings)


def _read_settings(sets: list[str], file: Path | None) -> dict[str, object]:
    """The settings of the file and the options. A value that is not TOML is a text, so that texts need no quotes."""
    values: dict[str, object] = {}
    if file is not None:
        try:
            with open_file_of_caller(file) as stream:
                values = tomllib.load(stream)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError("{file}: {error}", file=file, error=error) from error
    for assignment in sets:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError("--set {one}: write it as name=value.", one=assignment)
        try:
            values[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            values[name.strip()] = value
    plain: dict[str, object] = msgspec.to_builtins(values)  # TOML has dates and times, which JSON has not
    return plain


def _print_plugins(plugins: list[EnterprisePlugin]) -> None:
    rows = []
    for plugin in plugins:
        text = msgspec.json.format(msgspec.json.encode(plugin.settings)).decode() if plugin.settings else ""
        rows.append((plugin.plugin, spoken("yes") if plugin.enabled else "", text))
    settings = spoken("settings (those left out have their defaults)")
    print_table((spoken("plugin"), spoken("on"), settings), rows)
