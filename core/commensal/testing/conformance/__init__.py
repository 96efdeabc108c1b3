"""Checks that every plugin can be put to: what the contracts of its hooks promise, tried on a real shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ...hooks.loading import plugin_entry_points
from ..instances import Instances, Plan
from .check import Check, Nonconforming, Prepare, Subject, implemented_by

_ROOMS = ("code", "settings", "tables", "payments", "shipping", "prices", "reports", "pages", "switching")


def conforms(
    plugin: str,
    *,
    settings: Mapping[str, Any] | None = None,
    instance_settings: Mapping[str, Any] | None = None,
    prepare: Prepare | None = None,
    without: Mapping[str, str] | None = None,
    module: ModuleType | None = None,
) -> Callable[..., None]:
    """A test, or rather one for each check that concerns the plugin: ``test_conforms = conforms("invoice")``.

    settings:          of the enterprise that tries it
    instance_settings: of the operator
    prepare:           is called with the `Shop` before each check; where there is none, the plugin's own `demo_data`
    without:           checks that are left out, each with the reason
    module:            stands in for an installed plugin
    """
    unknown = sorted(set(without or ()) - {one.name for one in checks()})
    if unknown:
        raise ValueError(f"there are no checks {', '.join(unknown)}")
    found = module or _loaded(plugin)
    hooks = implemented_by(found) if found else frozenset[str]()
    chosen = [one for one in checks() if one.is_for(hooks) and one.name not in (without or ())]
    if found is None:
        chosen = chosen[:1]

    @pytest.mark.parametrize("check", chosen, ids=lambda one: one.name)
    def test_conforms(check: Check, commensal_instances: Instances, tmp_path: Path) -> None:
        plan = Plan(
            plugins=(plugin,),
            settings={plugin: settings or {}},
            instance_settings={plugin: instance_settings} if instance_settings else {},
            modules={plugin: module} if module else {},
        )
        assert found is not None, f"{plugin!r} is not installed, or cannot be imported: pip install -e ."
        check.run(
            Subject(
                plugin=plugin, module=found, plan=plan, prepare=prepare, instances=commensal_instances, folder=tmp_path
            )
        )

    return test_conforms


def checks() -> list[Check]:
    """All of them, in the order in which they help to find what is wrong."""
    rooms = [import_module(f".{name}", __name__) for name in _ROOMS]
    return [one for room in rooms for one in vars(room).values() if isinstance(one, Check)]


def _loaded(plugin: str) -> ModuleType | None:
    """The installed plugin; None where it is missing or broken, which the first check then says."""
    point = plugin_entry_points().get(plugin)
    try:
        return point.load() if point else None
    except Exception:  # whatever its import raises: collecting tests goes on, and the first check tells
        return None


__all__ = ["Check", "Nonconforming", "Subject", "checks", "conforms"]
