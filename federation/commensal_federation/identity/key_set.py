"""The set of keys that the root key signs: the only document that can add a key.

It has no end, so the root key may stay offline for years. Weekly changes and ended keys are in the instance's document,
which the key in use signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
