"""Reads settings into frozen dataclasses, strictly: an unknown key, a wrong type or a missing value is an error."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_type_hints

import msgspec

from .choices import explained, shapes_in
from .converting import convert
from .errors import Problem, SettingsError, Unfit
from .secret import Secret

S = TypeVar("S")
_EXPECTED = re.compile(r"Expected (.*), got (.*)")  # as msgspec says most of what it says
_MISSING = re.compile(r"Object missing required field (.*)")


def read_settings(shape: type[S], values: Mapping[str, Any], where: str = "") -> S:
    """Turns a table of TOML or JSON into `shape`, a frozen dataclass.

    Raises `SettingsError` that names the key, what is wrong, and the key that was perhaps meant. A dataclass may have
    rules of its own in ``__post_init__``: a ValueError there becomes a `SettingsError` too, and `Unfit` is translated.
    """
    read: S = read_value(shape, dict(values), where)
    return read


def read_value(hint: Any, value: Any, where: str) -> Any:
    """One setting, or one of a list of them, as the type `hint`: with errors as `read_settings` has them."""
    _refuse_unknown(hint, value, where)
    try:
        return convert(value, hint, dec_hook=_read_secret)
    except msgspec.ValidationError as error:
        raise _plain(error, hint, where) from error


def _read_secret(kind: type, value: Any) -> Any:
    if kind is not Secret:
        raise NotImplementedError(f"settings cannot hold a {kind.__name__}")
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    return Secret(value)


def _refuse_unknown(hint: Any, value: Any, where: str) -> None:
    """What msgspec passes over in a dataclass, or refuses in a struct without saying what would be right."""
    if isinstance(value, list):
        for place, one in enumerate(value):
            _refuse_unknown(hint, one, f"{where}[{place}]")
        return
    shape = _shape_of(hint, value, where) if isinstance(value, Mapping) else None
    if shape is None:
        return
    hints = _keys(shape)
    for key, inner in value.items():
        if key not in hints:
            raise SettingsError("{key} is unknown{meant}", key=_join(where, key), meant=_meant(key, hints))
        _refuse_unknown(hints[key], inner, _join(where, key))


def _shape_of(hint: Any, value: Mapping[str, Any], where: str) -> type | None:
    """The dataclass or struct that the table is to become, wherever it stands in the type; of several, its tag says."""
    shapes = list(shapes_in(hint))
    if len(shapes) == 1:
        return shapes[0]
    tags = [(tag, shape) for shape in shapes if (tag := _tag(shape))]
    for field in {name for (name, _), _ in tags} & set(value):
        found = next((shape for tag, shape in tags if tag == (field, value[field])), None)
        if found is None:
            known = [str(tag) for (_, tag), _ in tags]
            values = {"key": _join(where, field), "value": value[field], "meant": _meant(str(value[field]), known)}
            raise SettingsError("{key}: {value!r} is unknown{meant}", **values)
        return found
    return None


def _meant(typed: str, known: Collection[str]) -> Problem:
    if close := get_close_matches(typed, known, n=1):
        return Problem("meant", "; did you mean {meant!r}?", values={"meant": close[0]})
    return Problem("meant", "; known are {known}.", values={"known": ", ".join(sorted(known))})


def _keys(shape: type) -> dict[str, Any]:
    tag = _tag(shape)
    return {**get_type_hints(shape), **({tag[0]: str} if tag else {})}


def _tag(shape: type) -> tuple[str, object] | None:
    """The field by which a struct is told from others, and what stands in it."""
    if not issubclass(shape, msgspec.Struct):
        return None
    config = shape.__struct_config__
    return (config.tag_field, config.tag) if config.tag_field else None


def _plain(error: msgspec.ValidationError, hint: Any, where: str) -> SettingsError:
    """msgspec's "Expected `int`, got `str` - at `$.server.port`" as "server.port: expected `int`, got `str`."."""
    said, at = explained(str(error), hint)
    key = (where + at).lstrip(".")
    why = error.__cause__ if isinstance(error.__cause__, Unfit) else _in_our_words(said)
    return SettingsError("{key}: {why}." if key else "{why}.", key=key, why=why)


def _in_our_words(said: Problem | str) -> Problem | str:
    """What msgspec says often can be translated; the rest stays as it is."""
    if isinstance(said, Problem):
        return said
    if found := _EXPECTED.fullmatch(said):
        return Problem("expected", "expected {wanted}, got {seen}", values={"wanted": found[1], "seen": found[2]})
    if found := _MISSING.fullmatch(said):
        return Problem("missing", "object missing required field {name}", values={"name": found[1]})
    return said[:1].lower() + said[1:]


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where and key else where or key
