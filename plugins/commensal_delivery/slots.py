"""Slots: the times at which orders of a sale are delivered, with zone and capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, bindparam, insert, select

from commensal import (
    Invalid,
    Problem,
    Transaction,
    edit_slot,
    enterprise_by_id,
    refuse_foreign_session,
    refuse_too_many_slots,
    remove_free_slot,
    slot_problems,
)

from .tables import delivery_slot
from .zones import DeliverySettings

EVERYWHERE = ""  # the zone of a slot that serves all zones


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A delivery round. `capacity` and `taken` count orders; no capacity: any number. UTC.

    `zone` is the id of a zone in the settings, "" for all zones; customers see times in `timezone`.
    """

    id: str
    enterprise_id: str
    session_id: str
    zone: str
    begins_at: datetime
    ends_at: datetime
    timezone: str
    capacity: int | None
    taken: int
    version: int


class SlotFields(TypedDict, total=False):
    zone: str
    begins_at: datetime
    ends_at: datetime
    capacity: int | None


def add_slot(
    tx: Transaction,
    settings: DeliverySettings,
    enterprise_id: str,
    session_id: str,
    *,
    begins_at: datetime,
    ends_at: datetime,
    zone: str = EVERYWHERE,
    capacity: int | None = None,
) -> Slot:
    """Adds a slot; times are aware.

    Raises `NotFound` for a session of another shop, `Invalid`, and `Conflict` if the session has too many slots.
    """
    refuse_foreign_session(tx, enterprise_id, session_id)
    slot = Slot(
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        session_id=session_id,
        zone=zone,
        begins_at=begins_at,
        ends_at=ends_at,
        timezone=enterprise_by_id(tx, enterprise_id).timezone,
        capacity=capacity,
        taken=0,
        version=1,
    )
    problems = [*slot_problems(begins_at, ends_at, capacity), *_zone_problems(settings, zone)]
    if problems:
        raise Invalid(problems)
    refuse_too_many_slots(tx, delivery_slot, session_id)
    tx.execute(insert(delivery_slot).values(asdict(slot)))
    return slot


def change_slot(
    tx: Transaction,
    settings: DeliverySettings,
    enterprise_id: str,
    slot_id: str,
    version: int,
    **changes: Unpack[SlotFields],
) -> Slot:
    """Changes a slot. Its orders stay in it, even if it serves another zone now.

    Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` for a capacity below the number of orders in the slot.
    """
    old = slot_by_id(tx, enterprise_id, slot_id)
    new = replace(old, **changes)
    problems = slot_problems(new.begins_at, new.ends_at, new.capacity)
    if new.zone != old.zone:
        problems += _zone_problems(settings, new.zone)
    if problems:
        raise Invalid(problems)
    values = {name: getattr(new, name) for name in SlotFields.__annotations__}
    conditions = _is_own(enterprise_id, slot_id)
    return Slot(**edit_slot(tx, delivery_slot, conditions, capacity=new.capacity, version=version, values=values))


def remove_slot(tx: Transaction, enterprise_id: str, slot_id: str, version: int) -> None:
    """Removes a slot without orders. Raises `NotFound`, `Stale`, and `Conflict` if it has orders."""
    remove_free_slot(tx, delivery_slot, _is_own(enterprise_id, slot_id), version)


def slot_by_id(tx: Transaction, enterprise_id: str, slot_id: str) -> Slot:
    """The enterprise's slot with this id. Raises `NotFound`, also for a slot of another enterprise."""
    return Slot(**tx.one(select(delivery_slot).where(*_is_own(enterprise_id, slot_id))))


def slots_of(tx: Transaction, enterprise_id: str, session_id: str) -> Sequence[Slot]:
    """All slots of the enterprise in a session, ordered by time. Their number is limited."""
    return [Slot(**row) for row in tx.all(_OF_SESSION, {"session": session_id, "enterprise": enterprise_id})]


_OF_SESSION = (
    select(delivery_slot)
    .where(delivery_slot.c.session_id == bindparam("session"), delivery_slot.c.enterprise_id == bindparam("enterprise"))
    .order_by(delivery_slot.c.begins_at, delivery_slot.c.id)
)


def _is_own(enterprise_id: str, slot_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return delivery_slot.c.id == slot_id, delivery_slot.c.enterprise_id == enterprise_id


def _zone_problems(settings: DeliverySettings, zone: str) -> list[Problem]:
    if zone == EVERYWHERE or settings.zone(zone):
        return []
    return [Problem("no_zone", "There is no zone {zone}.", "/zone", {"zone": zone[:40]})]
