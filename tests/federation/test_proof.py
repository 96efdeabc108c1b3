"""Documents prove their author: two implementations agree, canonical bytes follow RFC 8785, and every bit counts."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from apsig import ProofSigner, ProofVerifier
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multiformats import multibase

from commensal_federation.signing import BadProof, SigningKey, Unreadable, canonical, read_json, sign, verify
from commensal_federation.signing.keys import from_multibase, to_multibase
from commensal_federation.signing.profile import LARGEST

patient = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
ACTOR = "https://hub-a.example/.well-known/commensal"
KEY = SigningKey.generate(f"{ACTOR}#k1")
CONTEXT = ["https://commensal.example/ns/federation/v1"]
INSIDE = ["https://w3id.org/dfc/ontology/context/context_1.16.0.json"]
SAID: dict[str, Any] = {
    "@context": CONTEXT,
    "id": "https://hub-a.example/-/federation/messages/1",
    "type": "PriceChange",
    "actor": ACTOR,
    "seq": 17,
    "object": {
        "@context": INSIDE[0],
        "@id": "https://hub-a.example/api/dfc/offers/1",
        "price": "6,25 €",
        "lines": [1, 2],
    },
}


def verify_said(document: dict[str, Any], now: datetime = NOW) -> str:
    return verify(document, {KEY.id: KEY.public}, now, context=CONTEXT, inside=INSIDE)


def test_a_signed_document_tells_whose_key_it_was() -> None:
    document = sign(SAID, KEY, NOW)

    assert verify_said(document) == KEY.id
    assert {name: value for name, value in document.items() if name != "proof"} == SAID


def test_a_proof_outlives_the_wire() -> None:
    signed_json = json.dumps(sign(SAID, KEY, NOW), indent=3).encode()

    assert verify_said(read_json(signed_json, 10_000)) == KEY.id


def test_a_proof_without_a_context_of_its_own_counts_too() -> None:
    """Some software writes none; the document's context is signed in any case."""
    options = {name: value for name, value in sign(SAID, KEY, NOW)["proof"].items() if name[0] != "@"}
    del options["proofValue"]
    signature = KEY.sign(sha256(rfc8785.dumps(options)).digest() + sha256(rfc8785.dumps(SAID)).digest())

    assert verify_said({**SAID, "proof": {**options, "proofValue": to_multibase(signature)}}) == KEY.id


def test_a_key_that_has_ended_still_tells_what_was_accepted_before() -> None:
    ended_key = replace(KEY.public, revoked_at=NOW)
    document = sign(SAID, KEY, NOW)

    with pytest.raises(BadProof, match="revoked_key"):
        verify(document, {KEY.id: ended_key}, NOW, context=CONTEXT, inside=INSIDE)
    assert verify(document, {KEY.id: ended_key.without_end()}, NOW, context=CONTEXT, inside=INSIDE)


# ------------------------------------------------------------------------------------------------ apsig


OPTIONS = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-jcs-2022",
    "proofPurpose": "assertionMethod",
    "verificationMethod": KEY.id,
    "created": "2026-06-04T10:00:00Z",
}


def test_what_apsig_signed_is_verified_here() -> None:
    assert verify_said(ProofSigner(KEY.private).sign(SAID, OPTIONS)) == KEY.id


@pytest.mark.parametrize("fraction", [".1", ".123", ".123456", ".123456789"])
def test_a_proof_may_be_dated_to_fractions_of_a_second(fraction: str) -> None:
    """Fedify dates its proofs so."""
    document = ProofSigner(KEY.private).sign(SAID, {**OPTIONS, "created": f"2026-06-04T10:00:00{fraction}Z"})

    assert verify_said(document) == KEY.id


@pytest.mark.parametrize("created", ["2026-06-04T12:00:00+02:00", "2026-06-04 10:00:00Z", "2026-02-30T10:00:00Z"])
def test_a_proof_that_is_dated_otherwise_is_told_how_to(created: str) -> None:
    with pytest.raises(BadProof, match="in UTC, as 2026-06-04T10:00:00Z"):
        verify_said(ProofSigner(KEY.private).sign(SAID, {**OPTIONS, "created": created}))


def test_what_is_signed_here_apsig_verifies() -> None:
    document = sign(SAID, KEY, NOW)
    changed_document = {**deepcopy(document), "seq": 18}

    assert ProofVerifier(KEY.public.multikey).verify(deepcopy(document)) == KEY.id
    assert ProofVerifier(KEY.public.multikey).verify(changed_document) is None


def test_apsig_reads_our_keys_and_we_read_its() -> None:
    assert ProofSigner(KEY.secret()).public_key == KEY.private.public_key()


# ------------------------------------------------------------------------------------------------ canonical bytes

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=10)
KEYS = NAMES.filter(lambda name: name not in ("@context", "proof"))  # the profile has a place of its own for each
LEAVES = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)


@patient(max_examples=150)
@given(DOCUMENTS)
def test_canonical_bytes_are_those_of_rfc_8785(document: dict[str, Any]) -> None:
    canonical_bytes = canonical(document)

    assert canonical_bytes == rfc8785.dumps(document)
    assert read_json(canonical_bytes, len(canonical_bytes)) == document


@patient(max_examples=50)
@given(DOCUMENTS)
def test_every_document_of_the_profile_can_be_signed(document: dict[str, Any]) -> None:
    document = {**document, "@context": CONTEXT, "id": "https://hub-a.example/1", "actor": ACTOR, "object": 1}

    assert verify(sign(document, KEY, NOW), {KEY.id: KEY.public}, NOW, context=CONTEXT) == KEY.id


@patient(max_examples=200)
@given(st.binary(max_size=64))
def test_base58_gives_back_what_it_was_given(content: bytes) -> None:
    assert from_multibase(to_multibase(content)) == content
    assert to_multibase(content) == multibase.encode(content, "base58btc")


# ------------------------------------------------------------------------------------------------ every bit

SIGNED = canonical(sign(SAID, KEY, NOW))


@patient(max_examples=600)
@given(st.integers(0, len(SIGNED) * 8 - 1))
def test_no_bit_of_a_signed_document_can_be_changed(bit: int) -> None:
    content = bytearray(SIGNED)
    content[bit // 8] ^= 1 << bit % 8

    with pytest.raises((BadProof, Unreadable)):
        verify_said(read_json(bytes(content), 10_000))


@patient(max_examples=50)
@given(DOCUMENTS, DOCUMENTS)
def test_whatever_a_document_holds_the_answer_is_a_refusal(document: dict[str, Any], proof: dict[str, Any]) -> None:
    genuine_document = sign(SAID, KEY, NOW)

    for forged_document in (
        document,
        {**document, "proof": proof},
        {**genuine_document, "proof": {**genuine_document["proof"], **proof, "x": 1}},
    ):
        with pytest.raises((BadProof, Unreadable)):
            verify_said(forged_document)


def test_clocks_may_differ_by_a_minute() -> None:
    document = sign(SAID, KEY, NOW)

    assert verify_said(document, NOW - timedelta(seconds=60))
    assert verify_said(document, NOW + timedelta(days=400))  # it is kept, and read again
