"""Secrets that stand outside instance.toml: in a file that it names, or with the service manager.

A `Secret` called ``password`` may be given as ``password_file``, the absolute path of a file that holds it. Where
neither is given, the credential ``<table>.password`` is read if the service manager hands one over: with systemd,
``LoadCredential=mail.password:/etc/commensal/mail`` (systemd.exec(5)). For instance.toml only, which nobody but the
operator writes: whoever else could name a file could read it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from .errors import SettingsError
from .secret import Secret

ELSEWHERE = {"elsewhere": True}  # metadata of a field that is no `Secret`, and may stand elsewhere all the same


def with_secrets(shape: type, values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """The table `values` of instance.toml with its secrets read from where they are. `shape` is its dataclass.

    Raises `SettingsError` for a secret that is given twice, or whose file cannot be read, or is empty.
    """
    filled, hints = dict(values), get_type_hints(shape)
    for one in fields(shape):
        name, hint = one.name, hints[one.name]
        at = f"{where}.{name}" if where else name
        if hint is Secret or "elsewhere" in one.metadata:
            file = filled.pop(f"{name}_file", "")
            if file and filled.get(name):
                raise SettingsError("{key} and {key}_file are both given; keep one.", key=at)
            if not filled.get(name) and (secret := _named(at, file) if file else _handed_over(at)):
                filled[name] = secret
        elif is_dataclass(hint) and isinstance(hint, type) and isinstance(inner := filled.get(name, {}), Mapping):
            filled[name] = with_secrets(hint, inner, at)
    return filled


def holds_secrets(shape: type, values: Mapping[str, Any]) -> bool:
    """Whether a secret stands in the table itself, for everybody who can read the file."""
    return any(_secrets_in(shape, values))


def _secrets_in(shape: type, values: Mapping[str, Any]) -> Iterator[bool]:
    for name, hint in get_type_hints(shape).items():
        value = values.get(name)
        if hint is Secret:
            yield bool(value)
        elif isinstance(value, Mapping) and isinstance(hint, type) and is_dataclass(hint):
            yield from _secrets_in(hint, value)


def _named(at: str, file: Any) -> str:
    if not isinstance(file, str) or not Path(file).is_absolute():
        raise SettingsError("{key}_file: {file!r} is no absolute path of a file.", key=at, file=file)
    return _read(Path(file), f"{at}_file")


def _handed_over(at: str) -> str:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder, at) if folder else None
    return _read(file, at) if file is not None and file.exists() else ""


def _read(file: Path, at: str) -> str:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        text = "{key}: {file} cannot be read: {error}."
        if isinstance(error, UnicodeDecodeError):
            text = "{key}: {file} cannot be read: it is no text."
        raise SettingsError(text, key=at, file=file, error=getattr(error, "strerror", "")) from error
    if not secret:
        raise SettingsError("{key}: {file} is empty.", key=at, file=file)
    return secret
