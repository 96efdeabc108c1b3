"""Sends a response while it is made, and always closes its generator, also if the caller disconnects."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from .endpoint import Stream

PART_TIMEOUT = 30.0  # seconds; a slow reader must not keep a database snapshot open


class _ClosingResponse(StreamingResponse):
    """Starlette's streaming response, which closes its iterator: Starlette leaves that to the garbage collector."""

    def __init__(self, parts: Iterator[bytes], stream: Stream, headers: dict[str, str]) -> None:
        super().__init__(parts, headers=headers, media_type=stream.media_type)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(PART_TIMEOUT):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        finally:
            with anyio.CancelScope(shield=True):  # also if the caller disconnected, which cancels this task
                await run_in_threadpool(close_stream, self._stream)


def begin_stream(stream: Stream) -> _ClosingResponse:
    """The response, with its first part already made. An error until then is raised here, so that it can be answered
    as a problem."""
    try:
        first = next(stream.parts, b"")
    except BaseException:
        close_stream(stream)
        raise
    disposition = "inline" if stream.shown else "attachment"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'{disposition}; filename="{stream.filename}"'}
    return _ClosingResponse(chain([first], stream.parts), stream, {**headers, **dict(stream.headers)})


def close_stream(stream: Stream) -> None:
    """Closes the generator, which leaves its `with` blocks: transactions, files."""
    getattr(stream.parts, "close", lambda: None)()
