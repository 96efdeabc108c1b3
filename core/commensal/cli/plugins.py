"""``commensal plugins``: lists plugins. ``commensal plugin drop``: deletes the data of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table as Grid
from sqlalchemy import delete

from ..base.errors import Conflict, NotFound
from ..base.languages.formats import format_moment
from ..base.languages.shell import shell_language, spoken
from ..hooks.tables import plugin_failure
from ..instance import InstanceSettings, open_instance
from ..interfaces.terminal import console, on_terminal
from ..storage.database.migrate import drop_tables, tables_of
from ..trade.enterprises.installed import InstalledPlugin, State, installed_plugins
from ..trade.enterprises.tables import enterprise_plugin
from .folder import HERE, Folder


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

    @plugin_app.command("drop")
    def drop(
        plugin: Annotated[str, typer.Argument(help="Its id.")],
        instance: Folder = HERE,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    ) -> None:
        """Drops the tables of a plugin that is not enabled any more, and what enterprises have set for it."""
        with open_instance(instance, forgiving=True) as opened:
            if plugin in opened.settings.enabled_plugins:
                raise Conflict("enabled", "{plugin} is enabled; take it out of instance.toml first.", plugin=plugin)
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

    del drop


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
    """The description without the plugin's name: "what a hub takes" of "Fees: what a hub takes"."""
    name, _, rest = plugin.about.partition(": ")
    return rest if name.lower().replace(" ", "_") == plugin.plugin else plugin.about


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
