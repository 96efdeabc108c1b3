"""Runs a page that a plugin adds to the office or the shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from ...enterprises.enterprises import Enterprise
from ...enterprises.plugins import refuse_where_off
from ...hooks.values import Screen
from .visit import Visit


def run_added(
    visit: Visit,
    plugin: str,
    name: str,
    act: Callable[[Any, Any], Any],
    enterprise: Enterprise | None,
    *,
    where_off: bool = False,
) -> Screen | Response:
    """Answers a request by `act`, a function of the plugin's page `name`.

    Raises `NotFound` if the enterprise has not switched the plugin on, unless the page is there `where_off`, and what
    the page raises.
    """
    if enterprise is not None and not where_off:
        with visit.read() as tx:
            refuse_where_off(tx, enterprise.id, plugin)
    with visit.instance.hooks.running(plugin, name):
        answer: Screen | Response = act(visit, enterprise)
        return answer
