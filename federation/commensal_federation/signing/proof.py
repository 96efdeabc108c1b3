"""Signs and verifies documents by the suite ``eddsa-jcs-2022`` of W3C Data Integrity, with stricter rules.

The proof covers every member of a document, so nothing can be changed, added, left out or moved. The rules beyond the
suite: exactly one proof, only known members in it, a live key of the actor, no time in the future, and contexts that
equal known ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from .keys import PublicKey, SigningKey, from_multibase, to_multibase
from .profile import CodedError, JsonObject, canonical, read_moment, write_moment

SKEW = timedelta(seconds=60)  # by which clocks may differ
_OPTIONS = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
_NEEDED = {*_OPTIONS, "verificationMethod", "created", "proofValue"}
_KNOWN = {*_NEEDED, "@context", "expires"}
Proof = Mapping[str, Any]  # as `read_proof` returns it: its needed members are texts


class BadProof(CodedError):
    """The document has no valid proof."""


def sign(document: JsonObject, key: SigningKey, created: datetime) -> dict[str, Any]:
    """The document with its proof. Raises `Unreadable` for a document outside the profile."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    proof: dict[str, object] = {**_OPTIONS, "verificationMethod": key.id, "created": write_moment(created)}
    if "@context" in unsigned:
        proof["@context"] = unsigned["@context"]
    return {**unsigned, "proof": {**proof, "proofValue": to_multibase(key.sign(_hashes(canonical(unsigned), proof)))}}


def verify(
    document: JsonObject,
    keys: Mapping[str, PublicKey],
    now: datetime,
    *,
    context: object,
    inside: Sequence[object] = (),
) -> str:
    """Verifies a message; returns the id of the key that signed it. Raises `BadProof`, or `Unreadable`.

    `keys` are the pinned ones of the document's `actor`, by id. The document's ``@context`` must equal `context`, and
    that of its `object`, if any, one of `inside`.
    """
    proof = read_proof(document)
    _refuse_other_origins(document, proof)
    content = _without_proof(document)
    _refuse_other_contexts(document, content, context, inside)
    return _check(document, content, proof, keys, now)


def check_proof(document: JsonObject, proof: Proof, keys: Mapping[str, PublicKey], now: datetime) -> str:
    """Verifies a proof from `read_proof`, whoever the actor is; returns the key's id. Raises `BadProof`."""
    return _check(document, _without_proof(document), proof, keys, now)


def _check(document: JsonObject, content: bytes, proof: Proof, keys: Mapping[str, PublicKey], now: datetime) -> str:
    key = keys.get(proof["verificationMethod"])
    if key is None:
        raise BadProof("unknown_key", "signed by a key that is not known")
    _refuse_ended_key(key, now)
    _refuse_times(proof, now)
    _refuse_other_proof_context(document, proof)
    _refuse_wrong_signature(content, proof, key)
    return key.id


def read_proof(document: JsonObject) -> Proof:
    """The document's only proof, with valid members; its signature is not verified yet. Raises `BadProof`."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise BadProof("not_one_proof", "there must be one proof")
    _refuse_unknown_members(proof)
    for name, value in _OPTIONS.items():
        _refuse_other_option(proof, name, value)
    if not all(isinstance(proof[name], str) for name in _NEEDED):
        raise BadProof("malformed", "members of the proof must be texts")
    return proof


def _refuse_unknown_members(proof: Proof) -> None:
    if missing := _NEEDED - proof.keys():
        raise BadProof("malformed", f"the proof lacks {', '.join(sorted(missing))}")
    if unknown := proof.keys() - _KNOWN:
        raise BadProof("unknown_member", f"the proof has {', '.join(sorted(unknown))}")


def _refuse_other_option(proof: Proof, name: str, value: str) -> None:
    if proof[name] != value:
        raise BadProof(f"other_{name}", f"{name} must be {value}")


def _refuse_other_origins(document: JsonObject, proof: Proof) -> None:
    """The key and the id must belong to the actor."""
    actor, message_id = document.get("actor"), document.get("id")
    if not isinstance(actor, str) or not isinstance(message_id, str):
        raise BadProof("malformed", "there must be an actor and an id")
    if proof["verificationMethod"].partition("#")[0] != actor:
        raise BadProof("foreign_key", "the key is not one of the actor's")
    if not origin(message_id) or origin(message_id) != origin(actor):
        raise BadProof("foreign_id", "the id is not of the actor's host")


def origin(iri: str) -> tuple[str, str] | None:
    """The scheme and the host with port of an IRI as written; None if it has no host."""
    try:
        parts = urlsplit(iri)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.scheme and parts.netloc else None


def _refuse_ended_key(key: PublicKey, now: datetime) -> None:
    """Refuses an ended key whatever time the proof claims, since a thief of the key can claim any."""
    if end_reason := key.end_reason(now):
        raise BadProof(f"{end_reason}_key", f"signed by a key that is {end_reason}")


def _refuse_times(proof: Proof, now: datetime) -> None:
    try:
        created = read_moment(proof["created"])
        expires = read_moment(proof["expires"]) if "expires" in proof else None
    except ValueError as error:
        raise BadProof("malformed", f"created and expires: {error}") from None
    if created > now + SKEW:
        raise BadProof("future", "signed in the future")
    if expires is not None and now > expires:
        raise BadProof("expired", "the proof has expired")


def _refuse_other_contexts(document: JsonObject, content: bytes, context: object, inside: Sequence[object]) -> None:
    """A context defines the terms, so it may stand only at the top and on the object."""
    if document.get("@context") != context:
        raise BadProof("other_context", "the @context is not the one of messages")
    message_object = document.get("object")
    expected_contexts = 0
    if isinstance(message_object, dict) and "@context" in message_object:
        expected_contexts = 1
        if message_object["@context"] not in inside:
            raise BadProof("other_context", "the object has a @context that is not known")
    # Quotation marks in strings are escaped, so these bytes are always the name of a member.
    if content.count(b'"@context":') != 1 + expected_contexts:
        raise BadProof("other_context", "there is a @context where none belongs")


def _refuse_other_proof_context(document: JsonObject, proof: Proof) -> None:
    """The suite requires only a common prefix of the two contexts, so one could be added after signing."""
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise BadProof("other_context", "the proof was made for another @context")


def _refuse_wrong_signature(content: bytes, proof: Proof, key: PublicKey) -> None:
    try:
        signature = from_multibase(proof["proofValue"])
    except ValueError:
        raise BadProof("malformed", "proofValue is not in base58btc") from None
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if not key.verifies(signature, _hashes(content, options)):
        raise BadProof("wrong_signature", "the signature does not fit the document")


def _without_proof(document: JsonObject) -> bytes:
    return canonical({name: value for name, value in document.items() if name != "proof"})


def _hashes(content: bytes, options: JsonObject) -> bytes:
    """The bytes that the suite signs (vc-di-eddsa, 3.3.4)."""
    return sha256(canonical(options)).digest() + sha256(content).digest()
