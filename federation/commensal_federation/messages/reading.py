"""Members of an object that are not DFC's, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..dfc.vocabulary import Thing
from ..signing import JsonObject, Unreadable
from ..signing.profile import read_moment


def text(document: JsonObject, name: str, most: int = 500, *, least: int = 1) -> str:
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


def own_moment_or_none(thing: Thing, name: str) -> datetime | None:
    """A moment in UTC of our own vocabulary, where there is one. Raises `Unreadable`."""
    value = own_text_or_none(thing, name, 40)
    return None if value is None else moment({name: value}, name)


def own_number(thing: Thing, name: str) -> int:
    """A whole number of our own vocabulary, written as a text. Raises `Unreadable`."""
    value = own_text(thing, name, 15)
    return number({name: int(value) if value.isascii() and value.isdecimal() else None}, name)


def own_number_or_none(thing: Thing, name: str) -> int | None:
    """Like `own_number`; None if it is missing."""
    return own_number(thing, name) if thing.extra.get(name) else None


def own_flag(thing: Thing, name: str) -> bool:
    """True or false of our own vocabulary, written as a text. Raises `Unreadable`."""
    return flag({name: {"true": True, "false": False}.get(own_text(thing, name))}, name)


def number(document: JsonObject, name: str) -> int:
    """A whole number from 0 on. Raises `Unreadable`."""
    value = document.get(name)
    if type(value) is not int or value < 0:
        raise Unreadable(name, f"{name} must be a whole number")
    return value


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100
