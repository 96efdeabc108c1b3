"""How an answer in DFC is written: the version, its ETag, errors as problems."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import Dialect, Instance, Problem, Refused, Visit, page, say

from ..dfc.dialects import negotiate
from ..dfc.findings import Unreadable
from ..dfc.vocabulary import Thing

VERSION = version("commensal")  # of what writes the answers
_LARGEST = 4_000_000  # bytes of what platforms send: an order of 500 lines, with all that is said of its products


def dfc_page(path: str, handler: Callable[[Visit], Response], *methods: str) -> BaseRoute:
    """A route for platforms and for people: the bearer token may be an issuer's, or one of ours."""
    return page(
        path, handler, on_error=on_error, methods=methods or ("GET",), largest=_LARGEST, recognise=_recognise
    )  # fmt: skip


def _recognise(instance: Instance, token: str) -> str | None:
    from .tokens import recognise  # what reads a JWT takes long to load, and few platforms send one

    return recognise(instance, token)


def document(
    visit: Visit, things: Iterable[Thing], listed: Iterable[str] | None = None, status: int = 200, tag: str = ""
) -> Response:
    """The values in the version that was asked for. `listed`: what a list in 2.0 holds, where that is not all; `tag`
    where it is known before."""
    dialect, here = _wanted(visit), f"{base_of(visit)}{visit.request.url.path}"
    lists = {} if listed is None else {here: list(listed)}
    return _sent(visit, dialect.write(list(things), lists), dialect.media_type, status, tag)


def _wanted(visit: Visit) -> Dialect:
    return negotiate(visit.instance, visit.request.headers.get("accept", ""))


def answer(visit: Visit, said: dict[str, Any], media_type: str, status: int = 200, tag: str = "") -> Response:
    """Of what is in no dialect. Answers 304 to who has the same already."""
    return _sent(visit, msgspec.json.encode(said), media_type, status, tag)


def _sent(visit: Visit, content: bytes, media_type: str, status: int, tag: str) -> Response:
    tag = tag or f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    if visit.request.method == "GET" and has_already(visit, tag):
        return unchanged(visit, tag)
    return Response(content, status, {**_headers(tag), "Content-Type": media_type})


def tag_of(visit: Visit, stamp: str) -> str:
    """The tag of an answer that follows from what `stamp` stands for, and from how it is asked for."""
    asked = (stamp, VERSION, base_of(visit), visit.request.url.path, visit.request.url.query, _wanted(visit).media_type)
    hashed = hashlib.sha256(" ".join(asked).encode()).hexdigest()
    return f'"{hashed[:32]}"'


def has_already(visit: Visit, tag: str) -> bool:
    """RFC 9110, section 13.1.2; a weak tag (W/) is compared like any other."""
    named = visit.request.headers.get("if-none-match", "").split(",")
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in named)


def unchanged(visit: Visit, tag: str) -> Response:
    return Response(status_code=304, headers=_headers(tag))


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Vary": "Accept, Authorization, Cookie", "Cache-Control": "private, no-cache",
            "X-Content-Type-Options": "nosniff"}  # fmt: skip


def on_error(visit: Visit, error: Exception) -> Response:
    """A problem (RFC 9457), as the JSON API gives it."""
    if isinstance(error, Unreadable):
        said: dict[str, Any] = {"title": str(error), "status": 422, "code": error.code}
    elif isinstance(error, Refused):
        problems = [
            {"pointer": one.where, "code": one.code, "detail": say(visit.language, one)} for one in error.problems
        ]
        said = {"title": say(visit.language, error), "status": error.status, "code": error.code, "errors": problems}
    else:
        said = {"title": "Something went wrong here.", "status": 500, "code": "error"}
    headers = {"WWW-Authenticate": "Bearer"} if said["status"] == 401 else None
    return JSONResponse(said, said["status"], headers, media_type="application/problem+json")


def _problem(visit: Visit, problem: Problem) -> dict[str, str]:
    return {"pointer": problem.where, "code": problem.code, "detail": say(visit.language, problem)}


def base_of(visit: Visit) -> str:
    """The instance's address, without a slash at its end."""
    return visit.instance.settings.base_url.rstrip("/")
