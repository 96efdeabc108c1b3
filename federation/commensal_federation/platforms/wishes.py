"""Reads an order out of a document of DFC, in the dialects in which platforms send it.

An offer may be ours by its address, or one of theirs that offers an item or a product of ours: Open Food Network's
backorders have it so. Its sale may be ours, or one of their making.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from commensal import Invalid, NotFound, Problem, Transaction, items_of_offers, listings_of, whose

from ..dfc.iris import ResourceKind, local_id
from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcEnterprise, DfcLine, DfcOffer, DfcOrder, DfcPerson, DfcPhone, DfcSession
from .values import State, WantedLine, WantedOrder

Kind = Literal["offer", "item", "product"]
_STATES: dict[str, State] = {"Held": "Held", "Complete": "Complete", "Cancelled": "Cancelled"}
_KINDS: dict[ResourceKind, Kind] = {"offers": "offer", "catalog_items": "item", "supplied_products": "product"}
_MOST_PIECES = 10_000
_LONGEST = 500  # characters of a name


def read_order(tx: Transaction, base: str, enterprise_id: str, document: DfcDocument) -> WantedOrder:
    """What is wanted of this enterprise. Raises `Unreadable` for another number of orders than one, `Invalid`."""
    order = document.one(DfcOrder)
    state = _STATES.get(order.state or "Held")
    if state is None:
        text = "An order is Held, Complete or Cancelled; a draft stays where it is made."
        raise Invalid([Problem("state", text, "/dfc-b:hasOrderStatus")])
    lines = [one for one in document.all(DfcLine) if one.order in (None, order.iri)]
    said = document.get(DfcSession, order.session)
    name, email, phone = _customer(document, order.ordered_by)
    return WantedOrder(
        iri="" if order.iri.startswith(("_:", f"{base}/")) else order.iri[:_LONGEST],
        state=state,
        session_id=local_id(base, order.session or "", "sale_sessions") or "",
        closes_at=said.closes_at if said else None,
        ordered_by=(order.ordered_by or "")[:_LONGEST],
        name=name,
        email=email,
        phone=phone,
        lines=_lines(tx, base, enterprise_id, document, lines) if lines else None,
    )


def enterprise_meant(tx: Transaction, base: str, document: DfcDocument) -> str:
    """Whose an order is that was sent to nobody in particular: of the sale or seller that it names, or else of the
    first thing that it wants. Raises `NotFound`, `Unreadable`."""
    order = document.one(DfcOrder)
    if session_id := local_id(base, order.session or "", "sale_sessions"):
        return whose(tx, "session", session_id)
    if seller := local_id(base, order.sold_by or "", "enterprises"):
        return seller
    for line in document.all(DfcLine):
        kind, one = _named(base, document, line.offer)
        if kind is not None:
            return whose(tx, kind, one)
    raise NotFound("no_enterprise", "It is not clear whose goods this order wants.")


def _items_meant(
    tx: Transaction, base: str, enterprise_id: str, document: DfcDocument, lines: Sequence[DfcLine]
) -> list[str]:
    """For each line the item of ours that it means, "" where it is none."""
    named = [_named(base, document, line.offer) for line in lines]
    items = items_of_offers(tx, [one for kind, one in named if kind == "offer"])
    listed = listings_of(tx, enterprise_id, [one for kind, one in named if kind == "product"])
    found: list[str] = []
    for kind, one in named:
        by_kind = {"item": one, "offer": items.get(one, ""), "product": next(iter(listed.get(one, ())), "")}
        found.append(by_kind.get(kind or "", ""))
    return found


def _lines(
    tx: Transaction, base: str, enterprise_id: str, document: DfcDocument, lines: Sequence[DfcLine]
) -> tuple[WantedLine, ...]:
    """Lines of the same item are one."""
    problems: list[Problem] = []
    meant = _items_meant(tx, base, enterprise_id, document, lines)
    wanted: dict[str, WantedLine] = {}
    for line, item_id in zip(lines, meant, strict=True):
        offer_iri = (line.offer or line.iri)[:_LONGEST]
        pieces = _pieces(line, problems)
        key = item_id or offer_iri
        had = wanted[key].pieces if key in wanted else 0
        wanted[key] = WantedLine(item_id=item_id, offer_iri=offer_iri, pieces=had + pieces)
    if problems:
        raise Invalid(problems)
    return tuple(wanted.values())


def _named(base: str, document: DfcDocument, iri: str | None) -> tuple[Kind | None, str]:
    """Which kind of thing of ours a line concerns, and its id."""
    offer = document.get(DfcOffer, iri)
    for named in (iri or "", (offer.item if offer else None) or ""):
        for place, kind in _KINDS.items():
            if one := local_id(base, named, place):
                return kind, one
    return None, ""


def _pieces(line: DfcLine, problems: list[Problem]) -> int:
    value = line.quantity.value if line.quantity else Decimal(-1)
    if value != value.to_integral_value() or not 0 <= value <= _MOST_PIECES:
        text = "A quantity is a whole number of pieces, at most {most}."
        problems.append(Problem("quantity", text, line.iri[:_LONGEST], {"most": _MOST_PIECES}))
        return 0
    return int(value)


def _customer(document: DfcDocument, iri: str | None) -> tuple[str, str, str]:
    """Name, e-mail address and telephone of whoever orders, as far as the document says them."""
    who = document.get(DfcPerson, iri) or document.get(DfcEnterprise, iri)
    if who is None:
        return "", "", ""
    phones = [one.number for one in document.all(DfcPhone) if one.iri in who.phones]
    name = who.name if isinstance(who, DfcEnterprise) else f"{who.first_name} {who.family_name}".strip()
    return name, who.email, phones[0] if phones else ""
