"""Writes an order as Open Food Network does: the order, its lines, offers and products, each a node with an IRI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ...dfc.vocabulary import (
    DfcEnterprise,
    DfcLine,
    DfcOffer,
    DfcOrder,
    DfcPrice,
    DfcProduct,
    DfcQuantity,
    DfcSession,
    Thing,
)
from ...dfc.write import write_20, write_116
from .values import Backorder, BackorderLine, State

_MOMENT = "%a %b %d %Y %H:%M:%S UTC"  # the format that the deployed portal reads


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """The hub and its sale, as sent to the platform."""

    iri: str
    name: str
    email: str
    session_iri: str


def document_of(backorder: Backorder, buyer: Buyer, state: State, cases: Mapping[str, int], version: str) -> Any:
    """Returns the whole order in DFC 1.16 or 2.0. `cases` are those to be ordered, by `product_iri`.

    Until the platform has given the order an IRI, the address to which it is sent serves as one.
    """
    things = list(_things(backorder, buyer, state, cases))
    if version == "2.0":
        return write_20(things, {})
    document = write_116(things)
    for node in document["@graph"]:
        if node["@id"] == buyer.session_iri:
            node["dfc-b:beginDate"] = _moment(backorder.opens_at)
            node["dfc-b:endDate"] = _moment(backorder.closes_at)
    return document


def _things(backorder: Backorder, buyer: Buyer, state: State, cases: Mapping[str, int]) -> Iterator[Thing]:
    order_iri = backorder.iri or backorder.url
    yield DfcOrder(iri=order_iri, state=state, session=buyer.session_iri, ordered_by=buyer.iri)
    yield DfcSession(
        iri=buyer.session_iri, name=backorder.session_name, opens_at=backorder.opens_at, closes_at=backorder.closes_at
    )
    yield DfcEnterprise(iri=buyer.iri, name=buyer.name, email=buyer.email)
    offers: dict[str, list[BackorderLine]] = {}
    for line in backorder.lines:
        if cases.get(line.product_iri):
            offers.setdefault(offer_of(line), []).append(line)
    taken = {line.line_iri for line in backorder.lines}
    for number, (offer, lines) in enumerate(offers.items(), start=1):
        first = lines[0]
        price = None
        if first.price is not None:
            price = DfcPrice(amount=first.price, currency=backorder.currency)
        line_iri = next((line.line_iri for line in lines if line.line_iri), "") or _new_name(order_iri, number, taken)
        yield DfcLine(
            iri=line_iri,
            order=order_iri,
            offer=offer,
            quantity=DfcQuantity(value=Decimal(sum(cases[line.product_iri] for line in lines))),
            price=price,
        )
        yield DfcOffer(iri=offer, item=first.ordered_iri, price=price)
        yield DfcProduct(iri=first.ordered_iri, name=first.name if first.ordered_iri == first.product_iri else "")


def offer_of(line: BackorderLine) -> str:
    """Returns the IRI of a line's offer; one that we derive if the platform has none."""
    return line.offer_iri or f"{line.ordered_iri}/Offer"


def _new_name(order_iri: str, number: int, taken: set[str]) -> str:
    while f"{order_iri}/OrderLines/{number}" in taken:
        number += 1
    taken.add(f"{order_iri}/OrderLines/{number}")
    return f"{order_iri}/OrderLines/{number}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_MOMENT)
