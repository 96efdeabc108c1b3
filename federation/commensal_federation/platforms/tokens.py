"""Identifies a platform by its bearer token, which an issuer that the operator trusts signed for this instance.

Tokens are JWTs (RFC 7519, RFC 9068) signed by RS256 or ES256. `iss`, `aud` and `exp` must be there and right; the
platform is the `client_id`, or the `azp`.
"""

from __future__ import annotations

import base64
import binascii

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from commensal import Instance, Unauthorised, issuer_key

from ..runtime import federation_of
from ..settings import FederationSettings, OidcIssuer

_LONGEST = 16_000  # characters
_LEEWAY = 30  # seconds that clocks may differ
_ALGORITHMS = ["RS256", "ES256"]


def recognise(instance: Instance, token: str) -> str | None:
    """The platform's id; None if the token is no JWT, since it may then be a token of this instance.

    Raises `Unauthorised` for a JWT of an untrusted issuer, for another audience, expired, or with a wrong signature.
    """
    if token.count(".") != 2:
        return None
    settings = federation_of(instance).settings
    try:
        return _platform(settings, _verified_claims(instance, settings, token))
    except (JoseError, ValueError, TypeError, msgspec.DecodeError) as error:
        raise _invalid() from error


def _verified_claims(instance: Instance, settings: FederationSettings, token: str) -> dict[str, object]:
    if len(token) > _LONGEST:
        raise _invalid()
    parts = [_part(text) for text in token.split(".")[:2]]
    issuer = next((trusted for trusted in settings.oidc_issuers if trusted.issuer == parts[1].get("iss")), None)
    if issuer is None or parts[0].get("alg") not in _ALGORITHMS:
        raise _invalid()
    key = issuer_key(instance, issuer.issuer, str(parts[0].get("kid", "")), jwks=issuer.jwks)
    if key is None:
        raise _invalid()
    claims = jwt.decode(token, key, algorithms=_ALGORITHMS).claims
    _claim_rules(instance, issuer).validate(claims)
    return claims


def _claim_rules(instance: Instance, issuer: OidcIssuer) -> jwt.JWTClaimsRegistry:
    audience = issuer.audience or instance.settings.base_url.rstrip("/")
    return jwt.JWTClaimsRegistry(
        now=int(instance.clock.now().timestamp()),
        leeway=_LEEWAY,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )


def _platform(settings: FederationSettings, claims: dict[str, object]) -> str:
    """The platform that stands in the settings for the account of the token, else the one for all its accounts."""
    client_ids = {str(claims[name]) for name in ("client_id", "azp") if claims.get(name)}
    platforms = {
        platform.account: platform.id
        for platform in settings.platforms
        if platform.issuer == claims["iss"] and client_ids == {platform.client or platform.id}
    }
    for account in (*_accounts(claims), ""):
        if account in platforms:
            return platforms[account]
    raise Unauthorised("no_platform", "This platform is not known here.")


def _accounts(claims: dict[str, object]) -> list[str]:
    """The names of the account that the issuer vouches for: an e-mail address only if the issuer has verified it, and a
    subject only if it does not look like one."""
    subject = str(claims.get("sub", ""))
    email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
    return [name for name, is_email in ((subject, False), (email, True)) if name and ("@" in name) == is_email]


def _part(text: str) -> dict[str, object]:
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise _invalid() from None
    return msgspec.json.decode(content, type=dict[str, object])


def _invalid() -> Unauthorised:
    return Unauthorised("token", "This token is not valid (any more).")
