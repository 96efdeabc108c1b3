"""The producer's side of orders: takes orders of remote hubs and answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, func, select

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    Problem,
    Row,
    Transaction,
    enterprise_by_id,
    insert_once,
    plugin_settings,
)
from commensal.catalogs import item_by_id
from commensal.products import products_by_id

from ..authority.authority import refuse_moving, wait_while_moving
from ..catalogue.tables import federation_told_price
from ..dfc.iris import local_id
from ..grants.questions import find_grant
from ..grants.tables import federation_told
from ..leases.lender import expect_lost
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.catalogue import Grant
from ..messages.order_answer import Answer, AnswerLine
from ..messages.order_update import OrderUpdate, UpdateLine
from ..messages.types import Refuse, refuse_leap
from ..peers.limits import refuse_over_quota
from ..peers.peers import Peer, peer_by_id
from ..runtime import Federation
from ..settings import EnterpriseFederation
from .claims import send_judged, settled_from
from .doubts import GRACE, alert_doubts, confirm_certain_lines, put_in_doubt
from .facts import open_order, update_order
from .notices import note_complete, note_waiting
from .producer_names import request_names
from .questions import order_between, order_by_iri, order_of
from .receipts import MOST_PIECES, claim_parts, read_received, received_nothing
from .restored import apply_recovered_answers
from .statement import claim_of
from .tables import federation_order, federation_order_due

LATEST = 2**53  # no revision is later
_order, _price = federation_order.c, federation_told_price.c
_PRICE = (
    select(_price.price, _price.statement)
    .where(_price.grant_id == bindparam("grant"), _price.item_id == bindparam("item"), _price.rev <= bindparam("upto"))
    .order_by(_price.rev.desc())
    .limit(1)
)

_BOUNDS = select(func.min(_price.price).label("least"), func.max(_price.price).label("most")).where(
    _price.grant_id == bindparam("grant"), _price.item_id == bindparam("item"), _price.rev > bindparam("rev")
)
_REPLACED = select(func.min(_price.at)).where(
    _price.grant_id == bindparam("grant"),
    _price.item_id == bindparam("item"),
    _price.rev > bindparam("rev"),
    _price.price != bindparam("other"),
)
_told = federation_told.c
_TOLD = select(_told.rev).where(_told.grant_id == bindparam("grant"), _told.item_id == bindparam("item"))
_COMPLETE = select(_order.enterprise_id, _order.peer_id).where(
    _order.id == bindparam("order"), _order.role == "supplier", _order.state == "Complete"
)


def take_order(federation: Federation, tx: Transaction, peer: Peer, update: OrderUpdate) -> None:
    """Stores the hub's order as it is now; an older revision changes nothing. Raises `Refuse` for an impossible order.

    What was confirmed of a complete order stays: less of it is a claim, see `claims`. Pieces that the hub sold before
    it learned that its grant was revoked stay ordered; a person confirms those.
    """
    supplier = local_id(federation.base, update.supplier, "enterprises")
    grant = find_grant(tx, "given", supplier or "", update.buyer)
    if supplier is None or grant is None or grant.peer_id != peer.id:
        raise Refuse("no_grant", "This hub was granted nothing by that enterprise.")
    wait_while_moving(tx, supplier)
    if local_id(peer.base, update.iri, "orders") is None:
        raise Refuse("authority", "A hub names its orders by its own address.")
    order = order_by_iri(tx, update.iri)
    if order is not None and (order.role, order.peer_id, order.enterprise_id, order.other_iri) != (
        "supplier",
        peer.id,
        supplier,
        update.buyer,
    ):
        raise Refuse("authority", "That order is somebody else's.")
    if order is None:
        order = _open(tx, peer, grant, update)
    if update.rev <= order.rev:
        return
    refuse_leap("Revision", update.rev, order.rev)
    _refuse_turning_back(order, update)
    updated = _as_said(federation, tx, grant, order, update)
    if peer.recovering:
        updated = apply_recovered_answers(federation, tx, peer, updated)
    update_order(
        tx,
        order,
        updated.lines,
        answer=updated.answer,
        state=updated.state,
        called_off=updated.called_off,
        settled_from=updated.settled_from,
        rev=update.rev,
        closes_at=update.closes_at,
        begins_at=update.begins_at,
        session_name=update.session_name,
        names=update.names,
        owed=updated.owed,
        receipt=updated.receipt,
        objection=updated.objection,
    )
    alert_doubts(tx, peer, order, updated.lines)
    if update.names != order.names:
        request_names(tx, peer, order.id, update.names)
    insert_once(tx, federation_order_due, {"kind": "order", "id": order.id, "at": tx.now})
    now = order_of(tx, supplier, order.id, role="supplier")
    if update.state == "Complete" and grant.state == "accepted" and _confirms_automatically(federation, tx, supplier):
        _confirm(federation, tx, peer, now)
    elif now.state != "Cancelled" and (now.answer or claim_of(now) is not None):
        send_judged(federation, tx, now)  # the answers so far hold for the newer revision too
    if update.state == "Complete":
        note_complete(tx, order_of(tx, supplier, order.id, role="supplier"))


def _as_said(
    federation: Federation, tx: Transaction, grant: Grant, order: InstanceOrder, update: OrderUpdate
) -> InstanceOrder:
    """Returns the order as the hub says it, but for what stands of it."""
    called_off = order.is_called_off_by(update.state)
    if called_off:  # of what is called off nothing is owed, so that a receipt says nothing
        nothing = tuple(replace(line, quantity=0, ordered_amount=None) for line in update.lines)
        update = replace(update, lines=nothing, owed=None)
    sent = {line.item_iri for line in update.lines}
    lines = [read_received(_read_line(federation, tx, grant, order, line), line, update) for line in update.lines]
    for line in order.lines:
        standing = order.standing(line)
        if standing and line.item_iri not in sent:  # left out is none of it
            lines.append(received_nothing(line.ordered(0, standing), update))
    updated = replace(
        order,
        lines=tuple(sorted(lines, key=lambda line: line.item_iri)),
        state="Complete" if called_off else update.state,
        called_off=called_off,
        rev=update.rev,
        owed=update.owed,
    )
    if updated.state == "Complete" and order.settled_from is None:
        updated = replace(updated, settled_from=settled_from(update.begins_at, tx.now))
    if claim_parts(updated) != claim_parts(order):
        updated = replace(updated, receipt="", objection="")
    return updated


def confirm_covered(federation: Federation, tx: Transaction, order_id: str) -> None:
    """Confirms lines that leases cover now and did not before, if the producer confirms automatically."""
    row = tx.first(_COMPLETE, {"order": order_id})
    if row is None or not _confirms_automatically(federation, tx, row["enterprise_id"]):
        return
    order, peer = order_of(tx, row["enterprise_id"], order_id, role="supplier"), peer_by_id(tx, row["peer_id"])
    grant = find_grant(tx, "given", order.enterprise_id, order.other_iri)
    if grant is not None and grant.state == "accepted" and any(line.doubt == "lease" for line in order.lines):
        _confirm(federation, tx, peer, order)
        note_waiting(tx, order_of(tx, order.enterprise_id, order.id, role="supplier"))


def _confirm(federation: Federation, tx: Transaction, peer: Peer, order: InstanceOrder) -> None:
    """Confirms, without a person, all lines except those in doubt."""
    lines = confirm_certain_lines(tx, peer, order)
    update_order(tx, order, lines)
    alert_doubts(tx, peer, order, lines)
    confirmed = order_of(tx, order.enterprise_id, order.id, role="supplier")
    if claim_of(confirmed) is not None or any(line.answer for line in lines):
        send_judged(federation, tx, confirmed)


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
    """Confirms an order except for the lines in `changes`, by item IRI, which are shortened or refused.

    lost:     pieces not delivered are written off when the hub returns them; else they may be sold again
    in_doubt: a person answers, so lines in doubt are answered too

    Lines that were answered before and are not in `changes` keep their answer. Returns the order as it is now. Raises
    `NotFound`, `Invalid` for impossible answers, and `Conflict` for a cancelled order or while the enterprise moves.
    """
    refuse_moving(tx, enterprise_id)
    order = order_of(tx, enterprise_id, order_id, role="supplier")
    if order.state == "Cancelled":
        raise Conflict("cancelled", "This order was cancelled.")
    _refuse_impossible(order, changes)
    open_lines = [line for line in order.lines if in_doubt or not line.doubt]
    answers = {line.item_iri: _answer_line(line, changes.get(line.item_iri)) for line in open_lines}
    lines = tuple(answers.get(line.item_iri, line) for line in order.lines)
    if lost:
        _expect_lost(federation, tx, order, lines)
    if any(line.doubt for line in open_lines):  # a reseller had not passed that on
        insert_once(tx, federation_order_due, {"kind": "order", "id": order.id, "at": tx.now})
    update_order(tx, order, lines)
    send_judged(federation, tx, order_of(tx, enterprise_id, order_id, role="supplier"))
    answered = order_of(tx, enterprise_id, order_id, role="supplier")
    if answered.state == "Complete":
        note_waiting(tx, answered)
    return answered


def _open(tx: Transaction, peer: Peer, grant: Grant, update: OrderUpdate) -> InstanceOrder:
    producer = enterprise_by_id(tx, grant.enterprise_id)
    _refuse_other_currency(update, producer)
    if order_between(tx, "supplier", producer.id, update.buyer, update.session_iri) is not None:
        raise Refuse("twice", "There is another order of this hub for that sale.")
    refuse_over_quota(
        tx, peer, federation_order, 1, federation_order.c.peer_id == peer.id, federation_order.c.state == "Held"
    )
    return open_order(
        tx,
        iri=update.iri,
        role="supplier",
        peer_id=peer.id,
        enterprise_id=producer.id,
        other_iri=update.buyer,
        other_name=grant.other_name,
        session_id="",
        session_iri=update.session_iri,
        session_name=update.session_name,
        closes_at=update.closes_at,
        begins_at=update.begins_at,
        currency=producer.currency,
        includes_vat=producer.prices_include_vat,
        state="Held",
    )


def _read_line(federation: Federation, tx: Transaction, grant: Grant, order: InstanceOrder, sent: UpdateLine) -> Line:
    """Returns the line as it is now. Raises `Refuse` for an item or a price that was not offered to this hub."""
    existing = next((line for line in order.lines if line.item_iri == sent.item_iri), None)
    _refuse_quantity(sent)
    if existing is not None:
        _refuse_other_price(sent, existing.price)
        _refuse_other_sum(federation, tx, grant, sent)
        return _with_sum(order, existing, _change_quantity(order, existing, sent.quantity), sent)
    item_id = local_id(federation.base, sent.item_iri, "catalog_items")
    offered = _offered(tx, grant, item_id, sent.rev) if item_id else None
    if item_id is None or offered is None:
        raise Refuse("price", f"{sent.item_iri[:200]} was not offered to this hub in that revision.")
    _refuse_other_price(sent, offered["price"])
    _refuse_other_sum(federation, tx, grant, sent)
    products = products_by_id(tx, [item_by_id(tx, grant.enterprise_id, item_id).product_id])
    (product,) = products.values()
    line = Line(
        item_iri=sent.item_iri,
        product_id=product.id,
        name=product.name,
        offer_iri=sent.offer_iri,
        rev=sent.rev,
        price=sent.price,
        vat_rate=product.vat_rate,
        quantity=sent.quantity,
        answer="",
        confirmed=None,
        reason="",
        final_quantity=None,
        unit_quantity=product.quantity,
        unit=product.unit,
        statement=offered["statement"],
        ordered_amount=sent.ordered_amount,
    )
    if order.state == "Complete":
        return put_in_doubt(line, "complete", 0)
    return put_in_doubt(line, "price", 0) if _is_replaced(tx, grant, item_id, sent) else line


def _change_quantity(order: InstanceOrder, before: Line, quantity: int) -> Line:
    """Returns the line with this number of pieces.

    A line that grows after the order is complete is put in doubt; its certain pieces stay certain.
    """
    line = before.ordered(quantity, order.standing(before))
    if quantity > before.quantity and (order.state == "Complete" or before.doubt):
        certain = before.coming if before.doubt else before.quantity if before.confirmed is None else before.confirmed
        return put_in_doubt(line, before.doubt or "complete", certain)
    return line if line.confirmed is None else replace(line, confirmed=line.coming)


def _with_sum(order: InstanceOrder, before: Line, line: Line, sent: UpdateLine) -> Line:
    """Returns the line with the sum of its pieces that the hub says; what was confirmed of it costs no less for
    that."""
    standing = order.standing(before)
    if standing is not None and line.quantity <= standing:
        return line
    summed = replace(line, ordered_amount=sent.ordered_amount)
    if standing is not None and summed.cost_of(line.quantity) < before.cost_of(standing):
        return replace(line, ordered_amount=before.sized(line.quantity).ordered_amount)
    return summed


def _offered(tx: Transaction, grant: Grant, item_id: str, rev: int) -> Row | None:
    """Returns the `price`, in minor units, and the `statement` of this revision; None if it was never sent.

    A revision that withdrew the item has no price of its own: pieces ordered before have the last one.
    """
    told_rev = tx.value(_TOLD, {"grant": grant.id, "item": item_id})
    if told_rev is None or rev > told_rev:
        return None
    return tx.first(_PRICE, {"grant": grant.id, "item": item_id, "upto": rev})


def _refuse_other_sum(federation: Federation, tx: Transaction, grant: Grant, sent: UpdateLine) -> None:
    """Raises `Refuse` for a sum of pieces at prices that this hub was not offered since the line's revision."""
    if sent.ordered_amount is None:
        return
    item_id = local_id(federation.base, sent.item_iri, "catalog_items")
    bounds = tx.one(_BOUNDS, {"grant": grant.id, "item": item_id, "rev": sent.rev})
    offered = [price for price in (sent.price, bounds["least"], bounds["most"]) if price is not None]
    if not min(offered) * sent.quantity <= sent.ordered_amount <= max(offered) * sent.quantity:
        raise Refuse("price", f"{sent.item_iri[:200]} was not offered to this hub at prices that make this sum.")


def _is_replaced(tx: Transaction, grant: Grant, item_id: str, sent: UpdateLine) -> bool:
    """Whether the revision's price was replaced by another one more than `GRACE` ago."""
    latest = tx.value(_PRICE, {"grant": grant.id, "item": item_id, "upto": LATEST})
    since = tx.value(_REPLACED, {"grant": grant.id, "item": item_id, "rev": sent.rev, "other": sent.price})
    return latest != sent.price and since is not None and bool(since < tx.now - GRACE)


def _refuse_turning_back(order: InstanceOrder, update: OrderUpdate) -> None:
    """An order is Held, then Complete; a cancelled one stays cancelled."""
    if order.state == "Cancelled" and update.state != "Cancelled":
        raise Refuse("state", "This order was cancelled, and cannot come back.")
    if order.state != "Held" and update.state == "Held":
        raise Refuse("state", "This order is complete, and cannot grow any more.")


def _refuse_quantity(line: UpdateLine) -> None:
    if not 0 <= line.quantity <= MOST_PIECES:
        raise Refuse("quantity", "Pieces are counted from 0 to a million.")


def _refuse_other_price(line: UpdateLine, offered: int) -> None:
    """A line keeps the price at which it was first ordered, which must be an offered one."""
    if line.price != offered:
        raise Refuse("price", f"{line.item_iri[:200]} was not offered to this hub at that price.")


def _refuse_other_currency(update: OrderUpdate, producer: Enterprise) -> None:
    if update.currency != producer.currency:
        raise Refuse("currency", f"{producer.name} sells in {producer.currency}.")


def _refuse_impossible(order: InstanceOrder, changes: Mapping[str, AnswerLine]) -> None:
    problems = []
    lines = {line.item_iri: line for line in order.lines}
    for iri, change in changes.items():
        line = lines.get(iri)
        if line is None:
            problems.append(Problem("no_line", "This order has no such line.", f"/lines/{iri}"))
        elif not 0 <= change.confirmed <= order.most_of(line):
            text = "Between 0 and {most} pieces can be confirmed."
            problems.append(Problem("confirmed", text, f"/lines/{iri}", {"most": order.most_of(line)}))
    if problems:
        raise Invalid(problems)


def _answer_line(line: Line, change: AnswerLine | None) -> Line:
    if change is None:
        return line if line.answer else replace(line, answer="confirmed", confirmed=line.quantity, doubt="")
    answer: Answer = (
        "confirmed" if change.confirmed == line.quantity else "shortened" if change.confirmed else "refused"
    )
    return replace(
        line,
        answer=answer,
        confirmed=change.confirmed,
        reason=change.reason[:500],
        final_quantity=change.final_quantity,
        doubt="",
    )


def _expect_lost(federation: Federation, tx: Transaction, order: InstanceOrder, lines: Sequence[Line]) -> None:
    """Notes newly shortened pieces as lost: the hub returns units that do not exist."""
    products = products_by_id(tx, [line.product_id for line in lines])
    before = {line.item_iri: line.quantity - line.coming for line in order.lines}
    peer = peer_by_id(tx, order.peer_id)
    for line in lines:
        missing = (line.quantity - line.coming) - before[line.item_iri]
        if missing > 0:
            product = products[line.product_id]
            expect_lost(tx, peer, product.lot_id, missing * product.lot_quantity)


def _confirms_automatically(federation: Federation, tx: Transaction, enterprise_id: str) -> bool:
    hooks = federation.instance.hooks
    return plugin_settings(tx, hooks, enterprise_id, "federation", EnterpriseFederation).confirm == "by itself"
