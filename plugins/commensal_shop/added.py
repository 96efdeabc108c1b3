"""Pages that other plugins add to the shop of a hub or a producer, with the shop's frame."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Enterprise, Instance, PluginError, Screen
from commensal.enterprises import find_enterprise
from commensal.pages import AddedShopPage, Visit, added_shop_pages, page

from .settings import settings_of
from .showing import on_error, show_screen

Act = Callable[[Visit, Enterprise], Screen | Response]


def routes_of_plugins(instance: Instance, taken: Collection[str]) -> list[BaseRoute]:
    """The routes of all pages that plugins add. Raises `PluginError` for a path that is `taken`."""
    routes: list[BaseRoute] = []
    for added in added_shop_pages(instance):
        path = f"/hubs/{{slug}}/{added.page.path}"
        if path in taken:
            raise PluginError(added.plugin, "shop_pages", f"{path} is a page of the shop itself")
        routes.append(page(path, _named(added, added.show), on_error=on_error))
        if added.page.send is not None:
            routes.append(page(path, _named(added, added.send), on_error=on_error, methods=("POST",)))
    return routes


def _named(added: AddedShopPage, act: Act) -> Callable[[Visit], Response]:
    """The handler with a name of its own: the audit trail says what was done."""
    handler: Callable[[Visit], Response] = partial(_answer, act)
    handler.__name__ = f"{added.plugin} {added.page.path}"
    return handler


def _answer(act: Act, visit: Visit) -> Response:
    with visit.read() as tx:
        enterprise = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
        look = settings_of(tx, visit, enterprise.id)
    answer = act(visit, enterprise)
    return answer if isinstance(answer, Response) else show_screen(visit, enterprise, look.accent, answer)
