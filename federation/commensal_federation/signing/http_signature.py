"""Signs and verifies requests: HTTP Message Signatures (RFC 9421) and Content-Digest (RFC 9530) in a narrow profile.

    Content-Digest: sha-256=:…:
    Signature-Input: fed=("@method" "@target-uri" "content-type" "content-digest");created=…;expires=…;
        keyid="https://hub.example/.well-known/commensal#k1";nonce="…";alg="ed25519";tag="commensal-fed-1"
    Signature: fed=:…:

There is one Ed25519 signature over at least these components (a GET without a body: "@method" "@target-uri" "accept"),
valid for at most five minutes, with a nonce that the caller of `verify_request` remembers until a minute after
`expires`. Signed values are compared exactly as sent; unsigned headers are ignored.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256, sha512
from typing import TYPE_CHECKING

from .keys import PublicKey, SigningKey
from .profile import CodedError

if TYPE_CHECKING:
    from ..transport import Request

TAG = "commensal-fed-1"
LIFE = 300  # seconds from created to expires, at most
SKEW = 60  # seconds by which clocks may differ
_LABEL = "fed"
_COVERED = {
    False: ("@method", "@target-uri", "accept"),
    True: ("@method", "@target-uri", "content-type", "content-digest"),
}
_DERIVED = {"@method", "@target-uri"}
_DIGESTS = {"sha-256": sha256, "sha-512": sha512}
_PARAMETERS = {"created", "expires", "keyid", "nonce", "alg", "tag"}

# The part of structured fields (RFC 8941) that the profile needs, only in the spelling of serializers, so that the
# received text equals the signed text.
_COMPONENT = r'"[a-z@][a-z0-9@-]*"'
_STRING = r'"[!#-\[\]-~]{0,500}"'
_INPUT = re.compile(
    rf"([a-z][a-z0-9_-]*)=(\(((?:{_COMPONENT}(?: {_COMPONENT})*)?)\)((?:;[a-z]+=(?:0|[1-9][0-9]{{0,14}}|{_STRING}))*))"
)
_PARAMETER = re.compile(r';([a-z]+)=(?:([0-9]+)|"([^"]*)")')
_BYTES = re.compile(r"([a-z][a-z0-9_-]*)=:([A-Za-z0-9+/]+={0,2}):")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")  # at least 128 bits
_VALUE = re.compile(r"[ -~]*")


class BadSignature(CodedError):
    """The request has no valid signature of this profile."""


@dataclass(frozen=True)
class VerifiedSignature:
    """A valid signature. The caller must refuse `nonce` from this `keyid` until `SKEW` seconds after `expires`."""

    keyid: str
    created: datetime
    expires: datetime
    nonce: str


@dataclass(frozen=True)
class _SignatureInput:
    label: str
    covered: tuple[str, ...]
    numbers: Mapping[str, int]
    texts: Mapping[str, str]
    params: str  # the value of "@signature-params"


def target_uri(base: str, path: bytes, query: bytes) -> str:
    """The called address, built from our own base address, since anybody can write Host and X-Forwarded-*.

    `path` and `query` are as they were sent (ASGI: `raw_path`, `query_string`).
    """
    return base + path.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")


def sign_request(request: Request, key: SigningKey, now: datetime, nonce: str) -> Request:
    """Signs the request for `LIFE` seconds. It must have a content-type, or an accept header if it has no body.

    `nonce` has at least 128 random bits, in base64url.
    """
    with_body = _has_body(request.method, request.body)
    headers = [(name, value) for name, value in request.headers if name not in _SIGNATURE_HEADERS]
    if with_body:
        headers.append(("content-digest", f"sha-256=:{b64encode(sha256(request.body).digest()).decode()}:"))
    created = int(now.timestamp())
    covered = " ".join(f'"{component}"' for component in _COVERED[with_body])
    parameters = (
        f'({covered});created={created};expires={created + LIFE};keyid="{key.id}";nonce="{nonce}"'
        f';alg="ed25519";tag="{TAG}"'
    )
    base = _signature_base(request.method, request.url, headers, _COVERED[with_body], parameters)
    headers.append(("signature-input", f"{_LABEL}={parameters}"))
    headers.append(("signature", f"{_LABEL}=:{b64encode(key.sign(base)).decode()}:"))
    return replace(request, headers=headers)


_SIGNATURE_HEADERS = {"content-digest", "signature-input", "signature"}


def verify_request(
    method: str,
    target_uri: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    keys: Callable[[str], PublicKey | None],
    now: datetime,
) -> VerifiedSignature:
    """Verifies a request as received. Raises `BadSignature`.

    `target_uri` is rebuilt from our own base address, header names are in lower case, and `body` has the exact bytes as
    sent. `keys` looks up a keyid among those of known peers and never uses the network.
    """
    verified = verify_head(method, target_uri, headers, keys, now, has_body=_has_body(method, body))
    if "content-digest" in _read_input(_single_header(headers, "signature-input")).covered:
        _refuse_digest(_single_header(headers, "content-digest"), body)
    return verified


def created_at(headers: Sequence[tuple[str, str]]) -> datetime | None:
    """The moment (UTC) at which a signature says that it was made; None if it cannot be read. It proves nothing."""
    try:
        numbers = _read_input(_single_header(headers, "signature-input")).numbers
        return _moment(numbers["created"])
    except (BadSignature, KeyError, ValueError, OverflowError, OSError):  # OSError: a year that no clock has
        return None


def verify_head(
    method: str,
    target_uri: str,
    headers: Sequence[tuple[str, str]],
    keys: Callable[[str], PublicKey | None],
    now: datetime,
    *,
    has_body: bool,
) -> VerifiedSignature:
    """Verifies a request before its body has come: it proves who sends it, and not yet what. Raises `BadSignature`."""
    _refuse_encoded(headers)
    signature_input = _read_input(_single_header(headers, "signature-input"))
    signature = _read_signature(_single_header(headers, "signature"), signature_input.label)
    _refuse_parameters(signature_input)
    _refuse_algorithm(signature_input)
    _refuse_tag(signature_input)
    _refuse_nonce(signature_input)
    key = _key_of(signature_input, keys, now)
    _refuse_times(signature_input, now)
    _refuse_coverage(signature_input, has_body)
    _refuse_components(signature_input)
    base = _signature_base(method, target_uri, headers, signature_input.covered, signature_input.params)
    _refuse_wrong_signature(key, signature, base)
    return VerifiedSignature(
        key.id,
        _moment(signature_input.numbers["created"]),
        _moment(signature_input.numbers["expires"]),
        signature_input.texts["nonce"],
    )


def _has_body(method: str, body: bytes) -> bool:
    return method not in ("GET", "HEAD") or bool(body)


def _single_header(headers: Sequence[tuple[str, str]], name: str) -> str:
    """The value of a header that must occur exactly once, since software differs on repeated lines."""
    values = [value for header, value in headers if header == name]
    if len(values) != 1:
        raise BadSignature("missing" if not values else "twice", f"{name} must come once")
    return _plain(name, values[0].strip(" \t"))


def _plain(name: str, value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise BadSignature("malformed", f"{name} holds more than printable ASCII")
    return value


def _refuse_encoded(headers: Sequence[tuple[str, str]]) -> None:
    """A compressed body would have two digests and no limit of its size."""
    if any(name == "content-encoding" for name, _ in headers):
        raise BadSignature("encoded", "Content-Encoding is not taken")


def _read_input(text: str) -> _SignatureInput:
    match = _INPUT.fullmatch(text)
    if match is None:
        raise BadSignature("malformed", "Signature-Input must hold one signature, in its plain spelling")
    label, signature_params, components, parameters = match.groups()
    values = _PARAMETER.findall(parameters)
    names = [name for name, _, _ in values]
    _refuse_repeated(names)
    return _SignatureInput(
        label,
        tuple(component.strip('"') for component in components.split()),
        {name: int(number) for name, number, _ in values if number},
        {name: text for name, number, text in values if not number},
        signature_params,
    )


def _refuse_repeated(names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise BadSignature("twice", "a parameter or component comes twice")


def _read_signature(text: str, label: str) -> bytes:
    match = _BYTES.fullmatch(text)
    if match is None:
        raise BadSignature("malformed", "Signature must hold one signature, in its plain spelling")
    _refuse_other_label(match[1], label)
    return _bytes(match[2])


def _refuse_other_label(label: str, expected: str) -> None:
    if label != expected:
        raise BadSignature("labels", "Signature and Signature-Input have different labels")


def _bytes(text: str) -> bytes:
    """Decodes base64 in its canonical spelling only: padded, without stray bits."""
    try:
        content = b64decode(text, validate=True)
    except binascii.Error:
        content = b""
    if b64encode(content).decode() != text:
        raise BadSignature("malformed", "not base64")
    return content


def _refuse_parameters(signature_input: _SignatureInput) -> None:
    if signature_input.numbers.keys() != {"created", "expires"} or signature_input.texts.keys() != _PARAMETERS - {
        "created",
        "expires",
    }:
        raise BadSignature("parameters", f"the parameters must be {', '.join(sorted(_PARAMETERS))}")


def _refuse_algorithm(signature_input: _SignatureInput) -> None:
    """The key determines the algorithm, and all keys are Ed25519; `alg` must not contradict that."""
    if signature_input.texts.get("alg") != "ed25519":
        raise BadSignature("algorithm", "alg must be ed25519")


def _refuse_tag(signature_input: _SignatureInput) -> None:
    if signature_input.texts["tag"] != TAG:
        raise BadSignature("tag", f"tag must be {TAG}")


def _refuse_nonce(signature_input: _SignatureInput) -> None:
    if not _NONCE.fullmatch(signature_input.texts["nonce"]):
        raise BadSignature("nonce", "the nonce must have 22 to 64 letters of base64url")


def _key_of(signature_input: _SignatureInput, keys: Callable[[str], PublicKey | None], now: datetime) -> PublicKey:
    key = keys(signature_input.texts["keyid"])
    if key is None:
        raise BadSignature("unknown_key", "keyid is of no known peer")
    _refuse_ended_key(key, now)
    return key


def _refuse_ended_key(key: PublicKey, now: datetime) -> None:
    if end_reason := key.end_reason(now):
        raise BadSignature(f"{end_reason}_key", f"the key is {end_reason}")


def _refuse_times(signature_input: _SignatureInput, now: datetime) -> None:
    created, expires = signature_input.numbers["created"], signature_input.numbers["expires"]
    if not created < expires <= created + LIFE:
        raise BadSignature("life", f"expires must be at most {LIFE} s after created")
    if created > now.timestamp() + SKEW:
        raise BadSignature("future", "created in the future")
    if now.timestamp() > expires + SKEW:
        raise BadSignature("expired", "the signature has expired")


def _refuse_coverage(signature_input: _SignatureInput, with_body: bool) -> None:
    if missing := set(_COVERED[with_body]) - set(signature_input.covered):
        raise BadSignature("coverage", f"not signed: {', '.join(sorted(missing))}")


def _refuse_components(signature_input: _SignatureInput) -> None:
    _refuse_repeated(signature_input.covered)
    if any(component.startswith("@") and component not in _DERIVED for component in signature_input.covered):
        raise BadSignature("components", f"the only derived components are {', '.join(sorted(_DERIVED))}")


def _refuse_digest(text: str, body: bytes) -> None:
    """Every digest in the header must have a known algorithm and match the body."""
    digests = text.split(", ")
    for digest in digests:
        match = _BYTES.fullmatch(digest)
        if match is None or match[1] not in _DIGESTS:
            raise BadSignature("digest", "Content-Digest must be sha-256 or sha-512")
        if _DIGESTS[match[1]](body).digest() != _bytes(match[2]):
            raise BadSignature("digest", "Content-Digest is not that of the body")
    _refuse_repeated([digest.partition("=")[0] for digest in digests])


def _signature_base(
    method: str, url: str, headers: Sequence[tuple[str, str]], covered: Sequence[str], signature_params: str
) -> bytes:
    """The signature base (RFC 9421, 2.5)."""
    derived = {"@method": _plain("@method", method), "@target-uri": _plain("@target-uri", url)}
    lines = [
        f'"{component}": {derived[component] if component in derived else _single_header(headers, component)}'
        for component in covered
    ]
    return "\n".join([*lines, f'"@signature-params": {signature_params}']).encode("ascii")


def _refuse_wrong_signature(key: PublicKey, signature: bytes, base: bytes) -> None:
    if not key.verifies(signature, base):
        raise BadSignature("wrong_signature", "the signature does not fit the request")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
