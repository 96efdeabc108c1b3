"""The holder's side: a hub's instance, where the goods are sold. It sells only what it holds, and says what it did."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from commensal import Transaction, lease_in, lots_on_sale, taken_since, tell_beyond

from ..delivery import post
from ..messages import Wait
from ..messages.bodies.leases import LeaseForced, LeaseGrant, LeaseRecall, LeaseReport, LeaseRequest
from ..peers.values import Peer
from ..runtime import Federation
from .lender import serve_wants
from .row import Held, holdings_of, later, lease_with, set_lease
from .sales import NOT_AT_ALL, end_of

AHEAD = timedelta(hours=3)  # for which a hub holds units: about what it sold in as much time before
SOON = timedelta(hours=1)  # a sale that opens by then is prepared
PAUSE = timedelta(minutes=2)  # between two requests for the same
ONE_HOP = timedelta(seconds=2)  # in which an instance answers that is asked on behalf of another
EXPIRES = timedelta(minutes=1)  # of a request for a customer who waits: by so much clocks may differ
KEPT = timedelta(minutes=5)  # after which a request ahead of need means nothing any more
FIRST = 10  # percent of what may be had that is held for a sale of which nothing is known yet


def take_grant(federation: Federation, tx: Transaction, peer: Peer, said: LeaseGrant) -> None:
    """What was granted since comes onto sale; a grant that comes twice or late brings nothing."""
    lease = lease_with(tx, "holder", peer.id, lot_iri=said.lot)
    if lease is None or said.epoch < lease.row["epoch"]:
        return  # of before a forced return, which is known already
    if said.epoch > lease.row["epoch"]:
        raise Wait  # for what tells of the forced return
    came = lease.grains(said.granted) - lease.row["granted"]
    until = later(lease.row["until"], said.until)
    if came > 0:
        owed = min(came, max(0, lease.uncovered))  # sold already, and now by right
        lease_in(tx, lease.row["lot_id"], came - owed, note=peer.name)
    lease = set_lease(tx, lease, granted=lease.row["granted"] + max(0, came), until=until)
    _tell(tx, lease, lease.grains(said.beyond))
    if came > 0:
        serve_wants(federation, tx, lease.row["lot_id"])


def told_level(tx: Transaction, peer: Peer, lot: str, beyond: Decimal) -> None:
    """What may be had, as a hint: nobody is shown what is not there."""
    lease = lease_with(tx, "holder", peer.id, lot_iri=lot)
    if lease is not None:
        _tell(tx, lease, lease.grains(beyond))


def give_back(federation: Federation, tx: Transaction, lease: Held, grains: int) -> None:
    """Free units go home, and the lender is told in the same transaction; no more than are free.

    What was taken back by force before counts as given back already; what scales have found beyond what was granted
    stays here.
    """
    grains = min(grains, lease.free)
    forced = min(grains, _taken_by_force(lease))
    row, (_, sold) = lease.row, lease.counts
    by_right = min(grains - forced, max(0, row["granted"] - row["returned"] - sold))
    grains = forced + by_right
    if grains > 0 and lease_in(tx, row["lot_id"], -grains, note="given back"):
        report(federation, tx, set_lease(tx, lease, returned=lease.row["returned"] + by_right))


def report(federation: Federation, tx: Transaction, lease: Held) -> None:
    """Tells the lender all counts as they are now."""
    held, sold = lease.counts
    lease = set_lease(
        tx, lease, report=lease.row["report"] + 1, seen=lease.row["granted"], held=held, sold=sold,
        ordered=lease.ordered,
    )  # fmt: skip
    row = lease.row
    body = LeaseReport(
        lot=row["lot_iri"], unit=lease.unit, epoch=row["epoch"], report=row["report"], seen=lease.units(row["seen"]),
        returned=lease.units(row["returned"]), held=lease.units(held), sold=lease.units(sold),
        ordered=lease.units(row["ordered"]),
    )  # fmt: skip
    post(federation, tx, row["peer_id"], "LeaseReport", body)


def recalled(federation: Federation, tx: Transaction, peer: Peer, said: LeaseRecall) -> None:
    """A customer of another hub is short: what nobody has ordered here goes to them. Where that is nothing, the lender
    hears it too, and asks others."""
    lease = lease_with(tx, "holder", peer.id, lot_iri=said.lot)
    if lease is None:
        return
    before = lease.row["report"]
    give_back(federation, tx, lease, lease.grains(said.wanted))
    lease = lease_with(tx, "holder", peer.id, lot_iri=said.lot)
    if lease is not None and lease.row["report"] == before:
        report(federation, tx, lease)


def forced(federation: Federation, tx: Transaction, peer: Peer, said: LeaseForced) -> None:
    """The producer took its units back: nothing more of them is sold; what is ordered already is told as late."""
    lease = lease_with(tx, "holder", peer.id, lot_iri=said.lot)
    if lease is None or said.epoch <= lease.row["epoch"]:
        return
    lease_in(tx, lease.row["lot_id"], -lease.free, note="taken back by force")
    none = dict.fromkeys(("granted", "report", "seen", "returned", "held", "sold", "wanted"), 0)
    # Whatever the lender does not know to have been sold was sold late, and is told again.
    before = lease.row["sold_before"] + lease.grains(said.sold)
    lease = set_lease(tx, lease, epoch=said.epoch, **none, sold_before=before, wanted_at=None)
    report(federation, tx, lease)


def mind(federation: Federation, tx: Transaction, peer_id: str, lot_id: str) -> None:
    """What a holder does every minute: tells what was sold, asks ahead of need, gives back what lies idle."""
    lease = lease_with(tx, "holder", peer_id, lot_id=lot_id)
    if lease is None or lease.lot.unlimited:
        return
    if _taken_by_force(lease) and lease.free:  # a late sale was called off
        give_back(federation, tx, lease, min(lease.free, _taken_by_force(lease)))
        return
    needed = _needed(tx, lease)
    idle = lease.free - 2 * needed
    if idle > 0 and (needed == 0 or idle > _slack(lease)):
        give_back(federation, tx, lease, lease.free - needed)
    elif _has_news(lease):
        report(federation, tx, lease)
    ends_soon = lease.row["until"] is not None and lease.row["until"] < tx.now + SOON
    if (needed > lease.free and lease.lot.beyond) or (ends_soon and needed):
        _ask_ahead(federation, tx, lease, needed - lease.free)


def _has_news(lease: Held) -> bool:
    """Whether the lender knows other counts, or takes for idle what is not."""
    row = lease.row
    other = lease.counts != (row["held"], row["sold"]) or row["seen"] < row["granted"]
    return other or abs(lease.ordered - row["ordered"]) > _slack(lease)


def ask_further(federation: Federation, tx: Transaction, lot_id: str, least: int, hoped: int) -> None:
    """Somebody who leases from us is short of what we lease ourselves: it is asked for where the goods are, at once for
    a customer who waits (`least`), all of it or nothing, as they asked us."""
    for held in holdings_of(tx, [lot_id]):
        lease = lease_with(tx, "holder", held.row["peer_id"], lot_id=lot_id)
        if lease is None or lease.lot.unlimited:
            continue
        if not least:
            _ask_ahead(federation, tx, lease, hoped)
        elif lease.row["asked_until"] is None or lease.row["asked_until"] <= tx.now:
            lease = set_lease(tx, lease, asked_until=tx.now + ONE_HOP)
            post(federation, tx, lease.row["peer_id"], "LeaseRequest", request(lease, least, hoped),
                 expires=tx.now + EXPIRES)  # fmt: skip


def ask_again(federation: Federation, tx: Transaction, lease: Held) -> None:
    """Asks for nothing more: the answer tells all that was ever granted, where a message may have been lost."""
    if not lease.lot.unlimited:
        _ask_ahead(federation, tx, lease, 0)


def _ask_ahead(federation: Federation, tx: Transaction, lease: Held, missing: int) -> None:
    if _is_recent(tx, lease) and missing <= lease.row["wanted"]:
        return
    lease = set_lease(tx, lease, wanted=max(0, missing), wanted_at=tx.now)
    body = request(lease, 0, max(0, missing))
    post(federation, tx, lease.row["peer_id"], "LeaseRequest", body, expires=tx.now + KEPT)


def request(lease: Held, least: int, hoped: int) -> LeaseRequest:
    """For so many grains."""
    return LeaseRequest(
        lot=lease.row["lot_iri"], unit=lease.unit, least=lease.units(least), hoped=lease.units(max(least, hoped)),
        ordered=lease.units(lease.ordered),
    )  # fmt: skip


def _needed(tx: Transaction, lease: Held) -> int:
    """Grains that will be sold in the next hours; none where nothing of it is on sale, or soon will be."""
    if lease.row["lot_id"] not in lots_on_sale(tx, [lease.row["lot_id"]], before=tx.now + SOON):
        return 0
    return ahead(tx, lease)


def _is_recent(tx: Transaction, lease: Held) -> bool:
    """Whether what is wanted was asked for just now."""
    asked = lease.row["wanted_at"]
    return asked is not None and bool(asked > tx.now - PAUSE)


def ahead(tx: Transaction, lease: Held) -> int:
    """About what went in the last hours, and at first a share of what may be had."""
    went: int = taken_since(tx, lease.row["lot_id"], tx.now - AHEAD)
    to_be_had = lease.grains(lease.lot.beyond + lease.lot.free)
    return max(int(went), to_be_had * FIRST // 100)


def _slack(lease: Held) -> int:
    """A few units more or less are not worth a message."""
    return 5 * lease.lot.per_unit if lease.lot.per_unit == 1 else lease.lot.per_unit


def _tell(tx: Transaction, lease: Held, beyond: int) -> None:
    """How much there is, and until when it is sold here."""
    end = end_of(tx, lease.row)
    tell_beyond(tx, lease.row["lot_id"], 0 if end == NOT_AT_ALL else beyond, end)


def _taken_by_force(lease: Held) -> int:
    """Grains that are here all the same: they were sold, or are about to be."""
    return max(0, lease.uncovered) if lease.row["epoch"] > 1 else 0
