"""Who said it: proofs of documents by the suite ``eddsa-jcs-2022`` of W3C Data Integrity, and stricter than it.

The proof covers every member of a document, so nothing can be changed, added, left out or moved. What the suite leaves
open is closed here: one proof and no more, no members of it beyond the known, by a live key of the one who speaks, of
now and not of the future, and under contexts that are known word for word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from .base58 import from_multibase, to_multibase
from .canonical import canonical
from .keys import PublicKey, SigningKey
from .moments import read_moment, write_moment

SKEW = timedelta(seconds=60)  # by which clocks may differ
_OPTIONS = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
_NEEDED = {*_OPTIONS, "verificationMethod", "created", "proofValue"}
_KNOWN = {*_NEEDED, "@context", "expires"}


class BadProof(Exception):
    """Not proven. `code` is for programs, `text` for operators."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


def sign(document: Mapping[str, Any], key: SigningKey, created: datetime) -> dict[str, Any]:
    """The document with its proof. Raises `Unreadable` for what no proof can cover."""
    bare = {name: value for name, value in document.items() if name != "proof"}
    proof = {**_OPTIONS, "verificationMethod": key.id, "created": write_moment(created)}
    if "@context" in bare:
        proof["@context"] = bare["@context"]
    return {**bare, "proof": {**proof, "proofValue": to_multibase(key.sign(_hashes(canonical(bare), proof)))}}


def verify(
    document: Mapping[str, Any],
    keys: Mapping[str, PublicKey],
    now: datetime,
    *,
    context: Any,
    inside: Sequence[Any] = (),
) -> str:
    """Checks a message: the id of the key that signed it. Raises `BadProof`, or `Unreadable` outside the profile.

    `keys` are the pinned ones of the document's `actor`, by their ids. `context` is the one ``@context`` that the
    document must have, and `inside` those that its `object` may have.
    """
    proof = read_proof(document)
    _refuse_other_origins(document, proof)
    written = _without_proof(document)
    _refuse_other_contexts(document, written, context, inside)
    return _check(document, written, proof, keys, now)


def check_proof(
    document: Mapping[str, Any], proof: Mapping[str, Any], keys: Mapping[str, PublicKey], now: datetime
) -> str:
    """Checks a proof that `read_proof` gave, whoever may have said the document: the key's id. Raises `BadProof`."""
    return _check(document, _without_proof(document), proof, keys, now)


def _check(
    document: Mapping[str, Any],
    written: bytes,
    proof: Mapping[str, Any],
    keys: Mapping[str, PublicKey],
    now: datetime,
) -> str:
    key = keys.get(proof["verificationMethod"])
    if key is None:
        raise BadProof("unknown_key", "signed by a key that is not known")
    _refuse_key_at_its_end(key, now)
    _refuse_times(proof, now)
    _refuse_other_proof_context(document, proof)
    _refuse_wrong_signature(written, proof, key)
    return key.id


def read_proof(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document's one proof, as far as its members are concerned. Raises `BadProof`."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise BadProof("not_one_proof", "there must be one proof")
    _refuse_unknown_members(proof)
    for name, only in _OPTIONS.items():
        _refuse_other_option(proof, name, only)
    if not all(isinstance(proof[name], str) for name in _NEEDED):
        raise BadProof("malformed", "members of the proof must be texts")
    return proof


def _refuse_unknown_members(proof: Mapping[str, Any]) -> None:
    if missing := _NEEDED - proof.keys():
        raise BadProof("malformed", f"the proof lacks {', '.join(sorted(missing))}")
    if unknown := proof.keys() - _KNOWN:
        raise BadProof("unknown_member", f"the proof has {', '.join(sorted(unknown))}")


def _refuse_other_option(proof: Mapping[str, Any], name: str, only: str) -> None:
    if proof[name] != only:
        raise BadProof(f"other_{name}", f"{name} must be {only}")


def _refuse_other_origins(document: Mapping[str, Any], proof: Mapping[str, Any]) -> None:
    """Whoever speaks, signs: with a key of its own, under an id of its own."""
    actor, id = document.get("actor"), document.get("id")
    if not isinstance(actor, str) or not isinstance(id, str):
        raise BadProof("malformed", "there must be an actor and an id")
    if proof["verificationMethod"].partition("#")[0] != actor:
        raise BadProof("foreign_key", "the key is not one of the actor's")
    if not origin(id) or origin(id) != origin(actor):
        raise BadProof("foreign_id", "the id is not of the actor's host")


def origin(iri: str) -> tuple[str, str] | None:
    """Scheme and host with port, as they are written; None for what has no host."""
    try:
        parts = urlsplit(iri)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.scheme and parts.netloc else None


def _refuse_key_at_its_end(key: PublicKey, now: datetime) -> None:
    """Whatever moment the proof claims: who has stolen a key can write any."""
    if over := key.over(now):
        raise BadProof(f"{over}_key", f"signed by a key that is {over}")


def _refuse_times(proof: Mapping[str, Any], now: datetime) -> None:
    try:
        created = read_moment(proof["created"])
        expires = read_moment(proof["expires"]) if "expires" in proof else None
    except ValueError as error:
        raise BadProof("malformed", f"created and expires: {error}") from None
    if created > now + SKEW:
        raise BadProof("future", "signed in the future")
    if expires is not None and now > expires:
        raise BadProof("expired", "the proof has expired")


def _refuse_other_contexts(document: Mapping[str, Any], written: bytes, context: Any, inside: Sequence[Any]) -> None:
    """A context says what every term means: at the top, on the object, and nowhere else."""
    if document.get("@context") != context:
        raise BadProof("other_context", "the @context is not the one of messages")
    held = document.get("object")
    own = 0
    if isinstance(held, dict) and "@context" in held:
        own = 1
        if held["@context"] not in inside:
            raise BadProof("other_context", "the object has a @context that is not known")
    # A quotation mark within a text is escaped, so these bytes are a member's name wherever they stand.
    if written.count(b'"@context":') != 1 + own:
        raise BadProof("other_context", "there is a @context where none belongs")


def _refuse_other_proof_context(document: Mapping[str, Any], proof: Mapping[str, Any]) -> None:
    """The suite asks only that the document's begins with the proof's: then one could be added after signing."""
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise BadProof("other_context", "the proof was made for another @context")


def _refuse_wrong_signature(written: bytes, proof: Mapping[str, Any], key: PublicKey) -> None:
    try:
        signature = from_multibase(proof["proofValue"])
    except ValueError:
        raise BadProof("malformed", "proofValue is not in base58btc") from None
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if not key.fits(signature, _hashes(written, options)):
        raise BadProof("wrong_signature", "the signature does not fit the document")


def _without_proof(document: Mapping[str, Any]) -> bytes:
    return canonical({name: value for name, value in document.items() if name != "proof"})


def _hashes(written: bytes, options: Mapping[str, Any]) -> bytes:
    """What the suite signs (vc-di-eddsa, 3.3.4)."""
    return sha256(canonical(options)).digest() + sha256(written).digest()
