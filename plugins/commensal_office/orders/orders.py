"""Orders: find one by whatever stands on paper, understand it, and see what happened to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from starlette.responses import Response

from commensal import (
    Conflict,
    OrderSummary,
    Payment,
    Transaction,
    order_by_id,
    payments_of,
    person_by_id,
    sale_by_id,
    search_key,
)
from commensal.orders import REPEATED_MAILS, RepeatedMail, guest_terms, locked_order, mail_again
from commensal.pages import Visit, on_refusal, page_parts
from commensal.parts.distribution import find_orders, orders_to_join, orders_with_product, summaries_of_session
from commensal.parts.supply import late_suppliers
from commensal.payments import WRITTEN_OFF, orders_with_reference, payments_in_journal, recorded_by_hand
from commensal.sale_sessions import is_open

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from ..frame.sessions import due_of, recent_sessions, session_of_page, slot_label, slots_of_sale
from ..money.conflicts import conflicts_of
from .history import history_of, mail_names

_LONGEST = 100  # characters of a search
_FEWEST_DIGITS = 4  # of a telephone number
_SHORTEST_REFERENCE = 4  # characters of a payment's reference; anything shorter is a number or a name

_MOST_NAMED = 50  # suppliers that a page names after a change

_STATES: dict[str, Callable[[OrderSummary], bool]] = {
    "unpaid": lambda order: order.due > 0,
    "left": lambda order: order.is_going,
    "cancelled": lambda order: order.state == "Cancelled",
}


def orders_page(visit: Visit) -> Response:
    words = visit.query.get("q", "").strip()[:_LONGEST]
    state = visit.query.get("show", "")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:read")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        orders = summaries_of_session(tx, desk.enterprise.id, session.id) if session else []
        count = len(orders)
        paid_so = _with_reference(tx, desk, words)
        if session and words:
            orders = search_orders(tx, session.id, orders, words, also=paid_so, addresses=desk.may("customers:read"))
        elsewhere = in_other_sales(tx, desk, words, orders, paid_so)
        offered = slots_of_sale(tx, visit, desk, session.id) if session else {}
    states = [each for each in _STATES if each != "unpaid" or desk.sees_money]
    if state in states:
        orders = [order for order in orders if _STATES[state](order)]
    return show(
        visit,
        desk,
        "orders",
        at="orders",
        session=session,
        sessions=sessions,
        orders=orders,
        elsewhere=elsewhere,
        words=words,
        state=state,
        states=states,
        count_all=count,
        slot_of=partial(slot_label, offered=offered),
    )


def _with_reference(tx: Transaction, desk: Desk, words: str) -> set[str]:
    """Ids of orders whose payment has these words as its reference; amounts and references are for who sees money."""
    if len(words) < _SHORTEST_REFERENCE or not desk.sees_money:
        return set()
    return orders_with_reference(tx, desk.enterprise.id, words)


def in_other_sales(
    tx: Transaction, desk: Desk, words: str, orders: Sequence[OrderSummary], paid_so: Collection[str] = ()
) -> list[OrderSummary]:
    """Orders of other sales with exactly this number, e-mail address, telephone number or reference of a payment."""
    if not words:
        return []
    shown = {order.id for order in orders}
    addresses = desk.may("customers:read")
    matches = find_orders(tx, desk.enterprise.id, words.lstrip("#"), order_ids=paid_so, addresses=addresses)
    return [order for order in matches if order.id not in shown]


def search_orders(
    tx: Transaction,
    session_id: str,
    orders: Sequence[OrderSummary],
    words: str,
    *,
    also: Sequence[str] | set[str] = (),
    addresses: bool,
) -> list[OrderSummary]:
    """The orders with these words in their name, number, e-mail, telephone, note or slot, in who collects them, or in a
    product's name, and those with the ids `also`. E-mails only with `addresses`: for who reads the customers."""
    number, phone = words.lstrip("#"), _digits(words).lstrip("0")
    key = search_key(words)
    matches = {
        order.id
        for order in orders
        if str(order.number) == number
        or _has_number(order.phone, phone)
        or _has_number(order.collector, phone)
        or key in search_key(f"{order.name} {order.note} {order.collector} {order.shipping_label}")
        or (addresses and key in search_key(order.email))
    } | {order.id for order in orders if order.id in also}
    if not matches and not number.isdigit():
        matches = orders_with_product(tx, session_id, words)
    return [order for order in orders if order.id in matches]


def _has_number(phone: str, typed: str) -> bool:
    """Whether a telephone number contains the digits that were typed; few of them must be its last ones."""
    if len(typed) < _FEWEST_DIGITS:
        return False
    typed = typed[-9:]  # without the prefix of a country
    return typed in _digits(phone) if len(typed) > 5 else _digits(phone).endswith(typed)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


# ------------------------------------------------------------------------------------------------ one order


def order_page(visit: Visit) -> Response:
    return show_order(visit)


def show_order(visit: Visit) -> Response:
    """The page of the order that the path names."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:read")
        order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        sale = sale_by_id(tx, order.session_id)
        account = person_by_id(tx, order.person_id) if order.person_id is not None else None
        terms = guest_terms(tx, order)
        offered = slots_of_sale(tx, visit, desk, order.session_id)
        payments = payments_of(tx, desk.enterprise.id, order.id) if desk.sees_money else ()
        by_hand = recorded_by_hand(tx, desk.enterprise.id, order.id) if desk.keeps_books and payments else frozenset()
        came = payments_in_journal(tx, desk.enterprise.id, order.id) if payments else frozenset()
        added_parts = page_parts(tx, visit, "order", desk.enterprise.id, desk.scopes, subject=order.id)
        conflicts = conflicts_of(tx, order) if desk.sees_money else ()
        history = history_of(
            tx,
            order,
            mail_names(visit.instance, visit.language),
            visit.language,
            sees_trail=desk.may("audit:read"),
            sees_money=desk.sees_money,
            sees_addresses=desk.may("customers:read"),
            conflicts=conflicts,
            payments=payments,
        )
        others = [
            other
            for other in orders_to_join(
                tx, desk.enterprise.id, order.session_id, email=order.email, customer_id=order.customer_id
            )
            if other.id != order.id
        ]
        named = [each for each in visit.query.get("suppliers", "").split(",") if each]
        late = late_suppliers(tx, visit.instance.hooks, order.session_id, named[:_MOST_NAMED])
        sale_is_open = is_open(sale.session, tx.now)
    going = order.state != "Cancelled" and order.fulfilment_state != "Fulfilled"
    return show(
        visit,
        desk,
        "order",
        at="orders",
        order=order,
        sale=sale,
        account=account,
        payments=_payments_to_show(payments, came),
        written_off=WRITTEN_OFF,
        came=came,
        by_hand=by_hand,
        history=history,
        due=due_of(order),
        others=others if going else [],
        going=going,
        confirm_by=terms.confirm_by if terms else None,
        slot_of=partial(slot_label, offered=offered),
        may_change=desk.may("orders:write") and going,
        done=visit.query.get("done", ""),
        may_revive=bool(order.restocked) and sale_is_open and any(line.quantity for line in order.lines),
        mails=_mails(visit, order.fulfilment_state == "Held"),
        corrected=any(adjustment.kind == "correction" for adjustment in order.adjustments),
        added_parts=added_parts,
        late=late,
        open_conflicts=[conflict for conflict in conflicts if conflict.settled_at is None],
    )


def _payments_to_show(payments: Sequence[Payment], came: Collection[str]) -> list[Payment]:
    """Without plans that came to nothing, if money came another time: the order was paid, or its amount changed."""
    if not any(payment.kind == "payment" and payment.state == "Done" for payment in payments):
        return list(payments)
    return [each for each in payments if each.kind == "refund" or each.state != "Cancelled" or each.id in came]


def _mails(visit: Visit, ready: bool) -> dict[str, str]:
    """The e-mails that can be sent again, by kind."""
    names = mail_names(visit.instance, visit.language)
    kinds = ("order_placed", "order_final", *(("order_ready",) if ready else ()))
    return {kind: names[kind] for kind in kinds}


@on_refusal(show_order, ())
def post_mail(visit: Visit) -> Response:
    """Mails the customer once more, with the order as it is now."""
    kind = visit.form.get("mail", "")
    with visit.write() as tx:
        desk = open_desk(tx, visit, "orders:write")
        order = locked_order(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
        mail_again(tx, order, _repeated(kind))
    return visit.redirect(f"{desk.address}/orders/{order.id}?done=mailed")


def _repeated(kind: str) -> RepeatedMail:
    """The kind of the e-mail. Raises `Conflict` for one that is not sent again by hand."""
    for repeated in REPEATED_MAILS:
        if kind == repeated:
            return repeated
    raise Conflict("no_mail", "Choose which e-mail is sent again.")
