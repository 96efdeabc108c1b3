"""The cookies of an instance: one for the session of who is logged in, and one by which
their browser is known when they log in again; none from anybody else."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

_DAYS = 180
_BROWSER, _BROWSER_DAYS = "browser", 365
_HOST = "__Host-"


def session_cookie(base_url: str) -> str:
    """Its name. Over HTTPS the prefix ``__Host-`` makes browsers refuse it from any other host (RFC 6265bis)."""
    return "__Host-session" if base_url.startswith("https://") else "session"


def set_session(response: Response, base_url: str, secret: str) -> None:
    secure = base_url.startswith("https://")
    response.set_cookie(
        session_cookie(base_url), secret, max_age=_DAYS * 86400, path="/", secure=secure, httponly=True, samesite="lax"
    )


def set_browser(response: Response, base_url: str, secret: str) -> None:
    """The secret by which this browser is known when somebody logs in with it again. It opens nothing."""
    secure = base_url.startswith("https://")
    name = f"{_HOST}{_BROWSER}" if secure else _BROWSER
    response.set_cookie(
        name, secret, max_age=_BROWSER_DAYS * 86400, path="/", secure=secure, httponly=True, samesite="lax"
    )


def browser_of(cookies: Mapping[str, str]) -> str:
    """The secret of the cookie that `set_browser` has set, or ""."""
    return (cookies.get(f"{_HOST}{_BROWSER}") or cookies.get(_BROWSER, ""))[:100]


def clear_session(response: Response, base_url: str) -> None:
    secure = base_url.startswith("https://")
    response.delete_cookie(session_cookie(base_url), path="/", secure=secure, httponly=True, samesite="lax")
