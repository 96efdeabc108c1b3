"""The plugins that an enterprise uses, and its settings for them.

Settings are stored as sent, once the plugin's settings class has accepted them. The class fills in its defaults at each
reading, so a new default reaches every enterprise that has not chosen a value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from sqlalchemy import ColumnElement, bindparam, delete, select

from ..base.errors import Conflict, Invalid, NotFound, PluginError, Problem, SettingsError
from ..base.reading import read_settings, read_value, secret_names
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.loading import all_hooks
from ..storage.database import Transaction, edit_row, insert_once
from .references import resolve_names
from .tables import enterprise_plugin

# Validation of plugins' settings by the plugin's class, and the hiding of their secrets.

HIDDEN = "***"
_MOST = 100  # settings of one plugin


def check_settings(shape: type | None, settings: Mapping[str, object]) -> None:
    """Raises `Invalid`, naming every setting that `shape`, the plugin's class, refuses. None accepts no setting."""
    problems = []
    if shape is None:
        text = "This plugin has nothing to set."
        problems = [Problem("no_setting", text, f"/settings/{key}") for key in list(settings)[:_MOST]]
    else:
        try:
            read_settings(shape, settings)
        except SettingsError as error:
            problems = list(_mistakes(shape, settings)) or [_problem("/settings", error)]
    if problems:
        raise Invalid(problems)


def hide_secrets(shape: type | None, settings: Mapping[str, object]) -> dict[str, object]:
    """The settings with every secret replaced by `HIDDEN`."""
    secret_keys = secret_names(shape)
    return {key: HIDDEN if key in secret_keys and value else value for key, value in settings.items()}


def keep_secrets(shape: type | None, sent: Mapping[str, object], stored: Mapping[str, object]) -> dict[str, object]:
    """The sent settings, with the stored value of every secret that was sent back hidden."""
    secret_keys = secret_names(shape)
    hidden = {key for key, value in sent.items() if key in secret_keys and value == HIDDEN}
    return {key: stored.get(key, "") if key in hidden else value for key, value in sent.items()}


def _mistakes(shape: type, settings: Mapping[str, object]) -> Iterator[Problem]:
    """Reads each setting by itself, because reading all at once stops at the first mistake."""
    hints = get_type_hints(shape, include_extras=True)
    for key in list(settings)[:_MOST]:
        if key not in hints:
            yield from _mistake(shape, {key: settings[key]}, f"/settings/{key}", "")
        else:
            yield from _mistakes_in(hints[key], key, settings[key])


def _mistakes_in(hint: object, key: str, value: object) -> Iterator[Problem]:
    """Reads the items of a list one by one; reads the list as a whole if every item is right by itself."""
    item_hint = _item_hint(hint)
    problems = []
    if item_hint is not None and isinstance(value, list):
        for index, item in enumerate(value[:_MOST]):
            problems += _mistake(item_hint, item, f"/settings/{key}/{index}", f"{key}[{index}]")
    yield from problems or _mistake(hint, value, f"/settings/{key}", key)


def _mistake(hint: object, value: object, where: str, name: str) -> list[Problem]:
    try:
        read_value(hint, value, name)
    except SettingsError as error:
        return [_problem(where, error)]
    return []


def _item_hint(hint: object) -> object:
    """The type X of a ``tuple[X, ...]``; None for other types."""
    if get_origin(hint) is Annotated:
        return _item_hint(get_args(hint)[0])
    inner = get_args(hint)
    return inner[0] if get_origin(hint) is tuple and inner[1:] == (...,) else None


def _problem(where: str, error: SettingsError) -> Problem:
    return Problem("setting", "This setting is not right: {what}", where, {"what": error})


S = TypeVar("S")
_ASKED_AT_START = {"enterprise_settings", "order_fields", "customer_fields", "office_pages", "shop_pages"}
_USED = (
    select(enterprise_plugin.c.plugin, enterprise_plugin.c.settings)
    .where(enterprise_plugin.c.enterprise_id == bindparam("enterprise"))
    .order_by(enterprise_plugin.c.plugin)
)
_SETTINGS = select(enterprise_plugin.c.settings).where(
    enterprise_plugin.c.enterprise_id == bindparam("enterprise"), enterprise_plugin.c.plugin == bindparam("plugin")
)


@dataclass(frozen=True, kw_only=True)
class EnterprisePlugin:
    """A plugin that an enterprise uses, or could use (then `version` is 0).

    `settings` shows secrets as "***"; a client that sends "***" back keeps the stored secret.
    """

    plugin: str
    enabled: bool
    settings: dict[str, Any]
    version: int


def enable_plugin(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> EnterprisePlugin:
    """Enables a plugin for the enterprise, and lets it prepare what it needs.

    Raises `NotFound` if the instance does not offer it to enterprises, `Invalid` for wrong settings, `Conflict` if it
    is enabled already; `Refused` or `PluginError` from the plugin.
    """
    accepted = accept_settings(tx, hooks, enterprise_id, plugin, settings, {})
    row = {"enterprise_id": enterprise_id, "plugin": plugin, "settings": accepted, "version": 1}
    if not insert_once(tx, enterprise_plugin, row):
        raise Conflict("plugin_enabled", "This plugin is enabled already; change its settings instead.")
    hooks.each(specifications.switched_on, {plugin: accepted}, tx=tx, enterprise_id=enterprise_id)
    return _without_secrets(hooks, plugin, accepted, 1)


def enable_first_plugins(tx: Transaction, hooks: Hooks, hub_id: str) -> None:
    """Enables those of the offered plugins that say of themselves that a new hub begins with them."""
    for plugin in offered_plugins(hooks):
        if hooks.begins_hubs(plugin):
            enable_plugin(tx, hooks, hub_id, plugin, {})


def change_plugin(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, version: int, settings: Mapping[str, object]
) -> EnterprisePlugin:
    """Replaces all settings of an enabled plugin. Raises `NotFound`, `Invalid`, `Stale`."""
    conditions = _is_plugin(enterprise_id, plugin)
    before = tx.one(select(enterprise_plugin.c.settings).where(*conditions))
    accepted = accept_settings(tx, hooks, enterprise_id, plugin, settings, before["settings"])
    row = edit_row(tx, enterprise_plugin, *conditions, version=version, values={"settings": accepted})
    return _without_secrets(hooks, plugin, accepted, row["version"])


def disable_plugin(tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str) -> None:
    """Disables a plugin for the enterprise and deletes its settings.

    Raises `NotFound`, `Refused` if the plugin has to stay.
    """
    settings = tx.one(select(enterprise_plugin.c.settings).where(*_is_plugin(enterprise_id, plugin)))["settings"]
    hooks.each(specifications.switched_off, {plugin: settings}, tx=tx, enterprise_id=enterprise_id)
    tx.execute(delete(enterprise_plugin).where(*_is_plugin(enterprise_id, plugin)))


def enabled_plugins(tx: Transaction, enterprise_id: str) -> dict[str, dict[str, Any]]:
    """The stored settings of the enterprise's plugins, by plugin. They contain secrets in clear."""
    return {row["plugin"]: row["settings"] for row in tx.all(_USED, {"enterprise": enterprise_id})}


def enterprises_using(tx: Transaction, plugin: str) -> list[str]:
    """The ids of all enterprises that use the plugin, in their order."""
    query = select(enterprise_plugin.c.enterprise_id).where(enterprise_plugin.c.plugin == plugin)
    return [row["enterprise_id"] for row in tx.all(query.order_by(enterprise_plugin.c.enterprise_id))]


def plugins_of_each(tx: Transaction, enterprise_ids: Collection[str]) -> dict[str, dict[str, dict[str, object]]]:
    """The same as `enabled_plugins` for several enterprises at once, by their ids."""
    plugins: dict[str, dict[str, dict[str, object]]] = {enterprise_id: {} for enterprise_id in enterprise_ids}
    for row in (
        tx.all(select(enterprise_plugin).where(enterprise_plugin.c.enterprise_id.in_(plugins))) if plugins else ()
    ):
        plugins[row["enterprise_id"]][row["plugin"]] = row["settings"]
    return plugins


def plugin_settings(tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, shape: type[S]) -> S:
    """The enterprise's settings of this plugin as an instance of `shape`. Raises `NotFound` if it does not use it."""
    row = tx.one(_SETTINGS, {"enterprise": enterprise_id, "plugin": plugin})
    settings = hooks.settings(plugin, row["settings"])
    if not isinstance(settings, shape):
        raise PluginError(plugin, "enterprise_settings", f"they are not {shape.__name__}")
    return settings


def list_plugins(tx: Transaction, hooks: Hooks, enterprise_id: str) -> Sequence[EnterprisePlugin]:
    """Every plugin that the instance offers to enterprises, in the operator's order, whether enabled here or not."""
    enabled = {row["plugin"]: row for row in tx.all(select(enterprise_plugin).where(_is_of_enterprise(enterprise_id)))}
    return [
        _without_secrets(hooks, plugin, enabled[plugin]["settings"], enabled[plugin]["version"])
        if plugin in enabled
        else EnterprisePlugin(plugin=plugin, enabled=False, settings={}, version=0)
        for plugin in offered_plugins(hooks)
    ]


def refuse_where_off(tx: Transaction, enterprise_id: str, plugin: str) -> None:
    """Raises `NotFound` if the enterprise has not enabled the plugin."""
    if plugin not in enabled_plugins(tx, enterprise_id):
        raise NotFound("plugin_off", "This enterprise does not use the extension {plugin}.", plugin=plugin)


def offered_plugins(hooks: Hooks) -> list[str]:
    """The plugins that implement a hook of enterprises, or whose answers at the start concern the enterprises that use
    them: only these can be chosen by an enterprise."""
    hook_names = {name for name, hook in all_hooks().items() if hook.contract.scope == "enterprise"} | _ASKED_AT_START
    return [plugin for plugin in hooks.plugins() if hook_names.intersection(hooks.implemented_by(plugin))]


def accept_settings(
    tx: Transaction,
    hooks: Hooks,
    enterprise_id: str,
    plugin: str,
    sent: Mapping[str, object],
    before: Mapping[str, object],
) -> dict[str, object]:
    """Validates settings and returns them as they are to be stored: with the secrets of `before` where they were sent
    hidden, and with ids for names.

    Raises `NotFound`; `Invalid`, also if a setting names something that does not exist (see `Names`).
    """
    if plugin not in offered_plugins(hooks):
        if plugin in hooks.plugins():
            text = "The extension {plugin} works for every enterprise at once: there is nothing to switch on."
            raise NotFound("plugin_of_all", text, plugin=plugin)
        raise NotFound("no_plugin", "There is no plugin {plugin} here.", plugin=plugin[:60])
    shape = hooks.settings_class(plugin)
    accepted = keep_secrets(shape, sent, before)
    check_settings(shape, accepted)
    return resolve_names(tx, hooks, enterprise_id, shape, accepted)


def _without_secrets(hooks: Hooks, plugin: str, stored: Mapping[str, object], version: int) -> EnterprisePlugin:
    settings = hide_secrets(hooks.settings_class(plugin), stored)
    return EnterprisePlugin(plugin=plugin, enabled=True, settings=settings, version=version)


def _is_of_enterprise(enterprise_id: str) -> ColumnElement[bool]:
    return enterprise_plugin.c.enterprise_id == enterprise_id


def _is_plugin(enterprise_id: str, plugin: str) -> tuple[ColumnElement[bool], ...]:
    return _is_of_enterprise(enterprise_id), enterprise_plugin.c.plugin == plugin
