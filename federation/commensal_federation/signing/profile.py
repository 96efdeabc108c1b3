"""The JSON that instances exchange: a subset that all parsers read alike, so that a signature has one meaning.

It excludes what parsers disagree on: duplicate keys, fractions and huge numbers (decimals are strings), NaN, lone
surrogates, keys outside the Basic Multilingual Plane (RFC 8785 sorts them differently), and deep nesting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

JsonObject = Mapping[str, object]  # an object of the wire; each member is checked by whoever reads it
DEEPEST = 32
LARGEST = 2**53 - 1  # RFC 7493: what every JSON parser reads exactly


class CodedError(Exception):
    """What another instance sent is refused. `code` is for programs, `text` for its operator."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Unreadable(CodedError):
    """Not JSON of the profile, or other content than expected."""


def read_json(body: bytes, limit: int) -> dict[str, Any]:
    """Reads an object of at most `most` bytes. Raises `Unreadable`."""
    if len(body) > limit:
        raise Unreadable("too_large", f"more than {limit} bytes")
    try:
        document = json.loads(body.decode(), object_pairs_hook=_refuse_duplicate_keys)
    except RecursionError:
        raise Unreadable("too_deep", f"nested more than {DEEPEST} deep") from None
    except ValueError as error:  # not UTF-8, not JSON, a number of thousands of digits
        raise Unreadable("not_json", str(error)) from None
    if not isinstance(document, dict):
        raise Unreadable("not_an_object", "not a JSON object")
    refuse_beyond_profile(document)
    return document


def refuse_beyond_profile(value: object) -> None:
    """Raises `Unreadable` for a value outside the profile."""
    level, depth = [[value]], 0
    while level:
        next_level: list[Any] = []
        for container in level:
            next_level += _refuse_members(container)
        level, depth = next_level, depth + 1
        if level:
            _refuse_depth(depth)


def _refuse_members(container: Any) -> list[object]:
    """Checks keys and scalar values; returns the nested lists and objects. Most strings are ASCII and need no call."""
    containers = []
    if type(container) is dict:
        for key in container:
            if type(key) is not str or not key.isascii():
                _refuse_key(key)
        container = container.values()
    for value in container:
        value_type = type(value)
        if value_type is str:
            if not value.isascii():
                _refuse_lone_surrogates(value)
        elif value_type is dict or value_type is list:
            containers.append(value)
        elif value_type is int:
            _refuse_unsafe_integer(value)
        elif value is not None and value_type is not bool:
            raise Unreadable("number", f"{value_type.__name__}: only whole numbers; decimals are texts")
    return containers


def _refuse_duplicate_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unreadable("twice", "a key comes twice in one object")
    return members


def _refuse_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise Unreadable("too_deep", f"nested more than {DEEPEST} deep")


def _refuse_key(key: object) -> None:
    if type(key) is not str or max(key) > "\uffff":
        raise Unreadable("key", "a key is not a text of the Basic Multilingual Plane")
    _refuse_lone_surrogates(key)


def _refuse_lone_surrogates(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Unreadable("surrogate", "half of a surrogate pair") from None


def _refuse_unsafe_integer(number: int) -> None:
    if not -LARGEST <= number <= LARGEST:
        raise Unreadable("number", "a whole number beyond 2^53 - 1")


# Canonical bytes of JSON (RFC 8785). Within the profile that only means sorted keys, so orjson writes them.


def canonical(document: JsonObject) -> bytes:
    """The document's canonical bytes. Raises `Unreadable` for a document outside the profile."""
    refuse_beyond_profile(document)
    return canonical_unchecked(document)


def canonical_unchecked(document: JsonObject) -> bytes:
    """Like `canonical`, for a document known to be within the profile: from `read_json`, or just signed."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


# Reads and writes times as documents have them (RFC 3339, xsd:dateTimeStamp): UTC, with a Z. We write whole seconds.
#
# Other software writes fractions of a second, down to nanoseconds, such as `Temporal.Instant` of JavaScript.

_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_moment(text: object) -> datetime:
    """Reads such a time, to the microsecond. Raises ValueError for any other spelling and for impossible dates; its
    text says how to write a time."""
    try:
        if isinstance(text, str) and _SHAPE.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("times must be in UTC, as 2026-06-04T10:00:00Z, with at most nine digits of a fraction")
