"""How platforms may be spoken to, by all plugins together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import specifications

if TYPE_CHECKING:
    from ..instance import Instance
    from .values import Dialect


def dialects_of(instance: Instance) -> list[Dialect]:
    """All dialects, in the operator's order of plugins; of two of one media type, the first counts."""
    found: dict[str, Dialect] = {}
    for answer in instance.hooks.each(specifications.dialects):
        for one in answer.value or ():
            found.setdefault(one.media_type, one)
    return list(found.values())
