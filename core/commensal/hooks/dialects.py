"""The dialects of DFC that plugins offer for other platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import specifications

if TYPE_CHECKING:
    from ..instance import Instance
    from .values import Dialect


def dialects_of(instance: Instance) -> list[Dialect]:
    """All dialects, in the operator's order of plugins; of two for one media type, the first."""
    by_media_type: dict[str, Dialect] = {}
    for answer in instance.hooks.each(specifications.dialects):
        for dialect in answer.value or ():
            by_media_type.setdefault(dialect.media_type, dialect)
    return list(by_media_type.values())
