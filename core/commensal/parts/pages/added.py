"""Runs a page that a plugin adds to the office or the shop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from ...base.errors import PluginError
from ...enterprises.enterprises import Enterprise
from ...enterprises.plugins import enabled_plugins, refuse_where_off
from ...hooks import specifications
from ...hooks.contract import AnyHook
from ...hooks.values import OfficePage, PagePart, Screen, ShopPage
from ...instance import Instance
from ...people.actor import ALL_SCOPES, GIVEN_BY_ROLES, OPERATOR
from ...pricing.values import OrderDraft
from ...storage.database import Transaction
from .plugin_thread import run_beside
from .visit import Visit


def run_added(
    visit: Visit,
    plugin: str,
    name: str,
    act: Callable[[Any, Any], Any],
    enterprise: Enterprise | None,
    *,
    where_off: bool = False,
) -> Screen | Response:
    """Answers a request by `act`, a function of the plugin's page `name`.

    Raises `NotFound` if the enterprise has not switched the plugin on, unless the page is there `where_off`, and what
    the page raises.
    """
    if enterprise is not None and not where_off:
        with visit.read() as tx:
            refuse_where_off(tx, enterprise.id, plugin)
    with visit.instance.hooks.running(plugin, name):
        answer: Screen | Response = act(visit, enterprise)
        return answer


# Pages that plugins add to the office.


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


# Pages that plugins add to the shop.


@dataclass(frozen=True, kw_only=True)
class AddedShopPage:
    """A page with the plugin that adds it."""

    plugin: str
    page: ShopPage

    def show(self, visit: Visit, enterprise: Enterprise) -> Screen | Response:
        """Answers a GET. Raises `NotFound` if the enterprise has not switched the plugin on, and what the page does."""
        return run_added(visit, self.plugin, f"shop page {self.page.path}", self.page.show, enterprise)

    def send(self, visit: Visit, enterprise: Enterprise) -> Screen | Response:
        """Answers a POST, otherwise like `show`. Only for a page with a form."""
        assert self.page.send is not None
        return run_added(visit, self.plugin, f"shop page {self.page.path}", self.page.send, enterprise)


def added_shop_pages(instance: Instance) -> list[AddedShopPage]:
    """The pages that the instance's plugins add, in the operator's order."""
    answers = instance.hooks.each(specifications.shop_pages)
    return [AddedShopPage(plugin=answer.plugin, page=page) for answer in answers for page in answer.value or ()]


# Parts that plugins add to pages of other plugins.


def page_parts(
    tx: Transaction,
    visit: Visit,
    page: str,
    enterprise_id: str,
    scopes: frozenset[str] = frozenset(),
    *,
    subject: str = "",
    subjects: Sequence[str] = (),
    order: OrderDraft | None = None,
) -> list[PagePart]:
    """The parts with something to say that the enterprise's plugins add to the page of this name, by their position.

    `subject` is the id of what the page is about, if the name leaves that open; `subjects` are those of the products on
    it, and `order` the basket as it is priced. `scopes` are the reader's at the enterprise.
    """
    answers = visit.instance.hooks.each(
        specifications.page_parts,
        enabled_plugins(tx, enterprise_id),
        tx=tx,
        page=page,
        enterprise_id=enterprise_id,
        scopes=scopes,
        language=visit.language,
        subject=subject,
        subjects=subjects,
        order=order,
        person_id=visit.actor.person_id,
    )
    parts = [part for answer in answers for part in answer.value or () if part.lines or part.head]
    return sorted(parts, key=lambda part: part.position)


def parts_beside(
    visit: Visit,
    page: str,
    enterprise_id: str,
    *,
    subject: str = "",
    subjects: Sequence[str] = (),
    order: OrderDraft | None = None,
) -> list[PagePart]:
    """As `page_parts`, for a page of customers, who must be able to buy whatever a plugin does.

    It is asked in a thread and a transaction of its own: a plugin that hangs or fails costs the page its parts, after
    two seconds at most. Call it when no transaction is open.
    """
    parts: list[PagePart] = []

    def ask() -> None:
        try:
            with visit.read() as tx:
                parts.extend(
                    page_parts(tx, visit, page, enterprise_id, subject=subject, subjects=subjects, order=order)
                )
        except PluginError:
            return  # the dispatcher of hooks has noted it

    run_beside(ask, specifications.page_parts.contract.timeout)
    return list(parts)
