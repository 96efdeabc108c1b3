"""Asks plugins to check settings: before they are stored, and for all enterprises in the operator's check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select

from ...base.errors import Invalid, PluginError, Problem, Refused
from ...enterprises.plugins import accept_settings
from ...enterprises.references import unknown_names
from ...enterprises.tables import enterprise, enterprise_plugin
from ...hooks import specifications
from ...hooks.values import OFFERS_NOTHING
from ...instance import Instance
from ...storage.database import RowQuery, Transaction


def try_settings(
    tx: Transaction, instance: Instance, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> None:
    """Lets the plugin check settings that an enterprise sends. `tx` only reads: the plugin may ask a slow provider.

    Raises `NotFound`, `Invalid` with every problem, `PluginError` if the plugin itself fails.
    """
    stored = tx.value(_stored_settings(enterprise_id, plugin))
    accepted = accept_settings(tx, instance.hooks, enterprise_id, plugin, settings, stored or {})
    problems = _ask_plugin(instance, enterprise_id, plugin, accepted)
    if problems:
        raise Invalid(problems)


def settings_problems(instance: Instance) -> Iterator[Problem]:
    """The problems with the stored settings of every enterprise, also things that they name and that were deleted
    since; `where` names the enterprise and the plugin. That a hub offers nothing by them yet is not told."""
    store, hooks = instance.store, instance.hooks
    columns, enterprise_columns = enterprise_plugin.c, enterprise.c
    query = select(columns.enterprise_id, columns.plugin, columns.settings, enterprise_columns.slug).join_from(
        enterprise_plugin, enterprise
    )
    with store.read() as tx:
        rows = tx.all(
            query.where(columns.plugin.in_(hooks.plugins())).order_by(enterprise_columns.slug, columns.plugin)
        )
    for row in rows:
        where = f"{row['slug']}, {row['plugin']}"
        try:
            hooks.settings(row["plugin"], row["settings"])
            with store.read() as tx:
                shape = hooks.settings_class(row["plugin"])
                unknown = unknown_names(tx, hooks, row["enterprise_id"], shape, row["settings"])
            problems = _ask_plugin(instance, row["enterprise_id"], row["plugin"], row["settings"])
        except (PluginError, Refused) as error:
            yield Problem("settings", "The settings do not work: {what}", where, {"what": error})
            continue
        yield from (
            Problem(problem.code, problem.text, f"{where}{problem.where}", problem.values)
            for problem in (*unknown, *problems)
            if problem.code != OFFERS_NOTHING
        )


def _stored_settings(enterprise_id: str, plugin: str) -> RowQuery:
    columns = enterprise_plugin.c
    return select(columns.settings).where(columns.enterprise_id == enterprise_id, columns.plugin == plugin)


def _ask_plugin(
    instance: Instance, enterprise_id: str, plugin: str, settings: Mapping[str, object]
) -> Sequence[Problem]:
    hook = specifications.check_settings
    if not instance.hooks.implementing(hook, {plugin}):
        return ()
    used = {plugin: settings}
    return instance.hooks.ask(hook, plugin, used, instance=instance, enterprise_id=enterprise_id) or ()
