"""``commensal enterprise plugin``: what an enterprise has set for a plugin, and how it sets it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ..base.errors import SettingsError
from ..base.languages.shell import spoken
from ..instance import Instance, open_instance
from ..trade.enterprises.plugins import EnterprisePlugin, change_plugin, enable_plugin, list_plugins
from ..trade.enterprises.try_settings import try_settings
from .folder import HERE, Folder
from .named import named_enterprise
from .printing import print_table


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
                known = {one.plugin: one for one in list_plugins(tx, opened.hooks, enterprise_id)}
            if plugin:
                before = known.get(plugin)
                given = _given(sets or [], file)
                whole = given if file else {**(before.settings if before else {}), **given}
                _print([_set(opened, enterprise_id, plugin, before, whole)])
            else:
                _print(list(known.values()))


def _set(
    opened: Instance, enterprise_id: str, plugin: str, before: EnterprisePlugin | None, settings: dict[str, Any]
) -> EnterprisePlugin:
    with opened.store.read() as tx:
        try_settings(tx, opened.hooks, enterprise_id, plugin, settings)
    with opened.store.write() as tx:
        if before is None or not before.enabled:
            return enable_plugin(tx, opened.hooks, enterprise_id, plugin, settings)
        return change_plugin(tx, opened.hooks, enterprise_id, plugin, before.version, settings)


def _given(sets: list[str], file: Path | None) -> dict[str, Any]:
    """What the file and the options say; a value that is no TOML is taken as text, so that nobody need quote twice."""
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError("{file}: {error}", file=file, error=error) from error
    for one in sets:
        name, equals, value = one.partition("=")
        if not equals:
            raise SettingsError("--set {one}: write it as name=value.", one=one)
        try:
            given[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            given[name.strip()] = value
    plain: dict[str, Any] = msgspec.to_builtins(given)  # TOML has days and hours; what is kept is JSON
    return plain


def _print(found: list[EnterprisePlugin]) -> None:
    rows = []
    for one in found:
        said = msgspec.json.format(msgspec.json.encode(one.settings)).decode() if one.settings else ""
        rows.append((one.plugin, spoken("yes") if one.enabled else "", said))
    settings = spoken("settings (those left out have their defaults)")
    print_table((spoken("plugin"), spoken("on"), settings), rows)
