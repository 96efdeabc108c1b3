"""The plugins of an enterprise: which it uses, and a form for the settings of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from commensal import (
    NotFound,
    Refused,
    Stale,
    Transaction,
    change_plugin,
    needs_second_person,
    propose,
    read_whole,
    search_key,
    translate,
)
from commensal.enterprises import (
    EnterprisePlugin,
    describe_plugin,
    disable_plugin,
    enable_plugin,
    list_plugins,
    plugin_name,
)
from commensal.orders import plugins_that_ship
from commensal.pages import Visit, on_refusal, with_mistakes
from commensal.parts.approvals import other_account
from commensal.parts.setup import try_settings
from commensal.payments import plugins_that_take_payments

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from ..money.second_person import ACCOUNT
from .forms import Choices, parts_of, read_parts, with_another
from .setting_types import in_minor_units, in_whole_units, marks_in

_ROOT = "settings"


@dataclass(frozen=True, kw_only=True)
class Extension:
    """A plugin as people read it: "Cash on collection", and what it does in a line. `use` is "pay" or "ship" of
    one that offers ways to pay, or to get goods to customers."""

    id: str
    name: str
    about: str
    enabled: bool
    use: str


def extensions_of(tx: Transaction, visit: Visit, enterprise_id: str) -> list[Extension]:
    """The plugins that the enterprise uses, then those that it could use."""
    plugins = list_plugins(tx, visit.instance.hooks, enterprise_id)
    return sorted(
        (_extension(visit, plugin) for plugin in plugins), key=lambda each: (not each.enabled, search_key(each.name))
    )


def _extension(visit: Visit, plugin: EnterprisePlugin) -> Extension:
    about = describe_plugin(plugin.plugin, visit.language).partition(":")[2]
    hooks = visit.instance.hooks
    uses = {"ship": plugins_that_ship(hooks), "pay": plugins_that_take_payments(hooks)}
    return Extension(
        id=plugin.plugin,
        name=plugin_name(plugin.plugin, visit.language),
        about=_capitalised(about.strip()),
        enabled=plugin.enabled,
        use=next((use for use, plugins in uses.items() if plugin.plugin in plugins), ""),
    )


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def plugin_page(visit: Visit, values: Mapping[str, object] | None = None) -> Response:
    with visit.read() as tx:
        desk, plugin = _of_path(tx, visit)
        shape = visit.instance.hooks.settings_class(plugin.plugin)
        choices = _choices(tx, visit, desk, shape)
    shown = plugin.settings if values is None else values
    currency = desk.enterprise.currency
    parts = []
    if shape is not None:
        parts = parts_of(shape, in_whole_units(shape, shown, currency, visit.language), _ROOT, choices)
    return show(
        visit,
        desk,
        "plugin",
        at="settings",
        plugin=plugin,
        extension=_extension(visit, plugin),
        parts_shown=parts,
        currency=currency,
        words=partial(translate, visit.language),
        confirming=visit.query.get("ask", ""),
    )


def _of_path(tx: Transaction, visit: Visit) -> tuple[Desk, EnterprisePlugin]:
    desk = open_desk(tx, visit, "plugins:write")
    for plugin in list_plugins(tx, visit.instance.hooks, desk.enterprise.id):
        if plugin.plugin == visit.path["plugin"]:
            return desk, plugin
    raise NotFound


def _choices(tx: Transaction, visit: Visit, desk: Desk, shape: type | None) -> Choices:
    marks = set(marks_in(shape)) if shape is not None else set()
    return {mark: mark.nameable(tx, visit.instance.hooks, desk.enterprise.id, visit.language) for mark in marks}


# ------------------------------------------------------------------------------------------------ saving


def post_plugin(visit: Visit) -> Response:
    """Saves the settings, and switches the plugin on; or off; or shows one more part of a list, unsaved."""
    if visit.query.get("then") == "off":
        return _switch_off(visit)
    with visit.read() as tx:
        desk, plugin = _of_path(tx, visit)
    shape = visit.instance.hooks.settings_class(plugin.plugin)
    values: dict[str, object] = {}
    if shape is not None:
        typed = read_parts(shape, visit.form, _ROOT, plugin.settings)
        values = in_minor_units(shape, typed, desk.enterprise.currency)
    if shape is not None and (where := visit.form.get("add", "")):
        return plugin_page(visit, with_another(shape, values, where))
    try:
        waits = _save(visit, desk, plugin, values)
    except Refused as error:
        return plugin_page(with_mistakes(visit, error, _stands_on), values)
    if waits:
        return visit.redirect(f"{desk.address}/money/second?done=asked")
    return visit.redirect(f"{desk.address}/settings?saved={plugin.plugin}")


def _save(visit: Visit, desk: Desk, plugin: EnterprisePlugin, values: Mapping[str, object]) -> bool:
    """Returns whether another account waits for a second person; everything else is saved."""
    hooks = visit.instance.hooks
    with visit.read() as tx:  # the plugin may ask a provider, which no writing transaction waits for
        try_settings(tx, visit.instance, desk.enterprise.id, plugin.plugin, values)
    version = read_whole(visit.form.get("version", ""))
    with visit.write() as tx:
        open_desk(tx, visit, "plugins:write")
        if version is None:
            raise Stale
        before, after = other_account(tx, hooks, desk.enterprise.id, plugin.plugin, values)
        waits = bool(after) and needs_second_person(tx, desk.enterprise.id)
        if waits:
            values = {**values, **before}
            propose(
                tx, desk.enterprise.id, ACCOUNT, plugin.plugin, {"before": before, "after": after}, actor=visit.actor
            )
        if version == 0:
            enable_plugin(tx, hooks, desk.enterprise.id, plugin.plugin, values)
        else:
            change_plugin(tx, hooks, desk.enterprise.id, plugin.plugin, version, values)
    return waits


def _stands_on(visit: Visit, name: str) -> bool:
    """Whether the form has a place with this name: a field, or a part of a list."""
    return name in visit.form or f"{name}/is" in visit.form


@on_refusal(plugin_page, ())
def _switch_off(visit: Visit) -> Response:
    with visit.write() as tx:
        desk, plugin = _of_path(tx, visit)
        disable_plugin(tx, visit.instance.hooks, desk.enterprise.id, plugin.plugin)
    return visit.redirect(f"{desk.address}/settings?saved={plugin.plugin}")
