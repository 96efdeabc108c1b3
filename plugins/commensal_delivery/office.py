"""Pages in the office for the rounds of a sale: when orders are brought, to which zone, and how many the van takes."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from commensal import (
    Enterprise,
    NotFound,
    OfficePage,
    Screen,
    Transaction,
    hookimpl,
    lies_outside,
    plugin_settings,
    refuse_foreign_session,
    sale_by_id,
)
from commensal.pages import Visit, moment_field, on_refusal, whole_field

from .booking import move_to_distribution
from .slots import add_slot, change_slot, remove_slot, slots_of
from .zones import DeliverySettings

_FIELDS = ("zone", "begins_at", "ends_at", "capacity")


def rounds_url(enterprise_id: str, session_id: str) -> str:
    """The address of the page with the rounds of a sale."""
    return f"/office/{enterprise_id}/sale/{session_id}/rounds"


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    return [
        OfficePage(
            path="sale/{session}/rounds",
            place="week",
            scope="sales:read",
            show=rounds_page,
            send=post_rounds,
            sends="sales:write",
        )
    ]


def rounds_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        refuse_foreign_session(tx, shop.id, visit.path["session"])
        session = sale_by_id(tx, visit.path["session"]).session
        rounds = slots_of(tx, shop.id, session.id)
        settings = _settings(tx, visit, shop)
    outside = [slot for slot in rounds if lies_outside(slot.begins_at, slot.ends_at, session)]
    zone = shop.zone
    usual = {
        "zone": "",
        "capacity": "",
        "begins_at": f"{session.begins_at.astimezone(zone):%Y-%m-%dT%H:%M}",
        "ends_at": f"{session.ends_at.astimezone(zone):%Y-%m-%dT%H:%M}",
    }
    context = {
        "session": session,
        "rounds": rounds,
        "zones": {each.id: each.name for each in settings.zones},
        "typed": {name: visit.form.get(name, "") for name in _FIELDS} if _adds(visit) else usual,
        "done": visit.query.get("done", ""),
        "outside": {slot.id for slot in outside},
        "movable": any(not slot.taken for slot in outside),
        "here": rounds_url(shop.id, session.id),
        "zones_url": f"/office/{shop.id}/settings/plugins/delivery",
    }
    return Screen(template="delivery/rounds.html", context=context)


def _adds(visit: Visit) -> bool:
    return bool(visit.form) and visit.query.get("then") == "add"


def _is_field_of_new(visit: Visit, name: str) -> bool:
    return name in _FIELDS and _adds(visit)


@on_refusal(rounds_page, _is_field_of_new)
def post_rounds(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Adds a round, changes how many orders it takes, removes it, or moves those that lie outside the hand-out."""
    actions = {"add": _add, "change": _change, "remove": _remove, "move": _move}
    action = actions.get(visit.query.get("then", ""))
    if action is None:
        raise NotFound
    with visit.write() as tx:
        refuse_foreign_session(tx, shop.id, visit.path["session"])
        action(tx, visit, shop)
    return visit.redirect(f"{rounds_url(shop.id, visit.path['session'])}?done=1")


def _settings(tx: Transaction, visit: Visit, shop: Enterprise) -> DeliverySettings:
    return plugin_settings(tx, visit.instance.hooks, shop.id, "delivery", DeliverySettings)


def _add(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    add_slot(
        tx,
        _settings(tx, visit, shop),
        shop.id,
        visit.path["session"],
        zone=visit.form.get("zone", ""),
        begins_at=moment_field(visit.form, "begins_at", shop.zone),
        ends_at=moment_field(visit.form, "ends_at", shop.zone),
        capacity=whole_field(visit.form, "capacity"),
    )


def _change(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    slot_id, version = visit.form.get("slot", ""), visit.form_version
    change_slot(tx, _settings(tx, visit, shop), shop.id, slot_id, version, capacity=whole_field(visit.form, "capacity"))


def _move(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    move_to_distribution(tx, shop, sale_by_id(tx, visit.path["session"]).session)


def _remove(tx: Transaction, visit: Visit, shop: Enterprise) -> None:
    remove_slot(tx, shop.id, visit.form.get("slot", ""), visit.form_version)
