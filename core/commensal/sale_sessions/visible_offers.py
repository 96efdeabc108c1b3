"""The most frequent query of a shop: the offers that a customer may order at a sale, with prices and pieces left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Text, and_, bindparam, case, cast, func, or_, select, type_coerce

from ..base.money import Money, half_up
from ..base.plugin_fields import PluginFields
from ..catalogs.tables import catalog_item, item_shown_to, offer
from ..enterprises.tables import enterprise
from ..products.fields import ProductFacts, terms_in
from ..products.questions import pieces_left
from ..products.tables import image, producer_absence, supplied_product
from ..products.values import UnitPrice, unit_price
from ..products.vat import rate_in_force
from ..stock.tables import stock_lot
from ..storage.database import Json, Row, RowQuery, Time, Transaction, Whole, local_day
from .tables import coordination_supplier, sale_session, session_item

_shop = enterprise.alias("shop")
_supplier = enterprise.alias("supplier")


@dataclass(frozen=True, kw_only=True)
class _PricedOffer:
    item_id: str
    product_id: str
    supplier_id: str
    supplier_name: str
    lot_id: str
    lot_quantity: int
    name: str
    description: str
    product_type: str
    quantity: Decimal
    unit: str
    weighed: bool
    weight_tolerance: Decimal | None
    currency: str
    price: int
    unit_price: UnitPrice | None
    vat_rate: Decimal
    deposit: int
    left: int | None
    orderable_until: datetime


@dataclass(frozen=True, kw_only=True)
class VisibleOffer(ProductFacts, _PricedOffer):
    """An item on sale as a customer sees it. Items of one `lot_id` are sizes of the same product.

    name:            the shop's own name for it, or the producer's
    names:           the producer's in further languages; empty if the shop has its own
    quantity:        net content of one piece, in `unit`, a DFC measure
    price, deposit:  minor units of `currency`, for one piece; the price includes VAT or not as the shop's prices do
    unit_price:      of one kilogram, litre, metre or piece, as the law requires; None for a bunch or a box
    weight_tolerance: percent that a weighed piece may weigh more or less; None: unknown
    vat_rate:        percent, in force on the day of the distribution
    lot_quantity:    grains that one piece takes from its lot
    left:            pieces that may still be ordered; None if unlimited
    orderable_until: the close of the sale, or the supplier's own, earlier cut-off
    plugin_fields:   values of fields that plugins declare and show, by plugin and name
    """

    image_id: str | None
    image_alt: str
    plugin_fields: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def price_at_most(self) -> int | None:
        """What a piece costs at most, whatever it weighs, in minor units; None: nobody knows, or it is not weighed."""
        if not self.weighed or self.weight_tolerance is None:
            return None
        return half_up(self.price * (1 + Fraction(self.weight_tolerance) / 100))

    def __hash__(self) -> int:
        return hash((self.item_id, self.price, self.left))  # quick, and enough to distinguish nearly all


class _Placed(NamedTuple):
    """An offer with its place in the catalog: by position, of equal ones by id."""

    position: int
    item_id: str
    offer: VisibleOffer


class GoodsOnSale(NamedTuple):
    """What an order needs to know of an item on sale. Amounts, quantities and moments are those of `VisibleOffer`.

    `list_price` is the price for everybody, if the customer's group has another one.
    """

    item_id: str
    product_id: str
    supplier_id: str
    lot_id: str
    lot_quantity: int
    name: str
    quantity: Decimal
    unit: str
    price: int
    deposit: int
    vat_rate: Decimal
    weighed: bool
    weight_tolerance: Decimal | None
    orderable_until: datetime
    list_price: int | None = None


def offers_for(
    tx: Transaction,
    session_id: str,
    category_ids: Iterable[str],
    *,
    item_ids: Collection[str] | None = None,
    after: str = "",
    skip: int = 0,
    limit: int | None = None,
    sold_out: bool = False,
) -> list[VisibleOffer]:
    """The offers of a sale session to a customer in these categories, in the order of the catalog, by one statement; by
    two for the first `limit`.

    An item's price is the lowest one for the customer's categories, or else the one for everybody. Items without a
    price for the customer, hidden or archived items, and items shown to other categories only are left out. `item_ids`
    selects these items only, `sold_out` those of which none is left. `after` is the last item of the previous page;
    `skip` is the number of offers to skip.
    """
    categories = sorted(category_ids)
    if limit is not None and not skip and not after and tx.value(_COUNT_ITEMS, {"session": session_id}) <= limit:
        limit = None  # an inner statement that selects the items would read all of them twice
    parameters: dict[str, object] = {"session": session_id, "categories": categories, "items": list(item_ids or ())}
    parameters |= {"after": after, "skip": skip, "limit": limit, "now": tx.now}
    limits = (item_ids is not None, bool(after), limit is not None, sold_out)
    statement = _statement(tx.postgresql, bool(categories), *limits)
    if item_ids is not None:  # a shopper changes these in the cart, so caching their rows is useless
        return _in_order(_placed(row, tx.plugin_fields.products) for row in tx.all(statement, parameters))
    return _in_order(tx.each(statement, parameters, _offer_maker(tx.plugin_fields.products)))


def _in_order(placed: Iterable[_Placed]) -> list[VisibleOffer]:
    """Sorted here: SQLite would write all columns of all rows into a table of its own for it, and read them again."""
    return [each.offer for each in sorted(placed, key=_PLACE)]


def goods_for(
    tx: Transaction, session_id: str, category_ids: Iterable[str], item_ids: Collection[str]
) -> list[GoodsOnSale]:
    """What `offers_for` returns of these items, without what only a page shows and without the stock. One statement."""
    categories = sorted(category_ids)
    parameters = {"session": session_id, "categories": categories, "items": list(item_ids)}
    return [_goods_from(row) for row in tx.all(_goods_statement(bool(categories)), parameters)]


def _goods_from(row: Row) -> GoodsOnSale:
    closes_at, supplier_closes_at = row.pop("closes_at"), row.pop("supplier_closes_at")
    if row.get("list_price") == row["price"]:
        row["list_price"] = None
    return GoodsOnSale(**row, orderable_until=min(closes_at, supplier_closes_at or closes_at))


def count_offers(tx: Transaction, session_id: str, category_ids: Iterable[str]) -> int:
    """The number of offers that `offers_for` returns without `item_ids` and limits."""
    categories = sorted(category_ids)
    return int(tx.value(_count_statement(bool(categories)), {"session": session_id, "categories": categories}))


_PLACE = itemgetter(0, 1)
_COUNT_ITEMS = select(func.count()).where(session_item.c.session_id == bindparam("session"))


@lru_cache
def _count_statement(with_categories: bool) -> RowQuery:
    return select(func.count()).select_from(_on_sale(with_categories)).where(*_conditions(with_categories))


def _conditions(with_categories: bool) -> list[ColumnElement[bool]]:
    """The conditions under which a customer sees an item of `_on_sale`."""
    conditions = [
        sale_session.c.id == bindparam("session"),
        ~catalog_item.c.hidden,
        supplied_product.c.archived_at.is_(None),
        _supplier.c.archived_at.is_(None),
        ~_is_away(),
        _is_shown_to(with_categories),
    ]
    return [*conditions, select(offer.c.id).where(_is_offered_to(True)).exists()] if with_categories else conditions


@lru_cache
def _statement(
    on_postgresql: bool, with_categories: bool, by_id: bool, after_item: bool, limited: bool, sold_out: bool
) -> RowQuery:
    """The statement of `offers_for`; cached, since building it takes as long as running it.

    For a page of a large sale an inner statement selects the items, and the joins run for these only.
    """
    item, product = catalog_item.c, supplied_product.c
    conditions = _conditions(with_categories)
    if by_id:
        conditions.append(session_item.c.item_id.in_(bindparam("items", expanding=True)))
    if after_item:
        conditions.append(_comes_after(bindparam("after")))
    if sold_out:
        conditions += [~stock_lot.c.unlimited, _available() < product.lot_quantity]
    if limited:
        goods = _on_sale_with_stock(with_categories) if sold_out else _on_sale(with_categories)
        page = select(item.id).select_from(goods).where(*conditions)
        page = page.order_by(item.position, item.id).limit(bindparam("limit", type_=Whole))
        page = page.offset(bindparam("skip", type_=Whole))
        conditions = [sale_session.c.id == bindparam("session"), item.id.in_(page)]
    columns = (
        item.id.label("item_id"),
        item.product_id,
        item.position,
        item.name.label("own_name"),
        *(_hashable(product[name], on_postgresql) for name in _OF_PRODUCT),
        product.enterprise_id.label("supplier_id"),
        _supplier.c.name.label("supplier_name"),
        _shop.c.currency,
        _available().label("free"),
        stock_lot.c.unlimited,
        image.c.alt.label("image_alt"),
        sale_session.c.closes_at,
        coordination_supplier.c.closes_at.label("supplier_closes_at"),
        _price(with_categories),
        rate_in_force(product.id, _distribution_day()).label("vat_rate"),
    )
    goods = _on_sale_with_stock(with_categories)
    return select(*columns).select_from(goods).where(*conditions)


@lru_cache
def _goods_statement(with_categories: bool) -> RowQuery:
    item, product = catalog_item.c, supplied_product.c
    columns = (
        item.id.label("item_id"),
        item.product_id,
        product.enterprise_id.label("supplier_id"),
        product.lot_id,
        product.lot_quantity,
        func.coalesce(func.nullif(item.name, ""), product.name).label("name"),
        product.quantity,
        product.unit,
        product.deposit,
        product.weighed,
        product.weight_tolerance,
        _price(with_categories),
        rate_in_force(product.id, _distribution_day()).label("vat_rate"),
        sale_session.c.closes_at,
        coordination_supplier.c.closes_at.label("supplier_closes_at"),
    )
    for_everybody = select(offer.c.price).where(_is_offered_to(False)).scalar_subquery().label("list_price")
    chosen = session_item.c.item_id.in_(bindparam("items", expanding=True))
    goods = _on_sale(with_categories).outerjoin(coordination_supplier, _supplies())
    columns_of_group = (for_everybody,) if with_categories else ()
    return select(*columns, *columns_of_group).select_from(goods).where(*_conditions(with_categories), chosen)


def _price(with_categories: bool) -> ColumnElement[int]:
    """The category's price before everybody's, the lowest first."""
    if not with_categories:
        return offer.c.price
    order = (offer.c.category_id.is_(None), offer.c.price)
    price = select(offer.c.price).where(_is_offered_to(True)).order_by(*order).limit(1)
    return price.scalar_subquery().label("price")


def _distribution_day() -> ColumnElement[str]:
    """The day of the distribution: a scalar subquery, so that it is computed once and not for each item."""
    session, shop = sale_session.alias(), enterprise.alias()
    day = select(local_day(session.c.begins_at, shop.c.timezone)).where(session.c.id == bindparam("session"))
    return day.join_from(session, shop, shop.c.id == session.c.enterprise_id).scalar_subquery()


def _is_away() -> ColumnElement[bool]:
    """The condition that the producer brings nothing on the day of the distribution."""
    absence, day = producer_absence.c, _distribution_day()
    of_producer = (absence.enterprise_id == supplied_product.c.enterprise_id, absence.first_day <= day)
    return select(absence.id).where(*of_producer, absence.last_day >= day).exists()


def _available() -> ColumnElement[int]:
    """Grains that may be sold: the lot's free ones until `free_until`, and those that peers can supply (`beyond`)."""
    lot = stock_lot.c
    return case((lot.free_until <= bindparam("now", type_=Time), 0), else_=lot.free) + lot.beyond


# Columns that an offer has from its product.
_OF_PRODUCT = tuple(entry.name for entry in fields(VisibleOffer) if entry.name in supplied_product.c)


def _hashable(column: ColumnElement[object], on_postgresql: bool) -> ColumnElement[object]:
    """The column, with JSON as text: PostgreSQL's driver returns lists for JSONB, which cannot be hashed."""
    if not on_postgresql or not isinstance(column.type, Json):
        return column
    return type_coerce(cast(column, Text), Json).label(column.key)


def _on_sale(with_categories: bool) -> Any:
    """Sessions joined with the items on sale, their products and suppliers, and the offer for everybody. Customers in
    categories may have several offers of an item, so there it is a condition."""
    goods = (
        sale_session.join(session_item, session_item.c.session_id == sale_session.c.id)
        .join(catalog_item, catalog_item.c.id == session_item.c.item_id)
        .join(supplied_product, supplied_product.c.id == catalog_item.c.product_id)
        .join(_supplier, _supplier.c.id == supplied_product.c.enterprise_id)
    )
    return goods if with_categories else goods.join(offer, _is_offered_to(False))


def _on_sale_with_stock(with_categories: bool) -> Any:
    """The same, joined with the session's shop, and with stock, supplier's cut-off and image of each item."""
    product = supplied_product.c
    return (
        _on_sale(with_categories)
        .join(_shop, _shop.c.id == sale_session.c.enterprise_id)
        .join(stock_lot, stock_lot.c.id == product.lot_id)
        .outerjoin(coordination_supplier, _supplies())
        .outerjoin(image, image.c.id == product.image_id)
    )


def _supplies() -> ColumnElement[bool]:
    """The condition that the row of `coordination_supplier` is that of the product's supplier in the sale."""
    supplier = coordination_supplier.c
    in_sale = supplier.coordination_id == sale_session.c.coordination_id
    return and_(in_sale, supplier.enterprise_id == supplied_product.c.enterprise_id)


def _is_in_categories(category_id: ColumnElement[object]) -> ColumnElement[bool]:
    return category_id.in_(bindparam("categories", expanding=True))


def _is_offered_to(with_categories: bool) -> ColumnElement[bool]:
    """The condition that an offer of the item is for these categories or for everybody."""
    for_all = offer.c.category_id.is_(None)
    for_these = or_(for_all, _is_in_categories(offer.c.category_id)) if with_categories else for_all
    return and_(offer.c.item_id == catalog_item.c.id, for_these)


def _is_shown_to(with_categories: bool) -> ColumnElement[bool]:
    """The condition that the item is shown to everybody or to one of these categories."""
    rows = select(item_shown_to.c.item_id).where(item_shown_to.c.item_id == catalog_item.c.id)
    to_these = [rows.where(_is_in_categories(item_shown_to.c.category_id)).exists()] if with_categories else []
    return or_(~rows.exists(), *to_these)


def _comes_after(item_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that an item comes after this one in the catalog's order."""
    position, last = catalog_item.c.position, catalog_item.alias()
    position_of_last = select(last.c.position).where(last.c.id == item_id).scalar_subquery()
    return or_(position > position_of_last, and_(position == position_of_last, catalog_item.c.id > item_id))


@lru_cache
def _offer_maker(declared: PluginFields) -> Callable[[Row], _Placed]:
    """One function for each instance, so that `Transaction.each` keeps what it made."""
    return lambda row: _placed(row, declared)


def _placed(row: Row, declared: PluginFields) -> _Placed:
    position = row.pop("position")
    free, unlimited = row.pop("free"), row.pop("unlimited")
    closes_at, supplier_closes_at = row.pop("closes_at"), row.pop("supplier_closes_at")
    own_name = row.pop("own_name")
    row |= {
        "name": own_name or row["name"],
        "names": {} if own_name else row["names"],
        "left": pieces_left(free=free, unlimited=unlimited, lot_quantity=row["lot_quantity"]),
        "orderable_until": min(closes_at, supplier_closes_at or closes_at),
        "unit_price": unit_price(Money(row["price"], row["currency"]), row["quantity"], row["unit"]),
        **terms_in(row),
        "plugin_fields": declared.shown(row["plugin_fields"]) if row["plugin_fields"] else {},
        "image_alt": row["image_alt"] or "",
    }
    return _Placed(position, row["item_id"], VisibleOffer(**row))
