"""Reads secrets from outside instance.toml: from a file that it names, or from the service manager.

A `Secret` called ``password`` may be set as ``password_file``, the absolute path of a file that contains it. If neither
is set, the credential ``<table>.password`` is read if the service manager passes one: with systemd,
``LoadCredential=mail.password:/etc/commensal/mail`` (systemd.exec(5)). Use this for instance.toml only, which only the
operator writes: anybody who can name a file here can read it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

from .errors import SettingsError
from .secret import Secret

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
