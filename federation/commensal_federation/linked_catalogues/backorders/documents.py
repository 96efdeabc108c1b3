"""Orders at linked platforms as documents: ours, written as Open Food Network does, and the platform's answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from commensal import MEASURES

from ...dfc.graph import write_20, write_116
from ...dfc.offered_products import pieces_in
from ...dfc.read import DfcDocument
from ...dfc.vat import PriceBasis, amount_as
from ...dfc.vocabulary import (
    DfcEnterprise,
    DfcItem,
    DfcLine,
    DfcOffer,
    DfcOrder,
    DfcPrice,
    DfcProduct,
    DfcQuantity,
    DfcSession,
    Thing,
)
from ..client import DfcAnswer, DfcClient
from ..values import Access, NotAnswered, origin_of
from .cases import allot
from .values import Backorder, BackorderLine, State

_MOMENT = "%a %b %d %Y %H:%M:%S UTC"  # the format that the deployed portal reads


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """The hub and its sale, as sent to the platform. Its own prices have VAT as `prices_include_vat` says; `rates` are
    those of its copies, in percent, by `product_id`."""

    iri: str
    name: str
    email: str
    session_iri: str
    prices_include_vat: bool
    rates: Mapping[str, Decimal]


def document_of(backorder: Backorder, buyer: Buyer, state: State, cases: Mapping[str, int], access: Access) -> Any:
    """Returns the whole order in the platform's version of DFC. `cases` are those to be ordered, by `product_iri`.

    Until the platform has given the order an IRI, the address to which it is sent serves as one.
    """
    things = list(_things(backorder, buyer, state, cases, with_vat=access.prices_include_vat))
    if access.version == "2.0":
        return write_20(things, {})
    document = write_116(things)
    for node in document["@graph"]:
        if node["@id"] == buyer.session_iri:
            node["dfc-b:beginDate"] = _moment(backorder.opens_at)
            node["dfc-b:endDate"] = _moment(backorder.closes_at)
    return document


def _things(
    backorder: Backorder, buyer: Buyer, state: State, cases: Mapping[str, int], *, with_vat: bool
) -> Iterator[Thing]:
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
        price = _price(first, buyer, backorder.currency, with_vat=with_vat)
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


def _price(line: BackorderLine, buyer: Buyer, currency: str, *, with_vat: bool) -> DfcPrice | None:
    """The price as the platform has listed it."""
    if line.price is None:
        return None
    rate = buyer.rates.get(line.product_id)
    amount = amount_as(line.price, rate or Decimal(0), has_vat=buyer.prices_include_vat, with_vat=with_vat)
    return DfcPrice(amount=amount, currency=currency, vat_rate=rate, includes_vat=with_vat)


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


# Reads a platform's answer to an order of ours: its IRI, its state, and the cases of each line.

_MOST = 1_000_000  # cases of one line
_LONGEST_REASON = 500
_LONGEST_IRI = 1_000


@dataclass(frozen=True, kw_only=True)
class AnsweredLine:
    """`cases` will be delivered; `price` is that of one, in minor units of the order's currency, None without one."""

    cases: int
    reason: str
    price: int | None
    iri: str


@dataclass(frozen=True, kw_only=True)
class PlatformAnswer:
    """`state` is DFC's, "" without one; `lines` by `product_iri`, empty if the answer has none.

    sent: the cases that were sent and are answered, by `product_iri`
    more: names of products of which the platform would deliver more than was ordered
    """

    iri: str
    state: str
    sent: Mapping[str, int]
    lines: Mapping[str, AnsweredLine]
    more: tuple[str, ...] = ()


def read_answer(
    client: DfcClient, backorder: Backorder, answer: DfcAnswer, sent: Mapping[str, int], buyer: Buyer
) -> PlatformAnswer:
    """Reads an answer to the cases in `sent`, by `product_iri`. If it has no body, fetches the order at its address.

    Raises `NotAnswered`.
    """
    if not answer.body.strip():
        answer = client.get(answer.location or backorder.iri or answer.url)
    document = client.document(answer)
    order = _order(document, backorder, answer)
    if origin_of(order.iri) != client.access.origin or len(order.iri) > _LONGEST_IRI:
        text = "The platform names its order {iri}, which is not its own to name."
        raise NotAnswered("other_origin", text, iri=order.iri[:200], answered=answer.status)
    return read_order(document, order, backorder, sent, buyer, client.access)


def read_order(
    document: DfcDocument, order: DfcOrder, backorder: Backorder, sent: Mapping[str, int], buyer: Buyer, access: Access
) -> PlatformAnswer:
    """Reads one order of a document. Raises `NotAnswered` for impossible quantities."""
    basis = PriceBasis(with_vat=buyer.prices_include_vat, unsaid=access.prices_include_vat)
    platform_lines = [line for line in document.all(DfcLine) if line.order in (None, order.iri)]
    answered: dict[str, AnsweredLine] = {}
    more: list[str] = []
    for group in _groups(backorder.lines):
        ordered = [sent.get(line.product_iri, 0) for line in group]
        matches = _matching_lines(document, platform_lines, group)
        cases = sum(_case_count(document, match, group[0].ordered_iri) for match in matches)
        if cases > sum(ordered):
            more.append(group[0].name)
        reason = " ".join(match.reason for match in matches if match.reason)[:_LONGEST_REASON]
        priced = next((match.price for match in matches if match.price is not None), None)
        own_price = basis.read(priced, buyer.rates.get(group[0].product_id)) if priced else None
        price = own_price.amount if own_price and own_price.currency in ("", backorder.currency) else None
        for line, share in zip(group, allot(cases, ordered), strict=True):
            name = matches[0].iri[:_LONGEST_IRI] if matches and not matches[0].iri.startswith("_:") else ""
            answered[line.product_iri] = AnsweredLine(cases=share, reason=reason, price=price, iri=name)
    return PlatformAnswer(
        iri=order.iri, state=order.state or "", sent=sent, lines=answered if platform_lines else {}, more=tuple(more)
    )


def empty_answer(backorder: Backorder, sent: Mapping[str, int]) -> PlatformAnswer:
    """Returns the answer of a platform that has none of the goods and created no order."""
    nothing = AnsweredLine(cases=0, reason="", price=None, iri="")
    return PlatformAnswer(
        iri="", state="Cancelled", sent=sent, lines={line.product_iri: nothing for line in backorder.lines}
    )


def may_be_ours(document: DfcDocument, order: DfcOrder, backorder: Backorder, buyer_iri: str) -> bool:
    """Whether an order there may be the one that we sent: ours, still open, and of the same goods at most."""
    if order.state not in (None, "Held") or order.ordered_by not in (None, buyer_iri):
        return False
    platform_lines = [line for line in document.all(DfcLine) if line.order == order.iri]
    groups = [group for group in _groups(backorder.lines) if any(line.said for line in group)]
    matches = [_matching_lines(document, platform_lines, group) for group in groups]
    counts = [
        sum(_case_count(document, line, group[0].ordered_iri) for line in lines)
        for group, lines in zip(groups, matches, strict=True)
    ]
    most = [sum(line.said or 0 for line in group) for group in groups]
    matched = {line.iri for lines in matches for line in lines}
    return (
        bool(platform_lines)
        and {line.iri for line in platform_lines} == matched
        and all(a <= b for a, b in zip(counts, most, strict=True))
    )


def _order(document: DfcDocument, backorder: Backorder, answer: DfcAnswer) -> DfcOrder:
    """Returns the order with the known IRI or that of the header Location, else the only one. Raises `NotAnswered`."""
    for iri in (backorder.iri, answer.location):
        order = document.get(DfcOrder, iri)
        if order is not None:
            return order
    orders = [order for order in document.all(DfcOrder) if order.iri != backorder.url]
    if len(orders) != 1 or backorder.iri:
        text = "The answer of {url} does not have the order."
        raise NotAnswered("no_order", text, url=answer.url, answered=answer.status)
    return orders[0]


def _groups(lines: Iterable[BackorderLine]) -> list[list[BackorderLine]]:
    """Groups lines by their offer."""
    groups: dict[str, list[BackorderLine]] = {}
    for line in lines:
        groups.setdefault(offer_of(line), []).append(line)
    return list(groups.values())


def _matching_lines(
    document: DfcDocument, platform_lines: Sequence[DfcLine], group: Sequence[BackorderLine]
) -> list[DfcLine]:
    """Returns the platform's lines for this group of ours; the platform may have other IRIs for offers."""
    names = {offer_of(group[0]), group[0].ordered_iri}
    own = {line.line_iri for line in group if line.line_iri}
    return [
        line for line in platform_lines if names & _line_iris(document, line) or (not line.offer and line.iri in own)
    ]


def _line_iris(document: DfcDocument, line: DfcLine) -> set[str]:
    offer = document.get(DfcOffer, line.offer)
    item = document.get(DfcItem, offer.item if offer else line.offer)
    iris = (line.offer, offer.item if offer else None, item.product if item else None)
    return {iri for iri in iris if iri}


def _case_count(document: DfcDocument, line: DfcLine, ordered_iri: str) -> int:
    """The pieces or cases of a line, which may be an amount: it is converted by the size that the platform states of
    what was ordered. Raises `NotAnswered` for what is not a whole number of them."""
    product = document.get(DfcProduct, ordered_iri)
    count = _count_in(line.quantity, product.quantity if product else None) if line.quantity else None
    if count is None or count.denominator != 1 or not 0 <= count <= _MOST:
        text = "The platform answers a line with the quantity {said}, which is not a number of pieces."
        raise NotAnswered("quantity", text, said=_words(line.quantity), iri=line.iri[:200], answered=200)
    return int(count)


def _count_in(quantity: DfcQuantity, size: DfcQuantity | None) -> Fraction | None:
    """Units of packages, and those that are not known, count what was ordered."""
    measure = MEASURES.get(quantity.unit)
    if measure is None or measure.dimension in ("package", "ratio"):
        return Fraction(quantity.value)
    return pieces_in(quantity, size)


def _words(quantity: DfcQuantity | None) -> str:
    if quantity is None:
        return "none"
    unit = "" if quantity.unit == "Piece" else f" {quantity.unit[:60]}"
    return f"{quantity.value:f}"[:40] + unit
