"""Products of a sale as people name them in a field: typed with suggestions, and read without a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from commensal import Invalid, Problem, Transaction, customer_by_id, format_quantity, list_categories, read_whole
from commensal.sale_sessions import VisibleOffer, offers_for

ADD, PIECES = "add/", "pieces/"  # and a number: the names of fields with another product and how many of it
ITEM = "items/"  # and the id of an item: the name of a field with its pieces; the core's errors name it so
ROWS = 3  # fields for further products below an order
_LONGEST = 5  # digits of a number of pieces


@dataclass(frozen=True, kw_only=True)
class GoodsToOrder:
    """What a customer can order at a sale, by what people read and type.

    `of_groups` returns the names of goods of groups in which the customer is not. It reads the whole sale again, and is
    asked only where nothing has the typed name.
    """

    offers: Mapping[str, VisibleOffer]
    of_groups: Callable[[], Collection[str]]


def goods_of(tx: Transaction, shop: str, session_id: str, language: str, customer_id: str | None) -> GoodsToOrder:
    """The goods of a shop's sale for one of its customers; None: somebody who is in no group. Use it within `tx`."""
    own_groups = customer_by_id(tx, shop, customer_id).categories if customer_id else frozenset()
    offers = _by_label(offers_for(tx, session_id, own_groups), language)

    def of_groups() -> Collection[str]:
        groups = {group.id for group in list_categories(tx, shop)}
        return _by_label(offers_for(tx, session_id, groups), language).keys() - offers.keys()

    return GoodsToOrder(offers=offers, of_groups=of_groups)


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
    pieces = read_whole(text.strip() or "0", _LONGEST)
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
