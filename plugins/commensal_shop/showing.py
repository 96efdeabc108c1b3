"""Renders templates and errors of the shop in the visitor's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.responses import Response

from commensal import (
    Busy,
    PluginError,
    Problem,
    Refused,
    Sale,
    Unauthorised,
    clean_html,
    format_percent,
    format_span,
    plural,
    say,
    translate,
)
from commensal.pages import Visit
from commensal.trade import as_told, cart_items, cart_of, is_open

from .guest import cart_owner


@dataclass(frozen=True)
class Mistakes:
    """Messages about mistakes in a form: in general, and by field."""

    general: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.general or self.fields)


NONE = Mistakes()


def mistakes(visit: Visit, error: Refused, fields: Callable[[str], bool] = bool) -> Mistakes:
    """The error's problems as messages, each at the field that its pointer names (``/email``), if the form has it."""
    general, by_field = [], dict[str, str]()
    for problem in error.problems:
        name, message = problem.where.removeprefix("/"), say(visit.language, problem)
        if name and fields(name):
            by_field[name] = f"{by_field[name]} {message}" if name in by_field else message
        elif message not in general:
            general.append(message)
    return Mistakes(tuple(general) if error.problems else (say(visit.language, error),), by_field)


def status_of(error: Refused) -> int:
    """The HTTP status of a form that is shown again. Not 401, for which browsers ask for a password themselves."""
    return 422 if error.status in (401, 412) else error.status


def show(visit: Visit, template: str, /, *, status: int = 200, **context: Any) -> Response:
    """Renders ``shop/<template>.html`` with the common context. Pass `basket` if the number of pieces is known."""
    language = visit.language
    words = {
        "span": lambda begins, ends, zone: format_span(begins, ends, zone, language),
        "percent": lambda rate: format_percent(rate, language),
        "count": lambda singular, many, number: plural(language, singular, many, number).format(number=number),
        "clean": lambda html: Markup(clean_html(html)),  # noqa: S704 - this is what makes it safe
        "as_told": as_told,
        "here": visit.request.url.path,
        "address": visit.here,
        "lang": lambda other: Markup(' lang="{}"').format(other) if other != language else "",
    }
    if "basket" not in context:
        words["basket"] = _basket(visit, context.get("sale"))
    return visit.render(f"shop/{template}.html", status=status, **words, **context)


def on_error(visit: Visit, error: Exception) -> Response:
    """The page for an error of another page. `Unauthorised` redirects to the log-in, which leads back."""
    if isinstance(error, Unauthorised):
        lost = "&lost=1" if visit.was_logged_in or visit.request.method == "POST" else ""
        return visit.redirect(f"/login?next={quote(visit.request.url.path)}{lost}")
    message, status, problems = _explain(visit, error)
    if status == 404:
        return show(visit, "missing", status=status, text=message)
    return show(visit, "error", status=status, text=message, problems=problems, retry=status in (429, 500, 502, 503))


def _explain(visit: Visit, error: Exception) -> tuple[str, int, list[str]]:
    language = visit.language
    if isinstance(error, Refused):
        return say(language, error), error.status, [say(language, problem) for problem in error.problems]
    if isinstance(error, Busy):
        return translate(language, "The instance is busy. Nothing was done; please try again in a moment."), 503, []
    if isinstance(error, PluginError):
        problem = Problem("plugin", "The extension {plugin} failed. Nothing was done.", values={"plugin": error.plugin})
        return say(language, problem), 502, []
    return translate(language, "Something went wrong on our side. Nothing was done."), 500, []


def _basket(visit: Visit, sale: Sale | None) -> int | None:
    """The number of pieces in the visitor's basket at the sale of this page; None without an open sale."""
    if sale is None:
        return None
    with visit.read() as tx:
        if not is_open(sale.session, tx.now):
            return None
        cart = cart_of(tx, sale.session.id, **cart_owner(visit, sale.session.id))
        return sum(cart_items(tx, cart).values()) if cart else 0
