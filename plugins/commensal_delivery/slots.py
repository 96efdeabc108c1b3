"""Slots: when a sale's orders are brought, to which zone, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, delete, func, insert, select

from commensal import (
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Stale,
    Transaction,
    edit_row,
    enterprise_by_id,
    refuse_foreign_session,
)

from .tables import delivery_slot
from .zones import DeliverySettings

MOST_SLOTS = 200  # of one sale session
MOST_ORDERS = 100_000  # in one slot
LONGEST = timedelta(days=7)
EVERYWHERE = ""  # the zone of a slot that serves all of them


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A round of deliveries. `capacity` and `taken` count orders; no capacity: any number. UTC.

    `zone` is the id of one in the settings, "" is every zone; `timezone` is that in which customers read the hours.
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


class SlotChanges(TypedDict, total=False):
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
    """A new slot; times are aware.

    Raises `NotFound` for a session of another shop, `Invalid`, and `Conflict` where there are very many.
    """
    refuse_foreign_session(tx, enterprise_id, session_id)
    slot = Slot(
        id=tx.new_id(), enterprise_id=enterprise_id, session_id=session_id, zone=zone, begins_at=begins_at,
        ends_at=ends_at, timezone=enterprise_by_id(tx, enterprise_id).timezone, capacity=capacity, taken=0, version=1,
    )  # fmt: skip
    problems = [*_problems(slot), *_zone_problems(settings, zone)]
    if problems:
        raise Invalid(problems)
    if tx.value(select(func.count()).where(delivery_slot.c.session_id == session_id)) >= MOST_SLOTS:
        raise Conflict("too_many_slots", "A sale has at most {most} slots.", most=MOST_SLOTS)
    tx.execute(insert(delivery_slot).values(asdict(slot)))
    return slot


def change_slot(
    tx: Transaction, settings: DeliverySettings, enterprise_id: str, slot_id: str, version: int,
    **changes: Unpack[SlotChanges],
) -> Slot:  # fmt: skip
    """Orders that have chosen the slot stay in it, also where it now goes elsewhere.

    Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` for a capacity below what is taken already.
    """
    old = slot_by_id(tx, enterprise_id, slot_id)
    new = replace(old, **changes)
    problems = _problems(new)
    if new.zone != old.zone:
        problems += _zone_problems(settings, new.zone)
    if problems:
        raise Invalid(problems)
    enough = delivery_slot.c.taken <= (MOST_ORDERS if new.capacity is None else new.capacity)
    values = {name: getattr(new, name) for name in SlotChanges.__annotations__}
    try:
        return Slot(
            **edit_row(tx, delivery_slot, *_theirs(enterprise_id, slot_id), enough, version=version, values=values)
        )
    except NotFound:
        raise _overbooked(slot_by_id(tx, enterprise_id, slot_id)) from None


def remove_slot(tx: Transaction, enterprise_id: str, slot_id: str, version: int) -> None:
    """Raises `NotFound`, `Stale`, and `Conflict` where somebody has chosen it."""
    mine = _theirs(enterprise_id, slot_id)
    gone = delete(delivery_slot).where(*mine, delivery_slot.c.version == version, delivery_slot.c.taken == 0)
    if tx.execute(gone).rowcount == 1:
        return
    slot = slot_by_id(tx, enterprise_id, slot_id)
    raise _overbooked(slot) if slot.taken else Stale()


def slot_by_id(tx: Transaction, enterprise_id: str, slot_id: str) -> Slot:
    """Raises `NotFound`, for a slot of another enterprise too."""
    return Slot(**tx.one(select(delivery_slot).where(*_theirs(enterprise_id, slot_id))))


def slots_of(tx: Transaction, enterprise_id: str, session_id: str) -> Sequence[Slot]:
    """All slots of the enterprise in a session, by time; there are few."""
    slot = delivery_slot.c
    found = select(delivery_slot).where(slot.session_id == session_id, slot.enterprise_id == enterprise_id)
    return [Slot(**row) for row in tx.all(found.order_by(slot.begins_at, slot.id))]


def _theirs(enterprise_id: str, slot_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return delivery_slot.c.id == slot_id, delivery_slot.c.enterprise_id == enterprise_id


def _overbooked(slot: Slot) -> Conflict:
    return Conflict("taken", "{taken} orders have chosen this slot already.", taken=slot.taken)


def _zone_problems(settings: DeliverySettings, zone: str) -> list[Problem]:
    if zone == EVERYWHERE or settings.zone(zone):
        return []
    return [Problem("no_zone", "There is no zone {zone}.", "/zone", {"zone": zone[:40]})]


def _problems(slot: Slot) -> list[Problem]:
    found = []
    if not timedelta(0) < slot.ends_at - slot.begins_at <= LONGEST:
        text = "A slot ends after it begins, and within {days} days."
        found.append(Problem("slot_times", text, "/ends_at", {"days": LONGEST.days}))
    if slot.capacity is not None and not 0 <= slot.capacity <= MOST_ORDERS:
        text = "A slot takes between 0 and {most} orders."
        found.append(Problem("capacity", text, "/capacity", {"most": MOST_ORDERS}))
    return found
