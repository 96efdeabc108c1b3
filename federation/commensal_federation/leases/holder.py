"""The holder's side of a lease: the hub's instance, which sells only units that it holds and reports its counts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from commensal import Transaction, enqueue
from commensal.parts.copies import lease_in, tell_beyond, write_off
from commensal.sale_sessions import lots_on_sale
from commensal.stock import taken_since

from ..delivery import post
from ..grants.sale_ends import NEVER, TELL_LEVELS, hubs_selling, sale_end
from ..messages import Wait
from ..messages.leases import LeaseForced, LeaseGrant, LeaseRecall, LeaseRefusal, LeaseReport, LeaseRequest
from ..messages.types import refuse_leap
from ..notices import note_for_enterprise
from ..peers.peers import Peer
from ..runtime import Federation
from .joined import hold_lanes_to_holders, lock_leases
from .lender import WAIT_LIMIT, refuse_waiting, serve_waiting
from .recalling import ordered_here, recall
from .row import COVERED, LotLease, holdings_of, later, lease_with, leased_lot, set_lease

AHEAD = timedelta(hours=3)  # a hub holds units for this time: about as many as it sold in the same time before
SOON = timedelta(hours=1)  # units are requested for a sale that opens within this time
PAUSE = timedelta(minutes=2)  # between two requests ahead of need for one lot
ONE_HOP = timedelta(seconds=2)  # in which the next lender answers a request that is passed on
EXPIRES = timedelta(minutes=1)  # of a request for a waiting customer: clocks may differ by so much
AHEAD_EXPIRES = timedelta(minutes=5)  # lifetime of a request ahead of need
FIRST_SHARE = 10  # percent of the obtainable units that a hub holds for a lot of which it has not sold anything yet


def take_grant(federation: Federation, tx: Transaction, peer: Peer, grant: LeaseGrant) -> None:
    """Puts newly granted units on sale. A grant that arrives twice or late changes nothing.

    Raises `Wait` for a grant of an epoch of which this instance has not heard yet.
    """
    lot_id = leased_lot(tx, "holder", peer.id, grant.lot)
    if lot_id is not None:
        lock_leases(tx, lot_id)  # of those to whom it is lent on, too
    lease = lease_with(tx, "holder", peer.id, lot_iri=grant.lot)
    if lease is None or grant.epoch < lease.row.epoch:
        return  # granted before a forced return that is known here
    if grant.epoch > lease.row.epoch:
        raise Wait  # until the notice of the forced return arrives
    newly_granted = lease.grains(grant.granted) - lease.row.granted
    until = later(lease.row.until, grant.until)
    if newly_granted > 0:
        lease_in(tx, lease.row.lot_id, newly_granted, note=peer.name)
        owed = min(newly_granted, max(0, lease.uncovered))  # counted here or sold already, and covered by this grant
        write_off(tx, lease.row.lot_id, owed, note=COVERED)
    granted = lease.row.granted + max(0, newly_granted)
    lease = set_lease(tx, lease, granted=granted, until=until, barred=grant.barred)
    _show_level(tx, lease, lease.grains(grant.beyond))
    if newly_granted > 0:
        serve_waiting(federation, tx, lease.row.lot_id)


def update_level(tx: Transaction, peer: Peer, lot: str, beyond: Decimal) -> None:
    """Keeps how much is obtainable from the lender, a hint for the hub's pages; `beyond` in the lot's unit."""
    lease = lease_with(tx, "holder", peer.id, lot_iri=lot)
    if lease is None:
        return
    if beyond and not lease.lot.beyond:
        enqueue(tx, TELL_LEVELS, {"lot": lease.row.lot_id})  # to those to whom it is lent on
    _show_level(tx, lease, lease.grains(beyond))
    if lease.row.barred and beyond:
        set_lease(tx, lease, barred=False)


def take_refusal(federation: Federation, tx: Transaction, peer: Peer, refusal: LeaseRefusal) -> None:
    """Keeps how much is obtainable, and whether the lender counts the lot again, which those who wait here are told."""
    lot_id = leased_lot(tx, "holder", peer.id, refusal.lot)
    if lot_id is None:
        return
    if refusal.barred:
        lock_leases(tx, lot_id)
    lease = lease_with(tx, "holder", peer.id, lot_id=lot_id)
    if lease is None:
        return
    _show_level(tx, lease, lease.grains(refusal.beyond))
    if lease.row.barred != refusal.barred:
        set_lease(tx, lease, barred=refusal.barred)
    if refusal.barred:
        refuse_waiting(federation, tx, lot_id)


def give_back(federation: Federation, tx: Transaction, lease: LotLease, grains: int) -> int:
    """Returns up to `grains` free grains to the lender and reports that in the same transaction. Returns how many there
    were.

    Units that the lender had taken back by force count as returned already. The surplus that this hub's scales found
    beyond the grant stays here.
    """
    grains = min(grains, lease.free)
    forced = min(grains, _taken_by_force(lease))
    row, (_, sold) = lease.row, lease.counts
    by_grant = min(grains - forced, max(0, row.granted - row.returned - sold))
    grains = forced + by_grant
    if grains <= 0 or not lease_in(tx, row.lot_id, -grains, note="given back"):
        return 0
    report(federation, tx, set_lease(tx, lease, returned=lease.row.returned + by_grant))
    return grains


def report(federation: Federation, tx: Transaction, lease: LotLease) -> None:
    """Sends the lender all counts as they are now, under the next report number."""
    held, sold = lease.counts
    lease = set_lease(
        tx,
        lease,
        report=lease.row.report + 1,
        seen=lease.row.granted,
        held=held,
        sold=sold,
        ordered=ordered_here(tx, lease),
    )
    row = lease.row
    body = LeaseReport(
        lot=row.lot_iri,
        unit=lease.unit,
        epoch=row.epoch,
        report=row.report,
        seen=lease.units(row.seen),
        returned=lease.units(row.returned),
        held=lease.units(held),
        sold=lease.units(sold),
        ordered=lease.units(row.ordered),
    )
    post(federation, tx, row.peer_id, "LeaseReport", body)


def answer_recall(federation: Federation, tx: Transaction, peer: Peer, recalled: LeaseRecall) -> None:
    """Returns units that nobody has ordered here, because a customer of another hub lacks them; what is not free here
    is recalled from those to whom it was lent on.

    Where nobody has any, a report tells the lender so, and it asks other holders.
    """
    lot_id = leased_lot(tx, "holder", peer.id, recalled.lot)
    if lot_id is None:
        return
    lock_leases(tx, lot_id)
    lease = lease_with(tx, "holder", peer.id, lot_id=lot_id)
    if lease is not None:
        _return_recalled(federation, tx, lease, lease.grains(recalled.wanted))


def pass_back_recalled(federation: Federation, tx: Transaction, lot_id: str) -> None:
    """Goes on with the recall of our own lender, if there is one, after a holder of ours has said what it has."""
    for holding in holdings_of(tx, [lot_id]):
        since = holding.row.recalled_at
        if not holding.row.recalled or since is None or since < tx.now - WAIT_LIMIT:
            continue
        lock_leases(tx, lot_id)
        lease = lease_with(tx, "holder", holding.row.peer_id, lot_id=lot_id)
        if lease is not None:
            _return_recalled(federation, tx, lease, holding.row.recalled)


def _return_recalled(federation: Federation, tx: Transaction, lease: LotLease, grains: int) -> None:
    if lease.lot.lent:
        hold_lanes_to_holders(tx, lease.lot.id)
    returned = give_back(federation, tx, lease, grains)
    missing = grains - returned
    awaited = missing - recall(federation, tx, lease.row.lot_id, missing)
    lease = set_lease(tx, lease, recalled=awaited, recalled_at=tx.now if awaited else None)
    if not returned and not awaited:
        report(federation, tx, lease)


def take_forced_return(federation: Federation, tx: Transaction, peer: Peer, notice: LeaseForced) -> None:
    """Stops selling units that the producer took back by force, and reports those that are ordered already as late."""
    lease = lease_with(tx, "holder", peer.id, lot_iri=notice.lot)
    if lease is None or notice.epoch <= lease.row.epoch:
        return
    refuse_leap("Epoch", notice.epoch, lease.row.epoch)
    lease_in(tx, lease.row.lot_id, -lease.free, note="taken back by force")
    cleared = dict.fromkeys(("granted", "report", "seen", "returned", "held", "sold", "wanted", "recalled"), 0)
    # Sales that the lender did not know of at that moment count as late and are reported again.
    before = lease.row.sold_before + lease.grains(notice.sold)
    lease = set_lease(tx, lease, epoch=notice.epoch, **cleared, sold_before=before, wanted_at=None)
    if lease.uncovered > 0:
        quantity = {"lot": lease.lot.name, "quantity": f"{lease.units(lease.uncovered):f}", "unit": lease.unit}
        for hub_id in hubs_selling(tx, lease.row.enterprise_id):
            note_for_enterprise(tx, hub_id, "oversold", peer.id, lease.row.id, **quantity)
    report(federation, tx, lease)


def maintain_holding(federation: Federation, tx: Transaction, peer_id: str, lot_id: str) -> None:
    """Does a holder's work of each minute: reports sales, requests units ahead of need, returns idle ones."""
    lease = lease_with(tx, "holder", peer_id, lot_id=lot_id)
    if lease is None or lease.lot.unlimited:
        return
    if _taken_by_force(lease) and lease.free:  # a late sale was called off
        give_back(federation, tx, lease, min(lease.free, _taken_by_force(lease)))
        return
    needed = _needed(tx, lease)
    idle = lease.free - 2 * needed
    is_idle = idle > 0 and (needed == 0 or idle > _slack(lease))
    if not (is_idle and give_back(federation, tx, lease, lease.free - needed)) and _has_news(tx, lease):
        report(federation, tx, lease)
    ends_soon = lease.row.until is not None and lease.row.until < tx.now + SOON
    if (needed > lease.free and lease.lot.beyond) or (ends_soon and needed):
        _ask_ahead(federation, tx, lease, needed - lease.free)


def _has_news(tx: Transaction, lease: LotLease) -> bool:
    """Whether the counts differ from those that the lender has, or its figure of ordered units is too old."""
    row = lease.row
    differs = lease.counts != (row.held, row.sold) or row.seen < row.granted
    return differs or abs(ordered_here(tx, lease) - row.ordered) > _slack(lease)


def ask_further(federation: Federation, tx: Transaction, lot_id: str, least: int, hoped: int) -> None:
    """Passes on a request that a hub sent us for units that we lease ourselves.

    `least` and `hoped` are grains. `least` is for a waiting customer: it is requested at once, all of it or nothing.
    """
    for holding in holdings_of(tx, [lot_id]):
        lease = lease_with(tx, "holder", holding.row.peer_id, lot_id=lot_id)
        if lease is None or lease.lot.unlimited:
            continue
        if not least:
            _ask_ahead(federation, tx, lease, hoped)
        elif lease.row.asked_until is None or lease.row.asked_until <= tx.now:
            lease = set_lease(tx, lease, asked_until=tx.now + ONE_HOP)
            post(
                federation,
                tx,
                lease.row.peer_id,
                "LeaseRequest",
                lease_request(tx, lease, least, hoped),
                expires=tx.now + EXPIRES,
            )


def ask_again(federation: Federation, tx: Transaction, lease: LotLease) -> None:
    """Requests zero units: the answer states all that was ever granted, which repairs a lost message."""
    if not lease.lot.unlimited:
        _ask_ahead(federation, tx, lease, 0)


def _ask_ahead(federation: Federation, tx: Transaction, lease: LotLease, missing: int) -> None:
    if _is_recent(tx, lease) and missing <= lease.row.wanted:
        return
    lease = set_lease(tx, lease, wanted=max(0, missing), wanted_at=tx.now)
    body = lease_request(tx, lease, 0, max(0, missing))
    post(federation, tx, lease.row.peer_id, "LeaseRequest", body, expires=tx.now + AHEAD_EXPIRES)


def lease_request(tx: Transaction, lease: LotLease, least: int, hoped: int) -> LeaseRequest:
    """Returns a request for at least `least` grains, and for up to `hoped` where they are free."""
    return LeaseRequest(
        lot=lease.row.lot_iri,
        unit=lease.unit,
        least=lease.units(least),
        hoped=lease.units(max(least, hoped)),
        ordered=lease.units(ordered_here(tx, lease)),
    )


def _needed(tx: Transaction, lease: LotLease) -> int:
    """Expected sales of the next hours in grains; 0 when the lot is not on sale and will not be soon."""
    if lease.row.lot_id not in lots_on_sale(tx, [lease.row.lot_id], before=tx.now + SOON):
        return 0
    return expected_sales(tx, lease)


def _is_recent(tx: Transaction, lease: LotLease) -> bool:
    """Whether units were requested ahead of need a moment ago."""
    asked_at = lease.row.wanted_at
    return asked_at is not None and bool(asked_at > tx.now - PAUSE)


def expected_sales(tx: Transaction, lease: LotLease) -> int:
    """Grains sold or reserved in the last hours, at least a share of the obtainable ones."""
    went: int = taken_since(tx, lease.row.lot_id, tx.now - AHEAD)
    available = lease.grains(lease.lot.beyond + lease.lot.free)
    return max(int(went), available * FIRST_SHARE // 100)


def _slack(lease: LotLease) -> int:
    """Grains by which a count may differ before it is worth a message."""
    return 5 * lease.lot.per_unit if lease.lot.per_unit == 1 else lease.lot.per_unit


def _show_level(tx: Transaction, lease: LotLease, beyond: int) -> None:
    """Keeps with the lot how many grains are obtainable, and until when the lot is sold here."""
    end = sale_end(tx, lease.row)
    tell_beyond(tx, lease.row.lot_id, 0 if end == NEVER else beyond, end)


def _taken_by_force(lease: LotLease) -> int:
    """Grains that the lender took back by force and that are still here, because they were sold or ordered."""
    return max(0, lease.uncovered) if lease.row.epoch > 1 else 0
