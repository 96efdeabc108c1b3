"""Each commit is forced to the disk. No kill shows that, since the system keeps written data; a power cut does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commensal.instance.instance import DATABASE

from .lifeline import ROOT

ORDERS = 60


@pytest.fixture(scope="module", autouse=True)
def strace() -> None:
    if shutil.which("strace") is None:
        assert "CI" not in os.environ, "strace is missing: apt-get install strace"
        pytest.skip("strace is not installed: apt-get install strace")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("strace may not look into processes here")


def _forced_writes(shop: Path, *options: str) -> int:
    """Counts how often the system is told to force data to the disk while `ORDERS` orders are placed."""
    item, count_file = json.loads((shop / "shop.json").read_text())["items"]["apples"], shop / "counted"
    command = [sys.executable, "-m", "tests.crash.place_orders", str(shop / DATABASE), item, str(ORDERS), *options]
    strace_command = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(count_file)]
    subprocess.run([*strace_command, *command], cwd=ROOT, check=True)
    lines = [line.split() for line in count_file.read_text().splitlines()]
    return sum(int(line[3]) for line in lines if line and line[-1] in ("fsync", "fdatasync"))


def test_every_commit_is_forced_to_the_disk(shop: Path) -> None:
    assert _forced_writes(shop) >= ORDERS


def test_the_count_finds_commits_that_are_not(shop: Path) -> None:
    assert _forced_writes(shop, "NORMAL") < ORDERS
