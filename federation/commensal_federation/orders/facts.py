"""Adds to the chain of facts of an order what has changed, whoever has changed it: each write of an order comes
here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from commensal import Transaction, insert_rows

from ..messages.bodies.order_facts import BY_ITSELF, FactKind, OrderFact, Side, agreed_sum, last_of, standing_of
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.types import Refuse
from .questions import facts_of_orders
from .statement import agreed_statement, claim_of
from .tables import federation_order, federation_order_fact, federation_order_line

MOST_FACTS = 20_000  # of one order: a hub that changes its word for ever comes to an end


def note_facts(tx: Transaction, order: InstanceOrder) -> None:
    """Adds what the order, as it is now, says beyond its facts. Before it is complete nothing is owed, and nothing
    noted.

    Raises `Refuse` where both sides have said too much about one order.
    """
    if order.state == "Held":
        return
    order = replace(order, facts=tuple(facts_of_orders(tx, [order.id])[order.id]))
    if order.state == "Cancelled" and not order.facts:
        return
    for new_facts in (_lines_facts, _order_facts):
        order = _add(tx, order, list(new_facts(tx, order)))


def _add(tx: Transaction, order: InstanceOrder, facts: list[OrderFact]) -> InstanceOrder:
    first = len(order.facts) + 1
    if facts and first + len(facts) > MOST_FACTS:
        raise Refuse("facts", "Too much has been said about this order: settle it with its people.")
    numbered = [replace(fact, number=number) for number, fact in enumerate(facts, first)]
    insert_rows(tx, federation_order_fact, [{"order_id": order.id, **asdict(fact)} for fact in numbered])
    return replace(order, facts=(*order.facts, *numbered))


def _lines_facts(tx: Transaction, order: InstanceOrder) -> Iterator[OrderFact]:
    standing = standing_of(order.facts)
    for line in order.lines:
        ordered = last_of(order.facts, "ordered", line=line.number)
        if line.quantity > (0 if ordered is None or ordered.pieces is None else ordered.pieces):
            yield _fact(tx, order, "ordered", "hub", line, line.quantity, amount=line.cost_of(line.quantity))
        before = standing.get(line.number)
        is_new = before is None or (before.pieces, before.weight) != (line.coming, line.final_quantity)
        if line.answer and is_new:
            kind: FactKind = "agreed" if _is_claimed(order, line) else "answered"
            amount = line.cost_of(line.coming)
            yield _fact(tx, order, kind, "producer", line, line.coming, line.final_quantity, amount, line.reason)
        yield from _claimed_pieces(tx, order, line)
        yield from _delivered(tx, order, line)


def _is_claimed(order: InstanceOrder, line: Line) -> bool:
    """Whether the hub has claimed just what comes now."""
    claimed = last_of(order.facts, "claimed", line=line.number)
    return claimed is not None and claimed.pieces == line.coming


def _claimed_pieces(tx: Transaction, order: InstanceOrder, line: Line) -> Iterator[OrderFact]:
    claimed = last_of(order.facts, "claimed", line=line.number)
    if line.wanted is not None and (claimed is None or claimed.pieces != line.wanted):
        yield _fact(tx, order, "claimed", "hub", line, line.wanted, amount=line.cost_of(line.wanted))
    elif line.wanted is None and claimed is not None and claimed.pieces != line.quantity and line.answer:
        yield _fact(tx, order, "claimed", "hub", line, line.quantity, amount=line.cost_of(line.quantity))  # taken back


def _delivered(tx: Transaction, order: InstanceOrder, line: Line) -> Iterator[OrderFact]:
    if order.owed is None or line.received is None:
        return
    before = last_of(order.facts, "delivered", line=line.number)
    receipt = (line.received, line.received_quantity, line.received_amount)
    if before is None or (before.pieces, before.weight, before.amount) != receipt:
        yield _fact(tx, order, "delivered", "hub", line, *receipt)


def _order_facts(tx: Transaction, order: InstanceOrder) -> Iterator[OrderFact]:
    claim, agreed = claim_of(order), last_of(order.facts, "agreed")
    since = 0 if agreed is None else agreed.number
    claimed = last_of(order.facts, "claimed", by="hub")
    is_said = (
        claimed is not None and claimed.number > since and claimed.amount == (None if claim is None else claim.total)
    )
    stands = agreed_sum(order.facts)
    if claim is not None and claim.is_open:
        if not is_said:
            yield _fact(
                tx, order, "claimed", "hub", amount=claim.total, reason="called off" if claim.called_off else ""
            )
        objected = last_of(order.facts, "claimed", by="producer")
        is_told = objected is not None and objected.number > max(since, claimed.number if claimed and is_said else 0)
        if claim.state == "disputed" and not (is_told and objected and objected.reason == claim.objection):
            total = agreed_statement(order).total
            yield _fact(tx, order, "claimed", "producer", amount=total, reason=claim.objection)
        return
    if claim is None or order.receipt not in ("taken", "agreed"):
        return
    reason = BY_ITSELF if order.receipt == "taken" else ""
    if order.owed is None:
        if stands is not None:  # what the hub had said that it got does not count any more
            yield _fact(tx, order, "agreed", "producer", reason=reason)
    elif stands is None or stands.amount != order.owed or (claimed is not None and claimed.number > since):
        yield _fact(tx, order, "agreed", "producer", amount=order.owed, reason=reason)


def _fact(
    tx: Transaction,
    order: InstanceOrder,
    kind: FactKind,
    by: Side,
    line: Line | None = None,
    pieces: int | None = None,
    weight: Decimal | None = None,
    amount: int | None = None,
    reason: str = "",
) -> OrderFact:
    return OrderFact(
        number=0,
        kind=kind,
        said_by=by,
        rev=order.rev,
        answer=order.answer,
        line=0 if line is None else line.number,
        pieces=pieces,
        weight=weight,
        amount=amount,
        reason=reason,
        at=tx.now,
    )


# Writes an order between instances: its row and its lines.

_KEEP = update(federation_order).where(federation_order.c.id == bindparam("order"))
_FIELDS = frozenset(field.name for field in fields(InstanceOrder))
_DROP = delete(federation_order_line).where(federation_order_line.c.order_id == bindparam("order"))


def open_order(tx: Transaction, **values: Any) -> InstanceOrder:
    """Inserts an order without lines and returns it; `values` are columns."""
    row = {**values, "rev": 0, "answer": 0, "names": 0, "created_at": tx.now, "changed_at": tx.now}
    row.setdefault("id", tx.new_id())
    tx.execute(insert(federation_order), row)
    return InstanceOrder(**row, lines=())


def update_order(tx: Transaction, order: InstanceOrder, lines: Sequence[Line], **values: object) -> None:
    """Writes these columns of the order, and replaces its lines. What that says of money is added to its facts, which
    alone sums are computed from."""
    tx.change(_KEEP, {"order": order.id, **values, "changed_at": tx.now})
    lines = _numbered(order, lines)
    if tuple(lines) != order.lines:
        tx.change(_DROP, {"order": order.id})
        insert_rows(tx, federation_order_line, [{"order_id": order.id, **_row(line)} for line in lines])
    changes: dict[str, Any] = {name: value for name, value in values.items() if name in _FIELDS}
    note_facts(tx, replace(order, lines=tuple(lines), **changes))


def _numbered(order: InstanceOrder, lines: Sequence[Line]) -> Sequence[Line]:
    """Gives new lines the next numbers, which no line of the order had before."""
    used = [line.number for line in (*order.lines, *lines)] + [fact.line for fact in order.facts]
    numbers = iter(range(max(used, default=0) + 1, max(used, default=0) + 1 + len(lines)))
    return [line if line.number else replace(line, number=next(numbers)) for line in lines]


def end_orders(tx: Transaction, supplier: str, supplier_here: str) -> None:
    """Ends the orders of hubs here at this supplier, which moves to this instance; both are its IRIs, old and new.

    Held orders are deleted: what their customers order is ordered from it here. The others are kept for the accounts
    under its new IRI, by which no peer is found, so nothing more is sent about them, also when it leaves again.
    """
    order = federation_order.c
    placed = (order.role == "buyer", order.other_iri == supplier)
    held = select(order.id).where(*placed, order.state == "Held")
    tx.execute(delete(federation_order_line).where(federation_order_line.c.order_id.in_(held)))
    tx.execute(delete(federation_order).where(order.id.in_(held)))
    tx.execute(update(federation_order).where(*placed).values(other_iri=supplier_here))


def _row(line: Line) -> dict[str, object]:
    return {name: value for name, value in asdict(line).items() if name != "customers"}
