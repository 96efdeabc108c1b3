"""The delivery fee of an order, and reasons to refuse its delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from commensal import (
    LANGUAGES,
    Adjustment,
    Money,
    NotFound,
    Order,
    OrderDraft,
    Phase,
    Problem,
    Transaction,
    WeightRule,
    hookimpl,
    only_for,
    order_by_id,
    translate,
)

from .booking import PREFIX, DeliveryOption, other_zone
from .slots import EVERYWHERE
from .zones import DeliverySettings, Zone, address_problems, price_in, value_of, zone_of


@hookimpl
@only_for(phase=(Phase.FEE,))
def price_adjustments(tx: Transaction, order: OrderDraft, settings: DeliverySettings) -> Sequence[Adjustment] | None:
    """The price of the zone for the goods in the order now: more goods may weigh more, or make delivery free.

    Without an address it is the lowest possible price. An order whose zone no longer exists keeps its price.
    """
    if not order.shipping.startswith(PREFIX) or order.shipping_option is None:
        return None
    zone = zone_of(settings, order.address)
    if zone is not None:
        return _fee(_label(zone, order.language), price_in(zone, order.lines), settings)
    previous = _previous_fee(tx, order)
    return (
        previous if previous is not None else _fee(order.shipping_option.label, order.shipping_option.price, settings)
    )


@hookimpl
def weight_rules(order: OrderDraft) -> Sequence[WeightRule]:
    """The price follows from what was ordered, and so no weight changes it."""
    return [WeightRule.fixed(each) for each in order.adjustments if each.plugin == "delivery"]


@hookimpl
def adjustment_names(language: str, settings: DeliverySettings) -> Mapping[str, str]:
    """What delivery to each zone is called, by what customers read in their languages."""
    return {_label(zone, each): _label(zone, language) for zone in settings.zones for each in LANGUAGES}


def _label(zone: Zone, language: str) -> str:
    return translate(language, "Delivery to {zone}").format(zone=zone.named(language))


@hookimpl
def order_changing(order: OrderDraft, before: Order | None, settings: DeliverySettings) -> Sequence[Problem] | None:
    """Problems of an address or a slot that is new: a missing address, no delivery there, a slot of another zone. The
    hub cannot send the van there either."""
    if not order.shipping.startswith(PREFIX):
        return None
    if before is not None and (before.shipping, before.address) == (order.shipping, order.address):
        return None
    problems = address_problems(settings, order.address)
    zone, option = zone_of(settings, order.address), order.shipping_option
    if zone is not None and isinstance(option, DeliveryOption) and option.zone not in (EVERYWHERE, zone.id):
        problems.append(other_zone(zone, order.language))
    return problems


@hookimpl
def order_problems(order: OrderDraft, settings: DeliverySettings) -> Sequence[Problem] | None:
    """The problem of an order below the least value of its zone, which the hub may allow."""
    zone = zone_of(settings, order.address) if order.shipping.startswith(PREFIX) else None
    if zone is None or value_of(order.lines) >= zone.minimum:
        return None
    text = "Delivery to {zone} is for orders of {minimum} or more."
    values = {"zone": zone.named(order.language), "minimum": Money(zone.minimum, order.currency)}
    return [Problem("below_minimum", text, "/items", values)]


def _fee(label: str, price: int, settings: DeliverySettings) -> Sequence[Adjustment]:
    if not price:
        return []
    return [Adjustment(phase=Phase.FEE, kind="shipping", label=label, amount=price, vat_rate=settings.vat_rate)]


def _previous_fee(tx: Transaction, order: OrderDraft) -> Sequence[Adjustment] | None:
    """The delivery fee that a placed order has now; None for an order that is not placed."""
    try:
        placed_order = order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
    except NotFound:
        return None
    return [adjustment for adjustment in placed_order.adjustments if adjustment.plugin == "delivery"]
