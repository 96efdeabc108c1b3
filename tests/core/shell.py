"""Commands of the shell, each in a process of its own that need not import anything: a fork of one that has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Shell:
    """As `subprocess.run` of the command `commensal`, a second faster. `folder` is where it keeps what commands say."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / "stdout.txt", folder / "stderr.txt"]
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("forking.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def run(
        self, *words: object, env: Mapping[str, str] = os.environ, cwd: Path | None = None, failpoint: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """How it ended, and what it said. It is killed after two minutes, and at its `failpoint` where one is named."""
        for file in self._files:
            file.write_text("")
        wanted: dict[str, Any] = {
            "words": [str(word) for word in words],
            "failpoint": failpoint,
            "folder": str(cwd or Path.cwd()),
            "env": dict(env),
            "files": [str(file) for file in self._files],
            "seconds": 120,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        out, err = (file.read_text(encoding="utf-8") for file in self._files)
        return subprocess.CompletedProcess(wanted["words"], code, out, err)

    def close(self) -> None:
        self._process.communicate(timeout=30)
