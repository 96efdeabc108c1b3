"""Rounds follow their sale: they are copied with it, and move along with its distribution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial

from commensal import (
    Enterprise,
    SaleSession,
    Transaction,
    hookimpl,
    insert_rows,
    moved_along,
    moved_span,
    moved_to_distribution,
    shifted,
    write_moved,
)

from .slots import EVERYWHERE, Slot, slots_of
from .tables import delivery_slot
from .zones import DeliverySettings


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
