"""Reads the plugins of a test from its markers or, without a marker, from the package under test."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .instances import Plan


def plan_of(request: pytest.FixtureRequest) -> Plan:
    """The plugins and settings of all markers ``@pytest.mark.plugins`` of the test; the nearest marker has precedence.

    Raises `pytest.UsageError` for a malformed marker.
    """
    plugins = dict[str, None]()
    settings, instance_settings = dict[str, Mapping[str, Any]](), dict[str, Mapping[str, Any]]()
    markers = list(request.node.iter_markers("plugins"))  # the nearest first
    for marker in reversed(markers):
        plugins.update(dict.fromkeys(marker.args))
    for marker in markers:
        for name, collected in (("settings", settings), ("instance_settings", instance_settings)):
            if name in marker.kwargs:
                collected.setdefault(_only(marker), marker.kwargs[name])
        unknown = set(marker.kwargs) - {"settings", "instance_settings"}
        if unknown:
            raise pytest.UsageError(f"@pytest.mark.plugins knows no {', '.join(sorted(unknown))}.")
    if not plugins:
        plugins.update(dict.fromkeys(_declared(request.path.parent)))
    return Plan(plugins=tuple(plugins), settings=settings, instance_settings=instance_settings)


def _only(marker: pytest.Mark) -> str:
    if len(marker.args) != 1:
        raise pytest.UsageError("@pytest.mark.plugins: settings belong to one plugin; give it a marker of its own.")
    plugin: str = marker.args[0]
    return plugin


@cache
def _declared(folder: Path) -> tuple[str, ...]:
    """The plugins that the nearest pyproject.toml declares as entry points."""
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if file.is_file():
            project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
            return tuple(project.get("entry-points", {}).get("commensal", ()))
    return ()
