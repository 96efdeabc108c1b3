"""The cookies of an instance: one for the session of who is logged in, and none from anybody else."""

from __future__ import annotations

from starlette.responses import Response

_DAYS = 180


def session_cookie(base_url: str) -> str:
    """Its name. Over HTTPS the prefix ``__Host-`` makes browsers refuse it from any other host (RFC 6265bis)."""
    return "__Host-session" if base_url.startswith("https://") else "session"


def set_session(response: Response, base_url: str, secret: str) -> None:
    secure = base_url.startswith("https://")
    response.set_cookie(
        session_cookie(base_url), secret, max_age=_DAYS * 86400, path="/", secure=secure, httponly=True, samesite="lax"
    )


def clear_session(response: Response, base_url: str) -> None:
    secure = base_url.startswith("https://")
    response.delete_cookie(session_cookie(base_url), path="/", secure=secure, httponly=True, samesite="lax")
