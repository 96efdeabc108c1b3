"""The set of keys, as the root key signs it: the one document by which a key can be added.

It says nothing of today, so the root key may stay away for years. What changes by the week, and that a key has ended,
is said by the instance's document, which the key in use signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from commensal import Transaction

from ..signing import SigningKey, canonical, sign
from ..signing.moments import write_moment
from .keys import Key, key_iri, our_keys
from .tables import federation_key_set
from .values import CONTEXT

if TYPE_CHECKING:
    from ..runtime import Federation


def sign_key_set(federation: Federation, tx: Transaction, root: SigningKey) -> None:
    """Signs the set of keys as they are now, under the next version."""
    version = 1 + (tx.value(select(func.max(federation_key_set.c.version))) or 0)
    keys = our_keys(tx)
    live = [one for one in keys if one.kind == "signing" and one.live(tx.now)]
    document = {
        "@context": CONTEXT,
        "id": f"{federation.iri}#keys",
        "type": "KeySet",
        "controller": federation.iri,
        "version": version,
        "published": write_moment(tx.now),
        "root": method(federation, keys[0]),
        "assertionMethod": [method(federation, one) for one in live],
    }
    text = canonical(sign(document, root, tx.now)).decode()
    tx.execute(insert(federation_key_set).values(version=version, document=text, created_at=tx.now))


def newest_key_set(tx: Transaction) -> str:
    """As it was signed; empty where there is none."""
    table = federation_key_set
    return tx.value(select(table.c.document).order_by(table.c.version.desc()).limit(1)) or ""


def method(federation: Federation, key: Key) -> dict[str, Any]:
    """A verification method (CID 1.0)."""
    said = {
        "id": key_iri(federation, key.name),
        "type": "Multikey",
        "controller": federation.iri,
        "publicKeyMultibase": key.multikey,
    }
    if key.ends_at is not None:
        said["expires"] = write_moment(key.ends_at)
    if key.revoked_at is not None:
        said["revoked"] = write_moment(key.revoked_at)
    return said
