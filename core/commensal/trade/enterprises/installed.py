"""The plugins of the instance as its operator sees them: what is there, who uses it, what went wrong."""

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

from ...base.errors import Problem
from ...base.languages.catalogs import say, translate
from ...hooks.dispatcher import Hooks
from ...hooks.failures import Failures, failures_by_plugin
from ...hooks.loading import found_plugins
from ...storage.database import Transaction
from .tables import enterprise_plugin

RECENT = timedelta(days=1)  # so long a plugin that failed is said to be failing
State = Literal["enabled", "failing", "installed", "missing"]


@dataclass(frozen=True, kw_only=True)
class InstalledPlugin:
    """state:       `enabled`; `failing`: it is enabled and has failed within a day; `installed`: it is there and not
                 enabled; `missing`: instance.toml enables it or enterprises use it, and it cannot be loaded
    enterprises: how many have switched it on; their settings are kept whatever the state is
    about:       what it does, in a line; of one that is missing why, and what to do
    """

    plugin: str
    version: str
    state: State
    enterprises: int
    about: str
    hooks: Sequence[str]
    failures: Failures | None


def installed_plugins(tx: Transaction, hooks: Hooks, language: str) -> list[InstalledPlugin]:
    """The enabled ones in the operator's order, then those that could be enabled, then those that are not there."""
    counted = select(enterprise_plugin.c.plugin, func.count().label("count")).group_by(enterprise_plugin.c.plugin)
    used = {row["plugin"]: int(row["count"]) for row in tx.all(counted)}
    failed, found, enabled = failures_by_plugin(tx), found_plugins(), hooks.plugins()
    others = sorted(set(found) - set(enabled) - set(hooks.absent))
    gone = [*hooks.absent, *sorted(set(used) - set(enabled) - set(others) - set(hooks.absent))]
    return [
        *(_enabled(tx, hooks, one, found, used, failed, language) for one in enabled),
        *(_there(one, found, "installed", used, failed, language) for one in others),
        *(_missing(one, hooks.absent, used, failed, language) for one in gone),
    ]


def _enabled(
    tx: Transaction,
    hooks: Hooks,
    plugin: str,
    found: Mapping[str, EntryPoint],
    used: Mapping[str, int],
    failed: Mapping[str, Failures],
    language: str,
) -> InstalledPlugin:
    state: State = "failing" if plugin in failed and tx.now - failed[plugin].last_at < RECENT else "enabled"
    return _there(plugin, found, state, used, failed, language, hooks.implemented_by(plugin))


def _there(
    plugin: str,
    found: Mapping[str, EntryPoint],
    state: State,
    used: Mapping[str, int],
    failed: Mapping[str, Failures],
    language: str,
    hooks: Sequence[str] = (),
) -> InstalledPlugin:
    point = found.get(plugin)
    version = point.dist.version if point is not None and point.dist is not None else ""
    return InstalledPlugin(
        plugin=plugin, version=version, state=state, enterprises=used.get(plugin, 0), hooks=hooks,
        about=_about(point, language) if point is not None else "", failures=failed.get(plugin),
    )  # fmt: skip


def _missing(
    plugin: str,
    absent: Mapping[str, str | Problem],
    used: Mapping[str, int],
    failed: Mapping[str, Failures],
    language: str,
) -> InstalledPlugin:
    if plugin in absent:
        text = "{why}; install its package, or take it out of plugins.enabled: its tables stay"
        about = say(language, Problem("missing", text, values={"why": absent[plugin]}))
    else:
        text = "enterprises use it, and it is neither enabled nor installed; their settings are kept"
        about = translate(language, text)
    return InstalledPlugin(
        plugin=plugin, version="", state="missing", enterprises=used.get(plugin, 0), about=about, hooks=(),
        failures=failed.get(plugin),
    )  # fmt: skip


def _about(point: EntryPoint, language: str) -> str:
    """The first line of its docstring. One that is not enabled is read and not imported: importing it could do
    anything, such as end this process."""
    if point.module in sys.modules:
        said = inspect.getdoc(sys.modules[point.module]) or ""
    else:
        try:
            said = _docstring(point.module)
        except (OSError, SyntaxError, ValueError, ImportError) as error:
            why = f"{type(error).__name__}: {error}"
            return translate(language, "cannot be imported: {error}").format(error=why)
    return translate(language, said.partition("\n")[0])


def _docstring(module: str) -> str:
    """Of a module that is not imported, nor the packages around it. Raises `ImportError` where it is not found."""
    places: Sequence[str] | None = None
    loader: object = None
    for name in module.split("."):
        found = PathFinder.find_spec(name, places)
        if found is None:
            raise ImportError(f"No module named {module!r}")
        places, loader = found.submodule_search_locations, found.loader
    source = loader.get_source(loader.name) if isinstance(loader, SourceFileLoader) else None
    return ast.get_docstring(ast.parse(source or "")) or ""
