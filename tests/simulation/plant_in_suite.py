"""A plugin for pytest: ``pytest -p tests.simulation.plant_in_suite --plant NAME …`` runs tests with a planted bug."""

from __future__ import annotations

import pytest

from .mutants import planted


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plant", required=True, help="the name of a bug in tests/simulation/mutants.py")


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.add_cleanup(planted(session.config.getoption("--plant")).close)
