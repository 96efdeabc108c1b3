"""Settings of plugins that say to which account money goes: another one may need a second person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from ...base.errors import Conflict
from ...base.money import PaidTo
from ...enterprises.plugins import enabled_plugins
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from .policy import needs_second_person


def other_account(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what these settings of a plugin change of the account to which money goes: what stands in its fields now,
    and what would. Both are empty where they change nothing of it."""
    shape = hooks.settings_class(plugin)
    if shape is None:
        return {}, {}
    names = [name for name, hint in get_type_hints(shape, include_extras=True).items() if _is_marked(hint)]
    stored = enabled_plugins(tx, enterprise_id).get(plugin, {})
    before = {name: stored.get(name, "") for name in names}
    after = {name: settings.get(name, "") for name in names}
    return ({}, {}) if before == after else (before, after)


def refuse_other_account(
    tx: Transaction, hooks: Hooks, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> None:
    """Raises `Conflict` for settings that change that account where it needs a second person."""
    if other_account(tx, hooks, enterprise_id, plugin, settings)[1] and needs_second_person(tx, enterprise_id):
        text = "Two people change the account to which money goes here: ask for it in the office."
        raise Conflict("second_person", text)


def _is_marked(hint: object) -> bool:
    return get_origin(hint) is Annotated and any(isinstance(mark, PaidTo) for mark in get_args(hint)[1:])
