"""Access tokens of OIDC issuers for this instance as a client: fetched when needed, kept until shortly before the end.

OAuth 2.0 client credentials (RFC 6749, section 4.4), by ``client_secret_basic``; the token endpoint is where the
issuer's ``/.well-known/openid-configuration`` says. Tokens are kept in memory only.
"""

from __future__ import annotations

import base64
import threading
import weakref
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from ..runtime import Federation
from ..transport import Request, Unreachable
from .errors import NotAnswered
from .values import Access

_SECONDS, _SIZE = 10.0, 256 * 1024
_EARLIER = timedelta(seconds=30)  # than their end, tokens are not used any more
_USUAL = 300  # seconds, where nothing is said
_LONGEST = 86_400


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: dict[tuple[str, str, str], tuple[str, datetime]] = field(default_factory=dict)


_kept: dict[int, _Kept] = {}  # by the identity of the instance


def access_token(federation: Federation, access: Access, *, anew: bool = False) -> str:
    """A token that is good now; `anew`: another than the one before, which was refused. Raises `NotAnswered`."""
    ours, key = _of(federation), (access.issuer, access.client_id, access.secret.reveal())
    now = federation.instance.clock.now()
    with ours.lock:
        token, until = ours.tokens.get(key, ("", now))
        if anew or until <= now:
            token, until = _fetch(federation, access, now)
            ours.tokens[key] = token, until
        return token


def _fetch(federation: Federation, access: Access, now: datetime) -> tuple[str, datetime]:
    place = _token_endpoint(federation, access.issuer)
    pair = f"{quote(access.client_id, safe='')}:{quote(access.secret.reveal(), safe='')}"  # RFC 6749, section 2.3.1
    headers = [
        ("accept", "application/json"),
        ("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),
        ("content-type", "application/x-www-form-urlencoded"),
    ]
    body = urlencode({"grant_type": "client_credentials"}).encode()
    said = _json(federation, access.issuer, Request("POST", place, headers, body))
    token = said.get("access_token")
    if not isinstance(token, str) or not token or str(said.get("token_type", "")).lower() != "bearer":
        raise _no_token(access.issuer, "it answers without a bearer token")
    lives = said.get("expires_in")
    seconds = min(lives, _LONGEST) if isinstance(lives, int) and lives > 0 else _USUAL
    return token, now + timedelta(seconds=seconds) - _EARLIER


def _token_endpoint(federation: Federation, issuer: str) -> str:
    place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    told = _json(federation, issuer, Request("GET", place, [("accept", "application/json")]))
    if told.get("issuer") != issuer:  # OpenID Connect Discovery 1.0, section 4.3
        raise _no_token(issuer, "its configuration is of another issuer")
    return str(told.get("token_endpoint", ""))


def _json(federation: Federation, issuer: str, request: Request) -> dict[str, Any]:
    try:
        answer = federation.transport.send(request, seconds=_SECONDS, size=_SIZE)
    except Unreachable as error:
        raise _no_token(issuer, str(error), again=True) from error
    if answer.status != 200:
        raise _no_token(issuer, f"it answers {answer.status}", again=answer.status >= 500)
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_token(issuer, "its answer is no JSON") from error


def _no_token(issuer: str, reason: str, *, again: bool = False) -> NotAnswered:
    return NotAnswered("no_token", "{url} gives no token: {reason}", url=issuer, reason=reason, again=again)


def _of(federation: Federation) -> _Kept:
    instance = federation.instance
    if id(instance) not in _kept:
        weakref.finalize(instance, _kept.pop, id(instance), None)
    return _kept.setdefault(id(instance), _Kept())
