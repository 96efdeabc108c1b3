"""The lender's side of a lease: the instance where the goods are. No unit is lent twice, and time alone frees none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import bindparam, func, select, update

from commensal import Conflict, Transaction, enqueue
from commensal.parts.copies import lend_stock, settle_lent, write_off

from ..authority.authority import refuse_moving, wait_while_moving
from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import lot_iri
from ..grants.questions import share_granted
from ..grants.sale_ends import is_barred
from ..grants.tables import federation_lease
from ..messages import Refuse
from ..messages.leases import Asked, LeaseForced, LeaseGrant, LeaseRefusal, LeaseReport
from ..messages.types import refuse_leap
from ..notices import note_for_enterprise, note_for_operators
from ..peers.peers import Peer, peer_by_id
from ..runtime import Federation
from .joined import free_stock_of_main, gather_free_stock, hold_lanes_to_holders, lock_leases, lots_joined, main_lot
from .recalling import is_lendable, obtainable, recall
from .row import (
    COVERED,
    NO_COUNTS,
    LotLease,
    holdings_of,
    later,
    lease_by_id,
    lease_with,
    lot_of_lease,
    open_lease,
    outstanding,
    set_lease,
    sold_by_right,
)

RECHECK = "federation.recheck_orders"  # a job of `orders`: {"peer": …}, whose leases cover more than before
TERM = timedelta(hours=24)  # of a grant; a further request extends it
FEW = 10  # units: a lot of so few may go to one hub whole
WAIT_LIMIT = timedelta(seconds=10)  # how long a customer may wait, with two instances between them and the goods
_BARRED = "After a restore it is not known yet who holds how much of it."
SCALE_TOLERANCE = 10  # percent beyond the grant that a holder's scales may find of weighed goods
_row = federation_lease.c
_WAITING = (
    select(_row.id)
    .where(_row.lot_id == bindparam("lot"), _row.role == "lender", _row.wanted > 0, _row.wanted_at > bindparam("since"))
    .order_by(_row.wanted_at, _row.id)
)


@dataclass(frozen=True)
class Ungranted:
    """Grains that a request was not granted: of the least that it needs, and of all that it hopes for."""

    least: int = 0
    hoped: int = 0


def answer_request(
    federation: Federation,
    tx: Transaction,
    peer: Peer,
    enterprise_id: str,
    lot_id: str,
    amounts: Asked,
    in_reply_to: str,
) -> Ungranted:
    """Grants as much as is free, up to the hoped-for quantity. Returns the grains that no holder here can supply.

    Where less than the least is free nothing is granted: other holders are asked to return units, and the grant follows
    when they have. Raises `Refuse` for a lot that needs no lease, and for a lease too many.
    """
    wait_while_moving(tx, enterprise_id)
    lock_leases(tx, lot_id)
    lease = lease_with(tx, "lender", peer.id, lot_id=lot_id) or _open_new_lease(
        federation, tx, peer, enterprise_id, lot_id
    )
    if lease.lot.unlimited:
        raise Refuse("unlimited", "There is no need to lease what is unlimited.")
    lease = set_lease(tx, lease, ordered=amounts.ordered)
    room = max(0, _lendable(tx, lease, peer))
    if room >= amounts.least:
        granted = min(amounts.hoped, room)
        lease = set_lease(
            tx, _grant(tx, lease, granted), ordered=amounts.ordered + amounts.least, wanted=0, wanted_at=None
        )
        _tell_grant(federation, tx, lease, in_reply_to)
        return Ungranted(hoped=amounts.hoped - granted)
    share = max(0, min(_share(tx, lease, peer), _most_at_once(lease, peer)))
    barred = _is_barred_somewhere(tx, lot_id)
    if share < amounts.least or lease.row.late:
        reason = _BARRED if barred else "That is more than one hub may hold, or ask for, at once."
        _refuse(federation, tx, lease, lease.units(room), reason, in_reply_to, barred=barred)
        return Ungranted()
    set_waiting(tx, lease, amounts.least)
    hold_lanes_to_holders(tx, lot_id, peer.id)
    barred_here, beyond = is_barred(tx, lot_id), obtainable(tx, lease.lot, but=peer.id)
    if barred and not barred_here:  # our lender may have counted by now: it is asked, and its answer passed on
        beyond = max(beyond, lease.units(amounts.least))
    reason = _BARRED if barred else "There is not enough."
    _refuse(federation, tx, lease, beyond, reason, in_reply_to, barred=barred)
    unavailable = 0 if barred_here else recall(federation, tx, lot_id, amounts.least - lease.free, but=lease.row.id)
    return Ungranted(least=unavailable, hoped=unavailable)


def _is_barred_somewhere(tx: Transaction, lot_id: str) -> bool:
    """Whether the lot is behind the barrier of a restore here, or by its last word at our own lender."""
    return is_barred(tx, lot_id) or any(holding.row.barred for holding in holdings_of(tx, [lot_id]))


def _refuse(
    federation: Federation,
    tx: Transaction,
    lease: LotLease,
    beyond: Decimal,
    reason: str,
    in_reply_to: str | None,
    *,
    barred: bool = False,
) -> None:
    body = LeaseRefusal(lot=lease.row.lot_iri, unit=lease.unit, beyond=beyond, reason=reason, barred=barred)
    post(federation, tx, lease.row.peer_id, "LeaseRefusal", body, in_reply_to=in_reply_to)


def set_waiting(tx: Transaction, lease: LotLease, grains: int) -> None:
    """Notes how many grains a customer of the holder waits for: soon all of them are granted, or none. 0 clears it."""
    set_lease(tx, lease, wanted=grains, wanted_at=tx.now if grains else None)


def take_report(federation: Federation, tx: Transaction, peer: Peer, lot_id: str, report: LeaseReport) -> None:
    """Takes over the holder's counts if they are newer than ours. Raises `Refuse` for impossible counts, and for a
    number that no holder reaches."""
    lock_leases(tx, lot_id)
    lease = lease_with(tx, "lender", peer.id, lot_id=lot_id)
    if lease is None:
        raise Refuse("no_lease", "This instance holds nothing of that lot.")
    wait_while_moving(tx, lease.row.enterprise_id)
    row = lease.row
    if report.epoch < row.epoch or report.report <= row.report:
        return  # sent before a forced return, or an older report that arrives late
    if report.epoch > row.epoch:
        raise Refuse("epoch", "There was no such epoch of this lease.")
    refuse_leap("Report", report.report, row.report)
    seen, returned, held, sold = (
        lease.grains(quantity) for quantity in (report.seen, report.returned, report.held, report.sold)
    )
    late = _late(lease, seen, returned, held, sold)
    _refuse_impossible(lease, seen, returned, held, sold)
    newly_returned, newly_sold = returned - row.returned, sold_by_right(sold, held, late) - lease.sold
    if not settle_lent(
        tx,
        lot_id,
        back=newly_returned,
        sold=newly_sold,
        lent=outstanding(row.granted, seen, held, late) - lease.outstanding,
        note=peer.name,
    ):
        raise Refuse("counts", "These counts do not follow from the last ones.")
    ordered = lease.grains(report.ordered)
    if row.recalled and not newly_returned:
        ordered = max(ordered, held)  # it has nothing to give back, whatever it calls ordered: others are asked now
    surplus_before = lease.surplus
    lease = set_lease(
        tx,
        lease,
        report=report.report,
        seen=seen,
        returned=returned,
        held=held,
        sold=sold,
        late=late,
        ordered=ordered,
        recalled=0,
        recalled_at=None,
    )
    if late > row.late:
        notify_late_sales(tx, lease)
    _release_double_cover(tx, lot_id, surplus_before - lease.surplus)
    if newly_returned:
        set_waiting(tx, lease, 0)  # it waits for none, else it would get the same units again and again
        _write_off_lost(tx, lease, newly_returned)
    if newly_returned or row.recalled:
        serve_waiting(federation, tx, gather_free_stock(tx, lot_id))


def notify_late_sales(tx: Transaction, lease: LotLease) -> None:
    """Alerts people to what the holder has sold without a lease: the producer's or, where this instance has leased the
    lot itself, the operators."""
    row, quantity = lease.row, f"{lease.units(lease.row.late):f}"
    text = f"{lease.lot.name}: {quantity} {lease.unit} were sold without having been leased."
    alert(tx, row.peer_id, "late", text)
    if holdings_of(tx, [row.lot_id]):  # a copy: its producer is at home elsewhere
        note_for_operators(tx, "late", row.peer_id, text)
    else:
        note_for_enterprise(
            tx,
            row.enterprise_id,
            "sold_late",
            row.peer_id,
            row.id,
            lease=row.id,
            lot=lease.lot.name,
            quantity=quantity,
            unit=lease.unit,
        )


def _release_double_cover(tx: Transaction, lot_id: str, grains: int) -> None:
    """Frees grains that two grants have covered: ours to the holder, and our own lender's to us.

    A holder's scales found more than was granted, and a grant of ours has covered `grains` of that since. Where this
    instance leases the lot itself, a grant to it may have covered the same, so it holds less than it was granted.
    """
    for holding in holdings_of(tx, [lot_id]) if grains > 0 else ():
        write_off(tx, lot_id, -min(grains, max(0, -holding.uncovered)), note=f"{COVERED} twice")


def serve_waiting(federation: Federation, tx: Transaction, lot_id: str) -> None:
    """Grants free units to the holders whose customers wait, in the order of their requests.

    A customer's request is granted whole or not at all. What is still missing is recalled from other holders.
    """
    lock_leases(tx, lot_id)
    waiting = tx.all(_WAITING, {"lot": lot_id, "since": tx.now - WAIT_LIMIT})
    if waiting:
        hold_lanes_to_holders(tx, lot_id)
    for row in waiting:
        lease = lease_by_id(tx, row["id"])
        peer = peer_by_id(tx, lease.row.peer_id)
        if not peer.active or not is_lendable(tx, peer, lot_id):
            continue
        if lease.row.wanted <= _lendable(tx, lease, peer):
            ordered = lease.row.ordered + lease.row.wanted
            lease = set_lease(tx, _grant(tx, lease, lease.row.wanted), ordered=ordered, wanted=0, wanted_at=None)
            _tell_grant(federation, tx, lease, None)
        else:
            recall(federation, tx, lot_id, lease.row.wanted - lease.free, but=lease.row.id)


def refuse_waiting(federation: Federation, tx: Transaction, lot_id: str) -> None:
    """Tells the holders whose customers wait that our own lender counts the lot again after a restore. The caller has
    locked the leases of the lot."""
    waiting = tx.all(_WAITING, {"lot": lot_id, "since": tx.now - WAIT_LIMIT})
    if waiting:
        hold_lanes_to_holders(tx, lot_id)
    for row in waiting:
        _refuse(federation, tx, lease_by_id(tx, row["id"]), Decimal(0), _BARRED, None, barred=True)


def force_return(federation: Federation, tx: Transaction, lease_id: str) -> LotLease:
    """Takes back all units that the holder has not reported as sold, for a hub that is gone or does not answer.

    Sales that it had not reported by then arrive as late ones, for a person to settle. Returns the lease in its new
    epoch. Raises `NotFound`, and `Conflict` while the enterprise moves.
    """
    lock_leases(tx, lot_of_lease(tx, lease_id))
    lease = lease_by_id(tx, lease_id)
    refuse_moving(tx, lease.row.enterprise_id)
    if not settle_lent(tx, lease.row.lot_id, back=lease.outstanding, note="taken back by force"):
        raise AssertionError(f"the lot {lease.row.lot_id} has lent less than its leases hold")
    sold = lease.sold
    before = lease.row.sold_before + sold
    lease = set_lease(tx, lease, epoch=lease.row.epoch + 1, **NO_COUNTS, sold_before=before, until=None)
    body = LeaseForced(lot=lease.row.lot_iri, unit=lease.unit, epoch=lease.row.epoch, sold=lease.units(sold))
    if peer_by_id(tx, lease.row.peer_id).state in ("accepted", "suspended"):  # else nobody reads it
        post(federation, tx, lease.row.peer_id, "LeaseForced", body)
    serve_waiting(federation, tx, gather_free_stock(tx, lease.row.lot_id))
    return lease_by_id(tx, lease_id)


def accept_late(federation: Federation, tx: Transaction, lease_id: str) -> bool:
    """Grants the units that were sold late. Returns False when less is free.

    Raises `NotFound`, and `Conflict` while the enterprise moves, or while it is unknown after a restore who holds what.
    The holder uses a grant for its late sales first, so its next report has none.
    """
    lease = lease_by_id(tx, lease_id)
    refuse_moving(tx, lease.row.enterprise_id)
    if is_barred(tx, lease.row.lot_id):
        text = "After a restore it is not known yet who holds how much of {name}; see `commensal federation peer list`."
        raise Conflict("barrier", text, name=lease.lot.name)
    under_way = lease.row.granted - lease.row.seen
    more = lease.row.late - under_way
    with free_stock_of_main(tx, lease.row.lot_id):
        lease = lease_by_id(tx, lease_id)
        if more <= lease.free and more > 0:
            _tell_grant(federation, tx, _grant(tx, lease, more), None)
    if more > lease.free:
        return False
    enqueue(tx, RECHECK, {"peer": lease.row.peer_id})
    return True


def grains_covered(tx: Transaction, peer: Peer, lot_id: str) -> int:
    """Grains of the lot, and of those joined to it, that the peer may have sold: all that it was granted and has not
    returned, and the surplus that its scales may find."""
    covered = 0
    for lease in _leases_of_goods(tx, peer, lot_id):
        granted = lease.row.granted - lease.row.returned + lease.row.sold_before
        covered += granted + (granted * SCALE_TOLERANCE // 100 if lease.lot.per_unit > 1 else 0)
    return covered


def _leases_of_goods(tx: Transaction, peer: Peer, lot_id: str) -> list[LotLease]:
    """Returns the peer's leases of the main lot and of those joined to it, locked in the order of their ids."""
    lots = lots_joined(tx, main_lot(tx, lot_id))
    conditions = (_row.role == "lender", _row.peer_id == peer.id, _row.lot_id.in_(lots))
    return [lease_by_id(tx, row["id"]) for row in tx.all(select(_row.id).where(*conditions).order_by(_row.id))]


def expect_lost(tx: Transaction, peer: Peer, lot_id: str, grains: int) -> None:
    """Notes grains that the producer cannot deliver: when they are returned they are written off instead of sold.

    They may return under any of the peer's leases of these goods.
    """
    for lease in _leases_of_goods(tx, peer, lot_id)[:1]:
        set_lease(tx, lease, lost=lease.row.lost + grains)


def _write_off_lost(tx: Transaction, lease: LotLease, back: int) -> None:
    for noted in _leases_of_goods(tx, peer_by_id(tx, lease.row.peer_id), lease.row.lot_id):
        lost = min(back, noted.row.lost)
        if lost and write_off(tx, lease.row.lot_id, lost, note="not delivered"):
            set_lease(tx, noted, lost=noted.row.lost - lost)
            back -= lost


def _open_new_lease(federation: Federation, tx: Transaction, peer: Peer, enterprise_id: str, lot_id: str) -> LotLease:
    open_leases = tx.value(select(func.count()).where(_row.role == "lender", _row.peer_id == peer.id))
    if open_leases >= peer.limits.open_leases:
        raise Refuse("too_many", f"An instance may hold leases of {peer.limits.open_leases} lots here.")
    return open_lease(tx, "lender", peer.id, enterprise_id, lot_id, lot_iri(federation.base, lot_id))


def _lendable(tx: Transaction, lease: LotLease, peer: Peer) -> int:
    """How many more grains of the lot this peer may hold now.

    0 while its late sales are unsettled, or while it is unknown after a restore who holds what.
    """
    if lease.row.late or is_barred(tx, lease.row.lot_id):
        return 0
    return min(lease.free, _share(tx, lease, peer))


def _share(tx: Transaction, lease: LotLease, peer: Peer) -> int:
    """How many more grains the peer may hold beyond those that its customers have ordered."""
    share = min(peer.limits.lot_share, share_granted(tx, lease.row.enterprise_id, peer.id))
    return _percent(lease, share) - max(0, lease.outstanding - lease.row.ordered)


def _most_at_once(lease: LotLease, peer: Peer) -> int:
    """How many grains of the lot one customer's order may request."""
    return _percent(lease, peer.limits.order_share)


def _percent(lease: LotLease, share: int) -> int:
    """`share` percent of the grains here and obtainable from our own lender, and at least `FEW` units."""
    total = lease.grains(lease.lot.on_hand + lease.lot.beyond)
    return max(-(-total * share // 100), FEW * lease.lot.per_unit if share else 0)


def _grant(tx: Transaction, lease: LotLease, grains: int) -> LotLease:
    if grains and not lend_stock(tx, lease.row.lot_id, grains):
        raise AssertionError(f"the lot {lease.row.lot_id} has changed under its lock")
    return set_lease(tx, lease, granted=lease.row.granted + grains, until=later(lease.row.until, tx.now + TERM))


def _tell_grant(federation: Federation, tx: Transaction, lease: LotLease, in_reply_to: str | None) -> None:
    row = lease.row
    assert row.until is not None, "a grant sets it"
    beyond = obtainable(tx, lease.lot, but=row.peer_id)
    body = LeaseGrant(
        lot=row.lot_iri,
        unit=lease.unit,
        epoch=row.epoch,
        granted=lease.units(row.granted),
        until=row.until,
        beyond=beyond,
        barred=not beyond and _is_barred_somewhere(tx, row.lot_id),
    )
    post(federation, tx, row.peer_id, "LeaseGrant", body, in_reply_to=in_reply_to)


def _late(lease: LotLease, seen: int, returned: int, held: int, sold: int) -> int:
    """Grains sold, held or returned beyond the grant, less the surplus that scales may find."""
    surplus = held + sold + returned - seen
    weighed = lease.lot.per_unit > 1
    return max(0, surplus - (seen * SCALE_TOLERANCE // 100 if weighed else 0))


def _refuse_impossible(lease: LotLease, seen: int, returned: int, held: int, sold: int) -> None:
    row = lease.row
    if min(seen, returned, held, sold) < 0 or seen > row.granted:
        raise Refuse("counts", "A count is below zero, or more was seen than was granted.")
    if seen < row.seen or returned < row.returned:
        raise Refuse("counts", "What was granted or given back cannot become less.")
    if returned > row.returned and returned + sold > seen:
        raise Refuse("counts", "More was given back and sold than was granted.")


def drop_expired_waits(tx: Transaction, lot_id: str) -> None:
    """Forgets waits that are too old: those customers have gone, or ask again."""
    old = (_row.lot_id == lot_id, _row.wanted_at < tx.now - WAIT_LIMIT)
    tx.execute(update(federation_lease).where(*old).values(wanted=0, wanted_at=None))
