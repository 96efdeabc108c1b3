"""The instance's document at ``/.well-known/commensal``: a controlled identifier document (W3C CID 1.0).

It has two signatures with different powers. The *root key* signs the set of keys: no key can be added without it. The
*key in use* signs the whole document, including ended keys, for seven days: its holder can declare that a key has
ended, but cannot add one. So the root key may lie in a drawer while the document stays fresh: it is signed anew every
hour and is the same for all readers in that hour.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import Instance, Refused, Transaction
from commensal.pages import Visit, page

from ..runtime import federation_of
from ..signing import canonical, sign
from ..signing.profile import write_moment
from .keys import Key, NoKey, current_key, key_iri, newest_key_set, our_keys, verification_method
from .read import CONTEXT, PROTOCOL, VALID
from .rotation import begin_identity

if TYPE_CHECKING:
    from ..runtime import Federation


LISTED = timedelta(days=90)  # after its end: longer than a message waits that it has signed


def instance_document(federation: Federation, tx: Transaction) -> dict[str, Any]:
    """The current document, signed. Raises `Conflict` if this instance has no key."""
    key_set = newest_key_set(tx)
    if not key_set:
        raise NoKey
    in_set = {method["id"] for method in json.loads(key_set)["assertionMethod"]}
    ended = [
        {**verification_method(federation, key), **({"reason": key.reason} if key.reason else {})}
        for key in our_keys(tx)
        if key.kind == "signing" and not key.live(tx.now) and _is_listed(federation, key, in_set, tx.now)
    ]
    ended_ids = {method["id"] for method in ended}
    published = tx.now.replace(minute=0, second=0, microsecond=0)
    document = {
        "@context": CONTEXT,
        "id": federation.iri,
        "type": "Instance",
        "name": federation.instance.settings.name,
        "protocol": [PROTOCOL],
        **{name: f"{federation.base}/-/federation/{name}" for name in ("inbox", "outbox", "ask")},
        "assertionMethod": [
            method for method in json.loads(key_set)["assertionMethod"] if method["id"] not in ended_ids
        ],
        "oldKeys": ended,
        "keySet": json.loads(key_set),
        "published": write_moment(published),
        "validUntil": write_moment(published + timedelta(days=VALID)),
    }
    return sign(document, current_key(federation, tx), published)


def _is_listed(federation: Federation, key: Key, in_set: Collection[str], now: datetime) -> bool:
    """Whether an ended key has to be listed as one: the set still has it, or somebody may still wait for its end.

    A key that is not in the set cannot come back without the root key, so it need not be listed for ever.
    """
    ends = [moment for moment in (key.revoked_at, key.ends_at) if moment is not None]
    return key_iri(federation, key.name) in in_set or now - min(ends) < LISTED


def did_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Our instance document as did:web (W3C CCG), for software that uses DIDs. Peers do not trust it."""
    did = "did:web:" + quote(urlsplit(document["id"]).netloc, safe="")
    methods = [
        {**method, "id": did + method["id"].removeprefix(document["id"]), "controller": did}
        for method in document["assertionMethod"]
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [document["id"]],
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


# Serves the public identity of this instance: ``/.well-known/commensal`` and ``/.well-known/did.json``.

_KEPT = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}


def identity_routes(instance: Instance) -> Sequence[BaseRoute]:
    """The routes; the first call makes the keys. Scripts of all sites may read both, as resolvers of did:web in a
    browser do (https://w3c-ccg.github.io/did-method-web/)."""
    begin_identity(federation_of(instance))
    return [
        page("/.well-known/commensal", own_document, on_error=on_error, every_origin=True),
        page("/.well-known/did.json", own_did_document, on_error=on_error, every_origin=True),
    ]


def own_document(visit: Visit) -> Response:
    with visit.read() as tx:
        content = canonical(instance_document(federation_of(visit.instance), tx))
    return Response(content, media_type="application/ld+json", headers=_KEPT)


def own_did_document(visit: Visit) -> Response:
    with visit.read() as tx:
        document = did_document(instance_document(federation_of(visit.instance), tx))
    return Response(canonical(document), media_type="application/did+json", headers=_KEPT)


def on_error(visit: Visit, error: Exception) -> Response:
    """Answers 503, or 429: others try again later. Details about our keys are only for `commensal check`."""
    status = error.status if isinstance(error, Refused) and error.status == 429 else 503
    return JSONResponse({"title": "This instance cannot say now who it is."}, status)
