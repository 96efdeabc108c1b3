"""The sales of a hub for other software: a calendar, feeds, and a list of a sale that a website shows in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from commensal import CALENDAR_TYPE, CalendarEvent, Enterprise, NotFound, Sale, calendar, format_span, sales
from commensal.enterprises import find_enterprise
from commensal.pages import Visit, allow_frames
from commensal.parts.pictures import enterprise_pictures
from commensal.sale_sessions import is_open, sale_for

from .cart import visible_offers
from .products import group_by_shelf
from .settings import settings_of
from .shelves import makers_of
from .showing import show

_JSON_FEED = "https://jsonfeed.org/version/1.1"


def distributions_calendar(visit: Visit) -> Response:
    """The distributions of open and coming sales (iCalendar, RFC 5545)."""
    hub, shown_sales = _sales_of(visit)
    host = urlsplit(visit.instance.settings.base_url).netloc
    events = [
        CalendarEvent(
            uid=f"{sale.session.id}@{host}",
            begins_at=sale.session.begins_at,
            ends_at=sale.session.ends_at,
            summary=f"{hub.name} – {sale.session.name}",
            location=" ".join(part for part in (hub.street, hub.postcode, hub.city) if part),
            description=visit.address(f"/sales/{sale.session.id}"),
            sequence=sale.session.version,
        )
        for sale in shown_sales
    ]
    return _file(calendar(hub.name, events, visit.instance.clock.now()), CALENDAR_TYPE)


def atom_feed(visit: Visit) -> Response:
    """Open and coming sales (Atom, RFC 4287)."""
    hub, shown_sales = _sales_of(visit)
    updated = max((sale.session.opens_at for sale in shown_sales), default=hub.created_at)
    span = partial(format_span, language=hub.language)
    page = show(visit, "feed", basket=None, hub=hub, sales=shown_sales, updated=updated, span=span)
    return _file(bytes(page.body), "application/atom+xml; charset=utf-8")


def json_feed(visit: Visit) -> Response:
    """Open and coming sales (JSON Feed 1.1). Moments are UTC."""
    hub, shown_sales = _sales_of(visit)
    content = {
        "version": _JSON_FEED,
        "title": hub.name,
        "home_page_url": visit.address(f"/hubs/{hub.slug}"),
        "feed_url": visit.address(f"/hubs/{hub.slug}/sales.json"),
        "language": hub.language,
        "items": [_item(visit, sale) for sale in shown_sales],
    }
    return JSONResponse(content, headers=_CACHED, media_type="application/feed+json")


def frame_page(visit: Visit) -> Response:
    """The goods of an open sale, to look at in a frame of the websites that the shop has named. To order, people follow
    a link to the shop. Raises `NotFound` if it has named none."""
    with visit.read() as tx:
        sale = sale_for(tx, visit.path["session"], None)
        look = settings_of(tx, visit, sale.shop.id)
        if not look.shown_on or not is_open(sale.session, tx.now):
            raise NotFound
        offers, pictures = visible_offers(tx, visit, sale), enterprise_pictures(tx, sale.shop.id)
        shelves = group_by_shelf(
            offers,
            {},
            {},
            now=tx.now,
            language=visit.language,
            own=sale.shop.language,
            order=look.shelves,
            declared=visit.instance.store.plugin_fields.products,
            makers=makers_of(tx, offers, sale.shop.id),
        )
    page = show(visit, "frame", basket=None, sale=sale, shelves=shelves, accent=look.accent, pictures=pictures)
    allow_frames(page, look.shown_on)
    return page


_CACHED = {"Cache-Control": "public, max-age=300"}


def _file(content: bytes, media_type: str) -> Response:
    return Response(content, headers=_CACHED, media_type=media_type)


def _sales_of(visit: Visit) -> tuple[Enterprise, Sequence[Sale]]:
    """A hub that everybody may know, with its open and coming sales. Raises `NotFound`."""
    with visit.read() as tx:
        hub = find_enterprise(tx, visit.path["slug"])
        return hub, sales(tx, openness="both", shop_id=hub.id)


def _item(visit: Visit, sale: Sale) -> dict[str, object]:
    session, url = sale.session, visit.address(f"/sales/{sale.session.id}")
    return {
        "id": url,
        "url": url,
        "title": session.name,
        "content_text": format_span(session.begins_at, session.ends_at, sale.shop.timezone, sale.shop.language),
        "date_published": session.opens_at.isoformat(),
        "_sale": {
            "closes_at": session.closes_at.isoformat(),
            "begins_at": session.begins_at.isoformat(),
            "ends_at": session.ends_at.isoformat(),
        },
    }
