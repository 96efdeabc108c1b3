"""The cookies of an instance: one for the session of who is logged in, one by which their browser is known when they
log in again, and what pages set; none from anybody else."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

_DAYS = 180
_BROWSER, _BROWSER_DAYS = "browser", 365
_HOST = "__Host-"


def cookie_name(base_url: str, name: str) -> str:
    """The name under which a cookie is set and read. Over HTTPS it begins with ``__Host-``: browsers then refuse it
    from any other host and from plain HTTP (RFC 6265bis), so a neighbour on the same domain cannot plant one."""
    return f"{_HOST}{name}" if base_url.startswith("https://") else name


def session_cookie(base_url: str) -> str:
    """The name of the cookie of who is logged in."""
    return cookie_name(base_url, "session")


def set_cookie(response: Response, base_url: str, name: str, value: str, *, days: int) -> None:
    """Sets a cookie that only this host gets back, no script can read, and no form of another site sends along."""
    response.set_cookie(
        cookie_name(base_url, name), value, max_age=days * 86400, path="/", secure=base_url.startswith("https://"),
        httponly=True, samesite="lax",
    )  # fmt: skip


def set_session(response: Response, base_url: str, secret: str) -> None:
    set_cookie(response, base_url, "session", secret, days=_DAYS)


def set_browser(response: Response, base_url: str, secret: str) -> None:
    """The secret by which this browser is known when somebody logs in with it again. It opens nothing."""
    set_cookie(response, base_url, _BROWSER, secret, days=_BROWSER_DAYS)


def browser_of(cookies: Mapping[str, str]) -> str:
    """The secret of the cookie that `set_browser` has set, or ""."""
    return (cookies.get(f"{_HOST}{_BROWSER}") or cookies.get(_BROWSER, ""))[:100]


def clear_session(response: Response, base_url: str) -> None:
    secure = base_url.startswith("https://")
    response.delete_cookie(session_cookie(base_url), path="/", secure=secure, httponly=True, samesite="lax")


def clears_session(response: Response, base_url: str) -> bool:
    """Whether `clear_session` was called with this response."""
    cleared = f'{session_cookie(base_url)}="";'.encode()
    return any(name == b"set-cookie" and value.startswith(cleared) for name, value in response.raw_headers)
