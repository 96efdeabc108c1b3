"""Traces what an order, an ``OrderUpdate`` and a form of the office pass: how many files, functions and calls.

``make ways`` prints a line for each. A *switch* is a call into another file than the call before it: how often a reader
who follows the way has to open another file. It needs `sys.monitoring` (Python 3.12), and counts all threads.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MONITORING: Any = getattr(sys, "monitoring", None)
WINGS = tuple(f"{ROOT / wing}{os.sep}" for wing in ("core", "federation", "plugins"))


@dataclass(frozen=True)
class Way:
    """`test` takes it. It begins where `entry` (file:function) is called for a request that `is_it` recognises."""

    name: str
    test: str
    entry: str
    is_it: Callable[[Any], bool]


WAYS = (
    Way(
        "an order over the API",
        "tests/core/test_api.py::test_a_packer_may_pack_and_not_change",
        "handler.py:answer",
        lambda request: request.method == "POST" and "idempotency-key" in request.headers,
    ),
    Way(
        "an OrderUpdate",
        "tests/federation/test_instance_orders.py::test_what_customers_order_is_one_order_to_the_producer_which_grows",
        "answer.py:serve",
        lambda request: b'"OrderUpdate"' in request.body,
    ),
    Way(
        "a form of the office",
        "tests/plugins/test_office_products.py::test_prices_and_stock_are_saved_together",
        "page.py:_Page.run",
        lambda request: request.method == "POST" and "/products" in request.url.path,
    ),
)


class Tracer:
    """Notes every call of the project's functions, in all threads, from the first `entry` of a way to its return."""

    def __init__(self, way: Way) -> None:
        self.way, self.calls = way, list[tuple[str, str]]()
        self._inside: CodeType | None = None
        self._done = False

    def start(self) -> None:
        events = MONITORING.events
        MONITORING.use_tool_id(TOOL, "ways")
        MONITORING.register_callback(TOOL, events.PY_START, self._called)
        MONITORING.register_callback(TOOL, events.PY_RETURN, self._returned)
        MONITORING.set_events(TOOL, events.PY_START | events.PY_RETURN)

    def _called(self, code: CodeType, _offset: int) -> object:
        if not code.co_filename.startswith(WINGS):
            return MONITORING.DISABLE
        if self._inside is None and not self._done and self._is_entry(code):
            self._inside = code
        if self._inside is not None:
            self.calls.append((code.co_filename, code.co_qualname))
        return None

    def _is_entry(self, code: CodeType) -> bool:
        file, function = self.way.entry.split(":")
        if code.co_qualname != function or Path(code.co_filename).name != file:
            return False
        given = sys._getframe(2).f_locals
        return "request" in given and self.way.is_it(given["request"])

    def _returned(self, code: CodeType, _offset: int, _value: object) -> None:
        if code is self._inside:
            self._inside, self._done = None, True

    def line(self) -> str:
        files = [file for file, _ in self.calls]
        switches = sum(before != after for before, after in pairwise(files))
        functions = {call for call in self.calls if not call[1].endswith(">")}
        return f"{self.way.name:<24}{len(set(files)):>6}{len(functions):>11}{len(files):>8,}{switches:>10,}"


TOOL = 4  # free for anybody, says `sys.monitoring`


@pytest.fixture(autouse=True)
def traced_way() -> Iterator[None]:
    """Of a test that `make ways` runs."""
    (way,) = (way for way in WAYS if way.name == os.environ["COMMENSAL_WAY"])
    tracer = Tracer(way)
    tracer.start()
    yield
    MONITORING.set_events(TOOL, 0)
    MONITORING.free_tool_id(TOOL)
    assert tracer.calls, f"{way.test} does not pass {way.entry}"
    with Path(os.environ["COMMENSAL_WAYS"]).open("a", encoding="utf-8") as lines:
        lines.write(f"{tracer.line()}\n")


def main() -> None:
    if MONITORING is None:
        raise SystemExit("This needs Python 3.12: make ways PYTHON=…")
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as lines:
        for way in WAYS:
            environment = {**os.environ, "COMMENSAL_WAY": way.name, "COMMENSAL_WAYS": lines.name}
            options = ["-q", "-n", "0", "-p", "tests.ways", "-k", "not postgresql", f"{ROOT / way.test}"]
            pytest_run = [sys.executable, "-m", "pytest", *options]
            subprocess.run(pytest_run, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        print(f"{'':<24}{'files':>6}{'functions':>11}{'calls':>8}{'switches':>10}")
        print(lines.read(), end="")


if __name__ == "__main__":
    main()
