"""Types by their names, for those below the registry: types themselves post messages, so the registry is asked late."""

from __future__ import annotations

from .types import MessageType


def type_of(name: str) -> MessageType | None:
    """None for a type that this instance does not speak."""
    from .registry import TYPES

    return TYPES.get(name)
