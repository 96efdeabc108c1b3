"""Fields of products that plugins declare. Values are kept by plugin and name, in one column of the product.

Only what differs from a field's default is kept. Values of a plugin that is switched off stay, and are not shown.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from ...base.converting import convert
from ...base.errors import Problem
from ...base.plugin_fields import PluginFields, PluginValues
from .content import read_value
from .fields import ProductField


def read_plugin_values(
    declared: PluginFields, given: PluginValues, before: PluginValues, problems: list[Problem]
) -> dict[str, dict[str, Any]]:
    """The values of a product after `given` is set; None takes a value away, and what is not given stays.

    Adds a problem for each value that is not declared, or of another type or size than declared.
    """
    values = {plugin: dict(entries) for plugin, entries in before.items()}
    for plugin, entries in given.items():
        for name, value in entries.items():
            where = f"plugin_fields/{plugin[:40]}/{name[:60]}"
            entry = declared.by_plugin.get(plugin, {}).get(name)
            if entry is None:
                text = "No plugin that is switched on has the field {field}."
                problems.append(Problem("unknown_field", text, f"/{where}", {"field": f"{plugin}.{name}"[:100]}))
                continue
            read = entry.default if value is None else _read(replace(entry, name=where), value, problems)
            values.setdefault(plugin, {}).pop(name, None)
            if read != entry.default:
                values[plugin][name] = read
    return {plugin: entries for plugin, entries in values.items() if entries}


def _read(entry: ProductField, value: Any, problems: list[Problem]) -> Any:
    """The value as it is kept, in types of JSON: a number as text. Its default after adding a problem."""
    try:
        typed = convert(value, entry.type)
    except msgspec.ValidationError:
        text = "This is not of the type that the field {field} has."
        problems.append(Problem("type", text, f"/{entry.name}", {"field": entry.english}))
        return entry.default
    if entry.kind in ("number", "amount"):
        if not (Decimal(typed).is_finite() and entry.least <= typed <= entry.most):
            text = "This lies between {least} and {most}."
            problems.append(Problem("range", text, f"/{entry.name}", {"least": entry.least, "most": entry.most}))
        return format(typed, "f") if entry.kind == "number" else typed
    if entry.kind == "html" and len(typed) > entry.most:
        text = "This is longer than {most} characters."
        problems.append(Problem("too_long", text, f"/{entry.name}", {"most": entry.most}))
    read = read_value(entry, typed, problems)
    return list(read) if entry.kind == "terms" else read
