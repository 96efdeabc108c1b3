"""Plugins that listen to events, for tests."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import delete, insert

from commensal import Event, Instance, hookimpl
from commensal.enterprises.customers import customer_for
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.contract import AnyHook
from commensal.hooks.loading import load_plugins
from commensal.parts.event_delivery.tables import sale_opening
from commensal.parts.event_delivery.tell import HOOKS
from commensal.parts.serving.work import work_of
from commensal.storage.database import Transaction
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item


@dataclass
class Listener:
    """A plugin that listens to events and records them."""

    name: str
    events: list[tuple[Event, Any]] = field(default_factory=list)
    before_event: Callable[[], None] = lambda: None

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event, _ in self.events]

    def module(self, *kinds: str) -> types.ModuleType:
        module = types.ModuleType(self.name)

        def listen(subject: str) -> Any:
            body = f"def told(event, {subject}): hear(event, {subject})"
            names: dict[str, Any] = {"hear": self._record}
            exec(body, names)  # noqa: S102 - pluggy passes arguments by their names
            return hookimpl(names["told"])

        for kind in kinds or HOOKS:
            argument = [name for name in arguments(HOOKS[kind]) if name not in ("instance", "event")]
            setattr(module, kind, listen(argument[0]))
        return module

    def _record(self, event: Event, subject: Any) -> None:
        self.before_event()
        self.events.append((event, subject))


def arguments(hook: AnyHook) -> list[str]:
    return list(hook.specification.__annotations__)[:-1]


@contextmanager
def plugins_loaded(instance: Instance, modules: Mapping[str, types.ModuleType]) -> Iterator[Instance]:
    """Yields the instance with these plugins."""
    settings = replace(instance.settings, plugins={"enabled": list(modules)})
    hooks = load_plugins(settings, clock=instance.clock, modules=modules)
    yield replace(instance, settings=settings, hooks=hooks)
    hooks.flush_failures()


def a_shop_that_uses(tx: Transaction, *plugins: str) -> str:
    """Creates a shop that uses these plugins and knows Ada; returns its item on sale. No event is left to tell."""
    a_shop(tx)
    customer_for(tx, "shop", email="ada@example.org", name="Ada")
    use(tx, *plugins)
    tx.execute(insert(sale_opening).values(session_id="shop-session", announced_at=tx.now))
    item = an_item(tx, a_lot(tx, on_hand="100"))
    tx.execute(delete(job))
    return item


def use(tx: Transaction, *plugins: str, shop: str = "shop") -> None:
    for plugin in plugins:
        tx.execute(insert(enterprise_plugin).values(enterprise_id=shop, plugin=plugin, settings={}, version=1))


def run(instance: Instance) -> None:
    tick(instance, work_of(instance))
