"""Every type of message that this instance speaks. A new one is a file beside this one, and a line here."""

from __future__ import annotations

from .types import MessageType

TYPES: dict[str, MessageType] = {one.name: one for one in ()}
