"""Places orders of platforms: the first document places an order in the core, later ones amend it until it is Complete.

A Held order takes its stock and may be amended while the sale is open; deployed platforms use Held for unfinished
orders. Complete ends that, even after the close. Lines beyond the stock are shortened or refused, one by one.
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
    Invalid,
    Order,
    Problem,
    SaleSession,
    Transaction,
    insert_once,
    insert_rows,
    sale_by_id,
    sessions_of_shop,
)
from commensal.orders import Wish, cancel_order, change_order, locked_order, place_order
from commensal.sale_sessions import is_open

from .orders import Allocation, PlatformOrder, RequestedLine, RequestedOrder, State, allocate, platform_order
from .tables import federation_platform_line, federation_platform_order

_row = federation_platform_order.c


@dataclass(frozen=True, kw_only=True)
class PlatformBuyer:
    """The buyer for whom a platform orders: a customer that the enterprise chose, or a name and e-mail address."""

    sender: str
    customer: Customer | None
    name: str
    email: str
    phone: str
    language: str


def place_platform_order(
    tx: Transaction,
    hooks: Hooks,
    enterprise_id: str,
    buyer: PlatformBuyer,
    requested: RequestedOrder,
    *,
    key: str,
    body: bytes,
) -> tuple[PlatformOrder, bool]:
    """Places an order; returns it and whether it is new, since the same `key` places it only once.

    Raises `Conflict` for a different request with the same key, if no sale is open, and if nothing is available.
    """
    claim, body_hash = tx.new_id(), hashlib.sha256(body).hexdigest()
    row = {
        "id": claim,
        "enterprise_id": enterprise_id,
        "sender": buyer.sender,
        "key": key or claim,
        "said_hash": body_hash,
        "order_id": None,
        "ordered_by": requested.ordered_by,
        "state": requested.state,
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    if not insert_once(tx, federation_platform_order, row):
        return _repeated(tx, enterprise_id, buyer.sender, key, body_hash), False
    if requested.state == "Cancelled":
        raise Conflict("cancelled", "This order was cancelled.")
    _place(tx, hooks, claim, _choose_session(tx, enterprise_id, requested), buyer, requested.lines)
    return platform_order(tx, claim), True


def _place(
    tx: Transaction, hooks: Hooks, id: str, session: SaleSession, buyer: PlatformBuyer, lines: tuple[RequestedLine, ...]
) -> None:
    """Places the core's order for these lines of the platform's order `id`.

    Raises `Conflict` if nothing is left, `Invalid` without an e-mail address of the buyer.
    """
    if not buyer.email:
        text = "The order names no customer with an e-mail address, and none was chosen here for this platform."
        raise Invalid([Problem("no_email", text, "/dfc-b:orderedBy")])
    allocation = allocate(tx, session.id, _categories(buyer), lines, {}, buyer.language)
    if not allocation.pieces:
        raise _refusal(lines, allocation)
    wish = Wish(items=allocation.pieces, name=buyer.name, email=buyer.email, phone=buyer.phone, language=buyer.language)
    customer_id = buyer.customer.id if buyer.customer else None
    order = place_order(tx, hooks, session.id, wish, by_hub=True, customer_id=customer_id, by_platform=True)
    tx.execute(update(federation_platform_order).where(_row.id == id).values(order_id=order.id))
    _store_lines(tx, id, lines, allocation)


def amend_platform_order(
    tx: Transaction, hooks: Hooks, placed: PlatformOrder, buyer: PlatformBuyer, requested: RequestedOrder
) -> PlatformOrder:
    """Changes the order to what its sender requests now, as a whole. A request without pieces empties the order, as
    Open Food Network does to cancel; Complete without pieces cancels it for good.

    Raises `Conflict` if lines would change once it is Complete or cancelled, or after the close. A request for exactly
    the confirmed pieces changes nothing and is accepted.
    """
    order = locked_order(tx, placed.order_id, enterprise_id=placed.enterprise_id)
    placed = platform_order(tx, placed.id)
    is_without_pieces = not any(line.pieces for line in requested.lines)
    cancels = requested.state == "Cancelled" or (requested.state == "Complete" and is_without_pieces)
    if placed.state == "Cancelled" or (order.state == "Cancelled" and not placed.is_empty):
        if cancels:
            return placed
        raise Conflict("cancelled", "This order was cancelled.")
    if cancels or is_without_pieces:
        return _empty(tx, hooks, placed, order, requested.state, "Cancelled" if cancels else "Held")
    if placed.is_empty:
        _fill_again(tx, hooks, placed, order, buyer, requested.lines)
    else:
        _change_lines(tx, hooks, placed, order, buyer, requested.lines)
    if requested.state == "Held" and placed.state == "Complete":
        return placed
    return _set_state(tx, placed, requested.state)


def _empty(
    tx: Transaction, hooks: Hooks, placed: PlatformOrder, order: Order, requested: State, state: State
) -> PlatformOrder:
    """Gives all pieces back. The order is then Held without lines, and may be filled again, or it is Cancelled."""
    if requested != "Cancelled" and placed.state == "Complete":
        raise _complete()
    if order.state != "Cancelled":
        cancel_order(tx, hooks, order)
    if state == "Held":
        tx.execute(delete(federation_platform_line).where(federation_platform_line.c.order_id == placed.id))
    return _set_state(tx, placed, state)


def _fill_again(
    tx: Transaction,
    hooks: Hooks,
    placed: PlatformOrder,
    order: Order,
    buyer: PlatformBuyer,
    lines: tuple[RequestedLine, ...],
) -> None:
    """Places another order of the core, in the same sale, since the emptied one was cancelled."""
    _place(tx, hooks, placed.id, _demand_open(tx, order), buyer, lines)


def _demand_open(tx: Transaction, order: Order) -> SaleSession:
    """The sale of the order. Raises `Conflict` once it is closed."""
    session = sale_by_id(tx, order.session_id).session
    if not is_open(session, tx.now):
        raise Conflict("closed", "The sale {name} is closed.", name=session.name)
    return session


def _complete() -> Conflict:
    return Conflict("complete", "This order is complete, and cannot be changed any more.")


def ordered_pieces(order: Order) -> dict[str, int]:
    """Pieces by item as currently ordered, without substitutes."""
    pieces: Counter[str] = Counter()
    for line in order.lines:
        if line.substitutes_id is None and line.quantity:
            pieces[line.item_id] += line.quantity
    return dict(pieces)


def _change_lines(
    tx: Transaction,
    hooks: Hooks,
    placed: PlatformOrder,
    order: Order,
    buyer: PlatformBuyer,
    lines: tuple[RequestedLine, ...],
) -> None:
    held = ordered_pieces(order)
    session = sale_by_id(tx, order.session_id).session
    is_closed = placed.state == "Complete" or not is_open(session, tx.now)
    if _is_unchanged(placed, lines) or (is_closed and _is_confirmed(held, lines)):
        return
    if placed.state == "Complete":
        raise _complete()
    _demand_open(tx, order)
    allocation = allocate(tx, session.id, _categories(buyer), lines, held, buyer.language)
    if not allocation.pieces:
        raise _refusal(lines, allocation)
    if allocation.pieces != held:
        change_order(tx, hooks, order, items=allocation.pieces, by_hub=True)
    _store_lines(tx, placed.id, lines, allocation)


def _is_unchanged(placed: PlatformOrder, lines: tuple[RequestedLine, ...]) -> bool:
    earlier: Mapping[str, int] = {line.item_id or line.offer_iri: line.wanted for line in placed.lines}
    return earlier == {line.item_id or line.offer_iri: line.pieces for line in lines}


def _is_confirmed(held: Mapping[str, int], lines: tuple[RequestedLine, ...]) -> bool:
    """Whether the sender repeats the confirmed pieces, after it was informed that fewer come."""
    return held == {line.item_id: line.pieces for line in lines if line.pieces}


def _choose_session(tx: Transaction, enterprise_id: str, requested: RequestedOrder) -> SaleSession:
    """The open sale that the order names, else the one that closes when the order says, else the first to close."""
    sessions = [session for session in sessions_of_shop(tx, enterprise_id, limit=200) if is_open(session, tx.now)]
    if requested.session_id:
        sessions = [session for session in sessions if session.id == requested.session_id]
    if not sessions:
        raise Conflict("no_open_sale", "There is no sale open here that could take this order.")
    return min(sessions, key=lambda session: (session.closes_at != requested.closes_at, session.closes_at, session.id))


def _repeated(tx: Transaction, enterprise_id: str, sender: str, key: str, body_hash: str) -> PlatformOrder:
    is_request = (_row.enterprise_id == enterprise_id, _row.sender == sender, _row.key == key)
    row = tx.one(federation_platform_order.select().where(*is_request))
    if row["said_hash"] != body_hash:
        raise Conflict("key_used", "This order is known already, and was another. Change it at its own address.")
    return platform_order(tx, row["id"])


def _set_state(tx: Transaction, placed: PlatformOrder, state: State) -> PlatformOrder:
    tx.execute(update(federation_platform_order).where(_row.id == placed.id).values(state=state, changed_at=tx.now))
    return platform_order(tx, placed.id)


def _store_lines(tx: Transaction, id: str, lines: tuple[RequestedLine, ...], allocation: Allocation) -> None:
    """Replaces the lines; a line for the same item or offer keeps its id."""
    line_ids = {line.item_id or line.offer_iri: line.id for line in platform_order(tx, id).lines} if lines else {}
    tx.execute(delete(federation_platform_line).where(federation_platform_line.c.order_id == id))
    rows = [
        {
            "id": line_ids.get(line.item_id or line.offer_iri) or tx.new_id(),
            "order_id": id,
            "item_id": line.item_id,
            "offer_iri": line.offer_iri,
            "product_iri": line.product_iri,
            "wanted": line.pieces,
            "reason": allocation.reasons.get(index, ""),
        }
        for index, line in enumerate(lines)
    ]
    insert_rows(tx, federation_platform_line, rows)


def _categories(buyer: PlatformBuyer) -> frozenset[str]:
    return buyer.customer.categories if buyer.customer else frozenset()


def _refusal(lines: tuple[RequestedLine, ...], allocation: Allocation) -> Conflict:
    refusal = Conflict("nothing", "Nothing of this order can be had.")
    refusal.problems = tuple(
        Problem("refused", "{reason}", lines[index].offer_iri, {"reason": reason})
        for index, reason in allocation.reasons.items()
    )
    return refusal
