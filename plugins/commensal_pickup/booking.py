"""What an order does to a slot: see what is left, take a place, give it back, pay for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Text, bindparam, literal, or_, select, update

from commensal import (
    Adjustment,
    Conflict,
    Invalid,
    OrderDraft,
    Phase,
    Problem,
    Row,
    ShippingOption,
    Transaction,
    format_span,
    give_slot_back,
    hookimpl,
    translate,
)

from .tables import pickup_closure, pickup_place, pickup_slot

PREFIX = "pickup:"  # of an order's shipping that is ours
_SLOT = [pickup_slot.c[name] for name in ("id", "begins_at", "ends_at", "capacity", "taken")]
_OPEN = literal(None, Text).label("closed")  # of a slot that was just taken
_PLACE = [
    pickup_place.c[name] for name in ("name", "street", "postcode", "city", "note", "timezone", "price", "vat_rate")
]

# Slots of a session, with their places and why they are closed.
_SLOTS = (
    select(*_SLOT, *_PLACE, pickup_closure.c.reason.label("closed"))
    .join_from(pickup_slot, pickup_place, pickup_slot.c.place_id == pickup_place.c.id)
    .outerjoin(pickup_closure, pickup_closure.c.id == pickup_slot.c.closure_id)
    .where(pickup_slot.c.session_id == bindparam("session"), pickup_place.c.enterprise_id == bindparam("enterprise"))
)
_OFFERED = _SLOTS.order_by(pickup_slot.c.begins_at, pickup_place.c.name, pickup_slot.c.id)
_TAKING = (
    update(pickup_slot)
    .where(
        pickup_slot.c.id == bindparam("slot"),
        pickup_slot.c.session_id == bindparam("session"),
        pickup_slot.c.place_id.in_(
            select(pickup_place.c.id).where(pickup_place.c.enterprise_id == bindparam("enterprise"))
        ),
        pickup_slot.c.closure_id.is_(None),
        or_(pickup_slot.c.capacity.is_(None), pickup_slot.c.taken < pickup_slot.c.capacity),
    )
    .values(taken=pickup_slot.c.taken + 1)
    .returning(
        *_SLOT,
        *(select(one).where(pickup_place.c.id == pickup_slot.c.place_id).scalar_subquery().label(one.name)
          for one in _PLACE),
        _OPEN,
    )
)  # fmt: skip


@hookimpl
def shipping_options(tx: Transaction, enterprise_id: str, session_id: str, language: str) -> Sequence[ShippingOption]:
    """Every slot of the session, also those that are full or closed: customers shall see that it exists and is gone."""
    return [_option(row, language) for row in tx.all(_OFFERED, {"session": session_id, "enterprise": enterprise_id})]


@hookimpl
def book_shipping(tx: Transaction, order: OrderDraft, option: str, language: str) -> ShippingOption:
    """One guarded statement takes a place and says where and when; only a refusal asks a second time."""
    wanted = {"slot": option, "session": order.session_id, "enterprise": order.enterprise_id}
    taken = tx.first(_TAKING, wanted)
    if taken is not None:
        return _option(taken, language)
    gone = tx.first(_SLOTS.where(pickup_slot.c.id == option), wanted)
    if gone is None:
        raise Invalid([Problem("no_slot", "There is no such slot in this sale.", "/shipping")])
    if gone["closed"] is not None:
        text = "{slot} is closed ({reason}); please choose another slot."
        raise Conflict("slot_closed", text, slot=_label(gone, language), reason=gone["closed"])
    raise Conflict("slot_full", "{slot} is full; please choose another slot.", slot=_label(gone, language))


@hookimpl
def release_shipping(tx: Transaction, option: str) -> bool:
    return give_slot_back(tx, pickup_slot, option)


@hookimpl
def price_adjustments(order: OrderDraft, phase: Phase) -> Sequence[Adjustment] | None:
    """The price of the place, as the option had it that the order shows."""
    option = order.shipping_option
    if phase is not Phase.FEE or option is None or not option.price or not order.shipping.startswith(PREFIX):
        return None
    return [Adjustment(phase=phase, kind="shipping", label=option.label, amount=option.price, vat_rate=option.vat_rate)]


def address_of(row: Row) -> str:
    """Street, postcode and town of a place, on one line."""
    return ", ".join(part for part in (row["street"], f"{row['postcode']} {row['city']}".strip()) if part)


def _option(row: Row, language: str) -> ShippingOption:
    label, left = _label(row, language), None if row["capacity"] is None else row["capacity"] - row["taken"]
    if row["closed"] is not None:
        label = translate(language, "{slot} (closed: {reason})").format(slot=label, reason=row["closed"])
        left = 0
    return ShippingOption(
        id=row["id"],
        label=label,
        begins_at=row["begins_at"],
        ends_at=row["ends_at"],
        address=address_of(row),
        note=row["note"],
        price=row["price"],
        vat_rate=row["vat_rate"],
        left=left,
    )


def _label(row: Row, language: str) -> str:
    return f"{row['name']}, {format_span(row['begins_at'], row['ends_at'], row['timezone'], language)}"
