"""Booking of slots by orders: show the capacity left, take a slot, give it back, add its price."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Text, bindparam, literal, or_, select, update

from commensal import (
    Adjustment,
    Conflict,
    Invalid,
    Json,
    OrderDraft,
    Phase,
    Problem,
    Row,
    ShippingOption,
    Transaction,
    WeightRule,
    format_span,
    give_slot_back,
    hookimpl,
    in_distribution,
    in_language,
    only_for,
    translate,
)

from .tables import pickup_closure, pickup_place, pickup_slot

PREFIX = "pickup:"  # of the shipping of an order with a slot of this plugin
_SLOT = [pickup_slot.c[name] for name in ("id", "begins_at", "ends_at", "capacity", "taken")]
# A slot that was just taken is not closed.
_OPEN = (literal(None, Text).label("reason"), literal(None, Json).label("reasons"))
_AT_HAND_OUT = in_distribution(pickup_slot)
_PLACE = [
    pickup_place.c[name]
    for name in ("name", "names", "street", "postcode", "city", "note", "notes", "timezone", "price", "vat_rate")
]

# Slots of a session with their places, and the reason if they are closed.
_SLOTS = (
    select(*_SLOT, *_PLACE, pickup_closure.c.reason, pickup_closure.c.reasons, _AT_HAND_OUT.label("at_hand_out"))
    .join_from(pickup_slot, pickup_place, pickup_slot.c.place_id == pickup_place.c.id)
    .outerjoin(pickup_closure, pickup_closure.c.id == pickup_slot.c.closure_id)
    .where(pickup_slot.c.session_id == bindparam("session"), pickup_place.c.enterprise_id == bindparam("enterprise"))
)
_OFFERED = _SLOTS.where(or_(_AT_HAND_OUT, pickup_slot.c.taken > 0)).order_by(
    pickup_slot.c.begins_at, pickup_place.c.name, pickup_slot.c.id
)
_TAKE = (
    update(pickup_slot)
    .where(
        pickup_slot.c.id == bindparam("slot"),
        pickup_slot.c.session_id == bindparam("session"),
        pickup_slot.c.place_id.in_(
            select(pickup_place.c.id).where(pickup_place.c.enterprise_id == bindparam("enterprise"))
        ),
        pickup_slot.c.closure_id.is_(None),
        _AT_HAND_OUT,
        or_(pickup_slot.c.capacity.is_(None), pickup_slot.c.taken < pickup_slot.c.capacity),
    )
    .values(taken=pickup_slot.c.taken + 1)
    .returning(
        *_SLOT,
        *(
            select(column).where(pickup_place.c.id == pickup_slot.c.place_id).scalar_subquery().label(column.name)
            for column in _PLACE
        ),
        *_OPEN,
        literal(True).label("at_hand_out"),
    )
)


@hookimpl
def shipping_options(tx: Transaction, enterprise_id: str, session_id: str, language: str) -> Sequence[ShippingOption]:
    """Every slot of the session, also full and closed ones, so that customers see that they exist.

    One outside the distribution is left out; with orders it counts as full, so that these find their slot.
    """
    return [_option(row, language) for row in tx.all(_OFFERED, {"session": session_id, "enterprise": enterprise_id})]


@hookimpl
def book_shipping(tx: Transaction, order: OrderDraft, option: str, language: str) -> ShippingOption:
    """Takes a place in the slot with one guarded statement; only a refusal needs a second one for its reason."""
    parameters = {"slot": option, "session": order.session_id, "enterprise": order.enterprise_id}
    slot = tx.first(_TAKE, parameters)
    if slot is not None:
        return _option(slot, language)
    refused = tx.first(_SLOTS.where(pickup_slot.c.id == option), parameters)
    if refused is None:
        raise Invalid([Problem("no_slot", "There is no such slot in this sale.", "/shipping")])
    if refused["reason"] is not None:
        text = "{slot} is closed ({reason}); please choose another slot."
        raise Conflict("slot_closed", text, slot=_label(refused, language), reason=reason_of(refused, language))
    if not refused["at_hand_out"]:
        text = "{slot} lies outside the hand-out; please choose another slot."
        raise Conflict("slot_outside", text, slot=_label(refused, language))
    raise Conflict("slot_full", "{slot} is full; please choose another slot.", slot=_label(refused, language))


@hookimpl
def release_shipping(tx: Transaction, option: str) -> bool:
    return give_slot_back(tx, pickup_slot, option)


@hookimpl
@only_for(phase=(Phase.FEE,))
def price_adjustments(order: OrderDraft, phase: Phase) -> Sequence[Adjustment] | None:
    """The price of the place, as in the order's shipping option."""
    option = order.shipping_option
    if option is None or not option.price or not order.shipping.startswith(PREFIX):
        return None
    return [Adjustment(phase=phase, kind="shipping", label=option.label, amount=option.price, vat_rate=option.vat_rate)]


@hookimpl
def weight_rules(order: OrderDraft) -> Sequence[WeightRule]:
    """The price of the place does not follow from weights."""
    return [WeightRule.fixed(each) for each in order.adjustments if each.plugin == "pickup"]


def address_of(row: Row) -> str:
    """Street, postcode and town of a place, on one line."""
    return ", ".join(part for part in (row["street"], f"{row['postcode']} {row['city']}".strip()) if part)


def name_of(row: Row, language: str) -> str:
    """The name of a place for a reader."""
    return in_language(language, "", row["name"], row["names"]).text


def note_of(row: Row, language: str) -> str:
    """The note on a place for a reader."""
    return in_language(language, "", row["note"], row["notes"]).text


def reason_of(row: Row, language: str) -> str:
    """Why a slot is closed, for a reader."""
    return in_language(language, "", row["reason"], row["reasons"]).text


def _option(row: Row, language: str) -> ShippingOption:
    label, left = _label(row, language), None if row["capacity"] is None else row["capacity"] - row["taken"]
    if row["reason"] is not None:
        label = translate(language, "{slot} (closed: {reason})").format(slot=label, reason=reason_of(row, language))
    if row["reason"] is not None or not row["at_hand_out"]:
        left = 0
    return ShippingOption(
        id=row["id"],
        label=label,
        begins_at=row["begins_at"],
        ends_at=row["ends_at"],
        place=name_of(row, language),
        address=address_of(row),
        note=note_of(row, language),
        price=row["price"],
        vat_rate=row["vat_rate"],
        left=left,
    )


def _label(row: Row, language: str) -> str:
    return f"{name_of(row, language)}, {format_span(row['begins_at'], row['ends_at'], row['timezone'], language)}"
