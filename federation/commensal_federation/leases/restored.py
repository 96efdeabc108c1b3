"""Recovers leases after a restore from an older backup, from messages that were sent since: the higher count wins."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from commensal import Instance, Job, Transaction, enqueue
from commensal.parts.copies import lease_in, lend_stock, settle_here, settle_lent
from commensal.stock import lots_by_id

from ..authority.authority import has_left
from ..delivery.alerts import alert
from ..delivery.restore.restored import taken_back
from ..dfc.iris import local_id
from ..messages.leases import LeaseForced, LeaseGrant, LeaseReport
from ..messages.types import Sent
from ..peers.peers import Peer, peer_by_id
from ..runtime import Federation
from .holder import report
from .joined import gather_free_stock
from .row import NO_COUNTS, LotLease, later, lease_by_id, lease_with, open_lease, set_lease

TELL_OVERLENT = "federation.tell_overlent"  # a job: {"lease": its id}
AGAIN = timedelta(minutes=1)


def recover_grant(federation: Federation, tx: Transaction, sent: Sent[LeaseGrant]) -> None:
    """Restores a grant that this instance made and has forgotten; it stays valid.

    Granted units that are not free any more are promised twice, unless the peer had returned them, which its reports
    say later in the recovery. Such units are written off when they are returned, instead of being sold again.
    """
    grant = sent.body
    lease = _lent(federation, tx, sent, grant.lot)
    if lease is None or grant.epoch != lease.row.epoch:
        return
    more = lease.grains(grant.granted) - lease.row.granted
    if more > 0:
        note = "granted before a restore"
        lend_stock(tx, lease.row.lot_id, min(more, lease.free), note=note)
        twice = max(0, more - lease.free)
        settle_lent(tx, lease.row.lot_id, lent=twice, note=note)
        granted, lost = lease.row.granted + more, lease.row.lost + twice
        set_lease(tx, lease, granted=granted, lost=lost, until=later(lease.row.until, grant.until))
        if twice:
            enqueue(tx, TELL_OVERLENT, {"lease": lease.row.id})


def tell_overlent(instance: Instance, job: Job) -> None:
    """Job: alerts a person to what is promised twice, once the peer has said all that it did since the backup."""

    def tell(tx: Transaction) -> None:
        lease = lease_by_id(tx, job.payload["lease"])
        if peer_by_id(tx, lease.row.peer_id).recovering:
            enqueue(tx, TELL_OVERLENT, job.payload, due_at=tx.now + AGAIN)
        elif lease.row.lost:
            name, missing = lease.lot.name, f"{lease.units(lease.row.lost):f} {lease.unit}"
            text = f"{name}: {missing} are lent to it and promised to others too. Bring more, or shorten orders."
            alert(tx, lease.row.peer_id, "overlent", text)

    instance.store.transact(tell)


def recover_forced_return(federation: Federation, tx: Transaction, sent: Sent[LeaseForced]) -> None:
    """Repeats a forced return, and its new epoch, that this instance has forgotten."""
    notice = sent.body
    lease = _lent(federation, tx, sent, notice.lot)
    if lease is not None and notice.epoch > lease.row.epoch:
        settle_lent(tx, lease.row.lot_id, back=lease.outstanding, note="taken back by force before a restore")
        gather_free_stock(tx, lease.row.lot_id)
        before = lease.row.sold_before + lease.grains(notice.sold)
        set_lease(tx, lease, epoch=notice.epoch, **NO_COUNTS, sold_before=before, until=None)


def _lent(federation: Federation, tx: Transaction, sent: Sent[object], iri: str) -> LotLease | None:
    """Returns the lender's lease, opened anew if it began after the backup.

    Returns None for a lot that is unknown now, and for one of an enterprise that had moved: its lease is elsewhere.
    """
    lot_id = local_id(federation.base, iri, "stocks") or ""
    lot = lots_by_id(tx, [lot_id]).get(lot_id)
    if lot is None or has_left(tx, lot.enterprise_id):
        return None
    existing = lease_with(tx, "lender", sent.peer.id, lot_id=lot_id)
    return existing or open_lease(tx, "lender", sent.peer.id, lot.enterprise_id, lot_id, iri)


def recover_report(federation: Federation, tx: Transaction, sent: Sent[LeaseReport]) -> None:
    """Restores returns and sales that this instance reported and has forgotten, so that none of it is sold again.

    A report sent since the restore may bear a number that was used before; the lender ignores it. So a new one follows.
    """
    sent_report = sent.body
    lease = lease_with(tx, "holder", sent.peer.id, lot_iri=sent_report.lot)
    if lease is None or sent_report.epoch != lease.row.epoch:
        return
    row = lease.row
    granted, returned = lease.grains(sent_report.seen), lease.grains(sent_report.returned)
    lease_in(tx, row.lot_id, max(0, granted - row.granted), note="granted before a restore")
    number = max(sent_report.report, row.report)
    lease = set_lease(tx, lease, granted=max(granted, row.granted), report=number)
    newly_returned = min(max(0, returned - row.returned), lease.free)
    lease_in(tx, row.lot_id, -newly_returned, note="given back before a restore")
    lease = set_lease(tx, lease, returned=max(returned, row.returned))  # what is missing now counts as sold late
    reported = lease.grains(sent_report.sold)
    sold = reported - (lease.grains(lease.lot.sold) - row.sold_before) if reported else 0
    settle_here(tx, row.lot_id, min(max(0, sold), lease.free), note="sold before a restore")
    report(federation, tx, lease_by_id(tx, row.id))


def recover_opened_leases(federation: Federation, tx: Transaction, peer: Peer, lots: Collection[str]) -> None:
    """Restores what this instance reported under leases of these lots, by IRI, that have just been opened again.

    A backup from before the first grant knows neither the lots nor their leases, when our own messages come back.
    """
    reports = {sent.body.lot: sent for sent in taken_back(federation, tx, peer, "LeaseReport") if sent.body.lot in lots}
    for lot_iri, sent in sorted(reports.items()):  # each report has all counts
        lease = lease_with(tx, "holder", peer.id, lot_iri=lot_iri)
        assert lease is not None
        set_lease(tx, lease, epoch=sent.body.epoch)
        recover_report(federation, tx, sent)


def recover_reports_after(federation: Federation, tx: Transaction, peer: Peer, notice: LeaseForced) -> None:
    """Restores what this instance reported after a forced return that it has forgotten, once it hears of it again.

    After a restore our own messages come back first, when the epoch that these reports count in is not known yet.
    """
    reports = [
        sent
        for sent in taken_back(federation, tx, peer, "LeaseReport")
        if (sent.body.lot, sent.body.epoch) == (notice.lot, notice.epoch)
    ]
    for sent in reports[-1:]:  # each report has all counts
        recover_report(federation, tx, sent)
