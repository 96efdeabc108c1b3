"""The content of messages: each function returns the `data` of its events. Fields may be added, but keep their meaning.

Amounts are minor units of `currency` (ISO 4217), quantities and rates decimals as strings, moments UTC (RFC 3339).
Secrets are left out, and so are voucher codes, which are money.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from commensal import Customer, Event, Notice, Order, Payment, SaleSession, StockLot, SuppliedProduct

from .hooks import KINDS, NOTICE

Data = Callable[[Any, bool], dict[str, Any]]  # the content of messages about a subject; whether it is personal

_ORDER = (
    "id",
    "number",
    "session_id",
    "state",
    "payment_state",
    "fulfilment_state",
    "currency",
    "prices_include_vat",
    "products_total",
    "deposits_total",
    "adjustments_total",
    "vat_total",
    "total",
    "paid_total",
    "shipping",
    "shipping_label",
    "payment_method",
    "placed_at",
    "changed_at",
    "cancelled_at",
    "fulfilled_at",
    "version",
)
_LINE = (
    "id",
    "item_id",
    "product_id",
    "supplier_id",
    "name",
    "unit_quantity",
    "unit",
    "price",
    "deposit",
    "vat_rate",
    "quantity",
    "final_quantity",
    "amount",
    "substitutes_id",
)
_ADJUSTMENT = ("phase", "kind", "label", "amount", "vat_rate", "line_id", "payer", "payee", "plugin")
_PAYMENT = ("id", "order_id", "kind", "method", "amount", "currency", "state", "reference", "created_at", "changed_at")
_SALE = ("id", "coordination_id", "name", "opens_at", "closes_at", "begins_at", "ends_at", "note")
_PRODUCT = tuple(column.name for column in fields(SuppliedProduct))  # all, so that a new one is sent too
_LOT = ("id", "name", "unit", "unlimited", "on_hand", "free", "reserved", "sold", "low_level")


def order_data(order: Order, personal: bool) -> dict[str, object]:
    """The order with its lines and adjustments; with `personal` also the customer and the delivery address."""
    values = {
        **_fields_of(order, _ORDER),
        "lines": [_fields_of(line, _LINE) for line in order.lines],
        "adjustments": [_fields_of(adjustment, _ADJUSTMENT) for adjustment in order.adjustments],
        "vat": [_fields_of(share, ("rate", "net", "vat")) for share in order.vat],
    }
    if personal:
        texts = ("customer_id", "name", "email", "phone", "language", "note", "collector", "plugin_fields")
        values["customer"] = {**_fields_of(order, texts), "address": asdict(order.address) if order.address else None}
    return {"order": values}


def customer_data(customer: Customer, personal: bool) -> dict[str, object]:
    """The customer's record; `person_id` tells whether the address is proved. With `personal` also who they are."""
    values = _fields_of(customer, ("id", "person_id", "created_at", "version"))
    if personal:
        values |= _fields_of(customer, ("name", "email", "phone", "code", "note", "plugin_fields"))
    return {"customer": {**values, "categories": sorted(customer.categories)}}


def payment_data(payment: Payment, personal: bool) -> dict[str, object]:
    """The payment or refund; amounts of both are positive."""
    return {"payment": _fields_of(payment, _PAYMENT)}


def sale_data(sale: SaleSession, personal: bool) -> dict[str, object]:
    """The shop's part of a sale."""
    return {"sale": _fields_of(sale, _SALE)}


def product_data(product: SuppliedProduct, personal: bool) -> dict[str, object]:
    """A product in one size: `lot_quantity` is what a piece takes of its lot, and `quantity` its content in `unit`."""
    return {"product": _fields_of(product, _PRODUCT)}


def lot_data(lot: StockLot, personal: bool) -> dict[str, object]:
    """A stock lot with its levels; quantities in its `unit`, a DFC measure."""
    return {"lot": _fields_of(lot, _LOT)}


def notice_data(subject: tuple[Order, Notice], personal: bool) -> dict[str, object]:
    """A short message to a customer, to be passed on: its text has no secret but, of the kind "phone_code", what proves
    the telephone. `to` is who has agreed to get it; without a proven number `phone` is empty."""
    order, notice = subject
    values = _fields_of(notice, ("kind", "text", "link"))
    to = {"to": _fields_of(order, ("name", "phone", "email", "language"))} if personal else {}
    return {"notice": {**values, "order_id": order.id, **to}}


def body_of(event: Event, data: dict[str, object]) -> str:
    """The message as it is signed and sent, byte for byte."""
    message = {"id": event.id, "kind": event.kind, "at": event.at, "enterprise": event.enterprise_id, "data": data}
    return msgspec.json.encode(message).decode()


def _fields_of(value: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(value, name) for name in names}


# Samples of messages, for programmers of receivers before the first message: made like real ones, of other values.

_ID = "019a0000-0000-7000-8000-000000000001"
_AT = datetime(2026, 6, 4, 17, 0, tzinfo=UTC)
_SUBJECTS: Mapping[str, tuple[type, Data]] = {
    "order": (Order, order_data),
    "payment": (Payment, payment_data),
    "sale": (SaleSession, sale_data),
    "stock": (StockLot, lot_data),
    "sold": (StockLot, lot_data),
    "customer": (Customer, customer_data),
    "product": (SuppliedProduct, product_data),
    "notice": (Notice, notice_data),
}
# Values by the names of fields; other fields get one of their type.
_VALUES: Mapping[str, object] = {
    "currency": "EUR",
    "language": "fr",
    "name": "Carottes",
    "email": "ada@example.org",
    "phone": "+33 2 47 00 00 00",
    "unit": "Kilogram",
    "country": "FR",
    "kind": "payment",
    "method": "cash:cash",
    "payment_method": "cash:cash",
    "version": 1,
    "quantity": 2,
    "vat_rate": Decimal("5.5"),
    "rate": Decimal("5.5"),
    "note": "",
    "codes": (),
    "cancelled_at": None,
    "fulfilled_at": None,
    "substitutes_id": None,
    "line_id": None,
    "number": 12,
    "paid_total": 0,
    "deposit": 0,
    "deposits_total": 0,
    "adjustments_total": 0,
    "prices_include_vat": True,
    "plugin_fields": {},
    "state": "Held",
    "payment_state": "Unpaid",
    "fulfilment_state": "Unfulfilled",
}
_OF_TYPE: Mapping[object, object] = {str: "…", int: 1250, bool: False, Decimal: Decimal("1.5"), datetime: _AT}


def samples(*, personal: bool) -> dict[str, str]:
    """The message of each kind as indented JSON; `personal`: with who the customers are."""
    return {kind: _message(kind, personal) for kind in KINDS}


def _message(kind: str, personal: bool) -> str:
    subject, data = _SUBJECTS[kind.partition("_")[0]]
    subject_example = (example_of(Order), example_of(Notice)) if kind == NOTICE else example_of(subject)
    event = Event(id=_ID, kind=kind, at=_AT, enterprise_id=_ID)
    body = body_of(event, data(subject_example, personal))
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)


def example_of(shape: type) -> object:
    """An instance of the dataclass, each field with a value of its type."""
    hints = get_type_hints(shape)
    return shape(**{field.name: _value(field.name, hints[field.name]) for field in fields(shape) if field.init})


def _value(name: str, hint: Any) -> Any:
    if name in _VALUES:
        return _VALUES[name]
    if name == "id" or name.endswith("_id"):
        return _ID
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kinds = [argument for argument in arguments if argument is not type(None)]
        return _value(name, kinds[0])
    if origin is Literal:
        return arguments[0]
    if isinstance(hint, type) and is_dataclass(hint):
        return example_of(hint)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {}
    if isinstance(origin, type) and issubclass(origin, frozenset):
        return frozenset()
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return (_value(name, arguments[0]),)
    return _OF_TYPE[hint] if hint in _OF_TYPE else _enumerated(hint)


def _enumerated(enumeration: Iterable[object]) -> object:
    return next(iter(enumeration))
