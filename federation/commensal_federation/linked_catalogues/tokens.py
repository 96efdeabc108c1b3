"""Access tokens of OIDC issuers for this instance as a client, cached in memory until shortly before they expire.

OAuth 2.0 client credentials (RFC 6749, section 4.4), by ``client_secret_basic``; the token endpoint comes from the
issuer's ``/.well-known/openid-configuration``.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import msgspec

from commensal import Instance

from ..runtime import Federation
from ..transport import Request, Unreachable
from .values import Access, NotAnswered

_SECONDS, _SIZE = 10.0, 256 * 1024
_MARGIN = timedelta(seconds=30)  # tokens are replaced so long before they expire
_DEFAULT_LIFETIME = 300  # seconds, if the issuer names no lifetime
_LONGEST_LIFETIME = 86_400


@dataclass
class _TokenCache:
    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: dict[tuple[str, str, str], tuple[str, datetime]] = field(default_factory=dict)


def access_token(federation: Federation, access: Access, *, anew: bool = False) -> str:
    """Returns a valid token; with `anew` a new one, because the last was refused. Raises `NotAnswered`."""
    cache, key = _cache_of(federation), (access.issuer, access.client_id, access.secret.reveal())
    now = federation.instance.clock.now()
    with cache.lock:
        token, until = cache.tokens.get(key, ("", now))
        if anew or until <= now:
            token, until = _fetch(federation, access, now)
            cache.tokens[key] = token, until
        return token


def _fetch(federation: Federation, access: Access, now: datetime) -> tuple[str, datetime]:
    endpoint = _token_endpoint(federation, access.issuer)
    pair = f"{quote(access.client_id, safe='')}:{quote(access.secret.reveal(), safe='')}"  # RFC 6749, section 2.3.1
    headers = [
        ("accept", "application/json"),
        ("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),
        ("content-type", "application/x-www-form-urlencoded"),
    ]
    body = urlencode({"grant_type": "client_credentials"}).encode()
    response = _json(federation, access.issuer, Request("POST", endpoint, headers, body))
    token = response.get("access_token")
    if not isinstance(token, str) or not token or str(response.get("token_type", "")).lower() != "bearer":
        raise _no_token(access.issuer, "it answers without a bearer token")
    expires_in = response.get("expires_in")
    seconds = (
        min(expires_in, _LONGEST_LIFETIME) if isinstance(expires_in, int) and expires_in > 0 else _DEFAULT_LIFETIME
    )
    return token, now + timedelta(seconds=seconds) - _MARGIN


def _token_endpoint(federation: Federation, issuer: str) -> str:
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    configuration = _json(federation, issuer, Request("GET", url, [("accept", "application/json")]))
    if configuration.get("issuer") != issuer:  # OpenID Connect Discovery 1.0, section 4.3
        raise _no_token(issuer, "its configuration is of another issuer")
    return str(configuration.get("token_endpoint", ""))


def _json(federation: Federation, issuer: str, request: Request) -> dict[str, object]:
    try:
        answer = federation.transport.send(request, seconds=_SECONDS, size=_SIZE)
    except Unreachable as error:
        raise _no_token(issuer, str(error), again=True) from error
    if answer.status != 200:
        raise _no_token(issuer, f"it answers {answer.status}", again=answer.status >= 500)
    try:
        return msgspec.json.decode(answer.body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_token(issuer, "its answer is not JSON") from error


def _no_token(issuer: str, reason: str, *, again: bool = False) -> NotAnswered:
    return NotAnswered("no_token", "{url} gives no token: {reason}", url=issuer, reason=reason, again=again)


def _cache_of(federation: Federation) -> _TokenCache:
    return federation.instance.state.of(_new_cache)


def _new_cache(instance: Instance) -> _TokenCache:
    return _TokenCache()
