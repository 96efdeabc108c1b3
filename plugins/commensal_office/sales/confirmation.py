"""What the page of a sale asks before it does an act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What the page asks before it does an act, instead of doing it; `values` are for its words."""

    what: str
    values: Mapping[str, object]
