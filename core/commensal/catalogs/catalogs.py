"""An enterprise's catalogs. One is enough for most; a hub may have one for its shop and one for caterers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, delete, func, insert, literal, or_, select

from ..base.errors import Conflict, Invalid, NotFound, Problem
from ..base.languages.catalogs import translate
from ..base.texts import read_text
from ..enterprises.enterprises import enterprise_by_id
from ..enterprises.tables import enterprise_grant
from ..products.questions import products_where
from ..products.tables import supplied_product
from ..products.values import StockedProduct
from ..storage.database import Transaction, edit_row, refuse_conflict
from .tables import catalog, catalog_item
from .values import Catalog


def create_catalog(tx: Transaction, *, enterprise_id: str, name: str) -> Catalog:
    """Creates a catalog. Raises `Invalid` for a name that is empty, too long, or taken."""
    new = Catalog(id=tx.new_id(), enterprise_id=enterprise_id, name=_check_name(name), version=1)
    values = {"id": new.id, "enterprise_id": enterprise_id, "name": new.name, "version": 1}
    with refuse_conflict(tx, duplicate=_name_taken(new.name)):
        tx.execute(insert(catalog).values(values))
    return new


def change_catalog(tx: Transaction, enterprise_id: str, catalog_id: str, version: int, *, name: str) -> Catalog:
    """Renames a catalog. Raises `Invalid`, `NotFound`, `Stale`."""
    name = _check_name(name)
    conditions = (catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id)
    with refuse_conflict(tx, duplicate=_name_taken(name)):
        return Catalog(**edit_row(tx, catalog, *conditions, version=version, values={"name": name}))


def remove_catalog(tx: Transaction, enterprise_id: str, catalog_id: str) -> None:
    """Removes an empty catalog. Raises `NotFound`, `Conflict` if it has items or a sale sells from it."""
    used = Conflict("in_use", "This catalog has items, or a sale sells from it, so it stays.")
    with refuse_conflict(tx, referenced=used):
        result = tx.execute(delete(catalog).where(catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id))
    if result.rowcount != 1:
        raise _not_found()


def catalog_by_id(tx: Transaction, enterprise_id: str, catalog_id: str) -> Catalog:
    """The enterprise's catalog with this id. Raises `NotFound`."""
    row = tx.first(select(catalog).where(catalog.c.id == catalog_id, catalog.c.enterprise_id == enterprise_id))
    if row is None:
        raise _not_found()
    return Catalog(**row)


def catalogs_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> list[Catalog]:
    """The enterprise's catalogs ordered by id, beginning after the id `after`."""
    query = select(catalog).where(catalog.c.enterprise_id == enterprise_id, catalog.c.id > after)
    return [Catalog(**row) for row in tx.all(query.order_by(catalog.c.id).limit(limit))]


def first_catalog(tx: Transaction, enterprise_id: str) -> Catalog:
    """The enterprise's first catalog, which is made, with a name in its language, if it has none."""
    catalogs = catalogs_of(tx, enterprise_id, limit=1)
    if catalogs:
        return catalogs[0]
    language = enterprise_by_id(tx, enterprise_id).language
    return create_catalog(tx, enterprise_id=enterprise_id, name=translate(language, "Catalogue"))


def _check_name(name: str) -> str:
    problems: list[Problem] = []
    checked_name = read_text(name, "/name", problems, least=1)
    if problems:
        raise Invalid(problems)
    return checked_name


def _name_taken(name: str) -> Invalid:
    return Invalid([Problem("name_taken", "Another catalog is called {name}.", "/name", {"name": name})])


def _not_found() -> NotFound:
    return NotFound("no_catalog", "There is no such catalog.")


# The products that an enterprise may list and sell: its own, and those of producers that granted it the right.

# The DFC scopes that a producer grants to an enterprise which sells its goods: to read products, to place orders.
SELLING = ("ReadProducts", "WriteOrders")


def grants_all(
    grantor: ColumnElement[object], grantee: ColumnElement[object] | str, *scopes: str
) -> ColumnElement[bool]:
    """The condition that grantor and grantee are the same, or that the grantor granted all these scopes."""
    granted = (
        select(func.count())
        .select_from(enterprise_grant)
        .where(
            enterprise_grant.c.grantor_id == grantor,
            enterprise_grant.c.grantee_id == grantee,
            enterprise_grant.c.scope.in_(scopes),
        )
        .scalar_subquery()
    )
    return or_(grantor == grantee, granted == literal(len(scopes)))


def sellable_products(
    tx: Transaction,
    enterprise_id: str,
    *,
    producer_id: str | None = None,
    search: str = "",
    after: str = "",
    limit: int = 50,
) -> list[StockedProduct]:
    """Products that the enterprise may list, ordered by id, beginning after the id `after`. One statement."""
    product = supplied_product.c
    conditions = [product.archived_at.is_(None), grants_all(product.enterprise_id, enterprise_id, *SELLING)]
    if producer_id is not None:
        conditions.append(product.enterprise_id == producer_id)
    return products_where(tx, *conditions, search=search, after=after, limit=limit)


@dataclass(frozen=True, kw_only=True)
class RangeSize:
    """How many goods of a producer an enterprise may sell, and how many of them its catalogs list."""

    products: int
    listed: int


def count_ranges(tx: Transaction, enterprise_id: str) -> dict[str, RangeSize]:
    """The sizes of the ranges that the enterprise may list, by producer; its own included. One statement."""
    product = supplied_product.c
    own_items = (
        select(catalog_item.c.product_id)
        .join(catalog, catalog.c.id == catalog_item.c.catalog_id)
        .where(catalog.c.enterprise_id == enterprise_id)
    )
    is_listed = case((product.id.in_(own_items), 1), else_=0)
    query = (
        select(product.enterprise_id, func.count().label("products"), func.sum(is_listed).label("listed"))
        .where(product.archived_at.is_(None), grants_all(product.enterprise_id, enterprise_id, *SELLING))
        .group_by(product.enterprise_id)
    )
    return {
        row["enterprise_id"]: RangeSize(products=int(row["products"]), listed=int(row["listed"]))
        for row in tx.all(query)
    }
