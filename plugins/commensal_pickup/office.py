"""What pickup adds to the office: pages of places and slots, and the links to them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from commensal import (
    Enterprise,
    HeadMeta,
    NotFound,
    OfficePage,
    PageLine,
    PagePart,
    Screen,
    Transaction,
    format_span,
    hookimpl,
    lies_outside,
    plural,
    refuse_foreign_session,
    sale_by_id,
    translate,
)
from commensal.pages import Visit, moment_field, on_refusal, whole_field

from .closing import closed_with_orders
from .copying import move_to_distribution
from .place_pages import orders_url, place_page, places_page, places_url, post_place
from .places import MOST_PLACES, places_of
from .slots import add_slot, change_slot, generate_slots, remove_slot, slots_of

# The page in the office for the slots of one sale: when customers collect, and how many may.

_FIELDS = ("place_id", "minutes", "capacity", "begins_at", "ends_at", "exceptional")


def slots_url(enterprise_id: str, session_id: str) -> str:
    """The address of the page with the slots of a sale."""
    return f"/office/{enterprise_id}/sale/{session_id}/slots"


def slots_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        refuse_foreign_session(tx, shop.id, visit.path["session"])
        session = sale_by_id(tx, visit.path["session"]).session
        slots = slots_of(tx, shop.id, session.id)
        # Places with opening hours come first: the hub's own address has none until somebody sets them.
        places = sorted(places_of(tx, shop.id, limit=MOST_PLACES), key=lambda place: not place.hours)
    outside = [slot for slot in slots if lies_outside(slot.begins_at, slot.ends_at, session)]
    zone = shop.zone
    usual = {
        "place_id": places[0].id if places else "",
        "minutes": "60",
        "capacity": "",
        "exceptional": "",
        "begins_at": f"{session.begins_at.astimezone(zone):%Y-%m-%dT%H:%M}",
        "ends_at": f"{session.ends_at.astimezone(zone):%Y-%m-%dT%H:%M}",
    }
    context = {
        "session": session,
        "slots": slots,
        "places": places,
        "names": {place.id: place.name for place in places},
        "typed": {name: visit.form.get(name, "") for name in _FIELDS} if _makes_slots(visit) else usual,
        "done": visit.query.get("done", ""),
        "orders_of": {slot.id: orders_url(shop.id, session.id, slot.id) for slot in slots},
        "outside": {slot.id for slot in outside},
        "movable": any(not slot.taken for slot in outside),
        "here": slots_url(shop.id, session.id),
        "places_url": places_url(shop.id),
    }
    return Screen(template="pickup/slots.html", context=context)


def _makes_slots(visit: Visit) -> bool:
    return bool(visit.form) and visit.query.get("then") in ("cut", "add")


def _is_field_of_new(visit: Visit, name: str) -> bool:
    return name in _FIELDS and _makes_slots(visit)


@on_refusal(slots_page, _is_field_of_new)
def post_slots(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Cuts hours of a place into slots, adds a slot, changes how many orders it takes, removes it, or moves those that
    lie outside the hand-out."""
    actions = {"cut": _cut, "add": _add, "change": _change, "remove": _remove, "move": _move}
    action = actions.get(visit.query.get("then", ""))
    if action is None:
        raise NotFound
    with visit.write() as tx:
        refuse_foreign_session(tx, shop.id, visit.path["session"])
        action(tx, visit, shop)
    return visit.redirect(f"{slots_url(shop.id, visit.path['session'])}?done={visit.query['then']}")


def _cut(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    generate_slots(
        tx,
        shop.id,
        visit.path["session"],
        place_id=visit.form.get("place_id", ""),
        minutes=whole_field(visit.form, "minutes") or 0,
        capacity=whole_field(visit.form, "capacity"),
    )


def _add(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    zone = shop.zone
    add_slot(
        tx,
        shop.id,
        visit.path["session"],
        place_id=visit.form.get("place_id", ""),
        begins_at=moment_field(visit.form, "begins_at", zone),
        ends_at=moment_field(visit.form, "ends_at", zone),
        capacity=whole_field(visit.form, "capacity"),
        exceptional="exceptional" in visit.form,
    )


def _change(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    slot_id, capacity = visit.form.get("slot", ""), whole_field(visit.form, "capacity")
    change_slot(tx, shop.id, slot_id, visit.form_version, capacity=capacity)


def _move(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    move_to_distribution(tx, shop, sale_by_id(tx, visit.path["session"]).session)


def _remove(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    remove_slot(tx, shop.id, visit.form.get("slot", ""), visit.form_version)


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
