"""Lives of an instance, one after the other: begun by the fork server, ended by a failpoint or by hand."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
KILLED = -signal.SIGKILL
_TO_START = 60  # seconds, after which it never will
_FIRST = "/api/sale-sessions/shop-session/payment-methods"  # asks the database and the plugins


class Lifeline:
    """Talks to the fork server, and tells clients where the instance serves at the moment."""

    def __init__(self, output: IO[str], input_: IO[str], folder: Path) -> None:
        self._said, self._told, self._moved = output, input_, threading.Condition()
        self._url, self._lives, self._pid = "", 0, 0
        self.in_time = True  # whether the last life came to its failpoint
        self._model = folder / "model"
        self._hear("ready")

    def open_shop(self, folder: Path, database: str = "") -> Path:
        """Makes a shop in `folder`: copied from the first one, or in the empty `database` of a server."""
        if database:
            assert self.run("open_shop", folder=str(folder), database=database) == 0
            return folder
        if not self._model.exists():
            assert self.run("open_shop", folder=str(self._model)) == 0
        shutil.copytree(self._model, folder)
        return folder

    def run(self, do: str, **arguments: Any) -> int:
        """Lets a process run one command to its end or to its failpoint. Returns how it ended."""
        self._begin(do, arguments)
        return int(self._hear("ended")["ended"])

    def serve(
        self, seconds: float, *, meanwhile: Callable[[], None] = lambda: None, **arguments: Any
    ) -> tuple[int, float | None]:
        """Runs one life that serves until its failpoint, at most so many seconds after its first answer; `meanwhile` is
        called in it.

        Returns how it ended, and the seconds until its first answer, or None if it never answered.
        """
        started, recovered = time.perf_counter(), None
        self._begin("serve_shop", arguments)
        self.in_time = True
        kill = self._kill_after(_TO_START)
        message = self._hear("url", "ended")
        if "url" in message:
            with suppress(OSError, http.client.HTTPException):
                first_answer(message["url"])
                recovered = time.perf_counter() - started
            kill.cancel()
            kill = self._kill_after(seconds)
            self._move(message["url"])
            meanwhile()
            message = self._hear("ended")
        kill.cancel()
        self._move("")
        return int(message["ended"]), recovered

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The process is stopped, between any two instructions of each of its threads, until the block ends."""
        os.kill(self._pid, signal.SIGSTOP)
        try:
            tasks = Path(f"/proc/{self._pid}/task")
            while any(_state(task) != "T" for task in tasks.iterdir()):
                os.sched_yield()
            yield
        finally:
            os.kill(self._pid, signal.SIGCONT)

    def _kill_after(self, seconds: float) -> threading.Timer:
        def give_up() -> None:
            self.in_time = False
            self.kill()

        timer = threading.Timer(seconds, give_up)
        timer.start()
        return timer

    def url(self, tried: int) -> tuple[str, int]:
        """Returns the URL of the instance and the number of its life. Waits for a life, and a moment for another than
        `tried`.
        """
        with self._moved:
            self._moved.wait_for(lambda: self._lives != tried, timeout=0.02)
            self._moved.wait_for(lambda: self._url)
            return self._url, self._lives

    def _move(self, url: str) -> None:
        with self._moved:
            self._url = url
            self._lives += bool(url)
            self._moved.notify_all()

    def _begin(self, do: str, arguments: dict[str, Any]) -> None:
        self._told.write(json.dumps({"do": do, **arguments}) + "\n")
        self._told.flush()
        self._pid = int(self._hear("pid")["pid"])

    def _hear(self, *expected: str) -> dict[str, Any]:
        line = self._said.readline()
        message: dict[str, Any] = json.loads(line) if line else {}
        assert message.keys() & set(expected), f"the fork server said {line!r} instead of {' or '.join(expected)}"
        return message


def _state(task: Path) -> str:
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


def first_answer(url: str) -> None:
    """Waits for an answer of 200. Raises the errors of the network, and `AssertionError` for any other answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", _FIRST)
        assert connection.getresponse().status == 200
    finally:
        connection.close()


@contextmanager
def lifeline() -> Iterator[Lifeline]:
    """A fork server of this test run; the errors of its processes go where those of the tests go."""
    command = [sys.executable, "-m", "tests.crash.fork_server"]
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        line = Lifeline(process.stdout, process.stdin, Path(place))
        try:
            yield line
        finally:
            line.kill()
            process.stdin.close()
