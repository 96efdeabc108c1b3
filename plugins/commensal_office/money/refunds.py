"""Gives money back for an order: what is owed now, and by which way; a provider sends it, or a person has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from commensal import (
    Conflict,
    Invalid,
    NotFound,
    Order,
    Payment,
    Problem,
    Refused,
    Transaction,
    order_by_id,
    payments_of,
    record_given_back,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, amount_field, mistakes, status_of
from commensal.parts.till import begin_refund, refundable_payments, take_back_written_off, written_off_payments
from commensal.payments import method_name, payment_methods_of_order, recorded_by_hand, take_back

from ..frame.desk import open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import amount_in_field, show
from ..frame.sessions import due_of, methods_by_hand

_BY_HAND, _PROVIDER = "hand:", "provider:"
_LONGEST = 200  # characters of a reference


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to give money back. `most`: what it can give at most, in minor units; None: what was received."""

    id: str
    label: str
    most: int | None = None

    @property
    def is_cash(self) -> bool:
        return self.id.startswith(f"{_BY_HAND}cash:")


def refund_page(visit: Visit) -> Response:
    return _refund_page(visit, {})


def _refund_page(
    visit: Visit,
    typed: Mapping[str, str],
    errors: Mistakes = NO_MISTAKES,
    status: int = 200,
    *,
    confirming: bool = False,
) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:write")
        order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        payments = {payment.id: payment for payment in payments_of(tx, desk.enterprise.id, order.id)}
        refundable = refundable_payments(tx, visit.instance.hooks, desk.enterprise.id, order.id)
    owed = owed_now(order, list(payments.values()))
    labels = {method.id: method.label for method in payment_methods_of_order(visit.instance, order, visit.language)}
    ways = [
        Way(
            id=f"{_PROVIDER}{id}",
            label=labels.get(payments[id].method) or method_name(payments[id].method, visit.language),
            most=left,
        )
        for id, left in refundable.items()
    ]
    ways += [Way(id=f"{_BY_HAND}{method.id}", label=method.label) for method in methods_by_hand(visit, order)]
    shown = {
        "amount": amount_in_field(owed, order.currency, visit.language),
        "way": _likely(ways, list(payments.values())),
        "reference": "",
        "anyway": "",
        "key": visit.instance.ids.secret(),
        **typed,
    }
    chosen = next((way for way in ways if way.id == shown["way"]), None)
    if confirming and chosen is None:  # it was on the page, and somebody has used it or switched it off meanwhile
        text = "Nothing can be given back this way any more. Choose another one."
        errors, status = mistakes(visit, Invalid([Problem("way", text, "/way")]), shown.__contains__), 422
    return show(
        visit,
        desk,
        "refund",
        at="orders",
        status=status,
        order=order,
        owed=owed,
        ways=ways,
        typed=shown,
        mistakes=errors,
        chosen=chosen if confirming else None,
        under_way=_on_its_way(list(payments.values())),
    )


def _likely(ways: Sequence[Way], payments: Sequence[Payment]) -> str:
    """The id of the way that is ticked: a provider that can send the money, else how the customer paid last."""
    received = [each.method for each in payments if each.kind == "payment" and each.state == "Done"]
    paid_so = [way.id for way in ways if received and way.id == f"{_BY_HAND}{received[-1]}"]
    sent = [way.id for way in ways if way.most is not None]
    return next(iter([*sent, *paid_so, *(way.id for way in ways)]), "")


def owed_now(order: Order, payments: list[Payment]) -> int:
    """What is owed to the customer and is not on its way back yet, in minor units. What was written off is not owed."""
    written_off = sum(payment.amount for payment in written_off_payments(payments))
    return max(0, -due_of(order) - _on_its_way(payments) - written_off)


def _on_its_way(payments: list[Payment]) -> int:
    return sum(payment.amount for payment in payments if payment.kind == "refund" and payment.is_under_way)


def post_refund(visit: Visit) -> Response:
    """Asks once more with the amount and the way in words, then gives the money back or records that it was given. What
    would be refused then is refused before it is asked."""
    typed = {name: visit.form.get(name, "") for name in ("amount", "way", "reference", "anyway", "key")}
    if goes_back(visit):
        return _refund_page(visit, typed)
    sure = is_sure(visit)
    try:
        with visit.read() as tx:
            desk = open_desk(tx, visit, "payments:write")
            order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        allowed = [method.id for method in methods_by_hand(visit, order)]
        with visit.write() as tx, tx.attempt() as attempt:
            desk = open_desk(tx, visit, "payments:write")
            is_possible = _give_back(tx, visit, order, typed, allowed)
            if not sure or not is_possible:
                attempt.rollback()
    except Refused as error:
        return _refund_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    if not sure or not is_possible:
        return _refund_page(visit, typed, confirming=True)
    return visit.redirect(f"{desk.address}/orders/{order.id}?done=refunded")


def _give_back(tx: Transaction, visit: Visit, order: Order, typed: Mapping[str, str], allowed: Sequence[str]) -> bool:
    """Begins the refund by a provider, or records what was given by hand. Returns False if the way is gone."""
    amount, key, anyway = _read_amount(typed, order.currency), f"office:{typed['key'][:100]}", bool(typed["anyway"])
    kind, _, way = typed["way"].partition(":")
    if order.state == "Cancelled":
        take_back_written_off(tx, order.enterprise_id, order.id, person_id=visit.actor.person_id or "")
    if kind == "provider" and any(payment.id == way for payment in payments_of(tx, order.enterprise_id, order.id)):
        begin_refund(tx, visit.instance.hooks, order.enterprise_id, way, amount, idempotency_key=key, anyway=anyway)
        return True
    if kind != "hand" or way not in allowed:
        return False
    record_given_back(
        tx,
        enterprise_id=order.enterprise_id,
        order_id=order.id,
        method=way,
        amount=amount,
        person_id=visit.actor.person_id or "",
        allowed=allowed,
        reference=typed["reference"].strip()[:_LONGEST],
        anyway=anyway,
        key=key,
    )
    return True


def _read_amount(typed: Mapping[str, str], currency: str) -> int:
    """The amount in minor units. Raises `Invalid`."""
    amount = amount_field(typed, "amount", currency)
    if amount <= 0:
        raise Invalid([Problem("amount", "Say how much is given back.", "/amount")])
    return amount


# ------------------------------------------------------------------------------------------------ recorded by mistake


def take_back_page(visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Response:
    """Asks before a payment, or money given back, that a person has recorded is taken back."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "payments:write")
        order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        payments = {payment.id: payment for payment in payments_of(tx, desk.enterprise.id, order.id)}
        may_go = visit.path["payment"] in recorded_by_hand(tx, desk.enterprise.id, order.id)
    if visit.path["payment"] not in payments:
        raise NotFound
    payment = payments[visit.path["payment"]]
    back = payment.amount if payment.kind == "refund" else -payment.amount
    return show(
        visit,
        desk,
        "take_back",
        at="orders",
        status=status,
        order=order,
        payment=payment,
        may_go=may_go,
        method=method_name(payment.method, visit.language),
        due=due_of(order) - back,
        mistakes=errors,
    )


def post_take_back(visit: Visit) -> Response:
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "payments:write")
            order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
            person_id = visit.actor.person_id or ""
            take_back(tx, desk.enterprise.id, order.id, visit.path["payment"], person_id=person_id)
    except Conflict as error:
        return take_back_page(visit, mistakes(visit, error, lambda name: False), status_of(error))
    return visit.redirect(f"{desk.address}/orders/{order.id}?done=taken_back")
