"""Reads settings into frozen dataclasses, strictly: an unknown key, a wrong type or a missing value is an error."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from .errors import SettingsError
from .secret import Secret

S = TypeVar("S")


def read_settings(shape: type[S], values: Mapping[str, Any], where: str = "") -> S:
    """Turns a table of TOML or JSON into `shape`, a frozen dataclass.

    Raises `SettingsError` that names the key, what is wrong, and the key that was perhaps meant. A dataclass may have
    rules of its own in ``__post_init__``: a ValueError there becomes a `SettingsError` too.
    """
    _refuse_unknown(shape, values, where)
    try:
        return msgspec.convert(dict(values), shape, dec_hook=_read_secret)
    except msgspec.ValidationError as error:
        raise SettingsError(_plain(str(error), where)) from error


def _read_secret(kind: type, value: Any) -> Any:
    if kind is not Secret:
        raise NotImplementedError(f"settings cannot hold a {kind.__name__}")
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    return Secret(value)


def _refuse_unknown(shape: type, values: Mapping[str, Any], where: str) -> None:
    hints = get_type_hints(shape)
    for key, value in values.items():
        if key not in hints:
            close = get_close_matches(key, hints, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(sorted(hints))}."
            raise SettingsError(f"{_join(where, key)} is unknown{meant}")
        inner = _dataclass_in(hints[key])
        if inner is not None and isinstance(value, Mapping):
            _refuse_unknown(inner, value, _join(where, key))


def _dataclass_in(hint: Any) -> type | None:
    candidates = get_args(hint) if get_origin(hint) is not None else (hint,)
    return next((one for one in candidates if dataclasses.is_dataclass(one) and isinstance(one, type)), None)


def _plain(error: str, where: str) -> str:
    """msgspec's "Expected `int`, got `str` - at `$.server.port`" as "server.port: expected `int`, got `str`."."""
    said, _, at = error.partition(" - at `$")
    key = _join(where, at.rstrip("`").lstrip(".")) if at else where
    said = said[:1].lower() + said[1:]
    return f"{key}: {said}." if key else f"{said}."


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where and key else where or key
