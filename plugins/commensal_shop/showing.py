"""Renders templates and errors of the shop in the visitor's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.responses import Response

from commensal import (
    Enterprise,
    Refused,
    Sale,
    Screen,
    Unauthorised,
    Written,
    clean_html,
    format_percent,
    format_span,
    in_language,
    plural,
    translate,
)
from commensal.orders import cart_items, cart_of
from commensal.pages import NO_MISTAKES, Mistakes, Visit, explain, without_placeholders
from commensal.pages import mistakes as mistakes_of
from commensal.pages import on_refusal as show_on_refusal
from commensal.pages import with_mistakes as visit_with_mistakes
from commensal.parts.mail import as_told
from commensal.sale_sessions import is_open

from .guest import cart_owner
from .settings import settings_of

__all__ = [
    "NONE",
    "Mistakes",
    "is_script",
    "mistakes",
    "mistakes_at",
    "on_error",
    "on_refusal",
    "show",
    "with_mistakes",
]


NONE = NO_MISTAKES


def show(visit: Visit, template: str, /, *, status: int = 0, public: bool = False, **context: Any) -> Response:
    """Renders ``shop/<template>.html`` with the common context. Pass `basket` if the number of pieces is known."""
    return _render(visit, f"shop/{template}.html", status=status, public=public, **context)


def _render(visit: Visit, template: str, /, *, status: int = 0, public: bool = False, **context: Any) -> Response:
    language = visit.language
    words = {
        "span": lambda begins, ends, zone, short=False: format_span(begins, ends, zone, language, short=short),
        "percent": lambda rate: format_percent(rate, language),
        "count": lambda singular, many, number: plural(language, singular, many, number).format(number=number),
        "clean": lambda html: Markup(clean_html(html)),  # noqa: S704 - this is what makes it safe
        "as_told": as_told,
        "here": visit.request.url.path,
        "address": visit.here,
        "accent": "green",
        "without_placeholders": without_placeholders,
        "written": partial(in_language, language),
        "title_of": partial(title_of, language),
        "lang": lambda other: Markup(' lang="{}"').format(other) if other != language else "",
    }
    if "basket" not in context:
        words["basket"] = _basket(visit, context.get("sale"))
    if "accent" not in context and (shop_id := _shop_of(context)):
        words["accent"] = _accent(visit, shop_id)
    return visit.render(template, status=status, public=public, **{**words, **context})


def title_of(language: str, sale: Sale) -> Written:
    """The name of a sale for a reader."""
    return in_language(language, sale.shop.language, sale.session.name, sale.session.names)


def show_screen(visit: Visit, hub: Enterprise, accent: str, screen: Screen) -> Response:
    """Renders a page that another plugin adds to the shop of `hub`."""
    response = _render(visit, screen.template, status=screen.status, hub=hub, accent=accent, **screen.context)
    response.headers.update(screen.headers)
    return response


def mistakes(visit: Visit, error: Refused, fields: Callable[[str], bool] = bool) -> Mistakes:
    """As of the core. The forms of the shop are about whoever fills them in, and say what to type where nothing is."""
    language = visit.language
    asks = {
        "name": translate(language, "Enter your name."),
        "email": translate(language, "Enter your e-mail address."),
        "password": translate(language, "Enter your password."),
        "code": translate(language, "Enter the code."),
    }
    return mistakes_of(visit, error, fields, asks=asks)


def mistakes_at(fields: Mapping[str, str]) -> Callable[..., Mistakes]:
    """As `mistakes`, on a page with several forms: each at the field that its name in errors leads to."""

    def renamed(visit: Visit, error: Refused, _: Callable[[str], bool]) -> Mistakes:
        errors = mistakes(visit, error, fields.__contains__)
        return replace(errors, fields={fields[name]: text for name, text in errors.fields.items()})

    return renamed


on_refusal = partial(show_on_refusal, mistakes_of=mistakes)
with_mistakes = partial(visit_with_mistakes, mistakes_of=mistakes)


def is_script(visit: Visit) -> bool:
    """Whether a script of the shop asks, which understands JSON, and not the browser itself."""
    return visit.request.headers.get("accept", "") == "application/json"


def on_error(visit: Visit, error: Exception) -> Response:
    """The page for an error of another page. `Unauthorised` redirects to the log-in, which leads back."""
    if isinstance(error, Unauthorised):
        lost = "&lost=1" if visit.was_logged_in or visit.request.method == "POST" else ""
        return visit.redirect(f"/login?next={quote(visit.request.url.path)}{lost}")
    message, status, problems = explain(visit, error)
    if status == 404:
        return show(visit, "missing", status=status, text=message)
    again = status >= 500 and visit.request.method == "GET"
    return show(visit, "error", status=status, text=message, problems=problems, again=again, retry=status in (500, 502))


def _basket(visit: Visit, sale: Sale | None) -> int | None:
    """The number of pieces in the visitor's basket at the sale of this page; None without an open sale."""
    if sale is None:
        return None
    with visit.read() as tx:
        if not is_open(sale.session, tx.now):
            return None
        cart = cart_of(tx, sale.session.id, **cart_owner(visit, sale.session.id))
        return sum(cart_items(tx, cart).values()) if cart else 0


def _shop_of(context: Mapping[str, Any]) -> str:
    """The id of the shop that a page is about: of its sale, its hub or its order; "" if it is about none."""
    sale, hub, order = (context.get(name) for name in ("sale", "hub", "order"))
    return sale.shop.id if sale else hub.id if hub else order.enterprise_id if order else ""


def _accent(visit: Visit, shop_id: str) -> str:
    """The colour that the shop has chosen."""
    with visit.read() as tx:
        return settings_of(tx, visit, shop_id).accent
