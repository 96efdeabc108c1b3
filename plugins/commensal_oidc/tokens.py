"""Checks an ID token as OpenID Connect Core 1.0, section 3.1.3.7, says."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from joserfc import jws, jwt
from joserfc.errors import JoseError

from commensal import Instance, issuer_key

from .settings import InstanceSettings

_LONGEST = 16_000  # characters
_LEEWAY = 60  # seconds that clocks may differ
_OLDEST = 600  # seconds since the token was made
_ALGORITHMS = ["RS256", "ES256"]


class NotProven(Exception):
    """The answer does not prove who somebody is. The text is for the operator's log."""


def verified_claims(instance: Instance, settings: InstanceSettings, token: str, nonce: str) -> Mapping[str, object]:
    """The claims of a token that the issuer has signed for this client and for this attempt. Raises `NotProven`."""
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
        _claim_rules(instance, settings).validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise NotProven(f"{type(error).__name__}: {error}") from error
    audience = claims["aud"]
    is_only_for_us = audience in (settings.client_id, [settings.client_id])
    if claims.get("azp", settings.client_id if is_only_for_us else "") != settings.client_id:
        raise NotProven("its token was made for another client")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise NotProven("its token was made for another attempt")
    return claims


def _claim_rules(instance: Instance, settings: InstanceSettings) -> jwt.JWTClaimsRegistry:
    now = int(instance.clock.now().timestamp())
    return _Rules(
        now=now,
        leeway=_LEEWAY,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True},
    )


class _Rules(jwt.JWTClaimsRegistry):
    def validate_iat(self, value: object) -> None:
        super().validate_iat(value)
        if not isinstance(value, int | float) or value < self.now - _OLDEST - _LEEWAY:
            raise ValueError("iat: this is an old token")
