"""Copies slots when a sale is copied from another one."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial

from commensal import SaleSession, Transaction, hookimpl, insert_rows, moved_span, shifted

from .slots import EVERYWHERE, slots_of
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
