"""``commensal plugins`` lists them; ``commensal plugin drop`` forgets what one has kept."""

from __future__ import annotations

import importlib
import inspect
from importlib.metadata import EntryPoint
from typing import Annotated

import typer
from rich.table import Table as Grid
from sqlalchemy import delete, func, select

from ..enterprises.tables import enterprise_plugin
from ..errors import Conflict, NotFound
from ..hooks.failures import failures_by_plugin
from ..hooks.loading import found_plugins
from ..instance import Instance, open_instance
from ..printing import console
from ..store.migrate import drop_tables, tables_of
from .folder import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("plugins")
    def plugins(instance: Folder = HERE) -> None:
        """Lists plugins: id, version, state, how many enterprises use each, failures, hooks."""
        with open_instance(instance) as opened:
            console.print(_grid(opened))

    one = typer.Typer(help="Acts on one plugin.", no_args_is_help=True)
    app.add_typer(one, name="plugin")

    @one.command("drop")
    def drop(
        plugin: Annotated[str, typer.Argument(help="Its id.")],
        instance: Folder = HERE,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    ) -> None:
        """Drops the tables of a plugin that is not enabled any more, and what enterprises have set for it."""
        with open_instance(instance) as opened:
            if plugin in opened.hooks.plugins():
                raise Conflict("enabled", "{plugin} is enabled; take it out of instance.toml first.", plugin=plugin)
            with opened.store.read() as tx:
                names = tables_of(tx, plugin)
            if not names:
                raise NotFound("no_tables", "The database has no tables of {plugin}.", plugin=plugin)
            if not yes:
                typer.confirm(f"Drop {', '.join(names)} and all that is in them?", abort=True)
            with opened.store.write() as tx:
                tx.execute(delete(enterprise_plugin).where(enterprise_plugin.c.plugin == plugin))
                dropped = drop_tables(tx, plugin)
            console.print(f"Dropped {', '.join(dropped)}.")

    del drop


def _grid(opened: Instance) -> Grid:
    grid = Grid("id", "version", "state", "enterprises", "failures", "hooks", "what it does")
    enabled, found = opened.hooks.plugins(), found_plugins()
    with opened.store.read() as tx:
        counted = select(enterprise_plugin.c.plugin, func.count().label("count")).group_by(enterprise_plugin.c.plugin)
        used = {row["plugin"]: row["count"] for row in tx.all(counted)}
        failed = failures_by_plugin(tx)
    for plugin in [*enabled, *sorted(set(found) - set(enabled))]:
        on, failures = plugin in enabled, failed.get(plugin)
        state = ("failing" if failures else "enabled") if on else "installed"
        grid.add_row(
            plugin,
            _version(found[plugin]),
            state,
            str(used.get(plugin, 0)) if on else "",
            f"{failures.count}, last in {failures.hook}: {failures.what}" if failures else "",
            ", ".join(opened.hooks.implemented_by(plugin)) if on else "",
            _first_line(found[plugin].module),
        )
    for plugin in sorted(set(used) - set(found)):
        grid.add_row(plugin, "", "missing", str(used[plugin]), "", "", "used by enterprises, and not installed")
    return grid


def _version(point: EntryPoint) -> str:
    return point.dist.version if point.dist else ""


def _first_line(module: str) -> str:
    return (inspect.getdoc(importlib.import_module(module)) or "").partition("\n")[0]
