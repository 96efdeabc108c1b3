"""Fields that only members of an enterprise who deal with its money may read, and answers without them.

    @dataclass(frozen=True, kw_only=True)
    class Parcel:
        customer: str
        order_total: Amount

The API sends such a field as null to others (`trade/enterprises/access.py` decides who they are).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, TypeVar, get_args, get_origin, get_type_hints

import msgspec

NULLABLE = "x-nullable"  # in a JSON schema of msgspec, which lets nothing replace its own `type`
_HIDDEN = {"hidden without rights to money": True}
_WHEN = "Null for members of the enterprise who neither read payments nor take money."
_MARK = msgspec.Meta(description=_WHEN, extra=_HIDDEN, extra_json_schema={NULLABLE: True})

Amount = Annotated[int, _MARK]  # minor units of a currency
Margin = Annotated[Decimal, _MARK]  # percent; with the selling price it tells a purchase price
VoucherCode = Annotated[str, _MARK]  # whoever knows it may spend what is left of the voucher
VoucherCodes = Annotated[tuple[str, ...], _MARK]
_T = TypeVar("_T")
WithMoney = Annotated[_T, _MARK]  # of anything else: what tells who pays for a customer tells that they are in need


def without_amounts(value: object) -> object:
    """The value as mappings, lists and what they hold, for JSON; each field of the types above is None."""
    if is_dataclass(value) or isinstance(value, msgspec.Struct):
        shape: object = type(value)
        hidden = hidden_fields(shape)
        return {name: None if name in hidden else without_amounts(getattr(value, name)) for name in _hints(shape)}
    if isinstance(value, Mapping):
        return {key: without_amounts(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_amounts(entry) for entry in value]
    return value


@cache
def holds_amounts(shape: object) -> bool:
    """Whether values of this type, or what they hold, have fields that are hidden from some."""
    return _holds_amounts(shape, set())


@cache
def hidden_fields(shape: type) -> frozenset[str]:
    """The names of the fields of a class that are hidden from some."""
    return frozenset(name for name, hint in _hints(shape).items() if _is_hidden(hint))


def _holds_amounts(shape: object, seen: set[object]) -> bool:
    if get_origin(shape) is not None:
        return any(_holds_amounts(part, seen) for part in (get_origin(shape), *get_args(shape)))
    if shape in seen or not isinstance(shape, type) or not (is_dataclass(shape) or issubclass(shape, msgspec.Struct)):
        return False
    seen.add(shape)
    return bool(hidden_fields(shape)) or any(_holds_amounts(hint, seen) for hint in _hints(shape).values())


def _is_hidden(hint: object) -> bool:
    """Whether the type is one of those above, or a choice between it and another: ``Amount | None``."""
    marks = getattr(hint, "__metadata__", ())
    is_marked = any(isinstance(mark, msgspec.Meta) and mark.extra == _HIDDEN for mark in marks)
    return is_marked or any(_is_hidden(part) for part in get_args(hint))


@cache
def _hints(shape: type) -> dict[str, object]:
    if issubclass(shape, msgspec.Struct):
        names = shape.__struct_fields__
    else:
        assert is_dataclass(shape)
        names = tuple(field.name for field in fields(shape))
    hints = get_type_hints(shape, include_extras=True)
    return {name: hints[name] for name in names}
