"""The ways to pay that a shop offers, as its plugins tell them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from ..enterprises.plugins import enabled_plugins
from ..errors import PluginError
from ..hooks import specifications
from ..hooks.values import PaymentMethod
from ..instance import Instance
from .settings import settings_for

METHOD = re.compile(r"[a-z][a-z0-9_]{0,39}:[a-z0-9_.-]{1,40}")  # "plugin:method"
_log = structlog.get_logger("commensal.payments")


def payment_methods(instance: Instance, enterprise_id: str, language: str) -> list[PaymentMethod]:
    """Ways to pay at the shop, each with the id "plugin:method", in the operator's order of plugins.

    Asks plugins, which may take seconds: never call it inside a transaction. A plugin that fails, or offers what is no
    way to pay, is left out and the log says so.
    """
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, enterprise_id)
    found = []
    for plugin in instance.hooks.plugins():
        if plugin in enabled:
            found += _offered(instance, plugin, enabled[plugin], enterprise_id, language)
    return found


def _offered(
    instance: Instance, plugin: str, values: Mapping[str, Any], enterprise_id: str, language: str
) -> list[PaymentMethod]:
    try:
        settings = settings_for(instance.hooks, plugin, values)
    except PluginError as error:
        _log.warning("settings cannot be read", plugin=plugin, exc_info=error)
        return []
    answers = instance.hooks.each(
        specifications.payment_methods, {plugin}, enterprise_id=enterprise_id, settings=settings, language=language
    )
    offered: list[PaymentMethod] = []
    for one in (one for answer in answers for one in answer.value or ()):
        if isinstance(one, PaymentMethod) and METHOD.fullmatch(f"{plugin}:{one.id}"):
            offered.append(replace(one, id=f"{plugin}:{one.id}"))
        else:
            _log.warning("no way to pay", plugin=plugin, offered=repr(one)[:200])
    return offered
