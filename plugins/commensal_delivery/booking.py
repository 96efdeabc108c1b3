"""What an order does to a slot: see what is left, take a place, give it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, or_, select, update

from commensal import (
    Address,
    Conflict,
    Invalid,
    OrderDraft,
    Problem,
    ShippingOption,
    Transaction,
    enterprise_by_id,
    format_money,
    format_span,
    give_slot_back,
    hookimpl,
    translate,
)

from .addresses import address_problems
from .slots import EVERYWHERE, Slot, slots_of
from .tables import delivery_slot
from .zones import DeliverySettings, Zone, price_in, zone_of

PREFIX = "delivery:"  # of an order's shipping that is ours
_MINE = (
    delivery_slot.c.id == bindparam("slot"),
    delivery_slot.c.session_id == bindparam("session"),
    delivery_slot.c.enterprise_id == bindparam("enterprise"),
)
_TAKING = (
    update(delivery_slot)
    .where(
        *_MINE,
        delivery_slot.c.zone.in_(bindparam("zones", expanding=True)),
        or_(delivery_slot.c.capacity.is_(None), delivery_slot.c.taken < delivery_slot.c.capacity),
    )
    .values(taken=delivery_slot.c.taken + 1)
    .returning(*delivery_slot.c)
)


@dataclass(frozen=True, kw_only=True)
class DeliveryOption(ShippingOption):
    """A slot as customers choose it (DFC DeliveryOption). `zone` is where it goes, "" is everywhere."""

    zone: str = EVERYWHERE
    needs_address: bool = True


@hookimpl
def shipping_options(
    tx: Transaction,
    enterprise_id: str,
    session_id: str,
    language: str,
    address: Address | None,
    settings: DeliverySettings,
) -> Sequence[ShippingOption]:
    """The slots that serve the postcode, full ones too; all of them as long as there is no postcode.

    The price is that of a light order: what is in the basket makes it more, or nothing, when it is worked out.
    """
    slots = slots_of(tx, enterprise_id, session_id)
    if not slots:
        return []
    known = address is not None and bool(address.postcode.strip())
    here = [zone for zone in (zone_of(settings, address),) if zone] if known else settings.zones
    currency = enterprise_by_id(tx, enterprise_id).currency
    offered = []
    for slot in slots:
        zones = [one for one in here if slot.zone in (EVERYWHERE, one.id)]
        if zones:
            option = _option(slot, settings, language, min(one.price for one in zones))
            offered.append(replace(option, address=_terms(zones, currency, language)))
        elif not known:  # its zone is gone: whoever has chosen it keeps it, and nobody else can
            offered.append(replace(_option(slot, settings, language, 0), left=0))
    return offered


@hookimpl
def book_shipping(
    tx: Transaction, order: OrderDraft, option: str, language: str, settings: DeliverySettings
) -> ShippingOption:
    """One guarded statement takes a place on a round that serves the address; only a refusal asks a second time."""
    problems = address_problems(settings, order.address)
    zone = zone_of(settings, order.address)
    if problems or zone is None:
        raise Invalid(problems)
    mine = {"slot": option, "session": order.session_id, "enterprise": order.enterprise_id}
    taken = tx.first(_TAKING, {**mine, "zones": [EVERYWHERE, zone.id]})
    if taken is not None:
        return _option(Slot(**taken), settings, language, price_in(zone, order.lines))
    there = tx.first(select(delivery_slot).where(*_MINE), mine)
    if there is None:
        raise Invalid([Problem("no_slot", "There is no such slot in this sale.", "/shipping")])
    if there["zone"] not in (EVERYWHERE, zone.id):
        raise Invalid([other_zone(zone)])
    label = _label(Slot(**there), settings, language)
    raise Conflict("slot_full", "{slot} is full; please choose another slot.", slot=label)


@hookimpl
def release_shipping(tx: Transaction, option: str) -> bool:
    return give_slot_back(tx, delivery_slot, option)


def other_zone(zone: Zone) -> Problem:
    """The slot goes elsewhere."""
    text = "This delivery does not go to {zone}; please choose another one."
    return Problem("other_zone", text, "/shipping", {"zone": zone.name})


def _option(slot: Slot, settings: DeliverySettings, language: str, price: int) -> DeliveryOption:
    return DeliveryOption(
        id=slot.id,
        label=_label(slot, settings, language),
        begins_at=slot.begins_at,
        ends_at=slot.ends_at,
        price=price,
        vat_rate=settings.vat_rate,
        left=None if slot.capacity is None else slot.capacity - slot.taken,
        zone=slot.zone,
    )


def _label(slot: Slot, settings: DeliverySettings, language: str) -> str:
    """The round, whoever looks at it: an order keeps this text when its address changes within the round."""
    when, zone = format_span(slot.begins_at, slot.ends_at, slot.timezone, language), settings.zone(slot.zone)
    if zone is None:
        return translate(language, "Delivery, {when}").format(when=when)
    return translate(language, "Delivery to {zone}, {when}").format(zone=zone.name, when=when)


def _terms(zones: Sequence[Zone], currency: str, language: str) -> str:
    """What a customer should know before they choose, on one line; of several zones, their names."""
    if len(zones) > 1:
        return ", ".join(one.name for one in zones)
    (zone,) = zones
    said = []
    if zone.minimum:
        text = translate(language, "for orders of {amount} or more")
        said.append(text.format(amount=format_money(zone.minimum, currency, language)))
    if zone.free_from is not None and zone.price:
        text = translate(language, "free of charge from {amount}")
        said.append(text.format(amount=format_money(zone.free_from, currency, language)))
    if zone.steps:
        said.append(translate(language, "more for heavy orders"))
    return ", ".join(said)
