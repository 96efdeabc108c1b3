"""Payments over the API: customers choose how to pay; the shop records money received and refunded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from ...api.endpoint import Body, Call, File, Page, Paging, Routes, page_of
from ...base.errors import Invalid, NotFound, Problem
from ...base.languages.catalogs import say
from ...hooks.values import PaymentMethod
from ...orders.questions import order_by_id, order_by_secret
from ...orders.sale_context import sale_context_for
from ...orders.values import Order
from ...payments import payments as commands
from ...payments import refunds
from ...payments.begin import ask_plugin, begin_payment
from ...payments.by_hand import methods_by_hand, record_given_back, record_received, refuse_not_by_hand
from ...payments.due import due
from ...payments.journal import journal_csv, journal_entries, verify_journal
from ...payments.methods import ChosenMethod, choose_method, payment_methods
from ...payments.problems import problems_of, settle_problem
from ...payments.values import JournalEntry, Payment, PaymentProblem
from ...people.codes import fingerprint
from ..till.provider_refunds import begin_refund

routes = Routes("payments")

Method = Annotated[str, msgspec.Meta(min_length=3, max_length=81, description='"plugin:method"')]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10**12, description="minor units")]
Reference = Annotated[str, msgspec.Meta(max_length=200)]
Place = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class Choice(Body, frozen=True, kw_only=True):
    """How an order shall be paid: one of the shop's payment methods.

    `return_url` is the page of this instance to which a provider sends the customer back; its front page if left out.
    """

    method: Method
    return_url: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Received(Body, frozen=True, kw_only=True):
    """Money that is there, or was given back. `method` is one that its plugin lets people record.

    anyway: it is more than is due, or than is owed back, and meant so
    """

    method: Method
    amount: Amount
    reference: Reference = ""
    anyway: bool = False


class GivenBack(Body, frozen=True, kw_only=True):
    """What a provider shall give back of a payment; `anyway`: it is more than is owed back, and meant so."""

    amount: Amount
    anyway: bool = False


class Arrived(Body, frozen=True, kw_only=True):
    """The money of a payment that was waiting for it."""

    reference: Reference = ""


class Entries(Body, frozen=True, kw_only=True):
    """Entries of the journal that follow the entry `after`."""

    after: Place = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Export(Body, frozen=True, kw_only=True):
    """Entries of the journal that follow the entry `after`: fetch again from the last one to get the next."""

    after: Place = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 50_000


@dataclass(frozen=True, kw_only=True)
class PaymentsOfOrder:
    """All amounts in minor units of `currency`; a negative balance is owed to the customer."""

    currency: str
    total: int
    paid: int
    balance: int
    payments: Sequence[Payment]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """`problem` says what is wrong with the first entry that is not as it was written."""

    sound: bool
    problem: str | None


# ------------------------------------------------------------------------------------------------ customers


def _list_methods(call: Call, session: str) -> list[PaymentMethod]:
    shop = sale_context_for(call.tx, session, call.actor.person_id)
    return payment_methods(call.instance, shop.enterprise_id, call.language, person_id=call.actor.person_id)


@routes.get("/sale-sessions/{session}/payment-methods", scope="public", prepare=_list_methods)
def list_payment_methods(call: Call, session: str) -> Sequence[PaymentMethod]:
    """Ways to pay for an order at this sale."""
    return list(call.prepared)


@dataclass(frozen=True)
class PreparedPayment:
    """What was checked before the transaction: the payment method, and the page to which a provider sends back."""

    chosen: ChosenMethod
    return_url: str


def _prepare_my_payment(call: Call, body: Choice, order: str) -> PreparedPayment:
    return _prepare_payment(call, body, order_by_id(call.tx, order, person_id=call.person_id))


def _prepare_guest_payment(call: Call, body: Choice, secret: str) -> PreparedPayment:
    return _prepare_payment(call, body, order_by_secret(call.tx, fingerprint(secret)))


def _prepare_payment(call: Call, body: Choice, order: Order) -> PreparedPayment:
    return_url = _checked_return_url(call, body)
    return PreparedPayment(choose_method(call.instance, order.id, body.method, call.language), return_url)


def _checked_return_url(call: Call, body: Choice) -> str:
    """The return URL. Raises `Invalid` if it is not on this site: a provider must not send customers elsewhere."""
    home, target = urlsplit(call.instance.settings.base_url), urlsplit(body.return_url)
    if body.return_url and ((target.scheme, target.netloc) != (home.scheme, home.netloc) or "\\" in body.return_url):
        text = "The page to come back to must be one of this site."
        raise Invalid([Problem("return_url", text, "/return_url")])
    return body.return_url


def _ask_plugin(call: Call, payment: Payment) -> Payment:
    return ask_plugin(call.instance, payment, call.language, call.prepared.return_url)


_UNTRACED = "the payments and their journal record what customers pay"


@routes.post(
    "/me/orders/{order}/payments",
    scope="self",
    status=201,
    needs_key=True,
    prepare=_prepare_my_payment,
    after=_ask_plugin,
    untraced=_UNTRACED,
)
def pay_my_order(call: Call, order: str, body: Choice) -> Payment:
    """Begins to pay what is due for my order. The answer's instructions say what to do next."""
    order_by_id(call.tx, order, person_id=call.person_id)
    return begin_payment(call.tx, call.instance.hooks, call.prepared.chosen, call.key)


@routes.get("/me/orders/{order}/payments", scope="self")
def payments_of_my_order(call: Call, order: str) -> PaymentsOfOrder:
    """What was paid for my order, and what is under way."""
    my_order = order_by_id(call.tx, order, person_id=call.person_id)
    return _payments_of_order(call, my_order.enterprise_id, my_order.id)


@routes.post(
    "/guest-orders/{secret}/payments",
    scope="public",
    status=201,
    needs_key=True,
    prepare=_prepare_guest_payment,
    after=_ask_plugin,
    limit="logins",
    untraced=_UNTRACED,
)
def pay_guest_order(call: Call, secret: str, body: Choice) -> Payment:
    """Begins to pay what is due for the order that this secret opens."""
    order_by_secret(call.tx, fingerprint(secret))
    return begin_payment(call.tx, call.instance.hooks, call.prepared.chosen, call.key)


@routes.get("/guest-orders/{secret}/payments", scope="public", limit="logins")
def payments_of_guest_order(call: Call, secret: str) -> PaymentsOfOrder:
    """What was paid for the order that this secret opens, and what is under way."""
    order = order_by_secret(call.tx, fingerprint(secret))
    return _payments_of_order(call, order.enterprise_id, order.id)


# ------------------------------------------------------------------------------------------------ the shop


@routes.get("/enterprises/{enterprise}/orders/{order}/payments", scope="payments:read")
def payments_of_order(call: Call, enterprise: str, order: str) -> PaymentsOfOrder:
    """What was paid for an order, given back, and is under way."""
    return _payments_of_order(call, enterprise, order)


def _list_methods_by_hand(call: Call, enterprise: str, order: str, body: Received) -> frozenset[str]:
    return methods_by_hand(call.instance, call.tx, enterprise, order)


@routes.post(
    "/enterprises/{enterprise}/orders/{order}/payments",
    scope="payments:write",
    status=201,
    needs_key=True,
    prepare=_list_methods_by_hand,
)
def record_money(call: Call, enterprise: str, order: str, body: Received) -> Payment:
    """Records money received for an order: cash in hand, a transfer on the account."""
    return record_received(
        call.tx,
        enterprise_id=enterprise,
        order_id=order,
        method=body.method,
        amount=body.amount,
        person_id=call.person_id,
        allowed=call.prepared,
        reference=body.reference,
        anyway=body.anyway,
    )


@routes.post(
    "/enterprises/{enterprise}/orders/{order}/refunds",
    scope="payments:write",
    status=201,
    needs_key=True,
    prepare=_list_methods_by_hand,
)
def record_refund(call: Call, enterprise: str, order: str, body: Received) -> Payment:
    """Records money given back: no more than is owed, unless it is meant so, and never more than was received."""
    return record_given_back(
        call.tx,
        enterprise_id=enterprise,
        order_id=order,
        method=body.method,
        amount=body.amount,
        person_id=call.person_id,
        allowed=call.prepared,
        reference=body.reference,
        anyway=body.anyway,
    )


@routes.post("/enterprises/{enterprise}/payments/{payment}/refund", scope="payments:write", status=201, needs_key=True)
def give_back(call: Call, enterprise: str, payment: str, body: GivenBack) -> Payment:
    """Lets the provider of a received payment give back what is owed; more, up to what was received, if it is meant so.

    The refund is Started, and Done once the provider says so. A way to pay whose provider cannot is refused: give the
    money back by hand and record that.
    """
    return begin_refund(
        call.tx,
        call.instance.hooks,
        enterprise,
        payment,
        body.amount,
        idempotency_key=call.tx.new_id(),
        anyway=body.anyway,
    )


@routes.get("/enterprises/{enterprise}/payment-problems", scope="payments:read")
def payment_problems(call: Call, enterprise: str, query: Paging) -> Page[PaymentProblem]:
    """What providers said of payments and only a person can settle, oldest first, until it is settled."""
    problems = problems_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(problems, query.limit, lambda problem: problem.id)


@routes.post("/enterprises/{enterprise}/payment-problems/{problem}/settlement", scope="payments:write")
def settle(call: Call, enterprise: str, problem: str) -> PaymentProblem:
    """Says that a person has seen to it."""
    return settle_problem(call.tx, enterprise, problem, person_id=call.person_id)


def _list_methods_for_arrival(call: Call, enterprise: str, payment: str, body: Arrived) -> frozenset[str]:
    waiting = commands.payment_by_id(call.tx, enterprise, payment)
    return methods_by_hand(call.instance, call.tx, enterprise, waiting.order_id)


@routes.post(
    "/enterprises/{enterprise}/payments/{payment}/arrival",
    scope="payments:write",
    needs_key=True,
    prepare=_list_methods_for_arrival,
)
def payment_arrived(call: Call, enterprise: str, payment: str, body: Arrived) -> Payment:
    """Records that the money of a waiting payment has come, by a way that people may record."""
    refuse_not_by_hand(commands.payment_by_id(call.tx, enterprise, payment).method, call.prepared)
    return commands.record_payment(call.tx, enterprise, payment, person_id=call.person_id, reference=body.reference)


@routes.post("/enterprises/{enterprise}/payments/{payment}/cancel", scope="payments:write")
def cancel_payment(call: Call, enterprise: str, payment: str) -> Payment:
    """Ends a payment that nobody waits for any more."""
    return commands.cancel(call.tx, enterprise, payment)


@routes.get("/enterprises/{enterprise}/journal", scope="payments:read")
def journal(call: Call, enterprise: str, query: Entries) -> Page[JournalEntry]:
    """The journal of what was received and given back, oldest first."""
    entries = journal_entries(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(entries, query.limit, lambda entry: str(entry.sequence))


@routes.get("/enterprises/{enterprise}/journal.csv", scope="payments:read")
def export_journal(call: Call, enterprise: str, query: Export) -> File:
    """The journal as CSV, with all that is needed to verify it elsewhere."""
    lines = journal_csv(call.tx, enterprise, after=query.after, limit=query.limit)
    return File("".join(lines).encode(), "text/csv; charset=utf-8", "journal.csv")


@routes.get("/enterprises/{enterprise}/journal/verification", scope="payments:read")
def verify(call: Call, enterprise: str) -> Verification:
    """Walks the whole journal and says whether it is as it was written."""
    problems = verify_journal(call.tx, enterprise)
    return Verification(sound=not problems, problem=say(call.language, problems[0]) if problems else None)


@routes.post(
    "/enterprises/{enterprise}/journal/{sequence}/correction", scope="payments:write", status=201, needs_key=True
)
def correct_entry(call: Call, enterprise: str, sequence: str) -> JournalEntry:
    """Takes back an entry that was a mistake, by an opposite one."""
    if not sequence.isdecimal() or len(sequence) > 12:
        raise NotFound
    return refunds.correct(call.tx, enterprise, int(sequence), person_id=call.person_id)


def _payments_of_order(call: Call, enterprise_id: str, order_id: str) -> PaymentsOfOrder:
    order = due(call.tx, enterprise_id, order_id)
    return PaymentsOfOrder(
        currency=order.currency,
        total=order.total,
        paid=order.paid,
        balance=order.balance,
        payments=commands.payments_of(call.tx, enterprise_id, order_id),
    )
