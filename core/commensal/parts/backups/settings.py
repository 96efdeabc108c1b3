"""``instance.toml`` as an archive contains it: without its secrets, and with a list of what is missing."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from ...base.ids import Secret
from ...hooks.dispatcher import Hooks
from ...instance.settings import InstanceSettings
from .databases import split_password

_KNOWN = ("images", "mail", "backups")  # archived; only for trying the instance out; not a part of it


def without_secrets(folder: Path, settings: InstanceSettings, hooks: Hooks) -> tuple[str, tuple[str, ...]]:
    """The text of the settings without secrets, and what the archive omits: keys of settings, and folders, whose names
    end with a slash. Keys that name a file with a secret are omitted too, since that file is on this machine.

    The whole table of a plugin that is not enabled or cannot be loaded is omitted, because it is unknown which of its
    settings are secret.
    """
    values = tomllib.loads((folder / "instance.toml").read_text(encoding="utf-8"))
    left_out = [*_take_out(settings, values, ""), *_take_password(values.get("database", {}))]
    plugins = values.get("plugins", {})
    for plugin in [name for name in plugins if name != "enabled"]:
        plugin_settings = hooks.instance_settings(plugin) if plugin in hooks.plugins() else None
        if plugin_settings is None:
            del plugins[plugin]
            left_out.append(f"plugins.{plugin}")
        else:
            left_out += _take_out(plugin_settings, plugins[plugin], f"plugins.{plugin}.")
    return toml(values), (*left_out, *_other_folders(folder))


def _other_folders(folder: Path) -> Iterator[str]:
    """Folders beside the settings that no archive contains, such as ``keys/``, whose secrets are for this instance
    only, or an operator's own ``templates/``."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name not in _KNOWN and not entry.name.startswith(".") and not _is_empty(entry):
            yield f"{entry.name}/"


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except PermissionError:  # it may contain something, which is not archived
        return False


def with_database(text: str, url: str) -> str:
    """The same settings with another database; an empty `url` is the SQLite file in the instance's folder."""
    values = {**tomllib.loads(text), "database": {"url": url}}
    return toml(values)


def toml(values: Mapping[str, object]) -> str:
    """The values as TOML, as `tomllib` reads it."""
    return "\n".join(_lines(values, ())) + "\n"


def _take_out(settings: object, values: dict[str, object], where: str) -> Iterator[str]:
    """Removes from `values` secrets, names of their files, and settings of this machine. Yields the removed keys.

    `settings` is the dataclass that was read from `values`.
    """
    for item in fields(settings) if is_dataclass(settings) else ():
        value, raw = getattr(settings, item.name), values.get(item.name)
        if "of_this_machine" in item.metadata:
            if values.pop(item.name, ""):
                yield where + item.name
        elif _is_secret(value) or "external" in item.metadata:
            names = [f"{item.name}_file"] if "external" in item.metadata else [item.name, f"{item.name}_file"]
            for name in [name for name in names if values.get(name)]:
                del values[name]
                yield where + name
        elif is_dataclass(value) and isinstance(raw, dict):
            yield from _take_out(value, raw, f"{where}{item.name}.")


def _is_secret(value: object) -> bool:
    """Whether it is a secret, or a list or table that contains one, which is omitted as a whole."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, Mapping):
        return any(map(_is_secret, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_secret, value)) or any(
            is_dataclass(item) and any(_is_secret(getattr(item, item_field.name)) for item_field in fields(item))
            for item in value
        )
    return False


def _take_password(database: dict[str, Any]) -> Iterator[str]:
    address = make_url(database["url"]) if database.get("url") else None
    if address is None or address.get_backend_name() != "postgresql":
        return
    bare, password = split_password(address)
    if password or "sslpassword" in address.query:
        database["url"] = bare.render_as_string()
        yield "database.url (its password)"


def _lines(values: Mapping[str, object], path: tuple[str, ...]) -> Iterator[str]:
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    if path:
        yield ""
        yield f"[{'.'.join(map(_key, path))}]"
    for key, value in values.items():
        if key not in tables:
            yield f"{_key(key)} = {_value(value)}"
    for key, table in tables.items():
        yield from _lines(table, (*path, key))


def _key(name: str) -> str:
    letters = name.replace("_", "").replace("-", "")
    return name if letters.isascii() and letters.isalnum() else json.dumps(name, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
