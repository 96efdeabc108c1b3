"""The page of the cart, with its present price and the problems of each line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from commensal import (
    Adjustment,
    Order,
    PagePart,
    Phase,
    Refused,
    Sale,
    Threshold,
    Transaction,
    fingerprint,
    format_moment,
    known_customer,
    plural,
    say,
    translate,
)
from commensal.orders import Choices, Offered, cart_items, cart_of, changeable_orders, noted_checkout, quote_order
from commensal.pages import Visit, parts_beside
from commensal.parts.order_corrections import next_threshold
from commensal.sale_sessions import VisibleOffer, is_open, offers_for, sale_for

from .choices import try_codes
from .guest import CartOwner, cart_owner, has_merged, order_secret
from .quantities import format_quantities
from .showing import show

# The order that a basket can join: one that the visitor has placed at the same sale, and may still change.
#
# Then there is one order with one fee and one crate, instead of several.


@dataclass(frozen=True, kw_only=True)
class JoinableOrder:
    """An order that this visitor may still change.

    secret: a guest's key to it
    whose:  the name on an order that somebody else of the household has placed, who gets its e-mails; else empty
    """

    order: Order
    secret: str | None
    whose: str = ""

    @property
    def address(self) -> str:
        return f"/orders/guest/{self.secret}" if self.secret else f"/orders/{self.order.id}"


def joinable_order(tx: Transaction, visit: Visit, session_id: str) -> JoinableOrder | None:
    """The visitor's latest order at this sale that can be changed, without its lines; else that of their household;
    None if there is none.

    The orders of guests are found by the secrets that their browser derives for each, see `guest`.
    """
    person_id = visit.actor.person_id
    if person_id is not None:
        orders = changeable_orders(tx, session_id, person_id=person_id)
        if not orders:
            return None
        order = next((order for order, _ in orders if order.person_id == person_id), orders[0][0])
        return JoinableOrder(order=order, secret=None, whose="" if order.person_id == person_id else order.name)
    if cart_owner(visit, session_id)["secret_hash"] is None:
        return None  # a guest without a cookie has ordered nothing
    for order, secret_hash in changeable_orders(tx, session_id, person_id=None):
        secret = order_secret(visit, order.id)
        if secret is not None and fingerprint(secret) == secret_hash:
            return JoinableOrder(order=order, secret=secret)
    return None


# The offers of a sale to a visitor, at their prices.


def visible_offers(tx: Transaction, visit: Visit, sale: Sale, item_ids: list[str] | None = None) -> list[VisibleOffer]:
    """All offers of the sale to this visitor, or those of these items."""
    return offers_for(tx, sale.session.id, categories_of(tx, visit, sale), item_ids=item_ids)


def categories_of(tx: Transaction, visit: Visit, sale: Sale) -> Collection[str]:
    """The customer categories of the visitor at the shop of the sale."""
    return known_customer(tx, sale.shop.id, visit.actor.person_id).category_ids


UNDECIDED = Choices()


@dataclass(frozen=True, kw_only=True)
class CartRow:
    """A line of the cart. `offer` is None if the item is no longer on sale."""

    item_id: str
    quantity: int
    offer: VisibleOffer | None
    problem: str


@dataclass(frozen=True, kw_only=True)
class ShownCart:
    """A cart with its present price. `priced` is the quote for the lines that can be ordered; None without any.

    threshold: the next sum of goods from which it would cost less
    codes: codes that were kept for the checkout; read only for an empty cart, and for the page of the cart
    """

    id: str | None
    sale: Sale
    open: bool
    rows: Sequence[CartRow]
    priced: Offered | None
    problem: str = ""
    threshold: Threshold | None = None
    codes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether the cart can be ordered as it is."""
        return self.open and self.priced is not None and not self.problem and not any(row.problem for row in self.rows)

    @property
    def items(self) -> dict[str, int]:
        return {row.item_id: row.quantity for row in self.rows}


def cart_page(visit: Visit) -> Response:
    with visit.read() as tx:
        cart = load_cart(tx, visit, with_codes=True)
        joined = joinable_order(tx, visit, cart.sale.session.id) if cart.open else None
        closed = why_not_open(cart, tx.now, visit.language)
    lost = visit.was_logged_in and not cart.rows
    return show(
        visit,
        "cart",
        cart=cart,
        merged=has_merged(visit, cart.id),
        sale=cart.sale,
        closed=closed,
        lost=lost,
        joined=joined,
        was=format_quantities(cart.items),
        added_parts=added_parts(visit, "shop/cart", cart),
        waiting=waiting_at_checkout(visit, cart),
    )


def why_not_open(cart: ShownCart, now: datetime, language: str) -> str:
    """Why nothing can be ordered at the sale of this cart; "" if it is open."""
    if cart.open:
        return ""
    session, shop = cart.sale.session, cart.sale.shop
    if now < session.closes_at:
        return translate(language, "This sale is not open; nothing can be ordered now.")
    closed_at = format_moment(session.closes_at, shop.timezone, language)
    if cart.rows:
        text = translate(language, "Orders closed on {moment}. What is in your basket was not ordered.")
    else:
        text = translate(language, "This sale closed on {moment}.")
    return text.format(moment=closed_at)


def waiting_at_checkout(visit: Visit, cart: ShownCart) -> tuple[Adjustment, ...]:
    """What the codes buy that were kept for the checkout, such as a gift card; a code may also buy nothing."""

    def attempt(codes: tuple[str, ...]) -> tuple[Adjustment, ...]:
        if not codes:
            return ()
        with visit.read() as tx:
            priced = quote_order(
                tx,
                visit.instance.hooks,
                cart.sale.session.id,
                {},
                language=visit.language,
                person_id=visit.actor.person_id,
                chosen=Choices(codes=codes),
            )
        return tuple(each for each in priced.quote.draft.adjustments if each.phase is Phase.PREPAID)

    try:
        return try_codes(visit, cart.codes, attempt).value if cart.open and cart.codes else ()
    except Refused:
        return ()  # the checkout says what is wrong with them


def added_parts(visit: Visit, page: str, cart: ShownCart, priced: Offered | None = None) -> list[PagePart]:
    """What plugins add to a page of this cart, which costs what `priced` says, or what it costs without choices."""
    quoted = priced or cart.priced
    return parts_beside(
        visit,
        page,
        cart.sale.shop.id,
        subject=cart.sale.session.id,
        subjects=[row.offer.product_id for row in cart.rows if row.offer],
        order=quoted.quote.draft if quoted else None,
    )


def load_cart(
    tx: Transaction,
    visit: Visit,
    choices: Choices = UNDECIDED,
    *,
    owner: CartOwner | None = None,
    with_codes: bool = False,
) -> ShownCart:
    """Loads the visitor's cart at the sale, with price and shipping options. Reserves nothing.

    `owner` is a guest whose secret the browser does not have yet. A cart without items is priced too if `choices` has
    codes, which may buy gift cards.
    """
    sale = sale_for(tx, visit.path["session"], visit.actor.person_id)
    cart_id = cart_of(tx, sale.session.id, **(owner or cart_owner(visit, sale.session.id)))
    items = cart_items(tx, cart_id) if cart_id else {}
    offers = {offer.item_id: offer for offer in visible_offers(tx, visit, sale, list(items))} if items else {}
    open_now = is_open(sale.session, tx.now)
    problems = _problems(visit, items, offers, tx) if open_now else {}  # of a closed sale nothing is for the taking
    rows = [
        CartRow(item_id=item, quantity=pieces, offer=offers.get(item), problem=problems.get(item, ""))
        for item, pieces in _in_catalog_order(items, offers)
    ]
    sellable = {row.item_id: row.quantity for row in rows if row.offer and tx.now < row.offer.orderable_until}
    priced, problem = _price(tx, visit, sale, sellable, choices)
    threshold = next_threshold(tx, visit.instance.hooks, priced, visit.language) if priced else None
    codes = noted_checkout(tx, cart_id).codes if cart_id and (with_codes or not items) else ()
    return ShownCart(
        id=cart_id,
        sale=sale,
        open=open_now,
        rows=rows,
        priced=priced,
        problem=problem,
        threshold=threshold,
        codes=codes,
    )


def _price(
    tx: Transaction, visit: Visit, sale: Sale, items: Mapping[str, int], choices: Choices
) -> tuple[Offered | None, str]:
    """The quote, also for more pieces than are left; or None and the reason why there is no price."""
    if not items and not choices.codes:
        return None, ""
    try:
        priced = quote_order(
            tx,
            visit.instance.hooks,
            sale.session.id,
            items,
            language=visit.language,
            person_id=visit.actor.person_id,
            chosen=choices,
        )
        return priced, ""
    except Refused as error:
        return None, " ".join(
            [say(visit.language, problem) for problem in error.problems] or [say(visit.language, error)]
        )


def _problems(
    visit: Visit, items: Mapping[str, int], offers: Mapping[str, VisibleOffer], tx: Transaction
) -> dict[str, str]:
    """Problems by item that would make the order fail. Only placing the order decides about stock."""
    problems = {}
    grains = _grains_wanted(items, offers)
    for item, pieces in items.items():
        offer = offers.get(item)
        if offer is None:
            problems[item] = translate(visit.language, "This product is not on sale here (any more).")
        elif offer.orderable_until <= tx.now:
            text = translate(visit.language, "Orders for {name} have closed: its producer needs them earlier.")
            problems[item] = text.format(name=offer.name)
        elif offer.left == 0:
            problems[item] = translate(visit.language, "{name} is sold out.").format(name=offer.name)
        elif offer.left is not None and pieces > offer.left:
            text = plural(visit.language, "Only {number} piece is left.", "Only {number} pieces are left.", offer.left)
            problems[item] = text.format(number=offer.left)
        elif offer.left is not None and grains[offer.lot_id] > _most_grains(offer.lot_id, offers):
            problems[item] = translate(visit.language, "Together, the sizes of this product are more than is left.")
    return problems


def _in_catalog_order(items: Mapping[str, int], offers: Mapping[str, VisibleOffer]) -> list[tuple[str, int]]:
    """The items in the order of the catalog; those that are no longer on sale come last."""
    positions = {item: index for index, item in enumerate(offers)}
    return sorted(items.items(), key=lambda pair: positions.get(pair[0], len(positions)))


def _grains_wanted(items: Mapping[str, int], offers: Mapping[str, VisibleOffer]) -> dict[str, int]:
    grains: dict[str, int] = {}
    for item, offer in offers.items():
        grains[offer.lot_id] = grains.get(offer.lot_id, 0) + offer.lot_quantity * items[item]
    return grains


def _most_grains(lot_id: str, offers: Mapping[str, VisibleOffer]) -> int:
    """The most grains that the lot can have free, computed from the pieces left of each of its sizes."""
    sizes = [offer for offer in offers.values() if offer.lot_id == lot_id and offer.left is not None]
    return min((offer.left + 1) * offer.lot_quantity - 1 for offer in sizes if offer.left is not None)
