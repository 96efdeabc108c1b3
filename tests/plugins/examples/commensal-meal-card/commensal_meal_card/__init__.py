"""Meal card: customers buy a card of ten meals at the checkout, and pay later meals with its code."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from commensal import (
    SECRET,
    Adjustment,
    Conflict,
    Event,
    Instance,
    Invalid,
    Order,
    OrderDraft,
    OrderField,
    Phase,
    PricedLine,
    Problem,
    ProductField,
    Transaction,
    Whole,
    half_up,
    hookimpl,
    insert_once,
    mail_customer,
    metadata,
    product_values,
    translate,
)
from sqlalchemy import Column, ForeignKey, Table, Text, delete, insert, select, update

MEALS = 10  # on a new card

meal_card_card = Table(
    "meal_card_card",
    metadata,
    Column("order_id", Text, ForeignKey("customer_order.id"), primary_key=True),  # the order that bought it
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("code", Text, nullable=False, unique=True, info=SECRET),  # in capitals, as orders name it
    Column("left", Whole, nullable=False),
    sqlite_strict=True,
)
meal_card_use = Table(
    "meal_card_use",
    metadata,
    Column("order_id", Text, primary_key=True),  # no foreign key: written before the order is
    Column("code", Text, nullable=False, info=SECRET),
    Column("meals", Whole, nullable=False),
    sqlite_strict=True,
)


@dataclass(frozen=True)
class Settings:
    price: int = 90_00
    """Of a card of ten meals, in minor units."""

    def __post_init__(self) -> None:
        if self.price < 1:
            raise ValueError("price: at least 1")


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def product_fields() -> Sequence[ProductField]:
    return [ProductField(name="meal", kind="flag", english="paid with a meal card", french="payable par carte repas")]


@hookimpl
def order_fields() -> Sequence[OrderField]:
    return [
        OrderField(
            name="buy",
            kind="flag",
            english="also buy a card of ten meals",
            french="acheter aussi une carte de dix repas",
            asked="always",
        )
    ]


@hookimpl
def price_adjustments(
    tx: Transaction, order: OrderDraft, phase: Phase, settings: Settings
) -> Sequence[Adjustment] | None:
    if phase is Phase.PREPAID and _buys(order):
        return [Adjustment(phase=phase, kind="sold", label=_label(order), amount=settings.price)]
    if phase is not Phase.VOUCHER or (code := _code(tx, order)) is None:
        return None
    return [
        Adjustment(
            phase=phase,
            kind="meals",
            label=f"{line.name}: {_label(order)}",
            amount=-half_up(Fraction(line.amount * meals, line.quantity)),
            line_id=line.id,
            code=code,
        )
        for line, meals in _covered(tx, order, code)
    ]


@hookimpl
def settle_adjustments(tx: Transaction, order: OrderDraft, after: Sequence[Adjustment]) -> None:
    """Takes the meals that the order uses, or returns them, and takes back the card of an order that was cancelled."""
    code = next((each.code for each in after if each.code), "")
    meals = sum(meals for _, meals in _covered(tx, order, code)) if code else 0
    used = tx.first(delete(meal_card_use).where(meal_card_use.c.order_id == order.id).returning(*meal_card_use.c))
    card = meal_card_card
    if used is not None:
        tx.execute(update(card).where(card.c.code == used["code"]).values(left=card.c.left + used["meals"]))
    if meals:
        enough = update(card).where(card.c.code == code, card.c.left >= meals)
        if tx.execute(enough.values(left=card.c.left - meals)).rowcount != 1:
            raise Conflict("meal_card_used_up", "The meal card {name} is used up.", name=code)
        tx.execute(insert(meal_card_use).values(order_id=order.id, code=code, meals=meals))
    if not any(each.kind == "sold" for each in after):
        _take_back(tx, order.id)


@hookimpl
def order_paid(instance: Instance, event: Event, order: Order) -> None:
    """Makes the card once it is paid. The event may come twice: the order is the card's key, so there is one card."""
    if not any(each.plugin == "meal_card" and each.kind == "sold" for each in order.adjustments):
        return
    code = secrets.token_hex(8).upper()
    row = {"order_id": order.id, "enterprise_id": order.enterprise_id, "code": code, "left": MEALS}
    with instance.store.write() as tx:
        if insert_once(tx, meal_card_card, row):
            mail_customer(tx, order, "meal_card_ready", {"code": code, "meals": MEALS}, key="card")


@hookimpl
def mail_kinds() -> Mapping[str, str]:
    return {"meal_card_ready": "meal card is ready"}


def _buys(order: OrderDraft) -> bool:
    return bool(order.plugin_fields.get("meal_card", {}).get("buy"))


def _label(order: OrderDraft) -> str:
    return translate(order.language, "Meal card")


@hookimpl
def takes_codes(tx: Transaction, enterprise_id: str) -> bool:
    """Tells whether anybody has a card of this shop."""
    mine = select(meal_card_card.c.code).where(meal_card_card.c.enterprise_id == enterprise_id)
    return tx.first(mine.limit(1)) is not None


def _code(tx: Transaction, order: OrderDraft) -> str | None:
    """The code of the first card that the order names and that has meals left, or of which it has some already."""
    if not order.codes:
        return None
    card = meal_card_card.c
    named = select(meal_card_card).where(card.code.in_(order.codes), card.enterprise_id == order.enterprise_id)
    for row in tx.all(named):
        if row["left"] or row["code"] in order.codes_before:
            return str(row["code"])
        text = "The meal card {name} is used up."
        raise Invalid([Problem("meal_card_used_up", text, "/codes", {"name": row["code"]})])
    return None


def _covered(tx: Transaction, order: OrderDraft, code: str) -> list[tuple[PricedLine, int]]:
    """The lines that the card pays, each with the number of meals, as far as it reaches."""
    left = tx.value(select(meal_card_card.c.left).where(meal_card_card.c.code == code))
    own = meal_card_use.c
    left += tx.value(select(own.meals).where(own.order_id == order.id, own.code == code)) or 0
    fields = product_values(tx, "meal_card", [line.product_id for line in order.lines])
    covered = []
    for line in order.lines:
        meals = min(left, line.quantity) if fields.get(line.product_id, {}).get("meal") else 0
        if meals:
            covered.append((line, meals))
            left -= meals
    return covered


def _take_back(tx: Transaction, order_id: str) -> None:
    card = meal_card_card.c
    if tx.first(select(card.code).where(card.order_id == order_id)) is None:
        return
    if tx.execute(delete(meal_card_card).where(card.order_id == order_id, card.left == MEALS)).rowcount != 1:
        raise Conflict("meal_card_in_use", "The meal card of this order has paid meals already.")
