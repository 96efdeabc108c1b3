"""My orders: the list, one order, and its cancelling. A guest comes in by the secret in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from commensal import (
    Conflict,
    Identity,
    NotFound,
    Order,
    Payment,
    PaymentMethod,
    Refused,
    Sale,
    Stale,
    Totals,
    Transaction,
    Unauthorised,
    Visit,
    cancel_open,
    cancel_order,
    consents_of,
    enterprises_by_id,
    fingerprint,
    format_moment,
    guest_terms,
    is_mailed,
    is_open,
    locked_guest_order,
    locked_order,
    order_by_id,
    order_by_secret,
    order_links,
    orders_of_person,
    payment_methods_of_order,
    payments_of,
    prove_order,
    sale_by_id,
    say,
    set_consents,
    start_payment,
    with_place_of_today,
)

from .choices import ticked
from .showing import NONE, Mistakes, mistakes, show, status_of

_AT_ONCE = 20  # orders on a page
_THANKS = timedelta(minutes=10)  # after it was placed, an order's page says thank you


@dataclass(frozen=True)
class Door:
    """How this visitor comes to the order: as the person whose it is, or with a guest's secret."""

    visit: Visit

    @property
    def secret(self) -> str | None:
        return self.visit.path.get("secret")

    @property
    def address(self) -> str:
        return f"/orders/guest/{self.secret}" if self.secret else f"/orders/{self.visit.path['order']}"

    def order(self, tx: Transaction) -> Order:
        """Raises `NotFound`, `Unauthorised`."""
        if self.secret:
            found = order_by_secret(tx, fingerprint(self.secret), person_id=self.visit.actor.person_id)
        else:
            found = order_by_id(tx, self.visit.path["order"], person_id=self.person_id)
        if found.state == "Draft":
            raise NotFound("no_order", "There is no such order.")
        return found

    def locked(self, tx: Transaction, version: int | None = None) -> Order:
        """Raises `Stale` too, where the order is not at this version any more; but `Conflict` where that is because its
        sale has closed."""
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
        """Raises `Conflict` where the sale is over, so that nobody changes the order any more but the hub."""
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
        found = orders_of_person(tx, visit.actor.person_id, after=visit.query.get("after", ""), limit=_AT_ONCE)
        hubs = enterprises_by_id(tx, {order.enterprise_id for order in found})
    zone = visit.instance.settings.timezone
    after = found[-1].id if len(found) == _AT_ONCE else ""
    return show(visit, "orders", orders=found, hubs=hubs, after=after, zone=zone)


def order_page(visit: Visit) -> Response:
    """A mailed link to an order that is among the visitor's own by now leads there."""
    door = Door(visit)
    if door.secret:
        with visit.read() as tx:
            order = door.order(tx)
        if order.person_id is not None:
            return visit.redirect(f"/orders/{order.id}")
    return show_order(visit, door)


def prove_now(visit: Visit) -> Response:
    """Who holds the mailed link says that the order is theirs; a link alone is followed by machines too."""
    door = Door(visit)
    secret_hash = fingerprint(door.secret or "")
    try:
        with visit.write() as tx:
            order = prove_order(tx, secret_hash, person_id=visit.actor.person_id)
    except Refused as error:
        return show_order(visit, door, mistakes(visit, error), status_of(error))
    return visit.redirect(door.address if order.person_id is None else f"/orders/{order.id}")


def show_order(visit: Visit, door: Door, wrong: Mistakes = NONE, status: int = 200) -> Response:
    with visit.read() as tx:
        order = with_place_of_today(tx, visit.instance.hooks, door.order(tx))
        sale = sale_by_id(tx, order.session_id)
        payments = payments_of(tx, order.enterprise_id, order.id)
        open_now = may_change(order, sale, tx)
        consents = consents_of(tx, visit.instance.hooks, order, visit.language)
        links = order_links(tx, visit.instance.hooks, order, door.address, visit.language)
        terms = guest_terms(tx, order)
        by_mail = door.secret is not None and is_mailed(tx, order, fingerprint(door.secret))
        just_placed = order.state == "Held" and order.placed_at is not None and tx.now - order.placed_at < _THANKS
    due = order.total - order.paid_total if order.state != "Cancelled" else 0
    asked = (one for one in reversed(payments) if one.kind == "payment" and one.state == "Pending")
    waiting = next((one for one in asked if one.amount == due), None)  # before a change it was another amount
    return show(
        visit,
        "order",
        status=status,
        terms=terms,
        order=order,
        sums=sums(order),
        sale=sale,
        door=door,
        may_change=open_now,
        links=links,
        consents={one.request: one for one in consents},
        agreed=[one.request for one in consents if one.given_at],
        just_placed=just_placed,
        by_mail=by_mail,
        typed=order.identity is Identity.TYPED,
        own_address=visit.actor.confirmed and visit.actor.email == order.email,
        waiting=waiting,
        failed=_failed(payments) if waiting is None else None,
        due=due,
        refunds=[one for one in payments if one.kind == "refund" and one.state in ("Started", "Pending", "Done")],
        methods=_other_ways(visit, order, waiting) if due > 0 else [],
        attempt=len(payments),
        mistakes=wrong,
    )


def pay_now(visit: Visit) -> Response:
    """Another way to pay, or a second try; the same form sent twice is one payment."""
    door = Door(visit)
    with visit.read() as tx:
        order = door.order(tx)
    key = f"order:{order.id}:{visit.form.get('attempt', '')[:10]}"
    try:
        start_payment(
            visit.instance, order.id, visit.form.get("payment_method", ""), key, visit.language,
            return_url=visit.address(door.address),
        )  # fmt: skip
    except Refused as error:
        return show_order(visit, door, mistakes(visit, error), status_of(error))
    return visit.redirect(door.address)


def consent_now(visit: Visit) -> Response:
    """The boxes that are ticked count from now on, and no others."""
    door = Door(visit)

    def act(tx: Transaction) -> None:
        set_consents(tx, visit.instance.hooks, door.locked(tx), ticked(visit.form), visit.language)

    try:
        visit.instance.store.transact(act)
    except Refused as error:
        return show_order(visit, door, mistakes(visit, error), status_of(error))
    return visit.redirect(door.address)


# ------------------------------------------------------------------------------------------------ cancelling


def cancel_page(visit: Visit) -> Response:
    door = Door(visit)
    with visit.read() as tx:
        order = door.order(tx)
        sale = sale_by_id(tx, order.session_id)
        if not may_change(order, sale, tx):
            return visit.redirect(door.address)
    return show(visit, "cancel", order=order, door=door)


def cancel_now(visit: Visit) -> Response:
    """Cancelling twice is fine."""
    door = Door(visit)

    def act(tx: Transaction) -> None:
        order = door.locked(tx)
        if order.state != "Cancelled":
            door.refuse_closed(tx, order)
            cancel_order(tx, visit.instance.hooks, order, by=visit.actor.person_id)
            cancel_open(tx, order.id)

    try:
        visit.instance.store.transact(act)
    except Refused as error:
        lines = mistakes(visit, error, lambda name: False) if error.problems else NONE
        return show_order(visit, door, Mistakes((say(visit.language, error), *lines.general)), status_of(error))
    return visit.redirect(door.address)


def sums(order: Order) -> Totals:
    """An order's totals as they were written down."""
    return Totals(
        products=order.products_total,
        deposits=order.deposits_total,
        adjustments=order.adjustments_total,
        vat=order.vat_total,
        total=order.total,
        shares=order.vat,
    )


def may_change(order: Order, sale: Sale, tx: Transaction) -> bool:
    return order.state == "Held" and order.fulfilment_state != "Fulfilled" and is_open(sale.session, tx.now)


def _other_ways(visit: Visit, order: Order, waiting: Payment | None) -> list[PaymentMethod]:
    """Ways to pay but the one that the customer has begun."""
    found = payment_methods_of_order(visit.instance, order, visit.language)
    return [one for one in found if waiting is None or one.id != waiting.method]


def _failed(payments: Sequence[Payment]) -> Payment | None:
    tried = [one for one in payments if one.kind == "payment"]
    return tried[-1] if tried and tried[-1].state == "Failed" else None
