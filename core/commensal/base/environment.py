"""Settings from the environment, which stand above those of instance.toml: containers are set up by it.

The variable of ``base_url`` is ``COMMENSAL_BASE_URL``, that of ``host`` in ``[mail]`` is ``COMMENSAL_MAIL__HOST``: two
underscores stand between a table and what is in it. What is not a text is written as in TOML: ``8000``, ``["shop"]``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, get_origin, get_type_hints

from .errors import SettingsError
from .secret import Secret

_PREFIX, _BETWEEN = "COMMENSAL_", "__"


def with_environment(shape: type, values: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, object]:
    """The table `values` of instance.toml, with the settings of the environment. `shape` is its dataclass.

    Raises `SettingsError` for a variable with two underscores that is not a setting. Others may mean something else.
    """
    filled = dict(values)
    for variable, text in sorted(environment.items()):
        if not variable.startswith(_PREFIX):
            continue
        path = variable.removeprefix(_PREFIX).lower().split(_BETWEEN)
        hint = _hint(shape, path)
        if hint is not None:
            _set(filled, path, text if hint in (str, Secret) else _value(text))
        elif len(path) > 1:
            raise SettingsError(
                "{variable}, in the environment: there is no setting {key}.", variable=variable, key=".".join(path)
            )
    return filled


def _hint(shape: object, path: Sequence[str]) -> object:
    """The type of the setting at the path: None if there is none, or it is a table."""
    for name in path:
        if get_origin(shape) is dict:
            return Any  # in the table of a plugin, which reads it
        if not is_dataclass(shape):
            return None
        shape = get_type_hints(shape).get(name)
    return None if is_dataclass(shape) else shape


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _set(table: dict[str, Any], path: Sequence[str], value: object) -> None:
    *tables, name = path
    for inner in tables:
        table[inner] = dict(table.get(inner, {}))
        table = table[inner]
    table[name] = value
