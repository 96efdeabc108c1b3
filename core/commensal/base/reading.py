"""Reads settings into frozen dataclasses, strictly: an unknown key, a wrong type or a missing value is an error."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from .converting import convert, dataclasses_in, explain_error
from .errors import Problem, SettingsError, Unfit
from .ids import Secret

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


# Settings from the environment, which stand above those of instance.toml: containers are set up by it.
#
# The variable of ``base_url`` is ``COMMENSAL_BASE_URL``, that of ``host`` in ``[mail]`` is ``COMMENSAL_MAIL__HOST``:
# two underscores stand between a table and what is in it. What is not a text is written as in TOML: ``8000``,
# ``["shop"]``.

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


# Reads secrets from outside instance.toml: from a file that it names, or from the service manager.
#
# A `Secret` called ``password`` may be set as ``password_file``, the absolute path of a file that contains it. If
# neither is set, the credential ``<table>.password`` is read if the service manager passes one: with systemd,
# ``LoadCredential=mail.password:/etc/commensal/mail`` (systemd.exec(5)). Use this for instance.toml only, which only
# the operator writes: anybody who can name a file here can read it.

EXTERNAL = {"external": True}  # metadata of a field that is not a `Secret` but may be read from outside as well


def with_secrets(shape: type, values: Mapping[str, object], where: str = "") -> dict[str, object]:
    """The table `values` of instance.toml, completed with the secrets from outside. `shape` is its dataclass.

    Raises `SettingsError` for a secret that is set twice, or whose file is empty or cannot be read.
    """
    filled, hints = dict(values), get_type_hints(shape)
    for field in fields(shape):
        name, hint = field.name, hints[field.name]
        key = f"{where}.{name}" if where else name
        if hint is Secret or "external" in field.metadata:
            file = filled.pop(f"{name}_file", "")
            if file and filled.get(name):
                raise SettingsError("{key} and {key}_file are both given; keep one.", key=key)
            if not filled.get(name) and (secret := _named(key, file) if file else _handed_over(key)):
                filled[name] = secret
        elif is_dataclass(hint) and isinstance(hint, type) and isinstance(inner := filled.get(name, {}), Mapping):
            filled[name] = with_secrets(hint, inner, key)
    return filled


def holds_secrets(shape: type, values: Mapping[str, object]) -> bool:
    """Whether the table itself contains a secret, which everybody who can read instance.toml can read."""
    return any(_secrets_in(shape, values))


def secret_names(shape: type | None) -> frozenset[str]:
    """The names of the settings of a plugin's class that hold secrets."""
    hints = get_type_hints(shape) if shape is not None else {}
    return frozenset(name for name, hint in hints.items() if hint is Secret or Secret in get_args(hint))


def _secrets_in(shape: type, values: Mapping[str, object]) -> Iterator[bool]:
    for name, hint in get_type_hints(shape).items():
        value = values.get(name)
        if hint is Secret:
            yield bool(value)
        elif isinstance(value, Mapping) and isinstance(hint, type) and is_dataclass(hint):
            yield from _secrets_in(hint, value)


def _named(key: str, file: object) -> str:
    if not isinstance(file, str) or not Path(file).is_absolute():
        raise SettingsError("{key}_file: {file!r} is not an absolute path of a file.", key=key, file=file)
    return _read(Path(file), f"{key}_file")


def _handed_over(key: str) -> str:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder, key) if folder else None
    return _read(file, key) if file is not None and file.exists() else ""


def _read(file: Path, key: str) -> str:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        text = "{key}: {file} cannot be read: {error}."
        if isinstance(error, UnicodeDecodeError):
            text = "{key}: {file} cannot be read: it is not a text."
        raise SettingsError(text, key=key, file=file, error=getattr(error, "strerror", "")) from error
    if not secret:
        raise SettingsError("{key}: {file} is empty.", key=key, file=file)
    return secret
