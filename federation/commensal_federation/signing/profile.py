"""The JSON that instances exchange: a part of JSON that all parsers read alike, so that a signature has one meaning.

Left out is what parsers disagree on: keys that come twice, fractions and huge numbers (decimals are texts), NaN, halves
of surrogate pairs, keys outside the Basic Multilingual Plane (RFC 8785 sorts them unlike others), and deep nesting.
"""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 32
LARGEST = 2**53 - 1  # RFC 7493: what every JSON parser reads exactly


class Unreadable(Exception):
    """Not JSON of the profile, or not what it should say. `code` is for programs, `text` for the other's operator."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


def read_json(body: bytes, most: int) -> dict[str, Any]:
    """Reads an object of at most `most` bytes. Raises `Unreadable`."""
    if len(body) > most:
        raise Unreadable("too_large", f"more than {most} bytes")
    try:
        read = json.loads(body.decode(), object_pairs_hook=_once)
    except RecursionError:
        raise Unreadable("too_deep", f"nested more than {DEEPEST} deep") from None
    except ValueError as error:  # not UTF-8, not JSON, a number of thousands of digits
        raise Unreadable("not_json", str(error)) from None
    if not isinstance(read, dict):
        raise Unreadable("not_an_object", "not a JSON object")
    refuse_beyond_profile(read)
    return read


def refuse_beyond_profile(value: Any) -> None:
    """Raises `Unreadable` for a value that is no JSON of the profile."""
    level, depth = [[value]], 0
    while level:
        deeper: list[Any] = []
        for holder in level:
            deeper += _refuse_members(holder)
        level, depth = deeper, depth + 1
        if level:
            _refuse_depth(depth)


def _refuse_members(holder: Any) -> list[Any]:
    """Looks at keys and plain values, and returns the lists and objects among them. Most texts are ASCII: no call."""
    within = []
    if type(holder) is dict:
        for key in holder:
            if type(key) is not str or not key.isascii():
                _refuse_key(key)
        holder = holder.values()
    for value in holder:
        kind = type(value)
        if kind is str:
            if not value.isascii():
                _refuse_halves(value)
        elif kind is dict or kind is list:
            within.append(value)
        elif kind is int:
            _refuse_huge(value)
        elif value is not None and kind is not bool:
            raise Unreadable("number", f"{kind.__name__}: only whole numbers; decimals are texts")
    return within


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise Unreadable("twice", "a key comes twice in one object")
    return read


def _refuse_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise Unreadable("too_deep", f"nested more than {DEEPEST} deep")


def _refuse_key(key: Any) -> None:
    if type(key) is not str or max(key) > "\uffff":
        raise Unreadable("key", "a key is no text of the Basic Multilingual Plane")
    _refuse_halves(key)


def _refuse_halves(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Unreadable("surrogate", "half of a surrogate pair") from None


def _refuse_huge(number: int) -> None:
    if not -LARGEST <= number <= LARGEST:
        raise Unreadable("number", "a whole number beyond 2^53 - 1")
