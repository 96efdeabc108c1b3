"""The page to which the link of an invitation leads: it says what to do with it. The secret part never reaches it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import translate
from commensal.pages import Visit, explain, page


def welcome_routes() -> Sequence[BaseRoute]:
    return [page("/join", welcome_page, on_error=_on_error)]


def welcome_page(visit: Visit) -> Response:
    """The same for everybody, whether there is an invitation or not."""
    return visit.render("federation/welcome.html")


def _on_error(visit: Visit, error: Exception) -> Response:
    text, status, _ = explain(visit, error)
    title = translate(visit.language, "An invitation to trade")
    return visit.render("federation/plain_error.html", status=status, title=title, text=text)
