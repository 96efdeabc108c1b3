"""Commands of the shell, each in a process of its own: a fork of one that has imported everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).parents[2])  # of the package `tests`


class Shell:
    """Like `subprocess.run` of the command `commensal`, but a second faster. `folder` keeps the output of commands."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / "stdout.txt", folder / "stderr.txt"]
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("forking.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": _ROOT},
        )

    def run(
        self, *words: object, env: Mapping[str, str] = os.environ, cwd: Path | None = None, failpoint: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command and returns its result. Kills it after two minutes, or at its `failpoint`, if given."""
        for file in self._files:
            file.write_text("")
        command: dict[str, Any] = {
            "words": [str(word) for word in words],
            "failpoint": failpoint,
            "folder": str(cwd or Path.cwd()),
            "env": dict(env),
            "files": [str(file) for file in self._files],
            "seconds": 120,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        out, err = (file.read_text(encoding="utf-8") for file in self._files)
        return subprocess.CompletedProcess(command["words"], code, out, err)

    def close(self) -> None:
        self._process.communicate(timeout=30)
