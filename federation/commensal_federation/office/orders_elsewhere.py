"""Orders of hubs at other sites: those that wait for a producer's answer, and those of the last weeks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from starlette.responses import Response

from commensal import (
    Enterprise,
    Invalid,
    PageLine,
    Problem,
    Screen,
    Stale,
    Transaction,
    demand,
    format_money,
    read_whole,
    say,
    translate,
)
from commensal.pages import Visit, any_field, on_refusal

from ..dfc.iris import hub_page
from ..linked_catalogues.backorders.sums import platform_differences_at
from ..messages.bodies.orders import InstanceOrder, Line
from ..messages.order_answer import AnswerLine
from ..orders.claims import answer_receipt
from ..orders.questions import (
    any_recent_order,
    disputed_orders,
    order_of,
    orders_of_session,
    orders_to_agree,
    recent_orders,
    waiting_orders,
)
from ..orders.statement import OrderStatement, claim_of, claimed_statement, differences_at, statement_of
from ..orders.supplier import answer_order
from ..runtime import federation_of

PATH = "bring/elsewhere"
_LONGEST = 6  # digits of a number of pieces
_SHOWN_FOR = timedelta(days=14)  # after the hand-out


def orders_page(visit: Visit, producer: Enterprise) -> Screen:
    with visit.read() as tx:
        orders = waiting_orders(tx, producer.id)
        recent = [
            *orders_to_agree(tx, producer.id),
            *(order for order in recent_orders(tx, producer.id, tx.now - _SHOWN_FOR) if order.receipt != "open"),
        ]
        now = tx.now
    answered = [
        (order, statement_of(order), _claimed_by_hub(order))
        for order in recent
        if claim_of(order) is not None or not _open_lines(order)
    ]
    context = {
        "producer": producer,
        "here": _address(producer.id),
        "typed": visit.form,
        "done": visit.query.get("done", ""),
        "orders": [(order, _open_lines(order)) for order in orders],
        "answered": answered,
        "hub_pages": {order.id: hub_page(order.other_iri) for order in (*orders, *recent)},
        "still_to_come": {order.id: _answered_lines(order) for order in recent if _is_to_come(order, now)},
    }
    return Screen(template="federation/orders_elsewhere.html", context=context)


@on_refusal(orders_page, any_field)
def post_answer(visit: Visit, producer: Enterprise) -> Screen | Response:
    """Answers one order, as its fields say, or what the hub says that it got. Raises `NotFound` for an order that is
    not the producer's."""
    if visit.query.get("then") in ("agree", "object"):
        _answer_receipt(visit, producer)
        return visit.redirect(f"{_address(producer.id)}?done=told")
    with visit.write() as tx:
        demand(tx, visit.actor, "orders:write", producer.id)
        order = order_of(tx, producer.id, visit.form.get("order", ""), role="supplier")
        if str(order.rev) != visit.form.get("rev"):
            raise Stale
        answer_order(federation_of(visit.instance), tx, producer.id, order.id, _answers(order, visit.form))
    return visit.redirect(f"{_address(producer.id)}?done=told")


def _answer_receipt(visit: Visit, producer: Enterprise) -> None:
    """Agrees to what the hub says that it got, or objects for the reason that the form gives. Raises `Invalid`."""
    objection = visit.form.get("objection", "").strip() if visit.query["then"] == "object" else ""
    if visit.query["then"] == "object" and not objection:
        raise Invalid([Problem("objection", "Say what is not right.", f"/objection-{visit.form.get('order', '')}")])
    owed = read_whole(visit.form.get("owed", ""), 15)
    if owed is None:
        raise Stale
    with visit.write() as tx:
        demand(tx, visit.actor, "orders:write", producer.id)
        answer_receipt(
            federation_of(visit.instance), tx, producer.id, visit.form.get("order", ""), objection=objection, owed=owed
        )


def _claimed_by_hub(order: InstanceOrder) -> OrderStatement | None:
    """What the hub claims, where that does not count."""
    claim = claim_of(order)
    return claimed_statement(order) if claim is not None and claim.is_open else None


def _open_lines(order: InstanceOrder) -> list[tuple[str, str, Line]]:
    """The lines that have no answer yet, each with the names of its two fields: how many come, and why fewer."""
    return [(came, why, line) for came, why, line in _fields(order) if line.quantity and not line.answer]


def _fields(order: InstanceOrder) -> list[tuple[str, str, Line]]:
    return [(f"came-{order.id}-{number}", f"why-{order.id}-{number}", line) for number, line in enumerate(order.lines)]


def _answered_lines(order: InstanceOrder) -> list[tuple[str, str, Line]]:
    """The lines of which something comes, with the same fields: less may come after all."""
    return [(came, why, line) for came, why, line in _fields(order) if line.answer and line.coming]


def _is_to_come(order: InstanceOrder, now: datetime) -> bool:
    return order.state != "Cancelled" and (order.begins_at is None or now < order.begins_at)


def _answers(order: InstanceOrder, typed: Mapping[str, str]) -> dict[str, AnswerLine]:
    """What comes of each line that has no answer yet, or of which less comes than was confirmed, by the IRI of its
    item. Raises `Invalid` with every mistake."""
    answers, problems = dict[str, AnswerLine](), list[Problem]()
    lowered = [row for row in _answered_lines(order) if typed.get(row[0], str(row[2].coming)) != str(row[2].coming)]
    for came, why, line in (*_open_lines(order), *lowered):
        pieces = read_whole(typed.get(came, str(line.quantity)).strip(), _LONGEST)
        if pieces is None:
            problems.append(Problem("pieces", "Write a whole number of pieces, like 12.", f"/{came}"))
        elif pieces > (most := line.coming if line.answer else line.quantity):
            text = "Between 0 and {most} pieces can be confirmed."
            problems.append(Problem("pieces", text, f"/{came}", {"most": most}))
        else:
            reason = typed.get(why, "").strip()[:200] if pieces < line.quantity else ""
            answers[line.item_iri] = AnswerLine(
                item_iri=line.item_iri, answer="confirmed", confirmed=pieces, reason=reason
            )
    if problems:
        raise Invalid(problems)
    return answers


def order_lines(tx: Transaction, producer_id: str, language: str) -> list[PageLine]:
    """The orders of hubs elsewhere, for what the producer brings: those that wait, and the way to the others."""
    waiting = waiting_lines(tx, producer_id, language)
    if waiting or not any_recent_order(tx, producer_id, tx.now - _SHOWN_FOR):
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


def difference_lines(tx: Transaction, hub_id: str, session_id: str, language: str) -> list[PageLine]:
    """Where the hub's books and an order of this sale elsewhere come to two sums; for the money of a sale."""
    differences = (*differences_at(tx, hub_id, session_id), *platform_differences_at(tx, hub_id, session_id))
    return [PageLine(text=say(language, each.problem), urgent=True) for each in differences]


def owed_lines(tx: Transaction, session_id: str, language: str) -> list[PageLine]:
    """What the statement of each producer elsewhere comes to, and what it says to what the hub got; for the money of a
    sale."""
    return [_owed_line(order, language) for order in orders_of_session(tx, session_id) if order.state == "Complete"]


def _owed_line(order: InstanceOrder, language: str) -> PageLine:
    statement = statement_of(order)
    text = translate(language, "{name}: {amount} by its statement")
    amount = format_money(statement.total, order.currency, language)
    return PageLine(
        text=text.format(name=order.other_name, amount=amount),
        detail=_claim_words(order, statement, language),
        urgent=order.receipt == "disputed",
    )


def _claim_words(order: InstanceOrder, statement: OrderStatement, language: str) -> str:
    """What the producer says to what the hub claims to owe, with the sum where it is another; empty: nothing is."""
    texts = {
        "taken": translate(language, "has the same sum"),
        "agreed": translate(language, "has agreed to what you received"),
        "open": translate(language, "has been told that you owe {claimed}, and has not agreed yet"),
        "disputed": translate(language, "does not agree that you owe {claimed}: {objection}"),
        "": translate(language, "has not answered yet that you owe {claimed}"),
    }
    if statement.claim is None:
        return texts[order.receipt] if order.receipt in ("taken", "agreed") else ""
    claimed = format_money(statement.claim.total, order.currency, language)
    return texts[order.receipt].format(claimed=claimed, objection=order.objection)


def disputed_lines(tx: Transaction, hub_id: str, language: str) -> list[PageLine]:
    """The producers elsewhere that do not agree to what the hub got, for its week."""
    text = translate(language, "{name} does not agree to what you received")
    return [
        PageLine(text=text.format(name=order.other_name), detail=order.objection, urgent=True)
        for order in disputed_orders(tx, hub_id)
    ]


def waiting_lines(tx: Transaction, producer_id: str, language: str) -> list[PageLine]:
    """The orders that wait, and what hubs got that waits, for the producer's week."""
    received = translate(language, "{hub}: it says that it received something else than was ordered")
    fewer = translate(language, "{hub}: it wants to owe another sum")
    look = translate(language, "Look at it")
    to_agree = [
        PageLine(
            text=(fewer if order.owed is None else received).format(hub=order.other_name),
            detail=order.session_name,
            url=_address(producer_id),
            action=look,
            urgent=True,
        )
        for order in orders_to_agree(tx, producer_id)
    ]
    text = translate(language, "{hub}: an order waits for your answer")
    action = translate(language, "Answer it")
    return [
        PageLine(
            text=text.format(hub=order.other_name),
            detail=order.session_name,
            url=_address(producer_id),
            action=action,
            urgent=True,
        )
        for order in waiting_orders(tx, producer_id)
    ] + to_agree


def _address(producer_id: str) -> str:
    return f"/office/{producer_id}/{PATH}"
