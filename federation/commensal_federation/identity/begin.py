"""Creates the identity at the first start: a root key, a signing key and a standby key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from commensal import Transaction, insert_once, insert_rows

from ..signing import SigningKey
from .files import folder_of, make_or_read
from .keys import key_iri, sign_key_set
from .tables import federation_key

if TYPE_CHECKING:
    from ..runtime import Federation


def begin_identity(federation: Federation) -> bool:
    """Makes the keys of this instance if it has none; returns whether it made them. Not inside a transaction."""
    with federation.instance.store.read() as tx:
        if tx.first(select(federation_key.c.name).limit(1)) is not None:
            return False
    folder = folder_of(federation.instance.folder)
    root, first, second = (make_or_read(folder, name, key_iri(federation, name)) for name in ("root", "k1", "k2"))

    def store_keys(tx: Transaction) -> bool:
        if not insert_once(tx, federation_key, key_row(tx, "root", root)):
            return False
        insert_rows(tx, federation_key, [{**key_row(tx, "k1", first), "used_from": tx.now}, key_row(tx, "k2", second)])
        sign_key_set(federation, tx, root)
        return True

    return federation.instance.store.transact(store_keys)


def key_row(tx: Transaction, name: str, key: SigningKey) -> dict[str, object]:
    return {
        "name": name,
        "kind": "root" if name == "root" else "signing",
        "multikey": key.public.multikey,
        "created_at": tx.now,
        "used_from": None,
        "ends_at": None,
        "revoked_at": None,
        "reason": "",
    }
