"""What can be had of what is wanted: all of it, less, or nothing, line by line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from commensal import Problem, Transaction, VisibleOffer, offers_for, say

from .values import Shortened, WantedLine


def shorten(
    tx: Transaction,
    session_id: str,
    categories: Collection[str],
    wanted: Sequence[WantedLine],
    held: Mapping[str, int],
    language: str,
) -> Shortened:
    """Gives every line what is left, the first line first. `held` are pieces by item that the order has already: they
    stay, as long as they are wanted, also where nothing is sold of it any more."""
    items = [one.item_id for one in wanted if one.item_id]
    offers = {one.item_id: one for one in offers_for(tx, session_id, categories, item_ids=items)} if items else {}
    left = _left(offers, held)
    pieces: dict[str, int] = {}
    reasons: dict[int, str] = {}
    for place, line in enumerate(wanted):
        had = held.get(line.item_id, 0)
        offer = offers.get(line.item_id)
        problem = _closed(tx, line, offer)
        most = had if problem else _most(offer, left)
        given = min(line.pieces, most)
        if given < line.pieces:
            reasons[place] = say(language, problem or _short(offer, given))
        if offer is not None and offer.lot_id in left:
            left[offer.lot_id] -= given * offer.lot_quantity
        if given:
            pieces[line.item_id] = given
    return Shortened(pieces=pieces, reasons=reasons)


def _left(offers: Mapping[str, VisibleOffer], held: Mapping[str, int]) -> dict[str, int]:
    """Grains by lot; lots that are unlimited are left out. What is held of a lot can be had again."""
    left: dict[str, int] = {}
    for one in offers.values():
        if one.left is not None:
            left[one.lot_id] = max(left.get(one.lot_id, 0), one.left * one.lot_quantity)
    for item_id, pieces in held.items():
        offer = offers.get(item_id)
        if offer is not None and offer.lot_id in left:
            left[offer.lot_id] += pieces * offer.lot_quantity
    return left


def _most(offer: VisibleOffer | None, left: Mapping[str, int]) -> int:
    if offer is None:
        return 0
    return left[offer.lot_id] // offer.lot_quantity if offer.lot_id in left else 10_000


def _closed(tx: Transaction, line: WantedLine, offer: VisibleOffer | None) -> Problem | None:
    """Why no more of it can be ordered, whatever is there."""
    if offer is None:
        return Problem("not_on_sale", "This product is not on sale here (any more).")
    if offer.orderable_until <= tx.now:
        text = "Orders for {name} have closed: its producer needs them earlier."
        return Problem("cut_off", text, values={"name": offer.name})
    return None


def _short(offer: VisibleOffer | None, given: int) -> Problem:
    name = offer.name if offer else ""
    if not given:
        return Problem("sold_out", "{name} is sold out.", values={"name": name})
    return Problem("short", "Only {left} pieces of {name} are left.", values={"left": given, "name": name})
