"""Every type of message that this instance speaks. A new one is a file beside this one, and a line here."""

from __future__ import annotations

from .epoch_start import EPOCH_START
from .key_update import KEY_UPDATE
from .peer_accept import PEER_ACCEPT
from .peer_request import PEER_REQUEST
from .peer_revoke import PEER_REVOKE
from .problem import PROBLEM
from .scopes_changed import SCOPES_CHANGED
from .state_digest import STATE_DIGEST
from .state_request import STATE_REQUEST
from .types import MessageType

TYPES: dict[str, MessageType] = {
    one.name: one
    for one in (
        PEER_REQUEST,
        PEER_ACCEPT,
        SCOPES_CHANGED,
        PEER_REVOKE,
        KEY_UPDATE,
        EPOCH_START,
        PROBLEM,
        STATE_DIGEST,
        STATE_REQUEST,
    )
}
