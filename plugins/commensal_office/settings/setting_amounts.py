"""Amounts of money in raw settings: whole units in a form, minor units where they are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_type_hints

from commensal import Problem, read_amount

from ..frame.render import amount_in_field
from .setting_types import defaults_of, is_shape, item_of, kind_of, shape_of, shapes_in, unwrap


def in_whole_units(shape: type, values: Mapping[str, object], currency: str, language: str) -> dict[str, object]:
    """Raw settings with their amounts of money as people write them: 12,50 instead of 1250. Defaults are filled in."""

    def write(shape: type, values: Mapping[str, object]) -> dict[str, object]:
        amounts, filled = _amounts(shape, every=True), {**_amounts(shape), **values}
        return {
            key: amount_in_field(value, currency, language) if key in amounts and isinstance(value, int) else value
            for key, value in filled.items()
        }

    return _each_level(shape, values, write)


def in_minor_units(shape: type, values: Mapping[str, object], currency: str) -> dict[str, object]:
    """Raw settings as they are stored, from what was typed. What is not an amount stays: the plugin refuses it."""

    def read(shape: type, values: Mapping[str, object]) -> dict[str, object]:
        amounts, defaults = _amounts(shape, every=True), _amounts(shape)
        stored = {key: _read_money(value, currency) if key in amounts else value for key, value in values.items()}
        return {key: value for key, value in stored.items() if key not in defaults or value != defaults[key]}

    return _each_level(shape, values, read)


def _read_money(text: object, currency: str) -> object:
    amount = read_amount(text, currency) if isinstance(text, str) else text
    return text if isinstance(amount, Problem) else amount


def _amounts(shape: type, *, every: bool = False) -> dict[str, object]:
    """The amounts of money of a class with their defaults; only those that have a default, unless `every`."""
    defaults, hints = defaults_of(shape), get_type_hints(shape, include_extras=True)
    amounts = {key: defaults.get(key) for key, hint in hints.items() if kind_of(hint) == "amount"}
    return amounts if every else {key: value for key, value in amounts.items() if key in defaults}


def _each_level(
    shape: type, values: Mapping[str, object], change: Callable[[type, Mapping[str, object]], dict[str, object]]
) -> dict[str, object]:
    """Raw settings of a class, changed level by level: the parts within it first."""
    hints = get_type_hints(shape, include_extras=True)
    inner = {key: _changed_parts(hints[key], value, change) if key in hints else value for key, value in values.items()}
    return change(shape, inner)


def _changed_parts(
    hint: object, value: object, change: Callable[[type, Mapping[str, object]], dict[str, object]]
) -> object:
    base, _, _ = unwrap(hint)
    if is_shape(base) and isinstance(value, Mapping):
        return _each_level(base, value, change)
    item = item_of(base)
    if item is None or not shapes_in(item) or not isinstance(value, list | tuple):
        return value
    parts = [(shape_of(shapes_in(item), part), part) for part in value]
    return [part if inner is None else _each_level(inner, part, change) for inner, part in parts]
