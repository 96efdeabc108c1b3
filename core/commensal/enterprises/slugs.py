"""Slugs: the names of enterprises in addresses of pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..base.search import search_key

LONGEST = 60  # characters
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_slug(text: str) -> bool:
    """Whether `text` has only lower-case ASCII letters, digits and single hyphens between them, and is not an id."""
    return len(text) <= LONGEST and _SLUG.fullmatch(text) is not None and _ID.fullmatch(text) is None


def slugs_for(name: str, id: str) -> Iterator[str]:
    """Slugs for this name, best first: ``ferme-de-l-oree``, ``ferme-de-l-oree-2`` …, and one with a part of `id`."""
    plain = re.sub(r"[^a-z0-9]+", "-", search_key(name)).strip("-")[:LONGEST].strip("-") or "enterprise"
    yield plain
    short = plain[: LONGEST - 15].strip("-")
    yield from (f"{short}-{number}" for number in range(2, 10))
    yield f"{short}-{id[-12:]}"
