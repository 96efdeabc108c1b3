"""Takes off customers' orders what a supplier will not bring, by the policy of the hub, and notes what is owed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, union, update

from commensal import (
    CustomersLine,
    NotFound,
    Transaction,
    lines_of_product,
    locked_order,
    ordered_of,
    plugin_settings,
    products_by_id,
    shorten_order,
)

from ..linked_catalogues.backorders.tables import federation_backorder
from ..runtime import Federation
from ..settings import EnterpriseFederation
from .tables import federation_cut, federation_order

_cut = federation_cut.c


@dataclass(frozen=True, kw_only=True)
class Missing:
    """`pieces` of a product that customers of a sale have ordered and that will not come.

    order_id, item_iri: the hub's order at the supplier, and what the supplier calls it
    enterprise_id:      the hub
    """

    order_id: str
    enterprise_id: str
    session_id: str
    item_iri: str
    product_id: str
    pieces: int


def take_off(federation: Federation, tx: Transaction, missing: Missing, give_up: Callable[[int], None]) -> None:
    """Shortens customers' orders, or hands it over to a person, as the hub has chosen. What was handed over before is
    not taken off again. `give_up` is told, in the same transaction, how many pieces nobody may buy any more."""
    hooks = federation.instance.hooks
    settings = plugin_settings(tx, hooks, missing.enterprise_id, "federation", EnterpriseFederation)
    customers = lines_of_product(tx, missing.session_id, missing.product_id)
    ordered = sum(one.quantity for one in customers)
    pieces = missing.pieces - _by_hand(tx, missing, ordered)
    at_hand = 0 if settings.shortage == "by hand" else min(pieces, ordered)
    if pieces > at_hand:  # the rest has been handed over
        _note(tx, missing, None, pieces - at_hand, 0, ordered - at_hand)
    if at_hand <= 0:
        return
    for one, fewer in zip(customers, shares(customers, at_hand, settings.shortage), strict=True):
        if not fewer:
            continue
        customers_order = locked_order(tx, one.order_id, enterprise_id=missing.enterprise_id)
        after = shorten_order(tx, hooks, customers_order, {one.line_id: fewer})
        due = 0 if after.state == "Cancelled" else after.total
        _note(tx, missing, one.order_id, fewer, max(0, after.paid_total - due))
        give_up(fewer)


def hand_over(tx: Transaction, missing: Missing, ordered: int) -> None:
    """Leaves it to a person what becomes of these pieces, of so many that customers have ordered; once."""
    pieces = missing.pieces - _by_hand(tx, missing, ordered)
    if pieces > 0:
        _note(tx, missing, None, pieces, 0, ordered)


def shares(lines: Sequence[CustomersLine], missing: int, policy: str) -> list[int]:
    """How many pieces each line loses, of `missing` in all; `lines` have the newest order first.

    Pro rata: whole parts first, then one more for those whose remainder is largest, the newest first.
    """
    if policy == "newest first":
        cut, rest = [], missing
        for line in lines:
            cut.append(min(rest, line.quantity))
            rest -= cut[-1]
        return cut
    whole = sum(line.quantity for line in lines)
    if not whole:
        return [0] * len(lines)
    missing = min(missing, whole)
    cut = [line.quantity * missing // whole for line in lines]
    by_remainder = sorted(range(len(lines)), key=lambda place: -(lines[place].quantity * missing % whole))
    for place in by_remainder[: missing - sum(cut)]:
        cut[place] += 1
    return cut


def ordered_pieces(tx: Transaction, session_id: str, product_id: str) -> int:
    """Pieces that customers have ordered of it by now, and what they have got of it."""
    (product,) = products_by_id(tx, [product_id]).values()
    sums = ordered_of(tx, session_id, [product.enterprise_id])
    return sum(one.quantity for one in sums if one.product_id == product_id)


def settle_cut(tx: Transaction, enterprise_id: str, cut_id: str) -> None:
    """What was owed is given back, or what a person had to decide is decided. Raises `NotFound`."""
    ours = [
        select(table.c.id).where(table.c.enterprise_id == enterprise_id)
        for table in (federation_order, federation_backorder)
    ]
    mine = _cut.order_id.in_(union(*ours))
    done = update(federation_cut).where(_cut.id == cut_id, mine, _cut.settled_at.is_(None))
    if tx.execute(done.values(settled_at=tx.now)).rowcount != 1:
        raise NotFound("no_cut", "There is nothing to settle.")


def _by_hand(tx: Transaction, missing: Missing, ordered: int) -> int:
    """Pieces that were handed to a person and that customers have still ordered. What people have taken off orders
    since is in no sum of today, and whoever has found another way is not asked again."""
    noted = select(func.coalesce(func.sum(_cut.pieces), 0).label("pieces"), func.max(_cut.ordered).label("before"))
    mine = (_cut.order_id == missing.order_id, _cut.item_iri == missing.item_iri, _cut.customer_order_id.is_(None))
    row = tx.one(noted.where(*mine))
    taken_off = 0 if row["before"] is None else max(0, row["before"] - ordered)
    return max(0, int(row["pieces"]) - taken_off)


def _note(
    tx: Transaction, missing: Missing, customer_order_id: str | None, pieces: int, owed: int, ordered: int | None = None
) -> None:
    row = {
        "id": tx.new_id(), "order_id": missing.order_id, "item_iri": missing.item_iri,
        "customer_order_id": customer_order_id, "pieces": pieces, "owed": owed, "ordered": ordered, "at": tx.now,
    }  # fmt: skip
    tx.execute(insert(federation_cut), row)
