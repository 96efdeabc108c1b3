"""Requests between instances prove who sends them; another implementation of RFC 9421 agrees, and every bit counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commensal_federation.signing import (
    BadSignature,
    PublicKey,
    SigningKey,
    VerifiedSignature,
    sign_request,
    verify_request,
)
from commensal_federation.signing.http_signature import TAG
from commensal_federation.transport import Request

NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
KEY = SigningKey.generate("https://hub-a.example/.well-known/commensal#k1")
NONCE = "bm9uY2Utb2YtMTI4LWJpdA"
INBOX = "https://hub-b.example/-/federation/inbox?try=2"


def a_post(body: bytes = b'{"type": "LeaseRequest"}') -> Request:
    return sign_request(Request("POST", INBOX, [("content-type", "application/ld+json")], body), KEY, NOW, NONCE)


def a_get() -> Request:
    url = "https://hub-b.example/-/federation/outbox?lane=order&after=3.118"
    return sign_request(Request("GET", url, [("accept", "application/x-ndjson")]), KEY, NOW, NONCE)


def verify_post(request: Request, now: datetime = NOW) -> VerifiedSignature:
    keys = {KEY.id: KEY.public}
    return verify_request(request.method, request.url, request.headers, request.body, keys.get, now)


@pytest.mark.parametrize("request_", [a_post(), a_post(b""), a_get()], ids=["post", "empty post", "get"])
def test_a_signed_request_tells_whose_key_it_was_and_its_nonce(request_: Request) -> None:
    verified_request = verify_post(request_)

    assert verified_request == VerifiedSignature(KEY.id, NOW, NOW + timedelta(minutes=5), NONCE)


def test_signing_again_replaces_the_old_signature() -> None:
    signed_again = sign_request(a_post(), KEY, NOW + timedelta(days=2), "another-nonce-of-128-bit")

    assert verify_post(signed_again, NOW + timedelta(days=2)).nonce == "another-nonce-of-128-bit"
    assert [name for name, _ in signed_again.headers] == [
        "content-type",
        "content-digest",
        "signature-input",
        "signature",
    ]


def test_clocks_may_differ_by_a_minute_and_no_more() -> None:
    assert verify_post(a_post(), NOW - timedelta(seconds=60))
    assert verify_post(a_post(), NOW + timedelta(seconds=360))
    for moment in (NOW - timedelta(seconds=61), NOW + timedelta(seconds=361)):
        with pytest.raises(BadSignature):
            verify_post(a_post(), moment)


def test_a_sha_512_digest_and_more_signed_headers_are_fine() -> None:
    from base64 import b64encode
    from hashlib import sha512

    digest = f"sha-512=:{b64encode(sha512(b'{}').digest()).decode()}:"
    message = httpx.Request("POST", INBOX, headers={"content-type": "a/b", "content-digest": digest, "date": "today"})
    sent = sign_with_library(message, b"{}", ("@method", "@target-uri", "content-type", "content-digest", "date"))

    assert verify_post(sent).keyid == KEY.id


# ------------------------------------------------------------------------------------------------ the other library


class Resolver(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        assert key_id == KEY.id
        return KEY.private.public_key()

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        assert key_id == KEY.id
        return KEY.private


def sign_with_library(message: httpx.Request, body: bytes | None, covered: tuple[str, ...]) -> Request:
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    signer.sign(
        message,
        key_id=KEY.id,
        created=NOW,
        expires=NOW + timedelta(minutes=5),
        nonce=NONCE,
        label="fed",
        tag=TAG,
        covered_component_ids=covered,
        body=body,
        use_existing_digest="content-digest" in message.headers,
    )
    headers = [(name.lower(), value) for name, value in message.headers.items()]
    return Request(message.method, str(message.url), headers, body or b"")


def test_a_post_that_http_message_signatures_signed_is_verified_here() -> None:
    message = httpx.Request("POST", INBOX, headers={"content-type": "application/ld+json"}, content=b"{}")

    sent = sign_with_library(message, b"{}", ("@method", "@target-uri", "content-type", "content-digest"))

    assert verify_post(sent) == VerifiedSignature(KEY.id, NOW, NOW + timedelta(minutes=5), NONCE)


def test_a_get_that_http_message_signatures_signed_is_verified_here() -> None:
    message = httpx.Request("GET", INBOX, headers={"accept": "application/json"})

    assert verify_post(sign_with_library(message, None, ("@method", "@target-uri", "accept"))).keyid == KEY.id


@pytest.mark.parametrize("request_", [a_post(), a_get()], ids=["post", "get"])
def test_what_is_signed_here_http_message_signatures_verifies(request_: Request) -> None:
    now = datetime.now(UTC)  # the library has no other clock
    request_ = sign_request(request_, KEY, now, NONCE)
    message = httpx.Request(request_.method, request_.url, headers=list(request_.headers), content=request_.body)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    body: dict[str, Any] = {"body": request_.body} if request_.body else {}

    results = verifier.verify(message, max_age=timedelta(minutes=5), expect_tag=TAG, **body)

    assert results[0].parameters["keyid"] == KEY.id
    assert '"@target-uri"' in results[0].covered_components


# ------------------------------------------------------------------------------------------------ every bit


def flip_bit(text: str, bit: int) -> str:
    content = bytearray(text.encode("latin-1"))
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    return content.decode("latin-1")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([a_post(), a_get()]), st.integers(0, 8), st.integers(0, 5000))
def test_no_bit_of_what_is_signed_can_be_changed(request_: Request, part_index: int, bit: int) -> None:
    parts = ["method", "url", "body", *range(len(request_.headers))]
    part = parts[part_index % len(parts)]
    method, url, body, headers = request_.method, request_.url, request_.body, list(request_.headers)
    if part == "method":
        method = flip_bit(method, bit)
    elif part == "url":
        url = flip_bit(url, bit)
    elif part == "body":
        body = flip_bit(body.decode() or "x", bit).encode("latin-1")
    elif isinstance(part, int):
        headers[part] = (headers[part][0], flip_bit(headers[part][1], bit))

    with pytest.raises(BadSignature):
        verify_post(Request(method, url, headers, body))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(max_codepoint=255), max_size=200), st.text(st.characters(max_codepoint=255), max_size=200))
def test_whatever_headers_hold_the_answer_is_a_refusal(first: str, second: str) -> None:
    headers = [("content-type", "a/b"), ("signature-input", first), ("signature", second), ("content-digest", first)]

    with pytest.raises(BadSignature):
        verify_post(Request("POST", INBOX, headers, b"{}"))


def test_a_huge_header_of_quotes_is_refused() -> None:
    text = 'fed=("@method" ' + '"a" ' * 20_000 + ");created=1"

    with pytest.raises(BadSignature):
        verify_post(Request("POST", INBOX, [("signature-input", text), ("signature", "fed=:AA==:")], b"{}"))


def test_a_key_shows_itself_nowhere() -> None:
    secret = KEY.secret()

    for text in (repr(KEY), str(KEY), f"{KEY}", repr(KEY.public), repr(vars(KEY.public))):
        assert secret not in text
        assert KEY.private.private_bytes_raw().hex() not in text
    assert PublicKey(KEY.id, KEY.public.multikey) == KEY.public
