"""Statements signed by a recovery key: an enterprise has moved, or has not.

A statement is a document with a proof by a did:key, as canonical JSON text; messages between instances carry it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..messages.envelope import CONTEXT
from ..messages.members import number, text
from ..messages.types import Refuse
from ..signing import BadKey, BadProof, PublicKey, SigningKey, Unreadable, canonical, read_json, sign
from ..signing.profile import write_moment
from ..signing.proof import check_proof, read_proof

LARGEST = 5000  # bytes
StatementKind = Literal["MoveStatement", "ContestStatement"]


@dataclass(frozen=True)
class SignedStatement:
    kind: str
    enterprise: str
    moved_to: str
    epoch: int


def recovery_key() -> SigningKey:
    """Generates a recovery key, with the verification method of its did:key as id."""
    key = SigningKey.generate("")
    return SigningKey(method_of(did_of(key)), key.private)


def read_recovery_key(secret: str) -> SigningKey:
    """Reads a recovery key as it was shown once. Raises `BadKey`."""
    key = SigningKey.read("", secret)
    return SigningKey(method_of(did_of(key)), key.private)


def did_of(key: SigningKey) -> str:
    return f"did:key:{key.public.multikey}"


def method_of(did: str) -> str:
    """Returns the only verification method of a did:key."""
    return f"{did}#{did.removeprefix('did:key:')}"


def sign_statement(
    key: SigningKey, kind: StatementKind, enterprise: str, moved_to: str, epoch: int, now: datetime
) -> str:
    """Returns the signed statement as canonical JSON."""
    document = {
        "@context": CONTEXT,
        "id": f"{enterprise}#move-{epoch}",
        "type": kind,
        "enterprise": enterprise,
        "movedTo": moved_to,
        "authorityEpoch": epoch,
        "published": write_moment(now),
    }
    return canonical(sign(document, key, now)).decode()


def read_statement(statement: str, did: str, now: datetime) -> SignedStatement:
    """Reads and verifies a statement. Raises `Refuse` if the key `did` has not signed it."""
    if not did.startswith("did:key:"):
        raise Refuse("recovery_key", "No recovery key of that enterprise is known here.")
    try:
        document = read_json(statement.encode(), LARGEST)
        if document.get("@context") != CONTEXT:
            raise Unreadable("context", "the @context is not the one of messages")
        refuse_other_key(document, did, now)
        return SignedStatement(
            kind=text(document, "type"),
            enterprise=text(document, "enterprise"),
            moved_to=text(document, "movedTo"),
            epoch=number(document, "authorityEpoch"),
        )
    except (Unreadable, BadProof, BadKey) as error:
        raise Refuse("recovery_key", f"The recovery key has not signed this: {error}"[:500]) from error


def refuse_other_key(document: dict[str, object], did: str, now: datetime) -> None:
    """Raises `BadProof` unless the key `did` has signed the document."""
    method = method_of(did)
    key = PublicKey(method, did.removeprefix("did:key:")).check()
    check_proof(document, read_proof(document), {method: key}, now)
