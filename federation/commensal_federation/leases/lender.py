"""The lender's side: the producer's home, where the goods are. Nothing is lent twice, and time frees nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import bindparam, func, select, update

from commensal import Conflict, Transaction, lease_in, lend_stock, settle_lent, write_off

from ..authority.authority import refuse_moving, wait_while_moving
from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import lot_iri
from ..messages import Refuse
from ..messages.bodies.leases import Asked, LeaseForced, LeaseGrant, LeaseRefusal, LeaseReport
from ..orders.looking import look_again
from ..peers.peers import peer_by_id
from ..peers.values import Peer
from ..runtime import Federation
from .lendable import is_lendable
from .recalling import recall, to_be_had
from .row import Held, by_right, holdings_of, later, lease_by_id, lease_with, open_lease, out, set_lease
from .sales import is_barred
from .tables import federation_lease

TERM = timedelta(hours=24)  # of a grant; asking again makes it longer
FEW = 10  # units of a lot that are not shared out
WAITS = timedelta(seconds=10)  # so long a customer may wait, with two instances between them and the goods
FOUND = 10  # percent more than was granted that the scales of a holder may find, of what is weighed
_row = federation_lease.c
_WAITING = (
    select(_row.id)
    .where(_row.lot_id == bindparam("lot"), _row.role == "lender", _row.wanted > 0, _row.wanted_at > bindparam("since"))
    .order_by(_row.wanted_at, _row.id)
)


@dataclass(frozen=True)
class Missing:
    """Grains that a request was not granted: of the least that it needs, and of what it hopes for besides."""

    least: int = 0
    hoped: int = 0


def answer_request(
    federation: Federation, tx: Transaction, peer: Peer, enterprise_id: str, lot_id: str, said: Asked, in_reply_to: str
) -> Missing:
    """Grants what there is up to what is hoped for, or, where that is less than the least, nothing at all: then it is
    called back from others, and granted when it has come.

    Raises `Refuse` for a lot that needs no lease.
    """
    wait_while_moving(tx, enterprise_id)
    lease = lease_with(tx, "lender", peer.id, lot_id=lot_id) or _opened(federation, tx, peer, enterprise_id, lot_id)
    if lease.lot.unlimited:
        raise Refuse("unlimited", "There is no need to lease what is unlimited.")
    lease = set_lease(tx, lease, ordered=said.ordered)
    room = max(0, _lendable(tx, lease, peer))
    if room >= said.least:
        given = min(said.hoped, room)
        lease = set_lease(tx, _give(tx, lease, given), ordered=said.ordered + said.least, wanted=0, wanted_at=None)
        _tell_grant(federation, tx, lease, in_reply_to)
        return Missing(hoped=said.hoped - given)
    share = max(0, min(_share(lease, peer), _most_at_once(lease, peer)))
    if share < said.least or lease.row["late"]:
        _refuse(federation, tx, lease, lease.units(room), "That is more than one hub may hold, or ask for, at once.",
                in_reply_to)  # fmt: skip
        return Missing()
    want(tx, lease, said.least)
    _refuse(federation, tx, lease, to_be_had(tx, lease.lot, but=peer.id), "There is not enough.", in_reply_to)
    nowhere = 0 if is_barred(tx, lot_id) else recall(federation, tx, lease, said.least - lease.free)
    return Missing(least=nowhere, hoped=nowhere)


def _refuse(
    federation: Federation, tx: Transaction, lease: Held, beyond: Decimal, reason: str, in_reply_to: str
) -> None:
    body = LeaseRefusal(lot=lease.row["lot_iri"], unit=lease.unit, beyond=beyond, reason=reason)
    post(federation, tx, lease.row["peer_id"], "LeaseRefusal", body, in_reply_to=in_reply_to)


def want(tx: Transaction, lease: Held, grains: int) -> None:
    """A customer of the holder waits for these: it gets them when they come soon, and all of them or none."""
    set_lease(tx, lease, wanted=grains, wanted_at=tx.now if grains else None)


def take_report(federation: Federation, tx: Transaction, peer: Peer, lot_id: str, said: LeaseReport) -> None:
    """The holder's counts become ours, if they are newer than what we know. Raises `Refuse` for what cannot be."""
    lease = lease_with(tx, "lender", peer.id, lot_id=lot_id)
    if lease is None:
        raise Refuse("no_lease", "This instance holds nothing of that lot.")
    wait_while_moving(tx, lease.row["enterprise_id"])
    row = lease.row
    if said.epoch < row["epoch"] or said.report <= row["report"]:
        return  # of before a forced return, or an older one that comes late
    if said.epoch > row["epoch"]:
        raise Refuse("epoch", "There was no such epoch of this lease.")
    seen, returned, held, sold = (lease.grains(one) for one in (said.seen, said.returned, said.held, said.sold))
    late = _late(lease, seen, returned, held, sold)
    _refuse_impossible(lease, seen, returned, held, sold)
    back, went = returned - row["returned"], by_right(sold, held, late) - lease.sold
    if not settle_lent(tx, lot_id, back=back, sold=went, lent=out(row, seen, held, late) - lease.out, note=peer.name):
        raise Refuse("counts", "These counts do not follow from the last ones.")
    if late > row["late"]:
        text = f"{lease.lot.name}: {lease.units(late):f} {lease.unit} were sold without having been leased."
        alert(tx, peer.id, "late", text)
    found = lease.found
    lease = set_lease(
        tx, lease, report=said.report, seen=seen, returned=returned, held=held, sold=sold, late=late,
        ordered=lease.grains(said.ordered), recalled=0, recalled_at=None,
    )  # fmt: skip
    _free_made_up(tx, lot_id, found - lease.found)
    if back:
        want(tx, lease, 0)  # whoever gives back waits for nothing; else it would get the same again and again
        _write_off_lost(tx, lease, back)
    if back or row["recalled"]:
        serve_wants(federation, tx, lot_id)


def _free_made_up(tx: Transaction, lot_id: str, made_up: int) -> None:
    """What a holder's scales had found, a grant of ours has made up for. Where we lease the lot ourselves, a grant to
    us may have made up for it too: then we lack so much of what we were granted, and it is free again."""
    for held in holdings_of(tx, [lot_id]) if made_up > 0 else ():
        lease_in(tx, lot_id, min(made_up, max(0, -held.uncovered)), note="made up for twice")


def serve_wants(federation: Federation, tx: Transaction, lot_id: str) -> None:
    """Units have become free, or a holder has none to give back: those who wait get theirs, first come, first served.

    Nobody gets a part of what a customer waits for. What is still missing is called back from whoever else has some.
    """
    for waits in tx.all(_WAITING, {"lot": lot_id, "since": tx.now - WAITS}):
        lease = lease_by_id(tx, waits["id"])
        peer = peer_by_id(tx, lease.row["peer_id"])
        if not peer.active or not is_lendable(tx, peer, lot_id):
            continue
        if lease.row["wanted"] <= _lendable(tx, lease, peer):
            ordered = lease.row["ordered"] + lease.row["wanted"]
            lease = set_lease(tx, _give(tx, lease, lease.row["wanted"]), ordered=ordered, wanted=0, wanted_at=None)
            _tell_grant(federation, tx, lease, None)
        elif not is_barred(tx, lot_id):
            recall(federation, tx, lease, lease.row["wanted"] - lease.free)


def force_return(federation: Federation, tx: Transaction, lease_id: str) -> Held:
    """Takes back all that the holder has not sold, as far as is known: its hub is gone, or does not answer.

    What it had sold by then and not yet reported comes as late, for a person to settle. Raises `NotFound`.
    """
    lease = lease_by_id(tx, lease_id)
    refuse_moving(tx, lease.row["enterprise_id"])
    if not settle_lent(tx, lease.row["lot_id"], back=lease.out, note="taken back by force"):
        raise AssertionError(f"the lot {lease.row['lot_id']} has lent less than its leases hold")
    known = lease.sold
    none = dict.fromkeys(("granted", "report", "seen", "returned", "held", "sold", "late", "wanted"), 0)
    before = lease.row["sold_before"] + known
    lease = set_lease(tx, lease, epoch=lease.row["epoch"] + 1, **none, sold_before=before, until=None)
    body = LeaseForced(lot=lease.row["lot_iri"], unit=lease.unit, epoch=lease.row["epoch"], sold=lease.units(known))
    if peer_by_id(tx, lease.row["peer_id"]).state in ("accepted", "suspended"):  # else there is nobody to be told
        post(federation, tx, lease.row["peer_id"], "LeaseForced", body)
    serve_wants(federation, tx, lease.row["lot_id"])
    return lease_by_id(tx, lease_id)


def accept_late(federation: Federation, tx: Transaction, lease_id: str) -> bool:
    """What was sold late is granted after all. False where less is free. Raises `NotFound`, and `Conflict` while a
    restore leaves it open who holds what.

    The holder takes a grant for what it has sold without one first; its next report says that nothing is late any more.
    """
    lease = lease_by_id(tx, lease_id)
    refuse_moving(tx, lease.row["enterprise_id"])
    if is_barred(tx, lease.row["lot_id"]):
        text = "After a restore it is not known yet who holds how much of {name}; see `commensal federation peer list`."
        raise Conflict("barrier", text, name=lease.lot.name)
    under_way = lease.row["granted"] - lease.row["seen"]
    more = lease.row["late"] - under_way
    if more > lease.free:
        return False
    if more > 0:
        _tell_grant(federation, tx, _give(tx, lease, more), None)
    look_again(tx, lease.row["peer_id"])
    return True


def covered(tx: Transaction, peer: Peer, lot_id: str) -> int:
    """Grains of the lot that the peer may have sold to its customers: all that it was ever granted and has not given
    back, and what its scales may find."""
    lease = lease_with(tx, "lender", peer.id, lot_id=lot_id)
    if lease is None:
        return 0
    granted = int(lease.row["granted"] - lease.row["returned"] + lease.row["sold_before"])
    return granted + (granted * FOUND // 100 if lease.lot.per_unit > 1 else 0)


def expect_lost(tx: Transaction, peer: Peer, lot_id: str, grains: int) -> None:
    """The producer will not bring these grains: when they come back they are written off, and sold to nobody else."""
    lease = lease_with(tx, "lender", peer.id, lot_id=lot_id)
    if lease is not None:
        set_lease(tx, lease, lost=lease.row["lost"] + grains)


def _write_off_lost(tx: Transaction, lease: Held, back: int) -> None:
    lost = min(back, lease.row["lost"])
    if lost and write_off(tx, lease.row["lot_id"], lost, note="not delivered"):
        set_lease(tx, lease, lost=lease.row["lost"] - lost)


def _opened(federation: Federation, tx: Transaction, peer: Peer, enterprise_id: str, lot_id: str) -> Held:
    held = tx.value(select(func.count()).where(_row.role == "lender", _row.peer_id == peer.id))
    if held >= peer.limits.open_leases:
        raise Refuse("too_many", f"An instance may hold leases of {peer.limits.open_leases} lots here.")
    return open_lease(tx, "lender", peer.id, enterprise_id, lot_id, lot_iri(federation.base, lot_id))


def _lendable(tx: Transaction, lease: Held, peer: Peer) -> int:
    """How much more of the lot this peer may hold now; nothing while a person has to settle what it sold late, nor
    while a restore leaves it open who holds what."""
    if lease.row["late"] or is_barred(tx, lease.row["lot_id"]):
        return 0
    return min(lease.free, _share(lease, peer))


def _share(lease: Held, peer: Peer) -> int:
    """How much more the peer may hold that none of its customers has ordered."""
    return _percent(lease, peer.limits.lot_share) - max(0, lease.out - int(lease.row["ordered"]))


def _most_at_once(lease: Held, peer: Peer) -> int:
    """So much of the lot may be asked for by one customer's order."""
    return _percent(lease, peer.limits.order_share)


def _percent(lease: Held, share: int) -> int:
    """Of what there is, and may be had from where we have it ourselves; of a few units anybody may have all."""
    there = lease.grains(lease.lot.on_hand + lease.lot.beyond)
    return max(-(-there * share // 100), FEW * lease.lot.per_unit if share else 0)


def _give(tx: Transaction, lease: Held, grains: int) -> Held:
    if grains and not lend_stock(tx, lease.row["lot_id"], grains):
        raise AssertionError(f"the lot {lease.row['lot_id']} has changed under its lock")
    return set_lease(tx, lease, granted=lease.row["granted"] + grains, until=later(lease.row["until"], tx.now + TERM))


def _tell_grant(federation: Federation, tx: Transaction, lease: Held, in_reply_to: str | None) -> None:
    row = lease.row
    body = LeaseGrant(
        lot=row["lot_iri"], unit=lease.unit, epoch=row["epoch"], granted=lease.units(row["granted"]),
        until=row["until"], beyond=to_be_had(tx, lease.lot, but=row["peer_id"]),
    )  # fmt: skip
    post(federation, tx, row["peer_id"], "LeaseGrant", body, in_reply_to=in_reply_to)


def _late(lease: Held, seen: int, returned: int, held: int, sold: int) -> int:
    """Grains beyond what was granted, but for what scales may find."""
    found = held + sold + returned - seen
    weighed = lease.lot.per_unit > 1
    return max(0, found - (seen * FOUND // 100 if weighed else 0))


def _refuse_impossible(lease: Held, seen: int, returned: int, held: int, sold: int) -> None:
    row = lease.row
    if min(seen, returned, held, sold) < 0 or seen > row["granted"]:
        raise Refuse("counts", "A count is below zero, or more was seen than was granted.")
    if seen < row["seen"] or returned < row["returned"]:
        raise Refuse("counts", "What was granted or given back cannot become less.")
    if returned > row["returned"] and returned + sold > seen:
        raise Refuse("counts", "More was given back and sold than was granted.")


def forget_wants(tx: Transaction, lot_id: str) -> None:
    """Customers who waited have gone: whoever still needs something asks again."""
    old = (_row.lot_id == lot_id, _row.wanted_at < tx.now - WAITS)
    tx.execute(update(federation_lease).where(*old).values(wanted=0, wanted_at=None))
