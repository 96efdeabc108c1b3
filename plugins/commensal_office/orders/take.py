"""Takes an order by telephone or at the counter, with fields in which people name the goods of a sale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    format_quantity,
    list_categories,
    order_by_id,
    plural,
    read_whole,
    sale_by_id,
    start_payment,
    translate,
)
from commensal.enterprises import list_customers
from commensal.orders import Wish, place_order
from commensal.pages import Visit, on_refusal
from commensal.parts.distribution import orders_to_join
from commensal.payments import payment_methods, payment_methods_of_order
from commensal.sale_sessions import VisibleOffer, offers_for

from ..frame.desk import Desk, open_desk
from ..frame.fields import is_sure
from ..frame.render import show
from ..frame.sessions import recent_sessions, session_of_page, slots_of_sale
from .effect import Asking, show_effect, tell_suppliers

# Products of a sale as people name them in a field: typed with suggestions, and read without a script.

ADD, PIECES = "add/", "pieces/"  # and a number: the names of fields with another product and how many of it
ITEM = "items/"  # and the id of an item: the name of a field with its pieces; the core's errors name it so
ROWS = 3  # fields for further products below an order
_DIGITS = 5  # digits of a number of pieces


@dataclass(frozen=True, kw_only=True)
class GoodsToOrder:
    """What a customer can order at a sale, by what people read and type.

    `of_groups` returns the names of goods of groups in which the customer is not. It reads the whole sale again, and is
    asked only where nothing has the typed name.
    """

    offers: Mapping[str, VisibleOffer]
    of_groups: Callable[[], Collection[str]]
    language: str

    @property
    def suggestions(self) -> Iterator[tuple[str, str]]:
        """What people type, and how much is left of it. Thousands have few numbers: each is put into words once."""
        in_words: dict[int, str] = {}
        for label, offer in self.offers.items():
            left = offer.left
            if left is not None and left not in in_words:
                in_words[left] = plural(self.language, "{number} left", "{number} left", left).format(number=left)
            yield label, "" if left is None else in_words[left]


def goods_of(tx: Transaction, shop: str, session_id: str, language: str, customer_id: str | None) -> GoodsToOrder:
    """The goods of a shop's sale for one of its customers; None: somebody who is in no group. Use it within `tx`."""
    own_groups = customer_by_id(tx, shop, customer_id).categories if customer_id else frozenset()
    offers = _by_label(offers_for(tx, session_id, own_groups), language)

    def of_groups() -> Collection[str]:
        groups = {group.id for group in list_categories(tx, shop)}
        return _by_label(offers_for(tx, session_id, groups), language).keys() - offers.keys()

    return GoodsToOrder(offers=offers, of_groups=of_groups, language=language)


def _by_label(offers: Sequence[VisibleOffer], language: str) -> dict[str, VisibleOffer]:
    """The offers by name and size, with the producer where two are called the same."""
    labels = {offer.item_id: _as_typed(f"{offer.name} · {_size(offer, language)}") for offer in offers}
    count = Counter(labels.values())
    return {
        label if count[label := labels[offer.item_id]] == 1 else _as_typed(f"{label} · {offer.supplier_name}"): offer
        for offer in offers
    }


def _size(offer: VisibleOffer, language: str) -> str:
    return format_quantity(offer.quantity, offer.unit, language)


def _as_typed(text: str) -> str:
    """The text with plain blanks, as a keyboard writes them."""
    return " ".join(text.split())


def item_named(goods: GoodsToOrder, text: str, field: str) -> str:
    """The id of the item that a field names. Raises `Invalid` for one that is not on the list."""
    offer = goods.offers.get(_as_typed(text))
    if offer is None and _as_typed(text) in goods.of_groups():
        message = "{text} is only for groups in which this customer is not: put them into one of these groups first."
        raise Invalid([Problem("of_groups", message, f"/{field}", {"text": text.strip()[:60]})])
    if offer is None:
        message = "Choose {text} from the list: nothing on sale is called exactly so."
        raise Invalid([Problem("unknown_item", message, f"/{field}", {"text": text.strip()[:60] or "–"})])
    return offer.item_id


def read_pieces(text: str, field: str) -> int:
    """A number of pieces, 0 for an empty field. Raises `Invalid`."""
    pieces = read_whole(text.strip() or "0", _DIGITS)
    if pieces is None:
        raise Invalid([Problem("pieces", "Write a whole number of pieces, like 12.", f"/{field}")])
    return pieces


def read_goods(goods: GoodsToOrder, typed: Mapping[str, str], rows: int = ROWS) -> dict[str, int]:
    """Pieces by item: of the fields for items that are there already, and of those for further products.

    Raises `Invalid` with every mistake.
    """
    pieces: dict[str, int] = {}
    problems: list[Problem] = []
    for name, text in typed.items():
        try:
            if name.startswith(ITEM):
                pieces[name.removeprefix(ITEM)] = read_pieces(text, name)
        except Invalid as error:
            problems += error.problems
    for row in range(1, rows + 1):
        name, label = f"{ADD}{row}", typed.get(f"{ADD}{row}", "")
        if not label.strip():
            continue
        try:
            item = item_named(goods, label, name)
            added = read_pieces(typed.get(f"{PIECES}{row}", "") or "1", f"{PIECES}{row}")
            pieces[item] = pieces.get(item, 0) + added
        except Invalid as error:
            problems += error.problems
    if problems:
        raise Invalid(problems)
    return pieces


ROWS_BY_TELEPHONE = 8  # products of an order by telephone; more are added afterwards
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
        rows=range(1, max(ROWS_BY_TELEPHONE, _rows(typed)) + 1),
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
        items={
            item: pieces
            for item, pieces in read_goods(goods, typed, max(ROWS_BY_TELEPHONE, _rows(typed))).items()
            if pieces
        },
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
