"""Writes values as a document of DFC 1.16, as the official connectors and Open Food Network read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .vocabulary import Thing


def write(things: Iterable[Thing]) -> dict[str, Any]:
    """A complete document: a flat ``@graph``, links in both directions, numbers as strings."""
    raise NotImplementedError
