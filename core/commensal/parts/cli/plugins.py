"""``commensal plugins``: lists plugins. ``commensal plugin``: installs, enables, disables one, or deletes its data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from subprocess import run
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table as Grid
from sqlalchemy import delete, func, select

from ...base.entry_points import plugin_entry_points
from ...base.errors import Conflict, NotFound, SettingsError, StoreError
from ...base.languages.formats import format_moment
from ...enterprises.installed import InstalledPlugin, State, installed_plugins
from ...enterprises.plugins import offered_plugins
from ...enterprises.tables import enterprise_plugin
from ...hooks.tables import plugin_failure
from ...instance import InstanceSettings, load_settings, open_instance
from ...storage.database.migrate import drop_tables, tables_of
from ..hosting import UNITS
from ..setup.enabling import disable_in_instance, enable_in_instance
from ..setup.owner import as_owner
from ..terminal.lists import console, on_terminal
from ..terminal.shell import print_line, shell_language, spoken
from ..upgrading.services import how_to_start
from .named import HERE, Folder, Yes

PluginId = Annotated[str, typer.Argument(help="Its id.")]


def add_to(app: typer.Typer) -> None:
    @app.command("plugins")
    def plugins(
        instance: Folder = HERE,
        hooks: Annotated[bool, typer.Option("--hooks", help="Also name the hooks that each implements.")] = False,
    ) -> None:
        """Lists plugins: what each does, its state, how many enterprises use it, and what went wrong."""
        with open_instance(instance, forgiving=True) as opened, opened.store.read() as tx:
            installed = installed_plugins(tx, opened.hooks, shell_language())
            console.print(_plugin_table(installed, hooks))
            _print_missing(installed)
            _print_failures(installed, opened.settings)

    plugin_app = typer.Typer(help="Acts on one plugin.", no_args_is_help=True)
    app.add_typer(plugin_app, name="plugin")

    @plugin_app.command("install")
    def install(
        package: Annotated[str, typer.Argument(help="What pip installs: a name, a file, a folder, an address.")],
        folder: Folder = HERE,  # not called `instance`: pip writes where Commensal is, which may belong to root
    ) -> None:
        """Installs a package beside Commensal with pip, and enables the plugins that it brings."""
        _install_and_enable(package, folder)

    @plugin_app.command("enable")
    def enable(plugin: PluginId, instance: Folder = HERE) -> None:
        """Enables an installed plugin in instance.toml, and makes its tables."""
        _enable(plugin, instance)

    @plugin_app.command("disable")
    def disable(plugin: PluginId, instance: Folder = HERE, yes: Yes = False) -> None:
        """Takes a plugin out of instance.toml. Its tables stay, and what enterprises have set for it."""
        _disable(plugin, instance, yes=yes)

    @plugin_app.command("drop")
    def drop(plugin: PluginId, instance: Folder = HERE, yes: Yes = False) -> None:
        """Drops the tables of a plugin that is not enabled any more, and what enterprises have set for it."""
        _drop(plugin, instance, yes=yes)

    del install, enable, disable, drop


def _install_and_enable(package: str, folder: Path) -> None:
    load_settings(folder)  # of an instance, before pip is root
    installed_before = set(plugin_entry_points())
    _install(package)
    new_plugins = [plugin for plugin in plugin_entry_points() if plugin not in installed_before]
    if not new_plugins:
        text = "{package} brings no plugin that was not installed before; `commensal plugins` lists those that are."
        raise NotFound("no_new_plugin", text, package=package)
    with as_owner(folder):
        for plugin in new_plugins:
            _enable(plugin, folder)


def _disable(plugin: str, instance: Path, *, yes: bool) -> None:
    count = _count_users(instance, plugin)
    if count and not yes:
        question = "{count} enterprises use {plugin}. Disable it?"
        if count == 1:
            question = "One enterprise uses {plugin}. Disable it?"
        typer.confirm(spoken(question, count=count, plugin=plugin), abort=True)
    disable_in_instance(instance, plugin)
    print_line("{plugin} is disabled. Its tables and settings stay.", plugin=plugin)
    _print_restart(instance)


def _drop(plugin: str, instance: Path, *, yes: bool) -> None:
    with open_instance(instance, forgiving=True) as opened:
        if plugin in opened.settings.enabled_plugins:
            text = "{plugin} is enabled; `commensal plugin disable {plugin}` comes first."
            raise Conflict("enabled", text, plugin=plugin)
        with opened.store.read() as tx:
            names = tables_of(tx, plugin)
        if not names:
            raise NotFound("no_tables", "The database has no tables of {plugin}.", plugin=plugin)
        if not yes:
            question = spoken("Drop {names} and all that is in them?", names=", ".join(names))
            typer.confirm(question, abort=True)
        with opened.store.write() as tx:
            tx.execute(delete(enterprise_plugin).where(enterprise_plugin.c.plugin == plugin))
            tx.execute(delete(plugin_failure).where(plugin_failure.c.plugin == plugin))
            dropped_names = drop_tables(tx, plugin)
        console.print(spoken("Dropped {names}.", names=", ".join(dropped_names)))


def _count_users(folder: Path, plugin: str) -> int:
    """How many enterprises use an enabled plugin; 0 if the database cannot be opened, perhaps because of the plugin."""
    try:
        with open_instance(folder, forgiving=True) as opened, opened.store.read() as tx:
            if plugin not in opened.settings.enabled_plugins:
                return 0
            return int(tx.value(select(func.count()).where(enterprise_plugin.c.plugin == plugin)))
    except StoreError:
        return 0


def _install(package: str) -> None:
    """Raises `SettingsError` if this environment has no pip; exits with pip's code if it fails."""
    if find_spec("pip") is None:
        text = "There is no pip beside Commensal: install {package} as you installed Commensal, then enable its plugin."
        raise SettingsError(text, package=package)
    print_line("pip installs {package} …", package=package)
    # It is quiet, because it says of each of Commensal's sixty libraries that it is there; mistakes are still told.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--", package]
    result = run(command, check=False)  # noqa: S603 - the operator's own words; no shell, no options
    if result.returncode:
        raise typer.Exit(result.returncode)
    invalidate_caches()


def _enable(plugin: str, folder: Path) -> None:
    hooks = enable_in_instance(folder, plugin)
    print_line("{plugin} is enabled.", plugin=plugin)
    _print_restart(folder)
    if plugin in offered_plugins(hooks):
        print_line(
            "Then each enterprise switches it on: commensal enterprise plugin ENTERPRISE {plugin}", plugin=plugin
        )
    else:
        print_line("It works for every enterprise at once: there is nothing to switch on.")


def _print_restart(folder: Path) -> None:
    how = how_to_start(folder, tuple(UNITS))
    print_line("The web server and the worker notice at their next start. Restart them: {how}", how=how)


def _plugin_table(plugins: Sequence[InstalledPlugin], with_hooks: bool) -> Grid:
    """A table with a line for each plugin. A terminal cuts long texts, but wraps hooks; programs get the whole text."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, expand=on_terminal)
    for name in ("id", spoken("version"), spoken("state")):
        grid.add_column(name, no_wrap=True)
    grid.add_column(spoken("used by"), justify="right", no_wrap=True)
    last_column = spoken("hooks" if with_hooks else "what it does")
    grid.add_column(last_column, no_wrap=not with_hooks, overflow="ellipsis", ratio=1)
    for plugin in plugins:
        text = ", ".join(plugin.hooks) if with_hooks else _short_description(plugin)
        grid.add_row(plugin.plugin, plugin.version, _state(plugin.state), str(plugin.enterprises or ""), escape(text))
    return grid


def _state(state: State) -> str:
    match state:
        case "enabled":
            return spoken("[green]enabled[/]")
        case "failing":
            return spoken("[yellow]failing[/]")
        case "installed":
            return spoken("[dim]installed[/]")
        case "missing":
            return spoken("[red]missing[/]")


def _short_description(plugin: InstalledPlugin) -> str:
    """The description without the plugin's name: "What a hub takes" of "Fees: what a hub takes"."""
    name, _, rest = plugin.about.partition(": ")
    text = rest if name.lower().replace(" ", "_") == plugin.plugin else plugin.about
    return text[:1].upper() + text[1:]


def _print_missing(plugins: Sequence[InstalledPlugin]) -> None:
    for plugin in plugins:
        if plugin.state == "missing":
            console.print(
                spoken("[bold]{plugin}[/bold] is missing: {why}.", plugin=plugin.plugin, why=escape(plugin.about))
            )


def _print_failures(plugins: Sequence[InstalledPlugin], settings: InstanceSettings) -> None:
    for plugin in plugins:
        if plugin.failures is None:
            continue
        at = format_moment(plugin.failures.last_at, settings.timezone, settings.language)
        count, hook, what = plugin.failures.count, plugin.failures.hook, escape(plugin.failures.what)
        text = "[bold]{plugin}[/bold] has failed {count} times, last in {hook} ({at}): {what}"
        if count == 1:
            text = "[bold]{plugin}[/bold] has failed once, last in {hook} ({at}): {what}"
        console.print(spoken(text, plugin=plugin.plugin, count=count, hook=hook, at=at, what=what))
