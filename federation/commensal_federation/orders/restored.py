"""After a restore from an older backup: what had been said of orders since comes back, before anything new is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from commensal import Transaction, enterprise_by_id, insert_once, products_by_id

from ..catalogue.grants import find_grant, mirror_of
from ..catalogue.tables import federation_item
from ..delivery.restore.taken_back import taken_back
from ..dfc.iris import local_id
from ..messages.bodies.orders import InstanceOrder, Line, OrderAnswer, OrderUpdate, SaidLine
from ..messages.types import Sent
from ..peers.values import Peer
from ..runtime import Federation
from .answering import answer_again
from .hub import say_again
from .questions import order_between, order_by_iri
from .tables import federation_order, federation_order_due
from .write import keep_order, open_order

_item = federation_item.c


def order_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """The buyer had ordered, and does not remember: the order stands as it was told, and is summed up anew.

    What it has said of the order since the restore bears other prices, or a revision that was given before: it counts
    for nothing there, and is said again.
    """
    said: OrderUpdate = sent.body
    order = order_by_iri(tx, said.iri) or _opened(federation, tx, sent.peer, said)
    if order is None:
        return
    told = {one.item_iri: one for one in said.lines}
    lines = tuple(_as_told(line, told.get(line.item_iri)) for line in order.lines)
    if said.rev > order.rev:
        _stand_as_told(federation, tx, order, lines, said)
    elif said.rev == order.rev or lines != order.lines:
        keep_order(tx, order, lines)
        say_again(federation, tx, replace(order, lines=lines))


def _as_told(line: Line, said: SaidLine | None) -> Line:
    """At the price at which it was first ordered."""
    return line if said is None else replace(line, offer_iri=said.offer_iri, rev=said.rev, price=said.price)


def _stand_as_told(
    federation: Federation, tx: Transaction, order: InstanceOrder, lines: Iterable[Line], said: OrderUpdate
) -> None:
    known = {line.item_iri: line for line in lines}
    new = {line.item_iri: line for line in _lines(tx, order, [one for one in said.lines if one.item_iri not in known])}
    quantities = {one.item_iri: one.quantity for one in said.lines}
    standing = [
        replace(line, quantity=quantities.get(iri, line.quantity)) for iri, line in sorted({**new, **known}.items())
    ]
    keep_order(tx, order, standing, state=said.state, rev=said.rev, names=said.names)
    if order.session_id:
        ours = local_id(federation.base, order.session_iri, "sale_sessions") is not None
        kind = "session" if ours else "order"  # of a hub elsewhere, which was passed on
        insert_once(tx, federation_order_due, {"kind": kind, "id": order.session_id, "at": tx.now})


def answer_given_back(federation: Federation, tx: Transaction, sent: Sent) -> None:
    """The supplier had answered: of an order that it still knows."""
    order = order_by_iri(tx, sent.body.iri)
    if order is None or order.role != "supplier":
        return
    if sent.body.answer == order.answer:  # given since the restore, and taken there for this one
        answer_again(federation, tx, order)
    elif sent.body.answer > order.answer:
        answers = {one.item_iri: one for one in sent.body.lines}
        lines = tuple(line.answered(answers.get(line.item_iri)) for line in order.lines)
        keep_order(tx, order, lines, answer=sent.body.answer)


def answers_given_back(federation: Federation, tx: Transaction, peer: Peer, order: InstanceOrder) -> InstanceOrder:
    """The same of an order that comes once more: the newest answer stands, for the lines that are there."""
    said = [one.body for one in taken_back(federation, tx, peer, "OrderAnswer") if one.body.iri == order.iri]
    newest: OrderAnswer | None = max(said, key=lambda one: one.answer, default=None)
    if newest is None or newest.answer < order.answer:
        return order
    answers = {one.item_iri: one for one in newest.lines}
    lines = tuple(line.answered(answers.get(line.item_iri)) for line in order.lines)
    return replace(order, lines=lines, answer=newest.answer)


def _opened(federation: Federation, tx: Transaction, peer: Peer, said: OrderUpdate) -> InstanceOrder | None:
    hub, id = local_id(federation.base, said.buyer, "enterprises"), local_id(federation.base, said.iri, "orders")
    if hub is None or id is None or find_grant(tx, "received", hub, said.supplier) is None:
        return None
    begun = order_between(tx, "buyer", hub, said.supplier, said.session_iri)
    if begun is not None:  # after the restore, under another name, which never counted
        renamed = update(federation_order).where(federation_order.c.id == begun.id)
        tx.execute(renamed.values(iri=said.iri, rev=0))
        return replace(begun, iri=said.iri, rev=0)
    copy = enterprise_by_id(tx, mirror_of(tx, said.supplier))
    about: dict[str, Any] = {"closes_at": said.closes_at, "begins_at": said.begins_at}
    return open_order(
        tx, id=id, iri=said.iri, role="buyer", peer_id=peer.id, enterprise_id=hub, other_iri=said.supplier,
        other_name=copy.name, session_id=_session(federation, tx, said.session_iri), session_iri=said.session_iri,
        session_name=said.session_name, currency=said.currency, includes_vat=copy.prices_include_vat, state="Held",
        **about,
    )  # fmt: skip


def _session(federation: Federation, tx: Transaction, iri: str) -> str:
    """The sale, or the order of a hub elsewhere that was passed on; empty where that is not known any more."""
    passed_on = order_by_iri(tx, iri)
    return local_id(federation.base, iri, "sale_sessions") or (passed_on.id if passed_on else "")


def _lines(tx: Transaction, order: InstanceOrder, said: list[SaidLine]) -> Iterable[Line]:
    """Lines of items that are not known any more come again with the next sum."""
    iris = [one.item_iri for one in said]
    rows = tx.all(select(_item.iri, _item.product_id).where(_item.iri.in_(iris)).order_by(_item.iri))
    copies = {row["iri"]: row["product_id"] for row in rows}
    products = products_by_id(tx, list(copies.values()))
    for one in said:
        product = products.get(copies.get(one.item_iri, ""))
        if product is not None:
            yield Line(
                item_iri=one.item_iri, product_id=product.id, name=one.name, offer_iri=one.offer_iri, rev=one.rev,
                price=one.price, vat_rate=product.vat_rate, quantity=one.quantity, answer="", confirmed=None,
                reason="", final_quantity=None, unit_quantity=product.quantity, unit=product.unit,
            )  # fmt: skip
