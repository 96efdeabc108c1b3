"""Orders of hubs at other sites: those that wait for a producer's answer, and those of the last weeks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from starlette.responses import Response

from commensal import (
    Enterprise,
    Invalid,
    NotFound,
    PageLine,
    Problem,
    Refused,
    Screen,
    Stale,
    Transaction,
    demand,
    translate,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of

from ..messages.bodies.orders import AnswerLine, InstanceOrder, Line
from ..orders.questions import order_of, orders_of_session, recent_orders, waiting_orders
from ..orders.statement import statement_of
from ..orders.supplier import answer_order
from ..runtime import federation_of

PATH = "bring/elsewhere"
_LONGEST = 6  # digits of a number of pieces
_SHOWN_FOR = timedelta(days=14)  # after the hand-out


def orders_page(visit: Visit, producer: Enterprise) -> Screen:
    return _page(visit, producer)


def _page(visit: Visit, producer: Enterprise, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Screen:
    with visit.read() as tx:
        orders = waiting_orders(tx, producer.id)
        answered = [
            (order, statement_of(order))
            for order in recent_orders(tx, producer.id, tx.now - _SHOWN_FOR)
            if not _open_lines(order)
        ]
    context = {
        "producer": producer, "here": _address(producer.id), "mistakes": errors, "typed": visit.form,
        "done": visit.query.get("done", ""), "orders": [(order, _open_lines(order)) for order in orders],
        "answered": answered,
    }  # fmt: skip
    return Screen(template="federation/orders_elsewhere.html", context=context, status=status)


def answer_now(visit: Visit, producer: Enterprise) -> Screen | Response:
    """Answers one order, as its fields say. Raises `NotFound` for one that is not the producer's."""
    try:
        with visit.write() as tx:
            demand(tx, visit.actor, "orders:write", producer.id)
            order = order_of(tx, producer.id, visit.form.get("order", ""), role="supplier")
            if str(order.rev) != visit.form.get("rev"):
                raise Stale
            answer_order(federation_of(visit.instance), tx, producer.id, order.id, _answers(order, visit.form))
    except NotFound:
        raise
    except Refused as error:
        return _page(visit, producer, mistakes(visit, error), status_of(error))
    return visit.redirect(f"{_address(producer.id)}?done=told")


def _open_lines(order: InstanceOrder) -> list[tuple[str, str, Line]]:
    """The lines that have no answer yet, each with the names of its two fields: how many come, and why fewer."""
    return [
        (f"came-{order.id}-{number}", f"why-{order.id}-{number}", line)
        for number, line in enumerate(order.lines)
        if line.quantity and not line.answer
    ]


def _answers(order: InstanceOrder, typed: Mapping[str, str]) -> dict[str, AnswerLine]:
    """What comes of each line, by the IRI of its item. Raises `Invalid` with every mistake."""
    answers, problems = dict[str, AnswerLine](), list[Problem]()
    for came, why, line in _open_lines(order):
        text = typed.get(came, str(line.quantity)).strip()
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
            problems.append(Problem("pieces", "Write a whole number of pieces, like 12.", f"/{came}"))
        elif int(text) > line.quantity:
            text = "Between 0 and {most} pieces can be confirmed."
            problems.append(Problem("pieces", text, f"/{came}", {"most": line.quantity}))
        else:
            reason = typed.get(why, "").strip()[:200] if int(text) < line.quantity else ""
            answers[line.item_iri] = AnswerLine(
                item_iri=line.item_iri, answer="confirmed", confirmed=int(text), reason=reason
            )
    if problems:
        raise Invalid(problems)
    return answers


def order_lines(tx: Transaction, producer_id: str, language: str) -> list[PageLine]:
    """The orders of hubs elsewhere, for what the producer brings: those that wait, and the way to the others."""
    waiting = waiting_lines(tx, producer_id, language)
    if waiting or not recent_orders(tx, producer_id, tx.now - _SHOWN_FOR):
        return waiting
    text = translate(language, "Orders of hubs elsewhere")
    return [PageLine(text=text, url=_address(producer_id), action=translate(language, "See them"))]


def coming_lines(tx: Transaction, session_id: str, language: str) -> list[PageLine]:
    """What each producer elsewhere brings to a sale of a hub here, as far as it has answered."""
    confirmed, waits = translate(language, "confirmed"), translate(language, "has not answered yet")
    return [
        PageLine(
            text="{name}: {goods}".format(
                name=order.other_name,
                goods=", ".join(f"{line.coming} × {line.name}" for line in order.lines if line.coming),
            ),
            detail=waits if _open_lines(order) else confirmed,
        )
        for order in orders_of_session(tx, session_id)
    ]


def waiting_lines(tx: Transaction, producer_id: str, language: str) -> list[PageLine]:
    """The orders that wait, for the producer's week."""
    text = translate(language, "{hub}: an order waits for your answer")
    action = translate(language, "Answer it")
    return [
        PageLine(
            text=text.format(hub=order.other_name), detail=order.session_name, url=_address(producer_id), action=action,
            urgent=True,
        )
        for order in waiting_orders(tx, producer_id)
    ]  # fmt: skip


def _address(producer_id: str) -> str:
    return f"/office/{producer_id}/{PATH}"
