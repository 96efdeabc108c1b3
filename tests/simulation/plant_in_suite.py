"""A plugin for pytest that plants a bug while a test runs: ``pytest -p tests.simulation.plant_in_suite --plants JSON``.

The object names for each test, by its node id, the bug of `mutants.MUTANTS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from .mutants import planted

_PLANTS = pytest.StashKey[Mapping[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plants", required=True, help="a JSON object of node ids and names of bugs")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_PLANTS] = json.loads(config.getoption("--plants"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Plants it before the fixtures of the test start instances."""
    with planted(item.config.stash[_PLANTS][item.nodeid]):
        return (yield)
