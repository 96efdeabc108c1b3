"""The producer's side: what hubs elsewhere order, and what the producer says to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, func, select

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    Problem,
    Transaction,
    enterprise_by_id,
    insert_once,
    item_by_id,
    plugin_settings,
    products_by_id,
)

from ..authority.authority import refuse_moving, wait_while_moving
from ..catalogue.grants import find_grant
from ..catalogue.tables import federation_told
from ..dfc.iris import local_id
from ..leases.lender import expect_lost
from ..messages.bodies.catalogue import Grant
from ..messages.bodies.orders import Answer, AnswerLine, InstanceOrder, Line, OrderUpdate, SaidLine
from ..messages.types import Refuse
from ..peers.peers import peer_by_id
from ..peers.quotas import refuse_crowd
from ..peers.values import Peer
from ..runtime import Federation
from ..settings import EnterpriseFederation
from .answering import answer_again
from .doubts import GRACE, confirmed_by_itself, doubtful, tell_doubts
from .naming import ask_for_names
from .questions import order_between, order_by_iri, order_of
from .restored import answers_given_back
from .tables import federation_order, federation_order_due, federation_told_price
from .write import keep_order, open_order

MOST_PIECES = 1_000_000
LATEST = 2**53  # no revision is later
_order, _price = federation_order.c, federation_told_price.c
_PRICE = (
    select(_price.price)
    .where(_price.grant_id == bindparam("grant"), _price.item_id == bindparam("item"), _price.rev <= bindparam("upto"))
    .order_by(_price.rev.desc())
    .limit(1)
)

_REPLACED = select(func.min(_price.at)).where(
    _price.grant_id == bindparam("grant"), _price.item_id == bindparam("item"), _price.rev > bindparam("rev"),
    _price.price != bindparam("other"),
)  # fmt: skip
_told = federation_told.c
_TOLD = select(_told.rev).where(_told.grant_id == bindparam("grant"), _told.item_id == bindparam("item"))
_COMPLETE = select(_order.enterprise_id, _order.peer_id).where(
    _order.id == bindparam("order"), _order.role == "supplier", _order.state == "Complete"
)


def take_order(federation: Federation, tx: Transaction, peer: Peer, said: OrderUpdate) -> None:
    """The order as the hub says it is now; an older word of it changes nothing. Raises `Refuse` for what cannot be.

    What a hub sold before it heard that its grant was taken back stays ordered; then the producer confirms by hand.
    """
    supplier = local_id(federation.base, said.supplier, "enterprises")
    grant = find_grant(tx, "given", supplier or "", said.buyer)
    if supplier is None or grant is None or grant.peer_id != peer.id:
        raise Refuse("no_grant", "This hub was granted nothing by that enterprise.")
    wait_while_moving(tx, supplier)
    if local_id(peer.base, said.iri, "orders") is None:
        raise Refuse("authority", "A hub names its orders by its own address.")
    order = order_by_iri(tx, said.iri)
    if order is not None and (order.role != "supplier" or order.peer_id != peer.id or order.other_iri != said.buyer):
        raise Refuse("authority", "That order is somebody else's.")
    if order is None:
        order = _opened(tx, peer, grant, said)
    if said.rev <= order.rev:
        return
    _refuse_turning_back(order, said)
    lines = tuple(_line(federation, tx, grant, order, one) for one in said.lines)
    kept = replace(order, lines=lines)
    if peer.recovering:
        kept = answers_given_back(federation, tx, peer, kept)
    keep_order(
        tx, order, kept.lines, answer=kept.answer, state=said.state, rev=said.rev, closes_at=said.closes_at,
        begins_at=said.begins_at, session_name=said.session_name, names=said.names,
    )  # fmt: skip
    tell_doubts(tx, peer, order, kept.lines)
    if said.names != order.names:
        ask_for_names(tx, peer, order.id, said.names)
    insert_once(tx, federation_order_due, {"kind": "order", "id": order.id, "at": tx.now})
    if said.state == "Complete" and grant.state == "accepted" and _confirms_by_itself(federation, tx, supplier):
        _confirm(federation, tx, peer, order_of(tx, supplier, order.id, role="supplier"))
    elif kept.answer and said.state != "Cancelled":  # what was answered holds for the newer word too
        answer_again(federation, tx, order_of(tx, supplier, order.id, role="supplier"))


def confirm_again(federation: Federation, tx: Transaction, order_id: str) -> None:
    """What no lease covered may be covered now: then it is confirmed, where the producer has that done by itself."""
    row = tx.first(_COMPLETE, {"order": order_id})
    if row is None or not _confirms_by_itself(federation, tx, row["enterprise_id"]):
        return
    order, peer = order_of(tx, row["enterprise_id"], order_id, role="supplier"), peer_by_id(tx, row["peer_id"])
    grant = find_grant(tx, "given", order.enterprise_id, order.other_iri)
    if grant is not None and grant.state == "accepted" and any(line.doubt == "lease" for line in order.lines):
        _confirm(federation, tx, peer, order)


def _confirm(federation: Federation, tx: Transaction, peer: Peer, order: InstanceOrder) -> None:
    """Without a person, so but for what is in doubt."""
    lines = confirmed_by_itself(tx, peer, order)
    keep_order(tx, order, lines)
    tell_doubts(tx, peer, order, lines)
    if any(line.answer for line in lines):
        answer_again(federation, tx, replace(order, lines=lines))


def answer_order(
    federation: Federation,
    tx: Transaction,
    enterprise_id: str,
    order_id: str,
    changes: Mapping[str, AnswerLine],
    *,
    lost: bool = True,
    in_doubt: bool = True,
) -> InstanceOrder:
    """Confirms an order: all of it, but for the lines in `changes`, by item IRI, which are shortened or refused.

    `lost`: what does not come is not there, so it is written off when the hub gives it back; else it may be sold again.
    `in_doubt`: a person answers, so lines that were in doubt are answered too. What was said before stands where
    nothing else is said. Raises `NotFound`, `Invalid`, `Conflict` for an order that
    was cancelled.
    """
    refuse_moving(tx, enterprise_id)
    order = order_of(tx, enterprise_id, order_id, role="supplier")
    if order.state == "Cancelled":
        raise Conflict("cancelled", "This order was cancelled.")
    _refuse_impossible(order, changes)
    open_lines = [line for line in order.lines if in_doubt or not line.doubt]
    answers = {line.item_iri: _answered(line, changes.get(line.item_iri)) for line in open_lines}
    lines = tuple(answers.get(line.item_iri, line) for line in order.lines)
    if lost:
        _expect_lost(federation, tx, order, lines)
    keep_order(tx, order, lines)
    answer_again(federation, tx, order_of(tx, enterprise_id, order_id, role="supplier"))
    return order_of(tx, enterprise_id, order_id, role="supplier")


def _opened(tx: Transaction, peer: Peer, grant: Grant, said: OrderUpdate) -> InstanceOrder:
    ours = enterprise_by_id(tx, grant.enterprise_id)
    _refuse_other_currency(said, ours)
    if order_between(tx, "supplier", ours.id, said.buyer, said.session_iri) is not None:
        raise Refuse("twice", "There is another order of this hub for that sale.")
    refuse_crowd(
        tx, peer, federation_order, 1, federation_order.c.peer_id == peer.id, federation_order.c.state == "Held"
    )
    return open_order(
        tx, iri=said.iri, role="supplier", peer_id=peer.id, enterprise_id=ours.id, other_iri=said.buyer,
        other_name=grant.other_name, session_id="", session_iri=said.session_iri, session_name=said.session_name,
        closes_at=said.closes_at, begins_at=said.begins_at, currency=ours.currency,
        includes_vat=ours.prices_include_vat, state="Held",
    )  # fmt: skip


def _line(federation: Federation, tx: Transaction, grant: Grant, order: InstanceOrder, said: SaidLine) -> Line:
    """Raises `Refuse` for an item that is not offered to this hub, and for a price that never was."""
    known = next((line for line in order.lines if line.item_iri == said.item_iri), None)
    _refuse_quantity(said)
    if known is not None:
        _refuse_other_price(said, known.price)
        return _ordered(order, known, said.quantity)
    item_id = local_id(federation.base, said.item_iri, "catalog_items")
    price = _offered(tx, grant, item_id, said.rev) if item_id else None
    if item_id is None or price is None:
        raise Refuse("price", f"{said.item_iri[:200]} was not offered to this hub in that revision.")
    _refuse_other_price(said, price)
    product = products_by_id(tx, [item_by_id(tx, grant.enterprise_id, item_id).product_id])
    (one,) = product.values()
    line = Line(
        item_iri=said.item_iri, product_id=one.id, name=one.name, offer_iri=said.offer_iri, rev=said.rev,
        price=said.price, vat_rate=one.vat_rate, quantity=said.quantity, answer="", confirmed=None, reason="",
        final_quantity=None, unit_quantity=one.quantity, unit=one.unit,
    )  # fmt: skip
    if order.state == "Complete":
        return doubtful(line, "complete", 0)
    return doubtful(line, "price", 0) if _is_replaced(tx, grant, item_id, said.rev, price) else line


def _ordered(order: InstanceOrder, known: Line, quantity: int) -> Line:
    """The line with so many pieces. Once the order is complete it cannot grow without a person, and what was certain of
    it stays so."""
    line = known.ordered(quantity)
    if quantity > known.quantity and (order.state == "Complete" or known.doubt):
        certain = known.coming if known.doubt else known.quantity if known.confirmed is None else known.confirmed
        return doubtful(line, known.doubt or "complete", certain)
    return line if line.confirmed is None else replace(line, confirmed=line.coming)


def _offered(tx: Transaction, grant: Grant, item_id: str, rev: int) -> int | None:
    """The price in that revision; None for one that never was, or is not yet. A revision in which the item went has no
    price of its own: what was ordered before was ordered at the last one."""
    told = tx.value(_TOLD, {"grant": grant.id, "item": item_id})
    if told is None or rev > told:
        return None
    price: int | None = tx.value(_PRICE, {"grant": grant.id, "item": item_id, "upto": rev})
    return price


def _is_replaced(tx: Transaction, grant: Grant, item_id: str, rev: int, price: int) -> bool:
    """Whether another price than that of the revision had been told for longer than news travel."""
    latest = tx.value(_PRICE, {"grant": grant.id, "item": item_id, "upto": LATEST})
    since = tx.value(_REPLACED, {"grant": grant.id, "item": item_id, "rev": rev, "other": price})
    return latest != price and since is not None and bool(since < tx.now - GRACE)


def _refuse_turning_back(order: InstanceOrder, said: OrderUpdate) -> None:
    """An order is Held, then Complete; and what was cancelled stays so."""
    if order.state == "Cancelled" and said.state != "Cancelled":
        raise Refuse("state", "This order was cancelled, and cannot come back.")
    if order.state != "Held" and said.state == "Held":
        raise Refuse("state", "This order is complete, and cannot grow any more.")


def _refuse_quantity(said: SaidLine) -> None:
    if not 0 <= said.quantity <= MOST_PIECES:
        raise Refuse("quantity", "Pieces are counted from 0 to a million.")


def _refuse_other_price(said: SaidLine, offered: int) -> None:
    """A line keeps the price at which it was first ordered, and that is one at which it was offered."""
    if said.price != offered:
        raise Refuse("price", f"{said.item_iri[:200]} was not offered to this hub at that price.")


def _refuse_other_currency(said: OrderUpdate, ours: Enterprise) -> None:
    if said.currency != ours.currency:
        raise Refuse("currency", f"{ours.name} sells in {ours.currency}.")


def _refuse_impossible(order: InstanceOrder, changes: Mapping[str, AnswerLine]) -> None:
    problems = []
    lines = {line.item_iri: line for line in order.lines}
    for iri, change in changes.items():
        line = lines.get(iri)
        if line is None:
            problems.append(Problem("no_line", "This order has no such line.", f"/lines/{iri}"))
        elif not 0 <= change.confirmed <= line.quantity:
            text = "Between 0 and {most} pieces can be confirmed."
            problems.append(Problem("confirmed", text, f"/lines/{iri}", {"most": line.quantity}))
    if problems:
        raise Invalid(problems)


def _answered(line: Line, change: AnswerLine | None) -> Line:
    if change is None:
        return line if line.answer else replace(line, answer="confirmed", confirmed=line.quantity, doubt="")
    answer: Answer = (
        "confirmed" if change.confirmed == line.quantity else "shortened" if change.confirmed else "refused"
    )
    return replace(
        line, answer=answer, confirmed=change.confirmed, reason=change.reason[:500],
        final_quantity=change.final_quantity, doubt="",
    )  # fmt: skip


def _expect_lost(federation: Federation, tx: Transaction, order: InstanceOrder, lines: Sequence[Line]) -> None:
    """What is shortened now, and was not before, comes back as units that are not there."""
    products = products_by_id(tx, [line.product_id for line in lines])
    before = {line.item_iri: line.quantity - line.coming for line in order.lines}
    peer = peer_by_id(tx, order.peer_id)
    for line in lines:
        missing = (line.quantity - line.coming) - before[line.item_iri]
        if missing > 0:
            product = products[line.product_id]
            expect_lost(tx, peer, product.lot_id, missing * product.lot_quantity)


def _confirms_by_itself(federation: Federation, tx: Transaction, enterprise_id: str) -> bool:
    hooks = federation.instance.hooks
    return plugin_settings(tx, hooks, enterprise_id, "federation", EnterpriseFederation).confirm == "by itself"
