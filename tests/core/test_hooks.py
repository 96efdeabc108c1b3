"""Hooks obey their contracts: which plugins are called, in which order, and what a plugin's failure does."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, NotFound, PluginError, Refused, SettingsError
from commensal.hooks import specifications
from commensal.hooks.contract import hookimpl, only_for
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.hooks.values import MenuItem, PaymentMethod
from commensal.instance import InstanceSettings
from commensal.testing.conformance.check import implemented_by
from commensal.testing.drafts import a_payment

NONE: Any = None


def plugin(**functions: Callable[..., Any]) -> ModuleType:
    module = ModuleType("probe")
    for name, function in functions.items():
        function.__name__ = name
        setattr(module, name, hookimpl(function))
    return module


def load(clock: ManualClock, **modules: ModuleType) -> Hooks:
    settings = InstanceSettings(name="Test", plugins={"enabled": list(modules)})
    return load_plugins(settings, clock=clock, modules=modules)


def methods(*ids: str) -> Callable[..., list[PaymentMethod]]:
    return lambda: [PaymentMethod(id=method_id, label=method_id) for method_id in ids]


def ask(hooks: Hooks, among: set[str] | None = None, language: str = "fr") -> list[str]:
    answers = hooks.each(
        specifications.payment_methods,
        among,
        instance=NONE,
        enterprise_id="e",
        person_id=None,
        customer_id=None,
        language=language,
    )
    return [f"{answer.plugin}:{method.id}" for answer in answers for method in answer.value or ()]


def test_plugins_answer_in_the_operators_order(clock: ManualClock) -> None:
    hooks = load(clock, b=plugin(payment_methods=methods("x")), a=plugin(payment_methods=methods("y", "z")))
    assert ask(hooks) == ["b:x", "a:y", "a:z"]


def test_only_the_plugins_of_the_enterprise_are_asked(clock: ManualClock) -> None:
    hooks = load(clock, a=plugin(payment_methods=methods("x")), b=plugin(payment_methods=methods("y")))
    assert ask(hooks, {"b"}) == ["b:y"]
    assert ask(hooks, set()) == []


def test_a_plugin_is_asked_only_for_the_arguments_that_it_names(clock: ManualClock) -> None:
    languages = []

    @only_for(language=("fr", "en"))
    def label(language: str) -> list[PaymentMethod]:
        languages.append(language)
        return []

    hooks = load(clock, a=plugin(payment_methods=label), b=plugin(payment_methods=methods("x")))
    for language in ("fr", "de", "en"):
        assert ask(hooks, language=language) == ["b:x"]
    assert languages == ["fr", "en"]


def test_async_and_plain_functions_answer_alike_outside_a_transaction(clock: ManualClock) -> None:
    async def answer_later() -> list[PaymentMethod]:
        await asyncio.sleep(0)
        return [PaymentMethod(id="late", label="")]

    hooks = load(clock, a=plugin(payment_methods=answer_later), b=plugin(payment_methods=methods("x")))
    assert ask(hooks) == ["a:late", "b:x"]


def test_a_failing_plugin_is_left_out_and_remembered(clock: ManualClock) -> None:
    def fail() -> None:
        raise KeyError("iban")

    hooks = load(clock, a=plugin(payment_methods=fail), b=plugin(payment_methods=methods("x")))
    assert ask(hooks) == ["b:x"]
    (failure,) = hooks.failures
    assert (failure.plugin, failure.hook, failure.at) == ("a", "payment_methods", clock.now())
    assert "KeyError" in failure.what


def test_a_plugin_that_hangs_is_left_behind(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    hooks = load(clock, a=plugin(payment_methods=lambda: release.wait(60)), b=plugin(payment_methods=methods("x")))
    contract = specifications.payment_methods.contract
    monkeypatch.setattr(
        specifications.payment_methods, "contract", type(contract)(**{**vars(contract), "timeout": 0.05})
    )
    assert ask(hooks) == ["b:x"]
    assert hooks.failures[0].what == "it took too long"
    release.set()


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("raised", "what"),
    [
        (SystemExit(3), "RuntimeError: it exits the process: 3"),
        (asyncio.CancelledError("x"), "RuntimeError: it cancels itself: x"),
    ],
)
def test_a_plugin_that_exits_or_cancels_itself_is_left_out(
    clock: ManualClock, raised: BaseException, what: str, asynchronous: bool
) -> None:
    def raise_it() -> None:
        raise raised

    async def raise_later() -> None:
        raise raised

    hooks = load(
        clock,
        a=plugin(payment_methods=raise_later if asynchronous else raise_it),
        b=plugin(payment_methods=methods("x")),
    )
    assert ask(hooks) == ["b:x"]
    assert [failure.what for failure in hooks.failures] == [what]


def test_a_keyboard_interrupt_in_a_plugin_ends_the_process(clock: ManualClock) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    hooks = load(clock, a=plugin(payment_methods=interrupt, price_adjustments=interrupt))
    with pytest.raises(KeyboardInterrupt):
        ask(hooks)
    with pytest.raises(KeyboardInterrupt):
        hooks.each(specifications.price_adjustments, tx=None, order=None, phase=None)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt), hooks.running("a", "job a.work"):
        interrupt()
    assert hooks.failures == []


def test_where_failure_must_not_pass_the_plugin_and_hook_are_named(clock: ManualClock) -> None:
    def fail() -> None:
        raise ValueError("no")

    hooks = load(clock, a=plugin(price_adjustments=fail))
    with pytest.raises(PluginError, match="'a' failed in price_adjustments: ValueError: no"):
        hooks.each(specifications.price_adjustments, tx=None, order=None, phase=None)  # type: ignore[arg-type]


def test_a_refusal_of_a_plugin_is_a_word_to_the_person_not_a_fault(clock: ManualClock) -> None:
    def refuse() -> None:
        raise Refused("declined", "The card was declined.")

    hooks = load(clock, a=plugin(start_payment=refuse))
    with pytest.raises(Refused, match="declined"):
        hooks.ask(
            specifications.start_payment,
            "a",
            instance=NONE,
            payment=a_payment(),
            method="x",
            order_number=1,
            email="",
            return_url="",
            language="fr",
        )
    assert hooks.failures == []


def test_a_text_of_a_refusal_may_have_a_value_called_code() -> None:
    assert str(Conflict("used", "The voucher {code} is used.", code="AB12")) == "The voucher AB12 is used."
    assert NotFound("no_voucher", "There is no voucher {code}.", code="AB12").code == "no_voucher"


def test_asking_a_plugin_that_left_names_it(clock: ManualClock) -> None:
    with pytest.raises(PluginError, match="'gone' failed in start_payment: it is not enabled"):
        load(clock).ask(
            specifications.start_payment,
            "gone",
            instance=NONE,
            payment=a_payment(),
            method="x",
            order_number=1,
            email="",
            return_url="",
            language="fr",
        )


def test_arguments_are_opt_in(clock: ManualClock) -> None:
    def items_by_language(language: str) -> list[MenuItem]:
        return [MenuItem(label=language, url="/")]

    hooks = load(clock, a=plugin(menu_items=items_by_language))
    (answer,) = hooks.each(specifications.menu_items, tx=None, person_id=None, language="en")  # type: ignore[arg-type]
    assert answer.value == [MenuItem(label="en", url="/")]


async def _coroutine() -> None: ...


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ({"payment_method": lambda: None}, r"no hook payment_method; did you mean payment_methods\?"),
        ({"zzz": lambda: None}, "no hook zzz; there are instance_settings, enterprise_settings, "),
        ({"menu_items": lambda langauge: None}, r"menu_items has no argument langauge; did you mean language\?"),
        ({"menu_items": lambda nobody: None}, "no argument nobody; there are tx, person_id, language, instance_set"),
        ({"payment_methods": lambda setings: None}, r"no argument setings; did you mean settings\?"),
        ({"menu_items": only_for(langauge=("fr",))(lambda: None)}, r"no argument langauge; did you mean language\?"),
        ({"menu_items": _coroutine}, "a hook of transaction cannot be async"),
    ],
)
def test_a_plugin_that_cannot_work_is_refused_at_the_start(
    clock: ManualClock, functions: dict[str, Callable[..., Any]], message: str
) -> None:
    with pytest.raises(PluginError, match=message):
        load(clock, a=plugin(**functions))


HIDING = {
    "its package": {
        "__init__": "from commensal import hookimpl\n@hookimpl\ndef migrations(): return None\n",
        "migrations/__init__": "",
        "migrations/first": "",
    },
    "a sibling": {
        "__init__": "from .office import menu_items, migrations\n",
        "office": "from commensal import hookimpl\n@hookimpl\ndef menu_items(): return []\n"
        "@hookimpl\ndef migrations(): return None\n",
        "menu_items": "",
        "migrations/first": "",
    },
}


@pytest.mark.parametrize("files", HIDING.values(), ids=HIDING)
def test_a_submodule_does_not_hide_the_hook_of_its_name(
    clock: ManualClock, a_package: Callable[[Mapping[str, str]], ModuleType], files: Mapping[str, str]
) -> None:
    package = a_package(files)
    for name in files:
        importlib.import_module(f"{package.__name__}.{name.removesuffix('/__init__').replace('/', '.')}")
    hooks = load(clock, probe=package)
    assert hooks.implementing(specifications.migrations) == ["probe"]
    assert implemented_by(package) == set(hooks.implemented_by("probe"))
    assert hooks.folders()["probe"].name == package.__name__
    assert isinstance(package.migrations, ModuleType), "what the author imports stays"


def test_a_hook_that_its_package_does_not_import_is_named(
    clock: ManualClock, a_package: Callable[[Mapping[str, str]], ModuleType]
) -> None:
    reports = "from commensal import hookimpl\n@hookimpl\ndef reports(): return []\n"
    package = a_package({"__init__": "from . import reports\n", "reports": reports})
    with pytest.raises(PluginError, match=r"write `from \.reports import reports` in its __init__\.py"):
        load(clock, probe=package)


def test_a_submodule_called_like_a_hook_that_nobody_implements_is_a_module_like_any_other(
    clock: ManualClock, a_package: Callable[[Mapping[str, str]], ModuleType]
) -> None:
    package = a_package({"__init__": "from . import reports\n", "reports": "def reports(): ...\n"})
    assert load(clock, probe=package).implemented_by("probe") == []


@pytest.fixture
def a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Mapping[str, str]], ModuleType]]:
    """Writes a package with these modules, by path without suffix, and imports it."""
    name = tmp_path.name  # an identifier, and another one for each test

    def write(files: Mapping[str, str]) -> ModuleType:
        for path, source in files.items():
            file = tmp_path / name / f"{path}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        return importlib.import_module(name)

    yield write
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def test_a_coroutine_out_of_a_plain_function_is_refused_in_a_transaction(clock: ManualClock) -> None:
    hooks = load(clock, a=plugin(price_adjustments=lambda: _coroutine()))
    with pytest.raises(PluginError, match="cannot be async"):
        hooks.each(specifications.price_adjustments, tx=None, order=None, phase=None)  # type: ignore[arg-type]


def test_an_unknown_plugin_is_refused_with_the_name_that_was_perhaps_meant(clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="'pikup' is not installed; did you mean 'pickup'"):
        load_plugins(
            InstanceSettings(name="Test", plugins={"enabled": ["pikup"]}), clock=clock, modules={"pickup": plugin()}
        )


def test_settings_that_no_plugin_reads_are_refused(clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match=r"plugins\.shop: this plugin has no settings of the instance"):
        settings = InstanceSettings(name="Test", plugins={"enabled": ["shop"], "shop": {}})
        load_plugins(settings, clock=clock, modules={"shop": plugin()})
