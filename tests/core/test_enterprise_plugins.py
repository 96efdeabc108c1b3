"""Plugins of an enterprise: settings are checked by the plugin's own class, and secrets only travel inwards."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import update

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid, NotFound, Refused, Stale
from commensal.base.languages.catalogs import say, spaced
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.plugins import (
    EnterprisePlugin,
    change_plugin,
    check_settings,
    disable_plugin,
    enable_plugin,
    enabled_plugins,
    list_plugins,
    offered_plugins,
)
from commensal.enterprises.tables import enterprise
from commensal.hooks.contract import hookimpl
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings, Secret
from commensal.instance.settings import BackupSettings
from commensal.storage.database import Store, Transaction

NONE = Secret("")


@dataclass(frozen=True)
class BankSettings:
    iban: str = ""
    days: int = 14
    key: Secret = NONE

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError("days: at least one day")


def module(**hooks: Any) -> ModuleType:
    """Returns a plugin whose hooks always give the same answers."""
    plugin = ModuleType("probe")
    for name, answer in hooks.items():
        setattr(plugin, name, _always(name, answer))
    return plugin


def _always(name: str, answer: Any) -> Any:
    def function() -> Any:
        return answer

    function.__name__ = name
    return hookimpl(function)


@pytest.fixture
def hooks(clock: ManualClock) -> Hooks:
    """One plugin with settings, one without, and one that does nothing for single enterprises."""
    settings = InstanceSettings(name="Test", plugins={"enabled": ["bank", "cash", "pages"]})
    modules = {
        "bank": module(enterprise_settings=BankSettings),
        "cash": module(payment_methods=[]),
        "pages": module(routes=[]),
    }
    return load_plugins(settings, clock=clock, modules=modules)


def test_an_enterprise_is_offered_what_does_something_for_it(store: Store, hooks: Hooks, village: Any) -> None:
    assert offered_plugins(hooks) == ["bank", "cash"]
    with store.write() as tx:
        enable_plugin(tx, hooks, "hub", "cash", {})
        assert [(plugin.plugin, plugin.enabled, plugin.version) for plugin in list_plugins(tx, hooks, "hub")] == [
            ("bank", False, 0),
            ("cash", True, 1),
        ]
        assert enabled_plugins(tx, "hub") == {"cash": {}}
        assert enabled_plugins(tx, "farm") == {}
        with pytest.raises(NotFound, match="There is no plugin unheard-of here"):
            enable_plugin(tx, hooks, "hub", "unheard-of", {})
        with pytest.raises(NotFound, match="pages works for every enterprise at once: there is nothing to switch on"):
            enable_plugin(tx, hooks, "hub", "pages", {})


@pytest.mark.parametrize("hook", ["order_fields", "customer_fields", "office_pages"])
def test_a_plugin_that_only_declares_things_of_enterprises_is_offered_too(clock: ManualClock, hook: str) -> None:
    """Such hooks are called once at the start, and what they declare counts where the plugin is switched on."""
    settings = InstanceSettings(name="Test", plugins={"enabled": ["fields"]})
    assert offered_plugins(load_plugins(settings, clock=clock, modules={"fields": module(**{hook: []})})) == ["fields"]


def test_what_was_set_is_kept_and_the_rest_is_left_to_the_plugin(store: Store, hooks: Hooks, village: Any) -> None:
    with store.write() as tx:
        enabled = enable_plugin(tx, hooks, "hub", "bank", {"iban": "FR76"})
        assert enabled == EnterprisePlugin(plugin="bank", enabled=True, settings={"iban": "FR76"}, version=1)
        plugin = change_plugin(tx, hooks, "hub", "bank", 1, {"days": 7})
        assert (plugin.settings, plugin.version) == ({"days": 7}, 2)
        assert enabled_plugins(tx, "hub") == {"bank": {"days": 7}}
        with pytest.raises(Stale):
            change_plugin(tx, hooks, "hub", "bank", 1, {})
        with pytest.raises(Conflict, match="already"):
            enable_plugin(tx, hooks, "hub", "bank", {})
        with pytest.raises(NotFound):
            change_plugin(tx, hooks, "farm", "bank", 1, {})
        disable_plugin(tx, hooks, "hub", "bank")
        assert enabled_plugins(tx, "hub") == {}
        with pytest.raises(NotFound):
            disable_plugin(tx, hooks, "hub", "bank")


def test_a_plugin_prepares_itself_and_may_ask_to_stay(store: Store, clock: ManualClock, village: Any) -> None:
    """One that fails when it is switched off undoes what it wrote, and does not stay."""
    refusals: list[Exception] = []

    def switched_on(tx: Transaction, enterprise_id: str, settings: BankSettings) -> None:
        tx.execute(update(enterprise).where(enterprise.c.id == enterprise_id).values(phone=settings.iban))

    def switched_off(tx: Transaction, enterprise_id: str) -> None:
        tx.execute(update(enterprise).where(enterprise.c.id == enterprise_id).values(phone=""))
        for refusal in refusals:
            raise refusal

    bank = module(enterprise_settings=BankSettings)
    for hook in (switched_on, switched_off):
        setattr(bank, hook.__name__, hookimpl(hook))
    settings = InstanceSettings(name="Test", plugins={"enabled": ["bank"]})
    hooks = load_plugins(settings, clock=clock, modules={"bank": bank})

    def phone(tx: Transaction) -> str:
        return enterprise_by_id(tx, "hub").phone

    with store.write() as tx:
        enable_plugin(tx, hooks, "hub", "bank", {"iban": "FR76"})
        assert phone(tx) == "FR76"
        refusals[:] = [Refused("owed", "Pay what you owe first.")]
        with pytest.raises(Refused, match="Pay what you owe first"), tx.attempt():
            disable_plugin(tx, hooks, "hub", "bank")
        assert (phone(tx), [*enabled_plugins(tx, "hub")]) == ("FR76", ["bank"])
        refusals[:] = [RuntimeError("broken")]
        disable_plugin(tx, hooks, "hub", "bank")
        assert (phone(tx), [*enabled_plugins(tx, "hub")]) == ("FR76", [])
        enable_plugin(tx, hooks, "hub", "bank", {})
        refusals.clear()
        disable_plugin(tx, hooks, "hub", "bank")
        assert phone(tx) == ""
    assert [failure.hook for failure in hooks.failures] == ["switched_off"]


@pytest.mark.parametrize(
    ("plugin", "settings", "where"),
    [
        ("bank", {"ibn": "FR76", "days": "7", "key": 1}, ["/settings/ibn", "/settings/days", "/settings/key"]),
        ("bank", {"days": 0}, ["/settings"]),
        ("cash", {"till": 1}, ["/settings/till"]),
    ],
)
def test_every_setting_that_is_not_right_is_named(
    store: Store, hooks: Hooks, village: Any, plugin: str, settings: dict[str, Any], where: list[str]
) -> None:
    with store.write() as tx:
        with pytest.raises(Invalid) as error:
            enable_plugin(tx, hooks, "hub", plugin, settings)
        assert enabled_plugins(tx, "hub") == {}
    assert [problem.where for problem in error.value.problems] == where


def test_a_secret_goes_in_and_never_comes_out(store: Store, hooks: Hooks, village: Any) -> None:
    with store.write() as tx:
        enabled = enable_plugin(tx, hooks, "hub", "bank", {"key": "sesame", "iban": "***"})
        assert enabled.settings == {"key": "***", "iban": "***"}
        assert list_plugins(tx, hooks, "hub")[0].settings["key"] == "***"
        assert enabled_plugins(tx, "hub")["bank"]["key"] == "sesame"
        change_plugin(tx, hooks, "hub", "bank", 1, {"key": "***", "iban": "FR76"})
        assert enabled_plugins(tx, "hub")["bank"] == {"key": "sesame", "iban": "FR76"}
        change_plugin(tx, hooks, "hub", "bank", 2, {"key": "new"})
        assert enabled_plugins(tx, "hub")["bank"] == {"key": "new"}
        change_plugin(tx, hooks, "hub", "bank", 3, {})
        assert enabled_plugins(tx, "hub")["bank"] == {}
        change_plugin(tx, hooks, "hub", "bank", 4, {"key": "***"})  # there is none to keep
        assert enabled_plugins(tx, "hub")["bank"] == {"key": ""}


def test_what_is_wrong_with_a_setting_is_said_in_the_language_of_who_reads_it() -> None:
    with pytest.raises(Invalid) as error:
        check_settings(BackupSettings, {"keep": 0})
    (problem,) = error.value.problems
    assert say("en", problem) == "This setting is not right: backups.keep: 0 is too few; at least 1 is kept."
    french = "Ce réglage n’est pas correct : backups.keep : 0 est trop peu ; on en garde au moins 1."
    assert say("fr", problem) == spaced("fr", french)
