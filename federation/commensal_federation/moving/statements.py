"""What the holder of a recovery key says: that an enterprise lives elsewhere now, or that this is not so.

A statement is a document with a proof by a did:key, as canonical JSON text: it travels inside messages of instances.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..messages.envelope import CONTEXT
from ..messages.reading import number, text
from ..messages.types import Refuse
from ..signing import BadKey, BadProof, PublicKey, SigningKey, Unreadable, canonical, read_json, sign
from ..signing.moments import write_moment
from ..signing.proof import check_proof, read_proof

LARGEST = 5000  # bytes
Kind = Literal["MoveStatement", "ContestStatement"]


@dataclass(frozen=True)
class Statement:
    kind: str
    enterprise: str
    moved_to: str
    epoch: int


def recovery_key() -> SigningKey:
    """A new one. Its id is that of its did:key."""
    made = SigningKey.generate("")
    return SigningKey(method_of(did_of(made)), made.private)


def read_recovery_key(secret: str) -> SigningKey:
    """From the paper. Raises `BadKey`."""
    read = SigningKey.read("", secret)
    return SigningKey(method_of(did_of(read)), read.private)


def did_of(key: SigningKey) -> str:
    return f"did:key:{key.public.multikey}"


def method_of(did: str) -> str:
    """The one verification method of a did:key."""
    return f"{did}#{did.removeprefix('did:key:')}"


def state(key: SigningKey, kind: Kind, enterprise: str, moved_to: str, epoch: int, now: datetime) -> str:
    """The signed text."""
    said = {
        "@context": CONTEXT,
        "id": f"{enterprise}#move-{epoch}",
        "type": kind,
        "enterprise": enterprise,
        "movedTo": moved_to,
        "authorityEpoch": epoch,
        "published": write_moment(now),
    }
    return canonical(sign(said, key, now)).decode()


def read_statement(said: str, did: str, now: datetime) -> Statement:
    """Raises `Refuse` for what that key has not signed."""
    if not did.startswith("did:key:"):
        raise Refuse("recovery_key", "No recovery key of that enterprise is known here.")
    try:
        document = read_json(said.encode(), LARGEST)
        if document.get("@context") != CONTEXT:
            raise Unreadable("context", "the @context is not the one of messages")
        refuse_other_key(document, did, now)
        return Statement(
            kind=text(document, "type"),
            enterprise=text(document, "enterprise"),
            moved_to=text(document, "movedTo"),
            epoch=number(document, "authorityEpoch"),
        )
    except (Unreadable, BadProof, BadKey) as error:
        raise Refuse("recovery_key", f"The recovery key has not signed this: {error}"[:500]) from error


def refuse_other_key(document: dict[str, object], did: str, now: datetime) -> None:
    """Raises `BadProof`."""
    method = method_of(did)
    key = PublicKey(method, did.removeprefix("did:key:")).check()
    check_proof(document, read_proof(document), {method: key}, now)
