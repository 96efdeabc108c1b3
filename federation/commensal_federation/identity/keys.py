"""Our own keys: which there are, and which one signs now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import or_, select

from commensal import Conflict, Transaction

from .files import file_of, folder_of, read_key
from .tables import federation_key

if TYPE_CHECKING:
    from ..runtime import Federation
    from ..signing import SigningKey


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

    def live(self, now: datetime) -> bool:
        """Whether others believe what it signs, or will once it is used."""
        return self.revoked_at is None and (self.ends_at is None or now <= self.ends_at)

    def in_use(self, now: datetime) -> bool:
        return self.used_from is not None and self.used_from <= now


def our_keys(tx: Transaction) -> Sequence[Key]:
    """All there ever were, the root first, then by age."""
    rows = tx.all(select(federation_key))
    return sorted(
        (Key(**row) for row in rows),
        key=lambda one: (one.kind != "root", int(one.name[1:] or 0) if one.kind != "root" else 0),
    )


def current_key(federation: Federation, tx: Transaction) -> SigningKey:
    """The key that signs now. Raises `Conflict` where there is none, or its file is missing."""
    table = federation_key
    row = tx.first(
        select(table.c.name, table.c.multikey)
        .where(table.c.kind == "signing", table.c.used_from <= tx.now, table.c.revoked_at.is_(None))
        .where(or_(table.c.ends_at.is_(None), table.c.ends_at >= tx.now))
        .order_by(table.c.used_from.desc())
        .limit(1)
    )
    if row is None:
        raise Conflict("no_key", "This instance has no key to sign with; `commensal federation keys init` makes one.")
    name, multikey = row["name"], row["multikey"]
    return read_key(folder_of(federation.instance.folder), name, key_iri(federation, name), multikey)


def root_key(federation: Federation, tx: Transaction) -> SigningKey | None:
    """The root key, if it is still on this machine."""
    folder = folder_of(federation.instance.folder)
    if not file_of(folder, "root").exists():
        return None
    multikey = tx.value(select(federation_key.c.multikey).where(federation_key.c.name == "root"))
    return read_key(folder, "root", key_iri(federation, "root"), multikey or "")


def key_iri(federation: Federation, name: str) -> str:
    return f"{federation.iri}#{name}"
