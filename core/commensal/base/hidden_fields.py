"""Fields that only some members of an enterprise may read, and answers without them: money, and customers' addresses.

    @dataclass(frozen=True, kw_only=True)
    class Parcel:
        customer: str
        email: EmailAddress
        order_total: Amount

The API sends such a field as null to others (`enterprises/access.py` decides who they are).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

Kind = Literal["money", "addresses"]

NULLABLE = "x-nullable"  # in a JSON schema of msgspec, which lets nothing replace its own `type`
_HIDDEN = "hidden without rights to"
_MONEY = msgspec.Meta(
    description="Null for members of the enterprise who neither read payments nor take money.",
    extra={_HIDDEN: "money"},
    extra_json_schema={NULLABLE: True},
)
_ADDRESSES = msgspec.Meta(
    description="Null for members of the enterprise who do not read its customers.",
    extra={_HIDDEN: "addresses"},
    extra_json_schema={NULLABLE: True},
)

Amount = Annotated[int, _MONEY]  # minor units of a currency
Margin = Annotated[Decimal, _MONEY]  # percent; with the selling price it tells a purchase price
VoucherCode = Annotated[str, _MONEY]  # whoever knows it may spend what is left of the voucher
VoucherCodes = Annotated[tuple[str, ...], _MONEY]
_T = TypeVar("_T")
WithMoney = Annotated[_T, _MONEY]  # of anything else: what tells who pays for a customer tells that they are in need
EmailAddress = Annotated[str, _ADDRESSES]  # of a customer; "" for none


def without(value: object, kinds: frozenset[Kind]) -> object:
    """The value as mappings, lists and what they hold, for JSON; each field of these kinds is None."""
    if is_dataclass(value) or isinstance(value, msgspec.Struct):
        shape: object = type(value)
        hidden = hidden_fields(shape, kinds)
        return {name: None if name in hidden else without(getattr(value, name), kinds) for name in _hints(shape)}
    if isinstance(value, Mapping):
        return {key: without(entry, kinds) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without(entry, kinds) for entry in value]
    return value


@cache
def hidden_kinds(shape: object) -> frozenset[Kind]:
    """Which kinds of fields values of this type, or what they hold, have."""
    return frozenset(_kinds_in(shape, set()))


@cache
def hidden_fields(shape: type, kinds: frozenset[Kind]) -> frozenset[str]:
    """The names of the fields of a class that are of these kinds."""
    return frozenset(name for name, hint in _hints(shape).items() if not kinds.isdisjoint(_kinds_of(hint)))


def _kinds_in(shape: object, seen: set[object]) -> Collection[Kind]:
    if get_origin(shape) is not None:
        return {kind for part in (get_origin(shape), *get_args(shape)) for kind in _kinds_in(part, seen)}
    if shape in seen or not isinstance(shape, type) or not (is_dataclass(shape) or issubclass(shape, msgspec.Struct)):
        return ()
    seen.add(shape)
    return {kind for hint in _hints(shape).values() for kind in (*_kinds_of(hint), *_kinds_in(hint, seen))}


def _kinds_of(hint: object) -> set[Kind]:
    """The kinds of a type above, or of a choice between it and another: ``Amount | None``."""
    marks = [mark.extra or {} for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, msgspec.Meta)]
    own: set[Kind] = {mark[_HIDDEN] for mark in marks if _HIDDEN in mark}
    return own.union(*map(_kinds_of, get_args(hint)))


@cache
def _hints(shape: type) -> dict[str, object]:
    if issubclass(shape, msgspec.Struct):
        names = shape.__struct_fields__
    else:
        assert is_dataclass(shape)
        names = tuple(field.name for field in fields(shape))
    hints = get_type_hints(shape, include_extras=True)
    return {name: hints[name] for name in names}
