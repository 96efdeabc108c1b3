"""Plans rounds with VROOM, where the extra `routing` is installed: in a process of its own, `vroom_script.py`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from commensal import PlannedRound, RoundsTask, convert, hookimpl

_SECONDS = 25  # by the clock on the wall; the hook ends after 30
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_SCRIPT = Path(__file__).with_name("vroom_script.py")


@hookimpl
def plan_rounds(task: RoundsTask) -> Sequence[PlannedRound] | None:
    """None where the extra `routing` is not installed. A solver that fails, or takes too much, raises."""
    if find_spec("vroom") is None:
        return None
    if not task.loads or not task.vehicles:
        return []
    solved = subprocess.run(  # noqa: S603 - our own file, no words of others
        [sys.executable, "-I", str(_SCRIPT)],
        input=msgspec.json.encode(task),
        capture_output=True,
        check=False,
        timeout=_SECONDS,
        env=_ONE_THREAD,
        cwd="/",
    )
    if solved.returncode != 0:
        last = solved.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise RuntimeError(f"the solver ended with {solved.returncode}: {last[:300]}")
    rounds: list[PlannedRound] = convert(msgspec.json.decode(solved.stdout), list[PlannedRound])
    return rounds
