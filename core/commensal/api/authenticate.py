"""Identifies the caller by a token in the Authorization header, or by the session cookie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from ..base.errors import Unauthorised
from ..base.logs import add_log_fields
from ..enterprises.access import demand_session
from ..instance import Instance, InstanceSettings
from ..people.actor import NOBODY, Actor
from ..people.logging_in import actor_of_session, actor_of_token
from ..people.new_password import prove_password
from ..people.second_factor import has_second_factor
from ..storage.database import Transaction

# The cookies of an instance: one for the session, one that recognises a browser at the next log-in, and those that
# pages set. There are no cookies of third parties.

_DAYS = 180
_BROWSER, _BROWSER_DAYS = "browser", 365
_HOST = "__Host-"


def cookie_name(base_url: str, name: str) -> str:
    """The name under which a cookie is set and read. Over HTTPS it begins with ``__Host-``: browsers accept such a
    cookie only from this host and over HTTPS (RFC 6265bis), so another host of the same domain cannot plant one."""
    return f"{_HOST}{name}" if base_url.startswith("https://") else name


def session_cookie(base_url: str) -> str:
    """The name of the session cookie."""
    return cookie_name(base_url, "session")


def set_cookie(response: Response, base_url: str, name: str, value: str, *, days: int) -> None:
    """Sets a cookie for `days`. Browsers send it to this host only, never with forms of other sites, and hide it from
    scripts."""
    response.set_cookie(
        cookie_name(base_url, name),
        value,
        max_age=days * 86400,
        path="/",
        secure=base_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


def set_session(response: Response, base_url: str, secret: str) -> None:
    set_cookie(response, base_url, "session", secret, days=_DAYS)


def set_browser(response: Response, base_url: str, secret: str) -> None:
    """Sets the secret that recognises this browser at the next log-in. It grants no access."""
    set_cookie(response, base_url, _BROWSER, secret, days=_BROWSER_DAYS)


def browser_of(cookies: Mapping[str, str]) -> str:
    """The secret that `set_browser` has set, or ""."""
    return (cookies.get(f"{_HOST}{_BROWSER}") or cookies.get(_BROWSER, ""))[:100]


def clear_session(response: Response, base_url: str) -> None:
    secure = base_url.startswith("https://")
    response.delete_cookie(session_cookie(base_url), path="/", secure=secure, httponly=True, samesite="lax")


def clears_session(response: Response, base_url: str) -> bool:
    """Whether `clear_session` was called with this response."""
    empty_cookie = f'{session_cookie(base_url)}="";'.encode()
    return any(name == b"set-cookie" and value.startswith(empty_cookie) for name, value in response.raw_headers)


API_TOKEN = "x-api-token"  # noqa: S105 - the header in which clients of Open Food Network send their token


def authenticate(
    tx: Transaction, request: Request, settings: InstanceSettings, *, api_token: str | None = None
) -> Actor:
    """The actor. `api_token` is one that came in another header than Authorization, which has precedence.

    Raises `Unauthorised` for an invalid or expired token. An old cookie makes the caller anonymous.
    """
    address = request.client.host if request.client else ""
    header = request.headers.get("authorization", f"Bearer {api_token}" if api_token else None)
    if header is not None:
        kind, _, secret = header.partition(" ")
        actor = actor_of_token(tx, secret.strip(), address) if kind.lower() == "bearer" else None
        if actor is None:
            raise Unauthorised("token", "This token is not valid (any more).")
        add_log_fields(person=actor.person_id)
        return _mark_missing_factor(tx, actor, settings)
    secret = request.cookies.get(session_cookie(settings.base_url), "")
    session_actor = actor_of_session(tx, secret, address) if secret else None
    if session_actor is None:
        return anonymous_actor(request)
    add_log_fields(person=session_actor.person_id)
    return _mark_missing_factor(tx, replace(session_actor, browser=browser_of(request.cookies)), settings)


def _mark_missing_factor(tx: Transaction, actor: Actor, settings: InstanceSettings) -> Actor:
    """Marks an actor without a second factor where the instance requires one; otherwise spares the query."""
    if settings.security.second_factor == "optional" or has_second_factor(tx, str(actor.person_id)):
        return actor
    return replace(actor, lacks_second_factor=True)


def is_anonymous(request: Request, base_url: str) -> bool:
    """Whether the request carries neither token nor session cookie, so that `authenticate` can be skipped."""
    return "authorization" not in request.headers and not request.cookies.get(session_cookie(base_url))


def anonymous_actor(request: Request) -> Actor:
    """The actor of a request without a token or session: only its address and its browser are known."""
    address = request.client.host if request.client else ""
    return replace(NOBODY, address=address, browser=browser_of(request.cookies))


class WithPassword(Protocol):
    """A body with the caller's own password."""

    @property
    def password(self) -> str: ...


def prove_own_password(instance: Instance, actor: Actor, body: WithPassword) -> None:
    """For `proves` of an endpoint. Raises `Forbidden` for a token, else as `prove_password` does."""
    prove_password(instance.store, demand_session(actor), body.password)
