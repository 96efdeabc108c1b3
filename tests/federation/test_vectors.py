"""Official test vectors, if their folder exists (`COMMENSAL_SHARED` names it)."""

from __future__ import annotations

import json
import os
from base64 import b64decode, urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from commensal_federation.signing import BadSignature, PublicKey, Unreadable, canonical, verify_request
from commensal_federation.signing.http_signature import _refuse_digest, _signature_base
from commensal_federation.signing.keys import from_multibase, to_multibase
from commensal_federation.signing.proof import check_proof, read_proof

VECTORS = Path(os.environ.get("COMMENSAL_SHARED", Path(__file__).parents[3] / "shared")) / "vectors"
NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no official vectors in {VECTORS}")


def read(path: str) -> str:
    return (VECTORS / path).read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------ RFC 8785

BEYOND_PROFILE = {"structures", "values", "weird"}  # fractions, and a key beyond the BMP


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_rfc_8785(name: str) -> None:
    document: Any = json.loads(read(f"rfc8785/input/{name}.json"))
    expected = bytes.fromhex("".join(read(f"rfc8785/outhex/{name}.txt").split()))

    assert rfc8785.dumps(document) == expected
    try:
        assert canonical(document) == expected
    except Unreadable:
        assert name in BEYOND_PROFILE
    else:
        assert name not in BEYOND_PROFILE


# ------------------------------------------------------------------------------------------------ eddsa-jcs-2022

SUITE = "vc-di-eddsa/eddsa-jcs-2022"


def test_eddsa_jcs_2022_step_by_step() -> None:
    document, options = json.loads(read("vc-di-eddsa/unsigned.json")), json.loads(read(f"{SUITE}/proofConfigJCS.json"))

    assert canonical(document).decode() == read(f"{SUITE}/canonDocJCS.txt")
    assert canonical(options).decode() == read(f"{SUITE}/proofCanonJCS.txt")
    hashes = sha256(canonical(options)).hexdigest() + sha256(canonical(document)).hexdigest()
    assert hashes == read(f"{SUITE}/combinedHashJCS.txt").strip()
    assert from_multibase(read(f"{SUITE}/sigBTC58JCS.txt").strip()).hex() == read(f"{SUITE}/sigHexJCS.txt").strip()


def test_eddsa_jcs_2022_verifies() -> None:
    document = json.loads(read(f"{SUITE}/signedJCS.json"))
    proof = read_proof(document)
    key = PublicKey(proof["verificationMethod"], json.loads(read("vc-di-eddsa/keyPair.json"))["publicKeyMultibase"])

    assert check_proof(document, proof, {key.id: key}, NOW) == key.id


# ------------------------------------------------------------------------------------------------ RFC 9421


def appendix_b() -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads(read("rfc9421_appendix_b.json"))
    return vectors


def headers_of(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in message["headers"]]


def signed_headers(vectors: dict[str, Any], case: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns the headers of the case's message; its signature is with the message or with the case."""
    headers = headers_of(vectors["messages"][case["message"]])
    return headers + [(name.lower(), case[name]) for name in ("Signature-Input", "Signature") if name in case]


def test_the_ed25519_case_of_rfc_9421() -> None:
    """B.2.6. It signs components that our requests never sign, so only its base and its signature are checked."""
    vectors = appendix_b()
    case = next(vector for vector in vectors["cases"] if vector["label"] == "sig-b26")
    headers = [*signed_headers(vectors, case), ("@path", "/foo"), ("@authority", "example.com")]
    covered = ["date", "@method", "@path", "@authority", "content-type", "content-length"]
    jwk = json.loads(vectors["keys"]["test-key-ed25519"]["blocks"][-1])
    key = PublicKey("test", to_multibase(b"\xed\x01" + urlsafe_b64decode(jwk["x"] + "=")))

    base = _signature_base("POST", "", headers, covered, case["Signature-Input"].partition("=")[2])

    assert base.decode() == case["signature_base"]
    assert key.verifies(b64decode(case["Signature"].split(":")[1]), base)


def test_no_case_of_rfc_9421_is_of_our_profile() -> None:
    vectors = appendix_b()
    for case in vectors["cases"]:
        body = vectors["messages"][case["message"]].get("body", "").encode()
        url = "https://example.com/foo?param=Value&Pet=dog"
        with pytest.raises(BadSignature):
            verify_request("POST", url, signed_headers(vectors, case), body, lambda _: None, NOW)


def test_content_digests_of_rfc_9421() -> None:
    messages = appendix_b()["messages"]

    def check_digest(name: str) -> None:
        _refuse_digest(dict(headers_of(messages[name]))["content-digest"], messages[name]["body"].encode())

    check_digest("test-request")
    check_digest("test-response-fixed")
    with pytest.raises(BadSignature):
        check_digest("test-response")  # its digest is wrong in the archived source of the RFC
