"""Forms for settings of plugins, made from the class that reads them: what to show, and how to read what was typed.

A field is called by its JSON pointer without the first slash, like ``settings/csv/date`` or ``settings/fees/0/name``,
so that errors of the core stand at it. What the form cannot show it leaves as it is stored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from commensal import (
    MinorUnits,
    Names,
    Problem,
    Secret,
    as_label,
    kind_label,
    read_amount,
    setting_summary,
    setting_texts,
)

from .showing import amount_in_field

HIDDEN = "***"  # stands for a stored secret, which is never shown
MOST = 50  # parts of one list
_LONG = 200  # characters from which a text gets several lines
_LEFT_OUT = object()
Choices = Mapping[Names, Mapping[str, str]]  # what can be named, by id


@dataclass(frozen=True, kw_only=True)
class Field:
    """kind:    "line", "text", "number", "decimal", "amount", "tick", "day", "secret", "one", "several", "lines" or
             "unknown"
    value:   as text; of "tick" whether it is ticked; of "several" the chosen ids
    choices: values and labels, of "one" and "several"; labels of literals are English and translated on the page
    """

    name: str
    label: str
    help: str
    kind: str
    value: Any = ""
    choices: Sequence[tuple[str, str]] = ()
    required: bool = False
    literal: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Settings that belong together; `shape` is the name of the class of a part of a list, and empty for others."""

    name: str
    label: str
    help: str
    parts: Sequence[Any]
    shape: str = ""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list of groups. `kinds`: what can be added, by name and label."""

    name: str
    label: str
    help: str
    groups: Sequence[Group]
    kinds: Sequence[tuple[str, str]]


# ------------------------------------------------------------------------------------------------ what to show


def parts_of(shape: type, values: Mapping[str, Any], name: str, choices: Choices) -> list[Any]:
    """The parts of the form for a dataclass or struct, with these raw values."""
    texts = setting_texts(shape)
    hints = get_type_hints(shape, include_extras=True)
    defaults = _defaults(shape)
    return [
        _part(hints[key], values.get(key, defaults.get(key)), f"{name}/{key}", texts[key], key in defaults, choices)
        for key in hints
        if key in texts
    ]


def marks_in(shape: type) -> Iterator[Names]:
    """The marks of all settings that name something, at any depth."""
    for hint in get_type_hints(shape, include_extras=True).values():
        yield from _marks(hint)


def _marks(hint: Any) -> Iterator[Names]:
    yield from (mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Names))
    for inner in get_args(hint):
        yield from _marks(inner)
    if _is_shape(hint):
        yield from marks_in(hint)


def _part(hint: Any, value: Any, name: str, text: Any, optional: bool, choices: Choices) -> Any:
    base, mark, _ = _unwrap(hint)
    common = {"name": name, "label": text.label, "help": text.help}
    if _is_shape(base):
        raw = value if isinstance(value, Mapping) else {}
        return Group(**common, parts=parts_of(base, raw, name, choices))
    item = _item_of(base)
    if item is not None and _shapes(item):
        return _listing(_shapes(item), value, common, choices)
    kind = _kind(hint)
    if mark is not None and kind != "several":
        kind = "one"
    options = _options(hint, choices, optional)
    shown = _shown(kind, value)
    if kind == "line" and "\n" in shown:
        kind = "text"  # a field of one line would drop the line breaks
    if kind == "one" and shown and shown not in dict(options):
        options.append((shown, shown))  # what it names is gone, or cannot be seen; nothing is lost by looking at it
    required = not optional and kind in ("line", "text", "number", "decimal", "amount", "day")
    return Field(**common, kind=kind, value=shown, choices=options, required=required, literal=mark is None)


def _listing(shapes: Sequence[type], value: Any, common: Mapping[str, Any], choices: Choices) -> Listing:
    groups = []
    for index, raw in enumerate(value if isinstance(value, list | tuple) else ()):
        shape = _shape_of(shapes, raw)
        if shape is None:
            continue
        name = f"{common['name']}/{index}"
        parts = parts_of(shape, raw, name, choices)
        groups.append(
            Group(
                name=name, label=kind_label(shape), help=setting_summary(shape), parts=parts, shape=shape.__name__
            )
        )  # fmt: skip
    kinds = [(shape.__name__, kind_label(shape)) for shape in shapes]
    return Listing(**common, groups=groups, kinds=kinds)


def _kind(hint: Any) -> str:
    base, _, meta = _unwrap(hint)
    item = _item_of(base)
    if get_origin(base) is Literal:
        return "one"
    if item is not None:
        return "several" if next(_marks(item), None) else "lines" if _unwrap(item)[0] is str else "unknown"
    if base is str:
        return "text" if (meta is not None and (meta.max_length or 0) > _LONG) else "line"
    if base is int and _is_money(hint):
        return "amount"
    kinds: dict[Any, str] = {bool: "tick", int: "number", Decimal: "decimal", float: "decimal", date: "day"}
    return "secret" if base is Secret else kinds.get(base, "unknown")


def _options(hint: Any, choices: Choices, optional: bool) -> list[tuple[str, str]]:
    base, _, _ = _unwrap(hint)
    if get_origin(base) is Literal:
        return [(str(choice), as_label(str(choice))) for choice in get_args(base)]
    mark = next(_marks(hint), None)
    if mark is None:
        return []
    labels = choices[mark].items()
    several = _item_of(base) is not None
    return [*([("", "–")] if optional and not several else []), *sorted(labels, key=lambda pair: pair[1].casefold())]


def _shown(kind: str, value: Any) -> Any:
    if kind == "tick":
        return bool(value)
    if kind == "secret":
        return "" if not value or isinstance(value, Secret) else HIDDEN
    if kind == "several":
        return list(value or ())
    if kind == "lines":
        return "\n".join(map(str, value or ()))
    return "" if value is None else str(value)


# ------------------------------------------------------------------------------------------------ what was typed


def read_parts(shape: type, form: Mapping[str, str], name: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The raw settings that a form says, ready for the plugin's class. What equals the default is left out."""
    values = {}
    for key, hint in get_type_hints(shape, include_extras=True).items():
        if key not in setting_texts(shape):
            continue
        value = _read(hint, form, f"{name}/{key}", stored.get(key), key in _defaults(shape))
        if value is not _LEFT_OUT and value != _raw(_defaults(shape).get(key, _LEFT_OUT)):
            values[key] = value
    return values


def _read(hint: Any, form: Mapping[str, str], name: str, stored: Any, optional: bool) -> Any:
    base, _, _ = _unwrap(hint)
    if _is_shape(base):
        return read_parts(base, form, name, stored if isinstance(stored, Mapping) else {}) or _LEFT_OUT
    item = _item_of(base)
    if item is not None and _shapes(item):
        return _read_list(_shapes(item), form, name, stored if isinstance(stored, list) else [])
    kind = _kind(hint)
    text = form.get(name, "").strip()
    if kind == "tick":
        return name in form
    if kind == "secret":
        return text or (HIDDEN if stored and f"{name}/forget" not in form else _LEFT_OUT)
    if kind == "several":
        return [key.removeprefix(f"{name}/") for key in form if key.startswith(f"{name}/")]
    if kind == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if kind == "unknown":
        return _LEFT_OUT if stored is None else stored
    if not text:
        return None if _may_be_none(hint) else "" if base is str and not optional else _LEFT_OUT
    return _number(kind, text)


def _number(kind: str, text: str) -> Any:
    """The number, or the text as it is, which the plugin's class then refuses."""
    if kind == "number":
        return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else text
    return text.replace(",", ".") if kind == "decimal" else text


def _read_list(shapes: Sequence[type], form: Mapping[str, str], name: str, stored: Sequence[Any]) -> list[Any]:
    values = []
    for index in range(MOST):
        below = f"{name}/{index}"
        if f"{below}/is" not in form:
            break
        kind = next((shape for shape in shapes if shape.__name__ == form[f"{below}/is"]), None)
        if kind is None or f"{below}/remove" in form:
            continue
        before = stored[index] if index < len(stored) and isinstance(stored[index], Mapping) else {}
        tag = _tag(kind)
        values.append({**({tag[0]: tag[1]} if tag else {}), **read_parts(kind, form, below, before)})
    return values


def with_another(shape: type, values: dict[str, Any], where: str) -> dict[str, Any]:
    """The raw settings with one more, empty, part in the list: `where` is ``settings/fees:FlatRate``."""
    pointer, _, kind = where.partition(":")
    *above, last = pointer.split("/")[1:] or [""]
    target: Any = values
    for step in above:
        if isinstance(target, list):
            target = target[int(step)] if step.isascii() and step.isdigit() and int(step) < len(target) else None
        elif isinstance(target, dict):
            target = target.get(step)
    tags = [_tag(inner) for inner in _all_shapes(shape) if inner.__name__ == kind]
    if isinstance(target, dict) and tags and isinstance(target.get(last, []), list):
        target[last] = [*target.get(last, []), dict([tags[0]] if tags[0] else [])]
    return values


def _all_shapes(shape: type) -> Iterator[type]:
    for hint in get_type_hints(shape).values():
        for inner in _shapes(hint):
            yield inner
            yield from _all_shapes(inner)


# ------------------------------------------------------------------------------------------------ money


def in_whole_units(shape: type, values: Mapping[str, Any], currency: str, language: str) -> dict[str, Any]:
    """Raw settings with their amounts of money as people write them: 12,50 instead of 1250. Defaults are filled in."""

    def write(shape: type, values: Mapping[str, Any]) -> dict[str, Any]:
        amounts, filled = _amounts(shape, every=True), {**_amounts(shape), **values}
        return {
            key: amount_in_field(value, currency, language) if key in amounts and isinstance(value, int) else value
            for key, value in filled.items()
        }

    return _each_level(shape, values, write)


def in_minor_units(shape: type, values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Raw settings as they are stored, from what was typed. A text that is no amount stays: the plugin refuses it."""

    def read(shape: type, values: Mapping[str, Any]) -> dict[str, Any]:
        amounts, defaults = _amounts(shape, every=True), _amounts(shape)
        stored = {key: _read_money(value, currency) if key in amounts else value for key, value in values.items()}
        return {key: value for key, value in stored.items() if key not in defaults or value != defaults[key]}

    return _each_level(shape, values, read)


def _read_money(text: Any, currency: str) -> Any:
    amount = read_amount(text, currency) if isinstance(text, str) else text
    return text if isinstance(amount, Problem) else amount


def _amounts(shape: type, *, every: bool = False) -> dict[str, Any]:
    """The settings of a class that are amounts of money, with their defaults; only those that have one unless `every`."""
    defaults, hints = _defaults(shape), get_type_hints(shape, include_extras=True)
    amounts = {key: defaults.get(key) for key, hint in hints.items() if _kind(hint) == "amount"}
    return amounts if every else {key: value for key, value in amounts.items() if key in defaults}


def _each_level(
    shape: type, values: Mapping[str, Any], change: Callable[[type, Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Raw settings of a class, changed level by level: the parts within it first."""
    hints = get_type_hints(shape, include_extras=True)
    inner = {key: _changed_parts(hints[key], value, change) if key in hints else value for key, value in values.items()}
    return change(shape, inner)


def _changed_parts(hint: Any, value: Any, change: Callable[[type, Mapping[str, Any]], dict[str, Any]]) -> Any:
    base, _, _ = _unwrap(hint)
    if _is_shape(base) and isinstance(value, Mapping):
        return _each_level(base, value, change)
    item = _item_of(base)
    if item is None or not _shapes(item) or not isinstance(value, list | tuple):
        return value
    parts = [(_shape_of(_shapes(item), part), part) for part in value]
    return [part if inner is None else _each_level(inner, part, change) for inner, part in parts]


# ------------------------------------------------------------------------------------------------ types


def _unwrap(hint: Any) -> tuple[Any, Names | None, msgspec.Meta | None]:
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


def _is_money(hint: Any) -> bool:
    marked = any(isinstance(mark, MinorUnits) for mark in getattr(hint, "__metadata__", ()))
    return marked or any(_is_money(inner) for inner in get_args(hint))


def _may_be_none(hint: Any) -> bool:
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return NoneType in get_args(hint)


def _is_shape(hint: Any) -> bool:
    return (
        isinstance(hint, type)
        and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct))
        and (hint is not Secret)
    )


def _shapes(hint: Any) -> list[type]:
    """The classes of a class or a union of classes, at any depth; none for other types."""
    if _is_shape(hint):
        return [hint]
    return [shape for inner in get_args(hint) for shape in _shapes(inner)]


def _item_of(base: Any) -> Any:
    inner = get_args(base)
    return inner[0] if get_origin(base) is tuple and inner[1:] == (...,) else None


def _tag(shape: type) -> tuple[str, str] | None:
    config = getattr(shape, "__struct_config__", None)
    return (config.tag_field, str(config.tag)) if config is not None and config.tag_field else None


def _shape_of(shapes: Sequence[type], raw: Any) -> type | None:
    """The class of a stored part of a list: the only one, or the one with its tag."""
    if len(shapes) == 1 or not isinstance(raw, Mapping):
        return shapes[0] if isinstance(raw, Mapping) else None
    tags = {shape: _tag(shape) for shape in shapes}
    return next((shape for shape, tag in tags.items() if tag and raw.get(tag[0]) == tag[1]), None)


def _defaults(shape: type) -> dict[str, Any]:
    """The default of each setting that has one."""
    defaults: dict[str, Any] = {}
    fields: Any = dataclasses.fields(shape) if dataclasses.is_dataclass(shape) else msgspec.structs.fields(shape)
    for field in fields:
        if field.default not in (dataclasses.MISSING, msgspec.NODEFAULT):
            defaults[field.name] = field.default
        elif field.default_factory not in (dataclasses.MISSING, msgspec.NODEFAULT):
            defaults[field.name] = field.default_factory()
    return defaults


def _raw(value: Any) -> Any:
    """A default as a form would say it."""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Decimal | date) else value
