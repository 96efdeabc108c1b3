"""What messages say: each function gives the `data` of its events. Fields are added, and never change their meaning.

Amounts are minor units of `currency` (ISO 4217), quantities and rates decimals as strings, moments UTC (RFC 3339).
Secrets are not in it, nor codes of vouchers, which are money.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from commensal import Event, Order, Payment, SaleSession, StockLot

_ORDER = (
    "id", "number", "session_id", "state", "payment_state", "fulfilment_state", "currency", "prices_include_vat",
    "products_total", "deposits_total", "adjustments_total", "vat_total", "total", "paid_total", "shipping",
    "shipping_label", "payment_method", "placed_at", "changed_at", "cancelled_at", "fulfilled_at", "version",
)  # fmt: skip
_LINE = (
    "id", "item_id", "product_id", "supplier_id", "name", "unit_quantity", "unit", "price", "deposit", "vat_rate",
    "quantity", "final_quantity", "amount", "substitutes_id",
)  # fmt: skip
_ADJUSTMENT = ("phase", "kind", "label", "amount", "vat_rate", "line_id", "payer", "payee", "plugin")
_PAYMENT = ("id", "order_id", "kind", "method", "amount", "currency", "state", "reference", "created_at", "changed_at")
_SALE = ("id", "coordination_id", "name", "opens_at", "closes_at", "begins_at", "ends_at", "note")
_LOT = ("id", "name", "unit", "unlimited", "on_hand", "free", "reserved", "sold")


def order_data(order: Order, personal: bool) -> dict[str, Any]:
    """The order with its lines and adjustments; with `personal`, also who has ordered, and where it is brought."""
    said = {
        **_some(order, _ORDER),
        "lines": [_some(one, _LINE) for one in order.lines],
        "adjustments": [_some(one, _ADJUSTMENT) for one in order.adjustments],
        "vat": [_some(one, ("rate", "net", "vat")) for one in order.vat],
    }
    if personal:
        who = _some(order, ("customer_id", "name", "email", "phone", "language", "note"))
        said["customer"] = {**who, "address": asdict(order.address) if order.address else None}
    return {"order": said}


def payment_data(payment: Payment, personal: bool) -> dict[str, Any]:
    """The payment, or the refund; amounts of both are positive."""
    return {"payment": _some(payment, _PAYMENT)}


def sale_data(sale: SaleSession, personal: bool) -> dict[str, Any]:
    """The shop's part of a sale."""
    return {"sale": _some(sale, _SALE)}


def lot_data(lot: StockLot, personal: bool) -> dict[str, Any]:
    """A stock lot with what is there; quantities in its `unit`, a DFC measure."""
    return {"lot": _some(lot, _LOT)}


def body_of(event: Event, data: dict[str, Any]) -> str:
    """The message: what is signed and sent, byte for byte."""
    said = {"id": event.id, "kind": event.kind, "at": event.at, "enterprise": event.enterprise_id, "data": data}
    return msgspec.json.encode(said).decode()


def _some(thing: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}
