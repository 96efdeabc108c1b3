"""Leases as DFC documents: the lot is a theoretical stock with a quantity, and the counts are terms of our own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from commensal import MEASURES

from ..signing import JsonObject, Unreadable
from .envelope import DFC_CONTEXT, ENVELOPE_CONTEXT
from .reading import flag

CONTEXT = [DFC_CONTEXT, ENVELOPE_CONTEXT]
_LARGEST = Decimal(10) ** 12
_FINEST = 6  # decimals


def write_lot(kind: str, lot: str, unit: str, quantity: Decimal, **more: object) -> dict[str, object]:
    """A document about a lot: `quantity` of it, in `unit`, a DFC measure, is what the message is about."""
    members = {name: as_text(value) if isinstance(value, Decimal) else value for name, value in more.items()}
    return {
        "@context": CONTEXT,
        "@id": lot,
        "@type": ["dfc-b:TheoriticalStock", kind],
        "dfc-b:hasQuantity": {
            "@type": "dfc-b:QuantitativeValue",
            "dfc-b:hasUnit": {"@id": f"dfc-m:{unit}"},
            "dfc-b:value": as_text(quantity),
        },
        **members,
    }


def read_lot(kind: str, document: JsonObject) -> tuple[str, str, Decimal]:
    """The lot, the unit and the quantity. Raises `Unreadable`."""
    if document.get("@context") != CONTEXT or document.get("@type") != ["dfc-b:TheoriticalStock", kind]:
        raise Unreadable("lease", f"this is not a {kind}")
    quantity = document.get("dfc-b:hasQuantity")
    unit = quantity.get("dfc-b:hasUnit") if isinstance(quantity, Mapping) else None
    name = unit.get("@id") if isinstance(unit, Mapping) else None
    lot = document.get("@id")
    if not isinstance(quantity, Mapping) or not isinstance(name, str) or not isinstance(lot, str) or len(lot) > 500:
        raise Unreadable("lease", "a lease names a lot, and a quantity with its unit")
    measure = name.removeprefix("dfc-m:")
    if measure not in MEASURES:
        raise Unreadable("unit", f"{measure[:40]} is not a unit of stock")
    return lot, measure, amount(quantity, "dfc-b:value")


def amount(document: JsonObject, name: str) -> Decimal:
    """A quantity from 0 on, written as a text. Raises `Unreadable`."""
    value = document.get(name)
    try:
        read = Decimal(value) if isinstance(value, str) and len(value) <= 40 else None
    except InvalidOperation:
        read = None
    if read is None or not read.is_finite() or not 0 <= read <= _LARGEST or _decimals(read) > _FINEST:
        raise Unreadable(name, f"{name} must be a quantity, as text: a number from 0 on with at most six decimals")
    return read


def amount_or_none(document: JsonObject, name: str) -> Decimal:
    """The same, and nothing where the member is missing, as from an older version."""
    return amount(document, name) if name in document else Decimal(0)


def barred_or_not(document: JsonObject) -> bool:
    """Whether the goods are behind the barrier of a restore; no where the member is missing. Raises `Unreadable`."""
    return "barred" in document and flag(document, "barred")


def as_text(value: Decimal) -> str:
    """Without an exponent, and without needless zeros."""
    whole = value == value.to_integral()
    return f"{value.quantize(Decimal(1)):f}" if whole else f"{value.normalize():f}"


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
