"""The plugins of an enterprise over the API, with their settings. Secrets can be set but never read."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from ...api.endpoint import Body, Call, Routes
from ...enterprises.installed import InstalledPlugin, installed_plugins
from ...enterprises.plugins import EnterprisePlugin, change_plugin, disable_plugin, enable_plugin, list_plugins
from ..approvals.proposing import refuse_other_account
from ..setup.settings import try_settings

routes = Routes("plugins")


class PluginSettings(Body, frozen=True, kw_only=True):
    """All settings, as the plugin's documentation names them; one left out takes its default. A secret that was shown
    as "***" and is sent back so stays what it is."""

    settings: Annotated[dict[str, Any], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=dict)


@routes.get("/plugins", scope="operator")
def instance_plugins(call: Call) -> list[InstalledPlugin]:
    """The plugins of the instance: what each is, who uses it, what went wrong."""
    return installed_plugins(call.tx, call.instance.hooks, call.language)


def _try_settings(call: Call, enterprise: str, plugin: str, body: PluginSettings) -> None:
    """Checks the settings before the write transaction, since the plugin may ask a provider."""
    try_settings(call.tx, call.instance, enterprise, plugin, body.settings)


_PLUGIN = "/enterprises/{enterprise}/plugins/{plugin}"


@routes.get("/enterprises/{enterprise}/plugins", scope="plugins:write")
def plugins(call: Call, enterprise: str) -> list[EnterprisePlugin]:
    """What the enterprise uses, and could use."""
    return list(list_plugins(call.tx, call.instance.hooks, enterprise))


@routes.post(_PLUGIN, scope="plugins:write", status=201, prepare=_try_settings)
def use_plugin(call: Call, enterprise: str, plugin: str, body: PluginSettings) -> EnterprisePlugin:
    """Enables a plugin, once it has tried the settings and found nothing against them."""
    refuse_other_account(call.tx, call.instance.hooks, enterprise, plugin, body.settings)
    return enable_plugin(call.tx, call.instance.hooks, enterprise, plugin, body.settings)


@routes.put(_PLUGIN, scope="plugins:write", edits=True, prepare=_try_settings)
def set_plugin(call: Call, enterprise: str, plugin: str, body: PluginSettings) -> EnterprisePlugin:
    """Sets all settings of a plugin, once it has tried them and found nothing against them."""
    refuse_other_account(call.tx, call.instance.hooks, enterprise, plugin, body.settings)
    return change_plugin(call.tx, call.instance.hooks, enterprise, plugin, call.version, body.settings)


@routes.delete(_PLUGIN, scope="plugins:write")
def do_without_plugin(call: Call, enterprise: str, plugin: str) -> None:
    """Disables a plugin, unless it has to stay; its settings are forgotten."""
    disable_plugin(call.tx, call.instance.hooks, enterprise, plugin)
