"""From a body to its JSON object and back: members are called like the fields, in camel case; None is left out.

Decimals and moments are texts, since the JSON of messages has whole numbers only. Members that are not known are
ignored, so that a later version may add some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_type_hints

from msgspec import ValidationError

from commensal import convert
from commensal_federation.messaging import Reading, Unreadable, Writing, write_moment

Body = TypeVar("Body")


def writer(type_name: str) -> Callable[[object, Writing], dict[str, object]]:
    return lambda body, writing: {"type": type_name, **_written(body)}


def reader(shape: type[Body]) -> Callable[[Mapping[str, object], Reading], Body]:
    """Reads an object as a body of this class. It raises `Unreadable`, which says what is wrong at which member."""

    def read(document: Mapping[str, object], reading: Reading) -> Body:
        try:
            body: Body = convert(_renamed(shape, document), shape)
        except ValidationError as error:
            raise Unreadable("object", str(error)) from None
        return body

    return read


def read_answer(document: object, shape: type[Body]) -> Body | None:
    """What a home has answered to a request for a document; None if it gives none, or something else."""
    try:
        return convert(document, shape) if document is not None else None
    except ValidationError:
        return None


def _written(value: object) -> Any:
    if is_dataclass(value):
        members = {_camel(field.name): getattr(value, field.name) for field in fields(value)}
        return {name: _written(member) for name, member in members.items() if member is not None}
    if isinstance(value, datetime):
        return write_moment(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    if isinstance(value, dict):
        return {name: _written(item) for name, item in value.items()}
    return value


def _renamed(shape: object, value: object) -> object:
    """The members of an object by the names of the fields, in it and in the bodies within it."""
    if not isinstance(value, Mapping):
        return value
    members = {}
    for name, part in _parts(shape).items():
        member = value.get(_camel(name))
        if member is None:
            continue
        if part is not None:
            member = [_renamed(part, item) for item in member] if isinstance(member, list) else _renamed(part, member)
        members[name] = member
    return members


@lru_cache
def _parts(shape: object) -> Mapping[str, type[object] | None]:
    """The fields of a body, and of which body those are that hold bodies."""
    return {name: _body_in(hint) for name, hint in get_type_hints(shape).items()}


def _body_in(hint: object) -> type[object] | None:
    if isinstance(hint, type) and is_dataclass(hint):
        return hint
    return next((body for part in get_args(hint) if (body := _body_in(part)) is not None), None)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
