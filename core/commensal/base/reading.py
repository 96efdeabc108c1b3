"""Reads settings into frozen dataclasses, strictly: an unknown key, a wrong type or a missing value is an error."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints

import msgspec

from .allowed_values import dataclasses_in, explain_error
from .converting import convert
from .errors import Problem, SettingsError, Unfit
from .secret import Secret

S = TypeVar("S")
_EXPECTED = re.compile(r"Expected (.*), got (.*)")  # most messages of msgspec
_MISSING = re.compile(r"Object missing required field (.*)")


def read_settings(shape: type[S], values: Mapping[str, object], where: str = "") -> S:
    """Converts a table of TOML or JSON into `shape`, a frozen dataclass. `where` is the table's key.

    Raises `SettingsError` that names the key, what is wrong, and the key that was perhaps meant. A dataclass may have
    rules of its own in ``__post_init__``: a ValueError there becomes a `SettingsError` too, and `Unfit` is translated.
    """
    settings: S = read_value(shape, dict(values), where)
    return settings


def read_value(hint: object, value: object, where: str) -> Any:
    """One setting, or one item of a list of settings, as the type `hint`. Raises `SettingsError`."""
    _refuse_unknown(hint, value, where)
    try:
        return convert(value, hint, dec_hook=_read_secret)
    except msgspec.ValidationError as error:
        raise _plain(error, hint, where) from error


def _read_secret(kind: type, value: object) -> object:
    if kind is not Secret:
        raise NotImplementedError(f"settings cannot hold a {kind.__name__}")
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    return Secret(value)


def _refuse_unknown(hint: object, value: Any, where: str) -> None:
    """Raises `SettingsError` for an unknown key, which msgspec ignores in a dataclass."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_unknown(hint, item, f"{where}[{index}]")
        return
    shape = _shape_of(hint, value, where) if isinstance(value, Mapping) else None
    if shape is None:
        return
    hints = _keys(shape)
    for key, inner in value.items():
        if key not in hints:
            raise SettingsError("{key} is unknown{meant}", key=_join(where, key), meant=_meant(key, hints))
        _refuse_unknown(hints[key], inner, _join(where, key))


def _shape_of(hint: object, value: Mapping[str, object], where: str) -> type | None:
    """The dataclass or struct in the type `hint` for this table; of several structs, the one with the table's tag."""
    shapes = list(dataclasses_in(hint))
    if len(shapes) == 1:
        return shapes[0]
    tags = [(tag, shape) for shape in shapes if (tag := _tag(shape))]
    for field in {name for (name, _), _ in tags} & set(value):
        match = next((shape for tag, shape in tags if tag == (field, value[field])), None)
        if match is None:
            known_tags = [str(tag) for (_, tag), _ in tags]
            values = {"key": _join(where, field), "value": value[field], "meant": _meant(str(value[field]), known_tags)}
            raise SettingsError("{key}: {value!r} is unknown{meant}", **values)
        return match
    return None


def _meant(typed: str, known_names: Collection[str]) -> Problem:
    if close := get_close_matches(typed, known_names, n=1):
        return Problem("meant", "; did you mean {meant!r}?", values={"meant": close[0]})
    return Problem("meant", "; known are {known}.", values={"known": ", ".join(sorted(known_names))})


def _keys(shape: type) -> dict[str, object]:
    tag = _tag(shape)
    return {**get_type_hints(shape), **({tag[0]: str} if tag else {})}


def _tag(shape: type) -> tuple[str, object] | None:
    """The field that distinguishes a struct from others of a union, and its value."""
    if not issubclass(shape, msgspec.Struct):
        return None
    config = shape.__struct_config__
    return (config.tag_field, config.tag) if config.tag_field else None


def _plain(error: msgspec.ValidationError, hint: object, where: str) -> SettingsError:
    """msgspec's "Expected `int`, got `str` - at `$.server.port`" as "server.port: expected `int`, got `str`."."""
    message, path = explain_error(str(error), hint)
    key = (where + path).lstrip(".")
    why = error.__cause__ if isinstance(error.__cause__, Unfit) else _in_our_words(message)
    return SettingsError("{key}: {why}." if key else "{why}.", key=key, why=why)


def _in_our_words(message: Problem | str) -> Problem | str:
    """msgspec's most frequent messages as problems that can be translated; the others as they are."""
    if isinstance(message, Problem):
        return message
    if match := _EXPECTED.fullmatch(message):
        return Problem("expected", "expected {wanted}, got {seen}", values={"wanted": match[1], "seen": match[2]})
    if match := _MISSING.fullmatch(message):
        return Problem("missing", "object missing required field {name}", values={"name": match[1]})
    return message[:1].lower() + message[1:]


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where and key else where or key
