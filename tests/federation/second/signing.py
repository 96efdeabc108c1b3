"""Keys, proofs of documents and signatures of requests, made and checked by apsig and http-message-signatures."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
from apsig import KeyUtil, ProofSigner, ProofVerifier
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)
from multiformats import multibase

TAG = "commensal-fed-1"
LIFETIME, SKEW = timedelta(minutes=5), timedelta(minutes=1)
POST_COMPONENTS = ("@method", "@target-uri", "content-type", "content-digest")
GET_COMPONENTS = ("@method", "@target-uri", "accept")


class Unproven(Exception):
    """A document or a request does not come from whom it names."""


@dataclass(frozen=True)
class Key:
    """An Ed25519 key. `id` is its address in the instance document."""

    id: str
    private: Ed25519PrivateKey

    def multikey(self) -> dict[str, str]:
        """The public half, as it stands in the instance document."""
        return {
            "id": self.id,
            "type": "Multikey",
            "controller": self.id.partition("#")[0],
            "publicKeyMultibase": KeyUtil(private_key=self.private).encode_multibase(),
        }


def write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def write_json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def hash_of(message: bytes) -> str:
    """What the next message of the lane has as `prev`: the multihash (SHA2-256) of the bytes as they were sent."""
    return str(multibase.encode(b"\x12\x20" + sha256(message).digest(), "base58btc"))


def prove(document: Mapping[str, Any], key: Key, now: datetime) -> dict[str, Any]:
    """The document with a proof by this key."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "proofPurpose": "assertionMethod",
        "verificationMethod": key.id,
        "created": write_time(now),
    }
    signed: dict[str, Any] = ProofSigner(key.private).sign(dict(document), options)
    return signed


def check_proof(document: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    """Raises Unproven unless one of these keys, Multikeys by their ids, has signed the document."""
    try:
        multikey = keys[document["proof"]["verificationMethod"]]
        ProofVerifier(multikey).verify(deepcopy(document), raise_on_fail=True)
    except Exception as error:
        raise Unproven(f"the proof does not hold: {error!r}") from error


def sign_request(request: httpx.Request, key: Key, now: datetime) -> httpx.Request:
    """Adds Content-Digest, Signature-Input and Signature."""
    resolver = MappingKeyResolver(public_keys={}, private_keys={key.id: key.private})
    has_body = request.method == "POST"
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=resolver).sign(
        request,
        key_id=key.id,
        created=now,
        expires=now + LIFETIME,
        nonce=secrets.token_urlsafe(16),
        label="fed",
        tag=TAG,
        covered_component_ids=POST_COMPONENTS if has_body else GET_COMPONENTS,
        body=request.content if has_body else None,
    )
    return request


def check_request(request: httpx.Request, keys: Mapping[str, str], now: datetime) -> tuple[str, str]:
    """Returns the id of the key that signed the request, and its nonce. Raises Unproven if none of these did."""
    public_keys = {id: ProofVerifier(multikey).public_key for id, multikey in keys.items()}
    resolver = MappingKeyResolver(public_keys=public_keys, private_keys={})
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=resolver)
    verifier.now = now
    has_body = request.method == "POST"
    try:
        (result,) = verifier.verify(
            request,
            expect_tag=TAG,
            require_components=POST_COMPONENTS if has_body else GET_COMPONENTS,
            body=request.content if has_body else None,
        )
    except (HTTPMessageSignaturesException, KeyError, ValueError) as error:
        raise Unproven(f"the request's signature does not hold: {error!r}") from error
    return str(result.parameters["keyid"]), str(result.parameters["nonce"])


class _Verifier(HTTPMessageVerifier):
    """By the clock of the instance, and with the limits of README.md."""

    now: datetime

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        created, expires = (datetime.fromtimestamp(sig_input.params[name], UTC) for name in ("created", "expires"))
        if expires - created > LIFETIME or not created - SKEW <= self.now <= expires + SKEW:
            raise InvalidSignature(f"signed at {created} until {expires}, which is not now")
