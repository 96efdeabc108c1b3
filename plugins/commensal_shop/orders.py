"""My orders: the list, the page of an order, and its cancellation. A guest has a secret in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from commensal import (
    Conflict,
    Invalid,
    NotFound,
    Order,
    Payment,
    PaymentMethod,
    Problem,
    Refused,
    Sale,
    Stale,
    Transaction,
    Unauthorised,
    describe_values,
    enterprise_by_id,
    enterprises_by_id,
    fingerprint,
    format_moment,
    order_by_id,
    order_by_secret,
    payments_of,
    sale_by_id,
    sales,
    say,
    start_payment,
)
from commensal.orders import (
    Identity,
    cancel_order,
    consents_of,
    guest_terms,
    is_mailed,
    locked_guest_order,
    locked_order,
    names_of_lines,
    order_links,
    orders_of_person,
    set_consents,
    with_place_of_today,
)
from commensal.pages import Visit, parts_beside
from commensal.parts.accounts import phones_to_prove, prove_phone
from commensal.parts.mail import shown_codes
from commensal.parts.order_corrections import claim_order, total_once_claimed
from commensal.payments import cancel_open, payment_methods_of_order
from commensal.pricing import Totals
from commensal.sale_sessions import is_open

from .choices import ticked_consents
from .guest import order_secret
from .showing import NONE, Mistakes, mistakes, on_refusal, show

_AT_ONCE = 20  # orders on a page
_THANKS = timedelta(minutes=10)  # for so long the page of a new order says thank you


@dataclass(frozen=True)
class OrderAccess:
    """The visitor's access to the order of the page: as its owner, or with a guest's secret."""

    visit: Visit

    @property
    def secret(self) -> str | None:
        return self.visit.path.get("secret")

    @property
    def address(self) -> str:
        return f"/orders/guest/{self.secret}" if self.secret else f"/orders/{self.visit.path['order']}"

    def order(self, tx: Transaction) -> Order:
        """Loads the order. Raises `NotFound`, `Unauthorised`."""
        if self.secret:
            order = order_by_secret(tx, fingerprint(self.secret), person_id=self.visit.actor.person_id)
        else:
            order = order_by_id(tx, self.visit.path["order"], person_id=self.person_id)
        if order.state == "Draft":
            raise NotFound("no_order", "There is no such order.")
        return order

    def locked(self, tx: Transaction, version: int | None = None) -> Order:
        """Loads and locks the order. With `version`, raises `Stale` if the order has another version, or `Conflict` if
        its sale has closed. Raises `NotFound`, `Unauthorised`."""
        if self.secret:
            person_id = self.visit.actor.person_id
            order = locked_guest_order(tx, fingerprint(self.secret), person_id=person_id)
        else:
            order = locked_order(tx, self.visit.path["order"], person_id=self.person_id)
        if version is not None:
            self.refuse_closed(tx, order)
            if order.version != version:
                raise Stale
        return order

    def refuse_closed(self, tx: Transaction, order: Order) -> None:
        """Raises `Conflict` if the sale has closed: then only the hub may change the order."""
        sale = sale_by_id(tx, order.session_id)
        if order.state == "Complete" or (order.state == "Held" and not is_open(sale.session, tx.now)):
            since = format_moment(sale.session.closes_at, sale.shop.timezone, self.visit.language)
            raise Conflict("closed", "Orders closed on {moment}. Your order stays as it is.", moment=since)

    @property
    def person_id(self) -> str:
        if self.visit.actor.person_id is None:
            raise Unauthorised
        return self.visit.actor.person_id


def orders_page(visit: Visit) -> Response:
    if visit.actor.person_id is None:
        raise Unauthorised
    with visit.read() as tx:
        orders = orders_of_person(tx, visit.actor.person_id, after=visit.query.get("after", ""), limit=_AT_ONCE)
        hubs = enterprises_by_id(tx, {order.enterprise_id for order in orders})
    zone = visit.instance.settings.timezone
    after = orders[-1].id if len(orders) == _AT_ONCE else ""
    return show(visit, "orders", orders=orders, hubs=hubs, after=after, zone=zone)


def order_page(visit: Visit) -> Response:
    """Shows an order. A mailed link to an order that belongs to an account by now redirects to its page there."""
    access = OrderAccess(visit)
    if access.secret:
        with visit.read() as tx:
            order = access.order(tx)
        if order.person_id is not None:
            return visit.redirect(f"/orders/{order.id}")
    return show_order(visit)


def _is_ordered_here(tx: Transaction, visit: Visit, order: Order) -> bool:
    """Whether a guest placed it in this browser, which still has the secret of its cart."""
    secret = order_secret(visit, order.id)
    if secret is None:
        return False
    try:
        return order_by_secret(tx, fingerprint(secret)).id == order.id
    except NotFound:
        return False


def _claimed_total(tx: Transaction, visit: Visit, order: Order) -> int | None:
    """What a guest's order costs less once the visitor, whose address it has, says that it is theirs."""
    person_id = visit.actor.person_id if visit.actor.confirmed and visit.actor.email == order.email else None
    if person_id is None or order.identity is not Identity.TYPED:
        return None
    return total_once_claimed(tx, visit.instance.hooks, order, person_id)


def show_order(visit: Visit) -> Response:
    access = OrderAccess(visit)
    with visit.read() as tx:
        order = with_place_of_today(tx, visit.instance.hooks, access.order(tx))
        sale = sale_by_id(tx, order.session_id)
        line_names = names_of_lines(tx, order.lines, reader=visit.language, own=sale.shop.language)
        payments = payments_of(tx, order.enterprise_id, order.id)
        open_now = may_change(order, sale, tx)
        consents = consents_of(tx, visit.instance.hooks, order, visit.language)
        links = order_links(tx, visit.instance.hooks, order, access.address, visit.language)
        again = sale_to_order_again(tx, order)
        terms = guest_terms(tx, order)
        phones = [] if access.secret else phones_to_prove(tx, access.person_id)
        by_mail = access.secret is not None and is_mailed(tx, order, fingerprint(access.secret))
        ordered_here = by_mail and _is_ordered_here(tx, visit, order)
        claimed_total = _claimed_total(tx, visit, order) if by_mail else None
        just_placed = order.state == "Held" and order.placed_at is not None and tx.now - order.placed_at < _THANKS
    return show(
        visit,
        "order",
        terms=terms,
        order=order,
        shown_codes=shown_codes(order.codes),
        line_names=line_names,
        sums=totals_of(order),
        sale=sale,
        access=access,
        may_change=open_now,
        again=again,
        has_receipt=has_receipt(order),
        links=links,
        added_parts=parts_beside(visit, "shop/order", order.enterprise_id, subject=order.id),
        consents={consent.request: consent for consent in consents},
        agreed=[consent.request for consent in consents if consent.given_at],
        just_placed=just_placed,
        by_mail=by_mail,
        ordered_here=ordered_here,
        claimed_total=claimed_total,
        just_confirmed=visit.query.get("done") == "confirmed" and order.identity is not Identity.TYPED,
        phones_to_prove=phones,
        typed=order.identity is Identity.TYPED,
        own_address=visit.actor.confirmed and visit.actor.email == order.email,
        **_money_of(visit, order, payments),
        details=describe_values(
            visit.instance.store.plugin_fields.orders, order.plugin_fields, visit.language, order.currency
        ),
    )


@on_refusal(show_order)
def post_prove(visit: Visit) -> Response:
    """Proves an order by its mailed link. The link alone must not: machines follow links too. Where the same browser
    has placed the order, the page sends the form by itself, else after a click on its button."""
    access = OrderAccess(visit)
    secret_hash = fingerprint(access.secret or "")
    with visit.write() as tx:
        order = claim_order(tx, visit.instance.hooks, secret_hash, person_id=visit.actor.person_id)
    address = access.address if order.person_id is None else f"/orders/{order.id}"
    return visit.redirect(f"{address}?done=confirmed")


def _money_of(visit: Visit, order: Order, payments: Sequence[Payment]) -> dict[str, Any]:
    """What the page shows of the order's payments: what is due, what is under way, and how else it can be paid."""
    due = order.total - order.paid_total if order.state != "Cancelled" else 0
    pending = (payment for payment in reversed(payments) if payment.kind == "payment" and payment.state == "Pending")
    waiting = next(
        (payment for payment in pending if payment.amount == due), None
    )  # a payment begun before a change has another amount
    refunds = [payment for payment in payments if payment.kind == "refund"]
    return {
        "due": due,
        "waiting": waiting,
        "failed": _failed(payments) if waiting is None else None,
        "refunds": [refund for refund in refunds if refund.is_under_way or refund.state == "Done"],
        "methods": _other_methods(visit, order, waiting) if due > 0 else [],
        "attempt": len(payments),
    }


def has_receipt(order: Order) -> bool:
    """Whether the order is paid in full, and nothing of it is still to be weighed."""
    return order.state in ("Held", "Complete") and order.paid_total >= order.total and not order.awaits_scales


def receipt_page(visit: Visit) -> Response:
    """Shows the receipt of a paid order, to be printed: who sold what to whom, with VAT, and when it was paid."""
    access = OrderAccess(visit)
    with visit.read() as tx:
        order = access.order(tx)
        if not has_receipt(order):
            return visit.redirect(access.address)
        hub = enterprise_by_id(tx, order.enterprise_id)
        line_names = names_of_lines(tx, order.lines, reader=visit.language, own=hub.language)
        payments = [payment for payment in payments_of(tx, order.enterprise_id, order.id) if payment.state == "Done"]
    return show(
        visit,
        "receipt",
        order=order,
        hub=hub,
        basket=None,
        access=access,
        line_names=line_names,
        sums=totals_of(order),
        payments=payments,
    )


@on_refusal(show_order)
def post_prove_phone(visit: Visit) -> Response:
    """Proves the telephone to which a code was sent."""
    access = OrderAccess(visit)
    with visit.write() as tx:
        access.order(tx)
        proven = prove_phone(tx, access.person_id, visit.form.get("code", ""))
    if not proven:
        raise Invalid([Problem("code", "This is not the code; please compare it with the message.", "/code")])
    return visit.redirect(access.address)


@on_refusal(show_order)
def post_pay(visit: Visit) -> Response:
    """Starts a payment by another method, or again. Sending the form twice makes one payment."""
    access = OrderAccess(visit)
    with visit.read() as tx:
        order = access.order(tx)
    key = f"order:{order.id}:{visit.form.get('attempt', '')[:10]}"
    start_payment(
        visit.instance,
        order.id,
        visit.form.get("payment_method", ""),
        key,
        visit.language,
        return_url=visit.address(access.address),
    )
    return visit.redirect(access.address)


@on_refusal(show_order)
def post_consent(visit: Visit) -> Response:
    """Sets the consents of the order to those that are ticked."""
    access = OrderAccess(visit)

    def act(tx: Transaction) -> None:
        set_consents(tx, visit.instance.hooks, access.locked(tx), ticked_consents(visit.form), visit.language)

    visit.instance.store.transact(act)
    return visit.redirect(access.address)


# ------------------------------------------------------------------------------------------------ cancelling


def cancel_page(visit: Visit) -> Response:
    access = OrderAccess(visit)
    with visit.read() as tx:
        order = access.order(tx)
        sale = sale_by_id(tx, order.session_id)
        if not may_change(order, sale, tx):
            return visit.redirect(access.address)
    return show(visit, "cancel", order=order, access=access)


def _why_not_cancelled(visit: Visit, error: Refused, _: object) -> Mistakes:
    """What has happened, and then the problems."""
    errors = mistakes(visit, error, lambda name: False) if error.problems else NONE
    return Mistakes((say(visit.language, error), *errors.general))


@on_refusal(show_order, mistakes_of=_why_not_cancelled)
def post_cancel(visit: Visit) -> Response:
    """Cancels the order. Cancelling twice has no effect."""
    access = OrderAccess(visit)

    def act(tx: Transaction) -> None:
        order = access.locked(tx)
        if order.state != "Cancelled":
            access.refuse_closed(tx, order)
            cancel_order(tx, visit.instance.hooks, order, by=visit.actor.person_id)
            cancel_open(tx, order.id)

    visit.instance.store.transact(act)
    return visit.redirect(access.address)


def totals_of(order: Order) -> Totals:
    """The totals of an order as stored."""
    return Totals(
        products=order.products_total,
        deposits=order.deposits_total,
        adjustments=order.adjustments_total,
        vat=order.vat_total,
        total=order.total,
        shares=order.vat,
        at_most=order.total_at_most,
    )


def may_change(order: Order, sale: Sale, tx: Transaction) -> bool:
    return order.state == "Held" and order.fulfilment_state != "Fulfilled" and is_open(sale.session, tx.now)


def sale_to_order_again(tx: Transaction, order: Order) -> Sale | None:
    """The sale of the order's shop that is open and closes first: that of the order itself only if it was cancelled."""
    open_sales = sales(tx, openness="open", shop_id=order.enterprise_id)
    if order.state == "Cancelled":
        open_sales = sorted(open_sales, key=lambda sale: sale.session.id != order.session_id)
    else:
        open_sales = [sale for sale in open_sales if sale.session.id != order.session_id]
    return next(iter(open_sales), None)


def _other_methods(visit: Visit, order: Order, waiting: Payment | None) -> list[PaymentMethod]:
    """The payment methods except the one that the customer has begun."""
    methods = payment_methods_of_order(visit.instance, order, visit.language)
    return [method for method in methods if waiting is None or method.id != waiting.method]


def _failed(payments: Sequence[Payment]) -> Payment | None:
    attempts = [payment for payment in payments if payment.kind == "payment"]
    return attempts[-1] if attempts and attempts[-1].state == "Failed" else None
