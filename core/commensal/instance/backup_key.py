"""The key with which an instance proves that a backup is its own: ``keys/backups.key``, 32 random bytes in hexadecimal.

Whoever can write where backups lie could else put a member of their own, or another price, into the next restore.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from pathlib import Path

from ..base.errors import SettingsError, StoreError

FILE = "keys/backups.key"
_KEY = re.compile(r"[0-9a-f]{64}")
_WORDS = b"commensal backup 1 hmac-sha256 "  # in the comment of the zip, which earlier versions do not read


def make_backup_key(folder: Path) -> Path:
    """The file of the key of the instance in `folder`; makes it (mode 0600) if there is none."""
    file = folder / FILE
    if file.exists():
        return file
    file.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished = file.with_name(f".backups-{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(32) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(unfinished, file)  # atomic, and replaces no key that somebody else has just made
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    return file


def keys_beside(folder: Path) -> list[Path]:
    """The keys of the instances beside a new one in `folder`, which is where an instance is restored on its machine.

    Files of other users are left out, so that nobody plants a key in a folder that all may write.
    """
    return [file for file in sorted(folder.absolute().parent.glob(f"*/{FILE}")) if _is_ours(file)]


def _is_ours(file: Path) -> bool:
    try:
        return file.is_file() and file.stat().st_uid in (0, os.geteuid()) and os.access(file, os.R_OK)
    except OSError:
        return False


def prove(manifest: bytes, key: Path) -> bytes:
    """The proof of a manifest, and so of all files that it names with their hashes. Raises as `is_proven` does."""
    return _WORDS + hmac.digest(_read(key), manifest, "sha256").hex().encode()


def is_proven(manifest: bytes, proof: bytes, key: Path) -> bool:
    """Raises `SettingsError` if the file holds no key, `StoreError` if it cannot be read."""
    return hmac.compare_digest(proof, prove(manifest, key))


def _read(file: Path) -> bytes:
    try:
        text = file.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise StoreError("{file}: {error}", file=file, error=error.strerror) from error
    if not _KEY.fullmatch(text):
        raise SettingsError("{file} holds no key of backups: name {name} of the instance.", file=file, name=FILE)
    return bytes.fromhex(text)
