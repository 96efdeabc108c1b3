"""Reads the orders that came from platforms, with their lines as requested."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, select

from commensal import NotFound, Problem, Transaction, say
from commensal.sale_sessions import VisibleOffer, offers_for

from .tables import federation_platform_line, federation_platform_order

# Values of the orders that platforms send.

State = Literal["Held", "Complete", "Cancelled"]


@dataclass(frozen=True, kw_only=True)
class RequestedLine:
    """`item_id` is the item of ours that it refers to, "" if none; `offer_iri` and `product_iri` are the sender's IRIs
    of the offer and of the product in it, "" for a product if the offer names none."""

    item_id: str
    offer_iri: str
    pieces: int
    product_iri: str = ""


@dataclass(frozen=True, kw_only=True)
class RequestedOrder:
    """An order as its sender's document requests it.

    iri:        the sender's own IRI of the order, "" if it has none
    session_id: our sale that the order names, "" if none
    closes_at:  the end of the sender's own sale; None if the document has none
    lines:      empty if the document has none: the order is emptied
    name, email, phone: of the customer `ordered_by`, "" if unknown
    """

    iri: str
    state: State
    session_id: str
    closes_at: datetime | None
    ordered_by: str
    name: str
    email: str
    phone: str
    lines: tuple[RequestedLine, ...]


@dataclass(frozen=True, kw_only=True)
class PlatformLine:
    """A line as requested: `wanted` is in pieces, `product_iri` the sender's, "" if unknown. The core's order has the
    confirmed pieces."""

    id: str
    item_id: str
    offer_iri: str
    product_iri: str
    wanted: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PlatformOrder:
    """An order of a platform. `state` is the one that the sender set last; see `federation_platform_order`.

    The sender may empty an order without cancelling it: it is then Held without lines, its order here is cancelled, and
    new lines place another one.
    """

    id: str
    enterprise_id: str
    sender: str
    order_id: str
    ordered_by: str
    state: State
    created_at: datetime
    changed_at: datetime
    lines: tuple[PlatformLine, ...]

    @property
    def is_empty(self) -> bool:
        """Whether its sender has emptied it, and may still fill it again."""
        return self.state == "Held" and not self.lines


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """The available pieces by item, and the reasons for fewer than requested, by the index of the line."""

    pieces: Mapping[str, int]
    reasons: Mapping[int, str]


_row, _line = federation_platform_order.c, federation_platform_line.c
_VALUES = [_row[name] for name in PlatformOrder.__dataclass_fields__ if name != "lines"]


def platform_order(tx: Transaction, id: str) -> PlatformOrder:
    """The order by id, whoever sent it: the caller checks access. Raises `NotFound`."""
    orders = _orders(tx, _row.id == id, limit=1)
    if not orders:
        raise NotFound("no_order", "There is no such order.")
    return orders[0]


def is_platform_order(tx: Transaction, id: str) -> bool:
    """Whether an order of a platform has this id."""
    return tx.first(select(_row.id).where(_row.id == id)) is not None


def order_of_line(tx: Transaction, line_id: str) -> PlatformOrder:
    """The order that has this line. Raises `NotFound`."""
    return platform_order(tx, tx.value(select(_line.order_id).where(_line.id == line_id)) or "")


def platform_orders(
    tx: Transaction,
    enterprise_ids: Collection[str],
    *,
    senders: Collection[str] | None = None,
    after: str = "",
    limit: int = 50,
) -> list[PlatformOrder]:
    """A page of the orders at these enterprises, sorted by id: of these senders, or of all."""
    conditions = [_row.enterprise_id.in_(sorted(enterprise_ids)), _row.id > after]
    if senders is not None:
        conditions.append(_row.sender.in_(senders))
    return _orders(tx, *conditions, limit=limit)


def sellers_of(tx: Transaction, senders: Collection[str]) -> list[str]:
    """Ids of the enterprises at which one of the senders has ordered, sorted."""
    query = select(_row.enterprise_id).where(_row.sender.in_(senders)).distinct().order_by(_row.enterprise_id)
    return [row["enterprise_id"] for row in tx.all(query)]


def requested_lines(placed: PlatformOrder) -> tuple[RequestedLine, ...]:
    """The order's lines as its sender would request them once more."""
    return tuple(
        RequestedLine(item_id=line.item_id, offer_iri=line.offer_iri, pieces=line.wanted, product_iri=line.product_iri)
        for line in placed.lines
    )


def _orders(tx: Transaction, *conditions: ColumnElement[bool], limit: int) -> list[PlatformOrder]:
    rows = tx.all(select(*_VALUES).where(*conditions).order_by(_row.id).limit(limit))
    lines: dict[str, list[PlatformLine]] = {row["id"]: [] for row in rows}
    for row in tx.all(select(federation_platform_line).where(_line.order_id.in_(lines)).order_by(_line.id)):
        values = {name: row[name] for name in PlatformLine.__dataclass_fields__}
        lines[row["order_id"]].append(PlatformLine(**values))
    return [PlatformOrder(**row, lines=tuple(lines[row["id"]])) for row in rows]


# Allocates stock to the lines of a platform's order: all requested pieces, fewer, or none.


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
