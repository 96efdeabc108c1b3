"""The front page, the pages of hubs and producers, legal pages, and the sales of a hub for other software."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from commensal import (
    CALENDAR_TYPE,
    CalendarEvent,
    Enterprise,
    HeadLink,
    NotFound,
    PagePart,
    Sale,
    Transaction,
    calendar,
    format_span,
    list_enterprises,
    sales,
    translate,
)
from commensal.enterprises import (
    LegalKind,
    LegalText,
    every_enterprise,
    find_enterprise,
    has_terms,
    legal_text_by_id,
    legal_text_of,
)
from commensal.pages import Visit, allow_frames, parts_beside
from commensal.parts.accounts import has_operator
from commensal.parts.pictures import enterprise_pictures, pictures_of_enterprises
from commensal.sale_sessions import is_open, sale_for, sales_of_supplier

from .browsing import makers_at, makers_of
from .cart import visible_offers
from .products import group_by_shelf
from .settings import settings_of
from .showing import show

_AT_ONCE = 100  # sales, and hubs


def front_page(visit: Visit) -> Response:
    """Shows open and coming sales, and hubs; all of them, or those of hubs that match a search."""
    search = visit.query.get("q", "").strip()
    with visit.read() as tx:
        hubs = list_enterprises(tx, kind="hub", search=search, limit=_AT_ONCE)
        shown_sales: Sequence[Sale] = sales(tx, openness="both", limit=_AT_ONCE)
        pictures = pictures_of_enterprises(tx, [hub.id for hub in hubs])
        first_steps = "" if hubs or search else _first_steps(tx, visit)
        now = tx.now
    if search:
        hub_ids = {hub.id for hub in hubs}
        shown_sales = [sale for sale in shown_sales if sale.shop.id in hub_ids]
    return show(
        visit,
        "front",
        public=True,
        hubs=hubs,
        pictures=pictures,
        sought=search,
        first_steps=first_steps,
        **_by_openness(shown_sales, now),
    )


def _first_steps(tx: Transaction, visit: Visit) -> str:
    """What the visitor can do on an instance without enterprises: "found" the first hub, "log_in" for it, "wait" for
    those who run the site, or become one of them by a command ("operator"). "" for an instance that has one, or has no
    office to make it in."""
    if "office" not in visit.instance.settings.enabled_plugins or any(True for _ in every_enterprise(tx)):
        return ""
    if visit.instance.settings.security.new_enterprises != "everybody" and not visit.actor.is_operator:
        if not has_operator(tx):
            return "operator"
        return "wait" if visit.actor.person_id else "log_in"
    return "found" if visit.actor.person_id else "log_in"


def hub_page(visit: Visit) -> Response:
    with visit.read() as tx:
        hub = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
        look = settings_of(tx, visit, hub.id)
        pictures = enterprise_pictures(tx, hub.id)
        shown_sales = sales(tx, openness="both", shop_id=hub.id)
        terms = has_terms(tx, hub.id)
        makers = makers_at(tx, hub)
        now = tx.now
    return show(
        visit,
        "hub",
        public=True,
        hub=hub,
        has_terms=terms,
        look=look,
        accent=look.accent,
        place=map_links(hub),
        pictures=pictures,
        added_parts=parts_beside(visit, "shop/hub", hub.id, subject=hub.id),
        feeds=_feeds(visit, hub),
        makers=makers,
        **_by_openness(shown_sales, now),
    )


def _feeds(visit: Visit, hub: Enterprise) -> PagePart:
    """Where programs read the sales of a hub that everybody may find."""
    kinds = {"atom": "application/atom+xml", "json": "application/feed+json"} if hub.visibility == "public" else {}
    title = translate(visit.language, "Sales")
    links = [
        HeadLink(rel="alternate", url=f"/hubs/{hub.slug}/sales.{ending}", type=kind, title=title)
        for ending, kind in kinds.items()
    ]
    return PagePart(title="", lines=[], head=links)


def producer_page(visit: Visit) -> Response:
    """The page of a producer: who they are, where, and at which sales their goods are."""
    with visit.read() as tx:
        producer = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
        if not producer.is_producer:
            raise NotFound
        look = settings_of(tx, visit, producer.id)
        pictures = enterprise_pictures(tx, producer.id)
        shown_sales = sales_of_supplier(tx, producer.id, limit=_AT_ONCE)
        now = tx.now
    return show(
        visit,
        "producer",
        public=True,
        producer=producer,
        look=look,
        accent=look.accent,
        place=map_links(producer),
        pictures=pictures,
        **_by_openness(shown_sales, now),
    )


def map_links(enterprise: Enterprise) -> Sequence[tuple[str, str]]:
    """Addresses that show where it is, each with its kind: "map" on the site of OpenStreetMap, "app" for an application
    of the device (RFC 5870). Nobody learns anything before a link is followed. None without coordinates."""
    if enterprise.latitude is None or enterprise.longitude is None:
        return ()
    latitude, longitude = enterprise.latitude, enterprise.longitude
    site = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=16/{latitude}/{longitude}"
    return (("map", site), ("app", f"geo:{latitude},{longitude}"))


def _by_openness(shown_sales: Sequence[Sale], now: datetime) -> dict[str, Any]:
    """Open sales in their order, and coming ones by opening time."""
    coming = [sale for sale in shown_sales if not is_open(sale.session, now)]
    return {
        "open": [sale for sale in shown_sales if is_open(sale.session, now)],
        "coming": sorted(coming, key=lambda sale: sale.session.opens_at),
    }


# Legal pages of a hub and of the instance: legal notice, terms, privacy, accessibility.
#
# A text that nobody has published is replaced by one that states what the software knows: addresses, periods, rights.
# Terms of sale have no such text, since they are a hub's own promises.

_OF_INSTANCE: tuple[LegalKind, ...] = ("notice", "terms", "privacy", "accessibility")
_OF_HUB: tuple[LegalKind, ...] = ("notice", "terms", "privacy")
_WRITTEN_HERE = ("notice", "privacy", "accessibility")  # there are templates for these


def instance_text_page(visit: Visit) -> Response:
    kind = _read_kind(visit, _OF_INSTANCE)
    with visit.read() as tx:
        published = legal_text_of(tx, kind)
    return _page(visit, published)


def hub_text_page(visit: Visit) -> Response:
    kind = _read_kind(visit, _OF_HUB)
    with visit.read() as tx:
        hub = find_enterprise(tx, visit.path["slug"], person_id=visit.actor.person_id)
        published = legal_text_of(tx, kind, hub.id)
    return _page(visit, published, hub)


def version_page(visit: Visit) -> Response:
    """Shows one version of a text, perhaps an old one: the terms that the customer of an order has accepted."""
    with visit.read() as tx:
        published = legal_text_by_id(tx, visit.path["text"])
    return _page(visit, published)


def _read_kind(visit: Visit, kinds: tuple[LegalKind, ...]) -> LegalKind:
    """The kind of text in the path. Raises `NotFound`."""
    kind = next((name for name in kinds if name == visit.path["kind"]), None)
    if kind is None:
        raise NotFound
    return kind


def _page(visit: Visit, published: LegalText, hub: Enterprise | None = None) -> Response:
    own = hub.language if hub is not None else visit.instance.settings.language
    language, html = published.text(visit.language, own)
    if not html and published.kind not in _WRITTEN_HERE:
        raise NotFound
    return show(
        visit,
        "legal/published" if html else f"legal/{published.kind}",
        legal=published,
        text_language=language,
        html=html,
        hub=hub,
        settings=visit.instance.settings,
    )


# The sales of a hub for other software: a calendar, feeds, and a list of a sale that a website shows in a frame.

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
