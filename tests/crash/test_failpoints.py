"""Failpoints: each name is in the code, a process dies at the armed hit, and nothing else can arm one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from commensal.base.failpoints import FAILPOINTS, arm, failpoint

from . import moments

ROOTS = [Path(__file__).parents[2] / name for name in ("core", "federation", "plugins")]
_THREE_TIMES = """
from commensal.base.failpoints import failpoint
for n in range(3):
    print(n)
    failpoint("order.taken")
"""


def _run_armed(armed: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COMMENSAL_FAILPOINT": armed, "PYTHONUNBUFFERED": "1"}
    return subprocess.run(
        [sys.executable, "-c", _THREE_TIMES], env=environment, capture_output=True, text=True, check=False
    )


def test_every_name_stands_in_the_code_and_no_other_does() -> None:
    files = [file for root in ROOTS for file in root.rglob("*.py")]
    names = {name for file in files for name in re.findall(r'failpoint\("(.+?)"\)', file.read_text())}
    assert names == FAILPOINTS


def test_every_one_is_passed_for_a_test_kills_there() -> None:
    assert moments.ALL == FAILPOINTS


def test_a_process_dies_at_the_very_hit_that_was_armed() -> None:
    result = _run_armed("order.taken:2")
    assert (result.returncode, result.stdout) == (-signal.SIGKILL, "0\n1\n")


def test_a_process_lives_on_where_another_failpoint_is_armed_or_none() -> None:
    assert _run_armed("job.done:1").returncode == 0
    assert _run_armed("").returncode == 0


@pytest.mark.parametrize("text", ["no.such:1", "order.taken", "order.taken:0", "order.taken:soon"])
def test_what_is_no_failpoint_cannot_be_armed(text: str) -> None:
    with pytest.raises(ValueError, match=r"failpoint|invalid literal"):
        arm(text)
    failpoint("order.taken")  # and nothing is armed by the attempt
