"""Proves later who sent a message: by the bytes as they were signed, and the key that was pinned then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from commensal import NotFound, Transaction

from ..identity.keys import key_iri, our_keys
from ..messages.envelope import CONTEXT, INSIDE, LARGEST
from ..peers.peers import peer_by_id
from ..runtime import Federation
from ..signing import BadProof, PublicKey, Unreadable, read_json, verify
from .tables import federation_inbox, federation_outbox


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A message as it was signed. `at` (UTC) is when it came or was posted; `key` signed it, as a Multikey.

    `proof` is empty where its signature holds, else what is wrong with it.
    """

    id: str
    box: Literal["in", "out"]
    peer: str
    type: str
    state: str
    at: datetime
    key_id: str
    key: str
    proof: str
    body: str


def kept_message(federation: Federation, tx: Transaction, id: str) -> Kept:
    """The message of this id, sent or received, and whether its proof holds. Raises `NotFound`."""
    row, box = tx.first(select(federation_inbox).where(federation_inbox.c.id == id)), "in"
    if row is None:
        row, box = tx.first(select(federation_outbox).where(federation_outbox.c.id == id)), "out"
    if row is None:
        raise NotFound("no_message", "There is no message {id}.", id=id)
    key = PublicKey(row["key_id"], row["multikey"]) if box == "in" else _our_key(federation, tx, row["body"])
    at = row["received_at"] if box == "in" else row["created_at"]
    return Kept(
        id=id,
        box="in" if box == "in" else "out",
        peer=peer_by_id(tx, row["peer_id"]).iri,
        type=row["type"],
        state=row["state"],
        at=at,
        key_id=key.id,
        key=key.multikey,
        proof=prove_kept(row["body"], key, at),
        body=row["body"],
    )


def prove_kept(body: str, key: PublicKey, at: datetime) -> str:
    """Returns an empty text if the key has signed these bytes, judged by the moment (UTC) at which they were stored;
    else what is wrong."""
    try:
        verify(read_json(body.encode(), LARGEST), {key.id: key}, at, context=CONTEXT, inside=INSIDE)
    except (BadProof, Unreadable) as error:
        return str(error)
    return ""


def _our_key(federation: Federation, tx: Transaction, body: str) -> PublicKey:
    """Returns the key of ours that the message names, also one that has ended."""
    named = read_json(body.encode(), LARGEST)["proof"]["verificationMethod"]
    multikeys = {key_iri(federation, key.name): key.multikey for key in our_keys(tx)}
    return PublicKey(named, multikeys.get(named, ""))
