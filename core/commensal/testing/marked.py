"""What a test's markers say of plugins; and where there is none, what the package under test declares."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .instances import Plan


def plan_of(request: pytest.FixtureRequest) -> Plan:
    """All ``@pytest.mark.plugins`` of the test; one closer to it wins over one of its class or module.

    Raises `pytest.UsageError` for a marker that cannot be understood.
    """
    plugins = dict[str, None]()
    settings, instance_settings = dict[str, Mapping[str, Any]](), dict[str, Mapping[str, Any]]()
    markers = list(request.node.iter_markers("plugins"))  # the nearest first
    for marker in reversed(markers):
        plugins.update(dict.fromkeys(marker.args))
    for marker in markers:
        for name, kept in (("settings", settings), ("instance_settings", instance_settings)):
            if name in marker.kwargs:
                kept.setdefault(_only(marker), marker.kwargs[name])
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
    """The entry points of the nearest pyproject.toml."""
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if file.is_file():
            project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
            return tuple(project.get("entry-points", {}).get("commensal", ()))
    return ()
