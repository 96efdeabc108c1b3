"""How large a document may be. What is larger is refused before anybody looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from .findings import Unreadable

LARGEST = 32_000_000  # bytes
DEEPEST = 40  # of anything in anything; the deepest document of any platform seen has 8


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a document may hold. `contexts` counts those that need the general algorithm of JSON-LD, which takes up
    to a millisecond for each; the contexts of DFC, resolved by their prefixes, are free."""

    objects: int
    values: int
    contexts: int


# What is fetched where the operator said so: some 20,000 products with their items, offers, prices and quantities.
CATALOGUE = Limits(objects=200_000, values=2_000_000, contexts=5_000)
# What is sent in by whoever may: an order of 500 lines, with all that is said of its products. It takes 0.3 s at most.
SENT_IN = Limits(objects=5_000, values=20_000, contexts=50)

_SCALARS = frozenset((str, int, float, bool, type(None)))  # which are asked for first: a document is made of them
_decode = msgspec.json.Decoder(float_hook=str).decode


def parse(content: bytes) -> Any:
    """JSON. Numbers with a point or an exponent come as strings, so that none loses a digit. Raises `Unreadable`."""
    if len(content) > LARGEST:
        raise Unreadable("too_large", f"A document has at most {LARGEST // 1_000_000} MB.")
    try:
        return _decode(content.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable("no_json", f"This is no JSON: {error}") from None


def refuse_beyond(document: Any, limits: Limits = CATALOGUE) -> None:
    """Raises `Unreadable` for a document with too much in it, without following it deeper than that."""
    if not isinstance(document, (Mapping, list)):
        raise Unreadable("no_jsonld", "A document is an object, or a list of objects.")
    objects = values = 0
    stack = [(document, 1)]
    while stack:
        one, depth = stack.pop()
        if depth > DEEPEST:
            raise _too_deep()
        if type(one) is dict or isinstance(one, Mapping):
            objects += 1
            inside: Any = one.values()
        else:
            inside = one
        values += len(inside)
        if objects > limits.objects or values > limits.values:
            raise Unreadable("too_many", f"A document has at most {limits.objects} objects and {limits.values} values.")
        stack += [(each, depth + 1) for each in inside if type(each) not in _SCALARS and _holds(each)]


def contexts_in(document: Any) -> int:
    """How many contexts have to be processed to expand a document; one, where it names none."""
    found, stack = 1, [document]
    while stack:
        one = stack.pop()
        if isinstance(one, Mapping):
            named = one.get("@context")
            found += len(named) if isinstance(named, list) else "@context" in one
            one = one.values()
        stack += [each for each in one if _holds(each)]
    return found


def _holds(value: object) -> bool:
    return isinstance(value, (dict, list, Mapping))


def _too_deep() -> Unreadable:
    return Unreadable("too_deep", f"A document is nested at most {DEEPEST} levels deep.")
