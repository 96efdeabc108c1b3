"""The page in the office for the slots of one sale: when customers collect, and how many may."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Enterprise, NotFound, Screen, Transaction, lies_outside, refuse_foreign_session, sale_by_id
from commensal.pages import Visit, moment_field, on_refusal, whole_field

from .copying import move_to_distribution
from .place_pages import orders_url, places_url
from .places import MOST_PLACES, places_of
from .slots import add_slot, change_slot, generate_slots, remove_slot, slots_of

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
