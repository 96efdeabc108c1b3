"""Has a file read by a process, wherever that is asked for: in a request, by the worker, in a command.

A thread that answers a request does not wait. `FileWanted` leaves it, the file is read meanwhile, and then the request
is answered from the beginning, where the same question has its answer. So ask before the first change.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from ..converting import convert, decode_json
from ..errors import Invalid, Problem, Refused
from . import child, lines
from .lines import FileInLine, Finished, Lines, ReadingProgram

T = TypeVar("T")
LINES = Lines()
SHORT = 64 * 1024  # bytes of a text that is read at once: to start a process costs more
_ZIP = b"PK\x03\x04"  # a spreadsheet may be much larger than its file
_CHILD = Path(child.__file__)
os.register_at_fork(after_in_child=LINES.begin)  # its threads are not in the child


class FileWanted(BaseException):
    """A request needs a file to be read before it can go on. No `Exception`: nobody on the way handles it."""

    def __init__(self, work: ReadingProgram) -> None:
        super().__init__("a file is to be read outside of this thread")
        self.work = work


@dataclass
class RequestFiles:
    """The files that a request has had read, by the key of the work.

    who, where: who waits and pays for it, and their enterprise, of which one is read at a time
    reading: the one that the request waits for now
    read_here: whether a short one was read in the request's own thread
    """

    who: str
    where: str = ""
    finished: dict[bytes, Finished] = field(default_factory=dict)
    reading: FileInLine | None = None
    read_here: bool = False

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Calls the function in a thread of the request; what it costs is charged like the files that it has read."""
        before = time.thread_time()
        try:
            return function(*arguments)
        finally:
            if self.finished or self.read_here:
                LINES.charge(self.who, time.thread_time() - before)


request_files: ContextVar[RequestFiles | None] = ContextVar("request_files", default=None)


def run_apart(work: ReadingProgram) -> Finished:
    """The outcome of a process. In a request it raises `FileWanted`, unless it was asked before; elsewhere it waits.

    Raises `Busy` and `TooMany` if too many files wait.
    """
    files = request_files.get()
    if files is None:
        return LINES.put(work, "").result.result()
    if work.key not in files.finished:
        raise FileWanted(work)
    return files.finished[work.key]


@dataclass(frozen=True, kw_only=True)
class FileReader(Generic[T]):
    """A function that reads files in a process of its own, and short texts at once.

    place:   "module:function" of an installed package. It takes the file's content and keyword arguments of types of
             JSON, and raises `Refused` for what it cannot read, with values of types of JSON
    answer:  the type of what it returns, which JSON holds
    seconds, memory: of processor, and bytes: what one file may cost
    advice:  what would be right instead of a file that costs more
    """

    place: str
    answer: type[T]
    advice: Problem
    seconds: int = 10
    memory: int = 512 * 1024 * 1024

    def read(self, content: bytes, **options: Any) -> T:
        """What the function returns for this file. Raises what it refuses, and `Refused` for a file that costs too
        much: code "too_slow" or "too_much_memory"; `Busy` and `TooMany` if too many files wait."""
        files = request_files.get()
        if len(content) <= SHORT and not content.startswith(_ZIP) and not (files and LINES.wait_of(files.who)):
            if files is not None:
                files.read_here = True
            return child.function_at(self.place)(content, **options)  # type: ignore[no-any-return]
        program = [sys.executable, "-IB", str(_CHILD), self.place, str(self.seconds), str(self.memory)]
        sent = msgspec.json.encode(options) + b"\n" + content
        finished = run_apart(ReadingProgram(program, sent, self.seconds + lines.BEYOND))
        if finished.status in (child.OUT_OF_MEMORY, -signal.SIGABRT):  # libraries abort where Python raises
            text = "Reading this file takes more than {most} MB of memory. {advice}"
            raise Refused("too_much_memory", text, most=self.memory // 1024**2, advice=self.advice)
        if finished.status in (-signal.SIGXCPU, -signal.SIGKILL):
            text = "Reading this file takes longer than {most} seconds. {advice}"
            raise Refused("too_slow", text, most=self.seconds, advice=self.advice)
        if finished.status:
            raise Refused("unreadable", "This file cannot be read. {advice}", advice=self.advice)
        outcome = decode_json(finished.written, dict[str, msgspec.Raw])
        if "refused" in outcome:
            raise _refusal(decode_json(outcome["refused"], dict[str, Any]))
        answer: T = decode_json(outcome["answer"], self.answer)
        return answer


def _refusal(refused: Mapping[str, Any]) -> Refused:
    if refused["problems"]:
        return Invalid([convert(each, Problem) for each in refused["problems"]])
    return Refused(refused["code"], refused["text"], **refused["values"])
