"""Public keys of OIDC issuers: fetched by the guarded client, kept for an hour, and none is compiled in.

A token that names a key which is not known has the keys fetched again, so that an issuer may change them at any time;
but not more often than every few minutes, whatever strangers send.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from commensal import Instance, http_client

from ..settings import OidcIssuer

_AGAIN = timedelta(minutes=5)  # between two attempts
_FRESH = timedelta(hours=1)  # then keys are fetched again, so that those taken back are forgotten
_USABLE = timedelta(days=1)  # for so long they do while the issuer does not answer
_SECONDS, _SIZE = 5.0, 256 * 1024
_MOST = 50  # keys
_LEAST_BITS = 2048  # of RSA: RFC 7518, section 3.3
_KINDS: dict[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}

Key = RSAKey | ECKey


@dataclass
class IssuerKeys:
    """The keys of one issuer, by their ids, as this process knows them."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: dict[str, Key] = field(default_factory=dict)
    tried_at: datetime | None = None
    fetched_at: datetime | None = None


_known: dict[int, dict[str, IssuerKeys]] = {}  # by the identity of the instance, then by issuer


def key_of(instance: Instance, issuer: OidcIssuer, kid: str) -> Key | None:
    """The issuer's key of that id; of an issuer that has a single key, also where a token names none."""
    ours = _of(instance, issuer)
    now = instance.clock.now()
    with ours.lock:
        if _is_due(ours, kid, now):
            ours.tried_at = now
            found = _fetch(instance, issuer)
            if found:
                ours.keys, ours.fetched_at = found, now
        if ours.fetched_at is None or now - ours.fetched_at > _USABLE:
            return None
        return _chosen(ours.keys, kid)


def _is_due(ours: IssuerKeys, kid: str, now: datetime) -> bool:
    if ours.tried_at is not None and now - ours.tried_at < _AGAIN:
        return False
    old = ours.fetched_at is None or now - ours.fetched_at > _FRESH
    return old or _chosen(ours.keys, kid) is None


def _chosen(keys: dict[str, Key], kid: str) -> Key | None:
    return keys.get(kid) if kid or len(keys) != 1 else next(iter(keys.values()))


def _fetch(instance: Instance, issuer: OidcIssuer) -> dict[str, Key]:
    """Nothing where the issuer does not answer, or not as it should."""
    try:
        with http_client(instance, seconds=_SECONDS, size=_SIZE) as client:
            place = issuer.jwks
            if not place:
                told = _json(client, f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration")
                if told.get("issuer") != issuer.issuer:  # OpenID Connect Discovery 1.0, section 4.3
                    return {}
                place = str(told.get("jwks_uri", ""))
            return _read(_json(client, place).get("keys"))
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError):
        return {}


def _json(client: httpx.Client, url: str) -> dict[str, Any]:
    answer = client.get(url, headers={"Accept": "application/json"})
    answer.raise_for_status()
    return msgspec.json.decode(answer.content, type=dict[str, Any])


def _read(said: object) -> dict[str, Key]:
    """Keys for signatures by RSA or on P-256; others are passed over."""
    found: dict[str, Key] = {}
    for one in said[:_MOST] if isinstance(said, list) else ():
        kind = _KINDS.get(one.get("kty", "")) if isinstance(one, dict) else None
        if kind is None or one.get("use", "sig") != "sig":
            continue
        try:
            key = kind.import_key({name: one[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in one})
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, RSAKey) and key.public_key.key_size < _LEAST_BITS:
            continue
        found[str(one.get("kid", ""))] = key
    return found


def _of(instance: Instance, issuer: OidcIssuer) -> IssuerKeys:
    if id(instance) not in _known:
        weakref.finalize(instance, _known.pop, id(instance), None)
    return _known.setdefault(id(instance), {}).setdefault(issuer.issuer, IssuerKeys())
