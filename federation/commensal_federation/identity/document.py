"""The instance's document at ``/.well-known/commensal``: a controlled identifier document (W3C CID 1.0).

Two signatures, each for what it is good for. The *root key* signs the set of keys: no key can be added without it. The
*key in use* signs the whole document, with the keys that have ended, for seven days: whoever holds the key can say that
a key has ended, but not bring in another. So the root key may lie in a drawer, and the document never grows old; it is
signed anew every hour, and reads the same all that hour.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from commensal import Transaction

from ..signing import sign
from ..signing.moments import write_moment
from .key_set import method, newest_key_set
from .keys import current_key, no_key, our_keys
from .values import CONTEXT, PROTOCOL, VALID

if TYPE_CHECKING:
    from ..runtime import Federation


def instance_document(federation: Federation, tx: Transaction) -> dict[str, Any]:
    """The document as it is now, signed. Raises `Conflict` where this instance has no key."""
    key_set = newest_key_set(tx)
    if not key_set:
        raise no_key()
    ended = [
        {**method(federation, one), **({"reason": one.reason} if one.reason else {})}
        for one in our_keys(tx)
        if one.kind == "signing" and not one.live(tx.now)
    ]
    over = {one["id"] for one in ended}
    published = tx.now.replace(minute=0, second=0, microsecond=0)
    document = {
        "@context": CONTEXT,
        "id": federation.iri,
        "type": "Instance",
        "name": federation.instance.settings.name,
        "protocol": [PROTOCOL],
        **{name: f"{federation.base}/-/federation/{name}" for name in ("inbox", "outbox", "ask")},
        "assertionMethod": [one for one in json.loads(key_set)["assertionMethod"] if one["id"] not in over],
        "oldKeys": ended,
        "keySet": json.loads(key_set),
        "published": write_moment(published),
        "validUntil": write_moment(published + timedelta(days=VALID)),
    }
    return sign(document, current_key(federation, tx), published)
