"""A refusal must be justified: no reachable instance had enough of the goods idle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from commensal import SoldOut
from commensal.stock.tables import stock_lot
from commensal_federation.grants.tables import federation_lease
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
    """Yields lots of which a customer wanted a few more than the hub had, while many of them were idle somewhere: at
    the producer, or at any holder in the tree of those to whom they are lent, resellers and those behind them included.

    Only if nothing is wrong with wires, clocks, disks and people, and all are as quick as real ones; and only if that
    is so of all that was missing, since one lot that is short is reason enough to refuse an order of two. Nobody is
    asked who ordered while another event waited: here that one goes on only when this one has ended, so the answer for
    which both customers of a hub wait would never come.
    """
    if _all_is_well(simulation) and not simulation.is_nested:
        idle = [list(_idle(simulation, node, lot_id, missing)) for lot_id, missing in refused.missing.items()]
        if all(idle):
            yield from (text for texts in idle for text in texts)


@dataclass(frozen=True)
class _Held:
    """A lot at one instance: `free` grains of it, of `per_unit` to a unit; `late`: something is to be settled there."""

    node: Node
    free: int
    per_unit: int
    late: bool


def _idle(simulation: Simulation, node: Node, lot_id: str, missing: int) -> Iterator[str]:
    root, root_lot = _root(simulation, node, lot_id)
    tree = list(_tree(simulation, root, root_lot))
    if not tree or any(held.late for held in tree) or missing > FEW * tree[0].per_unit:
        return
    elsewhere = [held for held in tree if held.node.name != node.name]
    slack = FEW * tree[0].per_unit * len(elsewhere)
    if sum(held.free for held in elsewhere) >= missing + slack:
        free = ", ".join(f"{held.free} at {held.node.name}" for held in elsewhere if held.free)
        yield f"{missing} of {lot_id} were refused at {node.name}, and idle were {free}"


def _root(simulation: Simulation, node: Node, lot_id: str) -> tuple[Node, str]:
    """Where the goods of this lot are at home, and the lot's id there."""
    holds = select(_lease.lot_iri, _peer.iri).join(federation_peer, _peer.id == _lease.peer_id)
    while True:
        with node.disk.read() as tx:
            row = tx.first(holds.where(_lease.role == "holder", _lease.lot_id == lot_id))
        if row is None:
            return node, lot_id
        node = simulation.node_at(row["iri"].removesuffix("/.well-known/commensal"))
        lot_id = str(row["lot_iri"].rpartition("/")[2])


def _tree(simulation: Simulation, node: Node, lot_id: str) -> Iterator[_Held]:
    """The lot here, then at all to whom it is lent, and to whom these lend it on."""
    with node.disk.read() as tx:
        lot = tx.first(select(stock_lot).where(_lot.id == lot_id))
        late = tx.first(select(_lease.id).where(_lease.role == "lender", _lease.late > 0))
        lends = select(_peer.iri, _lease.lot_iri).join(federation_peer, _peer.id == _lease.peer_id)
        holders = tx.all(lends.where(_lease.role == "lender", _lease.lot_id == lot_id).order_by(_lease.id))
    if lot is None:
        return
    yield _Held(node, int(lot["free"]), int(lot["per_unit"]), late is not None)
    for row in holders:
        holder = simulation.node_at(row["iri"].removesuffix("/.well-known/commensal"))
        with holder.disk.read() as tx:
            copy = tx.value(select(_lease.lot_id).where(_lease.role == "holder", _lease.lot_iri == row["lot_iri"]))
        if copy is not None:
            yield from _tree(simulation, holder, str(copy))


def _all_is_well(simulation: Simulation) -> bool:
    plan, people = simulation.plan, simulation.people
    faults = plan.crashes or plan.cuts or plan.skews or plan.full or plan.restores or plan.upgrades
    slow = plan.weather.lost or plan.weather.doubled or plan.weather.delay > 0.1 or not plan.brisk
    return not (faults or slow or simulation.liar or people.revoked or people.done["forced"] or simulation.mended)
