"""The cart: what it would cost now, and what stands in the way of each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from commensal import (
    Choices,
    Offered,
    Refused,
    Sale,
    Transaction,
    VisibleOffer,
    Visit,
    cart_items,
    cart_of,
    is_open,
    plural,
    quote_order,
    sale_for,
    say,
    translate,
)

from .guest import owner
from .sale import offered, shown_quantities
from .showing import show

UNDECIDED = Choices()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the cart. `offer` is None for what is not on sale any more."""

    item_id: str
    quantity: int
    offer: VisibleOffer | None
    problem: str


@dataclass(frozen=True, kw_only=True)
class Cart:
    """A cart as it is now. `priced` is what its possible lines cost, None where there are none."""

    id: str | None
    sale: Sale
    open: bool
    rows: Sequence[Row]
    priced: Offered | None
    problem: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can be ordered as it is."""
        return self.open and self.priced is not None and not self.problem and not any(row.problem for row in self.rows)

    @property
    def items(self) -> dict[str, int]:
        return {row.item_id: row.quantity for row in self.rows}


def cart_page(visit: Visit) -> Response:
    with visit.read() as tx:
        cart = look_into_cart(tx, visit)
    lost = visit.was_logged_in and not cart.rows
    return show(visit, "cart", cart=cart, sale=cart.sale, lost=lost, was=shown_quantities(cart.items))


def look_into_cart(tx: Transaction, visit: Visit, chosen: Choices = UNDECIDED) -> Cart:
    """The visitor's cart at the sale, with its price and what there is to choose. Reserves nothing."""
    sale = sale_for(tx, visit.path["session"], visit.actor.person_id)
    cart_id = cart_of(tx, sale.session.id, **owner(visit, sale.session.id))
    items = cart_items(tx, cart_id) if cart_id else {}
    offers = {one.item_id: one for one in offered(tx, visit, sale, list(items))} if items else {}
    problems = _problems(visit, items, offers, tx)
    rows = [
        Row(item_id=item, quantity=pieces, offer=offers.get(item), problem=problems.get(item, ""))
        for item, pieces in _as_the_catalog(items, offers)
    ]
    sellable = {row.item_id: row.quantity for row in rows if row.offer and tx.now < row.offer.orderable_until}
    priced, problem = _price(tx, visit, sale, sellable, chosen)
    open_now = is_open(sale.session, tx.now)
    return Cart(id=cart_id, sale=sale, open=open_now, rows=rows, priced=priced, problem=problem)


def _price(
    tx: Transaction, visit: Visit, sale: Sale, items: Mapping[str, int], chosen: Choices
) -> tuple[Offered | None, str]:
    """Too many of something still have a price. Instead of a price, there may be a reason why there is none."""
    if not items:
        return None, ""
    try:
        offered = quote_order(
            tx, visit.instance.hooks, sale.session.id, items, language=visit.language,
            person_id=visit.actor.person_id, chosen=chosen,
        )  # fmt: skip
        return offered, ""
    except Refused as error:
        return None, " ".join([say(visit.language, one) for one in error.problems] or [say(visit.language, error)])


def _problems(
    visit: Visit, items: Mapping[str, int], offers: Mapping[str, VisibleOffer], tx: Transaction
) -> dict[str, str]:
    """By item. Stock is decided when the order is placed; this tells early what would be refused then."""
    found = {}
    wanted = _grains_wanted(items, offers)
    for item, pieces in items.items():
        offer = offers.get(item)
        if offer is None:
            found[item] = translate(visit.language, "This product is not on sale here (any more).")
        elif offer.orderable_until <= tx.now:
            text = translate(visit.language, "Orders for {name} have closed: its producer needs them earlier.")
            found[item] = text.format(name=offer.name)
        elif offer.left == 0:
            found[item] = translate(visit.language, "{name} is sold out.").format(name=offer.name)
        elif offer.left is not None and pieces > offer.left:
            text = plural(visit.language, "Only {number} piece is left.", "Only {number} pieces are left.", offer.left)
            found[item] = text.format(number=offer.left)
        elif offer.left is not None and wanted[offer.lot_id] > _most_grains(offer.lot_id, offers):
            found[item] = translate(visit.language, "Together, the sizes of this product are more than is left.")
    return found


def _as_the_catalog(items: Mapping[str, int], offers: Mapping[str, VisibleOffer]) -> list[tuple[str, int]]:
    """In the order of the catalog; what is not on sale any more comes last."""
    places = {item: place for place, item in enumerate(offers)}
    return sorted(items.items(), key=lambda one: places.get(one[0], len(places)))


def _grains_wanted(items: Mapping[str, int], offers: Mapping[str, VisibleOffer]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for item, offer in offers.items():
        wanted[offer.lot_id] = wanted.get(offer.lot_id, 0) + offer.lot_quantity * items[item]
    return wanted


def _most_grains(lot_id: str, offers: Mapping[str, VisibleOffer]) -> int:
    """What the lot can hold at most, by what is left of each of its sizes."""
    sizes = [one for one in offers.values() if one.lot_id == lot_id and one.left is not None]
    return min((one.left + 1) * one.lot_quantity - 1 for one in sizes if one.left is not None)
