"""Turns errors into RFC 9457 problem documents, in the caller's language."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from ..base.errors import Busy, PluginError, Problem, Refused, TooMany, Unavailable
from ..base.languages.catalogs import say

MEDIA_TYPE = "application/problem+json"


class ProblemError(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake. `pointer` is a JSON Pointer (RFC 6901) into the body, or the name of a query parameter."""

    code: str
    detail: str
    pointer: str


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457. `type` is ``urn:commensal:problem:<code>``; `code` is stable, texts are for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[ProblemError] = []


def problem(error: Exception, language: str) -> Response:
    """The response to a request that failed. Unexpected errors are reported without any detail."""
    if isinstance(error, Refused):
        headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return problem_response(
            error.status, error.code, say(language, error), _errors(error.problems, language), headers
        )
    if isinstance(error, Unavailable):
        text = "The instance cannot reach its data right now. Nothing was lost; please try again in a few minutes."
        return problem_response(
            503, "unavailable", say(language, Problem("unavailable", text)), [], {"Retry-After": str(error.retry_after)}
        )
    if isinstance(error, Busy):
        detail = say(language, Problem("busy", "The instance is busy. Nothing was done; please try again in a moment."))
        return problem_response(503, "busy", detail, [], {"Retry-After": str(error.retry_after)})
    if isinstance(error, PluginError):
        text = "The extension {plugin} failed. Nothing was done."
        return problem_response(
            502, "plugin", say(language, Problem("plugin", text, values={"plugin": error.plugin})), [], {}
        )
    detail = say(language, Problem("internal", "Something went wrong on our side. Nothing was done."))
    return problem_response(500, "internal", detail, [], {})


def problem_response(
    status: int, code: str, detail: str, errors: list[ProblemError], headers: dict[str, str] | None = None
) -> Response:
    """A response with a problem document."""
    content = ProblemDocument(
        type=f"urn:commensal:problem:{code}",
        title=code.replace("_", " "),
        status=status,
        code=code,
        detail=detail,
        errors=errors,
    )
    all_headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(content), status_code=status, media_type=MEDIA_TYPE, headers=all_headers)


def _errors(problems: tuple[Problem, ...], language: str) -> list[ProblemError]:
    return [
        ProblemError(code=problem.code, detail=say(language, problem), pointer=problem.where) for problem in problems
    ]
