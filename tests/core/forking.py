"""Runs commands of the shell in processes that begin at once: all is imported here, and each is a fork of this process.

It has one thread and opens nothing, so a fork of it is as good as a fresh process. It reads a line of JSON for each
command, as `shell.Shell` writes it, and writes how it ended; what the command says goes into files.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback

from commensal import cli
from commensal.base.failpoints import arm
from commensal.hooks.loading import plugin_entry_points
from commensal.interfaces.api.routes import core_endpoints


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
    """Ends this process, as the command ends; one that takes too long is killed."""
    nothing, *said = os.open(os.devnull, os.O_RDONLY), *(os.open(file, os.O_WRONLY | os.O_APPEND) for file in files)
    for number, file in enumerate((nothing, *said)):
        os.dup2(file, number)
    signal.alarm(seconds)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    arm(failpoint)
    sys.argv = ["commensal", *words]
    code = 70
    try:
        cli.main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
