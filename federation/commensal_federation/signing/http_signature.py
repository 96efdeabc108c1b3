"""Who is calling now: HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530), in one narrow profile.

    Content-Digest: sha-256=:…:
    Signature-Input: fed=("@method" "@target-uri" "content-type" "content-digest");created=…;expires=…;
        keyid="https://hub.example/.well-known/commensal#k1";nonce="…";alg="ed25519";tag="commensal-fed-1"
    Signature: fed=:…:

One signature, Ed25519, over at least these components (a GET without a body: "@method" "@target-uri" "accept"), for
five minutes at most, with a nonce that the caller of `verify_request` remembers until `expires` and a minute. What is
signed is compared as it was sent; no header but those that are signed has any say.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256, sha512

from ..transport import Request
from .keys import PublicKey, SigningKey

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

# Of structured fields (RFC 8941) only what the profile needs, and only in the one spelling that a serializer gives:
# so the text that came is the text that was signed.
_COMPONENT = r'"[a-z@][a-z0-9@-]*"'
_TEXT = r'"[!#-\[\]-~]{0,500}"'
_INPUT = re.compile(
    rf"([a-z][a-z0-9_-]*)=(\(((?:{_COMPONENT}(?: {_COMPONENT})*)?)\)((?:;[a-z]+=(?:0|[1-9][0-9]{{0,14}}|{_TEXT}))*))"
)
_PARAMETER = re.compile(r';([a-z]+)=(?:([0-9]+)|"([^"]*)")')
_BYTES = re.compile(r"([a-z][a-z0-9_-]*)=:([A-Za-z0-9+/]+={0,2}):")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")  # 128 bits and more
_VALUE = re.compile(r"[ -~]*")


class BadSignature(Exception):
    """Not signed by whom it names, or not so that it counts. `code` is for programs, `text` for operators."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


@dataclass(frozen=True)
class Verified:
    """A request whose signature holds. `nonce` must be new for this `keyid` until `expires` and `SKEW` seconds."""

    keyid: str
    created: datetime
    expires: datetime
    nonce: str


@dataclass(frozen=True)
class _Input:
    label: str
    covered: tuple[str, ...]
    numbers: Mapping[str, int]
    texts: Mapping[str, str]
    said: str  # the value of "@signature-params"


def target_uri(base: str, path: bytes, query: bytes) -> str:
    """The address that was called, by our own name for ourselves: Host and X-Forwarded-* are anybody's to write.

    `path` and `query` are as they were sent (ASGI: `raw_path`, `query_string`).
    """
    return base + path.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")


def sign_request(request: Request, key: SigningKey, now: datetime, nonce: str) -> Request:
    """The request with its signature, for `LIFE` seconds. It must have a content-type, or accept where it has no body.

    `nonce` is random and of 128 bits at least, in base64url.
    """
    with_body = _has_body(request.method, request.body)
    headers = [(name, value) for name, value in request.headers if name not in _OURS]
    if with_body:
        headers.append(("content-digest", f"sha-256=:{b64encode(sha256(request.body).digest()).decode()}:"))
    created = int(now.timestamp())
    covered = " ".join(f'"{one}"' for one in _COVERED[with_body])
    said = (
        f'({covered});created={created};expires={created + LIFE};keyid="{key.id}";nonce="{nonce}"'
        f';alg="ed25519";tag="{TAG}"'
    )
    base = _signature_base(request.method, request.url, headers, _COVERED[with_body], said)
    headers.append(("signature-input", f"{_LABEL}={said}"))
    headers.append(("signature", f"{_LABEL}=:{b64encode(key.sign(base)).decode()}:"))
    return replace(request, headers=headers)


_OURS = {"content-digest", "signature-input", "signature"}


def verify_request(
    method: str,
    target_uri: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    keys: Callable[[str], PublicKey | None],
    now: datetime,
) -> Verified:
    """Checks a request as it came. Raises `BadSignature`.

    `target_uri` is rebuilt from our own base address, header names are in lower case, and `body` is what was sent,
    byte for byte. `keys` looks a keyid up among those of known peers, and never asks the network.
    """
    _refuse_encoded(headers)
    read = _read_input(_one(headers, "signature-input"))
    signature = _read_signature(_one(headers, "signature"), read.label)
    _refuse_parameters(read)
    _refuse_algorithm(read)
    _refuse_tag(read)
    _refuse_nonce(read)
    key = _key_of(read, keys, now)
    _refuse_times(read, now)
    _refuse_coverage(read, _has_body(method, body))
    _refuse_components(read)
    if "content-digest" in read.covered:
        _refuse_digest(_one(headers, "content-digest"), body)
    base = _signature_base(method, target_uri, headers, read.covered, read.said)
    _refuse_wrong_signature(key, signature, base)
    return Verified(key.id, _moment(read.numbers["created"]), _moment(read.numbers["expires"]), read.texts["nonce"])


def _has_body(method: str, body: bytes) -> bool:
    return method not in ("GET", "HEAD") or bool(body)


def _one(headers: Sequence[tuple[str, str]], name: str) -> str:
    """A header that comes exactly once: who joins two lines, and who takes the last, would not agree."""
    found = [value for known, value in headers if known == name]
    if len(found) != 1:
        raise BadSignature("missing" if not found else "twice", f"{name} must come once")
    return _plain(name, found[0].strip(" \t"))


def _plain(name: str, value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise BadSignature("malformed", f"{name} holds more than printable ASCII")
    return value


def _refuse_encoded(headers: Sequence[tuple[str, str]]) -> None:
    """What is compressed has two digests, and no limit."""
    if any(name == "content-encoding" for name, _ in headers):
        raise BadSignature("encoded", "Content-Encoding is not taken")


def _read_input(text: str) -> _Input:
    found = _INPUT.fullmatch(text)
    if found is None:
        raise BadSignature("malformed", "Signature-Input must hold one signature, in its plain spelling")
    label, said, components, parameters = found.groups()
    read = _PARAMETER.findall(parameters)
    names = [name for name, _, _ in read]
    _refuse_repeated(names)
    return _Input(
        label,
        tuple(one.strip('"') for one in components.split()),
        {name: int(number) for name, number, _ in read if number},
        {name: text for name, number, text in read if not number},
        said,
    )


def _refuse_repeated(names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise BadSignature("twice", "a parameter or component comes twice")


def _read_signature(text: str, label: str) -> bytes:
    found = _BYTES.fullmatch(text)
    if found is None:
        raise BadSignature("malformed", "Signature must hold one signature, in its plain spelling")
    _refuse_other_label(found[1], label)
    return _bytes(found[2])


def _refuse_other_label(one: str, other: str) -> None:
    if one != other:
        raise BadSignature("labels", "Signature and Signature-Input have different labels")


def _bytes(text: str) -> bytes:
    """Base64 in the one spelling of its content: no stray bits, padded."""
    try:
        content = b64decode(text, validate=True)
    except binascii.Error:
        content = b""
    if b64encode(content).decode() != text:
        raise BadSignature("malformed", "not base64")
    return content


def _refuse_parameters(read: _Input) -> None:
    if read.numbers.keys() != {"created", "expires"} or read.texts.keys() != _PARAMETERS - {"created", "expires"}:
        raise BadSignature("parameters", f"the parameters must be {', '.join(sorted(_PARAMETERS))}")


def _refuse_algorithm(read: _Input) -> None:
    """The key decides how it signs, and ours sign in one way only; a sender that thinks otherwise is mistaken."""
    if read.texts.get("alg") != "ed25519":
        raise BadSignature("algorithm", "alg must be ed25519")


def _refuse_tag(read: _Input) -> None:
    if read.texts["tag"] != TAG:
        raise BadSignature("tag", f"tag must be {TAG}")


def _refuse_nonce(read: _Input) -> None:
    if not _NONCE.fullmatch(read.texts["nonce"]):
        raise BadSignature("nonce", "the nonce must have 22 to 64 letters of base64url")


def _key_of(read: _Input, keys: Callable[[str], PublicKey | None], now: datetime) -> PublicKey:
    key = keys(read.texts["keyid"])
    if key is None:
        raise BadSignature("unknown_key", "keyid is of no known peer")
    _refuse_key_at_its_end(key, now)
    return key


def _refuse_key_at_its_end(key: PublicKey, now: datetime) -> None:
    if over := key.over(now):
        raise BadSignature(f"{over}_key", f"the key is {over}")


def _refuse_times(read: _Input, now: datetime) -> None:
    created, expires = read.numbers["created"], read.numbers["expires"]
    if not created < expires <= created + LIFE:
        raise BadSignature("life", f"expires must be at most {LIFE} s after created")
    if created > now.timestamp() + SKEW:
        raise BadSignature("future", "created in the future")
    if now.timestamp() > expires + SKEW:
        raise BadSignature("expired", "the signature has expired")


def _refuse_coverage(read: _Input, with_body: bool) -> None:
    if missing := set(_COVERED[with_body]) - set(read.covered):
        raise BadSignature("coverage", f"not signed: {', '.join(sorted(missing))}")


def _refuse_components(read: _Input) -> None:
    _refuse_repeated(read.covered)
    if any(one.startswith("@") and one not in _DERIVED for one in read.covered):
        raise BadSignature("components", f"the only derived components are {', '.join(sorted(_DERIVED))}")


def _refuse_digest(text: str, body: bytes) -> None:
    """Every digest that is named must be known, and must be the body's."""
    named = text.split(", ")
    for one in named:
        found = _BYTES.fullmatch(one)
        if found is None or found[1] not in _DIGESTS:
            raise BadSignature("digest", "Content-Digest must be sha-256 or sha-512")
        if _DIGESTS[found[1]](body).digest() != _bytes(found[2]):
            raise BadSignature("digest", "Content-Digest is not that of the body")
    _refuse_repeated([one.partition("=")[0] for one in named])


def _signature_base(
    method: str, url: str, headers: Sequence[tuple[str, str]], covered: Sequence[str], said: str
) -> bytes:
    """RFC 9421, 2.5."""
    derived = {"@method": _plain("@method", method), "@target-uri": _plain("@target-uri", url)}
    lines = [f'"{one}": {derived[one] if one in derived else _one(headers, one)}' for one in covered]
    return "\n".join([*lines, f'"@signature-params": {said}']).encode("ascii")


def _refuse_wrong_signature(key: PublicKey, signature: bytes, base: bytes) -> None:
    if not key.fits(signature, base):
        raise BadSignature("wrong_signature", "the signature does not fit the request")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
