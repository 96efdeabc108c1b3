"""``commensal plugins`` lists them; ``commensal plugin drop`` forgets what one has kept."""

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
from ..storage.database.migrate import drop_tables, tables_of
from ..trade.enterprises.installed import InstalledPlugin, State, installed_plugins
from ..trade.enterprises.tables import enterprise_plugin
from .folder import HERE, Folder
from .printing import console, on_terminal


def add_to(app: typer.Typer) -> None:
    @app.command("plugins")
    def plugins(
        instance: Folder = HERE,
        hooks: Annotated[bool, typer.Option("--hooks", help="Also name the hooks that each implements.")] = False,
    ) -> None:
        """Lists plugins: what each does, its state, how many enterprises use it, and what went wrong."""
        with open_instance(instance, forgiving=True) as opened, opened.store.read() as tx:
            found = installed_plugins(tx, opened.hooks, shell_language())
            console.print(_grid(found, hooks))
            _print_missing(found)
            _print_failures(found, opened.settings)

    one = typer.Typer(help="Acts on one plugin.", no_args_is_help=True)
    app.add_typer(one, name="plugin")

    @one.command("drop")
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
                asked = spoken("Drop {names} and all that is in them?", names=", ".join(names))
                typer.confirm(asked, abort=True)
            with opened.store.write() as tx:
                tx.execute(delete(enterprise_plugin).where(enterprise_plugin.c.plugin == plugin))
                tx.execute(delete(plugin_failure).where(plugin_failure.c.plugin == plugin))
                dropped = drop_tables(tx, plugin)
            console.print(spoken("Dropped {names}.", names=", ".join(dropped)))

    del drop


def _grid(found: Sequence[InstalledPlugin], with_hooks: bool) -> Grid:
    """One line for each plugin, of which a terminal shows what fits; only hooks may take several. Programs get all."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, expand=on_terminal)
    for name in ("id", spoken("version"), spoken("state")):
        grid.add_column(name, no_wrap=True)
    grid.add_column(spoken("used by"), justify="right", no_wrap=True)
    last = spoken("hooks" if with_hooks else "what it does")
    grid.add_column(last, no_wrap=not with_hooks, overflow="ellipsis", ratio=1)
    for one in found:
        said = ", ".join(one.hooks) if with_hooks else _without_name(one)
        grid.add_row(one.plugin, one.version, _state(one.state), str(one.enterprises or ""), escape(said))
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


def _without_name(one: InstalledPlugin) -> str:
    """ "Fees: what a hub takes" without the name, which stands beside it."""
    name, _, rest = one.about.partition(": ")
    return rest if name.lower().replace(" ", "_") == one.plugin else one.about


def _print_missing(found: Sequence[InstalledPlugin]) -> None:
    for one in found:
        if one.state == "missing":
            console.print(spoken("[bold]{plugin}[/bold] is missing: {why}.", plugin=one.plugin, why=escape(one.about)))


def _print_failures(found: Sequence[InstalledPlugin], settings: InstanceSettings) -> None:
    for one in found:
        if one.failures is None:
            continue
        at = format_moment(one.failures.last_at, settings.timezone, settings.language)
        count, hook, what = one.failures.count, one.failures.hook, escape(one.failures.what)
        text = "[bold]{plugin}[/bold] has failed {count} times, last in {hook} ({at}): {what}"
        if count == 1:
            text = "[bold]{plugin}[/bold] has failed once, last in {hook} ({at}): {what}"
        console.print(spoken(text, plugin=one.plugin, count=count, hook=hook, at=at, what=what))
