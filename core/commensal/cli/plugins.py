"""``commensal plugins``: what is installed, enabled, and failing."""

from __future__ import annotations

import importlib
import inspect

import typer
from rich.table import Table as Grid
from sqlalchemy import func, select

from ..enterprises.tables import enterprise_plugin
from ..hooks.loading import found_plugins
from ..instance import open_instance
from ..printing import console
from .folder import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("plugins")
    def plugins(instance: Folder = HERE) -> None:
        """Lists plugins: id, version, state, hooks, and how many enterprises use each."""
        grid = Grid("id", "version", "state", "enterprises", "hooks", "what it does")
        with open_instance(instance) as opened:
            enabled = opened.hooks.plugins()
            with opened.store.read() as tx:
                counted = select(enterprise_plugin.c.plugin, func.count().label("count")).group_by(
                    enterprise_plugin.c.plugin
                )
                used = {row["plugin"]: row["count"] for row in tx.all(counted)}
            found = found_plugins()
            for plugin in [*enabled, *sorted(set(found) - set(enabled))]:
                point = found[plugin]
                on = plugin in enabled
                grid.add_row(
                    plugin,
                    point.dist.version if point.dist else "",
                    "enabled" if on else "installed",
                    str(used.get(plugin, 0)) if on else "",
                    ", ".join(opened.hooks.implemented_by(plugin)) if on else "",
                    _first_line(point.module),
                )
        console.print(grid)


def _first_line(module: str) -> str:
    return (inspect.getdoc(importlib.import_module(module)) or "").partition("\n")[0]
