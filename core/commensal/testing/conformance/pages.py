"""Checks pages and endpoints: they answer in both languages, and only to permitted callers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from starlette.routing import Route

from ...base.languages.catalogs import LANGUAGES
from ...hooks import specifications
from ..shop import Shop
from .check import Subject, check, demand

_PARAMETER = re.compile(r"\{[^}]*\}")
_STRANGE = "no-such-thing"
_NO = (400, 401, 403, 404, 409, 412, 422)  # an invalid body may be refused before the access is checked


@check("routes")
def its_pages_answer_under_its_own_address(subject: Subject) -> None:
    """Never with an error of their own, whatever stands in the address."""
    with subject.shop() as shop:
        paths = list(_paths(subject, shop, "GET"))
        demand(paths, "it has routes, but no page to look at")
        for path in paths:
            for language in LANGUAGES:
                answer = shop.page(path, language=language)
                demand(answer.status_code < 500, f"{path} was answered {answer.status_code} to {language!r}")
                demand(path.count(_STRANGE) or answer.status_code != 404, f"{path} is not found where it should be")


@check("routes")
def its_pages_change_nothing_by_being_looked_at(subject: Subject) -> None:
    """Browsers and programs fetch them ahead, and links lead to them from anywhere."""
    with subject.shop() as shop:
        before = subject.kept(shop)
        for path in _paths(subject, shop, "GET"):
            shop.page(path)
            demand(subject.kept(shop) == before, f"a look at {path} writes into its tables")


@check("menu_items")
def its_links_lead_somewhere(subject: Subject) -> None:
    with subject.shop() as shop:
        for language in LANGUAGES:
            with shop.instance.store.read() as tx:
                answers = shop.instance.hooks.each(specifications.menu_items, tx=tx, person_id=None, language=language)
            for item in (link for answer in answers for link in answer.value or ()):
                demand(item.label.strip(), f"the link to {item.url} has no label for a reader of {language!r}")
                status = shop.page(item.url, language=language).status_code
                demand(status < 400, f"the menu links to {item.url}, which answers {status}")


@check("endpoints")
def its_endpoints_know_whom_they_answer(subject: Subject) -> None:
    """Nobody who is not logged in, nor the owner of another shop, gets what is a shop's own."""
    with subject.shop() as shop:
        stranger = shop.neighbour()
        for endpoint in (
            endpoint for answer in shop.instance.hooks.each(specifications.endpoints) for endpoint in answer.value or ()
        ):
            if endpoint.scope == "public":
                continue
            path = _PARAMETER.sub(_STRANGE, endpoint.path.replace("{enterprise}", shop.id))
            address = f"/api/-/{subject.plugin}{path}"
            headers = {"Idempotency-Key": "conformance", "If-Match": '"1"'}
            answer_ = shop.client.request(endpoint.method, address, json={}, headers=headers)
            demand(answer_.status_code in _NO, f"{endpoint.method} {address} answered {answer_.status_code} to nobody")
            if "{enterprise}" in endpoint.path:
                headers["Authorization"] = f"Bearer {stranger.token}"
                answer_ = shop.client.request(endpoint.method, address, json={}, headers=headers)
                asker = "the owner of another shop"
                demand(
                    answer_.status_code in _NO, f"{endpoint.method} {address} answered {answer_.status_code} to {asker}"
                )


def _paths(subject: Subject, shop: Shop, method: str) -> Iterator[str]:
    """The paths of its pages, with an unknown value for each parameter."""
    front = shop.instance.settings.front == subject.plugin
    for answer in shop.instance.hooks.each(specifications.routes, instance=shop.instance):
        for route in answer.value or ():
            if isinstance(route, Route) and method in (route.methods or ()):
                yield ("" if front else f"/-/{subject.plugin}") + _PARAMETER.sub(_STRANGE, route.path)
