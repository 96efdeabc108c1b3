"""What pickup adds to the office: pages of places and slots, and the links to them."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import (
    HeadMeta,
    OfficePage,
    PageLine,
    PagePart,
    Transaction,
    format_span,
    hookimpl,
    lies_outside,
    plural,
    sale_by_id,
    translate,
)

from .closing import closed_with_orders
from .place_pages import orders_url, place_page, places_page, places_url, post_place
from .places import places_of
from .slot_pages import post_slots, slots_page, slots_url
from .slots import slots_of


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    writes = "enterprise:write"
    return [
        OfficePage(path="places", place="settings", scope="enterprise:read", show=places_page),
        OfficePage(path="places/new", place="settings", scope=writes, show=place_page, send=post_place),
        OfficePage(path="places/{place}", place="settings", scope=writes, show=place_page, send=post_place),
        OfficePage(
            path="sale/{session}/slots",
            place="week",
            scope="sales:read",
            show=slots_page,
            send=post_slots,
            sends="sales:write",
        ),
    ]


@hookimpl
def page_parts(
    tx: Transaction, page: str, enterprise_id: str, scopes: frozenset[str], language: str, subject: str
) -> Sequence[PagePart]:
    if page in ("begin", "settings") and "enterprise:read" in scopes:
        line = _places(tx, enterprise_id, language, is_new=page == "begin")
    elif page == "sale" and "sales:read" in scopes:
        line = _slots(tx, enterprise_id, subject, language)
    elif page == "shop/hub":
        return [PagePart(title="", lines=[], head=_where(tx, enterprise_id))]
    elif page == "week" and "orders:write" in scopes:
        lines = _closed(tx, enterprise_id, language)
        return [PagePart(title=translate(language, "Pickup"), lines=lines)] if lines else []
    else:
        return []
    return [PagePart(title=translate(language, "Pickup"), lines=[line])]


def _closed(tx: Transaction, enterprise_id: str, language: str) -> Sequence[PageLine]:
    """Closed slots of any sale with orders, whose customers would stand before a closed door."""
    lines = []
    for slot in closed_with_orders(tx, enterprise_id):
        text = plural(
            language,
            "{number} order at {place}, which is closed then",
            "{number} orders at {place}, which is closed then",
            slot.taken,
        )
        when = format_span(slot.begins_at, slot.ends_at, slot.timezone, language)
        lines.append(
            PageLine(
                text=text.format(number=slot.taken, place=slot.place),
                detail=f"{when} · {slot.reason}",
                url=orders_url(enterprise_id, slot.session_id, slot.id),
                action=translate(language, "Move them"),
                urgent=True,
            )
        )
    return lines


def _where(tx: Transaction, enterprise_id: str) -> Sequence[HeadMeta]:
    """Where customers of a hub collect, for search engines that look for what is near: its first place on the map."""
    place = next((place for place in places_of(tx, enterprise_id) if place.latitude is not None), None)
    if place is None:
        return ()
    return (
        HeadMeta(name="geo.position", content=f"{place.latitude:f};{place.longitude:f}"),
        HeadMeta(name="geo.placename", content=", ".join(filter(None, (place.name, place.city)))),
    )


def _places(tx: Transaction, enterprise_id: str, language: str, *, is_new: bool) -> PageLine:
    """The places of a hub. One that begins is told to give hours; later its slots may also be written one by one."""
    places = places_of(tx, enterprise_id)
    if not places:
        return PageLine(
            text=translate(language, "No place yet"),
            url=f"{places_url(enterprise_id)}/new",
            urgent=True,
            detail=translate(language, "Customers need a street and hours to collect their orders."),
            action=translate(language, "Add a place"),
        )
    text = plural(language, "{number} place", "{number} places", len(places)).format(number=len(places))
    if is_new and not any(place.hours for place in places):
        return PageLine(
            text=translate(language, "No place has hours yet"),
            url=f"{places_url(enterprise_id)}/{places[0].id}",
            detail=translate(language, "Slots are cut out of the hours of a place."),
            urgent=True,
            action=translate(language, "Add its hours"),
        )
    names = ", ".join(place.name for place in places[:3]) + (" …" if len(places) > 3 else "")
    return PageLine(text=text, detail=names, url=places_url(enterprise_id), action=translate(language, "Places"))


def _slots(tx: Transaction, enterprise_id: str, session_id: str, language: str) -> PageLine:
    slots = slots_of(tx, enterprise_id, session_id)
    url, action = slots_url(enterprise_id, session_id), translate(language, "Slots")
    if not slots:
        text = translate(language, "No slots yet: customers of this sale cannot choose when they collect.")
        return PageLine(text=text, url=url, action=action, urgent=True)
    text = plural(language, "{number} slot", "{number} slots", len(slots)).format(number=len(slots))
    orders = sum(slot.taken for slot in slots)
    detail = plural(language, "{number} order", "{number} orders", orders).format(number=orders)
    session = sale_by_id(tx, session_id).session
    outside = sum(lies_outside(slot.begins_at, slot.ends_at, session) for slot in slots)
    if outside:
        beyond = plural(language, "{number} outside the hand-out", "{number} outside the hand-out", outside)
        detail = f"{detail} · {beyond.format(number=outside)}"
    return PageLine(text=text, detail=detail, url=url, action=action, urgent=outside > 0)
