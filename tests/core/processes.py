"""Real processes of an instance, as an operator starts them, and customers who use any process that answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

COMMENSAL = Path(sys.executable).with_name("commensal")
KILLED = -signal.SIGKILL
_PATIENCE = 60.0  # seconds for steps that take one; the machine may be busy


class Processes:
    """``commensal serve`` and ``commensal work``. Stops what still runs at the end of the block."""

    def __init__(self, folder: Path) -> None:
        self._errors, self._all = folder / "stderr.txt", list[subprocess.Popen[str]]()

    def begin(self, folder: Path, *words: str, failpoint: str = "") -> subprocess.Popen[str]:
        """Starts a command on the instance; it kills itself at the failpoint."""
        env = {**os.environ, "COMMENSAL_FAILPOINT": failpoint}
        with self._errors.open("a") as errors:
            process = subprocess.Popen(
                [COMMENSAL, *words, "--instance", folder], stdout=subprocess.PIPE, stderr=errors, text=True, env=env
            )
        self._all.append(process)
        return process

    def work(self, folder: Path, *, failpoint: str = "") -> subprocess.Popen[str]:
        return self.begin(folder, "work", failpoint=failpoint)

    def web(self, folder: Path, *, failpoint: str = "") -> subprocess.Popen[str]:
        return self.begin(folder, "serve", "--no-jobs", "--port", "0", failpoint=failpoint)

    def address(self, process: subprocess.Popen[str]) -> str:
        """Returns the URL of a web process, once it accepts connections."""
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Serving on "), self._errors.read_text()
        return line.removeprefix("Serving on ").strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all:
            process.terminate()
        for process in self._all:
            process.communicate(timeout=_PATIENCE)


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Waits until the condition holds; fails after a time limit."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        threading.Event().wait(0.05)


@dataclass
class Outcome:
    """The answers to customers: their orders by id, how many were sold out, and unexpected answers."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    sold_out: int = 0
    repeated: int = 0
    unexpected: list[str] = field(default_factory=list)


class Customers:
    """Customers who order one piece at a time. One who gets no answer asks another server with the same key:
    the order may have been placed or not, and must exist exactly once in the end."""

    def __init__(self, addresses: Sequence[str], item: str, *, customers: int, orders: int) -> None:
        self._addresses, self._item, self._orders, self.outcome = addresses, item, orders, Outcome()
        self._pool = ThreadPoolExecutor(customers)
        self._all = [self._pool.submit(self._shop, number) for number in range(customers)]

    def finish(self) -> Outcome:
        for future in self._all:
            future.result(timeout=_PATIENCE)
        self._pool.shutdown()
        return self.outcome

    def _shop(self, number: int) -> None:
        with httpx.Client(trust_env=False, timeout=10.0) as client:
            for count in range(self._orders):
                self._order(client, number, f"order-{number}-{count}", turn=number + count)

    def _order(self, client: httpx.Client, number: int, key: str, turn: int) -> None:
        wish = {"items": {self._item: 1}, "name": "Ada", "email": f"customer-{number}@example.org", "language": "en"}
        while True:
            url = f"{self._addresses[turn % len(self._addresses)]}/api/sale-sessions/shop-session/orders"
            try:
                answer = client.post(url, json=wish, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                self.outcome.repeated += 1
                turn += 1
                continue
            if answer.status_code == 201:
                order = answer.json()["order"]
                self.outcome.orders[order["id"]] = order
            elif answer.status_code == 409 and answer.json()["code"] == "sold_out":
                self.outcome.sold_out += 1
            else:
                self.outcome.unexpected.append(f"{answer.status_code} {answer.text}")
            return
