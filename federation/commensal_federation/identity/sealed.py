"""All files of keys in one file, sealed by a passphrase, so that they may be kept away from the machine."""

from __future__ import annotations

import os
import re
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from commensal import Conflict

SHORTEST = 12  # characters of a passphrase
_NAME = re.compile(r"[a-z0-9]+\.key")
_MOST = 1_000_000  # bytes of a sealed file


class _Sealed(msgspec.Struct, frozen=True):
    """salt: of the passphrase, in hexadecimal
    token: what Fernet has made of the files
    """

    salt: str
    token: str


_read = msgspec.json.Decoder(_Sealed).decode  # created here, by one thread: see converting.py
_read_files = msgspec.json.Decoder(dict[str, str]).decode


def seal(folder: Path, passphrase: str) -> bytes:
    """The files of keys in a folder, sealed. Raises `Conflict` for a short passphrase, and if there are no keys."""
    if len(passphrase) < SHORTEST:
        raise Conflict("passphrase", "A passphrase has at least {count} characters.", count=SHORTEST)
    refuse_no_keys(folder)
    files = {file.name: file.read_text("ascii") for file in sorted(folder.glob("*.key"))}
    salt = secrets.token_bytes(16)
    token = _fernet(passphrase, salt).encrypt(msgspec.json.encode(files)).decode()
    return msgspec.json.encode(_Sealed(salt.hex(), token)) + b"\n"


def refuse_no_keys(folder: Path) -> None:
    """Raises `Conflict` if there are no keys in the folder, not even that of the backups, which a new instance has."""
    if not any(folder.glob("*.key")):
        text = "There are no keys in {folder} yet; `commensal keys init` makes them."
        raise Conflict("no_keys", text, folder=folder)


def unseal(content: bytes, passphrase: str) -> dict[str, str]:
    """The files by their names. Raises `Conflict` for another passphrase, and for content that was changed."""
    try:
        sealed = _read(content[:_MOST])
        files = _read_files(_fernet(passphrase, bytes.fromhex(sealed.salt)).decrypt(sealed.token.encode()))
    except (msgspec.MsgspecError, ValueError, InvalidToken):
        raise Conflict("sealed_keys", "The passphrase is another, or this is not a file of sealed keys.") from None
    return {name: text for name, text in files.items() if _NAME.fullmatch(name)}


def put_back(folder: Path, files: dict[str, str]) -> list[str]:
    """Writes the files that are missing, and returns their names. Raises `Conflict`, before it writes any, if one is
    there with another content."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, text in files.items():
        if (folder / name).exists() and (folder / name).read_text("ascii") != text:
            raise Conflict("other_key", "{file} is another key. Nothing was changed.", file=folder / name)
    missing = [name for name in files if not (folder / name).exists()]
    for name in missing:
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(files[name])
            stream.flush()
            os.fsync(stream.fileno())
    return missing


def _fernet(passphrase: str, salt: bytes) -> Fernet:
    """Its key is derived by scrypt (RFC 7914) with the cost that OWASP names: 128 MB, some tenths of a second."""
    key = Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(passphrase.encode())
    return Fernet(urlsafe_b64encode(key))
