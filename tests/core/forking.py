"""Runs commands of the shell in processes that begin at once: all is imported here, and each is a fork of this process.

It has one thread and opens nothing, so a fork of it is as good as a fresh process. It reads a line of JSON for each
command, ``{"words": […], "failpoint": "name:hit", "path": PATH, "said": file}``, and writes how it ended; what the
command says goes into the file.
"""

from __future__ import annotations

import json
import os
import sys

from commensal import cli
from commensal.api.routes import core_endpoints
from commensal.failpoints import arm
from commensal.hooks.loading import found_plugins


def main() -> None:
    core_endpoints()  # imports the routes
    for one in found_plugins().values():
        one.load()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(**json.loads(line))
        _, status = os.waitpid(pid, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _run(words: list[str], failpoint: str, path: str, said: str) -> None:
    """Ends this process, as the command ends."""
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.close(0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ["PATH"] = path
    arm(failpoint)
    sys.argv[1:] = words
    code = 70
    try:
        cli.main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
