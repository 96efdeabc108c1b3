"""Takes an order by telephone or at the counter: for whom, what, when; or adds to the order that they have already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from commensal import (
    Address,
    Customer,
    Invalid,
    Order,
    OrderSummary,
    PricedLine,
    Problem,
    Refused,
    Transaction,
    customer_by_id,
    order_by_id,
    sale_by_id,
    start_payment,
    translate,
)
from commensal.enterprises import list_customers
from commensal.orders import Wish, place_order
from commensal.pages import Visit, on_refusal
from commensal.parts.distribution import orders_to_join
from commensal.payments import payment_methods, payment_methods_of_order

from ..frame.desk import Desk, open_desk
from ..frame.fields import is_sure
from ..frame.render import show
from ..frame.sessions import recent_sessions, session_of_page, slots_of_sale
from .effect import Asking, show_effect, tell_suppliers
from .goods_fields import ADD, PIECES, GoodsToOrder, goods_of, read_goods

ROWS = 8  # products of an order by telephone; more are added afterwards
_MOST_ROWS = 200  # of an order that is taken once more
_MOST = 12  # customers shown while one is looked for
_TEXTS = ("name", "email", "phone", "collector", "note", "shipping", "method", "street", "postcode", "city")
_LONGEST = 200  # characters of a text


def take_page(visit: Visit) -> Response:
    typed = _typed(visit)
    words = visit.query.get("q", "").strip()[:100]
    gone: Sequence[str] = ()
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:write")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        if session is None:
            return visit.redirect(f"{desk.address}/orders")
        sale = sale_by_id(tx, session.id)
        customer = _customer(tx, desk, visit.query.get("customer", "") or typed.get("customer", ""))
        known = list_customers(tx, desk.enterprise.id, search=words, limit=_MOST) if words and not customer else []
        slots = slots_of_sale(tx, visit, desk, session.id)
        cancelled = visit.query.get("again", "")
        order = order_by_id(tx, cancelled, enterprise_id=desk.enterprise.id) if cancelled else None
        if order is not None:
            customer = customer or _customer(tx, desk, order.customer_id or "")
        goods = goods_of(tx, desk.enterprise.id, session.id, visit.language, customer.id if customer else None)
        if order is not None:
            typed = typed or _typed_again(order, goods)
            gone = [line.name for line in order.lines if line.quantity and not _named(goods, line)]
        theirs = _orders_of(tx, desk, session.id, customer, typed.get("email", ""))
    methods = payment_methods(
        visit.instance, desk.enterprise.id, visit.language, customer_id=customer.id if customer else None
    )
    contact = {"name": customer.name, "email": customer.email, "phone": customer.phone} if customer else {}
    return show(
        visit,
        desk,
        "take",
        at="orders",
        session=session,
        sessions=sessions,
        sale=sale,
        words=words,
        customer=customer,
        known=known,
        goods=goods,
        slots=slots,
        methods=methods,
        rows=range(1, max(ROWS, _rows(typed)) + 1),
        gone=gone,
        theirs=theirs,
        is_new=bool(customer or typed) or "new" in visit.query,
        delivers=any(option.needs_address for option in slots.values()),
        typed={**dict.fromkeys(_TEXTS, ""), **contact, **typed},
    )


def _customer(tx: Transaction, desk: Desk, customer_id: str) -> Customer | None:
    """The customer for whom the order is taken; None: somebody new. Raises `NotFound`."""
    return customer_by_id(tx, desk.enterprise.id, customer_id) if customer_id else None


def _typed_again(order: Order, goods: GoodsToOrder) -> dict[str, str]:
    """The fields of a form that takes an order once more, with what of it is on sale now."""
    address = order.address
    typed = {
        "name": order.name,
        "email": order.email,
        "phone": order.phone,
        "note": order.note,
        "collector": order.collector,
        "shipping": order.shipping,
        "method": order.payment_method,
        "street": address.street if address else "",
        "postcode": address.postcode if address else "",
        "city": address.city if address else "",
    }
    rows = [(label, line.quantity) for line in order.lines if line.quantity and (label := _named(goods, line))]
    for row, (label, pieces) in enumerate(rows, start=1):
        typed |= {f"{ADD}{row}": label, f"{PIECES}{row}": str(pieces)}
    return typed


def _named(goods: GoodsToOrder, line: PricedLine) -> str:
    """What people type for the item of a line; "" if it is not on sale."""
    return next((label for label, offer in goods.offers.items() if offer.item_id == line.item_id), "")


def _rows(typed: Mapping[str, str]) -> int:
    """How many fields for products a form has."""
    return min(sum(name.startswith(ADD) for name in typed), _MOST_ROWS)


def _orders_of(
    tx: Transaction, desk: Desk, session_id: str, customer: Customer | None, email: str
) -> list[OrderSummary]:
    """The orders that this person has at the sale already."""
    address = customer.email if customer else email.strip()
    if not address:
        return []
    return orders_to_join(
        tx, desk.enterprise.id, session_id, email=address, customer_id=customer.id if customer else None
    )


def _typed(visit: Visit) -> dict[str, str]:
    return {name: text.strip() for name, text in visit.form.items()}


@on_refusal(take_page)
def post_take(visit: Visit) -> Response:
    """Shows the order with its price first, then places it. Who has an order already is asked about it."""
    typed, sure = _typed(visit), is_sure(visit)
    with visit.write() as tx, tx.attempt() as attempt:
        desk = open_desk(tx, visit, "orders:write")
        order = _place(tx, visit, desk, typed)
        if not sure:
            attempt.rollback()
    if sure:
        suppliers = tell_suppliers(visit, order.session_id, {line.supplier_id for line in order.lines})
        return visit.redirect(f"{desk.address}/orders/{order.id}?done={_begin_payment(visit, order)}{suppliers}")
    asking = Asking(
        heading=translate(visit.language, "Take this order"), button=translate(visit.language, "Yes, take it")
    )
    return show_effect(visit, desk, asking, None, order, typed)


def _begin_payment(visit: Visit, order: Order) -> str:
    """Pays an order in a way that needs nobody, such as from the customer's account. Returns what the next page says:
    the order stays taken if its plugin refuses, as when the account holds too little."""
    methods = payment_methods_of_order(visit.instance, order, visit.language)
    if not any(method.id == order.payment_method and not method.by_hand for method in methods):
        return "taken"
    key, url = f"order:{order.id}", visit.address(f"/orders/{order.id}")  # as the e-mail would begin it
    try:
        payment = start_payment(visit.instance, order.id, order.payment_method, key, order.language, return_url=url)
    except Refused:
        return "taken_unpaid"
    return "taken_unpaid" if payment.state == "Failed" else "taken"


def _place(tx: Transaction, visit: Visit, desk: Desk, typed: Mapping[str, str]) -> Order:
    """Places the order that was typed. Raises `Invalid` for one whose customer has an order already, unless a second
    one is meant."""
    session = session_of_page(tx, visit, desk.enterprise.id, recent_sessions(tx, desk.enterprise.id))
    if session is None:
        raise Invalid([Problem("no_sale", "There is no sale for which an order could be taken.")])
    customer = _customer(tx, desk, typed.get("customer", ""))
    theirs = _orders_of(tx, desk, session.id, customer, typed.get("email", ""))
    if theirs and not typed.get("second"):
        text = "{name} has order {number} already: add to it, or say that a second one is meant."
        raise Invalid([Problem("has_order", text, values={"name": theirs[0].name, "number": theirs[0].number})])
    option = slots_of_sale(tx, visit, desk, session.id).get(typed.get("shipping", ""))
    address = None
    if option is not None and option.needs_address:
        address = Address(**{name: typed.get(name, "")[:_LONGEST] for name in ("street", "postcode", "city")})
    goods = goods_of(tx, desk.enterprise.id, session.id, visit.language, customer.id if customer else None)
    wish = Wish(
        items={item: pieces for item, pieces in read_goods(goods, typed, max(ROWS, _rows(typed))).items() if pieces},
        name=typed.get("name", "")[:_LONGEST],
        email=typed.get("email", "")[:_LONGEST],
        phone=typed.get("phone", "")[:_LONGEST],
        note=typed.get("note", "")[:2000],
        shipping=typed.get("shipping", "")[:_LONGEST],
        payment_method=typed.get("method", "")[:_LONGEST],
        address=address,
        collector=typed.get("collector", "")[:_LONGEST],
    )
    return place_order(
        tx, visit.instance.hooks, session.id, wish, by_hub=True, customer_id=customer.id if customer else None
    )
