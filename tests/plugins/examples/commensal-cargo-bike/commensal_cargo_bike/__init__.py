"""Cargo bike: orders are brought to the door, in zones that each have a price, on rides that each have room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from commensal import (
    Address,
    Adjustment,
    Conflict,
    Invalid,
    Order,
    OrderDraft,
    Phase,
    Problem,
    ShippingOption,
    Transaction,
    Whole,
    format_hour,
    hookimpl,
    insert_once,
    metadata,
    sale_by_id,
    translate,
)
from sqlalchemy import Column, ForeignKey, Table, Text, delete, insert, select, update

cargo_bike_ride = Table(
    "cargo_bike_ride",
    metadata,
    Column("session_id", Text, ForeignKey("sale_session.id"), primary_key=True),
    Column("option", Text, primary_key=True),
    Column("orders", Whole, nullable=False),
    sqlite_strict=True,
)
cargo_bike_place = Table(
    "cargo_bike_place",
    metadata,
    Column("order_id", Text, primary_key=True),  # no foreign key: a place is booked before the order is written
    Column("session_id", Text, nullable=False),
    Column("option", Text, nullable=False),
    sqlite_strict=True,
)


@dataclass(frozen=True)
class Settings:
    zones: Mapping[str, int] = field(default_factory=dict)
    """The price in each zone, in minor units, by the beginning of its postcodes; of two that fit, the longer counts."""
    hours: tuple[int, ...] = (17, 19)
    """The hours at which the bike leaves on the day of the distribution. A ride takes two hours."""
    room: int = 8
    """How many orders fit on a ride."""
    vat_rate: Decimal = Decimal(20)
    """Percent of the price."""

    def __post_init__(self) -> None:
        if not all(0 <= hour <= 22 for hour in self.hours):
            raise ValueError("hours: each between 0 and 22")
        if self.room < 1:
            raise ValueError("room: at least 1")


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def shipping_options(
    tx: Transaction, session_id: str, language: str, address: Address | None, settings: Settings
) -> Sequence[ShippingOption]:
    if address is not None and _price(address, settings) is None:
        return []
    own = cargo_bike_ride.c
    booked = {
        row["option"]: row["orders"]
        for row in tx.all(select(own.option, own.orders).where(own.session_id == session_id))
    }
    return [_ride(tx, session_id, hour, booked, language, address, settings) for hour in settings.hours]


@hookimpl
def book_shipping(tx: Transaction, order: OrderDraft, option: str, language: str, settings: Settings) -> ShippingOption:
    if _price(order.address, settings) is None:
        raise Invalid([_too_far()])
    hour = next((hour for hour in settings.hours if _option(hour) == option), None)
    if hour is None:
        raise Invalid([Problem("no_option", "There is no such way to receive the order.", "/shipping")])
    insert_once(tx, cargo_bike_ride, {"session_id": order.session_id, "option": option, "orders": 0})
    own = cargo_bike_ride.c
    # The condition stands in the UPDATE, so of two customers who want the last place at once only one gets it.
    ride = update(cargo_bike_ride).where(own.session_id == order.session_id, own.option == option)
    if tx.execute(ride.where(own.orders < settings.room).values(orders=own.orders + 1)).rowcount != 1:
        raise Conflict("ride_full", "This ride of the bike is full.")
    tx.execute(insert(cargo_bike_place).values(order_id=order.id, session_id=order.session_id, option=option))
    return _ride(tx, order.session_id, hour, {}, language, order.address, settings)


@hookimpl
def release_shipping(tx: Transaction, order_id: str) -> bool:
    own = cargo_bike_place.c
    place = tx.first(delete(cargo_bike_place).where(own.order_id == order_id).returning(own.session_id, own.option))
    if place is None:
        return False
    ride = cargo_bike_ride.c
    freed = update(cargo_bike_ride).where(ride.session_id == place["session_id"], ride.option == place["option"])
    tx.execute(freed.values(orders=ride.orders - 1))
    return True


@hookimpl
def order_changing(order: OrderDraft, before: Order | None, settings: Settings) -> Sequence[Problem] | None:
    """Another address may lie in another zone, and must lie in one; the hub cannot send the bike elsewhere either."""
    if not _by_bike(order) or before is None or before.address == order.address:
        return None
    return [_too_far()] if _price(order.address, settings) is None else None


@hookimpl
def price_adjustments(order: OrderDraft, phase: Phase, settings: Settings) -> Sequence[Adjustment] | None:
    price = _price(order.address, settings)
    if phase is not Phase.FEE or not _by_bike(order) or not price:
        return None
    label = translate(order.language, "Cargo bike")
    return [Adjustment(phase=phase, kind="shipping", label=label, amount=price, vat_rate=settings.vat_rate)]


def _by_bike(order: OrderDraft) -> bool:
    return order.shipping.startswith("cargo_bike:")


def _price(address: Address | None, settings: Settings) -> int | None:
    """The price of the zone of this address; None if it lies in no zone."""
    if address is None:
        return None
    fitting = [zone for zone in settings.zones if address.postcode.startswith(zone)]
    return settings.zones[max(fitting, key=len)] if fitting else None


def _too_far() -> Problem:
    return Problem("too_far", "The bike does not come to this address.", "/address/postcode")


def _option(hour: int) -> str:
    return f"at-{hour}"


def _ride(
    tx: Transaction,
    session_id: str,
    hour: int,
    booked: Mapping[str, int],
    language: str,
    address: Address | None,
    settings: Settings,
) -> ShippingOption:
    sale = sale_by_id(tx, session_id)
    day = sale.session.begins_at.astimezone(ZoneInfo(sale.shop.timezone))
    begins_at = day.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(ZoneInfo("UTC"))
    at = format_hour(begins_at, sale.shop.timezone, language)
    return ShippingOption(
        id=_option(hour),
        label=translate(language, "Cargo bike at {hour}").format(hour=at),  # each option needs a label of its own
        begins_at=begins_at,
        ends_at=begins_at + timedelta(hours=2),
        price=_price(address, settings) or min(settings.zones.values(), default=0),
        vat_rate=settings.vat_rate,
        left=max(0, settings.room - booked.get(_option(hour), 0)),
        needs_address=True,
    )
