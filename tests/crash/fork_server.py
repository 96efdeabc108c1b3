"""Starts instances in a tenth of a second: all imports happen here once, and every life is a fork of this process.

It opens no database, speaks no HTTP and has one thread, so that a fork of it is as good as a fresh process. It reads
commands line by line as JSON, ``{"do": name, ...arguments}``, and writes ``{"pid": …}`` and ``{"ended": …}``; a forked
process writes ``{"url": …}`` when it serves.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from commensal.base import entry_points as installed
from commensal.base.failpoints import arm
from commensal.base.logs import configure_logs
from commensal.parts.endpoints import core_endpoints

from . import lives
from .plants import PLANTS

_PR_SET_PDEATHSIG = 1  # prctl(2)
_TILL = EntryPoint("till", "tests.crash.till", installed.GROUP)


def main() -> None:
    _die_with_parent()
    vars(installed)["entry_points"] = lambda group: [*entry_points(group=group), _TILL]
    installed.read_entry_points.cache_clear()
    configure_logs(sys.stderr, level="error")
    core_endpoints()  # imports the routes
    for plugin in ("till", "cash", "pickup"):
        installed.plugin_entry_points()[plugin].load()
    say(ready=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(**json.loads(line))
        say(pid=pid)
        _, status = os.waitpid(pid, 0)
        say(ended=os.waitstatus_to_exitcode(status))


def _die_with_parent() -> None:
    """Ends the process with its parent, so that nothing continues when the tests are ended from outside. Only Linux has
    such a signal.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def say(**message: Any) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")  # one write, so that lines of two processes never mix


def _live(do: str, armed: str = "", planted: str = "", **arguments: Any) -> None:
    """In a forked process: runs one command, and ends without returning."""
    code = 1
    try:
        _die_with_parent()
        os.close(0)
        arm(armed)
        if planted:
            PLANTS[planted]()
        vars(lives)[do](**arguments)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
