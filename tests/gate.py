"""Programs that wait until a test lets them go on."""

from __future__ import annotations

import fcntl
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Gate:
    """A file that programs wait for until it is opened."""

    path: Path

    def __post_init__(self) -> None:
        self._file = self.path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    @property
    def source(self) -> str:
        return f"import fcntl; fcntl.flock(open({str(self.path)!r}), fcntl.LOCK_SH)"

    @property
    def program(self) -> list[str]:
        return [sys.executable, "-IS", "-c", self.source]

    def open(self) -> None:
        self._file.close()
