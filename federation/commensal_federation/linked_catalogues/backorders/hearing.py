"""What a platform's answer says of an order of ours: which it is, in which state, and what comes of every line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...dfc.read import DfcDocument
from ...dfc.vocabulary import DfcItem, DfcLine, DfcOffer, DfcOrder
from ..client import DfcAnswer, DfcClient
from ..errors import NotAnswered
from ..values import origin_of
from .document import offer_of
from .planning import allotted
from .values import Backorder, BackorderLine

_MOST = 1_000_000  # cases of one line
_LONGEST_REASON = 500
_LONGEST_IRI = 1_000


@dataclass(frozen=True, kw_only=True)
class HeardLine:
    """`cases` will come; `price` is of one, in minor units of the order's currency, None where nothing was said."""

    cases: int
    reason: str
    price: int | None
    iri: str


@dataclass(frozen=True, kw_only=True)
class Heard:
    """`state` is DFC's, "" where nothing is said of it; `lines` by `product_iri`, none where it says nothing of lines.

    said: the cases that it answers, by `product_iri`
    more: names of products of which the platform wants to bring more than was ordered
    """

    iri: str
    state: str
    said: Mapping[str, int]
    lines: Mapping[str, HeardLine]
    more: tuple[str, ...] = ()


def heard_order(client: DfcClient, backorder: Backorder, answer: DfcAnswer, said: Mapping[str, int]) -> Heard:
    """What `answer` says. `said` are the cases that it answers, by `product_iri`. One without an order in it has the
    order asked for at its address. Raises `NotAnswered`."""
    if not answer.body.strip():
        answer = client.get(answer.location or backorder.iri or answer.url)
    document = client.document(answer)
    order = _order(document, backorder, answer)
    if origin_of(order.iri) != client.access.origin or len(order.iri) > _LONGEST_IRI:
        text = "The platform names its order {iri}, which is not its own to name."
        raise NotAnswered("other_origin", text, iri=order.iri[:200], answered=answer.status)
    return heard_in(document, order, backorder, said)


def heard_in(document: DfcDocument, order: DfcOrder, backorder: Backorder, said: Mapping[str, int]) -> Heard:
    """What a document says of one of its orders. Raises `NotAnswered` for quantities that cannot be."""
    told = [one for one in document.all(DfcLine) if one.order in (None, order.iri)]
    heard: dict[str, HeardLine] = {}
    more: list[str] = []
    for group in _groups(backorder.lines):
        wanted = [said.get(line.product_iri, 0) for line in group]
        meant = _meant(document, told, group)
        cases = sum(_whole(one) for one in meant)
        if cases > sum(wanted):
            more.append(group[0].name)
        reason = " ".join(one.reason for one in meant if one.reason)[:_LONGEST_REASON]
        priced = next((one.price for one in meant if one.price is not None), None)
        price = priced.amount if priced and priced.currency in ("", backorder.currency) else None
        for line, given in zip(group, allotted(cases, wanted), strict=True):
            name = meant[0].iri[:_LONGEST_IRI] if meant and not meant[0].iri.startswith("_:") else ""
            heard[line.product_iri] = HeardLine(cases=given, reason=reason, price=price, iri=name)
    return Heard(iri=order.iri, state=order.state or "", said=said, lines=heard if told else {}, more=tuple(more))


def nothing_comes(backorder: Backorder, said: Mapping[str, int]) -> Heard:
    """There is no order, because the platform has nothing of it."""
    nothing = HeardLine(cases=0, reason="", price=None, iri="")
    return Heard(iri="", state="Cancelled", said=said, lines={line.product_iri: nothing for line in backorder.lines})


def looks_like_ours(document: DfcDocument, order: DfcOrder, backorder: Backorder, buyer_iri: str) -> bool:
    """Whether an order there may be the one that we have sent: of ours, still open, of the same goods, and of nothing
    more than that."""
    if order.state not in (None, "Held") or order.ordered_by not in (None, buyer_iri):
        return False
    told = [one for one in document.all(DfcLine) if one.order == order.iri]
    groups = [group for group in _groups(backorder.lines) if any(line.said for line in group)]
    meant = [_meant(document, told, group) for group in groups]
    counts = [sum(_whole(one) for one in lines) for lines in meant]
    most = [sum(line.said or 0 for line in group) for group in groups]
    known = {one.iri for lines in meant for one in lines}
    return bool(told) and {one.iri for one in told} == known and all(a <= b for a, b in zip(counts, most, strict=True))


def _order(document: DfcDocument, backorder: Backorder, answer: DfcAnswer) -> DfcOrder:
    """The one that is known, or is named by the answer's Location; else the only one."""
    for iri in (backorder.iri, answer.location):
        found = document.get(DfcOrder, iri)
        if found is not None:
            return found
    orders = [one for one in document.all(DfcOrder) if one.iri != backorder.url]
    if len(orders) != 1 or backorder.iri:
        text = "The answer of {url} does not have the order."
        raise NotAnswered("no_order", text, url=answer.url, answered=answer.status)
    return orders[0]


def _groups(lines: Iterable[BackorderLine]) -> list[list[BackorderLine]]:
    """Lines that are ordered by the same offer."""
    groups: dict[str, list[BackorderLine]] = {}
    for line in lines:
        groups.setdefault(offer_of(line), []).append(line)
    return list(groups.values())


def _meant(document: DfcDocument, told: Sequence[DfcLine], group: Sequence[BackorderLine]) -> list[DfcLine]:
    """Lines of the platform that are about these of ours: it may have names of its own for offers."""
    names = {offer_of(group[0]), group[0].ordered_iri}
    own = {line.line_iri for line in group if line.line_iri}
    return [one for one in told if names & _names(document, one) or (not one.offer and one.iri in own)]


def _names(document: DfcDocument, line: DfcLine) -> set[str]:
    offer = document.get(DfcOffer, line.offer)
    item = document.get(DfcItem, offer.item if offer else line.offer)
    named = (line.offer, offer.item if offer else None, item.product if item else None)
    return {one for one in named if one}


def _whole(line: DfcLine) -> int:
    value = line.quantity.value if line.quantity else None
    if value is None or value != value.to_integral_value() or not 0 <= value <= _MOST:
        said = "none" if value is None else f"{value:f}"[:40]
        text = "The platform answers a line with the quantity {said}, which is no number of pieces."
        raise NotAnswered("quantity", text, said=said, iri=line.iri[:200], answered=200)
    return int(value)
