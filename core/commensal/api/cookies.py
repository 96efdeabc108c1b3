"""The cookies of an instance: one for the session, one that recognises a browser at the next log-in, and those that
pages set. There are no cookies of third parties."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

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
