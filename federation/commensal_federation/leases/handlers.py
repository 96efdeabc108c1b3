"""What messages about leases and levels of stock do here."""

from __future__ import annotations

from commensal import Transaction

from ..delivery.outbox.outbox import earlier_answer
from ..delivery.restore.restored import may_be_named_soon
from ..dfc.iris import local_id
from ..messages import Handler, MessageType, Received, Refuse, Wait
from ..messages.leases import (
    LEASE_FORCED,
    LEASE_GRANT,
    LEASE_RECALL,
    LEASE_REFUSAL,
    LEASE_REPORT,
    LEASE_REQUEST,
    STOCK_LEVEL,
    Asked,
    LeaseForced,
    LeaseGrant,
    LeaseRecall,
    LeaseRefusal,
    LeaseReport,
    LeaseRequest,
    StockLevel,
)
from ..peers.peers import Peer
from ..runtime import Federation
from .holder import (
    answer_recall,
    ask_further,
    pass_back_recalled,
    take_forced_return,
    take_grant,
    take_refusal,
    update_level,
)
from .joined import free_stock_of_main
from .lender import answer_request, take_report
from .recalling import lendable_lot
from .restored import recover_forced_return, recover_grant, recover_report, recover_reports_after
from .row import leased_lot


def handle_lease_request(federation: Federation, tx: Transaction, received: Received[LeaseRequest]) -> None:
    """Grants units of a lot of ours, or refuses; asks further for what another instance must lend first.

    Raises `Refuse` for a lot that may not be lent to the peer, or that is counted in another unit.
    """
    body = received.body
    if received.peer.recovering and earlier_answer(tx, received.id, "LeaseGrant"):
        return  # the peer has given the grant back after our restore
    lot = lendable_lot(federation, tx, received.peer, body.lot)
    if body.unit != lot.unit:
        raise Refuse("unit", f"This lot is counted in {lot.unit}.")
    units = (body.least, max(body.least, body.hoped), body.ordered)
    least, hoped, ordered = (int(amount * lot.per_unit) for amount in units)
    amounts = Asked(least=least, hoped=hoped, ordered=ordered)
    with free_stock_of_main(tx, lot.id):
        missing = answer_request(federation, tx, received.peer, lot.enterprise_id, lot.id, amounts, received.id)
    if missing.hoped:
        ask_further(federation, tx, lot.id, missing.least, missing.hoped)


def handle_lease_grant(federation: Federation, tx: Transaction, received: Received[LeaseGrant]) -> None:
    """Adds what was granted to the stock that we may sell of the lot. Raises `Wait` as `_await_lot` does."""
    _await_lot(tx, received.peer, received.body.lot)
    take_grant(federation, tx, received.peer, received.body)


def handle_lease_refusal(federation: Federation, tx: Transaction, received: Received[LeaseRefusal]) -> None:
    """Notes how much can still be had of the lot, or that nobody can say."""
    take_refusal(federation, tx, received.peer, received.body)


def handle_lease_report(federation: Federation, tx: Transaction, received: Received[LeaseReport]) -> None:
    """Settles what the holder has sold and given back. Raises `Refuse` for a lot that is not ours."""
    lot_id = local_id(federation.base, received.body.lot, "stocks")
    if lot_id is None:
        raise Refuse("no_lease", "That lot is not of this instance.")
    take_report(federation, tx, received.peer, lot_id, received.body)
    pass_back_recalled(federation, tx, lot_id)


def handle_lease_recall(federation: Federation, tx: Transaction, received: Received[LeaseRecall]) -> None:
    """Gives back units of the lease that are not sold or reserved."""
    answer_recall(federation, tx, received.peer, received.body)


def handle_lease_forced(federation: Federation, tx: Transaction, received: Received[LeaseForced]) -> None:
    """Ends the lease, whose units the producer has taken back. Raises `Wait` as `_await_lot` does."""
    _await_lot(tx, received.peer, received.body.lot)
    take_forced_return(federation, tx, received.peer, received.body)
    recover_reports_after(federation, tx, received.peer, received.body)


def handle_stock_level(federation: Federation, tx: Transaction, received: Received[StockLevel]) -> None:
    """Notes how much can be had of the lot, as a hint."""
    update_level(tx, received.peer, received.body.lot, received.body.beyond)


def _await_lot(tx: Transaction, peer: Peer, lot: str) -> None:
    """Raises `Wait` for a lot that is not known here after a restore: the catalogue that has it comes later."""
    if leased_lot(tx, "holder", peer.id, lot) is None and may_be_named_soon(tx, peer):
        raise Wait("The lot is not known here yet.")


HANDLERS: dict[MessageType, Handler] = {
    STOCK_LEVEL: Handler(handle_stock_level),
    LEASE_REQUEST: Handler(handle_lease_request),
    LEASE_GRANT: Handler(handle_lease_grant, recover=recover_grant),
    LEASE_REFUSAL: Handler(handle_lease_refusal),
    LEASE_REPORT: Handler(handle_lease_report, recover=recover_report),
    LEASE_RECALL: Handler(handle_lease_recall),
    LEASE_FORCED: Handler(handle_lease_forced, recover=recover_forced_return),
}
