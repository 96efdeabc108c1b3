"""Waits for files to be read by processes while no thread waits, and answers the request then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request

from ..base.errors import Busy
from ..base.file_readers.lines import Finished, ReadingProgram
from ..base.file_readers.reading import LINES, FileWanted, RequestFiles, request_files
from ..base.networks import network
from ..people.actor import Actor

T = TypeVar("T")
PATIENCE = 60.0  # seconds for one file, with its time in the line; whoever has not had a turn by then tries again


def files_of(request: Request, actor: Actor) -> RequestFiles:
    """The files of a request, in the line of the person who sends it, or else of the network from which it comes."""
    who = f"person {actor.person_id}" if actor.person_id else f"network {network(actor.address)}"
    return RequestFiles(who, request.path_params.get("enterprise", ""))


async def answer_with_files(files: RequestFiles, answer: Callable[[], Awaitable[T]]) -> T:
    """What `answer` returns, which is called again whenever a file was read that it wants. Raises what it raises, and
    `Busy` or `TooMany` where too many files wait."""
    while True:
        try:
            return await answer_or_want(files, answer)
        except FileWanted as file_wanted:
            await read_file(files, file_wanted.work)


async def answer_or_want(files: RequestFiles, answer: Callable[[], Awaitable[T]]) -> T:
    """What `answer` returns. Raises what it raises, and `FileWanted` if a file is to be read before."""
    token = request_files.set(files)
    try:
        return await answer()
    finally:
        request_files.reset(token)


async def read_file(files: RequestFiles, work: ReadingProgram) -> None:
    """Has a file read, and keeps the outcome with the request. Raises `Busy` and `TooMany`."""
    files.finished[work.key] = await _read(files, work)


async def _read(files: RequestFiles, work: ReadingProgram) -> Finished:
    files.reading = LINES.put(work, files.who, files.where)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(files.reading.result), PATIENCE)
    except TimeoutError:
        raise Busy("the line of files is long") from None
    finally:
        files.reading.end()  # whether it was read, took too long, or is wanted no more: nothing goes on
        files.reading = None
