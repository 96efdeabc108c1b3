"""Customer categories: groups of one enterprise's customers, who may see other offers and other prices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import delete, func, insert, literal, select, update

from ...base.errors import Conflict, Invalid, Problem
from ...base.texts import read_text
from ...storage.database import Transaction, edit_row, refusing
from .tables import customer, customer_category, customer_in_category

MOST = 100  # categories of one enterprise


@dataclass(frozen=True, kw_only=True)
class CustomerCategory:
    """A group of customers of one enterprise."""

    id: str
    enterprise_id: str
    name: str
    version: int


_COLUMNS = [customer_category.c[one.name] for one in fields(CustomerCategory)]
_TAKEN = Invalid([Problem("name_taken", "There is a category of this name already.", "/name")])


def create_category(tx: Transaction, enterprise_id: str, *, name: str) -> CustomerCategory:
    """Raises `Invalid` where the name will not do or is taken, `Conflict` where there are a hundred."""
    made = CustomerCategory(id=tx.new_id(), enterprise_id=enterprise_id, name=_checked(name), version=1)
    count = select(func.count()).where(customer_category.c.enterprise_id == enterprise_id)
    if tx.value(count) >= MOST:
        raise Conflict("too_many_categories", "There are {most} categories already.", most=MOST)
    with refusing(tx, double=_TAKEN):
        tx.execute(insert(customer_category).values({one.name: getattr(made, one.name) for one in fields(made)}))
    return made


def rename_category(
    tx: Transaction, enterprise_id: str, category_id: str, version: int, *, name: str
) -> CustomerCategory:
    """Raises `Invalid` where the name will not do or is taken, `NotFound`, `Stale`."""
    values = {"name": _checked(name)}
    mine = (customer_category.c.id == category_id, customer_category.c.enterprise_id == enterprise_id)
    with refusing(tx, double=_TAKEN):
        return CustomerCategory(**edit_row(tx, customer_category, *mine, version=version, values=values))


def delete_category(tx: Transaction, enterprise_id: str, category_id: str, version: int) -> None:
    """Its customers are in one category less. Raises `Conflict` while offers are made to it, `NotFound`, `Stale`."""
    mine = (customer_category.c.id == category_id, customer_category.c.enterprise_id == enterprise_id)
    edit_row(tx, customer_category, *mine, version=version, values={})  # locks it, so that nobody joins meanwhile
    inside = customer_in_category.c.category_id == category_id
    members = select(customer_in_category.c.customer_id).where(inside)
    tx.execute(update(customer).where(customer.c.id.in_(members)).values(version=customer.c.version + 1))
    tx.execute(delete(customer_in_category).where(inside))
    used = Conflict("category_used", "There are offers for this category; take them back first.")
    with refusing(tx, used=used):
        tx.execute(delete(customer_category).where(*mine))


def category_by_id(tx: Transaction, enterprise_id: str, category_id: str) -> CustomerCategory:
    """One of the enterprise's categories. Raises `NotFound`."""
    mine = (customer_category.c.id == category_id, customer_category.c.enterprise_id == enterprise_id)
    return CustomerCategory(**tx.one(select(*_COLUMNS).where(*mine)))


def list_categories(tx: Transaction, enterprise_id: str) -> Sequence[CustomerCategory]:
    """All categories of the enterprise, in the order they were made."""
    mine = select(*_COLUMNS).where(customer_category.c.enterprise_id == enterprise_id)
    return [CustomerCategory(**row) for row in tx.all(mine.order_by(customer_category.c.id))]


def set_categories(tx: Transaction, enterprise_id: str, customer_id: str, categories: Collection[str]) -> None:
    """The customer, who must be the enterprise's, is in these categories and no others afterwards.

    Raises `Invalid` naming a category that is not the enterprise's. The customer's version is the caller's to raise.
    """
    wanted = set(categories)
    tx.execute(delete(customer_in_category).where(customer_in_category.c.customer_id == customer_id))
    if not wanted:
        return
    own = select(literal(customer_id), customer_category.c.id).where(
        customer_category.c.enterprise_id == enterprise_id, customer_category.c.id.in_(wanted)
    )
    into = insert(customer_in_category).from_select(["customer_id", "category_id"], own)
    if tx.execute(into).rowcount != len(wanted):
        known = {one.id for one in list_categories(tx, enterprise_id)}
        text = "There is no category {category} here."
        raise Invalid(
            [Problem("no_category", text, "/categories", {"category": one}) for one in sorted(wanted - known)]
        )


def _checked(name: str) -> str:
    problems: list[Problem] = []
    read = read_text(name, "/name", problems, least=1, most=100)
    if problems:
        raise Invalid(problems)
    return read
