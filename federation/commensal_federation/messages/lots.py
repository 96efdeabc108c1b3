"""Leases as DFC documents: the lot is a theoretical stock with a quantity, and the counts are terms of our own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from commensal import MEASURES

from ..signing import JsonObject, Unreadable
from .envelope import DFC_CONTEXT, ENVELOPE_CONTEXT
from .members import Term, amount, declared_codec, meanings_of, read_members, written
from .types import MessageType, Reading, Writing

CONTEXT = [DFC_CONTEXT, ENVELOPE_CONTEXT]
_QUANTITY = "dfc-b:hasQuantity"


def about_lot(body: type, **travels: Any) -> MessageType:
    """The type of message of this body about a `lot`, whose `unit` is a DFC measure. A `QUANTITY` is the member that
    the message is about; the others stand beside it. Raises `TypeError` for a body without one."""
    if _QUANTITY not in meanings_of(body):
        raise TypeError(f"{body.__name__} needs a member that is annotated as a QUANTITY")
    types = ["dfc-b:TheoriticalStock", body.__name__]

    def write(value: Any, writing: Writing) -> dict[str, object]:
        members = written(value)
        quantity = {
            "@type": "dfc-b:QuantitativeValue",
            "dfc-b:hasUnit": {"@id": f"dfc-m:{value.unit}"},
            "dfc-b:value": members[_QUANTITY],
        }
        return {**members, "@context": CONTEXT, "@id": value.lot, "@type": types, _QUANTITY: quantity}

    def read(document: JsonObject, reading: Reading) -> object:
        if document.get("@context") != CONTEXT or document.get("@type") != types:
            raise Unreadable("lease", f"this is not a {body.__name__}")
        lot, unit = _lot_and_unit(document)
        return body(lot=lot, unit=unit, **read_members(document, body))

    return declared_codec(body, write, read, **travels)


def _lot_and_unit(document: JsonObject) -> tuple[str, str]:
    quantity = document.get(_QUANTITY)
    unit = quantity.get("dfc-b:hasUnit") if isinstance(quantity, Mapping) else None
    name = unit.get("@id") if isinstance(unit, Mapping) else None
    lot = document.get("@id")
    if not isinstance(name, str) or not isinstance(lot, str) or len(lot) > 500:
        raise Unreadable("lease", "a lease names a lot, and a quantity with its unit")
    measure = name.removeprefix("dfc-m:")
    if measure not in MEASURES:
        raise Unreadable("unit", f"{measure[:40]} is not a unit of stock")
    return lot, measure


def _read_quantity(document: JsonObject, name: str) -> Decimal:
    quantity = document[name]
    assert isinstance(quantity, Mapping)
    return amount(quantity, "dfc-b:value")


QUANTITY = Term(_QUANTITY, _read_quantity)
