"""What delivery adds to the office: pages for the rounds of a sale, to which zone and how many, and the ways there."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from commensal import (
    Enterprise,
    NotFound,
    OfficePage,
    PageLine,
    PagePart,
    Screen,
    Transaction,
    enterprise_by_id,
    format_money,
    hookimpl,
    lies_outside,
    plugin_settings,
    plural,
    refuse_foreign_session,
    sale_by_id,
    translate,
)
from commensal.pages import Visit, moment_field, on_refusal, whole_field

from .booking import move_to_distribution
from .slots import add_slot, change_slot, remove_slot, slots_of
from .zones import DeliverySettings, Zone

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


# What delivery adds to pages: in the shop where orders are brought and for what, in the office a sale's rounds.

_PAGES = ("shop/hub", "shop/checkout")
_POSTCODES = 6  # of one zone, in its line


@hookimpl
def page_parts(
    tx: Transaction,
    settings: DeliverySettings,
    page: str,
    enterprise_id: str,
    scopes: frozenset[str],
    language: str,
    subject: str,
) -> Sequence[PagePart]:
    """For shoppers the zones with their postcodes, price, and the value from which delivery is free."""
    if page == "sale" and "sales:read" in scopes:
        line = _rounds(tx, enterprise_id, subject, language)
        return [PagePart(title=translate(language, "Delivery"), lines=[line])]
    if page not in _PAGES or not settings.zones:
        return []
    currency = enterprise_by_id(tx, enterprise_id).currency
    lines = [
        PageLine(text=f"{zone.named(language)} ({_postcodes(zone)})", detail=_terms(zone, currency, language))
        for zone in settings.zones
    ]
    return [PagePart(title=translate(language, "Where orders are brought"), lines=lines)]


def _rounds(tx: Transaction, enterprise_id: str, session_id: str, language: str) -> PageLine:
    rounds = slots_of(tx, enterprise_id, session_id)
    url, action = rounds_url(enterprise_id, session_id), translate(language, "Rounds")
    if not rounds:
        return PageLine(
            text=translate(language, "No round yet: nothing of this sale is brought."), url=url, action=action
        )
    text = plural(language, "{number} round", "{number} rounds", len(rounds)).format(number=len(rounds))
    orders = sum(slot.taken for slot in rounds)
    detail = plural(language, "{number} order", "{number} orders", orders).format(number=orders)
    session = sale_by_id(tx, session_id).session
    outside = sum(lies_outside(slot.begins_at, slot.ends_at, session) for slot in rounds)
    if outside:
        beyond = plural(language, "{number} outside the hand-out", "{number} outside the hand-out", outside)
        detail = f"{detail} · {beyond.format(number=outside)}"
    return PageLine(text=text, detail=detail, url=url, action=action, urgent=outside > 0)


def _postcodes(zone: Zone) -> str:
    shown = ", ".join(postcode.replace("*", "…") for postcode in zone.postcodes[:_POSTCODES])
    return f"{shown} …" if len(zone.postcodes) > _POSTCODES else shown


def _terms(zone: Zone, currency: str, language: str) -> str:
    texts = [format_money(zone.price, currency, language) if zone.price else translate(language, "free of charge")]
    if zone.steps:
        texts.append(translate(language, "more for heavy orders"))
    if zone.price and zone.free_from is not None:
        text = translate(language, "free from goods of {amount}")
        texts.append(text.format(amount=format_money(zone.free_from, currency, language)))
    if zone.minimum:
        text = translate(language, "for orders of {amount} or more")
        texts.append(text.format(amount=format_money(zone.minimum, currency, language)))
    return ", ".join(texts)
