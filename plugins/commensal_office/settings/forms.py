"""Forms for settings of plugins, made from the class that reads them: what to show, and how to read what was typed.

A field is called by its JSON pointer without the first slash, like ``settings/csv/date`` or ``settings/fees/0/name``,
so that errors of the core stand at it. What the form cannot show it leaves as it is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from commensal import Nameable, Names, Secret, read_whole
from commensal.parts.setup import as_label, kind_label, setting_summary, setting_texts

from ..frame.fields import fields_of, fields_with
from .setting_types import (
    defaults_of,
    is_shape,
    item_of,
    kind_of,
    marks_of,
    may_be_none,
    raw_of,
    shape_of,
    shapes_in,
    tag_of,
    texts_by_language,
    unwrap,
)

HIDDEN = "***"  # stands for a stored secret, which is never shown
_LONGEST_NUMBER = 15  # digits
MOST = 50  # parts of one list
_LEFT_OUT = object()
Choices = Mapping[Names, Sequence[Nameable]]  # what can be named


@dataclass(frozen=True, kw_only=True)
class FormField:
    """kind:    "line", "text", "number", "decimal", "amount", "tick", "day", "secret", "one", "several", "lines",
             "languages" or "unknown"
    value:   as text; of "tick" whether it is ticked; of "several" the chosen ids; of "languages" the texts by the names
             of their fields
    choices: values and labels, of "one" and "several"; labels of literals are English and translated on the page
    past_choices: of "several", what is chosen and would not be any more, like a sale that is over
    """

    name: str
    label: str
    help: str
    kind: str
    value: object = ""
    choices: Sequence[tuple[str, str]] = ()
    past_choices: Sequence[tuple[str, str]] = ()
    required: bool = False
    literal: bool = False
    most: int = 2000


@dataclass(frozen=True, kw_only=True)
class FieldGroup:
    """Settings that belong together; `shape` is the name of the class of a part of a list, and empty for others."""

    name: str
    label: str
    help: str
    parts: Sequence[object]
    shape: str = ""


@dataclass(frozen=True, kw_only=True)
class GroupList:
    """A list of groups. `kinds`: what can be added, by name and label."""

    name: str
    label: str
    help: str
    groups: Sequence[FieldGroup]
    kinds: Sequence[tuple[str, str]]


# ------------------------------------------------------------------------------------------------ what to show


def parts_of(shape: type, values: Mapping[str, object], name: str, choices: Choices) -> list[Any]:
    """The parts of the form for a dataclass or struct, with these raw values."""
    texts = setting_texts(shape)
    hints = get_type_hints(shape, include_extras=True)
    defaults = defaults_of(shape)
    return [
        _part(hints[key], values.get(key, defaults.get(key)), f"{name}/{key}", texts[key], key in defaults, choices)
        for key in hints
        if key in texts
    ]


def _part(hint: object, value: object, name: str, text: Any, optional: bool, choices: Choices) -> object:
    base, mark, _ = unwrap(hint)
    common = {"name": name, "label": text.label, "help": text.help}
    if is_shape(base):
        raw = value if isinstance(value, Mapping) else {}
        return FieldGroup(**common, parts=parts_of(base, raw, name, choices))
    item = item_of(base)
    if item is not None and shapes_in(item):
        return _listing(shapes_in(item), value, common, choices)
    kind = kind_of(hint)
    if mark is not None and kind != "several":
        kind = "one"
    shown = _shown(kind, value, name)
    options, past_choices = _options(hint, choices, optional), _past_choices(hint, choices, shown)
    if kind == "line" and "\n" in shown:
        kind = "text"  # a field of one line would drop the line breaks
    if kind == "one" and shown and shown not in dict(options):
        options += past_choices or [(shown, shown)]  # nothing is lost by looking at it
    required = not optional and kind in ("line", "text", "number", "decimal", "amount", "day")
    return FormField(
        **common,
        kind=kind,
        value=shown,
        choices=options,
        past_choices=past_choices,
        required=required,
        literal=mark is None,
        most=texts_by_language(base) or 2000,
    )


def _listing(shapes: Sequence[type], value: object, common: Mapping[str, Any], choices: Choices) -> GroupList:
    groups = []
    for index, raw in enumerate(value if isinstance(value, list | tuple) else ()):
        shape = shape_of(shapes, raw)
        if shape is None:
            continue
        name = f"{common['name']}/{index}"
        parts = parts_of(shape, raw, name, choices)
        groups.append(
            FieldGroup(
                name=name, label=kind_label(shape), help=setting_summary(shape), parts=parts, shape=shape.__name__
            )
        )
    kinds = [(shape.__name__, kind_label(shape)) for shape in shapes]
    return GroupList(**common, groups=groups, kinds=kinds)


def _options(hint: object, choices: Choices, optional: bool) -> list[tuple[str, str]]:
    base, _, _ = unwrap(hint)
    if get_origin(base) is Literal:
        return [(str(choice), as_label(str(choice))) for choice in get_args(base)]
    mark = next(marks_of(hint), None)
    if mark is None:
        return []
    offered = [(each.id, each.label) for each in choices[mark] if not each.past]
    several = item_of(base) is not None
    return [*([("", "–")] if optional and not several else []), *offered]


def _past_choices(hint: object, choices: Choices, shown: Any) -> list[tuple[str, str]]:
    """What is chosen and not offered: what is over by its label, what is gone by its id."""
    mark = next(marks_of(hint), None)
    if mark is None:
        return []
    chosen: list[str] = shown if isinstance(shown, list) else [shown] if shown else []
    labels = {each.id: each.label for each in choices[mark]}
    offered = {each.id for each in choices[mark] if not each.past}
    return [(id, labels.get(id, id)) for id in chosen if id not in offered]


def _shown(kind: str, value: Any, name: str) -> Any:
    if kind == "tick":
        return bool(value)
    if kind == "secret":
        return "" if not value or isinstance(value, Secret) else HIDDEN
    if kind == "several":
        return list(value or ())
    if kind == "lines":
        return "\n".join(map(str, value or ()))
    if kind == "languages":
        return fields_with(name, value or {})
    return "" if value is None else str(value)


# ------------------------------------------------------------------------------------------------ what was typed


def read_parts(shape: type, form: Mapping[str, str], name: str, stored: Mapping[str, object]) -> dict[str, object]:
    """The raw settings that a form says, ready for the plugin's class. What equals the default is left out."""
    values = {}
    for key, hint in get_type_hints(shape, include_extras=True).items():
        if key not in setting_texts(shape):
            continue
        value = _read(hint, form, f"{name}/{key}", stored.get(key), key in defaults_of(shape))
        if value is not _LEFT_OUT and value != raw_of(defaults_of(shape).get(key, _LEFT_OUT)):
            values[key] = value
    return values


def _read(hint: object, form: Mapping[str, str], name: str, stored: object, optional: bool) -> object:
    base, _, _ = unwrap(hint)
    if is_shape(base):
        return read_parts(base, form, name, stored if isinstance(stored, Mapping) else {}) or _LEFT_OUT
    item = item_of(base)
    if item is not None and shapes_in(item):
        return _read_list(shapes_in(item), form, name, stored if isinstance(stored, list) else [])
    kind = kind_of(hint)
    text = form.get(name, "").strip()
    if kind == "tick":
        return name in form
    if kind == "secret":
        return text or (HIDDEN if stored and f"{name}/forget" not in form else _LEFT_OUT)
    if kind == "several":
        return [key.removeprefix(f"{name}/") for key in form if key.startswith(f"{name}/")]
    if kind == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if kind == "languages":
        return _texts(form, name, stored if isinstance(stored, Mapping) else {})
    if kind == "unknown":
        return _LEFT_OUT if stored is None else stored
    if not text:
        return None if may_be_none(hint) else "" if base is str and not optional else _LEFT_OUT
    return _number(kind, text)


def _texts(form: Mapping[str, str], name: str, stored: Mapping[str, object]) -> dict[str, object]:
    """The texts by language. Those in languages that the form does not show stay."""
    typed = {field.rpartition("/")[2]: form[field].strip() for field in fields_of(name) if field in form}
    return {language: text for language, text in {**stored, **typed}.items() if text}


def _number(kind: str, text: str) -> object:
    """The number, or the text as it is, which the plugin's class then refuses."""
    if kind == "number":
        number = read_whole(text, _LONGEST_NUMBER, signed=True)
        return text if number is None else number
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
        tag = tag_of(kind)
        values.append({**({tag[0]: tag[1]} if tag else {}), **read_parts(kind, form, below, before)})
    return values


def with_another(shape: type, values: dict[str, object], where: str) -> dict[str, object]:
    """The raw settings with one more, empty, part in the list: `where` is ``settings/fees:FlatRate``."""
    pointer, _, kind = where.partition(":")
    *above, last = pointer.split("/")[1:] or [""]
    target: object = values
    for step in above:
        if isinstance(target, list):
            index = read_whole(step)
            target = target[index] if index is not None and index < len(target) else None
        elif isinstance(target, dict):
            target = target.get(step)
    tags = [tag_of(inner) for inner in _all_shapes(shape) if inner.__name__ == kind]
    if isinstance(target, dict) and tags and isinstance(target.get(last, []), list):
        target[last] = [*target.get(last, []), dict([tags[0]] if tags[0] else [])]
    return values


def _all_shapes(shape: type) -> Iterator[type]:
    for hint in get_type_hints(shape).values():
        for inner in shapes_in(hint):
            yield inner
            yield from _all_shapes(inner)
