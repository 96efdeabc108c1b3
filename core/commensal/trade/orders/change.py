"""Changes what was ordered: the customer until the close, the hub afterwards too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...base.errors import Invalid
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ..pricing.lines import priced
from ..pricing.values import Address, PricedLine
from .cut_off import refuse_after_cut_off
from .guests import refuse_larger_guest_order
from .lines import lines_for, refuse_quantities, refuse_too_many_lines
from .lock import refuse_if_handed_over, refuse_unless_placed
from .proof import known_of
from .rewrite import refuse_empty, rewrite
from .selling import Known, closed, selling
from .shipping import links_in
from .values import Order, Selling


def change_order(
    tx: Transaction,
    hooks: Hooks,
    order: Order,
    *,
    items: Mapping[str, int] | None = None,
    shipping: str | None = None,
    address: Address | None = None,
    codes: Sequence[str] | None = None,
    note: str | None = None,
    total: int | None = None,
    by_hub: bool = False,
    by: str | None = None,
) -> Order:
    """Makes the locked `order` hold exactly `items` (pieces by catalog item; None leaves them).

    What was ordered keeps its price. Fewer pieces need nobody's leave; more of anything, and what is new, is ordered
    now: at today's price, if it is on sale to this customer, within the limits of an order. `total` is what the
    customer was shown. Raises `Conflict` after the close, for a supplier whose cut-off has passed, for more of what is
    not on sale (any more), or when nothing would be left; `SoldOut`; `Invalid`.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    shop = selling(tx, order.session_id)
    if not by_hub and (order.state != "Held" or not shop.is_open(tx.now)):
        raise closed(shop)
    if address is not None and (problems := links_in(address)):
        raise Invalid(problems)
    known = known_of(tx, order)
    lines = order.lines if items is None else _lines(tx, order, shop, known, items, by_hub)
    refuse_empty(lines)
    values: dict[str, Any] = {} if note is None else {"note": note}
    changed = rewrite(
        tx, hooks, shop, known, order, lines, shipping=shipping, address=address, codes=codes, total=total,
        values=values, by=by, by_hub=by_hub,
    )  # fmt: skip
    if not by_hub and changed.total > order.total:
        refuse_larger_guest_order(tx, changed)
    return changed


def _lines(
    tx: Transaction, order: Order, shop: Selling, known: Known, items: Mapping[str, int], by_hub: bool
) -> tuple[PricedLine, ...]:
    """The order's lines for these pieces by item.

    Pieces that were ordered keep their price; each further piece is ordered now, as `place_order` would, so where the
    offer has changed it stands on a line of its own. Fewer pieces are taken off the latest line first.
    """
    own = [line for line in order.lines if line.substitutes_id is None]
    had: Counter[str] = Counter()
    for line in own:
        had[line.item_id] += line.quantity
    refuse_quantities({item: pieces for item, pieces in items.items() if pieces < 0 or pieces > had[item]})
    if not by_hub:
        changed = [line for line in own if items.get(line.item_id, 0) != had[line.item_id]]
        refuse_after_cut_off(tx, shop.coordination_id, changed)
    more = {item: pieces - had[item] for item, pieces in items.items() if pieces > had[item]}
    added = lines_for(tx, shop, more, known.category_ids, after_cut_off=by_hub)
    lines = _with_more(_with_fewer(own, items), added)
    substitutes = tuple(line for line in order.lines if line.substitutes_id is not None)
    replaced = {line.substitutes_id for line in substitutes}
    whole = (*(line for line in lines if line.quantity or line.id in replaced), *substitutes)
    if more:
        refuse_too_many_lines(len(whole))
    return whole


def _with_fewer(lines: Sequence[PricedLine], items: Mapping[str, int]) -> list[PricedLine]:
    """The lines with no more pieces of an item than are wanted: the earliest ordered stay."""
    left = dict(items)
    kept = []
    for line in lines:
        pieces = min(line.quantity, left.get(line.item_id, 0))
        left[line.item_id] = left.get(line.item_id, 0) - pieces
        kept.append(_with_quantity(line, pieces))
    return kept


def _with_more(lines: Sequence[PricedLine], added: Sequence[PricedLine]) -> list[PricedLine]:
    """The lines with what was `added`: on the item's latest line where the offer is still the same, else beside it."""
    whole = list(lines)
    for new in added:
        place = max((place for place, line in enumerate(lines) if _same_offer(line, new)), default=None)
        if place is None:
            whole.append(new)
        else:
            whole[place] = _with_quantity(whole[place], whole[place].quantity + new.quantity)
    return whole


def _same_offer(line: PricedLine, new: PricedLine) -> bool:
    ordered = replace(line, id=new.id, name=new.name, quantity=new.quantity, final_quantity=None)
    return priced(ordered) == new


def _with_quantity(line: PricedLine, quantity: int) -> PricedLine:
    """More or fewer pieces must be weighed anew."""
    return line if quantity == line.quantity else priced(replace(line, quantity=quantity, final_quantity=None))
