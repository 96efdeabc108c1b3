"""Booking of slots by orders: show the capacity left, take a slot, give it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, or_, select, update

from commensal import (
    Address,
    Conflict,
    Enterprise,
    Invalid,
    OrderDraft,
    Problem,
    Row,
    SaleSession,
    ShippingOption,
    Transaction,
    enterprise_by_id,
    format_money,
    format_span,
    give_slot_back,
    hookimpl,
    in_distribution,
    insert_rows,
    moved_along,
    moved_span,
    moved_to_distribution,
    shifted,
    translate,
    write_moved,
)

from .slots import EVERYWHERE, Slot, slots_of
from .tables import delivery_slot
from .zones import DeliverySettings, Zone, address_problems, price_in, zone_of

PREFIX = "delivery:"  # of the shipping of an order with a slot of this plugin
_IS_SLOT = (
    delivery_slot.c.id == bindparam("slot"),
    delivery_slot.c.session_id == bindparam("session"),
    delivery_slot.c.enterprise_id == bindparam("enterprise"),
)
_AT_HAND_OUT = in_distribution(delivery_slot)
_OFFERED = (
    select(delivery_slot, _AT_HAND_OUT.label("at_hand_out"))
    .where(delivery_slot.c.session_id == bindparam("session"), delivery_slot.c.enterprise_id == bindparam("enterprise"))
    .where(or_(_AT_HAND_OUT, delivery_slot.c.taken > 0))
    .order_by(delivery_slot.c.begins_at, delivery_slot.c.id)
)
_TAKE = (
    update(delivery_slot)
    .where(
        *_IS_SLOT,
        _AT_HAND_OUT,
        delivery_slot.c.zone.in_(bindparam("zones", expanding=True)),
        or_(delivery_slot.c.capacity.is_(None), delivery_slot.c.taken < delivery_slot.c.capacity),
    )
    .values(taken=delivery_slot.c.taken + 1)
    .returning(*delivery_slot.c)
)


@dataclass(frozen=True, kw_only=True)
class DeliveryOption(ShippingOption):
    """A slot as customers choose it (DFC DeliveryOption). `zone` is the id of the zone it serves; "": all zones."""

    zone: str = EVERYWHERE
    needs_address: bool = True


@hookimpl
def shipping_options(
    tx: Transaction,
    enterprise_id: str,
    session_id: str,
    language: str,
    address: Address | None,
    order: OrderDraft | None,
    settings: DeliverySettings,
) -> Sequence[ShippingOption]:
    """The slots that serve the postcode, full ones included; all slots as long as there is no postcode. One outside
    the distribution is left out; with orders it counts as full, so that these find their slot.

    The price is that of the basket, by its weight and value; without one, that of a light order.
    """
    rows = tx.all(_OFFERED, {"session": session_id, "enterprise": enterprise_id})
    if not rows:
        return []
    has_postcode = address is not None and bool(address.postcode.strip())
    candidates = [zone for zone in (zone_of(settings, address),) if zone] if has_postcode else settings.zones
    currency = enterprise_by_id(tx, enterprise_id).currency
    options = []
    for row in rows:
        slot = _slot(row)
        zones = [zone for zone in candidates if slot.zone in (EVERYWHERE, zone.id)]
        if zones:
            option = _option(slot, settings, language, min(_price(zone, order) for zone in zones))
            left = option.left if row["at_hand_out"] else 0
            options.append(replace(option, address=_terms(zones, currency, language), left=left))
        elif not has_postcode:  # its zone no longer exists: existing orders keep the slot, and it takes no more
            options.append(replace(_option(slot, settings, language, 0), left=0))
    return options


@hookimpl
def book_shipping(
    tx: Transaction, order: OrderDraft, option: str, language: str, settings: DeliverySettings
) -> ShippingOption:
    """Takes a place in a slot that serves the address with one guarded statement; only a refusal needs a second one."""
    problems = address_problems(settings, order.address)
    zone = zone_of(settings, order.address)
    if problems or zone is None:
        raise Invalid(problems)
    parameters = {"slot": option, "session": order.session_id, "enterprise": order.enterprise_id}
    booked = tx.first(_TAKE, {**parameters, "zones": [EVERYWHERE, zone.id]})
    if booked is not None:
        return _option(Slot(**booked), settings, language, price_in(zone, order.lines))
    refused = tx.first(select(delivery_slot, _AT_HAND_OUT.label("at_hand_out")).where(*_IS_SLOT), parameters)
    if refused is None:
        raise Invalid([Problem("no_slot", "There is no such slot in this sale.", "/shipping")])
    if refused["zone"] not in (EVERYWHERE, zone.id):
        raise Invalid([other_zone(zone, language)])
    label = _label(_slot(refused), settings, language)
    if not refused["at_hand_out"]:
        text = "{slot} lies outside the hand-out; please choose another slot."
        raise Conflict("slot_outside", text, slot=label)
    raise Conflict("slot_full", "{slot} is full; please choose another slot.", slot=label)


@hookimpl
def release_shipping(tx: Transaction, option: str) -> bool:
    return give_slot_back(tx, delivery_slot, option)


def _slot(row: Row) -> Slot:
    return Slot(**{column.name: row[column.name] for column in delivery_slot.c})


def _price(zone: Zone, order: OrderDraft | None) -> int:
    return zone.price if order is None else price_in(zone, order.lines)


def other_zone(zone: Zone, language: str) -> Problem:
    """The problem that the slot does not serve this zone, whose name is in this language."""
    text = "This delivery does not go to {zone}; please choose another one."
    return Problem("other_zone", text, "/shipping", {"zone": zone.named(language)})


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
    """The label of the round. An order keeps this text when its address changes within the round."""
    when, zone = format_span(slot.begins_at, slot.ends_at, slot.timezone, language), settings.zone(slot.zone)
    if zone is None:
        return translate(language, "Delivery, {when}").format(when=when)
    return translate(language, "Delivery to {zone}, {when}").format(zone=zone.named(language), when=when)


def _terms(zones: Sequence[Zone], currency: str, language: str) -> str:
    """The terms of a zone on one line, for customers who choose; for several zones their names."""
    if len(zones) > 1:
        return ", ".join(zone.named(language) for zone in zones)
    (zone,) = zones
    terms = []
    if zone.minimum:
        text = translate(language, "for orders of {amount} or more")
        terms.append(text.format(amount=format_money(zone.minimum, currency, language)))
    if zone.free_from is not None and zone.price:
        text = translate(language, "free of charge from {amount}")
        terms.append(text.format(amount=format_money(zone.free_from, currency, language)))
    if zone.steps:
        terms.append(translate(language, "more for heavy orders"))
    return ", ".join(terms)


# Rounds follow their sale: they are copied with it, and move along with its distribution.


@hookimpl
def sale_copied(
    tx: Transaction, source: SaleSession, copy: SaleSession, timezone: str, settings: DeliverySettings
) -> None:
    """Copies each slot with the same distance to the distribution, in the shop's local time, and without orders.

    Leaves out slots of zones that no longer exist.
    """
    move = partial(shifted, timezone=timezone, start=source.begins_at, new_start=copy.begins_at)
    slots = []
    for slot in slots_of(tx, copy.enterprise_id, source.id):
        if slot.zone != EVERYWHERE and settings.zone(slot.zone) is None:
            continue
        begins_at, ends_at = moved_span(move, slot.begins_at, slot.ends_at)
        copied = replace(slot, id=tx.new_id(), session_id=copy.id, taken=0, version=1)
        slots.append(replace(copied, begins_at=begins_at, ends_at=ends_at))
    insert_rows(tx, delivery_slot, [asdict(slot) for slot in slots])


@hookimpl
def sale_moved(tx: Transaction, before: SaleSession, session: SaleSession, timezone: str, orders_follow: bool) -> None:
    """Moves rounds along with the distribution: those without orders, or all of them if `orders_follow`."""
    rounds = slots_of(tx, session.enterprise_id, session.id)
    spans = _spans(rounds if orders_follow else _free(rounds))
    moved = moved_along(spans, before, session, timezone, orders_follow=orders_follow)
    write_moved(tx, delivery_slot, moved, orders_follow=orders_follow)


def move_to_distribution(tx: Transaction, shop: Enterprise, session: SaleSession) -> None:
    """Moves the rounds outside the distribution that have no orders, all by the same distance on the clock, so that the
    first of them begins with it. Raises `Conflict` if there are none."""
    spans = _spans(_free(slots_of(tx, session.enterprise_id, session.id)))
    write_moved(tx, delivery_slot, moved_to_distribution(spans, session, shop.timezone))


def _free(slots: Iterable[Slot]) -> list[Slot]:
    return [slot for slot in slots if not slot.taken]


def _spans(slots: Iterable[Slot]) -> dict[str, tuple[datetime, datetime]]:
    return {slot.id: (slot.begins_at, slot.ends_at) for slot in slots}
