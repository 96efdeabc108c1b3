"""Signatures of documents and of requests. Nothing here uses a database, a file or a clock."""

from .http_signature import BadSignature, VerifiedSignature, sign_request, target_uri, verify_head, verify_request
from .keys import BadKey, PublicKey, SigningKey
from .profile import CodedError, JsonObject, Unreadable, canonical, canonical_unchecked, read_json
from .proof import BadProof, sign, verify

__all__ = [
    "BadKey",
    "BadProof",
    "BadSignature",
    "CodedError",
    "JsonObject",
    "PublicKey",
    "SigningKey",
    "Unreadable",
    "VerifiedSignature",
    "canonical",
    "canonical_unchecked",
    "read_json",
    "sign",
    "sign_request",
    "target_uri",
    "verify",
    "verify_head",
    "verify_request",
]
