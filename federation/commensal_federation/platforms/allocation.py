"""Allocates stock to the lines of a platform's order: all requested pieces, fewer, or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from commensal import Problem, Transaction, say
from commensal.sale_sessions import VisibleOffer, offers_for

from .orders import Allocation, RequestedLine


def allocate(
    tx: Transaction,
    session_id: str,
    categories: Collection[str],
    lines: Sequence[RequestedLine],
    held: Mapping[str, int],
    language: str,
) -> Allocation:
    """Allocates the available pieces to the lines in their order.

    `held`: pieces by item that the order has already. They stay as long as they are requested, even if the item is no
    longer on sale, or another line requests more of the same lot, as boxes do of the jars in them. `language` is that
    of the reasons.
    """
    items = [line.item_id for line in lines if line.item_id]
    offers = {offer.item_id: offer for offer in offers_for(tx, session_id, categories, item_ids=items)} if items else {}
    kept_pieces = {line.item_id: min(line.pieces, held.get(line.item_id, 0)) for line in lines}
    free = _free_grains(offers, held, kept_pieces)
    pieces: dict[str, int] = {}
    reasons: dict[int, str] = {}
    for index, line in enumerate(lines):
        offer = offers.get(line.item_id)
        problem = _closing_problem(tx, offer)
        added = min(line.pieces - kept_pieces[line.item_id], 0 if problem else _available(offer, free))
        allocated = kept_pieces[line.item_id] + added
        if allocated < line.pieces:
            reasons[index] = say(language, problem or _shortage(offer, allocated))
        if offer is not None and offer.lot_id in free:
            free[offer.lot_id] -= added * offer.lot_quantity
        if allocated:
            pieces[line.item_id] = allocated
    return Allocation(pieces=pieces, reasons=reasons)


def _free_grains(
    offers: Mapping[str, VisibleOffer], held: Mapping[str, int], kept_pieces: Mapping[str, int]
) -> dict[str, int]:
    """Free grains by lot, without unlimited lots. What the order holds of a lot and does not keep counts as free."""
    free: dict[str, int] = {}
    for visible in offers.values():
        if visible.left is not None:
            free[visible.lot_id] = max(free.get(visible.lot_id, 0), visible.left * visible.lot_quantity)
    for item_id, pieces in held.items():
        offer = offers.get(item_id)
        if offer is not None and offer.lot_id in free:
            free[offer.lot_id] += (pieces - kept_pieces.get(item_id, 0)) * offer.lot_quantity
    return free


def _available(offer: VisibleOffer | None, free: Mapping[str, int]) -> int:
    if offer is None:
        return 0
    return free[offer.lot_id] // offer.lot_quantity if offer.lot_id in free else 10_000


def _closing_problem(tx: Transaction, offer: VisibleOffer | None) -> Problem | None:
    """Why no more pieces can be ordered, whatever the stock; None if they can."""
    if offer is None:
        return Problem("not_on_sale", "This product is not on sale here (any more).")
    if offer.orderable_until <= tx.now:
        text = "Orders for {name} have closed: its producer needs them earlier."
        return Problem("cut_off", text, values={"name": offer.name})
    return None


def _shortage(offer: VisibleOffer | None, allocated: int) -> Problem:
    name = offer.name if offer else ""
    if not allocated:
        return Problem("sold_out", "{name} is sold out.", values={"name": name})
    return Problem("short", "Only {left} pieces of {name} are left.", values={"left": allocated, "name": name})
