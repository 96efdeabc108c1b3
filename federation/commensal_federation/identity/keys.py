"""Our own keys, and the one that signs now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from commensal import Conflict, Transaction

from .files import file_of, folder_of, read_key
from .tables import federation_key

if TYPE_CHECKING:
    from ..runtime import Federation
    from ..signing import SigningKey

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
        raise no_key()
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


def no_key() -> Conflict:
    text = "This instance has no key to sign with; `commensal keys init` makes one."
    return Conflict("no_key", text)
