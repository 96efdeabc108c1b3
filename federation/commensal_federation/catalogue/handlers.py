"""What messages about grants and catalogues do here."""

from __future__ import annotations

from commensal import Transaction

from ..dfc.iris import local_id
from ..messages import Handler, MessageType, Received
from ..messages.catalogue import (
    CATALOGUE_WITHDRAW,
    GRANT_END,
    GRANT_OFFER,
    CatalogueUpsert,
    CatalogueWithdraw,
    GrantEnd,
    GrantOffer,
)
from ..messages.catalogue_upsert import CATALOGUE_UPSERT
from ..runtime import Federation
from .away import take_absences
from .copies import store_items, withdraw_items
from .grants import record_refused_offer, take_grant_end, take_grant_offer
from .restored import recover_answer_to, recover_end, recover_items, recover_offer, recover_withdrawals


def handle_grant_offer(federation: Federation, tx: Transaction, received: Received[GrantOffer]) -> None:
    """Notes the grant that an enterprise of the peer offers to a hub of ours."""
    take_grant_offer(federation, tx, received.peer, received.body, received.id)
    recover_answer_to(federation, tx, received.peer, received.body, received.id)


def handle_grant_end(federation: Federation, tx: Transaction, received: Received[GrantEnd]) -> None:
    """Ends the grant, and takes off sale what was listed under it."""
    take_grant_end(federation, tx, received.peer, received.body)


def handle_catalogue_upsert(federation: Federation, tx: Transaction, received: Received[CatalogueUpsert]) -> None:
    """Keeps the items as copies that the hub may list, and when their producer is away."""
    upsert = received.body
    store_items(federation, tx, received.peer, upsert)
    if upsert.absences is not None:
        take_absences(tx, local_id(federation.base, upsert.hub, "enterprises") or "", upsert.grantor, upsert.absences)


def handle_catalogue_withdraw(federation: Federation, tx: Transaction, received: Received[CatalogueWithdraw]) -> None:
    """Takes the copies of these items off sale."""
    withdraw_items(federation, tx, received.peer, received.body)


HANDLERS: dict[MessageType, Handler] = {
    GRANT_OFFER: Handler(handle_grant_offer, failed=record_refused_offer, recover=recover_offer),
    GRANT_END: Handler(handle_grant_end, recover=recover_end),
    CATALOGUE_UPSERT: Handler(handle_catalogue_upsert, recover=recover_items),
    CATALOGUE_WITHDRAW: Handler(handle_catalogue_withdraw, recover=recover_withdrawals),
}
