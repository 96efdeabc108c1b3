"""Makes a new instance: its folder, its settings, its empty database."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import SettingsError
from .instance import open_instance

# The plugins of a new instance: all that are bundled. Each enterprise chooses among them.
USUAL = (
    "shop", "cash", "bank_transfer", "stripe", "account", "pickup", "delivery", "fees", "vouchers", "solidarity",
    "distribution_lists", "sales", "custom_report", "webhooks", "federation",
)  # fmt: skip
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
    sender: str = "commensal@localhost",
    backups: Path | None = None,
    plugins: tuple[str, ...] = USUAL,
    allow: tuple[str, ...] = (),
    new_enterprises: str = "",
) -> None:
    """Writes ``instance.toml`` (mode 0600) into `folder`, which is made if need be, and the database beside it.

    `backups` is the absolute path of a folder, made if need be, for a backup every night; `allow` are inner addresses
    that it may reach all the same, for test networks; `new_enterprises` says who may make enterprises ("": operators).
    `port` is where it listens: that of `base_url` where no proxy stands before it, or else 8000.

    Raises `SettingsError` where there is an instance already: nothing is ever overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "instance.toml"
    if file.exists():
        raise SettingsError("{file} exists already; nothing was changed.", file=file)
    values = {
        "name": name, "base_url": base_url, "language": language, "timezone": timezone, "currency": currency,
        "database": database, "port": _port(base_url) if port is None else port, "sender": sender,
        "backups": str(backups or ""), "plugins": list(plugins),
    }  # fmt: skip
    if backups is not None:
        backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = _TEXT.format(**{key: _toml(value) for key, value in values.items()}, **_comments(language))
    if allow:
        text += f"\n[outbound]\nallow = {_toml(list(allow))}\n"
    if new_enterprises:
        text += f"\n[security]\nnew_enterprises = {_toml(new_enterprises)}\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    try:
        open_instance(folder, upgrade=True).close()
    except Exception:
        file.unlink()  # so that a second try, with other answers, is not refused
        raise


def _comments(language: str) -> dict[str, str]:
    from ..languages.catalogs import translate  # Babel and the plugins' files take a while

    about = "The settings of this instance. instance.example.toml of the project names them all."
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
    except ValueError:  # no address, as opening the instance will say
        return 8000


def _toml(value: object) -> str:
    """Strings, numbers and lists of strings are written alike in TOML and JSON."""
    return json.dumps(value, ensure_ascii=False)
