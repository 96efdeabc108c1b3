"""The keys of an instance that has signed a statement: our own, a peer's, or those of an origin that we have fetched.

They never come from whoever passes the statement on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from sqlalchemy import bindparam, func, select

from commensal import Row, Transaction, insert_once, insert_rows

from ..identity import InstanceDocument, instance_document, read_document
from ..identity.tables import federation_key_set
from ..messages.envelope import CONTEXT
from ..messages.offer_statement import OfferStatement, name_of, read_statement
from ..peers.peers import peer_by_iri, pinned_document
from ..runtime import Federation
from ..signing import BadProof, PublicKey, canonical, verify
from .tables import federation_origin, federation_signer, federation_statement

# What is known of a signer, and what is found of an offer.

Bound = Literal["own", "peer", "fetched"]


@dataclass(frozen=True)
class Signer:
    """An instance whose keys are known here.

    text:  its document byte for byte, as pinned at `at` (UTC)
    bound: how we know that the document is the instance's: it is our own, two operators have compared the fingerprint
           (peer), or we fetched it from the address that is its name (fetched)
    """

    document: InstanceDocument
    text: str
    at: datetime
    bound: Bound

    @property
    def keys(self) -> Mapping[str, PublicKey]:
        return self.document.keys


@dataclass(frozen=True, kw_only=True)
class Origin:
    """An instance that is not a peer, and whose producers' goods come through peers.

    fingerprint:  of its root key, for people to compare; empty before it has answered
    doubt:        why its keys are not believed at present; empty: they are
    silent_since: since when (UTC) it has not answered; None: it has
    waiting:      how many catalogues wait for its keys
    """

    iri: str
    fingerprint: str
    doubt: str
    silent_since: datetime | None
    waiting: int


class NotProved(Exception):
    """The statements of an offer do not prove it: altered, another's, or another's goods. The text is for people."""


class KeysMissing(Exception):
    """The keys of the instance `actor` are not known here yet, or it may have newer ones."""

    def __init__(self, actor: str) -> None:
        super().__init__(actor)
        self.actor = actor


_CACHED = 512  # parsed documents kept by a process
_OWN_VERSION = select(func.max(federation_key_set.c.version))
_KEPT = select(federation_signer.c.iri).where(
    federation_signer.c.iri == bindparam("signer"), federation_signer.c.version == bindparam("number")
)
_ORIGIN = select(federation_origin).where(federation_origin.c.iri == bindparam("origin"))


def signer_of(federation: Federation, tx: Transaction, actor: str) -> Signer | None:
    """Returns the instance at this address; None where its keys are not known, or not believed at present."""
    if actor == federation.iri:
        return own_signer(federation, tx)
    peer = peer_by_iri(tx, actor)
    if peer is not None and peer.state in ("accepted", "suspended"):
        return Signer(pinned_document(peer), peer.document, peer.document_at, "peer")
    row = tx.first(_ORIGIN, {"origin": actor})
    if row is None or not row["document"] or row["doubt"]:
        return None
    return Signer(_read(row["document"], actor, row["document_at"]), row["document"], row["document_at"], "fetched")


def own_signer(federation: Federation, tx: Transaction) -> Signer:
    """Returns this instance. Raises `Conflict` if it has no key."""
    text = canonical(instance_document(federation, tx)).decode()
    return Signer(_read(text, federation.iri, tx.now), text, tx.now, "own")


def keep_signer(tx: Transaction, signer: Signer) -> int:
    """Keeps the document, once for each version of the key set, and returns that version."""
    row = {
        "iri": signer.document.iri,
        "version": signer.document.version,
        "document": signer.text,
        "bound": signer.bound,
        "verified_at": signer.at,
    }
    insert_once(tx, federation_signer, row)
    return signer.document.version


def keep_own_signer(federation: Federation, tx: Transaction) -> int:
    """Keeps this instance's document, once for each version of its key set, and returns that version."""
    version: int | None = tx.value(_OWN_VERSION)
    if version is None or tx.first(_KEPT, {"signer": federation.iri, "number": version}) is None:
        return keep_signer(tx, own_signer(federation, tx))
    return version


@lru_cache(maxsize=_CACHED)
def _read(document: str, iri: str, at: datetime) -> InstanceDocument:
    """The document, checked as of the time when it was pinned."""
    return read_document(document.encode(), iri, at)


# Keeps statements byte for byte: as long as a catalogue or an order names them. Takes back those that this instance
# had signed or passed on, and that a restore has forgotten.

_BY_NAME = (
    select(federation_statement)
    .where(federation_statement.c.name.in_(bindparam("names", expanding=True)))
    .order_by(federation_statement.c.name)
)


@dataclass(frozen=True)
class VerifiedStatement:
    """A statement as it was signed, its content, and the instance by whose keys it was verified."""

    signed: str
    content: OfferStatement
    signer: Signer

    @property
    def name(self) -> str:
        return name_of(self.signed)


def keep_statements(tx: Transaction, statements: Iterable[VerifiedStatement]) -> None:
    """Keeps those statements that are not kept yet."""
    new = {statement.name: statement for statement in statements}
    for name in _rows(tx, new):
        del new[name]
    signers = {entry.content.actor: entry.signer for entry in new.values()}
    versions = {actor: keep_signer(tx, signer) for actor, signer in signers.items()}
    rows = [
        {
            "name": name,
            "text": entry.signed,
            "actor": entry.content.actor,
            "key_version": versions[entry.content.actor],
            "origin": entry.content.origin,
            "item_iri": entry.content.item,
            "rev": entry.content.rev,
            "verified_at": tx.now,
        }
        for name, entry in new.items()
    ]
    insert_rows(tx, federation_statement, rows)


def statements_by_name(tx: Transaction, names: Collection[str]) -> Mapping[str, Row]:
    """Returns the rows of these statements, and of the producers' statements that they are based on, by name."""
    rows = _rows(tx, names)
    return rows | _rows(tx, {row["origin"] for row in rows.values()} - rows.keys())


def _rows(tx: Transaction, names: Collection[str]) -> dict[str, Row]:
    known = sorted(set(names) - {""})
    return {row["name"]: row for row in tx.all(_BY_NAME, {"names": known})} if known else {}


def recover_statements(federation: Federation, tx: Transaction, texts: Iterable[str]) -> None:
    """Keeps those whose signers are known here. They come with messages that this instance has signed itself."""
    verified = []
    for signed in filter(None, texts):
        content, document = read_statement(signed)
        signer = signer_of(federation, tx, content.actor)
        if signer is None:
            continue
        try:
            verify(document, signer.keys, tx.now, context=CONTEXT)
        except BadProof:  # by a key that has ended since
            continue
        verified.append(VerifiedStatement(signed, content, signer))
    keep_statements(tx, verified)
