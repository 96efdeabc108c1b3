"""Members of an object that are not DFC's: declared once by the body of the message, read strictly, written.

A field whose annotation says what it means is a member: ``moved_to: Annotated[str, "its address at the new home"]`` is
`movedTo`, and the page of messages has the meaning. It is read by the type of the field; a `Term` gives it another
name or reader, a `Meta` other limits of a text than 1 to 500 characters. A field with a default may be missing, and is
left out where it has that value, except for an amount.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from types import UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from msgspec import Meta

from ..dfc.vocabulary import Thing
from ..signing import JsonObject, Unreadable
from ..signing.profile import read_moment, write_moment
from .types import MessageType, Reading, Writing

_LARGEST = Decimal(10) ** 12
_FINEST = 6  # decimals
_LONGEST = 500  # characters of a text
Reader = Callable[[JsonObject, str], Any]


@dataclass(frozen=True)
class Term:
    """How a member differs from what its field says: its name; how it is read from the object by its name; and `of`
    which thing of a DFC document it is, where the codec of the body writes several."""

    name: str = ""
    read: Reader | None = None
    of: str = ""


def declared(body: type, *, name: str = "", **travels: Any) -> MessageType:
    """The type of message of this body, called like it, whose object is plain JSON: its type and its members.

    `travels` are further attributes of `MessageType`, such as its lane and its scope.
    """
    name = name or body.__name__

    def write(value: object, writing: Writing) -> dict[str, object]:
        return {"type": name, **written(value)}

    def read(document: JsonObject, reading: Reading) -> object:
        return body(**read_members(document, body))

    return declared_codec(body, write, read, name=name, **travels)


def declared_codec(
    body: type,
    write: Callable[[Any, Writing], dict[str, Any]],
    read: Callable[[JsonObject, Reading], Any],
    name: str = "",
    **travels: Any,
) -> MessageType:
    """The same with a codec of its own."""
    return MessageType(
        **{"name": name or body.__name__, "scope": None, "members": meanings_of(body), **travels},
        body=body,
        write=write,
        read=read,
    )


def meanings_of(*bodies: type, last: Collection[str] = ()) -> dict[str, str]:
    """What the members of these bodies mean, by their names; `last` are explained at the end."""
    members = [member for body in bodies for member in _members_of(body) if member.meaning]
    return {member.name: member.meaning for member in sorted(members, key=lambda member: member.name in last)}


def written(body: object, of: str = "") -> dict[str, object]:
    """The members of a body, as JSON."""
    shape: type = type(body)
    values = ((member, getattr(body, member.field)) for member in _members_of(shape) if member.of == of)
    return {member.name: _plain(value) for member, value in values if member.says(value)}


def read_members(document: JsonObject, body: type) -> dict[str, Any]:
    """The fields of a body that are members, by their names. Raises `Unreadable`."""
    return {
        member.field: member.read(document, member.name)
        for member in _members_of(body)
        if member.default is MISSING or member.name in document
    }


def own_terms(body: object, of: str = "") -> dict[str, tuple[object, ...]]:
    """The members of a body as texts of our own vocabulary, for a thing of a DFC document."""
    return {f"own:{name}": ({"@value": _as_term(value)},) for name, value in written(body, of).items()}


def read_own(thing: Thing, body: type, of: str = "") -> dict[str, Any]:
    """Like `read_members`, from what `own_terms` has written. Raises `Unreadable`."""
    values = {}
    for member in _members_of(body):
        if member.of != of:
            continue
        name = f"own:{member.name}"
        if member.default is MISSING or thing.extra.get(name):
            value = next((node.get("@value") for node in thing.extra.get(name, ())), None)
            values[member.field] = member.read({name: _from_term(value, member.kind)}, name)
    return values


@dataclass(frozen=True)
class _Declared:
    field: str
    name: str
    meaning: str
    kind: object
    read: Reader
    default: object
    of: str

    def says(self, value: object) -> bool:
        return isinstance(value, Decimal) or self.default is MISSING or value != self.default


@cache
def _members_of(body: type) -> tuple[_Declared, ...]:
    defaults = {field.name: field.default for field in fields(body)}
    hints = get_type_hints(body, include_extras=True).items()
    return tuple(member for name, hint in hints for member in _member(name, hint, defaults[name]))


def _member(field: str, hint: object, default: object) -> Iterator[_Declared]:
    """Yields none for a field without annotations, which the codec of its body reads and writes."""
    if get_origin(hint) is not Annotated:
        return
    kind, *notes = get_args(hint)
    meaning = next((note for note in notes if isinstance(note, str)), "")
    if isinstance(kind, UnionType):
        (kind,) = (part for part in get_args(kind) if part is not type(None))
    differs = next((note for note in notes if isinstance(note, Term)), Term())
    limits = next((note for note in notes if isinstance(note, Meta)), None)
    read = differs.read or (_text_within(limits) if limits is not None else _READERS.get(kind, text))
    yield _Declared(field, differs.name or _camel(field), meaning, kind, read, default, differs.of)


def _text_within(limits: Meta) -> Reader:
    least, most = 1 if limits.min_length is None else limits.min_length, limits.max_length or _LONGEST
    return lambda document, name: text(document, name, most, least=least)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _plain(value: object) -> object:
    match value:
        case datetime():
            return write_moment(value)
        case Decimal():
            return as_text(value)
        case tuple():
            return [written(part) if is_dataclass(part) else part for part in value]
        case Mapping():
            return dict(value)
        case _:
            return value


def _as_term(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _from_term(value: object, kind: object) -> object:
    """The JSON of a term of our own, all of which are texts."""
    if isinstance(value, str) and kind is int:
        return int(value) if value.isascii() and value.isdecimal() and len(value) <= 15 else None
    return {"true": True, "false": False}.get(str(value)) if kind is bool else value


def text(document: JsonObject, name: str, most: int = _LONGEST, *, least: int = 1) -> str:
    """The text of this member. Raises `Unreadable` if it is missing, or not a text of `least` to `most` characters."""
    value = document.get(name)
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise Unreadable(name, f"{name} must be a text of {least} to {most} characters")
    return value


def texts(document: JsonObject, name: str, most: int = 50) -> tuple[str, ...]:
    """The list of at most `most` texts. Raises `Unreadable`."""
    value = document.get(name)
    if not isinstance(value, list) or len(value) > most or not all(isinstance(item, str) for item in value):
        raise Unreadable(name, f"{name} must be a list of at most {most} texts")
    return tuple(value)


def ids(document: JsonObject, name: str, most: int = 10_000) -> Mapping[str, str]:
    """Ids by ids; empty if the member is missing. Raises `Unreadable`."""
    value = document.get(name, {})
    if not isinstance(value, dict) or len(value) > most or not all(map(_is_id, (*value, *value.values()))):
        raise Unreadable(name, f"{name} must have at most {most} ids, by ids")
    return value


def id_list(document: JsonObject, name: str, most: int = 10_000) -> tuple[str, ...]:
    """A list of ids, empty where the member is missing. Raises `Unreadable`."""
    value = document.get(name, [])
    if not isinstance(value, list) or len(value) > most or not all(map(_is_id, value)):
        raise Unreadable(name, f"{name} must be a list of at most {most} ids")
    return tuple(value)


def moment(document: JsonObject, name: str) -> datetime:
    """A moment in UTC. Raises `Unreadable`."""
    try:
        return read_moment(document.get(name))
    except ValueError:
        raise Unreadable(name, f"{name} must be a moment like 2026-06-04T10:00:00Z") from None


def flag(document: JsonObject, name: str) -> bool:
    """True or false. Raises `Unreadable`."""
    value = document.get(name)
    if not isinstance(value, bool):
        raise Unreadable(name, f"{name} must be true or false")
    return value


def own_text(thing: Thing, name: str, most: int = 500) -> str:
    """A text of our own vocabulary in a DFC document. Raises `Unreadable`."""
    value = next((node.get("@value") for node in thing.extra.get(name, ())), None)
    return text({name: value}, name, most)


def own_text_or_none(thing: Thing, name: str, most: int = 500) -> str | None:
    """Like `own_text`; None if it is missing."""
    return own_text(thing, name, most) if thing.extra.get(name) else None


def own_number(thing: Thing, name: str) -> int:
    """A whole number of our own vocabulary, written as a text. Raises `Unreadable`."""
    value = own_text(thing, name, 15)
    return number({name: int(value) if value.isascii() and value.isdecimal() else None}, name)


def own_number_or_none(thing: Thing, name: str) -> int | None:
    """Like `own_number`; None if it is missing."""
    return own_number(thing, name) if thing.extra.get(name) else None


def number(document: JsonObject, name: str) -> int:
    """A whole number from 0 on. Raises `Unreadable`."""
    value = document.get(name)
    if type(value) is not int or value < 0:
        raise Unreadable(name, f"{name} must be a whole number")
    return value


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100


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


def as_text(value: Decimal) -> str:
    """Without an exponent, and without needless zeros."""
    whole = value == value.to_integral()
    return f"{value.quantize(Decimal(1)):f}" if whole else f"{value.normalize():f}"


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


_READERS: Mapping[object, Reader] = {
    str: text,
    int: number,
    bool: flag,
    datetime: moment,
    Decimal: amount,
    tuple[str, ...]: texts,
}
