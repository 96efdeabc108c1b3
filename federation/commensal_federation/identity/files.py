"""Files of our private keys: one for each key in the instance's folder ``keys``, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from commensal import Conflict

from ..signing import BadKey, SigningKey

if TYPE_CHECKING:
    from .keys import Key


def folder_of(instance_folder: Path) -> Path:
    return instance_folder / "keys"


def file_of(folder: Path, name: str) -> Path:
    return folder / f"{name}.key"


def make_or_read(folder: Path, name: str, id: str) -> SigningKey:
    """Makes a key in a new file; returns the existing key if an earlier or concurrent start has made it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file, temporary = file_of(folder, name), folder / f".{name}-{secrets.token_hex(4)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(SigningKey.generate(id).secret() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(temporary, file)  # atomic, and never replaces an existing file
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return read_key(folder, name, id)


def read_key(folder: Path, name: str, id: str, multikey: str = "") -> SigningKey:
    """Reads the key of this name. Raises `Conflict` if its file is missing, unreadable or not the key `multikey`."""
    file = file_of(folder, name)
    try:
        stat = file.stat()
        key = _read(file, stat.st_mtime_ns, stat.st_ino, id)
    except FileNotFoundError:
        text = (
            "The file {file} is missing: put the folder keys back, from where the instance was before or where you "
            "keep it. Where {name} is lost for ever, run `commensal keys recover`."
        )
        raise Conflict("key_file", text, file=file, name=name) from None
    except OSError as error:
        text = "The file {file} cannot be read: {error}. Its key is good: give the file to the user who serves."
        raise Conflict("key_unreadable", text, file=file, error=error.strerror) from None
    except BadKey:
        text = "The file {file} holds no key: put it back. Where {name} is lost for ever, run `commensal keys recover`."
        raise Conflict("key_file", text, file=file, name=name) from None
    if multikey and key.public.multikey != multikey:
        text = "The file {file} holds another key than the one that others know: put it back, or revoke {name}."
        raise Conflict("key_file", text, file=file, name=name)
    return key


@lru_cache(maxsize=64)
def _read(file: Path, changed: int, inode: int, id: str) -> SigningKey:
    """Cached by the file's inode and time of change, so a replaced file is read again."""
    return SigningKey.read(id, file.read_text(encoding="ascii", errors="replace"))


def forget_ended(folder: Path, keys: Iterable[Key], now: datetime) -> None:
    """Deletes the files of keys that have ended or were revoked."""
    for key in keys:
        if not key.live(now):
            file_of(folder, key.name).unlink(missing_ok=True)
