"""Checks an ID token as OpenID Connect Core 1.0, section 3.1.3.7, says, and a logout token as Back-Channel Logout 1.0,
section 2.6."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwt import ClaimsOption

from commensal import Instance, issuer_key

from .settings import InstanceSettings

_LONGEST = 16_000  # characters
_LEEWAY = 60  # seconds that clocks may differ
_OLDEST = 600  # seconds since the token was made
_ALGORITHMS = ["RS256", "ES256"]
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, kw_only=True)
class EndedSession:
    """A session at the provider that has ended: whose, or which, or both; "": not said. `at` is in UTC."""

    subject: str
    session: str
    at: datetime


class NotProven(Exception):
    """The answer does not prove who somebody is. The text is for the operator's log."""


def verified_claims(instance: Instance, settings: InstanceSettings, token: str, nonce: str) -> Mapping[str, object]:
    """The claims of a token that the issuer has signed for this client and for this attempt. Raises `NotProven`."""
    claims = _signed_claims(instance, settings, token, _claim_rules(instance, settings, "nonce", "sub"))
    audience = claims["aud"]
    is_only_for_us = audience in (settings.client_id, [settings.client_id])
    if claims.get("azp", settings.client_id if is_only_for_us else "") != settings.client_id:
        raise NotProven("its token was made for another client")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise NotProven("its token was made for another attempt")
    return claims


def ended_session(instance: Instance, settings: InstanceSettings, token: str) -> EndedSession:
    """What a logout token says that has ended, if the issuer has signed it for this client lately, and it is one
    (OpenID Connect Back-Channel Logout 1.0, section 2.6): an ID token is none. Raises `NotProven`."""
    claims = _signed_claims(instance, settings, token, _claim_rules(instance, settings, "jti", "events"))
    events = claims["events"]
    if "nonce" in claims or not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict):
        raise NotProven("its token is not a logout token")
    subject, session = (claims.get(name, "") for name in ("sub", "sid"))
    if not (isinstance(subject, str) and isinstance(session, str) and (subject or session)):
        raise NotProven("its logout token names neither a user nor a session")
    return EndedSession(subject=subject, session=session, at=datetime.fromtimestamp(claims["iat"], UTC))


def _signed_claims(
    instance: Instance, settings: InstanceSettings, token: str, rules: jwt.JWTClaimsRegistry
) -> Mapping[str, Any]:
    if len(token) > _LONGEST:
        raise NotProven("its token is too long")
    try:
        header = jws.extract_compact(token.encode()).headers()
        if header.get("alg") not in _ALGORITHMS:
            raise NotProven(f"its token is signed by {header.get('alg')!r:.20}, not by {' or '.join(_ALGORITHMS)}")
        key = issuer_key(instance, settings.issuer, str(header.get("kid", "")))
        if key is None:
            raise NotProven("no key of the issuer has signed its token")
        claims = jwt.decode(token, key, algorithms=_ALGORITHMS).claims
        rules.validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise NotProven(f"{type(error).__name__}: {error}") from error
    return claims


def _claim_rules(instance: Instance, settings: InstanceSettings, *essential: str) -> jwt.JWTClaimsRegistry:
    now = int(instance.clock.now().timestamp())
    return _Rules(
        now=now,
        leeway=_LEEWAY,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.client_id},
        exp={"essential": True},
        iat={"essential": True},
        **{name: ClaimsOption(essential=True) for name in essential},
    )


class _Rules(jwt.JWTClaimsRegistry):
    def validate_iat(self, value: object) -> None:
        super().validate_iat(value)
        if not isinstance(value, int | float) or value < self.now - _OLDEST - _LEEWAY:
            raise ValueError("iat: this is an old token")
