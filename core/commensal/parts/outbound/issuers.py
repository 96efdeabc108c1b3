"""What OpenID Connect issuers say of themselves, their endpoints and public keys: fetched by the guarded HTTP client,
and cached for an hour.

A token with an unknown key id causes a new fetch, so an issuer may change its keys at any time; but at most one every
five minutes, whatever strangers send.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from .client import http_client

if TYPE_CHECKING:
    from ...instance import Instance

_AGAIN = timedelta(minutes=5)  # between two attempts
_AGAIN_IF_UNKNOWN = timedelta(seconds=30)  # the same while nothing usable is known of the issuer
_FRESH = timedelta(hours=1)  # then keys are fetched again, so that withdrawn keys are forgotten
_USABLE = timedelta(days=1)  # what is cached stays valid this long if the issuer does not answer
_SECONDS, _SIZE = 5.0, 256 * 1024
_MOST = 50  # keys
_LEAST_BITS = 2048  # of RSA: RFC 7518, section 3.3
_KINDS: dict[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}

IssuerKey = RSAKey | ECKey


@dataclass
class _Known:
    """This process's cache of one issuer: its configuration, and its keys by key id."""

    issuer: str
    jwks: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    configuration: Mapping[str, object] = field(default_factory=dict)
    keys: Mapping[str, IssuerKey] = field(default_factory=dict)
    tried_at: datetime | None = None
    fetched_at: datetime | None = None


def issuer_configuration(instance: Instance, issuer: str) -> Mapping[str, object]:
    """The issuer's configuration (OpenID Connect Discovery 1.0, section 4); empty if it does not answer, or says that
    it is another. Values have any type. Do not call it inside a transaction."""
    known = _known(instance, issuer, "")
    with known.lock:
        return known.configuration if _refresh(instance, known) else {}


def issuer_key(instance: Instance, issuer: str, kid: str, *, jwks: str = "") -> IssuerKey | None:
    """The issuer's key with that id, or its only key if `kid` is ""; None if there is none.

    `jwks` is where its keys are; "": where its configuration says. Do not call it inside a transaction.
    """
    known = _known(instance, issuer, jwks)
    with known.lock:
        return _choose(known.keys, kid) if _refresh(instance, known, kid) else None


def _refresh(instance: Instance, known: _Known, kid: str | None = None) -> bool:
    """Fetches what is old, or lacks this key. Returns whether what is known may be used."""
    now = instance.clock.now()
    if _is_due(known, kid, now):
        known.tried_at = now
        configuration, keys = _fetch(instance, known)
        if keys:
            known.configuration, known.keys, known.fetched_at = configuration, keys, now
    return _is_usable(known, now)


def _is_usable(known: _Known, now: datetime) -> bool:
    return known.fetched_at is not None and now - known.fetched_at <= _USABLE


def _is_due(known: _Known, kid: str | None, now: datetime) -> bool:
    pause = _AGAIN if _is_usable(known, now) else _AGAIN_IF_UNKNOWN
    if known.tried_at is not None and now - known.tried_at < pause:
        return False
    is_old = known.fetched_at is None or now - known.fetched_at > _FRESH
    return is_old or (kid is not None and _choose(known.keys, kid) is None)


def _choose(keys: Mapping[str, IssuerKey], kid: str) -> IssuerKey | None:
    return keys.get(kid) if kid or len(keys) != 1 else next(iter(keys.values()))


def _fetch(instance: Instance, known: _Known) -> tuple[Mapping[str, object], Mapping[str, IssuerKey]]:
    """The issuer's configuration and keys; both empty if it does not answer or answers wrongly."""
    configuration: dict[str, object] = {}
    try:
        with http_client(instance, seconds=_SECONDS, size=_SIZE) as client:
            url = known.jwks
            if not url:
                configuration = _json(client, f"{known.issuer.rstrip('/')}/.well-known/openid-configuration")
                if configuration.get("issuer") != known.issuer:  # OpenID Connect Discovery 1.0, section 4.3
                    return {}, {}
                url = str(configuration.get("jwks_uri", ""))
            return configuration, _read(_json(client, url).get("keys"))
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError):
        return {}, {}


def _json(client: httpx.Client, url: str) -> dict[str, object]:
    answer = client.get(url, headers={"Accept": "application/json"})
    answer.raise_for_status()
    return msgspec.json.decode(answer.content, type=dict[str, object])


def _read(jwks: object) -> dict[str, IssuerKey]:
    """The RSA and EC signature keys of a JWK set; others are skipped."""
    keys: dict[str, IssuerKey] = {}
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


def _known(instance: Instance, issuer: str, jwks: str) -> _Known:
    return instance.state.of(_new_caches).setdefault((issuer, jwks), _Known(issuer, jwks))


def _new_caches(instance: Instance) -> dict[tuple[str, str], _Known]:
    return {}
