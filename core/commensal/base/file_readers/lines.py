"""Runs processes that read files: few at once, one at a time for each person and enterprise, and in fair turns.

Several servers of one instance on a machine share the few: each enterprise has one of their places, which is locked.
Who has used much time of the processor waits, so that others keep theirs: each server counts what it has read itself.

A process that takes too long, or whose reading nobody waits for any more, is ended with all that it has started.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from ..errors import Busy, TooMany

AT_ONCE = max(1, min(4, (os.cpu_count() or 2) // 2))  # processes: others want the processor, too
MOST_WAITING = 100  # files of all
MOST_BYTES = 128 * 1024 * 1024  # of all files that wait
MOST_OF_ONE = 20  # files of one who waits
SHARE = 0.2  # of one processor that each who waits has in the long run
SAVED = 30  # seconds of processor that they may use at once before
_RETRY = 30  # seconds
BEYOND = 50  # seconds that a process may take beside its time of processor: others go before it
_IDLE = 30  # seconds after which a thread without work ends


@dataclass(frozen=True)
class ReadingProgram:
    """A program with what it reads, all of it before it writes. `seconds`: after which it is ended, beside its own
    limit on processor time."""

    program: Sequence[str]
    given: bytes
    seconds: float

    @property
    def key(self) -> bytes:
        """The same for the same work."""
        return sha256("\0".join(self.program).encode() + b"\0" + self.given).digest()


@dataclass(frozen=True)
class Finished:
    """`status` is that of the process, less than 0 for one that was ended by a signal. `seconds`: of processor."""

    status: int
    written: bytes
    seconds: float


class FileInLine:
    """One file, of `where`, that waits or is being read for `who`. `result` has its outcome."""

    def __init__(self, work: ReadingProgram, who: str, where: str, lines: Lines) -> None:
        self.work, self.who, self.where = work, who, where
        self.result: Future[Finished] = Future()
        self._lines = lines
        self._process: subprocess.Popen[bytes] | None = None
        self._exit = threading.Lock()  # held while its exit is noted: then its id may be another's
        self._ended = False

    @property
    def ahead(self) -> int:
        """How many files are read before this one, as far as is known now: 0 while it is read itself."""
        return self._lines.ahead_of(self)

    @property
    def wait(self) -> float:
        """Seconds until it may be read, since who hands it in has had much read: 0 for most."""
        return 0.0 if self.result.running() else self._lines.wait_of(self.who)

    def end(self) -> None:
        """Takes it out of its line, or ends its process: nothing goes on."""
        self._ended = True
        self._lines.forget(self)
        self._kill()

    def run(self, place: AbstractContextManager[None]) -> Callable[[], None]:
        """Reads the file in this place and this thread, which only waits. Returns what tells the outcome, once it is
        read no more."""
        if not self.result.set_running_or_notify_cancel():
            return lambda: None  # nobody waits for it
        try:
            with place:
                finished = self._run()
            self._lines.charge(self.who, finished.seconds)
            return partial(self.result.set_result, finished)
        except BaseException as error:  # raised where the result is waited for
            return partial(self.result.set_exception, error)

    def _run(self) -> Finished:
        process = subprocess.Popen(  # noqa: S603 - our own files, no words of others
            self.work.program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            process_group=0,  # to be ended with all that it starts; a session of its own would make its niceness void
        )
        self._process = process
        limit = threading.Timer(self.work.seconds, self._kill)
        limit.start()
        try:
            if self._ended:
                self._kill()
            return self._exchange(process)
        finally:
            limit.cancel()
            self._kill()
            process.wait()

    def _exchange(self, process: subprocess.Popen[bytes]) -> Finished:
        """Gives the process its file, and returns what it has written and used, once it has ended."""
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdout:
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(self.work.given)
            written = process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._exit:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        return Finished(process.returncode, written, used.ru_utime + used.ru_stime)

    def _kill(self) -> None:
        with self._exit:
            if self._process is not None and self._process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)


class ProcessorBudget:
    """The time of processor that each who hands files in has used up: what is beyond `SAVED` seconds is made up for by
    waiting. "", the worker and commands, waits for nothing. Not for several threads at once."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._even_at: dict[str, float] = {}

    def charge(self, who: str, seconds: float) -> None:
        now = self._now()
        self._even_at = {each: at for each, at in self._even_at.items() if at > now}
        if who:
            self._even_at[who] = self._even_at.get(who, now) + seconds / SHARE

    def wait_of(self, who: str) -> float:
        """Seconds until the next file of theirs may be read."""
        return max(0.0, self._even_at.get(who, 0.0) - self._now() - SAVED / SHARE)


class Lines:
    """A line of files for each who waits: a person, or a network of those who are not logged in."""

    def __init__(self, at_once: int = AT_ONCE, now: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._now = at_once, now
        self._folder: Path | None = None
        self.begin()

    def share(self, folder: Path) -> None:
        """Reads no more at once together with other servers that share this folder, and one file of each at a time. A
        server that begins has charged nobody."""
        with self._changed:
            self._folder, self._budget = folder, ProcessorBudget(self._now)

    def begin(self) -> None:
        """Begins without lines and threads."""
        self._changed = threading.Condition()
        self._lines: dict[str, deque[FileInLine]] = {}  # whose turn is next stands first
        self._being_read: dict[str, FileInLine] = {}
        self._budget = ProcessorBudget(self._now)
        self._threads = 0

    def put(self, work: ReadingProgram, who: str, where: str = "") -> FileInLine:
        """Puts a file into the line of `who`; of those of an enterprise, `where`, one is read at a time. Raises
        `TooMany` if the line is full; `Busy` if all are, and none is longer."""
        reading = FileInLine(work, who, where or who, self)
        with self._changed:
            if len(self._lines.get(who, ())) >= MOST_OF_ONE:
                raise TooMany(_RETRY)
            self._make_room(who, lambda _: 1, 1, MOST_WAITING)
            self._make_room(who, lambda file: len(file.work.given), len(work.given), MOST_BYTES)
            self._lines.setdefault(who, deque()).append(reading)
            if self._threads < self._at_once:
                self._threads += 1
                threading.Thread(target=self._work, daemon=True, name="reads files").start()
            self._changed.notify()
        return reading

    def _make_room(self, who: str, size_of: Callable[[FileInLine], int], size: int, most: int) -> None:
        """Refuses the last files of who has more than `who`, until so much more of theirs fits in, or raises `Busy`."""
        used = {each: sum(map(size_of, line)) for each, line in self._lines.items()}
        own = used.pop(who, 0) + size
        if own + sum(min(each, own) for each in used.values()) > most:
            raise Busy("too many files wait to be read")
        while own + sum(used.values()) > most:
            file = self._lines[max(used, key=used.__getitem__)][-1]
            used[file.who] -= size_of(file)
            if self._drop(file).set_running_or_notify_cancel():  # somebody waits for it
                file.result.set_exception(TooMany(_RETRY))

    def _drop(self, file: FileInLine) -> Future[Finished]:
        self._lines[file.who].remove(file)
        if not self._lines[file.who]:
            del self._lines[file.who]
        return file.result

    @property
    def is_idle(self) -> bool:
        """Whether no file waits or is read."""
        with self._changed:
            return not self._lines and not self._being_read

    def ahead_of(self, reading: FileInLine) -> int:
        with self._changed:
            line = self._lines.get(reading.who, ())
            if reading not in line:
                return 0
            place = list(line).index(reading)
            others = (min(len(each), place + 1) for who, each in self._lines.items() if who != reading.who)
            return place + sum(others) + len(self._being_read)

    def wait_of(self, who: str) -> float:
        with self._changed:
            return self._budget.wait_of(who)

    def charge(self, who: str, seconds: float) -> None:
        """Counts seconds of processor that were spent for who hands files in, beside their processes."""
        with self._changed:
            self._budget.charge(who, seconds)

    def forget(self, reading: FileInLine) -> None:
        with self._changed:
            if reading in self._lines.get(reading.who, ()):
                self._drop(reading).cancel()

    def _work(self) -> None:
        while (reading := self._take()) is not None:
            outcome = reading.run(self._place(reading.where))
            with self._changed:
                del self._being_read[reading.who]
                self._changed.notify()
            outcome()

    def _place_of(self, where: str) -> str | int:
        """One of the places of all servers; without others, each enterprise has one of its own."""
        if self._folder is None:
            return where
        return int.from_bytes(sha256(where.encode()).digest()[:4]) % self._at_once

    @contextmanager
    def _place(self, where: str) -> Iterator[None]:
        """Waits until no other process reads in this place. Where there is no folder to write to, nobody else serves
        from it."""
        with ExitStack() as stack:
            if self._folder is not None and os.access(self._folder, os.W_OK):
                descriptor = os.open(self._folder / f".reading-{self._place_of(where)}", os.O_RDWR | os.O_CREAT, 0o600)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    def _take(self) -> FileInLine | None:
        """The next file: of who waits longest since theirs was read, of whom none is being read, and who has time of
        the processor left. None after a while without work: the thread ends."""
        with self._changed:
            while True:
                busy = {self._place_of(file.where) for file in self._being_read.values()}
                free = {
                    who: self._budget.wait_of(who)
                    for who, line in self._lines.items()
                    if who not in self._being_read and self._place_of(line[0].where) not in busy
                }
                who = next((who for who, seconds in free.items() if not seconds), None)
                if who is not None:
                    break
                if not self._changed.wait(min([_IDLE, *free.values()])) and not self._lines:
                    self._threads -= 1
                    return None
            line = self._lines.pop(who)
            reading = line.popleft()
            if line:
                self._lines[who] = line  # behind all others
            self._being_read[who] = reading
            return reading
