"""The hand-out on a telephone: the list that it keeps, and what it sends when it has a network again.

Each event has the Idempotency-Key that the telephone drew for it, so sending it again is harmless. An event that
comes too late, because another telephone has handed the order over, is answered as a conflict: nothing is merged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from commensal import (
    Body,
    Call,
    Endpoint,
    Forbidden,
    Order,
    OrderSummary,
    PricedLine,
    Refused,
    Routes,
    WeightRule,
    demand,
    enterprise_by_id,
    format_hour,
    format_money,
    format_quantity,
    hookimpl,
    order_by_id,
    plural,
    say,
    search_key,
    translate,
)
from commensal.enterprises import sees_amounts
from commensal.orders import lines_of_session, locked_order
from commensal.pages import Visit, service_worker
from commensal.parts.distribution import summaries_of_session, weight_rules_of_session
from commensal.parts.order_corrections import (
    MOST_RETURNED,
    ContainerKey,
    DepositKind,
    Returned,
    deposit_kinds,
    likely_returns,
    returned_of_session,
)
from commensal.payments import payment_methods, payment_methods_of_order
from commensal.pricing import heaviest

from ..frame.desk import Desk, open_desk
from ..frame.sessions import by_hand, cash_first, chosen_session, slot_label, slot_order, slots_of_sale
from ..money.conflicts import keep_conflict, who_took
from .hand_over import HandOut, container_goods, container_name, hand_out, money_of_hand_over, undo
from .handout import MUCH

_routes = Routes("office")
_KEPT = timedelta(days=1)  # on the telephone
_FUTURE = timedelta(minutes=5)  # by which the clock of a telephone may be ahead

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Event(Body, frozen=True, kw_only=True):
    """What happened at the table. `weights` by line id in the line's unit; `amount` is what was taken by `method`
    ("plugin:method"), in minor units; `returned` are the empties that came back; with `at_estimate` an order that is
    not weighed is handed over, too; `at` is the moment by the telephone's clock."""

    weights: Annotated[dict[Id, Decimal], msgspec.Meta(max_length=500)] = msgspec.field(default_factory=dict)
    method: Annotated[str, msgspec.Meta(max_length=81)] = ""
    amount: Annotated[int, msgspec.Meta(ge=0, le=10**12)] = 0
    returned: Annotated[tuple[Returned, ...], msgspec.Meta(max_length=50)] = ()
    at_estimate: bool = False
    at: Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`conflict`: the order had been handed over, or cannot be; `text` says so, and nothing was recorded."""

    outcome: Literal["done", "conflict"]
    text: str = ""


def _allowed(call: Call, enterprise: str, order: str, body: Event) -> list[str]:
    if not body.method:
        return []
    shown = order_by_id(call.tx, order, enterprise_id=enterprise)
    return [method.id for method in by_hand(payment_methods_of_order(call.instance, shown, call.language))]


@_routes.post(
    "/enterprises/{enterprise}/orders/{order}/hand-out", scope="orders:pack", needs_key=True, prepare=_allowed
)
def record_hand_out(call: Call, enterprise: str, order: str, body: Event) -> Outcome:
    """Weighs, takes the money and hands an order over, in one step. Money needs the scope `payments:take` too.

    Who comes second is answered with a conflict, and so is what the order cannot bear, such as more empties than it
    costs, and money that the sender's role may not take. It is listed for the treasurer if money was taken.
    """
    event = HandOut(
        order_id=order,
        key=call.key,
        weights=body.weights,
        method=body.method,
        amount=body.amount,
        returned=body.returned,
        at_estimate=body.at_estimate,
    )
    before = locked_order(call.tx, order, enterprise_id=enterprise)
    if body.method:
        try:
            _demand_money(call, enterprise)
        except Forbidden as error:  # the role may have changed since, and the money is in somebody's hand
            if not _keep_money(call, before, event, body):
                raise
            return Outcome(outcome="conflict", text=say(call.language, error))
    if before.state == "Cancelled" or before.fulfilment_state == "Fulfilled":
        _keep_money(call, before, event, body)
        return Outcome(outcome="conflict", text=_what_was_before(call, before))
    try:
        with call.tx.attempt():
            hand_out(call.tx, call.instance, enterprise, event, by=call.person_id, allowed=call.prepared, anyway=True)
    except Refused as error:
        if not _keep_money(call, before, event, body):
            raise
        return Outcome(outcome="conflict", text=say(call.language, error))
    return Outcome(outcome="done")


def _keep_money(call: Call, order: Order, event: HandOut, body: Event) -> bool:
    """Lists money that somebody holds and that cannot be recorded, for the treasurer. Returns whether there is any."""
    if not (body.method and body.amount):
        return False
    at = min(body.at.astimezone(UTC), call.tx.now + _FUTURE)
    keep_conflict(call.tx, order, method=event.method, amount=event.amount, taken_at=at, by=call.person_id)
    return True


@_routes.post("/enterprises/{enterprise}/orders/{order}/hand-out/undo", scope="orders:pack", needs_key=True)
def undo_hand_out(call: Call, enterprise: str, order: str) -> Outcome:
    """Undoes a hand-over and the money that was recorded with it, within half an hour."""
    _refuse_money_of_others(call, enterprise, order)
    undo(call.tx, enterprise, order, by=call.person_id)
    return Outcome(outcome="done")


def _places(kinds: Sequence[DepositKind], keys: Collection[ContainerKey]) -> list[int]:
    """Where in the list of kinds those with these keys stand."""
    return [place for place, kind in enumerate(kinds) if kind.key in keys]


def _demand_money(call: Call, enterprise: str) -> None:
    demand(call.tx, call.actor, "payments:take", enterprise)


def _refuse_money_of_others(call: Call, enterprise: str, order: str) -> None:
    """Only who takes money undoes a hand-over with which money was recorded."""
    if money_of_hand_over(call.tx, order_by_id(call.tx, order, enterprise_id=enterprise)):
        _demand_money(call, enterprise)


def _what_was_before(call: Call, order: Order) -> str:
    """Why this event comes too late: Mireille took €20.00 at 16:12. Amounts are for who sees them elsewhere too."""
    if order.state == "Cancelled":
        return translate(call.language, "This order was cancelled.")
    zone = enterprise_by_id(call.tx, order.enterprise_id).timezone
    hour = format_hour(order.fulfilled_at or call.tx.now, zone, call.language)
    is_shown = sees_amounts(call.tx, call.actor, order.enterprise_id)
    taken = sum(payment.amount for payment in money_of_hand_over(call.tx, order)) if is_shown else 0
    name = who_took(call.tx, order) if taken else ""
    if name:
        text = translate(call.language, "{name} took {amount} and handed it over at {hour}.")
        return text.format(name=name, amount=format_money(taken, order.currency, call.language), hour=hour)
    return translate(call.language, "It was handed over at {hour}.").format(hour=hour)


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


# ------------------------------------------------------------------------------------------------ the list


def list_json(visit: Visit) -> Response:
    """The list of a session as JSON, for the telephone: names, goods and amounts, but no addresses and no e-mail."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:pack")
        session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
        orders = [order for order in summaries_of_session(tx, desk.enterprise.id, session.id) if order.stands]
        lines = lines_of_session(tx, desk.enterprise.id, session.id)
        kinds = deposit_kinds(tx, desk.enterprise.id, desk.enterprise.currency)
        returned = returned_of_session(tx, desk.enterprise.id, session.id)
        likely = likely_returns(tx, desk.enterprise.id, session.id)
        offered = slots_of_sale(tx, visit, desk, session.id)
        going = {order.id: lines.get(order.id, ()) for order in orders if order.is_going and desk.sees_money}
        rules = weight_rules_of_session(tx, visit.instance.hooks, session.id, going)
        now = tx.now
    methods = payment_methods(visit.instance, desk.enterprise.id, visit.language) if desk.takes_money else []

    def by_slot_and_name(order: OrderSummary) -> tuple[object, ...]:
        """As on the page. The telephone only moves those to the end who have their goods."""
        return slot_order(order, offered), search_key(order.name), order.number

    content = {
        "enterprise": desk.enterprise.id,
        "session": session.id,
        "loaded": now.isoformat(),
        "ends": session.ends_at.isoformat(),
        "until": (now + _KEPT).isoformat(),
        "much": float(MUCH),
        "currency": desk.enterprise.currency,
        "language": visit.language,
        "zone": desk.enterprise.timezone,
        "money": desk.sees_money,
        "vat_added": not desk.enterprise.prices_include_vat,
        "methods": [{"id": method.id, "label": method.label} for method in cash_first(by_hand(methods))],
        "deposits": [
            {
                "supplier_id": kind.supplier_id,
                "deposit": kind.deposit,
                "label": container_name(kind, visit.language),
                "inside": container_goods(kind),
                "usual": kind.key in likely.usual,
            }
            for kind in kinds
        ],
        "most_empties": MOST_RETURNED,
        "orders": [
            _parcel(order, lines.get(order.id, ()), slot_label(order, offered), desk, visit.language)
            | {"returned": returned.get(order.id, ()), "had": _places(kinds, likely.had.get(order.id, frozenset()))}
            | {"rules": [_rule(rule) for rule in rules[order.id]] if order.id in rules else None}
            for order in sorted(orders, key=by_slot_and_name)
        ],
        "texts": texts(visit.language),
    }
    return Response(msgspec.json.encode(content), media_type="application/json", headers={"Cache-Control": "no-store"})


def _parcel(
    order: OrderSummary, lines: Sequence[PricedLine], slot: str, desk: Desk, language: str
) -> dict[str, object]:
    shown_lines = [_line(line, language) for line in lines]
    content: dict[str, object] = {
        "id": order.id,
        "number": order.number,
        "name": order.name,
        "slot": slot,
        "note": order.note,
        "collector": order.collector,
        "mailed": bool(order.email),
        "crates": order.crates,
        "gone": order.fulfilled_at.isoformat() if order.fulfilled_at else None,
        "lines": shown_lines,
    }
    if desk.sees_money:
        content |= {"due": order.due, "paid": order.paid_total}
        for shown, line in zip(shown_lines, lines, strict=True):
            shown |= {"amount": line.amount + line.deposit * line.quantity, "price": line.price}
            shown |= {"goods": line.amount, "vat": _fraction(line.vat_rate), "piece": _fraction(line.unit_quantity)}
            if line.weight_tolerance is not None:
                shown["most"] = _fraction(heaviest(line))
        content["besides"] = order.total - sum(line.amount + line.deposit * line.quantity for line in lines)
    return content


def _rule(rule: WeightRule) -> dict[str, object]:
    """A rule as `due.js` reads it: fractions are two whole numbers as text, which have no largest one."""
    return {
        "of": rule.of,
        "shares": {line_id: _fraction(share) for line_id, share in rule.shares.items()},
        "base": _fraction(rule.base),
        "least": rule.least,
        "most": rule.most,
        "steps": [[_fraction(up_to), amount] for up_to, amount in rule.steps],
        "beyond": rule.beyond,
        "unweighed": rule.unweighed,
        "vat": None if rule.vat_rate is None else _fraction(rule.vat_rate),
    }


def _fraction(number: Decimal | Fraction) -> list[str]:
    return [str(part) for part in number.as_integer_ratio()]


def _line(line: PricedLine, language: str) -> dict[str, object]:
    ordered = line.unit_quantity * line.quantity
    return {
        "id": line.id,
        "name": line.name,
        "quantity": line.quantity,
        "size": format_quantity(line.unit_quantity, line.unit, language),
        "ordered": format_quantity(ordered, line.unit, language),
        "unit": format_quantity(0, line.unit, language).replace("0", "").strip(),
        "per_piece": float(line.unit_quantity),
        "weigh": line.weighed,
        "final": None if line.final_quantity is None else float(line.final_quantity),
    }


def worker_script(visit: Visit) -> Response:
    """The service worker. It controls the hand-out, its entry in the navigation too, and nothing else."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:pack")
    return service_worker(f"{desk.address}/handout")


def _forms(language: str, singular: str, many: str) -> list[str]:
    """The forms of a text for one and for several; the pages of the office are in languages that have these two."""
    return [plural(language, singular, many, number) for number in (1, 2)]


def texts(language: str) -> dict[str, str | list[str]]:
    """What the telephone says without a network."""
    return {
        "online": translate(language, "Connected"),
        "offline": translate(language, "No network"),
        "waiting": translate(language, "{number} to send"),
        "nothing_waiting": translate(language, "everything sent"),
        "others_waiting": translate(language, "{number} of somebody else, sent when they log in"),
        "list_of": translate(language, "list of {hour}"),
        "complete": _forms(language, "{number} order on this telephone", "{number} orders on this telephone"),
        "back": translate(language, "Back to the list"),
        "search": translate(language, "Name, number, telephone or e-mail"),
        "elsewhere": translate(language, "Not to hand out here"),
        "everybody": translate(language, "Everybody"),
        "to_come": translate(language, "Still to come"),
        "not_collected": translate(language, "Not collected"),
        "to_weigh": translate(language, "To weigh"),
        "weigh": translate(language, "to weigh"),
        "gone": translate(language, "handed over"),
        "paid": translate(language, "paid"),
        "left": _forms(language, "{number} left", "{number} left"),
        "all_gone": translate(language, "all gone"),
        "no_slot": translate(language, "Without a slot"),
        "nobody": translate(language, "Nobody fits."),
        "crates": _forms(language, "{number} crate", "{number} crates"),
        "other_empties": translate(language, "Other empties"),
        "empties": translate(language, "Empties that came back"),
        "not_empties": translate(language, "{text} is not a number of containers."),
        "most_empties": translate(language, "At most {most} containers of a kind come back at once."),
        "beyond": translate(language, "Empties beyond what the order costs"),
        "count_fewer": translate(language, "Count only as many as the order costs"),
        "stay": _forms(
            language,
            "{number} container stays with the customer, for the next order.",
            "{number} containers stay with the customer, for the next order.",
        ),
        "scan": translate(language, "Read a code"),
        "stop_scan": translate(language, "Stop reading"),
        "no_camera": translate(language, "The camera cannot be used. Type the number."),
        "no_code": translate(language, "This code is of no order on the list."),
        "collector": translate(language, "Collected by: {name}"),
        "quoted": translate(language, "“{note}”"),
        "articles": _forms(language, "{number} article", "{number} articles"),
        "ordered": translate(language, "ordered: {quantity}"),
        "missing": translate(language, "missing"),
        "besides": translate(language, "Fees, aid, empties and VAT"),
        "paid_already": translate(language, "Paid already"),
        "is_due": translate(language, "{amount} to pay"),
        "is_owed": translate(language, "{amount} to give back"),
        "to_pay": translate(language, "To pay"),
        "about": translate(language, "about {amount}"),
        "exact": translate(language, "This is the exact amount. Press again when you have it."),
        "to_give_back": translate(language, "To give back"),
        "is_paid": translate(language, "Paid"),
        "received": translate(language, "{method} received · handed over"),
        "later": translate(language, "Pays later · handed over"),
        "done": translate(language, "Handed over"),
        "done_at": translate(language, "handed over at {hour}."),
        "undo": translate(language, "Undo"),
        "not_weight": translate(language, "{text} is not a weight. Write it like 0.985, or 0.5+0.48."),
        "far_off": translate(language, "This is far from what was ordered. Press again if it is right."),
        "not_weighed": translate(
            language, "Not weighed yet. Type the weight, or press again to hand over at the estimate."
        ),
        "nobody_came": translate(language, "Nobody came: ask by e-mail what to do"),
        "no_email": translate(language, "This order has no e-mail address. Call instead."),
        "asked": translate(language, "The customer is asked by e-mail."),
        "not_asked": translate(language, "The question could not be sent. Try again with a network."),
        "whole_order": translate(language, "There is a problem: see the whole order"),
        "conflicts": translate(language, "Not recorded"),
        "conflict_why": translate(language, "Keep the money apart and tell the treasurer: it is on their list."),
        "refused_why": translate(
            language, "Keep the money apart, and tell the treasurer who paid what: nobody else knows of it."
        ),
        "told": translate(language, "I have told the treasurer"),
        "conflict_again": translate(language, "Open the order, correct it, and hand it out again."),
        "log_in": translate(language, "You are not logged in any more. Log in again; nothing is lost."),
        "leave": translate(language, "Not sent yet: {number}. Log out and lose that?"),
    }
