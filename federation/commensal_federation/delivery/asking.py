"""A question that is answered while one waits; if the answer is lost, it comes by the usual way."""

from __future__ import annotations

from typing import Any

from ..messages.types import Received
from ..runtime import Federation


def ask(federation: Federation, peer_id: str, type_name: str, body: Any, seconds: float) -> Received | None:
    """Posts a message and asks the peer for its answer at once. Not inside a transaction.

    None: no answer within `seconds`. The message is in the outbox all the same, and its answer will come to the inbox.
    The answer that is returned has been received, and handled, like any other.
    """
    raise NotImplementedError
