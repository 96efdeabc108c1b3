"""After a restore from an older backup: counts are taken back from what was said since, and the higher one wins."""

from __future__ import annotations

from commensal import Transaction, lease_in, lend_stock, settle_here

from ..dfc.iris import local_id
from ..messages.types import Sent
from ..runtime import Federation
from .row import later, lease_with, set_lease
from .values import LeaseGrant, LeaseReport


def grant_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """We granted more than we remember. What cannot be taken from the lot any more was sold since: for a person."""
    said: LeaseGrant = sent.body
    lot_id = local_id(federation.base, said.lot, "stocks")
    lease = lease_with(tx, "lender", sent.peer.id, lot_id=lot_id) if lot_id else None
    if lease is None or said.epoch != lease.row["epoch"]:
        return
    more = min(lease.grains(said.granted) - lease.row["granted"], lease.free)
    if more > 0 and lend_stock(tx, lease.row["lot_id"], more, note="granted before a restore"):
        set_lease(tx, lease, granted=lease.row["granted"] + more, until=later(lease.row["until"], said.until))


def report_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """We gave back or sold more than we remember: none of it is sold again."""
    said: LeaseReport = sent.body
    lease = lease_with(tx, "holder", sent.peer.id, lot_iri=said.lot)
    if lease is None or said.epoch != lease.row["epoch"] or said.report <= lease.row["report"]:
        return
    row = lease.row
    granted, returned = lease.grains(said.seen), lease.grains(said.returned)
    lease_in(tx, row["lot_id"], max(0, granted - row["granted"]), note="granted before a restore")
    lease = set_lease(tx, lease, granted=max(granted, row["granted"]), report=said.report)
    back = min(max(0, returned - row["returned"]), lease.free)
    lease_in(tx, row["lot_id"], -back, note="given back before a restore")
    lease = set_lease(tx, lease, returned=row["returned"] + back)
    sold = lease.grains(said.sold) - (lease.grains(lease.lot.sold) - row["sold_before"])
    settle_here(tx, row["lot_id"], min(max(0, sold), lease.free), note="sold before a restore")
