"""Cuts customers' orders by what a supplier will not deliver, by the hub's policy, and records the refunds owed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from commensal import NotFound, Transaction, plugin_settings
from commensal.orders import locked_order
from commensal.parts.distribution import lines_of_product, ordered_of
from commensal.parts.order_corrections import shorten_order
from commensal.parts.supply import shares
from commensal.products import products_by_id

from ..runtime import Federation
from ..settings import EnterpriseFederation
from .tables import federation_cut

_cut = federation_cut.c


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """`pieces` of a product that customers of a sale have ordered and the supplier will not deliver.

    order_id:      the hub's order at the supplier
    item_iri:      the supplier's catalog item
    enterprise_id: the hub
    """

    order_id: str
    enterprise_id: str
    session_id: str
    item_iri: str
    product_id: str
    pieces: int


def cut_orders(
    federation: Federation,
    tx: Transaction,
    missing: Shortfall,
    give_up: Callable[[int], None],
    *,
    by_hand: bool = False,
) -> None:
    """Shortens customers' orders, or leaves that to a person, as the hub has chosen, and in any case if `by_hand`.

    Pieces that were left to a person before are not cut again. `give_up` is called in the same transaction with the
    number of pieces that nobody may buy any more.
    """
    hooks = federation.instance.hooks
    settings = plugin_settings(tx, hooks, missing.enterprise_id, "federation", EnterpriseFederation)
    customer_lines = lines_of_product(tx, missing.session_id, missing.product_id)
    ordered = sum(line.quantity for line in customer_lines)
    pieces = missing.pieces - _left_to_person(tx, missing, ordered)
    at_hand = 0 if by_hand or settings.shortage == "by hand" else min(pieces, ordered)
    if pieces > at_hand:  # the rest is left to a person
        _record_cut(tx, missing, None, pieces - at_hand, 0, ordered - at_hand)
    if at_hand <= 0:
        return
    for customer_line, fewer in zip(customer_lines, shares(customer_lines, at_hand, settings.shortage), strict=True):
        if not fewer:
            continue
        customer_order = locked_order(tx, customer_line.order_id, enterprise_id=missing.enterprise_id)
        after = shorten_order(tx, hooks, customer_order, {customer_line.line_id: fewer})
        due = 0 if after.state == "Cancelled" else after.total
        _record_cut(tx, missing, customer_line.order_id, fewer, max(0, after.paid_total - due))
        give_up(fewer)


def leave_to_person(tx: Transaction, missing: Shortfall, ordered: int) -> None:
    """Records, once, that a person has to cut these pieces, out of the `ordered` pieces of all customers."""
    pieces = missing.pieces - _left_to_person(tx, missing, ordered)
    if pieces > 0:
        _record_cut(tx, missing, None, pieces, 0, ordered)


def ordered_pieces(tx: Transaction, session_id: str, product_id: str) -> int:
    """Pieces of the product that customers have ordered in this sale, delivered ones included."""
    (product,) = products_by_id(tx, [product_id]).values()
    sums = ordered_of(tx, session_id, [product.enterprise_id])
    return sum(total.quantity for total in sums if total.product_id == product_id)


def settle_cut(tx: Transaction, enterprise_id: str, cut_id: str) -> None:
    """Marks a cut as settled: the refund was paid, or a person has decided. Raises `NotFound`."""
    matching = (_cut.id == cut_id, _cut.enterprise_id == enterprise_id, _cut.settled_at.is_(None))
    change = update(federation_cut).where(*matching)
    if tx.execute(change.values(settled_at=tx.now)).rowcount != 1:
        raise NotFound("no_cut", "There is nothing to settle.")


def _left_to_person(tx: Transaction, missing: Shortfall, ordered: int) -> int:
    """Pieces that are left to a person and that customers still have on order.

    Pieces that a person has taken off orders since are missing from today's sum, so they do not count any more. A cut
    that was settled in another way is not presented again.
    """
    query = select(func.coalesce(func.sum(_cut.pieces), 0).label("pieces"), func.max(_cut.ordered).label("before"))
    filters = (_cut.order_id == missing.order_id, _cut.item_iri == missing.item_iri, _cut.customer_order_id.is_(None))
    row = tx.one(query.where(*filters))
    taken_off = 0 if row["before"] is None else max(0, row["before"] - ordered)
    return max(0, int(row["pieces"]) - taken_off)


def _record_cut(
    tx: Transaction,
    missing: Shortfall,
    customer_order_id: str | None,
    pieces: int,
    owed: int,
    ordered: int | None = None,
) -> None:
    row = {
        "id": tx.new_id(),
        "enterprise_id": missing.enterprise_id,
        "order_id": missing.order_id,
        "item_iri": missing.item_iri,
        "customer_order_id": customer_order_id,
        "pieces": pieces,
        "owed": owed,
        "ordered": ordered,
        "at": tx.now,
    }
    tx.execute(insert(federation_cut), row)
