"""Our own keys, the one that signs now, and all of them in one file, sealed by a passphrase."""

from __future__ import annotations

import os
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import func, insert, select

from commensal import Conflict, Transaction

from ..signing import BadKey, SigningKey, canonical, sign
from ..signing.profile import write_moment
from .read import CONTEXT
from .tables import federation_key, federation_key_set

if TYPE_CHECKING:
    from ..runtime import Federation


# Files of our private keys: one for each key in the instance's folder ``keys``, readable by its owner only.


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


_ALL = select(federation_key)


@dataclass(frozen=True, kw_only=True)
class Key:
    """The public half of one of our keys. Times are UTC; `used_from` is None for a standby key."""

    name: str
    kind: Literal["root", "signing"]
    multikey: str
    created_at: datetime
    used_from: datetime | None
    ends_at: datetime | None
    revoked_at: datetime | None
    reason: str

    @property
    def number(self) -> int:
        """Its number among our keys; the root key is 0."""
        return int(self.name[1:]) if self.kind == "signing" else 0

    def live(self, now: datetime) -> bool:
        """Whether peers accept its signatures, or will once it is in use."""
        return self.revoked_at is None and (self.ends_at is None or now <= self.ends_at)

    def in_use(self, now: datetime) -> bool:
        return self.used_from is not None and self.used_from <= now


def our_keys(tx: Transaction) -> list[Key]:
    """All keys, ended ones included, the root key first, then by age."""
    return sorted((Key(**row) for row in tx.all(_ALL)), key=lambda key: key.number)


def key_in_use(keys: Sequence[Key], now: datetime) -> Key | None:
    """The newest signing key that is in use and live, else None."""
    candidates = [key for key in keys if key.kind == "signing" and key.live(now) and key.in_use(now)]
    return max(candidates, key=lambda key: (key.used_from or key.created_at, key.number), default=None)


def current_key(federation: Federation, tx: Transaction) -> SigningKey:
    """The key that signs now. Raises `Conflict` if there is none or its file is missing."""
    key = key_in_use(our_keys(tx), tx.now)
    if key is None:
        raise NoKey
    folder = folder_of(federation.instance.folder)
    return read_key(folder, key.name, key_iri(federation, key.name), key.multikey)


def root_key(federation: Federation, tx: Transaction) -> SigningKey | None:
    """The root key, if it is still on this machine."""
    folder = folder_of(federation.instance.folder)
    if not file_of(folder, "root").exists():
        return None
    multikey = tx.value(select(federation_key.c.multikey).where(federation_key.c.name == "root"))
    return read_key(folder, "root", key_iri(federation, "root"), multikey or "")


def key_iri(federation: Federation, name: str) -> str:
    return f"{federation.iri}#{name}"


class NoKey(Conflict):
    """This instance cannot sign now: it has no key, or, by a clock that is wrong, none that is in use."""

    def __init__(self) -> None:
        super().__init__("no_key", "This instance has no key to sign with; `commensal keys init` makes one.")


# The set of keys that the root key signs: the only document that can add a key.
#
# It has no end, so the root key may stay offline for years. Weekly changes and ended keys are in the instance's
# document, which the key in use signs.


def sign_key_set(federation: Federation, tx: Transaction, root: SigningKey) -> None:
    """Signs and stores the set of our live keys under the next version."""
    version = 1 + (tx.value(select(func.max(federation_key_set.c.version))) or 0)
    keys = our_keys(tx)
    live = [key for key in keys if key.kind == "signing" and key.live(tx.now)]
    document = {
        "@context": CONTEXT,
        "id": f"{federation.iri}#keys",
        "type": "KeySet",
        "controller": federation.iri,
        "version": version,
        "published": write_moment(tx.now),
        "root": verification_method(federation, keys[0]),
        "assertionMethod": [verification_method(federation, key) for key in live],
    }
    text = canonical(sign(document, root, tx.now)).decode()
    tx.execute(insert(federation_key_set).values(version=version, document=text, created_at=tx.now))


def newest_key_set(tx: Transaction) -> str:
    """The newest key set as signed JSON; empty if there is none."""
    table = federation_key_set
    return tx.value(select(table.c.document).order_by(table.c.version.desc()).limit(1)) or ""


def verification_method(federation: Federation, key: Key) -> dict[str, str]:
    """A key as a verification method (CID 1.0)."""
    entry = {
        "id": key_iri(federation, key.name),
        "type": "Multikey",
        "controller": federation.iri,
        "publicKeyMultibase": key.multikey,
    }
    if key.ends_at is not None:
        entry["expires"] = write_moment(key.ends_at)
    if key.revoked_at is not None:
        entry["revoked"] = write_moment(key.revoked_at)
    return entry


# The fingerprint that two operators read to each other before they trust each other: digits, for any language.

GROUPS, DIGITS = 8, 5  # 132 bits: enough against a second key with the same digits


def fingerprint_of(iri: str, root: str) -> str:
    """The fingerprint of an instance and its root key (a Multikey, ``z6Mk…``): eight groups of five digits."""
    number = int.from_bytes(sha256(f"commensal-fingerprint-1\n{iri}\n{root}".encode()).digest())
    digits = f"{number % 10 ** (GROUPS * DIGITS):0{GROUPS * DIGITS}d}"
    return " ".join(digits[start : start + DIGITS] for start in range(0, len(digits), DIGITS))


# All files of keys in one file, sealed by a passphrase, so that they may be kept away from the machine.

SHORTEST = 12  # characters of a passphrase
_NAME = re.compile(r"[a-z0-9]+\.key")
_MOST = 1_000_000  # bytes of a sealed file


class _Sealed(msgspec.Struct, frozen=True):
    """salt: of the passphrase, in hexadecimal
    token: what Fernet has made of the files
    """

    salt: str
    token: str


_read_sealed = msgspec.json.Decoder(_Sealed).decode  # created here, by one thread: see converting.py
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
        sealed = _read_sealed(content[:_MOST])
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
