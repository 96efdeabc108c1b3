"""Lets scripts of pages of other sites read what is public (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).

Nothing else allows them anything: browsers keep every other answer from them, and answers to requests with cookies too.
"""

from __future__ import annotations

from starlette.responses import Response

_ANSWER = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}
_PREFLIGHT = {
    "Allow": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "*, Authorization",  # "*" covers every other header
    "Access-Control-Max-Age": "86400",  # seconds
}


def allow_every_origin(response: Response) -> Response:
    """The same response, which scripts of every site may read with its headers."""
    response.headers.update(_ANSWER)
    return response


def preflight_response() -> Response:
    """Answers OPTIONS, by which a browser asks before a script sends a header of its own: reading is allowed."""
    return Response(status_code=204, headers=_PREFLIGHT)
