"""Every type of message that this instance speaks. A new one is a file beside this one, and a line here."""

from __future__ import annotations

from .catalogue_upsert import CATALOGUE_UPSERT
from .catalogue_withdraw import CATALOGUE_WITHDRAW
from .epoch_start import EPOCH_START
from .grant_answer import GRANT_ANSWER
from .grant_end import GRANT_END
from .grant_offer import GRANT_OFFER
from .key_update import KEY_UPDATE
from .lease_forced import LEASE_FORCED
from .lease_grant import LEASE_GRANT
from .lease_recall import LEASE_RECALL
from .lease_refusal import LEASE_REFUSAL
from .lease_report import LEASE_REPORT
from .lease_request import LEASE_REQUEST
from .move import MOVE
from .move_accept import MOVE_ACCEPT
from .move_cancel import MOVE_CANCEL
from .move_contest import MOVE_CONTEST
from .move_export import MOVE_EXPORT
from .move_followed import MOVE_FOLLOWED
from .move_notice import MOVE_NOTICE
from .move_offer import MOVE_OFFER
from .move_ready import MOVE_READY
from .order_answer import ORDER_ANSWER
from .order_update import ORDER_UPDATE
from .peer_accept import PEER_ACCEPT
from .peer_request import PEER_REQUEST
from .peer_revoke import PEER_REVOKE
from .problem import PROBLEM
from .recovery_key import RECOVERY_KEY
from .sale_answer import SALE_ANSWER
from .sale_proposal import SALE_PROPOSAL
from .scopes_changed import SCOPES_CHANGED
from .state_digest import STATE_DIGEST
from .state_request import STATE_REQUEST
from .stock_level import STOCK_LEVEL
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
        GRANT_OFFER,
        GRANT_ANSWER,
        GRANT_END,
        CATALOGUE_UPSERT,
        CATALOGUE_WITHDRAW,
        STOCK_LEVEL,
        LEASE_REQUEST,
        LEASE_GRANT,
        LEASE_REFUSAL,
        LEASE_REPORT,
        LEASE_RECALL,
        LEASE_FORCED,
        ORDER_UPDATE,
        ORDER_ANSWER,
        SALE_PROPOSAL,
        SALE_ANSWER,
        MOVE_OFFER,
        MOVE_ACCEPT,
        MOVE_EXPORT,
        MOVE_READY,
        MOVE_CANCEL,
        MOVE,
        MOVE_FOLLOWED,
        RECOVERY_KEY,
        MOVE_NOTICE,
        MOVE_CONTEST,
    )
}
