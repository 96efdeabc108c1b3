"""Renders templates and errors of the office in the visitor's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from markupsafe import Markup
from starlette.responses import Response

from commensal import (
    BeingRead,
    Screen,
    Unauthorised,
    digits,
    format_day,
    format_hour,
    format_percent,
    format_short_day,
    format_span,
    plural,
    read_whole,
    say,
    translate,
)
from commensal.pages import Visit, explain
from commensal.parts.mail import as_told

from .desk import Desk

# Key, English label, path below the enterprise's address, scope.
_PLACES = (
    ("week", "This week", "", "sales:read"),
    ("receive", "Receive", "/receive", "orders:read"),
    ("pack", "Pack", "/pack", "orders:pack"),
    ("handout", "Hand-out", "/handout", "orders:pack"),
    ("orders", "Orders", "/orders", "orders:read"),
    ("products", "Products and stock", "/products", "products:read"),
    ("bring", "What I bring", "/bring", "demand:read"),
    ("money", "Money", "/money", "payments:read"),
    ("producers", "Producers", "/producers", "grants:read"),
    ("hubs", "Where I sell", "/hubs", "grants:read"),
    ("customers", "Customers", "/customers", "customers:read"),
    ("papers", "Lists and reports", "/papers", "orders:read"),
    ("settings", "Settings", "/settings", "sales:write"),
)
_OF_SALES = frozenset({"week", "receive", "pack", "handout", "orders", "money", "customers"})

# The languages that these pages are written in; the shop and the e-mails may have more.
_WRITTEN_IN = frozenset({"en", *(folder.name for folder in (Path(__file__).parents[1] / "locale").iterdir())})
_NOON = time(12)  # a day of the calendar is the same then in every time zone that changes its clock
_BLOCK = re.compile(r"<(?:p|h[1-6]|ul|ol|blockquote)\b", re.IGNORECASE)
_EMPTY_LINE = re.compile(r"\n\s*\n")


@dataclass(frozen=True)
class NavigationLink:
    """A link of the navigation."""

    label: str
    url: str
    is_here: bool


def show(
    visit: Visit,
    desk: Desk | None,
    template: str,
    /,
    *,
    at: str = "",
    status: int = 0,
    headers: Mapping[str, str] | None = None,
    **context: object,
) -> Response:
    """Renders ``office/<template>.html``. `at` is the key of the place in the navigation to which the page belongs."""
    response = _render(visit, desk, f"office/{template}.html", at, status, context)
    response.headers.update(headers or {})
    return response


def page_of(visit: Visit, rows: int, at_once: int) -> tuple[int, int]:
    """The page that the address asks for, at most the last one, and the number of pages; both are at least 1."""
    pages = max(1, -(-rows // at_once))
    page = read_whole(visit.query.get("page", ""), 5) or 1
    return min(page, pages), pages


def show_screen(visit: Visit, desk: Desk | None, screen: Screen, *, at: str) -> Response:
    """Renders what a plugin shows in the office."""
    response = _render(visit, desk, screen.template, at, screen.status, screen.context)
    response.headers.update(screen.headers)
    return response


def _render(
    visit: Visit, desk: Desk | None, template: str, at: str, status: int, context: Mapping[str, Any]
) -> Response:
    language = visit.language
    zone = desk.enterprise.timezone if desk else visit.instance.settings.timezone
    words = {
        "desk": desk,
        "may_found": visit.actor.is_operator or visit.instance.settings.security.new_enterprises == "everybody",
        "navigation": _places(visit, desk, at),
        "zone": zone,
        "written_in": _WRITTEN_IN,
        "span": lambda begins, ends: format_span(begins, ends, zone, language),
        "hour": lambda moment: format_hour(moment, zone, language),
        "date": lambda day: format_day(datetime.combine(day, _NOON, ZoneInfo(zone)), zone, language),
        "short_day": lambda day: format_short_day(day, language),
        "percent": lambda rate: format_percent(rate, language),
        "count": lambda singular, many, number: plural(language, singular, many, number).format(number=number),
        "lang": lambda other: Markup(' lang="{}"').format(other) if other != language else "",
        "as_told": as_told,
        "problem_text": lambda problem: say(language, problem),
        "address": visit.here,
        **context,
    }
    return visit.render(template, status=status, keyed=True, **words)


def _places(visit: Visit, desk: Desk | None, at: str) -> list[NavigationLink]:
    if desk is None:
        return []
    own = [entry for entry in _PLACES if _is_for(desk, entry[0])]
    of_plugins = [(page.path, page.menu, f"/{page.path}", page.scope) for page in desk.menu]
    return [
        NavigationLink(translate(visit.language, label), f"{desk.address}{path}", key == at)
        for key, label, path, scope in (*own[:-1], *of_plugins, own[-1])  # the settings stand last
        if (desk.opens_settings if key == "settings" else desk.may(scope))
    ]


def _is_for(desk: Desk, key: str) -> bool:
    """Whether a page of the navigation concerns a hub, a producer, or an enterprise with sales, as this one is."""
    if key in _OF_SALES:
        return desk.sells
    return {
        "producers": desk.enterprise.is_hub,
        "hubs": desk.enterprise.is_producer,
        "bring": desk.enterprise.is_producer or not desk.sells,
    }.get(key, True)


def number_in_field(number: Decimal, language: str) -> str:
    """A number as it stands in a field, which reads both ways of writing it: 2,40 in French, 2.40 in English."""
    text = f"{number:f}"
    return text.replace(".", ",") if language == "fr" else text


def amount_in_field(amount: int, currency: str, language: str) -> str:
    """An amount of minor units as it stands in a field, without its currency."""
    return number_in_field(Decimal(amount).scaleb(-digits(currency)), language)


def paragraphs_of(text: str) -> str:
    """The text of a field as HTML, still to be cleaned: an empty line begins a paragraph, a new line breaks it. Simple
    tags are kept; a text with blocks of its own stays as it is."""
    if _BLOCK.search(text):
        return text
    paragraphs = [part.strip() for part in _EMPTY_LINE.split(text.replace("\r", "")) if part.strip()]
    return "".join("<p>" + paragraph.replace("\n", "<br>") + "</p>" for paragraph in paragraphs)


def plain_of(html: str) -> str:
    """The reverse of `paragraphs_of` for clean HTML. Other tags than of paragraphs stay as they are."""
    text = html.replace("</p>\n<p>", "</p><p>").replace("</p><p>", "\n\n").replace("<br>", "\n")
    return text.removeprefix("<p>").removesuffix("</p>").strip()


def time_left(visit: Visit, moment: datetime, now: datetime) -> str:
    """How long it is until a moment, in two units: 2 days 5 hours, 40 minutes."""
    left = max(timedelta(0), moment - now)
    days, hours, minutes = left.days, left.seconds // 3600, left.seconds // 60 % 60
    parts = (
        plural(visit.language, "{number} day", "{number} days", days).format(number=days) if days else "",
        plural(visit.language, "{number} hour", "{number} hours", hours).format(number=hours) if hours else "",
        plural(visit.language, "{number} minute", "{number} minutes", minutes).format(number=minutes),
    )
    return " ".join([part for part in parts if part][:2])


def on_error(visit: Visit, error: Exception) -> Response:
    """The page for an error of another page. `Unauthorised` redirects to the log-in, which leads back."""
    if isinstance(error, Unauthorised):
        lost = "&lost=1" if visit.was_logged_in or visit.request.method == "POST" else ""
        return visit.redirect(f"/login?next={quote(visit.request.url.path)}{lost}")
    text, status, problems = explain(visit, error)
    template = "being_read" if isinstance(error, BeingRead) else "error"
    return show(visit, None, template, status=status, text=text, problems=problems)
