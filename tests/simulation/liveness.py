"""Who is refused has a right to it: no instance that could be reached had enough of it lying idle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from commensal import SoldOut
from commensal.trade.stock.tables import stock_lot
from commensal_federation.leases.tables import federation_lease
from commensal_federation.peers.tables import federation_peer

from .nodes import Node
from .worlds import Stall

if TYPE_CHECKING:
    from .simulation import Simulation

FEW = 5  # units: no share of a lot, and no count that is a minute old, explains that these were not there
_lease, _lot, _peer = federation_lease.c, stock_lot.c, federation_peer.c


def refused_in_vain(
    simulation: Simulation, node: Node, stall: Stall, refused: SoldOut, begun: datetime
) -> Iterator[str]:
    """Lots of which a customer wanted a few more than their hub had, while their producer had many of them free.

    Only where nothing is wrong with wires, clocks, disks and people, and all are as quick as real ones are.
    """
    if not _all_is_well(simulation):
        return
    for lot_id, missing in refused.missing.items():
        with node.disk.read() as tx:
            held = tx.first(select(federation_lease).where(_lease.role == "holder", _lease.lot_id == lot_id))
            if held is None:
                continue
            peer = tx.one(select(federation_peer).where(_peer.id == held["peer_id"]))
        farm = simulation.node_at(peer["iri"].removesuffix("/.well-known/commensal"))
        with farm.disk.read() as tx:
            there = tx.first(select(stock_lot).where(_lot.id == held["lot_iri"].rpartition("/")[2]))
            late = tx.first(select(_lease.id).where(_lease.role == "lender", _lease.late > 0))
        if there is None or late is not None or missing > FEW * there["per_unit"]:
            continue
        if there["free"] >= missing + FEW * there["per_unit"]:
            yield f"{missing} of {lot_id} were refused at {node.name}, and {there['free']} are free at {farm.name}"


def _all_is_well(simulation: Simulation) -> bool:
    plan, people = simulation.plan, simulation.people
    faults = plan.crashes or plan.cuts or plan.skews or plan.full or plan.restores or plan.upgrades
    slow = plan.weather.lost or plan.weather.doubled or plan.weather.delay > 0.1 or not plan.brisk
    return not (faults or slow or simulation.liar or people.revoked or people.done["forced"] or simulation.mended)
