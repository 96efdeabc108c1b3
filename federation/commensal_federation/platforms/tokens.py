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
from .accounts import account_id, known_accounts

_LONGEST = 16_000  # characters
_LEEWAY = 30  # seconds that clocks may differ
_ALGORITHMS = ["RS256", "ES256"]


def recognise(instance: Instance, token: str) -> str | None:
    """The caller's ids, which `identities` takes apart; None if the token is not a JWT: it may then be one of ours.

    Raises `Unauthorised` for a JWT of an untrusted issuer, for another audience, expired, or with a wrong signature.
    """
    if token.count(".") != 2:
        return None
    settings = federation_of(instance).settings
    try:
        claims = _verified_claims(instance, settings, token)
    except (JoseError, ValueError, TypeError, msgspec.DecodeError) as error:
        raise _invalid() from error
    with instance.store.read() as tx:
        ids = [*_platform(settings, claims), *known_accounts(tx, _account_ids(claims))]
    if not ids:
        raise Unauthorised("no_platform", "This platform is not known here.")
    return " ".join(ids)


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


def _platform(settings: FederationSettings, claims: dict[str, object]) -> list[str]:
    """The platform that stands in the settings for the account of the token, else the one for all its accounts; none if
    there is none."""
    client_ids = _clients(claims)
    platforms = {
        platform.account: platform.id
        for platform in settings.platforms
        if platform.issuer == claims["iss"] and client_ids == {platform.client or platform.id}
    }
    for account in (*_accounts(claims), ""):
        if account in platforms:
            return [platforms[account]]
    return []


def _account_ids(claims: dict[str, object]) -> list[str]:
    """The ids of the accounts that an owner may have named and the token is of, the most general one first."""
    clients = _clients(claims)
    if len(clients) != 1:
        return []
    (client,) = clients
    return [account_id(str(claims["iss"]), client, account) for account in ("", *_accounts(claims))]


def _clients(claims: dict[str, object]) -> set[str]:
    return {str(claims[name]) for name in ("client_id", "azp") if claims.get(name)}


def _accounts(claims: dict[str, object]) -> list[str]:
    """The names of the account that the issuer vouches for: an e-mail address only if the issuer has verified it, a
    WebID by its own claim (Solid-OIDC), and a subject only if it does not look like an e-mail address."""
    subject, webid = str(claims.get("sub", "")), str(claims.get("webid", ""))
    email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
    candidates = (
        (subject, "@" not in subject),
        (webid, webid.startswith("https://")),
        (email, "@" in email and "://" not in email),
    )
    return [name for name, is_fit in candidates if name and is_fit]


def _part(text: str) -> dict[str, object]:
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise _invalid() from None
    return msgspec.json.decode(content, type=dict[str, object])


def _invalid() -> Unauthorised:
    return Unauthorised("token", "This token is not valid (any more).")
