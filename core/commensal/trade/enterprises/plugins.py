"""Which plugins an enterprise uses, and what it has set for them.

What is kept is what was sent, once the plugin's own class has accepted it. The class fills in the rest whenever it is
read, so that a plugin's new defaults reach everybody who did not choose.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, bindparam, delete, select

from ...base.errors import Conflict, NotFound, PluginError
from ...hooks.dispatcher import Hooks
from ...hooks.loading import all_hooks
from ...storage.database import Transaction, edit_row, insert_once
from .plugin_settings import check_settings, hide_secrets, keep_secrets
from .references import with_ids
from .tables import enterprise_plugin

S = TypeVar("S")
_USED = (
    select(enterprise_plugin.c.plugin, enterprise_plugin.c.settings)
    .where(enterprise_plugin.c.enterprise_id == bindparam("enterprise"))
    .order_by(enterprise_plugin.c.plugin)
)


@dataclass(frozen=True, kw_only=True)
class EnterprisePlugin:
    """A plugin that an enterprise uses, or could (then the version is 0).

    Secrets in `settings` read "***"; sent back so, they stay what they are.
    """

    plugin: str
    enabled: bool
    settings: dict[str, Any]
    version: int


def enable_plugin(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, Any]
) -> EnterprisePlugin:
    """Raises `NotFound` for a plugin that the instance does not offer to enterprises, `Invalid` for settings that are
    not right, `Conflict` where it is enabled already.
    """
    kept = accepted_settings(tx, hooks, enterprise_id, plugin, settings, {})
    row = {"enterprise_id": enterprise_id, "plugin": plugin, "settings": kept, "version": 1}
    if not insert_once(tx, enterprise_plugin, row):
        raise Conflict("plugin_enabled", "This plugin is enabled already; change its settings instead.")
    return _shown(hooks, plugin, kept, 1)


def change_plugin(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, version: int, settings: Mapping[str, Any]
) -> EnterprisePlugin:
    """Sets all settings of a plugin that is enabled. Raises `NotFound`, `Invalid`, `Stale`."""
    mine = _is(enterprise_id, plugin)
    before = tx.one(select(enterprise_plugin.c.settings).where(*mine))
    kept = accepted_settings(tx, hooks, enterprise_id, plugin, settings, before["settings"])
    row = edit_row(tx, enterprise_plugin, *mine, version=version, values={"settings": kept})
    return _shown(hooks, plugin, kept, row["version"])


def disable_plugin(tx: Transaction, enterprise_id: str, plugin: str) -> None:
    """The enterprise does without it from now on; its settings are forgotten. Raises `NotFound`."""
    if tx.execute(delete(enterprise_plugin).where(*_is(enterprise_id, plugin))).rowcount != 1:
        raise NotFound


def enabled_plugins(tx: Transaction, enterprise_id: str) -> dict[str, dict[str, Any]]:
    """The plugins that the enterprise uses, with its settings as they are kept: secrets can be read in them."""
    return {one["plugin"]: one["settings"] for one in tx.all(_USED, {"enterprise": enterprise_id})}


def plugins_of_each(tx: Transaction, enterprise_ids: Collection[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """The same for several enterprises at once, by their ids."""
    used: dict[str, dict[str, dict[str, Any]]] = {one: {} for one in enterprise_ids}
    for row in tx.all(select(enterprise_plugin).where(enterprise_plugin.c.enterprise_id.in_(used))) if used else ():
        used[row["enterprise_id"]][row["plugin"]] = row["settings"]
    return used


def plugin_settings(tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, shape: type[S]) -> S:
    """What the enterprise has set for this plugin, in the plugin's `shape`. Raises `NotFound` where it does without."""
    found = tx.one(select(enterprise_plugin.c.settings).where(*_is(enterprise_id, plugin)))
    read = hooks.settings(plugin, found["settings"])
    if not isinstance(read, shape):
        raise PluginError(plugin, "enterprise_settings", f"they are no {shape.__name__}")
    return read


def list_plugins(tx: Transaction, hooks: Hooks, enterprise_id: str) -> Sequence[EnterprisePlugin]:
    """Every plugin that the instance offers to enterprises, in the operator's order, enabled here or not."""
    used = {row["plugin"]: row for row in tx.all(select(enterprise_plugin).where(_belongs(enterprise_id)))}
    return [
        _shown(hooks, plugin, used[plugin]["settings"], used[plugin]["version"])
        if plugin in used
        else EnterprisePlugin(plugin=plugin, enabled=False, settings={}, version=0)
        for plugin in offered_plugins(hooks)
    ]


def offered_plugins(hooks: Hooks) -> list[str]:
    """Plugins that do something for single enterprises: only these are theirs to choose."""
    theirs = {name for name, one in all_hooks().items() if one.contract.scope == "enterprise"} | {"enterprise_settings"}
    return [plugin for plugin in hooks.plugins() if theirs.intersection(hooks.implemented_by(plugin))]


def accepted_settings(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, sent: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """What is kept of settings that were sent; `before` holds the secrets. What they name is kept by its id.

    Raises `NotFound`; `Invalid`, also where a setting names a customer category or an enterprise that is not there.
    """
    if plugin not in offered_plugins(hooks):
        raise NotFound("no_plugin", "There is no plugin {plugin} here.", plugin=plugin[:60])
    shape = hooks.settings_class(plugin)
    kept = keep_secrets(shape, sent, before)
    check_settings(shape, kept)
    return with_ids(tx, enterprise_id, shape, kept)


def _shown(hooks: Hooks, plugin: str, kept: Mapping[str, Any], version: int) -> EnterprisePlugin:
    settings = hide_secrets(hooks.settings_class(plugin), kept)
    return EnterprisePlugin(plugin=plugin, enabled=True, settings=settings, version=version)


def _belongs(enterprise_id: str) -> ColumnElement[bool]:
    return enterprise_plugin.c.enterprise_id == enterprise_id


def _is(enterprise_id: str, plugin: str) -> tuple[ColumnElement[bool], ...]:
    return _belongs(enterprise_id), enterprise_plugin.c.plugin == plugin
