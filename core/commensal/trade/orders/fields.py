"""The fields that plugins add to orders: which are asked, and what a wish says of them."""

from __future__ import annotations

from collections.abc import Iterator

from ...base.errors import Problem
from ...base.fields import OrderField
from ...base.plugin_fields import PluginFields, read_plugin_values
from .values import Wish


def asked_fields(declared: PluginFields, *, delivered: bool) -> Iterator[tuple[str, OrderField]]:
    """Yields pairs of a plugin's id and a field that the checkout asks for; `delivered`: to an address."""
    for plugin, entry in declared:
        if entry.asked == "always" or (entry.asked == "delivery" and delivered):
            yield plugin, entry


def order_values(
    declared: PluginFields, wish: Wish, problems: list[Problem], *, by_hub: bool
) -> dict[str, dict[str, object]]:
    """Returns the values of plugins' fields in the wish, by plugin and name. Adds mistakes to `problems`.

    The shop may leave out what its customers must say.
    """
    values = read_plugin_values(declared, wish.plugin_fields, {}, problems)
    if not by_hub:
        for plugin, entry in asked_fields(declared, delivered=wish.address is not None):
            if entry.required and entry.name not in values.get(plugin, {}):
                where, label = f"/plugin_fields/{plugin}/{entry.name}", entry.label(wish.language)
                problems.append(Problem("field_missing", "Please fill in: {field}.", where, {"field": label}))
    return values
