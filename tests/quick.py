"""`make quick`: tests of what was changed, then as many others as fit into a minute.

Changed is what is not committed; of a clean checkout, what the last commit changed. First come changed files of tests,
then files that import a changed module, then one test of each other file, then the rest.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_NO_TIME = "no time is left for it: make test runs it"
_SOURCES = ("core/", "federation/", "plugins/")


class Quick:
    """A plugin of pytest that orders tests by what was changed, and skips those for which no time is left."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._began = seconds, 0.0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        in_order(items, changed_files())

    def pytest_collection_finish(self) -> None:
        self._began = time.monotonic()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if time.monotonic() > self._began + self._seconds:
            pytest.skip(_NO_TIME)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        skipped = [report for report in terminalreporter.stats.get("skipped", ()) if _NO_TIME in str(report.longrepr)]
        terminalreporter.write_line(left_out(len(skipped)))


def left_out(count: int) -> str:
    """What `make quick` says at its end. `count` tests were skipped since the time was over."""
    skipped = f"{count} tests for which no time was left, " if count else ""
    return f"Left out: {skipped}type checks, long tests, and PostgreSQL. make test and make test-rest run them."


def in_order(items: list[pytest.Item], changed: Iterable[str]) -> None:
    """Puts tests about `changed` files (paths below the root of the project) first."""
    files = {ROOT / name for name in changed}
    modules = {module for name in changed if (module := module_of(name))}
    nth: Counter[Path] = Counter()
    ranks: dict[str, tuple[int, int]] = {}
    for item in items:
        nth[item.path] += 1
        distance = 0 if item.path in files else 1 if _names_one_of(item.path, frozenset(modules)) else 2
        ranks[item.nodeid] = (distance, nth[item.path] if distance == 2 else 0)
    items.sort(key=lambda item: ranks[item.nodeid])


def module_of(name: str) -> str:
    """The dotted name of a module's file; that of the package for its `__init__.py`; empty for other files."""
    source = next((source for source in _SOURCES if name.startswith(source)), None)
    if source is None or not name.endswith(".py"):
        return ""
    return name.removeprefix(source).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def changed_files() -> list[str]:
    """Paths below the root of the project; none where this is not a checkout of git."""
    lines = _git("status", "--porcelain", "--no-renames", "--untracked-files=all")
    return [line[3:] for line in lines] or _git("show", "--name-only", "--format=", "HEAD")


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


@cache
def _names_one_of(file: Path, modules: frozenset[str]) -> bool:
    text = file.read_text(encoding="utf-8")
    return any(module in text for module in modules)
