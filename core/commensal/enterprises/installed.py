"""The plugins of the instance as its operator sees them: their state, how many enterprises use them, their failures."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.metadata import EntryPoint
from typing import Literal

from sqlalchemy import func, select

from ..base.entry_points import plugin_entry_points
from ..base.errors import Problem
from ..base.languages.catalogs import say, translate
from ..hooks.dispatcher import Hooks
from ..hooks.failures import Failures, failures_by_plugin
from ..storage.database import Transaction
from .tables import enterprise_plugin

RECENT = timedelta(days=1)  # for so long after a failure a plugin counts as failing
State = Literal["enabled", "failing", "installed", "missing"]


@dataclass(frozen=True, kw_only=True)
class InstalledPlugin:
    """state:       `enabled`; `failing`: enabled, with a failure within the last day; `installed`: installed but not
                 enabled; `missing`: instance.toml enables it or enterprises use it, and it cannot be loaded
    enterprises: how many enterprises have enabled it; their settings are kept in every state
    about:       what it does, in one line; for a missing plugin the reason, and what to do
    """

    plugin: str
    version: str
    state: State
    enterprises: int
    about: str
    hooks: Sequence[str]
    failures: Failures | None


def installed_plugins(tx: Transaction, hooks: Hooks, language: str) -> list[InstalledPlugin]:
    """Lists the enabled plugins in the operator's order, then installed ones, then missing ones."""
    query = select(enterprise_plugin.c.plugin, func.count().label("count")).group_by(enterprise_plugin.c.plugin)
    enterprise_counts = {row["plugin"]: int(row["count"]) for row in tx.all(query)}
    failures, entry_points, enabled = failures_by_plugin(tx), plugin_entry_points(), hooks.plugins()
    available = sorted(set(entry_points) - set(enabled) - set(hooks.absent))
    missing = [*hooks.absent, *sorted(set(enterprise_counts) - set(enabled) - set(available) - set(hooks.absent))]
    return [
        *(
            _describe_enabled(tx, hooks, plugin, entry_points, enterprise_counts, failures, language)
            for plugin in enabled
        ),
        *(
            _describe_installed(plugin, entry_points, "installed", enterprise_counts, failures, language)
            for plugin in available
        ),
        *(_describe_missing(plugin, hooks.absent, enterprise_counts, failures, language) for plugin in missing),
    ]


def describe_plugin(plugin: str, language: str) -> str:
    """Returns what a plugin does, in one line; its id if it does not say it."""
    entry_point = plugin_entry_points().get(plugin)
    return (_first_line(entry_point, language) if entry_point is not None else "") or plugin


def plugin_name(plugin: str, language: str) -> str:
    """Returns what people call a plugin, like "Cash on collection"; its id if it does not say it."""
    return describe_plugin(plugin, language).partition(":")[0].strip().rstrip(".")


def _describe_enabled(
    tx: Transaction,
    hooks: Hooks,
    plugin: str,
    entry_points: Mapping[str, EntryPoint],
    enterprise_counts: Mapping[str, int],
    failures: Mapping[str, Failures],
    language: str,
) -> InstalledPlugin:
    state: State = "failing" if plugin in failures and tx.now - failures[plugin].last_at < RECENT else "enabled"
    return _describe_installed(
        plugin, entry_points, state, enterprise_counts, failures, language, hooks.implemented_by(plugin)
    )


def _describe_installed(
    plugin: str,
    entry_points: Mapping[str, EntryPoint],
    state: State,
    enterprise_counts: Mapping[str, int],
    failures: Mapping[str, Failures],
    language: str,
    hooks: Sequence[str] = (),
) -> InstalledPlugin:
    entry_point = entry_points.get(plugin)
    version = entry_point.dist.version if entry_point is not None and entry_point.dist is not None else ""
    return InstalledPlugin(
        plugin=plugin,
        version=version,
        state=state,
        enterprises=enterprise_counts.get(plugin, 0),
        hooks=hooks,
        about=_first_line(entry_point, language) if entry_point is not None else "",
        failures=failures.get(plugin),
    )


def _describe_missing(
    plugin: str,
    absent: Mapping[str, str | Problem],
    enterprise_counts: Mapping[str, int],
    failures: Mapping[str, Failures],
    language: str,
) -> InstalledPlugin:
    if plugin in absent:
        text = "{why}; install its package, or take it out of plugins.enabled: its tables stay"
        about = say(language, Problem("missing", text, values={"why": absent[plugin]}))
    else:
        text = "enterprises use it, and it is neither enabled nor installed; their settings are kept"
        about = translate(language, text)
    return InstalledPlugin(
        plugin=plugin,
        version="",
        state="missing",
        enterprises=enterprise_counts.get(plugin, 0),
        about=about,
        hooks=(),
        failures=failures.get(plugin),
    )


def _first_line(entry_point: EntryPoint, language: str) -> str:
    """The first line of the plugin's docstring.

    Reads the source of a plugin that is not enabled instead of importing it: an import could do anything, such as end
    this process.
    """
    if entry_point.module in sys.modules:
        docstring = inspect.getdoc(sys.modules[entry_point.module]) or ""
    else:
        try:
            docstring = _docstring(entry_point.module)
        except (OSError, SyntaxError, ValueError, ImportError) as error:
            why = f"{type(error).__name__}: {error}"
            return translate(language, "cannot be imported: {error}").format(error=why)
    return translate(language, docstring.partition("\n")[0])


def _docstring(module: str) -> str:
    """The docstring of a module, without importing it or its packages. Raises `ImportError` if it is not found."""
    search_path: Sequence[str] | None = None
    loader: object = None
    for name in module.split("."):
        spec = PathFinder.find_spec(name, search_path)
        if spec is None:
            raise ImportError(f"No module named {module!r}")
        search_path, loader = spec.submodule_search_locations, spec.loader
    source = loader.get_source(loader.name) if isinstance(loader, SourceFileLoader) else None
    return ast.get_docstring(ast.parse(source or "")) or ""
