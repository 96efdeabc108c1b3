"""Creates a new instance: its folder, its settings, its empty database."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ...base.clock import SystemClock
from ...base.errors import Problem, SettingsError
from ...base.failpoints import failpoint
from ...base.reading import read_settings
from ...hooks.loading import importable, load_plugins
from ...instance.backup_key import FILE as BACKUP_KEY
from ...instance.backup_key import make_backup_key
from ...instance.instance import DATABASE, open_instance
from ...instance.instance import FILE as UPGRADES
from ...instance.settings import InstanceSettings

_UNFINISHED = ".instance.toml.part"  # until there is a database

# The plugins of a new instance: all bundled ones that can be imported. Each enterprise chooses among them. Their order
# is that in which they are called: transport shares its trips with the peers that the federation has made.
USUAL = (
    "shop",
    "office",
    "cash",
    "bank_transfer",
    "stripe",
    "account",
    "pickup",
    "delivery",
    "fees",
    "vouchers",
    "solidarity",
    "distribution_lists",
    "sales",
    "custom_report",
    "webhooks",
    "federation",
    "transport",
    "oidc",
)
_TEXT = """\
# {of_file}

name = {name}
base_url = {base_url}
language = {language}
timezone = {timezone}
currency = {currency}
front = "shop"

[database]
url = {database}          # {of_url}

[server]
host = "127.0.0.1"
port = {port}

[mail]
sender = {sender}
host = ""                 # {of_host}

[backups]
folder = {backups}              # {of_folder}
at = "03:30"              # {of_at}
keep = 14                 # {of_keep}

[plugins]
enabled = {plugins}
"""


def usual_plugins() -> tuple[tuple[str, ...], Mapping[str, str | Problem]]:
    """Those of `USUAL` that this installation can import, and the reason for each other one: for example a missing
    library of an extra."""
    return importable(USUAL)


def refuse_existing(folder: Path) -> None:
    """Raises `SettingsError` if `folder` contains an instance, so that nothing is overwritten."""
    if (file := folder / "instance.toml").exists():
        raise SettingsError("{file} exists already; nothing was changed.", file=file)


def check_answer(key: str, value: str) -> None:
    """Raises `SettingsError` for a value that the setting `key` cannot have. `key` is a path, like ``mail.sender``."""
    table, _, name = key.rpartition(".")
    settings: dict[str, object] = {table: {name: value}} if table else {name: value}
    read_settings(InstanceSettings, {"name": "", **settings})


def check_plugins(plugins: Sequence[str]) -> None:
    """Raises `SettingsError` if a plugin is not installed, and `PluginError` if it cannot be imported."""
    load_plugins(InstanceSettings(name="", plugins={"enabled": list(plugins)}), clock=SystemClock())


def begin_instance(
    folder: Path,
    *,
    name: str,
    base_url: str = "http://127.0.0.1:8000",
    language: str = "fr",
    timezone: str = "Europe/Paris",
    currency: str = "EUR",
    database: str = "",
    port: int | None = None,
    sender: str = "",
    backups: Path | None = None,
    plugins: tuple[str, ...] | None = None,
    allow: tuple[str, ...] = (),
    new_enterprises: str = "",
) -> None:
    """Writes ``instance.toml`` (mode 0600) into `folder`, and creates the database beside it.

    The file gets its name last: if this is killed, there is no instance yet, and the next call goes on.

    `folder` and `backups` (an absolute path, for a backup every night) are created if they are missing. `allow` are
    private addresses that the instance may call, for test networks; `new_enterprises` says who may create enterprises
    ("": operators). `port` is the port to listen on (None: that of `base_url` if it is http, otherwise 8000). `plugins`
    are enabled (None: the `usual_plugins`).

    Raises `SettingsError` if there is an instance already or a setting is invalid; `PluginError` for a plugin that
    cannot be imported; and the errors of the database's driver. In each case, all files and folders are removed again.
    """
    refuse_existing(folder)
    values = {
        "name": name,
        "base_url": base_url,
        "language": language,
        "timezone": timezone,
        "currency": currency,
        "database": database,
        "port": _port(base_url) if port is None else port,
        "sender": sender,
        "backups": str(backups or ""),
        "plugins": list(usual_plugins()[0] if plugins is None else plugins),
    }
    text = _TEXT.format(**{key: _toml(value) for key, value in values.items()}, **_comments(language))
    if allow:
        text += f"\n[outbound]\nallow = {_toml(list(allow))}\n"
    if new_enterprises:
        text += f"\n[security]\nnew_enterprises = {_toml(new_enterprises)}\n"
    load_plugins(
        read_settings(InstanceSettings, tomllib.loads(text)), clock=SystemClock()
    )  # before anything is written
    with _remove_on_failure(folder, folder / "keys", *([backups] if backups else [])):
        for path in filter(None, (folder, backups)):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = folder / _UNFINISHED
        _write(unfinished, text)
        open_instance(folder, upgrade=True, settings_file=_UNFINISHED).close()
        make_backup_key(folder)
        failpoint("arrival.checked")
        unfinished.rename(folder / "instance.toml")


def _write(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)  # of a killed process
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


@contextmanager
def _remove_on_failure(folder: Path, *others: Path) -> Iterator[None]:
    """If the block raises, removes the new instance's files from `folder`, and the empty folders that were created."""
    new_folders = [path for start in (folder, *others) for path in (start, *start.parents) if not path.exists()]
    ends = ("", "-wal", "-shm", "-journal", ".lock", ".running")
    files = [folder / name for name in (_UNFINISHED, UPGRADES, BACKUP_KEY, *(f"{DATABASE}{end}" for end in ends))]
    files = [file for file in files if not file.exists()]
    try:
        yield
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
        for path in new_folders:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        raise


def _comments(language: str) -> dict[str, str]:
    from ...base.languages.catalogs import translate  # loads Babel and the files of plugins, which is slow

    about = "The settings of this instance. `commensal settings` prints them all."
    backups = "for this instance alone, best on another disk; empty: nobody backs it up"
    return {
        "of_file": translate(language, about),
        "of_url": translate(language, "empty: SQLite, in the file commensal.db of this folder"),
        "of_host": translate(language, "empty: e-mails are written into the folder mail/"),
        "of_folder": translate(language, backups),
        "of_at": translate(language, "every night, by the clock of timezone"),
        "of_keep": translate(language, "the newest stay"),
    }


def _port(base_url: str) -> int:
    try:
        parts = urlsplit(base_url)
        return (parts.port if parts.scheme == "http" else None) or 8000
    except ValueError:  # not an address; opening the instance will report it
        return 8000


def _toml(value: object) -> str:
    """A string, number or list of strings in TOML, which is the same as in JSON."""
    return json.dumps(value, ensure_ascii=False)
