"""A refusal must be justified: no reachable instance had enough of the goods idle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from commensal import SoldOut
from commensal.trade.stock.tables import stock_lot
from commensal_federation.availability.tables import federation_lease
from commensal_federation.peers.tables import federation_peer

from .nodes import Node
from .worlds import Stall

if TYPE_CHECKING:
    from .simulation import Simulation

FEW = 5  # units; neither a share of a lot nor a count that is a minute old explains a shortage of so few
_lease, _lot, _peer = federation_lease.c, stock_lot.c, federation_peer.c


def refused_in_vain(
    simulation: Simulation, node: Node, stall: Stall, refused: SoldOut, started: datetime
) -> Iterator[str]:
    """Yields lots of which a customer wanted a few more than the hub had, while the producer had many of them free.

    Only if nothing is wrong with wires, clocks, disks and people, and all are as quick as real ones; and only if that
    is so of all that was missing, since one lot that is short is reason enough to refuse an order of two. Nobody is
    asked who ordered while another event waited: here that one goes on only when this one has ended, so the answer for
    which both customers of a hub wait would never come.
    """
    if _all_is_well(simulation) and not simulation.is_nested:
        idle = [list(_idle(simulation, node, lot_id, missing)) for lot_id, missing in refused.missing.items()]
        if all(idle):
            yield from (text for texts in idle for text in texts)


def _idle(simulation: Simulation, node: Node, lot_id: str, missing: int) -> Iterator[str]:
    with node.disk.read() as tx:
        lease = tx.first(select(federation_lease).where(_lease.role == "holder", _lease.lot_id == lot_id))
        if lease is None:
            return
        peer = tx.one(select(federation_peer).where(_peer.id == lease["peer_id"]))
    farm = simulation.node_at(peer["iri"].removesuffix("/.well-known/commensal"))
    with farm.disk.read() as tx:
        own_lot = tx.first(select(stock_lot).where(_lot.id == lease["lot_iri"].rpartition("/")[2]))
        late_lease = tx.first(select(_lease.id).where(_lease.role == "lender", _lease.late > 0))
    if own_lot is None or late_lease is not None or missing > FEW * own_lot["per_unit"]:
        return
    if own_lot["free"] >= missing + FEW * own_lot["per_unit"]:
        yield f"{missing} of {lot_id} were refused at {node.name}, and {own_lot['free']} are free at {farm.name}"


def _all_is_well(simulation: Simulation) -> bool:
    plan, people = simulation.plan, simulation.people
    faults = plan.crashes or plan.cuts or plan.skews or plan.full or plan.restores or plan.upgrades
    slow = plan.weather.lost or plan.weather.doubled or plan.weather.delay > 0.1 or not plan.brisk
    return not (faults or slow or simulation.liar or people.revoked or people.done["forced"] or simulation.mended)
