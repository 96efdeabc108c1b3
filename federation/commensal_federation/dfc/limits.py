"""The limits of a document's size. A larger document is refused before it is processed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from .findings import UnreadableDocument

LARGEST = 32_000_000  # bytes
DEEPEST = 40  # levels of nesting; the deepest document seen of any platform has 8


@dataclass(frozen=True, kw_only=True)
class DocumentLimits:
    """The most that a document may hold. `contexts` counts those that need JSON-LD's general algorithm, which takes up
    to a millisecond for each; DFC's contexts, resolved by their prefixes, do not count."""

    objects: int
    values: int
    contexts: int


# Fetched from a platform that the operator linked: some 20,000 products with items, offers, prices and quantities.
CATALOGUE = DocumentLimits(objects=200_000, values=2_000_000, contexts=5_000)
# Sent in by a platform: an order of 500 lines with the details of its products. Reading takes at most 0.3 s.
SENT_IN = DocumentLimits(objects=5_000, values=20_000, contexts=50)

_SCALARS = frozenset((str, int, float, bool, type(None)))  # most values of a document; tested first
_decode = msgspec.json.Decoder(float_hook=str).decode


def parse(content: bytes) -> object:
    """Parses JSON; numbers with a point or an exponent become strings, with all digits. Raises `UnreadableDocument`."""
    if len(content) > LARGEST:
        raise UnreadableDocument("too_large", f"A document has at most {LARGEST // 1_000_000} MB.")
    try:
        return _decode(content.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableDocument("no_json", f"This is not JSON: {error}") from None


def refuse_beyond(document: object, limits: DocumentLimits = CATALOGUE) -> None:
    """Raises `UnreadableDocument` for a document beyond the limits; it stops there and looks no further."""
    if not isinstance(document, (Mapping, list)):
        raise UnreadableDocument("no_jsonld", "A document is an object, or a list of objects.")
    objects = values = 0
    stack = [(document, 1)]
    while stack:
        container, depth = stack.pop()
        if depth > DEEPEST:
            raise _too_deep()
        if type(container) is dict or isinstance(container, Mapping):
            objects += 1
            members: Any = container.values()
        else:
            members = container
        values += len(members)
        if objects > limits.objects or values > limits.values:
            raise UnreadableDocument(
                "too_many", f"A document has at most {limits.objects} objects and {limits.values} values."
            )
        stack += [(member, depth + 1) for member in members if type(member) not in _SCALARS and _holds(member)]


def contexts_in(document: Any) -> int:
    """Counts the contexts that the general algorithm processes to expand a document; at least one."""
    count, stack = 1, [document]
    while stack:
        container = stack.pop()
        if isinstance(container, Mapping):
            context = container.get("@context")
            count += len(context) if isinstance(context, list) else "@context" in container
            container = container.values()
        stack += [member for member in container if _holds(member)]
    return count


def _holds(value: object) -> bool:
    return isinstance(value, (dict, list, Mapping))


def _too_deep() -> UnreadableDocument:
    return UnreadableDocument("too_deep", f"A document is nested at most {DEEPEST} levels deep.")
