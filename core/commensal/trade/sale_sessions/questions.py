"""Questions about sales: those of a coordinator, and those that anybody may shop at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select, tuple_, union_all

from ...base.errors import Invalid, NotFound, Problem
from ...storage.database import Row, Time, Transaction
from ..catalogs.tables import catalog_item
from ..enterprises.tables import customer, enterprise, enterprise_member
from ..products.tables import supplied_product
from .openness import coming_at, not_over_at, open_at
from .tables import coordination, coordination_supplier, sale_session, session_item
from .values import Coordination, ItemOnSale, Sale, SaleSession, Shop, Supplier

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
_shop = {f"shop_{name}": enterprise.c[name] for name in Shop.__dataclass_fields__}
_ON_SALE = (
    select(supplied_product.c.lot_id)
    .join(catalog_item, catalog_item.c.product_id == supplied_product.c.id)
    .join(session_item, session_item.c.item_id == catalog_item.c.id)
    .join(sale_session, sale_session.c.id == session_item.c.session_id)
    .join(coordination, coordination.c.id == sale_session.c.coordination_id)
    .where(
        supplied_product.c.lot_id.in_(bindparam("lots", expanding=True)),
        not_over_at(bindparam("now", type_=Time)),
        sale_session.c.opens_at <= bindparam("before"),
    )
    .distinct()
)  # made once: instances ask it of each lot, each minute


# ------------------------------------------------------------------------------------------- a coordinator's


def coordination_by_id(tx: Transaction, coordination_id: str, coordinator_id: str) -> Coordination:
    """Raises `NotFound`, for one of another coordinator too."""
    mine = (coordination.c.id == coordination_id) & (coordination.c.coordinator_id == coordinator_id)
    found = read_coordinations(tx, select(coordination).where(mine))
    if not found:
        raise NotFound
    return found[0]


def coordinations_of(tx: Transaction, coordinator_id: str, *, after: str = "", limit: int = 50) -> list[Coordination]:
    """The newest first. `after` is the id of the last one of the page before."""
    wanted = select(coordination).where(coordination.c.coordinator_id == coordinator_id)
    if after:
        wanted = wanted.where(coordination.c.id < after)
    return read_coordinations(tx, wanted.order_by(coordination.c.id.desc()).limit(limit))


def session_by_id(tx: Transaction, session_id: str, coordinator_id: str) -> SaleSession:
    """One that this enterprise coordinates. Raises `NotFound`."""
    mine = (sale_session.c.id == session_id) & (coordination.c.coordinator_id == coordinator_id)
    return SaleSession(**tx.one(_sessions().where(mine)))


def sessions_of(tx: Transaction, coordination_id: str, coordinator_id: str) -> list[SaleSession]:
    """All shops of one coordination; there are few."""
    mine = (coordination.c.id == coordination_id) & (coordination.c.coordinator_id == coordinator_id)
    return [SaleSession(**row) for row in tx.all(_sessions().where(mine).order_by(sale_session.c.id))]


def sessions_of_shop(tx: Transaction, shop_id: str, *, after: str = "", limit: int = 50) -> list[SaleSession]:
    """What a shop takes part in, whoever coordinates it; the newest first. `after` is the id of the last one before."""
    wanted = _sessions().where(sale_session.c.enterprise_id == shop_id)
    if after:
        wanted = wanted.where(sale_session.c.id < after)
    return [SaleSession(**row) for row in tx.all(wanted.order_by(sale_session.c.id.desc()).limit(limit))]


def items_on_sale(
    tx: Transaction, session_id: str, coordinator_id: str, *, after: str = "", limit: int = 50
) -> list[ItemOnSale]:
    """What a session sells, by item id."""
    session_by_id(tx, session_id, coordinator_id)
    wanted = (
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
    return [ItemOnSale(**row) for row in tx.all(wanted.order_by(session_item.c.item_id).limit(limit))]


def lots_on_sale(tx: Transaction, lot_ids: Collection[str], *, before: datetime) -> set[str]:
    """Those of these lots of which something is on sale, at whatever shop, or will be `before` that moment."""
    return {row["lot_id"] for row in tx.all(_ON_SALE, {"lots": sorted(lot_ids), "now": tx.now, "before": before})}


# ------------------------------------------------------------------------------------------- anybody's


def sale_by_id(tx: Transaction, session_id: str) -> Sale:
    """A session, past ones too, with its shop, hidden ones too: the caller decides who sees it. Raises `NotFound`."""
    return _sale(tx.one(_SALE, {"session": session_id}))


def sale_for(tx: Transaction, session_id: str, person_id: str | None) -> Sale:
    """The same for who shops: a hidden shop is there for its members and customers only. Raises `NotFound`."""
    found = sale_by_id(tx, session_id)
    if found.shop.visibility != "hidden":
        return found
    member, buyer = enterprise_member.c, customer.c
    known = union_all(
        select(member.person_id).where(member.enterprise_id == found.shop.id, member.person_id == person_id),
        select(buyer.person_id).where(buyer.enterprise_id == found.shop.id, buyer.person_id == person_id),
    )
    if person_id is None or tx.first(known) is None:
        raise NotFound
    return found


def sales(
    tx: Transaction,
    *,
    openness: Openness = "open",
    shop_id: str | None = None,
    after: str = "",
    limit: int = 50,
) -> list[Sale]:
    """Sales that are open now, still to open, or both; those that close first come first.

    Of all shops that are public, or of one, which may be public or reached by its address. `after` is the `place_of`
    the last one of the page before.
    """
    when = {"open": open_at, "coming": coming_at, "both": not_over_at}[openness](tx.now)
    seen = _FOUND_BY_ALL if shop_id is None else _REACHED_BY_ADDRESS
    wanted = _sales().where(when, enterprise.c.visibility.in_(seen), enterprise.c.archived_at.is_(None))
    if shop_id is not None:
        wanted = wanted.where(enterprise.c.id == shop_id)
    if after:
        wanted = wanted.where(_behind(after))
    rows = tx.all(wanted.order_by(sale_session.c.closes_at, sale_session.c.id).limit(limit))
    return [_sale(row) for row in rows]


def sales_of_instance(tx: Transaction, state: SaleState | None = None, *, limit: int = 50) -> list[Sale]:
    """Sales of all shops, hidden ones too, for who runs the instance: those in this state, or all of them.

    What is open comes first, then what is to come, each by its closing; then what is over, the latest first.
    """
    now = tx.now
    when = {"open": open_at(now), "coming": coming_at(now), "over": ~not_over_at(now)}
    states: tuple[SaleState, ...] = (state,) if state else ("open", "coming", "over")
    found: list[Sale] = []
    for one in states:
        closes_at = sale_session.c.closes_at.desc() if one == "over" else sale_session.c.closes_at
        wanted = _sales().where(when[one]).order_by(closes_at, sale_session.c.id).limit(limit - len(found))
        found += [_sale(row) for row in tx.all(wanted)]
    return found


def count_on_sale(tx: Transaction, session_ids: Collection[str]) -> dict[str, int]:
    """How many items each of these sessions sells; those that sell nothing are left out."""
    item = session_item.c
    counted = select(item.session_id, func.count().label("items")).where(item.session_id.in_(sorted(session_ids)))
    return {row["session_id"]: row["items"] for row in tx.all(counted.group_by(item.session_id))}


def place_of(sale: Sale) -> str:
    """Where it stands in `sales`: the key of its page."""
    return f"{sale.session.closes_at:%Y%m%dT%H%M%S.%f}_{sale.session.id}"


def next_to_close(tx: Transaction, shop_id: str) -> SaleSession | None:
    """The sale that is open at a shop now; of several, the one that closes first."""
    wanted = _sessions().where(sale_session.c.enterprise_id == shop_id, open_at(tx.now))
    row = tx.first(wanted.order_by(sale_session.c.closes_at, sale_session.c.id).limit(1))
    return None if row is None else SaleSession(**row)


# ------------------------------------------------------------------------------------------- how they are read


def _sessions() -> Select[tuple[object, ...]]:
    return select(*_session).join_from(sale_session, coordination)


def _sales() -> Select[tuple[object, ...]]:
    shop = (column.label(label) for label, column in _shop.items())
    joined = select(*_session, *shop).join_from(sale_session, coordination)
    return joined.join(enterprise, enterprise.c.id == sale_session.c.enterprise_id)


_SALE = _sales().where(sale_session.c.id == bindparam("session"))


def _sale(row: Row) -> Sale:
    shop = {column.name: row.pop(label) for label, column in _shop.items()}
    return Sale(session=SaleSession(**row), shop=Shop(**shop))


def _behind(after: str) -> ColumnElement[bool]:
    moment, _, last = after.partition("_")
    try:
        closes_at = datetime.strptime(moment, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid([Problem("not_a_page", "This is not the key of a page.", "/after")]) from None
    place = tuple_(literal(closes_at, Time), literal(last))
    return tuple_(sale_session.c.closes_at, sale_session.c.id) > place


def read_coordinations(tx: Transaction, wanted: Select[tuple[object, ...]]) -> list[Coordination]:
    """With their suppliers: two statements, whatever the number."""
    rows = tx.all(wanted)
    suppliers: dict[str, list[Supplier]] = {row["id"]: [] for row in rows}
    if rows:
        theirs = coordination_supplier.c.coordination_id.in_(suppliers)
        for row in tx.all(select(coordination_supplier).where(theirs).order_by(coordination_supplier.c.enterprise_id)):
            one = Supplier(enterprise_id=row["enterprise_id"], closes_at=row["closes_at"])
            suppliers[row["coordination_id"]].append(one)
    return [Coordination(**row, suppliers=tuple(suppliers[row["id"]])) for row in rows]
