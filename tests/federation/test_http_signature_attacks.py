"""Attacks on signed requests. Each is refused, and each would succeed without its defence.

The numbers are those of the list of attacks in federation/ATTACKS.md; the sources are named there.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import md5, sha256
from typing import Any

import pytest

from commensal_federation.signing import (
    BadKey,
    BadSignature,
    PublicKey,
    SigningKey,
    VerifiedSignature,
    http_signature,
    keys,
    sign_request,
)
from commensal_federation.signing.http_signature import TAG, verify_request
from commensal_federation.signing.keys import to_multibase
from commensal_federation.transport import Request

NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
KEY = SigningKey.generate("https://hub-a.example/.well-known/commensal#k1")
NONCE = "bm9uY2Utb2YtMTI4LWJpdA"
INBOX = "https://hub-b.example/-/federation/inbox?try=2"
FULL = '("@method" "@target-uri" "content-type" "content-digest")'
BODY = b'{"a":1}'
GENUINE = sign_request(Request("POST", INBOX, [("content-type", "application/ld+json")], BODY), KEY, NOW, NONCE)
AT = int(NOW.timestamp())


def do_nothing(*_: Any) -> None:
    """Replaces a check, to show that the attack succeeds without it."""


@dataclass(frozen=True)
class Attack:
    """`defences` are the functions of `http_signature` that stop the attack, with their replacements."""

    number: int
    name: str
    request: Request
    code: str
    defences: Mapping[str, Any]
    known: Callable[[str], PublicKey | None] = field(default={KEY.id: KEY.public}.get)
    now: datetime = NOW

    def __str__(self) -> str:
        return f"{self.number}-{self.name.replace(' ', '-')}"

    def run(self) -> VerifiedSignature:
        request = self.request
        return verify_request(request.method, request.url, request.headers, request.body, self.known, self.now)


def with_headers(request: Request = GENUINE, **headers: str) -> Request:
    """Returns the request with other values of headers; an empty value removes a header, an unknown name adds one."""
    changes = {name.replace("_", "-"): value for name, value in headers.items()}
    changed_headers = [(name, changes.pop(name, value)) for name, value in request.headers]
    return replace(request, headers=[(name, value) for name, value in [*changed_headers, *changes.items()] if value])


def malformed_request(
    covered: str = FULL,
    *,
    created: object = AT,
    expires: object = AT + 300,
    nonce: str = f'"{NONCE}"',
    alg: str = '"ed25519"',
    tag: str = f'"{TAG}"',
    digest: str = "",
    url: str = INBOX,
    more: str = "",
    headers: Sequence[tuple[str, str]] = (),
    lines: str = "",
) -> Request:
    """Returns a request that a known peer's key has signed, but not as the profile requires."""
    digest = digest or digest_of("sha-256", sha256, BODY)
    sent = [("content-type", "application/ld+json"), ("content-digest", digest), *headers]
    values = {"created": created, "expires": expires, "keyid": f'"{KEY.id}"', "nonce": nonce, "alg": alg, "tag": tag}
    parameters = covered + "".join(f";{name}={value}" for name, value in values.items() if value) + more
    components = {"@method": "POST", "@target-uri": url, **dict(sent)}
    names = re.findall(r'"([^"]+)"', lines or covered)
    base = "".join(f'"{name}": {components.get(name) or components[name.lower()]}\n' for name in names)
    signature = KEY.sign(f'{base}"@signature-params": {parameters}'.encode())
    sent += [("signature-input", f"fed={parameters}"), ("signature", f"fed=:{b64encode(signature).decode()}:")]
    return Request("POST", url, sent, BODY)


def digest_of(name: str, function: Callable[..., Any], body: bytes) -> str:
    return f"{name}=:{b64encode(function(body).digest()).decode()}:"


def fill_in(read: Any) -> None:
    """Replaces a reader: fills in missing parameters."""
    read.numbers.setdefault("created", 0)
    read.numbers.setdefault("expires", 2**31)


class TakesTheLast:
    """A reader of lists that accepts the last of several signatures."""

    def __init__(self, strict: re.Pattern[str]) -> None:
        self.strict = strict

    def fullmatch(self, text: str) -> Any:
        return self.strict.fullmatch(text.split(", ")[-1])


class LooksAway:
    """A reader that drops what it does not understand of components before it matches."""

    def __init__(self, strict: re.Pattern[str], ignored: str, case: bool = False) -> None:
        self.strict, self.dropped, self.case = strict, ignored, case

    def fullmatch(self, text: str) -> Any:
        components, end, rest = text.partition(")")
        match = self.strict.fullmatch(
            (components.lower() if self.case else components).replace(self.dropped, "") + end + rest
        )
        return match and Groups(*match.groups()[:1], text.partition("=")[2], *match.groups()[2:])


class Groups(tuple[str, ...]):
    def __new__(cls, *groups: str) -> Groups:
        return super().__new__(cls, groups)

    def groups(self) -> tuple[str, ...]:
        return tuple(self)


def last_line(headers: Sequence[tuple[str, str]], name: str) -> str:
    return [value for header, value in headers if header == name][-1]


FITS = {"_refuse_wrong_signature": do_nothing}
TIMES = {"_refuse_times": do_nothing}
PARAMETERS = {"_refuse_parameters": fill_in, "_refuse_times": do_nothing}
LISTS = {"_INPUT": TakesTheLast(http_signature._INPUT), "_BYTES": TakesTheLast(http_signature._BYTES)}
INPUT, SIGNATURE, DIGEST = (dict(GENUINE.headers)[name] for name in ("signature-input", "signature", "content-digest"))
OTHER_BODY = replace(GENUINE, body=b'{"a":2}')
weak = partial(md5, usedforsecurity=False)


ATTACKS = [
    Attack(1, "body changed under a valid signature", OTHER_BODY, "digest", {"_refuse_digest": do_nothing}),
    Attack(
        1,
        "body and digest changed",
        with_headers(OTHER_BODY, content_digest=digest_of("sha-256", sha256, OTHER_BODY.body)),
        "wrong_signature",
        FITS,
    ),
    Attack(2, "nothing is signed", malformed_request("()"), "coverage", {"_refuse_coverage": do_nothing}),
    Attack(
        2, "only the method is signed", malformed_request('("@method")'), "coverage", {"_refuse_coverage": do_nothing}
    ),
    Attack(
        2,
        "a digest that is not signed",
        replace(malformed_request('("@method" "@target-uri" "content-type")'), body=b"{}"),
        "coverage",
        {"_refuse_coverage": do_nothing},
    ),
    Attack(
        3,
        "sent to another hub",
        replace(GENUINE, url="https://hub-c.example/-/federation/inbox?try=2"),
        "wrong_signature",
        FITS,
    ),
    Attack(
        3,
        "the address is not signed",
        replace(malformed_request('("@method" "content-type" "content-digest")'), url="https://hub-c.example/"),
        "coverage",
        {"_refuse_coverage": do_nothing},
    ),
    Attack(3, "another method", replace(GENUINE, method="PUT"), "wrong_signature", FITS),
    Attack(4, "kept too long", GENUINE, "expired", TIMES, now=NOW + timedelta(seconds=361)),
    Attack(4, "from the future", GENUINE, "future", TIMES, now=NOW - timedelta(seconds=61)),
    Attack(4, "valid for a day", malformed_request(expires=AT + 86_400), "life", TIMES),
    Attack(4, "ends before it begins", malformed_request(expires=AT), "life", TIMES),
    Attack(4, "without an end", malformed_request(expires=""), "parameters", PARAMETERS),
    Attack(4, "without a beginning", malformed_request(created=""), "parameters", PARAMETERS),
    Attack(5, "another nonce", with_headers(signature_input=INPUT.replace(NONCE, "x" * 22)), "wrong_signature", FITS),
    Attack(5, "a nonce that is soon guessed", malformed_request(nonce='"7"'), "nonce", {"_refuse_nonce": do_nothing}),
    Attack(
        6,
        "one label twice",
        with_headers(signature_input=f"fed=(), {INPUT}", signature=f"fed=:AAAA:, {SIGNATURE}"),
        "malformed",
        LISTS,
    ),
    Attack(
        6,
        "two signatures with our tag",
        with_headers(signature_input=f"x{INPUT}, {INPUT}", signature=f"x{SIGNATURE}, {SIGNATURE}"),
        "malformed",
        LISTS,
    ),
    Attack(
        6,
        "a header line twice",
        replace(GENUINE, headers=[("content-type", "text/html"), *GENUINE.headers]),
        "twice",
        {"_single_header": last_line},
    ),
    Attack(
        6,
        "a signature under another label",
        with_headers(signature=f"x{SIGNATURE}"),
        "labels",
        {"_refuse_other_label": do_nothing},
    ),
    Attack(
        6,
        "a parameter twice",
        malformed_request(more=f";expires={AT + 200}"),
        "twice",
        {"_refuse_repeated": do_nothing},
    ),
    Attack(
        6,
        "a component twice",
        malformed_request(FULL.replace(")", ' "content-type")')),
        "twice",
        {"_refuse_repeated": do_nothing},
    ),
    Attack(
        7,
        "capital letters beside the digest",
        malformed_request(FULL.replace("content-digest", "Content-Digest"), lines=FULL),
        "malformed",
        {"_INPUT": LooksAway(http_signature._INPUT, "", case=True)},
    ),
    Attack(
        7,
        "a parameter of a component",
        malformed_request(FULL.replace('type"', 'type";req'), lines=FULL),
        "malformed",
        {"_INPUT": LooksAway(http_signature._INPUT, ";req")},
    ),
    Attack(
        7,
        "an unknown derived component",
        malformed_request(FULL.replace(")", ' "@authority")'), headers=[("@authority", "hub-c.example")]),
        "components",
        {"_refuse_components": do_nothing},
    ),
    Attack(
        8,
        "hmac with the public key",
        malformed_request(alg='"hmac-sha256"'),
        "algorithm",
        {"_refuse_algorithm": do_nothing},
    ),
    Attack(8, "rsa", malformed_request(alg='"rsa-pss-sha512"'), "algorithm", {"_refuse_algorithm": do_nothing}),
    Attack(
        8,
        "no algorithm",
        malformed_request(alg=""),
        "parameters",
        {"_refuse_parameters": do_nothing, "_refuse_algorithm": do_nothing},
    ),
    Attack(8, "made for something else", malformed_request(tag='"cavage"'), "tag", {"_refuse_tag": do_nothing}),
    Attack(10, "query dropped", replace(GENUINE, url=INBOX.partition("?")[0]), "wrong_signature", FITS),
    Attack(10, "query added", replace(GENUINE, url=INBOX + "&admin=1"), "wrong_signature", FITS),
    Attack(11, "compressed", with_headers(content_encoding="gzip"), "encoded", {"_refuse_encoded": do_nothing}),
    Attack(
        11,
        "digest of a weak kind",
        malformed_request(digest=digest_of("md5", weak, BODY)),
        "digest",
        {"_DIGESTS": {"md5": weak}},
    ),
    Attack(
        11,
        "digest of an unknown kind only",
        malformed_request(digest="unixsum=:AAAA:"),
        "digest",
        {"_refuse_digest": do_nothing},
    ),
    Attack(
        11,
        "a right digest beside a wrong one",
        malformed_request(digest=f"{DIGEST}, sha-512=:AAAA:"),
        "digest",
        {"_refuse_digest": do_nothing},
    ),
    Attack(
        16,
        "a revoked key",
        GENUINE,
        "revoked_key",
        {"_refuse_ended_key": do_nothing},
        known=lambda _: replace(KEY.public, revoked_at=NOW),
    ),
    Attack(
        16,
        "an expired key",
        GENUINE,
        "expired_key",
        {"_refuse_ended_key": do_nothing},
        known=lambda _: replace(KEY.public, expires=NOW - timedelta(days=1)),
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_attack_is_refused(attack: Attack) -> None:
    with pytest.raises(BadSignature) as refused:
        attack.run()

    assert refused.value.code == attack.code


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_without_its_defence_the_attack_would_succeed(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, replacement in attack.defences.items():
        monkeypatch.setattr(http_signature, name, replacement)

    assert attack.run().keyid == KEY.id


# ------------------------------------------------------------------------------------------------ 8, 9: who, and where


def test_8_a_key_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    x25519 = PublicKey(KEY.id, to_multibase(b"\xec\x01" + KEY.private.public_key().public_bytes_raw()))
    with pytest.raises(BadKey):
        x25519.check()

    monkeypatch.setattr(keys, "_PUBLIC", b"\xec\x01")
    assert x25519.check()


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_9_a_header_cannot_say_whom_a_request_was_for(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request for hub B that reaches hub C with a header that names B."""
    misdirected = replace(GENUINE, headers=[(header, "hub-b.example"), *GENUINE.headers])

    def at_hub_c() -> VerifiedSignature:
        url = http_signature.target_uri("https://hub-c.example", b"/-/federation/inbox", b"try=2")
        return verify_request("POST", url, misdirected.headers, misdirected.body, {KEY.id: KEY.public}.get, NOW)

    with pytest.raises(BadSignature, match="wrong_signature"):
        at_hub_c()
    header_value = dict(misdirected.headers)[header]
    monkeypatch.setattr(
        http_signature, "target_uri", lambda _, path, query: f"https://{header_value}{path.decode()}?{query.decode()}"
    )
    assert at_hub_c()


def test_5_the_same_request_twice_shows_the_same_nonce() -> None:
    """The caller stores the nonce: see the tests of the inbox."""
    results = [Attack(5, "", GENUINE, "", {}).run() for _ in range(2)]

    assert results[0] == results[1]


# ------------------------------------------------------------------------------------------------ keys of small order


def test_a_key_that_signs_many_messages_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point of small order: one "signature" fits about every eighth message, so it proves none."""
    identity, forged = bytes([1]) + bytes(31), 0
    for point in keys._SMALL_ORDER:
        for sign in (0, 0x80):
            weak = PublicKey(KEY.id, to_multibase(b"\xed\x01" + point[:31] + bytes([point[31] | sign])))
            with pytest.raises(BadKey):
                weak.check()
            with monkeypatch.context() as off:
                off.setattr(keys, "_refuse_small_order", do_nothing)
                try:
                    forged += any(weak.verifies(identity + bytes(32), b"message %d" % number) for number in range(64))
                except ValueError:
                    continue  # this library cannot read that encoding at all
    assert forged >= 4
