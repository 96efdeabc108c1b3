"""Reads sales: for their coordinators, and for shoppers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, select, tuple_, union_all

from ..base.errors import Invalid, NotFound, Problem
from ..catalogs.tables import catalog_item
from ..enterprises.enterprises import COLUMNS, Enterprise
from ..enterprises.tables import customer, customer_person, enterprise, enterprise_member
from ..products.tables import supplied_product
from ..storage.database import Row, RowQuery, Time, Transaction
from .openness import coming_at, not_over_at, open_at
from .tables import coordination, coordination_supplier, sale_session, session_item
from .values import Coordination, ItemOnSale, Sale, SaleSession, SaleShop, Supplier

Openness = Literal["open", "coming", "both"]
SaleState = Literal["open", "coming", "over"]
_FOUND_BY_ALL = ("public",)
_REACHED_BY_ADDRESS = ("public", "link")

_session = [
    *(column for column in sale_session.c),
    coordination.c.coordinator_id,
    coordination.c.name,
    coordination.c.cancelled_at,
    coordination.c.completed_at,
]
_shop = {f"shop_{name}": enterprise.c[name] for name in SaleShop.__dataclass_fields__}


def _of_goods_in_sales(column: ColumnElement[str]) -> Select[str]:
    """Selects a column of the products that are in sales, joined with their items and sales."""
    return (
        select(column)
        .join(catalog_item, catalog_item.c.product_id == supplied_product.c.id)
        .join(session_item, session_item.c.item_id == catalog_item.c.id)
        .join(sale_session, sale_session.c.id == session_item.c.session_id)
        .join(coordination, coordination.c.id == sale_session.c.coordination_id)
    )


_ON_SALE = (
    _of_goods_in_sales(supplied_product.c.lot_id)
    .where(
        supplied_product.c.lot_id.in_(bindparam("lots", expanding=True)),
        not_over_at(bindparam("now", type_=Time)),
        sale_session.c.opens_at <= bindparam("before"),
    )
    .distinct()
)  # built once: instances run it for each lot, each minute


# ------------------------------------------------------------------------------------------- a coordinator's


def coordination_by_id(tx: Transaction, coordination_id: str, coordinator_id: str) -> Coordination:
    """Returns a coordination with its suppliers. Raises `NotFound`, also for one of another coordinator."""
    condition = (coordination.c.id == coordination_id) & (coordination.c.coordinator_id == coordinator_id)
    coordinations = read_coordinations(tx, select(coordination).where(condition))
    if not coordinations:
        raise NotFound
    return coordinations[0]


def coordinations_of(tx: Transaction, coordinator_id: str, *, after: str = "", limit: int = 50) -> list[Coordination]:
    """Returns a coordinator's coordinations, newest first. `after` is the last id of the page before."""
    statement = select(coordination).where(coordination.c.coordinator_id == coordinator_id)
    if after:
        statement = statement.where(coordination.c.id < after)
    return read_coordinations(tx, statement.order_by(coordination.c.id.desc()).limit(limit))


def session_by_id(tx: Transaction, session_id: str, coordinator_id: str) -> SaleSession:
    """Returns a session that this enterprise coordinates. Raises `NotFound`."""
    condition = (sale_session.c.id == session_id) & (coordination.c.coordinator_id == coordinator_id)
    return SaleSession(**tx.one(_sessions().where(condition)))


def sessions_of(tx: Transaction, coordination_id: str, coordinator_id: str) -> list[SaleSession]:
    """Returns the sessions of all shops of one coordination; there are few."""
    condition = (coordination.c.id == coordination_id) & (coordination.c.coordinator_id == coordinator_id)
    return [SaleSession(**row) for row in tx.all(_sessions().where(condition).order_by(sale_session.c.id))]


def sessions_of_shop(tx: Transaction, shop_id: str, *, after: str = "", limit: int = 50) -> list[SaleSession]:
    """Returns a shop's sessions, whoever coordinates them, newest first. `after` is the last id of the page before."""
    statement = _sessions().where(sale_session.c.enterprise_id == shop_id)
    if after:
        statement = statement.where(sale_session.c.id < after)
    return [SaleSession(**row) for row in tx.all(statement.order_by(sale_session.c.id.desc()).limit(limit))]


def sessions_by_id(tx: Transaction, ids: Collection[str]) -> dict[str, SaleSession]:
    """Returns sessions by id, of whatever shop: the caller must know that it may see them."""
    statement = _sessions().where(sale_session.c.id.in_(sorted(ids)))
    return {row["id"]: SaleSession(**row) for row in tx.all(statement)}


def items_on_sale(
    tx: Transaction, session_id: str, coordinator_id: str, *, after: str = "", limit: int = 50
) -> list[ItemOnSale]:
    """Returns the items that a session sells, by item id. Raises `NotFound`."""
    session_by_id(tx, session_id, coordinator_id)
    statement = (
        select(
            catalog_item.c.id.label("item_id"),
            catalog_item.c.product_id,
            supplied_product.c.enterprise_id.label("supplier_id"),
            supplied_product.c.name,
        )
        .join_from(session_item, catalog_item)
        .join(supplied_product, supplied_product.c.id == catalog_item.c.product_id)
        .where(session_item.c.session_id == session_id, session_item.c.item_id > after)
    )
    return [ItemOnSale(**row) for row in tx.all(statement.order_by(session_item.c.item_id).limit(limit))]


def lots_on_sale(tx: Transaction, lot_ids: Collection[str], *, before: datetime) -> set[str]:
    """Returns the lots of which an item is on sale at any shop, or will be `before` that moment."""
    return {row["lot_id"] for row in tx.all(_ON_SALE, {"lots": sorted(lot_ids), "now": tx.now, "before": before})}


# ------------------------------------------------------------------------------------------- anybody's


def sale_by_id(tx: Transaction, session_id: str) -> Sale:
    """Returns any session with its shop, also past or hidden: the caller decides who sees it. Raises `NotFound`."""
    return _sale(tx.one(_SALE, {"session": session_id}))


def sale_for(tx: Transaction, session_id: str, person_id: str | None) -> Sale:
    """Returns a session with its shop for a shopper; a hidden shop exists only for its members and customers.

    Raises `NotFound`.
    """
    sale = sale_by_id(tx, session_id)
    if sale.shop.visibility != "hidden":
        return sale
    member, buyer, sharer = enterprise_member.c, customer.c, customer_person.c
    acquainted = union_all(
        select(member.person_id).where(member.enterprise_id == sale.shop.id, member.person_id == person_id),
        select(buyer.person_id).where(buyer.enterprise_id == sale.shop.id, buyer.person_id == person_id),
        select(sharer.person_id).where(sharer.enterprise_id == sale.shop.id, sharer.person_id == person_id),
    )
    if person_id is None or tx.first(acquainted) is None:
        raise NotFound
    return sale


def sales(
    tx: Transaction, *, openness: Openness = "open", shop_id: str | None = None, after: str = "", limit: int = 50
) -> list[Sale]:
    """Returns sales that are open now, will open, or both; the first to close comes first.

    They are those of all public shops, or of one shop that is public or reachable by its address. `after` is the
    `page_key` of the last sale of the page before.
    """
    condition = {"open": open_at, "coming": coming_at, "both": not_over_at}[openness](tx.now)
    visibilities = _FOUND_BY_ALL if shop_id is None else _REACHED_BY_ADDRESS
    statement = _sales().where(condition, enterprise.c.visibility.in_(visibilities), enterprise.c.archived_at.is_(None))
    if shop_id is not None:
        statement = statement.where(enterprise.c.id == shop_id)
    if after:
        statement = statement.where(_after_key(after))
    rows = tx.all(statement.order_by(sale_session.c.closes_at, sale_session.c.id).limit(limit))
    return [_sale(row) for row in rows]


def sales_of_supplier(tx: Transaction, supplier_id: str, *, limit: int = 50) -> list[Sale]:
    """Returns open and coming sales of public shops that sell something of this supplier, the first to close first."""
    goods = (
        select(session_item.c.session_id)
        .join(catalog_item, catalog_item.c.id == session_item.c.item_id)
        .join(supplied_product, supplied_product.c.id == catalog_item.c.product_id)
        .where(
            supplied_product.c.enterprise_id == supplier_id,
            supplied_product.c.archived_at.is_(None),
            ~catalog_item.c.hidden,
        )
    )
    conditions = (
        not_over_at(tx.now),
        enterprise.c.visibility.in_(_FOUND_BY_ALL),
        enterprise.c.archived_at.is_(None),
        sale_session.c.id.in_(goods),
    )
    statement = _sales().where(*conditions).order_by(sale_session.c.closes_at, sale_session.c.id).limit(limit)
    return [_sale(row) for row in tx.all(statement)]


def suppliers_on_sale(tx: Transaction, shop_id: str, *, limit: int = 50) -> list[Enterprise]:
    """Other enterprises whose goods are in an open or coming sale of this shop, by name; only those that are listed."""
    goods = _of_goods_in_sales(supplied_product.c.enterprise_id).where(
        sale_session.c.enterprise_id == shop_id,
        not_over_at(tx.now),
        supplied_product.c.archived_at.is_(None),
        ~catalog_item.c.hidden,
    )
    statement = (
        select(*COLUMNS)
        .where(
            enterprise.c.id.in_(goods),
            enterprise.c.id != shop_id,
            enterprise.c.visibility.in_(_REACHED_BY_ADDRESS),
            enterprise.c.archived_at.is_(None),
        )
        .order_by(enterprise.c.name, enterprise.c.id)
        .limit(limit)
    )
    return [Enterprise(**row) for row in tx.all(statement)]


def sales_of_instance(tx: Transaction, state: SaleState | None = None, *, limit: int = 50) -> list[Sale]:
    """Returns sales of all shops, hidden ones too, for the operator: those in this state, or all of them.

    Open sales come first, then coming ones, each by their closing; then past ones, the latest first.
    """
    now = tx.now
    conditions = {"open": open_at(now), "coming": coming_at(now), "over": ~not_over_at(now)}
    states: tuple[SaleState, ...] = (state,) if state else ("open", "coming", "over")
    found_sales: list[Sale] = []
    for sale_state in states:
        closes_at = sale_session.c.closes_at.desc() if sale_state == "over" else sale_session.c.closes_at
        statement = (
            _sales()
            .where(conditions[sale_state])
            .order_by(closes_at, sale_session.c.id)
            .limit(limit - len(found_sales))
        )
        found_sales += [_sale(row) for row in tx.all(statement)]
    return found_sales


def count_on_sale(tx: Transaction, session_ids: Collection[str]) -> dict[str, int]:
    """Returns the number of items on sale by session id; sessions without items are left out."""
    item = session_item.c
    statement = select(item.session_id, func.count().label("items")).where(item.session_id.in_(sorted(session_ids)))
    return {row["session_id"]: row["items"] for row in tx.all(statement.group_by(item.session_id))}


def new_items(tx: Transaction, session_id: str) -> frozenset[str]:
    """Returns the items of a session that no earlier session of its shop sold. Its first session has no news."""
    earlier, its_items, this = sale_session.alias(), session_item.alias(), sale_session.c
    earlier_of_shop = and_(earlier.c.enterprise_id == this.enterprise_id, earlier.c.opens_at < this.opens_at)
    sold_before = select(its_items.c.item_id).join(earlier, earlier.c.id == its_items.c.session_id)
    statement = (
        select(session_item.c.item_id)
        .join(sale_session, this.id == session_item.c.session_id)
        .where(
            this.id == session_id,
            select(earlier.c.id).where(earlier_of_shop).exists(),
            ~sold_before.where(earlier_of_shop, its_items.c.item_id == session_item.c.item_id).exists(),
        )
    )
    return frozenset(row["item_id"] for row in tx.all(statement))


def page_key(sale: Sale) -> str:
    """Returns the key that continues `sales` after this sale."""
    return f"{sale.session.closes_at:%Y%m%dT%H%M%S.%f}_{sale.session.id}"


# ------------------------------------------------------------------------------------------- how they are read


def _sessions() -> RowQuery:
    return select(*_session).join_from(sale_session, coordination)


def _sales() -> RowQuery:
    shop = (column.label(label) for label, column in _shop.items())
    statement = select(*_session, *shop).join_from(sale_session, coordination)
    return statement.join(enterprise, enterprise.c.id == sale_session.c.enterprise_id)


_SALE = _sales().where(sale_session.c.id == bindparam("session"))


def _sale(row: Row) -> Sale:
    shop = {column.name: row.pop(label) for label, column in _shop.items()}
    return Sale(session=SaleSession(**row), shop=SaleShop(**shop))


def _after_key(after: str) -> ColumnElement[bool]:
    moment, _, last = after.partition("_")
    try:
        closes_at = datetime.strptime(moment, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid([Problem("not_a_page", "This is not the key of a page.", "/after")]) from None
    key = tuple_(literal(closes_at, Time), literal(last))
    return tuple_(sale_session.c.closes_at, sale_session.c.id) > key


def read_coordinations(tx: Transaction, statement: RowQuery) -> list[Coordination]:
    """Runs a query for coordinations and adds their suppliers: two statements, whatever their number."""
    rows = tx.all(statement)
    suppliers: dict[str, list[Supplier]] = {row["id"]: [] for row in rows}
    if rows:
        condition = coordination_supplier.c.coordination_id.in_(suppliers)
        for row in tx.all(
            select(coordination_supplier).where(condition).order_by(coordination_supplier.c.enterprise_id)
        ):
            supplier = Supplier(enterprise_id=row["enterprise_id"], closes_at=row["closes_at"])
            suppliers[row["coordination_id"]].append(supplier)
    return [Coordination(**row, suppliers=tuple(suppliers[row["id"]])) for row in rows]
