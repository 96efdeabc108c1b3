"""All types of message of the federation, each with what it does.

A new type is a dataclass in `messages/`, and a function and a line in `handlers.py` of the room that acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from commensal import hookimpl

from .catalogue import handlers as catalogue
from .delivery import handlers as delivery
from .leases import handlers as leases
from .messages.types import Handler, MessageType
from .moving import handlers as moving
from .orders import handlers as orders
from .peering import handlers as peering
from .proposals import handlers as proposals

ROOMS = (peering, delivery, catalogue, leases, orders, proposals, moving)
HANDLERS: dict[MessageType, Handler] = {
    message_type: handler for room in ROOMS for message_type, handler in room.HANDLERS.items()
}
TYPES = {message_type.name: message_type for message_type in HANDLERS}


@hookimpl
def message_types() -> Mapping[MessageType, Handler]:
    return HANDLERS
