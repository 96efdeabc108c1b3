"""Public keys of OIDC issuers: fetched by the guarded HTTP client and cached for an hour.

A token with an unknown key id causes a new fetch, so an issuer may change its keys at any time; but at most one every
five minutes, whatever strangers send.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from commensal import Instance, http_client

from ..settings import OidcIssuer

_AGAIN = timedelta(minutes=5)  # between two attempts
_FRESH = timedelta(hours=1)  # then keys are fetched again, so that withdrawn keys are forgotten
_USABLE = timedelta(days=1)  # cached keys stay valid this long if the issuer does not answer
_SECONDS, _SIZE = 5.0, 256 * 1024
_MOST = 50  # keys
_LEAST_BITS = 2048  # of RSA: RFC 7518, section 3.3
_KINDS: dict[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}

Key = RSAKey | ECKey


@dataclass
class IssuerKeys:
    """This process's cache of one issuer's keys, by key id."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: dict[str, Key] = field(default_factory=dict)
    tried_at: datetime | None = None
    fetched_at: datetime | None = None


def issuer_key(instance: Instance, issuer: OidcIssuer, kid: str) -> Key | None:
    """The issuer's key with that id, or its only key if the token names none; None if there is none."""
    cache = _cache_of(instance, issuer)
    now = instance.clock.now()
    with cache.lock:
        if _is_due(cache, kid, now):
            cache.tried_at = now
            keys = _fetch(instance, issuer)
            if keys:
                cache.keys, cache.fetched_at = keys, now
        if cache.fetched_at is None or now - cache.fetched_at > _USABLE:
            return None
        return _choose(cache.keys, kid)


def _is_due(cache: IssuerKeys, kid: str, now: datetime) -> bool:
    if cache.tried_at is not None and now - cache.tried_at < _AGAIN:
        return False
    is_old = cache.fetched_at is None or now - cache.fetched_at > _FRESH
    return is_old or _choose(cache.keys, kid) is None


def _choose(keys: dict[str, Key], kid: str) -> Key | None:
    return keys.get(kid) if kid or len(keys) != 1 else next(iter(keys.values()))


def _fetch(instance: Instance, issuer: OidcIssuer) -> dict[str, Key]:
    """The issuer's keys by id; empty if it does not answer or answers wrongly."""
    try:
        with http_client(instance, seconds=_SECONDS, size=_SIZE) as client:
            url = issuer.jwks
            if not url:
                configuration = _json(client, f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration")
                if configuration.get("issuer") != issuer.issuer:  # OpenID Connect Discovery 1.0, section 4.3
                    return {}
                url = str(configuration.get("jwks_uri", ""))
            return _read(_json(client, url).get("keys"))
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError):
        return {}


def _json(client: httpx.Client, url: str) -> dict[str, object]:
    answer = client.get(url, headers={"Accept": "application/json"})
    answer.raise_for_status()
    return msgspec.json.decode(answer.content, type=dict[str, object])


def _read(jwks: object) -> dict[str, Key]:
    """The RSA and EC signature keys of a JWK set; others are skipped."""
    keys: dict[str, Key] = {}
    for jwk in jwks[:_MOST] if isinstance(jwks, list) else ():
        kind = _KINDS.get(jwk.get("kty", "")) if isinstance(jwk, dict) else None
        if kind is None or jwk.get("use", "sig") != "sig":
            continue
        try:
            key = kind.import_key({name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk})
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, RSAKey) and key.public_key.key_size < _LEAST_BITS:
            continue
        keys[str(jwk.get("kid", ""))] = key
    return keys


def _cache_of(instance: Instance, issuer: OidcIssuer) -> IssuerKeys:
    return instance.state.of(_new_caches).setdefault(issuer.issuer, IssuerKeys())


def _new_caches(instance: Instance) -> dict[str, IssuerKeys]:
    return {}
