"""A form whose file takes a while to be read: a page says how many files stand before it, and looks again by itself.

The answer is awaited at an address of its own, in the process that reads the file. Where several serve one instance,
another of them does not know the address, so the browser asks a few times before it is told so.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...base.errors import BeingRead, NotFound
from ...base.file_readers.reading import RequestFiles

PARAMETER = "reading"  # of the URL; its value is the id of the answer that is awaited
SOON = 2.0  # seconds in which most files are read; and after which a browser asks again
_MOST = 200  # answers that nobody has fetched
_TRIES = 10  # of a browser that asks the wrong process
_TRY = "try"


@dataclass(frozen=True)
class Awaited:
    """An answer, with the files of its request and the session that sent it."""

    answer: asyncio.Task[Response]
    files: RequestFiles
    session_hash: str | None


class AwaitedAnswers:
    """The answers to forms whose files are being read, in this process."""

    def __init__(self) -> None:
        self._awaited: dict[str, Awaited] = {}

    def keep(self, id: str, awaited: Awaited, path: str) -> Response:
        """Keeps the answer under an id that only its sender knows, and leads them to the page that waits for it."""
        while len(self._awaited) >= _MOST:
            oldest = next(iter(self._awaited))
            self._awaited.pop(oldest).answer.cancel()
        self._awaited[id] = awaited
        return RedirectResponse(f"{path}?{PARAMETER}={id}", status_code=303)

    def take(self, request: Request, session_hash: str | None) -> Response:
        """The answer that the address waits for, which is fetched once, by the session that sent the form. Raises
        `BeingRead` until it is there, and `NotFound`."""
        id = request.query_params[PARAMETER]
        awaited = self._awaited.get(id)
        if awaited is None:
            if len(request.query_params.get(_TRY, "")) < _TRIES:
                raise BeingRead(0)
            raise NotFound("not_read", "This file is not read here any more. Look whether it was, or send it again.")
        if awaited.session_hash != session_hash:
            raise NotFound
        if not awaited.answer.done():
            reading = awaited.files.reading
            raise BeingRead(reading.ahead, ceil(reading.wait)) if reading else BeingRead(0)
        del self._awaited[id]
        return awaited.answer.result()


def look_again(request: Request, response: Response) -> Response:
    """The page that says that a file is being read, and asks again after a while, with or without JavaScript."""
    id, tries = request.query_params[PARAMETER], request.query_params.get(_TRY, "")[:_TRIES]
    query = urlencode({PARAMETER: id, _TRY: f"{tries}x"})
    response.headers["Refresh"] = f"{SOON:.0f}; url={request.url.path}?{query}"
    response.headers["Cache-Control"] = "no-store"
    return response
