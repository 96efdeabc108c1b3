"""Whose a bearer token is: a platform's, when an issuer that the operator trusts has signed it for this instance.

Tokens are JWTs (RFC 7519, RFC 9068) signed by RS256 or ES256. `iss`, `aud` and `exp` must be there and right; the
platform is the `client_id`, or the `azp`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from commensal import Instance, Unauthorised

from ..runtime import federation_of
from ..settings import FederationSettings, OidcIssuer
from .keys import key_of

_LONGEST = 16_000  # characters
_LEEWAY = 30  # seconds that clocks may differ
_ALGORITHMS = ["RS256", "ES256"]


def recognise(instance: Instance, token: str) -> str | None:
    """The platform's id, or None for what is no JWT: then it may be a token of this instance.

    Raises `Unauthorised` for a JWT of nobody who is trusted, that is not for us, is over, or is not signed as it says.
    """
    if token.count(".") != 2:
        return None
    settings = federation_of(instance).settings
    try:
        return _platform(settings, _verified(instance, settings, token))
    except (JoseError, ValueError, TypeError, msgspec.DecodeError) as error:
        raise _invalid() from error


def _verified(instance: Instance, settings: FederationSettings, token: str) -> dict[str, Any]:
    if len(token) > _LONGEST:
        raise _invalid()
    said = [_part(one) for one in token.split(".")[:2]]
    issuer = next((one for one in settings.oidc_issuers if one.issuer == said[1].get("iss")), None)
    if issuer is None or said[0].get("alg") not in _ALGORITHMS:
        raise _invalid()
    key = key_of(instance, issuer, str(said[0].get("kid", "")))
    if key is None:
        raise _invalid()
    claims = jwt.decode(token, key, algorithms=_ALGORITHMS).claims
    _expected(instance, issuer).validate(claims)
    return claims


def _expected(instance: Instance, issuer: OidcIssuer) -> jwt.JWTClaimsRegistry:
    audience = issuer.audience or instance.settings.base_url.rstrip("/")
    return jwt.JWTClaimsRegistry(
        now=int(instance.clock.now().timestamp()),
        leeway=_LEEWAY,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )


def _platform(settings: FederationSettings, claims: dict[str, Any]) -> str:
    named = {str(claims[name]) for name in ("client_id", "azp") if claims.get(name)}
    for one in settings.platforms:
        if one.issuer == claims["iss"] and named == {one.client or one.id}:
            return one.id
    raise Unauthorised("no_platform", "This platform is not known here.")


def _part(text: str) -> dict[str, Any]:
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise _invalid() from None
    return msgspec.json.decode(content, type=dict[str, Any])


def _invalid() -> Unauthorised:
    return Unauthorised("token", "This token is not valid (any more).")
