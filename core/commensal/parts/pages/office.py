"""Pages that plugins add to the office."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from ...base.errors import PluginError
from ...enterprises.enterprises import Enterprise
from ...hooks import specifications
from ...hooks.contract import AnyHook
from ...hooks.values import OfficePage, Screen
from ...instance import Instance
from ...people.scopes import ALL_SCOPES, GIVEN_BY_ROLES, OPERATOR
from .added import run_added
from .visit import Visit


@dataclass(frozen=True, kw_only=True)
class AddedPage:
    """A page with the plugin that adds it."""

    plugin: str
    page: OfficePage

    @property
    def is_for_operators(self) -> bool:
        """Whether it is a page of those who run the instance, and of no enterprise."""
        return self.page.scope == OPERATOR

    def show(self, visit: Visit, enterprise: Enterprise | None) -> Screen | Response:
        """Answers a GET. Raises `NotFound` if the enterprise has not switched the plugin on, and what the page does."""
        return self._run(self.page.show, visit, enterprise)

    def send(self, visit: Visit, enterprise: Enterprise | None) -> Screen | Response:
        """Answers a POST, otherwise like `show`. Only for a page with a form."""
        assert self.page.send is not None
        return self._run(self.page.send, visit, enterprise)

    def _run(self, act: Callable[[Any, Any], Any], visit: Visit, enterprise: Enterprise | None) -> Screen | Response:
        name = f"office page {self.page.path}"
        return run_added(visit, self.plugin, name, act, enterprise, where_off=self.page.where_off)


def added_pages(instance: Instance) -> list[AddedPage]:
    """The pages that the instance's plugins add, in the operator's order.

    Raises `PluginError` for a page whose scope nobody declares, or an entry of the navigation that leads to no page.
    """
    return instance.state.of(_added_pages)


def _added_pages(instance: Instance) -> list[AddedPage]:
    hook = specifications.office_pages
    answers = instance.hooks.each(hook)
    added = [AddedPage(plugin=answer.plugin, page=page) for answer in answers for page in answer.value or ()]
    for each in added:
        for scope in (each.page.scope, each.page.sends or each.page.scope):
            refuse_unknown_scope(instance, each.plugin, hook, each.page.path, scope)
        if each.page.menu and ("{" in each.page.path or each.is_for_operators):
            text = f"{each.page.path}: an entry of the navigation leads to a page of an enterprise without parameters"
            raise PluginError(each.plugin, hook.name, text)
    return added


def refuse_unusable_roles(instance: Instance) -> None:
    """Raises `PluginError` for a role of a plugin with a scope that is not its own, or that only owners hold."""
    for role in instance.store.own_scopes.roles.values():
        plugin = role.name.partition(":")[0]
        own = {name for name in instance.store.own_scopes.by_name if name.partition(":")[0] == plugin}
        if refused := sorted(set(role.scopes) - GIVEN_BY_ROLES - own):
            text = f"{role.name}: {', '.join(refused)} is not a scope of this plugin, or none that a role may have"
            raise PluginError(plugin, specifications.roles.name, text)


def refuse_unknown_scope(instance: Instance, plugin: str, hook: AnyHook, path: str, scope: str) -> None:
    """Raises `PluginError` for a scope that is neither one of the core nor one that the plugin itself declares."""
    is_own = scope in instance.store.own_scopes.by_name and scope.partition(":")[0] == plugin
    if scope not in ALL_SCOPES and not is_own:
        text = f"{path}: {scope!r} is not a scope of the core, and the hook scopes of this plugin does not declare it"
        raise PluginError(plugin, hook.name, text)
