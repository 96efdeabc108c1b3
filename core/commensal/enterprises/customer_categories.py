"""Customer categories: groups of one enterprise's customers, who may see other offers and other prices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import delete, func, insert, literal, select, update

from ..base.errors import Conflict, Invalid, Problem
from ..base.texts import read_text
from ..storage.database import Transaction, edit_row, refuse_conflict
from .tables import customer, customer_category, customer_in_category

MOST = 100  # categories of one enterprise


@dataclass(frozen=True, kw_only=True)
class CustomerCategory:
    """A group of customers of one enterprise."""

    id: str
    enterprise_id: str
    name: str
    version: int


_COLUMNS = [customer_category.c[field.name] for field in fields(CustomerCategory)]
_TAKEN = Invalid([Problem("name_taken", "There is a category of this name already.", "/name")])


def create_category(tx: Transaction, enterprise_id: str, *, name: str) -> CustomerCategory:
    """Creates a category of the enterprise.

    Raises `Invalid` if the name is empty, too long or taken, `Conflict` if the enterprise has 100 categories already.
    """
    category = CustomerCategory(id=tx.new_id(), enterprise_id=enterprise_id, name=_check_name(name), version=1)
    count = select(func.count()).where(customer_category.c.enterprise_id == enterprise_id)
    if tx.value(count) >= MOST:
        raise Conflict("too_many_categories", "There are {most} categories already.", most=MOST)
    with refuse_conflict(tx, duplicate=_TAKEN):
        tx.execute(
            insert(customer_category).values({field.name: getattr(category, field.name) for field in fields(category)})
        )
    return category


def rename_category(
    tx: Transaction, enterprise_id: str, category_id: str, version: int, *, name: str
) -> CustomerCategory:
    """Renames a category. Raises `Invalid` if the name is empty, too long or taken, `NotFound`, `Stale`."""
    values = {"name": _check_name(name)}
    conditions = (customer_category.c.id == category_id, customer_category.c.enterprise_id == enterprise_id)
    with refuse_conflict(tx, duplicate=_TAKEN):
        return CustomerCategory(**edit_row(tx, customer_category, *conditions, version=version, values=values))


def delete_category(tx: Transaction, enterprise_id: str, category_id: str, version: int) -> None:
    """Deletes a category and takes its customers out of it.

    Raises `Conflict` while there are offers for the category, `NotFound`, `Stale`.
    """
    conditions = (customer_category.c.id == category_id, customer_category.c.enterprise_id == enterprise_id)
    edit_row(
        tx, customer_category, *conditions, version=version, values={}
    )  # locks the row, so that nobody joins meanwhile
    in_category = customer_in_category.c.category_id == category_id
    members = select(customer_in_category.c.customer_id).where(in_category)
    tx.execute(update(customer).where(customer.c.id.in_(members)).values(version=customer.c.version + 1))
    tx.execute(delete(customer_in_category).where(in_category))
    used = Conflict("category_used", "There are offers for this category; take them back first.")
    with refuse_conflict(tx, referenced=used):
        tx.execute(delete(customer_category).where(*conditions))


def list_categories(tx: Transaction, enterprise_id: str) -> Sequence[CustomerCategory]:
    """All categories of the enterprise, in the order of their creation."""
    query = select(*_COLUMNS).where(customer_category.c.enterprise_id == enterprise_id)
    return [CustomerCategory(**row) for row in tx.all(query.order_by(customer_category.c.id))]


def set_categories(tx: Transaction, enterprise_id: str, customer_id: str, categories: Collection[str]) -> None:
    """Puts a customer of the enterprise into exactly these categories.

    The caller checks that the customer belongs to the enterprise, and raises the customer's version.
    Raises `Invalid`, naming each category that is not the enterprise's.
    """
    category_ids = set(categories)
    tx.execute(delete(customer_in_category).where(customer_in_category.c.customer_id == customer_id))
    if not category_ids:
        return
    existing = select(literal(customer_id), customer_category.c.id).where(
        customer_category.c.enterprise_id == enterprise_id, customer_category.c.id.in_(category_ids)
    )
    statement = insert(customer_in_category).from_select(["customer_id", "category_id"], existing)
    if tx.execute(statement).rowcount != len(category_ids):
        known_ids = {category.id for category in list_categories(tx, enterprise_id)}
        text = "There is no category {category} here."
        raise Invalid(
            [
                Problem("no_category", text, "/categories", {"category": category_id})
                for category_id in sorted(category_ids - known_ids)
            ]
        )


def _check_name(name: str) -> str:
    problems: list[Problem] = []
    checked_name = read_text(name, "/name", problems, least=1, most=100)
    if problems:
        raise Invalid(problems)
    return checked_name
