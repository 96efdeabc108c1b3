"""After a restore from an older backup: counts are taken back from what was said since, and the higher one wins."""

from __future__ import annotations

from commensal import Transaction, lease_in, lend_stock, lots_by_id, settle_here, settle_lent

from ..delivery.alerts import alert
from ..dfc.iris import local_id
from ..messages.bodies.leases import LeaseForced, LeaseGrant, LeaseReport
from ..messages.types import Sent
from ..runtime import Federation
from .holder import report
from .row import Held, later, lease_by_id, lease_with, open_lease, set_lease

NOTHING = dict.fromkeys(("granted", "report", "seen", "returned", "held", "sold", "late", "wanted"), 0)


def grant_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """We granted more than we remember, and that stands. What is not free any more is promised twice, as far as is
    known here: a person is told, and what comes back of it is written off and not sold once more."""
    said: LeaseGrant = sent.body
    lease = _lent(federation, tx, sent, said.lot)
    if lease is None or said.epoch != lease.row["epoch"]:
        return
    more = lease.grains(said.granted) - lease.row["granted"]
    if more > 0:
        note = "granted before a restore"
        lend_stock(tx, lease.row["lot_id"], min(more, lease.free), note=note)
        twice = max(0, more - lease.free)
        settle_lent(tx, lease.row["lot_id"], lent=twice, note=note)
        granted, lost = lease.row["granted"] + more, lease.row["lost"] + twice
        set_lease(tx, lease, granted=granted, lost=lost, until=later(lease.row["until"], said.until))
        if twice:
            name, missing = lease.lot.name, f"{lease.units(twice):f} {lease.unit}"
            text = f"{name}: {missing} are lent to it and promised to others too. Bring more, or shorten orders."
            alert(tx, sent.peer.id, "overlent", text)


def forced_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """We had taken back by force what was lent, and began a new epoch."""
    said: LeaseForced = sent.body
    lease = _lent(federation, tx, sent, said.lot)
    if lease is not None and said.epoch > lease.row["epoch"]:
        settle_lent(tx, lease.row["lot_id"], back=lease.out, note="taken back by force before a restore")
        before = lease.row["sold_before"] + lease.grains(said.sold)
        set_lease(tx, lease, epoch=said.epoch, **NOTHING, sold_before=before, until=None)


def _lent(federation: Federation, tx: Transaction, sent: Sent, iri: str) -> Held | None:
    """The lease at the lender; opened where it was begun since. None for a lot that is not known any more."""
    lot_id = local_id(federation.base, iri, "stocks") or ""
    lot = lots_by_id(tx, [lot_id]).get(lot_id)
    if lot is None:
        return None
    known = lease_with(tx, "lender", sent.peer.id, lot_id=lot_id)
    return known or open_lease(tx, "lender", sent.peer.id, lot.enterprise_id, lot_id, iri)


def report_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """We gave back or sold more than we remember: none of it is sold again.

    What was said since the restore may bear the same number, and counts for nothing at the lender: all is told again.
    """
    said: LeaseReport = sent.body
    lease = lease_with(tx, "holder", sent.peer.id, lot_iri=said.lot)
    if lease is None or said.epoch != lease.row["epoch"]:
        return
    row = lease.row
    granted, returned = lease.grains(said.seen), lease.grains(said.returned)
    lease_in(tx, row["lot_id"], max(0, granted - row["granted"]), note="granted before a restore")
    number = max(said.report, row["report"])
    lease = set_lease(tx, lease, granted=max(granted, row["granted"]), report=number)
    back = min(max(0, returned - row["returned"]), lease.free)
    lease_in(tx, row["lot_id"], -back, note="given back before a restore")
    lease = set_lease(tx, lease, returned=max(returned, row["returned"]))  # what is missing was sold late, to tell so
    sold = lease.grains(said.sold) - (lease.grains(lease.lot.sold) - row["sold_before"])
    settle_here(tx, row["lot_id"], min(max(0, sold), lease.free), note="sold before a restore")
    report(federation, tx, lease_by_id(tx, row["id"]))
