"""Prices from elsewhere that the hub's people have to look at: they accept one, or keep the goods off sale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from commensal import Amount, NotFound, Row, Stale, Transaction
from commensal.catalogs import items_by_id, listings_of, set_price, show_items
from commensal.products import products_by_id

from .followed_prices import Reason, forget_question
from .price_listing import note_purchase_prices
from .tables import federation_followed_price

_row = federation_followed_price.c


@dataclass(frozen=True, kw_only=True)
class AskedPrice:
    """A price that is not followed by itself; the goods are off sale. Amounts are minor units of the hub's currency
    for one piece.

    producer:  the name of the producer's copy here
    accepted:  what a person has accepted last; None for what is new. `asked`: what the hub would pay
    sells_for: the hub's price now; None: it has none. `would_sell_for`: by a margin that follows; None: as now
    reason:    "band": too far from what was accepted; "cost": the hub would sell at or below what it pays; "allowance":
               what may change by itself is used up; "first": it is new, and not near what goods of its kind cost
    kept_off:  somebody has decided that it stays off sale
    """

    product_id: str
    name: str
    producer_id: str
    accepted: Amount | None
    asked: Amount
    sells_for: Amount | None
    would_sell_for: Amount | None
    reason: Reason
    asked_at: datetime
    kept_off: bool


def asked_prices(tx: Transaction, hub_id: str, *, limit: int = 200) -> list[AskedPrice]:
    """Returns what is asked of a hub, the oldest question first, in six statements."""
    query = select(federation_followed_price).where(_row.enterprise_id == hub_id, _row.asked_price.is_not(None))
    rows = tx.all(query.order_by(_row.kept_off, _row.asked_at, _row.product_id).limit(limit))
    products = products_by_id(tx, [row["product_id"] for row in rows])
    listed = listings_of(tx, hub_id, products)
    items = {item.id: item for item in items_by_id(tx, hub_id, [id for ids in listed.values() for id in ids])}
    prices = []
    for row in rows:
        product = products[row["product_id"]]
        offers = [offer for id in listed.get(product.id, ()) for offer in items[id].offers]
        selling_prices = [offer.price for offer in offers if offer.category_id is None]
        prices.append(
            AskedPrice(
                product_id=product.id,
                name=product.name,
                producer_id=product.enterprise_id,
                accepted=None if row["reason"] == "first" else row["accepted_price"],
                asked=row["asked_price"],
                sells_for=min(selling_prices, default=None),
                would_sell_for=row["asked_selling"],
                reason=row["reason"],
                asked_at=row["asked_at"],
                kept_off=row["kept_off"],
            )
        )
    return prices


def accept_price(tx: Transaction, hub_id: str, product_id: str, *, price: int) -> None:
    """Accepts what is asked for a product: the hub pays it from now on, sells by it where a margin follows, and the
    goods are on sale again. `price` is what the person was shown.

    Raises `NotFound` where nothing is asked, `Stale` for another price.
    """
    row = _locked(tx, hub_id, product_id, price)
    categories: dict[str, list[int | None]] = row["asked_categories"]
    for item_id in listings_of(tx, hub_id, [product_id]).get(product_id, ()):
        if row["asked_selling"] is not None:
            set_price(tx, hub_id, item_id, row["asked_selling"])
        for category_id, (_, selling) in categories.items():
            if selling is not None:
                set_price(tx, hub_id, item_id, selling, category_id=category_id)
    note_purchase_prices(tx, hub_id, {product_id: price})
    show_items(tx, hub_id, row["hidden_items"])
    _change(
        tx,
        hub_id,
        product_id,
        accepted_price=price,
        accepted_categories={id: bought for id, (bought, _) in categories.items()},
        price=price,
        asked_price=None,
        asked_selling=None,
        asked_categories={},
        reason="",
        hidden_items=[],
        kept_off=False,
        unseen=False,
    )


def keep_off(tx: Transaction, hub_id: str, product_id: str, *, price: int) -> None:
    """Leaves a product off sale at this price, until somebody accepts one. Raises `NotFound`, `Stale`."""
    _locked(tx, hub_id, product_id, price)
    _change(tx, hub_id, product_id, kept_off=True)


def _locked(tx: Transaction, hub_id: str, product_id: str, price: int) -> Row:
    of_product = (_row.enterprise_id == hub_id, _row.product_id == product_id, _row.asked_price.is_not(None))
    row = tx.first(select(federation_followed_price).where(*of_product).with_for_update())
    if row is None:
        raise NotFound("no_price", "No other price is asked for this product.")
    if row["asked_price"] != price:
        raise Stale
    return row


def _change(tx: Transaction, hub_id: str, product_id: str, **values: object) -> None:
    of_product = (_row.enterprise_id == hub_id, _row.product_id == product_id)
    tx.execute(update(federation_followed_price).where(*of_product).values(values))
    forget_question(tx, hub_id, product_id)
