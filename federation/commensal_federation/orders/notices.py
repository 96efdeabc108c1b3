"""Notes what the people of a producer or a hub must know about an order between instances."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from commensal import Transaction

from ..messages.bodies.orders import InstanceOrder, Line
from ..notices import Owed, forget_notice, note_for_enterprise
from .statement import claim_of, statement_of
from .tables import federation_cut

_cut = federation_cut.c
_CUTS = select(
    func.count(_cut.customer_order_id.distinct()).label("orders"),
    func.coalesce(func.sum(_cut.owed), 0).label("owed"),
    func.coalesce(func.sum(_cut.pieces).filter(_cut.customer_order_id.is_(None)), 0).label("open"),
).where(_cut.order_id == bindparam("order"), _cut.item_iri == bindparam("item"), _cut.settled_at.is_(None))


def note_waiting(tx: Transaction, order: InstanceOrder) -> None:
    """Notes for the producer's people that a complete order waits for them, or no more."""
    waiting = [line for line in order.lines if line.quantity and not line.answer]
    if not waiting:
        forget_notice(tx, order.enterprise_id, "order_waits", order.id)
        return
    note_for_enterprise(
        tx,
        order.enterprise_id,
        "order_waits",
        order.peer_id,
        order.id,
        hub=order.other_name,
        order=order.id,
        sale=order.session_name,
        lines=_pieces(waiting),
    )


def note_complete(tx: Transaction, order: InstanceOrder) -> None:
    """Notes for the producer's people what a closed sale orders of them: it waits for them, or was confirmed by
    itself. It is noted again when the hub changes it."""
    note_waiting(tx, order)
    coming = [line for line in order.lines if line.coming]
    if not coming or any(line.quantity and not line.answer for line in order.lines):
        forget_notice(tx, order.enterprise_id, "order_final", order.id)
        return
    note_for_enterprise(
        tx,
        order.enterprise_id,
        "order_final",
        order.peer_id,
        order.id,
        hub=order.other_name,
        order=order.id,
        sale=order.session_name,
        lines="; ".join(f"{line.coming} {line.name}" for line in coming),
        total=Owed(statement_of(order).total, order.currency),
        begins=order.begins_at,
    )


def note_claim(tx: Transaction, order: InstanceOrder) -> None:
    """Notes for the producer's people that the hub claims to owe another sum, which waits for them; or no more."""
    claim = claim_of(order)
    if claim is None or claim.state != "open":
        forget_notice(tx, order.enterprise_id, "claimed", order.id)
        return
    note_for_enterprise(
        tx,
        order.enterprise_id,
        "claimed",
        order.peer_id,
        order.id,
        hub=order.other_name,
        order=order.id,
        sale=order.session_name,
        total=Owed(statement_of(order).total, order.currency),
        claimed=Owed(claim.total, order.currency),
    )


def note_objection(tx: Transaction, order: InstanceOrder) -> None:
    """Notes for the hub's people that the producer does not agree to what the hub claims."""
    claim = claim_of(order)
    note_for_enterprise(
        tx,
        order.enterprise_id,
        "objected",
        order.peer_id,
        order.id,
        producer=order.other_name,
        order=order.id,
        sale=order.session_name,
        total=Owed(statement_of(order).total, order.currency),
        claimed=Owed(0 if claim is None else claim.total, order.currency),
        objection=order.objection,
    )


def note_shortened(tx: Transaction, order: InstanceOrder, line: Line) -> None:
    """Notes for the hub's people that a line comes short, whose orders shrink, and what is owed."""
    cuts = tx.one(_CUTS, {"order": order.id, "item": line.item_iri})
    note_for_enterprise(
        tx,
        order.enterprise_id,
        "shortened",
        order.peer_id,
        f"{order.id} {line.item_iri}",
        producer=order.other_name,
        sale=order.session_name,
        product=line.name,
        ordered=line.quantity,
        coming=line.coming,
        reason=f"({line.reason})" if line.reason else "",
        order=order.id,
        orders=cuts["orders"],
        owed=Owed(int(cuts["owed"]), order.currency),
        open=int(cuts["open"]),
    )


def note_confirmed_late(tx: Transaction, order: InstanceOrder, line: Line, confirmed: int) -> None:
    """Notes for the hub's people that the producer says too late that more comes than what stands."""
    note_for_enterprise(
        tx,
        order.enterprise_id,
        "confirmed_late",
        order.peer_id,
        f"{order.id} {line.item_iri}",
        producer=order.other_name,
        sale=order.session_name,
        product=line.name,
        coming=line.coming,
        confirmed=confirmed,
        order=order.id,
    )


def note_unsettled(tx: Transaction, order: InstanceOrder, waiting: Sequence[Line]) -> None:
    """Notes for our side's people that the trade has ended and these lines of the order are not confirmed."""
    note_for_enterprise(
        tx,
        order.enterprise_id,
        "unsettled",
        order.peer_id,
        order.id,
        other=order.other_name,
        order=order.id,
        sale=order.session_name,
        lines=_pieces(waiting),
    )


def _pieces(lines: Sequence[Line]) -> str:
    return "; ".join(f"{line.quantity} {line.name}" for line in lines)
