"""Tries settings of plugins out: before they are kept, and again for all enterprises when the operator checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from ...base.errors import Invalid, PluginError, Problem, Refused
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Store, Transaction
from .plugins import accepted_settings
from .tables import enterprise, enterprise_plugin


def try_settings(tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, Any]) -> None:
    """Lets the plugin try settings that an enterprise sends. `tx` only reads: a provider may be asked, and take long.

    Raises `NotFound`, `Invalid` with all that is wrong, `PluginError` where the plugin fails at it.
    """
    kept = tx.value(_settings(enterprise_id, plugin))
    problems = _tried(
        hooks, enterprise_id, plugin, accepted_settings(tx, hooks, enterprise_id, plugin, settings, kept or {})
    )
    if problems:
        raise Invalid(problems)


def settings_problems(store: Store, hooks: Hooks) -> Iterator[Problem]:
    """What is wrong with the settings that are kept, of every enterprise; `where` names it and the plugin."""
    row, named = enterprise_plugin.c, enterprise.c
    kept = select(row.enterprise_id, row.plugin, row.settings, named.slug).join_from(enterprise_plugin, enterprise)
    with store.read() as tx:
        found = tx.all(kept.where(row.plugin.in_(hooks.plugins())).order_by(named.slug, row.plugin))
    for one in found:
        where = f"{one['slug']}, {one['plugin']}"
        try:
            hooks.settings(one["plugin"], one["settings"])
            problems = _tried(hooks, one["enterprise_id"], one["plugin"], one["settings"])
        except (PluginError, Refused) as error:
            yield Problem("settings", "The settings do not work: {what}", where, {"what": error})
            continue
        yield from (Problem(said.code, said.text, f"{where}{said.where}", said.values) for said in problems)


def _settings(enterprise_id: str, plugin: str) -> Any:
    row = enterprise_plugin.c
    return select(row.settings).where(row.enterprise_id == enterprise_id, row.plugin == plugin)


def _tried(hooks: Hooks, enterprise_id: str, plugin: str, kept: Mapping[str, Any]) -> Sequence[Problem]:
    if not hooks.implementing(specifications.check_settings, {plugin}):
        return ()
    return hooks.ask(specifications.check_settings, plugin, {plugin: kept}, enterprise_id=enterprise_id) or ()
