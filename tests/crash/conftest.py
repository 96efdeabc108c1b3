"""One fork server for all tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .lifeline import Lifeline, lifeline


@pytest.fixture(scope="session")
def line() -> Iterator[Lifeline]:
    with lifeline() as line:
        yield line


@pytest.fixture
def shop(line: Lifeline, tmp_path: Path) -> Path:
    """The folder of an instance with a shop."""
    return line.open_shop(tmp_path / "shop")
