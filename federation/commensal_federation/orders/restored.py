"""Recovers orders after a restore from an older backup, from messages sent since, before any new message is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from commensal import Transaction, enterprise_by_id, insert_once
from commensal.products import products_by_id

from ..catalogue.tables import federation_item
from ..delivery.restore.restored import taken_back
from ..dfc.iris import local_id
from ..grants.questions import find_grant, mirror_of
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.order_answer import AnswerLine, OrderAnswer
from ..messages.order_update import OrderUpdate, UpdateLine
from ..messages.types import Sent, Wait
from ..peers.peers import Peer
from ..runtime import Federation
from .claims import send_judged, settled_from
from .facts import open_order, update_order
from .hub import resend_order
from .questions import order_between, order_by_iri
from .tables import federation_order, federation_order_due

_item = federation_item.c


def recover_order(federation: Federation, tx: Transaction, sent: Sent[OrderUpdate]) -> None:
    """Restores an order that this instance sent as the buyer and has forgotten, and queues its sums.

    A message of the order sent since the restore has other prices, or a revision that was used before. The supplier
    ignores it, so the order is sent again. Raises `Wait` for a grant, and for items, that are not known here yet.
    """
    body = sent.body
    order = order_by_iri(tx, body.iri) or _open(federation, tx, sent.peer, body)
    if order is None or local_id(federation.base, order.other_iri, "enterprises") is not None:  # it has ended
        return
    sent_lines = {line.item_iri: line for line in body.lines}
    lines = tuple(_with_sent_price(line, sent_lines.get(line.item_iri)) for line in order.lines)
    if body.rev > order.rev:
        _restore_order(federation, tx, order, lines, body)
    elif body.rev == order.rev or lines != order.lines:
        update_order(tx, order, lines)
        resend_order(federation, tx, replace(order, lines=lines))


def _with_sent_price(line: Line, sent: UpdateLine | None) -> Line:
    """Returns the line with the price at which it was first ordered."""
    return line if sent is None else replace(line, offer_iri=sent.offer_iri, rev=sent.rev, price=sent.price)


def _with_sent_receipt(line: Line, sent: UpdateLine | None) -> Line:
    """Returns the line with what was said that we got of it."""
    if sent is None:
        return line
    return replace(
        line, received=sent.received, received_quantity=sent.received_quantity, received_amount=sent.received_amount
    )


def _restore_order(
    federation: Federation, tx: Transaction, order: InstanceOrder, lines: Iterable[Line], body: OrderUpdate
) -> None:
    existing = {line.item_iri: line for line in lines}
    new = {
        line.item_iri: line
        for line in _lines(tx, order, [line for line in body.lines if line.item_iri not in existing])
    }
    sent = {line.item_iri: line for line in body.lines}
    as_sent = [
        line.ordered(sent[iri].quantity if iri in sent else line.asked, order.standing(line))
        for iri, line in sorted({**new, **existing}.items())
    ]
    called_off = order.is_called_off_by(body.state)
    received = {} if called_off else sent
    lines = [_with_sent_receipt(line, received.get(line.item_iri)) for line in as_sent]
    state = "Complete" if called_off else body.state
    is_complete = state == "Complete" and order.settled_from is None
    update_order(
        tx,
        order,
        lines,
        state=state,
        called_off=called_off,
        settled_from=settled_from(body.begins_at, tx.now) if is_complete else order.settled_from,
        rev=body.rev,
        names=body.names,
        owed=None if called_off else body.owed,
    )
    if order.session_id:
        ours = local_id(federation.base, order.session_iri, "sale_sessions") is not None
        kind = "session" if ours else "order"  # an order of a remote hub, which was passed on
        insert_once(tx, federation_order_due, {"kind": kind, "id": order.session_id, "at": tx.now})


def recover_answer(federation: Federation, tx: Transaction, sent: Sent[OrderAnswer]) -> None:
    """Restores an answer that this instance sent as the supplier of an order that it still knows."""
    order = order_by_iri(tx, sent.body.iri)
    if order is None or order.role != "supplier":
        return
    if sent.body.answer == order.answer:  # used again since the restore: the hub took the new answer for this one
        send_judged(federation, tx, order)
    elif sent.body.answer > order.answer:
        answers = {line.item_iri: line for line in sent.body.lines}
        answered = _answered(order, answers, sent.body)
        update_order(
            tx,
            order,
            answered.lines,
            answer=answered.answer,
            receipt=answered.receipt,
            objection=answered.objection,
            state=answered.state,
            called_off=answered.called_off,
        )


def apply_recovered_answers(federation: Federation, tx: Transaction, peer: Peer, order: InstanceOrder) -> InstanceOrder:
    """Returns an order that arrives again with the newest answer that was sent for it before the restore."""
    sent_answers = [
        message.body for message in taken_back(federation, tx, peer, "OrderAnswer") if message.body.iri == order.iri
    ]
    newest: OrderAnswer | None = max(sent_answers, key=lambda candidate: candidate.answer, default=None)
    if newest is None or newest.answer < order.answer:
        return order
    return _answered(order, {line.item_iri: line for line in newest.lines}, newest)


def _answered(order: InstanceOrder, answers: Mapping[str, AnswerLine], answer: OrderAnswer) -> InstanceOrder:
    lines = tuple(line.answered(answers.get(line.item_iri), order.standing(line)) for line in order.lines)
    return replace(order, lines=lines, answer=answer.answer, **_receipt(order, answer)).concluded()


def _receipt(order: InstanceOrder, sent: OrderAnswer) -> dict[str, Any]:
    """What the answer said to what the hub got, if that was this revision of the order."""
    return {"receipt": sent.receipt, "objection": sent.objection} if sent.rev == order.rev else {}


def _open(federation: Federation, tx: Transaction, peer: Peer, body: OrderUpdate) -> InstanceOrder | None:
    hub, id = local_id(federation.base, body.buyer, "enterprises"), local_id(federation.base, body.iri, "orders")
    if hub is None or id is None:
        return None
    grant = find_grant(tx, "received", hub, body.supplier)
    if grant is None:
        raise Wait("The grant is not known here yet.")
    ordered = {line.item_iri for line in body.lines}
    known = tx.all(select(_item.iri).where(_item.grant_id == grant.id, _item.iri.in_(sorted(ordered))))
    if len(known) < len(ordered):
        raise Wait("Not all of its items are known here yet.")
    existing = order_between(tx, "buyer", hub, body.supplier, body.session_iri)
    if existing is not None:  # begun after the restore under another IRI, which the supplier has refused
        change = update(federation_order).where(federation_order.c.id == existing.id)
        tx.execute(change.values(iri=body.iri, rev=0))
        return replace(existing, iri=body.iri, rev=0)
    copy = enterprise_by_id(tx, mirror_of(tx, body.supplier))
    times: dict[str, object] = {"closes_at": body.closes_at, "begins_at": body.begins_at}
    return open_order(
        tx,
        id=id,
        iri=body.iri,
        role="buyer",
        peer_id=peer.id,
        enterprise_id=hub,
        other_iri=body.supplier,
        other_name=copy.name,
        session_id=_session(federation, tx, body.session_iri),
        session_iri=body.session_iri,
        session_name=body.session_name,
        currency=body.currency,
        includes_vat=copy.prices_include_vat,
        state="Held",
        **times,
    )


def _session(federation: Federation, tx: Transaction, iri: str) -> str:
    """Returns the id of the sale, or of the remote hub's order that was passed on; empty when it is unknown now."""
    passed_on = order_by_iri(tx, iri)
    return local_id(federation.base, iri, "sale_sessions") or (passed_on.id if passed_on else "")


def _lines(tx: Transaction, order: InstanceOrder, sent_lines: list[UpdateLine]) -> Iterable[Line]:
    """Yields lines for the items that are known here; the others return with the next sums."""
    iris = [line.item_iri for line in sent_lines]
    columns = (_item.iri, _item.product_id, _item.rev, _item.statement)
    rows = tx.all(select(*columns).where(_item.iri.in_(iris)).order_by(_item.iri))
    copies = {row["iri"]: row["product_id"] for row in rows}
    statements = {(row["iri"], row["rev"]): row["statement"] for row in rows}
    products = products_by_id(tx, list(copies.values()))
    for line in sent_lines:
        product = products.get(copies.get(line.item_iri, ""))
        if product is not None:
            yield Line(
                item_iri=line.item_iri,
                product_id=product.id,
                name=line.name,
                offer_iri=line.offer_iri,
                rev=line.rev,
                price=line.price,
                vat_rate=product.vat_rate,
                quantity=line.quantity,
                answer="",
                confirmed=None,
                reason="",
                final_quantity=None,
                unit_quantity=product.quantity,
                unit=product.unit,
                statement=statements.get((line.item_iri, line.rev), ""),
            )
