"""Ends a forked process as the interpreter ends one that runs a command of the shell."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn


def exit_after(command: Callable[[], object]) -> NoReturn:
    """Runs the command and ends this process with its exit code: 0, that of `SystemExit`, or 70 after an error.

    What the parent of the fork would do at its end is not done.
    """
    code = 70
    try:
        command()
        code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
