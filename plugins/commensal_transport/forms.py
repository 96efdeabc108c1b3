"""What people type on the pages of transport: whole numbers, moments, amounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from commensal import Invalid, Problem, read_decimal
from commensal.pages import amount_field, moment_field, whole_field

from .trips.needs import SaleKey


def whole(form: Mapping[str, str], name: str, default: int | None = None) -> int:
    """A whole number of at most six digits; of an empty field the default. Raises `Invalid`."""
    number = whole_field(form, name, digits=6)
    number = default if number is None else number
    if number is None:
        raise Invalid([Problem("not_a_number", "Give a whole number.", f"/{name}")])
    return number


def optional_whole(form: Mapping[str, str], name: str) -> int | None:
    """The same; None for an empty field."""
    return whole_field(form, name, digits=6)


def cents(form: Mapping[str, str], name: str) -> int:
    """An amount in euros, as cents; of an empty field 0. Raises `Invalid`."""
    return amount_field(form, name, "EUR") if form.get(name, "").strip() else 0


def optional_cents(form: Mapping[str, str], name: str) -> int | None:
    """The same; None for an empty field."""
    return cents(form, name) if form.get(name, "").strip() else None


def celsius(form: Mapping[str, str], name: str) -> Decimal | None:
    """A temperature with at most one decimal; None for an empty field. Raises `Invalid`."""
    text = form.get(name, "").strip().replace(",", ".").replace("−", "-")
    if not text:
        return None
    try:
        value = read_decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) > 100 or value != round(value, 1):
        raise Invalid([Problem("celsius", "Give a temperature in °C, like 3.5.", f"/{name}")])
    return round(value, 1)


def moment(form: Mapping[str, str], name: str, timezone: str) -> datetime | None:
    """A day and a time on the clock of the enterprise; None for an empty field. Raises `Invalid`."""
    return moment_field(form, name, ZoneInfo(timezone)) if form.get(name, "").strip() else None


def typed_moment(at: datetime, timezone: str) -> str:
    """A moment as the field of a form holds it."""
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%dT%H:%M}"


def as_key(text: str) -> SaleKey:
    """The sale that a form names, as `key_text` wrote it. What is none names no need, and is not found."""
    origin, _, sale_id = text.partition(":")
    return SaleKey(origin, sale_id)


def key_text(key: SaleKey) -> str:
    return f"{key.origin}:{key.sale_id}"
