"""The types of settings: what stands within ``Annotated``, optional values and lists, and which field shows each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from commensal import MinorUnits, Names, Problem, Secret, read_amount

from ..frame.render import amount_in_field

_LONG = 200  # characters from which a text gets several lines


def kind_of(hint: object) -> str:
    base, _, meta = unwrap(hint)
    item = item_of(base)
    if get_origin(base) is Literal:
        return "one"
    if item is not None:
        words = unwrap(item)[0]
        in_lines = words is str or get_origin(words) is Literal  # in an order of one's own
        return "several" if next(marks_of(item), None) else "lines" if in_lines else "unknown"
    if texts_by_language(base) is not None:
        return "languages"
    if base is str:
        return "text" if (meta is not None and (meta.max_length or 0) > _LONG) else "line"
    if base is int and is_money(hint):
        return "amount"
    kinds: dict[object, str] = {bool: "tick", int: "number", Decimal: "decimal", float: "decimal", date: "day"}
    return "secret" if base is Secret else kinds.get(base, "unknown")


def marks_in(shape: type) -> Iterator[Names]:
    """The marks of all settings that name something, at any depth."""
    for hint in get_type_hints(shape, include_extras=True).values():
        yield from marks_of(hint)


def marks_of(hint: Any) -> Iterator[Names]:
    yield from (mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Names))
    for inner in get_args(hint):
        yield from marks_of(inner)
    if is_shape(hint):
        yield from marks_in(hint)


def unwrap(hint: Any) -> tuple[Any, Names | None, msgspec.Meta | None]:
    """The type without ``Annotated`` and ``| None``, with what marks it."""
    mark, meta = None, None
    while True:
        if get_origin(hint) is Annotated:
            metadata = hint.__metadata__
            mark = next((each for each in metadata if isinstance(each, Names)), mark)
            meta = next((each for each in metadata if isinstance(each, msgspec.Meta)), meta)
            hint = get_args(hint)[0]
        elif get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint) and len(get_args(hint)) == 2:
            hint = next(inner for inner in get_args(hint) if inner is not NoneType)
        else:
            return hint, mark, meta


def is_money(hint: object) -> bool:
    marked = any(isinstance(mark, MinorUnits) for mark in getattr(hint, "__metadata__", ()))
    return marked or any(is_money(inner) for inner in get_args(hint))


def may_be_none(hint: object) -> bool:
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return NoneType in get_args(hint)


def is_shape(hint: Any) -> bool:
    return (
        isinstance(hint, type)
        and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct))
        and (hint is not Secret)
    )


def shapes_in(hint: Any) -> list[type]:
    """The classes of a class or a union of classes, at any depth; none for other types."""
    if is_shape(hint):
        return [hint]
    return [shape for inner in get_args(hint) for shape in shapes_in(inner)]


def item_of(base: object) -> object:
    inner = get_args(base)
    return inner[0] if get_origin(base) is tuple and inner[1:] == (...,) else None


def texts_by_language(base: object) -> int | None:
    """The most characters of a text of ``Mapping[str, str]``, a text in further languages; None for other types."""
    if get_origin(base) is not Mapping:
        return None
    words, _, meta = unwrap(get_args(base)[1])
    return (meta and meta.max_length) or _LONG if words is str else None


def tag_of(shape: type) -> tuple[str, str] | None:
    config = getattr(shape, "__struct_config__", None)
    return (config.tag_field, str(config.tag)) if config is not None and config.tag_field else None


def shape_of(shapes: Sequence[type], raw: object) -> type | None:
    """The class of a stored part of a list: the only one, or the one with its tag."""
    if len(shapes) == 1 or not isinstance(raw, Mapping):
        return shapes[0] if isinstance(raw, Mapping) else None
    tags = {shape: tag_of(shape) for shape in shapes}
    return next((shape for shape, tag in tags.items() if tag and raw.get(tag[0]) == tag[1]), None)


def defaults_of(shape: type) -> dict[str, object]:
    """The default of each setting that has one."""
    defaults: dict[str, object] = {}
    fields: Any = dataclasses.fields(shape) if dataclasses.is_dataclass(shape) else msgspec.structs.fields(shape)
    for field in fields:
        if field.default not in (dataclasses.MISSING, msgspec.NODEFAULT):
            defaults[field.name] = field.default
        elif field.default_factory not in (dataclasses.MISSING, msgspec.NODEFAULT):
            defaults[field.name] = field.default_factory()
    return defaults


def raw_of(value: object) -> object:
    """A default as a form would say it."""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Decimal | date) else value


# Amounts of money in raw settings: whole units in a form, minor units where they are stored.


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
