"""Samples of messages, for programmers of receivers before the first message: made like real ones, of other values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from commensal import Customer, Event, Notice, Order, Payment, SaleSession, StockLot, SuppliedProduct

from .data import Data, body_of, customer_data, lot_data, notice_data, order_data, payment_data, product_data, sale_data
from .hooks import KINDS, NOTICE

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
