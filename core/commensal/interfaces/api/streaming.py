"""Sends an answer while it is made, and puts away what it was made from, whatever becomes of the caller."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from .endpoint import Stream

PATIENCE = 30.0  # seconds for a caller to take one part: a snapshot that nobody reads is not kept


class _Response(StreamingResponse):
    """Starlette's, which leaves an iterator that was not used up to the collector of garbage."""

    def __init__(self, parts: Iterator[bytes], stream: Stream, headers: dict[str, str]) -> None:
        super().__init__(parts, headers=headers, media_type=stream.media_type)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(PATIENCE):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        finally:
            with anyio.CancelScope(shield=True):  # also when the caller went away, which cancels all this
                await run_in_threadpool(close, self._stream)


def begin_stream(stream: Stream) -> _Response:
    """The response, its first part made: what raises until then is raised here, and can be answered as a problem."""
    try:
        first = next(stream.parts, b"")
    except BaseException:
        close(stream)
        raise
    disposition = "inline" if stream.shown else "attachment"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'{disposition}; filename="{stream.filename}"'}
    return _Response(chain([first], stream.parts), stream, {**headers, **dict(stream.headers)})


def close(stream: Stream) -> None:
    """Closes the generator, which leaves its `with` blocks: transactions, files."""
    getattr(stream.parts, "close", lambda: None)()
