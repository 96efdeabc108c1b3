"""Pages that other plugins add to the office: with its frame, and opened only to who holds their scope."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Enterprise, Instance, PluginError, Screen, demand, translate
from commensal.pages import AddedPage, Visit, added_pages, page

from .frame.desk import open_desk
from .frame.render import on_error, show_screen

OF_INSTANCE = "/office/instance"
Act = Callable[[Visit, Enterprise | None], Screen | Response]


def routes_of_plugins(instance: Instance, address: str, taken: Collection[str]) -> list[BaseRoute]:
    """The routes of all pages that plugins add below `address`, or below the page of the instance.

    Raises `PluginError` for a path that is `taken`.
    """
    routes: list[BaseRoute] = []
    for added in added_pages(instance):
        path = f"{OF_INSTANCE if added.is_for_operators else address}/{added.page.path}"
        if path in taken:
            raise PluginError(added.plugin, "office_pages", f"{path} is a page of the office itself")
        answer = _answer_operator if added.is_for_operators else _answer
        show = _named(partial(answer, added, added.page.scope, added.show), added)
        routes.append(page(path, show, on_error=on_error))
        if added.page.send is not None:
            send = _named(partial(answer, added, added.page.sends or added.page.scope, added.send), added)
            largest = added.page.largest_file
            routes.append(page(path, send, on_error=on_error, methods=("POST",), largest_file=largest))
    return routes


def links_of_plugins(visit: Visit, place: str, address: str, enabled: Collection[str] = ()) -> list[tuple[str, str]]:
    """The links that plugins add to the page of this place: the text in the visitor's language, and the URL.

    `address` is what the pages stand below; `enabled` are the plugins that the enterprise has switched on.
    """
    pages = [
        added.page
        for added in added_pages(visit.instance)
        if added.is_for_operators or added.page.where_off or added.plugin in enabled
    ]
    return [
        (translate(visit.language, page.link), f"{address}/{page.path}")
        for page in pages
        if page.link and page.place == place
    ]


def _named(handler: Callable[[Visit], Response], added: AddedPage) -> Callable[[Visit], Response]:
    """The handler with a name of its own: the audit trail says what was done."""
    handler.__name__ = f"{added.plugin} {added.page.path}"
    return handler


def _answer(added: AddedPage, scope: str, act: Act, visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, scope)
    answer = act(visit, desk.enterprise)
    return answer if isinstance(answer, Response) else show_screen(visit, desk, answer, at=added.page.place)


def _answer_operator(added: AddedPage, scope: str, act: Act, visit: Visit) -> Response:
    with visit.read() as tx:
        demand(tx, visit.actor, scope)
    answer = act(visit, None)
    return answer if isinstance(answer, Response) else show_screen(visit, None, answer, at=added.page.place)
