"""Serves an instance as ``commensal serve`` does, with a clock that is wrong by some seconds.

    python -m tests.federation.wrong_clock FOLDER PORT SECONDS

With 0 seconds a time server vouches for the clock, as it does on most machines.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from commensal.base.clock import SystemClock
from commensal.base.logs import configure_logs
from commensal.instance import open_instance
from commensal.parts.serving.serving import serve


class WrongClock(SystemClock):
    def __init__(self, seconds: int) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead

    def is_synchronised(self) -> bool:
        return not self._ahead


if __name__ == "__main__":
    configure_logs(sys.stderr, level="warning", format="text")
    with open_instance(Path(sys.argv[1]), clock=WrongClock(int(sys.argv[3]))) as instance:
        serve(instance, port=int(sys.argv[2]), started=lambda url: print(f"Serving on {url}", flush=True))
