"""Runs commands of the shell in processes that start at once: each is a fork of this one, which imports everything.

It has one thread and opens nothing, so a fork of it equals a fresh process. It reads a line of JSON for each
command, as `shell.Shell` writes it, and writes its exit code; the command's output goes into files.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from tests.core.exit_codes import exit_after

from commensal.base.entry_points import plugin_entry_points
from commensal.base.failpoints import arm
from commensal.parts import cli
from commensal.parts.endpoints import core_endpoints


def main() -> None:
    core_endpoints()  # imports the routes
    for point in plugin_entry_points().values():
        point.load()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(**json.loads(line))
        _, status = os.waitpid(pid, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _run(words: list[str], failpoint: str, folder: str, env: dict[str, str], files: list[str], seconds: int) -> None:
    """Runs the command and ends this process with its exit code; kills it after `seconds`."""
    empty_input, *outputs = (
        os.open(os.devnull, os.O_RDONLY),
        *(os.open(file, os.O_WRONLY | os.O_APPEND) for file in files),
    )
    for number, file in enumerate((empty_input, *outputs)):
        os.dup2(file, number)
    signal.alarm(seconds)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    arm(failpoint)
    sys.argv = ["commensal", *words]
    exit_after(cli.main)


if __name__ == "__main__":
    main()
