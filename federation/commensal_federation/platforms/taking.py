"""Takes orders of platforms: a first word places an order of the core's, later ones amend it until it is Complete.

What is Held has its stock taken, and may be amended while the sale is open; deployed platforms say Held of what is not
finished. Complete ends that, after the close too. Lines that cannot be had are shortened or refused, one by one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, update

from commensal import (
    Conflict,
    Customer,
    Hooks,
    Order,
    Problem,
    SaleSession,
    Transaction,
    Wish,
    cancel_order,
    change_order,
    insert_once,
    insert_rows,
    is_open,
    locked_order,
    place_order,
    sale_by_id,
    sessions_of_shop,
)

from .orders import platform_order
from .shortening import shorten
from .tables import federation_platform_line, federation_platform_order
from .values import PlatformOrder, Shortened, WantedLine, WantedOrder

_row = federation_platform_order.c


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """As whom a sender orders: a customer of the shop whom the enterprise named, or somebody by name and address."""

    sender: str
    customer: Customer | None
    name: str
    email: str
    phone: str
    language: str


def take_order(
    tx: Transaction, hooks: Hooks, enterprise_id: str, buyer: Buyer, wanted: WantedOrder, *, key: str, body: bytes
) -> tuple[PlatformOrder, bool]:
    """The order that was placed, and whether it is new: the same `key` places it once.

    Raises `Conflict` for another request with the same key, where no sale is open, and where nothing can be had.
    """
    claim, hashed = tx.new_id(), hashlib.sha256(body).hexdigest()
    row = {
        "id": claim, "enterprise_id": enterprise_id, "sender": buyer.sender, "key": key or claim, "said_hash": hashed,
        "order_id": None, "ordered_by": wanted.ordered_by, "state": wanted.state, "created_at": tx.now,
        "changed_at": tx.now,
    }  # fmt: skip
    if not insert_once(tx, federation_platform_order, row):
        return _known(tx, enterprise_id, buyer.sender, key, hashed), False
    if wanted.state == "Cancelled":
        raise Conflict("cancelled", "This order was cancelled.")
    lines = wanted.lines or ()
    session = _session(tx, enterprise_id, wanted)
    found = shorten(tx, session.id, _categories(buyer), lines, {}, buyer.language)
    if not found.pieces:
        raise _nothing(lines, found)
    wish = Wish(
        items=found.pieces, name=buyer.name, email=buyer.email, phone=buyer.phone, language=buyer.language,
    )  # fmt: skip
    customer_id = buyer.customer.id if buyer.customer else None
    placed = place_order(tx, hooks, session.id, wish, by_hub=True, customer_id=customer_id, by_platform=True)
    tx.execute(update(federation_platform_order).where(_row.id == claim).values(order_id=placed.id))
    _keep_lines(tx, claim, lines, found)
    return platform_order(tx, claim), True


def amend_order(
    tx: Transaction, hooks: Hooks, known: PlatformOrder, buyer: Buyer, wanted: WantedOrder
) -> PlatformOrder:
    """The order as its sender says it is now, whole. Raises `Conflict` once it is Complete or cancelled, and after the
    close, when something but the state would change: who says of each line what comes of it changes nothing."""
    order = locked_order(tx, known.order_id, enterprise_id=known.enterprise_id)
    known = platform_order(tx, known.id)
    if known.state == "Cancelled" or order.state == "Cancelled":
        if wanted.state == "Cancelled":
            return known
        raise Conflict("cancelled", "This order was cancelled.")
    nothing = wanted.lines is not None and not any(line.pieces for line in wanted.lines)
    if wanted.state == "Cancelled" or nothing:
        cancel_order(tx, hooks, order)
        return _said(tx, known, "Cancelled")
    if wanted.lines is not None:
        _change_lines(tx, hooks, known, order, buyer, wanted.lines)
    if wanted.state == "Held" and known.state == "Complete":
        return known
    return _said(tx, known, wanted.state)


def pieces_of(order: Order) -> dict[str, int]:
    """Pieces by item, as they are ordered now; what came instead of something else is not counted."""
    pieces: Counter[str] = Counter()
    for line in order.lines:
        if line.substitutes_id is None and line.quantity:
            pieces[line.item_id] += line.quantity
    return dict(pieces)


def _change_lines(
    tx: Transaction, hooks: Hooks, known: PlatformOrder, order: Order, buyer: Buyer, lines: tuple[WantedLine, ...]
) -> None:
    held = pieces_of(order)
    session = sale_by_id(tx, order.session_id).session
    over = known.state == "Complete" or not is_open(session, tx.now)
    if _as_before(known, lines) or (over and _as_it_comes(held, lines)):
        return
    if known.state == "Complete":
        raise Conflict("complete", "This order is complete, and cannot be changed any more.")
    if over:
        raise Conflict("closed", "The sale {name} is closed.", name=session.name)
    found = shorten(tx, session.id, _categories(buyer), lines, held, buyer.language)
    if not found.pieces:
        raise _nothing(lines, found)
    if found.pieces != held:
        change_order(tx, hooks, order, items=found.pieces, by_hub=True)
    _keep_lines(tx, known.id, lines, found)


def _as_before(known: PlatformOrder, lines: tuple[WantedLine, ...]) -> bool:
    before: Mapping[str, int] = {line.item_id or line.offer_iri: line.wanted for line in known.lines}
    return before == {line.item_id or line.offer_iri: line.pieces for line in lines}


def _as_it_comes(held: Mapping[str, int], lines: tuple[WantedLine, ...]) -> bool:
    """Who was told that less comes may say so too."""
    return held == {line.item_id: line.pieces for line in lines if line.pieces}


def _session(tx: Transaction, enterprise_id: str, wanted: WantedOrder) -> SaleSession:
    """Our sale that was named; else, of those that are open, the one that ends when they say, or first."""
    there = [one for one in sessions_of_shop(tx, enterprise_id, limit=200) if is_open(one, tx.now)]
    if wanted.session_id:
        there = [one for one in there if one.id == wanted.session_id]
    if not there:
        raise Conflict("no_open_sale", "There is no sale open here that could take this order.")
    return min(there, key=lambda one: (one.closes_at != wanted.closes_at, one.closes_at, one.id))


def _known(tx: Transaction, enterprise_id: str, sender: str, key: str, hashed: str) -> PlatformOrder:
    mine = (_row.enterprise_id == enterprise_id, _row.sender == sender, _row.key == key)
    row = tx.one(federation_platform_order.select().where(*mine))
    if row["said_hash"] != hashed:
        raise Conflict("key_used", "This order is known already, and was another. Change it at its own address.")
    return platform_order(tx, row["id"])


def _said(tx: Transaction, known: PlatformOrder, state: str) -> PlatformOrder:
    tx.execute(
        update(federation_platform_order).where(_row.id == known.id).values(state=state, changed_at=tx.now)
    )  # fmt: skip
    return platform_order(tx, known.id)


def _keep_lines(tx: Transaction, id: str, lines: tuple[WantedLine, ...], found: Shortened) -> None:
    """Lines keep their ids as long as they concern the same."""
    before = {line.item_id or line.offer_iri: line.id for line in platform_order(tx, id).lines} if lines else {}
    tx.execute(delete(federation_platform_line).where(federation_platform_line.c.order_id == id))
    rows = [
        {
            "id": before.get(line.item_id or line.offer_iri) or tx.new_id(), "order_id": id, "item_id": line.item_id,
            "offer_iri": line.offer_iri, "wanted": line.pieces, "reason": found.reasons.get(place, ""),
        }
        for place, line in enumerate(lines)
    ]  # fmt: skip
    insert_rows(tx, federation_platform_line, rows)


def _categories(buyer: Buyer) -> frozenset[str]:
    return buyer.customer.categories if buyer.customer else frozenset()


def _nothing(lines: tuple[WantedLine, ...], found: Shortened) -> Conflict:
    refusal = Conflict("nothing", "Nothing of this order can be had.")
    refusal.problems = tuple(
        Problem("refused", "{reason}", lines[place].offer_iri, {"reason": reason})
        for place, reason in found.reasons.items()
    )
    return refusal
