"""The document of an enterprise: which instance has authority over it, signed by its home, for peers that ask.

    GET /-/federation/enterprises/<id>
    {"@context": […], "id": "https://a.example/api/dfc/enterprises/42", "type": "EnterpriseAuthority",
     "actor": "https://a.example/.well-known/commensal", "authorityEpoch": 2, "movedTo": "https://b.example/…",
     "alsoKnownAs": ["https://c.example/…"], "recoveryKey": "did:key:z6Mk…", "published": "…", "proof": {…}}

A move is valid when two documents agree: the old home's names the new address, the new home's the old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from commensal import NotFound, Transaction, enterprise_by_id

from ..authority.authority import authority_of
from ..delivery.calling import address_of, fetch
from ..dfc.iris import enterprise_iri, local_id
from ..identity import current_key
from ..messages.envelope import CONTEXT
from ..messages.members import moment, number, text, texts
from ..peers.peers import Peer, pinned_keys
from ..runtime import Federation
from ..signing import BadProof, Unreadable, canonical, read_json, sign, verify
from ..signing.profile import write_moment

LARGEST = 64 * 1024  # bytes
_FRESH = timedelta(hours=1)


@dataclass(frozen=True)
class EnterpriseDocument:
    """The content of an enterprise's document; `moved_to` is empty while it lives there."""

    iri: str
    epoch: int
    moved_to: str
    also_known_as: tuple[str, ...]


class NoDocument(Exception):
    """The peer returned no valid document."""


def enterprise_document(federation: Federation, tx: Transaction, enterprise_id: str) -> bytes:
    """Returns the signed document of an enterprise that lives or has lived here. Raises `NotFound`."""
    iri = enterprise_iri(federation.base, enterprise_id)
    authority = authority_of(tx, iri)
    if not authority.moved_to:
        enterprise_by_id(tx, enterprise_id)
    document = {
        "@context": CONTEXT,
        "id": iri,
        "type": "EnterpriseAuthority",
        "actor": federation.iri,
        "authorityEpoch": authority.epoch,
        "movedTo": authority.moved_to,
        "alsoKnownAs": [authority.came_from] if authority.came_from else [],
        "recoveryKey": authority.recovery_key,
        "published": write_moment(tx.now),
    }
    return canonical(sign(document, current_key(federation, tx), tx.now))


def fetch_enterprise(federation: Federation, peer: Peer, iri: str) -> EnterpriseDocument:
    """Fetches the document from the enterprise's home; not to be called inside a transaction.

    Raises `NoDocument`, `Unreachable`.
    """
    id = local_id(peer.base, iri, "enterprises")
    if id is None:
        raise NoDocument(f"{iri[:200]} is not an enterprise of {peer.base}")
    answer = fetch(federation, address_of(peer, f"enterprises/{id}"), size=LARGEST)
    if answer.status != 200:
        raise NoDocument(f"{peer.base} shows no document of {iri[:200]}: it answered {answer.status}")
    try:
        return _read(answer.body, peer, iri, federation.instance.clock.now())
    except (Unreadable, BadProof, NotFound) as error:
        raise NoDocument(f"the document of {iri[:200]} does not count: {error}") from error


def _read(body: bytes, peer: Peer, iri: str, now: datetime) -> EnterpriseDocument:
    document = read_json(body, LARGEST)
    verify(document, pinned_keys(peer), now, context=CONTEXT)
    if document["actor"] != peer.iri or document["id"] != iri or document.get("type") != "EnterpriseAuthority":
        raise Unreadable("other_document", "it is of somebody or something else")
    if moment(document, "published") < now - _FRESH:
        raise Unreadable("old", "it is not of now")
    return EnterpriseDocument(
        iri=iri,
        epoch=number(document, "authorityEpoch"),
        moved_to=text(document, "movedTo", least=0),
        also_known_as=texts(document, "alsoKnownAs"),
    )
