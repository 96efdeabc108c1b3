"""Every hook is documented, used by a bundled plugin, tested with faults, and deprecated before its removal."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import commensal
from commensal import SEGMENTS, segment
from commensal.base.clock import ManualClock
from commensal.base.deprecated import RemovedIn1Warning
from commensal.base.entry_points import plugin_entry_points
from commensal.hooks import loading, specifications
from commensal.hooks.contract import AnyHook, hook, hookimpl
from commensal.hooks.loading import all_hooks, load_plugins
from commensal.hooks.running import answer_problem
from commensal.instance import InstanceSettings
from commensal.parts.plugin_kit.describing import hooks_page
from commensal.people.actor import ALL_SCOPES
from commensal.testing.probe import GOOD

COOKBOOK = Path(__file__).parents[2] / "plugins" / "COOKBOOK.md"
every_hook = pytest.mark.parametrize("hook", all_hooks().values(), ids=lambda hook: hook.name)


@every_hook
def test_a_hook_says_what_it_is_for_and_when_it_came(hook: AnyHook) -> None:
    assert hook.__doc__
    assert len(hook.__doc__) > 30
    assert re.fullmatch(r"\d+\.\d+", hook.contract.since)


def test_the_fields_that_a_report_may_ask_for_are_all_named() -> None:
    """In the cookbook, in a table with a row for each segment, and one for what all lines of orders have."""
    rows = re.findall(r"^\| (?:of|`(\w+)`)[^|]*\| (`.*`) \|$", COOKBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    named = {segment: set(re.findall(r"`(\w+)`", fields)) for segment, fields in rows}
    for name in SEGMENTS:
        fields = set(segment(name, "en").fields)
        shared = named[""] if named[""] <= fields else set()
        assert named[name] | shared == fields, name


def test_the_scopes_that_an_endpoint_may_demand_are_all_named() -> None:
    named = set(re.findall(r'"([a-z:]+)"', specifications.endpoints.__doc__ or ""))
    assert named == ALL_SCOPES


@pytest.mark.bundled
@every_hook
def test_a_hook_has_a_bundled_plugin_that_uses_it(hook: AnyHook) -> None:
    bundled = [point for point in plugin_entry_points().values() if point.dist and point.dist.name == "commensal"]
    assert [point.name for point in bundled if hasattr(getattr(point.load(), hook.name, None), "commensal_impl")]


def test_a_decorator_marks_a_function_for_its_hook_alone() -> None:
    def order_placed(order: object) -> None: ...

    marked = commensal.implement.order_placed(order_placed)
    assert vars(marked)["commensal_impl"] == vars(hookimpl(order_placed))["commensal_impl"]
    with pytest.raises(AttributeError, match="no hook order_place; did you mean order_placed"):
        commensal.implement.order_place  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(TypeError, match="implements order_paid is called so, not order_placed"):
        commensal.implement.order_paid(order_placed)


@every_hook
def test_the_type_that_a_hook_promises_can_be_checked(hook: AnyHook) -> None:
    """Names in annotations resolve, and no answer of a working plugin is taken for nonsense."""
    answer_problem(hook, None)
    assert hook.name in GOOD


@every_hook
def test_the_types_in_its_signature_can_be_imported_by_plugins(hook: AnyHook) -> None:
    """From `commensal`, or from a library that plugins may use."""
    outside = {"Any", "BaseRoute", "Mapping", "None", "Path", "Sequence", "bool", "datetime", "frozenset", "int", "str"}
    outside |= {"type", "typer.Typer"}
    named = {name for text in hook.specification.__annotations__.values() for name in re.findall(r"[\w.]+", text)}
    assert named - outside <= set(commensal.__all__)


# ------------------------------------------------------------------------------------------------ what goes


@hook(scope="instance", returns="each", where="outside", on_error="skip", deprecated="use menu_items(); gone in 1.1")
def old_menu(language: str) -> None:
    """Links for the menu, by a deprecated hook."""


@hook(
    scope="instance",
    returns="each",
    where="outside",
    on_error="skip",
    deprecated_arguments={"person": "take person_id; gone in 1.1"},
)
def some_menu(person: str, person_id: str) -> None:
    """Links for the menu, with a deprecated argument."""


def warnings_of_start(clock: ManualClock, **functions: Callable[..., Any]) -> list[str]:
    """Returns the warnings that a plugin causes when the instance starts."""
    module = ModuleType("probe")
    for name, function in functions.items():
        function.__name__ = name
        setattr(module, name, hookimpl(function))
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"]})
    with warnings.catch_warnings(record=True) as records:
        warnings.simplefilter("always")
        load_plugins(settings, clock=clock, modules={"probe": module})
    assert all(issubclass(record.category, RemovedIn1Warning) for record in records)
    return [str(record.message) for record in records]


@pytest.fixture
def with_old_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = {**all_hooks(), "old_menu": old_menu, "some_menu": some_menu}
    monkeypatch.setattr(loading, "all_hooks", lambda: hooks)


@pytest.mark.usefixtures("with_old_hooks")
def test_who_uses_what_goes_reads_of_it_at_the_start(clock: ManualClock) -> None:
    assert warnings_of_start(clock, old_menu=lambda language: None) == [
        "old_menu is deprecated: use menu_items(); gone in 1.1"
    ]
    warning = "person of some_menu is deprecated: take person_id; gone in 1.1"
    assert warnings_of_start(clock, some_menu=lambda person: None) == [warning]
    assert warnings_of_start(clock, some_menu=lambda person_id: None) == []
    assert warnings_of_start(clock, menu_items=lambda language: None) == []


@pytest.mark.usefixtures("with_old_hooks")
def test_where_warnings_are_errors_the_plugin_does_not_load(clock: ManualClock) -> None:
    module = ModuleType("probe")
    module.old_menu = hookimpl(old_menu.specification)  # type: ignore[attr-defined]
    settings = InstanceSettings(name="Test", plugins={"enabled": ["probe"]})
    with pytest.raises(RemovedIn1Warning, match="use menu_items"):
        load_plugins(settings, clock=clock, modules={"probe": module})


def test_the_page_says_what_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = specifications.menu_items.contract
    monkeypatch.setattr(
        specifications.menu_items, "contract", type(contract)(**{**vars(contract), "deprecated": "use something else"})
    )
    assert "**Deprecated**: use something else" in hooks_page()
