"""Prices from elsewhere are followed by themselves near the price that a person has accepted last, and no further.

Outside of that band, at or above what the hub sells for, and where the partner's allowance is used up, the goods are
taken off sale and the hub's people decide: see `asked_prices`. What is new and listed by itself is on sale only at a
usual price: see `first_prices`. Orders that customers have placed keep their prices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from sqlalchemy import select, update

from commensal import Row, Transaction, insert_once
from commensal.catalogs import CatalogItem, hide_items, items_by_id, listings_of, purchase_terms_of_items, show_items
from commensal.parts.distribution import pieces_ordered_since
from commensal.products import products_by_id

from ..allowance.budget import allowance_settings, draw, drawn_for
from ..notices import forget_notice, note_for_enterprise
from ..notices.note import Owed
from ..runtime import Federation
from .first_prices import FirstPrices
from .price_listing import list_at_prices, note_purchase_prices, with_margin
from .tables import federation_followed_price

Reason = Literal["band", "cost", "allowance", "first"]
_LATELY = timedelta(days=30)  # sales of this time tell how many pieces a new price is about
_row = federation_followed_price.c


@dataclass(frozen=True, kw_only=True)
class PriceSource:
    """Whose prices a hub follows.

    id:       of the grant, or of the link to a platform
    iri:      the enterprise elsewhere, or the platform's address; the allowance is its
    peer_id:  "" for a platform
    currency: the hub's
    catalog_id, margin: where its goods are listed by themselves, at this percentage on top; None: people list them
    chosen:   whether a person has just chosen to list what it has now
    """

    id: str
    hub_id: str
    iri: str
    name: str
    peer_id: str
    currency: str
    catalog_id: str | None
    margin: Decimal | None
    chosen: bool = False

    def selling_price(self, price: int) -> int | None:
        """What the hub sells for at this price of theirs, by itself; None: people decide."""
        return None if self.margin is None or self.catalog_id is None else with_margin(price, self.margin)


@dataclass(frozen=True, kw_only=True)
class ToldPrice:
    """What a source asks for one piece, in minor units of the hub's currency, with VAT or without as the hub's prices
    are. `iri` names the item; `category_prices` are those on which the prices of the hub's customer categories follow.
    """

    iri: str
    price: int
    category_prices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _ProductBefore:
    """What is known of a product: what has been accepted, and what holds now; its row, and its items.

    accepted: by a person, or with its listing; None for what is new
    """

    accepted: int | None
    categories: Mapping[str, int]
    price: int | None
    row: Row | None
    items: Sequence[CatalogItem]

    @property
    def waits(self) -> bool:
        return self.row is not None and self.row["asked_price"] is not None

    @property
    def sold_for(self) -> int | None:
        """The lowest price for everybody."""
        prices = [offer.price for item in self.items for offer in item.offers if offer.category_id is None]
        return min(prices, default=None)


def follow_prices(
    federation: Federation,
    tx: Transaction,
    source: PriceSource,
    told_prices: Mapping[str, ToldPrice],
    *,
    by_person: bool = False,
    sells: bool = True,
) -> None:
    """Takes the prices of products, by product, where that may happen by itself, and asks the hub's people elsewhere.

    What is taken is what the hub pays from now on, and what it sells for where a margin follows. The first price of
    what people list is accepted with the listing. `by_person`: somebody has looked at these prices and
    wants them followed from there; goods that wait for an answer wait on. `sells`: False leaves what the hub sells for
    as it is, since people have just set it.
    """
    products = _products_before(tx, source, told_prices)
    percent = allowance_settings(tx, federation, source.hub_id).allowance_percent
    changed = [id for id, each in products.items() if told_prices[id].price != each.price]
    pieces = pieces_ordered_since(tx, source.hub_id, changed, tx.now - _LATELY) if changed else {}
    firsts = FirstPrices(tx, source.hub_id, products)
    is_listed_by_people = by_person or not sells or source.chosen or source.margin is None
    followed: dict[str, ToldPrice] = {}
    stopped: dict[str, ToldPrice] = {}
    for product_id, before in products.items():
        told_price = told_prices[product_id]
        is_new = before.accepted is None
        if not before.waits and (by_person or (is_new and is_listed_by_people)):
            _keep(tx, source, product_id, before.row, told_price, accepted=told_price, unseen=False)
            followed[product_id] = told_price
            continue
        reason: Reason | None
        if is_new:
            reason = None if firsts.are_usual(product_id, _selling_prices(source, told_price)) else "first"
        else:
            reason = _why_to_ask(federation, tx, source, before, told_price, percent, max(1, pieces.get(product_id, 0)))
        if reason is None:
            _take(tx, source, product_id, before, told_price)
            if not (before.row and before.row["kept_off"]):
                followed[product_id] = told_price
        elif before.items:
            _stop(tx, source, product_id, before, told_price, reason)
        else:
            stopped[product_id] = told_price
    _stop_new(tx, source, stopped)
    if sells:
        _list(tx, source, followed)
    note_purchase_prices(tx, source.hub_id, {id: each.price for id, each in followed.items()})


def _products_before(
    tx: Transaction, source: PriceSource, told_prices: Mapping[str, ToldPrice]
) -> dict[str, _ProductBefore]:
    """What is known of these products; of those that the hub lists, or will list by itself."""
    listed = listings_of(tx, source.hub_id, told_prices)
    item_ids = [id for ids in listed.values() for id in ids]
    items = {item.id: item for item in items_by_id(tx, source.hub_id, item_ids)}
    terms = purchase_terms_of_items(tx, item_ids)
    query = select(federation_followed_price).where(_row.enterprise_id == source.hub_id)
    query = query.where(_row.product_id.in_(sorted(told_prices))).order_by(_row.product_id).with_for_update()
    rows = {row["product_id"]: row for row in tx.all(query)}
    products = {}
    for product_id in told_prices:
        ids, row = listed.get(product_id, ()), rows.get(product_id)
        if not ids and source.margin is None:
            continue  # nobody sells it
        paid = next((terms[id].price for id in ids if id in terms), None)
        accepted, price = (row["accepted_price"], row["price"]) if row else (paid, paid)
        if row is not None and row["reason"] == "first":
            accepted = price = None
        if row is not None and paid is not None and paid != row["price"]:
            accepted = price = paid  # a person has written another purchase price since
        categories = row["accepted_categories"] if row else {}
        products[product_id] = _ProductBefore(accepted, categories, price, row, [items[id] for id in ids])
    return products


def _why_to_ask(
    federation: Federation,
    tx: Transaction,
    source: PriceSource,
    before: _ProductBefore,
    told_price: ToldPrice,
    percent: int,
    pieces: int,
) -> Reason | None:
    """Why this price is not followed by itself; None: it is. A rise is drawn from the partner's allowance, for the
    pieces that were sold lately."""
    accepted = before.accepted or 0
    pairs = [(accepted, told_price.price), *_category_pairs(source, before, told_price)]
    if any(abs(new - old) * 100 > old * percent for old, new in pairs):
        return "band"
    is_by_hand = source.selling_price(told_price.price) is None
    if is_by_hand and before.sold_for is not None and accepted < before.sold_for <= told_price.price:
        return "cost"
    if told_price.price == before.price:
        return None
    subject = f"{told_price.iri}#{accepted}"  # a price that a person has accepted begins anew
    drawn = drawn_for(tx, source.hub_id, source.iri, "price", subject)
    amount = (told_price.price - accepted) * pieces - drawn
    about = max(accepted * pieces, drawn * 100 // max(percent, 1))
    if not draw(tx, federation, source.hub_id, source.iri, "price", amount, about, subject):
        return "allowance"
    return None


def _selling_prices(source: PriceSource, told_price: ToldPrice) -> list[int | None]:
    return [source.selling_price(price) for price in (told_price.price, *told_price.category_prices.values())]


def _category_pairs(source: PriceSource, before: _ProductBefore, told_price: ToldPrice) -> list[tuple[int, int]]:
    """For each customer category what is accepted and what is told; of one that nobody has accepted, what it pays now
    and what it would pay."""
    pairs = []
    for category_id, price in told_price.category_prices.items():
        offered = [offer.price for item in before.items for offer in item.offers if offer.category_id == category_id]
        if category_id in before.categories:
            pairs.append((before.categories[category_id], price))
        elif offered:
            pairs.append((offered[0], source.selling_price(price) or offered[0]))
    return pairs


def _keep(
    tx: Transaction,
    source: PriceSource,
    product_id: str,
    row: Row | None,
    told_price: ToldPrice,
    *,
    accepted: ToldPrice | None = None,
    **values: object,
) -> None:
    """Writes what holds now; `accepted`: also what a person has accepted."""
    key = {"enterprise_id": source.hub_id, "product_id": product_id}
    changed: dict[str, object] = {"source_id": source.id, "price": told_price.price, "asked_price": None, "reason": ""}
    changed |= {"asked_selling": None, "asked_categories": {}, **values}
    if accepted is not None:
        changed |= {"accepted_price": accepted.price, "accepted_categories": dict(accepted.category_prices)}
    if row is None:
        first = {"accepted_price": told_price.price, "accepted_categories": dict(told_price.category_prices)}
        insert_once(tx, federation_followed_price, {**key, "hidden_items": [], "kept_off": False, **first, **changed})
    else:
        of_product = (_row.enterprise_id == source.hub_id, _row.product_id == product_id)
        tx.execute(update(federation_followed_price).where(*of_product).values(changed))


def _take(tx: Transaction, source: PriceSource, product_id: str, before: _ProductBefore, told_price: ToldPrice) -> None:
    """Follows a price. What waited for an answer is on sale again: its producer has taken the other price back."""
    accepted = ToldPrice(iri=told_price.iri, price=before.accepted or 0, category_prices=before.categories)
    unseen = {} if before.accepted is not None else {"unseen": True}
    if unseen:
        accepted = told_price
    if before.row is None or before.price != told_price.price or before.waits:
        hidden = before.row["hidden_items"] if before.row else []
        if before.waits and not (before.row and before.row["kept_off"]):
            show_items(tx, source.hub_id, hidden)
            hidden = []
            forget_question(tx, source.hub_id, product_id)
        _keep(tx, source, product_id, before.row, told_price, accepted=accepted, hidden_items=hidden, **unseen)


def forget_question(tx: Transaction, hub_id: str, product_id: str) -> None:
    """Tells nobody any more that a price of this product waits."""
    for kind in ("price_asked", "first_price"):
        forget_notice(tx, hub_id, kind, product_id)


def _stop(
    tx: Transaction, source: PriceSource, product_id: str, before: _ProductBefore, told_price: ToldPrice, reason: Reason
) -> None:
    """Takes a product off sale and notes what is asked for it, for the hub's people."""
    visible = [item.id for item in before.items if not item.hidden]
    hidden = before.row["hidden_items"] if before.row else []
    hide_items(tx, source.hub_id, visible)
    accepted = ToldPrice(iri=told_price.iri, price=before.accepted or 0, category_prices=before.categories)
    as_before = ToldPrice(iri=told_price.iri, price=before.price or 0)
    _keep(
        tx,
        source,
        product_id,
        before.row,
        as_before,
        accepted=accepted,
        asked_price=told_price.price,
        asked_selling=source.selling_price(told_price.price),
        asked_categories={id: [price, source.selling_price(price)] for id, price in told_price.category_prices.items()},
        reason=reason,
        asked_at=tx.now,
        hidden_items=sorted({*hidden, *visible}),
        **({"unseen": True} if reason == "first" else {}),
    )
    is_known = before.waits and before.row is not None and before.row["asked_price"] == told_price.price
    if not is_known and not (before.row and before.row["kept_off"]):
        note_for_enterprise(
            tx,
            source.hub_id,
            "price_asked" if before.accepted is not None else "first_price",
            source.peer_id,
            product_id,
            producer=source.name,
            product=products_by_id(tx, [product_id])[product_id].name,
            before=Owed(before.accepted or 0, source.currency),
            asked=Owed(told_price.price, source.currency),
        )


def _stop_new(tx: Transaction, source: PriceSource, told_prices: Mapping[str, ToldPrice]) -> None:
    """Lists products that people have to look at first, so that these find them in their catalog, and hides them."""
    if told_prices:
        _list(tx, source, told_prices)
        for product_id, listed in _products_before(tx, source, told_prices).items():
            _stop(tx, source, product_id, listed, told_prices[product_id], "first")


def _list(tx: Transaction, source: PriceSource, followed: Mapping[str, ToldPrice]) -> None:
    if source.catalog_id is not None and source.margin is not None:
        margin = source.margin
        prices = {id: with_margin(each.price, margin) for id, each in followed.items()}
        by_category = {
            id: {category: with_margin(price, margin) for category, price in each.category_prices.items()}
            for id, each in followed.items()
        }
        list_at_prices(tx, source.hub_id, source.catalog_id, prices, by_category)
