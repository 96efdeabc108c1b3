"""All types of message of the federation, each with what it does: the one place that binds codecs to rooms that act.

A new type is a file in `messages/`, a function in `handlers.py` of the room that acts on it, and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping

from commensal import hookimpl

from .catalogue import grants as catalogue_grants
from .catalogue import handlers as catalogue
from .catalogue import restored as catalogue_restored
from .delivery import handlers as delivery
from .leases import handlers as leases
from .leases import restored as leases_restored
from .messages.catalogue_upsert import CATALOGUE_UPSERT
from .messages.catalogue_withdraw import CATALOGUE_WITHDRAW
from .messages.epoch_start import EPOCH_START
from .messages.grant_answer import GRANT_ANSWER
from .messages.grant_end import GRANT_END
from .messages.grant_offer import GRANT_OFFER
from .messages.key_update import KEY_UPDATE
from .messages.lease_forced import LEASE_FORCED
from .messages.lease_grant import LEASE_GRANT
from .messages.lease_recall import LEASE_RECALL
from .messages.lease_refusal import LEASE_REFUSAL
from .messages.lease_report import LEASE_REPORT
from .messages.lease_request import LEASE_REQUEST
from .messages.move import MOVE
from .messages.move_accept import MOVE_ACCEPT
from .messages.move_cancel import MOVE_CANCEL
from .messages.move_contest import MOVE_CONTEST
from .messages.move_export import MOVE_EXPORT
from .messages.move_followed import MOVE_FOLLOWED
from .messages.move_notice import MOVE_NOTICE
from .messages.move_offer import MOVE_OFFER
from .messages.move_ready import MOVE_READY
from .messages.order_answer import ORDER_ANSWER
from .messages.order_update import ORDER_UPDATE
from .messages.peer_accept import PEER_ACCEPT
from .messages.peer_request import PEER_REQUEST
from .messages.peer_revoke import PEER_REVOKE
from .messages.problem import PROBLEM
from .messages.recovery_key import RECOVERY_KEY
from .messages.sale_answer import SALE_ANSWER
from .messages.sale_proposal import SALE_PROPOSAL
from .messages.scopes_changed import SCOPES_CHANGED
from .messages.state_digest import STATE_DIGEST
from .messages.state_request import STATE_REQUEST
from .messages.stock_level import STOCK_LEVEL
from .messages.types import Handler, MessageType
from .moving import handlers as moving
from .moving import old_home
from .moving import restored as moving_restored
from .orders import handlers as orders
from .orders import restored as orders_restored
from .peering import handlers as peering
from .proposals import handlers as proposals

HANDLERS: dict[MessageType, Handler] = {
    PEER_REQUEST: Handler(peering.handle_peer_request),
    PEER_ACCEPT: Handler(peering.handle_peer_accept),
    SCOPES_CHANGED: Handler(peering.handle_scopes_changed),
    PEER_REVOKE: Handler(peering.handle_peer_revoke),
    KEY_UPDATE: Handler(peering.handle_key_update),
    EPOCH_START: Handler(delivery.handle_epoch_start),
    PROBLEM: Handler(delivery.handle_problem),
    STATE_DIGEST: Handler(delivery.handle_state_digest),
    STATE_REQUEST: Handler(delivery.handle_state_request),
    GRANT_OFFER: Handler(
        catalogue.handle_grant_offer,
        failed=catalogue_grants.record_refused_offer,
        recover=catalogue_restored.recover_offer,
    ),
    GRANT_ANSWER: Handler(moving.handle_grant_answer, recover=catalogue_restored.recover_answer),
    GRANT_END: Handler(catalogue.handle_grant_end, recover=catalogue_restored.recover_end),
    CATALOGUE_UPSERT: Handler(catalogue.handle_catalogue_upsert, recover=catalogue_restored.recover_items),
    CATALOGUE_WITHDRAW: Handler(catalogue.handle_catalogue_withdraw, recover=catalogue_restored.recover_withdrawals),
    STOCK_LEVEL: Handler(leases.handle_stock_level),
    LEASE_REQUEST: Handler(leases.handle_lease_request),
    LEASE_GRANT: Handler(leases.handle_lease_grant, recover=leases_restored.recover_grant),
    LEASE_REFUSAL: Handler(leases.handle_lease_refusal),
    LEASE_REPORT: Handler(leases.handle_lease_report, recover=leases_restored.recover_report),
    LEASE_RECALL: Handler(leases.handle_lease_recall),
    LEASE_FORCED: Handler(leases.handle_lease_forced, recover=leases_restored.recover_forced_return),
    ORDER_UPDATE: Handler(orders.handle_order_update, recover=orders_restored.recover_order),
    ORDER_ANSWER: Handler(orders.handle_order_answer, recover=orders_restored.recover_answer),
    SALE_PROPOSAL: Handler(proposals.handle_sale_proposal),
    SALE_ANSWER: Handler(proposals.handle_sale_answer),
    MOVE_OFFER: Handler(moving.handle_move_offer),
    MOVE_ACCEPT: Handler(moving.handle_move_accept),
    MOVE_EXPORT: Handler(moving.handle_move_export, failed=old_home.take_export_refusal),
    MOVE_READY: Handler(moving.handle_move_ready),
    MOVE_CANCEL: Handler(moving.handle_move_cancel),
    MOVE: Handler(moving.handle_move, recover=moving_restored.recover_hand_over),
    MOVE_FOLLOWED: Handler(moving.handle_move_followed),
    RECOVERY_KEY: Handler(moving.handle_recovery_key),
    MOVE_NOTICE: Handler(moving.handle_move_notice),
    MOVE_CONTEST: Handler(moving.handle_move_contest),
}
TYPES = {message_type.name: message_type for message_type in HANDLERS}


@hookimpl
def message_types() -> Mapping[MessageType, Handler]:
    return HANDLERS
