"""Our own keys: which there are, and which one signs now."""

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
    """One of our keys, its public half. Times are UTC; `used_from` is None while it stands by."""

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
        """Its place among our keys; the root has 0."""
        return int(self.name[1:]) if self.kind == "signing" else 0

    def live(self, now: datetime) -> bool:
        """Whether others believe what it signs, or will once it is used."""
        return self.revoked_at is None and (self.ends_at is None or now <= self.ends_at)

    def in_use(self, now: datetime) -> bool:
        return self.used_from is not None and self.used_from <= now


def our_keys(tx: Transaction) -> list[Key]:
    """All there ever were, the root first, then by age."""
    return sorted((Key(**row) for row in tx.all(_ALL)), key=lambda one: one.number)


def signing_now(keys: Sequence[Key], now: datetime) -> Key | None:
    """Of those in use and live, the newest."""
    used = [one for one in keys if one.kind == "signing" and one.live(now) and one.in_use(now)]
    return max(used, key=lambda one: (one.used_from or one.created_at, one.number), default=None)


def current_key(federation: Federation, tx: Transaction) -> SigningKey:
    """The key that signs now. Raises `Conflict` where there is none, or its file is missing."""
    key = signing_now(our_keys(tx), tx.now)
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
    text = "This instance has no key to sign with; `commensal federation keys init` makes one."
    return Conflict("no_key", text)
