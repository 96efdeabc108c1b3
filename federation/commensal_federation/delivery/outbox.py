"""The way out: a message is signed and queued in the transaction of the change that it tells of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from commensal import Transaction

from ..runtime import Federation


def post(
    federation: Federation,
    tx: Transaction,
    peer_id: str,
    type_name: str,
    body: Any,
    *,
    on_behalf_of: str | None = None,
    in_reply_to: str | None = None,
    expires: datetime | None = None,
) -> str:
    """Queues a message of this type for the peer, and returns its id.

    `body` is of the type's dataclass, `on_behalf_of` the IRI of an enterprise of ours, `expires` (UTC) the moment from
    which it means nothing any more. It goes out when the transaction has committed, and never if it does not.
    """
    raise NotImplementedError
