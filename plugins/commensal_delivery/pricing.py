"""What delivery costs an order, and what stands against it."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import (
    Adjustment,
    Money,
    NotFound,
    OrderDraft,
    Phase,
    Problem,
    Transaction,
    hookimpl,
    order_by_id,
    translate,
)

from .addresses import address_problems
from .booking import PREFIX, DeliveryOption, other_zone
from .slots import EVERYWHERE
from .zones import DeliverySettings, price_in, value_of, zone_of


@hookimpl
def price_adjustments(
    tx: Transaction, order: OrderDraft, phase: Phase, settings: DeliverySettings
) -> Sequence[Adjustment] | None:
    """The price of the zone for what is in the order now: more goods may weigh more, or make delivery free.

    As long as nobody has said where to, it is the least that it can be. An order in no zone any more keeps its price.
    """
    if phase is not Phase.FEE or not order.shipping.startswith(PREFIX) or order.shipping_option is None:
        return None
    zone = zone_of(settings, order.address)
    if zone is not None:
        label = translate(order.language, "Delivery to {zone}").format(zone=zone.name)
        return _fee(label, price_in(zone, order.lines), settings)
    before = _before(tx, order)
    return before if before is not None else _fee(order.shipping_option.label, order.shipping_option.price, settings)


@hookimpl
def order_problems(order: OrderDraft, settings: DeliverySettings) -> Sequence[Problem] | None:
    """An address that is missing or out of the way, a slot that goes elsewhere, an order that is too small."""
    if not order.shipping.startswith(PREFIX):
        return None
    problems = address_problems(settings, order.address)
    zone = zone_of(settings, order.address)
    if zone is None:
        return problems
    option = order.shipping_option
    if isinstance(option, DeliveryOption) and option.zone not in (EVERYWHERE, zone.id):
        problems.append(other_zone(zone))
    if value_of(order.lines) < zone.minimum:
        text = "Delivery to {zone} is for orders of {minimum} or more."
        values = {"zone": zone.name, "minimum": Money(zone.minimum, order.currency)}
        problems.append(Problem("below_minimum", text, "/items", values))
    return problems


def _fee(label: str, price: int, settings: DeliverySettings) -> Sequence[Adjustment]:
    if not price:
        return []
    return [Adjustment(phase=Phase.FEE, kind="shipping", label=label, amount=price, vat_rate=settings.vat_rate)]


def _before(tx: Transaction, order: OrderDraft) -> Sequence[Adjustment] | None:
    """What a placed order has paid for delivery until now."""
    try:
        placed = order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
    except NotFound:
        return None
    return [one for one in placed.adjustments if one.plugin == "delivery"]
